"""Paying back a payment: the credit note that says so and the money that goes back, in one transaction."""

from collections.abc import Iterable
from datetime import date as Date  # noqa: N812 -- `date` is what a payment calls it
from decimal import Decimal

from django.db import transaction

from provender.basics.money import ZERO, show_amount
from provender.basics.rows import hold
from provender.invoicing.credit_notes import lines_worth, raise_credit_note
from provender.invoicing.models import CreditNote, Invoice
from provender.invoicing.totals import draft_of
from provender.payments.actions import refund_credit
from provender.payments.errors import NothingToPay, RefundTooLarge
from provender.payments.models import Payment
from provender.people.models import User
from provender.timeline.actions import tell


def refundable_of(payment: Payment) -> Decimal:
    """What of a payment can still be paid back; nothing of a refund, or of a payment that was removed."""
    if payment.removed_at or payment.invoice_id is None:
        return ZERO
    back = payment.refunded_by.filter(removed_at=None).values_list("amount", flat=True)
    return payment.amount - sum(back, ZERO)


@transaction.atomic
def pay_back(credit_note: CreditNote, invoices: Iterable[Invoice], *, date: Date, by: User | None) -> list[Payment]:
    """Pay back what is left of a credit note to where these invoices were paid from, the newest payment first.

    No payment gives back more than it was; what is left then stays a credit.
    """
    paid = Payment.objects.filter(invoice__in=[each.pk for each in invoices], removed_at=None)
    refunds = []
    for payment in paid.order_by("-date", "-recorded_at"):
        hold(payment)
        if (amount := min(credit_note.remaining, refundable_of(payment))) > 0:
            method = Payment.Method(payment.method)
            refunds.append(
                refund_credit(credit_note, amount=amount, date=date, method=method, refund_of=payment, by=by)
            )
    return refunds


@transaction.atomic
def refund_payment(
    payment: Payment,
    *,
    amount: Decimal,
    date: Date,
    method: Payment.Method | None = None,
    reference: str = "",
    reason: str = "",
    by: User | None = None,
) -> Payment:
    """Pay a payment back, in full or in part: raises a credit note over the amount, which is used up by the refund.

    The invoice stays paid; what was sold is less by the credit note. A refund of all that the invoice came to has its
    lines, another one a line over the amount. Raises NothingToPay, RefundTooLarge, CreditBeyondInvoice.
    """
    hold(payment)
    if amount <= 0:
        raise NothingToPay(amount)
    if payment.invoice is None or amount > refundable_of(payment):
        raise RefundTooLarge(amount, refundable_of(payment))
    invoice = payment.invoice
    whole = amount == invoice.total
    lines = [draft_of(line) for line in invoice.lines.all()] if whole else []
    credit_note = raise_credit_note(
        invoice.supplier,
        invoice.customer,
        lines=lines or lines_worth(invoice, amount, f"Paid back of invoice {invoice.number}"),
        date=date,
        invoice=invoice,
        reason=reason,
        applies_itself=False,
        by=by,
    )
    refund = refund_credit(
        credit_note,
        amount=amount,
        date=date,
        method=method or Payment.Method(payment.method),
        reference=reference,
        refund_of=payment,
        by=by,
    )
    what = f"{invoice.currency} {show_amount(amount)} paid back"
    tell(invoice.supplier, "invoice", invoice.pk, what, who=by, why=reason)
    return refund
