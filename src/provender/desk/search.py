"""Search over one wholesaler."""

from django.http import HttpResponse
from django.shortcuts import render

from provender.desk.frame import DeskRequest, member
from provender.people.roles import Doing
from provender.suppliers.models import Supplier


@member(Doing.LOOK)
def search(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    return render(request, "desk/search.html")
