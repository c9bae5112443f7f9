"""One process at a time works on an import; a dead one lets go by itself."""

import uuid
from datetime import timedelta
from typing import Self

from django.db.models import Q

from provender.basics import clock
from provender.importing.errors import ImportTakenOver
from provender.importing.models import Import

HELD_FOR = timedelta(seconds=60)


class Hold:
    """The right to work on one import, for a minute from the last renewal."""

    def __init__(self, source: Import) -> None:
        self.source, self.by = source, uuid.uuid4()

    def take(self) -> None:
        """Raises ImportTakenOver when somebody else holds it."""
        now = clock.database_now()
        free = Q(held_until=None) | Q(held_until__lt=now)
        self._set(Import.objects.filter(free, pk=self.source.pk).update(held_by=self.by, held_until=now + HELD_FOR))

    def renew(self) -> None:
        """Go on for another minute. Raises ImportTakenOver: a process that was paused for long changes nothing more."""
        until = clock.database_now() + HELD_FOR
        self._set(Import.objects.filter(pk=self.source.pk, held_by=self.by).update(held_until=until))

    def release(self) -> None:
        """Let go."""
        Import.objects.filter(pk=self.source.pk, held_by=self.by).update(held_by=None, held_until=None)

    def _set(self, got: int) -> None:
        if not got:
            raise ImportTakenOver(self.source.file_name)

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
