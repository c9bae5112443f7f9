"""What records and removes money. Each function is one transaction and posts to the outbox in it.

What Xero told us is recorded with the source Xero and posted nowhere: the outside has it.
"""

from collections.abc import Sequence
from datetime import date as Date  # noqa: N812 -- `date` is what a payment calls it
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from provender.basics import clock
from provender.basics.money import ZERO, show_amount
from provender.basics.rows import hold
from provender.changes.actions import post
from provender.invoicing.models import CreditNote, Invoice
from provender.payments.errors import (
    CreditTooSmall,
    InvoiceTakesNoMoney,
    NothingToPay,
    NotTheSameAccount,
    PaymentTooLarge,
)
from provender.payments.models import Allocation, Payment, Payout
from provender.people.models import User
from provender.suppliers.models import Supplier
from provender.timeline.actions import tell

PAYMENT, ALLOCATION, PAYOUT = "payment", "allocation", "payout"  # the outbox's words


@transaction.atomic
def record_payment(
    invoice: Invoice,
    *,
    amount: Decimal,
    date: Date,
    source: Payment.Source = Payment.Source.HERE,
    method: Payment.Method = Payment.Method.TRANSFER,
    reference: str = "",
    payout: Payout | None = None,
    surcharge: Decimal = ZERO,
    surcharge_line: UUID | None = None,
    by: User | None = None,
) -> Payment:
    """Note money received for an invoice; what Xero has already is noted even where it is more than was due.

    `surcharge` is what of the amount is for the invoice's line `surcharge_line`: `surcharges.record_with_surcharge`.
    Raises NothingToPay, InvoiceTakesNoMoney, PaymentTooLarge.
    """
    hold(invoice)
    if amount <= 0:
        raise NothingToPay(amount)
    if source != Payment.Source.XERO:
        refuse_overpaying(invoice, amount)
    payment = _note_payment(
        invoice.supplier,
        by,
        invoice=invoice,
        payout=payout,
        date=date,
        amount=amount,
        source=source,
        method=method,
        reference=reference,
        surcharge=surcharge,
        surcharge_line=surcharge_line,
    )
    weigh_invoice(invoice)
    if source == Payment.Source.HERE:  # a payout goes to the outside as one deposit
        post(invoice.supplier, PAYMENT, payment.pk, "Recorded")
    where = " in Xero" if source == Payment.Source.XERO else ""
    what = f"{invoice.currency} {show_amount(amount)} paid{where}; {_left(invoice)}"
    tell(invoice.supplier, "invoice", invoice.pk, what, who=by)
    return payment


@transaction.atomic
def refund_credit(
    credit_note: CreditNote,
    *,
    amount: Decimal,
    date: Date,
    source: Payment.Source = Payment.Source.HERE,
    method: Payment.Method = Payment.Method.TRANSFER,
    reference: str = "",
    refund_of: Payment | None = None,
    by: User | None = None,
) -> Payment:
    """Note money paid back to the customer out of a credit note. Raises NothingToPay, CreditTooSmall."""
    hold(credit_note)
    _check_credit(credit_note, amount, told=source == Payment.Source.XERO)
    payment = _note_payment(
        credit_note.supplier,
        by,
        credit_note=credit_note,
        refund_of=refund_of,
        date=date,
        amount=amount,
        source=source,
        method=method,
        reference=reference,
    )
    weigh_credit(credit_note)
    if source == Payment.Source.HERE:
        post(credit_note.supplier, PAYMENT, payment.pk, "Paid back")
    tell(
        credit_note.supplier,
        "credit_note",
        credit_note.pk,
        f"{credit_note.currency} {show_amount(amount)} paid back; {show_amount(credit_note.remaining)} left",
        who=by,
    )
    return payment


def _note_payment(supplier: Supplier, by: User | None, **fields: Any) -> Payment:
    payment = Payment(supplier=supplier, recorded_at=clock.now(), recorded_by=by, **fields)
    payment.clean_fields(exclude={"supplier", "invoice", "credit_note", "refund_of", "payout", "recorded_by"})
    payment.save(force_insert=True)
    return payment


