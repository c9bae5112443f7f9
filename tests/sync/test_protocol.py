"""Rules of the write protocol that show only in rare histories, each in the shortest one that needs it.

`scripts/mutations.py` takes each rule away and sees that a test here, or the machine of chance, notices.
"""

from decimal import Decimal

import pytest

import cast
from provender.ordering import actions as ordering
from provender.sync import failpoints
from provender.sync.drain import drain
from provender.sync.failpoints import Failpoint
from provender.sync.models import Connection, Link, Problem
from provender.sync.session import carried_by, transport
from provender.sync.standing import standing
from sync.conftest import Reversed

pytestmark = pytest.mark.django_db
INVOICES = "/api.xro/2.0/Invoices"


@pytest.fixture
def at(monkeypatch):
    """`at(place, do)`: when a drain comes to that place for the first time, something else happens first."""

    def plan(place, do):
        def watch(reached):
            if reached == place:
                monkeypatch.setattr(failpoints.plan, "watch", None)
                do()

        monkeypatch.setattr(failpoints.plan, "watch", watch)

    return plan


def edit(order, quantity):
    ordering.edit_order(order, lines=cast.goods(order.supplier, {"OAT-1L": quantity}), by=None)


def quantity_there(books, order):
    (line,) = books.find_invoice(order.invoice.number)["LineItems"]
    return Decimal(str(line["Quantity"]))


def stand(order):
    return standing(order.supplier, [order.invoice_id])[order.invoice_id].state


def another_worker(order, later, quantity, seconds):
    """Time passes, the order is edited, and another worker brings all into step."""

    def overtake():
        later(seconds=seconds)
        edit(order, quantity)
        drain(Connection.objects.get())

    return overtake


def test_answers_in_another_order_are_matched_by_identity(connection, supplier, sync, books):
    orders = [cast.placed_order(cast.venue(supplier, f"Cafe {n}"), {"OAT-1L": n}) for n in range(1, 4)]
    with carried_by(Reversed(transport())):
        sync()
    twins = dict(Link.objects.filter(kind="invoice").values_list("document", "xero_id"))
    for order in orders:
        assert books.find_invoice(order.invoice.number)["InvoiceID"] == twins[order.invoice_id]
    assert not Problem.objects.exists()


def test_a_worker_that_was_overtaken_claims_nothing(order, sync, later, at, books, xero):
    at(Failpoint.BUILT, another_worker(order, later, 9, 95))
    assert not sync()
    assert quantity_there(books, order) == 9
    assert xero.stats.calls[f"PUT {INVOICES}"] == 1
    assert not Problem.objects.exists()


def test_a_worker_that_slept_after_its_stamp_sends_nothing(order, sync, later, at, books):
    sync()
    edit(order, 5)
    at(Failpoint.STAMPED, another_worker(order, later, 9, 200))
    assert not sync()
    assert quantity_there(books, order) == 9


def test_a_change_and_back_is_believed_only_when_it_can_come_no_more(order, sync, later, books, xero):
    edit(order, 4)
    sync()
    edit(order, 5)
    edit(order, 4)
    xero.faults.add("commit-late", methods=["POST"], path=INVOICES, count=1, seconds=110)
    sync()
    edit(order, 9)
    for _ in range(4):
        later(seconds=100)
        sync()
    assert quantity_there(books, order) == 9
    assert stand(order) == "sent"


def test_what_counts_is_when_a_look_was_asked(order, sync, later, at, xero):
    xero.faults.add("commit-late", methods=["PUT"], path=INVOICES, count=1, seconds=110)
    sync()
    later(seconds=100)
    at(Failpoint.LOOKED_UP, lambda: later(seconds=60))
    for _ in range(5):
        sync()
        later(seconds=100)
    assert stand(order) == "sent"
    assert xero.stats.calls[f"PUT {INVOICES}"] == 1


def test_a_number_refused_as_taken_may_be_our_own(order, sync, later, xero):
    xero.faults.add("commit-late", methods=["PUT"], path=INVOICES, count=1, seconds=220)
    sync()
    later(seconds=100)
    sync()
    xero.faults.add("429-minute", methods=["PUT"], path=INVOICES, count=1)
    later(seconds=110)  # long enough for the look to count, too early for the request
    sync()
    assert xero.stats.calls[f"PUT {INVOICES}"] == 2
    for _ in range(3):
        later(seconds=100)
        sync()
    assert stand(order) == "sent"
    assert not Problem.objects.exists()
