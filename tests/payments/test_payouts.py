from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cast
from provender.changes.models import Change
from provender.invoicing.actions import void_invoice
from provender.payments.actions import record_payment, refund_credit
from provender.payments.errors import (
    PayoutIsClosed,
    PayoutKnown,
    PayoutNotSettled,
    PayoutOutOfBalance,
    PayoutWithoutLines,
    WrongPayoutLine,
)
from provender.payments.models import Payment, Payout, PayoutLine
from provender.payments.payouts import (
    PayoutEntry,
    choose_invoice,
    close_payout,
    enter_payout,
    leave_for_hand,
    match_again,
    pay_up_to,
    put_back,
    reopened_by,
    same_entries,
    undo_payout,
)
from provender.payments.surcharges import set_surcharges

pytestmark = pytest.mark.django_db
D = Decimal
DAY = date(2026, 11, 20)


def entry(gross, number="", fee="0", **fields):
    return PayoutEntry(gross=D(gross), fee=D(fee), invoice_number=number, **fields)


def enter(supplier, *entries, reference="PO-77", **fields):
    return enter_payout(supplier, provider="Payly", reference=reference, date=DAY, entries=entries, **fields)


def outcomes(payout):
    return [(line.outcome, line.amount) for line in payout.lines.all()]


@pytest.fixture
def one(cafe):
    return cast.invoice(cafe)  # INV-1, 19.80


@pytest.fixture
def two(cafe, one):
    return cast.invoice(cafe, cast.line(quantity=10))  # INV-2, 49.50


def test_lines_are_matched_and_nothing_is_paid_before_closing(supplier, one, two):
    payout = enter(supplier, entry("19.80", "INV-1", "0.30"), entry("40.00", "INV-2", "0.60"), entry("0", fee="1.00"))
    assert outcomes(payout) == [("matched", D("19.80")), ("part", D("40.00")), ("fee", D(0))]
    assert (payout.gross, payout.fee, payout.net) == (D("59.80"), D("1.90"), D("57.90"))
    assert not Payment.objects.exists()
    assert not Change.objects.filter(kind="payout").exists()


def test_closing_pays_its_invoices_and_posts_one_deposit(supplier, one, two):
    payout = close_payout(enter(supplier, entry("19.80", "INV-1"), entry("40.00", "INV-2")))
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.due, one.settled_on, two.due, two.settled_on) == (D(0), DAY, D("9.50"), None)
    made = {(row.invoice_id, row.amount, row.source, row.reference) for row in Payment.objects.all()}
    assert made == {(one.pk, D("19.80"), "payout", "PO-77"), (two.pk, D("40.00"), "payout", "PO-77")}
    assert list(Change.objects.filter(kind__in=["payout", "payment"]).values_list("kind", "document")) == [
        ("payout", payout.pk)
    ]
    with pytest.raises(PayoutIsClosed):
        close_payout(payout)


@pytest.mark.parametrize(
    ("number", "gross", "why"),
    [
        ("INV-9", "5.00", "There is no invoice INV-9."),
        ("INV-1", "19.81", "19.81 is more than the 19.80 that invoice INV-1 has left to pay."),
        ("", "5.00", "The line names no invoice and no payment."),
    ],
)
def test_what_fits_nothing_says_why_and_keeps_the_payout_open(supplier, one, number, gross, why):
    payout = enter(supplier, entry(gross, number) if number else entry(gross))
    line = payout.lines.get()
    assert (line.outcome, line.why) == ("none", why)
    with pytest.raises(PayoutNotSettled):
        close_payout(payout)
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("gross", "method"), [("20.10", "Visa"), ("20.09", "Visa"), ("20.20", "American Express"), ("20.15", "")]
)
def test_what_a_method_costs_is_told_where_it_is_more_than_is_due(supplier, one, gross, method):
    set_surcharges(supplier, {"visa": D("1.5"), "amex": D(2)})
    line = enter(supplier, entry(gross, "INV-1")).lines.get()
    more = f" The {D(gross) - D('19.80')} more is the surcharge for {method}: put it on the invoice, then match again."
    assert line.why.partition("left to pay.")[2] == (more if method else "")


def test_a_void_or_paid_invoice_takes_nothing(supplier, one, two):
    void_invoice(one)
    cast.payment(two, "49.50")
    payout = enter(supplier, entry("19.80", "INV-1"), entry("49.50", "INV-2"))
    assert [line.why for line in payout.lines.all()] == [
        "Invoice INV-1 is void.",
        "Invoice INV-2 has nothing left to pay.",
    ]


def test_two_lines_of_one_invoice_share_what_is_due(supplier, one):
    payout = enter(supplier, entry("10.00", "INV-1"), entry("9.80", "INV-1"), entry("0.01", "INV-1"))
    assert outcomes(payout) == [("part", D("10.00")), ("matched", D("9.80")), ("none", D(0))]


def test_a_payment_noted_before_its_payout_is_found_by_its_reference(supplier, one):
    noted = cast.payment(one, source=Payment.Source.PAYOUT, reference="ch_1")
    payout = enter(supplier, PayoutEntry(gross=D("19.80"), payment_reference="ch_1"))
    close_payout(payout)
    noted.refresh_from_db()
    assert (noted.payout, Payment.objects.count()) == (payout, 1)
    again = enter(supplier, PayoutEntry(gross=D("19.80"), payment_reference="ch_1"), reference="PO-78")
    assert [(line.outcome, line.why) for line in again.lines.all()] == [
        ("duplicate", "Payment ch_1 is noted already, in payout PO-77.")
    ]
    undo_payout(payout)
    noted.refresh_from_db()
    assert (noted.payout, noted.removed_at) == (None, None)


