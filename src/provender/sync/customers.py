"""Customers from Xero: read the contacts, look, choose, apply, undo. Nothing is ever written to Xero.

As with products (`products.py`): a pull is a preview kept in the database, applied in short batches that note on the
rows what they did, so that what was cut off half way goes on where it was. Links are put in first, one statement a
batch, and what isn't ours afterwards was taken by somebody else meanwhile.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from provender.basics import clock
from provender.basics.transactions import short_transaction
from provender.customers import actions as customers
from provender.customers.models import Customer
from provender.invoicing.models import Invoice
from provender.people.models import User
from provender.sync.contacts import KIND
from provender.sync.drain import release_customers
from provender.sync.errors import PullGone
from provender.sync.likeness import EMAIL, NAME, TAX, Known, judge_contacts
from provender.sync.mirror import read_contacts
from provender.sync.models import (
    Connection,
    Contact,
    ContactRefusal,
    CustomerPull,
    CustomerPullRow,
    DispatchDocument,
    Link,
)
from provender.sync.previews import Told, batches, can_undo, forget_old, lock, move, must_be, note, silent
from provender.sync.session import asking_for_a_person
from provender.sync.terms import keep_terms
from provender.timeline.actions import tell, tell_many
from provender.timeline.wording import what_changed

State, Choice = CustomerPull.State, CustomerPullRow.Choice
WHY = "Customers from Xero"
BATCH = 30  # rows in one transaction: a new customer is several rows, its link and its story among them
NEW = "new"
SIGNS = (TAX, NAME, EMAIL)  # by which suggestions can be confirmed all at once
LINKED_MEANWHILE = "Linked meanwhile, so left"


@dataclass(frozen=True)
class Applied:
    """How many customers were added and linked, how many suggestions refused, and how many rows could only be left."""

    added: int = 0
    linked: int = 0
    refused: int = 0
    left: int = 0


@dataclass(frozen=True)
class Undone:
    """How many customers were removed and unlinked again, how many suggestions are open again, how many were left."""

    removed: int = 0
    unlinked: int = 0
    reopened: int = 0
    left: int = 0


# --- looking ------------------------------------------------------------------------------------------------------


def pull_customers(connection: Connection, by: User | None, *, trial: bool = False) -> CustomerPull:
    """Read all contacts of the organisation, 1,000 a call, and lay them beside our customers; no customer changes.

    Previews that nobody applied are forgotten, unless this is only a trial, to be discarded. Raises XeroBusy,
    XeroRefused, NeedsReconnecting, NotConnectedHere.
    """
    with asking_for_a_person(connection) as session:
        read_contacts(session, all_for_a_person=True)
    return keep_preview(connection, by, trial=trial)


def keep_preview(connection: Connection, by: User | None, *, trial: bool = False) -> CustomerPull:
    """Judge the contacts that were read, and keep a row for each."""
    contacts = list(Contact.objects.filter(connection=connection).order_by("folded_name", "contact_id"))
    rows = judge_contacts(contacts, _known(connection))
    if not trial:
        forget_old(CustomerPull, connection)
    pull = CustomerPull.objects.create(connection=connection, read_at=clock.now(), by=by, contacts=len(contacts))
    for batch in batches(rows):
        for row in batch:
            row.pull = pull
        CustomerPullRow.objects.bulk_create(batch)
    move(pull, [State.READING], State.PREVIEW)
    return pull


def _known(connection: Connection) -> Known:
    refused = ContactRefusal.objects.filter(connection=connection).values_list("customer", "contact_id")
    return Known(
        list(Customer.objects.filter(supplier=connection.supplier_id).order_by("trading_name", "pk")),
        dict(Link.objects.filter(connection=connection, kind=KIND).values_list("xero_id", "document")),
        set(refused),
        connection.follow_terms,
    )


# --- choosing -----------------------------------------------------------------------------------------------------


def choose_rows(pull: CustomerPull, choices: Mapping[int, str]) -> None:
    """Choose for each of these rows, by its id: "new", "not", "link:<customer>", or "" to leave it. Raises PullGone.

    What a row doesn't offer is left as it was.
    """
    changed = []
    for row in pull.rows.filter(pk__in=list(choices)):
        wanted = _read_choice(row, choices[row.pk])
        if wanted is not None and wanted != (row.choice, row.chosen):
            row.choice, row.chosen = wanted
            changed.append(row)
    _keep_choices(pull, changed)


def _read_choice(row: CustomerPullRow, text: str) -> tuple[str, UUID | None] | None:
    what, _, which = text.partition(":")
    offered = choices_of(row)
    if what == Choice.LINK and which in {offer["customer"] for offer in row.likely} and Choice.LINK in offered:
        return Choice.LINK, UUID(which)
    return (what, None) if what in ("", *offered) and what != Choice.LINK else None


def choices_of(row: CustomerPullRow) -> tuple[str, ...]:
    """What can be chosen for a row."""
    if row.state in (CustomerPullRow.State.NEW, CustomerPullRow.State.SUPPLIER):
        return (Choice.NEW,)
    likely = row.state in (CustomerPullRow.State.SUGGESTED, CustomerPullRow.State.QUESTION)
    return (Choice.LINK, Choice.NEW, Choice.NOT) if likely else ()


def choose_all(pull: CustomerPull, signs: Collection[str]) -> int:
    """Take all new contacts ("new"), and confirm the suggestions that one of the signs speaks for ("tax", "name",
    "email"), where nothing is chosen yet. Answers for how many rows it was. Raises PullGone.
    """
    changed = []
    undecided = pull.rows.filter(choice="")
    if NEW in signs:
        for row in undecided.filter(state=CustomerPullRow.State.NEW):
            row.choice = Choice.NEW
            changed.append(row)
    for row in undecided.filter(state=CustomerPullRow.State.SUGGESTED):
        if set(row.signs.split()) & set(signs):
            row.choice, row.chosen = Choice.LINK, UUID(row.likely[0]["customer"])
            changed.append(row)
    _keep_choices(pull, changed)
    return len(changed)


def choose_nothing(pull: CustomerPull) -> None:
    """Leave every row. Raises PullGone."""
    changed = list(pull.rows.exclude(choice=""))
    for row in changed:
        row.choice, row.chosen = "", None
    _keep_choices(pull, changed)


def _keep_choices(pull: CustomerPull, changed: Sequence[CustomerPullRow]) -> None:
    for batch in batches(changed):
        with transaction.atomic():
            lock(pull, State.PREVIEW)
            CustomerPullRow.objects.bulk_update(batch, ["choice", "chosen"])


# --- applying -----------------------------------------------------------------------------------------------------


def apply(pull: CustomerPull, by: User | None, told: Told = silent) -> Applied:
    """Do what was chosen: add customers with their link, link those that are here, remember what isn't the same.

    With nothing chosen nothing is written. Raises PullGone.
    """
    chosen = list(pull.rows.exclude(choice="").values_list("pk", flat=True))
    if not chosen:
        must_be(pull, State.PREVIEW)
        return Applied()
    move(pull, [State.PREVIEW, State.APPLYING], State.APPLYING)
    for done in range(0, len(chosen), BATCH):
        rows = list(pull.rows.filter(pk__in=chosen[done : done + BATCH], finished=False))
        with short_transaction():
            lock(pull, State.APPLYING)
            _add(pull.connection, [row for row in rows if row.choice == Choice.NEW], by)
            _link(pull.connection, [row for row in rows if row.choice == Choice.LINK], by)
            _refuse(pull.connection, [row for row in rows if row.choice == Choice.NOT])
            for row in rows:
                row.finished = True
            note(rows, "applied", "finished", "outcome")
        told(min(done + BATCH, len(chosen)), len(chosen))
    found = what_was_applied(pull)
    with transaction.atomic():
        move(pull, [State.APPLYING], State.APPLIED, applied_at=clock.now(), applied_by=by)
        _tell(pull, f"{WHY}: {found.added:,} added, {found.linked:,} linked", by)
    return found


def what_was_applied(pull: CustomerPull) -> Applied:
    """The same, of a pull applied earlier."""
    done = list(pull.rows.filter(finished=True).values_list("applied", flat=True))
    return Applied(done.count(Choice.NEW), done.count(Choice.LINK), done.count(Choice.NOT), done.count(""))


def _add(connection: Connection, rows: Sequence[CustomerPullRow], by: User | None) -> None:
    """A customer for each contact that is nobody's, linked from the start."""
    taken = _put_links(connection, {_customer(row): row for row in rows})
    fresh = [row for row in rows if _customer(row) in taken]
    made = [Customer(id=row.customer, **row.after) for row in fresh]
    customers.import_customers(connection.supplier, made, by=by, story="Added from Xero, linked to its contact")
    _note_done(rows, fresh, Choice.NEW)
    if fresh:
        keep_terms(connection, taken)


