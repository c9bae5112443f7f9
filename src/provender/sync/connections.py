"""Which of a wholesaler's organisations is linked now, and which links this process may work on."""

from django.conf import settings
from django.db.models import QuerySet

from provender.suppliers.models import Supplier
from provender.sync.models import Connection


def live_connections() -> QuerySet[Connection]:
    """Those that are connected or in need of reconnecting, whoever's."""
    return Connection.objects.exclude(state=Connection.State.DISCONNECTED)


def connection_of(supplier: Supplier) -> Connection | None:
    """The live connection, or None."""
    return supplier.connections.exclude(state=Connection.State.DISCONNECTED).first()


def last_connection(supplier: Supplier) -> Connection | None:
    """The live connection, else the one that was connected last."""
    return connection_of(supplier) or supplier.connections.order_by("-connected_at").first()


def connected_here() -> QuerySet[Connection]:
    """Those that background work may use, of whichever wholesaler: connected, by the app that this process has.

    With another app's tokens Xero would only be told lies.
    """
    return Connection.objects.filter(state=Connection.State.CONNECTED, consent__client_id=settings.XERO_CLIENT_ID)
