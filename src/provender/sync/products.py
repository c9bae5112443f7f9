"""Products from Xero: read the items, look, choose, apply, undo. Nothing is ever written to Xero.

A pull is a preview kept in the database; applying it goes in short batches, each a transaction that changes products
and notes on the rows what it did, so that what was cut off half way goes on where it was. A column changes only while
the product still shows what the person saw.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from provender.basics import clock
from provender.basics.transactions import short_transaction
from provender.catalogue import actions as catalogue
from provender.catalogue.actions import Revision
from provender.catalogue.models import Product
from provender.people.models import User
from provender.suppliers.models import Supplier, TaxKind
from provender.sync.errors import PullGone
from provender.sync.items import COLUMNS, LABELS, Chart, Shelf, fold_code, from_text, judge_items
from provender.sync.mirror import keep_items
from provender.sync.models import Connection, ItemProduct, Pull, PullRow, PullRule, every_part
from provender.sync.previews import BATCH, Told, batches, can_undo, forget_old, lock, move, must_be, note, silent
from provender.sync.session import asking_for_a_person
from provender.timeline.actions import tell
from provender.xero import wire

State = Pull.State
WHY = "Products from Xero"


@dataclass(frozen=True)
class Applied:
    """How many products were added and changed, and how many rows could only be taken in part or not at all."""

    added: int = 0
    changed: int = 0
    left: int = 0


@dataclass(frozen=True)
class Undone:
    """How many products were put back, removed again, and switched off since something names them or they changed."""

    put_back: int = 0
    removed: int = 0
    switched_off: int = 0
    left: int = 0


# --- looking ------------------------------------------------------------------------------------------------------


def pull_products(connection: Connection, by: User | None, *, trial: bool = False) -> Pull:
    """Read all items of the organisation, in one call, and lay them beside our products; no product changes.

    Previews that nobody applied are forgotten, unless this is only a trial, to be discarded. Raises XeroBusy,
    XeroRefused, NeedsReconnecting, NotConnectedHere.
    """
    with asking_for_a_person(connection) as session:
        items = session.client.items(person=True)
    keep_items(connection, items)
    return keep_preview(connection, items, by, trial=trial)


def keep_preview(connection: Connection, items: Sequence[wire.Item], by: User | None, *, trial: bool = False) -> Pull:
    """Judge items that were read, and keep a row for each."""
    shelf = _shelf(connection)
    rows = judge_items(items, shelf, _chart(connection))
    if not trial:
        forget_old(Pull, connection)
    pull = Pull.objects.create(connection=connection, read_at=clock.now(), by=by, items=len(items))
    parts = rule(connection)
    for batch in batches(rows):
        for row in batch:
            row.pull, row.chosen = pull, _choosable(row, parts)
        PullRow.objects.bulk_create(batch)
    if not trial:
        _remember_matches(connection, rows, shelf)
    pull.state = State.PREVIEW
    pull.save(update_fields=["state"])
    return pull


def rule(connection: Connection) -> list[str]:
    """What is taken unless a person says otherwise: "new" and columns; as last chosen, at first everything."""
    kept = PullRule.objects.filter(connection=connection).first()
    return kept.parts if kept else every_part()


def _shelf(connection: Connection) -> Shelf:
    before = dict(ItemProduct.objects.filter(connection=connection).values_list("product", "item_id"))
    return Shelf(list(Product.objects.filter(supplier=connection.supplier).order_by("sku")), before)


def _chart(connection: Connection) -> Chart:
    """Tax types by their rate: none is tax-free, any other taxed; the two that the settings name are what they say."""
    rates = connection.tax_rates.values_list("tax_type", "rate")
    kinds = {tax_type: (TaxKind.GST if rate else TaxKind.FREE).value for tax_type, rate in rates}
    if connection.tax_type_free in kinds:
        kinds[connection.tax_type_free] = TaxKind.FREE.value
    if connection.tax_type_gst in kinds:
        kinds[connection.tax_type_gst] = TaxKind.GST.value
    return Chart(dict(connection.accounts.exclude(code="").values_list("code", "status")), kinds)


def _choosable(row: PullRow, parts: Collection[str]) -> list[str]:
    """Those of `parts` that the row has to give, in the columns' order."""
    if row.state == PullRow.State.NEW:
        return ["new"] if "new" in parts else []
    return [column for column in COLUMNS if column in row.after and column in parts]


def _remember_matches(connection: Connection, rows: Iterable[PullRow], shelf: Shelf) -> None:
    """Which product is which item, where that isn't known yet."""
    known = {row.product: row.item_id for row in rows if row.product and row.item_id}
    found = {pk: known[pk] for pk in known.keys() & {product.pk for product in shelf.products}}
    _save_matches(connection, {pk: item for pk, item in found.items() if shelf.items_before.get(pk) != item})


