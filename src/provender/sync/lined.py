"""Invoices and credit notes on their way: made, changed and taken back, with a look before each change.

What a person changed, paid, used or voided in Xero becomes a Problem and is left out of what is sent.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from uuid import UUID

import msgspec
from django.db import transaction

from provender.changes.actions import settle
from provender.changes.models import Change
from provender.invoicing.models import Invoice
from provender.sync import contacts as contact_room
from provender.sync.differences import (
    GONE,
    Difference,
    TheirLined,
    differences,
    moves_due_date_alone,
    read_sent,
    touched_by_money,
)
from provender.sync.dispatching import Parcel
from provender.sync.documents import Builder, Built, Chart, Lined, Trouble, batches, removal_element
from provender.sync.due import due_changes, with_moving_money
from provender.sync.failpoints import Failpoint, reach
from provender.sync.kinds import KINDS
from provender.sync.mirror import read_tracking
from provender.sync.models import Link, Problem
from provender.sync.problems import close_problems, note_problem
from provender.sync.recording import note_troubles
from provender.sync.session import Session, telling
from provender.sync.tracking import MISSING
from provender.sync.work import READ, ROUND, Work, some, without
from provender.xero import wire

VOIDED = "voided-in-xero"  # a cause


def fetch_by_id(session: Session, kind: str, ids: Iterable[str]) -> list[TheirLined]:
    """How these stand in Xero now: one call for up to 50."""
    wanted = list(ids)
    if kind == "credit_note":
        return list(session.client.credit_notes(1, ids=wanted, page_size=1000).items)
    return list(session.client.invoices(1, ids=wanted, page_size=1000).items)


def fetch_by_number(session: Session, kind: str, numbers: Iterable[str]) -> list[TheirLined]:
    """Those of these numbers, whoever's they are: one call for up to 50."""
    wanted = list(numbers)
    if kind == "credit_note":
        where = wire.any_text("CreditNoteNumber", wanted)
        return list(session.client.credit_notes(1, where=where, page_size=1000).items)
    return list(session.client.invoices(1, numbers=wanted, page_size=1000).items)


def send(work: Work, lined: Lined, due: Mapping[UUID, int], customers: Mapping[UUID, UUID]) -> int:
    """Send the open documents among these (document → revision; document → customer): new ones, then changed ones."""
    contacts = contact_room.linked_contacts(work.connection, set(customers.values()))
    held = _hold_without_contact(work, lined, due, {pk: who for pk, who in customers.items() if who not in contacts})
    ready = {pk: due[pk] for pk, customer in customers.items() if customer in contacts}
    links = work.links(lined.kind, ready)
    builder = Builder(work.connection, Chart.load(work.connection), lined)
    new = {pk: revision for pk, revision in ready.items() if pk not in links}
    settled = held + work.carry(_creates(work, lined, builder, new, contacts))
    changed = {pk: revision for pk, revision in ready.items() if pk in links}
    settled += _change(work, lined, builder, changed, links, contacts)
    _name_tracking(work, lined, ready, contacts)
    return settled


def _name_tracking(work: Work, lined: Lined, sent: Mapping[UUID, int], contacts: Mapping[UUID, str]) -> None:
    """Xero refused or left out an option of some: what it lacks is read at once, and their Problems name it."""
    found = Problem.objects.filter(connection=work.connection, kind=lined.kind, cause=MISSING, solved_at=None)
    problems = {each.document: each for each in found.filter(document__in=list(sent)).exclude(raw="")}
    if not problems:
        return
    read_tracking(work.session)
    builder = Builder(work.connection, Chart.load(work.connection), lined)
    built = builder.build({pk: sent[pk] for pk in problems}, work.links(lined.kind, problems), contacts)
    with transaction.atomic():
        work.lease.fence()
        for one in built:
            if isinstance(one, Trouble) and one.cause == MISSING:
                problem = problems[one.document]
                Problem.objects.filter(pk=problem.pk, solved_at=None).update(words=problem.words | one.words)
    reach(Failpoint.PARKED)


