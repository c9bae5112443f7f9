"""What a customer's terms come to."""

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal

from provender.basics.money import ZERO
from provender.customers.models import Customer, FollowedTerms

LAST_DAY = 31  # of a month; in a shorter one it is that month's last


def due_date(customer: Customer, *, order_date: date, delivery_date: date | None, dated: date) -> date:
    """The day that an invoice of the date `dated` falls due, never before that date.

    By the terms that the customer follows, if any; else the terms' days from the order or from the delivery: 0 days is
    the same day, and terms from the delivery count from the order while no delivery date is known.
    """
    if customer.followed_terms:
        return follow_terms(customer.followed_terms, customer.followed_day, dated)
    start = delivery_date if customer.pays_from_delivery and delivery_date else order_date
    return max(dated, start + timedelta(days=customer.terms_days))


def follow_terms(terms: str, day: int, dated: date) -> date:
    """When an invoice of that date is due by such terms, never before it. A day that a month lacks is its last."""
    if terms == FollowedTerms.AFTER_INVOICE:
        return dated + timedelta(days=day)
    if terms == FollowedTerms.AFTER_MONTH:
        return _day_of_month(dated, LAST_DAY) + timedelta(days=day)
    if terms == FollowedTerms.NEXT_MONTH:
        return _day_of_month(_day_of_month(dated, LAST_DAY) + timedelta(days=1), day)
    return max(dated, _day_of_month(dated, day))


def _day_of_month(month: date, day: int) -> date:
    return month.replace(day=min(day, monthrange(month.year, month.month)[1]))


def freight_for(customer: Customer, goods_subtotal: Decimal) -> Decimal:
    """What delivery costs for goods of that value, both without tax; 0.00 without a freight group."""
    group = customer.freight_group
    if group is None:
        return ZERO
    if group.free_from is not None and goods_subtotal >= group.free_from:
        return ZERO
    return group.charge
