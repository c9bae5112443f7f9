"""Doubts: dispatches without a verdict. Look up first, send again never.

What each finding means is the table of docs/why/exactly-once.md. An age counts when the look-up is *asked*, since a
late request may still commit while it runs. A dispatch without `sent_at` was never sent and is closed at once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import transaction

from provender.basics import clock
from provender.changes.models import Change
from provender.sync.differences import GONE, TheirLined, as_overruled, differences, is_overruled_by_items, read_sent
from provender.sync.documents import LINED, UNAPPROVED, is_ours
from provender.sync.failpoints import Failpoint, reach
from provender.sync.kinds import KINDS, Theirs
from provender.sync.lease import Lease
from provender.sync.lined import fetch_by_id, fetch_by_number
from provender.sync.looking import is_this, look_for_money
from provender.sync.mirror import fold_name, read_contacts
from provender.sync.models import Backoff, Contact, Dispatch, DispatchDocument, Link
from provender.sync.recording import Accepted, accept, close_documents, refuse, refuse_messages, twin_lines
from provender.sync.session import Session, telling
from provender.xero import wire

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=16)


def recover(session: Session, lease: Lease) -> int:
    """Settle what can be settled of every open dispatch whose turn it is; returns how many documents were.

    Raises the client's faults when a look-up fails (the dispatch stays as it is), and LostLease.
    """
    now = clock.database_now()
    turn = Dispatch.objects.filter(connection=lease.connection, next_try_at__lte=now).order_by("claimed_at", "pk")
    settled = 0
    for dispatch in list(turn):
        documents = list(dispatch.documents.all())
        if dispatch.sent_at is None or not documents:
            settled += _close(lease, dispatch, documents)
        elif dispatch.kind == "contact":
            settled += _recover_contacts(session, lease, dispatch, documents)
        elif dispatch.kind in LINED:
            settled += _recover_lined(session, lease, dispatch, documents)
        else:
            settled += _recover_money(session, lease, dispatch, documents)
    return settled


def _close(lease: Lease, dispatch: Dispatch, documents: Sequence[DispatchDocument]) -> int:
    """It never happened: the newest state goes, if there is still one to go."""
    with transaction.atomic():
        lease.fence()
        close_documents(documents)
        Dispatch.objects.filter(pk=dispatch.pk).delete()
    reach(Failpoint.RECOVERED)
    return len(documents)


def _is_settled(dispatch: Dispatch, document: DispatchDocument, asked_at: datetime) -> bool:
    """Whether the request can't commit any more: Xero gave its verdict, or enough time has passed."""
    if document.refusal or dispatch.sent_at is None:
        return True
    return asked_at - dispatch.sent_at >= timedelta(seconds=KINDS[dispatch.kind].settle_seconds)


def _back_off(dispatch: Dispatch, asked_at: datetime, documents: Sequence[DispatchDocument]) -> None:
    """The next look-up waits twice as long, up to 16 minutes; a successor of this dispatch goes on from there."""
    wait = min(FIRST_WAIT * 2 ** min(dispatch.tries, 6), LONGEST_WAIT)
    dispatch.tries += 1
    dispatch.next_try_at = asked_at + wait
    dispatch.save(update_fields=["tries", "next_try_at"])
    Backoff.objects.bulk_create(
        [
            Backoff(
                connection_id=dispatch.connection_id, kind=dispatch.kind, document=one.document, tries=dispatch.tries
            )
            for one in documents
        ],
        update_conflicts=True,
        unique_fields=["connection", "kind", "document"],
        update_fields=["tries"],
    )


