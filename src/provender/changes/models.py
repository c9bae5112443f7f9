from django.db import models
from django.db.models import F, Q

from provender.basics.texts import LineField
from provender.suppliers.models import Supplier

UNSETTLED = Q(revision__gt=F("settled"))
"""The condition on changes that the outside hasn't heard of their newest revision."""
GOING = UNSETTLED & Q(revision__gt=F("parked"))
"""And that revision doesn't wait for a person."""


class Change(models.Model):
    """The newest revision of one document, and how far the outside has heard of it."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=20)
    document = models.UUIDField()
    revision = models.PositiveIntegerField(default=1)
    # The revision that the outside has; due while below `revision`.
    settled = models.PositiveIntegerField(default=0)
    # The revision that waits for a person; a newer one is tried again by itself.
    parked = models.PositiveIntegerField(default=0)
    why = LineField(max_length=200)
    # Documents that came from a file go out only when somebody asks.
    imported = models.BooleanField(default=False)
    first_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    # A person or a command asked for this document to go out, whatever the automatic setting says.
    asked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "kind", "document"], name="one_change_a_document"),
        ]
        indexes = [
            models.Index(fields=["supplier", "kind", "changed_at"], name="change_due", condition=UNSETTLED),
        ]

    @property
    def is_going(self) -> bool:
        """Whether it is one of the GOING."""
        return self.revision > max(self.settled, self.parked)
