"""Credit notes that apply themselves: to their own invoice when they are raised, and what is left of them to the
customer's next invoices, the oldest first.

What somebody takes off again stays off: from then on that credit note is used by hand only. Wherever several documents
are held, credit notes come before invoices, so that two people never wait for each other.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date as Date  # noqa: N812 -- `date` is what a document calls it
from typing import Any

from django.db import transaction

from provender.basics import clock
from provender.basics.rows import hold
from provender.customers.models import Customer
from provender.invoicing.actions import raise_invoice, void_invoice
from provender.invoicing.credit_notes import raise_credit_note
from provender.invoicing.errors import CreditNoteIsVoid
from provender.invoicing.models import CreditNote, Invoice
from provender.payments.actions import allocate_credit, undo_allocation
from provender.payments.models import Allocation
from provender.payments.queries import open_credits
from provender.people.models import User
from provender.suppliers.models import Supplier
from provender.timeline.actions import tell


@transaction.atomic
def give_credit(
    supplier: Supplier, customer: Customer, *, invoice: Invoice | None = None, by: User | None = None, **content: Any
) -> CreditNote:
    """Raise a credit note (`raise_credit_note`), and set it against its invoice, up to what is due on that.

    By setting it stays unused; that of a customer who pays directly is used by hand only. Raises what
    `raise_credit_note` raises.
    """
    itself = customer.pays != Customer.Pays.DIRECT
    credit_note = raise_credit_note(supplier, customer, invoice=invoice, applies_itself=itself, by=by, **content)
    if invoice and itself and supplier.credits_apply:
        _apply([credit_note], invoice)
    return credit_note


@transaction.atomic
def bill(supplier: Supplier, customer: Customer, *, by: User | None = None, **content: Any) -> Invoice:
    """Raise an invoice (`raise_invoice`), and set against it what the customer's credit notes have left."""
    invoice = raise_invoice(supplier, customer, by=by, **content)
    if supplier.credits_apply:
        ready = open_credits(supplier, customer).filter(applies_itself=True, currency=invoice.currency)
        _apply(list(ready), invoice)
    return invoice


def _apply(credit_notes: Sequence[CreditNote], invoice: Invoice) -> None:
    """Each in turn, as it stands once it is held: somebody else may have used it meanwhile."""
    _hold_all(credit_notes)
    for credit_note in credit_notes:
        amount = min(credit_note.remaining, invoice.due)
        if amount > 0 and credit_note.applies_itself:
            allocate_credit(credit_note, invoice, amount=amount, date=allocation_day(credit_note, invoice))


def hold_credits(customer: Customer, invoices: Iterable[Invoice] = ()) -> None:
    """Hold what the customer's credit notes have left, before an invoice is held that they may be set against.

    So are those that are set against these invoices, from which they may step aside.
    """
    there = Allocation.objects.filter(
        supplier=customer.supplier_id, invoice__in=list(invoices), removed_at=None, credit_note__isnull=False
    ).select_related("credit_note")
    _hold_all([*open_credits(customer.supplier, customer), *(row.credit_note for row in there if row.credit_note)])


def _hold_all(credit_notes: Iterable[CreditNote]) -> None:
    for credit_note in sorted(credit_notes, key=lambda one: one.pk):
        hold(credit_note)


def allocation_day(credit_note: CreditNote, invoice: Invoice) -> Date:
    """The day on which one is set against the other: today, but not before either of them."""
    return max(clock.today(credit_note.supplier.time_zone), credit_note.date, invoice.date)


@transaction.atomic
def let_apply(credit_note: CreditNote, *, itself: bool, by: User | None = None) -> None:
    """Say whether a credit note is set against the customer's next invoices by itself, or used by hand only.

    Raises CreditNoteIsVoid.
    """
    hold(credit_note)
    if credit_note.status == CreditNote.Status.VOID:
        raise CreditNoteIsVoid(credit_note)
    if credit_note.applies_itself == itself:
        return
    credit_note.applies_itself = itself
    credit_note.save(update_fields=["applies_itself"])
    what = "Applies itself to the next invoices from now on" if itself else "Used by hand only from now on"
    tell(credit_note.supplier, "credit_note", credit_note.pk, what, who=by)


@transaction.atomic
def cancel_invoice(invoice: Invoice, *, by: User | None = None, why: str = "") -> Invoice:
    """Void an invoice on which nothing was paid; the credits that were set against it are free again.

    A credit note of this very invoice has lost what it was for: it is used by hand only from then on. Raises
    InvoiceHasMoney for payments, and for credit that lives in Xero alone.
    """
    for allocation in hold_with_credits(invoice):
        credit_note = allocation.credit_note
        undo_allocation(allocation, why="The invoice was cancelled", gives_back=True, by=by)
        if credit_note and credit_note.invoice_id == invoice.pk:
            let_apply(credit_note, itself=False, by=by)
    return void_invoice(invoice, by=by, why=why)


@contextmanager
def credits_aside(invoice: Invoice, *, by: User | None = None) -> Iterator[None]:
    """Inside a transaction: take the credits off an invoice on which nothing was paid, so that it can be changed.

    Afterwards they are set against it again, in their order and up to what is due then. When nothing was changed,
    nothing has happened. An invoice with other money stays as it is, and refuses changes as ever.
    """
    version, credits_ = invoice.version, hold_with_credits(invoice)
    if not credits_:
        yield
        return
    before = transaction.savepoint()
    for allocation in credits_:
        undo_allocation(allocation, why="The invoice is being changed", gives_back=True, by=by)
    invoice.refresh_from_db()
    yield
    invoice.refresh_from_db()
    if invoice.version == version:
        transaction.savepoint_rollback(before)
        invoice.refresh_from_db()
        return
    transaction.savepoint_commit(before)
    for allocation in credits_:
        amount = min(allocation.amount, invoice.due)
        if amount > 0 and allocation.credit_note:
            day = allocation_day(allocation.credit_note, invoice)
            allocate_credit(allocation.credit_note, invoice, amount=amount, date=day, by=allocation.made_by)


def can_be_changed(invoice: Invoice) -> bool:
    """Whether no money keeps an invoice as it is: nothing was paid, and what credit there is can be set aside."""
    if not invoice.has_money:
        return True
    return not invoice.paid and not has_foreign_credit(invoice)


def has_foreign_credit(invoice: Invoice) -> bool:
    """Whether credit that lives in Xero alone is set against it: that can't be set aside."""
    return Allocation.objects.filter(invoice=invoice, removed_at=None, credit_note=None).exists()


def hold_with_credits(invoice: Invoice) -> list[Allocation]:
    """The credits set against an invoice, oldest first, held before it; none where it has money beside them."""
    rows = Allocation.objects.filter(supplier=invoice.supplier_id, invoice=invoice, removed_at=None)
    rows = rows.select_related("credit_note__supplier").order_by("made_at", "pk")
    _hold_all({row.credit_note for row in rows if row.credit_note})
    hold(invoice)
    found = list(rows.all())  # once more: those held above are as they are now
    if invoice.paid or any(row.credit_note is None for row in found):
        return []
    return found
