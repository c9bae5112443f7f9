"""Invoices: the list, the page that looks like the paper, its versions, editing, voiding."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from http import HTTPStatus
from itertools import zip_longest
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum, prefetch_related_objects
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_filters import CharFilter, ChoiceFilter, DateFilter, FilterSet

from provender.basics import clock
from provender.basics.clock import in_words
from provender.basics.errors import ProvenderError
from provender.basics.money import ZERO, show_amount
from provender.basics.wording import counted
from provender.desk.amending import Choice, amendments, read_way, read_whole, ways_of, whole_of
from provender.desk.choosing import CustomerFilter, date_input, saved_views
from provender.desk.finding import FEW, keys_by, named, narrow
from provender.desk.frame import DeskRequest, member
from provender.desk.invoice_form import InvoiceSheet
from provender.desk.lists import Badge, BulkAction, Column, Empty, List, Tone, Totals, show
from provender.desk.meanwhile import ChangedMeanwhile, who_did
from provender.desk.payments import money_of
from provender.desk.payouts import ask_for_payout, enter_by_hand
from provender.desk.properties import card
from provender.invoicing.actions import move_due_date, revise_invoice
from provender.invoicing.errors import InvoiceHasMoney
from provender.invoicing.models import Invoice
from provender.invoicing.printing import title_of
from provender.invoicing.versions import compare_versions
from provender.ordering.models import Order
from provender.payments.amending import Way, amend_invoice, credit_whole, stays_as_issued
from provender.payments.credits import cancel_invoice, credits_aside
from provender.payments.models import Allocation
from provender.payments.queries import UNPAID, allocations_to
from provender.people.models import User
from provender.people.roles import Doing
from provender.properties.models import Kind
from provender.suppliers.models import Supplier
from provender.sync.actions import approve_drafts, send_now
from provender.sync.amending import closed_in_xero
from provender.sync.connections import connection_of, last_connection
from provender.sync.models import Connection
from provender.sync.standing import (
    LABELS,
    UNAPPROVED_THERE,
    Standing,
    invoices_standing,
    skus_without_item,
    standing,
    standing_in,
    unlinked_invoices,
)
from provender.timeline.queries import story

OVERDUE = "overdue"
STATUSES = [
    ("open", "Open"), ("part", "Part paid"), (OVERDUE, "Overdue"), ("paid", "Paid"), ("void", "Void"),
]  # fmt: skip
IN_XERO = [*LABELS.items(), (UNAPPROVED_THERE, "Not approved there")]
TONES: dict[str, Tone] = {"sent": "ok", "waiting": "info", "needs-you": "danger", "locked": "warn", "off": "mute"}


class InvoiceFilter(FilterSet):  # type: ignore[misc]  # django_filters has no types
    # The first two may start the search anew from a few keys, so they come before those that narrow it down.
    q = CharFilter(label="Search", method="search")
    xero = ChoiceFilter(label="In Xero", choices=IN_XERO, empty_label="Any", method="by_standing")
    status = ChoiceFilter(label="Status", choices=STATUSES, empty_label="Any status", method="by_status")
    customer = CustomerFilter(label="Customer")
    date_from = DateFilter("date", "gte", label="From", widget=date_input())
    date_to = DateFilter("date", "lte", label="To", widget=date_input())

    class Meta:
        model = Invoice
        fields: list[str] = []

    @property
    def supplier(self) -> Supplier:
        supplier: Supplier = self.request.supplier
        return supplier

    def search(self, rows: QuerySet[Invoice], _name: str, text: str) -> QuerySet[Invoice]:
        return like(rows, self.supplier, text)

    def by_standing(self, rows: QuerySet[Invoice], _name: str, state: str) -> QuerySet[Invoice]:
        link = last_connection(self.supplier)
        if link is None:
            return rows if state == "off" else rows.none()
        condition = invoices_standing(link, state)
        if state == "sent" or self.form.cleaned_data.get("q"):
            return rows.filter(condition)
        some: QuerySet[Invoice] = Invoice.objects.order_by()
        if state == "off":
            unlinked = list(unlinked_invoices(link)[: FEW + 1])
            if len(unlinked) > FEW:
                return rows.filter(condition)
            some = some.filter(pk__in=unlinked)
        keys = list(some.filter(condition).values_list("pk", flat=True)[: FEW + 1])
        return named(rows, keys) if len(keys) <= FEW else rows.filter(condition)

    def by_status(self, rows: QuerySet[Invoice], _name: str, status: str) -> QuerySet[Invoice]:
        today = clock.today(self.supplier.time_zone)
        return rows.filter(
            {
                "open": UNPAID,
                "part": UNPAID & (Q(paid__gt=0) | Q(credited__gt=0)),
                OVERDUE: UNPAID & Q(due_date__lt=today),
                "paid": Q(status=Invoice.Status.OPEN, settled_on__isnull=False),
                "void": Q(status=Invoice.Status.VOID),
            }[status]
        )


def like(rows: QuerySet[Invoice], supplier: Supplier, text: str) -> QuerySet[Invoice]:
    """The supplier's invoices (`rows`) that a person who types this may mean.

    Those whose number, order number or purchase order number begins with it, or whose customer's name has it; when
    there are none, those that have it anywhere in a number.
    """
    customers = list(supplier.customers.filter(trading_name__icontains=text).values_list("pk", flat=True))
    cases = {text, text.upper()}
    orders = supplier.orders.exclude(invoice=None)
    keys = [
        *keys_by(rows, "pk", "number", {*cases, f"{supplier.invoice_prefix}{text}"}),
        *keys_by(rows.exclude(purchase_order=""), "pk", "purchase_order", cases),
        *keys_by(orders, "invoice", "number", {*cases, f"{supplier.order_prefix}{text}"}),
    ]
    anywhere = Q(number__icontains=text) | Q(order_numbers__icontains=text) | Q(purchase_order__icontains=text)
    return narrow(rows, keys, customers, anywhere)


VIEWS = {
    "All": "",
    "Overdue": "status=overdue",
    "Part paid": "status=part",
    "Paid": "status=paid",
    "Need you": "xero=needs-you",
    "Wait for Xero": "xero=waiting",
    "Void": "status=void",
}


def status_badge(invoice: Invoice, today: date) -> Badge:
    """Void, paid (and how), overdue by how many days, part paid, or open."""
    if invoice.status == Invoice.Status.VOID:
        return Badge("Void")
    if invoice.settled_on:
        return Badge("Paid" if invoice.paid else "Paid by credit", "ok")
    if invoice.due <= 0:
        return Badge("Nothing to pay")
    late = (today - invoice.due_date).days
    if late > 0:
        return Badge(f"Overdue {counted(late, 'day')}", "warn")
    return Badge("Part paid" if invoice.has_money else "Open", "info")


def xero_badge(how: Standing) -> Badge:
    """How it stands in Xero, in a word."""
    return Badge(how.label, TONES[how.state])


def send_many(supplier: Supplier, rows: Sequence[Invoice], user: User) -> str:
    """Let these go to Xero now."""
    count = send_now(supplier, [row.pk for row in rows], user)
    if not count:
        return "There is nothing to send: Xero has them already."
    return f"{counted(count, 'invoice')} on the way to Xero."


def approve_many(supplier: Supplier, rows: Sequence[Invoice], user: User) -> str:
    """Approve in Xero those that went there as drafts."""
    connection = connection_of(supplier)
    count = approve_drafts(connection, [row.pk for row in rows], user) if connection else 0
    if not count:
        return "None of them is a draft in Xero."
    return f"{counted(count, 'draft')} will be approved in Xero."


class InvoiceList(List[Invoice]):
    title, one, many = "Invoices", "invoice", "invoices"
    sentence = "Every tax invoice, and how it stands in Xero."
    filters = InvoiceFilter
    sort = "-date"
    template = "desk/invoices/invoices.html"
    empty = Empty(
        "No invoices yet",
        "Placing an order raises its invoice; invoices of another system come in from a file.",
        "New order",
        "desk:order-new",
    )

    actions = (
        BulkAction("send", "Send to Xero", Doing.BOOKS, send_many),
        BulkAction("approve", "Approve in Xero", Doing.BOOKS, approve_many),
        BulkAction("payout", "Enter a payout of these", Doing.BOOKS, enter_by_hand, ask=ask_for_payout),
    )

    @cached_property
    def drawn_columns(self) -> Sequence[Column[Invoice]]:
        today, total = clock.today(self.supplier.time_zone), f"Total {self.supplier.currency}"
        return (
            Column(
                "number",
                "Number",
                lambda i: i.number,
                sort=("number",),
                phone="title",
                link=self.page_of,
                unbroken=True,
            ),
            Column("customer", "Customer", lambda i: i.customer.trading_name, sort="customer__trading_name"),
            Column("date", "Date", lambda i: i.date, kind="date", sort=("date", "number"), phone="hide"),
            Column("due", "Due", lambda i: i.due_date, kind="date", sort=("due_date", "number")),
            Column("total", total, lambda i: i.total, "money", ("total", "number"), "total", phone="side"),
            Column("left", "To pay", lambda i: i.due, "money", phone="hide"),
            Column("status", "Status", lambda i: status_badge(i, today), kind="badge", phone="badge"),
            Column("xero", "In Xero", lambda i: xero_badge(self.standings[i.pk]), kind="badge", phone="badge"),
        )

    def shown_columns(self) -> Sequence[Column[Invoice]]:
        return self.drawn_columns

    @cached_property
    def connection(self) -> Connection | None:
        return last_connection(self.supplier)

    def allowed_actions(self) -> list[BulkAction[Any]]:
        allowed = super().allowed_actions()
        return allowed if self.connection else [each for each in allowed if each.key not in {"send", "approve"}]

    def page_of(self, invoice: Invoice) -> str:
        return reverse("desk:invoice", args=[self.supplier.slug, invoice.pk])

    def rows(self) -> QuerySet[Invoice]:
        return self.supplier.invoices.all()  # customers are read for a page at once: a join misleads SQLite

    def prepare(self, rows: Sequence[Invoice]) -> None:
        prefetch_related_objects(rows, "customer")
        self.standings = standing_in(self.connection, [row.pk for row in rows])

    @cached_property
    def sorted_by(self) -> str:
        """What is overdue comes longest overdue first, unless asked otherwise."""
        overdue = self.request.GET.get("status") == OVERDUE and "sort" not in self.request.GET
        return "due" if overdue else super().sorted_by

    @cached_property
    def totals(self) -> Totals:
        """Void invoices are counted, but their amounts count for nothing."""
        live = ~Q(status=Invoice.Status.VOID)
        found = self.filter.qs.order_by().aggregate(
            count=Count("pk"),
            all=Sum("total", filter=live),
            left=Sum(F("total") - F("paid") - F("credited"), filter=live),
        )
        columns = {column.key: column for column in self.shown_columns()}
        sums = [(columns["total"], "not void", found["all"]), (columns["left"], "to pay", found["left"])]
        return Totals(found["count"], [(replace(column, label=label), sum_ or ZERO) for column, label, sum_ in sums])

    def extra_context(self) -> dict[str, Any]:
        return {"views": saved_views(self.request, VIEWS)}


@member(Doing.LOOK, post=Doing.BOOKS)
def invoices(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
    """The list; sending many to Xero is for those who keep the books."""
    return show(request, InvoiceList(request))


@login_required
@require_safe
def by_link(request: DeskRequest, pk: UUID) -> HttpResponse:
    """The address that Xero's invoice leads back to: on to the invoice's page, for members of its wholesaler."""
    mine = Invoice.objects.filter(supplier__memberships__user=request.user, supplier__closed_at=None).select_related(
        "supplier"
    )
    invoice = get_object_or_404(mine, pk=pk)
    return redirect("desk:invoice", slug=invoice.supplier.slug, pk=pk)


# --- one invoice --------------------------------------------------------------------------------------------------


@member(Doing.LOOK)
def invoice(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The paper, in its newest or an earlier version; beside it Xero, the versions and the timeline."""
    row = get_object_or_404(supplier.invoices.select_related("customer", "further_to"), pk=pk)
    how = standing(supplier, [row.pk])[row.pk]
    if request.htmx and how.state == "waiting":  # its panel asks whether anything is new: nothing is
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    versions = list(row.versions.select_related("made_by"))
    asked = request.GET.get("version", "")
    shown = next((each for each in versions if str(each.version) == asked), versions[0])
    context = {
        "card": card(supplier, Kind.INVOICE, row),
        "invoice": row,
        "order": (row.further_to or row).orders.first(),
        "amendments": amendments(row),
        "stays": row.has_money and stays_as_issued(row),
        "badge": status_badge(row, clock.today(supplier.time_zone)),
        "paper": paper(shown.document),
        "shown": shown,
        "is_newest": shown == versions[0],
        "versions": [
            (newer, compare_versions(older, newer) if older else [])
            for newer, older in zip_longest(versions, versions[1:])
        ],
        "carried": _carried(shown.document),
        "no_items": _skus_without_item(supplier, row, versions[0].document),
        "standing": how,
        "money": money_of(supplier, row),
        "entries": story(supplier, "invoice", row.pk),
    }
    return render(request, "desk/invoices/invoice.html", context)


