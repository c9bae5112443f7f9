"""Prices written at the desk: on a price list, or a customer's own.

Both are written on the same two pages. One has all products with a field for the price that begins on one day (or
counts from ever on), many written at once; the other has all prices of one product, each with its days.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django_filters import ChoiceFilter, DateFilter

from provender.basics.clock import in_words, today
from provender.basics.errors import ProvenderError
from provender.basics.money import HUNDRED, read_number, round_price, show_percent, type_price
from provender.basics.wording import counted
from provender.catalogue.errors import EndsBeforeItBegins, NegativePrice
from provender.catalogue.models import Product
from provender.catalogue.offers import Offer, Offers
from provender.catalogue.queries import PriceFound
from provender.desk.choosing import as_uuid, date_input
from provender.desk.frame import DeskRequest
from provender.desk.lists import Column, DrawnRow, Empty, List, show
from provender.desk.products import ProductSearch
from provender.people.models import User
from provender.suppliers.models import Supplier

PRICE, BEFORE = "price-", "was-"  # a row's fields: what is typed, and what the page showed; the product's id follows
BLANK_ROWS = 2
MOST_ROWS = 200


class Holder(ABC):
    """Who has prices of its own: a price list or a customer."""

    row: Any  # the price list or customer
    prices: Any  # its dated prices
    supplier: Supplier
    name: str
    field: str  # what its own price is called

    @abstractmethod
    def found(self, products: Sequence[Product], on: date) -> dict[UUID, PriceFound]:
        """What these products cost by it on that day."""

    @abstractmethod
    def write(self, offers: Offers, by: User) -> int:
        """Keep these prices; answers how many changed."""

    @abstractmethod
    def page(self) -> str:
        """Where its prices are."""

    @abstractmethod
    def page_of(self, product: Product) -> str:
        """Where one product's prices with it are."""


# --- all products -------------------------------------------------------------------------------------------------


class PricedFilter(ProductSearch):
    own = ChoiceFilter(
        label="Price of its own",
        choices=[("yes", "Has one"), ("no", "Has none")],
        empty_label="Any",
        method="by_own",
    )
    begins = DateFilter(label="Prices from", method="as_it_is", widget=date_input())

    def by_own(self, rows: QuerySet[Product], name: str, own: str) -> QuerySet[Product]:  # noqa: ARG002
        return rows.filter(Q(is_on=own == "yes"))

    def as_it_is(self, rows: QuerySet[Product], name: str, begins: date) -> QuerySet[Product]:  # noqa: ARG002
        """Not which products: which of their prices the fields hold."""
        return rows


