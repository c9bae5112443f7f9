"""What a customer's terms come to."""

from datetime import date, timedelta
from decimal import Decimal

from provender.basics.money import ZERO
from provender.customers.models import Customer


def due_date(customer: Customer, *, order_date: date, delivery_date: date | None) -> date:
    """The day an invoice falls due: the terms' days from the order or from the delivery; 0 days is the same day.

    Terms from the delivery count from the order while no delivery date is known.
    """
    from_delivery = customer.terms_from == Customer.TermsFrom.DELIVERY and delivery_date is not None
    start = delivery_date if from_delivery and delivery_date else order_date
    return start + timedelta(days=customer.terms_days)


def freight_for(customer: Customer, goods_subtotal: Decimal) -> Decimal:
    """What delivery costs for goods of that value, both without tax; 0.00 without a freight group."""
    group = customer.freight_group
    if group is None:
        return ZERO
    if group.free_from is not None and goods_subtotal >= group.free_from:
        return ZERO
    return group.charge
