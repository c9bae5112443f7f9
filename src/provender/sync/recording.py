"""Writing down what Xero answered. Everything here runs inside one short, fenced transaction of a drain."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import repeat
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from provender.basics import clock
from provender.basics.money import show_amount
from provender.basics.rows import ReadyRows, delete_leaves
from provender.changes.actions import ask, post_many, settle
from provender.changes.models import Change
from provender.payments.models import Payment
from provender.sync.differences import as_sent, is_overruled_by_items, left_untracked, pair_lines, read_sent
from provender.sync.documents import Trouble
from provender.sync.kinds import KINDS, Theirs, subjects
from provender.sync.mirror import mark_chart_stale
from provender.sync.models import Backoff, Connection, Dispatch, DispatchDocument, Link, WithoutItemCodes
from provender.sync.problems import BY_CODE, close_problems, judge_refusal, note_problem
from provender.sync.tracking import MISSING
from provender.timeline.actions import prepare, tell
from provender.xero import wire

CREDIT_NOTE_WORDS = {"DRAFT": "as a draft", "AUTHORISED": "approved", "PAID": "used up"}
MONEY_WORDS = {  # of what was made, of what was taken out again
    "allocation": ("Set against the invoice in Xero", "Taken off the invoice in Xero"),
    "payment": ("Recorded in Xero", "Payment deleted in Xero"),
    "payout": ("Deposited in Xero", "Deposit deleted in Xero"),
    "fee": ("Fee recorded in Xero", "Fee deleted in Xero"),
}
STATUS_WORDS = {
    "DRAFT": "as a draft",
    "SUBMITTED": "awaiting approval",
    "AUTHORISED": "awaiting payment",
    "PAID": "paid",
}


@dataclass(frozen=True)
class Accepted:
    """A document that Xero holds as we sent it."""

    document: DispatchDocument
    theirs: Theirs
    lines: dict[str, str]
    overruled: bool
    untracked: list[int]  # places of lines whose tracking Xero left out

    @classmethod
    def of(cls, document: DispatchDocument, theirs: Theirs) -> "Accepted":
        """With the lines paired: worked out before the transaction, which must be short."""
        overruled, untracked = _is_overruled(document, theirs), _left_untracked(document, theirs)
        return cls(document, theirs, twin_lines(document, theirs), overruled, untracked)


@dataclass(frozen=True)
class Recording:
    """Accepted documents of one call, with their rows made ready before the transaction, which must be short."""

    connection: Connection
    operation: str
    accepted: Sequence[Accepted]
    links: ReadyRows | None
    story: list[ReadyRows]

    @classmethod
    def of(cls, connection: Connection, operation: str, accepted: Sequence[Accepted]) -> "Recording":
        """Outside any transaction."""
        if not accepted:
            return cls(connection, operation, accepted, None, [])
        return cls(
            connection,
            operation,
            accepted,
            _ready_links(connection, operation, accepted),
            _ready_story(connection, operation, accepted),
        )

    def write(self) -> None:
        """Save the links, settle the revisions sent, close problems and doubts; whose total differs gets a Problem."""
        if not self.links:
            return
        kind = self.accepted[0].document.kind
        if clashing := _linked_elsewhere(self.connection, kind, self.accepted):
            self._write_without(clashing)
            return
        self.links.insert()
        rows = [one.document for one in self.accepted]
        overruled = {one.document.document for one in self.accepted if one.overruled}
        differing = {one.document.document: one for one in self.accepted if total_differs(one) and not one.overruled}
        untracked = [one for one in self.accepted if one.untracked]
        amiss = differing.keys() | overruled | {one.document.document for one in untracked}
        same = [(row.document, row.revision) for row in rows if row.document not in amiss]
        settle_revisions(self.connection, kind, same)
        close_problems(self.connection, kind, [row.document for row in rows], "in step")
        for one in differing.values():
            theirs = KINDS[kind].total_of(one.theirs)
            words = {"number": one.document.number, "ours": _shown(one.document.total), "theirs": _shown(theirs)}
            note_problem(self.connection, kind, one.document.document, one.document.revision, "total-differs", words)
        for one in untracked:
            self._note_untracked(one)
        close_documents(rows)
        for lines in self.story:
            lines.insert()
        self._go_without_item_codes(kind, overruled)
        if kind == "payout":
            self._follow_deposits()

    def _note_untracked(self, one: Accepted) -> None:
        """Xero took a document and left out an option that it doesn't know: nothing is lost without a word."""
        lines = f"line{'' if len(one.untracked) == 1 else 's'} {', '.join(map(str, one.untracked))}"
        words = {"number": one.document.number, "what": f"Xero took it and left out the tracking of {lines}"}
        kind, document, revision = one.document.kind, one.document.document, one.document.revision
        note_problem(self.connection, kind, document, revision, MISSING, words, raw=words["what"])

    def _go_without_item_codes(self, kind: str, documents: Iterable[UUID]) -> None:
        """Xero's item had its way on a line: the same revision goes again, without the codes that name items."""
        for document in documents:
            WithoutItemCodes.objects.get_or_create(connection=self.connection, kind=kind, document=document)
            words = "Goes again without item codes: Xero put its items' values in place of ours"
            tell(self.connection.supplier, kind, document, words)

    def _follow_deposits(self) -> None:
        """A deposit's payments have twins of their own; its fee is due when it was made, and when it was deleted."""
        payouts = [one.document.document for one in self.accepted]
        payments = Payment.objects.filter(payout__in=payouts)
        mine = Link.objects.filter(connection=self.connection, kind="payment")
        mine.filter(document__in=payments.values("pk")).update(status="DELETED")
        if self.operation == Dispatch.Operation.CREATE:
            made = [part for one in self.accepted for part in one.theirs.payments if part.payment_id and part.invoice]
            taken = set(mine.filter(xero_id__in=[part.payment_id for part in made]).values_list("xero_id", flat=True))
            free = [part for part in made if part.payment_id not in taken]
            _link_parts(self.connection, payments.filter(removed_at=None), free)
        post_fees(self.connection, payouts)

    def _write_without(self, clashing: set[UUID]) -> None:
        taken = [one.document for one in self.accepted if one.document.document in clashing]
        for row in taken:
            refuse(self.connection, row, "number-taken", {"number": row.number})
        close_documents(taken)
        rest = [one for one in self.accepted if one.document.document not in clashing]
        Recording.of(self.connection, self.operation, rest).write()


