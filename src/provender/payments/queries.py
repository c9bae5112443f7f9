"""Reading payments; every query starts from the supplier."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Q, QuerySet

from provender.basics.money import ZERO
from provender.customers.models import Customer
from provender.invoicing.models import CreditNote, Invoice
from provender.payments.models import Allocation, Payment, Payout
from provender.suppliers.models import Supplier


def payments_of(supplier: Supplier) -> QuerySet[Payment]:
    """The supplier's live payments and refunds with their documents, newest first."""
    return Payment.objects.filter(supplier=supplier, removed_at=None).select_related(
        "invoice__customer", "credit_note__customer", "payout"
    )


def payments_for(invoice: Invoice) -> QuerySet[Payment]:
    """What was paid for the invoice, removed payments too, newest first."""
    return Payment.objects.filter(supplier=invoice.supplier_id, invoice=invoice).select_related("payout", "recorded_by")


def allocations_to(invoice: Invoice) -> QuerySet[Allocation]:
    """The credits set against the invoice, undone ones too, newest first."""
    return Allocation.objects.filter(supplier=invoice.supplier_id, invoice=invoice).select_related("credit_note")


def payouts_of(supplier: Supplier) -> QuerySet[Payout]:
    """The supplier's payouts, undone ones too, newest first."""
    return Payout.objects.filter(supplier=supplier)


def payouts_for(invoice: Invoice) -> QuerySet[Payout]:
    """The payouts that pay the invoice: their references are its settlement references."""
    paying = Payment.objects.filter(supplier=invoice.supplier_id, invoice=invoice, removed_at=None)
    return Payout.objects.filter(pk__in=paying.values("payout"))


def open_credits(supplier: Supplier, customer: Customer) -> QuerySet[CreditNote]:
    """The customer's credit notes that have something left, oldest first."""
    live = CreditNote.objects.filter(supplier=supplier, customer=customer, status=CreditNote.Status.OPEN)
    return live.filter(used__lt=F("total")).order_by("date", "number")


def open_invoices(supplier: Supplier, customer: Customer) -> QuerySet[Invoice]:
    """The customer's invoices that have something left to pay, longest due first."""
    live = Invoice.objects.filter(supplier=supplier, customer=customer, status=Invoice.Status.OPEN)
    return live.filter(total__gt=F("paid") + F("credited")).order_by("due_date", "number")


def allocations_of(credit_note: CreditNote) -> QuerySet[Allocation]:
    """What the credit note was set against, undone ones too, newest first."""
    rows = Allocation.objects.filter(supplier=credit_note.supplier_id, credit_note=credit_note)
    return rows.select_related("invoice", "made_by")


def refunds_of(credit_note: CreditNote) -> QuerySet[Payment]:
    """What was paid back of the credit note, removed refunds too, newest first."""
    rows = Payment.objects.filter(supplier=credit_note.supplier_id, credit_note=credit_note)
    return rows.select_related("recorded_by", "refund_of__invoice")


# --- who owes what ------------------------------------------------------------------------------------------------

AGES = ("Not due yet", "1–30 days", "31–60 days", "61–90 days", "Over 90 days")
UNPAID = Q(settled_on=None, total__gt=F("paid") + F("credited")) & ~Q(status=Invoice.Status.VOID)
"""The condition on invoices of which something is still to be paid, in the words that their own index serves."""


@dataclass
class Owed:
    """What one customer owes: by age of the due date, in the order of AGES, and credit that isn't used yet."""

    ages: list[Decimal] = field(default_factory=lambda: [ZERO] * len(AGES))
    credit: Decimal = ZERO
    invoices: int = 0

    @property
    def owed(self) -> Decimal:
        """All that is still to be paid, due or not."""
        return sum(self.ages, ZERO)

    @property
    def overdue(self) -> Decimal:
        """What should have been paid already."""
        return sum(self.ages[1:], ZERO)

    @property
    def balance(self) -> Decimal:
        """What is left after the credit; below zero when the customer has more credit than debt."""
        return self.owed - self.credit


def age_of(due_date: date, today: date) -> int:
    """The place in AGES of something due on that day."""
    late = (today - due_date).days
    return 0 if late <= 0 else min(4, 1 + (late - 1) // 30)


def owed_by(supplier: Supplier, today: date, customers: Iterable[UUID] | None = None) -> dict[UUID, Owed]:
    """What customers owe on that day, those alone that owe or have credit; two queries for any number of them.

    Sums are made here: SQLite adds decimals up as floats. Of one currency, the supplier's.
    """
    chosen = Q() if customers is None else Q(customer__in=list(customers))
    found: dict[UUID, Owed] = {}
    unpaid = Invoice.objects.filter(UNPAID, chosen, supplier=supplier, currency=supplier.currency)
    rows = unpaid.values_list("customer", "due_date", "total", "paid", "credited")
    for customer, due_date, total, paid, credited in rows.iterator():
        owed = found.setdefault(customer, Owed())
        owed.ages[age_of(due_date, today)] += total - paid - credited
        owed.invoices += 1
    notes = CreditNote.objects.filter(
        chosen, supplier=supplier, currency=supplier.currency, status=CreditNote.Status.OPEN, total__gt=F("used")
    )
    for customer, total, used in notes.values_list("customer", "total", "used").iterator():
        found.setdefault(customer, Owed()).credit += total - used
    return found


def owed_of(customer: Customer, today: date) -> Owed:
    """The same of one customer."""
    return owed_by(customer.supplier, today, [customer.pk]).get(customer.pk, Owed())
