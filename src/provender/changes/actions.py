"""Posting to the outbox, and settling what was told."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet

from provender import engine
from provender.basics import clock
from provender.changes.models import UNSETTLED, Change
from provender.suppliers.models import Supplier

DRAIN = "drain"  # the engine's job that empties the outbox; config registers it


def post(supplier: Supplier, kind: str, document: UUID, why: str, *, imported: bool = False) -> None:
    """Say that a document changed, in the transaction that changes it; wakes the drain after the commit."""
    post_many(supplier, kind, [document], why, imported=imported)


def post_many(supplier: Supplier, kind: str, documents: Iterable[UUID], why: str, *, imported: bool = False) -> None:
    """`post` for many documents of one kind, in as few statements as the database allows."""
    now = clock.now()
    rows = [
        Change(
            supplier=supplier,
            kind=kind,
            document=document,
            why=why[:200],
            imported=imported,
            first_at=now,
            changed_at=now,
        )
        for document in sorted(set(documents))  # one order for everybody, so that two writers can't hold each other up
    ]
    for start in range(0, len(rows), 100):
        _upsert(rows[start : start + 100])
    transaction.on_commit(partial(engine.wake, DRAIN), robust=True)


def _upsert(rows: list[Change]) -> None:
    """One statement that inserts at revision 1 or adds 1: no read, so nothing can come between."""
    columns = [field for field in Change._meta.concrete_fields if not field.primary_key]  # noqa: SLF001
    table = Change._meta.db_table  # noqa: SLF001 -- the public way to a table's name
    marks = ", ".join("(" + ", ".join(["%s"] * len(columns)) + ")" for _ in rows)
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows for field in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(str(field.column) for field in columns)}) VALUES {marks}"  # noqa: S608
            f" ON CONFLICT (supplier_id, kind, document) DO UPDATE SET revision = {table}.revision + 1,"
            " why = EXCLUDED.why, changed_at = EXCLUDED.changed_at",
            values,
        )


def settle(change: QuerySet[Change], revision: int) -> None:
    """The outside has that revision. A newer one stays due."""
    change.filter(settled__lt=revision).update(settled=revision)
    change.filter(revision=revision).update(asked_at=None)


def park(change: QuerySet[Change], revision: int) -> None:
    """That revision waits for a person; a newer one is due by itself."""
    change.filter(parked__lt=revision).update(parked=revision)
    change.filter(revision=revision).update(asked_at=None)


def ask(changes: QuerySet[Change], *, again: bool = False) -> int:
    """A person or a command asks for these to go out: parked ones are tried again, unasked ones are let go.

    With `again` those that the outside has already go once more. Returns how many are due by it.
    """
    if again:
        changes.filter(settled__gt=0, settled=F("revision")).update(settled=F("revision") - 1)
    asked = changes.filter(UNSETTLED).update(asked_at=clock.now(), parked=0)
    transaction.on_commit(partial(engine.wake, DRAIN), robust=True)
    return asked
