"""Orders: the list, taking and editing one, and what happens to it until it is delivered or cancelled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum, prefetch_related_objects
from django.db.models.functions import Coalesce
from django.forms import ValidationError
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_filters import CharFilter, ChoiceFilter, DateFilter, FilterSet

from provender.basics import clock
from provender.basics.errors import ProvenderError
from provender.basics.money import ZERO, AmountField
from provender.basics.rows import hold
from provender.basics.wording import counted
from provender.desk.amending import Ways, amendments, read_way, read_whole, ways_of, whole_of
from provender.desk.choosing import CustomerFilter, as_uuid, date_input, saved_views
from provender.desk.finding import keys_by, narrow
from provender.desk.forms import NearDateField
from provender.desk.frame import DeskRequest, member
from provender.desk.invoices import TONES, given_back, what_a_void_does
from provender.desk.lists import Badge, BulkAction, Column, Empty, List, Tone, Totals, show
from provender.desk.meanwhile import ChangedMeanwhile, who_did
from provender.desk.order_form import Sheet, stamp
from provender.desk.properties import card
from provender.desk.templatetags.desk import day, exact
from provender.invoicing.models import InvoiceLine
from provender.invoicing.totals import build_lines
from provender.ordering import actions
from provender.ordering.errors import WrongStatus
from provender.ordering.lines import invoice_lines, totals_of, tracking_of
from provender.ordering.models import Order, OrderLine
from provender.ordering.queries import difference_of, order_totals
from provender.payments.amending import Way
from provender.people.models import User
from provender.people.roles import Doing
from provender.properties.models import Kind
from provender.suppliers.models import Supplier
from provender.sync.amending import closed_in_xero
from provender.sync.standing import Standing, standing
from provender.timeline.queries import story

Status = Order.Status
LIVE = "live"
STATUSES = [*Status.choices, (LIVE, "Placed or delivered")]
WHEN = [("today", "Today"), ("tomorrow", "Tomorrow"), ("past", "Past its date")]
BADGES: dict[str, Tone] = {
    Status.DRAFT: "mute",
    Status.PLACED: "info",
    Status.DELIVERED: "ok",
    Status.CANCELLED: "mute",
}
ONLY_WHEN_SET = ("date_from", "date_to", "invoiced")  # filters that links lead to; they show once they are set
VIEWS = {
    "All": "",
    "Drafts": "status=draft",
    "To deliver today": "status=placed&delivery=today",
    "To deliver tomorrow": "status=placed&delivery=tomorrow",
    "Late": "status=placed&delivery=past",
    "To be invoiced": "invoiced=no",
}


class OrderFilter(FilterSet):  # type: ignore[misc]  # django_filters has no types
    q = CharFilter(label="Search", method="search")
    status = ChoiceFilter(label="Status", choices=STATUSES, empty_label="Any status", method="by_status")
    customer = CustomerFilter(label="Customer")
    delivery = ChoiceFilter(label="Delivery", choices=WHEN, empty_label="Any day", method="by_delivery")
    delivery_from = DateFilter("delivery_date", "gte", label="Delivery from", widget=date_input())
    delivery_to = DateFilter("delivery_date", "lte", label="Delivery to", widget=date_input())
    date_from = DateFilter("order_date", "gte", label="Ordered from", widget=date_input())
    date_to = DateFilter("order_date", "lte", label="Ordered to", widget=date_input())
    invoiced = ChoiceFilter(
        label="Invoice", choices=[("no", "Not yet"), ("yes", "Raised")], empty_label="Any", method="by_invoice"
    )

    class Meta:
        model = Order
        fields: list[str] = []

    def get_form_class(self) -> type[Any]:
        form: type[Any] = super().get_form_class()
        for name in ONLY_WHEN_SET:
            if not self.data.get(name):
                del form.base_fields[name]
        return form

    @cached_property
    def today(self) -> date:
        return clock.today(self.request.supplier.time_zone)

    def search(self, rows: QuerySet[Order], _name: str, text: str) -> QuerySet[Order]:
        """Numbers that begin with it and customers whose name has it, else numbers that have it anywhere."""
        supplier: Supplier = self.request.supplier
        customers = list(supplier.customers.filter(trading_name__icontains=text).values_list("pk", flat=True))
        cases = {text, text.upper()}
        keys = [
            *keys_by(rows, "pk", "number", {*cases, f"{supplier.order_prefix}{text}"}),
            *keys_by(rows.exclude(purchase_order=""), "pk", "purchase_order", cases),
        ]
        return narrow(rows, keys, customers, Q(number__icontains=text) | Q(purchase_order__icontains=text))

    def by_status(self, rows: QuerySet[Order], _name: str, status: str) -> QuerySet[Order]:
        return rows.filter(status__in=(Status.PLACED, Status.DELIVERED) if status == LIVE else (status,))

    def by_delivery(self, rows: QuerySet[Order], _name: str, when: str) -> QuerySet[Order]:
        if when == "past":
            return rows.filter(delivery_date__lt=self.today)
        return rows.filter(delivery_date=self.today + timedelta(days=when == "tomorrow"))

    def by_invoice(self, rows: QuerySet[Order], _name: str, invoiced: str) -> QuerySet[Order]:
        """Those without an invoice that will get one; or those that have it."""
        if invoiced == "yes":
            return rows.exclude(invoice=None)
        return rows.filter(invoice=None, status__in=(Status.PLACED, Status.DELIVERED))


def sums_of(supplier: Supplier, orders: Sequence[Order]) -> dict[UUID, Decimal]:
    """What each order comes to with tax: its invoice's total, else that of its lines. One query for the lines."""
    without = [order for order in orders if order.invoice is None]
    prefetch_related_objects(without, "lines")
    sums = {
        order.pk: order.invoice.total if order.own_total is None else order.own_total
        for order in orders
        if order.invoice
    }
    return sums | {order.pk: totals_of(supplier, order.lines.all()).total for order in without}


