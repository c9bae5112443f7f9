"""What the queue itself promises, with the real DBOS."""

import threading
from collections.abc import Iterator

import pytest

from engine.counting import PATIENCE, holds
from provender.engine import queue
from provender.engine.queue import Queue


class Held:
    """Answers each run with an outcome, once it may."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = threading.Event()

    def __call__(self, run_id: str, name: str) -> str:
        self.begun.append(run_id)
        self.may_end.wait(PATIENCE)
        return "failed: LookupError: the cupboard is bare"


@pytest.fixture
def runs() -> Held:
    return Held()


@pytest.fixture
def jobs_queue(home, runs) -> Iterator[Queue]:
    launched = Queue("worker-0", runs, at_once=2)
    yield launched
    runs.may_end.set()
    launched.close()


def outcomes(name: str) -> list[tuple[str, str | None]]:
    from dbos import DBOS

    return [(run.status, run.output) for run in DBOS.list_workflows(workflow_id_prefix=f"{name}:")]


def test_there_is_one_run_of_a_name_queued_or_running(jobs_queue, runs):
    assert jobs_queue.ask("drain")
    assert not jobs_queue.ask("drain")
    assert holds(lambda: len(runs.begun) == 1)
    assert not jobs_queue.ask("drain")
    assert jobs_queue.ask("nightly")
    runs.may_end.set()
    assert holds(lambda: jobs_queue.ask("drain"))


def test_the_outcome_of_a_run_is_recorded(jobs_queue, runs):
    runs.may_end.set()
    jobs_queue.ask("drain")
    assert holds(lambda: outcomes("drain") == [("SUCCESS", "failed: LookupError: the cupboard is bare")])


def test_only_the_newest_runs_are_kept(jobs_queue, runs, monkeypatch):
    monkeypatch.setattr(queue, "KEPT_RUNS", 1)
    runs.may_end.set()
    assert all(holds(lambda: jobs_queue.ask("drain")) for _ in range(3))
    assert holds(lambda: [status for status, _ in outcomes("drain")] == ["SUCCESS"] * 3)
    jobs_queue.forget_old_runs(["drain"])
    assert [status for status, _ in outcomes("drain")] == ["SUCCESS"]


def test_a_run_that_went_astray_is_dropped_when_seen_twice(jobs_queue, runs):
    jobs_queue.ask("drain")
    assert holds(lambda: len(runs.begun) == 1)
    assert jobs_queue.drop_orphans({"worker-0"}, running=set(runs.begun)) == []
    assert jobs_queue.drop_orphans({"worker-0"}, running=set()) == []
    assert jobs_queue.drop_orphans({"worker-0"}, running=set()) == ["drain"]
    assert jobs_queue.last_asked("drain") is None
    assert jobs_queue.ask("drain")
