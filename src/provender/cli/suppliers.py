"""`provender supplier …` and `provender user …`: wholesalers, and the links that let people in."""

import json

import click


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
        rows = [{"slug": one.slug, "name": one.name, "country": one.country, "currency": one.currency} for one in there]
        click.echo(json.dumps({"suppliers": rows}))
        return
    for one in there:
        click.echo(f"{one.slug:<20} {one.name} ({one.country}, {one.currency})")


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
