"""Reading orders; every query starts from the supplier."""

from django.db.models import QuerySet

from provender.invoicing.totals import Totals
from provender.ordering.lines import totals_of
from provender.ordering.models import Order
from provender.suppliers.models import Supplier


def orders_of(supplier: Supplier) -> QuerySet[Order]:
    """The supplier's orders with their customers and invoices, newest first."""
    return Order.objects.filter(supplier=supplier).select_related("customer", "invoice").order_by("-created_at")


def order_totals(order: Order) -> Totals:
    """What an order comes to; once it has an invoice, what that comes to."""
    if order.invoice:
        return Totals(order.invoice.subtotal, order.invoice.tax, order.invoice.total)
    return totals_of(order.supplier, order.lines.all())
