"""What a person does about Xero: send, send again, decide whose version counts, mend what is wrong.

A decision on a Problem holds only while the problem still stands as it was shown: else ProblemGone. Nothing here
calls Xero inside a transaction; most of it just lets the drain try again.
"""

import logging
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction

from provender.basics import clock
from provender.basics.errors import ProvenderError
from provender.basics.money import show_amount
from provender.changes.actions import ask, post, settle
from provender.changes.models import Change
from provender.invoicing.actions import recode_invoice, renumber_invoice
from provender.invoicing.credit_notes import recode_credit_note, renumber_credit_note
from provender.invoicing.models import CreditNote, Invoice
from provender.invoicing.numbers import next_invoice_number
from provender.payments.models import Allocation, Payment, PayoutLine
from provender.payments.payouts import leave_for_hand, pay_up_to
from provender.people.models import User
from provender.suppliers.models import Supplier
from provender.sync.choices import FROM_CHART, LABELS, save_settings
from provender.sync.differences import GONE, TheirLined, as_sent
from provender.sync.documents import UNAPPROVED
from provender.sync.errors import LinkRefused, NeedsReconnecting, ProblemGone, XeroBusy, XeroRefused
from provender.sync.kinds import KINDS, Subject, subjects
from provender.sync.mirror import read_accounts, read_chart
from provender.sync.models import (
    Connection,
    DispatchDocument,
    Link,
    Problem,
    ToApprove,
    WithoutItemCodes,
    WithoutTracking,
)
from provender.sync.poll import check_invoice
from provender.sync.poll_facts import KEPT
from provender.sync.poll_invoices import Tally, note_invoices, take_back
from provender.sync.problems import ACCOUNT_CAUSES, close_problems
from provender.sync.queries import open_problems
from provender.sync.session import asking_for_a_person
from provender.sync.standing import drafts_in_xero
from provender.timeline.actions import tell, tell_many
from provender.xero import wire

log = logging.getLogger(__name__)


def reload_chart(connection: Connection, by: User | None) -> None:
    """Read organisation, accounts, rates, items and tracking again: five calls. Raises XeroBusy, NeedsReconnecting."""
    with asking_for_a_person(connection) as session:
        read_chart(session)
    tell(connection.supplier, "connection", connection.pk, "Accounts and items read again", who=by)


def freshen_accounts(connection: Connection) -> None:
    """Read accounts and tax rates again once a refusal has shown that our copy is old: two calls, else none.

    Raises XeroBusy, XeroRefused, NeedsReconnecting.
    """
    if connection.chart_read_at is None:
        with asking_for_a_person(connection) as session:
            read_accounts(session)


def choose_settings(connection: Connection, values: Mapping[str, Any], by: User | None) -> None:
    """Save settings that a person chose. What is newly chosen from the chart is judged by Xero's chart of this moment:
    two calls, and none where only switches changed. When Xero can't be asked, our copy of it judges.

    Raises SettingRefused, and SettingsMoved when somebody saved them since `connection` was read.
    """
    shown = {field: getattr(connection, field) for field in LABELS}
    if any(values[name] and values[name] != getattr(connection, name) for name in FROM_CHART if name in values):
        try:
            with asking_for_a_person(connection) as session:
                read_accounts(session)
        except (XeroBusy, XeroRefused, NeedsReconnecting):
            log.info("Settings are judged by our copy of the chart", extra={"connection": str(connection.pk)})
    save_settings(connection, values, by, shown=shown)


@transaction.atomic
def send_now(supplier: Supplier, invoices: Iterable[UUID], by: User | None) -> int:
    """Let these invoices go to Xero, whatever the automatic setting; parked ones are tried again.

    One that Xero has already in this version is due once more, so that a person can be sure. Returns how many.
    """
    ids = list(Invoice.objects.filter(supplier=supplier, pk__in=list(invoices)).values_list("pk", flat=True))
    _take_present_accounts(supplier, ids, by)
    changes = Change.objects.filter(supplier=supplier, kind="invoice", document__in=ids)
    _try_contacts_again(supplier, ids)
    Problem.objects.filter(connection__supplier=supplier, kind="invoice", document__in=ids, solved_at=None).update(
        solved_at=clock.now(), how="sent again"
    )
    tell_many(supplier, "invoice", [(pk, "Asked to go to Xero") for pk in ids], who=by)
    return ask(changes, again=True)