def _link(connection: Connection, rows: Sequence[CustomerPullRow], by: User | None) -> None:
    """Link customers that are here; one that got a contact meanwhile, or whose contact is on its way, is left."""
    wanted = {row.chosen: row for row in rows if row.chosen}
    there = set(Customer.objects.filter(supplier=connection.supplier_id, pk__in=wanted).values_list("pk", flat=True))
    busy = set(
        DispatchDocument.objects.filter(connection=connection, kind=KIND, document__in=wanted).values_list(
            "document", flat=True
        )
    )
    taken = _put_links(connection, {pk: row for pk, row in wanted.items() if pk in there - busy})
    fresh = [row for pk, row in wanted.items() if pk in taken]
    _note_done(rows, fresh, Choice.LINK)
    if fresh:
        _forget_refusals(connection, fresh)
        keep_terms(connection, taken)
        release_customers(connection, taken, "linked by hand")
        stories = [(row.chosen, f"Linked to the contact {row.name} in Xero") for row in fresh if row.chosen]
        tell_many(connection.supplier, "customer", stories, who=by, why=WHY)


def _put_links(connection: Connection, rows: Mapping[UUID, CustomerPullRow]) -> set[UUID]:
    """Link these customers to the contacts of their rows; answers which of them are linked so now."""
    now = clock.now()
    links = [
        Link(connection=connection, kind=KIND, document=pk, xero_id=row.contact_id, matched=True, status="ACTIVE",
             sent_at=now)
        for pk, row in rows.items()
    ]  # fmt: skip
    before = set(_links(connection, rows).values_list("document", flat=True))
    Link.objects.bulk_create([link for link in links if link.document not in before], ignore_conflicts=True)
    found = dict(_links(connection, rows).values_list("document", "xero_id"))
    return {pk for pk, row in rows.items() if pk not in before and found.get(pk) == row.contact_id}


