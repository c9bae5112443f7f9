"""`provender sync --wait`: what it waits for is said, once each."""

from datetime import timedelta
from uuid import uuid4

import pytest

from provender.basics import clock
from provender.sync import queries, waiting
from provender.sync.drain import drain
from provender.sync.lease import take_lease
from provender.sync.models import Connection, Link

pytestmark = pytest.mark.django_db
INVOICES = "/api.xro/2.0/Invoices"


@pytest.fixture
def wait(connection, later, monkeypatch):
    """Drain until all is in step, where a nap only moves the clocks; what was said meanwhile."""
    monkeypatch.setattr(waiting.time, "sleep", lambda seconds: later(seconds=seconds))

    def run():
        said = []
        outcome = waiting.drain_until_in_step(connection, wait=True, told=said.append)
        assert outcome.in_step
        return [delay.why for delay in said]

    return run


def test_nothing_is_said_when_nothing_stands_in_the_way(order, wait):
    assert wait() == []


def test_a_turn_that_was_broken_off_is_waited_for(order, connection, wait):
    take_lease(connection.pk)
    assert wait() == ["another run has this wholesaler's turn, or was broken off in it"]


def test_a_doubt_is_waited_for_and_said_again_at_each_look_up(order, xero, wait):
    xero.faults.add("drop-before-commit", methods=["PUT"], path=INVOICES, count=1)
    said = wait()
    assert len(said) == 3  # looked up after 30, 90 and 210 seconds, of which the last counts
    assert set(said) == {"whether 1 call arrived isn't known; Xero is asked again, and nothing is sent twice"}


def test_xero_asking_for_patience_is_said(order, xero, wait):
    xero.faults.add("429-minute", methods=["PUT"], path=INVOICES, count=1)
    said = wait()
    assert said[0] == "Xero can't be asked right now (its calls of this minute are used up)"
    assert set(said[1:]) <= {"Xero can't be asked right now (the calls that it allows are used up)"}


def test_xero_that_is_away_for_minutes_is_said_once_a_minute(order, wait, monkeypatch):
    drain, until = waiting.drain, clock.database_now() + timedelta(minutes=3)

    def away(connection, progress):
        now = clock.database_now()
        if now >= until:
            return drain(connection, progress)
        later = now + timedelta(seconds=5)
        Connection.objects.filter(pk=connection.pk).update(drain_after=later, drain_why="no-connection")
        return False

    monkeypatch.setattr(waiting, "drain", away)
    assert wait() == 3 * ["Xero can't be asked right now (it can't be reached)"]


def test_every_page_says_why_nothing_goes_until_it_does(order, connection, xero, later):
    xero.faults.add("503", count=5)
    drain(connection)
    line = queries.xero_line(connection.supplier)
    assert (line.light, line.needing) == ("away", 0)
    assert "1 invoice waits to be sent" in line.sentence
    assert "Xero can't be asked right now (it is closed for maintenance); it is tried again by itself." in line.sentence
    later(minutes=10)
    assert "can't be asked" not in queries.xero_line(connection.supplier).sentence  # nobody tries: no worker runs
    xero.faults.clear()
    drain(connection)
    assert queries.xero_line(connection.supplier).sentence == "The invoice is in Demo Company (AU)."


@pytest.mark.parametrize(
    ("invoices", "credit_notes", "sentence"),
    [
        (0, 0, "Connected to Demo Company (AU); no invoice has been sent yet."),
        (1, 0, "The invoice is in Demo Company (AU)."),
        (0, 1, "The credit note is in Demo Company (AU)."),
        (1, 2, "1 invoice and 2 credit notes are in Demo Company (AU)."),
        (3, 1, "All 3 invoices and 1 credit note are in Demo Company (AU)."),
        (4, 2, "More than 3 invoices and 2 credit notes are in Demo Company (AU)."),
    ],
)
def test_what_is_in_step_is_told_with_its_credit_notes(connection, monkeypatch, invoices, credit_notes, sentence):
    monkeypatch.setattr(queries, "COUNTED", 3)
    kinds = ["invoice"] * invoices + ["credit_note"] * credit_notes
    Link.objects.bulk_create(
        Link(connection=connection, kind=kind, document=uuid4(), xero_id=str(uuid4())) for kind in kinds
    )
    assert queries.xero_line(connection.supplier).sentence == sentence
