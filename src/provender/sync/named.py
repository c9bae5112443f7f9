"""What people know our documents by, of whatever kind: for problems, which are told of all kinds on one page."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from provender.invoicing.models import CreditNote, Invoice
from provender.payments.models import Allocation, Payment, Payout
from provender.sync.kinds import Subject
from provender.sync.models import Problem
from provender.sync.money import allocation_name, payment_name


@dataclass(frozen=True)
class Named:
    """A document as a list shows it; `subject` is the document whose page tells of it."""

    number: str
    whose: str
    total: Decimal | None
    subject: Subject
    currency: str


def name_all(problems: Iterable[Problem]) -> dict[UUID, Named]:
    """The documents that these are about, those that are still there: a query for each kind that occurs."""
    wanted: dict[str, set[UUID]] = defaultdict(set)
    for problem in problems:
        wanted[problem.kind].add(problem.document)
    named: dict[UUID, Named] = {}
    for kind, documents in wanted.items():
        named |= _name(kind, documents)
    return named


def _name(kind: str, documents: set[UUID]) -> dict[UUID, Named]:
    match kind:
        case "invoice":
            invoices = Invoice.objects.filter(pk__in=documents).select_related("customer")
            return {one.pk: _of_document(kind, one) for one in invoices}
        case "credit_note":
            credit_notes = CreditNote.objects.filter(pk__in=documents).select_related("customer")
            return {one.pk: _of_document(kind, one) for one in credit_notes}
        case "payment":
            payments = Payment.objects.filter(pk__in=documents)
            payments = payments.select_related("invoice__customer", "credit_note__customer")
            return {one.pk: _of_payment(one) for one in payments}
        case "allocation":
            allocations = Allocation.objects.filter(pk__in=documents)
            allocations = allocations.select_related("invoice__customer", "credit_note")
            return {one.pk: _of_allocation(one) for one in allocations}
        case "payout" | "fee":
            payouts = Payout.objects.filter(pk__in=documents)
            return {one.pk: _of_payout(kind, one) for one in payouts}
    return {}


def _of_document(kind: str, one: Invoice | CreditNote) -> Named:
    return Named(one.number, one.customer.trading_name, one.total, (kind, one.pk), one.currency)


def _of_payment(one: Payment) -> Named:
    document = one.invoice or one.credit_note
    if document is None:
        return Named(payment_name(one), "", one.amount, ("payment", one.pk), "")
    kind = "invoice" if one.invoice else "credit_note"
    whose = document.customer.trading_name
    return Named(payment_name(one), whose, one.amount, (kind, document.pk), document.currency)


def _of_allocation(one: Allocation) -> Named:
    invoice = one.invoice
    subject = ("invoice", invoice.pk)
    return Named(allocation_name(one), invoice.customer.trading_name, one.amount, subject, invoice.currency)


def _of_payout(kind: str, one: Payout) -> Named:
    number, total = (one.reference, one.net) if kind == "payout" else (f"Fee of {one.reference}", one.fee)
    return Named(number, one.provider, total, ("payout", one.pk), one.currency)
