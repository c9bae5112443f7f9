"""Holding a row while it is changed, and replacing the lines of a document."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


def hold(row: models.Model) -> None:
    """Read the row afresh, and keep others from changing it until this transaction ends.

    SQLite has no row locks and needs none: its transactions write one at a time from their first statement.
    """
    row.refresh_from_db(from_queryset=type(row)._default_manager.select_for_update())  # noqa: SLF001 -- its public name


def replace_rows(old: models.QuerySet[Row], new: Sequence[Row], *, parent: str) -> None:
    """Make the children of a document be `new`: matched by parent and `key`, in one upsert, others deleted."""
    old.exclude(key__in=[_key(row) for row in new]).delete()
    fields = [field.name for field in old.model._meta.concrete_fields]  # noqa: SLF001
    old.model._default_manager.bulk_create(  # noqa: SLF001
        new,
        update_conflicts=True,
        unique_fields=[parent, "key"],
        update_fields=[name for name in fields if name not in {"id", parent, "key"}],
    )


def _key(row: Any) -> object:
    return row.key
