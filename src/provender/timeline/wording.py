"""Sentences that say what an edit changed."""

from decimal import Decimal
from typing import Any

from django.db import models

from provender.basics.money import show_price


def what_changed(before: models.Model, after: models.Model) -> list[str]:
    """One phrase for each column that differs: "price 4.50 → 4.80"."""
    fields = [field for field in after._meta.concrete_fields if field.editable and not _is_stamp(field)]  # noqa: SLF001
    return [
        f"{field.verbose_name} {_shown(before, field)} → {_shown(after, field)}"
        for field in fields
        if getattr(before, field.attname) != getattr(after, field.attname)
    ]


def _is_stamp(field: "models.Field[Any, Any]") -> bool:
    return isinstance(field, models.DateTimeField)


def _shown(row: models.Model, field: "models.Field[Any, Any]") -> str:
    value = getattr(row, field.name)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value)) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return show_price(value)
    if value in (None, ""):
        return "nothing"
    return f"“{value}”" if isinstance(value, str) else str(value)
