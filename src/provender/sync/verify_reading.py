"""Reading Xero for the comparison of the books: plain HTTP and plain JSON, apart from the client that sends.

So a mistake of the sender's reading or writing can't hide here. It has in common with it only what isn't judged: the
access token, the budget of calls and the record of them.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self
from zoneinfo import ZoneInfo

import httpx2

from provender.basics import clock
from provender.sync.budget import SharedBudget
from provender.sync.errors import AppRefused, NeedsReconnecting, NotConnectedHere, XeroBusy, XeroRefused
from provender.sync.models import Call, Connection
from provender.sync.session import explain, refuse_in_transaction, refuse_unconnected, transport
from provender.sync.tokens import APP_REFUSED, access_token, endpoints
from provender.xero import NotConnected, TryLater

PAGE = 1000
IDS_IN_A_CALL = 50
TRIES = 4
SECONDS = 90
LONGEST_WAIT = 90.0  # a minute's limit is waited for, a day's isn't

Element = dict[str, Any]


# What is compared of a line; the rest is let go while the page is being read, since most of a page is lines.
OF_A_LINE = frozenset(
    (
        "LineItemID",
        "Description",
        "Quantity",
        "UnitAmount",
        "ItemCode",
        "AccountCode",
        "TaxType",
        "LineAmount",
        "TaxAmount",
        "Tracking",
    )
)


def _slim(node: Element) -> Element:
    return {name: node[name] for name in OF_A_LINE & node.keys()} if "LineItemID" in node else node


@dataclass(frozen=True)
class Look:
    """Elements as Xero showed them, and when it was asked."""

    elements: list[Element]
    asked_at: datetime


class Reader:
    """Reads one organisation, inside a `with`.

    Raises NeedsReconnecting, NotConnectedHere, XeroBusy, XeroRefused.
    """

    def __init__(self, connection: Connection, *, for_a_person: bool) -> None:
        refuse_unconnected(connection)
        if connection.consent_id is None:
            raise NotConnectedHere(connection.supplier.name)
        self._connection = connection
        self._consent = connection.consent_id
        self._for_a_person = for_a_person
        self._budget = SharedBudget(connection.pk)
        self._http = httpx2.Client(transport=transport(), timeout=SECONDS, follow_redirects=False)
        self._token = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.flush()
        self._http.close()

    def pages(self, resource: str, **query: str) -> Iterator[Look]:
        """Every element, 1,000 a call.

        The order must be one that no edit changes (an id), so that a page never loses what another writer moves.
        """
        number, seen, key = 1, frozenset[str](), f"{resource.removesuffix('s')}ID"
        while True:
            asked_at = clock.database_now()
            body = self._get(resource, {**query, "page": str(number), "pageSize": str(PAGE), "unitdp": "4"})
            look = Look(body.pop(resource, None) or [], asked_at)
            ids = frozenset(one[key] for one in look.elements)
            # An element that came in between pushes the last one of a page onto the next.
            look.elements[:] = [one for one in look.elements if one[key] not in seen]
            yield look
            look.elements.clear()  # a page with its lines is large: it goes before the next one comes
            if not ids or number >= int(body.get("pagination", {}).get("pageCount", number)):
                return
            number, seen = number + 1, ids

    def by_ids(self, resource: str, ids: Sequence[str]) -> Iterator[Look]:
        """The elements with these ids, 50 a call."""
        for start in range(0, len(ids), IDS_IN_A_CALL):
            some = ids[start : start + IDS_IN_A_CALL]
            asked_at = clock.database_now()
            body = self._get(resource, {"IDs": ",".join(some), "page": "1", "pageSize": str(PAGE), "unitdp": "4"})
            yield Look(body.get(resource) or [], asked_at)

    def whole(self, resource: str) -> list[Element]:
        """A list that Xero gives in one piece."""
        found: list[Element] = self._get(resource, {}).get(resource) or []
        return found

    def _get(self, resource: str, query: Mapping[str, str]) -> Element:
        refuse_in_transaction()
        refused_token = ""
        for attempt in range(1, TRIES + 1):
            self._wait_for_a_call()
            answer = self._ask(resource, query, self._access(refused_token))
            if answer is not None and answer.status_code == httpx2.codes.OK:
                found: Element = json.loads(answer.content, parse_float=Decimal, object_hook=_slim)
                return found
            refused_token = self._judge(answer, refused_token)
            if attempt < TRIES and not refused_token:
                time.sleep(0.3 * attempt)
        raise XeroBusy("it didn't answer")

    def _access(self, refused: str) -> str:
        try:
            self._token = access_token(self._consent, not_this=refused)
        except NotConnected as fault:
            raise NeedsReconnecting(self._connection.organisation, explain(fault)) from fault
        except TryLater as fault:
            if fault.problem == APP_REFUSED:
                raise AppRefused from fault
            raise XeroBusy("the access token is being renewed") from fault
        return self._token

    def _wait_for_a_call(self) -> None:
        while True:
            try:
                self._budget.take(person=self._for_a_person)
            except TryLater as limit:
                if limit.seconds > LONGEST_WAIT:
                    zone = ZoneInfo(self._connection.supplier.time_zone)
                    until = (clock.now() + timedelta(seconds=limit.seconds)).astimezone(zone)
                    raise XeroBusy("its limit of calls is used up", until) from limit
                time.sleep(limit.seconds + 0.05)
            else:
                return

    def _ask(self, resource: str, query: Mapping[str, str], token: str) -> httpx2.Response | None:
        """One call; None when no whole answer came."""
        headers = {
            "Authorization": f"Bearer {token}",
            "Xero-Tenant-Id": self._connection.tenant,
            "Accept": "application/json",
        }
        at, answer = clock.now(), None
        began = time.monotonic()
        try:
            answer = self._http.get(f"{endpoints().api}/api.xro/2.0/{resource}", params=query, headers=headers)
        except httpx2.TransportError:
            self._budget.give_back({}, None)
        else:
            self._budget.give_back(answer.headers, answer.status_code)
        self._budget.flush()
        Call.objects.create(
            connection=self._connection,
            at=at,
            method="GET",
            path=f"/api.xro/2.0/{resource}",
            query=str(httpx2.QueryParams(query))[:500],
            seconds=time.monotonic() - began,
            status=answer.status_code if answer is not None else None,
            outcome="ok" if answer is not None and answer.is_success else "try-later",
        )
        return answer

    def _judge(self, answer: httpx2.Response | None, refused_token: str) -> str:
        """What an answer that isn't one means: the token not to use again, or "" to simply try again; or it raises."""
        status = answer.status_code if answer is not None else 0
        if status == httpx2.codes.UNAUTHORIZED and not refused_token:
            return self._token
        if status in {httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN}:
            why = "the organisation was disconnected in Xero" if status == httpx2.codes.FORBIDDEN else "no valid token"
            raise NeedsReconnecting(self._connection.organisation, why)
        limited = status == httpx2.codes.TOO_MANY_REQUESTS  # the budget then says how long to wait
        if answer is not None and answer.is_client_error and not limited:
            raise XeroRefused(f"reading the books, it answered {status}: {answer.text[:200]}")
        return ""


def read_moment(text: Any) -> datetime | None:
    """Xero's `/Date(1539993600000+0000)/`, or an ISO time, in UTC; the offset inside never changes the instant."""
    text = str(text or "")
    if text.startswith("/Date("):
        digits = text.removeprefix("/Date(").rstrip("/)")
        milliseconds = int(digits[0] + digits[1:].replace("-", "+").split("+")[0])
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_day(text: Any) -> date | None:
    """A business date: Xero writes it as midnight in UTC."""
    moment = read_moment(text)
    return moment.date() if moment else None
