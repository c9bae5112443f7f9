"""Holding a row while it is changed."""

from django.db import models


def hold(row: models.Model) -> None:
    """Read the row afresh, and keep others from changing it until this transaction ends.

    SQLite has no row locks and needs none: its transactions write one at a time from their first statement.
    """
    row.refresh_from_db(from_queryset=type(row)._default_manager.select_for_update())  # noqa: SLF001 -- its public name
