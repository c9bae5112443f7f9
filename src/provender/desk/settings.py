"""The wholesaler's own settings."""

from django.http import HttpResponse
from django.shortcuts import render

from provender.desk.frame import DeskRequest, member
from provender.people.roles import Doing
from provender.suppliers.models import Supplier


@member(Doing.LOOK)
def settings(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    return render(request, "desk/today.html")


@member(Doing.LOOK)
def numbering(request, supplier, pk=None):
    return render(request, "desk/today.html")


freight = freight_new = freight_edit = numbering