def _recover_lined(session: Session, lease: Lease, dispatch: Dispatch, documents: Sequence[DispatchDocument]) -> int:
    asked_at = clock.database_now()
    numbers = [one.number for one in documents]
    with telling(numbers):
        if dispatch.operation == Dispatch.Operation.CREATE:
            found = fetch_by_number(session, dispatch.kind, numbers)
        else:
            found = fetch_by_id(session, dispatch.kind, [one.xero_id for one in documents])
    reach(Failpoint.LOOKED_UP)
    judge = _LinedJudge(session, dispatch, asked_at, found)
    if any(judge.may_be_overruled(one) for one in documents):
        judge.items = {one.code: one for one in session.client.items() if one.code}
    with transaction.atomic():
        lease.fence()
        settled = [one for one in documents if judge.settle(one)]
        judge.write()
        _close_or_wait(dispatch, asked_at, documents, settled)
        reach(Failpoint.RECOVERING)
    reach(Failpoint.RECOVERED)
    return len(settled)


def _close_or_wait(
    dispatch: Dispatch, asked_at: datetime, documents: Sequence[DispatchDocument], settled: Sequence[DispatchDocument]
) -> None:
    open_ = [one for one in documents if one not in settled]
    if open_:
        _back_off(dispatch, asked_at, open_)
    else:
        Dispatch.objects.filter(pk=dispatch.pk).delete()


class _LinedJudge:
    """Holds what a look-up found against one dispatch of invoices or credit notes."""

    def __init__(self, session: Session, dispatch: Dispatch, asked_at: datetime, found: Sequence[TheirLined]) -> None:
        self.connection = session.connection
        self.dispatch = dispatch
        self.kind = KINDS[dispatch.kind]
        self.asked_at = asked_at
        self.found = [one for one in found if one.type in {None, "ACCREC", "ACCRECCREDIT"}]
        self.links = {
            link.document: link
            for link in Link.objects.filter(
                connection=self.connection,
                kind=dispatch.kind,
                document__in=[one.document for one in dispatch.documents.all()],
            )
        }
        self.items: dict[str, wire.Item] = {}
        self.accepted: list[Accepted] = []
        self.closed: list[DispatchDocument] = []

    def may_be_overruled(self, row: DispatchDocument) -> bool:
        """Whether only Xero's items can tell if its lines differ from ours by a person or by themselves."""
        if self.dispatch.operation == Dispatch.Operation.VOID:
            return False
        ours = [one for one in self.found if is_ours(one, row.document)]
        return any(is_overruled_by_items(read_sent(row.element), one) for one in ours)

    def _is_as_sent(self, row: DispatchDocument, theirs: TheirLined) -> bool:
        sent = read_sent(row.element)
        return not differences(sent, theirs) or not differences(as_overruled(sent, self.items), theirs)

    def settle(self, row: DispatchDocument) -> bool:
        """Whether this document's outcome is known now; what follows from it is collected for `write`."""
        if self.dispatch.operation == Dispatch.Operation.CREATE:
            return self._settle_create(row)
        return self._settle_change(row)

    def write(self) -> None:
        """Record what was found to have happened, and let go of what didn't."""
        accept(self.connection, self.dispatch.operation, self.accepted)
        close_documents(self.closed)

    def _settle_create(self, row: DispatchDocument) -> bool:
        ours, other = self._of_number(row)
        if ours is not None:
            if ours.status not in GONE and self._is_as_sent(row, ours):
                self.accepted.append(Accepted.of(row, ours))
            else:
                self._link_edited(row, ours)
            return True
        if other is not None:
            words = {"theirs": self.kind.id_of(other)}
            refuse(
                self.connection, row, "number-taken", words, raw=row.refusal, shown=msgspec.json.encode(other).decode()
            )
            return self._let_go(row)
        if not _is_settled(self.dispatch, row, self.asked_at):
            return False
        if row.refusal:  # looked up once, not for ever
            refuse_messages(self.connection, row, row.refusal.split("\n"), row.refusal)
        return self._let_go(row)

    def _of_number(self, row: DispatchDocument) -> tuple[TheirLined | None, TheirLined | None]:
        """The document that is ours, a live one before a voided; and one of our number that isn't ours."""
        ours = [one for one in self.found if is_ours(one, row.document)]
        ours.sort(key=lambda one: one.status in GONE)
        others = [
            one
            for one in self.found
            if self.kind.number_of(one) == row.number
            and not is_ours(one, row.document)
            and (one.status not in GONE or row.refusal)
        ]
        return (ours[0] if ours else None), (others[0] if others else None)

    def _link_edited(self, row: DispatchDocument, ours: TheirLined) -> None:
        """Our create did happen, and a person changed or voided it before we knew: a question, not an overwrite."""
        Link.objects.update_or_create(
            connection=self.connection,
            kind=self.kind.name,
            document=row.document,
            defaults={
                "xero_id": self.kind.id_of(ours),
                "number": self.kind.number_of(ours),
                "status": ours.status or "",
                "total": ours.total,
                "updated": ours.updated_raw or "",
                "sent": row.element,
                "lines": twin_lines(row, ours),
                "revision": row.revision,
                "sent_at": self.dispatch.sent_at,
            },
        )
        gone = ours.status in GONE
        changes = "; ".join(str(one) for one in differences(read_sent(row.element), ours)[:3])
        newest = Change.objects.filter(supplier=self.connection.supplier_id, kind=self.kind.name, document=row.document)
        refuse(
            self.connection,
            row,
            "voided-in-xero" if gone else "edited-in-xero",
            {"changes": changes},
            shown=msgspec.json.encode(ours).decode(),
            revision=newest.values_list("revision", flat=True).first() or row.revision,
        )
        self._let_go(row)

    def _settle_change(self, row: DispatchDocument) -> bool:
        theirs = next((one for one in self.found if self.kind.id_of(one).lower() == row.xero_id.lower()), None)
        if theirs is not None and self._happened(row, theirs):
            self.accepted.append(Accepted.of(row, theirs))
            return True
        # Not there yet: a late request may still commit. Afterwards the newest state goes, after a fresh look.
        return _is_settled(self.dispatch, row, self.asked_at) and self._let_go(row)

    def _happened(self, row: DispatchDocument, theirs: TheirLined) -> bool:
        if self.dispatch.operation == Dispatch.Operation.VOID:
            return theirs.status in GONE
        if theirs.status in GONE or not self._is_as_sent(row, theirs):
            return False
        if read_sent(row.element).get("Status") and theirs.status in UNAPPROVED:  # its approval was the change
            return False
        # What it said before may be the same as what we sent: then only time tells whether the request is over.
        before = self.links.get(row.document)
        proved = before is None or not before.sent or bool(differences(read_sent(before.sent), theirs))
        return proved or _is_settled(self.dispatch, row, self.asked_at)

    def _let_go(self, row: DispatchDocument) -> bool:
        self.closed.append(row)
        return True


