"""Payouts on their way to Xero: each one deposit of many payments, and its provider's fee.

A deposit is the line in the bank to the cent or it isn't made: before it goes, every invoice is looked at in Xero, and
one that can't be included holds the whole payout, by name. What changes here afterwards is deposited anew.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from provender.basics.money import ZERO, show_amount
from provender.invoicing.models import Invoice
from provender.payments.models import Payment, Payout
from provender.sync.differences import GONE, read_sent
from provender.sync.dispatching import Parcel
from provender.sync.documents import UNAPPROVED, Built, Trouble
from provender.sync.due import due_changes, in_motion
from provender.sync.failpoints import Failpoint, reach
from provender.sync.kinds import LONGEST_REFERENCE, marked
from provender.sync.mirror import clean_name, fold_name
from provender.sync.models import Account, Connection, Contact, Link
from provender.sync.money import settle_gone
from provender.sync.problems import note_problem
from provender.sync.recording import note_troubles, post_fees
from provender.sync.session import Session, telling
from provender.sync.work import LOOK, ROUND, TAKEN_OUT, Work, some, without
from provender.xero import Refused, wire

MOST_PAYMENTS = 200  # that Xero takes in one batch


@dataclass(frozen=True)
class Held:
    """Why one invoice holds its payout, and what it has left to pay in Xero, where that matters.

    `why` is missing, draft, gone, paid, less, currency, locked, many or nothing; the last three are the payout's own.
    """

    why: str
    text: str
    number: str = ""
    invoice: str = ""
    due: str = ""


@dataclass(frozen=True)
class Part:
    """What a payout pays of one invoice."""

    invoice: Invoice
    amount: Decimal


def due_payouts(connection: Connection, kind: str) -> dict[UUID, int]:
    """Payouts (kind "payout") or their fees (kind "fee") that changed, with the revision."""
    rows = due_changes(connection, kind).order_by("changed_at", "pk").values_list("document", "revision")[:ROUND]
    return dict(rows)


def _payouts(connection: Connection, documents: Iterable[UUID]) -> dict[UUID, Payout]:
    rows: QuerySet[Payout] = Payout.objects.filter(supplier=connection.supplier_id, pk__in=list(documents))
    return {row.pk: row for row in rows}


def parts_of(payouts: Iterable[UUID]) -> dict[UUID, list[Part]]:
    """What each of these payouts pays, one part an invoice, since Xero takes an invoice once in a batch."""
    rows = Payment.objects.filter(payout__in=list(payouts), removed_at=None, invoice__isnull=False)
    amounts: dict[UUID, dict[UUID, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    invoices: dict[UUID, Invoice] = {}
    for row in rows.select_related("invoice").order_by("invoice__number", "pk"):
        if row.payout_id and row.invoice:
            invoices[row.invoice.pk] = row.invoice
            amounts[row.payout_id][row.invoice.pk] += row.amount
    return {payout: [Part(invoices[pk], amount) for pk, amount in of_it.items()] for payout, of_it in amounts.items()}


def _counts(payout: Payout) -> bool:
    return payout.state == Payout.State.CLOSED and payout.undone_at is None


# --- taking out ---------------------------------------------------------------------------------------------------


def remove(work: Work) -> int:
    """Delete in Xero the deposits of payouts that were undone or changed here, and the fees of undone ones."""
    return _remove_fees(work) + _remove_deposits(work)


def _remove_deposits(work: Work) -> int:
    due = due_payouts(work.connection, "payout")
    links = work.live_links("payout", due)
    payouts, parts = _payouts(work.connection, due), parts_of(due)
    paying = {pk for pk, row in payouts.items() if _counts(row) and parts.get(pk)}
    unwanted = {pk: due[pk] for pk in payouts if pk not in paying}
    bare = [pk for pk in unwanted if pk not in links]
    spent = work.links("fee", bare)
    _follow_by_fees(
        work, [pk for pk in bare if pk in spent or (work.connection.auto_reconcile and _counts(payouts[pk]))]
    )
    settled = work.settle("payout", {pk: due[pk] for pk in bare}, "nothing to deposit")
    same = {pk for pk in links if pk not in unwanted and _is_deposited(payouts[pk], parts[pk], links[pk])}
    settled += work.settle("payout", {pk: due[pk] for pk in same}, "in step")
    for handful in some({pk: due[pk] for pk in links if pk not in same}):
        with telling(links[pk].number for pk in handful):
            ids = [links[pk].xero_id for pk in handful]
            found = work.session.client.batch_payments(where=wire.any_id("BatchPaymentID", ids))
        reach(Failpoint.LOOKED)
        there = {(one.batch_payment_id or "").lower() for one in found if one.status != TAKEN_OUT}
        # A deposit that is made anew isn't settled by deleting the old one.
        revisions = {pk: due[pk] if pk in unwanted else 0 for pk in handful}
        gone = {pk: revision for pk, revision in revisions.items() if links[pk].xero_id.lower() not in there}
        _follow_by_fees(work, list(gone))
        settled += settle_gone(work, "payout", gone)
        settled += work.carry(
            Parcel("payout", "void", [_removal(pk, revision, links[pk])], f"BatchPayments/{links[pk].xero_id}")
            for pk, revision in revisions.items()
            if pk not in gone
        )
    return settled


def _follow_by_fees(work: Work, payouts: Sequence[UUID]) -> None:
    """Where the deposit takes no call: it is gone already, or the payout pays nothing and has but its fee."""
    if payouts:
        with transaction.atomic():
            work.lease.fence()
            post_fees(work.connection, payouts)
        reach(Failpoint.PARKED)


def _is_deposited(payout: Payout, parts: Sequence[Part], link: Link) -> bool:
    """Whether the deposit in Xero is what the payout comes to now."""
    sent = read_sent(link.sent)
    paid = sorted(Decimal(one["Amount"]) for one in sent.get("Payments", ()))
    return (
        paid == sorted(part.amount for part in parts)
        and sent.get("Reference") == deposit_reference(payout)
        and sent.get("Date") == payout.date.isoformat()
    )


def _remove_fees(work: Work) -> int:
    due = due_payouts(work.connection, "fee")
    links = work.live_links("fee", due)
    payouts = _payouts(work.connection, due)
    unwanted = {pk: due[pk] for pk, row in payouts.items() if not _counts(row) or row.fee <= 0}
    settled = work.settle("fee", {pk: due[pk] for pk in unwanted if pk not in links}, "undone here")
    settled += work.settle("fee", {pk: due[pk] for pk in links if pk not in unwanted}, "in step")
    for handful in some({pk: due[pk] for pk in links if pk in unwanted}):
        with telling(links[pk].number for pk in handful):
            where = wire.any_id("BankTransactionID", [links[pk].xero_id for pk in handful])
            found = work.session.client.bank_transactions(1, where=where).items
        reach(Failpoint.LOOKED)
        there = {(one.bank_transaction_id or "").lower() for one in found if one.status not in GONE}
        gone = {pk: revision for pk, revision in handful.items() if links[pk].xero_id.lower() not in there}
        settled += settle_gone(work, "fee", gone)
        built = [_removal(pk, revision, links[pk]) for pk, revision in handful.items() if pk not in gone]
        settled += work.carry(Parcel("fee", "void", [one], f"BankTransactions/{one.xero_id}") for one in built)
    return settled


def _removal(pk: UUID, revision: int, link: Link) -> Built:
    reach(Failpoint.BUILT)
    return Built(pk, revision, link.number, wire.encode_element({"Status": TAKEN_OUT}), xero_id=link.xero_id)


# --- deposits -----------------------------------------------------------------------------------------------------


def send_deposits(work: Work) -> int:
    """Deposit the closed payouts that can be: one call to look at each one's invoices, one to make it."""
    connection = work.connection
    due = due_payouts(connection, "payout")
    deposited, settled = work.links("payout", due), 0
    if not connection.auto_reconcile:  # what was deposited once is still kept as it is here
        settled = work.settle("payout", without(due, deposited), "stays here by setting")
        due = {pk: due[pk] for pk in deposited}
    payouts, parts = _payouts(connection, due), parts_of(due)
    for pk, revision in due.items():
        link = deposited.get(pk)
        if (link and link.status != TAKEN_OUT) or pk not in payouts or not _counts(payouts[pk]):
            continue
        settled += _send_deposit(work, payouts[pk], revision, parts.get(pk, []))
    return settled