def invoice_number(order: Order) -> str:
    """The number of its invoice, if it has one."""
    return order.invoice.number if order.invoice else ""


def status_badge(order: Order) -> Badge:
    """Draft, Placed, Delivered or Cancelled."""
    return Badge(order.get_status_display(), BADGES[order.status])


def place_many(supplier: Supplier, rows: Sequence[Order], user: User) -> str:
    """Place these drafts, each for itself."""
    return _each(rows, "Placed", lambda order: actions.place_order(order, by=user))


def deliver_many(supplier: Supplier, rows: Sequence[Order], user: User) -> str:
    """Note that these arrived today, each for itself."""
    return _each(rows, "Delivered", lambda order: actions.deliver_order(order, by=user))


def _each(rows: Sequence[Order], done: str, act: Callable[[Order], object]) -> str:
    """One order's trouble leaves the others alone; the sentence says what happened to how many."""
    refused = []
    for order in rows:
        try:
            act(order)
        except ProvenderError as error:
            refused.append(f"{order.number}: {error.sentence}")
    count = len(rows) - len(refused)
    sentence = f"{done} {counted(count, 'order')}."
    return (
        f"{sentence} Not done: {' '.join(refused[:5])}{f' And {len(refused) - 5} more.' if len(refused) > 5 else ''}"
        if refused
        else sentence
    )


class OrderList(List[Order]):
    title, one, many = "Orders", "order", "orders"
    sentence = "What customers want, from draft to delivered."
    filters = OrderFilter
    sort = "-number"
    template = "desk/orders/orders.html"
    empty = Empty("No orders yet", "Take the first one; placing it raises its invoice.", "New order", "desk:order-new")
    actions = (
        BulkAction("place", "Place", Doing.TRADE, place_many),
        BulkAction("deliver", "Mark delivered", Doing.TRADE, deliver_many),
    )

    @cached_property
    def drawn_columns(self) -> Sequence[Column[Order]]:
        return (
            Column(
                "number",
                "Number",
                lambda o: o.number,
                sort="created_at",
                phone="title",
                link=self.page_of,
                unbroken=True,
            ),
            Column("customer", "Customer", lambda o: o.customer.trading_name, sort="customer__trading_name"),
            Column("date", "Ordered", lambda o: o.order_date, "date", ("order_date", "number"), phone="hide"),
            Column("delivery", "Delivery", lambda o: o.delivery_date, "date", ("delivery_date", "number")),
            Column("po", "PO number", lambda o: o.purchase_order, sort=("purchase_order", "number"), phone="hide"),
            Column(
                "total",
                f"Total {self.supplier.currency}",
                lambda o: self.sums[o.pk],
                kind="money",
                total="invoice__total",
                phone="side",
            ),
            Column("status", "Status", status_badge, "badge", ("status", "delivery_date", "number"), phone="badge"),
            Column("invoice", "Invoice", invoice_number, link=self.invoice_of, phone="hide"),
        )

    def shown_columns(self) -> Sequence[Column[Order]]:
        return self.drawn_columns

    def page_of(self, order: Order) -> str:
        return reverse("desk:order", args=[self.supplier.slug, order.pk])

    def invoice_of(self, order: Order) -> str:
        return reverse("desk:invoice", args=[self.supplier.slug, order.invoice_id]) if order.invoice_id else ""

    def rows(self) -> QuerySet[Order]:
        return self.supplier.orders.all()  # what they name is read for a page at once: a join misleads SQLite

    def prepare(self, rows: Sequence[Order]) -> None:
        prefetch_related_objects(rows, "customer", "invoice")
        self.sums = sums_of(self.supplier, rows)

    @cached_property
    def totals(self) -> Totals:
        """Cancelled orders are counted, but their amounts count for nothing."""
        rows = self.filter.qs.order_by()
        total_of = Coalesce("own_total", "invoice__total", output_field=AmountField())
        counts, uninvoiced = ~Q(status=Status.CANCELLED), Q(invoice=None)
        found = rows.aggregate(
            count=Count("pk"), total=Sum(total_of, filter=counts), open=Count("pk", counts & uninvoiced)
        )
        open_ = list(rows.filter(counts, uninvoiced)) if found["open"] else []
        total = sum(sums_of(self.supplier, open_).values(), found["total"] or ZERO)
        column = next(column for column in self.shown_columns() if column.key == "total")
        return Totals(found["count"], [(replace(column, label="not cancelled"), total)])

    def extra_context(self) -> dict[str, Any]:
        return {"views": saved_views(self.request, VIEWS)}


