"""What a person means who types a number or a name above a long list, found by indexes as far as they reach."""

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model, Q, QuerySet

FEW = 1000  # so many rows are named by their keys

Row = TypeVar("Row", bound=Model)


def named(rows: QuerySet[Row], keys: Iterable[UUID]) -> QuerySet[Row]:
    """Those of a supplier's rows, known to be its own: to say so again would lead SQLite to read all it has.

    What else narrowed `rows` down is forgotten; what they join is not.
    """
    fresh: QuerySet[Row] = rows.model._default_manager.filter(pk__in=list(keys))  # noqa: SLF001
    fresh.query.select_related = rows.query.select_related
    return fresh


def narrow(rows: QuerySet[Row], keys: list[UUID], customers: list[UUID], anywhere: Q) -> QuerySet[Row]:
    """Rows of these keys or customers; when there are none, those that have the text `anywhere`.

    Looking anywhere reads every row, so it is done once: a few are named by their keys from then on.
    """
    if not keys and not customers:
        keys = list(rows.filter(anywhere).order_by().values_list("pk", flat=True)[: FEW + 1])
    if len(keys) > FEW:
        return rows.filter(anywhere | Q(customer__in=customers)) if customers else rows.filter(anywhere)
    return rows.filter(Q(pk__in=keys) | Q(customer__in=customers)) if customers else named(rows, keys)


def keys_by(rows: QuerySet[Any], key: str, field: str, texts: set[str]) -> list[UUID]:
    """Up to FEW + 1 keys of rows whose field begins with one of the texts, each text by one reach into an index."""
    found: set[UUID] = set()
    for text in texts:
        found.update(rows.filter(_begins(field, text)).order_by().values_list(key, flat=True)[: FEW + 1])
    return list(found)


def _begins(field: str, text: str) -> Q:
    """SQLite's LIKE can't use our indexes, and PostgreSQL's order of letters is a language's: each gets its own."""
    if connection.vendor != "sqlite":
        return Q(**{f"{field}__startswith": text})
    return Q(**{f"{field}__gte": text, f"{field}__lt": text[:-1] + chr(ord(text[-1]) + 1)})
