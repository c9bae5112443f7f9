"""Calls to Xero's accounting API for one organisation.

A write is sent at most once and never retried here; what its failure means is told by the kind of fault. A read is
tried up to three times when what went wrong often passes in a moment.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlencode

import httpx2
import msgspec
import stamina

from provender.xero import faults, wire
from provender.xero.deadline import READ_SECONDS, WRITE_SECONDS, Exchange, carry, open_http
from provender.xero.faults import Fault, NotConnected, OutcomeUnknown, Refused, TryLater
from provender.xero.meter import Budget
from provender.xero.wire import Element, Page


def _passes_soon(error: Exception) -> bool:
    return isinstance(error, TryLater) and error.problem in faults.PASSING and error.seconds <= faults.OFFLINE_SECONDS


try_thrice = stamina.RetryingCaller(
    attempts=3, timeout=READ_SECONDS, wait_initial=0.2, wait_max=2.0, wait_jitter=0.2
).on(_passes_soon)
"""Calls a reading function of no arguments up to three times while what goes wrong often passes in a moment."""

T = TypeVar("T")
S = TypeVar("S", bound=Sized)

Outcome = Literal["ok", "refused", "try-later", "unknown", "not-connected"]


@dataclass(frozen=True)
class Endpoints:
    """Where Xero is: bases without a path (for a stand-in, all three are its address)."""

    login: str = "https://login.xero.com"
    identity: str = "https://identity.xero.com"
    api: str = "https://api.xero.com"


@dataclass(frozen=True)
class CallRecord:
    """One call as an observer sees it. Ids in `path` are written `{id}`; `count` is elements sent or received."""

    method: str
    path: str
    query: str
    at: datetime
    seconds: float
    status: int | None
    outcome: Outcome
    count: int
    bytes_sent: int
    bytes_received: int


@dataclass(frozen=True)
class Answer:
    """What Xero said to a write, element by element in Xero's order; match them by identity, not by position."""

    elements: list[Element]


@dataclass(frozen=True)
class _Paged:
    """Which page is asked for, by which filters, and whether a person waits for it."""

    page: int
    page_size: int
    modified_since: datetime | None = None
    where: str | None = None
    order: str | None = None
    person: bool = field(default=False, kw_only=True)


