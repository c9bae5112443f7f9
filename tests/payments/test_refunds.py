from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cast
from provender.changes.models import Change
from provender.invoicing.credit_notes import lines_worth, revise_credit_note, void_credit_note
from provender.invoicing.errors import CreditBeyondInvoice, CreditNoteIsUsed, CreditNoteIsVoid, NegativeCreditNote
from provender.invoicing.models import CreditNote, CreditNoteLine
from provender.invoicing.totals import build_lines, sum_lines
from provender.payments.actions import remove_payment
from provender.payments.errors import NothingToPay, RefundTooLarge
from provender.payments.models import Payment
from provender.payments.refunds import refund_payment, refundable_of
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db
D = Decimal
DAY = date(2026, 11, 20)


@pytest.fixture
def invoice(cafe):
    return cast.invoice(cafe)  # 4 × 4.50 with GST: 19.80


@pytest.fixture
def payment(invoice):
    return cast.payment(invoice)


def test_a_credit_note_keeps_its_number_through_its_versions(supplier, cafe):
    credit = cast.credit_note(cafe)
    revise_credit_note(credit, lines=[cast.line(quantity=2)], by=cast.person("theo", supplier))
    assert (credit.number, credit.version, credit.total) == ("CN-1", 2, D("9.90"))
    assert [line.quantity for line in credit.lines.all()] == [D(2)]
    assert Change.objects.get(kind="credit_note").revision == 2
    assert story(supplier, "credit_note", credit.pk)[0].what == "Version 2; total: 4.95 → 9.90"
    revise_credit_note(credit, reason=credit.reason)
    assert credit.version == 2


def test_a_used_or_void_credit_note_is_not_changed(cafe, payment):
    used = refund_payment(payment, amount=D("4.95"), date=DAY).credit_note
    with pytest.raises(CreditNoteIsUsed):
        revise_credit_note(used, reason="Other")
    void = void_credit_note(cast.credit_note(cafe))
    with pytest.raises(CreditNoteIsVoid):
        revise_credit_note(void, reason="Other")


def test_credit_notes_of_an_invoice_give_back_no_more_than_it_came_to(cafe, invoice):
    first = cast.credit_note(cafe, cast.line(quantity=3), invoice=invoice)
    with pytest.raises(CreditBeyondInvoice):
        cast.credit_note(cafe, cast.line(quantity=2), invoice=invoice)
    with pytest.raises(CreditBeyondInvoice):
        revise_credit_note(first, lines=[cast.line(quantity=5)])
    first.refresh_from_db()
    assert (CreditNote.objects.count(), first.total) == (1, D("14.85"))
    assert cast.credit_note(cafe, cast.line(quantity=2), invoice=invoice, beyond=True).total == D("9.90")
    void_credit_note(first)
    assert cast.credit_note(cafe, cast.line(quantity=2), invoice=invoice).number == "CN-3"


def test_a_credit_note_gives_something(cafe):
    with pytest.raises(NegativeCreditNote):
        cast.credit_note(cafe, cast.line(quantity=-1))


def test_a_whole_refund_has_the_invoices_lines_and_leaves_it_paid(invoice, payment):
    refund = refund_payment(payment, amount=D("19.80"), date=DAY, reason="Spilt")
    credit = refund.credit_note
    assert [(line.description, line.quantity) for line in credit.lines.all()] == [("Oat milk 1L", D(4))]
    assert (credit.total, credit.remaining, credit.invoice) == (D("19.80"), D(0), invoice)
    invoice.refresh_from_db()
    assert (invoice.due, invoice.settled_on) == (D(0), date(2026, 11, 10))
    assert refundable_of(payment) == 0
    assert {row.kind for row in Change.objects.filter(document__in=[credit.pk, refund.pk])} == {
        "credit_note",
        "payment",
    }


def test_parts_are_paid_back_until_nothing_is_left(payment):
    refund_payment(payment, amount=D("9.90"), date=DAY)
    with pytest.raises(RefundTooLarge):
        refund_payment(payment, amount=D("9.91"), date=DAY)
    last = refund_payment(payment, amount=D("9.90"), date=DAY)
    assert refundable_of(payment) == 0
    remove_payment(last, why="Bounced")
    assert refundable_of(payment) == D("9.90")
    assert last.credit_note.remaining == D("9.90")


def test_what_cannot_be_paid_back_is_refused_and_leaves_nothing(payment):
    with pytest.raises(NothingToPay):
        refund_payment(payment, amount=D(0), date=DAY)
    refund = refund_payment(payment, amount=D("1.00"), date=DAY)
    with pytest.raises(RefundTooLarge):
        refund_payment(refund, amount=D("1.00"), date=DAY)
    remove_payment(payment)
    with pytest.raises(RefundTooLarge):
        refund_payment(payment, amount=D("1.00"), date=DAY)
    assert (CreditNote.objects.count(), Payment.objects.count()) == (1, 2)


@settings(max_examples=25)
@given(
    lines=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 9999), st.booleans()), min_size=1, max_size=4),
    share=st.floats(0.001, 1),
)
def test_lines_of_any_amount_come_to_it_exactly(cafe, lines, share):
    drafts = [
        cast.line(quantity=quantity, price=D(price) / 100, tax_kind="gst" if taxed else "free")
        for quantity, price, taxed in lines
    ]
    invoice = cast.invoice(cafe, *drafts)
    amount = max(D("0.01"), (invoice.total * D(share)).quantize(D("0.01")))
    worth = lines_worth(invoice, amount, "Paid back")
    assert sum_lines(build_lines(CreditNoteLine, invoice.supplier, worth)).total == amount
    assert sum(line.description == "Rounding" for line in worth) <= 1
    assert all(line.unit_price < D("0.05") for line in worth if line.description == "Rounding")
