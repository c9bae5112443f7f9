"""Credit in Xero: our credit notes as they stand there, and what a contact has that lives in Xero alone.

An invoice says that a credit settled a part of it; the credit itself says by which allocation, what is left of it, and
what of it was paid back. This is read rarely, and at once when an invoice shows a credit that wasn't met before.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

import msgspec
from django.db import transaction

from provender.basics import clock
from provender.basics.money import ZERO
from provender.changes.actions import settle
from provender.changes.models import Change
from provender.invoicing.models import CreditNote
from provender.payments.actions import refund_credit
from provender.payments.models import Allocation, Payment
from provender.sync.differences import GONE
from provender.sync.documents import UNAPPROVED
from provender.sync.failpoints import Failpoint, reach
from provender.sync.models import Connection, CreditInXero, DispatchDocument, Link, Problem
from provender.sync.poll_invoices import DECIDED, Tally, lose, read_mark
from provender.sync.problems import close_problems, note_problem
from provender.xero import wire

Fence = Callable[[], None]
Held = TypeVar("Held", wire.CreditNote, wire.Overpayment)
REFUNDS = 'PaymentType=="ARCREDITPAYMENT"'


def note_credit_notes(connection: Connection, elements: Sequence[wire.CreditNote], tally: Tally, fence: Fence) -> None:
    """Our own learn their state and the ids of their allocations; the others are mirrored with what is left of them."""
    links = _links(connection, "credit_note", (one.credit_note_id for one in elements))
    others = [one for one in elements if (one.credit_note_id or "").lower() not in links]
    _mirror(
        connection,
        [_credit(connection, one, one.credit_note_id, f"Credit note {one.credit_note_number or ''}") for one in others],
        fence,
    )
    for one in elements:
        if link := links.get((one.credit_note_id or "").lower()):
            _note_own(connection, link, one, tally, fence)
    _name_allocations(connection, elements, fence)


def note_overpayments(connection: Connection, elements: Sequence[wire.Overpayment], fence: Fence) -> None:
    """What customers paid too much, with what is left of it."""
    received = [one for one in elements if one.type in {None, "RECEIVE-OVERPAYMENT"}]
    _mirror(connection, [_credit(connection, one, one.overpayment_id, "Overpayment") for one in received], fence)
    _name_allocations(connection, received, fence)


def note_refunds(connection: Connection, elements: Sequence[wire.Payment], tally: Tally, fence: Fence) -> None:
    """Money that was paid back in Xero out of our credit notes, and refunds that were taken back there."""
    known = _links(connection, "payment", (one.payment_id for one in elements))
    notes = _links(connection, "credit_note", (_refunded(one) for one in elements))
    for one in elements:
        link = known.get((one.payment_id or "").lower())
        note = notes.get(_refunded(one).lower())
        if link is not None and one.status == "DELETED":
            _lose_refund(connection, link, tally, fence)
        elif link is None and note is not None and one.status != "DELETED":
            _note_refund(connection, note, one, tally, fence)


def _refunded(one: wire.Payment) -> str:
    """The credit note that a refund is of; Xero gives it the place of the invoice."""
    if one.credit_note and one.credit_note.credit_note_id:
        return one.credit_note.credit_note_id
    return (one.invoice.invoice_id if one.invoice else "") or ""


def _note_refund(connection: Connection, note: Link, one: wire.Payment, tally: Tally, fence: Fence) -> None:
    if one.amount is None:
        raise ValueError(f"a refund of {note.number} has no amount")
    with transaction.atomic():
        fence()
        credit_note = CreditNote.objects.select_related("supplier").get(
            supplier=connection.supplier_id, pk=note.document
        )
        row = _unlinked_refund(connection, credit_note, one)
        in_doubt = DispatchDocument.objects.filter(connection=connection, kind="payment")
        if row is not None and in_doubt.filter(document=row.pk).exists():
            return  # its recovery finds it
        if row is None:
            row = refund_credit(
                credit_note,
                amount=one.amount,
                date=one.date or clock.today(credit_note.supplier.time_zone),
                source=Payment.Source.XERO,
                method=Payment.Method.OTHER,
                reference=(one.reference or "").replace("\0", "")[:200],
            )
        _settle(connection, "payment", row.pk)
        Link.objects.create(
            connection=connection,
            kind="payment",
            document=row.pk,
            xero_id=one.payment_id or "",
            number=credit_note.number,
            status="AUTHORISED",
            total=one.amount,
        )
    tally.payments += 1
    reach(Failpoint.NOTED)


def _unlinked_refund(connection: Connection, credit_note: CreditNote, one: wire.Payment) -> Payment | None:
    """A refund of ours that Xero's may be, by our mark or by its amount."""
    rows = Payment.objects.filter(credit_note=credit_note, removed_at=None)
    linked = Link.objects.filter(connection=connection, kind="payment", document__in=rows.values("pk"))
    mark = read_mark(one.reference)
    free = rows.exclude(pk__in=linked.values("document"))
    return next((row for row in free if row.pk == mark or row.amount == one.amount), None)


