"""A paid invoice that is amended, in the simulator's books."""

from dataclasses import replace
from decimal import Decimal

import pytest

import cast
from provender.invoicing.models import CreditNote
from provender.ordering.actions import cancel_order, edit_order
from provender.ordering.lines import draft_of
from provender.ordering.models import Order
from provender.payments.amending import Way, Whole, further_of
from provender.sync.verify import verify_books

pytestmark = pytest.mark.django_db


@pytest.fixture
def sold(connection, supplier, sync):
    """An order of 10 oat milk and 2 coffee beans, 103.75, whose invoice is in Xero."""
    order = cast.placed_order(cast.venue(supplier, "Corner Cafe"), {"OAT-1L": 10, "BEANS-1KG": 2})
    sync()
    return order


def fresh(order):
    return Order.objects.select_related("invoice", "customer", "supplier").get(pk=order.pk)


def edited(order, *quantities):
    lines = [draft_of(line) for line in order.lines.select_related("product")]
    return [replace(line, quantity=Decimal(many)) for line, many in zip(lines, quantities, strict=True)]


def credit_notes(xero):
    return xero.books()["organisations"][0]["CreditNotes"]


def test_the_books_show_the_invoice_as_it_was_and_what_amends_it(sold, supplier, sync, books, xero):
    cast.payment(sold.invoice, "100.00")
    edit_order(fresh(sold), lines=edited(sold, 8, 3), way=Way.BOTH, by=None)
    sync()
    theirs = books.find_invoice(sold.invoice.number)
    assert (str(theirs["Total"]), [int(line["Quantity"]) for line in theirs["LineItems"]]) == ("103.75", [10, 2])
    further = books.find_invoice(further_of(sold.invoice).get().number)
    assert str(further["Total"]) == "27.13"
    (note,) = credit_notes(xero)
    against = {each["Invoice"]["InvoiceID"]: str(each["Amount"]) for each in note["Allocations"]}
    assert str(note["Total"]) == "9.90"
    assert against == {theirs["InvoiceID"]: "3.75", further["InvoiceID"]: "6.15"}
    assert verify_books(supplier).equal


def test_a_cancelled_paid_order_is_credited_and_paid_back_there(sold, supplier, sync, books, xero, connection):
    connection.payments_to_xero = connection.refunds_to_xero = True
    connection.save(update_fields=["payments_to_xero", "refunds_to_xero"])
    cast.payment(sold.invoice, "103.75")
    sync()
    cancel_order(fresh(sold), then=Whole.PAY_BACK, by=None)
    sync()
    (note,) = credit_notes(xero)
    assert (str(note["Total"]), str(note["RemainingCredit"])) == ("103.75", "0.00")
    assert books.find_invoice(sold.invoice.number)["Status"] == "PAID"
    assert CreditNote.objects.get().remaining == 0
    assert verify_books(supplier).equal
