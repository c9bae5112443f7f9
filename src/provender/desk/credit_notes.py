"""Credit notes: the list, the page, writing one from an invoice or free, setting one against invoices."""

from collections.abc import Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import F, Q, QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_filters import CharFilter, ChoiceFilter, DateFilter, FilterSet

from provender.basics import clock
from provender.basics.errors import ProvenderError
from provender.basics.money import ZERO, read_number, show_amount
from provender.basics.wording import counted
from provender.customers.models import Customer
from provender.desk.choosing import CustomerFilter, date_input
from provender.desk.finding import FEW, keys_by, narrow
from provender.desk.frame import DeskRequest, back, member
from provender.desk.invoice_form import CreditSheet
from provender.desk.lists import Badge, Column, Empty, List, show
from provender.desk.meanwhile import ChangedMeanwhile, who_did
from provender.invoicing.credit_notes import credited_of, revise_credit_note, void_credit_note
from provender.invoicing.models import CreditNote, Invoice
from provender.payments.actions import allocate_credit, undo_allocation
from provender.payments.credits import allocation_day, give_credit, let_apply
from provender.payments.models import Allocation
from provender.payments.queries import allocations_of, open_invoices, refunds_of
from provender.people.models import User
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync.queries import problems_of
from provender.sync.standing import credit_note_standing
from provender.timeline.queries import story

STATES = {"issued": "Issued", "applied": "Applied", "direct": "N/A", "void": "Cancelled"}


def address(credit_note: CreditNote) -> str:
    """Where a credit note's page is."""
    return reverse("desk:credit-note", args=[credit_note.supplier.slug, credit_note.pk])


def state_badge(credit_note: CreditNote) -> Badge:
    """Issued (waits to be used), applied (used up), N/A (used by hand only), cancelled."""
    if credit_note.status == CreditNote.Status.VOID:
        return Badge(STATES["void"])
    if not credit_note.remaining:
        return Badge(STATES["applied"], "ok")
    return Badge(STATES["issued"], "info") if credit_note.applies_itself else Badge(STATES["direct"], "info")


class CreditNoteFilter(FilterSet):  # type: ignore[misc]  # django_filters has no types
    q = CharFilter(label="Search", method="search")
    state = ChoiceFilter(label="State", choices=list(STATES.items()), empty_label="Any state", method="by_state")
    customer = CustomerFilter(label="Customer")
    date_from = DateFilter("date", "gte", label="From", widget=date_input())
    date_to = DateFilter("date", "lte", label="To", widget=date_input())

    class Meta:
        model = CreditNote
        fields: list[str] = []

    def search(self, rows: QuerySet[CreditNote], _name: str, text: str) -> QuerySet[CreditNote]:
        """By the beginning of its number or its invoice's, or its customer; else by a part of these or its reason."""
        supplier: Supplier = self.request.supplier
        customers = list(supplier.customers.filter(trading_name__icontains=text).values_list("pk", flat=True))
        cases = {text, text.upper()}
        invoices = keys_by(supplier.invoices.all(), "pk", "number", {*cases, f"{supplier.invoice_prefix}{text}"})
        keys = [
            *keys_by(rows, "pk", "number", {*cases, f"{supplier.credit_note_prefix}{text}"}),
            *CreditNote.objects.filter(invoice__in=invoices).values_list("pk", flat=True)[: FEW + 1],
        ]
        anywhere = Q(number__icontains=text) | Q(reason__icontains=text)
        anywhere |= Q(invoice__in=supplier.invoices.filter(number__icontains=text).values("pk"))
        return narrow(rows, keys, customers, anywhere)

    def by_state(self, rows: QuerySet[CreditNote], _name: str, state: str) -> QuerySet[CreditNote]:
        if state == "void":
            return rows.filter(status=CreditNote.Status.VOID)
        live = rows.filter(status=CreditNote.Status.OPEN)
        if state == "applied":
            return live.filter(used__gte=F("total"))
        return live.filter(used__lt=F("total"), applies_itself=state == "issued")


