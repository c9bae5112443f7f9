"""Reading orders; every query starts from the supplier."""

from django.db.models import QuerySet

from provender.invoicing.totals import Totals
from provender.ordering.lines import totals_of, wanted_lines
from provender.ordering.models import Order
from provender.payments.amending import Difference, weigh_difference
from provender.suppliers.models import Supplier


def orders_of(supplier: Supplier) -> QuerySet[Order]:
    """The supplier's orders with their customers and invoices, newest first."""
    return Order.objects.filter(supplier=supplier).select_related("customer", "invoice").order_by("-created_at")


def order_totals(order: Order) -> Totals:
    """What an order comes to; where its invoice says the same, what that comes to."""
    if order.invoice and order.own_total is None:
        return Totals(order.invoice.subtotal, order.invoice.tax, order.invoice.total)
    return totals_of(order.supplier, order.lines.all(), order.invoice)


def difference_of(order: Order) -> Difference | None:
    """What is billed for the order beside what it comes to by now; None where its invoice says what it says."""
    if order.invoice is None or order.own_total is None or order.status == Order.Status.CANCELLED:
        return None
    return weigh_difference(order.invoice, wanted_lines(order.invoice, order.lines.all()))
