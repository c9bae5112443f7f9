"""What isn't known about Xero for certain doesn't matter: the same trade comes out right under each answer.

Here one trade runs under the other answer of each switch that Provender's calls touch; `scripts/switches.py` finds out
which those are, and runs all tests of this folder under each.
"""

from decimal import Decimal

import pytest

import cast
from provender.ordering import actions as ordering
from provender.sync import connecting
from provender.sync.choices import propose, save_settings
from provender.sync.mirror import read_contacts
from provender.sync.models import Dispatch, Problem
from provender.sync.queries import xero_line
from provender.sync.session import open_session
from provender.sync.standing import standing
from provender.sync.verify import verify_books
from sync.connected import consent
from xero_simulator.switches import SWITCHES

pytestmark = pytest.mark.django_db
TOUCHED = (
    "bulk_connections",
    "error_numbers_known",
    "half_cents_away_from_zero",
    "in_flight_duplicate_waits",
    "last_disconnect_ends_refresh",
    "limit_body_empty",
    "limit_names_capitalised",
    "line_values_beat_item",
    "modified_since_inclusive",
    "not_modified_304",
    "strings_as_numbers",
    "void_frees_number",
)
INVOICES = "/api.xro/2.0/Invoices"


@pytest.fixture(params=TOUCHED)
def xero(xero, request):
    """The simulator with one switch turned over, for everything that a test here does."""
    xero.switches[request.param] = not xero.switches[request.param]
    return xero


def stand(order):
    return standing(order.supplier, [order.invoice_id])[order.invoice_id].state


def test_a_trade_with_lost_answers_and_refusals(order, supplier, connection, sync, xero, later, books):
    books.edit_item("BEANS-1KG", "99.00")  # whose price must not get onto our lines
    sync()
    assert stand(order) == "sent"
    ordering.edit_order(order, lines=cast.goods(supplier, {"OAT-1L": 6, "BEANS-1KG": 2, "SYRUP-VAN": 3}), by=None)
    lost = cast.placed_order(cast.venue(supplier, "Lost Cafe"), {"SYRUP-VAN": 3})
    refused = cast.placed_order(cast.venue(supplier, "Bad Cafe"), {"CUP-8OZ": 100})  # its account isn't in Xero
    xero.faults.add("drop-after-commit", methods=["PUT"], path=INVOICES, count=1)
    sync()
    cancelled = cast.placed_order(cast.venue(supplier, "Late Cafe"))
    xero.faults.add("500", methods=["PUT"], path=INVOICES, count=1)
    later(minutes=4)
    sync()
    xero.faults.add("429-minute", methods=["GET"], count=1)
    for _ in range(3):
        later(minutes=12)
        sync()
    assert [stand(one) for one in (order, lost, cancelled, refused)] == ["sent", "sent", "sent", "needs-you"]
    ordering.cancel_order(cancelled, by=None)
    ordering.edit_order(refused, lines=cast.goods(supplier, {"OAT-1L": 1}), by=None)
    sync()
    assert books.find_invoice(cancelled.invoice.number)["Status"] == "VOIDED"
    assert not Dispatch.objects.exists()
    assert verify_books(supplier).equal


def under(*names):
    """Only under the other answer of these switches."""
    return pytest.mark.parametrize("xero", names, indirect=True)


@under("void_frees_number")
def test_a_number_that_a_voided_invoice_of_somebody_has(order, supplier, sync, xero, books):
    books.void(books.type_invoice(order.invoice.number))
    sync()
    ours = [one for one in books.invoices() if one.get("Url", "").endswith(str(order.invoice_id))]
    assert stand(order) == "sent"
    assert len(ours) == 1


@under("bulk_connections", "last_disconnect_ends_refresh", "line_values_beat_item", "in_flight_duplicate_waits")
def test_disconnected_in_xero_and_connected_again(order, supplier, connection, sync, xero, later, books):
    sync()
    books.disconnect()
    later(minutes=31)
    ordering.edit_order(order, lines=cast.goods(supplier, {"OAT-1L": 1}), by=None)
    sync()
    assert xero_line(supplier).state == "needs-reconnecting"
    attempt = connecting.finish(consent(xero, connecting.begin(supplier, None)), None)
    again = connecting.choose(attempt, attempt.tenants[0]["tenant_id"], None)
    save_settings(again, propose(again) | {"automatic_sync": True}, None)
    sync()
    assert stand(order) == "sent"
    assert verify_books(supplier).equal


@under("half_cents_away_from_zero")
def test_a_line_that_ends_in_half_a_cent(supplier, connection, sync, xero, books):
    """What Xero rounds the other way is told, since no other unit price would say the same."""
    order = cast.placed_order(cast.venue(supplier), {"BEANS-1KG": 1})  # 27.125
    sync()
    assert books.find_invoice(order.invoice.number)["Total"] == order.invoice.total - Decimal("0.01")
    assert Problem.objects.get(kind="invoice").cause == "total-differs"


@under("not_modified_304", "modified_since_inclusive")
def test_nothing_new_among_the_contacts(connection, later):
    counted = []
    for _ in range(2):
        with open_session(connection) as session:
            read_contacts(session)
        counted.append(connection.contacts.count())
        later(minutes=12)
    assert counted[0] == counted[1] > 0


def test_touched_switches_are_switches():
    assert set(TOUCHED) <= set(SWITCHES)
