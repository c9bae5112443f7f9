"""`provender pull customers`: customers from Xero, from the command line."""

import sys
from typing import TYPE_CHECKING, Any

import click

from provender.basics.wording import counted
from provender.cli import DONE, WAITS
from provender.cli.progress import progress_bar
from provender.cli.xero import JSON, ROWS_SHOWN, SUPPLIER, as_written, connected, read_words, show_preview

if TYPE_CHECKING:
    from provender.sync.customer_pulls import Tally
    from provender.sync.customers import Applied
    from provender.sync.models import CustomerPull, CustomerPullRow

# What can be taken, as the command calls it and as the rows know it.
WORDS = {"new": "new", "tax-numbers": "tax", "names": "name", "emails": "email"}


@click.command("customers")
@SUPPLIER
@click.option(
    "--apply", "words", default="", metavar="WHAT",
    help="What to take, parted by commas: new adds the new contacts; tax-numbers, names, emails link the customers that"
    " these speak for; or all. Questions are left to a person.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would happen; no preview is kept.")
@JSON
def pull_customers(slug: str, words: str, dry_run: bool, as_json: bool) -> None:
    """Read Xero's contacts and show who they may be; with --apply, add and link them.

    Without --apply the preview waits on the Xero page, under Customers. Ends with 0 when nothing waits for you, 3 when
    there is something to choose or to answer.
    """
    from provender.cli import setup

    setup()
    from provender.suppliers.queries import find_supplier
    from provender.sync import customer_pulls, customers, previews

    signs = {WORDS[word] for word in read_words(words, WORDS)}
    pull = customers.pull_customers(connected(find_supplier(slug)), None, trial=dry_run)
    if signs:
        customers.choose_all(pull, signs)
    found = customer_pulls.tally(pull)
    told = customer_pulls.as_json(pull) if as_json else _table(pull)
    applied = None
    if signs and not dry_run:
        with progress_bar("Applying") as done:
            applied = customers.apply(pull, None, told=done)
    if dry_run:
        previews.discard(pull)
    show_preview(slug, told, applied, dry_run=dry_run)
    if not as_json:
        click.echo(_sum_up(pull, found, applied, dry_run=dry_run))
    waiting = sum(found.states[state] for state in ("new", "suggested", "question")) - found.chosen
    sys.exit(WAITS if waiting or (applied and applied.left) else DONE)


def _table(pull: "CustomerPull") -> Any:
    """The preview: who is suggested, asked about, new, only here, or can't be taken."""
    from rich.table import Table

    from provender.sync.customer_pulls import State

    table = Table(box=None, pad_edge=False)
    for heading in ("", "Contact", "Known by", "Who it may be, and what is left"):
        table.add_column(heading, overflow="fold")
    rows = pull.rows.exclude(state=State.LINKED)
    for row in rows[:ROWS_SHOWN]:
        table.add_row(row.get_state_display(), as_written(row.name), as_written(row.about), as_written(_who(row)))
    if (more := rows.count() - ROWS_SHOWN) > 0:
        table.add_row("…", f"and {more:,} more; --json shows all", "", "")
    return table


def _who(row: "CustomerPullRow") -> str:
    from provender.sync.customer_pulls import offers_of

    likely = [f"{offer.name} ({offer.why})" for offer in offers_of(row)]
    return "; ".join([*likely, *([row.reason] if row.reason else []), *row.hints])


def _sum_up(pull: "CustomerPull", found: "Tally", applied: "Applied | None", *, dry_run: bool) -> str:
    states = found.states
    read = (
        f"{counted(pull.contacts, 'contact')} read: {states['linked']:,} linked, {states['suggested']:,} suggested,"
        f" {states['question']:,} in question, {states['new']:,} new, {states['seller']:,} only suppliers,"
        f" {states['refused']:,} can’t be taken. {states['here']:,} customers are like no contact."
    )
    if applied:
        left = f"; {applied.left:,} were linked meanwhile and were left" if applied.left else ""
        return f"{read}\n{counted(applied.added, 'customer')} added, {applied.linked:,} linked{left}."
    if dry_run:
        return f"{read}\n{found.choices['new']:,} would be added, {found.choices['link']:,} linked; nothing was."
    return f"{read}\nNothing was changed. Choose on the Xero page under Customers, or with --apply."
