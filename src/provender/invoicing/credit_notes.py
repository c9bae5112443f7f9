"""What raises and voids credit notes. Each function is one transaction and posts to the outbox in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date  # noqa: N812 -- `date` is what a credit note calls it
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from provender.basics import clock
from provender.basics.money import ZERO, line_tax, net_of, round_amount, show_amount
from provender.basics.rows import ReadyRows, hold, replace_rows
from provender.changes.actions import post, post_many
from provender.customers.models import Customer
from provender.invoicing.actions import choose_for_imported, customers_of
from provender.invoicing.errors import (
    AnotherWholesalersCustomer,
    CreditBeyondInvoice,
    CreditNoteIsUsed,
    CreditNoteIsVoid,
    CreditNoteNumberTaken,
    InvoiceWithoutLines,
    NegativeCreditNote,
)
from provender.invoicing.models import CreditNote, CreditNoteLine, Invoice, LineKind
from provender.invoicing.numbers import next_credit_note_number, refuse_taken
from provender.invoicing.totals import LineDraft, build_lines, draft_of, sum_lines
from provender.invoicing.versions import names_of
from provender.people.models import User
from provender.suppliers.actions import hold_numbers
from provender.suppliers.models import Supplier, TaxKind
from provender.timeline.actions import prepare, tell

KIND = "credit_note"  # the outbox, the story and the counter know credit notes by this word


@dataclass(frozen=True)
class CreditNoteDraft:
    """A credit note as a file has it, of an invoice that is here or free. It keeps its number."""

    number: str
    customer_id: UUID
    date: Date
    lines: Sequence[LineDraft]
    invoice_id: UUID | None = None
    reason: str = ""


@transaction.atomic
def raise_credit_note(
    supplier: Supplier,
    customer: Customer,
    *,
    lines: Sequence[LineDraft],
    date: Date,
    invoice: Invoice | None = None,
    reason: str = "",
    applies_itself: bool = True,
    amends: bool = False,
    beyond: bool = False,
    by: User | None = None,
) -> CreditNote:
    """Issue a credit note with the supplier's next number; its lines come to what is given back, without tax.

    Lines of an invoice keep the tax rates that it was issued at. All credit notes of one invoice together give back no
    more than it and its further invoices came to, unless a person wants it `beyond`. One that `amends` its invoice
    takes back what an edit took off it. Raises InvoiceWithoutLines, NegativeCreditNote, CreditBeyondInvoice,
    AnotherWholesalersCustomer, and what `build_lines` raises.
    """
    if customer.supplier_id != supplier.pk or (invoice and invoice.customer_id != customer.pk):
        raise AnotherWholesalersCustomer(customer)
    now = clock.now()
    credit_note = CreditNote(
        supplier=supplier,
        customer=customer,
        invoice=invoice,
        number=next_credit_note_number(supplier),
        date=date,
        reason=reason,
        names=names_of(supplier, customer),
        applies_itself=applies_itself,
        amends=amends,
        currency=invoice.currency if invoice else supplier.currency,
        created_at=now,
        changed_at=now,
    )
    rates = dict(invoice.lines.values_list("tax_kind", "tax_rate")) if invoice else None
    built = build_lines(CreditNoteLine, supplier, lines, rates)
    _put_lines(credit_note, built)
    if invoice and not beyond:
        hold(invoice)
        _refuse_beyond(credit_note, invoice)
    credit_note.save(force_insert=True)
    CreditNoteLine.objects.bulk_create(built)
    post(supplier, KIND, credit_note.pk, "Raised")
    over = show_amount(credit_note.total)
    tell(supplier, KIND, credit_note.pk, f"Raised, {credit_note.currency} {over}", who=by, why=reason)
    if invoice:
        tell(supplier, "invoice", invoice.pk, f"Credit note {credit_note.number} over {over}", who=by)
    return credit_note


@dataclass(frozen=True)
class ReadyCreditNotes:
    """Credit notes from elsewhere, made ready before the transaction that inserts them."""

    supplier: Supplier
    credit_notes: list[CreditNote]
    rows: list[ReadyRows]

    def insert(self) -> None:
        """To be called in a transaction. Raises CreditNoteNumberTaken."""
        hold_numbers(self.supplier, KIND)
        numbers = [credit_note.number for credit_note in self.credit_notes]
        refuse_taken(self.supplier.credit_notes.all(), numbers, CreditNoteNumberTaken)
        for rows in self.rows:
            rows.insert()
        documents = [credit_note.pk for credit_note in self.credit_notes]
        post_many(self.supplier, KIND, documents, "Imported", imported=True)


def prepare_credit_notes(
    supplier: Supplier, drafts: Sequence[CreditNoteDraft], *, by: User | None = None
) -> ReadyCreditNotes:
    """Make credit notes that were issued elsewhere ready to be inserted with their own numbers; one draft or more.

    They wait in the outbox until somebody asks for them to go out, and nothing is set against an invoice. What they
    give back of an invoice is taken as it was given. Raises what `raise_credit_note` raises, but CreditBeyondInvoice.
    """
    customers = customers_of(supplier, {draft.customer_id for draft in drafts})
    invoices = Invoice.objects.filter(supplier=supplier).in_bulk([one.invoice_id for one in drafts if one.invoice_id])
    chosen = choose_for_imported(supplier, [(draft.customer_id, draft.lines) for draft in drafts])
    built = [
        _build_imported(supplier, customers[draft.customer_id], draft, lines, invoices)
        for draft, lines in zip(drafts, chosen, strict=True)
    ]
    story = prepare(
        supplier, KIND, [(each.pk, f"Imported, {each.currency} {show_amount(each.total)}") for each, _ in built], who=by
    )
    rows = [
        ReadyRows.of([credit_note for credit_note, _ in built]),
        ReadyRows.of([line for _, lines in built for line in lines]),
        *filter(None, [story]),
    ]
    return ReadyCreditNotes(supplier, [credit_note for credit_note, _ in built], rows)


def _build_imported(
    supplier: Supplier,
    customer: Customer,
    draft: CreditNoteDraft,
    lines: Sequence[LineDraft],
    invoices: Mapping[UUID, Invoice],
) -> tuple[CreditNote, list[CreditNoteLine]]:
    invoice = invoices.get(draft.invoice_id) if draft.invoice_id else None
    if draft.invoice_id and (invoice is None or invoice.customer_id != customer.pk):
        raise AnotherWholesalersCustomer(customer)
    now = clock.now()
    credit_note = CreditNote(
        supplier=supplier,
        customer=customer,
        invoice=invoice,
        number=draft.number,
        date=draft.date,
        reason=draft.reason,
        names=names_of(supplier, customer),
        currency=invoice.currency if invoice else supplier.currency,
        applies_itself=False,  # for all we know it was used long ago
        origin=CreditNote.Origin.IMPORTED,
        created_at=now,
        changed_at=now,
    )
    built = build_lines(CreditNoteLine, supplier, lines)
    _put_lines(credit_note, built)
    return credit_note, built


@transaction.atomic
def revise_credit_note(
    credit_note: CreditNote,
    *,
    lines: Sequence[LineDraft] | None = None,
    date: Date | None = None,
    reason: str | None = None,
    beyond: bool = False,
    by: User | None = None,
) -> CreditNote:
    """Change a credit note of which nothing has been used yet, under the same number; what is None stays as it is.

    It then names both sides as they are called by now. When nothing differs, nothing is written. Raises
    CreditNoteIsVoid, CreditNoteIsUsed, and what `raise_credit_note` raises.
    """
    hold(credit_note)
    if credit_note.status == CreditNote.Status.VOID:
        raise CreditNoteIsVoid(credit_note)
    if credit_note.used:
        raise CreditNoteIsUsed(credit_note)
    current = list(credit_note.lines.all())
    before = _content(credit_note, current)
    credit_note.date = credit_note.date if date is None else date
    credit_note.reason = credit_note.reason if reason is None else reason
    rates = dict(credit_note.invoice.lines.values_list("tax_kind", "tax_rate")) if credit_note.invoice else {}
    rates |= {line.tax_kind: line.tax_rate for line in current}
    drafts = [draft_of(line) for line in current] if lines is None else lines
    built = build_lines(CreditNoteLine, credit_note.supplier, drafts, rates)
    old_total = credit_note.total
    _put_lines(credit_note, built)
    if _content(credit_note, built) == before:
        return credit_note
    if credit_note.invoice and not beyond:
        hold(credit_note.invoice)
        _refuse_beyond(credit_note, credit_note.invoice)
    replace_rows(CreditNoteLine.objects.filter(credit_note=credit_note), built, parent="credit_note")
    credit_note.version += 1
    credit_note.changed_at = clock.now()
    credit_note.names = names_of(credit_note.supplier, credit_note.customer)
    credit_note.save()
    post(credit_note.supplier, KIND, credit_note.pk, f"Version {credit_note.version}")
    totals = [show_amount(total) for total in (old_total, credit_note.total)]
    money = f"; total: {' → '.join(totals)}" if old_total != credit_note.total else ""
    tell(credit_note.supplier, KIND, credit_note.pk, f"Version {credit_note.version}{money}", who=by)
    return credit_note


@transaction.atomic
def void_credit_note(credit_note: CreditNote, *, by: User | None = None, why: str = "") -> CreditNote:
    """Make the credit note give nothing. It keeps its number and its lines; a void one stays as it is.

    Raises CreditNoteIsUsed.
    """
    hold(credit_note)
    if credit_note.status == CreditNote.Status.VOID:
        return credit_note
    if credit_note.used:
        raise CreditNoteIsUsed(credit_note)
    credit_note.status = CreditNote.Status.VOID
    credit_note.voided_at = credit_note.changed_at = clock.now()
    credit_note.save(update_fields=["status", "voided_at", "changed_at"])
    post(credit_note.supplier, KIND, credit_note.pk, why or "Voided")
    tell(credit_note.supplier, KIND, credit_note.pk, "Voided", who=by, why=why)
    return credit_note


@transaction.atomic
def renumber_credit_note(credit_note: CreditNote, *, by: User | None = None) -> CreditNote:
    """Give the credit note the supplier's next number."""
    hold(credit_note)
    supplier, before = credit_note.supplier, credit_note.number
    credit_note.number = next_credit_note_number(supplier)
    credit_note.version += 1
    credit_note.changed_at = clock.now()
    credit_note.save(update_fields=["number", "version", "changed_at"])
    post(supplier, KIND, credit_note.pk, "Renumbered")
    tell(supplier, KIND, credit_note.pk, f"Renumbered from {before} to {credit_note.number}", who=by)
    return credit_note


