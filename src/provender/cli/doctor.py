"""`provender doctor`: is all as it should be? Each check says what it found and, if something is wrong, what to do."""

import json
import re
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from provender.basics.errors import ProvenderError

if TYPE_CHECKING:
    from provender.sync.models import Connection

OK, LOOK, BAD = "ok", "look", "bad"
MARKS = {OK: "✓", LOOK: "!", BAD: "✗"}
CLOCK_OFF_SECONDS = 30
PATIENCE = 5  # seconds for a server to answer
MEGABYTE = 1024 * 1024
ROOM_NEEDED = 200 * MEGABYTE


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
    from provender.cli import DONE, WAITS

    found = list(_look_as_far_as_possible())
    if as_json:
        click.echo(json.dumps({"checks": [asdict(one) for one in found]}))
    else:
        for one in found:
            click.echo(f"{MARKS[one.state]} {one.about}: {one.sentence}")
    sys.exit(WAITS if any(one.state == BAD for one in found) else DONE)


def _look_as_far_as_possible() -> Iterator[Found]:
    """What was found before a check couldn't even be made is told too, and why it couldn't."""
    from provender.basics.outage import is_outage
    from provender.cli import known_errors, say_outage

    try:
        yield from _look()
    except known_errors() as error:
        if not is_outage(error):
            raise
        yield Found("Database", BAD, say_outage(error))


def _look() -> Iterator[Found]:
    """Every check that can be made: without settings none, without a usable database none of what is in it."""
    from provender.cli import setup

    try:
        setup(migrate=False)
    except ProvenderError as error:
        yield Found("Settings", BAD, error.sentence)
        return
    for check in (check_address, check_folder, check_email, check_app, check_xero):
        yield from check()
    database = check_database()
    yield database
    if database.state == OK:
        yield from check_worker()
        yield from check_connections()


def check_address() -> Iterator[Found]:
    from urllib.parse import urlsplit

    from django.conf import settings

    url = settings.PUBLIC_URL
    host = urlsplit(url).hostname or ""
    local = host in {"localhost", "127.0.0.1", "::1"}
    if "xero" in url.lower():
        yield Found("Public address", BAD, f"{url} contains “xero”, which Xero refuses in addresses. Choose another.")
    elif local and host != "localhost":
        yield Found("Public address", BAD, f"{url}: Xero takes localhost as an app's redirect address, not {host}.")
    elif not local and not url.startswith("https://"):
        yield Found(
            "Public address",
            BAD,
            f"{url} isn't https: passwords would cross the network in the open, and Xero refuses it. Put a proxy with a"
            " certificate in front.",
        )
    elif local:
        yield Found("Public address", OK, f"{url}, for this machine alone; set PROVENDER_PUBLIC_URL for others.")
    else:
        yield Found("Public address", OK, url)
    if settings.DEBUG and not local:
        yield Found("Debug", BAD, "PROVENDER_DEBUG is on while others can reach this. Switch it off.")
    if settings.XERO_CLIENT_ID and not local and not settings.XERO_WEBHOOK_KEY:
        every = f"{settings.XERO_POLL_SECONDS / 60:g} minutes"
        yield Found(
            "Webhook",
            LOOK,
            f"XERO_WEBHOOK_KEY isn't set: payments in Xero show within {every} rather than at once. Set the key that"
            " stands beside the app's webhook in Xero's developer portal.",
        )


def check_folder() -> Iterator[Found]:
    import os
    import shutil

    from django.conf import settings

    from provender.sync.secrets import prove_keys

    folder = settings.PROVENDER_HOME
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Found(
            "Folder", BAD, f"{folder} can't be written to. Choose another PROVENDER_HOME, or give it to this user."
        )
    elif folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield Found("Folder", BAD, f"others on this machine can put files into {folder}. Run: chmod 700 {folder}")
    elif (room := shutil.disk_usage(folder).free) < ROOM_NEEDED:
        yield Found(
            "Folder", BAD, f"the disk of {folder} has {room // MEGABYTE} MB left. Make room, or nothing can be saved."
        )
    else:
        yield Found("Folder", OK, str(folder))
    for path in sorted(folder.glob("*.key")):
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Found("Keys", BAD, f"{path.name} can be read by others on this machine. Run: chmod 600 {path}")
        else:
            yield Found("Keys", OK, f"{path.name} can be read by its owner alone")
    try:
        prove_keys()
    except ProvenderError as error:
        yield Found("Keys", BAD, error.sentence)


def check_database() -> Found:
    from django.db import connection

    from provender.cli.database import is_new, pending, prove_writable

    try:
        new, missing = is_new(), pending()
    except ProvenderError as error:
        return Found("Database", BAD, error.sentence)
    if new:
        return Found("Database", LOOK, f"{connection.vendor}, empty yet: the first start makes what it needs.")
    if missing:
        count = "1 migration" if len(missing) == 1 else f"{len(missing)} migrations"
        return Found(
            "Database",
            BAD,
            f"{connection.vendor}, {count} behind. Start Provender again: each start does what is missing.",
        )
    try:
        prove_writable()
    except ProvenderError as error:
        return Found("Database", BAD, error.sentence)
    return Found("Database", OK, f"{connection.vendor}, up to date")


