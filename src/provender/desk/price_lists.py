"""Price lists: all of them; one with its prices beside the base prices, many written at once; copy, rename, delete."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django_filters import CharFilter, ChoiceFilter, FilterSet

from provender.basics.errors import ProvenderError
from provender.basics.money import HUNDRED, read_number, round_price, show_price
from provender.catalogue import actions
from provender.catalogue.errors import NegativePrice, PriceListNameTaken
from provender.catalogue.models import ListPrice, PriceList, Product
from provender.customers.actions import retire_price_list
from provender.customers.models import Customer
from provender.desk.choosing import as_uuid
from provender.desk.frame import DeskRequest, member
from provender.desk.lists import Column, DrawnRow, Empty, List, show
from provender.desk.products import ProductSearch
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.timeline.queries import story

SHOWN_CUSTOMERS = 12
STORY_LINES = 10
PRICE, BEFORE = "price-", "was-"  # a row's fields: what is typed, and what the page showed; the product's id follows


# --- the list of lists --------------------------------------------------------------------------------------------


class PriceListFilter(FilterSet):  # type: ignore[misc]  # django_filters has no types
    q = CharFilter("name", "icontains", label="Search")

    class Meta:
        model = PriceList
        fields: list[str] = []


class PriceListList(List[PriceList]):
    title, one, many = "Price lists", "price list", "price lists"
    sentence = "Prices of their own for groups of customers; all else costs its base price."
    filters = PriceListFilter
    sort = "name"
    template = "desk/price_lists/price_lists.html"
    empty = Empty(
        "No price lists yet",
        "A price list gives a group of customers prices of its own, such as Cafés or Wholesale. A product that isn’t on"
        " it costs its base price, so a list holds only what differs.",
        "New price list",
        "desk:price-list-new",
    )

    def shown_columns(self) -> Sequence[Column[PriceList]]:
        return (
            Column("name", "Name", lambda p: p.name, sort=("name", "pk"), phone="title", link=self.page_of),
            Column("products", "Own prices", lambda p: self.priced.get(p.pk, 0), kind="number"),
            Column(
                "customers",
                "Customers",
                lambda p: self.used.get(p.pk, 0),
                kind="number",
                link=self.customers_of,
                phone="hide",
            ),
            Column("since", "Since", self.since, kind="date", sort=("created_at", "pk"), phone="hide"),
        )

    def since(self, row: PriceList) -> date:
        return row.created_at.astimezone(ZoneInfo(self.supplier.time_zone)).date()

    def page_of(self, row: PriceList) -> str:
        return reverse("desk:price-list", args=[self.supplier.slug, row.pk])

    def customers_of(self, row: PriceList) -> str:
        return f"{reverse('desk:customers', args=[self.supplier.slug])}?price_list={row.pk}"

    def rows(self) -> QuerySet[PriceList]:
        return self.supplier.price_lists.all()

    def prepare(self, rows: Sequence[PriceList]) -> None:
        keys = [row.pk for row in rows]
        prices = ListPrice.objects.filter(price_list__in=keys)
        customers = Customer.objects.filter(supplier=self.supplier, price_list__in=keys)
        self.priced = dict(prices.values_list("price_list").annotate(count=Count("pk")).order_by())
        self.used = dict(customers.values_list("price_list").annotate(count=Count("pk")).order_by())


@member(Doing.LOOK)
def price_lists(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
    """All price lists, with how much is on each and who has it."""
    return show(request, PriceListList(request))


# --- one list and its prices --------------------------------------------------------------------------------------


class PricedFilter(ProductSearch):
    own = ChoiceFilter(
        label="On this list",
        choices=[("yes", "With a price of its own"), ("no", "At base price")],
        empty_label="Any",
        method="by_own",
    )

    def by_own(self, rows: QuerySet[Product], name: str, own: str) -> QuerySet[Product]:  # noqa: ARG002
        return rows.filter(Q(is_on=own == "yes"))


class PricedProducts(List[Product]):
    """All products with their price on one list."""

    title, one, many = "Prices", "product", "products"
    filters = PricedFilter
    sort = "name"
    template = "desk/price_lists/price_list.html"
    rows_template = "desk/price_lists/_rows.html"
    empty = Empty(
        "No products yet", "Prices are of products: add the first.", "New product", "desk:product-new"
    )  # fmt: skip

    def __init__(self, request: DeskRequest, price_list: PriceList) -> None:
        super().__init__(request)
        self.price_list = price_list

    def shown_columns(self) -> Sequence[Column[Product]]:
        return (
            Column("name", "Name", lambda p: p.name, sort=("name", "pk"), phone="title", link=self.page_of),
            Column("sku", "SKU", lambda p: p.sku, sort="sku", unbroken=True),
            Column("base", "Base price", lambda p: p.price, kind="price", sort="price"),
            Column("own", f"{self.price_list.name} price", lambda p: self.own.get(p.pk), kind="price", phone="side"),
            Column("off", "Against base", self.difference, phone="hide"),
        )

    def page_of(self, product: Product) -> str:
        return reverse("desk:product", args=[self.supplier.slug, product.pk])

    def difference(self, product: Product) -> str:
        """How far the list's price is from the base price, in percent."""
        own = self.own.get(product.pk)
        if own is None or not product.price:
            return ""
        percent = round_price((own - product.price) * HUNDRED / product.price)
        return f"{percent:+.1f} %".replace("-", "−") if percent else "same"

    def rows(self) -> QuerySet[Product]:
        there = ListPrice.objects.filter(price_list=self.price_list, product=OuterRef("pk"))
        return self.supplier.products.annotate(is_on=Exists(there))

    def prepare(self, rows: Sequence[Product]) -> None:
        prices = self.price_list.prices.filter(product__in=[row.pk for row in rows])
        self.own = dict(prices.values_list("product_id", "price"))

    @cached_property
    def sheet(self) -> "PriceSheet":
        return PriceSheet(self.supplier, self.request.POST)

    @property
    def lines(self) -> list["PriceLine"]:
        """The rows of the page with their fields; after a refusal as they were typed."""
        return [self._line(row) for row in self.page.rows]

    def _line(self, row: DrawnRow) -> "PriceLine":
        pk = UUID(row.pk)
        own = self.own.get(pk)
        now = "" if own is None else show_price(own)
        return PriceLine(
            row, self.sheet.typed.get(pk, now), self.sheet.before.get(pk, now), self.sheet.errors.get(pk, "")
        )

    def extra_context(self) -> dict[str, Any]:
        customers = self.price_list.customers.order_by("trading_name")
        return {
            "price_list": self.price_list,
            "priced": self.price_list.prices.count(),
            "customers": customers[:SHOWN_CUSTOMERS],
            "customer_count": customers.count(),
            "entries": story(self.supplier, "price-list", self.price_list.pk)[:STORY_LINES],
            "sheet": self.sheet,
        }


