from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from engine.haste import hasten
from provender import engine
from provender.engine import jobs


@pytest.fixture
def home(tmp_path: Path, settings, monkeypatch, transactional_db) -> Path:
    """An empty folder of state, an empty history, no jobs but the test's own, and short waits."""
    hasten(monkeypatch.setattr)
    settings.PROVENDER_HOME = tmp_path
    monkeypatch.setattr(jobs, "scheduled", {})
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA IF EXISTS dbos CASCADE")
    return tmp_path


@pytest.fixture
def started(home: Path) -> Iterator[Callable[..., engine.Worker]]:
    """`engine.start`, whose workers are stopped when the test ends."""
    workers: list[engine.Worker] = []

    def start(slot: int = 0) -> engine.Worker:
        workers.append(engine.start(slot))
        return workers[-1]

    yield start
    for worker in workers:
        worker.stop()