class PricedProducts(List[Product]):
    """All products with their price by one holder on one day."""

    title, one, many = "Prices", "product", "products"
    filters = PricedFilter
    sort = "name"
    rows_template = "desk/price_lists/_rows.html"
    empty = Empty(
        "No products yet", "Prices are of products: add the first.", "New product", "desk:product-new"
    )  # fmt: skip

    def __init__(self, request: DeskRequest, holder: Holder) -> None:
        super().__init__(request)
        self.holder = holder

    @cached_property
    def begins(self) -> date | None:
        """The day on which the prices in the fields begin; None for those that count from ever on."""
        form = self.filter.form
        return form.cleaned_data.get("begins") if form.is_bound and form.is_valid() else None

    @cached_property
    def on(self) -> date:
        """The day whose prices are shown."""
        return self.begins or today(self.supplier.time_zone)

    def shown_columns(self) -> Sequence[Column[Product]]:
        return (
            Column("name", "Name", lambda p: p.name, sort=("name", "pk"), phone="title", link=self.product_page),
            Column("sku", "SKU", lambda p: p.sku, sort="sku", unbroken=True),
            Column("base", "Base price", lambda p: p.price, kind="price", sort="price"),
            Column("own", self.own_label, lambda p: self.own.get(p.pk), kind="price", phone="side"),
            Column(
                "counts",
                f"Price on {in_words(self.begins)}" if self.begins else "Price today",
                lambda p: self.found_prices[p.pk].price,
                kind="price",
                note=lambda p: self.found_prices[p.pk].reason,
            ),
            Column("off", "Against base", self.difference, phone="hide"),
            Column("dates", "By day", self.dates_of, link=self.holder.page_of, unbroken=True),
        )

    @property
    def own_label(self) -> str:
        return f"{self.holder.field} from {in_words(self.begins)}" if self.begins else self.holder.field

    def product_page(self, product: Product) -> str:
        return reverse("desk:product", args=[self.supplier.slug, product.pk])

    def dates_of(self, product: Product) -> str:
        """How many prices with days it has; the link leads to all of them."""
        count = self.dated.get(product.pk, 0)
        return counted(count, "price") if count else "Add"

    def difference(self, product: Product) -> str:
        """How far the price is from the base price, in percent."""
        price = self.found_prices[product.pk].price
        if not product.price:
            return ""
        percent = round_price((price - product.price) * HUNDRED / product.price).quantize(Decimal("0.1"))
        return show_percent(percent) if percent else "same"

    def rows(self) -> QuerySet[Product]:
        return self.supplier.products.annotate(is_on=Exists(self.holder.prices.filter(product=OuterRef("pk"))))

    def prepare(self, rows: Sequence[Product]) -> None:
        prices = self.holder.prices.filter(product__in=[row.pk for row in rows])
        dated = prices.exclude(valid_from=None, valid_to=None).values_list("product").annotate(count=Count("pk"))
        self.own = dict(prices.filter(valid_from=self.begins).values_list("product_id", "price"))
        self.dated = dict(dated.order_by())
        self.found_prices = self.holder.found(rows, self.on)

    @cached_property
    def sheet(self) -> "PriceSheet":
        return PriceSheet(self.holder, self.begins, self.request.POST)

    @property
    def lines(self) -> list["PriceLine"]:
        """The rows of the page with their fields; after a refusal as they were typed."""
        return [self._line(row) for row in self.page.rows]

    def _line(self, row: DrawnRow) -> "PriceLine":
        pk = UUID(row.pk)
        own = self.own.get(pk)
        now = "" if own is None else type_price(own)
        return PriceLine(
            row, self.sheet.typed.get(pk, now), self.sheet.before.get(pk, now), self.sheet.errors.get(pk, "")
        )

    def extra_context(self) -> dict[str, Any]:
        return {"sheet": self.sheet, "holder": self.holder}


@dataclass(frozen=True)
class PriceLine:
    """One row of prices: as drawn, what its field holds, what it held when the page was made, what is wrong."""

    row: DrawnRow
    typed: str
    before: str
    error: str


class PriceSheet:
    """Prices as they were typed. Only fields that differ from what the page showed count: two people may be at it."""

    def __init__(self, holder: Holder, begins: date | None, posted: QueryDict) -> None:
        self.typed, self.before = _by_product(posted, PRICE), _by_product(posted, BEFORE)
        moved = [pk for pk, text in self.typed.items() if text.strip() != self.before.get(pk, "").strip()]
        self.products = list(holder.supplier.products.filter(pk__in=moved).order_by("name"))
        self.errors: dict[UUID, str] = {}
        prices = {product: self._read(product) for product in self.products}
        there = holder.prices.filter(product__in=self.products, valid_from=begins) if self.products else []
        until = {row.product_id: row.valid_to for row in there}  # which days a price has isn't typed here
        self._ask_again({row.product_id: type_price(row.price) for row in there})
        self.offers = {
            (product, begins): None if price is None else Offer(price, until.get(product.pk))
            for product, price in prices.items()
        }

    def _ask_again(self, there: Mapping[UUID, str]) -> None:
        """Where somebody else changed the same price meanwhile, it is replaced only when that is saved again."""
        for product in self.products:
            now = there.get(product.pk, "")
            if self.before.get(product.pk, "").strip() != now:
                self.errors.setdefault(product.pk, meanwhile(now))
                self.before[product.pk] = now

    def _read(self, product: Product) -> Decimal | None:
        """The price typed for the product; None when the field was cleared, or when it can't be read."""
        text = self.typed[product.pk]
        if not text.strip():
            return None
        try:
            return read_price(text, product)
        except ProvenderError as error:
            self.errors[product.pk] = error.sentence
            return None

    @property
    def wrong(self) -> list[tuple[Product, str]]:
        """Each product whose price can't be kept, with the reason."""
        return [(product, self.errors[product.pk]) for product in self.products if product.pk in self.errors]


