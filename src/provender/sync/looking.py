"""Looking in Xero for money whose outcome is in doubt, and knowing it again.

Payments, refunds and fees carry our mark at the end of their Reference. A deposit is known by reference, date, account
and total together; an allocation by what it is for and how much, among those that weren't there before.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from provender.payments.models import Allocation
from provender.sync.differences import read_sent
from provender.sync.kinds import Theirs, is_marked
from provender.sync.models import Connection, Dispatch, DispatchDocument, Link
from provender.sync.session import Session
from provender.xero import Page, wire

CLOCKS_APART = timedelta(days=1)  # between ours and Xero's, with much to spare
T = TypeVar("T")
Credit = tuple[str, str]  # the list in Xero that a credit is in, and its id there


def look_for_money(session: Session, dispatch: Dispatch, documents: Sequence[DispatchDocument]) -> list[Theirs]:
    """What Xero has that may be these: one call for each thousand."""
    client, ids = session.client, [one.xero_id for one in documents]
    new = dispatch.operation == Dispatch.Operation.CREATE
    since = (dispatch.sent_at or dispatch.claimed_at) - CLOCKS_APART
    match dispatch.kind:
        case "payment":
            where = _documents_paid(documents) if new else wire.any_id("PaymentID", ids)
            return _every(lambda page: client.payments(page, where=where))
        case "payout":
            if new:
                return list(client.batch_payments(modified_since=since))
            return list(client.batch_payments(where=wire.any_id("BatchPaymentID", ids)))
        case "fee":
            if new:
                return _every(lambda page: client.bank_transactions(page, where='Type=="SPEND"', modified_since=since))
            return _every(lambda page: client.bank_transactions(page, where=wire.any_id("BankTransactionID", ids)))
        case _:
            rows = Allocation.objects.filter(pk__in=[one.document for one in documents])
            return list(read_allocations(session, credits_of(session.connection, rows).values()))


def _every(read: Callable[[int], Page[T]]) -> list[T]:
    found, number = [], 1
    while True:
        page = read(number)
        found += page.items
        if number >= page.page_count:
            return found
        number += 1


def _documents_paid(documents: Sequence[DispatchDocument]) -> str:
    sent = [read_sent(one.element) for one in documents]
    invoices = {one["Invoice"]["InvoiceID"] for one in sent if "Invoice" in one}
    credit_notes = {one["CreditNote"]["CreditNoteID"] for one in sent if "CreditNote" in one}
    parts = [
        wire.any_id("Invoice.InvoiceID", sorted(invoices)),
        wire.any_id("CreditNote.CreditNoteID", sorted(credit_notes)),
    ]
    return " OR ".join(part for part in parts if part)


def credits_of(connection: Connection, allocations: Iterable[Allocation]) -> dict[UUID, Credit]:
    """Where in Xero the credit of each of these is: the list, and its id there."""
    rows = list(allocations)
    notes = [row.credit_note_id for row in rows if row.credit_note_id]
    links = Link.objects.filter(connection=connection, kind="credit_note", document__in=notes)
    twins = dict(links.values_list("document", "xero_id"))
    found: dict[UUID, Credit] = {}
    for row in rows:
        if row.credit_note_id is None:
            overpaid = row.name_in_xero.startswith("Overpayment")
            found[row.pk] = ("Overpayments" if overpaid else "CreditNotes", row.credit_in_xero)
        elif twin := twins.get(row.credit_note_id):
            found[row.pk] = ("CreditNotes", twin)
    return found


def read_allocations(session: Session, credits_: Iterable[Credit]) -> Iterator[wire.Allocation]:
    """All that these credits are set against in Xero now: a call for each of the two lists."""
    ids: dict[str, set[str]] = defaultdict(set)
    for resource, credit in credits_:
        ids[resource].add(credit)
    found: list[wire.CreditNote | wire.Overpayment] = []
    if noted := sorted(ids["CreditNotes"]):
        found += session.client.credit_notes(1, ids=noted).items
    if overpaid := sorted(ids["Overpayments"]):
        found += session.client.overpayments(1, where=wire.any_id("OverpaymentID", overpaid)).items
    return (one for credit in found for one in credit.allocations)


def is_this(row: DispatchDocument, theirs: Theirs) -> bool:
    """Whether that is what we sent, by its mark or by all that it is known by."""
    if row.kind in {"payment", "fee"}:
        return is_marked(theirs.reference, row.document)
    sent = read_sent(row.element)
    if row.kind == "allocation":
        invoice = (theirs.invoice and theirs.invoice.invoice_id) or ""
        same = invoice.lower() == str(sent["Invoice"]["InvoiceID"]).lower() and theirs.amount == row.total
        return same and theirs.allocation_id not in row.line_keys
    account = (theirs.account and theirs.account.account_id) or ""
    day = theirs.date.isoformat() if theirs.date else ""
    named = (theirs.reference or "", day, account.lower(), theirs.total_amount)
    return named == (sent["Reference"], sent["Date"], str(sent["Account"]["AccountID"]).lower(), row.total)