@transaction.atomic
def send_credit_note_now(supplier: Supplier, credit_note: UUID, by: User | None) -> int:
    """Let this credit note go to Xero, as `send_now` does an invoice. Returns how many: one, or none."""
    change = Change.objects.filter(supplier=supplier, kind="credit_note", document=credit_note)
    held = Problem.objects.filter(connection__supplier=supplier, kind="credit_note", document=credit_note)
    if problem := held.filter(solved_at=None).select_related("connection__supplier").first():
        return try_again(problem, by)
    if change.exists():
        tell(supplier, "credit_note", credit_note, "Asked to go to Xero", who=by)
    return ask(change, again=True)


def _take_present_accounts(supplier: Supplier, invoices: Iterable[UUID], by: User | None) -> None:
    """An account was at fault: if the product has another one by now, the invoice's lines get it first."""
    held = Problem.objects.filter(
        connection__supplier=supplier,
        kind="invoice",
        document__in=list(invoices),
        solved_at=None,
        cause__in=ACCOUNT_CAUSES,
    )
    mine = Invoice.objects.filter(supplier=supplier, status=Invoice.Status.OPEN)
    at_fault = mine.filter(pk__in=list(held.values_list("document", flat=True)))
    for invoice in at_fault.select_related("supplier"):
        recode_invoice(invoice, by=by)


def _try_contacts_again(supplier: Supplier, invoices: Iterable[UUID]) -> None:
    customers = Problem.objects.filter(
        connection__supplier=supplier, kind="invoice", document__in=list(invoices), solved_at=None
    ).exclude(customer=None)
    Problem.objects.filter(
        connection__supplier=supplier,
        kind="contact",
        document__in=list(customers.values_list("customer", flat=True)),
        solved_at=None,
    ).update(solved_at=clock.now(), how="tried again")


def send_again(connection: Connection, cause: str, by: User | None) -> int:
    """Try every document again that this cause holds. Returns how many are due by it."""
    held = list(open_problems(connection).filter(cause=cause).select_related("connection__supplier"))
    invoices = [problem.document for problem in held if problem.kind == "invoice"]
    others = [try_again(problem, by) for problem in held if problem.kind != "invoice"]
    return send_now(connection.supplier, invoices, by) + sum(others)


@transaction.atomic
def try_again(problem: Problem, by: User | None) -> int:
    """Try the document of a problem again, whatever its kind. Returns how many are due by it: one, or none."""
    if problem.kind == "invoice":
        return send_now(problem.connection.supplier, [problem.document], by)
    claim(problem, "sent again")
    if problem.kind == "credit_note" and problem.cause in ACCOUNT_CAUSES:  # the product may have another one by now
        notes = CreditNote.objects.filter(supplier=problem.connection.supplier_id, status=CreditNote.Status.OPEN)
        for credit_note in notes.select_related("supplier").filter(pk=problem.document):
            recode_credit_note(credit_note, by=by)
    if problem.customer:
        close_problems(problem.connection, "contact", [problem.customer], "tried again")
    _tell(problem, "Asked to go to Xero", by)
    if not _changes(problem).exists():  # what came from Xero was never posted
        post(problem.connection.supplier, problem.kind, problem.document, "Asked for")
    return ask(_changes(problem), again=True)


@transaction.atomic
def approve(problem: Problem, by: User | None) -> int:
    """Approve in Xero the drafts that hold this money, then try it again. Returns how many documents."""
    connection = problem.connection
    claim(problem, "approved in Xero")
    drafts = _drafts_of(problem)
    for kind, document in drafts:
        ToApprove.objects.get_or_create(connection=connection, kind=kind, document=document)
        ask(Change.objects.filter(supplier=connection.supplier_id, kind=kind, document=document), again=True)
        tell(connection.supplier, kind, document, "Asked to be approved in Xero", who=by)
    ask(_changes(problem), again=True)
    return len(drafts)


