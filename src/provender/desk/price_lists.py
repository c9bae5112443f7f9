"""Price lists: all of them; one with its prices beside the base prices, many written at once; copy, change, delete."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django_filters import CharFilter, FilterSet

from provender.basics.clock import span_in_words, today
from provender.basics.money import show_percent
from provender.catalogue import actions
from provender.catalogue.errors import EndsBeforeItBegins, PriceListNameTaken
from provender.catalogue.models import ListPrice, PriceList, Product
from provender.catalogue.offers import Offers
from provender.catalogue.queries import PriceFound, is_within, prices_for
from provender.customers.actions import retire_price_list
from provender.customers.models import Customer
from provender.desk.choosing import as_uuid, date_input
from provender.desk.forms import PercentField
from provender.desk.frame import DeskRequest, member
from provender.desk.lists import Column, Empty, List, show
from provender.desk.meanwhile import SharedForm, who_did
from provender.desk.prices import Holder, PricedProducts, show_dated, show_prices
from provender.people.models import User
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.timeline.queries import story

SHOWN_CUSTOMERS = 12
STORY_LINES = 10


# --- the list of lists --------------------------------------------------------------------------------------------


class PriceListFilter(FilterSet):  # type: ignore[misc]  # django_filters has no types
    q = CharFilter("name", "icontains", label="Search")

    class Meta:
        model = PriceList
        fields: list[str] = []


class PriceListList(List[PriceList]):
    title, one, many = "Price lists", "price list", "price lists"
    sentence = "Prices for groups of customers, each with its days."
    filters = PriceListFilter
    sort = "name"
    template = "desk/price_lists/price_lists.html"
    empty = Empty(
        "No price lists yet",
        "A price list gives a group of customers prices of its own, such as Cafés or Wholesale. A product that isn’t on"
        " it costs its base price, or so many percent more or less, so a list holds only what differs.",
        "New price list",
        "desk:price-list-new",
    )

    def shown_columns(self) -> Sequence[Column[PriceList]]:
        return (
            Column("name", "Name", lambda p: p.name, sort=("name", "pk"), phone="title", link=self.page_of),
            Column("products", "Products", lambda p: self.priced.get(p.pk, 0), kind="number"),
            Column("else", "All else", lambda p: "base price" if p.percent is None else show_percent(p.percent)),
            Column("days", "Counts", self.days_of, sort="valid_from", phone="hide"),
            Column(
                "customers",
                "Customers",
                lambda p: self.used.get(p.pk, 0),
                kind="number",
                link=self.customers_of,
                phone="hide",
            ),
        )

    def page_of(self, row: PriceList) -> str:
        return reverse("desk:price-list", args=[self.supplier.slug, row.pk])

    def days_of(self, row: PriceList) -> str:
        """Its days, and whether it counts now."""
        span = span_in_words(row.valid_from, row.valid_to)
        if is_within(row, today(self.supplier.time_zone)):
            return span or "always"
        return f"not now; {span}"

    def customers_of(self, row: PriceList) -> str:
        return f"{reverse('desk:customers', args=[self.supplier.slug])}?price_list={row.pk}"

    def rows(self) -> QuerySet[PriceList]:
        return self.supplier.price_lists.all()

    def prepare(self, rows: Sequence[PriceList]) -> None:
        keys = [row.pk for row in rows]
        prices = ListPrice.objects.filter(price_list__in=keys)
        customers = Customer.objects.filter(supplier=self.supplier, price_list__in=keys)
        counted = prices.values_list("price_list").annotate(count=Count("product", distinct=True))
        self.priced = dict(counted.order_by())
        self.used = dict(customers.values_list("price_list").annotate(count=Count("pk")).order_by())


@member(Doing.LOOK)
def price_lists(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
    """All price lists, with how much is on each and who has it."""
    return show(request, PriceListList(request))


# --- one list and its prices --------------------------------------------------------------------------------------


class OnList(Holder):
    """A price list, whose prices its customers pay."""

    def __init__(self, price_list: PriceList) -> None:
        self.row, self.prices, self.supplier = price_list, price_list.prices, price_list.supplier
        self.name, self.field = price_list.name, f"{price_list} price"

    def found(self, products: Sequence[Product], on: date) -> dict[UUID, PriceFound]:
        return prices_for(products, self.row, on)

    def write(self, offers: Offers, by: User) -> int:
        return actions.set_list_prices(self.row, offers, by=by)

    def page(self) -> str:
        return reverse("desk:price-list", args=[self.supplier.slug, self.row.pk])

    def page_of(self, product: Product) -> str:
        return reverse("desk:price-list-product", args=[self.supplier.slug, self.row.pk, product.pk])


class ListedProducts(PricedProducts):
    """All products with their price on one list."""

    template = "desk/price_lists/price_list.html"

    def extra_context(self) -> dict[str, Any]:
        price_list: PriceList = self.holder.row
        customers = price_list.customers.order_by("trading_name")
        return super().extra_context() | {
            "price_list": price_list,
            "percent": None if price_list.percent is None else show_percent(price_list.percent),
            "days": span_in_words(price_list.valid_from, price_list.valid_to),
            "counts": is_within(price_list, today(self.supplier.time_zone)),
            "priced": price_list.prices.values("product").distinct().count(),
            "customers": customers[:SHOWN_CUSTOMERS],
            "customer_count": customers.count(),
            "entries": story(self.supplier, "price-list", price_list.pk)[:STORY_LINES],
        }


def find_list(supplier: Supplier, pk: UUID) -> PriceList:
    """The wholesaler's own price list, or 404."""
    return get_object_or_404(supplier.price_lists.select_related("supplier"), pk=pk)


