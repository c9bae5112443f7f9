"""What can go wrong in a call to Xero, in four kinds, and the one place that decides which.

`TryLater`: nothing was done, ask again after some seconds. `Refused`: Xero understood and said no. `NotConnected`:
the consent no longer carries this call. `OutcomeUnknown`: a write that Xero may or may not have carried out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import msgspec

RAW_LIMIT = 4096
"""Characters of Xero's own words that a fault or an element keeps."""

OFFLINE_SECONDS = 30.0
AGAIN_SECONDS = 10.0
NO_CONNECTION_SECONDS = 5.0
LIMIT_SECONDS = {"minute": 60.0, "appminute": 60.0, "day": 3600.0, "concurrent": 1.0}
UNKNOWN_LIMIT_SECONDS = 5.0

PASSING = frozenset({"no-connection", "timeout", "dropped", "unreadable", "server-error", "offline"})
"""Problems of a read that often pass within a second; the limits and the budget are not among them."""

Reason = Literal["expired", "scope", "tenant", "invalid_grant", "client"]


class Fault(Exception):
    """The root of everything that the library raises by itself."""


class TryLater(Fault):
    """Nothing was done at Xero; the call may be made again after `seconds`.

    `problem` says why: a limit of Xero's (`minute`, `day`, `concurrent`, `appminute`), our own `budget`, a server
    that was never reached (`no-connection`), or, for reads only, `offline`, `server-error`, `timeout`, `dropped`
    and `unreadable`.
    """

    def __init__(self, seconds: float, problem: str) -> None:
        super().__init__(seconds, problem)
        self.seconds = seconds
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.problem}: try again in {self.seconds:g} s"


class NotSent(TryLater):
    """The caller's last check before the first byte said no, so nothing was sent."""

    def __init__(self, seconds: float = 0.0, problem: str = "not-sent") -> None:
        super().__init__(seconds, problem)


@dataclass(frozen=True)
class ElementFault:
    """One refused element: Xero's messages in order, and the element as Xero echoed it (JSON, at most 4 kB)."""

    messages: tuple[str, ...]
    raw: str


class Refused(Fault):
    """The whole call was refused with a 4xx and nothing was done.

    `unreadable` means that the request itself could not be taken in (unparsable, too large, stopped on the way), so
    one element may be at fault for all of them.
    """

    def __init__(self, status: int, elements: list[ElementFault], message: str, raw: str, unreadable: bool) -> None:
        super().__init__(status, elements, message, raw, unreadable)
        self.status = status
        self.elements = elements
        self.message = message
        self.raw = raw
        self.unreadable = unreadable

    def __str__(self) -> str:
        return f"refused with {self.status}: {self.message}"


class NotConnected(Fault):
    """The consent does not carry the call; `reason` says what is amiss, `raw` holds Xero's words.

    `expired`: the access token (a refresh mends it). `scope`: a permission that was not asked for. `tenant`: this
    organisation is not connected. `invalid_grant`: the refresh token or code is spent, revoked or too old. `client`:
    the app's own id, secret, redirect address or scopes.
    """

    def __init__(self, reason: Reason, raw: str = "") -> None:
        super().__init__(reason, raw)
        self.reason: Reason = reason
        self.raw = raw

    def __str__(self) -> str:
        return f"not connected: {self.reason}"


class OutcomeUnknown(Fault):
    """A write that may have been carried out: the first byte may have left and no readable verdict came back."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason, status)
        self.reason = reason
        self.status = status

    def __str__(self) -> str:
        return f"outcome unknown: {self.reason}" + (f" ({self.status})" if self.status else "")


def judge(method: str, status: int, headers: Mapping[str, str], body: bytes) -> Fault | None:
    """Say what an answer means: None when it is good, else the fault to raise.

    `headers` may be in any case. A 2xx must carry JSON (204 nothing); of a write, each 5xx leaves the outcome open,
    because Xero may have committed before it failed, and its idempotency key then replays the error.
    """
    if status == 429:
        return _judge_limit(headers)
    if status < 400:
        return _judge_success(method, status, body)
    if status >= 500:
        return _judge_server_error(method, status, headers)
    if status in (408, 409) or _is_cut(body):
        # 408: the server gave up on us half-way. 409: another request of the same key may be at work.
        return in_doubt(method, "unreadable", status)
    if _is_key_clash(body):
        return in_doubt(method, "key-clash", status)
    if status in (401, 403):
        return _judge_consent(method, status, body)
    return _judge_refusal(method, status, body)


def judge_lost(method: str, *, reached: bool, reason: str) -> Fault:
    """Say what it means that no answer came. `reached`: at least the first byte may have left."""
    if not reached:
        return TryLater(NO_CONNECTION_SECONDS, "no-connection")
    return in_doubt(method, reason, None)


def in_doubt(method: str, reason: str, status: int | None, seconds: float = AGAIN_SECONDS) -> Fault:
    """The fault of an answer that tells nothing: a read may be repeated, a write has to be looked up."""
    if method in ("GET", "HEAD"):
        return TryLater(seconds, reason)
    return OutcomeUnknown(reason, status)


def limit_named(headers: Mapping[str, str]) -> str:
    """Which of Xero's limits a 429 speaks of: `minute`, `day`, `concurrent`, `appminute` or Xero's own new word."""
    named = re.sub(r"[^a-z]", "", header(headers, "X-Rate-Limit-Problem").lower())
    return "appminute" if named == "app" else named or "unknown"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of the `Retry-After` header, None when it is absent or no number."""
    text = header(headers, "Retry-After").strip()
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


