"""`provender doctor`: is all as it should be? Each check says what it found and, if something is wrong, what to do."""

import json
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from provender.sync.models import Connection

OK, LOOK, BAD = "ok", "look", "bad"
MARKS = {OK: "✓", LOOK: "!", BAD: "✗"}
CLOCK_OFF_SECONDS = 30


@dataclass(frozen=True)
class Found:
    """What one check found. `state`: ok, look (works, but), bad (must be mended)."""

    about: str
    state: str
    sentence: str


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def doctor(as_json: bool) -> None:
    """Check settings, database, keys, e-mail, and each connection to Xero; say what to do.

    Ends with 0 when nothing is bad, 3 when something needs you.
    """
    from provender.cli import DONE, WAITS, setup

    setup(migrate=False)
    found = [one for check in CHECKS for one in check()]
    if as_json:
        click.echo(json.dumps({"checks": [asdict(one) for one in found]}))
    else:
        for one in found:
            click.echo(f"{MARKS[one.state]} {one.about}: {one.sentence}")
    sys.exit(WAITS if any(one.state == BAD for one in found) else DONE)


def check_address() -> Iterator[Found]:
    from urllib.parse import urlsplit

    from django.conf import settings

    url = settings.PUBLIC_URL
    host = urlsplit(url).hostname or ""
    local = host in {"localhost", "127.0.0.1", "::1"}
    if "xero" in url.lower():
        yield Found("Public address", BAD, f"{url} contains “xero”, which Xero refuses in addresses. Choose another.")
    elif host == "127.0.0.1":
        yield Found("Public address", BAD, f"{url}: Xero takes localhost as an app's redirect address, not 127.0.0.1.")
    elif not local and not url.startswith("https://"):
        yield Found("Public address", BAD, f"{url} isn't https: passwords would cross the network in the open.")
    elif local:
        yield Found("Public address", OK, f"{url}, for this machine alone; set PROVENDER_PUBLIC_URL for others.")
    else:
        yield Found("Public address", OK, url)
    if settings.DEBUG and not local:
        yield Found("Debug", BAD, "PROVENDER_DEBUG is on while others can reach this. Switch it off.")


def check_folder() -> Iterator[Found]:
    import os

    from django.conf import settings

    folder = settings.PROVENDER_HOME
    if not os.access(folder, os.W_OK):
        yield Found("Folder", BAD, f"{folder} can't be written to. Choose another PROVENDER_HOME, or its rights.")
        return
    yield Found("Folder", OK, str(folder))
    for path in sorted(folder.glob("*.key")):
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Found("Keys", BAD, f"{path.name} can be read by others on this machine. Run: chmod 600 {path}")
        else:
            yield Found("Keys", OK, f"{path.name} can be read by its owner alone")


def check_database() -> Iterator[Found]:
    from django.db import connection
    from django.db.utils import OperationalError

    from provender.cli.database import pending

    try:
        missing = pending()
    except OperationalError as error:
        yield Found("Database", BAD, f"It can't be used: {str(error).strip()}. Look at DATABASE_URL.")
        return
    if missing:
        yield Found("Database", BAD, f"{connection.vendor}, {len(missing)} migrations behind: provender django migrate")
    else:
        yield Found("Database", OK, f"{connection.vendor}, up to date")


def check_email() -> Iterator[Found]:
    from django.conf import settings

    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        yield Found("E-mail", LOOK, "is only printed: forgotten passwords can't be mailed. Set PROVENDER_SMTP_HOST.")
    else:
        yield Found("E-mail", OK, f"goes through {settings.EMAIL_HOST}:{settings.EMAIL_PORT}")


def check_app() -> Iterator[Found]:
    from django.conf import settings

    where = "the real Xero" if settings.XERO_API_URL == "https://api.xero.com" else settings.XERO_API_URL
    if not settings.XERO_CLIENT_ID:
        yield Found("Xero app", LOOK, "none: no wholesaler can connect. Set XERO_CLIENT_ID, as the guide says.")
        return
    flow = "with a secret" if settings.XERO_CLIENT_SECRET else "with PKCE"
    yield Found("Xero app", OK, f"{settings.XERO_CLIENT_ID} {flow}, at {where}")


def check_worker() -> Iterator[Found]:
    from provender.engine import slots

    alive = sorted(slots.executors_alive())
    if alive:
        yield Found("Worker", OK, f"at work: {', '.join(alive)}")
    else:
        yield Found("Worker", LOOK, "none is running: nothing goes to Xero by itself. Run provender up, or a worker.")


def check_connections() -> Iterator[Found]:
    from provender.cli.database import pending
    from provender.sync.models import Connection

    if pending():
        return
    for connection in Connection.objects.exclude(state="disconnected").select_related("supplier", "consent"):
        yield from _check_connection(connection)


def _check_connection(connection: "Connection") -> Iterator[Found]:
    from provender.sync.choices import settings_troubles, tax_rate_differs
    from provender.sync.errors import NeedsReconnecting, NotConnectedHere, XeroBusy, XeroRefused
    from provender.sync.mirror import read_chart
    from provender.sync.session import asking_for_a_person

    about = connection.supplier.slug
    yield from _check_scopes(connection)
    try:
        with asking_for_a_person(connection) as session:
            read_chart(session)
    except (NeedsReconnecting, NotConnectedHere, XeroBusy, XeroRefused) as error:
        yield Found(about, BAD, error.sentence)
        return
    yield Found(about, OK, f"connected to {connection.organisation}")
    locked = max(filter(None, (connection.period_lock_date, connection.end_of_year_lock_date)), default=None)
    if locked:
        yield Found(about, OK, f"Xero refuses documents dated {locked:%-d %B %Y} or before (lock date)")
    troubles = [*settings_troubles(connection), tax_rate_differs(connection.supplier, connection)]
    for trouble in filter(None, troubles):
        yield Found(about, BAD, trouble)
    if not connection.automatic_sync:
        yield Found(about, LOOK, "automatic sync is off: invoices go only when somebody sends them")


def _check_scopes(connection: "Connection") -> Iterator[Found]:
    from django.conf import settings

    given = set(connection.consent.scopes.split()) if connection.consent else set()
    lacking = sorted(set(settings.XERO_SCOPES.split()) - given)
    if connection.consent and lacking:
        yield Found(connection.supplier.slug, BAD, f"the consent lacks {', '.join(lacking)}. Connect again.")


def check_clock() -> Iterator[Found]:
    """Against the Date of whatever Xero this Provender has, without a login."""
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    import httpx2
    from django.conf import settings

    if not settings.XERO_CLIENT_ID:
        return
    try:
        told = httpx2.head(settings.XERO_API_URL, timeout=5).headers.get("Date")
    except httpx2.TransportError as error:
        yield Found("Xero", BAD, f"{settings.XERO_API_URL} can't be reached: {error or type(error).__name__}")
        return
    off = abs((datetime.now(UTC) - parsedate_to_datetime(told)).total_seconds()) if told else 0.0
    if off > CLOCK_OFF_SECONDS:
        yield Found("Clock", BAD, f"this machine's clock and Xero's are {off:.0f} seconds apart. Set it by NTP.")
    else:
        yield Found("Clock", OK, "agrees with Xero's")


CHECKS: tuple[Callable[[], Iterator[Found]], ...] = (
    check_address,
    check_folder,
    check_database,
    check_email,
    check_app,
    check_clock,
    check_worker,
    check_connections,
)
