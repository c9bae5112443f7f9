"""Draining until all is in step, for the command line: with patience for Xero's limits and for doubts."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F

from provender.basics import clock
from provender.changes.actions import ask
from provender.changes.models import Change
from provender.suppliers.models import Supplier
from provender.sync.drain import drain
from provender.sync.due import due_changes
from provender.sync.models import Connection, Dispatch, Problem

LONGEST_NAP = 5.0


@dataclass(frozen=True)
class Outcome:
    """How a connection stands after draining."""

    waiting: int  # documents that may go and haven't
    open_dispatches: int
    problems: int

    @property
    def in_step(self) -> bool:
        """Nothing waits and nothing is in doubt; problems wait for a person."""
        return not self.waiting and not self.open_dispatches


def ask_for_everything(supplier: Supplier) -> int:
    """Let every unsettled document go, imported ones included. Parked ones stay with the person they wait for."""
    waiting = Change.objects.filter(supplier=supplier, revision__gt=F("settled")).filter(revision__gt=F("parked"))
    return ask(waiting)


def drain_until_in_step(
    connection: Connection, *, wait: bool, progress: Callable[[int], None] = lambda _count: None
) -> Outcome:
    """Drain until nothing is due; with `wait`, until Xero's limits let the rest go and every doubt is settled too.

    Stops early when the connection needs reconnecting.
    """
    while True:
        drain(connection, progress)
        connection.refresh_from_db()
        outcome = look(connection)
        if not wait or outcome.in_step or connection.state != Connection.State.CONNECTED:
            return outcome
        time.sleep(_nap(connection))


def look(connection: Connection) -> Outcome:
    """How it stands now, in three counts."""
    return Outcome(
        waiting=due_changes(connection, "invoice").count(),
        open_dispatches=Dispatch.objects.filter(connection=connection).count(),
        problems=Problem.objects.filter(connection=connection, solved_at=None).count(),
    )


def _nap(connection: Connection) -> float:
    """Until something can happen: our turn at Xero again, or the next look-up of a doubt."""
    now = clock.database_now()
    moments: list[datetime | None] = [
        connection.drain_after,
        connection.lease_until,
        Dispatch.objects.filter(connection=connection)
        .order_by("next_try_at")
        .values_list("next_try_at", flat=True)
        .first(),
    ]
    ahead = [moment - now for moment in moments if moment is not None and moment > now]
    return min(LONGEST_NAP, max(0.2, min(ahead, default=timedelta(seconds=0.2)).total_seconds()))
