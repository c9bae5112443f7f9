"""Xero's four limits, in fixed windows that start at another time for each organisation."""

import threading
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from xero_simulator.clock import Clock
from xero_simulator.errors import LimitReached
from xero_simulator.stats import Stats
from xero_simulator.switches import Switches

MINUTE_MS = 60_000
DAY_MS = 86_400_000
STARTER_DAY = 1000
UNLIMITED_SHOWN = 1_000_000
STANDARD = {"minute": 60, "day": 5000, "concurrent": 5, "app_minute": 10_000}
HEADERS = {
    "day": "X-DayLimit-Remaining",
    "minute": "X-MinLimit-Remaining",
    "app_minute": "X-AppMinLimit-Remaining",
}


@dataclass(slots=True)
class Window:
    """Calls counted in the window that began at `start`."""

    start: int = 0
    used: int = 0


class Limits:
    """Meters calls of an app to an organisation. A limit of None is off."""

    def __init__(self, clock: Clock, switches: Switches, stats: Stats, *, on: bool) -> None:
        self._clock = clock
        self._switches = switches
        self._stats = stats
        self._on_at_start = on
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        self.values: dict[str, int | None] = dict(STANDARD) if self._on_at_start else dict.fromkeys(STANDARD)
        self._windows: dict[tuple[str, str], Window] = defaultdict(Window)
        self._in_flight: dict[str, int] = defaultdict(int)

    def set(self, values: dict[str, int | None]) -> None:
        """Change some of the limits (KeyError for an unknown name)."""
        for name in values:
            if name not in STANDARD:
                raise KeyError(name)
        self.values.update(values)

    def limit(self, name: str) -> int | None:
        value = self.values[name]
        if name == "day" and value is not None and self._switches["starter_tier"]:
            return min(value, STARTER_DAY)
        return value

    @contextmanager
    def metered(self, app_id: str, tenant_id: str) -> Iterator[dict[str, str]]:
        """Take a place for one call; yields the headers of its answer. Raises LimitReached."""
        pair = f"{app_id}/{tenant_id}"
        with self._lock:
            headers = self._enter(app_id, pair)
        try:
            yield headers
        finally:
            with self._lock:
                self._in_flight[pair] -= 1

    def retry_after(self, problem: str, app_id: str, tenant_id: str) -> int | None:
        """Seconds until the window of this limit ends; None for the one that has no window."""
        if problem == "concurrent":
            return None
        length = DAY_MS if problem == "day" else MINUTE_MS
        key = app_id if problem == "appminute" else f"{app_id}/{tenant_id}"
        return self._wait(key, length)

    def _enter(self, app_id: str, pair: str) -> dict[str, str]:
        windows = {
            "day": (pair, DAY_MS, self._window("day", pair, DAY_MS)),
            "minute": (pair, MINUTE_MS, self._window("minute", pair, MINUTE_MS)),
            "app_minute": (app_id, MINUTE_MS, self._window("app_minute", app_id, MINUTE_MS)),
        }
        for name, (key, length, window) in windows.items():
            limit = self.limit(name)
            if limit is not None and window.used >= limit:
                raise LimitReached(name.replace("_", ""), self._wait(key, length), self._remaining(windows))
        concurrent = self.limit("concurrent")
        if concurrent is not None and self._in_flight[pair] >= concurrent:
            raise LimitReached("concurrent", None, self._remaining(windows))
        for _key, _length, window in windows.values():
            window.used += 1
        self._in_flight[pair] += 1
        self._stats.in_flight(self._in_flight[pair])
        return self._remaining(windows)

    def _remaining(self, windows: dict[str, tuple[str, int, Window]]) -> dict[str, str]:
        return {HEADERS[name]: self._left(name, window) for name, (_key, _length, window) in windows.items()}

    def _wait(self, key: str, length: int) -> int:
        """Seconds until the window ends, at least one."""
        now = self._clock.now_ms()
        return max(1, -(-(self._start(key, length, now) + length - now) // 1000))

    def _left(self, name: str, window: Window) -> str:
        limit = self.limit(name)
        return str(UNLIMITED_SHOWN if limit is None else max(0, limit - window.used))

    def _window(self, name: str, key: str, length: int) -> Window:
        window = self._windows[name, key]
        start = self._start(key, length, self._clock.now_ms())
        if window.start != start:
            window.start, window.used = start, 0
        return window

    @staticmethod
    def _start(key: str, length: int, now: int) -> int:
        """Windows are fixed, and shifted by something that belongs to the organisation."""
        shift = zlib.crc32(key.encode()) * 977 % length
        return (now - shift) // length * length + shift
