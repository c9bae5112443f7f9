"""The simulator's own time: it ticks like the real one, and can be moved."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MILLISECONDS_A_DAY = 86_400_000
FIRST_MS = 315_532_800_000  # 1980
LAST_MS = 29_348_006_400_000  # 2900


class Clock:
    """Milliseconds since 1970, UTC: the machine's time plus an offset that tests and people change."""

    def __init__(self, machine: Callable[[], float] = time.time) -> None:
        self._machine = machine
        self.offset_ms = 0
        self._lock = threading.Lock()
        self.on_move: list[Callable[[], object]] = []

    def now_ms(self) -> int:
        return int(self._machine() * 1000) + self.offset_ms

    def now(self) -> datetime:
        return from_ms(self.now_ms())

    def advance(self, seconds: float) -> datetime:
        """Move time by so many seconds (negative goes back), then let what became due happen."""
        with self._lock:
            self._shift(int(seconds * 1000))
        self._tell()
        return self.now()

    def set(self, moment: datetime) -> datetime:
        """Make it this moment; a moment without a zone is UTC."""
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        with self._lock:
            self._shift(to_ms(aware) - self.now_ms())
        self._tell()
        return self.now()

    def _shift(self, milliseconds: int) -> None:
        """Raises ValueError for a time outside the years that Xero could be in."""
        if not FIRST_MS <= self.now_ms() + milliseconds < LAST_MS:
            raise ValueError("the clock stays between 1980 and 2900")
        self.offset_ms += milliseconds

    def today(self, zone: str) -> date:
        return self.now().astimezone(ZoneInfo(zone)).date()

    def _tell(self) -> None:
        for listener in self.on_move:
            listener()


def to_ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
