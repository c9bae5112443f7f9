"""Empties one connection's outbox: doubts first, then removals, then kind by kind, with a barrier between kinds.

The engine runs `drain_due` every few seconds and after each commit that posts a change. Only the newest state of a
document is ever built. A drain may die anywhere: what it had committed is enough for the next one.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from provender.basics import clock
from provender.changes.actions import ask
from provender.changes.models import UNSETTLED, Change
from provender.sync import contacts as contact_room
from provender.sync import deposits, lined, money
from provender.sync.dispatching import Parcel
from provender.sync.documents import CREDIT_NOTES, INVOICES, Lined, batches
from provender.sync.due import changed_kinds, connections_with_work, due_revisions, with_moving_money
from provender.sync.errors import LostLease
from provender.sync.failpoints import Failpoint, reach
from provender.sync.lease import Lease, take_lease
from provender.sync.mirror import freshen_chart, freshen_tracking, read_contacts
from provender.sync.models import Connection, Link, Problem
from provender.sync.problems import close_problems
from provender.sync.recording import note_troubles, settle_revisions
from provender.sync.recovery import recover
from provender.sync.session import Session, note_lost_access, open_session
from provender.sync.side_by_side import side_by_side
from provender.sync.terms import keep_terms
from provender.sync.work import ROUND, Progress, Work, without
from provender.xero import NotConnected, Refused, TryLater

log = logging.getLogger(__name__)


def drain_due() -> None:
    """The engine's job: drain each connection that has something due. One connection's trouble leaves the others be."""
    side_by_side(connections_with_work(clock.database_now()).select_related("supplier"), _drain_safely)


def _drain_safely(connection: Connection) -> None:
    try:
        drain(connection)
    except Exception:  # the worker's loop: a fault nobody foresaw is recorded, and the next connection has its turn
        log.exception("The drain of a connection failed", extra={"connection": str(connection.pk)})
        until = clock.database_now() + timedelta(seconds=30)
        Connection.objects.filter(pk=connection.pk).update(drain_after=until, drain_why="")


def drain(connection: Connection, progress: Progress = lambda _count: None) -> bool:
    """Send everything of this connection that is due, and settle doubts whose turn it is.

    Returns False when another drain holds the lease or Xero asks to wait; what is left stays due.
    """
    lease = take_lease(connection.pk)
    if lease is None:
        return False
    connection.refresh_from_db()
    try:
        with open_session(connection) as session:
            return _drain(session, lease, progress)
    except LostLease:
        return False
    finally:
        lease.release()


def _drain(session: Session, lease: Lease, progress: Progress) -> bool:
    try:
        work = Work(session, lease, progress)
        while _round(work):
            session.flush()
    except TryLater as fault:
        until = clock.database_now() + timedelta(seconds=fault.seconds)
        held = Connection.objects.filter(pk=lease.connection, lease_epoch=lease.epoch)
        held.update(drain_after=until, drain_why=fault.problem)
        return False
    except NotConnected as fault:
        note_lost_access(session.connection, fault)
        return False
    except Refused as fault:
        log.warning("Xero refused a look-up: %s", fault)
        until = clock.database_now() + timedelta(minutes=5)
        Connection.objects.filter(pk=lease.connection).update(drain_after=until, drain_why="")
        return False
    Connection.objects.filter(pk=lease.connection).update(
        last_checked_at=clock.database_now(), drain_after=None, drain_why="", app_refused_at=None
    )
    return True


def _round(work: Work) -> bool:
    """Doubts, customers' news, then step by step, once each; whether anything came of it."""
    settled = recover(work.session, work.lease)
    kinds = changed_kinds(work.connection)
    if "contact" in kinds:
        _hear_of_customers(work)
    return settled + sum(step(work) for of, step in STEPS if of & kinds) > 0


def _send(work: Work, kind: Lined) -> int:
    """Documents of one kind, with the contacts that they need."""
    due = due_revisions(work.connection, kind.kind, ROUND)
    if not due:
        return 0
    due = without(due, with_moving_money(work.connection, kind.kind))
    freshen_chart(work.session)
    freshen_tracking(work.session)
    customers = dict(kind.open(work.connection).filter(pk__in=due).values_list("pk", "customer_id"))
    return _find_contacts(work, set(customers.values())) + lined.send(work, kind, due, customers)


def _hear_of_customers(work: Work) -> None:
    """A customer that was renamed: nothing is written to its contact, but what waited for it is tried again.

    Nothing comes of it for Xero: whether there is more to do, the rest of the round tells.
    """
    news = Change.objects.filter(UNSETTLED, supplier=work.connection.supplier_id, kind="contact")
    heard = list(news.values_list("document", "revision")[:ROUND])
    if not heard:
        return
    with transaction.atomic():
        work.lease.fence()
        release_customers(work.connection, dict(heard), "the customer was changed")
        settle_revisions(work.connection, "contact", heard)
    reach(Failpoint.SETTLED)


def _find_contacts(work: Work, customers: Iterable[UUID]) -> int:
    """Match or create the contacts of these customers."""
    needed = set(customers)
    needed -= contact_room.linked_contacts(work.connection, needed).keys()
    needed -= set(lined.contact_problems(work, needed))
    if not needed:
        return 0
    read_contacts(work.session)
    plan = contact_room.plan_contacts(work.connection, needed)
    if plan.matched or plan.troubles:
        with transaction.atomic():
            work.lease.fence()
            _link_matched(work.connection, plan.matched)
            if plan.matched:
                keep_terms(work.connection, plan.matched)
            note_troubles(work.connection, "contact", plan.troubles, {})
        reach(Failpoint.MATCHED)
    return work.carry(Parcel("contact", "create", parcel) for parcel in batches(plan.create))


def _link_matched(connection: Connection, matched: Mapping[UUID, str]) -> None:
    now = clock.database_now()
    Link.objects.bulk_create(
        [
            Link(
                connection=connection,
                kind="contact",
                document=customer,
                xero_id=contact,
                matched=True,
                status="ACTIVE",
                sent_at=now,
            )
            for customer, contact in matched.items()
        ],
        ignore_conflicts=True,
    )


def release_customers(connection: Connection, customers: Iterable[UUID], how: str) -> int:
    """Contact problems of these customers are over, and the documents that waited for them are tried again."""
    waiting = Problem.objects.filter(connection=connection, customer__in=list(customers), solved_at=None)
    documents = list(waiting.exclude(kind="contact").values_list("document", flat=True))
    close_problems(connection, "contact", customers, how)
    waiting.update(solved_at=clock.database_now(), how=how)
    return ask(Change.objects.filter(supplier=connection.supplier_id, document__in=documents))


STEPS: Sequence[tuple[frozenset[str], Callable[[Work], int]]] = [
    (frozenset({"allocation"}), money.remove_allocations),
    (frozenset({"payment"}), money.remove_payments),
    (frozenset({"payout", "fee"}), deposits.remove),
    (frozenset({"invoice"}), lambda work: lined.remove(work, INVOICES)),
    (frozenset({"credit_note"}), lambda work: lined.remove(work, CREDIT_NOTES)),
    (frozenset({"invoice"}), lambda work: _send(work, INVOICES)),
    (frozenset({"credit_note"}), lambda work: _send(work, CREDIT_NOTES)),
    (frozenset({"allocation"}), money.send_allocations),
    (frozenset({"payment"}), money.send_payments),
    (frozenset({"payout"}), deposits.send_deposits),
    (frozenset({"fee"}), deposits.send_fees),
]
"""Removals, then what is sent, each with the kinds that it looks at: until one of them changes it has nothing to do."""
