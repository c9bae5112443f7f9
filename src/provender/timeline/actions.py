"""Writing the story. Each line is written in the transaction that does the thing."""

from collections.abc import Iterable
from uuid import UUID

from provender.basics import clock
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
    now = clock.now()
    Entry.objects.bulk_create(
        [
            Entry(
                supplier=supplier, subject_kind=kind, subject=subject, at=now, who=who, what=what[:300], why=why[:300]
            )
            for subject, what in lines
        ],
        batch_size=500,
    )
