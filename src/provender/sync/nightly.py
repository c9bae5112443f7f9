"""The comparison of the books by night: what isn't equal becomes a Problem, and what is equal again is none any more.

Changes in Xero that don't move its time stamp show only here. It finds what `verify_books` finds, and leaves alone what
is on its way, in doubt or asked already, and what a person let be, for as long as it stays so.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from provender.basics import clock
from provender.basics.money import ZERO, show_amount
from provender.changes.models import UNSETTLED, Change
from provender.payments.models import Allocation, Payment
from provender.sync.documents import LINED
from provender.sync.kinds import KINDS
from provender.sync.models import Connection, DispatchDocument, Link, Problem
from provender.sync.named import name_all
from provender.sync.poll_facts import KEPT
from provender.sync.poll_invoices import DECIDED, REMOVED
from provender.sync.problems import note_problem
from provender.sync.verify import Books
from provender.sync.verify_findings import Case, Finding
from provender.sync.verify_money import MoneyBooks
from provender.sync.verify_reading import Look, Reader

NOT_COUNTED = "not-counted"
CAUSES = {Case.DIFFERS: "differs", Case.STILL: "still-in-xero", Case.UNREAD: NOT_COUNTED, Case.STRAY: "orphan"}
MONEY = ("payment", "allocation")
FOUND = "compared"  # among a problem's words: the comparison found it, so the comparison sees when it is over


def compare_nightly(connection: Connection) -> int:
    """Compare all books; returns how many problems there are new.

    A call for accounts, items, and each thousand of contacts and invoices; where there are any, for each thousand
    credit notes, payments and money spent, and one for all deposits. Raises what `verify_books` raises.
    """
    with Reader(connection, for_a_person=False) as reader:
        night = _Night(connection, reader)
        return night.compare()


class _Night:
    """One comparison, and what was found so far."""

    def __init__(self, connection: Connection, reader: Reader) -> None:
        self.connection, self._reader = connection, reader
        self._began = clock.database_now()
        self._books = Books(connection, reader)
        self._found: set[tuple[str, UUID, str]] = set()

    def compare(self) -> int:
        noted = sum(self._note(one) for one in self._books.findings(contacts_too=False))
        self._money = MoneyBooks(self.connection, self._reader, self._books.expected, self._books.merged)
        noted += sum(self._note(one) for one in self._money.findings())
        self._close_what_is_over()
        return noted

    def _note(self, one: Finding) -> bool:
        """Whether it became a Problem; what waits, is in doubt or decided, or is a Problem already did not."""
        cause = self._cause(one)
        self._found.add((one.kind, one.document, cause))
        about = {"connection": self.connection, "kind": one.kind, "document": one.document}
        change = self._change(one)
        if self._is_moving(one, change) or Problem.objects.filter(**about, solved_at=None).exists():
            return False
        words, revision = self._words(one), change.revision if change else 0
        if self._was_decided(one, cause, words, revision):
            return False
        kept = one.theirs if one.kind in LINED or one.kind == "payout" else None
        shown = json.dumps(kept, default=str) if kept and one.case is Case.DIFFERS else ""
        with transaction.atomic():
            self._learn(one)
            note_problem(self.connection, one.kind, one.document, revision, cause, words, shown=shown)
        return True

    def _cause(self, one: Finding) -> str:
        if one.case is Case.DIFFERS and one.kind in {*MONEY, "fee"}:
            return "money-differs"
        if one.case is not Case.GONE:
            return CAUSES[one.case]
        if one.kind in MONEY:
            return REMOVED
        return "voided-in-xero" if one.kind in LINED and self._links(one).exists() else "removed-in-xero"

    def _words(self, one: Finding) -> dict[str, str]:
        """The words of the sentence, and in Xero's place for what is a problem of nothing here: its id there."""
        named = name_all([Problem(kind=one.kind, document=one.document)]).get(one.document)
        number = named.number if named else one.differences[0].number
        words = {"number": number, "changes": _changes(one), FOUND: "yes"}
        if one.case is Case.STRAY and one.theirs:
            words["theirs"] = _id_of(one.kind, one.theirs)
        if self._cause(one) == REMOVED and named:
            invoice = one.differences[0].number.rpartition(" on ")[2]
            words |= {"number": invoice, "amount": f"{named.currency} {show_amount(named.total or ZERO)}"}
        return words

    def _change(self, one: Finding) -> Change | None:
        rows = Change.objects.filter(supplier=self.connection.supplier_id, kind=one.kind, document=one.document)
        return rows.first()

    def _links(self, one: Finding) -> Any:
        return Link.objects.filter(connection=self.connection, kind=one.kind, document=one.document)

    def _is_moving(self, one: Finding, change: Change | None) -> bool:
        """Whether it is on its way, or was written to or read back since this comparison began."""
        if change and change.is_going:
            return True
        about = {"connection": self.connection, "kind": one.kind, "document": one.document}
        if (
            DispatchDocument.objects.filter(**about).exists()
            or self._links(one).filter(sent_at__gte=self._began).exists()
        ):
            return True
        if one.case in {Case.STRAY, Case.UNREAD} and one.theirs:
            kind = one.differences[0].kind
            known = Link.objects.filter(connection=self.connection, kind=kind, xero_id=_id_of(kind, one.theirs))
            return known.exists()
        return one.kind in MONEY and self._is_settled_here(one)

    def _is_settled_here(self, one: Finding) -> bool:
        """Whether its row says by now what Xero says; what a payout brought is judged with its deposit."""
        table: Any = {"payment": Payment, "allocation": Allocation}[one.kind]
        row = table.objects.filter(supplier=self.connection.supplier_id, pk=one.document).first()
        if row is None or getattr(row, "payout_id", None):
            return True
        return (row.removed_at is None) is (one.case is Case.STILL)

    def _was_decided(self, one: Finding, cause: str, words: Mapping[str, str], revision: int) -> bool:
        """Whether a person saw just this and let it be."""
        about = Problem.objects.filter(connection=self.connection, kind=one.kind, document=one.document)
        decided = about.filter(Q(how__in=DECIDED, revision=revision) | Q(how=KEPT)).order_by("solved_at", "pk")
        last = decided.last()
        if last is None:
            return False
        if one.case in {Case.GONE, Case.STILL} and (one.kind not in LINED or one.theirs is None):
            return True
        if one.kind in LINED and one.case not in {Case.STRAY, Case.UNREAD}:
            return not last.shown or self._judge_again(one, last) == one.differences
        return decided.filter(cause=cause, words__changes=words["changes"]).exists()

    def _judge_again(self, one: Finding, problem: Problem) -> list[Any]:
        """What differed when a person decided."""
        shown = json.loads(problem.shown, parse_float=Decimal)
        if one.kind == "credit_note":
            found = self._money.judge(shown)
        else:
            found = list(self._books.judge(Look([shown], clock.database_now()), final=True))
        return [each for judged in found if judged.document == one.document for each in judged.differences]

    def _learn(self, one: Finding) -> None:
        """Our link says whether Xero has it, so that sending it again does what it says."""
        if one.kind not in LINED and one.case in {Case.GONE, Case.STILL}:
            self._links(one).update(status="DELETED" if one.case is Case.GONE else "AUTHORISED")

    def _close_what_is_over(self) -> None:
        """What an earlier comparison, or a reading, found and this one didn't is equal again."""
        asked = Problem.objects.filter(connection=self.connection, solved_at=None, found_at__lt=self._began)
        waiting = Change.objects.filter(UNSETTLED, supplier=self.connection.supplier_id)
        asked = asked.exclude(document__in=waiting.values("document"))  # what is on its way wasn't judged
        over = [
            problem.pk
            for problem in asked.filter(Q(words__has_key=FOUND) | Q(cause="differs"))
            if (problem.kind, problem.document, problem.cause) not in self._found
        ]
        Problem.objects.filter(pk__in=over, solved_at=None).update(solved_at=clock.database_now(), how="the same again")


def _changes(one: Finding) -> str:
    if one.case is Case.UNREAD:
        first = one.differences[0]
        return f"{'a credit' if first.kind == 'allocation' else 'a payment'} of {first.xero}"
    if one.case is Case.STRAY and one.differences[0].field == "double":
        return "it is there twice"
    if one.case is Case.STRAY and not one.differences[0].ours:
        return "nothing of ours has its mark"
    return "; ".join(str(each) for each in one.differences[:3])


def _id_of(kind: str, theirs: Mapping[str, Any]) -> str:
    return str(theirs.get(f"{KINDS[kind].resource.removesuffix('s')}ID", "")).lower()