@dataclass(frozen=True)
class PriceLine:
    """One row of prices: as drawn, what its field holds, what it held when the page was made, what is wrong."""

    row: DrawnRow
    typed: str
    before: str
    error: str


class PriceSheet:
    """Prices as they were typed. Only fields that differ from what the page showed count: two people may be at it."""

    def __init__(self, supplier: Supplier, posted: QueryDict) -> None:
        self.typed, self.before = _by_product(posted, PRICE), _by_product(posted, BEFORE)
        moved = [pk for pk, text in self.typed.items() if text.strip() != self.before.get(pk, "").strip()]
        self.products = list(supplier.products.filter(pk__in=moved).order_by("name"))
        self.errors: dict[UUID, str] = {}
        self.prices = {product: self._read(product) for product in self.products}

    def _read(self, product: Product) -> Decimal | None:
        """The price typed for the product; None when the field was cleared, or when it can't be read."""
        text = self.typed[product.pk]
        if not text.strip():
            return None
        try:
            price = read_number(text, places=4, what="price")
            if price < 0:
                raise NegativePrice(product.sku)
        except ProvenderError as error:
            self.errors[product.pk] = error.sentence
            return None
        return price

    @property
    def wrong(self) -> list[tuple[Product, str]]:
        """Each product whose price can't be kept, with the reason."""
        return [(product, self.errors[product.pk]) for product in self.products if product.pk in self.errors]


