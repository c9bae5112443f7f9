"""How many calls may still be made: Xero's limits as arithmetic, and a budget that keeps them in memory.

Xero counts per app and organisation, in fixed windows whose edges it does not tell: 60 calls a minute, 5 in flight,
1,000 or 5,000 a day. Each answer tells what is left of the minute and the day.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from provender.xero.faults import LIMIT_SECONDS, UNKNOWN_LIMIT_SECONDS, TryLater, header, limit_named, retry_after

MINUTE_CALLS = 60
CALLS_IN_FLIGHT = 5
MINUTE = timedelta(minutes=1)
DAY_BELIEF = timedelta(hours=1)
"""How long the day's figure is believed after Xero last told it.

Xero tells what is left of its day, not when the day ends, so a small figure must not silence us until tomorrow: after
an hour one call goes out and asks again.
"""


class Budget(Protocol):
    """What a client asks before each call and tells after it."""

    def take(self, *, person: bool = False) -> None:
        """Count one call as begun; raises TryLater when none may be made now. `person`: somebody waits at a screen."""

    def give_back(self, headers: Mapping[str, str], status: int | None) -> None:
        """Count the call as ended and learn from its answer; status None and no headers when no answer came."""


@dataclass
class Windows:
    """The state of one organisation's limits, and the rules that change it. None stands for "not known yet".

    `day_resets_at` is when `day_left` stops being believed: Xero's own time after a day-limit answer, else an hour
    after it was last told.
    """

    minute_left: int | None = None
    minute_resets_at: datetime | None = None
    day_left: int | None = None
    day_resets_at: datetime | None = None
    in_flight: int = 0
    parked_until: datetime | None = None

    def take(self, now: datetime, reserve: int = 0, *, day_reserve: int = 0) -> None:
        """Count one call as begun, or raise TryLater and change nothing that matters.

        `reserve` calls of the minute and `day_reserve` of the day are left for others; a person's call is taken with
        none.
        """
        self._open_windows(now)
        if self.parked_until is not None:
            raise TryLater(_seconds_until(self.parked_until, now), "budget")
        if self.in_flight >= CALLS_IN_FLIGHT:
            raise TryLater(LIMIT_SECONDS["concurrent"], "budget")
        if self.minute_left is not None and self.minute_left <= reserve:
            raise TryLater(_seconds_until(self.minute_resets_at, now), "budget")
        if self.day_left is not None and self.day_left <= day_reserve:
            raise TryLater(_seconds_until(self.day_resets_at, now), "budget")
        self._count_call()

    def learn(self, headers: Mapping[str, str], status: int | None, now: datetime) -> None:
        """Count one call as ended and take over what its answer tells. `headers` may be in any case."""
        self.in_flight = max(0, self.in_flight - 1)
        if status is None:
            self._uncount_call()
        self._learn_minute(_count_in(headers, "X-MinLimit-Remaining"), now)
        self._learn_day(_count_in(headers, "X-DayLimit-Remaining"), now)
        if status == 429:
            self._learn_refusal(headers, now)
        elif status == 503 and retry_after(headers) is not None:
            self._park(now + timedelta(seconds=retry_after(headers) or 0))

    def _open_windows(self, now: datetime) -> None:
        if self.parked_until is not None and self.parked_until <= now:
            self.parked_until = None
        if self.minute_resets_at is None or self.minute_resets_at <= now:
            self.minute_left, self.minute_resets_at = MINUTE_CALLS, now + MINUTE
        if self.day_resets_at is not None and self.day_resets_at <= now:
            self.day_left, self.day_resets_at = None, None

    def _count_call(self) -> None:
        self.in_flight += 1
        if self.minute_left is not None:
            self.minute_left -= 1
        if self.day_left is not None:
            self.day_left -= 1

    def _uncount_call(self) -> None:
        # Without an answer the call may never have reached Xero, and a line that is down must not eat the day. When
        # it did reach Xero, the next answer says so.
        if self.minute_left is not None:
            self.minute_left = min(MINUTE_CALLS, self.minute_left + 1)
        if self.day_left is not None:
            self.day_left += 1

    def _learn_minute(self, told: int | None, now: datetime) -> None:
        if told is None:
            return
        # Xero may not have counted the others in flight yet. A figure above ours by more than those means that its
        # window has turned over; otherwise the smaller figure is right.
        if self.minute_left is None or told > self.minute_left + self.in_flight:
            self.minute_left, self.minute_resets_at = max(0, told - self.in_flight), now + MINUTE
        else:
            self.minute_left = min(self.minute_left, told)

    def _learn_day(self, told: int | None, now: datetime) -> None:
        if told is None:
            return
        self.day_left = max(0, told - self.in_flight)
        self.day_resets_at = now + DAY_BELIEF

    def _learn_refusal(self, headers: Mapping[str, str], now: datetime) -> None:
        problem = limit_named(headers)
        seconds = retry_after(headers)
        if seconds is None:
            seconds = LIMIT_SECONDS.get(problem, UNKNOWN_LIMIT_SECONDS)
        until = now + timedelta(seconds=seconds)
        if problem == "minute":
            self.minute_left, self.minute_resets_at = 0, until
        elif problem == "day":
            self.day_left, self.day_resets_at = 0, until
        self._park(until)

    def _park(self, until: datetime) -> None:
        self.parked_until = until if self.parked_until is None else max(self.parked_until, until)


class MemoryBudget:
    """A budget in memory, for one process: the shipped twin of one that several workers share."""

    def __init__(
        self,
        windows: Windows | None = None,
        *,
        reserve: int = 0,
        day_reserve: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.windows = windows or Windows()
        self._reserve = (reserve, day_reserve)
        self._now = now
        self._lock = threading.Lock()

    def take(self, *, person: bool = False) -> None:
        """Count one call as begun, or raise TryLater; a person may use what is kept back."""
        with self._lock:
            reserve, day_reserve = (0, 0) if person else self._reserve
            self.windows.take(self._now(), reserve, day_reserve=day_reserve)

    def give_back(self, headers: Mapping[str, str], status: int | None) -> None:
        """Count the call as ended and learn from its answer."""
        with self._lock:
            self.windows.learn(headers, status, self._now())


def _count_in(headers: Mapping[str, str], name: str) -> int | None:
    text = header(headers, name).strip()
    return int(text) if text.isdecimal() else None


def _seconds_until(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (moment - now).total_seconds()) if moment else 0.0
