"""The one clock. Instants are aware UTC; business dates are dates in the supplier's time zone.

Everything that a protocol waits for is read from the database's clock, so that workers on several machines agree.
Tests move every clock at once with `moved`; a process under test may be started with PROVENDER_CLOCK_OFFSET seconds.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection


class _Offset:
    def __init__(self) -> None:
        self.by = timedelta(seconds=float(os.environ.get("PROVENDER_CLOCK_OFFSET", "0")))


_offset = _Offset()


def now() -> datetime:
    """The time of this machine, UTC."""
    return datetime.now(UTC) + _offset.by


def database_now() -> datetime:
    """The database's time, UTC: the only time that leases, dispatches and waits are measured by."""
    if connection.vendor == "sqlite":
        return now()  # SQLite runs inside this process: its clock is this machine's
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        value: datetime = cursor.fetchone()[0]
    return value.astimezone(UTC) + _offset.by


def today(zone: str) -> date:
    """The business date in the time zone named `zone`."""
    return now().astimezone(ZoneInfo(zone)).date()


def in_words(day: date) -> str:
    """A business date as sentences write it: 1 Nov 2026."""
    return f"{day.day} {day:%b %Y}"


def span_in_words(first: date | None, last: date | None) -> str:
    """Days as sentences write them: "from 1 Nov 2026 until 30 Nov 2026", or as much of it as there is."""
    parts = [("from", first), ("until", last)]
    return " ".join(f"{word} {in_words(day)}" for word, day in parts if day)


def move(by: timedelta) -> None:
    """Move every clock of this process forward (or back)."""
    _offset.by += by


@contextmanager
def moved(by: timedelta) -> Iterator[None]:
    """Inside the block every clock of this process shows a time `by` later."""
    move(by)
    try:
        yield
    finally:
        move(-by)
