"""What the engine runs for Xero besides the drain: an eye on each connection, the nightly compare, housekeeping."""

import logging
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from provender.basics import clock
from provender.sync.connections import connected_here
from provender.sync.errors import NeedsReconnecting, XeroBusy, XeroRefused
from provender.sync.mirror import read_contacts
from provender.sync.models import Connection, Event
from provender.sync.nightly import compare_nightly
from provender.sync.session import asking_for_a_person, forget_old_calls

log = logging.getLogger(__name__)
CHECK_EVERY = timedelta(minutes=30)
EVENTS_KEPT = timedelta(days=31)
NIGHT = range(1, 5)  # hours of the wholesaler's own night in which the books are compared


def check_connections() -> None:
    """Ask each organisation for itself now and then: access still there, lock dates as they are. One call each."""
    now = clock.database_now()
    stale = Q(last_checked_at=None) | Q(last_checked_at__lt=now - CHECK_EVERY) | ~Q(app_refused_at=None)
    for connection in connected_here().filter(stale).select_related("supplier"):
        try:
            with asking_for_a_person(connection) as session:
                organisation = session.client.organisation()
        except (NeedsReconnecting, XeroBusy, XeroRefused) as error:
            log.info("A connection couldn't be checked: %s", error)
            continue
        Connection.objects.filter(pk=connection.pk).update(
            period_lock_date=organisation.period_lock_date,
            end_of_year_lock_date=organisation.end_of_year_lock_date,
            last_checked_at=now,
            app_refused_at=None,
        )


def follow_terms() -> None:
    """Where due dates follow the contacts' terms, bring our copy of the contacts up to date now and then."""
    now = clock.database_now()
    stale = Q(contacts_read_at=None) | Q(contacts_read_at__lt=now - CHECK_EVERY)
    for connection in connected_here().filter(stale, follow_terms=True).select_related("supplier"):
        try:
            with asking_for_a_person(connection) as session:
                read_contacts(session)
        except (NeedsReconnecting, XeroBusy, XeroRefused) as error:
            log.info("The terms of contacts couldn't be read: %s", error)


def compare_by_night() -> None:
    """Once a night, by the wholesaler's clock, compare all books; what differs becomes a Problem."""
    now = clock.database_now()
    for connection in connected_here().select_related("supplier"):
        here = now.astimezone(ZoneInfo(connection.supplier.time_zone))
        recent = connection.compared_at is not None and now - connection.compared_at < timedelta(hours=12)
        if here.hour not in NIGHT or recent:
            continue
        try:
            compare_nightly(connection)
        except (NeedsReconnecting, XeroBusy, XeroRefused) as error:
            log.info("The nightly compare waits for another hour: %s", error)
            continue
        Connection.objects.filter(pk=connection.pk).update(compared_at=now)


def keep_house() -> None:
    """Forget calls older than the Activity page shows, and events older than Xero itself keeps them."""
    forget_old_calls()
    with transaction.atomic():
        Event.objects.filter(received_at__lt=clock.database_now() - EVENTS_KEPT).delete()
