"""Customers: the list, one customer with its orders, invoices and contact in Xero, and the form."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_filters import CharFilter, ChoiceFilter, FilterSet, ModelChoiceFilter

from provender.basics import clock
from provender.basics.clock import span_in_words
from provender.basics.money import show_percent
from provender.basics.wording import counted
from provender.catalogue.errors import EndsBeforeItBegins
from provender.catalogue.models import PriceList, Product
from provender.customers import actions
from provender.customers.errors import CustomerNumberTaken, TaxNumberUnreadable
from provender.customers.models import Customer
from provender.customers.tax_numbers import doubt_about, read_tax_number, show_tax_number, tax_number_word
from provender.customers.wording import terms_in_words, terms_of
from provender.desk import invoices, orders
from provender.desk.choosing import date_input
from provender.desk.forms import PercentField, Section, sections_of
from provender.desk.frame import DeskRequest, member
from provender.desk.lists import Badge, BulkAction, Column, Empty, List, show
from provender.desk.meanwhile import SharedForm, who_did
from provender.desk.properties import card
from provender.invoicing.models import Invoice
from provender.ordering.models import Order
from provender.payments.queries import AGES, owed_of
from provender.people.models import User
from provender.people.roles import Doing
from provender.properties.models import Kind
from provender.suppliers.models import Supplier
from provender.sync.standing import contact_standing, credits_in_xero, standing
from provender.timeline.queries import story

NEWEST = 8  # orders and invoices on a customer's page
STORY_LINES = 15
BASE_PRICES = "Base prices"
ORDERED = (Order.Status.PLACED, Order.Status.DELIVERED)  # what counts as a customer's last order


def short_terms(customer: Customer) -> str:
    """The same in a column: days are from the order unless it says otherwise."""
    if customer.terms_days and customer.terms_from == Customer.TermsFrom.ORDER and not customer.followed_terms:
        return counted(customer.terms_days, "day")
    return terms_of(customer)


def tax_country(customer: Customer) -> str:
    """The country whose tax number a customer has: its own, else the wholesaler's."""
    return customer.country or customer.supplier.country


# --- the list -----------------------------------------------------------------------------------------------------


class CustomersFilter(FilterSet):  # type: ignore[misc]  # django_filters has no types
    q = CharFilter(label="Search", method="search")
    status = ChoiceFilter(
        label="Status", choices=[("active", "Active"), ("inactive", "Inactive")], empty_label="Any", method="by_status"
    )
    price_list = ModelChoiceFilter(
        label="Price list",
        queryset=lambda request: request.supplier.price_lists.all(),
        empty_label="Any",
        null_label=BASE_PRICES,
    )
    terms = ChoiceFilter(label="Payment terms", empty_label="Any", method="by_terms")

    class Meta:
        model = Customer
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        used = self.request.supplier.customers.order_by("followed_terms", "followed_day", "terms_from", "terms_days")
        own = used.filter(followed_terms="").values_list("terms_days", "terms_from").distinct()
        followed = used.exclude(followed_terms="").values_list("followed_day", "followed_terms").distinct()
        self.filters["terms"].extra["choices"] = [
            *((f"{days}-{start}", terms_in_words(days, start)) for days, start in own),
            *((f"{day}-{terms}", terms_in_words(0, "", terms, day)) for day, terms in followed),
        ]

    def search(self, rows: QuerySet[Customer], name: str, text: str) -> QuerySet[Customer]:  # noqa: ARG002
        fields = ("trading_name", "legal_name", "number", "email", "city")
        found = Q()
        for field in fields:
            found |= Q(**{f"{field}__icontains": text})
        return rows.filter(found)

    def by_status(self, rows: QuerySet[Customer], name: str, status: str) -> QuerySet[Customer]:  # noqa: ARG002
        return rows.filter(active=status == "active")

    def by_terms(self, rows: QuerySet[Customer], name: str, terms: str) -> QuerySet[Customer]:  # noqa: ARG002
        days, _, which = terms.partition("-")
        followed = Q(followed_terms=which, followed_day=days)
        return rows.filter(followed | Q(followed_terms="", terms_from=which, terms_days=days))


