from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from provender.basics import clock

MIDDAY = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Australia/Sydney", 24), ("Pacific/Auckland", 25), ("Europe/London", 24)],
)
def test_the_business_day_is_the_wholesalers(zone, day):
    with time_machine.travel(MIDDAY, tick=False):
        assert clock.today(zone) == date(2026, 11, day)


def test_moving_the_clock_moves_every_reading():
    with time_machine.travel(MIDDAY, tick=False), clock.moved(timedelta(hours=12)):
        assert clock.now() == MIDDAY + timedelta(hours=12)
        assert clock.today("Europe/London") == date(2026, 11, 25)


def test_the_databases_clock_agrees_with_ours_and_moves_with_it(db):
    with clock.moved(timedelta(hours=1)):
        assert abs(clock.database_now() - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=60)