def meanwhile(now: str) -> str:
    """What is said of a price that somebody else changed since the page was made."""
    what = f"made it {now}" if now else "took it away"
    return f"Somebody {what} since you opened the page. Save again to keep what you typed."


def read_price(text: str, product: Product) -> Decimal:
    """The price that a text writes. Raises what `money.read_number` raises, and NegativePrice."""
    price = read_number(text, places=4, what="price")
    if price < 0:
        raise NegativePrice(product.sku)
    return price


def _by_product(posted: QueryDict, prefix: str) -> dict[UUID, str]:
    fields = {as_uuid(name.removeprefix(prefix)): text for name, text in posted.items() if name.startswith(prefix)}
    return {pk: str(text) for pk, text in fields.items() if pk}


def show_prices(request: DeskRequest, listed: PricedProducts) -> HttpResponseBase:
    """The page of all products; what was typed is kept all together or, if one is wrong, not at all."""
    if request.method == "POST" and not listed.sheet.errors:
        changed = listed.holder.write(listed.sheet.offers, request.user)
        messages.success(request, _said(changed))
        return redirect(_next_page(listed) if request.POST.get("then") == "next" else request.get_full_path())
    if request.method == "POST":
        return render(request, listed.template, {"list": listed, **listed.extra_context()})
    return show(request, listed)


def _said(changed: int) -> str:
    return f"{counted(changed, 'price')} changed." if changed else "No change."


def _next_page(listed: PricedProducts) -> str:
    """The page after this one. With a filter that saving moves rows out of, the same: the next have moved up."""
    if listed.request.GET.get("own"):
        return listed.request.get_full_path()
    return listed.address(page=listed.page.next_number)


# --- one product --------------------------------------------------------------------------------------------------


