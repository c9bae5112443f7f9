"""What is due to go to Xero: read from the outbox, by the rules of the automatic setting."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from provender.changes.models import GOING, UNSETTLED, Change
from provender.payments.models import Allocation, Payment
from provender.sync.connections import connected_here
from provender.sync.models import Connection, Dispatch, DispatchDocument, Link, Problem


def changed_kinds(connection: Connection) -> set[str]:
    """The kinds of which a document changed that Xero hasn't heard of, whether it may go or not."""
    unsettled = Change.objects.filter(UNSETTLED, supplier=connection.supplier_id)
    return set(unsettled.order_by().values_list("kind", flat=True).distinct())


def due_changes(connection: Connection, kind: str) -> QuerySet[Change]:
    """Changes of that kind that may go now: not parked, not in an open dispatch, and let go.

    What a person or a command asked for goes always. By itself goes, with automatic sync on, what was raised here
    after it was switched on and what is in Xero already; imported documents wait to be asked for.
    """
    going = Change.objects.filter(GOING, may_go(connection), supplier=connection.supplier_id, kind=kind)
    open_ = DispatchDocument.objects.filter(connection=connection, kind=kind, document=OuterRef("document"))
    return going.exclude(Exists(open_))


def may_go(connection: Connection) -> Q:
    """The condition on a change by which it is let go."""
    asked = Q(asked_at__isnull=False)
    if not connection.automatic_sync:
        return asked
    linked = Exists(Link.objects.filter(connection=connection, kind=OuterRef("kind"), document=OuterRef("document")))
    return asked | Q(linked) | Q(imported=False, first_at__gte=connection.automatic_since)


def due_revisions(connection: Connection, kind: str, limit: int) -> dict[UUID, int]:
    """Document → the revision to build, oldest change first."""
    rows = due_changes(connection, kind).order_by("changed_at", "pk").values_list("document", "revision")[:limit]
    return dict(rows)


def with_moving_money(connection: Connection, kind: str) -> set[UUID]:
    """Invoices or credit notes whose money is still to be taken out in Xero: till then it lets nobody change them."""
    going = Change.objects.filter(GOING, supplier=connection.supplier_id)
    if not going.filter(kind__in=("payment", "allocation", "payout")).exists():
        return set()  # mostly so, and the questions below take longer to put together

    def moving(kind: str) -> QuerySet[Change, UUID]:
        return going.filter(kind=kind).values_list("document", flat=True)

    deposited = Link.objects.filter(connection=connection, kind="payout", document__in=moving("payout"))
    deposits = deposited.exclude(status="DELETED").values_list("document", flat=True)
    payments = Payment.objects.filter(Q(pk__in=moving("payment")) | Q(payout__in=deposits))
    allocations = Allocation.objects.filter(pk__in=moving("allocation"))
    return {
        pk
        for pk in (
            *payments.filter(removed_at__isnull=False).values_list(kind, flat=True),
            *allocations.filter(removed_at__isnull=False).values_list(kind, flat=True),
        )
        if pk
    }


def in_motion(connection: Connection, kind: str, documents: Iterable[UUID]) -> set[UUID]:
    """Those of these invoices or credit notes that Xero doesn't have yet as they are here: money for them waits."""
    wanted = list(documents)
    mine = Change.objects.filter(supplier=connection.supplier_id, kind=kind, document__in=wanted)
    going = mine.filter(GOING, may_go(connection))
    doubtful = DispatchDocument.objects.filter(connection=connection, kind=kind, document__in=wanted)
    return {
        *going.values_list("document", flat=True),
        *doubtful.values_list("document", flat=True),
        *with_moving_money(connection, kind).intersection(wanted),
    }


def held_back(connection: Connection, kind: str) -> QuerySet[Change]:
    """Invoices or credit notes whose newest version waits for a person.

    Single payments and credits wait with them: they would close the older version in Xero to edits.
    """
    asked = Problem.objects.filter(connection=connection, kind=kind, document=OuterRef("document"), solved_at=None)
    parked = Change.objects.filter(UNSETTLED, supplier=connection.supplier_id, kind=kind)
    return parked.filter(parked__gte=F("revision")).filter(Exists(asked))


def connections_with_work(now: datetime) -> QuerySet[Connection]:
    """Connections worth a drain now: connected, not waiting for Xero's limits, with changes or doubts."""
    changes = Change.objects.filter(GOING, supplier=OuterRef("supplier"))
    doubts = Dispatch.objects.filter(connection=OuterRef("pk"), next_try_at__lte=now)
    return (
        connected_here()
        .filter(Q(drain_after=None) | Q(drain_after__lte=now))
        .filter(Q(lease_until=None) | Q(lease_until__lte=now))
        .filter(Exists(changes) | Exists(doubts))
    )
