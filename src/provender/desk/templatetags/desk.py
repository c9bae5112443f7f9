"""Filters of the staff screens: money, quantities and times as people read them.

`{{ x|amount }}` 1,234.50 · `{{ x|money:supplier.currency }}` $1,234.50 · `{{ x|price }}` 2 to 4 places ·
`{{ x|quantity }}` 12 or 1.25 · `{{ moment|ago }}` "2 minutes ago" with the exact time on hover ·
`{{ moment|exact }}` 24 Nov 2026, 9:12 am · `{{ date|day }}` 24 Nov 2026 · `{{ mapping|item:key }}`.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from provender.basics import clock
from provender.basics.money import show_amount
from provender.basics.wording import counted

register = template.Library()

SIGNS = {"AUD": "$", "NZD": "$", "GBP": "£"}
NONE = "–"
MINUTE, HOUR, DAY, WEEK = 60, 3600, 86400, 7 * 86400


@register.filter
def amount(value: Decimal | None) -> str:
    """An amount of money with thousands commas, 2 places and a minus; a dash for nothing."""
    return NONE if value is None else show_amount(Decimal(value))


@register.filter
def money(value: Decimal | None, currency: str) -> str:
    """An amount with its currency's sign: -$12.50."""
    if value is None:
        return NONE
    text = amount(abs(Decimal(value)))
    sign = SIGNS.get(currency, f"{currency} ")
    return f"-{sign}{text}" if value < 0 else f"{sign}{text}"


@register.filter
def price(value: Decimal | None) -> str:
    """A unit price: at least 2 places, up to 4 where they are not zero."""
    if value is None:
        return NONE
    text = f"{Decimal(value):,.4f}"
    return text[:-2] if text.endswith("00") else text.rstrip("0")


@register.filter
def quantity(value: Decimal | None) -> str:
    """A quantity without zeros that say nothing: 12, 1.25."""
    if value is None:
        return NONE
    text = f"{Decimal(value):,.4f}"
    return text.rstrip("0").rstrip(".")


@register.filter
def day(value: date | datetime | None) -> str:
    """A date: 24 Nov 2026; of a moment, the date in the wholesaler's zone."""
    if value is None:
        return NONE
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return formats.date_format(value, "j M Y")


@register.filter
def exact(value: datetime | None) -> str:
    """A moment in the wholesaler's zone, to the minute."""
    return NONE if value is None else formats.date_format(timezone.localtime(value), "j M Y, g:i a")


@register.filter
def ago(value: datetime | None) -> str | SafeString:
    """How long ago, with the exact moment on hover; from a week on, the date."""
    if value is None:
        return NONE
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact(value), _since(value))


def _since(value: datetime) -> str:
    seconds = (clock.now() - value).total_seconds()
    if seconds < MINUTE:
        return "just now"
    if seconds >= WEEK:
        return day(value)
    for size, word in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= size:
            return f"{counted(int(seconds // size), word)} ago"
    return "just now"


@register.filter
def item(mapping: Mapping[Any, Any], key: Any) -> Any:
    """The value of `key`, or nothing."""
    return mapping.get(key)
