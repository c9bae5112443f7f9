"""An invoice's way to Xero and what follows it there."""

from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

import cast
from provender.invoicing.models import Invoice
from provender.ordering import actions as ordering
from provender.sync.models import Dispatch, Link, Problem
from provender.sync.standing import standing

pytestmark = pytest.mark.django_db


def stand(invoice):
    return standing(invoice.supplier, [invoice.pk])[invoice.pk]


def test_a_placed_order_is_an_invoice_in_xero(order, sync, books):
    assert sync()
    invoice = order.invoice
    theirs = books.find_invoice(invoice.number)
    assert theirs["Status"] == "AUTHORISED"
    assert Decimal(theirs["Total"]) == invoice.total
    assert theirs["Url"].endswith(str(invoice.pk))
    assert order.number in theirs["Reference"]
    assert theirs["Contact"]["Name"] == "Corner Cafe"
    assert stand(invoice).state == "sent"
    assert not Dispatch.objects.exists()


def test_xero_has_the_prices_that_the_order_had_to_four_places(connection, supplier, sync, books):
    cast.product(supplier, "OAT-1L"), books.add_item("OAT-1L", "Oat milk", "9.99")
    cafes = cast.price_list(supplier, "Cafés", {"SYRUP-VAN": "11.0349"}, percent=Decimal("-7.5"))
    cafe = cast.venue(supplier, "Corner Cafe", price_list=cafes)
    cast.dated_price(cafe, "4.0125")
    order = cast.placed_order(cafe, {"OAT-1L": 7, "BEANS-1KG": 3, "SYRUP-VAN": 9})
    cast.dated_price(cafe, "5.00")
    sync()
    lines = books.find_invoice(order.invoice.number)["LineItems"]
    assert [str(Decimal(str(line["UnitAmount"]))) for line in lines] == ["4.0125", "25.0906", "11.0349"]
    assert Decimal(str(books.find_invoice(order.invoice.number)["Total"])) == order.invoice.total


def test_a_second_drain_calls_nothing(order, sync, xero):
    sync()
    xero.stats.reset()
    sync()
    assert not xero.stats.calls


def test_six_times_as_many_invoices_take_no_more_statements(order, sync):
    sync()
    taken = []
    for many in (2, 12):
        invoices = [cast.invoice(order.customer, cast.line()) for _ in range(many)]
        with CaptureQueriesContext(database) as asked:
            sync()
        assert Link.objects.filter(document__in=[invoice.pk for invoice in invoices]).count() == many
        taken.append(len(asked))
    assert taken[0] == taken[1]


def test_an_edit_updates_the_same_invoice_through_its_lines(order, sync, books, supplier):
    sync()
    before = books.find_invoice(order.invoice.number)
    ordering.edit_order(order, lines=cast.goods(supplier, {"OAT-1L": 6, "SYRUP-VAN": 1}), by=None)
    sync()
    after = books.find_invoice(order.invoice.number)
    invoice = Invoice.objects.get(pk=order.invoice.pk)
    assert after["InvoiceID"] == before["InvoiceID"]
    assert Decimal(after["Total"]) == invoice.total
    assert len(after["LineItems"]) == 2
    assert len(books.invoices()) == len({one["InvoiceID"] for one in books.invoices()})


def test_a_cancelled_order_is_voided(order, sync, books):
    sync()
    ordering.cancel_order(order, by=None)
    sync()
    assert books.find_invoice(order.invoice.number)["Status"] == "VOIDED"


def test_a_cancelled_draft_is_deleted(order, sync, books, connection):
    connection.invoice_status = "DRAFT"
    connection.save()
    sync()
    assert books.find_invoice(order.invoice.number)["Status"] == "DRAFT"
    ordering.cancel_order(order, by=None)
    sync()
    assert books.find_invoice(order.invoice.number)["Status"] == "DELETED"


def test_cancelled_before_it_was_sent_nothing_goes(order, sync, xero):
    ordering.cancel_order(order, by=None)
    xero.stats.reset()
    sync()
    assert not xero.stats.calls
    assert not Link.objects.exists()


def test_an_archived_account_is_a_problem_until_it_is_restored(order, sync, books, connection):
    books.archive_account("200")
    sync()
    problem = Problem.objects.get(kind="invoice")
    assert problem.cause == "archived-account"
    assert stand(order.invoice).state == "needs-you"
    sync()
    assert Problem.objects.count() == 1


def test_edited_in_xero_is_asked_never_overwritten(order, sync, books, supplier):
    sync()
    books.edit_invoice(order.invoice.number, Reference="typed by hand")
    ordering.edit_order(order, lines=cast.goods(supplier, {"OAT-1L": 9}), by=None)
    sync()
    problem = Problem.objects.get()
    assert problem.cause == "edited-in-xero"
    assert books.find_invoice(order.invoice.number)["Reference"] == "typed by hand"


def test_what_comes_to_nothing_is_paid_in_xero_and_changed_and_voided_all_the_same(supplier, connection, sync, books):
    cast.product(supplier, "GIFT", price="0")
    order = cast.placed_order(cast.venue(supplier, "Free Cafe"), {"GIFT": 2})
    sync()
    assert books.find_invoice(order.invoice.number)["Status"] == "PAID"
    ordering.edit_order(order, lines=cast.goods(supplier, {"GIFT": 3}), by=None)
    sync()
    assert books.find_invoice(order.invoice.number)["LineItems"][0]["Quantity"] == 3
    ordering.cancel_order(order, by=None)
    sync()
    assert books.find_invoice(order.invoice.number)["Status"] == "VOIDED"
    assert not Problem.objects.exists()


def test_paid_in_xero_is_a_problem_and_not_retried(order, sync, books, supplier, xero):
    sync()
    books.pay(order.invoice.number)
    ordering.edit_order(order, lines=cast.goods(supplier, {"OAT-1L": 9}), by=None)
    sync()
    assert Problem.objects.get().cause == "paid-or-credited"
    xero.stats.reset()
    sync()
    assert not xero.stats.calls
