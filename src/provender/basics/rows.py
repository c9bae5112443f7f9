"""Holding a row while it is changed, replacing the lines of a document, and inserting thousands of rows quickly."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def hold(row: models.Model) -> None:
    """Read the row afresh, and keep others from changing it until this transaction ends.

    Rows that point to it may still be added meanwhile. SQLite has no row locks and needs none: its transactions write
    one at a time from their first statement.
    """
    row.refresh_from_db(from_queryset=type(row)._default_manager.select_for_update(no_key=True))  # noqa: SLF001 -- its public name


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


def find_named(model: type[models.Model], keys: Iterable[Any]) -> set[Any]:
    """Those of the model's keys that a row of another table names, whichever room it belongs to."""
    wanted = list(keys)
    named: set[Any] = set()
    for relation in model._meta.get_fields(include_hidden=True):  # noqa: SLF001
        if isinstance(relation, models.ForeignObjectRel):
            column = relation.field.name
            rows = relation.related_model._default_manager.filter(**{f"{column}__in": wanted})  # noqa: SLF001
            named.update(rows.values_list(column, flat=True))
    return named


@dataclass(frozen=True)
class ReadyRows:
    """New rows whose values are made ready for the database, so that the transaction that inserts them is short."""

    statement: str
    values: list[list[Any]]

    @classmethod
    def of(cls, rows: Sequence[models.Model], *, unique: Sequence[str] = (), update: Sequence[str] = ()) -> "ReadyRows":
        """Rows of one model, at least one; those with a counted id get it when they are inserted.

        A row that is there already by the `unique` fields has its `update` fields written over.
        """
        table = rows[0]._meta  # noqa: SLF001
        fields = [field for field in table.concrete_fields if not isinstance(field, models.AutoField)]
        columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
        marks = ", ".join(["%s"] * len(fields))
        return cls(
            f"INSERT INTO {connection.ops.quote_name(table.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608
            + _on_conflict(table, unique, update),
            [[field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields] for row in rows],
        )

    def insert(self) -> None:
        """One prepared statement, run for each row: several times faster than spelling thousands of rows out."""
        with connection.cursor() as cursor:
            cursor.executemany(self.statement, self.values)


def _on_conflict(table: Any, unique: Sequence[str], update: Sequence[str]) -> str:
    if not unique:
        return ""
    keys, written = (
        [connection.ops.quote_name(table.get_field(name).column) for name in names] for names in (unique, update)
    )
    news = ", ".join(f"{name} = EXCLUDED.{name}" for name in written)
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {news}"