def _drafts_of(problem: Problem) -> set[Subject]:
    """Invoices and credit notes of this payment, credit or payout that are drafts in Xero, as far as we know."""
    if problem.kind == "payout":
        wanted = {("invoice", UUID(one["invoice"])) for one in _held(problem, "draft")}
    else:
        row = _money(problem)
        pairs = (("invoice", row.invoice_id), ("credit_note", row.credit_note_id))
        wanted = {(kind, document) for kind, document in pairs if document}
    here = Link.objects.filter(connection=problem.connection, document__in=[document for _, document in wanted])
    other = set(here.exclude(status__in=UNAPPROVED).values_list("kind", "document"))
    return wanted - other if problem.kind != "payout" else wanted


@transaction.atomic
def approve_drafts(connection: Connection, invoices: Iterable[UUID], by: User | None) -> int:
    """Approve in Xero those of these invoices that went as drafts. Returns how many."""
    drafts = list(drafts_in_xero(connection).filter(document__in=list(invoices)).values_list("document", flat=True))
    rows = [ToApprove(connection=connection, kind="invoice", document=document) for document in drafts]
    ToApprove.objects.bulk_create(rows, ignore_conflicts=True)
    send_now(connection.supplier, drafts, by)
    tell_many(connection.supplier, "invoice", [(pk, "Asked to be approved in Xero") for pk in drafts], who=by)
    return len(drafts)


# --- a payout that is held ----------------------------------------------------------------------------------------


def _held(problem: Problem, why: str = "") -> list[dict[str, str]]:
    """The invoices that hold a payout, as they were shown; of one reason, or all."""
    found: list[dict[str, str]] = msgspec.json.decode(problem.shown or "[]")
    return [one for one in found if one["invoice"] and why in {"", one["why"]}]


@transaction.atomic
def send_first(problem: Problem, by: User | None) -> int:
    """Let the payout's invoices go to Xero that aren't there, then the payout. Returns how many invoices."""
    claim(problem, "its invoices were sent first")
    missing = [UUID(one["invoice"]) for one in _held(problem, "missing")]
    sent = send_now(problem.connection.supplier, missing, by)
    ask(_changes(problem), again=True)
    return sent


@transaction.atomic
def pay_less(problem: Problem, by: User | None) -> int:
    """Let the payout pay no more of its invoices than is due in Xero. Returns how many lines changed.

    Raises what `pay_up_to` and `leave_for_hand` raise.
    """
    claim(problem, "pays up to what is due")
    changed = 0
    for one in _held(problem, "less"):
        left = Decimal(one["due"])
        for line in _lines_of(problem, one["invoice"]):
            pays = min(line.amount, left)
            left -= pays
            if pays < line.amount:
                changed += 1
                leave_for_hand(line, by=by) if pays <= 0 else pay_up_to(line, pays, by=by)
    return changed


@transaction.atomic
def take_out(problem: Problem, by: User | None) -> int:
    """Take the invoices that hold the payout out of it, for hand; the rest is deposited. Returns how many lines."""
    claim(problem, "left for hand")
    lines = [line for one in _held(problem) for line in _lines_of(problem, one["invoice"])]
    for line in lines:
        leave_for_hand(line, why="It couldn’t be in the deposit", by=by)
    return len(lines)


def _lines_of(problem: Problem, invoice: str) -> list[PayoutLine]:
    mine = PayoutLine.objects.filter(payout__supplier=problem.connection.supplier_id, payout=problem.document)
    return list(
        mine.filter(invoice=UUID(invoice), payment__removed_at=None).select_related("payout", "payment", "invoice")
    )


