"""Reading payments; every query starts from the supplier."""

from django.db.models import F, QuerySet

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
