"""Who works under which slot: a lock file for this machine, a row with a heartbeat for the others.

The lock file goes free the moment its process dies, so a restart is never kept waiting. The row is for workers that
share a database but no folder: it goes free when nothing was heard for `SILENT`.
"""

import contextlib
import time
import uuid
from datetime import datetime, timedelta
from typing import TextIO

from django.conf import settings
from django.core.files import locks
from django.db.models import Q
from django.db.models.functions import Now

from provender.engine.errors import SlotTaken
from provender.engine.models import Slot

SILENT = timedelta(seconds=30)


def executor(number: int) -> str:
    """The name that the queue knows the slot's worker by, the same at each start."""
    return f"worker-{number}"


def executors_alive() -> set[str]:
    """The names of all workers that gave a sign of life lately."""
    alive = Slot.objects.exclude(holder="").filter(seen_at__gte=Now() - SILENT)
    return {executor(number) for number in alive.values_list("number", flat=True)}


class HeldSlot:
    """A slot that this process has until `release`; raises SlotTaken if another process has it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._file = _lock(number)
        try:
            self._holder = _token(self._file)
            Slot.objects.bulk_create([Slot(number=number)], ignore_conflicts=True)
            self.beat()
        except BaseException:
            self._unlock()
            raise

    def beat(self) -> None:
        """Give a sign of life; raises SlotTaken if another worker got the slot while this one was silent.

        A row with our own token is ours although another process wrote it: we hold the lock file that the token is
        kept in, so that process is dead.
        """
        free = Q(holder="") | Q(holder=self._holder) | Q(seen_at__lt=Now() - SILENT)
        if not Slot.objects.filter(free, number=self.number).update(holder=self._holder, seen_at=Now()):
            raise SlotTaken(self.number, SILENT.total_seconds())

    def clock_ahead(self) -> float:
        """By how many seconds the database's clock is ahead of this machine's."""
        there: datetime = Slot.objects.filter(number=self.number).values_list(Now(), flat=True).get()
        return there.timestamp() - time.time()

    def release(self) -> None:
        """Give the slot up, for anybody to have at once."""
        try:
            Slot.objects.filter(number=self.number, holder=self._holder).update(holder="")
        finally:
            self._unlock()

    def _unlock(self) -> None:
        with contextlib.closing(self._file):
            locks.unlock(self._file)


def _lock(number: int) -> TextIO:
    settings.PROVENDER_HOME.mkdir(parents=True, exist_ok=True)
    file: TextIO = (settings.PROVENDER_HOME / f"worker-{number}.lock").open("a+", encoding="ascii")
    if locks.lock(file, locks.LOCK_EX | locks.LOCK_NB):
        return file
    file.close()
    raise SlotTaken(number, SILENT.total_seconds())


def _token(file: TextIO) -> str:
    file.seek(0)
    if token := file.read(32):
        return token
    token = uuid.uuid4().hex
    file.write(token)
    file.flush()
    return token
