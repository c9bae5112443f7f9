"""DBOS behind a few verbs. Nothing else imports it, and it is imported only where a worker runs.

A run is one DBOS workflow on one plain queue, with the job's name as its de-duplication id: queued or running, there
is one of each name in the deployment. DBOS keeps it in `jobs.sqlite3`, or in its own schema `dbos` of our PostgreSQL
database.
"""

import contextlib
import logging
import sqlite3
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connections

if TYPE_CHECKING:
    from dbos import DBOSConfig

APPLICATION = "provender"
QUEUE = "jobs"
WORKFLOW = "provender.job"
# Not the program's version and never to be changed: a worker takes only runs of its own version, and DBOS's default, a
# digest of the code, would strand what an older one had queued.
VERSION = "1"
POLL_SECONDS = 0.5
KEPT_RUNS = 100
SPARING_SECONDS = 60.0
UNDER_WAY = ["ENQUEUED", "PENDING"]
# A run that was cut off (ERROR) or orphaned (CANCELLED) doesn't count as one: its job is due again at once.
COUNTED = [*UNDER_WAY, "SUCCESS"]
OVER = ["SUCCESS", "ERROR", "CANCELLED"]


class CutOff(Exception):
    """The worker stopped before the job was done."""


class _Sparing(logging.Filter):
    """Keeps DBOS's log readable: each complaint once a minute at most, and nothing about runs that were cut off.

    While its database is away DBOS writes seven tracebacks a second. A cut-off run is said by the worker, in one line.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], CutOff):
            return False
        place = (record.pathname, record.lineno)
        if record.created - self._said.get(place, 0.0) < SPARING_SECONDS:
            return False
        self._said[place] = record.created
        return True


class Queue:
    """The queue as one worker sees it, from creation (which launches DBOS) to `close`."""

    def __init__(self, executor: str, perform: Callable[[str, str], str], at_once: int) -> None:
        """`perform` gets a run's id and a job's name, on one of DBOS's threads, and answers the outcome to record."""
        from dbos import DBOS, DBOSClient

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
        def job(name: str) -> str:
            return perform(str(DBOS.workflow_id), name)

        self._dbos: Any = DBOS
        self._client: Any = None
        self._executor = executor
        self._astray: set[str] = set()
        _quieten()
        try:
            url = _database_url()
            DBOS(config=_configuration(url, executor, at_once))
            DBOS.launch()
            DBOS.register_queue(
                QUEUE, worker_concurrency=at_once, polling_interval_sec=POLL_SECONDS, on_conflict="always_update"
            )
            # DBOS's own calls wait without end for a database that is away; these raise, so a worker can be stopped.
            self._client = DBOSClient(
                system_database_url=url,
                application_name=APPLICATION,
                system_database_pool_size=1,
                retry_connection_errors=False,
            )
        except BaseException:
            self.close()
            raise

    def ask(self, name: str) -> bool:
        """Queue a run of the job; False if one is queued or running already."""
        from dbos import error

        options = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": f"{name}:{uuid.uuid4().hex}",
            "deduplication_id": name,
            "app_version": VERSION,
        }
        try:
            self._client.enqueue(options, name)
        except error.DBOSQueueDeduplicatedError:
            return False
        return True

    def last_asked(self, name: str) -> float | None:
        """When the job's newest run was queued, in seconds since 1970; None if it never was."""
        runs = self._runs(name, status=COUNTED, sort_desc=True, limit=1)
        return runs[0].created_at / 1000 if runs else None

    def drop_orphans(self, executors_alive: set[str], running: set[str]) -> list[str]:
        """Cancel the runs that nobody is at any more, so that their jobs are free and due; the names of the jobs.

        Those are the runs of workers that are gone, and runs of this worker that aren't among those `running` here
        now, nor at the call before: DBOS claimed one and failed to start it, or to record its end.
        """
        pending = self._client.list_workflows(queue_name=QUEUE, status="PENDING", load_input=False, load_output=False)
        orphans = {run.workflow_id for run in pending if run.executor_id not in executors_alive}
        astray = {run.workflow_id for run in pending if run.executor_id == self._executor} - running
        orphans |= astray & self._astray
        self._astray = astray
        if orphans:
            self._client.cancel_workflows(sorted(orphans))
        return [orphan.partition(":")[0] for orphan in orphans]

    def forget_old_runs(self, names: Iterable[str]) -> None:
        """Delete all but each job's newest runs, or the history would grow by 17,000 rows a day."""
        for name in names:
            old = self._runs(name, status=OVER, sort_desc=True, offset=KEPT_RUNS, limit=1000)
            if old:
                self._client.delete_workflows([run.workflow_id for run in old])

    def close(self, *, wait: int = 0) -> None:
        """Take no more runs, wait so many seconds at most for the open ones to be recorded, and let DBOS go."""
        if self._client is not None:
            self._client.destroy()
        self._dbos.destroy(destroy_registry=True, workflow_completion_timeout_sec=wait)

    def _runs(self, name: str, **filters: Any) -> list[Any]:
        runs: list[Any] = self._client.list_workflows(
            workflow_id_prefix=f"{name}:", load_input=False, load_output=False, **filters
        )
        return runs


def _configuration(url: str, executor: str, at_once: int) -> "DBOSConfig":
    return {
        "name": APPLICATION,
        "system_database_url": url,
        "executor_id": executor,
        "application_version": VERSION,
        "log_level": "WARNING",
        "enable_otlp": False,
        "max_executor_threads": at_once + 2,
        "sys_db_pool_size": 4,
        # We use neither notifications nor DBOS's schedules: no listening connection, and few looks for them.
        "use_listen_notify": False,
        "notification_listener_polling_interval_sec": POLL_SECONDS,
        "scheduler_polling_interval_sec": 3600.0,
    }


def _database_url() -> str:
    from sqlalchemy import URL, make_url

    if settings.DATABASE_URL:
        # The name is Django's, so that under test both use the test database.
        name = str(connections["default"].settings_dict["NAME"])
        url = make_url(settings.DATABASE_URL).set(drivername="postgresql", database=name)
    else:
        path = settings.PROVENDER_HOME / "jobs.sqlite3"
        with contextlib.closing(sqlite3.connect(path, timeout=20)) as connection:
            connection.execute(
                "PRAGMA journal_mode=WAL"
            )  # kept in the file; DBOS's default lets readers wait for writers
        url = URL.create("sqlite", database=str(path))
    return url.render_as_string(hide_password=False)


def _quieten() -> None:
    """Let DBOS's warnings go where ours go: with a handler in place it adds none of its own."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.addFilter(_Sparing())
