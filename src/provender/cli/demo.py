"""`provender demo`: a wholesaler that is already trading, with a stand-in Xero, in one process and one folder."""

import fcntl
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provender.cli.connecting import BASES, SIMULATOR_APP, home, keep_address
from provender.cli.progress import progress_bar

if TYPE_CHECKING:
    from provender.suppliers.models import Supplier
    from provender.sync.models import Connection
    from xero_simulator.server import Server

WEB_PORT, SIMULATOR_PORT, PORTS_TRIED = 8000, 8765, 50
LOGIN_FILE, BOOKS_FILE = "demo-login.txt", "simulator.sqlite3"
# Characters that can't be taken for one another.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@click.command("demo")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, help=f"Port of the screens. Without it: {WEB_PORT}, or the next that is free.")
@click.option("--simulator-port", type=int, help=f"Port of the simulator. Without it: {SIMULATOR_PORT}, or the next.")
def demo(host: str, port: int | None, simulator_port: int | None) -> None:
    """Run a demonstration: screens, worker and a Xero simulator, with a wholesaler that has traded for six weeks.

    All state is in PROVENDER_HOME, and the next start finds it again. Ctrl-C ends it.
    """
    from provender.cli import setup
    from provender.cli.serving import know_address, listening

    with ExitStack() as stack:
        stack.enter_context(_alone())
        port = port or _free_port(WEB_PORT)
        know_address(port)
        hook = f"http://localhost:{port}/webhooks/xero"
        server = stack.enter_context(_simulator(simulator_port or _free_port(SIMULATOR_PORT), hook))
        setup()
        serve = stack.enter_context(listening(host, port, say=False))
        email, password = _make_ready(server)
        stack.enter_context(_worker())
        _announce(server, email, password)
        server.simulator.webhooks.enable()  # from here on somebody answers
        serve()


@contextmanager
def _alone() -> Iterator[None]:
    """One demonstration in a folder at a time."""
    from provender.cli import give_up

    try:
        home().mkdir(parents=True, exist_ok=True)
        lock = (home() / "demo.lock").open("w")
    except OSError as error:
        give_up(f"{home()} can't be used: {error.strerror}. Set PROVENDER_HOME to a folder of yours.")
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            give_up(f"A demonstration is running in {home()} already. End it first, or set another PROVENDER_HOME.")
        yield


def _free_port(first: int) -> int:
    from provender.cli import give_up

    port = next(filter(_is_free, range(first, first + PORTS_TRIED)), None)
    if port is None:
        give_up(f"No port from {first} to {first + PORTS_TRIED - 1} is free. Name one with --port.")
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def _simulator(port: int, hook: str) -> Iterator["Server"]:
    """The stand-in Xero, for this machine alone, with its books in our folder; this process has it as its Xero.

    What changes in it is told to the address `hook`, as Xero's webhooks do.
    """
    from provender.cli import give_up
    from xero_simulator.server import Server
    from xero_simulator.simulator import Simulator

    key = os.environ.setdefault("XERO_WEBHOOK_KEY", secrets.token_urlsafe(32))
    simulator = Simulator(organisation="demo-au", state=home() / BOOKS_FILE, webhook_url=hook, webhook_key=key)
    try:
        server = Server(simulator, "127.0.0.1", port)
    except OSError as error:
        give_up(f"Can't listen on port {port}: {error.strerror or error}. Choose another with --simulator-port.")
    address = f"http://localhost:{port}"
    os.environ.update(dict.fromkeys(BASES, address) | SIMULATOR_APP)
    keep_address(address, say=False)
    with server:
        yield server
    simulator.close()


@contextmanager
def _worker() -> Iterator[None]:
    from provender import engine

    worker = engine.start(slot=0)
    try:
        yield
    finally:
        worker.stop()


def _make_ready(server: "Server") -> tuple[str, str]:
    """On a first start make the wholesaler, connect it and bring it into step. Returns how to log in.

    A start that was broken off is taken up where it was: the wholesaler is made in one transaction.
    """
    from provender.cli.demo_data import OWNER, SLUG
    from provender.people.models import User
    from provender.suppliers.models import Supplier

    supplier = Supplier.objects.filter(slug=SLUG).first()
    if supplier is None:
        _refuse_others()
        password = _kept_password() or _new_password()
        _write_login(OWNER, password)
        supplier = _make_wholesaler(server, password)
    password = _kept_password()
    if not password:
        password = _new_password()
        _write_login(OWNER, password)
        owner = User.objects.get(email=OWNER)
        owner.set_password(password)
        owner.save(update_fields=["password"])
    _bring_into_step(supplier)
    return OWNER, password


def _refuse_others() -> None:
    from provender.cli import WRONG_USE, give_up
    from provender.suppliers.models import Supplier

    if Supplier.objects.exists():
        give_up(
            f"{home()} holds a Provender in use, whose Xero the demonstration would replace. Set another"
            " PROVENDER_HOME (and no DATABASE_URL) for it.",
            WRONG_USE,
        )


def _make_wholesaler(server: "Server", password: str) -> "Supplier":
    from provender.cli.demo_data import goods_for_xero, make_wholesaler
    from xero_simulator.errors import Invalid

    bookkeeper = server.simulator.organisation()
    for sku, name, price in goods_for_xero():
        try:
            bookkeeper.add_item(sku, name, price)
        except Invalid:  # an earlier start that was broken off had added it
            continue
    with progress_bar("Six weeks of trade", say=True) as told:
        return make_wholesaler(password, told)


def _bring_into_step(supplier: "Supplier") -> None:
    """Connect to the simulator unless that was done, and the first time send all that is due."""
    from provender.cli.connecting import connect_simulator
    from provender.cli.xero import say_delay
    from provender.sync.connections import last_connection
    from provender.sync.waiting import ask_for_everything, drain_until_in_step, look

    connection = last_connection(supplier)
    if connection is not None and connection.last_checked_at is not None:
        return
    if connection is None or connection.settings_saved_at is None:
        connection = connect_simulator(supplier, None, mark_as_paid=True, payments_to_xero=True, auto_reconcile=True)
    _post_fees(connection)
    ask_for_everything(supplier)
    total = look(connection).waiting
    with progress_bar("Sending to Xero", say=True) as told:
        drain_until_in_step(connection, wait=True, progress=lambda count: told(count, total), told=say_delay)


def _post_fees(connection: "Connection") -> None:
    """Let the providers' fees go to Xero, to the account that the simulator has for them."""
    from provender.sync.choices import accounts_for, save_settings

    fees = next(account for account, label in accounts_for(connection, "fee_account") if "Bank Fees" in label)
    save_settings(connection, {"fee_account": fees}, None)


# --- the login ----------------------------------------------------------------------------------------------------


def _login_file() -> Path:
    return home() / LOGIN_FILE


def _new_password() -> str:
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(3))
    return "-".join(groups)


def _kept_password() -> str:
    try:
        return _login_file().read_text().split()[1]
    except (FileNotFoundError, IndexError):
        return ""


def _write_login(email: str, password: str) -> None:
    handle = os.open(_login_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(f"{email}\n{password}\n")


def _announce(server: "Server", email: str, password: str) -> None:
    from django.conf import settings

    click.echo(f"Provender: {settings.PUBLIC_URL}")
    click.echo(f"  log in as {email}")
    click.echo(f"  password  {password}")
    click.echo(f"Its Xero (a simulator): http://localhost:{server.port}/_simulator/")
    click.echo(f"Everything is in {home()}. Ctrl-C ends it.")
