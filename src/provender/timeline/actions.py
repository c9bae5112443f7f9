"""Writing the story. Each line is written in the transaction that does the thing."""

from collections.abc import Iterable
from itertools import repeat
from typing import Any
from uuid import UUID

from provender.basics import clock
from provender.basics.rows import ReadyRows
from provender.people.models import User
from provender.suppliers.models import Supplier
from provender.timeline.models import Entry


def tell(supplier: Supplier, kind: str, subject: UUID, what: str, *, who: User | None = None, why: str = "") -> None:
    """Add one line to the story of the document `subject` of kind `kind` ("order", "invoice", "customer", …)."""
    tell_many(supplier, kind, [(subject, what)], who=who, why=why)


def tell_many(
    supplier: Supplier, kind: str, lines: Iterable[tuple[UUID, str]], *, who: User | None = None, why: str = ""
) -> None:
    """Add one line to the story of each of many documents."""
    if ready := prepare(supplier, kind, lines, who=who, why=why):
        ready.insert()


def prepare(
    supplier: Supplier, kind: str, lines: Iterable[tuple[UUID, str]], *, who: User | None = None, why: str = ""
) -> ReadyRows | None:
    """The same, made ready before the transaction that inserts them; None for no lines."""
    told = list(lines)
    if not told:
        return None
    same = {
        "supplier_id": supplier.pk,
        "subject_kind": kind,
        "at": clock.now(),
        "who_id": who and who.pk,
        "why": why[:300],
    }
    columns: dict[str, Iterable[Any]] = {name: repeat(value, len(told)) for name, value in same.items()}
    columns["subject"], columns["what"] = zip(*((subject, what[:300]) for subject, what in told), strict=True)
    return ReadyRows.of_columns(Entry, columns)
