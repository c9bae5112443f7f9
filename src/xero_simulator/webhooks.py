"""Thin signed events about contacts, invoices and credit notes, sent to one address."""

from xero_simulator.books import Books, Change
from xero_simulator.clock import Clock


class Webhooks:
    def __init__(self, clock: Clock, url: str | None, key: str | None) -> None:
        self._clock = clock
        self.url = url
        self.key = key

    @property
    def is_on(self) -> bool:
        return bool(self.url and self.key)

    def announce(self, books: Books, changes: list[Change]) -> None:
        return

    def reset(self) -> None:
        return

    def close(self) -> None:
        return