@transaction.atomic
def remove_payment(payment: Payment, *, why: str = "", told_by_xero: bool = False, by: User | None = None) -> None:
    """The payment didn't happen after all, or was taken back: what it paid is due again. Twice is once."""
    hold(payment)
    if payment.removed_at:
        return
    payment.removed_at, payment.removed_why = clock.now(), why[:200]
    payment.save(update_fields=["removed_at", "removed_why"])
    if payment.invoice:
        hold(payment.invoice)
        weigh_invoice(payment.invoice)
        left = _left(payment.invoice)
        what = f"{payment.invoice.currency} {show_amount(payment.amount)} taken back; {left}"
        tell(payment.supplier, "invoice", payment.invoice.pk, what, who=by, why=why)
    if payment.credit_note:
        hold(payment.credit_note)
        weigh_credit(payment.credit_note)
        what = f"Refund of {show_amount(payment.amount)} taken back; {show_amount(payment.credit_note.remaining)} left"
        tell(payment.supplier, "credit_note", payment.credit_note.pk, what, who=by, why=why)
    if not told_by_xero and not payment.payout_id:
        post(payment.supplier, PAYMENT, payment.pk, "Removed")


@transaction.atomic
def allocate_credit(
    credit_note: CreditNote,
    invoice: Invoice,
    *,
    amount: Decimal,
    date: Date,
    source: Allocation.Source = Allocation.Source.HERE,
    by: User | None = None,
) -> Allocation:
    """Set part of a credit note against an invoice of the same customer.

    Raises NothingToPay, CreditTooSmall, InvoiceTakesNoMoney, PaymentTooLarge, NotTheSameAccount.
    """
    hold(credit_note)
    hold(invoice)
    told = source == Allocation.Source.XERO
    if credit_note.customer_id != invoice.customer_id or credit_note.currency != invoice.currency:
        raise NotTheSameAccount(credit_note, invoice)
    _check_credit(credit_note, amount, told=told)
    if not told:
        refuse_overpaying(invoice, amount)
    allocation = Allocation.objects.create(
        supplier=invoice.supplier,
        credit_note=credit_note,
        invoice=invoice,
        amount=amount,
        date=date,
        source=source,
        made_at=clock.now(),
        made_by=by,
    )
    weigh_invoice(invoice)
    weigh_credit(credit_note)
    if not told:
        post(invoice.supplier, ALLOCATION, allocation.pk, "Made")
    shown = show_amount(amount)
    what = f"{invoice.currency} {shown} of credit note {credit_note.number} set against it; {_left(invoice)}"
    tell(invoice.supplier, "invoice", invoice.pk, what, who=by)
    what = f"{shown} set against invoice {invoice.number}; {show_amount(credit_note.remaining)} left"
    tell(invoice.supplier, "credit_note", credit_note.pk, what, who=by)
    return allocation


@transaction.atomic
def note_credit_in_xero(invoice: Invoice, *, credit: str, name: str, amount: Decimal, date: Date) -> Allocation:
    """Note that a credit which lives in Xero alone (its id and name there) was set against an invoice there.

    Raises NothingToPay.
    """
    hold(invoice)
    if amount <= 0:
        raise NothingToPay(amount)
    allocation = Allocation.objects.create(
        supplier=invoice.supplier,
        credit_in_xero=credit,
        name_in_xero=name,
        invoice=invoice,
        amount=amount,
        date=date,
        source=Allocation.Source.XERO,
        made_at=clock.now(),
    )
    weigh_invoice(invoice)
    what = f"{invoice.currency} {show_amount(amount)} settled in Xero by {name}; {_left(invoice)}"
    tell(invoice.supplier, "invoice", invoice.pk, what)
    return allocation