@transaction.atomic
def keep_theirs(problem: Problem, by: User | None) -> None:
    """Xero's version stays; ours isn't sent. A later edit here asks again, since theirs still isn't what we sent."""
    claim(problem, "kept Xero's")
    _settle(problem)
    _tell(problem, "Kept Xero's version", by)


@transaction.atomic
def send_ours(problem: Problem, by: User | None) -> None:
    """Our version goes over the one that was shown; should Xero have changed again meanwhile, it asks again."""
    if not problem.shown:
        raise ProblemGone
    theirs = msgspec.json.decode(problem.shown.encode(), type=dict)
    if theirs.get("Status") in GONE:
        raise LinkRefused("It was voided in Xero, and a voided invoice can't be changed. Cancel it here, or leave it.")
    claim(problem, "sent ours")
    link = Link.objects.filter(connection=problem.connection, kind=problem.kind, document=problem.document)
    # A deposit that isn't as Xero showed it is deleted there and made anew.
    sent = problem.shown if problem.kind == "payout" else as_sent(_read_shown(problem))
    link.update(sent=sent, lines=_kept_lines(link.get(), problem.shown))
    ask(_changes(problem), again=True)
    _tell(problem, "Chose to send ours over Xero's version", by)


def _read_shown(problem: Problem) -> TheirLined:
    if problem.kind == "credit_note":
        return wire.read_one(problem.shown, wire.CreditNote)
    return wire.read_one(problem.shown, wire.Invoice)


def _kept_lines(link: Link, shown: str) -> dict[str, str]:
    """Our lines' twins that are still there: a line that a person deleted goes as a new one."""
    there = {line.get("LineItemID") for line in msgspec.json.decode(shown.encode(), type=dict).get("LineItems", [])}
    return {key: twin for key, twin in link.lines.items() if twin in there}


@transaction.atomic
def leave(problem: Problem, by: User | None, why: str = "") -> None:
    """Nothing is sent for this revision; a later edit here is tried again."""
    claim(problem, "left as it is")
    _settle(problem)
    _tell(problem, "Left as it is in Xero", by, why)


@transaction.atomic
def renumber(problem: Problem, by: User | None) -> str:
    """Our document gets the next number and goes under that. Returns the number."""
    claim(problem, "renumbered")
    if problem.kind == "credit_note":
        credit_note = CreditNote.objects.get(supplier=problem.connection.supplier_id, pk=problem.document)
        return renumber_credit_note(credit_note, by=by).number
    invoice = Invoice.objects.get(supplier=problem.connection.supplier_id, pk=problem.document)
    number = next_invoice_number(invoice.supplier)
    renumber_invoice(invoice, number, by=by)
    ask(_changes(problem), again=True)
    return number


@transaction.atomic
def adopt(problem: Problem, by: User | None) -> None:
    """The other document of our number is the same sale: link it. What differs shows before anything is written."""
    theirs, kind = _read_shown(problem), KINDS[problem.kind]
    claim(problem, "linked by hand")
    try:
        with transaction.atomic():
            Link.objects.update_or_create(
                connection=problem.connection,
                kind=problem.kind,
                document=problem.document,
                defaults={
                    "xero_id": kind.id_of(theirs),
                    "number": kind.number_of(theirs),
                    "status": kind.status_of(theirs),
                    "total": kind.total_of(theirs),
                    "updated": theirs.updated_raw or "",
                    "sent": as_sent(theirs),
                    "lines": {},
                    "sent_at": clock.now(),
                },
            )
    except IntegrityError:
        raise LinkRefused("That document in Xero belongs to another of yours already.") from None
    _settle(problem)
    _tell(problem, "Linked by hand to the document of the same number in Xero", by)


@transaction.atomic
def reopen(problem: Problem, by: User | None) -> None:
    """What Xero took back counts here no more: the invoice is open again."""
    claim(problem, "opened again")
    take_back(problem.connection, _money(problem), "Removed in Xero", by)


