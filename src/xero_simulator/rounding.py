"""Decimal arithmetic as Xero does it: every rounding of the simulator happens here."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

CENT = Decimal("0.01")
HALVES = {Decimal("0.005"), Decimal("-0.005")}
TEN_THOUSANDTH = Decimal("0.0001")
ZERO = Decimal("0.00")
HUNDRED = Decimal(100)
LARGEST_AMOUNT = Decimal("9999999999.99")
SAME_CURRENCY = Decimal("1.0000000000")
WIDE = Context(prec=80)  # so that whatever two sane numbers make can be rounded, and then be told to be too large


def cents(value: Decimal, *, half_away: bool = True) -> Decimal:
    """Two places. Exact halves go away from zero, or to even when that switch is off."""
    return value.quantize(CENT, ROUND_HALF_UP if half_away else ROUND_HALF_EVEN, WIDE)


def is_half_a_cent(value: Decimal) -> bool:
    """Whether it lies exactly between two cents, where it matters how it is rounded."""
    return WIDE.remainder(value, CENT) in HALVES


def four_places(value: Decimal) -> Decimal:
    return value.quantize(TEN_THOUSANDTH, ROUND_HALF_UP, WIDE)


def unit_price(value: Decimal, places: int) -> Decimal:
    """A unit price kept at four places, after rounding to the two or four that `unitdp` allows."""
    return four_places(cents(value) if places == 2 else value)


def exchange_rate(value: Decimal) -> Decimal:
    """Six places count; ten are shown."""
    return value.quantize(Decimal("0.000001"), ROUND_HALF_UP, WIDE).quantize(SAME_CURRENCY, context=WIDE)


def percentage(value: Decimal) -> Decimal:
    """A discount's rate: two places, or four where it has more."""
    return cents(value) if value == cents(value) else four_places(value)


def is_sane(value: Decimal) -> bool:
    """Whether a number can be an amount at all: finite, and small enough to be rounded."""
    return value.is_finite() and (value.is_zero() or value.adjusted() < 15)


def tax_on(amount: Decimal, rate: Decimal, *, inclusive: bool) -> Decimal:
    """The tax of one line, not rounded: `rate` is a percentage, `amount` holds the tax already when `inclusive`."""
    return amount * rate / (HUNDRED + rate) if inclusive else amount * rate / HUNDRED