def test_a_refund_is_found_by_its_invoice(supplier, cafe, one):
    credit = cast.credit_note(cafe, invoice=one)
    refund = refund_credit(credit, amount=D("4.95"), date=DAY)
    payout = enter(supplier, entry("-4.95", "INV-1"), entry("-4.95", "INV-1"))
    assert [line.outcome for line in payout.lines.all()] == ["refund", "none"]
    leave_for_hand(payout.lines.last())
    close_payout(payout)
    refund.refresh_from_db()
    assert refund.payout == payout


def test_a_person_settles_lines_and_can_take_it_back(supplier, one, two):
    payout = enter(supplier, entry("60.00", "INV-9"))
    line = payout.lines.get()
    choose_invoice(line, two)
    assert (line.outcome, line.amount, line.why) == ("part", D("49.50"), "10.50 more than was due is left for hand.")
    match_again(payout)
    assert outcomes(payout) == [("part", D("49.50"))]
    put_back(line)
    assert outcomes(payout) == [("none", D(0))]
    leave_for_hand(line, why="Not ours")
    close_payout(payout)
    assert not Payment.objects.exists()


def test_another_wholesalers_invoice_is_refused(supplier, one):
    theirs = cast.invoice(cast.venue(cast.supplier("southern"), "Elsewhere"))
    line = enter(supplier, entry("5.00", "INV-9")).lines.get()
    with pytest.raises(WrongPayoutLine):
        choose_invoice(line, theirs)


def test_an_invoice_paid_since_it_was_matched_keeps_the_payout_open(supplier, one):
    payout = enter(supplier, entry("19.80", "INV-1"))
    record_payment(one, amount=D("1.00"), date=DAY)
    with pytest.raises(PayoutNotSettled):
        close_payout(payout)
    match_again(payout)
    assert payout.lines.get().why == "19.80 is more than the 18.80 that invoice INV-1 has left to pay."


def test_undoing_reopens_what_it_paid_and_frees_the_reference(supplier, one, two):
    payout = close_payout(enter(supplier, entry("19.80", "INV-1"), entry("40.00", "INV-2")))
    assert [row.invoice for row in reopened_by(payout)] == [one, two]
    undo_payout(payout)
    undo_payout(payout)
    one.refresh_from_db()
    assert (one.due, one.settled_on) == (D("19.80"), None)
    assert Change.objects.get(kind="payout").revision == 2
    assert Payment.objects.filter(removed_at=None).count() == 0
    assert enter(supplier, entry("19.80", "INV-1")).state == "open"


def test_a_line_of_a_closed_payout_is_taken_out_or_pays_less(supplier, one, two):
    payout = close_payout(enter(supplier, entry("19.80", "INV-1"), entry("40.00", "INV-2")))
    first, second = payout.lines.all()
    leave_for_hand(first, why="Paid by hand in Xero")
    pay_up_to(second, D("30.00"))
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.due, two.due) == (D("19.80"), D("19.50"))
    assert sum(Payment.objects.filter(payout=payout, removed_at=None).values_list("amount", flat=True)) == D("30.00")
    assert Change.objects.get(kind="payout").revision == 3
    with pytest.raises(WrongPayoutLine):
        pay_up_to(payout.lines.last(), D("30.01"))


def test_a_payout_comes_in_once_and_whole(supplier, one):
    entries = [entry("19.80", "INV-1")]
    payout = enter(supplier, *entries)
    assert same_entries(payout, entries)
    assert not same_entries(payout, [entry("19.79", "INV-1")])
    with pytest.raises(PayoutKnown):
        enter(supplier, *entries)
    with pytest.raises(PayoutWithoutLines):
        enter(supplier, reference="PO-78")
    with pytest.raises(PayoutOutOfBalance):
        enter(supplier, PayoutEntry(gross=D(10), fee=D(1), net=D("9.01")), reference="PO-78")
    assert Payout.objects.count() == 1


def test_a_payout_of_200_lines_takes_a_handful_of_statements(supplier, cafe, django_assert_max_num_queries):
    numbers = [cast.invoice(cafe).number for _ in range(200)]
    with django_assert_max_num_queries(12):
        payout = enter(supplier, *(entry("19.80", number) for number in numbers))
    with django_assert_max_num_queries(32):
        close_payout(payout)
    assert Payment.objects.filter(payout=payout).count() == 200


AMOUNTS = st.integers(-3000, 6000).map(lambda cents: D(cents) / 100)


@settings(max_examples=20)
@given(drawn=st.lists(st.tuples(AMOUNTS, st.integers(0, 99), st.sampled_from(["INV-1", "INV-2", "", "X"])), min_size=1))
def test_sums_in_are_sums_out(supplier, one, two, drawn):
    entries = [entry(gross, number, D(fee) / 100) for gross, fee, number in drawn]
    payout = enter(supplier, *entries)  # the one before was undone, so its reference is free
    lines = list(payout.lines.all())
    assert sum(line.gross for line in lines) == payout.gross == sum(each.gross for each in entries)
    assert sum(line.net for line in lines) == payout.net == payout.gross - payout.fee
    assert all(line.outcome in PayoutLine.Outcome.values for line in lines)
    for invoice in (one, two):
        paid = sum((line.amount for line in lines if line.invoice_id == invoice.pk), D(0))
        assert 0 <= paid <= invoice.due
    for line in lines:
        if not line.is_settled:
            leave_for_hand(line)
    close_payout(payout)
    made = sum(payout.payments.values_list("amount", flat=True), D(0))
    assert made == sum(line.amount for line in payout.lines.all())
    undo_payout(payout)
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.paid, two.paid) == (0, 0)
