"""A working session with one connection's Xero: the client, our budget of calls, and the record of each call."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx2
from django.db import connection as database
from django.db import transaction

from provender.basics import clock
from provender.sync.budget import SharedBudget
from provender.sync.errors import AppRefused, NeedsReconnecting, NotConnectedHere, XeroBusy, XeroRefused, why_busy
from provender.sync.models import Call, Connection
from provender.sync.tokens import APP_REFUSED, TokensUnreadable, access_token, endpoints
from provender.xero import CallRecord, NotConnected, OutcomeUnknown, Refused, TryLater, XeroClient

CALLS_KEPT = timedelta(days=90)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
TOKEN_HELD = timedelta(seconds=5)  # far less than what an access token still lasts when it is given


class _Wire:
    """What carries calls: the network, or in tests the simulator in this process."""

    transport: httpx2.BaseTransport | None = None


def transport() -> httpx2.BaseTransport | None:
    """The transport that tests put in place of the network, or None."""
    return _Wire.transport


@contextmanager
def carried_by(other: httpx2.BaseTransport) -> Iterator[None]:
    """Inside the block every call to Xero goes through `other`."""
    before, _Wire.transport = _Wire.transport, other
    try:
        yield
    finally:
        _Wire.transport = before


def refuse_in_transaction() -> None:
    """A call inside a transaction would hold the database while Xero thinks; it is a mistake of ours."""
    blocks = database.atomic_blocks
    # The mark is Django's own, for the transaction around each test; its durable=True goes by it too.
    if blocks and not getattr(blocks[-1], "_from_testcase", False):
        raise RuntimeError("Xero was called inside a transaction.")


_about: ContextVar[str] = ContextVar("about", default="")


@contextmanager
def telling(numbers: Iterable[str]) -> Iterator[None]:
    """Calls made in the block are written down as being about these documents, so that a number finds them."""
    before = _about.set("\n".join(numbers))
    try:
        yield
    finally:
        _about.reset(before)


@dataclass
class Session:
    """One connection's client and the calls it has made but not written down yet."""

    connection: Connection
    budget: SharedBudget
    client: XeroClient
    calls: deque[tuple[CallRecord, str]] = field(default_factory=deque)
    _token: str = ""
    _asked_at: datetime = LONG_AGO

    def token(self, *, not_this: str = "") -> str:
        """A working access token, asked for anew every few seconds. Raises NotConnected, TryLater."""
        if self.connection.consent_id is None:
            raise NotConnected("invalid_grant", "there is no consent")
        now = clock.now()
        if not_this or not timedelta(0) <= now - self._asked_at < TOKEN_HELD:
            self._token, self._asked_at = access_token(self.connection.consent_id, not_this=not_this), now
        return self._token

    def flush(self) -> None:
        """Write down the calls made and the budget learned; the thread that owns the database does it."""
        self.budget.flush()
        rows = []
        while self.calls:
            record, about = self.calls.popleft()
            rows.append(
                Call(
                    connection=self.connection,
                    at=record.at,
                    method=record.method,
                    path=record.path[:200],
                    query=record.query[:500],
                    seconds=record.seconds,
                    status=record.status,
                    outcome=record.outcome,
                    count=record.count,
                    about=about,
                )
            )
        if rows:
            Call.objects.bulk_create(rows)


@contextmanager
def open_session(connection: Connection) -> Iterator[Session]:
    """A session that writes its calls down at the end, however it ends."""
    calls: deque[tuple[CallRecord, str]] = deque()
    budget = SharedBudget(connection.pk)
    session: Session

    def token() -> str:
        return session.token()

    client = XeroClient(
        endpoints=endpoints(),
        access_token=token,
        tenant_id=connection.tenant,
        budget=budget,
        guard=refuse_in_transaction,
        observe=lambda record: calls.append((record, _about.get())),
        transport=transport(),
    )
    session = Session(connection, budget, client, calls)
    try:
        yield session
    finally:
        session.flush()
        client.close()


@contextmanager
def asking_for_a_person(connection: Connection) -> Iterator[Session]:
    """A session for somebody at the screen: each fault becomes an error with its sentence."""
    refuse_unconnected(connection)
    try:
        with open_session(connection) as session:
            yield session
    except NotConnected as fault:
        note_lost_access(connection, fault)
        raise NeedsReconnecting(connection.organisation, explain(fault)) from fault
    except TryLater as fault:
        if fault.problem == APP_REFUSED:
            raise AppRefused from fault
        until = clock.now() + timedelta(seconds=fault.seconds)
        raise XeroBusy(why_busy(fault.problem), _where(connection, until)) from fault
    except OutcomeUnknown as fault:
        raise XeroBusy("the answer was lost") from fault
    except Refused as fault:
        raise XeroRefused(fault.message) from fault


def _where(connection: Connection, moment: datetime) -> datetime:
    """The moment by the wholesaler's clock."""
    return moment.astimezone(ZoneInfo(connection.supplier.time_zone))


def refuse_unconnected(connection: Connection) -> None:
    """Raise NotConnectedHere, or NeedsReconnecting, unless it is connected."""
    if connection.state == Connection.State.NEEDS_RECONNECTING:
        raise NeedsReconnecting(connection.organisation, connection.state_why)
    if connection.state != Connection.State.CONNECTED:
        raise NotConnectedHere(connection.supplier.name)


def explain(fault: NotConnected) -> str:
    """Why access was lost, in a bookkeeper's words."""
    if isinstance(fault, TokensUnreadable):
        return "the key that opens the access kept here is lost"
    return {
        "expired": "the access token is not accepted",
        "scope": "the consent lacks a permission that is needed",
        "tenant": "the organisation was disconnected in Xero",
        "invalid_grant": "the consent ended or was revoked",
    }[fault.reason]


def note_lost_access(connection: Connection, fault: NotConnected) -> None:
    """Mark the connection as needing a person. Nothing of its documents is touched: changes wait."""
    Connection.objects.filter(pk=connection.pk, state=Connection.State.CONNECTED).update(
        state=Connection.State.NEEDS_RECONNECTING, state_why=explain(fault)
    )


def forget_old_calls() -> int:
    """Delete what the Activity page no longer shows. Returns how many rows went."""
    with transaction.atomic():
        return Call.objects.filter(at__lt=clock.now() - CALLS_KEPT).delete()[0]
