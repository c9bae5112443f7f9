"""Prices of a list or of a customer as files: which one to read, and what is here to begin with.

What would happen is shown by `list_files`.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from provender.desk.customer_prices import OfCustomer, find_customer
from provender.desk.frame import DeskRequest, member
from provender.desk.list_files import FileForm, address
from provender.desk.lists import download
from provender.desk.price_lists import OnList, find_list
from provender.desk.prices import Holder
from provender.importing.prices import FIELDS, preview_prices
from provender.people.roles import Doing
from provender.suppliers.models import Supplier

ENDINGS = ("csv", "xlsx")


@member(Doing.TRADE)
def of_list(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Take a file of a list's prices, and lead to its preview."""
    return _upload(request, OnList(find_list(supplier, pk)), "desk:price-list-download")


@member(Doing.TRADE)
def of_customer(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Take a file of a customer's own prices, and lead to its preview."""
    return _upload(request, OfCustomer(find_customer(supplier, pk)), "desk:customer-price-download")


def _upload(request: DeskRequest, holder: Holder, downloads: str) -> HttpResponse:
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if form.is_valid():
        file = form.read(lambda handle, name: preview_prices(holder.row, handle, name, by=request.user))
        if file is not None:
            return redirect(address(file))
    context = {
        "form": form,
        "fields": FIELDS,
        "holder": holder,
        "downloads": {each: reverse(downloads, args=[request.supplier.slug, holder.row.pk, each]) for each in ENDINGS},
    }
    return render(request, "desk/price_lists/price_file.html", context)


@member(Doing.LOOK)
def list_prices(request: DeskRequest, supplier: Supplier, pk: UUID, ending: str) -> HttpResponseBase:
    """All prices of a list as a file that can be read in again."""
    return _send(request, OnList(find_list(supplier, pk)), ending)


@member(Doing.LOOK)
def customer_prices(request: DeskRequest, supplier: Supplier, pk: UUID, ending: str) -> HttpResponseBase:
    """All own prices of a customer as a file that can be read in again."""
    return _send(request, OfCustomer(find_customer(supplier, pk)), ending)


def _send(request: DeskRequest, holder: Holder, ending: str) -> HttpResponseBase:
    if ending not in ENDINGS:
        raise Http404("No such kind of file.")
    return download(request.supplier, f"{holder.name} prices", ending, _table(holder))


def _table(holder: Holder) -> Iterator[list[Any]]:
    """A line for each price; active products without one have an empty price, to be filled in."""
    yield ["SKU", "Name", *(field.label for field in FIELDS[1:])]
    prices: dict[UUID, list[list[Any]]] = {}
    for row in holder.prices.all():
        prices.setdefault(row.product_id, []).append([row.price, row.valid_from or "", row.valid_to or ""])
    for product in holder.supplier.products.order_by("name", "pk"):
        none = [["", "", ""]] if product.active else []
        for cells in sorted(prices.get(product.pk, none), key=lambda cells: str(cells[1])):
            yield [product.sku, product.name, *cells]
