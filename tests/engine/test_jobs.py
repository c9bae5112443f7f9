"""Registering a job and asking for a run, where no worker is."""

import pytest

from provender import engine
from provender.engine import jobs
from provender.engine.worker import seconds_left


def nothing() -> None:
    """A job with nothing to do."""


@pytest.mark.parametrize("name", ["", "Drain", "../drain", "drain:1", "a b"])
def test_a_name_that_could_not_be_a_file_is_refused(home, name):
    with pytest.raises(ValueError, match="not a name"):
        engine.schedule(name, nothing, every=1)


def test_a_second_job_of_one_name_is_refused(home):
    engine.schedule("drain", nothing, every=1)
    with pytest.raises(ValueError, match="already"):
        engine.schedule("drain", nothing, every=2)


def test_a_period_must_be_positive(home):
    with pytest.raises(ValueError, match="more than 0"):
        engine.schedule("drain", nothing, every=0)


def test_waking_leaves_a_mark_that_one_worker_takes(home):
    engine.schedule("drain", nothing, every=1, hurried=True)
    jobs.marks().mkdir()
    engine.wake("drain")
    engine.wake("drain")
    assert jobs.take_mark("drain")
    assert not jobs.take_mark("drain")


def test_waking_where_no_worker_ever_ran_is_harmless(home):
    engine.schedule("drain", nothing, every=1, hurried=True)
    engine.wake("drain")
    assert list(home.iterdir()) == []


def test_waking_an_unknown_or_unhurried_job_only_says_so(home, caplog):
    engine.schedule("nightly", nothing, every=1)
    engine.wake("nightly")
    engine.wake("drian")
    assert [record.args for record in caplog.records] == [("nightly",), ("drian",)]


@pytest.mark.parametrize(
    ("last", "left"),
    [(None, 0), (940, 0), (939, 0), (970, 30), (1000, 60), (1002, 0), (99_000, 0)],
    ids=["never run", "just due", "overdue", "half way", "just run", "clock set back", "clock set far back"],
)
def test_a_job_is_due_a_period_after_its_last_run(last, left):
    assert seconds_left(60, last, now=1000) == left
