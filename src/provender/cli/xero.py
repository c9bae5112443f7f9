"""`provender sync`, `status`, `verify-books` and `rotate-keys`: a wholesaler and its Xero."""

import json
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import click

from provender.basics.wording import counted
from provender.cli.progress import progress_bar

if TYPE_CHECKING:
    from provender.suppliers.models import Supplier
    from provender.sync.models import Connection
    from provender.sync.waiting import Delay, Outcome

SUPPLIER = click.option("--supplier", "slug", required=True, metavar="SLUG", help="The wholesaler.")
JSON = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
SHOWN = 20
ROWS_SHOWN = 40  # of a preview


@click.command("sync")
@SUPPLIER
@click.option("--wait", is_flag=True, help="Stay until Xero's limits let the rest go and every doubt is settled.")
@JSON
def sync(slug: str, wait: bool, as_json: bool) -> None:
    """Send everything that is due to Xero, imported documents included.

    What waits for a person's decision stays where it is. Works whether or not a worker runs. Ends with 0 when all is in
    step, 3 when problems or (without --wait) documents remain, 1 when it failed.
    """
    from provender.cli import DONE, WAITS, setup

    setup()
    from provender.suppliers.queries import find_supplier
    from provender.sync import waiting

    supplier = find_supplier(slug)
    connection = connected(supplier)
    waiting.ask_for_everything(supplier)
    ahead = _ahead(connection)
    with progress_bar("Sending") as told:
        outcome = waiting.drain_until_in_step(
            connection, wait=wait, progress=lambda count: told(count, ahead), told=say_delay
        )
    connected(supplier)
    if as_json:
        click.echo(json.dumps({"supplier": slug, **_counts(outcome)}))
    else:
        click.echo(_say(supplier, outcome))
    sys.exit(DONE if outcome.in_step and not outcome.problems else WAITS)


def connected(supplier: "Supplier") -> "Connection":
    """The live connection. Raises NotConnectedHere, NeedsReconnecting."""
    from provender.sync.connections import connection_of
    from provender.sync.errors import NotConnectedHere
    from provender.sync.session import refuse_unconnected

    connection = connection_of(supplier)
    if connection is None:
        raise NotConnectedHere(supplier.name)
    refuse_unconnected(connection)
    return connection


def _ahead(connection: "Connection") -> int:
    """How many things there are to send: documents, money, and the contacts that invoices may need first."""
    from provender.invoicing.models import Invoice
    from provender.sync.models import Link
    from provender.sync.outstanding import outstanding
    from provender.sync.queries import waiting_invoices

    linked = Link.objects.filter(connection=connection, kind="contact").values("document")
    mine = Invoice.objects.filter(supplier=connection.supplier_id)
    waiting = mine.filter(pk__in=waiting_invoices(connection).values("document"))
    customers = waiting.exclude(customer__in=linked).values("customer").distinct()
    return outstanding(connection).count() + customers.count()


def _counts(outcome: "Outcome") -> dict[str, Any]:
    return {
        "in_step": outcome.in_step and not outcome.problems,
        "waiting": outcome.waiting,
        "open_dispatches": outcome.open_dispatches,
        "problems": outcome.problems,
    }


def _say(supplier: "Supplier", outcome: "Outcome") -> str:
    from provender.sync.queries import problem_groups, xero_line

    lines = [xero_line(supplier).sentence]
    lines += [f"  {group.count:>6,}  {group.title}: {group.sentence}" for group in problem_groups(supplier)]
    if outcome.waiting or outcome.open_dispatches:
        lines.append(
            f"  {outcome.waiting:,} documents wait, {outcome.open_dispatches} calls are in doubt: a worker goes on by"
            " itself, or run this again with --wait."
        )
    return "\n".join(lines)


def say_delay(delay: "Delay") -> None:
    """Say on standard error what is waited for, by this machine's clock."""
    until = delay.until.astimezone()
    click.echo(f"Waiting until {until:%H:%M:%S} at the latest: {delay.why}.", err=True)


