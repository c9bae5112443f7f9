"""Products: the list with what is done to many at once, one product with its prices, and the form."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_filters import CharFilter, ChoiceFilter, FilterSet, ModelChoiceFilter

from provender.basics import clock
from provender.basics.errors import ProvenderError
from provender.basics.money import read_number, type_price
from provender.basics.wording import counted
from provender.catalogue import actions, bulk
from provender.catalogue.errors import SkuTaken
from provender.catalogue.models import Category, ListPrice, Product
from provender.catalogue.queries import prices_by_list
from provender.customers.models import Customer
from provender.customers.prices import prices_of_customers
from provender.desk import orders
from provender.desk.customers import active_or_not
from provender.desk.forms import Section, sections_of
from provender.desk.frame import DeskRequest, back, member
from provender.desk.lists import Badge, BulkAction, Column, Empty, List, show
from provender.desk.meanwhile import SharedForm, who_did
from provender.desk.properties import ChooseOption, card
from provender.ordering.models import OrderLine
from provender.people.models import User
from provender.people.roles import Doing
from provender.properties.models import Kind
from provender.suppliers.models import Supplier, TaxKind
from provender.sync.choices import codes_for
from provender.sync.connections import connection_of, last_connection
from provender.sync.models import Connection, ItemProduct
from provender.sync.standing import item_standing
from provender.timeline.queries import story

NO_CATEGORY = "No category"
NAMED_LISTS = 2  # price lists that a row names; more are counted
LATEST_LINES, SHOWN_LINES = 40, 10  # order lines that are read, and shown, on a product's page
STORY_LINES = 15


def tax_kinds(supplier: Supplier) -> list[tuple[str, str]]:
    """The tax kinds in the word of the wholesaler's country."""
    return [(kind.value, supplier.tax_kind_label(kind)) for kind in TaxKind]


def sales_accounts(supplier: Supplier) -> list[tuple[str, str]]:
    """Accounts of the connected organisation that sales can go to, as (code, name); none without a connection."""
    connection = connection_of(supplier)
    return codes_for(connection, "sales_account") if connection else []


# --- the list -----------------------------------------------------------------------------------------------------


class ProductSearch(FilterSet):  # type: ignore[misc]  # django_filters has no types
    """What narrows any list of products."""

    q = CharFilter(label="Search", method="search")
    category = ModelChoiceFilter(
        label="Category",
        queryset=lambda request: request.supplier.categories.all(),
        empty_label="Any",
        null_label=NO_CATEGORY,
    )
    status = ChoiceFilter(
        label="Status", choices=[("active", "Active"), ("inactive", "Inactive")], empty_label="Any", method="by_status"
    )

    class Meta:
        model = Product
        fields: list[str] = []

    def search(self, rows: QuerySet[Product], name: str, text: str) -> QuerySet[Product]:  # noqa: ARG002
        return rows.filter(Q(sku__icontains=text) | Q(name__icontains=text))

    def by_status(self, rows: QuerySet[Product], name: str, status: str) -> QuerySet[Product]:  # noqa: ARG002
        return rows.filter(active=status == "active")