def contact_problems(work: Work, customers: Iterable[UUID]) -> dict[UUID, Problem]:
    """The open contact problems of these customers."""
    rows = Problem.objects.filter(
        connection=work.connection, kind="contact", document__in=list(customers), solved_at=None
    )
    return {row.document: row for row in rows}


def _hold_without_contact(work: Work, lined: Lined, due: Mapping[UUID, int], waiting: Mapping[UUID, UUID]) -> int:
    """Documents whose customer's contact is a problem have that problem too."""
    problems = contact_problems(work, set(waiting.values()))
    held = {pk: problems[customer] for pk, customer in waiting.items() if customer in problems}
    if not held:
        return 0
    numbers = lined.numbers(work.connection, held)
    with transaction.atomic():
        work.lease.fence()
        for pk, problem in held.items():
            words = {**problem.words, "number": numbers[pk]}
            note_problem(
                work.connection,
                lined.kind,
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
    work: Work, lined: Lined, builder: Builder, revisions: Mapping[UUID, int], contacts: Mapping[UUID, str]
) -> Iterator[Parcel]:
    """Parcels built while earlier ones are on their way, several at a time, which asks the database less often."""
    for handful in some(revisions, READ):
        built = _sound(work, lined, builder.build(handful, {}, contacts))
        for parcel in batches(built):
            reach(Failpoint.BUILT)
            yield Parcel(lined.kind, "create", parcel)


def _sound(work: Work, lined: Lined, built: Iterable[Built | Trouble]) -> list[Built]:
    """Those that could be built; the others get their Problem."""
    sorted_: dict[bool, list[Built | Trouble]] = defaultdict(list)
    for one in built:
        sorted_[isinstance(one, Trouble)].append(one)
    if troubles := [one for one in sorted_[True] if isinstance(one, Trouble)]:
        numbers = lined.numbers(work.connection, [one.document for one in troubles])
        with transaction.atomic():
            work.lease.fence()
            note_troubles(work.connection, lined.kind, troubles, numbers)
        reach(Failpoint.PARKED)
    return [one for one in sorted_[False] if isinstance(one, Built)]


def _change(
    work: Work,
    lined: Lined,
    builder: Builder,
    revisions: Mapping[UUID, int],
    links: Mapping[UUID, Link],
    contacts: Mapping[UUID, str],
) -> int:
    settled = 0
    for handful in some(revisions):
        moved = _due_dates_moved(lined, builder, handful, links, contacts)
        sound, refused = _look(work, lined, handful, links, removing=False, moved=moved)
        contacts = contact_room.linked_contacts(work.connection, set(contacts))  # the look may have heard of merges
        built = _sound(work, lined, builder.build(sound, {pk: links[pk] for pk in sound}, contacts))
        settled += refused + work.carry(Parcel(lined.kind, "change", parcel) for parcel in batches(built))
    return settled


def _due_dates_moved(
    lined: Lined,
    builder: Builder,
    revisions: Mapping[UUID, int],
    links: Mapping[UUID, Link],
    contacts: Mapping[UUID, str],
) -> set[UUID]:
    """Invoices with money on them of which nothing but the due date is another than was sent."""
    if lined.kind != "invoice":
        return set()
    paid = Invoice.objects.filter(pk__in=list(revisions), settled_on=None).exclude(paid=0, credited=0)
    due = {pk: revisions[pk] for pk in paid.values_list("pk", flat=True) if links[pk].sent}
    built = builder.build(due, {pk: links[pk] for pk in due}, contacts) if due else []
    return {
        one.document
        for one in built
        if isinstance(one, Built)
        and moves_due_date_alone(read_sent(links[one.document].sent), read_sent(one.element.decode()))
    }


# --- removals -----------------------------------------------------------------------------------------------------


