"""`provender import …`: files in, from the command line."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provender.basics.wording import counted
from provender.cli import DONE, WAITS, WRONG_USE, give_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provender.importing.actions import Plan
    from provender.importing.models import Import
    from provender.importing.payouts import Layout, Taken
    from provender.importing.queries import Sum, Tally
    from provender.importing.staging import Told
    from provender.suppliers.models import Supplier


@click.group("import")
def import_group() -> None:
    """Bring invoices and credit notes, or payouts of a payment provider, in from a file."""


@import_group.command("invoices")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--supplier", "slug", required=True, metavar="SLUG", help="The wholesaler whose invoices they are.")
@click.option(
    "--map", "maps", multiple=True, metavar="FIELD=COLUMN",
    help="Which column holds what. Fields: number, date, customer, sku, description, quantity, price; and, if there"
    " are any, purchase_order, due_date, customer_name, tax, credited_invoice. A column named like its field needs no"
    " --map.",
)  # fmt: skip
@click.option("--date-format", default="", metavar="FORMAT", help="Such as %d/%m/%Y. Without it: 2026-01-31.")
@click.option("--freight", multiple=True, metavar="SKU", help="A SKU that is freight. May be given several times.")
@click.option("--create-missing", is_flag=True, help="Create customers and products that are not here yet.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Write rejected lines to this CSV.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def import_invoices(
    file: Path,
    slug: str,
    maps: tuple[str, ...],
    date_format: str,
    freight: tuple[str, ...],
    create_missing: bool,
    rejects: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import the invoices and credit notes in FILE (.csv, .csv.gz or .xlsx).

    A document that comes to less than zero is a credit note. Every row is read and every document checked before
    anything is in. Importing a file again changes nothing.
    Ends with 0 when all is in, 3 when rejected lines wait for you, 2 when the file or an option can't be used.
    """
    from provender.cli import setup

    setup()
    from provender.importing.actions import Plan

    _check_paths(file, rejects)
    plan = Plan(_read_maps(maps), date_format, freight, create_missing)
    found = _run(file, slug, plan, rejects, dry_run=dry_run, as_json=as_json)
    sys.exit(WAITS if found.rejected.documents else DONE)


@import_group.command("payouts")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--supplier", "slug", required=True, metavar="SLUG", help="The wholesaler whose payouts they are.")
@click.option("--provider", required=True, metavar="NAME", help="The payment provider whose file it is.")
@click.option(
    "--map", "maps", multiple=True, metavar="FIELD=COLUMN",
    help="Which column holds what. Fields: reference, date, gross; and, if there are any, fee, net, invoice_number,"
    " payment_reference. Without any --map the columns of the provider's last file are taken, or what headings say.",
)  # fmt: skip
@click.option("--date-format", default="", metavar="FORMAT", help="Such as %d/%m/%Y. Without it: 2026-01-31.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def import_payouts(
    file: Path, slug: str, provider: str, maps: tuple[str, ...], date_format: str, dry_run: bool, as_json: bool
) -> None:
    """Take in the payouts of a payment provider from FILE (.csv, .csv.gz or .xlsx).

    Each payout comes in whole, with its lines matched to invoices; nothing is paid before it is closed on its page.
    Taking a file in again changes nothing. Ends with 0 when every line of the new payouts has its match, 3 when some
    wait for you, 2 when the file or an option can't be used.
    """
    from provender.cli import setup

    setup()
    from provender.importing import payouts
    from provender.suppliers.queries import find_supplier

    supplier = find_supplier(slug)
    _check_paths(file, None)
    with file.open("rb") as handle:
        layout = _payout_layout(supplier, provider, handle, file.name, _read_maps(maps), date_format)
        handle.seek(0)
        found = payouts.read_payouts(handle, file.name, layout)
    if dry_run:
        taken = payouts.find_known(supplier, provider, found)
    else:
        taken = payouts.take_payouts(supplier, provider, found)
        payouts.remember_layout(supplier, provider, layout)
    if as_json:
        click.echo(json.dumps({**payouts.as_json(taken), "dry_run": dry_run}))
    else:
        _print_payouts(supplier.currency, taken, dry_run=dry_run)
    sys.exit(WAITS if any(each.why or each.lines_open for each in taken) else DONE)


def _payout_layout(
    supplier: "Supplier", provider: str, handle: Any, name: str, maps: dict[str, str], date_format: str
) -> "Layout":
    from provender.importing.payouts import Layout, layout_of, propose_layout

    if maps:
        return Layout(maps, date_format)
    layout = layout_of(supplier, provider) or propose_layout(handle, name)[1]
    return Layout(layout.mapping, date_format or layout.date_format)