def _by_product(posted: QueryDict, prefix: str) -> dict[UUID, str]:
    fields = {as_uuid(name.removeprefix(prefix)): text for name, text in posted.items() if name.startswith(prefix)}
    return {pk: str(text) for pk, text in fields.items() if pk}


@member(Doing.LOOK, post=Doing.TRADE)
def price_list(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponseBase:
    """The list's prices beside the base prices; what was typed is kept all together or, if one is wrong, not at all."""
    listed = PricedProducts(request, get_object_or_404(supplier.price_lists, pk=pk))
    if request.method == "POST" and not listed.sheet.errors:
        changed = actions.set_list_prices(listed.price_list, listed.sheet.prices, by=request.user)
        messages.success(
            request, f"{changed:,} price{'' if changed == 1 else 's'} changed." if changed else "No change."
        )
        return redirect(_next_page(listed) if request.POST.get("then") == "next" else request.get_full_path())
    if request.method == "POST":
        return render(request, listed.template, {"list": listed, **listed.extra_context()})
    return show(request, listed)


def _next_page(listed: PricedProducts) -> str:
    """The page after this one. With a filter that saving moves rows out of, the same: the next have moved up."""
    if listed.request.GET.get("own"):
        return listed.request.get_full_path()
    return listed.address(page=listed.page.next_number)


# --- new, rename, delete ------------------------------------------------------------------------------------------


class NameForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    class Meta:
        model = PriceList
        fields = ("name",)
        help_texts = {"name": "It shows beside each price on an order, so that one sees where it comes from."}
        error_messages = {"name": {"required": "What is it called?"}}


class NewForm(NameForm):
    like = forms.ModelChoiceField(
        PriceList.objects.none(), label="Begin with the prices of", required=False, empty_label="None"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["like"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 -- declared six lines above
        field.queryset = self.instance.supplier.price_lists.all()


@member(Doing.TRADE)
def new(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Name a new list, empty or (`?like=`) with another's prices."""
    asked = as_uuid(request.GET.get("like", ""))
    like = supplier.price_lists.filter(pk=asked).first() if asked else None
    initial = {"like": like.pk, "name": f"{like} (copy)"} if like else {}
    form = NewForm(request.POST or None, instance=PriceList(supplier=supplier), initial=initial)
    if request.method == "POST" and form.is_valid():
        made: PriceList = form.instance
        try:
            if form.cleaned_data["like"]:
                made = actions.copy_price_list(form.cleaned_data["like"], made.name, by=request.user)
            else:
                actions.save_price_list(made, by=request.user)
        except PriceListNameTaken as error:
            form.add_error("name", error.sentence)
        else:
            messages.success(request, f"{made} is there. Write its prices, then give it to customers.")
            return redirect("desk:price-list", slug=supplier.slug, pk=made.pk)
    return render(request, "desk/price_lists/price_list_form.html", {"form": form, "like": like})


@member(Doing.TRADE)
def rename(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Give it another name."""
    row = get_object_or_404(supplier.price_lists, pk=pk)
    form = NameForm(request.POST or None, instance=copy(row))
    if request.method == "POST" and form.is_valid():
        try:
            actions.save_price_list(form.instance, by=request.user)
        except PriceListNameTaken as error:
            form.add_error("name", error.sentence)
        else:
            messages.success(request, f"{form.instance} is saved.")
            return redirect("desk:price-list", slug=supplier.slug, pk=pk)
    return render(request, "desk/price_lists/price_list_form.html", {"form": form, "price_list": row})


@member(Doing.TRADE)
def delete(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Ask, saying who falls back to base prices; then delete it."""
    row = get_object_or_404(supplier.price_lists, pk=pk)
    if request.method == "POST":
        moved = retire_price_list(row, by=request.user)
        then = f" {moved:,} customer{' pays' if moved == 1 else 's pay'} base prices now." if moved else ""
        messages.success(request, f"The price list {row} is deleted.{then}")
        return redirect("desk:price-lists", slug=supplier.slug)
    customers = row.customers.order_by("trading_name")
    context = {
        "price_list": row,
        "customers": customers[:SHOWN_CUSTOMERS],
        "customer_count": customers.count(),
        "priced": row.prices.count(),
    }
    return render(request, "desk/price_lists/price_list_delete.html", context)