def _send_deposit(work: Work, payout: Payout, revision: int, parts: Sequence[Part]) -> int:
    connection = work.connection
    if not connection.clearing_account:
        return _trouble(work, "payout", Trouble(payout.pk, revision, "no-clearing-account"), payout)
    links = work.links("invoice", [part.invoice.pk for part in parts])
    if in_motion(connection, "invoice", [part.invoice.pk for part in parts]):
        return 0  # once Xero has them as they are here it goes
    held = _own_troubles(connection, payout, parts)
    if not held:
        there = _look(work.session, payout, [link.xero_id for link in links.values()])
        reach(Failpoint.LOOKED)
        held = [one for part in parts if (one := _judge(payout, part, links.get(part.invoice.pk), there))]
    if held:
        what = "; ".join(f"{one.number}: {one.text}" if one.number else one.text for one in held[:3])
        more = f" and {len(held) - 3} more" if len(held) > 3 else ""
        with transaction.atomic():
            work.lease.fence()
            words = {"number": payout.reference, "what": what + more}
            shown = json.dumps([asdict(one) for one in held])
            note_problem(connection, "payout", payout.pk, revision, "payout-held", words, shown=shown)
        reach(Failpoint.PARKED)
        return 1
    built = _build_deposit(connection, payout, revision, parts, links)
    reach(Failpoint.BUILT)
    return work.carry([Parcel("payout", "create", [built])])


