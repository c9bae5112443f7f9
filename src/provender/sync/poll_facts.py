"""What we know of some invoices that Xero showed, and of the money on them: a few queries for any number of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from provender.changes.models import UNSETTLED, Change
from provender.invoicing.models import Invoice
from provender.payments.models import Allocation, Payment
from provender.sync.contacts import merged_contacts
from provender.sync.models import Connection, DispatchDocument, Link, Problem
from provender.xero import wire

KEPT = "kept as paid"  # how a person answers that a payment stays though Xero took it back


@dataclass(frozen=True)
class Credit:
    """A credit that Xero set against an invoice, as the invoice shows it."""

    credit_id: str
    name: str
    amount: Decimal
    date: date | None


def credits_on(theirs: wire.Invoice) -> list[Credit]:
    """Credit notes, overpayments and prepayments that settle a part of the invoice. Raises ValueError."""
    found = [
        (one.credit_note_id, f"Credit note {one.credit_note_number or ''}".strip(), one) for one in theirs.credit_notes
    ]
    found += [(one.overpayment_id, "Overpayment", one) for one in theirs.overpayments]
    found += [(one.prepayment_id, "Prepayment", one) for one in theirs.prepayments]
    counted = []
    for credit_id, name, one in found:
        if credit_id is None or one.applied_amount is None:
            raise ValueError(f"a credit on {theirs.invoice_number} has no id or no amount")
        if one.applied_amount:
            counted.append(Credit(credit_id.lower(), name[:100], one.applied_amount, one.date))
    return counted


def payments_on(theirs: wire.Invoice) -> list[wire.DocumentPayment]:
    """The payments that count. Raises ValueError."""
    live = [one for one in theirs.payments if one.status != "DELETED"]
    if any(not one.payment_id or one.amount is None for one in live):
        raise ValueError(f"a payment of {theirs.invoice_number} has no id or no amount")
    return live


@dataclass(frozen=True)
class Facts:
    """Our side of some invoices. Ids of Xero's are in small letters."""

    links: dict[str, Link]  # Xero's invoice id → our invoice's link
    invoices: dict[UUID, Invoice]
    payments: dict[UUID, list[Payment]]  # of an invoice, removed ones too
    allocations: dict[UUID, list[Allocation]]
    twins: dict[UUID, str]  # payment, allocation or payout → its id in Xero
    paid_by: dict[str, UUID]  # Xero's payment id → our payment
    batches: dict[str, UUID]  # Xero's batch payment id → our payout
    credit_notes: dict[str, UUID]  # Xero's credit note id → our credit note
    in_doubt: frozenset[UUID]  # documents in open dispatches
    changes: dict[UUID, Change]  # what the outside hasn't got yet
    questions: dict[UUID, Problem]  # open problems of the invoices
    merged: dict[str, str]  # contact → the one that it was merged into
    kept: frozenset[UUID]  # payments and allocations that stay though Xero has them no more

    def waits_to_go(self, document: UUID) -> bool:
        """Whether the document's newest state is still on its way, and no person is asked about it."""
        change = self.changes.get(document)
        return change is not None and change.revision > change.parked


def gather(connection: Connection, elements: Sequence[wire.Invoice]) -> Facts:
    """The facts about these invoices; those that no link of ours names are left out."""
    links = {
        link.xero_id.lower(): link
        for link in Link.objects.filter(
            connection=connection, kind="invoice", xero_id__in=[(one.invoice_id or "").lower() for one in elements]
        )
    }
    ours = [one for one in elements if (one.invoice_id or "").lower() in links]
    keys = [link.document for link in links.values()]
    payments: dict[UUID, list[Payment]] = defaultdict(list)
    allocations: dict[UUID, list[Allocation]] = defaultdict(list)
    for payment in Payment.objects.filter(invoice__in=keys).select_related("payout"):
        if payment.invoice_id:
            payments[payment.invoice_id].append(payment)
    for allocation in Allocation.objects.filter(invoice__in=keys).select_related("credit_note"):
        allocations[allocation.invoice_id].append(allocation)
    rows = [row.pk for group in payments.values() for row in group]
    rows += [row.pk for group in allocations.values() for row in group]
    payouts = {row.payout_id for group in payments.values() for row in group if row.payout_id}
    money = _money_links(connection, ours, [*rows, *payouts])
    documents = [*keys, *rows, *payouts]
    doubts = DispatchDocument.objects.filter(connection=connection, document__in=documents)
    unsettled = Change.objects.filter(UNSETTLED, supplier=connection.supplier_id, document__in=documents)
    problems = Problem.objects.filter(connection=connection)
    return Facts(
        links,
        Invoice.objects.filter(supplier=connection.supplier_id).in_bulk(keys),
        payments,
        allocations,
        {link.document: link.xero_id.lower() for link in money if link.kind != "credit_note"},
        {link.xero_id.lower(): link.document for link in money if link.kind == "payment"},
        {link.xero_id.lower(): link.document for link in money if link.kind == "payout"},
        {link.xero_id.lower(): link.document for link in money if link.kind == "credit_note"},
        frozenset(doubts.values_list("document", flat=True)),
        {change.document: change for change in unsettled},
        {problem.document: problem for problem in problems.filter(kind="invoice", document__in=keys, solved_at=None)},
        merged_contacts(connection),
        frozenset(
            problems.filter(kind__in=("payment", "allocation"), document__in=rows, how=KEPT).values_list(
                "document", flat=True
            )
        ),
    )


def _money_links(
    connection: Connection, elements: Iterable[wire.Invoice], documents: Sequence[UUID | None]
) -> list[Link]:
    """Links of our money rows, and of what Xero shows on these invoices."""
    shown = [one for theirs in elements for one in theirs.payments]
    ids = {(one.payment_id or "").lower() for one in shown}
    batches = {(one.batch_payment_id or "").lower() for one in shown} - {""}
    notes = {(one.credit_note_id or "").lower() for theirs in elements for one in theirs.credit_notes}
    wanted = (
        Q(kind__in=("payment", "allocation", "payout"), document__in=[one for one in documents if one])
        | Q(kind="payment", xero_id__in=ids)
        | Q(kind="payout", xero_id__in=batches)
        | Q(kind="credit_note", xero_id__in=notes)
    )
    return list(Link.objects.filter(wanted, connection=connection))
