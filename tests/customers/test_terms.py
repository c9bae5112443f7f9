"""Terms that count from the invoice, and when an invoice is due by them."""

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provender.customers.models import Customer, FollowedTerms
from provender.customers.queries import due_date, follow_terms
from provender.customers.wording import terms_of

DAY = timedelta(days=1)
INVOICED = date(2026, 11, 1)


def walk(start):
    """That day and all after it."""
    while True:
        yield start
        start += DAY


def month_of(day):
    """Every day of its month, found by walking."""
    while (day - DAY).month == day.month:
        day -= DAY
    return [each for each, _ in zip(walk(day), range(31), strict=False) if each.month == day.month]


def month_after(day):
    return month_of(next(each for each in walk(day) if each.month != day.month))


def by_hand(terms, day, dated):
    """The same as people would find it in a calendar."""
    if terms == "after-invoice":
        return [each for each, _ in zip(walk(dated), range(day + 1), strict=False)][-1]
    if terms == "after-month":
        return by_hand("after-invoice", day, month_of(dated)[-1])
    month = month_of(dated) if terms == "this-month" else month_after(dated)
    return max(dated, month[:day][-1])


@given(
    terms=st.sampled_from(FollowedTerms.values),
    day=st.integers(1, 31),
    dated=st.dates(date(2023, 1, 1), date(2033, 12, 31)),
)
@example("next-month", 31, date(2028, 1, 31))
@example("next-month", 29, date(2027, 1, 1))
@example("this-month", 31, date(2026, 2, 28))
@example("this-month", 5, date(2026, 12, 31))
@example("next-month", 1, date(2026, 12, 31))
def test_the_due_day_is_the_one_in_the_calendar(terms, day, dated):
    assert follow_terms(terms, day, dated) == by_hand(terms, day, dated)


@given(st.integers(0, 400), st.sampled_from(["after-invoice", "after-month"]))
def test_days_are_counted_over_months_and_years(days, terms):
    assert follow_terms(terms, days, INVOICED) == by_hand(terms, days, INVOICED)


def test_followed_terms_go_before_ones_own_and_count_from_the_invoice():
    hotel = Customer(terms_days=7, terms_from="delivery", followed_terms="next-month", followed_day=20)
    ordered, delivered = date(2026, 10, 30), date(2026, 11, 3)
    assert due_date(hotel, order_date=ordered, delivery_date=delivered, dated=INVOICED) == date(2026, 12, 20)
    assert not hotel.pays_from_delivery
    hotel.followed_terms = ""
    assert due_date(hotel, order_date=ordered, delivery_date=delivered, dated=INVOICED) == date(2026, 11, 10)


def test_nothing_is_due_before_it_is_invoiced():
    cafe = Customer(terms_days=0)
    assert due_date(cafe, order_date=date(2026, 10, 30), delivery_date=None, dated=INVOICED) == INVOICED


@pytest.mark.parametrize(
    ("terms", "day", "words"),
    [
        ("", 0, "14 days from the order"),
        ("after-invoice", 0, "On the day of the invoice"),
        ("after-invoice", 1, "1 day from the invoice"),
        ("after-month", 0, "At the end of the invoice’s month"),
        ("after-month", 10, "10 days from the end of the invoice’s month"),
        ("this-month", 31, "The last day of the invoice’s month"),
        ("next-month", 20, "The 20th of the month after the invoice"),
        ("next-month", 3, "The 3rd of the month after the invoice"),
        ("this-month", 11, "The 11th of the invoice’s month"),
    ],
)
def test_terms_are_told_in_words(terms, day, words):
    assert terms_of(Customer(followed_terms=terms, followed_day=day)) == words