def post_fees(connection: Connection, payouts: Sequence[UUID]) -> None:
    """Let the fees of these payouts follow their deposits; inside a transaction."""
    post_many(connection.supplier, "fee", payouts, "The deposit changed")
    ask(Change.objects.filter(supplier=connection.supplier_id, kind="fee", document__in=payouts))


def accept(connection: Connection, operation: str, accepted: Sequence[Accepted]) -> None:
    """Record documents that a look-up found to be as we sent them."""
    Recording.of(connection, operation, accepted).write()


def _linked_elsewhere(connection: Connection, kind: str, accepted: Sequence[Accepted]) -> set[UUID]:
    """Documents whose twin is another document's already: one Xero id belongs to one row of ours."""
    wanted = {KINDS[kind].id_of(one.theirs): one.document.document for one in accepted}
    rows = Link.objects.filter(connection=connection, kind=kind, xero_id__in=list(wanted)).values_list(
        "xero_id", "document"
    )
    return {wanted[xero_id] for xero_id, document in rows if wanted[xero_id] != document}


def _link_parts(connection: Connection, payments: QuerySet[Payment], parts: Sequence[wire.BatchedPayment]) -> None:
    """Link the payments of a deposit, by invoice; of two for one invoice, which are one in Xero, the first."""
    twins = {(part.invoice.invoice_id or "").lower(): part for part in parts if part.invoice and part.payment_id}
    invoices = Link.objects.filter(connection=connection, kind="invoice", xero_id__in=list(twins))
    rows = dict(payments.order_by("-recorded_at").values_list("invoice", "pk"))
    links = [
        Link(
            connection=connection,
            kind="payment",
            document=rows[link.document],
            xero_id=twins[link.xero_id].payment_id or "",
            number=link.number,
            status="AUTHORISED",
            total=twins[link.xero_id].amount,
            sent_at=clock.database_now(),
        )
        for link in invoices
        if link.document in rows
    ]
    if links:
        update = ["xero_id", "number", "status", "total", "sent_at"]
        ReadyRows.of(links, unique=["connection", "kind", "document"], update=update).insert()