class GivePriceList(forms.Form):
    """Which price list many customers get."""

    price_list = forms.ModelChoiceField(
        PriceList.objects.none(),
        label="Price list",
        required=False,
        empty_label=BASE_PRICES,
        help_text="For orders from now on. Orders that were placed keep their prices.",
    )

    def __init__(self, supplier: Supplier, typed: QueryDict | None) -> None:
        super().__init__(typed)
        field = self.fields["price_list"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 -- declared six lines above
        field.queryset = supplier.price_lists.all()


def switch_on(supplier: Supplier, rows: Sequence[Customer], user: User) -> str:
    changed = actions.set_customers_active(supplier, _keys(rows), active=True, by=user)
    return f"{counted(changed, 'customer')} switched on."


def switch_off(supplier: Supplier, rows: Sequence[Customer], user: User) -> str:
    changed = actions.set_customers_active(supplier, _keys(rows), active=False, by=user)
    return f"{counted(changed, 'customer')} switched off."


def give_price_list(supplier: Supplier, rows: Sequence[Customer], user: User, *, price_list: PriceList | None) -> str:
    changed = actions.give_price_list(supplier, _keys(rows), price_list, by=user)
    return f"{counted(changed, 'customer')} changed to {price_list or 'base prices'}."


def _keys(rows: Sequence[Customer]) -> list[UUID]:
    return [row.pk for row in rows]


class CustomerList(List[Customer]):
    title, one, many = "Customers", "customer", "customers"
    sentence = "Who buys here, on which terms and at which prices."
    filters = CustomersFilter
    sort = "name"
    template = "desk/customers/customers.html"
    empty = Empty(
        "No customers yet",
        "A customer is a venue that buys: its name, its payment terms, its price list. Orders are taken for customers;"
        " importing a file of invoices adds those that it names.",
        "New customer",
        "desk:customer-new",
    )
    actions = (
        BulkAction("price-list", "Give a price list", Doing.TRADE, give_price_list, ask=GivePriceList),
        BulkAction("on", "Switch on", Doing.TRADE, switch_on),
        BulkAction("off", "Switch off", Doing.TRADE, switch_off, danger=True),
    )

    def shown_columns(self) -> Sequence[Column[Customer]]:
        return (
            Column("name", "Name", lambda c: c.trading_name, sort="trading_name", phone="title", link=self.page_of),
            Column("number", "Number", lambda c: c.number, sort="number", phone="hide", unbroken=True),
            Column("city", "City", lambda c: c.city, sort="city"),
            Column(
                "terms",
                "Payment terms",
                short_terms,
                sort=("followed_terms", "followed_day", "terms_days", "terms_from", "pk"),
                phone="hide",
            ),
            Column("prices", "Prices", lambda c: c.price_list or BASE_PRICES, sort="price_list__name", phone="hide"),
            Column("ordered", "Last order", lambda c: self.ordered.get(c.pk), kind="date"),
            Column(
                "invoices",
                "Invoices",
                lambda c: self.invoiced.get(c.pk, 0),
                kind="number",
                link=self.invoices_of,
                phone="hide",
            ),
            Column("status", "Status", active_or_not, kind="badge", sort="active", phone="badge"),
        )

    def page_of(self, customer: Customer) -> str:
        return reverse("desk:customer", args=[self.supplier.slug, customer.pk])

    def invoices_of(self, customer: Customer) -> str:
        return f"{reverse('desk:invoices', args=[self.supplier.slug])}?customer={customer.pk}"

    def rows(self) -> QuerySet[Customer]:
        return self.supplier.customers.select_related("price_list")

    def prepare(self, rows: Sequence[Customer]) -> None:
        keys = _keys(rows)
        ordered = Order.objects.filter(supplier=self.supplier, customer__in=keys, status__in=ORDERED)
        invoiced = Invoice.objects.filter(supplier=self.supplier, customer__in=keys)
        self.ordered = dict(ordered.values_list("customer").annotate(last=Max("order_date")).order_by())
        self.invoiced = dict(invoiced.values_list("customer").annotate(count=Count("pk")).order_by())


def active_or_not(row: Customer | Product) -> str | Badge:
    """Whether it still takes part in new orders; only the exception stands out."""
    return "Active" if row.active else Badge("Inactive", "warn")


@member(Doing.LOOK, post=Doing.TRADE)
def customers(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
    """The list; switching many on or off, or giving them a price list."""
    return show(request, CustomerList(request))


# --- one customer -------------------------------------------------------------------------------------------------


@member(Doing.LOOK)
def customer(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Who it is and on which terms; its newest orders and invoices; its contact in Xero; the timeline."""
    mine = supplier.customers.select_related("supplier", "price_list", "freight_group")
    row = get_object_or_404(mine, pk=pk)
    context = {
        "customer": row,
        "card": card(supplier, Kind.CUSTOMER, row),
        "terms": terms_of(row),
        "own_percent": "" if row.percent is None else own_percent_in_words(row),
        "own_priced": row.own_prices.values("product").distinct().count(),
        "tax_word": tax_number_word(tax_country(row)),
        "tax_number": show_tax_number(row.tax_number, tax_country(row)),
        "tax_doubt": doubt_about(row.tax_number, tax_country(row)),
        "place": " ".join(filter(None, (row.city, row.region, row.postcode))),
        "orders": newest_orders(row),
        "order_count": row.orders.count(),
        "invoices": newest_invoices(row),
        "invoice_count": row.invoices.count(),
        "owed": (owed := owed_of(row, clock.today(supplier.time_zone))),
        "ages": list(zip(AGES, owed.ages, strict=True)),
        "credits_in_xero": credits_in_xero(supplier, row.pk),
        "contact": contact_standing(row),
        "namesake": namesake(row),
        "entries": story(supplier, "customer", pk)[:STORY_LINES],
    }
    return render(request, "desk/customers/customer.html", context)


def own_percent_in_words(row: Customer) -> str:
    """The customer's own percentage with its days."""
    assert row.percent is not None  # noqa: S101 -- asked for those that have one
    return f"{show_percent(row.percent)} {span_in_words(row.percent_from, row.percent_to)}".strip()


def newest_orders(row: Customer) -> list[tuple[Order, Any, Badge]]:
    """A customer's newest orders, each with what it comes to and its state."""
    newest = list(row.orders.select_related("invoice").order_by("-created_at")[:NEWEST])
    sums = orders.sums_of(row.supplier, newest)
    return [(order, sums[order.pk], orders.status_badge(order)) for order in newest]


def newest_invoices(row: Customer) -> list[tuple[Invoice, Badge, Badge]]:
    """A customer's newest invoices, each with its state here and in Xero."""
    today = clock.today(row.supplier.time_zone)
    newest = list(row.invoices.order_by("-date", "-number")[:NEWEST])
    how = standing(row.supplier, [invoice.pk for invoice in newest])
    return [
        (invoice, invoices.status_badge(invoice, today), invoices.xero_badge(how[invoice.pk])) for invoice in newest
    ]


def namesake(row: Customer) -> Customer | None:
    """Another customer of the same trading name, which Xero can't tell apart."""
    same = Customer.objects.filter(supplier_id=row.supplier_id, trading_name__iexact=row.trading_name)
    return same.exclude(pk=row.pk).first()


@member(Doing.TRADE)
@require_POST
def switch(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Switch one customer on or off."""
    row = get_object_or_404(supplier.customers, pk=pk)
    active = request.POST.get("active") == "1"
    actions.set_customers_active(supplier, [pk], active, by=request.user)
    messages.success(
        request,
        f"{row} is active: orders can be taken for it."
        if active
        else f"{row} is inactive: it isn’t offered for new orders. Its orders and invoices stay as they are.",
    )
    return redirect("desk:customer", slug=supplier.slug, pk=pk)


# --- the form -----------------------------------------------------------------------------------------------------


class CustomerForm(SharedForm):
    percent = PercentField(
        label="Own percentage",
        required=False,
        help_text="On the base price of all that has no own price for this customer: −5 is five percent below. It comes"
        " before the price list.",
    )

    class Meta:
        model = Customer
        fields = (
            "trading_name", "legal_name", "number", "tax_number",
            "email", "phone", "street", "city", "region", "postcode", "country",
            "terms_days", "terms_from", "invoice_at", "pays", "freight_group",
            "price_list", "percent", "percent_from", "percent_to",
            "note",
        )  # fmt: skip
        labels = {
            "email": "E-mail address",
            "number": "Customer number",
            "region": "State or region",
            "terms_days": "Payment terms, in days",
            "terms_from": "Counted",
            "invoice_at": "Invoice it",
            "pays": "It pays",
            "freight_group": "Freight group",
            "price_list": "Price list",
            "percent_from": "It counts from",
            "percent_to": "It counts until",
        }
        help_texts = {
            "trading_name": "The name on its door. Its contact in Xero is found by this name.",
            "legal_name": "On invoices, if it differs.",
            "number": "A number or code of your own, if you use one.",
            "terms_days": "0: due on that day.",
            "pays": "Counts for credit notes that are issued from now on.",
            "percent_to": "Both days count. Empty: no limit.",
            "note": "For your own people. It isn’t on any document.",
        }
        widgets = {
            "note": forms.Textarea(attrs={"rows": 3}),
            "percent_from": date_input(),
            "percent_to": date_input(),
            "terms_from": forms.RadioSelect,
            "invoice_at": forms.RadioSelect,
            "pays": forms.RadioSelect,
            "terms_days": forms.TextInput(attrs={"inputmode": "numeric"}),
            "email": forms.EmailInput(attrs={"autocomplete": "off"}),
            "phone": forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        }
        error_messages = {
            "trading_name": {"required": "What is it called?"},
            "email": {"invalid": "That can’t be an e-mail address. Write it like orders@cornercafe.com.au."},
            "terms_days": {
                "required": "Within how many days does it pay? 0 is the same day.",
                "invalid": "Write a whole number of days, like 14.",
                "min_value": "Write a whole number of days, 0 or more.",
                "max_value": "At most 365 days.",
            },
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        supplier: Supplier = self.instance.supplier
        fields: dict[str, Any] = self.fields
        fields["tax_number"].label = tax_number_word(tax_country(self.instance))
        for name, choices, nothing in (
            ("price_list", supplier.price_lists, BASE_PRICES),
            ("freight_group", supplier.freight_groups, "No freight"),
        ):
            fields[name].queryset, fields[name].empty_label = choices.all(), nothing
        blank, *countries = fields["country"].choices
        fields["country"].choices = [(blank[0], f"As ours ({supplier.get_country_display()})"), *countries]

    def clean_tax_number(self) -> str:
        try:
            return read_tax_number(self.cleaned_data["tax_number"])
        except TaxNumberUnreadable as error:
            raise forms.ValidationError(error.sentence) from error

    @property
    def sections(self) -> list[Section]:
        """The form in parts, each with its heading."""
        return sections_of(
            self,
            ("Who", ("trading_name", "legal_name", "number", "tax_number")),
            ("Terms", ("terms_days", "terms_from", "invoice_at", "pays", "freight_group")),
            ("Prices", ("price_list", "percent", "percent_from", "percent_to")),
            ("Where", ("email", "phone", "street", "city", "region", "postcode", "country")),
            ("Note", ("note",)),
        )


@member(Doing.TRADE)
def new(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """A form for a customer that isn't there yet."""
    return _form(request, Customer(supplier=supplier))


@member(Doing.TRADE)
def edit(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The form of a customer that is there."""
    row = get_object_or_404(supplier.customers.select_related("supplier"), pk=pk)
    return _form(request, row, there=True)


def _form(request: DeskRequest, row: Customer, *, there: bool = False) -> HttpResponse:
    form = CustomerForm.of(request, row)
    edited = form.instance
    try:
        if form.may_be_kept() and form.keep(lambda: actions.save_customer(edited, by=request.user)):
            messages.success(request, f"{edited} is saved.")
            for doubt in doubts_about(edited):
                messages.warning(request, doubt)
            return redirect("desk:customer", slug=request.supplier.slug, pk=edited.pk)
    except CustomerNumberTaken as error:
        form.add_error("number", error.sentence)
    except EndsBeforeItBegins as error:
        form.add_error("percent_to", error.sentence)
    context: dict[str, Any] = {"form": form, "customer": row if there else None}
    if form.meanwhile:
        context["told"] = who_did(request.supplier, "customer", row)
    return render(request, "desk/customers/customer_form.html", context)


def doubts_about(row: Customer) -> list[str]:
    """What was saved as typed but is worth a second look."""
    doubt = doubt_about(row.tax_number, tax_country(row))
    doubts = [f"{doubt} It is kept as you wrote it."] if doubt else []
    if namesake(row):
        doubts.append(f"Another customer is called {row} too. Xero knows contacts by name and will ask which is meant.")
    return doubts