@transaction.atomic
def keep_as_paid(problem: Problem, by: User | None) -> None:
    """It stays here though Xero took it back; should it come again there, that is the same money."""
    claim(problem, KEPT)
    row = _money(problem)
    what = f"{show_amount(row.amount)} stays paid, though not in Xero"
    if row.invoice:
        tell(row.supplier, "invoice", row.invoice.pk, what, who=by)
    elif row.credit_note:
        tell(row.supplier, "credit_note", row.credit_note.pk, what, who=by)


def count_it(problem: Problem, by: User | None) -> None:
    """Read the invoice as Xero has it now, so that the money on it counts here. One call, some more for a new credit.

    Raises ProblemGone, and what `check_invoice` raises; then it stays to be asked.
    """
    link = Link.objects.get(connection=problem.connection, kind="invoice", document=problem.document)
    claim(problem, "counted here")
    try:
        check_invoice(problem.connection, link.xero_id)
    except ProvenderError:
        Problem.objects.filter(pk=problem.pk).update(solved_at=None, how="")
        raise
    _tell(problem, "Counted what Xero has on it", by)


@transaction.atomic
def take_payments(problem: Problem, by: User | None) -> None:
    """Xero's payments, as they were shown, stand in place of those that were noted here and never went there."""
    claim(problem, "took Xero's payments")
    connection = problem.connection
    linked = Link.objects.filter(connection=connection, kind="payment").values("document")
    on_the_way = DispatchDocument.objects.filter(connection=connection, kind="payment").values("document")
    ours = Payment.objects.filter(supplier=connection.supplier_id, invoice=problem.document, removed_at=None)
    for row in ours.exclude(pk__in=linked).exclude(pk__in=on_the_way).select_related("supplier"):
        take_back(connection, row, "Counted by Xero's payments", by)
        for change in Change.objects.filter(supplier=connection.supplier_id, kind="payment", document=row.pk):
            settle(Change.objects.filter(pk=change.pk), change.revision)
    if isinstance(theirs := _read_shown(problem), wire.Invoice):
        note_invoices(connection, [theirs], Tally(), lambda: None)


def _money(problem: Problem) -> Payment | Allocation:
    """The payment or the credit that the problem is about."""
    table: Any = {"payment": Payment, "allocation": Allocation}[problem.kind]
    row: Payment | Allocation = table.objects.get(supplier=problem.connection.supplier_id, pk=problem.document)
    return row


@transaction.atomic
def without_item_codes(problem: Problem, by: User | None) -> None:
    """Send this invoice without item codes, so that Xero's stock doesn't matter."""
    claim(problem, "sent without item codes")
    WithoutItemCodes.objects.get_or_create(connection=problem.connection, kind=problem.kind, document=problem.document)
    ask(_changes(problem), again=True)
    _tell(problem, "Chose to send it without item codes", by)


@transaction.atomic
def without_tracking(problem: Problem, by: User | None) -> None:
    """Send this invoice without tracking, since Xero lacks an option of it."""
    claim(problem, "sent without tracking")
    WithoutTracking.objects.get_or_create(connection=problem.connection, kind=problem.kind, document=problem.document)
    ask(_changes(problem), again=True)
    _tell(problem, "Chose to send it without tracking", by)


def claim(problem: Problem, how: str) -> None:
    """Take the decision once: whoever comes second, or late, is told that the problem is gone."""
    taken = Problem.objects.filter(pk=problem.pk, solved_at=None, found_at=problem.found_at).update(
        solved_at=clock.now(), how=how
    )
    if not taken:
        raise ProblemGone


def _changes(problem: Problem) -> Any:
    return Change.objects.filter(supplier=problem.connection.supplier_id, kind=problem.kind, document=problem.document)


def _settle(problem: Problem) -> None:
    """The revision that the problem is about counts as done; a newer one stays due."""
    settle(_changes(problem), problem.revision)


def _tell(problem: Problem, what: str, by: User | None, why: str = "") -> None:
    for story, subject in subjects(problem.kind, [problem.document]).values():
        tell(problem.connection.supplier, story, subject, what, who=by, why=why)
