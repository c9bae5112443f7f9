"""Reading invoices; every query starts from the supplier."""

from datetime import date

from django.db.models import QuerySet

from provender.invoicing.models import Invoice, InvoiceVersion
from provender.invoicing.versions import differences
from provender.suppliers.models import Supplier


def invoices_of(supplier: Supplier) -> QuerySet[Invoice]:
    """The supplier's invoices with their customers, newest first."""
    return Invoice.objects.filter(supplier=supplier).select_related("customer").order_by("-date", "-number")


def overdue_invoices(supplier: Supplier, today: date) -> QuerySet[Invoice]:
    """Open invoices whose due date has passed on that business day, longest overdue first."""
    return invoices_of(supplier).filter(status=Invoice.Status.OPEN, due_date__lt=today).order_by("due_date", "number")


def compare_versions(older: InvoiceVersion, newer: InvoiceVersion) -> list[str]:
    """What an edit changed, one sentence each: "Line 2 Oat milk 1L: quantity 4 → 6"."""
    return differences(older.document, newer.document)
