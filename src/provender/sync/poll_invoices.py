"""One invoice as Xero shows it, against ours: payments and credits come and go, edits become questions.

What there is to do is worked out from rows and one element, first beside the page, which writes nothing, and for the
few where there is something, once more inside the invoice's own short transaction. So reading a page twice does
nothing twice, whoever died in between.

Known again are, in this order: what has its link; what carries our mark; what belongs to a deposit of ours; and what a
person wrote into Xero for a payment that is noted here already, of the same amount. What is in an open dispatch is left
to its recovery, and the reading comes back to it.
"""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Q

from provender.basics import clock
from provender.basics.money import ZERO, show_amount
from provender.basics.rows import hold
from provender.changes.actions import settle
from provender.changes.models import Change
from provender.invoicing.models import CreditNote, Invoice
from provender.payments.actions import (
    allocate_credit,
    note_credit_in_xero,
    record_payment,
    remove_payment,
    undo_allocation,
)
from provender.payments.models import Allocation, Payment
from provender.payments.payouts import undo_unless_it_pays
from provender.people.models import User
from provender.sync.differences import GONE, differences, read_sent
from provender.sync.failpoints import Failpoint, reach
from provender.sync.models import Connection, Link, Problem
from provender.sync.poll_facts import KEPT, Credit, Facts, credits_on, gather, payments_on
from provender.sync.problems import close_problems, note_problem
from provender.timeline.actions import tell
from provender.xero import wire

log = logging.getLogger(__name__)
CHUNK = 100  # invoices whose rows are held at a time
MARK = re.compile(r"pv-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*$", re.IGNORECASE)
DECIDED = ("kept Xero's", "left as it is")
REMOVED = "payment-removed"
TWICE = "paid-on-both-sides"


def read_mark(reference: str | None) -> UUID | None:
    """The uuid of ours at the end of a payment's or credit note's reference."""
    found = MARK.search(reference or "")
    return UUID(found[1]) if found else None


@dataclass
class Tally:
    """What a reading came to."""

    read: int = 0
    payments: int = 0
    removed: int = 0
    credits: int = 0
    questions: int = 0
    wants_credits: bool = False  # a credit was met whose own record tells more
    settled: list[str] = field(default_factory=list)  # numbers of the invoices that are paid by now
    in_doubt: list[wire.Invoice] = field(default_factory=list)  # to be looked at again

    @property
    def changes(self) -> int:
        """How many things are not as they were."""
        return self.payments + self.removed + self.credits + self.questions


@dataclass
class _Plan:
    """What is to be done about one invoice."""

    status: str | None = None  # Xero's, when our link doesn't say so yet
    record: list[wire.DocumentPayment] = field(default_factory=list)
    know_again: list[tuple[Payment, wire.DocumentPayment]] = field(default_factory=list)
    taken_back: list[Payment] = field(default_factory=list)
    credit: list[tuple[Credit, UUID | None]] = field(default_factory=list)  # with the credit note, if it is ours
    undone: list[Allocation] = field(default_factory=list)
    twice: list[wire.DocumentPayment] = field(default_factory=list)
    question: tuple[str, str] | None = None  # a cause and the changes it names
    answered: bool = False  # the open question is over: Xero has again what we sent
    in_doubt: bool = False
    wants_credits: bool = False

    @property
    def acts(self) -> bool:
        return any(
            (
                self.status is not None,
                self.record,
                self.know_again,
                self.taken_back,
                self.credit,
                self.undone,
                self.twice,
                self.question,
                self.answered,
            )
        )


def note_invoices(
    connection: Connection, elements: Sequence[wire.Invoice], tally: Tally, fence: Callable[[], None]
) -> None:
    """Bring our rows in step with these; others' documents are passed by. `fence` comes first in each transaction."""
    for start in range(0, len(elements), CHUNK):
        some = elements[start : start + CHUNK]
        facts = gather(connection, some)
        for theirs in some:
            tally.read += 1
            link = facts.links.get((theirs.invoice_id or "").lower())
            if link is None:
                _leave_in_doubt(facts, theirs, tally)
            elif link.document in facts.invoices:
                _note(connection, facts, theirs, tally, fence)


