"""`provender connect`: a wholesaler to its organisation in Xero, or to the simulator's."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import click

if TYPE_CHECKING:
    from provender.suppliers.models import Supplier
    from provender.sync.models import ConnectAttempt, Connection

SIMULATOR = "http://localhost:8765"
SIMULATOR_APP = {"XERO_CLIENT_ID": "simulator", "XERO_CLIENT_SECRET": "simulator-secret"}
BASES = ("XERO_LOGIN_URL", "XERO_IDENTITY_URL", "XERO_API_URL")


@click.command("connect")
@click.option("--supplier", "slug", required=True, metavar="SLUG", help="The wholesaler.")
@click.option(
    "--simulator",
    is_flag=False,
    flag_value="",
    metavar="[URL]",
    help=f"Go through the consent of a running xero-simulator by itself. Without URL: XERO_API_URL, else {SIMULATOR}.",
)
@click.option("--organisation", metavar="NAME", help="Which organisation, when there are several.")
@click.option("--answer", metavar="ADDRESS", help="The address that the browser came back to after the consent.")
def connect(slug: str, simulator: str | None, organisation: str | None, answer: str | None) -> None:
    """Connect a wholesaler to its organisation in Xero.

    Prints the address of Xero's consent page. With --simulator everything is done at once: consent, the proposed
    settings, and automatic sync on.
    """
    from provender.cli import setup

    if simulator is not None:
        use_simulator(simulator)
    setup()
    from provender.suppliers.queries import find_supplier

    supplier = find_supplier(slug)
    if simulator is not None:
        connection = connect_simulator(supplier, organisation)
        click.echo(f"{supplier.name} is connected to {connection.organisation} in the simulator; automatic sync is on.")
    elif answer is not None:
        _finish(answer, organisation)
    else:
        _begin(supplier, slug)


# --- the simulator ------------------------------------------------------------------------------------------------


def use_simulator(url: str) -> None:
    """Make this Provender's Xero the simulator at `url`: kept in PROVENDER_HOME/xero.json unless the environment says.

    Call it before Django is set up. Ends the command when a real Xero app is configured, or nothing answers there.
    """
    from provender.cli import WRONG_USE, give_up

    configured = os.environ.get("XERO_API_URL", "")
    base = (url or configured or _kept_address() or SIMULATOR).rstrip("/")
    if configured and configured.rstrip("/") != base:
        give_up(f"XERO_API_URL is {configured}. Unset it, or leave the address out after --simulator.", WRONG_USE)
    half = [name for name in (*BASES, "XERO_CLIENT_ID") if not os.environ.get(name)]
    if configured and half:
        give_up(
            f"XERO_API_URL is set, but not {', '.join(half)}. Set them all, or none: then the simulator's are kept in"
            " PROVENDER_HOME.",
            WRONG_USE,
        )
    if not configured and os.environ.get("XERO_CLIENT_ID", "simulator") != "simulator":
        give_up(
            "XERO_CLIENT_ID names an app at the real Xero. Use the simulator in an environment without it.", WRONG_USE
        )
    _refuse_silence(base)
    if not configured:
        keep_address(base)


def _refuse_silence(base: str) -> None:
    import httpx2

    from provender.cli import give_up

    try:
        found = httpx2.get(f"{base}/_simulator/clock", timeout=10).is_success
    except (httpx2.TransportError, httpx2.UnsupportedProtocol, httpx2.InvalidURL):
        found = False
    if not found:
        give_up(f"No simulator answers at {base}. Start one in another shell: provender xero-simulator")


def home() -> Path:
    """PROVENDER_HOME, known before Django is set up."""
    return Path(os.environ.get("PROVENDER_HOME", Path.cwd() / ".provender")).resolve()


def _kept_address() -> str:
    try:
        return str(json.loads((home() / "xero.json").read_text())["XERO_API_URL"])
    except (FileNotFoundError, KeyError, ValueError):
        return ""


def keep_address(base: str, *, say: bool = True) -> None:
    """Write where the simulator is; settings.py reads it for every process that the environment tells nothing."""
    home().mkdir(parents=True, exist_ok=True)
    wanted = json.dumps(dict.fromkeys(BASES, base) | SIMULATOR_APP, indent=1)
    path = home() / "xero.json"
    if path.exists() and path.read_text() == wanted:
        return
    fresh = path.with_suffix(".new")
    fresh.write_text(wanted)
    fresh.replace(path)
    if not say:
        return
    click.echo(f"From now on this Provender's Xero is the simulator at {base} ({path}).", err=True)
    click.echo("If it is running already, restart it.", err=True)


def connect_simulator(supplier: "Supplier", organisation: str | None, **chosen: bool) -> "Connection":
    """Give consent as a person would, choose the organisation, take the proposed settings and switch sync on.

    Settings named in `chosen` are set as they say.
    """
    from provender.cli.consent import give_consent
    from provender.sync import choices, connecting

    answer = give_consent(connecting.begin(supplier, None), organisation)
    attempt = connecting.finish(answer.params, None)
    connection = connecting.choose(attempt, answer.organisation, None)
    choices.save_settings(connection, {**choices.propose(connection), "automatic_sync": True, **chosen}, None)
    return connection


# --- a person's browser -------------------------------------------------------------------------------------------


def _begin(supplier: "Supplier", slug: str) -> None:
    from django.conf import settings

    from provender.sync import connecting

    click.echo(connecting.begin(supplier, None))
    click.echo(
        "Open that address in a browser as an administrator of the organisation, and allow access. Within 5 minutes,"
        f" copy the address that the browser came to ({settings.PUBLIC_URL}/xero/callback?…), and run:\n"
        f"  provender connect --supplier {slug} --answer 'ADDRESS'",
        err=True,
    )


def _finish(answer: str, organisation: str | None) -> None:
    from provender.sync import connecting

    attempt = connecting.finish(dict(parse_qsl(urlsplit(answer).query)), None)
    connection = connecting.choose(attempt, _chosen(attempt, organisation), None)
    click.echo(f"{attempt.supplier.name} is connected to {connection.organisation}.")
    click.echo("Look at the settings on its Xero page before you switch automatic sync on.")


def _chosen(attempt: "ConnectAttempt", organisation: str | None) -> str:
    """The tenant that was asked for by name, or the only one."""
    from provender.cli import WRONG_USE, give_up

    names = {tenant["name"]: str(tenant["tenant_id"]) for tenant in attempt.tenants}
    if organisation is None and len(names) == 1:
        return next(iter(names.values()))
    if organisation not in names:
        give_up(f"Say which one with --organisation: {', '.join(names)}. Then begin again.", WRONG_USE)
    return names[str(organisation)]