def _recover_contacts(session: Session, lease: Lease, dispatch: Dispatch, documents: Sequence[DispatchDocument]) -> int:
    asked_at = clock.database_now()
    read_contacts(session)
    reach(Failpoint.LOOKED_UP)
    connection = session.connection
    with transaction.atomic():
        lease.fence()
        mirrored = _mirrored_contacts(lease.connection, documents)
        accepted = [Accepted.of(one, mirrored[one.number]) for one in documents if one.number in mirrored]
        accept(connection, dispatch.operation, accepted)
        settled = [one.document for one in accepted]
        for one in documents:
            if one not in settled and _settle_missing_contact(session, dispatch, one, asked_at):
                close_documents([one])
                settled.append(one)
        _close_or_wait(dispatch, asked_at, documents, settled)
        reach(Failpoint.RECOVERING)
    reach(Failpoint.RECOVERED)
    return len(settled)


def _mirrored_contacts(connection: UUID, documents: Sequence[DispatchDocument]) -> Mapping[str, wire.Contact]:
    rows = Contact.objects.filter(connection=connection, number__in=[one.number for one in documents], merged_to="")
    return {
        row.number: wire.Contact(
            contact_id=row.contact_id, contact_number=row.number, name=row.name, contact_status=row.status
        )
        for row in rows
    }