def _leave_in_doubt(facts: Facts, theirs: wire.Invoice, tally: Tally) -> None:
    """Ours by its address, but not linked yet: its create is still in doubt, and what was paid counts afterwards."""
    last = (theirs.url or "").rstrip("/").rpartition("/")[2]
    if last and any(str(document) == last for document in facts.in_doubt):
        tally.in_doubt.append(theirs)


def _note(connection: Connection, facts: Facts, theirs: wire.Invoice, tally: Tally, fence: Callable[[], None]) -> None:
    try:
        plan = _Judge(connection, facts, theirs).plan()
    except ValueError:  # an amount that can't be read is never 0: the invoice is looked at again
        log.exception("An invoice of Xero's can't be read", extra={"invoice": theirs.invoice_number})
        tally.in_doubt.append(theirs)
        return
    if plan.acts:
        plan = _carry_out(connection, theirs, plan, tally, fence)
        reach(Failpoint.NOTED)
    tally.wants_credits |= plan.wants_credits
    if plan.in_doubt:
        tally.in_doubt.append(theirs)


def _carry_out(
    connection: Connection, theirs: wire.Invoice, seen: _Plan, tally: Tally, fence: Callable[[], None]
) -> _Plan:
    """In one transaction, with all rows held that it may touch; people may have been at them since they were read."""
    with transaction.atomic():
        fence()
        _hold_all(seen)
        link = Link.objects.get(connection=connection, kind="invoice", xero_id=theirs.invoice_id)
        invoice = Invoice.objects.select_related("supplier").get(supplier=connection.supplier_id, pk=link.document)
        hold(invoice)
        facts = gather(connection, [theirs])
        facts.invoices[invoice.pk] = invoice
        judge = _Judge(connection, facts, theirs)
        plan = judge.plan()
        was_settled = invoice.settled_on
        judge.carry_out(plan, tally)
        if invoice.settled_on and not was_settled:
            tally.settled.append(invoice.number)
    return plan


def _hold_all(plan: _Plan) -> None:
    """In everybody's order: payouts, allocations, credit notes, payments; the invoice comes last."""
    for payout in sorted({row.payout for row in plan.taken_back if row.payout}, key=lambda row: row.pk):
        hold(payout)
    for allocation in sorted(plan.undone, key=lambda row: row.pk):
        hold(allocation)
    notes = [*(row.credit_note_id for row in plan.undone), *(note for _, note in plan.credit)]
    for note in CreditNote.objects.filter(pk__in=[one for one in notes if one]).order_by("pk"):
        hold(note)
    for payment in sorted(plan.taken_back, key=lambda row: row.pk):
        hold(payment)