class DatedForm(forms.Form):
    """One price with its days; emptied, it is taken away. `was` is what the page showed of it."""

    was = forms.CharField(required=False, widget=forms.HiddenInput)
    price = forms.CharField(label="Price", required=False, max_length=30)
    first = forms.DateField(label="From", required=False, widget=date_input())
    last = forms.DateField(label="Until", required=False, widget=date_input())

    def __init__(self, product: Product, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.product = product
        self.fields["price"].widget.attrs |= {"inputmode": "decimal", "autocomplete": "off", "placeholder": "none"}

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        text, first, last = (found.get(name) for name in ("price", "first", "last"))
        if not text:
            if (first or last) and not found["was"]:
                self.add_error("price", "What does it cost on these days?")
            return found
        try:
            found["price"] = read_price(text, self.product)
            if first and last and last < first:
                raise EndsBeforeItBegins(f"The price of {self.product.sku}", first, last)
        except ProvenderError as error:
            self.add_error("last" if isinstance(error, EndsBeforeItBegins) else "price", error.sentence)
        return found

    @property
    def began(self) -> date | None:
        """The first day that the page showed of it."""
        text = str(self["was"].value() or "").partition(" ")[0]
        try:
            return date.fromisoformat(text)
        except ValueError:
            return None

    def show_as(self, was: str) -> None:
        """Come back as a form of a page that shows this."""
        data: Any = self.data
        data = data.copy()
        data[self.add_prefix("was")] = was
        self.data = data

    @property
    def is_new(self) -> bool:
        return not self["was"].value()

    @property
    def stays(self) -> bool:
        """Whether it is as the page showed it: what somebody else made of it meanwhile is left."""
        found = self.cleaned_data
        if not found["price"] and found["price"] != 0:
            return not found["was"]
        return bool(found["was"] == _shown(found["price"], found["first"], found["last"]))


def _shown(price: Decimal, first: date | None, last: date | None) -> str:
    return f"{first or 'ever'} {last or 'ever'} {type_price(price)}"


class DatedSheet:
    """All prices of one product by one holder, the one that begins last first, and empty rows for more."""

    def __init__(self, holder: Holder, product: Product, on: date, posted: QueryDict | None) -> None:
        self.holder, self.product, self.on = holder, product, on
        there = [(row.price, row.valid_from, row.valid_to) for row in holder.prices.filter(product=product)]
        self.there = sorted(there, key=lambda row: row[1] or date.min, reverse=True)
        shown: list[dict[str, Any]] = [
            {"was": _shown(*row), "price": type_price(row[0]), "first": row[1], "last": row[2]} for row in self.there
        ]
        rows = [*shown, *[{}] * BLANK_ROWS] if posted is None else [{}] * min(len(posted.getlist("row")), MOST_ROWS)
        self.forms = [
            DatedForm(product, posted, prefix=str(number), initial=initial) for number, initial in enumerate(rows)
        ]

    @property
    def rows(self) -> list[tuple[DatedForm, str]]:
        """Each form with how its price stands today."""
        return [(form, "" if form.is_new else self._standing(form.began)) for form in self.forms]

    def _standing(self, began: date | None) -> str:
        counting = [first for _, first, last in self.there if (first or self.on) <= self.on <= (last or self.on)]
        last = next((last for _, first, last in self.there if first == began), None)
        if began and began > self.on:
            return "To come"
        if last and last < self.on:
            return "Over"
        return "Counts today" if counting and began == counting[0] else "Another began later"

    def is_valid(self) -> bool:
        """Whether all can be kept; two that begin on one day can't."""
        judged = [form.is_valid() for form in self.forms]
        if not all(judged):
            return False
        seen: set[date | None] = set()
        for form in self.forms:
            if form.cleaned_data["price"] == "":
                continue
            first = form.cleaned_data["first"]
            if first in seen:
                when = f"on {in_words(first)}" if first else "without a first day"
                form.add_error("first", f"Another price begins {when}. Give this one another day.")
            seen.add(first)
        if not any(form.errors for form in self.forms):
            self._ask_again()
        return not any(form.errors for form in self.forms)

    def _ask_again(self) -> None:
        """Where somebody else changed the same price meanwhile, it is replaced only when that is saved again."""
        there = {first: _shown(price, first, last) for price, first, last in self.there}
        on_the_page = {form.began for form in self.forms if not form.is_new}
        for form in [form for form in self.forms if not form.stays]:
            first, was = form.cleaned_data["first"], form.cleaned_data["was"]
            if form.cleaned_data["price"] != "" and first in there and first not in on_the_page:
                price = there[first].rpartition(" ")[2]
                form.add_error("first", f"By now another price begins then: {price}. Open the page again to see it.")
            elif was and was != (now := there.get(form.began, "")):
                form.add_error("price", meanwhile(now.rpartition(" ")[2]))
                form.show_as(now)

    @property
    def errors(self) -> list[tuple[str, str]]:
        """The field and the sentence of each thing that is wrong."""
        return [
            (form[name].id_for_label, str(said))
            for form in self.forms
            for name in form.errors
            for said in form.errors[name]
        ]

    @property
    def offers(self) -> Offers:
        """What was changed: prices to keep, and those that are there no more."""
        moved = [form for form in self.forms if not form.stays]
        gone: dict[tuple[Product, date | None], Offer | None] = {
            (self.product, form.began): None for form in moved if not form.is_new
        }
        kept = [form.cleaned_data for form in moved if form.cleaned_data["price"] != ""]
        return gone | {(self.product, each["first"]): Offer(each["price"], each["last"]) for each in kept}


def show_dated(request: DeskRequest, holder: Holder, pk: UUID) -> HttpResponse:
    """The page of one product's prices with their days; all that was typed is kept, or nothing."""
    product = get_object_or_404(holder.supplier.products, pk=pk)
    on = today(holder.supplier.time_zone)
    sheet = DatedSheet(holder, product, on, request.POST if request.method == "POST" else None)
    if request.method == "POST" and sheet.is_valid():
        messages.success(request, _said(holder.write(sheet.offers, request.user)))
        return redirect(request.get_full_path())
    now = holder.found([product], on)[product.pk]
    context = {"holder": holder, "product": product, "sheet": sheet, "now": now}
    return render(request, "desk/price_lists/dated.html", context)