def _settle_missing_contact(session: Session, dispatch: Dispatch, row: DispatchDocument, asked_at: datetime) -> bool:
    """No contact carries our number. One of the same name is matched by the next round; a refusal is believed now."""
    if not _is_settled(dispatch, row, asked_at):
        return False
    name = str(read_sent(row.element).get("Name", ""))
    there = Contact.objects.filter(
        connection=dispatch.connection_id, status="ACTIVE", merged_to="", folded_name=fold_name(name)
    )
    if row.refusal and not there.exists():
        refuse_messages(session.connection, row, row.refusal.split("\n"), row.refusal, customer=name)
    return True


# --- money --------------------------------------------------------------------------------------------------------


def _recover_money(session: Session, lease: Lease, dispatch: Dispatch, documents: Sequence[DispatchDocument]) -> int:
    asked_at = clock.database_now()
    with telling(one.number for one in documents):
        found = look_for_money(session, dispatch, documents)
    reach(Failpoint.LOOKED_UP)
    with transaction.atomic():
        lease.fence()
        settled = _judge_money(session, dispatch, documents, found, asked_at)
        _close_or_wait(dispatch, asked_at, documents, settled)
        reach(Failpoint.RECOVERING)
    reach(Failpoint.RECOVERED)
    return len(settled)


def _judge_money(
    session: Session,
    dispatch: Dispatch,
    documents: Sequence[DispatchDocument],
    found: Sequence[Theirs],
    asked_at: datetime,
) -> list[DispatchDocument]:
    """Record what was made or taken out, let go of what wasn't. Returns the documents whose outcome is known."""
    kind = KINDS[dispatch.kind]
    linked = Link.objects.filter(connection=dispatch.connection_id, kind=kind.name)
    known = {
        one.lower()
        for one in linked.filter(xero_id__in=[kind.id_of(one) for one in found]).values_list("xero_id", flat=True)
    }
    by_id = {kind.id_of(one).lower(): one for one in found}
    accepted: list[Accepted] = []
    closed: list[DispatchDocument] = []
    for row in documents:
        if dispatch.operation == Dispatch.Operation.VOID:
            theirs = by_id.get(row.xero_id.lower())
            if theirs is None or kind.status_of(theirs) in GONE:
                accepted.append(Accepted.of(row, row.xero_id if theirs is None else theirs))
            elif _is_settled(dispatch, row, asked_at):
                closed.append(row)
            continue
        mine = [one for one in found if kind.id_of(one).lower() not in known and is_this(row, one)]
        mine.sort(key=lambda one: kind.status_of(one) in GONE)
        if mine and kind.status_of(mine[0]) not in GONE:
            known.add(kind.id_of(mine[0]).lower())
            accepted.append(Accepted.of(row, mine[0]))
        elif mine:  # made, and taken out by a person before we knew
            _link_taken_out(session, row, mine[0])
            closed.append(row)
        elif _is_settled(dispatch, row, asked_at):
            closed.append(row)
    accept(session.connection, dispatch.operation, accepted)
    close_documents(closed)
    return [one.document for one in accepted] + closed


def _link_taken_out(session: Session, row: DispatchDocument, theirs: Theirs) -> None:
    kind = KINDS[row.kind]
    twin = {"xero_id": kind.id_of(theirs), "number": row.number, "status": "DELETED", "total": kind.total_of(theirs)}
    Link.objects.update_or_create(
        connection=session.connection,
        kind=row.kind,
        document=row.document,
        defaults=twin | {"sent": row.element, "revision": row.revision, "sent_at": clock.database_now()},
    )
    refuse(session.connection, row, "removed-in-xero", {})