class _Judge:
    """Holds one element of Xero's against our rows."""

    def __init__(self, connection: Connection, facts: Facts, theirs: wire.Invoice) -> None:
        self.connection, self.facts, self.theirs = connection, facts, theirs
        self.link = facts.links[(theirs.invoice_id or "").lower()]
        self.invoice = facts.invoices[self.link.document]
        self.payments = facts.payments.get(self.invoice.pk, [])
        self.allocations = facts.allocations.get(self.invoice.pk, [])

    def plan(self) -> _Plan:
        """What is to be done. Raises ValueError when an amount can't be read."""
        plan = _Plan()
        if (self.theirs.status or "") != self.link.status:
            plan.status = self.theirs.status or ""
        self._credits(plan)
        self._payments(plan)
        self._question(plan)
        return plan

    # --- payments -------------------------------------------------------------------------------------------------

    def _payments(self, plan: _Plan) -> None:
        matched: set[UUID] = set()
        unknown = [one for one in payments_on(self.theirs) if not self._is_known(one, matched, plan)]
        for row in self.payments:
            if self._was_taken_back(row, matched):
                plan.taken_back.append(row)
        for one in unknown:
            self._take_in(one, matched, plan)

    def _is_known(self, one: wire.DocumentPayment, matched: set[UUID], plan: _Plan) -> bool:
        """Whether it is a row of ours, by its link, its mark or its deposit."""
        deposited = self._deposited(one)
        matched.update(row.pk for row in deposited)
        if known := self.facts.paid_by.get((one.payment_id or "").lower()):
            matched.add(known)
            return True
        row = self._marked(one, matched) or next((row for row in deposited if row.pk not in self.facts.twins), None)
        if row is None:
            return bool(deposited)
        matched.add(row.pk)
        if row.pk in self.facts.in_doubt:
            plan.in_doubt = True
        elif row.removed_at is None:
            plan.know_again.append((row, one))
        return True

    def _marked(self, one: wire.DocumentPayment, matched: set[UUID]) -> Payment | None:
        mark = read_mark(one.reference)
        return next((row for row in self.payments if row.pk == mark and self._is_free(row, matched)), None)

    def _deposited(self, one: wire.DocumentPayment) -> list[Payment]:
        """The rows that a deposit of ours brought. There one payment stands for all of an invoice."""
        payout = self.facts.batches.get((one.batch_payment_id or "").lower())
        return [row for row in self.payments if payout and row.payout_id == payout]

    def _is_free(self, row: Payment, matched: set[UUID]) -> bool:
        return row.pk not in matched and row.pk not in self.facts.twins

    def _was_taken_back(self, row: Payment, matched: set[UUID]) -> bool:
        """Xero had it, and has it no more."""
        was_there = row.pk in self.facts.twins or row.payout_id in self.facts.twins
        moving = {row.pk, row.payout_id} & (self.facts.in_doubt | self.facts.kept)
        return was_there and row.removed_at is None and row.pk not in matched and not moving

    def _take_in(self, one: wire.DocumentPayment, matched: set[UUID], plan: _Plan) -> None:
        """A payment that nothing of ours claims: the money of a payment noted here, or a new one."""
        amount = one.amount or ZERO
        gone = {row.pk for row in plan.taken_back}
        own = [
            row
            for row in self.payments
            if row.removed_at is None
            and row.pk not in gone
            and (row.pk in self.facts.kept or (self._is_free(row, matched) and row.payout_id not in self.facts.twins))
        ]
        in_doubt = [row for row in own if {row.pk, row.payout_id} & self.facts.in_doubt]
        if any(row.amount == amount for row in in_doubt):
            plan.in_doubt = True
            return
        own = [row for row in own if row not in in_doubt]
        too_much = self._due_after(plan) < amount
        same = next((row for row in own if row.amount == amount and (too_much or not self._will_go(row))), None)
        if same is not None:
            matched.add(same.pk)
            plan.know_again.append((same, one))
        elif too_much and own:
            plan.twice.append(one)
        else:
            plan.record.append(one)

    def _will_go(self, row: Payment) -> bool:
        """Whether we are about to send it ourselves."""
        if row.payout_id:
            return self.connection.auto_reconcile and self.facts.waits_to_go(row.payout_id)
        return self.connection.payments_to_xero and self.facts.waits_to_go(row.pk)

    def _due_after(self, plan: _Plan) -> Decimal:
        """What is left to pay here once the plan so far is carried out."""
        due = self.invoice.due + sum((row.amount for row in plan.taken_back + plan.undone), ZERO)
        coming = [one.amount or ZERO for one in plan.record] + [credit.amount for credit, _ in plan.credit]
        return due - sum(coming, ZERO)

    # --- credits --------------------------------------------------------------------------------------------------

    def _credits(self, plan: _Plan) -> None:
        """An invoice names the credit and the amount, not the allocation: equal amounts of one credit are equal."""
        mine: dict[tuple[object, Decimal], list[Allocation]] = {}
        for row in self.allocations:
            mine.setdefault((row.credit_note_id or row.credit_in_xero, row.amount), []).append(row)
        for rows in mine.values():  # those that Xero has surely come first, those taken back here and still there last
            rows.sort(key=lambda row: (row.removed_at is not None, row.pk not in self.facts.twins))
        for credit in credits_on(self.theirs):
            note = self.facts.credit_notes.get(credit.credit_id)
            rows = mine.get((note or credit.credit_id, credit.amount), [])
            same = next((row for row in rows if row.removed_at is None or self._still_there(row)), None)
            if same is not None:
                rows.remove(same)
                # One of ours that a person made there too: its id is learned before ours is sent.
                plan.wants_credits |= note is not None and same.removed_at is None and same.pk not in self.facts.twins
            elif any(one.pk in self.facts.in_doubt and one.credit_note_id == note for one in self.allocations):
                plan.in_doubt = True
            else:
                plan.credit.append((credit, note))
                plan.wants_credits = True
        left = [row for rows in mine.values() for row in rows]
        plan.undone += [row for row in left if self._was_undone(row)]

    def _still_there(self, row: Allocation) -> bool:
        """Undone here, and Xero isn't told yet."""
        return row.pk in self.facts.changes or row.pk in self.facts.in_doubt

    def _was_undone(self, row: Allocation) -> bool:
        was_there = row.source == Allocation.Source.XERO or row.pk in self.facts.twins
        moving = row.pk in self.facts.in_doubt or row.pk in self.facts.kept
        return was_there and row.removed_at is None and not moving

    # --- questions ------------------------------------------------------------------------------------------------

    def _question(self, plan: _Plan) -> None:
        """Voided or edited there: who should win is asked once, and not while a change of ours is on its way."""
        found = differences(read_sent(self.link.sent), self.theirs, self.facts.merged) if self.link.sent else []
        gone = self.theirs.status in GONE
        open_ = self.facts.questions.get(self.invoice.pk)
        if open_ is not None:
            plan.answered = open_.cause == "differs" and not found and not gone
            return
        if self.facts.waits_to_go(self.invoice.pk) or self.invoice.pk in self.facts.in_doubt:
            return
        if gone and self.invoice.status == Invoice.Status.OPEN:
            plan.question = ("voided-in-xero", "")
        elif found and not gone and self.invoice.status == Invoice.Status.OPEN:
            plan.question = ("differs", "; ".join(str(one) for one in found[:3]))
        if plan.question and self._was_decided(plan.question[0]):
            plan.question = None

    def _was_decided(self, cause: str, theirs: str = "") -> bool:
        """Whether a person saw just this and let it be."""
        about = Problem.objects.filter(connection=self.connection, kind="invoice", document=self.invoice.pk)
        last = about.filter(how__in=DECIDED, revision=self._revision()).order_by("solved_at", "pk").last()
        if last is None:
            return False
        if cause != "differs" or not last.shown:
            return last.cause == cause and last.words.get("theirs", "") == theirs
        shown = wire.read_one(last.shown, wire.Invoice)
        sent = read_sent(self.link.sent)
        return differences(sent, shown) == differences(sent, self.theirs)

    def _revision(self) -> int:
        change = Change.objects.filter(
            supplier=self.connection.supplier_id, kind="invoice", document=self.invoice.pk
        ).first()
        return change.revision if change else 0

    # --- carrying it out ------------------------------------------------------------------------------------------

    def carry_out(self, plan: _Plan, tally: Tally) -> None:
        """Inside the invoice's transaction."""
        if plan.status is not None:
            Link.objects.filter(pk=self.link.pk).update(status=plan.status)
        for row in plan.undone:
            self._lose(row, "allocation", tally)
        for gone in plan.taken_back:
            self._lose(gone, "payment", tally)
        for known, one in plan.know_again:
            self._know_again(known, one)
            tally.payments += 1
        for one in plan.record:
            self._record(one)
            tally.payments += 1
        for credit, note in plan.credit:
            self._credit(credit, note)
            tally.credits += 1
        if plan.twice:
            self._ask_about_both(plan.twice, tally)
        if plan.answered:
            close_problems(self.connection, "invoice", [self.invoice.pk], "the same again")
        if plan.question:
            cause, changes = plan.question
            words = {"number": self.link.number or self.invoice.number, "changes": changes}
            self._ask(cause, words)
            tally.questions += 1

    def _lose(self, row: Payment | Allocation, kind: str, tally: Tally) -> None:
        """Reopen by itself, or ask a person, by the connection's setting."""
        lose(self.connection, row, kind, self.invoice, tally)
        self.invoice.refresh_from_db()

    def _know_again(self, row: Payment, one: wire.DocumentPayment) -> None:
        """A payment of ours, whoever wrote it into Xero: it is not sent there again."""
        self._link(row, one)
        kept = Problem.objects.filter(connection=self.connection, kind="payment", document=row.pk, how=KEPT)
        kept.update(how="in Xero again")
        change = self.facts.changes.get(row.pk)
        if change is not None:
            settle(Change.objects.filter(pk=change.pk), change.revision)
        close_problems(self.connection, "payment", [row.pk], "in Xero")
        what = f"The payment of {show_amount(row.amount)} is in Xero"
        tell(self.invoice.supplier, "invoice", self.invoice.pk, what)

    def _record(self, one: wire.DocumentPayment) -> None:
        row = record_payment(
            self.invoice,
            amount=one.amount or ZERO,
            date=one.date or clock.today(self.invoice.supplier.time_zone),
            source=Payment.Source.XERO,
            method=Payment.Method.OTHER,
            reference=(one.reference or "").replace("\0", "")[:200],
        )
        self._link(row, one)

    def _link(self, row: Payment, one: wire.DocumentPayment) -> None:
        Link.objects.update_or_create(
            connection=self.connection,
            kind="payment",
            document=row.pk,
            defaults={
                "xero_id": one.payment_id or "",
                "number": self.invoice.number,
                "status": "AUTHORISED",
                "total": one.amount,
            },
        )

    def _credit(self, credit: Credit, note: UUID | None) -> None:
        day = credit.date or self.invoice.date
        if note is None:
            note_credit_in_xero(self.invoice, credit=credit.credit_id, name=credit.name, amount=credit.amount, date=day)
            return
        row = CreditNote.objects.select_related("supplier").get(supplier=self.connection.supplier_id, pk=note)
        allocate_credit(row, self.invoice, amount=credit.amount, date=day, source=Allocation.Source.XERO)

    def _ask_about_both(self, payments: Sequence[wire.DocumentPayment], tally: Tally) -> None:
        """Paid here and in Xero, in amounts that don't match: nothing is counted twice, a person says which holds."""
        theirs = ", ".join(map(show_amount, sorted(one.amount or ZERO for one in payments)))
        if self.invoice.pk in self.facts.questions or self._was_decided(TWICE, theirs):
            return
        words = {"number": self.invoice.number, "paid": show_amount(self.invoice.paid), "theirs": theirs}
        self._ask(TWICE, words)
        tally.questions += 1

    def _ask(self, cause: str, words: dict[str, str]) -> None:
        shown = msgspec.json.encode(self.theirs).decode()
        note_problem(self.connection, "invoice", self.invoice.pk, self._revision(), cause, words, shown=shown)


