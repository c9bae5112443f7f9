"""The lease on a connection: who may work on it, fenced by an epoch that every transaction of a drain checks.

All times are the database's. A lease is one conditional update, since SQLite has no row locks.
"""

import os
import secrets
import socket
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q

from provender.basics import clock
from provender.suppliers.models import Supplier
from provender.sync.errors import LostLease
from provender.sync.failpoints import Failpoint, reach
from provender.sync.models import Connection


@dataclass(frozen=True)
class Lease:
    """Held by one drain of one connection."""

    connection: UUID
    owner: str
    epoch: int

    def fence(self) -> None:
        """First statement of each transaction of a drain. Raises LostLease when another has taken over.

        An update, so that on PostgreSQL nobody takes the lease before this transaction ends.
        """
        self._renew(settings.SYNC_LEASE_SECONDS)

    def _renew(self, seconds: int) -> None:
        until = clock.database_now() + timedelta(seconds=seconds)
        held = Connection.objects.filter(pk=self.connection, lease_owner=self.owner, lease_epoch=self.epoch)
        if not held.update(lease_until=until):
            raise LostLease

    def release(self) -> None:
        """Give it back, if it is still ours."""
        Connection.objects.filter(pk=self.connection, lease_owner=self.owner, lease_epoch=self.epoch).update(
            lease_owner="", lease_until=None
        )
        reach(Failpoint.RELEASED)


def fence_off(supplier: Supplier) -> None:
    """Whatever is at work on its connections has lost the lease, and writes nothing more."""
    supplier.connections.update(lease_epoch=F("lease_epoch") + 1, lease_owner="", lease_until=None)


def take_lease(connection: UUID) -> Lease | None:
    """The lease, or None while another drain holds it."""
    now = clock.database_now()
    owner = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(6)}"
    free = Connection.objects.filter(Q(lease_until=None) | Q(lease_until__lte=now), pk=connection)
    taken = free.update(
        lease_owner=owner,
        lease_epoch=F("lease_epoch") + 1,
        lease_until=now + timedelta(seconds=settings.SYNC_LEASE_SECONDS),
    )
    if not taken:
        return None
    epoch = Connection.objects.values_list("lease_epoch", flat=True).get(pk=connection, lease_owner=owner)
    reach(Failpoint.LEASED)
    return Lease(connection, owner, epoch)