def _save_matches(connection: Connection, matches: Mapping[UUID, str]) -> None:
    now = clock.now()
    ItemProduct.objects.bulk_create(
        [ItemProduct(connection=connection, product=pk, item_id=item, pulled_at=now) for pk, item in matches.items()],
        update_conflicts=True,
        unique_fields=["connection", "product"],
        update_fields=["item_id", "pulled_at"],
        batch_size=500,
    )


# --- choosing -----------------------------------------------------------------------------------------------------


def choose_parts(pull: Pull, parts: Collection[str], *, remember: bool = True) -> None:
    """Take these for every item: "new" and columns; remembered as the rule for the next pull. Raises PullGone."""
    must_be(pull, State.PREVIEW)
    kept = [part for part in every_part() if part in parts]
    if remember:
        PullRule.objects.update_or_create(connection=pull.connection, defaults={"parts": kept})
    rows = pull.rows.filter(state__in=[PullRow.State.NEW, PullRow.State.CHANGED])
    choose_rows(pull, {row.pk: kept for row in rows})


def choose_rows(pull: Pull, parts: Mapping[int, Collection[str]]) -> None:
    """Take for each of these rows, by its id, just these parts. Raises PullGone."""
    changed = []
    for row in pull.rows.filter(pk__in=list(parts)) if len(parts) <= BATCH else pull.rows.all():
        chosen = _choosable(row, parts.get(row.pk, row.chosen))
        if chosen != row.chosen:
            row.chosen = chosen
            changed.append(row)
    for batch in batches(changed):
        with transaction.atomic():
            lock(pull, State.PREVIEW)
            note(batch, "chosen")


# --- applying -----------------------------------------------------------------------------------------------------


def apply(pull: Pull, by: User | None, told: Told = silent) -> Applied:
    """Do what was chosen: add the new products to Unsorted, change the chosen columns of the others.

    Category, price lists and active state stay. With nothing chosen nothing is written. Raises PullGone.
    """
    chosen = [pk for pk, parts in pull.rows.values_list("pk", "chosen") if parts]
    if not chosen:
        must_be(pull, State.PREVIEW)
        return Applied()
    move(pull, [State.PREVIEW, State.APPLYING], State.APPLYING)
    for done in range(0, len(chosen), BATCH):
        with short_transaction():
            lock(pull, State.APPLYING)
            rows = list(pull.rows.filter(pk__in=chosen[done : done + BATCH], finished=False))
            _change(pull, [row for row in rows if row.state == PullRow.State.CHANGED], by)
            _add(pull, [row for row in rows if row.state == PullRow.State.NEW], by)
            note(rows, "applied", "finished", "outcome")
        told(min(done + BATCH, len(chosen)), len(chosen))
    found = what_was_applied(pull)
    with transaction.atomic():
        move(pull, [State.APPLYING], State.APPLIED, applied_at=clock.now(), applied_by=by)
        _tell(pull, f"Products from Xero: {found.added:,} added, {found.changed:,} changed", by)
    return found


def what_was_applied(pull: Pull) -> Applied:
    """The same, of a pull applied earlier."""
    rows = list(pull.rows.filter(finished=True).values_list("state", "applied", "chosen"))
    return Applied(
        added=sum(1 for state, applied, _ in rows if applied and state == PullRow.State.NEW),
        changed=sum(1 for state, applied, _ in rows if applied and state == PullRow.State.CHANGED),
        left=sum(1 for _, applied, chosen in rows if applied != chosen),
    )


def _change(pull: Pull, rows: Sequence[PullRow], by: User | None) -> None:
    revisions = [_revision(row, row.chosen, row.before, row.after) for row in rows]
    written = catalogue.revise_products(pull.connection.supplier, revisions, by=by, why=WHY)
    for row in rows:
        row.applied, row.finished = [column for column in row.chosen if column in written[_product(row)]], True
        left = [column for column in row.chosen if column not in row.applied]
        row.outcome = f"Changed here since the preview, so left: {_named(left)}" if left else ""


def _revision(row: PullRow, columns: Iterable[str], before: dict[str, str], after: dict[str, str]) -> Revision:
    return Revision(
        _product(row),
        {column: from_text(column, before[column]) for column in columns},
        {column: from_text(column, after[column]) for column in columns},
    )


def _product(row: PullRow) -> UUID:
    if row.product is None:
        raise ValueError(f"Row {row.pk} of a pull has no product.")
    return row.product


