"""What raises and voids credit notes. Each function is one transaction and posts to the outbox in it."""

from collections.abc import Sequence
from datetime import date as Date  # noqa: N812 -- `date` is what a credit note calls it
from functools import partial

from django.db import transaction

from provender.basics import clock
from provender.basics.rows import hold
from provender.changes.actions import post
from provender.customers.models import Customer
from provender.invoicing.errors import (
    AnotherWholesalersCustomer,
    CreditNoteIsUsed,
    InvoiceWithoutLines,
    NegativeCreditNote,
)
from provender.invoicing.models import CreditNote, CreditNoteLine, Invoice
from provender.invoicing.totals import LineDraft, build_lines, sum_lines
from provender.people.models import User
from provender.suppliers.actions import take_free_number
from provender.suppliers.models import Supplier
from provender.timeline.actions import tell

KIND = "credit_note"  # the outbox, the story and the counter know credit notes by this word


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
    by: User | None = None,
) -> CreditNote:
    """Issue a credit note with the supplier's next number; its lines come to what is given back, without tax.

    Lines of an invoice keep the tax rates that it was issued at. Raises InvoiceWithoutLines, NegativeCreditNote,
    AnotherWholesalersCustomer, and what `build_lines` raises.
    """
    if customer.supplier_id != supplier.pk or (invoice and invoice.customer_id != customer.pk):
        raise AnotherWholesalersCustomer(customer)
    now = clock.now()
    credit_note = CreditNote(
        supplier=supplier,
        customer=customer,
        invoice=invoice,
        number=take_free_number(supplier, KIND, supplier.credit_note_prefix, partial(credit_numbers_in_use, supplier)),
        date=date,
        reason=reason,
        applies_itself=applies_itself,
        currency=invoice.currency if invoice else supplier.currency,
        created_at=now,
        changed_at=now,
    )
    rates = dict(invoice.lines.values_list("tax_kind", "tax_rate")) if invoice else None
    built = build_lines(CreditNoteLine, supplier, lines, rates)
    _put_lines(credit_note, built)
    credit_note.save(force_insert=True)
    CreditNoteLine.objects.bulk_create(built)
    post(supplier, KIND, credit_note.pk, "Raised")
    tell(supplier, KIND, credit_note.pk, f"Raised, {credit_note.currency} {credit_note.total}", who=by, why=reason)
    if invoice:
        tell(supplier, "invoice", invoice.pk, f"Credit note {credit_note.number} over {credit_note.total}", who=by)
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


def credit_numbers_in_use(supplier: Supplier, numbers: Sequence[str]) -> set[str]:
    """Which of these numbers this supplier's credit notes have already."""
    chunks = [numbers[start : start + 500] for start in range(0, len(numbers), 500)]
    used = [
        CreditNote.objects.filter(supplier=supplier, number__in=chunk).values_list("number", flat=True)
        for chunk in chunks
    ]
    return {number for found in used for number in found}


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