def _own_troubles(connection: Connection, payout: Payout, parts: Sequence[Part]) -> list[Held]:
    """What keeps the payout itself from being one deposit."""
    found = []
    if len(parts) > MOST_PAYMENTS:
        found.append(Held("many", f"it pays {len(parts)} invoices, and Xero takes {MOST_PAYMENTS} in one deposit"))
    if locked := _lock(connection, payout.date):
        found.append(Held("locked", f"its date {payout.date} is in a period that is locked until {locked}"))
    return found


def _lock(connection: Connection, day: date) -> date | None:
    locks = [one for one in (connection.period_lock_date, connection.end_of_year_lock_date) if one and day <= one]
    return max(locks, default=None)


def _look(session: Session, payout: Payout, ids: Sequence[str]) -> dict[str, wire.Invoice]:
    """The invoices as they stand in Xero: one call, or four where so long an address isn't taken."""
    if not ids:
        return {}
    with telling([payout.reference]):
        try:
            found = list(session.client.invoices(1, ids=ids, page_size=1000).items)
        except Refused:
            if len(ids) <= LOOK:
                raise
            handfuls = [ids[start : start + LOOK] for start in range(0, len(ids), LOOK)]
            pages = [session.client.invoices(1, ids=some_ids, page_size=1000) for some_ids in handfuls]
            found = [one for page in pages for one in page.items]
    return {(one.invoice_id or "").lower(): one for one in found}


def _judge(payout: Payout, part: Part, link: Link | None, there: Mapping[str, wire.Invoice]) -> Held | None:
    """Why this invoice can't be in the deposit, or None."""
    theirs = there.get(link.xero_id.lower()) if link else None
    why, text, due = "", "", ""
    if theirs is None:
        why, text = "missing", "it isn’t in Xero"
    elif theirs.status in UNAPPROVED:
        why, text = "draft", "it isn’t approved in Xero"
    elif theirs.status in GONE:
        why, text = "gone", "it was voided in Xero"
    elif payout.currency not in {part.invoice.currency, theirs.currency_code or payout.currency}:
        why, text = "currency", f"it is in {theirs.currency_code or part.invoice.currency}"
    elif (left := theirs.amount_due or ZERO) <= 0:
        why, text = "paid", "it is paid in Xero already"
    elif left < part.amount:
        why, due = "less", str(left)
        text = f"{show_amount(left)} is left to pay in Xero, less than the {show_amount(part.amount)} paid"
    return Held(why, text, part.invoice.number, str(part.invoice.pk), due) if why else None


