"""Doubts: each row of the table in docs/why/exactly-once.md, with the sentence that it stands for."""

from decimal import Decimal

import httpx2
import pytest

import cast
from provender.ordering import actions as ordering
from provender.sync.errors import LostLease
from provender.sync.lease import take_lease
from provender.sync.models import Dispatch, DispatchDocument, Link, Problem
from provender.sync.session import carried_by, transport
from provender.sync.standing import standing

pytestmark = pytest.mark.django_db

INVOICES = "/api.xro/2.0/Invoices"


@pytest.fixture
def lose(xero, sync, order):
    """Let the contact be made, then let the next write of an invoice meet that fault."""

    def meet(kind, **more):
        xero.faults.add(kind, methods=["PUT", "POST"], path=INVOICES, count=1, **more)

    return meet


def stand(order):
    return standing(order.supplier, [order.invoice_id])[order.invoice_id].state


def there(xero, order):
    """What Xero has of this order's invoice."""
    shown = xero.books()["organisations"][0]["Invoices"]
    return [one for one in shown if one.get("Url", "").endswith(str(order.invoice_id))]


def writes(xero):
    return {name: count for name, count in xero.stats.calls.items() if not name.startswith("GET")}


def edit(order, quantity=9):
    return ordering.edit_order(order, lines=cast.goods(order.supplier, {"OAT-1L": quantity}), by=None)


@pytest.mark.parametrize("kind", ["drop-after-commit", "500-after-commit", "cut-body"])
def test_what_was_committed_is_recorded_at_once(order, sync, xero, lose, kind):
    lose(kind)
    sync()
    assert stand(order) == "sent"
    assert len(there(xero, order)) == 1
    assert not Dispatch.objects.exists()


@pytest.mark.parametrize("kind", ["drop-before-commit", "500"])
def test_nothing_there_counts_only_after_150_seconds(order, sync, xero, later, lose, kind):
    lose(kind)
    sync()
    xero.stats.reset()
    later(seconds=100)
    sync()
    assert stand(order) == "waiting"
    assert not writes(xero)
    for _ in range(4):
        later(seconds=100)
        sync()
    assert stand(order) == "sent"
    assert len(there(xero, order)) == 1


def test_a_late_commit_is_found_and_not_repeated(order, sync, xero, later, lose):
    lose("commit-late", seconds=110)
    sync()
    assert there(xero, order) == []
    for _ in range(4):
        later(seconds=100)
        sync()
    assert stand(order) == "sent"
    assert len(there(xero, order)) == 1
    assert xero.stats.calls[f"PUT {INVOICES}"] == 1


def test_a_dispatch_that_was_never_sent_is_closed_at_once(order, sync, connection, xero):
    dispatch = Dispatch.objects.create(
        connection=connection,
        kind="invoice",
        operation="create",
        key="never-sent",
        claimed_at=order.placed_at,
        next_try_at=order.placed_at,
    )
    DispatchDocument.objects.create(
        dispatch=dispatch,
        connection=connection,
        kind="invoice",
        document=order.invoice_id,
        position=0,
        revision=1,
        number=order.invoice.number,
        element="{}",
    )
    sync()
    assert stand(order) == "sent"
    assert len(there(xero, order)) == 1


def test_edited_in_xero_before_we_knew_it_is_linked_and_asked(order, sync, xero, books, later, lose):
    lose("commit-late", seconds=10)
    sync()
    later(seconds=12)
    books.edit_invoice(order.invoice.number, Reference="by hand")
    later(seconds=60)
    sync()
    assert Problem.objects.get().cause == "edited-in-xero"
    assert Link.objects.filter(kind="invoice").count() == 1
    assert there(xero, order)[0]["Reference"] == "by hand"


def test_number_taken_while_in_doubt(order, sync, xero, books, later, lose):
    lose("drop-before-commit")
    sync()
    books.type_invoice(order.invoice.number)
    later(seconds=60)
    sync()
    assert Problem.objects.get().cause == "number-taken"
    assert there(xero, order) == []


def test_cancelled_while_in_doubt_and_it_happened(order, sync, xero, later, lose):
    lose("commit-late", seconds=60)
    sync()
    ordering.cancel_order(order, by=None)
    for _ in range(3):
        later(seconds=100)
        sync()
    assert [one["Status"] for one in there(xero, order)] == ["VOIDED"]
    assert not Dispatch.objects.exists()