def _named(columns: Iterable[str]) -> str:
    """Columns in the words of the screen."""
    return ", ".join(LABELS[column] for column in columns)


def _add(pull: Pull, rows: Sequence[PullRow], by: User | None) -> None:
    """Products for new items; where the SKU came up since the preview, the one that is there stays alone."""
    if not rows:
        return
    supplier = pull.connection.supplier
    there = {fold_code(sku) for sku in Product.objects.filter(supplier=supplier).values_list("sku", flat=True)}
    fresh = [row for row in rows if fold_code(row.code) not in there]
    unsorted = catalogue.find_unsorted(supplier)
    products = [
        Product(id=row.product, supplier=supplier, sku=row.code, category=unsorted, **_columns(row.after, COLUMNS))
        for row in fresh
    ]
    catalogue.import_products(supplier, products, by=by, why=WHY)
    for row in fresh:
        row.applied = ["new"]
    for row in rows:
        row.finished = True
        row.outcome = "" if row.applied else "A product with this SKU was made here since the preview"
    _save_matches(pull.connection, {_product(row): row.item_id for row in fresh})


def _columns(texts: Mapping[str, str], columns: Iterable[str]) -> dict[str, Any]:
    return {column: from_text(column, texts[column]) for column in columns}


# --- undoing ------------------------------------------------------------------------------------------------------


def undo(pull: Pull, by: User | None, told: Told = silent) -> Undone:
    """Put back what the last application changed, where it still is as applied; take away the products it added.

    An added product that an order, invoice or price list names by now, or that somebody changed, is switched off
    instead. Raises PullGone.
    """
    if not can_undo(pull):
        raise PullGone
    move(pull, [State.APPLIED, State.UNDOING], State.UNDOING)
    applied = [pk for pk, parts in pull.rows.values_list("pk", "applied") if parts]
    for done in range(0, len(applied), BATCH):
        with short_transaction():
            lock(pull, State.UNDOING)
            rows = list(pull.rows.filter(pk__in=applied[done : done + BATCH], finished=True))
            _put_back(pull.connection.supplier, [row for row in rows if row.state == PullRow.State.CHANGED], by)
            _take_away(pull.connection, [row for row in rows if row.state == PullRow.State.NEW], by)
            note(rows, "finished", "outcome")
        told(min(done + BATCH, len(applied)), len(applied))
    found = what_was_undone(pull)
    with transaction.atomic():
        move(pull, [State.UNDOING], State.UNDONE, undone_at=clock.now(), undone_by=by)
        _tell(pull, f"Products from Xero undone: {found.put_back:,} put back, {found.removed:,} removed", by)
    return found


PUT_BACK, REMOVED, SWITCHED_OFF = "Put back", "Removed again", "In use or changed by now, so switched off"


def what_was_undone(pull: Pull) -> Undone:
    """The same, of a pull undone earlier."""
    outcomes = [row.outcome for row in pull.rows.filter(finished=False) if row.applied]
    put_back, removed, off = (outcomes.count(word) for word in (PUT_BACK, REMOVED, SWITCHED_OFF))
    return Undone(put_back, removed, off, left=len(outcomes) - put_back - removed - off)


def _put_back(supplier: Supplier, rows: Sequence[PullRow], by: User | None) -> None:
    revisions = [_revision(row, row.applied, row.after, row.before) for row in rows]
    written = catalogue.revise_products(supplier, revisions, by=by, why=f"{WHY}, undone")
    for row in rows:
        left = [column for column in row.applied if column not in written[_product(row)]]
        row.finished = False
        row.outcome = f"Changed since, so left: {_named(left)}" if left else PUT_BACK


def _take_away(connection: Connection, rows: Sequence[PullRow], by: User | None) -> None:
    supplier, why = connection.supplier, f"{WHY}, undone"
    there = {product.pk: product for product in supplier.products.filter(pk__in=[row.product for row in rows])}
    as_added = [row.product for row in rows if row.product in there and _is_as_added(there[row.product], row)]
    removed = catalogue.remove_products(supplier, as_added, by=by, why=why)
    ItemProduct.objects.filter(connection=connection, product__in=removed).delete()
    catalogue.set_products_active(supplier, there.keys() - removed, active=False, by=by)
    for row in rows:
        row.finished = False
        row.outcome = SWITCHED_OFF if row.product in there.keys() - removed else REMOVED


def _is_as_added(product: Product, row: PullRow) -> bool:
    return all(getattr(product, column) == value for column, value in _columns(row.after, COLUMNS).items())


def _tell(pull: Pull, what: str, by: User | None) -> None:
    tell(pull.connection.supplier, "connection", pull.connection.pk, what, who=by)