@transaction.atomic
def undo_allocation(
    allocation: Allocation,
    *,
    why: str = "",
    told_by_xero: bool = False,
    gives_back: bool = False,
    by: User | None = None,
) -> None:
    """Take a credit off an invoice: it is due again, and the credit is free again. Twice is once.

    Somebody decided so: the credit note is used by hand only from then on, unless the invoice only `gives_back` what
    it can't keep.
    """
    hold(allocation)
    if allocation.removed_at:
        return
    allocation.removed_at, allocation.removed_why = clock.now(), why[:200]
    allocation.save(update_fields=["removed_at", "removed_why"])
    credit_note, invoice = allocation.credit_note, allocation.invoice
    if credit_note:
        hold(credit_note)
        weigh_credit(credit_note)
        left = show_amount(credit_note.remaining)
        what = f"{show_amount(allocation.amount)} taken off invoice {invoice.number}; {left} left"
        if credit_note.applies_itself and not gives_back:
            credit_note.applies_itself = False
            credit_note.save(update_fields=["applies_itself"])
            what += ", used by hand only from now on"
        tell(allocation.supplier, "credit_note", credit_note.pk, what, who=by, why=why)
    hold(invoice)
    weigh_invoice(invoice)
    if not told_by_xero:
        post(allocation.supplier, ALLOCATION, allocation.pk, "Undone")
    what = f"{show_amount(allocation.amount)} of {allocation.credit_name} taken off it; {_left(invoice)}"
    tell(allocation.supplier, "invoice", invoice.pk, what, who=by, why=why)


def weigh_invoice(invoice: Invoice) -> None:
    """Work out from the rows what is paid and credited, and the day on which nothing was left; inside a transaction."""
    weigh_invoices([invoice])


def weigh_invoices(invoices: Sequence[Invoice]) -> None:
    """The same for many, in a handful of statements."""
    rows: dict[Any, dict[type, list[tuple[Date, Decimal]]]] = {
        each.pk: {Payment: [], Allocation: []} for each in invoices
    }
    for model in (Payment, Allocation):
        live = model._default_manager.filter(invoice__in=list(rows), removed_at=None)  # noqa: SLF001 -- its public name
        for pk, day, amount in live.values_list("invoice", "date", "amount"):
            rows[pk][model].append((day, amount))
    for invoice in invoices:
        payments, allocations = rows[invoice.pk][Payment], rows[invoice.pk][Allocation]
        invoice.paid = sum((amount for _, amount in payments), ZERO)
        invoice.credited = sum((amount for _, amount in allocations), ZERO)
        settled = invoice.has_money and invoice.due <= 0
        invoice.settled_on = max(day for day, _ in payments + allocations) if settled else None
    Invoice.objects.bulk_update(invoices, ["paid", "credited", "settled_on"], batch_size=100)


def weigh_credit(credit_note: CreditNote) -> None:
    """Work out from the rows what of a credit note is used; inside a transaction."""
    refunds = Payment.objects.filter(credit_note=credit_note, removed_at=None)
    allocations = Allocation.objects.filter(credit_note=credit_note, removed_at=None)
    # Summed here: SQLite adds decimals up as floats.
    credit_note.used = sum(
        (amount for rows in (refunds, allocations) for amount in rows.values_list("amount", flat=True)), ZERO
    )
    credit_note.save(update_fields=["used"])


def refuse_overpaying(invoice: Invoice, amount: Decimal) -> None:
    """Raises InvoiceTakesNoMoney for a void invoice, PaymentTooLarge for more than it has left to pay."""
    if invoice.status == Invoice.Status.VOID:
        raise InvoiceTakesNoMoney(invoice)
    if amount > invoice.due:
        raise PaymentTooLarge(invoice, amount)


def _check_credit(credit_note: CreditNote, amount: Decimal, *, told: bool) -> None:
    if amount <= 0:
        raise NothingToPay(amount)
    if not told and amount > credit_note.remaining:
        raise CreditTooSmall(credit_note, amount)


def _left(invoice: Invoice) -> str:
    return "nothing left to pay" if invoice.due <= 0 else f"{show_amount(invoice.due)} left to pay"
