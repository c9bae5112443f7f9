"""The database made fit: migrated when it is behind, by one process at a time."""

import contextlib
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.exceptions import MigrationSchemaMissing
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError

from provender.basics.errors import ProvenderError
from provender.basics.outage import is_outage

ADVISORY_LOCK = 72_831_905  # any number that is ours alone


class DatabaseUnusable(ProvenderError):
    """The database can't be reached, opened or read."""

    code = "database-unusable"

    def __init__(self, error: Exception) -> None:
        said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip("?:.")
        if connection.vendor == "sqlite":
            what = f"{connection.settings_dict['NAME']} can't be used: {said}"
            todo = f"{_OF_SQLITE.get(said, 'Look at the rights and the room of its folder')}."
        else:
            what = f"The database of DATABASE_URL can't be used: {said}"
            code = getattr(error.__cause__, "sqlstate", None) or ""
            todo = _OF_POSTGRESQL.get(code, "Is PostgreSQL running there, and do name, user and password fit?")
        super().__init__(f"{what}. {todo}")


_DAMAGED = "Stop Provender and put its backup in its place"
_OF_SQLITE = {
    "file is not a database": _DAMAGED,
    "database disk image is malformed": _DAMAGED,
    "database or disk is full": "Make room on the disk",
    "disk I/O error": "Look at the room and the health of its disk",
    "database is locked": "Another program holds it for long: end that one",
    "attempt to write a readonly database": "Give it and its folder to whoever runs Provender",
}
_OF_POSTGRESQL = {
    "53100": "Make room on its disk.",
    "25006": "It can only be read: is it a standby?",
}


class DatabaseOfAnotherVersion(ProvenderError):
    """The database has migrations that this version doesn't know: a newer version was at it."""

    code = "database-of-another-version"

    def __init__(self, unknown: list[str]) -> None:
        super().__init__(
            f"The database was brought up to date by a newer Provender than this ({', '.join(unknown)} isn't known"
            " here). Start that version, or go back to the backup from before the upgrade."
        )


def make_ready() -> None:
    """Apply the migrations that are missing, if any; files that others could read are taken from them."""
    for path in settings.PROVENDER_HOME.glob("*.sqlite3*"):
        with contextlib.suppress(PermissionError):  # another's: whether it can be used, the database tells
            path.chmod(0o600)
    if not pending():
        return
    with _alone():
        try:
            if pending():  # another process may have been at it while we waited
                call_command("migrate", interactive=False, verbosity=0)
                call_command("createcachetable", verbosity=0)
        except DatabaseError as error:
            if not (is_outage(error) or isinstance(error, MigrationSchemaMissing)):
                raise
            raise DatabaseUnusable(error) from error


def pending() -> list[str]:
    """Migrations that the database lacks. Raises DatabaseUnusable, DatabaseOfAnotherVersion."""
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        raise DatabaseUnusable(error) from error
    loader = executor.loader
    known = {*loader.disk_migrations, *(old for one in loader.disk_migrations.values() for old in one.replaces)}
    applied = loader.applied_migrations.keys()
    if unknown := sorted(f"{app}.{name}" for app, name in applied - known if app in loader.migrated_apps):
        raise DatabaseOfAnotherVersion(unknown)
    return [f"{m.app_label}.{m.name}" for m, _ in executor.migration_plan(loader.graph.leaf_nodes())]


def is_new() -> bool:
    """True when nothing was ever made in the database. Raises DatabaseUnusable."""
    try:
        return not connection.introspection.table_names()
    except DatabaseError as error:
        raise DatabaseUnusable(error) from error


def prove_writable() -> None:
    """Write what changes nothing. Raises DatabaseUnusable when the database can only be read."""
    from provender.engine.models import Slot

    try:
        Slot.objects.filter(holder="nobody").update(holder="")
    except DatabaseError as error:
        raise DatabaseUnusable(error) from error


@contextmanager
def _alone() -> Iterator[None]:
    """One process of this machine, and on PostgreSQL of all machines, at a time."""
    settings.PROVENDER_HOME.mkdir(parents=True, exist_ok=True)
    with (settings.PROVENDER_HOME / "migrate.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])