def deposit_reference(payout: Payout) -> str:
    """The settlement reference, by which the deposit is known in Xero and beside the bank line."""
    return " ".join(payout.reference.split())[:LONGEST_REFERENCE]


def _build_deposit(
    connection: Connection, payout: Payout, revision: int, parts: Sequence[Part], links: Mapping[UUID, Link]
) -> Built:
    element = {
        "Account": {"AccountID": connection.clearing_account},
        "Date": payout.date,
        "Reference": deposit_reference(payout),
        "Payments": [
            {"Invoice": {"InvoiceID": links[part.invoice.pk].xero_id}, "Amount": part.amount} for part in parts
        ],
    }
    total = sum((part.amount for part in parts), ZERO)
    return Built(payout.pk, revision, payout.reference, wire.encode_element(element), total)


def _trouble(work: Work, kind: str, trouble: Trouble, payout: Payout) -> int:
    with transaction.atomic():
        work.lease.fence()
        note_troubles(work.connection, kind, [trouble], {payout.pk: payout.reference})
    reach(Failpoint.PARKED)
    return 1


# --- fees ---------------------------------------------------------------------------------------------------------


def send_fees(work: Work) -> int:
    """Spend the fee of each payout that is deposited, or pays nothing, on the fee account.

    So the clearing account ends at the bank line.
    """
    connection = work.connection
    due = due_payouts(connection, "fee")
    if not due:
        return 0
    if not connection.fee_account:
        return work.settle("fee", due, "not posted by setting")
    deposited, spent = work.live_links("payout", due).keys(), work.live_links("fee", due).keys()
    bare = due.keys() - parts_of(due).keys()
    rows = [row for pk, row in _payouts(connection, (deposited | bare) - spent).items() if _counts(row) and row.fee > 0]
    account = Account.objects.filter(connection=connection, account_id=connection.fee_account).first()
    if account is None or not account.code:
        return sum(_trouble(work, "fee", Trouble(row.pk, due[row.pk], "no-fee-account"), row) for row in rows)
    return work.carry(_fee_parcels(connection, account, rows, due))


def _fee_parcels(
    connection: Connection, account: Account, payouts: Sequence[Payout], due: Mapping[UUID, int]
) -> Iterator[Parcel]:
    for payout in payouts:
        reach(Failpoint.BUILT)
        yield Parcel("fee", "create", [_build_fee(connection, account, payout, due[payout.pk])])


def _build_fee(connection: Connection, account: Account, payout: Payout, revision: int) -> Built:
    line = {
        "Description": f"Fee of payout {payout.reference}",
        "Quantity": Decimal(1),
        "UnitAmount": payout.fee,
        "AccountCode": account.code,
    }
    if account.tax_type:
        line["TaxType"] = account.tax_type
    element = {
        "Type": "SPEND",
        "Contact": _provider(connection, payout.provider),
        "BankAccount": {"AccountID": connection.clearing_account},
        "Date": payout.date,
        "Reference": marked(f"Fee of {payout.reference}", payout.pk),
        "LineAmountTypes": "Inclusive",  # a fee is what the provider kept, its tax within
        "LineItems": [line],
    }
    number = f"Fee of {payout.reference}"
    return Built(payout.pk, revision, number, wire.encode_element(element), payout.fee)


def _provider(connection: Connection, name: str) -> dict[str, str]:
    """The provider's contact; by its name alone Xero takes the contact of that name, or makes it."""
    cleaned = clean_name(name)
    found = Contact.objects.filter(
        connection=connection, status="ACTIVE", merged_to="", folded_name=fold_name(cleaned)
    ).first()
    return {"ContactID": found.contact_id} if found else {"Name": cleaned}
