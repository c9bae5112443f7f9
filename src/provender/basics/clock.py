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
