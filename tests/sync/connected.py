"""A wholesaler connected to a simulator, through the consent page like anybody: once in full, and then copied.

Consent and tokens are new each time, so they end when the test's clocks say so. What comes of them is the same each
time: the chart that is read, the settings that are proposed and saved. So those rows are kept from the first time and
inserted again, under new ids and with their times moved on, as long as nobody has changed what is read.
`test_connected.py` compares the two.
"""

import re
from itertools import chain
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2
from django.db.models import DateTimeField
from msgspec.structs import replace

from provender.basics import clock
from provender.properties.models import Property
from provender.sync import connecting
from provender.sync.choices import propose, save_settings
from provender.sync.models import Connection
from provender.timeline.models import Entry
from xero_simulator.testing import FaultyTransport


def consent(simulator, address, *, decision="allow", organisation=None):
    """What a person does on Xero's consent page; returns the parameters that come back."""
    with httpx2.Client(transport=FaultyTransport(simulator)) as browser:
        page = browser.get(address)
        form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        form |= {"organisation": organisation or simulator.organisation().id, "decision": decision}
        answer = browser.post(str(page.url), data=form)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def connect(supplier, simulator):
    """Connect the wholesaler to the simulator's organisation, with the proposed settings and automatic sync on."""
    attempt = connecting.finish(consent(simulator, connecting.begin(supplier, None)), None)
    if Property.objects.filter(supplier=supplier).exists():  # they may be bound
        return take(attempt)
    found = chart(simulator)
    for one in kept:
        if one.found == found:
            return one.copy(attempt)
    made = take(attempt)
    kept.append(Kept(found, made))
    return made


def take(attempt):
    """Choose the organisation of the consent, and save what is proposed."""
    made = connecting.choose(attempt, attempt.tenants[0]["tenant_id"], None)
    save_settings(made, propose(made) | {"automatic_sync": True}, None)
    return made


def chart(simulator):
    """All of Xero that decides what comes of connecting."""
    books = next(iter(simulator.organisations.values()))
    tables = (books.organisations, books.accounts, books.tax_rates, books.items, books.tracking)
    return simulator.switches.as_dict(), [replace(record, updated=0) for table in tables for record in table]


class Kept:
    """What `take` left in our tables."""

    def __init__(self, found, made):
        self.found = found
        self.at = clock.now()
        mirrors = [each.related_model.objects.filter(connection=made) for each in Connection._meta.related_objects]
        rows = [Connection.objects.filter(pk=made.pk), Entry.objects.filter(subject=made.pk), *mirrors]
        self.rows = [list(some.order_by("pk")) for some in rows if some]

    def copy(self, attempt):
        """Insert the same for another consent."""
        passed = clock.now() - self.at
        self.at += passed
        for row in chain.from_iterable(self.rows):
            move_times(row, passed)
            row.pk = None
        [connection], story, *mirrors = self.rows
        connection.pk = uuid4()
        connection.supplier, connection.consent = attempt.supplier, attempt.consent
        connection.xero_connection = attempt.tenants[0]["connection_id"]
        for entry in story:
            entry.supplier, entry.subject = attempt.supplier, connection.pk
        for row in chain.from_iterable(mirrors):
            row.connection = connection
        for some in self.rows:
            type(some[0]).objects.bulk_create(some)
        return Connection.objects.get(pk=connection.pk)


def move_times(row, by):
    for field in row._meta.concrete_fields:
        if isinstance(field, DateTimeField) and (time := getattr(row, field.attname)):
            setattr(row, field.attname, time + by)


kept = []
