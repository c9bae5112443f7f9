"""Payments, refunds and credits set against invoices on their way to Xero, and out of it again.

Money is made and taken out, never changed. A payment waits for its invoice, a credit for both documents and their
approval: waiting isn't a Problem. What a setting keeps here is settled, since there is nothing to say.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from provender.payments.models import Allocation, Payment
from provender.sync.differences import GONE
from provender.sync.dispatching import Parcel
from provender.sync.documents import UNAPPROVED, Built, Trouble, batches
from provender.sync.due import due_changes, held_back, in_motion
from provender.sync.failpoints import Failpoint, reach
from provender.sync.kinds import marked
from provender.sync.lined import fetch_by_id
from provender.sync.looking import Credit, credits_of, read_allocations
from provender.sync.models import Connection, Link
from provender.sync.problems import note_problem
from provender.sync.recording import note_troubles
from provender.sync.session import telling
from provender.sync.work import ROUND, TAKEN_OUT, Work, some, without
from provender.xero import wire


def _linked(connection: Connection, kind: str, field: str, *, approved: bool) -> Exists:
    """Whether the document that a row names in `field` is in Xero (and no draft there)."""
    twins = Link.objects.filter(connection=connection, kind=kind, document=OuterRef(field))
    return Exists(twins.exclude(status__in=UNAPPROVED) if approved else twins)


def _due(connection: Connection, kind: str, rows: QuerySet[Payment] | QuerySet[Allocation]) -> dict[UUID, int]:
    due = due_changes(connection, kind).filter(document__in=rows.values_list("pk", flat=True))
    return dict(due.order_by("changed_at", "pk").values_list("document", "revision")[:ROUND])


def _ready(
    connection: Connection, rows: QuerySet[Payment] | QuerySet[Allocation], due: Mapping[UUID, int]
) -> dict[UUID, int]:
    """Those whose documents are in Xero as they are here: what is being changed there may have no room for them yet."""
    if not due:
        return {}
    found = list(rows.filter(pk__in=due).values_list("pk", "invoice", "credit_note"))
    moving = in_motion(connection, "invoice", {invoice for _, invoice, _ in found if invoice})
    moving |= in_motion(connection, "credit_note", {credit_note for *_, credit_note in found if credit_note})
    named = {document for _, *documents in found for document in documents if document}
    for kind in ("invoice", "credit_note"):
        moving |= set(held_back(connection, kind).filter(document__in=named).values_list("document", flat=True))
    return without(due, {pk for pk, *documents in found if moving.intersection(documents)})


# --- payments and refunds -----------------------------------------------------------------------------------------


def _payments(connection: Connection) -> QuerySet[Payment]:
    return Payment.objects.filter(supplier=connection.supplier_id)


def payments_to_send(connection: Connection) -> QuerySet[Payment]:
    """Those that go to Xero one by one by the settings, and whose document is there."""
    single = _payments(connection).filter(removed_at=None, source=Payment.Source.HERE)
    wanted = Q(pk__in=())
    if connection.payments_to_xero:
        wanted |= Q(_linked(connection, "invoice", "invoice", approved=False))
    if connection.refunds_to_xero:
        wanted |= Q(_linked(connection, "credit_note", "credit_note", approved=True))
    return single.filter(wanted)


def _stays_here(connection: Connection) -> QuerySet[Payment]:
    """Payments that nobody wants in Xero by themselves: by setting, or because their payout takes them along."""
    stays = ~Q(source=Payment.Source.HERE)
    if not connection.payments_to_xero:
        stays |= Q(invoice__isnull=False)
    if not connection.refunds_to_xero:
        stays |= Q(credit_note__isnull=False)
    return _payments(connection).filter(stays, removed_at=None)


def send_payments(work: Work) -> int:
    """Record in Xero what was paid and paid back here, on the clearing account."""
    connection = work.connection
    settled = work.settle("payment", _due(connection, "payment", _stays_here(connection)), "stays here by setting")
    due = _due(connection, "payment", payments_to_send(connection))
    there = work.live_links("payment", due)
    settled += work.settle("payment", {pk: due[pk] for pk in there}, "in step")
    new = _ready(connection, _payments(connection), without(due, there))
    if not new:
        return settled
    if not connection.clearing_account:
        return settled + _hold(work, "payment", new, "no-clearing-account")
    return settled + work.carry(_payment_parcels(work, new))


def _payment_parcels(work: Work, revisions: Mapping[UUID, int]) -> Iterator[Parcel]:
    rows = _payments(work.connection).filter(pk__in=revisions).select_related("invoice", "credit_note")
    payments = list(rows.order_by("recorded_at", "pk"))
    invoices = work.links("invoice", [row.invoice_id for row in payments if row.invoice_id])
    credit_notes = work.links("credit_note", [row.credit_note_id for row in payments if row.credit_note_id])
    built = [_build_payment(work.connection, row, revisions[row.pk], invoices, credit_notes) for row in payments]
    for parcel in batches(built):
        reach(Failpoint.BUILT)
        yield Parcel("payment", "create", parcel)


def _build_payment(
    connection: Connection,
    payment: Payment,
    revision: int,
    invoices: Mapping[UUID, Link],
    credit_notes: Mapping[UUID, Link],
) -> Built:
    element = {
        "Account": {"AccountID": connection.clearing_account},
        "Date": payment.date,
        "Amount": payment.amount,
        "Reference": marked(payment.reference, payment.pk),
    }
    if payment.invoice_id:
        element["Invoice"] = {"InvoiceID": invoices[payment.invoice_id].xero_id}
    elif payment.credit_note_id:
        element["CreditNote"] = {"CreditNoteID": credit_notes[payment.credit_note_id].xero_id}
    return Built(payment.pk, revision, payment_name(payment), wire.encode_element(element), payment.amount)


def payment_name(payment: Payment) -> str:
    """What people know it by."""
    if payment.credit_note:
        return f"Refund of {payment.credit_note.number}"
    return f"Payment of {payment.invoice.number}" if payment.invoice else "Payment"


def remove_payments(work: Work) -> int:
    """Delete in Xero the payments and refunds that were taken back here."""
    due = _due(work.connection, "payment", _payments(work.connection).filter(removed_at__isnull=False))
    links = work.live_links("payment", due)
    settled = work.settle("payment", without(due, links), "taken back here")
    for handful in some({pk: due[pk] for pk in due if pk in links}):
        with telling(links[pk].number for pk in handful):
            ids = [links[pk].xero_id for pk in handful]
            found = work.session.client.payments(1, where=wire.any_id("PaymentID", ids), page_size=1000).items
        reach(Failpoint.LOOKED)
        there = {(one.payment_id or "").lower() for one in found if one.status != TAKEN_OUT}
        settled += _take_out(work, "payment", handful, links, there, lambda link: f"Payments/{link.xero_id}")
    return settled


# --- credits set against invoices ---------------------------------------------------------------------------------


def _allocations(connection: Connection) -> QuerySet[Allocation]:
    return Allocation.objects.filter(supplier=connection.supplier_id, credit_note__isnull=False)


def allocations_to_send(connection: Connection) -> QuerySet[Allocation]:
    """Those made here whose two documents are in Xero, and approved there as far as we know."""
    return _allocations(connection).filter(
        _linked(connection, "invoice", "invoice", approved=True),
        _linked(connection, "credit_note", "credit_note", approved=True),
        removed_at=None,
        source=Allocation.Source.HERE,
    )


def send_allocations(work: Work) -> int:
    """Set credit notes against invoices in Xero as they are here."""
    connection = work.connection
    due = _due(connection, "allocation", allocations_to_send(connection))
    there = work.live_links("allocation", due)
    settled = work.settle("allocation", {pk: due[pk] for pk in there}, "in step")
    for handful in some(_ready(connection, _allocations(connection), without(due, there))):
        rows = list(_allocations(connection).filter(pk__in=handful).select_related("credit_note", "invoice"))
        credit_notes = _look_at_credits(work, rows)
        invoices = work.links("invoice", [row.invoice_id for row in rows])
        sound = _approved(work, rows, handful, credit_notes)
        settled += len(rows) - len(sound) - sum(_waits(credit_notes[row.credit_note_id]) for row in rows)
        settled += work.carry(_allocation_parcels(sound, handful, credit_notes, invoices))
    return settled


def _look_at_credits(work: Work, rows: Iterable[Allocation]) -> dict[UUID | None, tuple[Link, wire.CreditNote | None]]:
    """The credit notes of these as they stand in Xero now, one call; their links learn the status."""
    links = work.links("credit_note", {row.credit_note_id for row in rows if row.credit_note_id})
    with telling(link.number for link in links.values()):
        found = fetch_by_id(work.session, "credit_note", [link.xero_id for link in links.values()])
    reach(Failpoint.LOOKED)
    there = {(one.credit_note_id or "").lower(): one for one in found if isinstance(one, wire.CreditNote)}
    return {pk: (link, there.get(link.xero_id.lower())) for pk, link in links.items()}


def _waits(looked: tuple[Link, wire.CreditNote | None]) -> bool:
    """A draft in Xero is set against nothing before somebody approved it there."""
    return looked[1] is not None and looked[1].status in UNAPPROVED


def _approved(
    work: Work,
    rows: Iterable[Allocation],
    revisions: Mapping[UUID, int],
    credit_notes: Mapping[UUID | None, tuple[Link, wire.CreditNote | None]],
) -> list[Allocation]:
    """Those whose credit note may be used; one that a person voided in Xero is a Problem."""
    sound = []
    with transaction.atomic():
        work.lease.fence()
        for link, theirs in credit_notes.values():
            Link.objects.filter(pk=link.pk).update(status=(theirs.status or "") if theirs else "DELETED")
        for row in rows:
            _, theirs = credit_notes[row.credit_note_id]
            if theirs is None or theirs.status in GONE:
                words = {"number": allocation_name(row)}
                note_problem(work.connection, "allocation", row.pk, revisions[row.pk], "voided-in-xero", words)
            elif theirs.status not in UNAPPROVED:
                sound.append(row)
    reach(Failpoint.PARKED)
    return sound


def _allocation_parcels(
    rows: Iterable[Allocation],
    revisions: Mapping[UUID, int],
    credit_notes: Mapping[UUID | None, tuple[Link, wire.CreditNote | None]],
    invoices: Mapping[UUID, Link],
) -> Iterator[Parcel]:
    for row in rows:
        link, theirs = credit_notes[row.credit_note_id]
        element = {
            "Invoice": {"InvoiceID": invoices[row.invoice_id].xero_id},
            "Amount": row.amount,
            "Date": row.date,
        }
        # Xero gives an allocation no name of ours: those that were there before can't be this one.
        before = tuple(one.allocation_id or "" for one in theirs.allocations) if theirs else ()
        number, encoded = allocation_name(row), wire.encode_element(element)
        built = Built(row.pk, revisions[row.pk], number, encoded, row.amount, line_keys=before)
        reach(Failpoint.BUILT)
        yield Parcel("allocation", "create", [built], f"CreditNotes/{link.xero_id}/Allocations")


def allocation_name(allocation: Allocation) -> str:
    """What people know it by."""
    return f"{allocation.credit_name} on {allocation.invoice.number}"


def remove_allocations(work: Work) -> int:
    """Take credits off invoices in Xero where that was done here, those of credits too that live in Xero alone."""
    rows = Allocation.objects.filter(supplier=work.connection.supplier_id, removed_at__isnull=False)
    due = _due(work.connection, "allocation", rows)
    links = work.live_links("allocation", due)
    settled = work.settle("allocation", without(due, links), "taken off here")
    for handful in some({pk: due[pk] for pk in due if pk in links}):
        of = credits_of(work.connection, rows.filter(pk__in=handful))
        there = {(one.allocation_id or "").lower() for one in read_allocations(work.session, of.values())}
        reach(Failpoint.LOOKED)
        by_twin = {links[pk].xero_id: of[pk] for pk in handful}

        def address(link: Link, by_twin: Mapping[str, Credit] = by_twin) -> str:
            resource, credit = by_twin[link.xero_id]
            return f"{resource}/{credit}/Allocations/{link.xero_id}"

        settled += _take_out(work, "allocation", handful, links, there, address)
    return settled


# --- both ---------------------------------------------------------------------------------------------------------


def _take_out(
    work: Work,
    kind: str,
    revisions: Mapping[UUID, int],
    links: Mapping[UUID, Link],
    there: set[str],
    address: Callable[[Link], str],
) -> int:
    """Delete these, but for those that a person took out in Xero already."""
    gone = {pk: revision for pk, revision in revisions.items() if links[pk].xero_id.lower() not in there}
    settled = settle_gone(work, kind, gone)
    return settled + work.carry(
        Parcel(kind, "void", [_removal(kind, pk, revision, links[pk])], address(links[pk]))
        for pk, revision in revisions.items()
        if pk not in gone
    )


def settle_gone(work: Work, kind: str, revisions: Mapping[UUID, int]) -> int:
    """A person took these out in Xero already: their links learn it, and nothing is sent."""
    if revisions:
        with transaction.atomic():
            work.lease.fence()
            Link.objects.filter(connection=work.connection, kind=kind, document__in=revisions).update(status=TAKEN_OUT)
        reach(Failpoint.PARKED)
    return work.settle(kind, revisions, "taken out in Xero already")


def _removal(kind: str, pk: UUID, revision: int, link: Link) -> Built:
    reach(Failpoint.BUILT)
    # What a DELETE carries nobody reads; the frozen element says which one it was about.
    element = {"AllocationID": link.xero_id} if kind == "allocation" else {"Status": TAKEN_OUT}
    return Built(pk, revision, link.number, wire.encode_element(element), link.total, link.xero_id)


def _hold(work: Work, kind: str, revisions: Mapping[UUID, int], cause: str) -> int:
    """What can't be sent for a cause of ours; each has its Problem."""
    payments = _payments(work.connection).filter(pk__in=revisions).select_related("invoice", "credit_note")
    numbers = {row.pk: payment_name(row) for row in payments}
    with transaction.atomic():
        work.lease.fence()
        note_troubles(
            work.connection, kind, [Trouble(pk, revision, cause) for pk, revision in revisions.items()], numbers
        )
    reach(Failpoint.PARKED)
    return len(revisions)