def header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header whatever the case of its name, an empty text when it is absent."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


def collect_messages(element: object, name: str = "ValidationErrors") -> tuple[str, ...]:
    """All messages under `name` in a decoded element, nested objects included, in order and without repeats."""
    return tuple(dict.fromkeys(_walk_messages(element, name)))


def shorten(raw: bytes) -> str:
    """An element's JSON in at most 4 kB: a long one loses its lines first, so that it stays readable JSON."""
    if len(raw) > RAW_LIMIT:
        fields = _FIELDS.decode(raw)
        kept = {name: value for name, value in fields.items() if name in _MESSAGES or bytes(value)[:1] != b"["}
        raw = msgspec.json.encode(kept)
    return _cut(raw)


def decode_plainly(raw: bytes | msgspec.Raw) -> Any:
    """Decode JSON to plain Python values with Decimal for numbers that have a point."""
    return _PLAIN.decode(raw)


_PLAIN = msgspec.json.Decoder(float_hook=Decimal)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_MESSAGES = ("ValidationErrors", "Warnings")
_KEY_CLASH = re.compile(rb"idempotency key.{0,300}is used with a different request", re.IGNORECASE | re.DOTALL)


def _walk_messages(node: object, name: str) -> Iterator[str]:
    if isinstance(node, list):
        for child in node:
            yield from _walk_messages(child, name)
    elif isinstance(node, dict):
        for key, child in node.items():
            if key != name:
                yield from _walk_messages(child, name)
            elif isinstance(child, list):
                yield from (str(each["Message"]) for each in child if isinstance(each, dict) and each.get("Message"))


def _judge_limit(headers: Mapping[str, str]) -> TryLater:
    problem = limit_named(headers)
    seconds = retry_after(headers)
    return TryLater(LIMIT_SECONDS.get(problem, UNKNOWN_LIMIT_SECONDS) if seconds is None else seconds, problem)


def _judge_success(method: str, status: int, body: bytes) -> Fault | None:
    if status == 204 or (status == 304 and method == "GET"):
        return None
    if 200 <= status < 300 and _is_json(body):
        return None
    return in_doubt(method, "unreadable", status)


def _judge_server_error(method: str, status: int, headers: Mapping[str, str]) -> Fault:
    if status == 503:
        seconds = retry_after(headers)
        return in_doubt(method, "offline", status, OFFLINE_SECONDS if seconds is None else seconds)
    return in_doubt(method, "server-error", status)


def _judge_consent(method: str, status: int, body: bytes) -> Fault:
    # A gateway that dislikes a text answers 403 with a page; that says nothing about the consent.
    if status == 403 and body.lstrip().startswith(b"<"):
        return _judge_refusal(method, status, body)
    if b"AuthorizationUnsuccessful" in body:
        return NotConnected("scope", _cut(body))
    if status == 403 or b"AuthenticationUnsuccessful" in body:
        return NotConnected("tenant", _cut(body))
    return NotConnected("expired", _cut(body))


def _judge_refusal(method: str, status: int, body: bytes) -> Refused:
    said = _decode_object(body)
    elements = [_read_element_fault(each) for each in _raw_elements(body)]
    unparsed = said.get("ErrorNumber") == 14 or said.get("Type") == "PostDataInvalidException"
    unreadable = status == 413 or (status in (400, 403) and (not said or unparsed))
    return Refused(status, elements, _say(said, elements, body), _cut(body), unreadable and method != "GET")


def _say(said: dict[str, Any], elements: list[ElementFault], body: bytes) -> str:
    told = said.get("Message") or said.get("Detail") or said.get("Title")
    if not told and elements:
        told = "; ".join(elements[0].messages)
    return str(told) if told else _cut(body, 500)


def _read_element_fault(raw: msgspec.Raw) -> ElementFault:
    return ElementFault(collect_messages(decode_plainly(raw)), shorten(bytes(raw)))


def _raw_elements(body: bytes) -> list[msgspec.Raw]:
    try:
        raws = msgspec.json.decode(body, type=_Refusal).elements or []
    except msgspec.MsgspecError:
        return []
    return [raw for raw in raws if bytes(raw)[:1] == b"{"]


class _Refusal(msgspec.Struct):
    elements: list[msgspec.Raw] | None = msgspec.field(default=None, name="Elements")


def _decode_object(body: bytes) -> dict[str, Any]:
    try:
        said = decode_plainly(body)
    except msgspec.MsgspecError:
        return {}
    return said if isinstance(said, dict) else {}


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.MsgspecError:
        return False
    return True


def _is_cut(body: bytes) -> bool:
    return body.lstrip()[:1] in (b"{", b"[") and not _is_json(body)


def _is_key_clash(body: bytes) -> bool:
    return _KEY_CLASH.search(body) is not None


def _cut(body: bytes, limit: int = RAW_LIMIT) -> str:
    return body[:limit].decode("utf-8", "ignore")
