"""The database made fit: migrated when it is behind, by one process at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

ADVISORY_LOCK = 72_831_905  # any number that is ours alone


def make_ready() -> None:
    """Apply the migrations that are missing, if any; files that others could read are taken from them."""
    for path in settings.PROVENDER_HOME.glob("*.sqlite3*"):
        path.chmod(0o600)
    if not pending():
        return
    with _alone():
        if pending():  # another process may have been at it while we waited
            call_command("migrate", interactive=False, verbosity=0)
            call_command("createcachetable", verbosity=0)


def pending() -> list[str]:
    """Migrations that the database lacks."""
    executor = MigrationExecutor(connection)
    return [f"{m.app_label}.{m.name}" for m, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


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
