"""`provender pull`: products from Xero, from the command line; customers are in `pulling_customers`."""

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import click

from provender.basics.wording import counted
from provender.cli import DONE, WAITS
from provender.cli.progress import progress_bar
from provender.cli.pulling_customers import pull_customers
from provender.cli.xero import JSON, ROWS_SHOWN, SUPPLIER, as_written, connected, read_words, show_preview

if TYPE_CHECKING:
    from provender.sync.models import Pull, PullRow
    from provender.sync.products import Applied
    from provender.sync.pulls import Tally


@click.group("pull")
def pull_group() -> None:
    """Bring things in from Xero."""


pull_group.add_command(pull_customers)


@pull_group.command("products")
@SUPPLIER
@click.option(
    "--apply", "words", default="", metavar="WHAT",
    help="What to take, parted by commas: names, descriptions, prices, accounts, gst, new; or all. New products are"
    " added with any of them, unless --without-new.",
)  # fmt: skip
@click.option("--without-new", is_flag=True, help="Add no products, only change those that are here.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen; no preview is kept.")
@JSON
def pull_products(slug: str, words: str, without_new: bool, dry_run: bool, as_json: bool) -> None:
    """Read Xero's items and show what differs; with --apply, take it.

    Without --apply the preview waits on the Xero page, under Products. Ends with 0 when nothing waits for you, 3 when
    there is something to choose or an item can't be taken.
    """
    from provender.cli import setup

    setup()
    from provender.suppliers.queries import find_supplier
    from provender.sync import previews, products, pulls

    parts = _read_parts(words, without_new=without_new)
    connection = connected(find_supplier(slug))
    pull = products.pull_products(connection, None, trial=dry_run)
    if parts:
        products.choose_parts(pull, parts, remember=False)
    found = pulls.tally(pull)
    told = pulls.as_json(pull) if as_json else _table(pull)
    applied = None
    if parts and not dry_run:
        with progress_bar("Applying") as done:
            applied = products.apply(pull, None, told=done)
    if dry_run:
        previews.discard(pull)
    show_preview(slug, told, applied, dry_run=dry_run)
    if not as_json:
        click.echo(_sum_up(pull, found, applied, dry_run=dry_run))
    waits = found.faulty or (applied.left if applied else not parts and found.chosen)
    sys.exit(WAITS if waits else DONE)


def _read_parts(words: str, *, without_new: bool) -> set[str]:
    """The parts of a pull that the option names; nothing without the option."""
    from provender.sync.pulls import PARTS

    named = read_words(words, PARTS)
    if not named:
        return set()
    taken = {PARTS[word][0] for word in named} | {"new"}
    return taken - {"new"} if without_new else taken


def _table(pull: "Pull") -> Any:
    """The preview: what is new, changed, gone or can't be taken; the price in a column of its own."""
    from rich.table import Table

    from provender.sync.pulls import State, cells_of

    table = Table(box=None, pad_edge=False)
    for heading in ("", "SKU", "Product", "What", "Price", ""):
        table.add_column(heading, justify="right" if heading == "Price" else "left", overflow="fold")
    rows = pull.rows.exclude(state=State.UNCHANGED)
    for row in rows[:ROWS_SHOWN]:
        table.add_row(row.get_state_display(), *map(as_written, _texts(row, cells_of(row, pull.connection.supplier))))
    if (more := rows.count() - ROWS_SHOWN) > 0:
        table.add_row("…", "", f"and {more:,} more; --json shows all", "", "", "")
    return table


def _texts(row: "PullRow", cells: Collection[Any]) -> tuple[str, str, str, str, str]:
    price = next((cell for cell in cells if cell.column == "price"), None)
    changes = [f"{cell.label}: {cell.old} → {cell.new}" for cell in cells if cell.old and cell is not price]
    what = [*changes, *([row.reason] if row.reason else []), *(["tracked in Xero"] if row.tracked else [])]
    moves = "" if price is None else f"{price.old} → {price.new}" if price.old else price.new
    return row.code, row.name, "; ".join(what), moves, price.percent if price else ""


def _sum_up(pull: "Pull", found: "Tally", applied: "Applied | None", *, dry_run: bool) -> str:
    states = found.states
    read = (
        f"{counted(pull.items, 'item')} read: {states['new']:,} new, {states['changed']:,} changed,"
        f" {states['unchanged']:,} unchanged, {states['gone']:,} gone, {states['refused']:,} can’t be taken."
    )
    if applied:
        left = f"; {applied.left:,} changed here meanwhile and were left" if applied.left else ""
        return f"{read}\n{counted(applied.added, 'product')} added, {applied.changed:,} changed{left}."
    if dry_run:
        return f"{read}\n{counted(found.chosen, 'product')} would be added or changed; nothing was."
    return f"{read}\nNothing was changed. Choose on the Xero page under Products, or with --apply."