def _lose_refund(connection: Connection, link: Link, tally: Tally, fence: Fence) -> None:
    mine = Payment.objects.filter(supplier=connection.supplier_id, removed_at=None).select_related("credit_note")
    row = mine.filter(pk=link.document).first()
    if row is None or row.credit_note is None:
        return
    with transaction.atomic():
        fence()
        lose(connection, row, "payment", row.credit_note, tally)
    reach(Failpoint.NOTED)


def _note_own(connection: Connection, link: Link, one: wire.CreditNote, tally: Tally, fence: Fence) -> None:
    """Its status; voided there while it is open here is a person's question."""
    credit_note = CreditNote.objects.filter(supplier=connection.supplier_id, pk=link.document).first()
    if credit_note is None:
        return
    gone = one.status in GONE
    asks = gone and credit_note.status == CreditNote.Status.OPEN and not _is_moving(connection, link)
    if (one.status or "") == link.status and not asks:
        return
    with transaction.atomic():
        fence()
        Link.objects.filter(pk=link.pk).update(status=one.status or "")
        if asks and not _was_asked(connection, link):
            shown = msgspec.json.encode(one).decode()
            words, revision = {"number": credit_note.number}, _revision(connection, link)
            note_problem(connection, "credit_note", link.document, revision, "voided-in-xero", words, shown=shown)
            tally.questions += 1
    reach(Failpoint.NOTED)


def _is_moving(connection: Connection, link: Link) -> bool:
    on_the_way = DispatchDocument.objects.filter(connection=connection, kind=link.kind, document=link.document)
    change = _change(connection, link)
    return on_the_way.exists() or (change is not None and change.is_going)


def _was_asked(connection: Connection, link: Link) -> bool:
    """Whether it is asked already, or a person let it be."""
    about = Problem.objects.filter(connection=connection, kind=link.kind, document=link.document)
    decided = about.filter(cause="voided-in-xero", how__in=DECIDED, revision=_revision(connection, link))
    return about.filter(solved_at=None).exists() or decided.exists()


def _change(connection: Connection, link: Link) -> Change | None:
    return Change.objects.filter(supplier=connection.supplier_id, kind=link.kind, document=link.document).first()


def _revision(connection: Connection, link: Link) -> int:
    change = _change(connection, link)
    return change.revision if change else 0


# --- what both have in common -------------------------------------------------------------------------------------


def _links(connection: Connection, kind: str, ids: Iterable[str | None]) -> dict[str, Link]:
    wanted = [one.lower() for one in ids if one]
    rows = Link.objects.filter(connection=connection, kind=kind, xero_id__in=wanted)
    return {link.xero_id.lower(): link for link in rows}


