"""Answers kept for six minutes by their Idempotency-Key, errors too."""

import hashlib
from dataclasses import dataclass

from xero_simulator import messages
from xero_simulator.clock import Clock
from xero_simulator.wire import Answer

LIFETIME_MS = 6 * 60 * 1000
LONGEST_KEY = 128
KEPT_METHODS = {"POST", "PUT", "PATCH"}


class KeyClash(Exception):
    """The key was used with another request, is too long, or is in flight; `status` and the text say which."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, the request it belongs to, and when the key was first used."""

    request: str
    answer: Answer
    since: int


class Idempotency:
    """The store. Callers hold the simulator's lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.kept: dict[tuple[str, str], Kept] = {}

    def find(self, app_id: str, key: str, request: str) -> Answer | None:
        """The kept answer, or None for a new key. Raises KeyClash."""
        if len(key) > LONGEST_KEY:
            raise KeyClash(messages.IDEMPOTENCY_TOO_LONG)
        kept = self.kept.get((app_id, key))
        if kept is None or self._is_old(kept):
            return None
        if kept.request != request:
            raise KeyClash(messages.idempotency_clash(key))
        return kept.answer

    def keep(self, app_id: str, key: str, request: str, answer: Answer) -> None:
        self._forget_old()
        self.kept[app_id, key] = Kept(request, answer, self._clock.now_ms())

    def _is_old(self, kept: Kept) -> bool:
        return not 0 <= self._clock.now_ms() - kept.since < LIFETIME_MS

    def _forget_old(self) -> None:
        """Keys are in the order of their first use, so the old ones come first."""
        while self.kept:
            oldest = next(iter(self.kept))
            if not self._is_old(self.kept[oldest]):
                break
            del self.kept[oldest]


def fingerprint(method: str, url: str, tenant_id: str, body: bytes) -> str:
    """What makes two requests the same."""
    digest = hashlib.sha256(body).hexdigest()
    return f"{method} {tenant_id} {url} {digest}"
