"""`provender supplier …` and `provender user …`: wholesalers, and the links that let people in."""

import json
import sys
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

if TYPE_CHECKING:
    from provender.suppliers.models import Supplier


@click.group("supplier")
def supplier_group() -> None:
    """Wholesalers of this Provender."""


@supplier_group.command("create")
@click.argument("slug")
@click.option("--name", required=True, help="The business's name.")
@click.option("--country", required=True, type=click.Choice(["AU", "NZ", "GB"], case_sensitive=False))
def create(slug: str, name: str, country: str) -> None:
    """Make a wholesaler; SLUG is its short name in addresses and commands."""
    from provender.cli import setup

    setup()
    from provender.suppliers.actions import create_supplier

    made = create_supplier(slug=slug, name=name, country=country.upper())
    click.echo(f"{made.name} ({made.slug}): {made.currency}, {made.time_zone}, {made.tax_word} {made.tax_rate:f} %.")
    click.echo(f"Let its owner in with: provender user link --supplier {made.slug} --email ADDRESS --role owner")


@supplier_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def list_suppliers(as_json: bool) -> None:
    """Show the wholesalers."""
    from provender.cli import setup

    setup()
    from provender.suppliers.models import Supplier

    there = Supplier.objects.order_by("slug")
    if as_json:
        rows = [
            {
                "slug": one.slug,
                "name": one.name,
                "country": one.country,
                "currency": one.currency,
                "closed": one.closed_at and one.closed_at.isoformat(),
            }
            for one in there
        ]
        click.echo(json.dumps({"suppliers": rows}))
        return
    for one in there:
        click.echo(f"{one.slug:<20} {one.name} ({one.country}, {one.currency}){_standing(one)}")


def _standing(supplier: "Supplier") -> str:
    if supplier.deletion_began_at:
        return ", its deletion has begun"
    if supplier.closed_at is None:
        return ""
    return f", closed since {supplier.closed_at.astimezone(ZoneInfo(supplier.time_zone)):%Y-%m-%d}"


NAME = click.option("--name", help="Its name, to say that it is meant. Without it you are asked.")


@supplier_group.command("close")
@click.argument("slug")
@NAME
def close(slug: str, name: str | None) -> None:
    """Close a wholesaler: nobody opens it, nothing goes to Xero, all of it stays.

    Its connection to Xero is ended. “provender supplier reopen” undoes it.
    """
    from provender.cli import setup

    setup()
    from provender.suppliers.actions import close_supplier
    from provender.suppliers.queries import find_supplier
    from provender.sync.connecting import disconnect
    from provender.sync.connections import connection_of
    from provender.timeline.actions import tell

    supplier = find_supplier(slug, closed=True)
    _ask_for_name(supplier, name, "close")
    close_supplier(supplier)
    if connection := connection_of(supplier):
        disconnect(connection, None)
    tell(supplier, "supplier", supplier.pk, "Closed")
    click.echo(f"{supplier.name} is closed. Open it again with: provender supplier reopen {slug}")


@supplier_group.command("reopen")
@click.argument("slug")
def reopen(slug: str) -> None:
    """Open a closed wholesaler again, as it was. It connects to Xero anew, and knows what it sent before."""
    from provender.cli import setup

    setup()
    from provender.suppliers.actions import reopen_supplier
    from provender.suppliers.queries import find_supplier
    from provender.timeline.actions import tell

    supplier = find_supplier(slug, closed=True)
    reopen_supplier(supplier)
    tell(supplier, "supplier", supplier.pk, "Opened again")
    click.echo(f"{supplier.name} is open. Connect it to Xero with: provender connect --supplier {slug}")


@supplier_group.command("delete")
@click.argument("slug")
@NAME
def delete(slug: str, name: str | None) -> None:
    """Delete a closed wholesaler for good: documents, customers, products, files, and logins that belong nowhere else.

    What is in Xero stays there. It can be killed at any moment; the same command goes on where it stopped.
    """
    from provender.cli import setup

    setup()
    from django.db import transaction

    from provender.people.actions import remove_everybody
    from provender.people.models import Membership
    from provender.suppliers.actions import remove_supplier
    from provender.suppliers.errors import SupplierOpen
    from provender.suppliers.leaving import begin_deletion, delete_rows, rows_of
    from provender.suppliers.queries import find_supplier
    from provender.sync.lease import fence_off
    from provender.sync.tokens import forget_unused
    from provender.timeline.queries import who_did_something

    supplier = find_supplier(slug, closed=True)
    if not supplier.closed_at:
        raise SupplierOpen(supplier.name, slug)
    counts = {rows.model._meta.verbose_name_plural: rows.count() for rows in rows_of(supplier)}  # noqa: SLF001
    much = ", ".join(f"{counts[kind]:,} {kind}" for kind in ("orders", "invoices", "customers", "products"))
    click.echo(
        f"{supplier.name} has {much}; {sum(counts.values()):,} rows in all. They can't be brought back.", err=True
    )
    _ask_for_name(supplier, name, "delete")
    begin_deletion(supplier)
    fence_off(supplier)
    with click.progressbar(length=sum(counts.values()), file=sys.stderr, label="Deleting") as bar:
        while delete_rows(supplier, Membership, bar.update):
            pass  # until a round finds nothing that was written meanwhile
    with transaction.atomic():
        logins = remove_everybody(supplier, who_did_something)
        forget_unused()
        remove_supplier(supplier)
    also = f" With it {logins} login{'' if logins == 1 else 's'} that belonged nowhere else." if logins else ""
    click.echo(f"{supplier.name} is deleted.{also} Xero keeps what it has.")


def _ask_for_name(supplier: "Supplier", name: str | None, what: str) -> None:
    """Raises SupplierNotNamed for another name."""
    from provender.suppliers.errors import SupplierNotNamed

    typed = name if name is not None else click.prompt(f"Type “{supplier.name}” to {what} it", err=True)
    if typed.strip() != supplier.name:
        raise SupplierNotNamed(supplier.name)


@click.group("user")
def user_group() -> None:
    """People who log in."""


@user_group.command("link")
@click.option("--supplier", "slug", required=True, metavar="SLUG")
@click.option("--email", required=True, help="Whom it is for.")
@click.option(
    "--role", type=click.Choice(["owner", "staff", "bookkeeper", "reader"]), default="owner", show_default=True
)
def link(slug: str, email: str, role: str) -> None:
    """Print a link that lets a person in, once, within 7 days."""
    from provender.cli import setup

    setup()
    from provender.people.actions import invite
    from provender.people.roles import Role
    from provender.suppliers.queries import find_supplier

    click.echo(join_address(invite(find_supplier(slug), email, Role(role), None)))


def join_address(secret: str) -> str:
    """The address that an invitation's secret opens."""
    from django.conf import settings

    return f"{settings.PUBLIC_URL}/join/{secret}"
