from django.core.validators import MaxValueValidator
from django.db import models


class Slot(models.Model):
    """A place for one worker of the deployment, and the last sign of life of the one that has it.

    Free when `holder` is empty. The times are the database's.
    """

    number = models.PositiveSmallIntegerField(primary_key=True, validators=[MaxValueValidator(999)])
    holder = models.CharField(max_length=32, blank=True, default="")
    seen_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"worker-{self.number}"
