"""Reading the story."""

from uuid import UUID

from django.db.models import QuerySet

from provender.suppliers.models import Supplier
from provender.timeline.models import Entry


def story(supplier: Supplier, kind: str, subject: UUID) -> QuerySet[Entry]:
    """A document's lines, newest first, with who."""
    return (
        Entry.objects.filter(supplier=supplier, subject_kind=kind, subject=subject)
        .select_related("who")
        .order_by("-at", "-pk")
    )
