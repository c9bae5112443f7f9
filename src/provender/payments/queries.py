"""Reading payments; every query starts from the supplier."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import BigIntegerField, Case, CharField, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Cast, Round

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


def _age_on(today: date) -> Case:
    """The place in AGES of an invoice by its due date."""
    ages = [When(due_date__gte=today - timedelta(days=30 * age), then=Value(age)) for age in range(len(AGES) - 1)]
    return Case(*ages, default=Value(len(AGES) - 1))


def owed_by(supplier: Supplier, today: date, customers: Iterable[UUID] | None = None) -> dict[UUID, Owed]:
    """What customers owe on that day, those alone that owe or have credit; two queries for any number of them.

    The database adds up whole cents: SQLite adds decimals up as floats, and thousands of rows take longest to read. Of
    one currency, the supplier's.
    """
    chosen = Q() if customers is None else Q(customer__in=list(customers))
    found: dict[UUID, Owed] = {}
    unpaid = Invoice.objects.filter(UNPAID, chosen, supplier=supplier, currency=supplier.currency).order_by()
    aged = unpaid.annotate(whose=WHOSE, age=_age_on(today)).values_list("whose", "age")
    left = Sum(_cents(F("total") - F("paid") - F("credited")))
    for customer, age, cents, count in aged.annotate(cents=left, count=Count("pk")):
        owed = found.setdefault(UUID(customer), Owed())
        owed.ages[age] = Decimal(cents).scaleb(-2)
        owed.invoices += count
    notes = CreditNote.objects.filter(
        chosen, supplier=supplier, currency=supplier.currency, status=CreditNote.Status.OPEN, total__gt=F("used")
    ).order_by()
    unused = notes.annotate(whose=WHOSE).values_list("whose").annotate(cents=Sum(_cents(F("total") - F("used"))))
    for customer, cents in unused:
        found.setdefault(UUID(customer), Owed()).credit = Decimal(cents).scaleb(-2)
    return found


# As text: along the index of customers SQLite would go through all invoices rather than through the unpaid ones.
WHOSE = Cast("customer", CharField())


def _cents(amount: CombinedExpression) -> Cast:
    """Exactly, as amounts have two places."""
    return Cast(Round(amount * 100), BigIntegerField())


def owed_of(customer: Customer, today: date) -> Owed:
    """The same of one customer."""
    return owed_by(customer.supplier, today, [customer.pk]).get(customer.pk, Owed())
