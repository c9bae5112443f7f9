"""The `provender` command. Django is set up inside the commands, and each is imported when it is called, so that
`--help` stays fast.

Exit statuses: 0 done, all in step; 1 failed, with a sentence on standard error; 2 wrong use; 3 done, and something
waits for a person. Progress goes to standard error; standard output is the answer, with `--json` exactly one object.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from provender.basics.errors import ProvenderError

DONE, FAILED, WRONG_USE, WAITS = 0, 1, 2, 3

# Name, where it is, and the line that `--help` shows for it.
COMMANDS = {
    "demo": ("provender.cli.demo:demo", "A demonstration wholesaler, already trading, with a stand-in Xero."),
    "up": ("provender.cli.serving:up", "Web and worker in one process."),
    "web": ("provender.cli.serving:web", "Only the web server; for several machines."),
    "worker": ("provender.cli.serving:worker", "Only a worker; for several machines."),
    "supplier": ("provender.cli.suppliers:supplier_group", "Wholesalers of this Provender."),
    "user": ("provender.cli.suppliers:user_group", "People who log in."),
    "connect": ("provender.cli.connecting:connect", "Connect a wholesaler to its organisation in Xero."),
    "import": ("provender.cli.imports:import_group", "Bring invoices in from a file."),
    "pull": ("provender.cli.pulling:pull_group", "Bring products or customers in from Xero."),
    "sync": ("provender.cli.xero:sync", "Send everything that is due to Xero."),
    "status": ("provender.cli.xero:status", "How a wholesaler stands with Xero."),
    "verify-books": ("provender.cli.xero:verify_books", "Compare every document with Xero."),
    "doctor": ("provender.cli.doctor:doctor", "Check the set-up, and say what to do."),
    "rotate-keys": ("provender.cli.xero:rotate_keys", "Encrypt Xero's tokens under a new key."),
    "xero-simulator": ("xero_simulator.cli:command", "A stand-in Xero server, to try things with."),
    "django": ("provender.cli.serving:django", "Pass a command on to Django."),
}


def setup(*, migrate: bool = True) -> None:
    """Make Django's models usable, and the database fit for them; call it first in every command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "provender.config.settings")
    import django

    django.setup()
    if migrate:
        from provender.cli.database import make_ready

        make_ready()


class Commands(click.Group):
    """A group that imports a command when it is called, and says known errors in one sentence."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        _, command, rest = super().resolve_command(ctx, args)
        return args[0], command, rest

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except known_errors() as error:
            said = told(error)
            if said is None:
                raise
            give_up(*said)


# Codes of errors whose reason is in the words or the file that were given.
ABOUT_USE = frozenset(
    {
        "supplier-unknown",
        "supplier-exists",
        "supplier-not-named",
        "faulty-file",
        "import-field-unknown",
        "import-mapping-incomplete",
        "import-date-format-unusable",
    }
)


def known_errors() -> tuple[type[Exception], ...]:
    """What may be said in a sentence. Looked up when something was raised: until then Django may not be loaded."""
    from sqlite3 import Error

    if "django.db" not in sys.modules:
        return (ProvenderError, OSError, Error)
    from django.core.exceptions import ValidationError
    from django.db.utils import DatabaseError, InterfaceError

    return (ProvenderError, OSError, Error, ValidationError, DatabaseError, InterfaceError)


def told(error: Exception) -> tuple[str, int] | None:
    """The sentence for a known error, and the exit status; None for one that is a mistake of ours."""
    from provender.basics.outage import is_outage

    if isinstance(error, ProvenderError):
        return error.sentence, WRONG_USE if error.code in ABOUT_USE else FAILED
    if messages := getattr(error, "messages", None):  # Django's ValidationError
        return " ".join(messages), WRONG_USE
    return (say_outage(error), FAILED) if is_outage(error) else None


def say_outage(error: Exception) -> str:
    """What can't be used, why, and what to do."""
    from sqlite3 import Error

    if isinstance(error, OSError | Error):  # only the simulator uses SQLite by itself
        what = "The simulator's file" if isinstance(error, Error) else error.filename or "A file"
        why = str(error) if isinstance(error, Error) else error.strerror
        return f"{what} can't be written: {why}. Its owner must be whoever runs this, with room on the disk."
    from provender.cli.database import DatabaseUnusable

    return DatabaseUnusable(error).sentence


def give_up(sentence: str, status: int = FAILED) -> NoReturn:
    """Say what is wrong on standard error, and end."""
    click.echo(sentence, err=True)
    sys.exit(status)


@click.group(cls=Commands)
def main() -> None:
    """Provender: an order desk for wholesalers, kept in step with Xero."""
    os.umask(0o077)  # what this process and its children write is nobody else's to read


def run(arguments: Sequence[str]) -> None:
    """Run a command from Python, as the shell would."""
    main(list(arguments), prog_name="provender")
