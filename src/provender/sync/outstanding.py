"""What goes to Xero by itself and hasn't gone yet: the number behind "waits to be sent".

Documents count while they may go. Money counts once nothing but Xero is in its way: its documents are there, or on
their way themselves. What waits for a person (a draft to be approved, a Problem) isn't counted, nor what a setting
keeps here.
"""

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from provender.changes.models import GOING, Change
from provender.payments.models import Allocation, Payment, Payout
from provender.sync.documents import UNAPPROVED
from provender.sync.due import changed_kinds, held_back, may_go
from provender.sync.models import Connection, Link

LINED = ("invoice", "credit_note")


def outstanding(connection: Connection) -> QuerySet[Change]:
    """Those changes, one for each document, in doubt or not yet sent; two queries for any number.

    It asks only about kinds of which something changed, mostly none or one: to put all of it together takes longer than
    drawing a page.
    """
    kinds = changed_kinds(connection)
    if not kinds:
        return Change.objects.none()
    mine = {"supplier": connection.supplier_id}
    linked = Exists(_links(connection, OuterRef("kind"), "document"))
    wanted = Q(kind__in=LINED)
    if kinds & {"payment", "allocation"}:
        taken_out = Exists(Payment.objects.filter(pk=OuterRef("document"), removed_at__isnull=False)) | Exists(
            Allocation.objects.filter(pk=OuterRef("document"), removed_at__isnull=False)
        )
        wanted |= Q(taken_out, linked, kind__in=("payment", "allocation"))
    if "payment" in kinds:
        payments = Payment.objects.filter(**mine, pk=OuterRef("document"), source=Payment.Source.HERE, removed_at=None)
        wanted |= Q(Exists(payments.filter(_payments_wanted(connection))), ~linked, kind="payment")
    if "allocation" in kinds:
        allocations = Allocation.objects.filter(
            **mine, pk=OuterRef("document"), source=Allocation.Source.HERE, removed_at=None
        )
        ready = _ready(connection, "invoice"), _ready(connection, "credit_note")
        wanted |= Q(Exists(allocations.filter(*ready)), ~linked, kind="allocation")
    closed = Payout.objects.filter(**mine, pk=OuterRef("document"), state=Payout.State.CLOSED, undone_at=None)
    if "payout" in kinds and connection.auto_reconcile:
        wanted |= Q(Exists(closed), kind="payout")
    if "fee" in kinds and connection.fee_account:
        deposited = Exists(_links(connection, "payout", "document"))
        wanted |= Q(Exists(closed.filter(fee__gt=0)), deposited, kind="fee")
    if kinds & {"payout", "fee"}:
        wanted |= Q(linked, kind__in=("payout", "fee"))
    return unsettled(connection).filter(wanted)


def count_outstanding(connection: Connection) -> dict[str, int]:
    """Kind → how many of it are outstanding, for those that have any."""
    counted = outstanding(connection).order_by().values("kind").annotate(count=Count("pk"))
    return {row["kind"]: row["count"] for row in counted}


def unsettled(connection: Connection) -> QuerySet[Change]:
    """What changed since Xero heard of it and may go, of whatever kind."""
    return Change.objects.filter(GOING, may_go(connection), supplier=connection.supplier_id)


def _links(connection: Connection, kind: OuterRef | str, field: str) -> QuerySet[Link]:
    """The live twin of the document that the outer row names."""
    return Link.objects.filter(connection=connection, kind=kind, document=OuterRef(field)).exclude(status="DELETED")


def _payments_wanted(connection: Connection) -> Q:
    wanted = Q(pk__in=())
    if connection.payments_to_xero:
        wanted |= _ready(connection, "invoice", approved=False)
    if connection.refunds_to_xero:
        wanted |= _ready(connection, "credit_note")
    return wanted


def _ready(connection: Connection, kind: str, *, approved: bool = True) -> Q:
    """The condition on money that its invoice or credit note is in Xero, or goes there by itself."""
    there = _links(connection, kind, kind)
    if approved:
        there = there.exclude(status__in=UNAPPROVED)
    coming = unsettled(connection).filter(kind=kind, document=OuterRef(kind))
    held = held_back(connection, kind).filter(document=OuterRef(kind))
    return Q(Exists(there) | Exists(coming), ~Exists(held))
