"""`provender up`, `web`, `worker` and `django`: the processes of a deployment."""

import fcntl
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

HOST = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
PORT = click.option("--port", default=8000, show_default=True, help="Port to listen on.")
THREADS = 8
NOT_SERVED = ("ext", "htmx-4*", "htmax-4*")  # of django-htmx: what no page of ours asks for


@click.command("up")
@HOST
@PORT
def up(host: str, port: int) -> None:
    """Run web and worker in one process, until Ctrl-C."""
    from provender.cli import setup

    know_address(port)
    setup()
    from provender import engine

    with listening(host, port) as serve:
        worker = engine.start(slot=0)
        try:
            announce_first_links()
            serve()
        finally:
            worker.stop()


def know_address(port: int) -> None:
    """Without a public address of its own, this Provender is at localhost and that port. Call it before `setup`."""
    os.environ.setdefault("PROVENDER_PUBLIC_URL", f"http://localhost:{port}")


@contextmanager
def listening(host: str, port: int, *, say: bool = True) -> Iterator[Callable[[], None]]:
    """The web server, listening; call what this yields to serve until Ctrl-C or SIGTERM. Ends the command when busy."""
    from django.conf import settings

    refuse_taken(host, port)
    collect_static()
    server = web_server(host, port)
    if say:
        click.echo(f"Provender is at {settings.PUBLIC_URL}")

    def serve() -> None:
        with ending_quietly():
            server.run()

    try:
        yield serve
    finally:
        server.close()
        server.task_dispatcher.shutdown()


def web_server(host: str, port: int) -> Any:
    """waitress, bound and not serving yet. What a proxy tells of the visitor is passed on only if there is one."""
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from waitress.server import create_server

    return create_server(
        get_wsgi_application(),
        listen=f"{host}:{port}",
        threads=THREADS,
        ident=None,
        clear_untrusted_proxy_headers=not settings.BEHIND_PROXY,
        max_request_body_size=2 * settings.LARGEST_BODY,  # up to here our own page says that it is too large
    )


def refuse_taken(host: str, port: int) -> None:
    """End the command when that address can't be listened on."""
    from provender.cli import give_up

    bare = host.strip("[]")
    try:
        with socket.create_server((bare, port), family=socket.AF_INET6 if ":" in bare else socket.AF_INET):
            pass
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", "") or str(error)
        give_up(f"Can't listen on {host}:{port}: {why}. Choose another with --port.")


def collect_static() -> None:
    """Put style sheets and scripts where the web server finds them, each under a name with its hash.

    Only when one of them has changed since the last time, and by one process at a time; with PROVENDER_DEBUG they are
    served from where they are.
    """
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    if settings.DEBUG:
        return
    found = {path: Path(its.path(path)).stat() for finder in get_finders() for path, its in finder.list(NOT_SERVED)}
    now = "\n".join(f"{path} {stat.st_size} {stat.st_mtime_ns}" for path, stat in sorted(found.items()))
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    with root.with_suffix(".collected").open("a+") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)
        kept.seek(0)
        if kept.read() == now and (root / "staticfiles.json").exists():
            return
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=[*NOT_SERVED])
        kept.truncate(0)
        kept.write(now)


@contextmanager
def ending_quietly() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end this process through every `finally`, also when a script started it with “&”."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        click.echo("Stopping.", err=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def announce_first_links() -> None:
    """Where a wholesaler has nobody yet, print a link that makes its first owner."""
    from provender.cli.suppliers import join_address
    from provender.people.actions import invite, withdraw
    from provender.people.roles import Role
    from provender.suppliers.models import Supplier

    empty = Supplier.objects.filter(memberships=None, closed_at=None).order_by("slug")
    for supplier in empty:
        for older in supplier.invitations.filter(email="", used_at=None):
            withdraw(older)
        click.echo(f"The first owner of {supplier.name} opens (once, within 7 days):")
        click.echo(f"  {join_address(invite(supplier, '', Role.OWNER, None))}")
    if not Supplier.objects.exists():
        click.echo("There is no wholesaler yet. Make one, then start again: provender supplier create SLUG …")


@click.command("web")
@HOST
@PORT
@click.option("--workers", default=2, show_default=True, help="Processes.")
@click.option("--threads", default=THREADS, show_default=True, help="Threads of each process.")
def web(host: str, port: int, workers: int, threads: int) -> None:
    """Run the web server alone (gunicorn); jobs are left to `provender worker`."""
    from provender.cli import setup

    know_address(port)
    setup()
    refuse_taken(host, port)
    shape = ["--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads), "--no-control-socket"]
    arguments = ["-m", "gunicorn", "provender.config.wsgi:application", "--bind", f"{host}:{port}", *shape]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 -- become gunicorn: signals reach it directly


@click.command("worker")
@click.option("--slot", default=0, show_default=True, help="Its place; each worker of a deployment has its own.")
def worker(slot: int) -> None:
    """Run a worker alone, until Ctrl-C."""
    from provender.cli import setup

    setup()
    from provender import engine

    click.echo(f"Starting worker {slot}; Ctrl-C ends it.")
    engine.run(slot)


@click.command("django", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def django(arguments: tuple[str, ...]) -> None:
    """Pass a command on to Django, such as `provender django shell`."""
    from provender.cli import setup

    setup(migrate=False)
    from django.core.management import execute_from_command_line

    execute_from_command_line(["provender django", *arguments])