def check_email() -> Iterator[Found]:
    """Also whether the mail server answers and lets us in; no mail is sent."""
    from smtplib import SMTPException

    from django.conf import settings
    from django.core.mail import get_connection

    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        yield Found("E-mail", LOOK, "is only printed: forgotten passwords can't be mailed. Set PROVENDER_SMTP_HOST.")
        return
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    if settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        try:
            with get_connection(timeout=PATIENCE):
                pass
        except (OSError, SMTPException) as error:
            yield Found("E-mail", BAD, f"{where} can't be used ({_why(error)}). Look at the PROVENDER_SMTP_… settings.")
            return
    yield Found("E-mail", OK, f"goes through {where}")


def _why(error: Exception) -> str:
    """What an error of the network says, without its number."""
    said = getattr(error, "strerror", "") or re.sub(r"^\[Errno -?\d+\] ", "", str(error))
    return said or type(error).__name__


def check_app() -> Iterator[Found]:
    from django.conf import settings

    addresses = ("XERO_LOGIN_URL", "XERO_IDENTITY_URL", "XERO_API_URL")
    real = [name for name in addresses if getattr(settings, name).endswith(".xero.com")]
    if 0 < len(real) < len(addresses):
        others = ", ".join(name for name in addresses if name not in real)
        yield Found(
            "Xero app",
            BAD,
            f"{others} {'is' if len(real) == 2 else 'are'} set, but not {' and '.join(real)}. Set all three, or none.",
        )
    if not settings.XERO_CLIENT_ID:
        half = (
            "XERO_CLIENT_SECRET is set without"
            if settings.XERO_CLIENT_SECRET
            else "none: no wholesaler can connect. Set"
        )
        yield Found(
            "Xero app",
            BAD if settings.XERO_CLIENT_SECRET else LOOK,
            f"{half} XERO_CLIENT_ID: see docs/guides/connecting-xero.md.",
        )
        return
    flow = "with a secret" if settings.XERO_CLIENT_SECRET else "with PKCE"
    where = "the real Xero" if len(real) == len(addresses) else settings.XERO_API_URL
    yield Found("Xero app", OK, f"{settings.XERO_CLIENT_ID} {flow}, at {where}")


def check_worker() -> Iterator[Found]:
    from provender.engine import slots

    alive = sorted(slots.executors_alive())
    if alive:
        yield Found("Worker", OK, f"at work: {', '.join(alive)}")
    else:
        yield Found("Worker", LOOK, "none is running: nothing goes to Xero by itself. Run provender up, or a worker.")


def check_connections() -> Iterator[Found]:
    from django.conf import settings

    from provender.sync.connections import live_connections

    for connection in live_connections().select_related("supplier", "consent"):
        if connection.consent and connection.consent.client_id != settings.XERO_CLIENT_ID:
            yield Found(
                connection.supplier.slug,
                BAD,
                f"was connected by the Xero app {connection.consent.client_id}, which isn't this one: nothing goes to"
                " Xero. Set XERO_CLIENT_ID back, or connect again.",
            )
        else:
            yield from _check_connection(connection)


def _check_connection(connection: "Connection") -> Iterator[Found]:
    from provender.sync.choices import settings_troubles, tax_rate_differs
    from provender.sync.mirror import read_chart
    from provender.sync.session import asking_for_a_person

    about = connection.supplier.slug
    yield from _check_scopes(connection)
    try:
        with asking_for_a_person(connection) as session:
            read_chart(session)
    except ProvenderError as error:
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


def check_xero() -> Iterator[Found]:
    """Is Xero (or what stands in for it) there, does its clock agree with ours, and does it know our app?"""
    from email.utils import parsedate_to_datetime

    import httpx2
    from django.conf import settings

    from provender.basics import clock
    from provender.sync.connecting import prove_app

    if not settings.XERO_CLIENT_ID:
        return
    try:
        told = httpx2.head(settings.XERO_API_URL, timeout=PATIENCE).headers.get("Date")
    except httpx2.TransportError as error:
        yield Found(
            "Xero", BAD, f"{settings.XERO_API_URL} can't be reached ({_why(error)}). Is it running, and the network up?"
        )
        return
    off = abs((clock.now() - parsedate_to_datetime(told)).total_seconds()) if told else 0.0
    if off > CLOCK_OFF_SECONDS:
        yield Found("Clock", BAD, f"this machine's clock and Xero's are {off:.0f} seconds apart. Set it by NTP.")
    else:
        yield Found("Clock", OK, "agrees with Xero's")
    try:
        prove_app()
    except ProvenderError as error:
        yield Found("Xero app", BAD, error.sentence)
