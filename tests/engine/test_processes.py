"""Workers in processes of their own, some of them killed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from engine.counting import PATIENCE, holds

pytestmark = pytest.mark.kill
SCRIPT = Path(__file__).with_name("lone_worker.py")


class Workers:
    """Starts workers that share a database and a folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = os.environ | {"PROVENDER_HOME": str(home), "DATABASE": json.dumps(self._database())}

    def do(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._line(command), check=False, env=self.environment, capture_output=True, text=True, timeout=PATIENCE
        )

    @contextmanager
    def at_work(self, slot: int) -> Iterator[subprocess.Popen[bytes]]:
        """A worker that has begun the job's next run; killed when the block ends."""
        runs = self.runs()
        with subprocess.Popen(self._line(["work", str(slot)]), env=self.environment) as worker:
            try:
                assert holds(lambda: self.runs() == runs + 1)
                yield worker
            finally:
                worker.kill()

    def runs(self) -> int:
        file = self.home / "runs"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def _line(self, command: list[str] | tuple[str, ...]) -> list[str]:
        return [sys.executable, str(SCRIPT), *command]

    def _database(self) -> dict[str, str]:
        if connection.vendor == "sqlite":
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(self.home / "provender.sqlite3")}
        wanted = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")
        return {key: str(connection.settings_dict[key]) for key in wanted}


@pytest.fixture
def workers(home: Path) -> Workers:
    shared = Workers(home)
    if connection.vendor == "sqlite":
        assert shared.do("prepare").returncode == 0
    return shared


def test_a_second_process_with_the_slot_is_refused(workers):
    with workers.at_work(slot=0):
        second = workers.do("work", "0")
    assert second.returncode == 1
    assert "slot 0 is held by another process" in second.stderr


def test_a_killed_workers_run_is_run_again_at_its_restart(workers):
    with workers.at_work(slot=0) as worker:
        worker.kill()
    with workers.at_work(slot=0):
        assert workers.runs() == 2


def test_a_dead_workers_run_is_run_again_by_another(workers):
    with workers.at_work(slot=0) as worker:
        worker.kill()
    assert workers.do("silence").returncode == 0
    with workers.at_work(slot=1):
        assert workers.runs() == 2


def test_a_worker_told_to_terminate_ends_in_the_middle_of_a_run(workers):
    with workers.at_work(slot=0) as worker:
        worker.terminate()
        assert worker.wait(PATIENCE) == 0
    with workers.at_work(slot=1):
        assert workers.runs() == 2
