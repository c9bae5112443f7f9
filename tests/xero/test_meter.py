"""Xero's limits as arithmetic."""

from datetime import UTC, datetime, timedelta

import pytest

from provender.xero import MemoryBudget, TryLater, Windows

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def after(**kwargs):
    return NOON + timedelta(**kwargs)


def left(minute=None, day=None):
    told = {"x-minlimit-remaining": minute, "x-daylimit-remaining": day}
    return {name: str(value) for name, value in told.items() if value is not None}


def call(windows, now=NOON, status=200, headers=None):
    windows.take(now)
    windows.learn(headers or {}, status, now)


def seconds_refused(windows, now=NOON, reserve=0, day_reserve=0):
    with pytest.raises(TryLater) as caught:
        windows.take(now, reserve, day_reserve=day_reserve)
    assert caught.value.problem == "budget"
    return caught.value.seconds


def test_sixty_calls_fit_in_a_minute_and_no_more():
    windows = Windows()
    for _ in range(60):
        call(windows)
    assert seconds_refused(windows, after(seconds=20)) == 40
    call(windows, after(seconds=60))
    assert windows.minute_left == 59


def test_five_calls_are_in_flight_at_most():
    windows = Windows()
    for _ in range(5):
        windows.take(NOON)
    assert seconds_refused(windows) == 1
    windows.learn({}, 200, NOON)
    windows.take(NOON)


def test_background_leaves_the_reserve_to_people():
    windows = Windows(minute_left=10, minute_resets_at=after(seconds=30), day_left=100, day_resets_at=after(hours=1))
    assert seconds_refused(windows, reserve=10) == 30
    assert seconds_refused(windows, day_reserve=100) == 3600
    windows.take(NOON)
    assert (windows.minute_left, windows.day_left) == (9, 99)


def test_smaller_figure_of_xeros_is_believed():
    windows = Windows()
    call(windows, headers=left(minute=20, day=900))
    assert (windows.minute_left, windows.day_left) == (20, 900)


def test_larger_figure_of_xeros_means_that_its_window_turned_over():
    windows = Windows(minute_left=2, minute_resets_at=after(seconds=30))
    call(windows, headers=left(minute=59))
    assert (windows.minute_left, windows.minute_resets_at) == (59, after(seconds=60))


def test_late_figure_does_not_give_back_calls_that_are_in_flight():
    windows = Windows(minute_left=50, minute_resets_at=after(seconds=30))
    for _ in range(3):
        windows.take(NOON)
    windows.learn(left(minute=49), 200, NOON)
    assert windows.minute_left == 47


def test_minute_refused_by_xero_is_waited_for():
    windows = Windows()
    call(windows, status=429, headers={"X-Rate-Limit-Problem": "Minute", "Retry-After": "17"})
    assert seconds_refused(windows) == 17
    windows.take(after(seconds=17))
    assert windows.minute_left == 59


def test_day_refused_by_xero_parks_until_xeros_time():
    windows = Windows()
    refusal = {"X-Rate-Limit-Problem": "day", "Retry-After": "66975"} | left(minute=55, day=0)
    call(windows, status=429, headers=refusal)
    assert windows.day_left == 0
    assert windows.parked_until == after(seconds=66975)
    assert seconds_refused(windows, after(seconds=66974)) == 1
    windows.take(after(seconds=66975))
    assert windows.day_left is None


@pytest.mark.parametrize(("problem", "seconds"), [("concurrent", 1), ("appminute", 60), ("something-new", 5)])
def test_other_limits_without_a_time_are_waited_for_briefly(problem, seconds):
    windows = Windows()
    call(windows, status=429, headers={"x-rate-limit-problem": problem})
    assert seconds_refused(windows) == seconds


def test_offline_organisation_is_left_alone_as_long_as_it_asks():
    windows = Windows()
    call(windows, status=503, headers={"retry-after": "120"})
    assert seconds_refused(windows) == 120


def test_small_rest_of_the_day_is_asked_again_after_an_hour():
    windows = Windows()
    call(windows, headers=left(day=40))
    assert seconds_refused(windows, day_reserve=50) == 3600
    windows.take(after(hours=1), day_reserve=50)
    windows.learn(left(day=990), 200, after(hours=1))
    windows.take(after(hours=1), day_reserve=50)
    assert windows.day_left == 989


def test_line_that_is_down_does_not_eat_the_day():
    windows = Windows(day_left=3, day_resets_at=after(hours=1))
    for _ in range(100):
        call(windows, status=None)
    assert (windows.day_left, windows.minute_left) == (3, 60)


def test_memory_budget_moves_with_its_clock():
    now = NOON
    budget = MemoryBudget(now=lambda: now)
    for _ in range(60):
        budget.take()
        budget.give_back({}, 200)
    with pytest.raises(TryLater):
        budget.take(person=True)
    now = after(minutes=1)
    budget.take()
