"""What lists and forms of orders and invoices share: saved views, and naming a customer or a product by typing.

Suggestions fill a `<datalist>` while a person types; without JavaScript the whole name, number or SKU is typed, and
when several could be meant the form asks which.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django_filters import CharFilter

from provender.catalogue.models import Product
from provender.catalogue.queries import find_product
from provender.customers.models import Customer
from provender.desk.frame import DeskRequest, member
from provender.people.roles import Doing
from provender.suppliers.models import Supplier

SUGGESTED = 12
MEANT = 1000  # customers that a text may mean in a filter
LONGEST = 200
PLACE_IN_LIST = frozenset({"page", "per", "sort", "totals"})  # parameters that don't change what a list holds


def date_input() -> forms.DateInput:
    """A date as browsers pick it."""
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def as_uuid(text: str) -> UUID | None:
    """The id that this text writes, if it does."""
    try:
        return UUID(text)
    except ValueError:
        return None


def customers_named(supplier: Supplier, text: str) -> QuerySet[Customer]:
    """Those with exactly that name or number (case aside); if there are none, those whose name has the text in it."""
    text = text.strip()[:LONGEST]
    exact = supplier.customers.filter(Q(trading_name__iexact=text) | Q(number=text, number__gt=""))
    return exact if exact.exists() else supplier.customers.filter(trading_name__icontains=text)


def products_named(supplier: Supplier, text: str) -> list[Product]:
    """The product with that SKU, else those with exactly that name, else active ones that have the text in either.

    At most two more than one are needed to know that it isn't clear, so few are read.
    """
    text = text.strip()[:LONGEST]
    if by_sku := find_product(supplier, text):
        return [by_sku]
    named = list(supplier.products.filter(name__iexact=text).order_by("-active", "sku")[:SUGGESTED])
    if named:
        return named
    alike = supplier.products.filter(Q(sku__icontains=text) | Q(name__icontains=text), active=True)
    return list(alike.order_by("name")[:SUGGESTED])


def suggesting(url: str, listed: str) -> dict[str, str]:
    """The attributes of an input that fills the datalist `listed` with suggestions from `url` while one types."""
    return {
        "list": listed,
        "autocomplete": "off",
        "hx-get": url,
        "hx-target": f"#{listed}",
        "hx-swap": "innerHTML",
        "hx-trigger": "input changed delay:150ms",
        "hx-sync": "this:replace",
        "hx-push-url": "false",
    }


class CustomerField(forms.CharField):
    """A customer by name; one that comes by its id (from a link) is shown by its name."""

    supplier: Supplier

    def prepare_value(self, value: Any) -> Any:
        customer = self.supplier.customers.filter(pk=pk).first() if (pk := as_uuid(value or "")) else None
        return customer.trading_name if customer else value


class CustomerFilter(CharFilter):  # type: ignore[misc]  # django_filters has no types
    """Narrows a list of documents to one customer's: by id, or by name as typed."""

    field_class = CustomerField

    @property
    def field(self) -> CustomerField:
        field: CustomerField = super().field
        field.supplier = self.parent.request.supplier
        url = reverse("desk:order-customers", args=[field.supplier.slug])
        field.widget.attrs |= suggesting(f"{url}?all=1", "customer-names")
        return field

    def filter(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        if not text:
            return rows
        if pk := as_uuid(text):
            return rows.filter(customer=pk)
        meant = customers_named(self.parent.request.supplier, text)
        return rows.filter(customer__in=list(meant.values_list("pk", flat=True)[:MEANT]))


@member(Doing.LOOK)
def customers(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Options for what is being typed as a customer: the names, each with its number and town."""
    text = request.GET.get("customer", "").strip()[:LONGEST]
    found = supplier.customers.filter(Q(trading_name__icontains=text) | Q(number__istartswith=text))
    if "all" not in request.GET:  # a new order is only taken from those who are switched on
        found = found.filter(active=True)
    options = [
        (each.trading_name, " · ".join(filter(None, [each.number, each.city])))
        for each in found.order_by("trading_name")[:SUGGESTED]
    ]
    return render(request, "desk/orders/_options.html", {"options": options})


@member(Doing.LOOK)
def products(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Options for what is being typed as a product: the SKUs, each with its name."""
    text = next((text for text in request.GET.getlist("item") if text.strip()), "").strip()[:LONGEST]
    alike = supplier.products.filter(Q(sku__icontains=text) | Q(name__icontains=text), active=True)
    options = [(each.sku, each.name) for each in alike.order_by("name")[:SUGGESTED]]
    return render(request, "desk/orders/_options.html", {"options": options})


@dataclass(frozen=True)
class SavedView:
    """A list's address that is worth a name."""

    label: str
    url: str
    current: bool


def saved_views(request: DeskRequest, views: Mapping[str, str]) -> list[SavedView]:
    """The named addresses of the list at this address, and which of them it shows."""
    here = {name: value for name, value in request.GET.items() if value and name not in PLACE_IN_LIST}
    return [
        SavedView(label, f"{request.path}?{query}" if query else request.path, dict(parse_qsl(query)) == here)
        for label, query in views.items()
    ]