def remove(work: Work, lined: Lined) -> int:
    """Take back in Xero what was voided here; what never went, or is gone there already, is settled without a call."""
    due = _void_due(work, lined)
    if not due:
        return 0
    due = without(due, with_moving_money(work.connection, lined.kind))
    live = {pk for pk, link in work.links(lined.kind, due).items() if link.status not in GONE}
    settled = work.settle(
        lined.kind, {pk: revision for pk, revision in due.items() if pk not in live}, "cancelled here"
    )
    for handful in some({pk: revision for pk, revision in due.items() if pk in live}):
        links = work.links(lined.kind, handful)
        sound, refused = _look(work, lined, handful, links, removing=True)
        built = [
            Built(
                pk,
                revision,
                links[pk].number,
                removal_element(lined, links[pk].xero_id, links[pk].status),
                xero_id=links[pk].xero_id,
            )
            for pk, revision in sound.items()
        ]
        settled += refused + work.carry(Parcel(lined.kind, "void", parcel) for parcel in batches(built))
    return settled


def _void_due(work: Work, lined: Lined) -> dict[UUID, int]:
    """Voided documents that are due."""
    void = lined.of(work.connection).filter(status=Invoice.Status.VOID)
    rows = due_changes(work.connection, lined.kind).filter(document__in=void.values("pk"))
    return dict(rows.order_by("changed_at", "pk").values_list("document", "revision")[:ROUND])


# --- the look before a change -------------------------------------------------------------------------------------


def _look(
    work: Work,
    lined: Lined,
    revisions: Mapping[UUID, int],
    links: Mapping[UUID, Link],
    *,
    removing: bool,
    moved: Collection[UUID] = (),
) -> tuple[dict[UUID, int], int]:
    """Fetch how these stand in Xero now, one call; those that a person touched become Problems.

    Those `moved` change their due date alone, which money doesn't hold up while something is left to pay. Returns the
    ones that may be written, and how many were settled or parked. The links learn line ids and status.
    """
    if not revisions:
        return {}, 0
    with telling(links[pk].number for pk in revisions):
        found = fetch_by_id(work.session, lined.kind, [links[pk].xero_id for pk in revisions])
    reach(Failpoint.LOOKED)
    there = {KINDS[lined.kind].id_of(one).lower(): one for one in found}
    merged = contact_room.hear_of_merges(
        work.session, ((links[pk], there.get(links[pk].xero_id.lower())) for pk in revisions)
    )
    sound: dict[UUID, int] = {}
    with transaction.atomic():
        work.lease.fence()
        for pk, revision in revisions.items():
            theirs = there.get(links[pk].xero_id.lower())
            if _may_write(work, links[pk], revision, theirs, merged, removing=removing, moved=pk in moved):
                sound[pk] = revision
    reach(Failpoint.PARKED)
    return sound, len(revisions) - len(sound)


def _may_write(
    work: Work,
    link: Link,
    revision: int,
    theirs: TheirLined | None,
    merged: Mapping[str, str],
    *,
    removing: bool,
    moved: bool,
) -> bool:
    """Whether Xero still holds what we sent, and takes changes to it. Otherwise the right Problem is noted."""
    connection, kind, pk = work.connection, link.kind, link.document
    if theirs is not None:
        link.status = theirs.status or ""
        Link.objects.filter(pk=link.pk).update(status=link.status)
    cause, found = _why_not(link, theirs, merged, moved=moved)
    if cause == VOIDED and removing:  # a person did already what we were about to do
        settle(Change.objects.filter(supplier=connection.supplier_id, kind=kind, document=pk), revision)
        close_problems(connection, kind, [pk], "voided in Xero already")
        return False
    if not cause:
        return True
    words = {"number": link.number, "changes": "; ".join(str(one) for one in found[:3])}
    shown = msgspec.json.encode(theirs).decode() if theirs is not None else ""
    note_problem(connection, kind, pk, revision, cause, words, shown=shown)
    return False


def _why_not(
    link: Link, theirs: TheirLined | None, merged: Mapping[str, str], *, moved: bool
) -> tuple[str, list[Difference]]:
    """The cause that a change may not be written over what Xero has, or "", and what a person changed there."""
    found = differences(read_sent(link.sent), theirs, merged) if theirs is not None and link.sent else []
    if theirs is None or theirs.status in GONE:
        return VOIDED, found
    if touched_by_money(theirs) and (found or not moved or theirs.status == "PAID"):
        return "paid-or-credited", found
    return "edited-in-xero" if found else "", found
