"""What the steps of one drain share: the session, the lease, the courier, and the ends that need no call."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from provender.sync.dispatching import Courier, Parcel
from provender.sync.failpoints import Failpoint, reach
from provender.sync.lease import Lease
from provender.sync.models import Connection, Link
from provender.sync.problems import close_problems
from provender.sync.recording import settle_revisions
from provender.sync.session import Session

Progress = Callable[[int], None]
ROUND = 500  # documents looked at in one round; what is left comes in the next
READ = 250  # new documents read and built at once
LOOK = 50
TAKEN_OUT = "DELETED"  # the status of money that is in Xero no more


@dataclass
class Work:
    """One drain of one connection."""

    session: Session
    lease: Lease
    progress: Progress
    done: int = 0

    @property
    def connection(self) -> Connection:
        """The connection that is drained."""
        return self.session.connection

    def carry(self, parcels: Iterable[Parcel]) -> int:
        """Send them; returns how many documents came to something, doubts included. Raises the courier's faults."""
        courier = Courier(self.session, self.lease, lambda count: self.progress(self.done + count))
        settled = courier.carry(parcels)
        self.done += settled
        if courier.stopped is not None:
            raise courier.stopped
        return settled + int(courier.in_doubt)

    def links(self, kind: str, documents: Iterable[UUID]) -> dict[UUID, Link]:
        """The twins of these, by document."""
        rows = Link.objects.filter(connection=self.connection, kind=kind, document__in=list(documents))
        return {link.document: link for link in rows}

    def live_links(self, kind: str, documents: Iterable[UUID]) -> dict[UUID, Link]:
        """The twins of these, but for money that was taken out again."""
        return {pk: link for pk, link in self.links(kind, documents).items() if link.status != TAKEN_OUT}

    def settle(self, kind: str, revisions: Mapping[UUID, int], how: str) -> int:
        """There is nothing to say to Xero about these. Returns how many."""
        if not revisions:
            return 0
        with transaction.atomic():
            self.lease.fence()
            settle_revisions(self.connection, kind, revisions.items())
            close_problems(self.connection, kind, list(revisions), how)
        reach(Failpoint.SETTLED)
        return len(revisions)


def some(revisions: Mapping[UUID, int], count: int = LOOK) -> Iterable[dict[UUID, int]]:
    """The same in handfuls that one look can ask about."""
    wanted = list(revisions.items())
    for start in range(0, len(wanted), count):
        yield dict(wanted[start : start + count])


def without(revisions: Mapping[UUID, int], these: Collection[UUID]) -> dict[UUID, int]:
    """Those that aren't among these."""
    return {pk: revision for pk, revision in revisions.items() if pk not in these}