def _ready_links(connection: Connection, operation: str, accepted: Sequence[Accepted]) -> ReadyRows:
    kind, many = KINDS[accepted[0].document.kind], len(accepted)
    columns: dict[str, Iterable[Any]] = {
        "connection_id": repeat(connection.pk, many),
        "kind": repeat(kind.name, many),
        "document": [one.document.document for one in accepted],
        "xero_id": [kind.id_of(one.theirs) for one in accepted],
        "matched": repeat(False, many),
        "number": [kind.number_of(one.theirs) or one.document.number for one in accepted],
        "status": [kind.status_of(one.theirs) for one in accepted],
        "total": [kind.total_of(one.theirs) for one in accepted],
        "updated": [getattr(one.theirs, "updated_raw", "") or "" for one in accepted],
        "revision": [one.document.revision for one in accepted],
        "sent": [as_sent(one.theirs) if one.overruled or one.untracked else one.document.element for one in accepted],
        "lines": [one.lines for one in accepted],
        "sent_at": repeat(clock.database_now(), many),
    }
    update = ["xero_id", "matched", "number", "status", "total", "updated", "revision", "sent_at"]
    if operation != Dispatch.Operation.VOID:  # a void says nothing of lines: what was sent before stays known
        update += ["sent", "lines"]
    return ReadyRows.of_columns(Link, columns, unique=["connection", "kind", "document"], update=update)


def twin_lines(document: DispatchDocument, theirs: Theirs) -> dict[str, str]:
    """Our line's key → Xero's line id, for the lines that have a twin."""
    if not isinstance(theirs, wire.Invoice | wire.CreditNote):
        return {}
    if "LineItemID" not in document.element:  # all lines are new, so Xero gives them back in our order
        return {
            key: line.line_item_id
            for key, line in zip(document.line_keys, theirs.line_items, strict=False)
            if line.line_item_id
        }
    items = read_sent(document.element).get("LineItems") or []
    pairs = zip(document.line_keys, pair_lines(items, theirs.line_items), strict=False)
    return {key: twin.line_item_id for key, (_, twin) in pairs if twin and twin.line_item_id}


def settle_revisions(connection: Connection, kind: str, settled: Iterable[tuple[UUID, int]]) -> None:
    """The outside has these revisions: one statement for each revision number that occurs."""
    by_revision: dict[int, list[UUID]] = defaultdict(list)
    for document, revision in settled:
        by_revision[revision].append(document)
    for revision, documents in by_revision.items():
        settle(Change.objects.filter(supplier=connection.supplier_id, kind=kind, document__in=documents), revision)


def refuse(
    connection: Connection,
    document: DispatchDocument,
    cause: str,
    words: dict[str, str],
    *,
    raw: str = "",
    shown: str = "",
    revision: int | None = None,
) -> None:
    """Xero, or a look-up, said no: a Problem, told in the document's story; the revision waits for a person."""
    at = document.revision if revision is None else revision
    words = {"number": document.number, **words}
    note_problem(connection, document.kind, document.document, at, cause, words, raw=raw, shown=shown)
    for story, subject in subjects(document.kind, [document.document]).values():
        tell(connection.supplier, story, subject, f"Needs a person: {BY_CODE[cause].title}", why=raw)