def _credit(connection: Connection, one: Held, credit_id: str | None, name: str) -> CreditInXero:
    if not credit_id or one.total is None or one.remaining_credit is None:
        raise ValueError(f"{name} has no id or no amount")
    gone = one.status in GONE
    return CreditInXero(
        connection=connection,
        credit_id=credit_id.lower(),
        name=name.strip()[:100],
        contact_id=((one.contact.contact_id if one.contact else "") or "").lower(),
        currency=one.currency_code or "",
        date=one.date,
        total=one.total,
        remaining=_usable(one.status, one.remaining_credit) if not gone else ZERO,
    )


def _usable(status: str | None, remaining: Decimal) -> Decimal:
    """A draft gives nothing yet."""
    return ZERO if status in UNAPPROVED else remaining


def _mirror(connection: Connection, rows: Sequence[CreditInXero], fence: Fence) -> None:
    if not rows:
        return
    with transaction.atomic():
        fence()
        CreditInXero.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["connection", "credit_id"],
            update_fields=["name", "contact_id", "currency", "date", "total", "remaining"],
            batch_size=200,
        )
        # One that was mirrored before it was known as ours.
        own = Link.objects.filter(connection=connection, kind="credit_note").values("xero_id")
        CreditInXero.objects.filter(connection=connection, credit_id__in=own).delete()
    reach(Failpoint.NOTED)


def _name_allocations(connection: Connection, elements: Sequence[Held], fence: Fence) -> None:
    """Rows that an invoice showed learn their allocation's id, so that they can be undone here too."""
    shown = [(one, allocation) for one in elements for allocation in one.allocations if allocation.allocation_id]
    known = _links(connection, "allocation", (allocation.allocation_id for _, allocation in shown))
    new = [(one, allocation) for one, allocation in shown if (allocation.allocation_id or "").lower() not in known]
    notes = _links(connection, "credit_note", (_id_of(one) for one, _ in new))
    invoices = _links(
        connection, "invoice", (allocation.invoice.invoice_id for _, allocation in new if allocation.invoice)
    )
    for one, allocation in new:
        invoice = invoices.get(((allocation.invoice.invoice_id if allocation.invoice else "") or "").lower())
        if invoice is None or allocation.amount is None:
            continue
        note = notes.get(_id_of(one).lower())
        with transaction.atomic():
            fence()
            if row := _unnamed(connection, invoice, note, _id_of(one).lower(), allocation.amount):
                _settle(connection, "allocation", row.pk)
                Link.objects.create(
                    connection=connection,
                    kind="allocation",
                    document=row.pk,
                    xero_id=allocation.allocation_id or "",
                    number=invoice.number,
                    status="AUTHORISED",
                    total=allocation.amount,
                )
        reach(Failpoint.NOTED)


def _unnamed(
    connection: Connection, invoice: Link, note: Link | None, credit: str, amount: Decimal
) -> Allocation | None:
    """A row of that credit, invoice and amount that has no id yet and isn't on its way."""
    rows = Allocation.objects.filter(
        supplier=connection.supplier_id, invoice=invoice.document, amount=amount, removed_at=None
    )
    rows = rows.filter(credit_note=note.document) if note else rows.filter(credit_in_xero=credit)
    here = {"connection": connection, "kind": "allocation", "document__in": [row.pk for row in rows]}
    busy = {*Link.objects.filter(**here).values_list("document", flat=True)}
    busy |= {*DispatchDocument.objects.filter(**here).values_list("document", flat=True)}
    return next((row for row in rows.order_by("made_at") if row.pk not in busy), None)


def _id_of(one: wire.CreditNote | wire.Overpayment) -> str:
    return (one.credit_note_id if isinstance(one, wire.CreditNote) else one.overpayment_id) or ""


def _settle(connection: Connection, kind: str, document: UUID) -> None:
    """Xero has it: it isn't sent."""
    change = Change.objects.filter(supplier=connection.supplier_id, kind=kind, document=document)
    for row in change:
        settle(change, row.revision)
    close_problems(connection, kind, [document], "in Xero")
