"""Search over one wholesaler: orders, invoices, customers and products by number or name."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from provender.desk.frame import DeskRequest, member
from provender.desk.templatetags.desk import day, money
from provender.people.roles import Doing
from provender.suppliers.models import Supplier

WHILE_TYPING, ON_PAGE = 5, 25  # how many of each kind are shown
LONGEST = 100


@dataclass(frozen=True)
class Hit:
    name: str
    about: str
    side: str
    url: str


@dataclass(frozen=True)
class Found:
    """What was found of one kind."""

    kind: str
    hits: list[Hit]
    more: bool


@member(Doing.LOOK)
def search(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """The page, or for htmx what drops down while typing. A whole number or SKU leads straight to its page."""
    text = request.GET.get("q", "").strip()[:LONGEST]
    typing = bool(request.htmx) and not request.htmx.history_restore_request
    if text and not typing and (url := _exact(supplier, text)):
        return redirect(url)
    found = find(supplier, text, WHILE_TYPING if typing else ON_PAGE) if text else []
    context = {"found": found, "searched": text, "typing": typing}
    template = "desk/parts/search_found.html" if typing else "desk/search.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def find(supplier: Supplier, text: str, most: int) -> list[Found]:
    """Up to `most` of each kind, newest or by name; kinds without any are left out."""
    orders = supplier.orders.select_related("customer").filter(
        Q(number__icontains=text) | Q(purchase_order__icontains=text)
    )
    invoices = supplier.invoices.select_related("customer").filter(
        Q(number__icontains=text) | Q(order_numbers__icontains=text) | Q(purchase_order__icontains=text)
    )
    customers = supplier.customers.filter(
        Q(trading_name__icontains=text) | Q(legal_name__icontains=text) | Q(number__iexact=text) | Q(email__iexact=text)
    )
    products = supplier.products.filter(Q(sku__icontains=text) | Q(name__icontains=text))
    kinds = [
        _found("Orders", orders.order_by("-created_at"), most, _order),
        _found("Invoices", invoices.order_by("-date", "-number"), most, _invoice),
        _found("Customers", customers.order_by("trading_name"), most, _customer),
        _found("Products", products.order_by("name"), most, _product),
    ]
    return [found for found in kinds if found.hits]


def _found(kind: str, rows: QuerySet[Any], most: int, tell: Any) -> Found:
    some = list(rows[: most + 1])
    return Found(kind, [tell(row) for row in some[:most]], more=len(some) > most)


def _exact(supplier: Supplier, text: str) -> str:
    """The page of the one document, customer or product that has exactly this number."""
    for name, rows in (
        ("order", supplier.orders.filter(number__iexact=text)),
        ("invoice", supplier.invoices.filter(number__iexact=text)),
        ("product", supplier.products.filter(sku__iexact=text)),
        ("customer", supplier.customers.filter(number__iexact=text)),
    ):
        one = list(rows[:2])
        if len(one) == 1:
            return _url(name, one[0], supplier)
    return ""


def _url(name: str, row: Model, supplier: Supplier) -> str:
    return reverse(f"desk:{name}", args=[supplier.slug, row.pk])


def _order(row: Any) -> Hit:
    about = f"{row.customer.trading_name} · {day(row.order_date)}"
    return Hit(row.number, about, row.get_status_display(), _url("order", row, row.supplier))


def _invoice(row: Any) -> Hit:
    about = f"{row.customer.trading_name} · {day(row.date)}"
    return Hit(row.number, about, money(row.total, row.currency), _url("invoice", row, row.supplier))


def _customer(row: Any) -> Hit:
    return Hit(row.trading_name, row.city or row.email, row.number, _url("customer", row, row.supplier))


def _product(row: Any) -> Hit:
    return Hit(row.name, row.sku, money(row.price, row.supplier.currency), _url("product", row, row.supplier))
