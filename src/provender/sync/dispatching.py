"""Claim, stamp, send, record: how parcels of documents go to Xero, up to five calls at once.

Each step is its own short, fenced transaction, and no call is made inside one. The pool's threads do HTTP only; the
database is this thread's. What can't be told apart from success stays an open dispatch, for `recovery`.
"""

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from django.db import transaction

from provender.basics import clock
from provender.basics.rows import ReadyRows
from provender.sync.differences import read_sent
from provender.sync.documents import Built
from provender.sync.failpoints import Failpoint, reach
from provender.sync.kinds import KINDS, Kind
from provender.sync.lease import Lease
from provender.sync.mirror import note_contacts
from provender.sync.models import Backoff, Dispatch, DispatchDocument
from provender.sync.problems import says_taken
from provender.sync.recording import Accepted, Recording, close_documents, refuse_messages
from provender.sync.session import Session, note_lost_access, telling
from provender.xero import Answer, Element, Fault, NotConnected, OutcomeUnknown, Refused, TryLater, wire

IN_FLIGHT = 5
FRESH_STAMP = timedelta(seconds=10)  # between the stamp and the first byte; after it nothing is sent any more
METHODS: dict[str, Literal["PUT", "POST"]] = {"create": "PUT", "change": "POST", "void": "POST"}


@dataclass(frozen=True)
class Parcel:
    """Documents of one kind that go in one call; `address` is set where that isn't the list of the kind."""

    kind: str
    operation: str
    documents: list[Built]
    address: str = ""

    @property
    def row(self) -> Kind:
        """What is true of its kind."""
        return KINDS[self.kind]

    @property
    def resource(self) -> str:
        """The path that it goes to."""
        return self.address or self.row.resource

    @property
    def method(self) -> Literal["PUT", "POST", "DELETE"]:
        """How it goes. Xero deletes allocations alone; all else is marked deleted or voided."""
        taken_off = self.kind == "allocation" and self.operation == Dispatch.Operation.VOID
        return "DELETE" if taken_off else METHODS[self.operation]

    def body(self, elements: Sequence[bytes]) -> bytes:
        """What is sent: the elements in their envelope, or one alone to its own address."""
        if self.method == "DELETE":
            return b""
        alone = bool(self.address) and self.operation == Dispatch.Operation.VOID
        return elements[0] if alone else wire.envelope(self.row.resource, elements)

    def halves(self) -> Iterator["Parcel"]:
        """Two parcels of half the documents each."""
        middle = len(self.documents) // 2
        yield replace(self, documents=self.documents[:middle])
        yield replace(self, documents=self.documents[middle:])


@dataclass
class _Sent:
    """A dispatch on its way."""

    dispatch: Dispatch
    documents: list[DispatchDocument]
    rows: tuple[ReadyRows, ReadyRows]
    parcel: Parcel
    token: str
    stamped: datetime