@member(Doing.LOOK, post=Doing.TRADE)
def price_list(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponseBase:
    """The list's prices beside the base prices; what was typed is kept all together or, if one is wrong, not at all."""
    return show_prices(request, ListedProducts(request, OnList(find_list(supplier, pk))))


@member(Doing.LOOK, post=Doing.TRADE)
def price_list_product(request: DeskRequest, supplier: Supplier, pk: UUID, product: UUID) -> HttpResponseBase:
    """All prices of one product on the list, each with its days."""
    return show_dated(request, OnList(find_list(supplier, pk)), product)


# --- new, change, delete ------------------------------------------------------------------------------------------


class PriceListForm(SharedForm):
    percent = PercentField(
        label="All else",
        required=False,
        help_text="A percentage on the base price of products that have no price here: −10 is ten percent below. Empty:"
        " base prices.",
    )

    class Meta:
        model = PriceList
        fields = ("name", "percent", "valid_from", "valid_to")
        labels = {"valid_from": "Counts from", "valid_to": "Counts until"}
        widgets = {"valid_from": date_input(), "valid_to": date_input()}
        help_texts = {
            "name": "It shows beside each price on an order, so that one sees where it comes from.",
            "valid_to": "Both days count. Empty: no limit. Outside its days customers who have it pay base prices.",
        }
        error_messages = {"name": {"required": "What is it called?"}}


class NewForm(PriceListForm):
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
    """A new list, empty or (`?like=`) with another's prices."""
    asked = as_uuid(request.GET.get("like", ""))
    like = supplier.price_lists.filter(pk=asked).first() if asked else None
    initial = {"like": like.pk, "name": f"{like} (copy)"[:100], "percent": like.percent} if like else {}
    form = NewForm(request.POST or None, instance=PriceList(supplier=supplier), initial=initial)
    if request.method == "POST" and form.is_valid():
        made: PriceList = form.instance
        try:
            actions.save_price_list(made, like=form.cleaned_data["like"], by=request.user)
        except (PriceListNameTaken, EndsBeforeItBegins) as error:
            _refuse(form, error)
        else:
            messages.success(request, f"{made} is there. Write its prices, then give it to customers.")
            return redirect("desk:price-list", slug=supplier.slug, pk=made.pk)
    return render(request, "desk/price_lists/price_list_form.html", {"form": form, "like": like})


@member(Doing.TRADE)
def edit(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Its name, percentage and days."""
    row = find_list(supplier, pk)
    form = PriceListForm.of(request, row)
    try:
        if form.may_be_kept() and form.keep(lambda: actions.save_price_list(form.instance, by=request.user)):
            messages.success(request, f"{form.instance} is saved.")
            return redirect("desk:price-list", slug=supplier.slug, pk=pk)
    except (PriceListNameTaken, EndsBeforeItBegins) as error:
        _refuse(form, error)
    context: dict[str, Any] = {"form": form, "price_list": row}
    if form.meanwhile:
        context["told"] = who_did(supplier, "price-list", row)
    return render(request, "desk/price_lists/price_list_form.html", context)


def _refuse(form: PriceListForm, error: PriceListNameTaken | EndsBeforeItBegins) -> None:
    form.add_error("name" if isinstance(error, PriceListNameTaken) else "valid_to", error.sentence)


@member(Doing.TRADE)
def delete(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Ask, saying who falls back to base prices; then delete it."""
    row = find_list(supplier, pk)
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
        "priced": row.prices.values("product").distinct().count(),
    }
    return render(request, "desk/price_lists/price_list_delete.html", context)