class XeroClient:
    """Calls for one organisation; up to five threads may use it at once.

    `access_token` gives a token that is good now (it may refresh one); `guard` is called before each call and raises
    if none may be made here; `observe` hears of each call that went out. `http` is a client of `open_http`, which may
    be shared; without it the client opens its own, and `close` closes it.
    """

    def __init__(
        self,
        *,
        endpoints: Endpoints,
        access_token: Callable[[], str],
        tenant_id: str,
        budget: Budget,
        guard: Callable[[], None] = lambda: None,
        observe: Callable[[CallRecord], None] = lambda _record: None,
        transport: httpx2.BaseTransport | None = None,
        http: httpx2.Client | None = None,
    ) -> None:
        self.budget = budget
        self._base = endpoints.api.rstrip("/") + "/api.xro/2.0/"
        self._access_token = access_token
        self._tenant_id = tenant_id
        self._guard = guard
        self._observe = observe
        self._http = http or open_http(transport)
        self._closes_http = http is None

    def close(self) -> None:
        """Close the connections, unless they belong to a shared client."""
        if self._closes_http:
            self._http.close()

    def write(
        self,
        method: Literal["PUT", "POST", "DELETE"],
        resource: str,
        body: bytes,
        *,
        key: str,
        access_token: str,
        before_first_byte: Callable[[], bool] = lambda: True,
    ) -> Answer:
        """Send one write once and read Xero's verdict on each element.

        `resource` is a list that Xero takes writes to (`Invoices`, `CreditNotes/{id}/Allocations`), or one record of
        it (`Payments/{id}`); `body` the encoded envelope, sent as it is, empty with `DELETE`, whose answer is one
        element with the id in the path as its value; `key` the idempotency key (at most 128 characters). The caller
        has taken the budget; it is given back here whatever happens. `before_first_byte` is called once, on this
        thread, when the connection stands and nothing is between it and the first byte; if it says False, NotSent is
        raised. All is over in 30 s.

        Raises TryLater and NotSent (nothing was done), Refused, NotConnected, OutcomeUnknown.
        """
        name, of_list = _written(resource)
        kind = _WRITABLE[name]
        params = {"summarizeErrors": "false", "unitdp": "4"} if of_list else {}
        call = _Call(method, resource, params, body, wire.count_elements(body))
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}

        def read(body: bytes) -> list[Element]:
            if method == "DELETE":
                return wire.read_removal(body, resource.rpartition("/")[2])
            return wire.read_elements(body, name, kind)

        exchange = Exchange(WRITE_SECONDS, before_first_byte)
        return Answer(self._carry_out(call, headers, access_token, exchange, read))

    def organisation(self, *, person: bool = False) -> wire.Organisation:
        """The organisation itself, with its lock dates as they are now."""
        found = self._read_all("Organisation", "Organisations", wire.Organisation, {}, person)
        if not found:
            raise TryLater(faults.AGAIN_SECONDS, "unreadable")
        return found[0]

    def accounts(self, *, person: bool = False) -> list[wire.Account]:
        """The whole chart of accounts, archived ones included."""
        return self._read_all("Accounts", "Accounts", wire.Account, {}, person)

    def tax_rates(self, *, person: bool = False) -> list[wire.TaxRate]:
        """All tax rates."""
        return self._read_all("TaxRates", "TaxRates", wire.TaxRate, {}, person)

    def tracking_categories(self, *, person: bool = False) -> list[wire.TrackingCategory]:
        """All tracking categories with all their options, archived ones included."""
        params = {"includeArchived": "true"}
        return self._read_all("TrackingCategories", "TrackingCategories", wire.TrackingCategory, params, person)

    def add_tracking_category(self, name: str, *, key: str) -> wire.TrackingCategory:
        """Add a tracking category (name up to 100 characters), for a person. Raises as `add_tracking_option` does."""
        return self._write_tracking("PUT", "TrackingCategories", {"Name": name}, wire.TrackingCategory, key)

    def add_tracking_option(self, category_id: str, name: str, *, key: str) -> wire.TrackingOption:
        """Add an option (name up to 100 characters) to a tracking category, for a person; `key` as for `write`.

        Raises what `write` raises. An answer that shows no option, or one with an error, raises OutcomeUnknown.
        """
        path = f"TrackingCategories/{quote(category_id)}/Options"
        return self._write_tracking("PUT", path, {"Name": name}, wire.TrackingOption, key)

    def restore_tracking_option(self, category_id: str, option_id: str, name: str, *, key: str) -> wire.TrackingOption:
        """Make an archived option (`name` is the one it has) active again, for a person. Raises the same."""
        path = f"TrackingCategories/{quote(category_id)}/Options/{quote(option_id)}"
        return self._write_tracking("POST", path, {"Name": name, "Status": "ACTIVE"}, wire.TrackingOption, key)

    def restore_tracking_category(self, category_id: str, name: str, *, key: str) -> wire.TrackingCategory:
        """Make an archived category (`name` is the one it has) active again, for a person. Raises the same."""
        path = f"TrackingCategories/{quote(category_id)}"
        return self._write_tracking("POST", path, {"Name": name, "Status": "ACTIVE"}, wire.TrackingCategory, key)

    def _write_tracking(
        self, method: Literal["PUT", "POST"], path: str, element: dict[str, str], kind: type[T], key: str
    ) -> T:
        name = "Options" if "/Options" in path else "TrackingCategories"
        call = _Call(method, path, {}, wire.encode_element({name: [element]}), 1)
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        token = self._access_token()
        self.budget.take(person=True)

        def read(body: bytes) -> list[T]:
            return wire.read_list(body, name, kind)

        found = self._carry_out(call, headers, token, Exchange(WRITE_SECONDS), read)
        if not found:
            raise faults.in_doubt(method, "unreadable", 200)
        return found[0]

    def items(self, *, person: bool = False) -> list[wire.Item]:
        """All items; Xero has no pages here."""
        return self._read_all("Items", "Items", wire.Item, {"unitdp": "4"}, person)

    def contacts(
        self,
        page: int,
        *,
        modified_since: datetime | None = None,
        page_size: int = 1000,
        include_archived: bool = True,
        person: bool = False,
    ) -> Page[wire.Contact]:
        """One page of contacts, all or those changed since an instant (to the second; overlap by minutes)."""
        archived = str(include_archived).lower()
        paged = _Paged(page, page_size, modified_since, person=person)
        return self._read_page("Contacts", wire.Contact, paged, includeArchived=archived)

    def invoices(
        self,
        page: int,
        *,
        ids: Sequence[str] = (),
        numbers: Sequence[str] = (),
        modified_since: datetime | None = None,
        where: str | None = None,
        order: str | None = None,
        page_size: int = 1000,
        statuses: Sequence[str] = (),
        person: bool = False,
    ) -> Page[wire.Invoice]:
        """One page of invoices with their lines, unit amounts to 4 places.

        The filters are Xero's own and narrow one another; about 50 ids or numbers fit in one call. Numbers that hold
        a comma are asked for by a `where` of their own, since Xero's list is cut at commas.
        """
        if any("," in number for number in numbers):
            where = " AND ".join(f"({each})" for each in (where, wire.any_text("InvoiceNumber", numbers)) if each)
            numbers = ()
        listed = {"IDs": ids, "InvoiceNumbers": numbers, "Statuses": statuses}
        named = {name: ",".join(values) for name, values in listed.items() if values}
        paged = _Paged(page, page_size, modified_since, where, order, person=person)
        return self._read_page("Invoices", wire.Invoice, paged, unitdp="4", **named)

    def invoice(self, id_or_number: str, *, person: bool = False) -> wire.Invoice | None:
        """One invoice by Xero's id or by its number; None when Xero has none."""
        if not _PLAIN_IN_PATH.fullmatch(id_or_number):
            found = self.invoices(1, where=wire.any_text("InvoiceNumber", [id_or_number]), person=person).items
            return found[0] if found else None
        try:
            found = self._read_all(f"Invoices/{quote(id_or_number)}", "Invoices", wire.Invoice, {"unitdp": "4"}, person)
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise
        return found[0] if found else None

    def credit_notes(
        self,
        page: int,
        *,
        ids: Sequence[str] = (),
        modified_since: datetime | None = None,
        where: str | None = None,
        order: str | None = None,
        page_size: int = 1000,
        person: bool = False,
    ) -> Page[wire.CreditNote]:
        """One page of credit notes with their lines and allocations; about 50 ids fit in one call."""
        if ids:  # Xero has no list of ids here
            where = " AND ".join(f"({each})" for each in (where, wire.any_id("CreditNoteID", ids)) if each)
        paged = _Paged(page, page_size, modified_since, where, order, person=person)
        return self._read_page("CreditNotes", wire.CreditNote, paged, unitdp="4")

    def payments(
        self,
        page: int,
        *,
        modified_since: datetime | None = None,
        where: str | None = None,
        order: str | None = None,
        page_size: int = 1000,
        person: bool = False,
    ) -> Page[wire.Payment]:
        """One page of payments and refunds, deleted ones included; those of a batch carry its id."""
        paged = _Paged(page, page_size, modified_since, where, order, person=person)
        return self._read_page("Payments", wire.Payment, paged)

    def bank_transactions(
        self,
        page: int,
        *,
        modified_since: datetime | None = None,
        where: str | None = None,
        order: str | None = None,
        page_size: int = 1000,
        person: bool = False,
    ) -> Page[wire.BankTransaction]:
        """One page of bank transactions with their lines."""
        paged = _Paged(page, page_size, modified_since, where, order, person=person)
        return self._read_page("BankTransactions", wire.BankTransaction, paged, unitdp="4")

    def overpayments(
        self,
        page: int,
        *,
        modified_since: datetime | None = None,
        where: str | None = None,
        order: str | None = None,
        page_size: int = 1000,
        person: bool = False,
    ) -> Page[wire.Overpayment]:
        """One page of overpayments with their allocations."""
        paged = _Paged(page, page_size, modified_since, where, order, person=person)
        return self._read_page("Overpayments", wire.Overpayment, paged)

    def batch_payments(
        self, *, modified_since: datetime | None = None, where: str | None = None, person: bool = False
    ) -> list[wire.BatchPayment]:
        """All batch payments that the filters leave; Xero has no pages here."""
        params = {"where": where} if where else {}

        def read(body: bytes) -> list[wire.BatchPayment]:
            return wire.read_list(body, "BatchPayments", wire.BatchPayment) if body else []

        return self._read(_Call("GET", "BatchPayments", params), _since(modified_since), read, person)

    def _read_all(self, resource: str, name: str, kind: type[T], params: Mapping[str, str], person: bool) -> list[T]:
        return self._read(_Call("GET", resource, params), {}, lambda got: wire.read_list(got, name, kind), person)

    def _read_page(self, resource: str, kind: type[T], asked: _Paged, **params: str) -> Page[T]:
        filters = {"where": asked.where, "order": asked.order}
        call = {"page": str(asked.page), "pageSize": str(asked.page_size), **params}
        call |= {name: text for name, text in filters.items() if text}

        def read(body: bytes) -> Page[T]:
            if not body:
                return Page([], asked.page, asked.page, 0)
            return wire.read_page(body, resource, kind, page=asked.page, page_size=asked.page_size)

        return self._read(_Call("GET", resource, call), _since(asked.modified_since), read, asked.person)

    def _read(self, call: _Call, headers: Mapping[str, str], read: Callable[[bytes], S], person: bool) -> S:
        def attempt() -> S:
            self._guard()
            token = self._access_token()
            self.budget.take(person=person)
            return self._carry_out(call, headers, token, Exchange(READ_SECONDS), read)

        return try_thrice(attempt)

    def _carry_out(
        self, call: _Call, headers: Mapping[str, str], token: str, exchange: Exchange, read: Callable[[bytes], S]
    ) -> S:
        """Make one call whose budget is taken: give the budget back, tell the observer, raise its fault."""
        at = datetime.now(UTC)
        reply: httpx2.Response | Fault | None = None
        try:
            reply = self._send(call, headers, token, exchange)
        finally:
            if isinstance(reply, httpx2.Response):
                self.budget.give_back(reply.headers, reply.status_code)
            else:
                self.budget.give_back({}, None)
        verdict = reply if isinstance(reply, Fault) else _read_answer(call.method, reply, token, read)
        self._observe(_record(call, at, exchange, reply, verdict))
        if isinstance(verdict, Fault):
            raise verdict
        return verdict

    def _send(self, call: _Call, headers: Mapping[str, str], token: str, exchange: Exchange) -> httpx2.Response | Fault:
        if call.body is not None:
            self._guard()
        request = self._http.build_request(
            call.method,
            self._base + call.resource,
            params=dict(call.params),
            content=call.body,
            headers={
                "Authorization": f"Bearer {token}",
                "xero-tenant-id": self._tenant_id,
                "Accept": "application/json",
                "User-Agent": "Provender",
                **headers,
            },
            extensions={"exchange": exchange},
        )
        return carry(self._http, request, exchange)