@dataclass
class Courier:
    """Carries parcels for one drain. `stopped` holds the fault after which nothing more is sent by it."""

    session: Session
    lease: Lease
    progress: Callable[[int], None] = lambda _count: None
    stopped: Fault | None = None
    in_doubt: bool = False
    _refused_tokens: set[str] = field(default_factory=set)

    def carry(self, parcels: Iterable[Parcel]) -> int:
        """Send them all, five at a time; returns how many documents got a verdict.

        A doubt ends the round early, so that recovery looks before more is sent. Raises LostLease.
        """
        waiting, again, settled = iter(parcels), deque[Parcel](), 0
        flying: dict[Future[Answer], _Sent] = {}
        self.in_doubt = False
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="xero") as pool:
            while True:
                while len(flying) < IN_FLIGHT and (sent := self._launch(waiting, again)):
                    flying[self._submit(pool, sent)] = sent
                if not flying:
                    break
                done, _ = wait(flying, return_when=FIRST_COMPLETED)
                for future in done:
                    settled += self._receive(future, flying.pop(future), again)
                self.progress(settled)
        return settled

    def _launch(self, waiting: Iterator[Parcel], again: deque[Parcel]) -> _Sent | None:
        """Claim and stamp the next parcel, or None when there is none, or nothing more may be sent."""
        while self.stopped is None and not self.in_doubt:
            parcel = again.popleft() if again else next(waiting, None)
            if parcel is None:
                return None
            try:
                token = self.session.token()
                if token in self._refused_tokens:
                    token = self.session.token(not_this=token)
                self.session.budget.take()
            except (TryLater, NotConnected) as fault:
                self._stop(fault)
                return None
            if sent := self.claim(parcel, token):
                sent.stamped = self.stamp(sent.dispatch)
                return sent
            self.session.budget.give_back({}, None)
        return None

    def claim(self, parcel: Parcel, token: str) -> _Sent | None:
        """Freeze the parcel as an open dispatch, committed before the call; documents in doubt are left out."""
        sent = self._freeze(parcel, token)
        with transaction.atomic():
            self.lease.fence()
            if doubtful := self._in_doubt(parcel):
                rest = [built for built in parcel.documents if built.document not in doubtful]
                if not rest:
                    return None
                sent = self._freeze(replace(parcel, documents=rest), token)
            for rows in sent.rows:
                rows.insert()
        reach(Failpoint.CLAIMED)
        return sent

    def _freeze(self, parcel: Parcel, token: str) -> _Sent:
        """The dispatch and its documents, ready to be inserted."""
        now = clock.database_now()
        dispatch = Dispatch(
            connection_id=self.lease.connection,
            kind=parcel.kind,
            operation=parcel.operation,
            key=str(uuid.uuid4()),
            claimed_at=now,
            next_try_at=now,
            tries=self._backed_off(parcel),
        )
        documents = [_freeze(dispatch, position, built) for position, built in enumerate(parcel.documents)]
        rows = ReadyRows.of([dispatch]), ReadyRows.of(documents)
        return _Sent(dispatch, documents, rows, parcel, token, stamped=now)

    def _in_doubt(self, parcel: Parcel) -> set[uuid.UUID]:
        ids = [built.document for built in parcel.documents]
        open_ = DispatchDocument.objects.filter(connection=self.lease.connection, kind=parcel.kind, document__in=ids)
        return set(open_.values_list("document", flat=True))

    def _backed_off(self, parcel: Parcel) -> int:
        ids = [built.document for built in parcel.documents]
        tries = Backoff.objects.filter(connection=self.lease.connection, kind=parcel.kind, document__in=ids)
        return max(tries.values_list("tries", flat=True), default=0)

    def stamp(self, dispatch: Dispatch) -> datetime:
        """The check before the send is a write: it renews the lease and says when the first byte may have left.

        Returns when it began, by the clock that the first byte is held against.
        """
        began = clock.now()
        with transaction.atomic():
            self.lease.fence()
            dispatch.sent_at = clock.database_now()
            Dispatch.objects.filter(pk=dispatch.pk).update(sent_at=dispatch.sent_at)
        reach(Failpoint.STAMPED)
        return began

    def _submit(self, pool: ThreadPoolExecutor, sent: _Sent) -> Future[Answer]:
        stamped = sent.stamped
        body = sent.parcel.body([row.element.encode() for row in sent.documents])
        with telling(_known_as(row) for row in sent.documents):
            context = copy_context()  # the pool's thread makes the call, and hears what it is about
        return pool.submit(
            context.run,
            self.session.client.write,
            sent.parcel.method,
            sent.parcel.resource,
            body,
            key=sent.dispatch.key,
            access_token=sent.token,
            # A process that slept between stamp and send must not send on a lease that has run out meanwhile.
            before_first_byte=lambda: timedelta(0) <= clock.now() - stamped < FRESH_STAMP,
        )

    def _receive(self, future: Future[Answer], sent: _Sent, again: deque[Parcel]) -> int:
        try:
            answer = future.result()
        except OutcomeUnknown:
            reach(Failpoint.ANSWERED)
            self.in_doubt = True
            return 0
        except Fault as fault:
            reach(Failpoint.ANSWERED)
            return self._close_unsent(sent, fault, again)
        reach(Failpoint.ANSWERED)
        return self._record(sent, answer)

    def _close_unsent(self, sent: _Sent, fault: Fault, again: deque[Parcel]) -> int:
        """Xero surely did nothing: the documents are due again, in halves if one of them may be at fault."""
        alone = len(sent.documents) == 1
        with transaction.atomic():
            self.lease.fence()
            if isinstance(fault, Refused) and alone:
                messages = [text for element in fault.elements for text in element.messages] or [fault.message]
                refuse_messages(self.session.connection, sent.documents[0], messages, fault.raw)
            close_documents(sent.documents)
            reach(Failpoint.RECORDING)
        reach(Failpoint.RECORDED)
        if isinstance(fault, Refused):
            if not alone:
                again.extend(sent.parcel.halves())
            return int(alone)
        if isinstance(fault, NotConnected) and fault.reason == "expired" and sent.token not in self._refused_tokens:
            self._refused_tokens.add(sent.token)
            again.append(sent.parcel)
        elif getattr(fault, "problem", "") == "not-sent":
            again.append(sent.parcel)
        else:
            self._stop(fault)
        return 0

    def _stop(self, fault: Fault) -> None:
        self.stopped = fault
        if isinstance(fault, NotConnected):
            note_lost_access(self.session.connection, fault)
            reach(Failpoint.RECORDED)

    def _record(self, sent: _Sent, answer: Answer) -> int:
        """Match the answer by identity and write it down; what it doesn't mention stays in doubt."""
        kind, operation = sent.parcel.row, sent.parcel.operation
        # What was taken without an id, as an allocation may be, is found by a look-up before anything counts on it.
        told = [one for one in answer.elements if not one.ok or kind.id_of(one.value)]
        verdicts = {kind.identity(operation, element.value): element for element in told}
        pairs = [(row, verdicts.get(kind.identity_of(operation, row))) for row in sent.documents]
        accepted = [Accepted.of(row, element.value) for row, element in pairs if element and element.ok]
        recording = Recording.of(self.session.connection, operation, accepted)
        self.in_doubt |= any(element is None for _, element in pairs)
        with transaction.atomic():
            self.lease.fence()
            refused = [self._note_refusal(row, element) for row, element in pairs if element and not element.ok]
            recording.write()
            contacts = [one.theirs for one in accepted if isinstance(one.theirs, wire.Contact)]
            note_contacts(self.session.connection, contacts)
            reach(Failpoint.RECORDING)
        reach(Failpoint.RECORDED)
        return len(accepted) + sum(refused)

    def _note_refusal(self, row: DispatchDocument, element: Element) -> int:
        if says_taken(element.messages):
            # The request is over, but whose the other one is decides a look-up: it may be ours, from a lost answer.
            row.refusal = "\n".join(element.messages)
            DispatchDocument.objects.filter(dispatch=row.dispatch_id, document=row.document).update(refusal=row.refusal)
            self.in_doubt = True
            return 0
        refuse_messages(self.session.connection, row, element.messages, element.raw)
        close_documents([row])
        return 1


def _known_as(document: DispatchDocument) -> str:
    """What people know it by: a contact's number is our mark, which nobody has seen."""
    if document.kind == "contact":
        return str(read_sent(document.element).get("Name", ""))
    return document.number


def _freeze(dispatch: Dispatch, position: int, built: Built) -> DispatchDocument:
    return DispatchDocument(
        dispatch=dispatch,
        connection_id=dispatch.connection_id,
        kind=dispatch.kind,
        document=built.document,
        position=position,
        revision=built.revision,
        xero_id=built.xero_id,
        number=built.number,
        total=built.total,
        element=built.element.decode(),
        line_keys=list(built.line_keys),
    )
