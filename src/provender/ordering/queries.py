"""What an order comes to, beside what is billed for it."""

from collections.abc import Collection
from uuid import UUID

from provender.invoicing.totals import Totals
from provender.ordering.lines import totals_of, wanted_lines
from provender.ordering.models import Order
from provender.payments.amending import Difference, weigh_difference


def order_totals(order: Order) -> Totals:
    """What an order comes to; where its invoice says the same, what that comes to."""
    if order.invoice and order.own_total is None:
        return Totals(order.invoice.subtotal, order.invoice.tax, order.invoice.total)
    return totals_of(order.supplier, order.lines.all(), order.invoice)


def difference_of(order: Order, closed: Collection[UUID] = ()) -> Difference | None:
    """What is billed for the order beside what it comes to by now; None where its invoice says what it says.

    What is `closed`, with money in Xero alone, stays as it is.
    """
    if order.invoice is None or order.own_total is None or order.status == Order.Status.CANCELLED:
        return None
    return weigh_difference(order.invoice, wanted_lines(order.invoice, order.lines.all()), closed=closed)
