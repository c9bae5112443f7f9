"""Money and quantities: the only module that rounds.

The rule is Xero's: half away from zero. Amounts have 2 places, unit prices and quantities 4. Tax is computed per line,
rounded to 2 places, then summed (`line_amount`, `line_tax`), so that both ledgers agree by construction.
"""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.expressions import Combinable

from provender.basics.errors import ProvenderError

CENT = Decimal("0.01")
PRICE_STEP = Decimal("0.0001")
ZERO = Decimal("0.00")
HUNDRED = Decimal(100)
LARGEST = Decimal("9999999999.99")  # Xero: LineAmount <= 9,999,999,999.99

_NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?|[+-]?\.\d+")


class UnreadableAmount(ProvenderError):
    """A text that should be a number is not one."""

    code = "unreadable-amount"

    def __init__(self, text: str, what: str = "amount") -> None:
        self.text, self.what = text, what
        a = "an" if what[:1] in "aeio" else "a"  # a unit price
        super().__init__(f"“{text}” is not a number that can be read as {a} {what}. Write it like 1234.50.")


class TooManyPlaces(ProvenderError):
    """An amount is given to more places than it can have."""

    code = "too-many-places"

    def __init__(self, text: str, places: int, what: str = "amount") -> None:
        super().__init__(f"“{text}” has more than {places} decimal places, which a {what} can't have.")


class AmountTooLarge(ProvenderError):
    """Above what Xero accepts for one line."""

    code = "amount-too-large"

    def __init__(self, amount: Decimal) -> None:
        super().__init__(f"{amount:,} is more than {LARGEST:,}, the largest amount that Xero takes for one line.")


def _round(value: Decimal, step: Decimal) -> Decimal:
    rounded = value.quantize(step, rounding=ROUND_HALF_UP)
    return rounded or abs(rounded)  # there is no -0.00 on paper


def round_amount(value: Decimal) -> Decimal:
    """An amount of money to 2 places, half away from zero."""
    return _round(value, CENT)


def round_price(value: Decimal) -> Decimal:
    """A unit price or a quantity to 4 places, half away from zero."""
    return _round(value, PRICE_STEP)


def exact_price(value: Decimal, what: str = "unit price") -> Decimal:
    """The same unit price or quantity written to 4 places; one that can't be is refused, never rounded.

    Raises AmountTooLarge or TooManyPlaces.
    """
    if abs(value) > LARGEST:
        raise AmountTooLarge(value)
    exact = round_price(value)
    if exact != value:
        raise TooManyPlaces(str(value), 4, what)
    return exact


def line_amount(quantity: Decimal, unit_price: Decimal) -> Decimal:
    """Quantity times unit price, without tax, to 2 places. Both arguments to 4 places."""
    amount = round_amount(quantity * unit_price)
    if abs(amount) > LARGEST:
        raise AmountTooLarge(amount)
    return amount


def line_tax(amount: Decimal, rate: Decimal) -> Decimal:
    """Tax on a line's amount (tax exclusive) at `rate` percent, to 2 places."""
    return round_amount(amount * rate / HUNDRED)


def net_of(gross: Decimal, rate: Decimal) -> Decimal:
    """The largest amount without tax that comes to no more than `gross` with its tax at `rate` percent, to 2 places."""
    net = round_amount(gross * HUNDRED / (HUNDRED + rate))
    while net + line_tax(net, rate) > gross:
        net -= CENT
    return net


def is_half_a_cent(amount: Decimal, rate: Decimal) -> bool:
    """Whether the tax lies exactly between two cents, where another rule of rounding would come to another cent."""
    return abs(amount * rate / HUNDRED) % CENT == CENT / 2


def read_number(text: str, *, places: int, what: str = "amount") -> Decimal:
    """The Decimal that `text` writes, with at most `places` decimals; thousands commas are allowed.

    Raises UnreadableAmount or TooManyPlaces; an amount that can't be read is never 0.
    """
    bare = text.strip()
    if not _NUMBER.fullmatch(bare):
        raise UnreadableAmount(text, what)
    try:
        value = Decimal(bare.replace(",", ""))
    except InvalidOperation:
        raise UnreadableAmount(text, what) from None
    step = Decimal(1).scaleb(-places)
    if abs(value) > LARGEST:
        raise AmountTooLarge(value)
    exact = _round(value, step)
    if exact != value:
        raise TooManyPlaces(text, places, what)
    return exact


def show_amount(value: Decimal) -> str:
    """An amount with thousands commas, 2 places and a minus: 1,234.50."""
    return f"{round_amount(value):,.2f}"


def show_quantity(value: Decimal) -> str:
    """A quantity without idle zeros: 6, 0.5, -2."""
    return f"{value.normalize():f}"


def show_price(value: Decimal) -> str:
    """A unit price with thousands commas, to 2 places or to as many of its 4 as it needs: 1,234.50, 0.0375."""
    return f"{round_amount(value) if round_amount(value) == value else value.normalize():,f}"


def type_price(value: Decimal) -> str:
    """The same as a field to type in holds it, without commas: 1234.50, 0.0375."""
    return show_price(value).replace(",", "")


def percent_on(price: Decimal, percent: Decimal) -> Decimal:
    """A unit price with so many percent added (taken off, where below zero), to 4 places."""
    return round_price(price * (HUNDRED + percent) / HUNDRED)


def show_percent(value: Decimal) -> str:
    """A percentage added or taken off, with its sign: +2.5 %, −10 %."""
    return f"{value.normalize():+f} %".replace("-", "−")


if TYPE_CHECKING:
    _Decimals = models.DecimalField[str | Decimal | Combinable, Decimal]
else:
    _Decimals = models.DecimalField


class AmountField(_Decimals):
    """A column for an amount of money that is always there: 15 digits (as many as SQLite keeps exactly), 2 places."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 15)
        kwargs.setdefault("decimal_places", 2)
        super().__init__(*args, **kwargs)


class PriceField(_Decimals):
    """A column for a unit price or a quantity that is always there: 4 places, and 10 digits before them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 14)
        kwargs.setdefault("decimal_places", 4)
        super().__init__(*args, **kwargs)


if TYPE_CHECKING:
    _MaybeDecimals = models.DecimalField[str | Decimal | Combinable | None, Decimal | None]
else:
    _MaybeDecimals = models.DecimalField


class PercentField(_MaybeDecimals):
    """A column for a percentage on a price, if there is one: from −100 (for nothing) to +1,000, 4 places."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"max_digits": 8, "decimal_places": 4, "null": True, "blank": True}
        kwargs["validators"] = [MinValueValidator(Decimal(-100)), MaxValueValidator(Decimal(1000))]
        super().__init__(*args, **kwargs)
