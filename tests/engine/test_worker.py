"""One worker with the real engine, in this process."""

import threading

import pytest

from engine.counting import Job, holds
from provender import engine
from provender.engine import jobs
from provender.engine.errors import WorkerRunning
from provender.engine.models import Slot

NEVER_AGAIN = 86_400.0


def test_a_job_runs_again_and_again(started):
    sweep = Job()
    engine.schedule("sweep", sweep, every=0.1)
    started()
    assert sweep.has_run(3)


def test_waking_brings_the_next_run_forward(started):
    drain = Job()
    engine.schedule("drain", drain, every=NEVER_AGAIN, hurried=True)
    started()
    assert drain.has_run(1)
    engine.wake("drain")
    assert drain.has_run(2)


def test_a_wake_from_another_process_is_heard(started):
    drain = Job()
    engine.schedule("drain", drain, every=NEVER_AGAIN, hurried=True)
    started()
    assert drain.has_run(1)
    jobs.leave_mark("drain")
    assert drain.has_run(2)


def test_waking_a_running_job_has_it_run_once_more(started):
    drain = Job()
    drain.may_end.clear()
    engine.schedule("drain", drain, every=NEVER_AGAIN, hurried=True)
    started()
    assert drain.has_run(1)
    engine.wake("drain")
    drain.may_end.set()
    assert drain.has_run(2)
    assert drain.most_at_once == 1


def test_a_job_that_takes_longer_than_its_period_runs_once_at_a_time(started):
    slow, quick = Job(), Job()
    slow.may_end.clear()
    engine.schedule("slow", slow, every=0.1, hurried=True)
    engine.schedule("quick", quick, every=0.1)
    started()
    assert quick.has_run(4)
    assert slow.runs == 1
    slow.may_end.set()
    assert slow.has_run(2)
    assert slow.most_at_once == 1


def test_a_job_that_raises_is_logged_and_stops_nothing(started, caplog):
    failures = Job()
    other = Job()

    def fail() -> None:
        failures()
        raise LookupError("the cupboard is bare")

    engine.schedule("fail", fail, every=0.1)
    engine.schedule("other", other, every=0.1)
    started()
    assert failures.has_run(2)
    assert other.has_run(2)
    assert "job fail failed" in caplog.messages
    assert {record.name for record in caplog.records} == {"provender.engine.worker"}


def test_stopping_gives_up_the_slot(started):
    sweep = Job()
    engine.schedule("sweep", sweep, every=NEVER_AGAIN)
    worker = started(7)
    assert sweep.has_run(1)
    worker.stop()
    assert not worker.alive
    assert Slot.objects.get(number=7).holder == ""


def test_a_run_that_is_cut_off_is_made_up_for_at_the_next_start(started, caplog):
    endless = Job()
    endless.may_end.clear()
    engine.schedule("endless", endless, every=NEVER_AGAIN)
    worker = started()
    assert endless.has_run(1)
    worker.stop()
    assert not worker.alive
    assert [record.getMessage() for record in caplog.records if record.name == "dbos"] == []
    endless.may_end.set()
    started()
    assert endless.has_run(2)


def test_a_restart_keeps_to_the_period(started):
    nightly, sweep = Job(), Job()
    engine.schedule("nightly", nightly, every=NEVER_AGAIN)
    engine.schedule("sweep", sweep, every=0.1)
    worker = started()
    assert nightly.has_run(1)
    assert sweep.has_run(1)
    worker.stop()
    started()
    assert sweep.has_run(3)
    assert nightly.runs == 1


def test_a_process_has_one_worker(started):
    started(0)
    with pytest.raises(WorkerRunning):
        engine.start(1)
    assert Slot.objects.get(number=1).holder == ""


def test_a_worker_stops_by_itself_when_another_has_its_slot(started):
    sweep = Job()
    engine.schedule("sweep", sweep, every=NEVER_AGAIN)
    worker = started()
    assert sweep.has_run(1)
    Slot.objects.update(holder="another machine")
    assert holds(lambda: not worker.alive)
    assert worker.fault is not None


def test_run_works_until_told_to_stop(home):
    stop = threading.Event()
    engine.schedule("last", stop.set, every=NEVER_AGAIN)
    engine.run(0, stop=stop)
    assert stop.is_set()