@transaction.atomic
def recode_credit_note(credit_note: CreditNote, *, by: User | None = None) -> CreditNote:
    """Put the products' present account codes on its lines; also once it is used, since no sum changes by it.

    For an account that went bad in Xero after it was raised. When nothing differs, nothing is written. Raises
    CreditNoteIsVoid.
    """
    hold(credit_note)
    if credit_note.status == CreditNote.Status.VOID:
        raise CreditNoteIsVoid(credit_note)
    changed = []
    for line in credit_note.lines.select_related("product"):
        if line.product and line.product.sales_account != line.sales_account:
            line.sales_account = line.product.sales_account
            changed.append(line)
    if not changed:
        return credit_note
    CreditNoteLine.objects.bulk_update(changed, ["sales_account"])
    credit_note.version += 1
    credit_note.changed_at = clock.now()
    credit_note.save(update_fields=["version", "changed_at"])
    post(credit_note.supplier, KIND, credit_note.pk, "Accounts taken from the products")
    tell(credit_note.supplier, KIND, credit_note.pk, "Accounts taken from the products", who=by)
    return credit_note


def credited_of(invoice: Invoice) -> Decimal:
    """What the credit notes of an invoice give back together, used or not."""
    live = CreditNote.objects.filter(invoice=invoice, status=CreditNote.Status.OPEN)
    return sum(live.values_list("total", flat=True), ZERO)


