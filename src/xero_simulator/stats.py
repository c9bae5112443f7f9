"""Counts of what was called, refused, replayed and broken."""

import threading
from collections import Counter


class Stats:
    """Thread-safe counters; `as_dict` is the JSON of `GET /_simulator/stats`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.replays = 0
        self.most_in_flight = 0

    def call(self, endpoint: str) -> None:
        with self._lock:
            self.calls[endpoint] += 1

    def refuse(self, reason: str) -> None:
        with self._lock:
            self.refused[reason] += 1

    def strike(self, kind: str) -> None:
        with self._lock:
            self.faults[kind] += 1

    def replay(self) -> None:
        with self._lock:
            self.replays += 1

    def in_flight(self, count: int) -> None:
        with self._lock:
            self.most_in_flight = max(self.most_in_flight, count)

    def as_dict(self) -> dict[str, object]:
        with self._lock:
            return {
                "calls": dict(self.calls),
                "refused": dict(self.refused),
                "replays": self.replays,
                "most_in_flight": self.most_in_flight,
                "faults": dict(self.faults),
            }


def endpoint_name(method: str, path: str) -> str:
    """`GET /api.xro/2.0/Invoices/{id}/History`: the call with its ids taken out."""
    parts = path.rstrip("/").split("/")
    if path.startswith("/api.xro/"):
        parts = [_without_id(position, part) for position, part in enumerate(parts)]
    elif path.lower().startswith("/connections/"):
        parts[-1] = "{id}"
    return f"{method} {'/'.join(parts) or '/'}"


def _without_id(position: int, part: str) -> str:
    """Parts alternate after /api.xro/2.0: a name, an id, a name, an id."""
    is_id = position in {4, 6} and part.lower() != "actions"
    return "{id}" if is_id else part