class CreditNoteList(List[CreditNote]):
    title, one, many = "Credit notes", "credit note", "credit notes"
    sentence = "What customers are given back, and what of it is still to be used."
    filters = CreditNoteFilter
    sort = "-date"
    template = "desk/credit_notes/credit_notes.html"
    empty = Empty(
        "No credit notes yet",
        "Open an invoice and choose “Credit” to give back all or part of it; a customer’s page has free credits.",
        "To the invoices",
        "desk:invoices",
    )

    def shown_columns(self) -> Sequence[Column[CreditNote]]:
        currency = self.supplier.currency
        return (
            Column("number", "Number", lambda c: c.number, sort="number", phone="title", link=address),
            Column("customer", "Customer", lambda c: c.customer.trading_name, sort="customer__trading_name"),
            Column("invoice", "Invoice", lambda c: c.invoice.number if c.invoice else "", link=self.invoice_of),
            Column("date", "Date", lambda c: c.date, kind="date", sort=("date", "number")),
            Column(
                "total", f"Total {currency}", lambda c: c.total, "money", ("total", "number"), "total", phone="side"
            ),
            Column("left", "Left", lambda c: c.remaining, kind="money", phone="hide"),
            Column("state", "State", state_badge, kind="badge", phone="badge"),
        )

    def invoice_of(self, credit_note: CreditNote) -> str:
        if credit_note.invoice_id is None:
            return ""
        return reverse("desk:invoice", args=[self.supplier.slug, credit_note.invoice_id])

    def rows(self) -> QuerySet[CreditNote]:
        return self.supplier.credit_notes.all()  # what they name is read for a page at once: a join misleads SQLite

    def prepare(self, rows: Sequence[CreditNote]) -> None:
        prefetch_related_objects(rows, "customer", "invoice", "supplier")


