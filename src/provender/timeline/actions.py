"""Writing the story. Each line is written in the transaction that does the thing."""

from collections.abc import Iterable
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
    now = clock.now()
    entries = [
        Entry(supplier=supplier, subject_kind=kind, subject=subject, at=now, who=who, what=what[:300], why=why[:300])
        for subject, what in lines
    ]
    return ReadyRows.of(entries) if entries else None