def _skus_without_item(supplier: Supplier, row: Invoice, document: dict[str, Any]) -> list[str]:
    """Of an open invoice, the SKUs that Xero has no item for: a hint, since those lines go without item code."""
    if row.status != Invoice.Status.OPEN:
        return []
    return skus_without_item(supplier, [line["sku"] for line in document["lines"]])


def _carried(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of a version, if any of them carries an option."""
    lines: list[dict[str, Any]] = document["lines"]
    return lines if any(line.get("tracking") for line in lines) else []


def paper(document: dict[str, Any]) -> dict[str, Any]:
    """A frozen copy ready to be drawn: amounts as Decimals, dates as dates."""
    lines = [
        line | {name: Decimal(line[name]) for name in ("quantity", "unit_price", "tax_rate", "amount", "tax")}
        for line in document["lines"]
    ]
    sums = {name: Decimal(document[name]) for name in ("subtotal", "tax", "total")}
    days = {name: date.fromisoformat(document[name]) for name in ("date", "due_date")}
    place = " ".join(filter(None, (document["customer"][name] for name in ("city", "region", "postcode"))))
    drawn = {"lines": lines, "place": place, "has_skus": any(line["sku"] for line in lines)}
    return document | sums | days | drawn | {"title": title_of(document["supplier"])}


@member(Doing.TRADE)
def edit(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The next version of an invoice that no order stands behind; with an order, the order is edited.

    One with money on it stays; what is changed is credited or billed beside it. One that bills further what came on top
    of another, and has money itself, is edited where that one is.
    """
    row = get_object_or_404(supplier.invoices.select_related("customer", "further_to"), pk=pk)
    if row.further_to and stays_as_issued(row, closed_in_xero(row.further_to)):
        return redirect("desk:invoice-edit", slug=supplier.slug, pk=row.further_to.pk)
    order = row.orders.first()
    if order is not None:
        return redirect("desk:order-edit", slug=supplier.slug, pk=order.pk)
    if row.status == Invoice.Status.VOID:
        messages.warning(request, f"Invoice {row.number} is void and can’t be changed.")
        return redirect("desk:invoice", slug=supplier.slug, pk=pk)
    # What htmx asks while one types only shows sums, whatever button it sends along.
    do = request.POST.get("do", "") if request.method == "POST" and not request.htmx else ""
    do, way, shown = read_way(request, do)
    sheet = InvoiceSheet(row, typed=request.POST if request.method == "POST" else None, judge=do == "save")
    there: dict[str, Any] = {}
    if do == "save" and sheet.is_valid():
        try:
            said = _amend(row, sheet, way, shown, request.user) or _revise(row, sheet, request.user)
        except ChangedMeanwhile:
            row.refresh_from_db()
            sheet = InvoiceSheet(row, typed=request.POST)
            sheet.seen = row.version
            there = {"lines": row.lines.all(), "total": row.total}
        except ProvenderError as error:
            sheet.refuse(error)
        else:
            messages.success(request, said)
            return redirect("desk:invoice", slug=supplier.slug, pk=pk)
    sheet.change(do)
    context = {"sheet": sheet, "invoice": row, "standing": standing(supplier, [pk])[pk], "next": row.version + 1}
    if sheet.difference is not None:
        ways = context["ways"] = ways_of(row, sheet.difference, request.membership)
        if sheet.moves_due_date and not sheet.difference:
            ways.choices.append(Choice("save", "Save the due date"))
    if there:
        context |= {"there": there, "told": who_did(supplier, "invoice", row)}
    live = bool(request.htmx) and request.method == "POST"
    return render(request, f"desk/invoices/{'_live' if live else 'edit'}.html", context)


@transaction.atomic
def _amend(row: Invoice, sheet: InvoiceSheet, way: Way | None, shown: str, user: User) -> str:
    """What was made beside an invoice that stays, in a sentence; "" for one that doesn't.

    Its due date is moved where that may be. Raises InvoiceHasMoney, ChangedMeanwhile.
    """
    if not sheet.stays:
        return ""
    said = _move_due_date(row, sheet, user)
    if sheet.difference and way is None:
        raise InvoiceHasMoney(row)
    made = amend_invoice(
        row,
        sheet.drafts,
        way=way or Way.LEAVE,
        shown=shown,
        closed=sheet.closed,
        why=f"Invoice {row.number} was edited",
        by=user,
    ).story
    done = f"{made[:1].upper()}{made[1:]}." if made else ""
    return f"{said} {done}".strip() or f"Nothing was left to make up for on {row.number}."


def _move_due_date(row: Invoice, sheet: InvoiceSheet, user: User) -> str:
    """The next version, due on the day that was typed, in a sentence; "" where it stays."""
    if not sheet.moves_due_date or sheet.header.cleaned_data["due_date"] == row.due_date:
        return ""
    moved = move_due_date(row, sheet.header.cleaned_data["due_date"], by=user)
    if moved.version > sheet.seen + 1:
        raise ChangedMeanwhile(f"invoice {row.number}")
    return f"{moved.number} is due on {in_words(moved.due_date)}, in its version {moved.version}."


@transaction.atomic
def _revise(row: Invoice, sheet: InvoiceSheet, user: User) -> str:
    """The next version after the one that the page showed; ChangedMeanwhile when there is another by now."""
    with credits_aside(row, by=user):
        changed = revise_invoice(row, **sheet.kept, by=user)
    if changed.version > sheet.seen + 1:
        raise ChangedMeanwhile(f"invoice {row.number}")
    return f"{changed.number} is in its version {changed.version}."


@member(Doing.TRADE)
def void(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Ask, saying what becomes of it here and in Xero; then void it. With an order, the order is cancelled instead."""
    row = get_object_or_404(supplier.invoices.select_related("customer"), pk=pk)
    order = row.orders.exclude(status=Order.Status.CANCELLED).first()
    if order is not None:
        return redirect("desk:order-cancel", slug=supplier.slug, pk=order.pk)
    if request.method == "POST":
        why, then = request.POST.get("why", "").strip()[:200], read_whole(request)
        closed = closed_in_xero(row)
        if then and stays_as_issued(row, closed):
            because = why or f"Invoice {row.number} was cancelled"
            made = credit_whole(row, then=then, closed=closed, why=because, by=request.user)
            over = (
                f"Credit note {made.number} over {show_amount(made.total)} takes the place"
                if made
                else "Nothing was left"
            )
            messages.success(request, f"{over} of invoice {row.number}.")
        else:
            cancel_invoice(row, by=request.user, why=why)
            messages.success(request, f"Invoice {row.number} is void.")
        return redirect("desk:invoice", slug=supplier.slug, pk=pk)
    if row.status == Invoice.Status.VOID:
        messages.warning(request, f"Invoice {row.number} is void already.")
        return redirect("desk:invoice", slug=supplier.slug, pk=pk)
    context = {
        "invoice": row,
        "in_xero": what_a_void_does(standing(supplier, [pk])[pk]),
        "gives_back": given_back(row),
        "whole": whole_of(row),
    }
    return render(request, "desk/invoices/void.html", context)


def given_back(invoice: Invoice) -> list[Allocation]:
    """The credits that are free again once the invoice is void."""
    return [row for row in allocations_to(invoice) if row.removed_at is None and row.credit_note]


def what_a_void_does(how: Standing) -> str:
    """What becomes of the invoice in Xero when it is voided here."""
    if how.state == "locked":
        return (
            "In Xero it is paid or its period is closed, so it can’t be voided there; it will wait there as a problem."
        )
    if how.xero_status in ("Voided", "Deleted"):
        return "In Xero it is void already."
    if how.xero_status in ("Draft", "Awaiting approval"):
        return "In Xero it is deleted, as it isn’t approved yet."
    if how.xero_id:
        return "In Xero it is voided."
    if how.in_doubt:
        return "It is on its way to Xero; should it arrive, it is voided there."
    return "It isn’t in Xero, and won’t go there any more."
