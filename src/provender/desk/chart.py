"""Bars for a figure by day, as numbers that the SVG template draws; twice, since an SVG shrinks its text on a phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal

NICE = (1, 2, 5)  # a scale goes in these steps, times a power of ten
THOUSAND, MILLION = 1_000, 1_000_000
TOP, BOTTOM, RIGHT = 12, 24, 18


@dataclass(frozen=True)
class Bar:
    day: date
    value: Decimal
    x: float
    y: float
    width: float
    height: float
    middle: float
    labelled: bool


@dataclass(frozen=True)
class Tick:
    y: float
    label: str


@dataclass(frozen=True)
class Chart:
    """What the template draws, in the units of its own view box."""

    size: str
    width: int
    height: int
    left: int
    bars: list[Bar]
    ticks: list[Tick]

    @property
    def right(self) -> int:
        return self.width - RIGHT

    @property
    def label_y(self) -> int:
        return self.height - 6


def bars_by_day(days: Sequence[tuple[date, Decimal]], *, size: str, width: int, height: int, labels: int) -> Chart:
    """Bars for `days` in order, with about `labels` of them named under the axis. Values below zero show as none."""
    highest = max((value for _, value in days), default=Decimal(0))
    step = _step(highest)
    steps = max(1, int((highest / step).to_integral_value(ROUND_CEILING)))
    most = step * steps
    left = 44
    room, tall = (width - RIGHT - left) / max(1, len(days)), height - TOP - BOTTOM
    every = max(1, round(len(days) / labels))

    def bar(index: int, day: date, value: Decimal) -> Bar:
        height_of = round(float(max(value, Decimal(0)) / most) * tall, 1)
        x, thick = left + index * room, room * 0.72
        last = len(days) - 1
        return Bar(
            day, value, round(x + (room - thick) / 2, 1), round(TOP + tall - height_of, 1), round(thick, 1), height_of,
            round(x + room / 2, 1), (last - index) % every == 0,
        )  # fmt: skip

    ticks = [Tick(round(TOP + tall - float(at * step / most) * tall, 1), _short(at * step)) for at in range(steps + 1)]
    return Chart(size, width, height, left, [bar(i, day, value) for i, (day, value) in enumerate(days)], ticks)


def _step(most: Decimal) -> Decimal:
    """A round distance between grid lines, so that there are three to five of them."""
    if most <= 0:
        return Decimal(1)
    power = Decimal(1).scaleb(most.adjusted() - 1)
    steps: list[Decimal] = [power * nice * Decimal(10) ** zeros for zeros in range(3) for nice in NICE]
    return next(step for step in steps if step * 4 >= most)


def _short(value: Decimal) -> str:
    """12k, 1.5m: short enough for an axis."""
    for size, letter in ((MILLION, "m"), (THOUSAND, "k")):
        if value >= size:
            return f"{(value / size).normalize():f}{letter}"
    return f"{value.normalize():f}"
