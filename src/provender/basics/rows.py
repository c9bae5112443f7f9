"""Holding a row while it is changed, replacing the lines of a document, reading and inserting thousands of rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, connections, models

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


def delete_leaves(rows: models.QuerySet[Any]) -> None:
    """Delete rows that no row names, in one statement; `delete` would look for such rows first, and read these."""
    rows._raw_delete(rows.db)  # noqa: SLF001 -- Django's own deletions go by it


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


def read_values(rows: models.QuerySet[Any], *columns: str) -> list[tuple[Any, ...]]:
    """What `values_list` gives, in half its time for thousands of rows whose values repeat, as lines' do.

    A column's value is converted once, however many rows have it, so the lists and dicts of a JSON column are shared.
    """
    database = connections[rows.db]
    compiler = rows.values_list(*columns).query.get_compiler(connection=database)
    try:
        statement, values = compiler.as_sql()
    except EmptyResultSet:
        return []
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        read = list(zip(*cursor.fetchall(), strict=True))
    if not read:
        return []
    for place, (converters, expression) in compiler.get_converters(one for one, *_ in compiler.select).items():
        known = {value: value for value in set(read[place])}
        for convert in converters:
            known = {raw: convert(value, expression, database) for raw, value in known.items()}
        read[place] = tuple(map(known.__getitem__, read[place]))
    return list(zip(*read, strict=True))


@dataclass(frozen=True)
class ReadyRows:
    """New rows whose values are made ready for the database, so that the transaction that inserts them is short."""

    statement: str
    values: list[tuple[Any, ...]]

    @classmethod
    def of(cls, rows: Sequence[models.Model], *, unique: Sequence[str] = (), update: Sequence[str] = ()) -> "ReadyRows":
        """Rows of one model, at least one; those with a counted id get it when they are inserted.

        A row that is there already by the `unique` fields has its `update` fields written over.
        """
        names = [field.attname for field in _counted_out(type(rows[0]))]
        columns = {name: [getattr(row, name) for row in rows] for name in names}
        return cls.of_columns(type(rows[0]), columns, unique=unique, update=update)

    @classmethod
    def of_columns(
        cls,
        model: type[models.Model],
        columns: Mapping[str, Iterable[Any]],
        *,
        unique: Sequence[str] = (),
        update: Sequence[str] = (),
    ) -> "ReadyRows":
        """The same from the values of every column by its attribute's name: a model's object costs more than its row.

        All columns are equally long.
        """
        fields = _counted_out(model)
        named = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
        table, marks = connection.ops.quote_name(model._meta.db_table), ", ".join(["%s"] * len(fields))  # noqa: SLF001
        return cls(
            f"INSERT INTO {table} ({named}) VALUES ({marks})"  # noqa: S608
            + _on_conflict(model._meta, unique, update),  # noqa: SLF001
            list(zip(*(_prepare(field, columns[field.attname]) for field in fields), strict=True)),
        )

    def insert(self) -> None:
        """One prepared statement, run for each row: several times faster than spelling thousands of rows out."""
        with connection.cursor() as cursor:
            cursor.executemany(self.statement, self.values)


def _counted_out(model: type[models.Model]) -> list[Any]:
    """Its columns but for the id that the database counts."""
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]  # noqa: SLF001


def _prepare(field: Any, values: Iterable[Any]) -> list[Any]:
    """A column's values as the database takes them; what follows the very same value isn't worked out again."""
    database = connections[connection.alias]  # the proxy `connection` would look it up for each value
    before, ready, prepared = object(), None, []
    for value in values:
        if value is not before:
            before, ready = value, field.get_db_prep_save(value, database)
        prepared.append(ready)
    return prepared


def _on_conflict(table: Any, unique: Sequence[str], update: Sequence[str]) -> str:
    if not unique:
        return ""
    keys, written = (
        [connection.ops.quote_name(table.get_field(name).column) for name in names] for names in (unique, update)
    )
    news = ", ".join(f"{name} = EXCLUDED.{name}" for name in written)
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {news}"