@member(Doing.LOOK)
def credit_notes(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
    """The list."""
    return show(request, CreditNoteList(request))


# --- one ----------------------------------------------------------------------------------------------------------


@member(Doing.LOOK)
def credit_note(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Its lines, what it was used for, how it stands in Xero, and the timeline."""
    row = _find(supplier, pk)
    how = credit_note_standing(supplier, pk)
    if request.htmx and how.state == "waiting":  # its panel asks whether anything is new: nothing is
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    allocations, refunds = list(allocations_of(row)), list(refunds_of(row))
    context = {
        "credit_note": row,
        "badge": state_badge(row),
        "lines": row.lines.all(),
        "allocations": allocations,
        "refunds": refunds,
        "standing": how,
        "problems": problems_of(supplier, documents=[each.pk for each in (*allocations, *refunds)]),
        "entries": story(supplier, "credit_note", row.pk),
    }
    return render(request, "desk/credit_notes/credit_note.html", context)


@member(Doing.BOOKS)
def of_invoice(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """A credit note that begins with an invoice's lines: leave what comes back, clear the rest."""
    invoice = get_object_or_404(supplier.invoices.select_related("customer", "supplier"), pk=pk)
    if invoice.status == Invoice.Status.VOID:
        messages.warning(request, f"Invoice {invoice.number} is void: there is nothing to give back.")
        return redirect("desk:invoice", slug=supplier.slug, pk=pk)
    return _write(request, supplier, invoice.customer, invoice=invoice)


@member(Doing.BOOKS)
def new(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """A credit note of no invoice."""
    return _write(request, supplier, get_object_or_404(supplier.customers, pk=pk))


def _write(
    request: DeskRequest, supplier: Supplier, customer: Customer, *, invoice: Invoice | None = None
) -> HttpResponse:
    do, sheet = _sheet(request, supplier, invoice)
    if do == "save" and sheet.is_valid():
        try:
            made = give_credit(supplier, customer, invoice=invoice, **sheet.kept, by=request.user)
        except ProvenderError as error:
            sheet.refuse(error)
        else:
            messages.success(request, issued(made))
            return redirect(address(made))
    sheet.change(do)
    cancel = reverse("desk:invoice", args=[supplier.slug, invoice.pk]) if invoice else _customers_page(customer)
    context = {
        "title": f"Credit for invoice {invoice.number}" if invoice else f"Credit for {customer}",
        "customer": customer,
        "credited": credited_of(invoice) if invoice else ZERO,
        "source": invoice,
        "cancel": cancel,
        "button": "Issue the credit note",
    }
    return _show_sheet(request, sheet, context)


def issued(credit_note: CreditNote) -> str:
    """What was made, and what became of it by itself."""
    done = f"Credit note {credit_note.number} over {show_amount(credit_note.total)} is issued"
    if credit_note.used and credit_note.invoice:
        return f"{done}, and {show_amount(credit_note.used)} of it is set against invoice {credit_note.invoice.number}."
    return f"{done}."


@require_POST
@member(Doing.BOOKS)
def apply_itself(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Let it apply itself to the next invoices, or use it by hand only."""
    row = _find(supplier, pk)
    let_apply(row, itself=request.POST.get("itself") == "1", by=request.user)
    what = "applies itself to the customer’s next invoices" if row.applies_itself else "is used by hand only"
    messages.success(request, f"Credit note {row.number} {what}.")
    return redirect(address(row))


@member(Doing.BOOKS)
def edit(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Change one of which nothing has been used."""
    row = _find(supplier, pk)
    if row.used or row.status == CreditNote.Status.VOID:
        messages.warning(request, f"Credit note {row.number} is used or cancelled and can’t be changed.")
        return redirect(address(row))
    do, sheet = _sheet(request, supplier, row)
    there: dict[str, Any] = {}
    if do == "save" and sheet.is_valid():
        try:
            _revise(row, sheet, request.user)
        except ChangedMeanwhile:
            row.refresh_from_db()
            sheet = CreditSheet(supplier, row, date=row.date, typed=request.POST)
            sheet.seen = row.version
            there = {"lines": row.lines.all(), "total": row.total}
        except ProvenderError as error:
            sheet.refuse(error)
        else:
            messages.success(request, f"Credit note {row.number} is saved.")
            return redirect(address(row))
    sheet.change(do)
    context = {
        "title": f"Edit credit note {row.number}",
        "customer": row.customer,
        "source": row.invoice,
        "credited": credited_of(row.invoice) - row.total if row.invoice else ZERO,
        "cancel": address(row),
        "button": "Save",
    }
    if there:
        context |= {"there": there, "told": who_did(supplier, "credit_note", row)}
    return _show_sheet(request, sheet, context)


@transaction.atomic
def _revise(row: CreditNote, sheet: CreditSheet, user: User) -> None:
    """The next version after the one that the page showed; ChangedMeanwhile when there is another by now."""
    changed = revise_credit_note(row, **sheet.kept, by=user)
    if changed.version > sheet.seen + 1:
        raise ChangedMeanwhile(f"credit note {row.number}")


def _sheet(request: DeskRequest, supplier: Supplier, source: Invoice | CreditNote | None) -> tuple[str, CreditSheet]:
    """The form and which of its buttons was pressed; what htmx asks while one types only shows sums."""
    typed = request.POST if request.method == "POST" else None
    do = typed.get("do", "") if typed is not None and not request.htmx else ""
    today = clock.today(supplier.time_zone)
    return do, CreditSheet(supplier, source, date=today, typed=typed, judge=do == "save")


def _show_sheet(request: DeskRequest, sheet: CreditSheet, context: dict[str, Any]) -> HttpResponse:
    live = bool(request.htmx) and request.method == "POST"
    template = "desk/invoices/_live.html" if live else "desk/credit_notes/edit.html"
    return render(request, template, {**context, "sheet": sheet, "invoice": context["source"] or True})


@member(Doing.BOOKS)
def void(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Ask, then cancel one of which nothing has been used."""
    row = _find(supplier, pk)
    if request.method == "POST":
        void_credit_note(row, by=request.user, why=request.POST.get("why", "").strip()[:200])
        messages.success(request, f"Credit note {row.number} is cancelled.")
        return redirect(address(row))
    return render(request, "desk/credit_notes/void.html", {"credit_note": row})


# --- setting it against invoices ----------------------------------------------------------------------------------


@member(Doing.BOOKS)
def allocate(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """How much of it goes to which open invoice; proposed: its own invoice first, then the longest due."""
    row = _find(supplier, pk)
    invoices = list(open_invoices(supplier, row.customer).filter(currency=row.currency))
    invoices.sort(key=lambda invoice: invoice.pk != row.invoice_id)
    shares, errors = _shares(request.POST, invoices) if request.method == "POST" else (_proposed(row, invoices), {})
    if request.method == "POST" and not errors:
        try:
            if not _allocate(request, row, invoices, shares):
                errors[""] = "Write how much goes to which invoice."
        except ProvenderError as error:
            errors[""] = error.sentence
        if not errors:
            return redirect(address(row))
    rows = [
        (invoice, request.POST.get(str(invoice.pk), "") if request.method == "POST" else shares.get(invoice.pk, ""))
        for invoice in invoices
    ]
    context = {
        "credit_note": row,
        "rows": [(invoice, text or "", errors.get(str(invoice.pk), "")) for invoice, text in rows],
        "error": errors.get("", ""),
    }
    return render(request, "desk/credit_notes/allocate.html", context)


def _proposed(credit_note: CreditNote, invoices: Sequence[Invoice]) -> dict[UUID, Decimal]:
    left, shares = credit_note.remaining, {}
    for invoice in invoices:
        if share := min(left, invoice.due):
            shares[invoice.pk] = share
            left -= share
    return shares


def _shares(typed: QueryDict, invoices: Sequence[Invoice]) -> tuple[dict[UUID, Decimal], dict[str, str]]:
    shares: dict[UUID, Decimal] = {}
    errors: dict[str, str] = {}
    for invoice in invoices:
        text = typed.get(str(invoice.pk), "").strip()
        if not text:
            continue
        try:
            amount = read_number(text, places=2)
        except ProvenderError as error:
            errors[str(invoice.pk)] = error.sentence
            continue
        if amount:
            shares[invoice.pk] = amount
    return shares, errors


@transaction.atomic
def _allocate(request: HttpRequest, row: CreditNote, invoices: Sequence[Invoice], shares: dict[UUID, Decimal]) -> int:
    """All or none."""
    for invoice in invoices:
        if amount := shares.get(invoice.pk):
            allocate_credit(row, invoice, amount=amount, date=allocation_day(row, invoice), by=request.user)  # type: ignore[arg-type]
    if shares:
        where = counted(len(shares), "invoice")
        messages.success(request, f"{show_amount(sum(shares.values(), ZERO))} of {row.number} set against {where}.")
    return len(shares)


@require_POST
@member(Doing.BOOKS)
def undo(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Take a credit off an invoice again."""
    row = get_object_or_404(Allocation.objects.select_related("credit_note", "invoice"), supplier=supplier, pk=pk)
    undo_allocation(row, by=request.user)
    messages.success(request, f"{row.credit_name} is taken off invoice {row.invoice.number}.")
    return back(request)


def _customers_page(customer: Customer) -> str:
    return reverse("desk:customer", args=[customer.supplier.slug, customer.pk])


def _find(supplier: Supplier, pk: UUID) -> CreditNote:
    rows = supplier.credit_notes.select_related("customer", "invoice", "supplier")
    return get_object_or_404(rows, pk=pk)
