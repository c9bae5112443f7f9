"""Reading back what Xero knows of money: what changed since last time, in as few calls as there can be.

Invoices are read often, their payments come along; credits rarely, or when an invoice shows one that is new. A page
holds 1,000 and is sought by time, so what moves meanwhile comes again later instead of being missed. Readings overlap
by minutes. How far was read is kept only once all of it is recorded, and not beyond what is still in doubt: whoever
dies reads it again, and nothing is recorded twice.

A webhook makes a reading come sooner, and so does a person; nothing depends on either. The day's calls set the pace.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from provender.basics import clock
from provender.sync.connections import connected_here
from provender.sync.contacts import hear_of_merges
from provender.sync.errors import LostLease, XeroBusy
from provender.sync.failpoints import Failpoint, reach
from provender.sync.lease import Lease, take_lease
from provender.sync.mirror import OVERLAP, PAGE
from provender.sync.models import Connection, Event, Link
from provender.sync.poll_credits import REFUNDS, note_credit_notes, note_overpayments, note_refunds
from provender.sync.poll_invoices import Tally, note_invoices
from provender.sync.session import Session, asking_for_a_person, note_lost_access, open_session
from provender.sync.side_by_side import side_by_side
from provender.xero import NotConnected, Refused, TryLater, wire
from provender.xero.wire import Page

log = logging.getLogger(__name__)
POLL = "poll"  # the engine's job; config registers it
DAY = timedelta(days=1)
LONGEST_WAIT = timedelta(hours=3)
SHARE = 4  # of the calls that the day has left, one in so many goes to readings
CREDITS_EVERY = timedelta(minutes=30)
AFTER_EVENTS = timedelta(seconds=30)  # events come in swarms, and one reading hears them all
AFTER_REFUSAL = timedelta(minutes=5)
TOLD_OF_MONEY = ("INVOICE", "PAYMENT", "CREDITNOTE", "OVERPAYMENT", "PREPAYMENT")
TOLD_OF_CREDITS = ("CREDITNOTE", "OVERPAYMENT", "PREPAYMENT")

Element = TypeVar("Element", wire.Invoice, wire.CreditNote, wire.Overpayment, wire.Payment)


def poll_due() -> None:
    """The engine's job: read each connection whose turn it is. One connection's trouble leaves the others be."""
    side_by_side(due_connections(clock.database_now()).select_related("supplier"), _poll_safely)


def _poll_safely(connection: Connection) -> None:
    try:
        poll(connection)
    except Exception:  # the worker's loop: a fault nobody foresaw is recorded, and the next connection has its turn
        log.exception("Reading payments back failed", extra={"connection": str(connection.pk)})
        _put_off(connection, AFTER_REFUSAL)


def due_connections(now: datetime) -> QuerySet[Connection]:
    """Connections worth a reading now: by their pace, or because an event came and the last one was a while ago."""
    told = Event.objects.filter(tenant=OuterRef("tenant"), heard_at=None, category__in=TOLD_OF_MONEY)
    rested = Q(polled_at=None) | Q(polled_at__lte=now - AFTER_EVENTS)
    return connected_here().filter(
        Q(poll_after=None) | Q(poll_after__lte=now) | (Exists(told) & rested),
        Q(lease_until=None) | Q(lease_until__lte=now),
        Q(parked_until=None) | Q(parked_until__lte=now),
        mark_as_paid=True,
    )


def poll(connection: Connection) -> Tally | None:
    """One reading in the background; None when another works on the connection, or Xero asks to wait."""
    lease = take_lease(connection.pk)
    if lease is None:
        return None
    connection.refresh_from_db()
    try:
        with open_session(connection) as session:
            return _read(session, lease)
    except LostLease:
        return None
    except TryLater as fault:
        _put_off(connection, timedelta(seconds=fault.seconds))
    except NotConnected as fault:
        note_lost_access(connection, fault)
    except Refused as fault:
        log.warning("Xero refused a reading: %s", fault)
        _put_off(connection, AFTER_REFUSAL)
    finally:
        lease.release()
    return None


def check_now(connection: Connection) -> Tally:
    """The same for a person who waits, from what is kept back for people; credits too.

    Raises XeroBusy (also while a drain is at work), NotConnectedHere, NeedsReconnecting, XeroRefused.
    """
    with _leased(connection) as lease, asking_for_a_person(connection) as session:
        return _read(session, lease, person=True)


def check_invoice(connection: Connection, xero_id: str) -> Tally:
    """One invoice as Xero has it now, for a person: one call, a few more when it shows a new credit.

    Raises what `check_now` does.
    """
    with _leased(connection) as lease, asking_for_a_person(connection) as session:
        tally = Tally()
        page = session.client.invoices(1, ids=[xero_id], page_size=PAGE, person=True)
        reach(Failpoint.POLLED)
        _note_invoices(session, page.items, tally, lease)
        if tally.wants_credits:
            _read_credits(session, lease, tally, person=True)
        return tally


@contextmanager
def _leased(connection: Connection) -> Iterator[Lease]:
    """The connection's lease for a person's reading, or XeroBusy."""
    lease = take_lease(connection.pk)
    if lease is None:
        raise XeroBusy("documents are being sent at this moment")
    try:
        connection.refresh_from_db()
        yield lease
    finally:
        lease.release()


def pace(day_left: int | None) -> timedelta:
    """How long until the next reading, so that all of them take at most a share of what the day has left.

    Xero tells what is left, not until when: it is taken to have to last for a day from now.
    """
    base = timedelta(seconds=settings.XERO_POLL_SECONDS)
    if day_left is None:
        return base
    spare = (day_left - settings.XERO_KEEP_BACK_DAY) / SHARE
    return min(LONGEST_WAIT, max(base, DAY / spare)) if spare > 0 else LONGEST_WAIT


def _read(session: Session, lease: Lease, *, person: bool = False) -> Tally:
    connection, tally = session.connection, Tally()
    asked_at = clock.database_now()
    _read_invoices(session, lease, tally, person=person)
    if person or tally.wants_credits or _credits_are_due(connection, asked_at):
        _read_credits(session, lease, tally, person=person)
    session.flush()
    day_left = Connection.objects.values_list("day_left", flat=True).get(pk=connection.pk)
    with transaction.atomic():
        lease.fence()
        events = Event.objects.filter(tenant=connection.tenant, heard_at=None, received_at__lte=asked_at)
        events.update(heard_at=asked_at)
        Connection.objects.filter(pk=connection.pk).update(polled_at=asked_at, poll_after=asked_at + pace(day_left))
    reach(Failpoint.READ_ON)
    return tally


def _credits_are_due(connection: Connection, now: datetime) -> bool:
    read_at = connection.credits_read_at
    if read_at is None or now - read_at >= max(CREDITS_EVERY, 6 * pace(connection.day_left)):
        return True
    told = Event.objects.filter(tenant=connection.tenant, heard_at=None, category__in=TOLD_OF_CREDITS)
    return told.exists()


def _read_invoices(session: Session, lease: Lease, tally: Tally, *, person: bool) -> None:
    """From where the last reading ended; the first one from the day on which we first sent anything."""
    connection = session.connection
    since = connection.invoices_read_to
    if since is None:
        first = Link.objects.filter(connection=connection, kind="invoice", sent_at__isnull=False).order_by("sent_at")
        since = first.values_list("sent_at", flat=True).first()
    if since is None:
        return  # nothing of ours is there

    def ask(page: int, after: datetime) -> Page[wire.Invoice]:
        return session.client.invoices(
            page, modified_since=after, where='Type=="ACCREC"', order="UpdatedDateUTC", page_size=PAGE, person=person
        )

    def keep(reached: datetime) -> None:
        doubtful = [at for one in tally.in_doubt if (at := one.updated_date_utc)]
        _keep(lease, invoices_read_to=min([reached, *doubtful]))

    _seek(ask, since, lambda found: _note_invoices(session, found, tally, lease), keep)


def _note_invoices(session: Session, found: Sequence[wire.Invoice], tally: Tally, lease: Lease) -> None:
    ids = [(one.invoice_id or "").lower() for one in found]
    mine = Link.objects.filter(connection=session.connection, kind="invoice", xero_id__in=ids)
    links = {link.xero_id.lower(): link for link in mine}
    hear_of_merges(session, ((links.get((one.invoice_id or "").lower()), one) for one in found))
    note_invoices(session.connection, found, tally, lease.fence)


def _read_credits(session: Session, lease: Lease, tally: Tally, *, person: bool) -> None:
    """Credit notes, overpayments, and refunds where a credit note of ours is there: a call each when little changed."""
    connection, client, asked_at = session.connection, session.client, clock.database_now()
    since = connection.credits_read_to or connection.connected_at
    fence = lease.fence

    def notes(page: int, after: datetime) -> Page[wire.CreditNote]:
        where = 'Type=="ACCRECCREDIT"'
        return client.credit_notes(page, modified_since=after, where=where, order="UpdatedDateUTC", person=person)

    def overpayments(page: int, after: datetime) -> Page[wire.Overpayment]:
        return client.overpayments(page, modified_since=after, order="UpdatedDateUTC", person=person)

    def refunds(page: int, after: datetime) -> Page[wire.Payment]:
        return client.payments(page, modified_since=after, where=REFUNDS, order="UpdatedDateUTC", person=person)

    _seek(notes, since, lambda found: note_credit_notes(connection, found, tally, fence))
    _seek(overpayments, since, lambda found: note_overpayments(connection, found, fence))
    if Link.objects.filter(connection=connection, kind="credit_note").exists():
        _seek(refunds, since, lambda found: note_refunds(connection, found, tally, fence))
    _keep(lease, credits_read_to=asked_at, credits_read_at=asked_at)


def _seek(
    ask: Callable[[int, datetime], Page[Element]],
    since: datetime,
    note: Callable[[Sequence[Element]], None],
    keep: Callable[[datetime], None] = lambda _reached: None,
) -> None:
    """Page after page of what changed since, oldest first, each asked for from the end of the one before it.

    What changes meanwhile moves to the end, and so comes again; pages counted from one start would then skip others.
    """
    after, page = since - OVERLAP, 1
    while True:
        asked_at = clock.database_now()
        answer = ask(page, after)
        reach(Failpoint.POLLED)
        note(answer.items)
        if page >= answer.page_count or not answer.items:
            return keep(asked_at)
        reached = max((at for one in answer.items if (at := one.updated_date_utc)), default=after)
        keep(min(reached, asked_at))
        # Whether the time asked for is included isn't known: a second earlier it is.
        if reached - timedelta(seconds=1) > after:
            after, page = reached - timedelta(seconds=1), 1
        else:  # a thousand in one second: there is no other way than on
            page += 1


def _keep(lease: Lease, **reached: datetime) -> None:
    with transaction.atomic():
        lease.fence()
        Connection.objects.filter(pk=lease.connection).update(**reached)
    reach(Failpoint.READ_ON)


def _put_off(connection: Connection, by: timedelta) -> None:
    Connection.objects.filter(pk=connection.pk).update(poll_after=clock.database_now() + by)