def refuse_messages(
    connection: Connection, document: DispatchDocument, messages: Sequence[str], raw: str, customer: str = ""
) -> None:
    """`refuse` by Xero's own words; a refusal that shows our chart to be old has it read again."""
    cause, words = judge_refusal(messages)
    if cause.chart_is_old:
        mark_chart_stale(connection)
    if document.kind == "contact":
        customer = customer or str(read_sent(document.element).get("Name", ""))
        words = {"number": customer, **words}
    refuse(connection, document, cause.code, {"customer": customer, **words}, raw="\n".join(messages) or raw)


def note_troubles(connection: Connection, kind: str, troubles: Iterable[Trouble], numbers: dict[UUID, str]) -> None:
    """Documents that can't be built: each gets its Problem, the others go on."""
    for trouble in troubles:
        words = {"number": numbers.get(trouble.document, ""), **trouble.words}
        note_problem(
            connection, kind, trouble.document, trouble.revision, trouble.cause, words, customer=trouble.customer
        )
        if BY_CODE[trouble.cause].chart_is_old:  # who mends it in Xero and sends again finds it mended
            mark_chart_stale(connection)


def close_documents(documents: Sequence[DispatchDocument]) -> None:
    """Their outcome is known: they leave their dispatch, which ends with its last one."""
    if not documents:
        return
    first = documents[0]
    these = {"connection": first.connection_id, "kind": first.kind, "document__in": [one.document for one in documents]}
    if any(one.dispatch.tries for one in documents):
        delete_leaves(Backoff.objects.filter(**these))
    delete_leaves(DispatchDocument.objects.filter(**these))
    dispatches = {one.dispatch_id for one in documents}
    open_ = DispatchDocument.objects.filter(dispatch__in=dispatches).values("dispatch")
    delete_leaves(Dispatch.objects.filter(pk__in=dispatches).exclude(pk__in=open_))


def _ready_story(connection: Connection, operation: str, accepted: Sequence[Accepted]) -> list[ReadyRows]:
    kind = accepted[0].document.kind
    told = subjects(kind, [one.document.document for one in accepted])
    lines: dict[str, list[tuple[UUID, str]]] = defaultdict(list)
    for one in accepted:
        if subject := told.get(one.document.document):
            lines[subject[0]].append((subject[1], _line(kind, operation, one)))
    ready = [prepare(connection.supplier, story, of_it) for story, of_it in lines.items()]
    return [rows for rows in ready if rows]


def _shown(total: Decimal | None) -> str:
    return "" if total is None else show_amount(total)


def _line(kind: str, operation: str, one: Accepted) -> str:
    if kind == "contact":
        return f"Contact made in Xero: {one.theirs.name}"
    removed = operation == Dispatch.Operation.VOID
    if kind in MONEY_WORDS:
        amount = _shown(one.document.total or KINDS[kind].total_of(one.theirs))
        return f"{MONEY_WORDS[kind][removed]}{f': {amount}' if amount else ''}"
    status = KINDS[kind].status_of(one.theirs)
    if removed:
        return "Deleted in Xero" if status == "DELETED" else "Voided in Xero"
    done = "Sent to Xero" if operation == Dispatch.Operation.CREATE else "Updated in Xero"
    words = CREDIT_NOTE_WORDS if kind == "credit_note" else STATUS_WORDS
    return f"{done} {words.get(status, '')}".strip()


def _is_overruled(document: DispatchDocument, theirs: Theirs) -> bool:
    if not isinstance(theirs, wire.Invoice | wire.CreditNote) or '"ItemCode"' not in document.element:
        return False
    return is_overruled_by_items(read_sent(document.element), theirs)


def _left_untracked(document: DispatchDocument, theirs: Theirs) -> list[int]:
    if isinstance(theirs, wire.Contact) or '"Tracking"' not in document.element:
        return []
    return left_untracked(read_sent(document.element), theirs)


def total_differs(one: Accepted) -> bool:
    """Whether Xero's total isn't ours. A void has no total of ours."""
    theirs = KINDS[one.document.kind].total_of(one.theirs)
    return one.document.total is not None and theirs is not None and one.document.total != theirs
