"""A wholesaler connected to a simulator, through the consent page like anybody: once in full, and then copied.

Consent and tokens are new each time, so they end when the test's clocks say so. What comes of them is the same each
time: the chart that is read, the settings that are proposed and saved. So those rows are kept from the first time and
inserted again, under new ids and with their times moved on, as long as nobody has changed what is read.
`test_connected.py` compares the two.
"""

import re
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx2
from django.db import connection as database
from django.db.models import AutoField
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
        self.owners = owners(made)
        mirrors = [each.related_model.objects.filter(connection=made) for each in Connection._meta.related_objects]
        rows = [Connection.objects.filter(pk=made.pk), Entry.objects.filter(subject=made.pk), *mirrors]
        self.rows = [Again(list(some.order_by("pk")), self.owners) for some in rows if some]

    def copy(self, attempt):
        """Insert the same for another consent."""
        pk = uuid4()
        theirs = [attempt.supplier_id, pk, attempt.consent_id, attempt.tenants[0]["connection_id"]]
        for some in self.rows:
            some.insert(clock.now() - self.at, dict(zip(self.owners, theirs, strict=True)))
        return Connection.objects.get(pk=pk)


def owners(connection):
    return [connection.supplier_id, connection.pk, connection.consent_id, connection.xero_connection]


class Again:
    """Rows of one table, to be inserted again: one statement, whose values are ready but for owners and times."""

    def __init__(self, rows, owners):
        table = rows[0]._meta
        fields = [field for field in table.concrete_fields if not isinstance(field, AutoField)]
        columns = ", ".join(database.ops.quote_name(field.column) for field in fields)
        marks = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(rows))
        self.statement = f"INSERT INTO {table.db_table} ({columns}) VALUES {marks}"  # noqa: S608 -- our own models' names
        cells = [(field, getattr(row, field.attname)) for row in rows for field in fields]
        self.values = [field.get_db_prep_save(value, database) for field, value in cells]
        self.times = [(place, *cell) for place, cell in enumerate(cells) if later(cell[1], MINUTE) != cell[1]]
        self.owned = [
            (place, field, value)
            for place, (field, value) in enumerate(cells)
            if (isinstance(value, UUID) or field.name in {"consent", "xero_connection"}) and value in owners
        ]

    def insert(self, passed, owners):
        """Each for the one that is its owner's, by `owners`; a number of its own is counted anew."""
        values = list(self.values)
        for place, field, value in self.times:
            values[place] = field.get_db_prep_save(later(value, passed), database)
        for place, field, value in self.owned:
            values[place] = field.get_db_prep_save(owners[value], database)
        with database.cursor() as cursor:
            cursor.execute(self.statement, values)


def later(value, by):
    """A time moved on, also one as Xero writes it; anything else as it is."""
    if isinstance(value, str) and value.startswith("/Date("):
        return re.sub(r"\d+", lambda found: str(int(found[0]) + by // MILLISECOND), value, count=1)
    return value + by if isinstance(value, datetime) else value


MINUTE, MILLISECOND = timedelta(minutes=1), timedelta(milliseconds=1)

kept = []
