"""Surcharges: worked out, put on the invoice before the payment counts, and taken back with it."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

import cast
from provender.basics.money import ZERO, round_amount
from provender.changes.models import Change
from provender.ordering.actions import edit_order
from provender.payments.actions import note_credit_in_xero, remove_payment
from provender.payments.credits import give_credit
from provender.payments.errors import PaymentTooLarge, SurchargeNeedsRoom, SurchargeStays
from provender.payments.models import Payment
from provender.payments.surcharges import (
    may_take_surcharge_back,
    record_with_surcharge,
    remove_with_surcharge,
    set_surcharges,
    surcharge_on,
    surcharges_of,
    take_surcharge_back,
)
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db
D = Decimal
DAY = date(2026, 11, 10)


@pytest.fixture
def supplier(supplier):
    set_surcharges(supplier, {"visa": D("1.5"), "amex": D("2")})
    return supplier


@pytest.fixture
def invoice(cafe):
    return cast.invoice(cafe, cast.line("Catering", 1, "1000.00", tax_kind="free"))


def pay(invoice, amount="1000.00", method="visa", **fields):
    return record_with_surcharge(invoice, amount=D(amount), date=DAY, method=Payment.Method(method), **fields)


def lines(invoice):
    return [(line.kind, line.description, line.amount, line.tax) for line in invoice.lines.all()]


def test_the_line_is_on_the_invoice_and_the_payment_brings_both(invoice):
    payment = pay(invoice, reference="Terminal 7")
    assert (payment.amount, payment.surcharge, payment.reference) == (D("1015.00"), D("15.00"), "Terminal 7")
    invoice.refresh_from_db()
    assert (invoice.version, invoice.total, invoice.paid, invoice.due) == (2, D("1015.00"), D("1015.00"), ZERO)
    assert lines(invoice)[1] == ("surcharge", "Surcharge Visa 1.5 %", D("13.64"), D("1.36"))
    assert invoice.lines.last().key == payment.surcharge_line
    assert story(invoice.supplier, "invoice", invoice.pk)[0].what == "AUD 1,015.00 paid; nothing left to pay"
    posted = Change.objects.filter(document__in=(invoice.pk, payment.pk))
    assert dict(posted.values_list("kind", "revision")) == {"invoice": 2, "payment": 1}


def test_the_tax_is_the_wholesalers_choice(supplier, invoice):
    supplier.surcharge_tax_kind = "free"
    supplier.save()
    pay(invoice)
    invoice.refresh_from_db()
    assert (invoice.total, lines(invoice)[1][2:]) == (D("1015.00"), (D("15.00"), ZERO))


def test_part_of_the_invoice_costs_part_of_the_surcharge_and_the_next_part_has_no_room(invoice):
    pay(invoice, "400.00", "amex")
    invoice.refresh_from_db()
    assert (invoice.total, invoice.paid, invoice.due) == (D("1008.00"), D("408.00"), D("600.00"))
    with pytest.raises(SurchargeNeedsRoom, match=r"INV-1 has a payment already.*surcharge of 9.00"):
        pay(invoice, "600.00")
    pay(invoice, "600.00", "transfer")  # costs nothing, so nothing is to be added
    invoice.refresh_from_db()
    assert (invoice.version, invoice.due) == (2, ZERO)


def test_what_is_refused_leaves_neither_half(invoice):
    with pytest.raises(PaymentTooLarge):
        pay(invoice, "1000.01")
    with pytest.raises(ValidationError):
        pay(invoice, reference="x" * 201)
    invoice.refresh_from_db()
    assert (invoice.version, invoice.total, Payment.objects.count()) == (1, D("1000.00"), 0)


def test_a_credit_on_the_invoice_stays_on_it(cafe, invoice):
    give_credit(cafe.supplier, cafe, invoice=invoice, lines=[cast.line(price="90.91", quantity=1)], date=DAY)  # 100.00
    pay(invoice, "900.00")
    invoice.refresh_from_db()
    assert (invoice.total, invoice.credited, invoice.paid) == (D("1013.50"), D("100.00"), D("913.50"))


def test_it_is_taken_back_with_the_payment(invoice):
    payment = pay(invoice)
    assert may_take_surcharge_back(payment)
    remove_with_surcharge(payment, why="Charged back")
    invoice.refresh_from_db()
    assert (invoice.version, invoice.total, invoice.due) == (3, D("1000.00"), D("1000.00"))
    take_surcharge_back(payment)
    invoice.refresh_from_db()
    assert (invoice.version, may_take_surcharge_back(payment)) == (3, False)


def test_it_may_stay_and_be_taken_back_later(invoice):
    payment = pay(invoice)
    with pytest.raises(SurchargeStays):
        take_surcharge_back(payment)
    remove_payment(payment)
    invoice.refresh_from_db()
    assert invoice.due == D("1015.00")
    cast.payment(invoice, "5.00")
    payment.refresh_from_db()
    assert not may_take_surcharge_back(Payment.objects.get(pk=payment.pk))
    with pytest.raises(SurchargeStays):
        take_surcharge_back(payment)


def test_credit_that_lives_in_xero_alone_keeps_it_there(invoice):
    payment = pay(invoice, "900.00")
    note_credit_in_xero(invoice, credit="there", name="Overpayment", amount=D("10.00"), date=DAY)
    payment = Payment.objects.get(pk=payment.pk)
    assert not may_take_surcharge_back(payment)
    with pytest.raises(SurchargeStays):
        remove_with_surcharge(payment)
    assert Payment.objects.get().removed_at is None


def test_editing_the_order_keeps_a_surcharge_that_stayed(cafe):
    order = cast.placed_order(cafe)
    remove_payment(pay(order.invoice, "19.80"))
    edit_order(order, lines=cast.goods(cafe.supplier, {"OAT-1L": 2}), by=None)
    assert [line[:2] for line in lines(order.invoice)] == [
        ("product", "Oat milk 1L"),
        ("surcharge", "Surcharge Visa 1.5 %"),
    ]


def test_percentages_are_told_and_those_above_twenty_refused(supplier):
    set_surcharges(supplier, {"visa": D("1.25"), "amex": ZERO})
    assert surcharges_of(supplier) == {"visa": D("1.25")}
    told = story(supplier, "supplier", supplier.pk)[0].what
    assert told == "Changed surcharge for Visa 1.5 % → 1.25 %, surcharge for American Express 2 % → nothing"
    with pytest.raises(ValidationError):
        set_surcharges(supplier, {"visa": D("20.5")})


@settings(max_examples=60)
@given(cents=st.integers(1, 10**8), percent=st.decimals("0.0001", "20", places=4))
def test_with_its_tax_it_never_comes_to_more_than_the_percentage(invoice, cents, percent):
    amount = D(cents) / 100
    cost = surcharge_on(invoice, amount, "visa", {"visa": percent})
    assert ZERO <= round_amount(amount * percent / 100) - cost.total <= D("0.01")
    assert cost.tax == (cost.net * 10 / 100).quantize(D("0.01"), rounding="ROUND_HALF_UP")
