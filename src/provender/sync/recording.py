"""Writing down what Xero answered. Everything here runs inside one short, fenced transaction of a drain."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from provender.basics import clock
from provender.changes.actions import settle
from provender.changes.models import Change
from provender.sync.differences import pair_lines, read_sent
from provender.sync.documents import Trouble
from provender.sync.mirror import mark_chart_stale, note_contacts
from provender.sync.models import Backoff, Connection, Dispatch, DispatchDocument, Link
from provender.sync.problems import BY_CODE, close_problems, judge_refusal, note_problem
from provender.timeline.actions import tell, tell_many
from provender.xero import wire

STORY = {"contact": "customer", "invoice": "invoice"}  # whose story a kind of document is told in
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
    theirs: wire.Invoice | wire.Contact
    lines: dict[str, str]

    @classmethod
    def of(cls, document: DispatchDocument, theirs: wire.Invoice | wire.Contact) -> "Accepted":
        """With the lines paired: worked out before the transaction, which must be short."""
        return cls(document, theirs, twin_lines(document, theirs))


def accept(connection: Connection, operation: str, accepted: Sequence[Accepted]) -> None:
    """Save the links, settle the revisions sent, close problems and doubts; whose total differs gets a Problem."""
    if not accepted:
        return
    kind = accepted[0].document.kind
    clashing = _linked_elsewhere(connection, kind, accepted)
    kept = [one for one in accepted if one.document.document not in clashing]
    for one in accepted:
        if one.document.document in clashing:
            refuse(connection, one.document, "number-taken", {"number": one.document.number})
    _save_links(connection, kind, operation, kept)
    differing = {one.document.document for one in kept if total_differs(one)}
    settle_revisions(
        connection,
        kind,
        [(one.document.document, one.document.revision) for one in kept if one.document.document not in differing],
    )
    close_problems(connection, kind, [one.document.document for one in kept], "in step")
    for one in kept:
        if one.document.document in differing:
            words = {"number": one.document.number, "ours": str(one.document.total), "theirs": str(_total(one.theirs))}
            note_problem(connection, kind, one.document.document, one.document.revision, "total-differs", words)
    close_documents([one.document for one in accepted])
    _tell(connection, kind, operation, kept)
    if kind == "contact":
        note_contacts(connection, [one.theirs for one in kept if isinstance(one.theirs, wire.Contact)])


def _linked_elsewhere(connection: Connection, kind: str, accepted: Sequence[Accepted]) -> set[UUID]:
    """Documents whose twin is another document's already: one Xero id belongs to one row of ours."""
    wanted = {xero_id_of(one.theirs): one.document.document for one in accepted}
    rows = Link.objects.filter(connection=connection, kind=kind, xero_id__in=list(wanted)).values_list(
        "xero_id", "document"
    )
    return {wanted[xero_id] for xero_id, document in rows if wanted[xero_id] != document}


def _save_links(connection: Connection, kind: str, operation: str, accepted: Sequence[Accepted]) -> None:
    now = clock.database_now()
    fields = ["xero_id", "matched", "number", "status", "total", "updated", "revision", "sent_at"]
    rows = []
    for one in accepted:
        row = Link(
            connection=connection,
            kind=kind,
            document=one.document.document,
            xero_id=xero_id_of(one.theirs),
            number=number_of(one.theirs) or one.document.number,
            status=status_of(one.theirs),
            total=_total(one.theirs),
            updated=one.theirs.updated_raw or "",
            revision=one.document.revision,
            sent_at=now,
        )
        if operation != Dispatch.Operation.VOID:
            row.sent = one.document.element
            row.lines = one.lines
        rows.append(row)
    if operation != Dispatch.Operation.VOID:  # a void says nothing of lines: what was sent before stays known
        fields += ["sent", "lines"]
    Link.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["connection", "kind", "document"], update_fields=fields
    )


def twin_lines(document: DispatchDocument, theirs: wire.Invoice | wire.Contact) -> dict[str, str]:
    """Our line's key → Xero's line id, for the lines that have a twin."""
    if isinstance(theirs, wire.Contact):
        return {}
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
    tell(
        connection.supplier, STORY[document.kind], document.document, f"Needs a person: {BY_CODE[cause].title}", why=raw
    )


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


def close_documents(documents: Iterable[DispatchDocument]) -> None:
    """Their outcome is known: they leave their dispatch, which ends with its last one."""
    documents = list(documents)
    ids = {one.dispatch_id for one in documents}
    first = documents[0] if documents else None
    if first is not None:
        Backoff.objects.filter(
            connection=first.connection_id, kind=first.kind, document__in=[one.document for one in documents]
        ).delete()
    DispatchDocument.objects.filter(pk__in=[one.pk for one in documents]).delete()
    Dispatch.objects.filter(pk__in=ids, documents=None).delete()


def _tell(connection: Connection, kind: str, operation: str, accepted: Sequence[Accepted]) -> None:
    def line(theirs: Any) -> str:
        if kind == "contact":
            return f"Contact made in Xero: {theirs.name}"
        if operation == Dispatch.Operation.VOID:
            return "Deleted in Xero" if theirs.status == "DELETED" else "Voided in Xero"
        done = "Sent to Xero" if operation == Dispatch.Operation.CREATE else "Updated in Xero"
        return f"{done} {STATUS_WORDS.get(theirs.status or '', '')}".strip()

    tell_many(connection.supplier, STORY[kind], [(one.document.document, line(one.theirs)) for one in accepted])


def total_differs(one: Accepted) -> bool:
    """Whether Xero's total isn't ours. A void has no total of ours."""
    return (
        one.document.total is not None and _total(one.theirs) is not None and one.document.total != _total(one.theirs)
    )


def xero_id_of(theirs: wire.Invoice | wire.Contact) -> str:
    return (theirs.invoice_id if isinstance(theirs, wire.Invoice) else theirs.contact_id) or ""


def number_of(theirs: wire.Invoice | wire.Contact) -> str:
    return (theirs.invoice_number if isinstance(theirs, wire.Invoice) else theirs.contact_number) or ""


def status_of(theirs: wire.Invoice | wire.Contact) -> str:
    return (theirs.status if isinstance(theirs, wire.Invoice) else theirs.contact_status) or ""


def _total(theirs: wire.Invoice | wire.Contact) -> Decimal | None:
    return theirs.total if isinstance(theirs, wire.Invoice) else None
