"""Reading payments; every query starts from the supplier."""

from django.db.models import QuerySet

from provender.invoicing.models import Invoice
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
