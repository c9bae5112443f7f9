"""Reading the story."""

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from provender.people.models import User
from provender.suppliers.models import Supplier
from provender.timeline.models import Entry


def who_did_something(people: QuerySet[User]) -> QuerySet[User]:
    """Those of them whom some wholesaler's story names."""
    return people.filter(Exists(Entry.objects.filter(who=OuterRef("pk"))))


def story(supplier: Supplier, kind: str, subject: UUID) -> QuerySet[Entry]:
    """A document's lines, newest first, with who."""
    return (
        Entry.objects.filter(supplier=supplier, subject_kind=kind, subject=subject)
        .select_related("who")
        .order_by("-at", "-pk")
    )