@member(Doing.LOOK, post=Doing.TRADE)
def orders(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
    """The list; placing and delivering many at once."""
    return show(request, OrderList(request))


# --- taking and editing -------------------------------------------------------------------------------------------


@member(Doing.TRADE)
def new(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """An empty form, or one for the customer in the address."""
    pk = as_uuid(request.GET.get("customer", ""))
    customers = supplier.customers.select_related("price_list", "freight_group")
    customer = customers.filter(pk=pk).first() if pk else None
    return _work(request, supplier, None, customer)


@member(Doing.TRADE)
def edit(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The form of an order that is there; a cancelled one is shown instead."""
    order = _find(supplier, pk)
    if order.status == Status.CANCELLED:
        return _not_any_more(request, order, "changed")
    return _work(request, supplier, order, None)


def _work(request: DeskRequest, supplier: Supplier, order: Order | None, customer: Any) -> HttpResponse:
    """Show the form; while it is typed, what it comes to; and save it."""
    typed = request.POST if request.method == "POST" else None
    # What htmx asks while one types only shows sums: it sends the button that was pressed last along, which would save
    # the order a second time.
    do = "" if typed is None or request.htmx else request.POST.get("do", "")
    do, way, shown = read_way(request, do)
    saving = do in ("save", "place")
    sheet = Sheet(supplier, order, typed=typed, judge=saving, customer=customer)
    if saving and sheet.is_valid():
        try:
            return _save(request, sheet, way, shown, place=do == "place")
        except ChangedMeanwhile:
            return _changed_meanwhile(request, supplier, sheet)
        except ProvenderError as error:
            sheet.refuse(error)
    sheet.change(do)
    context: dict[str, Any] = {"sheet": sheet, "order": order, "ways": _ways(request, sheet)}
    if typed is not None and request.htmx:
        start = len(sheet.goods)
        new_rows = list(enumerate(sheet.add_rows(sheet.blanks_missing()), start=start))
        return render(request, "desk/orders/_live.html", context | {"shown": start, "new_rows": new_rows})
    return render(request, "desk/orders/edit.html", context | _of_invoice(supplier, order))


def _ways(request: DeskRequest, sheet: Sheet) -> Ways | None:
    """What can be done about the order's invoice, where it can't follow what is typed."""
    if sheet.order is None or sheet.order.invoice is None or sheet.difference is None:
        return None
    leave = "Save the order, leave the invoice"
    return ways_of(sheet.order.invoice, sheet.difference, request.membership, leave=leave, save="Save, with ")


def _changed_meanwhile(request: DeskRequest, supplier: Supplier, typed: Sheet) -> HttpResponse:
    """The form with what was typed, and above it what the order says by now; the next time it is saved over that."""
    assert typed.order is not None  # noqa: S101 -- only an order that is there can have changed
    order = _find(supplier, typed.order.pk)
    sheet = Sheet(supplier, order, typed=request.POST)
    sheet.seen = stamp(order)
    there = {"lines": order.lines.all(), "total": sums_of(supplier, [order])[order.pk]}
    context: dict[str, Any] = {
        "sheet": sheet,
        "order": order,
        "there": there,
        "told": who_did(supplier, "order", order),
        "ways": _ways(request, sheet),
    }
    return render(request, "desk/orders/edit.html", context | _of_invoice(supplier, order))


def _of_invoice(supplier: Supplier, order: Order | None) -> dict[str, Any]:
    """What the form says about the order's invoice."""
    if not order or not order.invoice:
        return {}
    how = standing(supplier, [order.invoice.pk])[order.invoice.pk]
    return {"next": order.invoice.version + 1, "standing": how}


@transaction.atomic
def _write(sheet: Sheet, user: User, way: Way | None, shown: str, *, place: bool) -> Order:
    order = sheet.order or _made_before(sheet)
    if order is not None and sheet.order is None and order.status != Status.DRAFT:
        return order  # the button was pressed twice: the first time did it all
    if order is None:
        assert sheet.customer is not None  # noqa: S101 -- a sheet without one isn't valid
        order = actions.create_order(
            sheet.supplier, sheet.customer, lines=sheet.drafts, **sheet.kept, once=sheet.once, by=user
        )
    else:
        hold(order)
        older, there = sheet.is_older_than(order), stamp(order)
        order = actions.edit_order(
            order,
            lines=sheet.drafts,
            **sheet.kept,
            anew=sheet.anew,
            way=way,
            shown=shown,
            closed=closed_in_xero(order.invoice),
            by=user,
        )
        if older and stamp(order) != there:  # pressed twice, the second time says nothing new
            raise ChangedMeanwhile(f"order {order.number}")
    for chosen in sheet.options_changed:
        chosen.field.property.supplier = sheet.supplier
        actions.set_order_property(order, chosen.field.property, chosen.value, by=user)
    return actions.place_order(order, by=user) if place and order.status == Status.DRAFT else order


def _made_before(sheet: Sheet) -> Order | None:
    """The order that this very form made when it was sent before: pressed twice, or gone back to."""
    there = Order.objects.filter(supplier=sheet.supplier, customer=sheet.customer, pk=sheet.once)
    return there.select_related("customer", "supplier", "invoice").first()


def _save(request: DeskRequest, sheet: Sheet, way: Way | None, shown: str, *, place: bool) -> HttpResponse:
    order = _write(sheet, request.user, way, shown, place=place)
    if place:
        messages.success(request, f"Placed {order.number}{_and_invoice(order)}.")
    elif order.invoice and sheet.stays:
        last = story(sheet.supplier, "order", order.pk).first()  # says which documents were made
        messages.success(request, f"Saved {order.number}.{f' {last.what}.' if last and way else ''}")
    elif order.invoice:
        messages.success(
            request, f"Saved {order.number}. Invoice {order.invoice.number} is in its version {order.invoice.version}."
        )
    else:
        messages.success(request, f"Saved {order.number}{' as a draft' if order.status == Status.DRAFT else ''}.")
    return redirect("desk:order", slug=sheet.supplier.slug, pk=order.pk)


def _and_invoice(order: Order) -> str:
    return f"; invoice {order.invoice.number} is raised" if order.invoice else ""


# --- one order ----------------------------------------------------------------------------------------------------


def _find(supplier: Supplier, pk: UUID) -> Order:
    rows = supplier.orders.select_related("supplier", "invoice", "customer__price_list", "customer__freight_group")
    return get_object_or_404(rows, pk=pk)


@dataclass(frozen=True)
class Step:
    """One station of an order's life: done, the one it stands at, or still to come."""

    label: str
    note: Any = ""
    url: str = ""
    state: str = ""  # done, now


@member(Doing.LOOK)
def order(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """What was ordered, what it comes to, how far it is, its invoice, and the timeline."""
    row = _find(supplier, pk)
    lines, built = _built_lines(supplier, row)
    how = standing(supplier, [row.invoice.pk])[row.invoice.pk] if row.invoice else None
    context = {
        "card": card(supplier, Kind.ORDER, row),
        "order": row,
        "badge": status_badge(row),
        "lines": list(zip(lines, built, tracking_of(row, lines), strict=True)),
        "totals": order_totals(row),
        "difference": difference_of(row, closed_in_xero(row.invoice)),
        "amendments": amendments(row.invoice),
        "steps": steps(supplier, row, how),
        "standing": how,
        "tone": TONES[how.state] if how else "",
        "today": clock.today(supplier.time_zone),
        "entries": story(supplier, "order", row.pk),
    }
    return render(request, "desk/orders/order.html", context)


def _built_lines(supplier: Supplier, row: Order) -> tuple[list[OrderLine], list[InvoiceLine]]:
    """The order's lines, and each with its amount and tax."""
    lines = list(row.lines.all())
    rates = dict(row.invoice.lines.values_list("tax_kind", "tax_rate")) if row.invoice else None
    return lines, build_lines(InvoiceLine, supplier, invoice_lines(lines), rates)


def steps(supplier: Supplier, row: Order, how: Standing | None) -> list[Step]:
    """Placed, delivered, invoiced, in Xero, in the order in which they come for this customer."""
    at_delivery = row.customer.invoice_at == row.customer.InvoiceAt.DELIVERY
    placed = Step("Placed", exact(row.placed_at), state="done") if row.placed_at else Step("To be placed", state="now")
    on = day(row.delivery_date) if row.delivery_date else ""
    delivered = Step("To be delivered", on, state="now" if row.placed_at else "")
    if row.delivered_at:
        delivered = Step("Delivered", on, state="done")
    invoiced = Step("Invoice")
    if row.invoice:
        url = reverse("desk:invoice", args=[supplier.slug, row.invoice.pk])
        invoiced = Step("Invoiced", row.invoice.number, url, "done")
    in_xero = Step("Xero")
    if how:
        there = how.state in ("sent", "locked")
        in_xero = Step("In Xero", how.label, how.url, "done" if there else "now")
    return [placed, delivered, invoiced, in_xero] if at_delivery else [placed, invoiced, in_xero, delivered]


@require_POST
@member(Doing.TRADE)
def place(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Make a draft binding."""
    row = actions.place_order(_find(supplier, pk), by=request.user)
    messages.success(request, f"Placed {row.number}{_and_invoice(row)}.")
    return redirect("desk:order", slug=supplier.slug, pk=pk)


@require_POST
@member(Doing.TRADE)
def deliver(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Note that it arrived, on the day in the form."""
    try:
        on = NearDateField(required=False).clean(request.POST.get("delivered_on", ""))
    except ValidationError as error:
        messages.error(request, f"{' '.join(error.messages)} Choose the day on which it arrived.")
        return redirect("desk:order", slug=supplier.slug, pk=pk)
    row = _find(supplier, pk)
    had_invoice = row.invoice is not None
    row = actions.deliver_order(row, delivered_on=on, by=request.user)
    messages.success(request, f"{row.number} is delivered{'' if had_invoice else _and_invoice(row)}.")
    return redirect("desk:order", slug=supplier.slug, pk=pk)


@require_POST
@member(Doing.TRADE)
def duplicate(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """A new draft like this one, open for editing."""
    copy = actions.duplicate_order(_find(supplier, pk), by=request.user)
    messages.success(request, f"{copy.number} is a copy, at today’s prices.")
    return redirect("desk:order-edit", slug=supplier.slug, pk=copy.pk)


@member(Doing.TRADE)
def cancel(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Ask, saying what becomes of the invoice here and in Xero; then cancel."""
    row = _find(supplier, pk)
    if request.method == "POST":
        why = request.POST.get("why", "").strip()[:200]
        closed = closed_in_xero(row.invoice)
        row = actions.cancel_order(row, then=read_whole(request), closed=closed, by=request.user, why=why)
        void = f"; invoice {row.invoice.number} is void" if row.invoice and row.invoice.status == "void" else ""
        credited = "; its invoice is credited" if row.invoice and not void else ""
        messages.success(request, f"{row.number} is cancelled{void}{credited}.")
        return redirect("desk:order", slug=supplier.slug, pk=pk)
    if row.status not in (Status.PLACED, Status.DELIVERED):
        return _not_any_more(request, row, "cancelled")
    how = standing(supplier, [row.invoice.pk])[row.invoice.pk] if row.invoice else None
    context = {
        "order": row,
        "in_xero": what_a_void_does(how) if how else "",
        "gives_back": given_back(row.invoice) if row.invoice else [],
        "whole": whole_of(row.invoice),
    }
    return render(request, "desk/orders/cancel.html", context)


@member(Doing.TRADE)
def delete(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Ask, then throw a draft away."""
    row = _find(supplier, pk)
    if request.method == "POST":
        number = row.number
        actions.delete_draft(row, by=request.user)
        messages.success(request, f"Draft {number} is deleted.")
        return redirect("desk:orders", slug=supplier.slug)
    if row.status != Status.DRAFT:
        return _not_any_more(request, row, "deleted")
    return render(request, "desk/orders/delete.html", {"order": row})


def _not_any_more(request: DeskRequest, row: Order, doing: str) -> HttpResponse:
    """Back to the order, saying that it can't be done in its status."""
    messages.warning(request, WrongStatus(row, doing).sentence)
    return redirect("desk:order", slug=request.supplier.slug, pk=row.pk)
