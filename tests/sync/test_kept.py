"""What a test begins with is kept from an earlier one: it is the same as made by the test itself, here and in Xero."""

import pytest
from django.db import transaction
from msgspec.structs import replace

import cast
from provender.sync.drain import drain
from provender.sync.models import Connection
from provender.sync.session import carried_by
from provender.sync.verify import verify_books
from sync import kept
from sync.connected import connect
from sync.test_connected import all_rows
from xero_simulator import Simulator
from xero_simulator.testing import FaultyTransport, asked_switches


@pytest.fixture
def begun(db, xero, later, monkeypatch):
    """All rows and all of Xero when a wholesaler with such settings began like that; it is undone, an hour passes."""
    monkeypatch.setattr(kept, "kept", [])

    def rows(**settings):
        before = transaction.savepoint()
        supplier = cast.supplier()
        simulator = Simulator(organisation="demo-au", limits=False, switches=asked_switches())
        simulator.clock.offset_ms = xero.clock.offset_ms
        with carried_by(FaultyTransport(simulator)):
            connection = connect(supplier, simulator)
            Connection.objects.update(**settings)
            connection.refresh_from_db()
            order = kept.once(lambda: trade(supplier, connection), connection, simulator)["order"]
            assert (order.supplier, order.invoice.customer.trading_name) == (supplier, "Corner Cafe")
            found = in_tables(connection, simulator), in_xero(simulator)
            drain(connection)
            assert verify_books(supplier).differences == []
        transaction.savepoint_rollback(before)
        later(hours=1)
        return found

    return rows


def trade(supplier, connection):
    made = {"order": cast.placed_order(cast.venue(supplier))}
    made["paid"] = cast.payment(made["order"].invoice, "9.80")
    drain(connection)
    return made


def in_tables(connection, simulator):
    """All rows, but for what each simulator numbers anew; of a link, whether it has the time of a record of Xero's."""
    found = all_rows(connection)
    found.pop("ConnectAttempt")
    found["Connection"][0].pop("xero_connection")
    said = {f"/Date({record.updated}+0000)/" for table in kept.tables(simulator) for record in table}
    for link in found["Link"]:
        link["updated"] = link["updated"] in said
    return found


def in_xero(simulator):
    return [[replace(record, updated=0) for record in table] for table in kept.tables(simulator)]


def test_what_is_kept_is_what_the_making_gives(begun):
    really, put, again = (begun(payments_to_xero=True) for _ in range(3))
    assert len(kept.kept) == 1
    assert put == again == really
    assert {row["kind"]: row["updated"] for row in put[0]["Link"]} == {
        "contact": True,
        "invoice": False,
        "payment": True,
    }


def test_who_begins_otherwise_makes_it_anew(begun):
    begun(payments_to_xero=True)
    rows, _ = begun(payments_to_xero=False)
    assert len(kept.kept) == 2
    assert [row["kind"] for row in rows["Link"]] == ["contact", "invoice"]
