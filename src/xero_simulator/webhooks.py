"""Thin signed events about contacts, invoices, credit notes and overpayments, sent to one address.

Deliveries follow the simulator's clock: what fails is tried again at once, then every 15 minutes for 24 hours, after
which the subscription is switched off; its events are kept for 31 days and sent again, in order, when it is switched
on. Events and how far their delivery has come are in the state file: one that was under way in a crash comes twice.
"""

import base64
import hmac
import secrets
import threading
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from xero_simulator.books import Books, Change
from xero_simulator.clock import Clock, from_ms
from xero_simulator.records import CreditNote, Payment
from xero_simulator.switches import Switches

ANSWER_SECONDS = 5
RETRY_MS = 15 * 60 * 1000
GIVE_UP_MS = 24 * 3600 * 1000
KEPT_MS = 31 * 24 * 3600 * 1000
MOST_EVENTS = 100
LOOK_SECONDS = 0.1
CATEGORIES: dict[str, tuple[str, str]] = {
    "Contact": ("CONTACT", "Contacts"),
    "Invoice": ("INVOICE", "Invoices"),
    "CreditNote": ("CREDITNOTE", "CreditNotes"),
    "Overpayment": ("OVERPAYMENT", "Overpayments"),
}
Post = Callable[[str, bytes, dict[str, str]], int]


class Event(msgspec.Struct):
    """One event and when it happened, in milliseconds. Numbers only ever rise."""

    number: int
    at: int
    content: dict[str, Any]


class Progress(msgspec.Struct):
    """How far delivery has come. `state` is `off`, `intent-to-receive`, `on` or `disabled`."""

    state: str = "off"
    url: str | None = None
    sequence: int = 0
    next_try: int = 0
    failing_since: int | None = None
    sent: int = 0


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_facts: Any) -> None:
        """A receiver that sends us elsewhere has not answered 200."""


_opener = urllib.request.build_opener(_StayHere)