@dataclass(frozen=True)
class _Call:
    method: Literal["GET", "PUT", "POST", "DELETE"]
    resource: str
    params: Mapping[str, str]
    body: bytes | None = None
    count: int = 0


_WRITABLE: dict[str, type[Any]] = {
    "Allocations": wire.Allocation,
    "BankTransactions": wire.BankTransaction,
    "BatchPayments": wire.BatchPayment,
    "Contacts": wire.Contact,
    "CreditNotes": wire.CreditNote,
    "Invoices": wire.Invoice,
    "Items": wire.Item,
    "Payments": wire.Payment,
}
_PLAIN_IN_PATH = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*")


def _written(resource: str) -> tuple[str, bool]:
    """The list that a path belongs to, and whether it is the list itself rather than one record of it."""
    *_, last = parts = resource.split("/")
    return (last, True) if len(parts) % 2 else (parts[-2], False)


def _since(modified_since: datetime | None) -> dict[str, str]:
    if modified_since is None:
        return {}
    return {"If-Modified-Since": modified_since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")}


def _without_ids(path: str) -> str:
    """Names and ids alternate in Xero's paths."""
    return "/".join("{id}" if place % 2 else part for place, part in enumerate(path.split("/")))


def _read_answer(method: str, reply: httpx2.Response, token: str, read: Callable[[bytes], S]) -> S | Fault:
    body = reply.content
    if reply.status_code >= 400:
        # Error pages may repeat what was sent, and faults end up in logs.
        body = body.replace(token.encode(), b"(access token)") if token else body
    fault = faults.judge(method, reply.status_code, reply.headers, body)
    if fault is not None:
        return fault
    try:
        return read(body)
    except msgspec.MsgspecError:
        return faults.in_doubt(method, "unreadable", reply.status_code)


def _record(
    call: _Call, at: datetime, exchange: Exchange, reply: httpx2.Response | Fault, verdict: Sized | Fault
) -> CallRecord:
    received = 0 if isinstance(verdict, Fault) else len(verdict)
    return CallRecord(
        method=call.method,
        path="/api.xro/2.0/" + _without_ids(call.resource),
        query=urlencode(call.params),
        at=at,
        seconds=time.monotonic() - exchange.started,
        status=None if isinstance(reply, Fault) else reply.status_code,
        outcome=_name_outcome(verdict),
        count=received if call.body is None else call.count,
        bytes_sent=len(call.body or b""),
        bytes_received=0 if isinstance(reply, Fault) else len(reply.content),
    )


def _name_outcome(verdict: object) -> Outcome:
    match verdict:
        case Refused():
            return "refused"
        case TryLater():
            return "try-later"
        case NotConnected():
            return "not-connected"
        case OutcomeUnknown():
            return "unknown"
        case _:
            return "ok"