def _links(connection: Connection, documents: Collection[UUID]) -> Any:
    return Link.objects.filter(connection=connection, kind=KIND, document__in=list(documents))


def _forget_refusals(connection: Connection, rows: Sequence[CustomerPullRow]) -> None:
    """Who is linked need not be asked about any more."""
    chosen = [row.chosen for row in rows if row.chosen]
    ContactRefusal.objects.filter(connection=connection, customer__in=chosen, ask=True).update(ask=False)


def _refuse(connection: Connection, rows: Sequence[CustomerPullRow]) -> None:
    """None of those who it may be is it: not suggested again, and never taken by name."""
    ContactRefusal.objects.bulk_create(
        [
            ContactRefusal(connection=connection, customer=UUID(offer["customer"]), contact_id=row.contact_id)
            for row in rows
            for offer in row.likely
        ],
        ignore_conflicts=True,
    )
    _note_done(rows, rows, Choice.NOT)


def _note_done(rows: Sequence[CustomerPullRow], fresh: Sequence[CustomerPullRow], choice: str) -> None:
    done = {row.pk for row in fresh}
    for row in rows:
        row.applied, row.outcome = (choice, "") if row.pk in done else ("", LINKED_MEANWHILE)


def _customer(row: CustomerPullRow) -> UUID:
    if row.customer is None:
        raise ValueError(f"Row {row.pk} of a pull has no customer.")
    return row.customer


# --- undoing ------------------------------------------------------------------------------------------------------


REMOVED, UNLINKED, REOPENED = "Removed again", "Unlinked again", "Open again"
IN_USE, SENT, CHANGED = "In use by now, so left", "An invoice went to it since, so left", "Changed since, so left"


