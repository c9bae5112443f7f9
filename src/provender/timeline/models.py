from django.db import models

from provender.basics.texts import LineField
from provender.people.models import User
from provender.suppliers.models import Supplier


class Entry(models.Model):
    """One line of a document's story. `who` null: Provender itself did it."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="timeline")
    subject_kind = models.CharField(max_length=20)
    subject = models.UUIDField()
    at = models.DateTimeField()
    who = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    what = LineField(max_length=300)
    why = LineField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["supplier", "subject_kind", "subject", "at"], name="timeline_story")]
