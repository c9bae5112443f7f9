"""Draining until all is in step, for the command line: with patience for Xero's limits and for doubts."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from provender.basics import clock
from provender.basics.wording import counted
from provender.changes.actions import ask
from provender.changes.models import GOING, Change
from provender.suppliers.models import Supplier
from provender.sync.drain import drain
from provender.sync.errors import why_busy
from provender.sync.models import Connection, Dispatch, Problem
from provender.sync.outstanding import outstanding

LONGEST_NAP = 5.0
AGAIN = timedelta(minutes=1)  # before the same delay is told of again: Xero is tried every few seconds while it is away


@dataclass(frozen=True)
class Outcome:
    """How a connection stands after draining."""

    waiting: int  # documents and money that may go and haven't
    open_dispatches: int
    problems: int

    @property
    def in_step(self) -> bool:
        """Nothing waits and nothing is in doubt; problems wait for a person."""
        return not self.waiting and not self.open_dispatches


def ask_for_everything(supplier: Supplier) -> int:
    """Let every unsettled document go, imported ones included. Parked ones stay with the person they wait for."""
    return ask(Change.objects.filter(GOING, supplier=supplier))


@dataclass(frozen=True)
class Delay:
    """What nothing can be done before, and until when at the latest."""

    why: str
    until: datetime


def drain_until_in_step(
    connection: Connection,
    *,
    wait: bool,
    progress: Callable[[int], None] = lambda _count: None,
    told: Callable[[Delay], None] = lambda _delay: None,
) -> Outcome:
    """Drain until nothing is due; with `wait`, until Xero's limits let the rest go and every doubt is settled too.

    `told` hears of each delay once, and again when it lasts longer than was said, a minute later at the soonest. Stops
    early when the connection needs reconnecting, or Xero refuses our app.
    """
    last: Delay | None = None
    again = clock.database_now()
    while True:
        drain(connection, progress)
        connection.refresh_from_db()
        outcome = look(connection)
        lost = connection.state != Connection.State.CONNECTED or connection.app_refused_at is not None
        if not wait or outcome.in_step or lost:
            return outcome
        delay, now = _delay(connection, outcome), clock.database_now()
        if delay and (last is None or delay.why != last.why or now >= again):
            told(delay)
            last, again = delay, max(delay.until, now + AGAIN)
        time.sleep(_nap(delay, now))


def look(connection: Connection) -> Outcome:
    """How it stands now, in three counts."""
    return Outcome(
        waiting=outstanding(connection).count(),
        open_dispatches=Dispatch.objects.filter(connection=connection).count(),
        problems=Problem.objects.filter(connection=connection, solved_at=None).count(),
    )


def _delay(connection: Connection, outcome: Outcome) -> Delay | None:
    """What stands in the way: another's turn, Xero's limits, or a doubt whose look-up isn't due yet."""
    now = clock.database_now()
    doubts = Dispatch.objects.filter(connection=connection).order_by("next_try_at")
    calls = counted(outcome.open_dispatches, "call")
    reasons = [
        ("another run has this wholesaler's turn, or was broken off in it", connection.lease_until),
        (
            f"Xero can't be asked right now ({why_busy(connection.drain_why) or 'the last try failed'})",
            connection.drain_after,
        ),
        (
            f"whether {calls} arrived isn't known; Xero is asked again, and nothing is sent twice",
            doubts.values_list("next_try_at", flat=True).first(),
        ),
    ]
    return next((Delay(why, until) for why, until in reasons if until is not None and until > now), None)


def _nap(delay: Delay | None, now: datetime) -> float:
    """Until something can happen; never long, since another process may settle it before."""
    ahead = (delay.until - now).total_seconds() if delay else 0.0
    return min(LONGEST_NAP, max(0.2, ahead))
