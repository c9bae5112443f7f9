import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cast
from provender.basics.errors import ProvenderError
from provender.changes.models import Change
from provender.invoicing.actions import revise_invoice, void_invoice
from provender.invoicing.credit_notes import revise_credit_note, void_credit_note
from provender.invoicing.errors import CreditNoteIsUsed, InvoiceHasMoney
from provender.ordering.actions import deliver_order
from provender.payments.actions import (
    allocate_credit,
    note_credit_in_xero,
    record_payment,
    refund_credit,
    remove_payment,
    undo_allocation,
    weigh_invoice,
)
from provender.payments.errors import (
    CreditTooSmall,
    InvoiceTakesNoMoney,
    NothingToPay,
    NotTheSameAccount,
    PaymentTooLarge,
)
from provender.payments.models import Payment
from provender.timeline.models import Entry
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db
D = Decimal
DAY = date(2026, 11, 10)


@pytest.fixture
def invoice(cafe):
    return cast.invoice(cafe)  # 19.80


def told(invoice):
    return [entry.what for entry in story(invoice.supplier, "invoice", invoice.pk)]


def posted(kind):
    return list(Change.objects.filter(kind=kind).values_list("document", "revision"))


def test_part_payments_add_up_until_nothing_is_left(invoice):
    cast.payment(invoice, "9.80")
    assert (invoice.paid, invoice.due, invoice.settled_on) == (D("9.80"), D("10.00"), None)
    last = cast.payment(invoice, "10.00", date=date(2026, 11, 12))
    invoice.refresh_from_db()
    assert (invoice.paid, invoice.due, invoice.settled_on) == (D("19.80"), D("0.00"), date(2026, 11, 12))
    assert told(invoice)[:2] == ["AUD 10.00 paid; nothing left to pay", "AUD 9.80 paid; 10.00 left to pay"]
    assert (last.pk, 1) in posted("payment")


@pytest.mark.parametrize(("amount", "error"), [("0", NothingToPay), ("-1", NothingToPay), ("19.81", PaymentTooLarge)])
def test_what_cannot_be_paid_is_refused_and_leaves_nothing(invoice, amount, error):
    with pytest.raises(error):
        cast.payment(invoice, amount)
    assert not Payment.objects.exists()
    assert not posted("payment")


def test_a_void_invoice_takes_no_money(invoice):
    void_invoice(invoice)
    with pytest.raises(InvoiceTakesNoMoney):
        cast.payment(invoice)


def test_a_payment_taken_back_is_due_again_and_twice_is_once(invoice):
    payment = cast.payment(invoice)
    remove_payment(payment, why="Bounced")
    remove_payment(payment, why="Bounced")
    invoice.refresh_from_db()
    assert (invoice.paid, invoice.due, invoice.settled_on) == (D("0.00"), D("19.80"), None)
    assert posted("payment") == [(payment.pk, 2)]
    assert told(invoice)[0] == "AUD 19.80 taken back; 19.80 left to pay"


def test_what_xero_told_is_posted_nowhere_and_may_be_more_than_was_due(invoice):
    payment = cast.payment(invoice, "20.00", source=Payment.Source.XERO)
    assert (invoice.due, invoice.settled_on) == (D("-0.20"), DAY)
    remove_payment(payment, told_by_xero=True)
    assert posted("payment") == []


def test_a_paid_invoice_is_neither_changed_nor_cancelled(invoice):
    cast.payment(invoice, "1.00")
    with pytest.raises(InvoiceHasMoney):
        revise_invoice(invoice, lines=[cast.line(quantity=5)])
    with pytest.raises(InvoiceHasMoney):
        void_invoice(invoice)
    invoice.refresh_from_db()
    assert (invoice.total, invoice.status) == (D("19.80"), "open")


def test_an_order_whose_invoice_is_paid_can_still_be_delivered(cafe):
    cafe.terms_from = "delivery"
    order = cast.placed_order(cafe)
    cast.payment(order.invoice, "1.00")
    assert deliver_order(order, by=None).status == "delivered"


def test_a_credit_goes_to_invoices_until_it_is_used_up(cafe, invoice):
    credit = cast.credit_note(cafe, cast.line(quantity=2))  # 9.90
    first = allocate_credit(credit, invoice, amount=D("5.00"), date=DAY)
    invoice.refresh_from_db()
    assert (invoice.credited, invoice.due, credit.remaining) == (D("5.00"), D("14.80"), D("4.90"))
    with pytest.raises(CreditTooSmall):
        allocate_credit(credit, invoice, amount=D("4.91"), date=DAY)
    refund_credit(credit, amount=D("4.90"), date=DAY)
    assert credit.remaining == 0
    with pytest.raises(CreditNoteIsUsed):
        void_credit_note(credit)
    undo_allocation(first)
    undo_allocation(first)
    credit.refresh_from_db()
    invoice.refresh_from_db()
    assert (invoice.credited, invoice.due, credit.remaining) == (D("0.00"), D("19.80"), D("5.00"))
    assert posted("allocation") == [(first.pk, 2)]