class ProductFilter(ProductSearch):
    tax = ChoiceFilter(field_name="tax_kind", label="Tax", empty_label="Any")
    source = ChoiceFilter(
        label="Source", choices=[("xero", "Xero"), ("own", "Own")], empty_label="Any", method="by_source"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        supplier = self.request.supplier
        self.connection = last_connection(supplier)
        if self.connection is None:  # then all are one's own
            del self.filters["source"]
        self.filters["tax"].extra["choices"] = tax_kinds(supplier)
        self.filters["tax"].label = supplier.tax_word

    def by_source(self, rows: QuerySet[Product], name: str, source: str) -> QuerySet[Product]:  # noqa: ARG002
        items = ItemProduct.objects.filter(connection=self.connection).values("product")
        return rows.filter(pk__in=items) if source == "xero" else rows.exclude(pk__in=items)


class ChooseCategory(forms.Form):
    """Where many products go."""

    category = forms.ModelChoiceField(
        Category.objects.none(), label="Category", required=False, empty_label=NO_CATEGORY
    )

    def __init__(self, supplier: Supplier, typed: QueryDict | None) -> None:
        super().__init__(typed)
        field = self.fields["category"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 -- declared six lines above
        field.queryset = supplier.categories.all()


class ChooseTaxKind(forms.Form):
    """What many products are for the tax office."""

    tax_kind = forms.ChoiceField(
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one."},
        help_text="For order lines from now on. Documents that were issued keep the tax they were issued with.",
    )

    def __init__(self, supplier: Supplier, typed: QueryDict | None) -> None:
        super().__init__(typed)
        field = self.fields["tax_kind"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 -- declared seven lines above
        field.label, field.choices = supplier.tax_word, tax_kinds(supplier)


class ChooseAccount(forms.Form):
    """Which account in Xero the sales of many products go to: one of the chart, once there is a chart."""

    account = forms.CharField(label="Sales account", required=False, max_length=10, help_text="Its code in Xero.")

    def __init__(self, supplier: Supplier, typed: QueryDict | None) -> None:
        super().__init__(typed)
        if accounts := sales_accounts(supplier):
            offered = [("", "That of the Xero settings"), *((code, f"{code} · {name}") for code, name in accounts)]
            self.fields["account"] = forms.ChoiceField(
                label="Sales account", required=False, choices=offered,
                help_text="For order lines from now on. Placed orders take it when they are next edited.",
            )  # fmt: skip


def switch_on(supplier: Supplier, rows: Sequence[Product], user: User) -> str:
    return _told(bulk.switch(supplier, _keys(rows), active=True, by=user))


def switch_off(supplier: Supplier, rows: Sequence[Product], user: User) -> str:
    return _told(bulk.switch(supplier, _keys(rows), active=False, by=user))


def move(supplier: Supplier, rows: Sequence[Product], user: User, *, category: Category | None) -> str:
    return _told(bulk.move(supplier, _keys(rows), category, by=user))


def set_tax_kind(supplier: Supplier, rows: Sequence[Product], user: User, *, tax_kind: str) -> str:
    return _told(bulk.set_tax_kind(supplier, _keys(rows), tax_kind, by=user))


def set_sales_account(supplier: Supplier, rows: Sequence[Product], user: User, *, account: str) -> str:
    return _told(bulk.set_sales_account(supplier, _keys(rows), account, by=user))


def update_properties(supplier: Supplier, rows: Sequence[Product], user: User, *, option: str) -> str:
    its, _, chosen = option.partition(" ")
    dropdown = supplier.properties.select_related("supplier").get(pk=its)
    return _told(bulk.set_option(dropdown, _keys(rows), chosen, by=user))


def _told(done: bulk.Done) -> str:
    """What happened to how many: "4 products moved to Drinks."."""
    return (
        f"{counted(done.count, 'product')} {done.bulk.said}."
        if done.bulk
        else "They all have it so already: nothing was changed."
    )


def _keys(rows: Sequence[Product]) -> list[UUID]:
    return [row.pk for row in rows]


class ProductList(List[Product]):
    title, one, many = "Products", "product", "products"
    filters = ProductFilter
    sort = "name"
    template = "desk/products/products.html"
    empty = Empty(
        "No products yet",
        "A product is something you sell: a SKU, a name, a price. Its SKU is the item code in Xero. Importing a file of"
        " invoices can add those that it names.",
        "New product",
        "desk:product-new",
    )
    actions = (
        BulkAction("move", "Move to a category", Doing.TRADE, move, ask=ChooseCategory),
        BulkAction("tax", "Set tax", Doing.TRADE, set_tax_kind, ask=ChooseTaxKind),
        BulkAction("account", "Set sales account", Doing.TRADE, set_sales_account, ask=ChooseAccount),
        BulkAction("properties", "Update properties", Doing.TRADE, update_properties, ask=ChooseOption),
        BulkAction("on", "Switch on", Doing.TRADE, switch_on),
        BulkAction("off", "Switch off", Doing.TRADE, switch_off, danger=True),
    )

    @cached_property
    def sentence(self) -> str:  # type: ignore[override]  # the words are those of the wholesaler's country
        return f"What you sell. Prices are in {self.supplier.currency}, without {self.supplier.tax_word}."

    def shown_columns(self) -> Sequence[Column[Product]]:
        return (
            Column("name", "Name", lambda p: p.name, sort=("name", "pk"), phone="title", link=self.page_of),
            Column("sku", "SKU", lambda p: p.sku, sort="sku", unbroken=True),
            Column("category", "Category", lambda p: p.category, sort="category__name", phone="hide"),
            Column("price", "Price", lambda p: p.price, kind="price", sort="price", phone="side"),
            Column("tax", self.supplier.tax_word, self.tax_of, sort="tax_kind", phone="hide", unbroken=True),
            Column("lists", "Price lists", self.lists_of, phone="hide"),
            *([Column("source", "Source", self.source_of, phone="hide")] if self.connection else ()),
            Column("status", "Status", active_or_not, kind="badge", sort="active", phone="badge"),
        )

    def downloaded_columns(self) -> Sequence[Column[Product]]:
        """All that a file of products holds, in its words, so that it can be changed and read in again."""
        shown = {column.key: column for column in self.shown_columns()}
        return (
            shown["sku"],
            shown["name"],
            Column("description", "Description", lambda p: p.description),
            shown["category"],
            Column("unit", "Unit", lambda p: p.unit),
            shown["price"],
            shown["tax"],
            Column("account", "Sales account", lambda p: p.sales_account),
            Column("active", "Active", lambda p: "yes" if p.active else "no"),
            shown["lists"],
        )

    def page_of(self, product: Product) -> str:
        return reverse("desk:product", args=[self.supplier.slug, product.pk])

    def tax_of(self, product: Product) -> str:
        return self.supplier.tax_kind_label(product.tax_kind)

    def lists_of(self, product: Product) -> str:
        names = self.listed.get(product.pk, [])
        more = len(names) - NAMED_LISTS
        return ", ".join(names[:NAMED_LISTS]) + (f" and {more} more" if more > 0 else "")

    def source_of(self, product: Product) -> str:
        return "Xero" if product.pk in self.items else "Own"

    @property
    def connection(self) -> Connection | None:
        found: Connection | None = self.filter.connection
        return found

    def rows(self) -> QuerySet[Product]:
        return self.supplier.products.select_related("category")

    def extra_context(self) -> dict[str, Any]:
        return {"last_change": bulk.last_change(self.supplier)}

    def prepare(self, rows: Sequence[Product]) -> None:
        items = ItemProduct.objects.filter(connection=self.connection, product__in=_keys(rows))
        self.items = set(items.values_list("product", flat=True)) if self.connection else set()
        self.listed: dict[UUID, list[str]] = {}
        prices = ListPrice.objects.filter(product__in=_keys(rows)).order_by("price_list__name")
        for product, name in prices.values_list("product_id", "price_list__name").distinct():
            self.listed.setdefault(product, []).append(name)


@member(Doing.LOOK, post=Doing.TRADE)
def products(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
    """The list; moving, taxing, switching many at once."""
    return show(request, ProductList(request))


@require_POST
@member(Doing.TRADE)
def undo_bulk(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Take back the newest thing that was set for many."""
    change = get_object_or_404(supplier.bulk_changes.select_related("supplier"), pk=pk)
    done = bulk.undo(change, by=request.user)
    left = f" {counted(done.left, 'product')} had changed since and stayed." if done.left else ""
    messages.success(request, f"Undone: {counted(done.put_back, 'product')} put back.{left}")
    return back(request)


# --- one product --------------------------------------------------------------------------------------------------


@member(Doing.LOOK)
def product(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """What it is, what it costs on which list, who ordered it lately; the timeline."""
    row = get_object_or_404(supplier.products.select_related("category"), pk=pk)
    context = {
        "product": row,
        "card": card(supplier, Kind.PRODUCT, row),
        "tax": supplier.tax_kind_label(row.tax_kind),
        "item": item_standing(row),
        "account_name": dict(sales_accounts(supplier)).get(row.sales_account, "") if row.sales_account else "",
        **todays_prices(supplier, row),
        "lines": latest_lines(row),
        "entries": story(supplier, "product", pk)[:STORY_LINES],
    }
    return render(request, "desk/products/product.html", context)


def todays_prices(supplier: Supplier, row: Product) -> dict[str, Any]:
    """What the product costs today by each price list, and for some of those who have an own price for it."""
    today = clock.today(supplier.time_zone)
    lists = list(supplier.price_lists.all())
    by_list = prices_by_list(row, lists, today)
    own = Customer.objects.filter(supplier=supplier, own_prices__product=row).distinct().order_by("trading_name")
    some = list(own.select_related("price_list")[:SHOWN_LINES])
    by_customer = prices_of_customers(row, some, today)
    return {
        "prices": [(each, by_list[each.pk]) for each in lists],
        "own_prices": [(each, by_customer[each.pk]) for each in some],
    }


def latest_lines(row: Product) -> list[tuple[OrderLine, Badge]]:
    """The order lines of a product that were written last, newest order first.

    A product may have been ordered a hundred thousand times: the lines written last are reached by an index.
    """
    lines = OrderLine.objects.filter(product=row).select_related("order__customer").order_by("-pk")[:LATEST_LINES]
    newest = sorted(lines, key=lambda line: line.order.created_at, reverse=True)[:SHOWN_LINES]
    return [(line, orders.status_badge(line.order)) for line in newest]


@member(Doing.TRADE)
@require_POST
def switch(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Switch one product on or off."""
    row = get_object_or_404(supplier.products, pk=pk)
    active = request.POST.get("active") == "1"
    actions.set_products_active(supplier, [pk], active, by=request.user)
    messages.success(
        request,
        f"{row.name} is active: it can be ordered."
        if active
        else f"{row.name} is inactive: it isn’t offered for new orders. What was ordered stays.",
    )
    return redirect("desk:product", slug=supplier.slug, pk=pk)


# --- the form -----------------------------------------------------------------------------------------------------


class PriceField(forms.CharField):
    """A unit price as people write it: 4.50, 0.0375, 1,234.50."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return type_price(value) if isinstance(value, Decimal) else value

    def clean(self, value: Any) -> Decimal:
        text = super().clean(value)
        try:
            price = read_number(text, places=4, what="price")
        except ProvenderError as error:
            raise forms.ValidationError(error.sentence) from error
        if price < 0:
            raise forms.ValidationError("The price is below zero. Write zero or more.")
        return price


class ProductForm(SharedForm):
    price = PriceField(label="Base price", error_messages={"required": "What does one cost? 0 is allowed."})

    class Meta:
        model = Product
        fields = (
            "sku", "name", "description", "category", "unit", "price", "tax_kind", "sales_account", "active",
        )  # fmt: skip
        labels = {"sales_account": "Sales account", "active": "Can be ordered"}
        help_texts = {
            "sku": "Your code for it, as it stands on documents. It is the item code in Xero.",
            "unit": "What one is: bottle, bag, 1 kg.",
            "sales_account": "Account code in Xero. Empty: the sales account of the Xero settings.",
            "active": "Off: it isn’t offered for new orders.",
        }
        widgets = {
            "description": forms.Textarea(attrs={"rows": 3}),
            "tax_kind": forms.RadioSelect,
            "sales_account": forms.TextInput(attrs={"list": "accounts", "autocomplete": "off"}),
        }
        error_messages = {"sku": {"required": "Which SKU?"}, "name": {"required": "What is it called?"}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        supplier: Supplier = self.instance.supplier
        fields: dict[str, Any] = self.fields
        fields["category"].queryset, fields["category"].empty_label = supplier.categories.all(), NO_CATEGORY
        fields["tax_kind"].label, fields["tax_kind"].choices = supplier.tax_word, tax_kinds(supplier)
        fields["price"].help_text = f"For one, in {supplier.currency}, without {supplier.tax_word}."

    @property
    def sections(self) -> list[Section]:
        """The form in parts, each with its heading."""
        return sections_of(
            self,
            ("What it is", ("name", "sku", "category", "unit", "description", "active")),
            ("Price and tax", ("price", "tax_kind", "sales_account")),
        )


@member(Doing.TRADE)
def new(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """A form for a product that isn't there yet."""
    return _form(request, Product(supplier=supplier))


@member(Doing.TRADE)
def edit(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The form of a product that is there."""
    row = get_object_or_404(supplier.products.select_related("supplier", "category"), pk=pk)
    return _form(request, row, there=True)


def _form(request: DeskRequest, row: Product, *, there: bool = False) -> HttpResponse:
    supplier = request.supplier
    form = ProductForm.of(request, row)
    accounts, edited = sales_accounts(supplier), form.instance
    try:
        if form.may_be_kept() and form.keep(lambda: actions.save_product(edited, by=request.user)):
            messages.success(request, f"{edited.name} is saved.")
            if accounts and edited.sales_account and edited.sales_account not in dict(accounts):
                messages.warning(request, _no_account(edited.sales_account))
            return redirect("desk:product", slug=supplier.slug, pk=edited.pk)
    except SkuTaken as error:
        form.add_error("sku", error.sentence)
    context: dict[str, Any] = {"form": form, "product": row if there else None, "accounts": accounts}
    if form.meanwhile:
        context["told"] = who_did(supplier, "product", row)
    return render(request, "desk/products/product_form.html", context)


def _no_account(code: str) -> str:
    return f"Xero has no account {code} that sales can go to. Invoices with this product will wait until it has."