def lines_worth(invoice: Invoice, amount: Decimal, what: str) -> list[LineDraft]:
    """Lines of a credit note that come to exactly `amount` with tax, parted by tax as the invoice is.

    `what` is their description. Not every amount is some price plus its tax (at 10 % nothing comes to 0.05): the cent
    that is missing then is a line of its own, without tax. `amount` is above zero, at most what the invoice came to.
    """
    shares: dict[str, tuple[Decimal, Decimal]] = {}  # tax kind → what it came to with tax, its rate
    for line in invoice.lines.all():
        sum_, _ = shares.get(line.tax_kind, (ZERO, ZERO))
        shares[line.tax_kind] = (sum_ + line.amount + line.tax, line.tax_rate)
    left, drafts = amount, []
    for tax_kind, (share, rate) in sorted(shares.items(), key=lambda item: -item[1][0]):
        part = round_amount(amount * share / invoice.total) if invoice.total else amount
        net = net_of(min(part, left), rate)
        if net > 0:
            drafts.append(_line_of(what, net, tax_kind))
            left -= net + line_tax(net, rate)
    if left:
        drafts.append(_line_of("Rounding", left, TaxKind.FREE))
    return drafts


def _line_of(what: str, net: Decimal, tax_kind: str) -> LineDraft:
    return LineDraft(kind=LineKind.OTHER, description=what, quantity=Decimal(1), unit_price=net, tax_kind=tax_kind)


def _content(credit_note: CreditNote, lines: Sequence[CreditNoteLine]) -> tuple[object, ...]:
    return credit_note.date, credit_note.reason, [draft_of(line) for line in lines]


def _refuse_beyond(credit_note: CreditNote, invoice: Invoice) -> None:
    others = CreditNote.objects.filter(invoice=invoice, status=CreditNote.Status.OPEN).exclude(pk=credit_note.pk)
    further = Invoice.objects.filter(further_to=invoice, status=Invoice.Status.OPEN).values_list("total", flat=True)
    left = invoice.total + sum(further, ZERO) - sum(others.values_list("total", flat=True), ZERO)
    if credit_note.total > left:
        raise CreditBeyondInvoice(invoice, credit_note.total, left)


def _put_lines(credit_note: CreditNote, lines: Sequence[CreditNoteLine]) -> None:
    """Give the credit note these lines' totals, and refuse what can't be issued."""
    if not lines:
        raise InvoiceWithoutLines
    totals = sum_lines(lines)
    if totals.total <= 0:
        raise NegativeCreditNote(credit_note.number, totals.total)
    credit_note.subtotal, credit_note.tax, credit_note.total = totals.subtotal, totals.tax, totals.total
    for line in lines:
        line.credit_note = credit_note
    credit_note.clean_fields(exclude={"supplier", "customer", "invoice"})