def test_a_credit_is_not_set_against_somebody_elses_invoice(supplier, cafe):
    other = cast.invoice(cast.venue(supplier, "Other Place"))
    credit = cast.credit_note(cafe)
    with pytest.raises(NotTheSameAccount):
        allocate_credit(credit, other, amount=D("1.00"), date=DAY)


@settings(max_examples=15)
@given(steps=st.lists(st.tuples(st.sampled_from(["pay", "credit", "undo"]), st.integers(1, 900)), max_size=8))
def test_what_is_kept_equals_what_the_rows_come_to(cafe, steps):
    invoice, credit = cast.invoice(cafe), cast.credit_note(cafe, cast.line(quantity=3))
    live, undo = {"pay": D(0), "credit": D(0)}, []
    for step, cents in steps:
        amount = D(cents) / 100
        try:
            if step == "pay":
                undo.append((step, remove_payment, record_payment(invoice, amount=amount, date=DAY)))
            elif step == "credit":
                undo.append((step, undo_allocation, allocate_credit(credit, invoice, amount=amount, date=DAY)))
            elif undo:
                undone, take_back, row = undo.pop()
                take_back(row)
                live[undone] -= row.amount
                continue
            else:
                continue
        except (PaymentTooLarge, CreditTooSmall):
            continue
        live[step] += amount
    invoice.refresh_from_db()
    credit.refresh_from_db()
    assert (invoice.paid, invoice.credited, credit.used) == (live["pay"], live["credit"], live["credit"])
    assert (invoice.settled_on is not None) == (invoice.due == 0)
    before = invoice.paid, invoice.credited, invoice.settled_on
    weigh_invoice(invoice)
    assert (invoice.paid, invoice.credited, invoice.settled_on) == before


def test_a_credit_that_lives_in_xero_settles_and_can_be_undone(invoice):
    settled = note_credit_in_xero(invoice, credit="c-1", name="Credit note CN-0001", amount=D("19.80"), date=DAY)
    invoice.refresh_from_db()
    assert (invoice.credited, invoice.due, invoice.settled_on) == (D("19.80"), D("0.00"), DAY)
    undo_allocation(settled, why="Removed in Xero", told_by_xero=True)
    invoice.refresh_from_db()
    assert (invoice.credited, invoice.settled_on) == (D("0.00"), None)
    assert told(invoice)[:2] == [
        "19.80 of Credit note CN-0001 taken off it; 19.80 left to pay",
        "AUD 19.80 settled in Xero by Credit note CN-0001; nothing left to pay",
    ]
    assert not posted("allocation")


def test_amounts_have_their_commas_in_every_story_and_refusal(supplier, cafe):
    invoice = cast.invoice(cafe, cast.line(quantity=1, price=2000))
    revise_invoice(invoice, lines=[cast.line(quantity=1, price=3000)])
    cast.payment(invoice, "1200")
    credit = cast.credit_note(cafe, cast.line(quantity=1, price=5000))
    revise_credit_note(credit, lines=[cast.line(quantity=1, price=6000)])
    allocation = allocate_credit(credit, invoice, amount=D(1300), date=DAY)
    undo_allocation(allocation)
    refund_credit(credit, amount=D(1500), date=DAY)
    remove_payment(invoice.payments.get(), why="Twice")
    refused = []
    for amiss in (
        lambda: cast.payment(invoice, "4000"),
        lambda: allocate_credit(credit, invoice, amount=D(9000), date=DAY),
        lambda: record_payment(invoice, amount=D(-1500), date=DAY),
        lambda: revise_credit_note(credit, reason="Broken"),
    ):
        with pytest.raises(ProvenderError) as error:
            amiss()
        refused.append(error.value.sentence)
    said = [*Entry.objects.values_list("what", flat=True), *refused]
    assert "4,000.00 is more than the 3,300.00 that invoice" in " ".join(said)
    assert [text for text in said if re.search(r"\d{4}\.\d\d", text)] == []
    assert len([text for text in said if re.search(r"\d,\d{3}\.\d\d", text)]) >= 12
