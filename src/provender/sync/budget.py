"""Calls left at Xero, kept in our database so that every worker and screen counts in one place.

The arithmetic is `xero.meter.Windows`. Pool threads do HTTP only: what an answer's headers tell is kept in memory
there, and written by the thread that owns the database at its next `take` or `flush`.
"""

from collections import deque
from collections.abc import Mapping
from uuid import UUID

from django.conf import settings
from django.db import transaction

from provender.basics import clock
from provender.sync.models import Connection
from provender.xero import Windows

FIELDS = ("minute_left", "minute_resets_at", "day_left", "day_resets_at", "parked_until")


class SharedBudget:
    """A `xero.Budget` on the connection's row."""

    def __init__(self, connection: UUID) -> None:
        self._connection = connection
        self._in_flight = 0
        self._told: deque[tuple[Mapping[str, str], int | None]] = deque()

    def take(self, *, person: bool = False) -> None:
        """Count one call as begun. Raises TryLater when none may be made now; nothing is counted then."""
        with transaction.atomic():
            windows = self._read()
            self._learn(windows)
            try:
                windows.take(
                    clock.database_now(),
                    0 if person else settings.XERO_KEEP_BACK_MINUTE,
                    day_reserve=0 if person else settings.XERO_KEEP_BACK_DAY,
                )
            finally:
                self._write(windows)

    def give_back(self, headers: Mapping[str, str], status: int | None) -> None:
        """Remember what an answer told; any thread."""
        self._told.append((headers, status))

    def flush(self) -> None:
        """Write what was told, if anything."""
        if self._told:
            with transaction.atomic():
                windows = self._read()
                self._learn(windows)
                self._write(windows)

    def _read(self) -> Windows:
        row = Connection.objects.select_for_update().values(*FIELDS).get(pk=self._connection)
        return Windows(in_flight=self._in_flight, **row)

    def _learn(self, windows: Windows) -> None:
        while self._told:
            headers, status = self._told.popleft()
            windows.learn(headers, status, clock.database_now())

    def _write(self, windows: Windows) -> None:
        self._in_flight = windows.in_flight
        Connection.objects.filter(pk=self._connection).update(**{name: getattr(windows, name) for name in FIELDS})
