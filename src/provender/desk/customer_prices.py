"""What customers pay: a customer's prices, each with its reason, and its own ones written; and who pays what for one
product.
"""

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django_filters import CharFilter, ChoiceFilter, DateFilter, FilterSet, ModelChoiceFilter

from provender.basics.clock import in_words, span_in_words, today
from provender.basics.money import show_percent
from provender.catalogue.models import Product
from provender.catalogue.offers import Offers
from provender.catalogue.queries import PriceFound
from provender.customers.actions import set_own_prices
from provender.customers.models import Customer, OwnPrice
from provender.customers.prices import prices_of, prices_of_customers
from provender.desk.choosing import date_input
from provender.desk.frame import DeskRequest, member
from provender.desk.lists import Column, Empty, List, show
from provender.desk.prices import Holder, PricedProducts, show_dated, show_prices
from provender.people.models import User
from provender.people.roles import Doing
from provender.suppliers.models import Supplier

BASE_PRICES = "Base prices"


class OfCustomer(Holder):
    """A customer, whose own prices come before its list."""

    field = "Own price"

    def __init__(self, customer: Customer) -> None:
        self.row, self.prices, self.supplier = customer, customer.own_prices, customer.supplier
        self.name = customer.trading_name

    def found(self, products: Sequence[Product], on: date) -> dict[UUID, PriceFound]:
        return prices_of(self.row, products, on)

    def write(self, offers: Offers, by: User) -> int:
        return set_own_prices(self.row, offers, by=by)

    def page(self) -> str:
        return reverse("desk:customer-prices", args=[self.supplier.slug, self.row.pk])

    def page_of(self, product: Product) -> str:
        return reverse("desk:customer-price", args=[self.supplier.slug, self.row.pk, product.pk])


class ProductsOfCustomer(PricedProducts):
    """All products with what they cost one customer, and why."""

    template = "desk/customers/prices.html"

    def extra_context(self) -> dict[str, Any]:
        customer: Customer = self.holder.row
        return super().extra_context() | {
            "customer": customer,
            "percent": None if customer.percent is None else show_percent(customer.percent),
            "percent_days": span_in_words(customer.percent_from, customer.percent_to),
            "priced": customer.own_prices.values("product").distinct().count(),
        }


def find_customer(supplier: Supplier, pk: UUID) -> Customer:
    """The wholesaler's own customer, or 404."""
    return get_object_or_404(supplier.customers.select_related("supplier", "price_list"), pk=pk)


@member(Doing.LOOK, post=Doing.TRADE)
def customer_prices(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponseBase:
    """Each product with its price today and why; own prices are written here, many at once."""
    return show_prices(request, ProductsOfCustomer(request, OfCustomer(find_customer(supplier, pk))))


@member(Doing.LOOK, post=Doing.TRADE)
def customer_price(request: DeskRequest, supplier: Supplier, pk: UUID, product: UUID) -> HttpResponseBase:
    """All own prices of one product, each with its days."""
    return show_dated(request, OfCustomer(find_customer(supplier, pk)), product)


# --- one product, all customers -----------------------------------------------------------------------------------


class PayersFilter(FilterSet):  # type: ignore[misc]  # django_filters has no types
    q = CharFilter(label="Search", method="search")
    price_list = ModelChoiceFilter(
        label="Price list",
        queryset=lambda request: request.supplier.price_lists.all(),
        empty_label="Any",
        null_label=BASE_PRICES,
    )
    own = ChoiceFilter(label="Own price", choices=[("yes", "Has one")], empty_label="Any", method="by_own")
    on = DateFilter(label="On", method="as_it_is", widget=date_input())

    class Meta:
        model = Customer
        fields: list[str] = []

    def search(self, rows: QuerySet[Customer], name: str, text: str) -> QuerySet[Customer]:  # noqa: ARG002
        return rows.filter(Q(trading_name__icontains=text) | Q(number__icontains=text) | Q(city__icontains=text))

    def by_own(self, rows: QuerySet[Customer], name: str, own: str) -> QuerySet[Customer]:  # noqa: ARG002
        return rows.filter(Q(has_own=True))

    def as_it_is(self, rows: QuerySet[Customer], name: str, on: date) -> QuerySet[Customer]:  # noqa: ARG002
        """Not which customers: on which day."""
        return rows


class Payers(List[Customer]):
    """What one product costs each customer, and why."""

    title, one, many = "Who pays what", "customer", "customers"
    filters = PayersFilter
    sort = "name"
    template = "desk/products/payers.html"
    empty = Empty(
        "No customers yet", "Prices are paid by customers: add the first.", "New customer", "desk:customer-new"
    )

    def __init__(self, request: DeskRequest, product: Product) -> None:
        super().__init__(request)
        self.product = product

    @cached_property
    def on(self) -> date:
        """The day whose prices are shown."""
        form = self.filter.form
        asked = form.cleaned_data.get("on") if form.is_bound and form.is_valid() else None
        return asked or today(self.supplier.time_zone)

    def shown_columns(self) -> Sequence[Column[Customer]]:
        return (
            Column("name", "Customer", lambda c: c.trading_name, sort="trading_name", phone="title", link=self.page_of),
            Column("list", "Price list", lambda c: c.price_list or BASE_PRICES, sort="price_list__name", phone="hide"),
            Column(
                "price",
                f"Price on {in_words(self.on)}",
                lambda c: self.prices[c.pk].price,
                kind="price",
                phone="side",
            ),
            Column("why", "Why", lambda c: self.prices[c.pk].reason),
        )

    def page_of(self, customer: Customer) -> str:
        return reverse("desk:customer-price", args=[self.supplier.slug, customer.pk, self.product.pk])

    def rows(self) -> QuerySet[Customer]:
        own = OwnPrice.objects.filter(product=self.product, customer=OuterRef("pk"))
        return self.supplier.customers.filter(active=True).select_related("price_list").annotate(has_own=Exists(own))

    def prepare(self, rows: Sequence[Customer]) -> None:
        self.prices = prices_of_customers(self.product, rows, self.on)

    def extra_context(self) -> dict[str, Any]:
        return {"product": self.product}


@member(Doing.LOOK)
def product_payers(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponseBase:
    """Every active customer with its price for the product."""
    return show(request, Payers(request, get_object_or_404(supplier.products, pk=pk)))