def undo(pull: CustomerPull, by: User | None, told: Told = silent) -> Undone:
    """Take back the last application: remove the customers that it added, unlink those it linked, reopen what it
    refused. What is in use by now is left. Raises PullGone.
    """
    if not can_undo(pull):
        raise PullGone
    move(pull, [State.APPLIED, State.UNDOING], State.UNDOING)
    applied = list(pull.rows.exclude(applied="").values_list("pk", flat=True))
    for done in range(0, len(applied), BATCH):
        rows = list(pull.rows.filter(pk__in=applied[done : done + BATCH], finished=True))
        with short_transaction():
            lock(pull, State.UNDOING)
            _remove(pull, [row for row in rows if row.applied == Choice.NEW], by)
            _unlink(pull, [row for row in rows if row.applied == Choice.LINK], by)
            _reopen(pull, [row for row in rows if row.applied == Choice.NOT])
            for row in rows:
                row.finished = False
            note(rows, "finished", "outcome")
        told(min(done + BATCH, len(applied)), len(applied))
    found = what_was_undone(pull)
    with transaction.atomic():
        move(pull, [State.UNDOING], State.UNDONE, undone_at=clock.now(), undone_by=by)
        _tell(pull, f"{WHY} undone: {found.removed:,} removed, {found.unlinked:,} unlinked", by)
    return found


def what_was_undone(pull: CustomerPull) -> Undone:
    """The same, of a pull undone earlier."""
    outcomes = list(pull.rows.filter(finished=False).exclude(applied="").values_list("outcome", flat=True))
    removed, unlinked, reopened = (outcomes.count(word) for word in (REMOVED, UNLINKED, REOPENED))
    return Undone(removed, unlinked, reopened, len(outcomes) - removed - unlinked - reopened)


def _remove(pull: CustomerPull, rows: Sequence[CustomerPullRow], by: User | None) -> None:
    mine = Customer.objects.filter(supplier=pull.connection.supplier_id)
    there = mine.in_bulk([_customer(row) for row in rows])
    as_added = [pk for row in rows if (pk := _customer(row)) in there and _is_as_added(there[pk], row)]
    gone = customers.remove_customers(pull.connection.supplier, as_added, by=by, why=f"{WHY}, undone")
    _links(pull.connection, gone).delete()
    for row in rows:
        changed = row.customer in there and row.customer not in as_added
        left = CHANGED if changed else IN_USE
        row.outcome = REMOVED if row.customer in gone or row.customer not in there else left


def _is_as_added(customer: Customer, row: CustomerPullRow) -> bool:
    return not what_changed(Customer(supplier_id=customer.supplier_id, **row.after), customer)


def _unlink(pull: CustomerPull, rows: Sequence[CustomerPullRow], by: User | None) -> None:
    """Customers whose link is still that one and has carried no invoice yet are as before: nobody linked them."""
    connection = pull.connection
    wanted = {row.chosen: row for row in rows if row.chosen}
    now = dict(_links(connection, wanted).values_list("document", "xero_id"))
    invoices = Invoice.objects.filter(supplier=connection.supplier_id, customer__in=wanted)
    went = Link.objects.filter(
        connection=connection, kind="invoice", document__in=invoices.values("pk"), sent_at__gte=pull.read_at
    )
    used = set(invoices.filter(pk__in=went.values("document")).values_list("customer", flat=True))
    same = [pk for pk, row in wanted.items() if now.get(pk) == row.contact_id]
    free = [pk for pk in same if pk not in used]
    _links(connection, free).delete()
    keep_terms(connection, free)
    stories = [(pk, f"Unlinked from the contact {wanted[pk].name} in Xero") for pk in free]
    tell_many(connection.supplier, "customer", stories, who=by, why=f"{WHY}, undone")
    for pk, row in wanted.items():
        row.outcome = UNLINKED if pk in free else SENT if pk in same else CHANGED


def _reopen(pull: CustomerPull, rows: Sequence[CustomerPullRow]) -> None:
    for row in rows:
        likely = [offer["customer"] for offer in row.likely]
        refusals = ContactRefusal.objects.filter(connection=pull.connection, contact_id=row.contact_id)
        refusals.filter(customer__in=likely, ask=False).delete()
        row.outcome = REOPENED


def _tell(pull: CustomerPull, what: str, by: User | None) -> None:
    tell(pull.connection.supplier, "connection", pull.connection.pk, what, who=by)
