"""Two people at one order."""

from dataclasses import replace
from decimal import Decimal

import pytest

import cast
from provender.invoicing.models import CreditNote, Invoice
from provender.invoicing.totals import draft_of as line_draft
from provender.ordering.actions import amend_order, cancel_order, edit_order, place_order
from provender.ordering.errors import WrongStatus
from provender.ordering.lines import draft_of
from provender.ordering.models import Order
from provender.payments.actions import allocate_credit
from provender.payments.amending import Way, amend_invoice
from provender.payments.credits import give_credit
from provender.payments.errors import CreditTooSmall

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_order_is_placed_once_by_however_many(cafe, at_once):
    draft = cast.draft_order(cafe)

    def place(_):
        try:
            return place_order(Order.objects.get(pk=draft.pk), by=None).number
        except WrongStatus:
            return "too late"

    assert sorted(at_once(4, place)) == ["SO-1", "too late", "too late", "too late"]
    assert Invoice.objects.count() == 1


def test_an_order_called_off_during_an_edit_stays_called_off(cafe, at_once):
    placed = cast.placed_order(cafe)

    def edit_or_cancel(number):
        order = Order.objects.get(pk=placed.pk)
        if number == 2:
            return cancel_order(order, by=None)
        try:
            lines = [replace(draft_of(line), quantity=Decimal(5 + number)) for line in order.lines.all()]
            return edit_order(order, lines=lines, by=None)
        except WrongStatus:
            return None

    at_once(4, edit_or_cancel)
    order = Order.objects.get()
    assert (order.status, order.invoice.status) == ("cancelled", "void")
    assert order.invoice.lines.get().quantity == order.lines.get().quantity


def test_orders_placed_at_once_spend_a_credit_once(cafe, at_once):
    made = [give_credit(cafe.supplier, cafe, lines=[cast.line(quantity=5)], date=cafe.created_at.date()) for _ in "ab"]
    drafts = [cast.draft_order(cafe).pk for _ in range(4)]  # 19.80 each, of 49.50 that there is

    def work(number):
        if number == 4:  # somebody else uses one by hand meanwhile
            credit_note, invoice = CreditNote.objects.get(pk=made[0].pk), cast.invoice(cafe)
            return take_what_is_left(credit_note, invoice)
        return place_order(Order.objects.get(pk=drafts[number]), by=None)

    at_once(5, work)
    assert [row.remaining for row in CreditNote.objects.order_by("number")] == [0, 0]
    credited = [row.credited for row in Invoice.objects.all()]
    assert sum(credited) == Decimal("49.50")
    assert all(credit <= Decimal("19.80") for credit in credited)


def take_what_is_left(credit_note, invoice):
    try:
        return allocate_credit(credit_note, invoice, amount=Decimal("4.95"), date=invoice.date)
    except CreditTooSmall:
        return None


def test_two_people_at_a_paid_order_make_one_credit_note(cafe, at_once):
    placed = cast.placed_order(cafe, {"OAT-1L": 10})
    cast.payment(placed.invoice, str(placed.invoice.total))
    fewer = [replace(draft_of(line), quantity=Decimal(8)) for line in placed.lines.all()]

    def press(number):
        order = Order.objects.get(pk=placed.pk)
        if number % 2:
            return edit_order(order, lines=fewer, way=Way.CREDIT, by=None)
        return amend_order(order, way=Way.CREDIT, by=None)

    at_once(6, press)
    (note,) = CreditNote.objects.all()
    assert (note.total, Order.objects.get().own_total) == (Decimal("9.90"), Decimal("39.60"))


def test_two_people_at_a_paid_invoice_make_one_credit_note(cafe, at_once):
    invoice = cast.invoice(cafe, cast.line(quantity=10))
    cast.payment(invoice, str(invoice.total))
    wanted = [replace(line_draft(line), quantity=Decimal(8)) for line in invoice.lines.all()]
    at_once(4, lambda _: amend_invoice(Invoice.objects.get(pk=invoice.pk), wanted, way=Way.BOTH))
    assert CreditNote.objects.get().total == Decimal("9.90")
