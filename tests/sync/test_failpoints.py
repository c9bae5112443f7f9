"""No commit and no send of a drain lacks its failpoint: between any two of them there is a place to die.

What the crash tests (test_crashes.py) kill at is thereby all there is. Not counted: the record of calls and the
budget, which tell people something but decide nothing.
"""

import re
from decimal import Decimal

import pytest
from django.db import connection as database

import cast
from provender.invoicing.credit_notes import void_credit_note
from provender.ordering import actions as ordering
from provender.payments.actions import allocate_credit, remove_payment, undo_allocation
from provender.payments.payouts import PayoutEntry, close_payout, enter_payout, undo_payout
from provender.sync import failpoints
from provender.sync.failpoints import Failpoint
from provender.sync.models import Consent
from provender.sync.poll import poll

pytestmark = pytest.mark.django_db

OF_READING = {Failpoint.POLLED, Failpoint.NOTED, Failpoint.READ_ON}
WRITE = re.compile(r"(INSERT INTO|UPDATE|DELETE FROM) \"?(\w+)\"?")
DECIDES_NOTHING = re.compile(r"sync_call\b|SET \"minute_left\"|last_checked_at|drain_after")


class Trace:
    """What happened in order: writes that commit, sends to Xero, and failpoints."""

    def __init__(self, xero):
        self.events = []
        self.inside = False
        self.xero = xero

    def __call__(self, execute, sql, params, many, context):
        depth = len(database.savepoint_ids)
        result = execute(sql, params, many, context)
        if sql.startswith("RELEASE SAVEPOINT") and depth == 0 and self.inside:
            self.events.append(("commit", self.inside))
            self.inside = False
        elif WRITE.match(sql) and not DECIDES_NOTHING.search(sql):
            if depth == 0:
                self.events.append(("commit", sql[:90]))
            else:
                self.inside = self.inside or sql[:90]
        return result

    def watch(self, place):
        self.events.append(("failpoint", place))

    def carry(self, transport):
        handle = transport.handle_request

        def send(request):
            if request.method in {"PUT", "POST", "DELETE"}:
                self.events.append(("send", f"{request.method} {request.url.path}"))
            return handle(request)

        transport.handle_request = send


@pytest.fixture
def trace(xero, monkeypatch):
    from provender.sync.session import transport

    traced = Trace(xero)
    traced.carry(transport())
    monkeypatch.setattr(failpoints.plan, "watch", traced.watch)
    return traced


def gaps(events):
    """Pairs of commits or sends with no failpoint between them."""
    found, before = [], None
    for kind, what in events:
        if kind == "failpoint":
            before = None
        elif before:
            found.append((before, what))
            before = what
        else:
            before = what
    return found


def live(supplier, sync, books, later, xero):
    """Contact matched and created, invoice created, changed, voided, refused, in doubt; a token refreshed."""
    books.add_contact("Known Cafe")
    cast.placed_order(cast.venue(supplier, "Known Cafe"))
    order = cast.placed_order(cast.venue(supplier, "New Cafe"))
    sync()
    ordering.edit_order(order, lines=cast.goods(supplier, {"OAT-1L": 9}), by=None)
    Consent.objects.update(expires_at="2020-01-01T00:00Z")
    sync()
    ordering.cancel_order(order, by=None)
    sync()
    other = cast.placed_order(cast.venue(supplier, "Third Cafe"))
    xero.faults.add("drop-after-commit", methods=["PUT"], path="/api.xro/2.0/*", count=2)
    sync()
    later(minutes=3)
    sync()
    books.edit_invoice(other.invoice.number, Reference="by hand")
    ordering.edit_order(other, lines=cast.goods(supplier, {"OAT-1L": 9}), by=None)
    sync()
    ordering.cancel_order(cast.placed_order(cast.venue(supplier, "Fourth Cafe")), by=None)
    sync()
    live_on_money(supplier, sync, later, xero)


def live_on_money(supplier, sync, later, xero):
    """Credits, payments and a payout with its fee: made, taken out again, held, and in doubt."""
    chart = supplier.connections.get().accounts
    fees = chart.get(code="404").account_id
    supplier.connections.update(payments_to_xero=True, auto_reconcile=True, fee_account=fees)
    cafe = cast.venue(supplier, "Money Cafe")
    first, second = cast.invoice(cafe), cast.invoice(cafe)
    credit = cast.credit_note(cafe, cast.line(quantity=2))
    allocation = allocate_credit(credit, first, amount=Decimal("4.00"), date=first.date)
    payment = cast.payment(first, "5.00")
    day = first.date
    entries = [PayoutEntry(gross=second.due, fee=Decimal("0.50"), invoice_number=second.number)]
    payout = close_payout(enter_payout(supplier, provider="PayWave", reference="PO-1", date=day, entries=entries))
    xero.faults.add("drop-after-commit", methods=["PUT"], path="/api.xro/2.0/*", count=5)
    sync()
    later(minutes=3)
    sync()
    undo_allocation(allocation)
    remove_payment(payment)
    undo_payout(payout)
    xero.faults.add("drop-before-commit", methods=["POST", "DELETE"], path="/api.xro/2.0/*", count=2)
    sync()
    for _ in range(4):
        later(minutes=3)
        sync()
    xero.organisation().pay(second.number)
    second.refresh_from_db()
    close_payout(enter_payout(supplier, provider="PayWave", reference="PO-2", date=day, entries=entries))
    void_credit_note(credit)
    sync()


def test_each_commit_and_each_send_has_its_failpoint(supplier, connection, sync, books, later, xero, trace):
    def traced_sync():
        with database.execute_wrapper(trace):
            sync()

    live(supplier, traced_sync, books, later, xero)
    assert len(trace.events) > 60
    assert gaps(trace.events) == []
    reached = {what for kind, what in trace.events if kind == "failpoint"}
    assert reached == set(Failpoint) - OF_READING


def test_each_commit_of_a_reading_has_its_failpoint(supplier, connection, sync, books, later, trace):
    connection.mark_as_paid = True
    connection.save()
    paid, credited = (cast.placed_order(cast.venue(supplier, name)).invoice for name in ("First Cafe", "Second Cafe"))
    sync()
    books.pay(paid.number)
    note = books.type_credit_note("Second Cafe", Date="2026-11-01")
    books.allocate(note, credited.number, 5)
    trace.events.clear()
    with database.execute_wrapper(trace):
        poll(connection)
    assert gaps(trace.events) == []
    assert {what for kind, what in trace.events if kind == "failpoint"} >= OF_READING