def lose(
    connection: Connection, row: Payment | Allocation, kind: str, document: Invoice | CreditNote, tally: Tally
) -> None:
    """Xero has it no more: it counts here no more, or a person is asked, by setting; inside a transaction.

    `document` is what was paid, credited or refunded by it.
    """
    if connection.removed_payments != Connection.RemovedPayments.FLAG:
        take_back(connection, row, "Removed in Xero")
        tally.removed += 1
        return
    asked = Problem.objects.filter(connection=connection, kind=kind, document=row.pk, cause=REMOVED)
    if asked.filter(Q(solved_at=None) | Q(how=KEPT)).exists():
        return
    words = {"number": document.number, "amount": f"{document.currency} {show_amount(row.amount)}"}
    note_problem(connection, kind, row.pk, 0, REMOVED, words)
    about = "invoice" if isinstance(document, Invoice) else "credit_note"
    tell(document.supplier, about, document.pk, f"{show_amount(row.amount)} was taken back in Xero; a person is asked")
    tally.questions += 1


def take_back(connection: Connection, row: Payment | Allocation, why: str, by: User | None = None) -> None:
    """It is no more in Xero, so it counts here no more; inside a transaction."""
    if isinstance(row, Payment):
        if row.payout:
            hold(row.payout)
        remove_payment(row, why=why, told_by_xero=True, by=by)
        if row.payout:
            undo_unless_it_pays(row.payout, why="Its deposit was deleted in Xero", by=by)
    else:
        undo_allocation(row, why=why, told_by_xero=True, by=by)
    kind = "payment" if isinstance(row, Payment) else "allocation"
    close_problems(connection, kind, [row.pk], "taken back here too")
    Link.objects.filter(connection=connection, kind=kind, document=row.pk).update(status="DELETED")
