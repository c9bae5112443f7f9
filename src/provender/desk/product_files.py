"""Products from a file: which one. What would happen is shown by `list_files`."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from provender.desk.frame import DeskRequest, member
from provender.desk.list_files import FileForm, address
from provender.desk.products import sales_accounts
from provender.importing.products import FIELDS, preview_products
from provender.people.roles import Doing
from provender.suppliers.models import Supplier


@member(Doing.TRADE)
def upload(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Take a file of products, and lead to its preview."""
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if form.is_valid():
        accounts = dict(sales_accounts(supplier))
        file = form.read(
            lambda handle, name: preview_products(supplier, handle, name, by=request.user, accounts=accounts)
        )
        if file is not None:
            return redirect(address(file))
    return render(request, "desk/products/product_file.html", {"form": form, "fields": FIELDS})