def post_by_urllib(url: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer; 0 when there was none in time, or it did not keep to Xero's rules for answers."""
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - an address the user gave
    try:
        with _opener.open(request, timeout=ANSWER_SECONDS) as answer:
            if answer.read(1) or answer.headers.get("Set-Cookie"):
                return 0
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return int(error.code)
    except (OSError, ValueError):
        return 0


def _tell_nobody() -> None:
    """Nobody keeps the progress."""


class Webhooks:
    """One subscription. `on_progress` is told when `progress` has changed or events are done with."""

    def __init__(
        self, clock: Clock, switches: Switches, url: str | None, key: str | None, post: Post = post_by_urllib
    ) -> None:
        self._clock = clock
        self._switches = switches
        self.url = url
        self.key = key
        self._post = post
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None
        self.on_progress: Callable[[], object] = _tell_nobody
        self.address = "https://api.xero.com"  # a server puts its own here, so that an event's resource can be read
        self.reset()

    @property
    def is_set(self) -> bool:
        return bool(self.url and self.key)

    def reset(self) -> None:
        with self._lock:
            self.progress = Progress("intent-to-receive" if self.is_set else "off", self.url)
            self._waiting: deque[Event] = deque()
            self._last_number = 0

    @property
    def state(self) -> str:
        return self.progress.state

    @property
    def oldest(self) -> int:
        """The number of the first event that still waits, or would be the next."""
        return self._waiting[0].number if self._waiting else self._last_number + 1

    def restore(self, progress: Progress, waiting: list[Event]) -> None:
        """Go on from where an earlier process stopped; another address has to prove itself first."""
        with self._lock:
            self._waiting = deque(waiting)
            self._last_number = waiting[-1].number if waiting else 0
            same = self.is_set and progress.url == self.url
            self.progress.sequence, self.progress.sent = progress.sequence, progress.sent
            if same:
                self.progress = progress

    def start(self) -> None:
        """Deliver from a thread: the intent to receive first, then events as they come."""
        if self.is_set and self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._ended = True
        self._wake.set()
        if self._thread:
            self._thread.join(timeout=ANSWER_SECONDS + 1)
            self._thread = None

    def announce(self, books: Books, changes: list[Change]) -> list[Event]:
        """Note an event for each document that a commit creates or changes; answers the new ones."""
        now = self._clock.now_ms()
        paid = any(change.table.kind is Payment for change in changes)
        told = [(change, is_new) for change, is_new in _first_changes(changes) if self._tells(change, paid)]
        with self._lock:
            new = [
                Event(number, now, self._content(books, change, now, is_new=is_new))
                for number, (change, is_new) in enumerate(told, self._last_number + 1)
            ]
            self._last_number += len(new)
            self._waiting.extend(new)
            while self._waiting and now - self._waiting[0].at > KEPT_MS:
                self._waiting.popleft()
        return new

    def wake(self) -> None:
        """There may be something to deliver."""
        self._wake.set()

    def _tells(self, change: Change, with_payment: bool) -> bool:
        if change.table.name not in CATEGORIES or change.table.get(change.record_id) is None:
            return False
        if change.old is not None and change.table.rows[change.record_id].updated == change.old.updated:
            return False
        silent = with_payment and not self._switches["payment_sends_invoice_event"]
        return not (silent and change.table.name == "Invoice")

    def enable(self) -> None:
        """Switch on (again): the intent to receive, then everything that is waiting."""
        with self._lock:
            if self.is_set:
                self.progress.state = "intent-to-receive"
                self.progress.failing_since, self.progress.next_try = None, 0
        self.on_progress()
        self._wake.set()

    def show(self) -> dict[str, object]:
        return {"url": self.url, "state": self.state, "waiting": len(self._waiting), "sent": self.progress.sent}

    def deliver(self) -> None:
        """Do what is due now: prove the receiver, or send what is waiting."""
        if self.state == "intent-to-receive" and self._is_time():
            self._prove_receiver()
        while self.state == "on" and self._waiting and self._is_time():
            if not self._send_waiting():
                return

    def _is_time(self) -> bool:
        return self._clock.now_ms() >= self.progress.next_try

    def _prove_receiver(self) -> None:
        """Four empty bodies, two of them wrongly signed: 200 and 401 are the right answers."""
        for right in (True, False, True, False):
            body = _body([], 0, 0)
            signature = self.sign(body) if right else self.sign(secrets.token_bytes(16))
            if self._send(body, signature) != (200 if right else 401):
                self.progress.next_try = self._clock.now_ms() + RETRY_MS
                return
        self.progress.state = "on"
        self.on_progress()

    def _send_waiting(self) -> bool:
        with self._lock:
            events = [self._waiting[i] for i in range(min(MOST_EVENTS, len(self._waiting)))]
        first = self.progress.sequence + 1
        body = _body([event.content for event in events], first, self.progress.sequence + len(events))
        if self._send(body, self.sign(body)) != 200:
            self._note_failure()
            return False
        with self._lock:
            self.progress.sequence += len(events)
            self.progress.sent += len(events)
            self.progress.failing_since = None
            for _ in events:
                self._waiting.popleft()
        self.on_progress()
        return True

    def _note_failure(self) -> None:
        now = self._clock.now_ms()
        if self.progress.failing_since is None:
            self.progress.failing_since = now  # and once more at once
        else:
            self.progress.next_try = now + RETRY_MS
        if now - self.progress.failing_since >= GIVE_UP_MS:
            self.progress.state = "disabled"
        self.on_progress()

    def _content(self, books: Books, change: Change, now: int, *, is_new: bool) -> dict[str, Any]:
        category, path = CATEGORIES[change.table.name]
        content: dict[str, Any] = {
            "resourceUrl": f"{self.address}/api.xro/2.0/{path}/{change.record_id}",
            "resourceId": change.record_id,
            "eventDateUtc": from_ms(now).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3],
            "eventType": "CREATE" if is_new else "UPDATE",
            "eventCategory": category,
            "tenantId": books.organisation_id,
            "tenantType": "ORGANISATION",
        }
        record = change.table.rows[change.record_id]
        if isinstance(record, CreditNote):
            content["data"] = {"Type": record.type, "Status": record.status}
        return content

    def sign(self, body: bytes) -> str:
        """The value of x-xero-signature."""
        return base64.b64encode(hmac.digest((self.key or "").encode(), body, "sha256")).decode()

    def _send(self, body: bytes, signature: str) -> int:
        headers = {"Content-Type": "application/json", "x-xero-signature": signature, "User-Agent": "Xero/1.0"}
        return self._post(self.url or "", body, headers)

    def _run(self) -> None:
        while not self._ended:
            self.deliver()
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()


def _first_changes(changes: list[Change]) -> list[tuple[Change, bool]]:
    """Each record once, and whether this commit created it."""
    first: dict[tuple[str, str], Change] = {}
    for change in changes:
        first.setdefault((change.table.name, change.record_id), change)
    return [(change, change.old is None) for change in first.values()]


def _body(events: list[dict[str, Any]], first: int, last: int) -> bytes:
    entropy = secrets.token_hex(10).upper()
    frame = {"events": events, "firstEventSequence": first, "lastEventSequence": last, "entropy": entropy}
    return msgspec.json.encode(frame)
