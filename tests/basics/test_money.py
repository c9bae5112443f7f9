"""Rounding, held against a computation with whole numbers only."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provender.basics.money import (
    AmountTooLarge,
    TooManyPlaces,
    UnreadableAmount,
    exact_price,
    line_amount,
    line_tax,
    read_number,
    round_amount,
    show_price,
    show_quantity,
    type_price,
)

FOUR_PLACES = 10_000
whole = st.integers(-9_999_999, 9_999_999)


def half_away_from_zero(numerator: int, denominator: int) -> int:
    """The nearest whole number; a tie goes away from zero."""
    up = (2 * abs(numerator) + denominator) // (2 * denominator)
    return up if numerator >= 0 else -up


def cents(amount: Decimal) -> int:
    return int(amount.scaleb(2))


# A whole odd quantity of something that costs half a cent more or less than a round price: the product is a tie.
tied_quantities = st.integers(-4_999, 4_999).map(lambda n: (2 * n + 1) * FOUR_PLACES)
tied_prices = st.integers(-49_999, 49_999).map(lambda n: n * 100 + 50)


@given(quantity=whole | tied_quantities, price=whole | tied_prices)
def test_a_line_is_rounded_half_away_from_zero(quantity, price):
    amount = line_amount(Decimal(quantity).scaleb(-4), Decimal(price).scaleb(-4))
    assert cents(amount) == half_away_from_zero(quantity * price, 1_000_000)


@given(quantity=tied_quantities, price=tied_prices)
def test_a_tie_never_ends_nearer_to_zero(quantity, price):
    exact = Decimal(quantity).scaleb(-4) * Decimal(price).scaleb(-4)
    assert abs(line_amount(Decimal(quantity).scaleb(-4), Decimal(price).scaleb(-4))) - abs(exact) == Decimal("0.005")


@given(amount=st.integers(-(10**11), 10**11), rate=st.integers(0, 1_000_000))
def test_tax_is_rounded_half_away_from_zero(amount, rate):
    tax = line_tax(Decimal(amount).scaleb(-2), Decimal(rate).scaleb(-4))
    assert cents(tax) == half_away_from_zero(amount * rate, 1_000_000)


@pytest.mark.parametrize(
    ("amount", "rate", "tax"),
    [("0.05", 10, "0.01"), ("-0.05", 10, "-0.01"), ("0.15", 10, "0.02"), ("0.10", 15, "0.02"), ("0.30", 15, "0.05"),
     ("2.55", "20", "0.51"), ("0.025", 20, "0.01"), ("0.04", 10, "0.00")],
)  # fmt: skip
def test_tax_by_hand(amount, rate, tax):
    assert str(line_tax(Decimal(amount), Decimal(rate))) == tax


def test_nothing_is_written_as_less_than_nothing():
    assert str(round_amount(Decimal("-0.004"))) == "0.00"
    assert str(line_amount(Decimal("-0.0001"), Decimal("0.0001"))) == "0.00"
    assert str(read_number("-0", places=2)) == "0.00"


def test_the_largest_line_is_taken_and_a_cent_more_is_not():
    assert line_amount(Decimal(1), Decimal("9999999999.99")) == Decimal("9999999999.99")
    with pytest.raises(AmountTooLarge, match="largest amount that Xero takes"):
        line_amount(Decimal(2), Decimal(5_000_000_000))


@given(whole)
def test_a_number_is_read_as_it_was_written(number):
    value = Decimal(number).scaleb(-4)
    assert read_number(f"{value:f}", places=4) == value
    assert read_number(f" {value:,f} ", places=4) == value


@pytest.mark.parametrize(
    "text", ["", " ", "free", "1.2.3", "12,50", "1.234,50", "1e5", "NaN", "inf", "--1", "£4", "1 2"]
)
def test_what_cannot_be_read_is_never_nought(text):
    with pytest.raises(UnreadableAmount, match="is not a number"):
        read_number(text, places=2)


def test_places_are_never_dropped():
    with pytest.raises(TooManyPlaces, match="more than 2 decimal places"):
        read_number("4.505", places=2)
    with pytest.raises(TooManyPlaces, match="more than 4 decimal places"):
        exact_price(Decimal("4.50001"))
    assert str(exact_price(Decimal("4.5"))) == "4.5000"
    assert str(read_number("4.5000000", places=2)) == "4.50"


def test_what_is_too_large_is_refused_before_it_is_rounded():
    with pytest.raises(AmountTooLarge):
        read_number("99999999999", places=2)
    with pytest.raises(AmountTooLarge):
        exact_price(Decimal("1e20"))


def test_numbers_are_shown_without_idle_noughts():
    assert [show_quantity(Decimal(text)) for text in ("6.0000", "0.5000", "100.0000", "-2")] == [
        "6",
        "0.5",
        "100",
        "-2",
    ]
    assert [show_price(Decimal(text)) for text in ("4.5000", "0.0375", "10", "1.1250", "1234567.8", "1234.0375")] == [
        "4.50",
        "0.0375",
        "10.00",
        "1.125",
        "1,234,567.80",
        "1,234.0375",
    ]
    assert [type_price(Decimal(text)) for text in ("0.0375", "1234567.8")] == ["0.0375", "1234567.80"]