def test_cancelled_while_in_doubt_and_it_never_happened(order, sync, xero, later, lose):
    lose("drop-before-commit")
    sync()
    ordering.cancel_order(order, by=None)
    xero.stats.reset()
    for _ in range(4):
        later(seconds=100)
        sync()
    assert there(xero, order) == []
    assert not writes(xero)
    assert not Dispatch.objects.exists()


def test_a_change_whose_answer_was_lost_is_recorded(order, sync, xero, lose):
    sync()
    xero.stats.reset()
    edit(order)
    lose("drop-after-commit")
    sync()
    assert stand(order) == "sent"
    assert xero.stats.calls[f"POST {INVOICES}"] == 1


def test_a_change_that_never_arrived_goes_again_after_a_fresh_look(order, sync, books, later, lose):
    sync()
    edit(order)
    lose("drop-before-commit")
    sync()
    assert stand(order) == "waiting"
    for _ in range(4):
        later(seconds=100)
        sync()
    assert stand(order) == "sent"
    assert len(books.find_invoice(order.invoice.number)["LineItems"]) == 1


def test_edits_made_while_in_doubt_go_as_one(order, sync, xero, books, later, lose):
    lose("drop-before-commit")
    sync()
    edit(order, 5)
    edit(order, 6)
    for _ in range(4):
        later(seconds=100)
        sync()
    assert len(there(xero, order)) == 1
    assert Decimal(books.find_invoice(order.invoice.number)["LineItems"][0]["Quantity"]) == 6
    assert xero.stats.calls[f"PUT {INVOICES}"] == 2


def test_a_void_in_doubt_that_a_person_did_is_done(order, sync, xero, books, later, lose):
    sync()
    ordering.cancel_order(order, by=None)
    lose("drop-before-commit")
    sync()
    books.void(order.invoice.number)
    later(seconds=100)
    sync()
    assert not Dispatch.objects.exists()
    assert not Problem.objects.exists()


def test_a_contact_in_doubt_is_found_by_our_number(supplier, connection, sync, xero, later):
    xero.faults.add("drop-after-commit", methods=["PUT"], path="/api.xro/2.0/Contacts", count=1)
    order = cast.placed_order(cast.venue(supplier, "Lost Cafe"))
    sync()
    assert stand(order) == "sent"
    assert xero.stats.calls["PUT /api.xro/2.0/Contacts"] == 1


def test_look_ups_wait_twice_as_long_each_time(order, sync, later, lose):
    lose("commit-late", seconds=80_000)
    sync()
    waits = []
    for _ in range(3):
        dispatch = Dispatch.objects.get()
        waits.append(round((dispatch.next_try_at - dispatch.sent_at).total_seconds(), -1))
        later(seconds=max(0, waits[-1] - sum(waits[:-1])) + 1)
        sync()
    assert waits[1] > waits[0]


def test_an_overtaken_worker_changes_nothing(connection, later):
    first = take_lease(connection.pk)
    assert take_lease(connection.pk) is None
    later(seconds=95)
    second = take_lease(connection.pk)
    with pytest.raises(LostLease):
        first.fence()
    second.fence()
    first.release()
    assert take_lease(connection.pk) is None


class Choosy(httpx2.BaseTransport):
    """Finds a whole request unreadable when it holds a certain text."""

    def __init__(self, inner, text):
        self.inner, self.text, self.refused = inner, text.encode(), 0

    def handle_request(self, request):
        if request.method == "PUT" and self.text in request.read():
            self.refused += 1
            body = b'{"ErrorNumber":14,"Type":"PostDataInvalidException","Message":"Invalid Json data"}'
            return httpx2.Response(400, content=body, headers={"Content-Type": "application/json"})
        return self.inner.handle_request(request)


def test_an_unreadable_request_is_halved_until_the_one_at_fault_is_found(supplier, connection, sync, xero):
    orders = [cast.placed_order(cast.venue(supplier, f"Cafe {n}"), purchase_order=f"PO-{n}") for n in range(5)]
    choosy = Choosy(transport(), "PO-3")
    with carried_by(choosy):
        sync()
    assert [stand(order) for order in orders] == ["sent", "sent", "sent", "needs-you", "sent"]
    assert Problem.objects.get().cause == "refused"
    assert choosy.refused in {3, 4}  # of five, by where it stands among them
    assert len(xero.books()["organisations"][0]["Invoices"]) >= 4