def _print_payouts(currency: str, taken: "Sequence[Taken]", *, dry_run: bool) -> None:
    for each in taken:
        what = ("Would come in" if dry_run else "Came in") if each.new else each.why or "Here already, the same"
        open_ = f"; {_wait(each.lines_open)} for you" if each.lines_open else ""
        lines = f"{counted(len(each.source.entries), 'line')}, {currency} {each.source.net:,}"
        click.echo(f"{each.source.reference}, {each.source.date}: {lines}. {what.rstrip('.')}{open_}.")


def _check_paths(file: Path, rejects: Path | None) -> None:
    if not file.is_file():
        give_up(f"There is no file {file}.", WRONG_USE)
    if not os.access(file, os.R_OK):
        give_up(f"You may not read {file}.", WRONG_USE)
    if rejects is None:
        return
    folder = rejects.resolve().parent
    if not folder.is_dir():
        give_up(f"There is no folder {folder} to write {rejects.name} in.", WRONG_USE)
    if not os.access(rejects if rejects.exists() else folder, os.W_OK):
        give_up(f"You may not write {rejects}.", WRONG_USE)


def _read_maps(maps: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in maps:
        name, equals, column = text.partition("=")
        if not equals or not column:
            give_up(f"--map {text}: write it as FIELD=COLUMN, such as number=InvoiceNo.", WRONG_USE)
        if name.strip() in pairs:
            give_up(f"--map {text}: {name} has a column already.", WRONG_USE)
        pairs[name.strip()] = column
    return pairs


def _run(file: Path, slug: str, plan: "Plan", rejects: Path | None, *, dry_run: bool, as_json: bool) -> "Tally":
    from provender.importing import actions, queries
    from provender.suppliers.queries import find_supplier

    supplier = find_supplier(slug)
    with _progress() as told, file.open("rb") as handle:
        source = actions.stage(supplier, handle, file.name, plan, told=told)
        if not dry_run:
            actions.apply(source, told=told)
    found = queries.tally(source)
    if rejects is not None:
        with rejects.open("w", encoding="utf-8", newline="") as out:
            queries.write_rejects(source, out)
    written = str(rejects) if rejects else None
    if as_json:
        click.echo(json.dumps({**queries.as_json(source, found, written), "dry_run": dry_run}))
    else:
        _print(source, found, written, dry_run=dry_run)
    if dry_run:
        actions.discard(source)
    return found


@contextmanager
def _progress() -> Iterator["Told"]:
    """A bar on standard error, when that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    parts: Any = (TextColumn("{task.description:<10}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*parts, console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def told(what: str, done: int, of: int) -> None:
            task = tasks[what] if what in tasks else bar.add_task(what)
            tasks[what] = task
            bar.update(task, completed=done, total=of)

        yield told


def _print(source: "Import", found: "Tally", rejects: str | None, *, dry_run: bool) -> None:
    from provender.importing.judging import REASONS
    from provender.importing.models import StagedDocument

    currency = source.supplier.currency
    state = StagedDocument.State.READY if dry_run else StagedDocument.State.IMPORTED
    click.echo(f"{source.file_name}: {_counted(found.read)} read.")
    click.echo(f"  {'To be imported' if dry_run else 'Imported'}: {found.say(state) or 'nothing'}.")
    for kind in StagedDocument.Kind:
        if (part := found.of(state, kind)).documents:
            click.echo(f"    {kind.label}s: {counted(part.lines, 'line')}, {_sums(part, source, currency)}.")
    if found.unchanged.documents:
        click.echo(f"  Here already, the same: {_counted(found.unchanged)}.")
    made = f"{counted(found.customers, 'customer')}, {counted(found.products, 'product')}"
    click.echo(f"  {'To be created' if dry_run else 'Created'}: {made}.")
    if found.rejected.documents:
        click.echo(f"  Rejected: {_counted(found.rejected)}, {currency} {found.rejected.subtotal:,} without tax:")
        for reason, part in found.by_reason.items():
            click.echo(f"    {part.documents:>6,}  {REASONS[reason]}")
        click.echo(f"  Every rejected line is in {rejects}." if rejects else "  --rejects FILE writes them to a file.")


def _wait(lines: int) -> str:
    return f"{counted(lines, 'line')} {'waits' if lines == 1 else 'wait'}"


def _counted(part: "Sum") -> str:
    return f"{counted(part.documents, 'document')} with {counted(part.lines, 'line')}"


def _sums(part: "Sum", source: "Import", currency: str) -> str:
    return f"{currency} {part.subtotal:,} + {source.supplier.tax_word} {part.tax:,} = {part.total:,}"
