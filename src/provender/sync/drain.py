"""Empties one connection's outbox: doubts first, then removals, contacts, invoices, with a barrier between kinds.

The engine runs `drain_due` every few seconds and after each commit that posts a change. Only the newest state of a
document is ever built. A drain may die anywhere: what it had committed is enough for the next one.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import F

from provender.basics import clock
from provender.changes.actions import ask, settle
from provender.changes.models import Change
from provender.invoicing.models import Invoice
from provender.sync import contacts as contact_room
from provender.sync.differences import GONE, differences, read_sent, touched_by_money
from provender.sync.dispatching import Courier, Parcel
from provender.sync.documents import Built, Chart, InvoiceBuilder, Trouble, batches, removal_element
from provender.sync.due import connections_with_work, due_changes, due_revisions
from provender.sync.errors import LostLease
from provender.sync.failpoints import Failpoint, reach
from provender.sync.lease import Lease, take_lease
from provender.sync.mirror import freshen_chart, read_contacts
from provender.sync.models import Connection, Link, Problem
from provender.sync.problems import close_problems, note_problem
from provender.sync.recording import note_troubles, settle_revisions
from provender.sync.recovery import recover
from provender.sync.session import Session, note_lost_access, open_session, telling
from provender.xero import NotConnected, Refused, TryLater, wire

log = logging.getLogger(__name__)
ROUND = 500  # documents looked at in one round; what is left comes in the next
LOOK = 50

Progress = Callable[[int], None]


def drain_due() -> None:
    """The engine's job: drain each connection that has something due. One connection's trouble leaves the others be."""
    for connection in connections_with_work(clock.database_now()).select_related("supplier"):
        try:
            drain(connection)
        except Exception:  # the worker's loop: a fault nobody foresaw is recorded, and the next connection has its turn
            log.exception("The drain of a connection failed", extra={"connection": str(connection.pk)})
            Connection.objects.filter(pk=connection.pk).update(drain_after=clock.database_now() + timedelta(seconds=30))


def drain(connection: Connection, progress: Progress = lambda _count: None) -> bool:
    """Send everything of this connection that is due, and settle doubts whose turn it is.

    Returns False when another drain holds the lease or Xero asks to wait; what is left stays due.
    """
    lease = take_lease(connection.pk)
    if lease is None:
        return False
    connection.refresh_from_db()
    try:
        with open_session(connection) as session:
            return _drain(session, lease, progress)
    except LostLease:
        return False
    finally:
        lease.release()


def _drain(session: Session, lease: Lease, progress: Progress) -> bool:
    try:
        work = _Work(session, lease, progress)
        while work.round():
            session.flush()
    except TryLater as fault:
        until = clock.database_now() + timedelta(seconds=fault.seconds)
        Connection.objects.filter(pk=lease.connection, lease_epoch=lease.epoch).update(drain_after=until)
        return False
    except NotConnected as fault:
        note_lost_access(session.connection, fault)
        return False
    except Refused as fault:
        log.warning("Xero refused a look-up: %s", fault)
        Connection.objects.filter(pk=lease.connection).update(drain_after=clock.database_now() + timedelta(minutes=5))
        return False
    Connection.objects.filter(pk=lease.connection).update(last_checked_at=clock.database_now(), drain_after=None)
    return True


@dataclass
class _Work:
    """One drain's rounds over one connection."""

    session: Session
    lease: Lease
    progress: Progress
    done: int = 0

    @property
    def connection(self) -> Connection:
        return self.session.connection

    def round(self) -> bool:
        """Doubts, removals, contacts, invoices, once each; whether anything came of it."""
        settled = recover(self.session, self.lease)
        settled += self._hear_of_customers()
        settled += self._nothing_to_remove()
        settled += self._remove()
        due = due_revisions(self.connection, "invoice", ROUND)
        if due:
            freshen_chart(self.session)
            customers = self._customers_of(due)
            settled += self._find_contacts(customers)
            settled += self._send_invoices(due, customers)
        return settled > 0

    def _carry(self, parcels: Iterable[Parcel]) -> int:
        courier = Courier(self.session, self.lease, lambda count: self.progress(self.done + count))
        settled = courier.carry(parcels)
        self.done += settled
        if courier.stopped is not None:
            raise courier.stopped
        return settled + int(courier.in_doubt)

    # --- customers ------------------------------------------------------------------------------------------------

    def _hear_of_customers(self) -> int:
        """A customer that was renamed: nothing is written to its contact, but what waited for it is tried again."""
        heard = list(
            Change.objects.filter(
                supplier=self.connection.supplier_id, kind="contact", revision__gt=F("settled")
            ).values_list("document", "revision")[:ROUND]
        )
        if not heard:
            return 0
        with transaction.atomic():
            self.lease.fence()
            release_customers(self.connection, dict(heard), "the customer was changed")
            settle_revisions(self.connection, "contact", heard)
        reach(Failpoint.SETTLED)
        return 0  # nothing came of it for Xero: whether there is more to do, the rest of the round tells

    def _customers_of(self, due: Mapping[UUID, int]) -> dict[UUID, UUID]:
        """Invoice → customer, for open invoices."""
        rows = Invoice.objects.filter(supplier=self.connection.supplier_id, pk__in=due, status=Invoice.Status.OPEN)
        return dict(rows.values_list("pk", "customer_id"))

    def _find_contacts(self, customers: Mapping[UUID, UUID]) -> int:
        """Match or create the contacts that these invoices need."""
        needed = set(customers.values())
        needed -= contact_room.linked_contacts(self.connection, needed).keys()
        needed -= set(self._contact_problems(needed))
        if not needed:
            return 0
        read_contacts(self.session)
        plan = contact_room.plan_contacts(self.connection, needed)
        if plan.matched or plan.troubles:
            with transaction.atomic():
                self.lease.fence()
                self._link_matched(plan.matched)
                note_troubles(self.connection, "contact", plan.troubles, {})
            reach(Failpoint.MATCHED)
        return self._carry(Parcel("contact", "create", parcel) for parcel in batches(plan.create))

    def _link_matched(self, matched: Mapping[UUID, str]) -> None:
        now = clock.database_now()
        Link.objects.bulk_create(
            [
                Link(
                    connection=self.connection,
                    kind="contact",
                    document=customer,
                    xero_id=contact,
                    matched=True,
                    status="ACTIVE",
                    sent_at=now,
                )
                for customer, contact in matched.items()
            ],
            ignore_conflicts=True,
        )

    def _contact_problems(self, customers: Iterable[UUID]) -> dict[UUID, Problem]:
        rows = Problem.objects.filter(
            connection=self.connection, kind="contact", document__in=list(customers), solved_at=None
        )
        return {row.document: row for row in rows}

    # --- invoices -------------------------------------------------------------------------------------------------

    def _send_invoices(self, due: Mapping[UUID, int], customers: Mapping[UUID, UUID]) -> int:
        contacts = contact_room.linked_contacts(self.connection, set(customers.values()))
        held = self._hold_without_contact(due, {pk: who for pk, who in customers.items() if who not in contacts})
        ready = {pk: due[pk] for pk, customer in customers.items() if customer in contacts}
        links = self._links(ready)
        builder = InvoiceBuilder(self.connection, Chart.load(self.connection))
        new = {pk: revision for pk, revision in ready.items() if pk not in links}
        settled = held + self._carry(self._creates(builder, new, contacts))
        changed = {pk: revision for pk, revision in ready.items() if pk in links}
        return settled + self._change(builder, changed, links, contacts)

    def _hold_without_contact(self, due: Mapping[UUID, int], waiting: Mapping[UUID, UUID]) -> int:
        """Invoices whose customer's contact is a problem have that problem too."""
        problems = self._contact_problems(set(waiting.values()))
        held = {pk: problems[customer] for pk, customer in waiting.items() if customer in problems}
        if not held:
            return 0
        numbers = dict(Invoice.objects.filter(pk__in=held).values_list("pk", "number"))
        with transaction.atomic():
            self.lease.fence()
            for pk, problem in held.items():
                words = {**problem.words, "number": numbers[pk]}
                note_problem(
                    self.connection,
                    "invoice",
                    pk,
                    due[pk],
                    problem.cause,
                    words,
                    raw=problem.raw,
                    customer=problem.document,
                )
        reach(Failpoint.PARKED)
        return len(held)

    def _creates(
        self, builder: InvoiceBuilder, revisions: Mapping[UUID, int], contacts: Mapping[UUID, str]
    ) -> Iterator[Parcel]:
        """Parcels built while earlier ones are on their way."""
        wanted = list(revisions.items())
        for start in range(0, len(wanted), LOOK):
            built = self._sound(builder.build(dict(wanted[start : start + LOOK]), {}, contacts))
            for parcel in batches(built):
                reach(Failpoint.BUILT)
                yield Parcel("invoice", "create", parcel)

    def _sound(self, built: Iterable[Built | Trouble]) -> list[Built]:
        """Those that could be built; the others get their Problem."""
        sorted_: dict[bool, list[Built | Trouble]] = defaultdict(list)
        for one in built:
            sorted_[isinstance(one, Trouble)].append(one)
        if troubles := [one for one in sorted_[True] if isinstance(one, Trouble)]:
            numbers = dict(
                Invoice.objects.filter(pk__in=[one.document for one in troubles]).values_list("pk", "number")
            )
            with transaction.atomic():
                self.lease.fence()
                note_troubles(self.connection, "invoice", troubles, numbers)
            reach(Failpoint.PARKED)
        return [one for one in sorted_[False] if isinstance(one, Built)]

    def _change(
        self,
        builder: InvoiceBuilder,
        revisions: Mapping[UUID, int],
        links: Mapping[UUID, Link],
        contacts: Mapping[UUID, str],
    ) -> int:
        settled = 0
        wanted = list(revisions.items())
        for start in range(0, len(wanted), LOOK):
            some = dict(wanted[start : start + LOOK])
            sound, refused = self._look(some, {pk: links[pk] for pk in some}, removing=False)
            built = self._sound(builder.build(sound, {pk: links[pk] for pk in sound}, contacts))
            settled += refused + self._carry(Parcel("invoice", "change", parcel) for parcel in batches(built))
        return settled

    def _links(self, documents: Iterable[UUID]) -> dict[UUID, Link]:
        rows = Link.objects.filter(connection=self.connection, kind="invoice", document__in=list(documents))
        return {link.document: link for link in rows}

    # --- removals -------------------------------------------------------------------------------------------------

    def _void_due(self) -> dict[UUID, int]:
        """Voided invoices that are due."""
        void = Invoice.objects.filter(supplier=self.connection.supplier_id, status=Invoice.Status.VOID)
        rows = due_changes(self.connection, "invoice").filter(document__in=void.values("pk"))
        return dict(rows.order_by("changed_at", "pk").values_list("document", "revision")[:ROUND])

    def _nothing_to_remove(self) -> int:
        """Voided before it ever went, or gone in Xero already: there is nothing left to say."""
        due = self._void_due()
        live = {pk for pk, link in self._links(due).items() if link.status not in GONE}
        nothing = [(pk, revision) for pk, revision in due.items() if pk not in live]
        if not nothing:
            return 0
        with transaction.atomic():
            self.lease.fence()
            settle_revisions(self.connection, "invoice", nothing)
            close_problems(self.connection, "invoice", [pk for pk, _ in nothing], "cancelled here")
        reach(Failpoint.SETTLED)
        return len(nothing)

    def _remove(self) -> int:
        settled = 0
        wanted = list(self._void_due().items())
        for start in range(0, len(wanted), LOOK):
            links = self._links([pk for pk, _ in wanted[start : start + LOOK]])
            # One without a link was voided since the step before, which settles it in the next round.
            some = {pk: revision for pk, revision in wanted[start : start + LOOK] if pk in links}
            sound, refused = self._look(some, links, removing=True)
            built = [
                Built(
                    pk,
                    revision,
                    links[pk].number,
                    removal_element(links[pk].xero_id, links[pk].status),
                    xero_id=links[pk].xero_id,
                )
                for pk, revision in sound.items()
            ]
            settled += refused + self._carry(Parcel("invoice", "void", parcel) for parcel in batches(built))
        return settled

    # --- the look before a change ---------------------------------------------------------------------------------

    def _look(
        self, revisions: Mapping[UUID, int], links: Mapping[UUID, Link], *, removing: bool
    ) -> tuple[dict[UUID, int], int]:
        """Fetch how these stand in Xero now, one call; those that a person touched become Problems.

        Returns the ones that may be written, and how many were settled or parked. The links learn line ids and status.
        """
        if not revisions:
            return {}, 0
        with telling(links[pk].number for pk in revisions):
            page = self.session.client.invoices(1, ids=[links[pk].xero_id for pk in revisions], page_size=1000)
        reach(Failpoint.LOOKED)
        there = {(one.invoice_id or "").lower(): one for one in page.items}
        sound: dict[UUID, int] = {}
        with transaction.atomic():
            self.lease.fence()
            for pk, revision in revisions.items():
                theirs = there.get(links[pk].xero_id.lower())
                if self._may_write(pk, revision, links[pk], theirs, removing=removing):
                    sound[pk] = revision
        reach(Failpoint.PARKED)
        return sound, len(revisions) - len(sound)

    def _may_write(self, pk: UUID, revision: int, link: Link, theirs: wire.Invoice | None, *, removing: bool) -> bool:
        """Whether Xero still holds what we sent, and takes changes to it. Otherwise the right Problem is noted."""
        gone = theirs is None or theirs.status in GONE
        if theirs is not None:
            link.status = theirs.status or ""
            Link.objects.filter(pk=link.pk).update(status=link.status)
        if gone and removing:  # a person did already what we were about to do
            settle(Change.objects.filter(supplier=self.connection.supplier_id, kind="invoice", document=pk), revision)
            close_problems(self.connection, "invoice", [pk], "voided in Xero already")
            return False
        found = [] if theirs is None else differences(read_sent(link.sent), theirs) if link.sent else []
        cause = (
            "voided-in-xero"
            if theirs is None or theirs.status in GONE
            else "paid-or-credited"
            if touched_by_money(theirs)
            else "edited-in-xero"
            if found
            else ""
        )
        if not cause:
            return True
        words = {"number": link.number, "changes": "; ".join(str(one) for one in found[:3])}
        shown = msgspec.json.encode(theirs).decode() if theirs is not None else ""
        note_problem(self.connection, "invoice", pk, revision, cause, words, shown=shown)
        return False


def release_customers(connection: Connection, customers: Iterable[UUID], how: str) -> int:
    """Contact problems of these customers are over, and the invoices that waited for them are tried again."""
    waiting = Problem.objects.filter(
        connection=connection, kind="invoice", customer__in=list(customers), solved_at=None
    )
    documents = list(waiting.values_list("document", flat=True))
    close_problems(connection, "contact", customers, how)
    waiting.update(solved_at=clock.database_now(), how=how)
    return ask(Change.objects.filter(supplier=connection.supplier_id, kind="invoice", document__in=documents))