def read_words(text: str, known: Collection[str]) -> set[str]:
    """Those of the known words that --apply names, parted by commas; "all" names all. Ends the command for others."""
    from provender.cli import WRONG_USE, give_up

    named = {word.strip() for word in text.split(",") if word.strip()}
    if unknown := named - {*known, "all"}:
        give_up(f"--apply: {', '.join(sorted(unknown))} is none of {', '.join(known)} or all.", WRONG_USE)
    return set(known) if "all" in named else named


def show_preview(slug: str, told: Any, applied: Any, *, dry_run: bool) -> None:
    """Print what a pull found: one JSON object if `told` is one, else the table that `told` is, if it has rows."""
    if isinstance(told, dict):
        done = vars(applied) if applied else None
        click.echo(json.dumps({"supplier": slug, **told, "dry_run": dry_run, "applied": done}))
        return
    from rich.console import Console

    if told.row_count:
        console = Console()
        console.width = max(console.width, 100)
        console.print(told)


@click.command("status")
@SUPPLIER
@JSON
def status(slug: str, as_json: bool) -> None:
    """Show the connection, what waits, problems, and the calls left."""
    from provender.cli import setup

    setup()
    from provender.suppliers.queries import find_supplier
    from provender.sync import queries

    supplier = find_supplier(slug)
    found = queries.status(supplier)
    if as_json:
        click.echo(json.dumps(found))
        return
    line, step, budget = queries.xero_line(supplier), found["in_step"], found["budget"]
    click.echo(f"{supplier.name}: {line.sentence}")
    click.echo(f"  Automatic sync: {'on' if found['automatic_sync'] else 'off'}")
    click.echo("  In step: " + ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in step.items()))
    click.echo(f"  Waiting: {found['waiting']:,}; in doubt: {found['open_dispatches']} calls")
    for group in queries.problem_groups(supplier):
        click.echo(f"  {group.count:>6,}  {group.title}: {group.sentence}")
    left = [f"{budget[name]:,} this {word}" for name, word in _BUDGET if budget[name] is not None]
    click.echo(f"  Calls left: {', '.join(left) or 'not known yet'}")
    if budget["parked_until"]:
        click.echo(f"  Xero is asked again after {budget['parked_until']}")


_BUDGET = (("minute_left", "minute"), ("day_left", "day"))


@click.command("verify-books")
@SUPPLIER
@JSON
def verify_books(slug: str, as_json: bool) -> None:
    """Compare every document with Xero, field by field.

    Ends with 0 when all are equal to the cent, 3 when something differs, 1 when it failed.
    """
    from provender.cli import DONE, WAITS, setup

    setup()
    from provender.suppliers.queries import find_supplier
    from provender.sync.verify import verify_books as compare

    report = compare(find_supplier(slug))
    if as_json:
        click.echo(json.dumps(report.as_json()))
    else:
        checked = report.checked
        verdict = "all equal" if report.equal else counted(len(report.differences), "difference")
        documents = f"{counted(checked['invoices'], 'invoice')}, {counted(checked['credit_notes'], 'credit note')}"
        click.echo(f"{documents} and {counted(checked['contacts'], 'contact')} compared: {verdict}.")
        for one in report.differences[:SHOWN]:
            click.echo(f"  {one.kind} {one.number}: {one}")
        if len(report.differences) > SHOWN:
            click.echo(f"  … and {len(report.differences) - SHOWN:,} more; --json shows all.")
        if report.waiting or report.held_back or report.problems:
            click.echo(
                f"  Not expected in Xero yet: {report.waiting:,} waiting, {report.held_back:,} never let go;"
                f" {report.problems:,} problems."
            )
    sys.exit(DONE if report.equal else WAITS)


@click.command("rotate-keys")
def rotate_keys() -> None:
    """Encrypt Xero's tokens under a new key.

    With PROVENDER_TOKEN_KEYS set, put the new key first there, restart, then run this; without it, the key file gets a
    new key by itself, and the one before stays readable.
    """
    from provender.cli import setup

    setup()
    from provender.sync import secrets, tokens

    added = secrets.add_key()
    count = tokens.rotate_keys()
    where = "a new key in the key file" if added else "the first of PROVENDER_TOKEN_KEYS"
    click.echo(f"{count} sets of tokens are encrypted under {where}.")


def as_written(text: str) -> Any:
    """A text from elsewhere, whose square brackets are no markup."""
    from rich.text import Text

    return Text(text)
