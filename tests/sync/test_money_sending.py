"""Payments, refunds and allocations on their way to Xero and out of it again, with doubts and a bookkeeper's acts."""

from datetime import date
from decimal import Decimal

import pytest

import cast
from provender.invoicing.actions import void_invoice
from provender.payments.actions import allocate_credit, refund_credit, remove_payment, undo_allocation
from provender.sync.actions import approve, send_now
from provender.sync.choices import propose, save_settings
from provender.sync.models import Connection, Dispatch, Link, Problem

pytestmark = pytest.mark.django_db

D = Decimal
DAY = date(2026, 11, 10)
PAYMENTS = "/api.xro/2.0/Payments"
ALLOCATIONS = "/api.xro/2.0/CreditNotes/*/Allocations*"


@pytest.fixture
def connection(connection):
    """With payments going to Xero, on the bank account that was proposed."""
    Connection.objects.filter(pk=connection.pk).update(payments_to_xero=True)
    connection.refresh_from_db()
    return connection


@pytest.fixture
def cafe(supplier):
    return cast.venue(supplier, "Corner Cafe")


@pytest.fixture
def invoice(connection, cafe):
    return cast.invoice(cafe)  # 19.80


@pytest.fixture
def credit(invoice, cafe):
    return cast.credit_note(cafe, cast.line(quantity=2), invoice=invoice)  # 9.90


@pytest.fixture
def paid(xero):
    """The live payments in Xero."""
    return lambda: [one for one in shown(xero, "Payments") if one["Status"] == "AUTHORISED"]


@pytest.fixture
def allocated(xero, credit):
    """What the credit note is set against in Xero."""
    return lambda: xero.organisation().find_credit_note(credit.number)["Allocations"]


def shown(xero, name):
    return xero.books()["organisations"][0][name]


def set_(connection, **settings):
    Connection.objects.filter(pk=connection.pk).update(**settings)
    connection.refresh_from_db()


def problems():
    return sorted(Problem.objects.filter(solved_at=None).values_list("kind", "cause"))


def writes(xero):
    return {name: count for name, count in xero.stats.calls.items() if not name.startswith("GET")}


# --- payments -----------------------------------------------------------------------------------------------------


def test_a_payment_is_recorded_on_the_clearing_account_with_its_mark(invoice, sync, books, paid, connection):
    payment = cast.payment(invoice, "9.80", reference="EFT 771")
    sync()
    (theirs,) = paid()
    assert (str(theirs["Amount"]), theirs["Reference"]) == ("9.80", f"EFT 771 pv-{payment.pk}")
    assert theirs["Account"]["AccountID"] == connection.clearing_account
    assert str(books.find_invoice(invoice.number)["AmountDue"]) == "10.00"
    link = Link.objects.get(kind="payment")
    assert (link.document, link.xero_id, link.total) == (payment.pk, theirs["PaymentID"], D("9.80"))
    cast.payment(invoice, "10.00")
    sync()
    assert books.find_invoice(invoice.number)["Status"] == "PAID"
    assert problems() == []


def test_many_payments_are_one_call(connection, cafe, sync, xero, paid):
    invoices = [cast.invoice(cafe) for _ in range(5)]
    sync()
    xero.stats.reset()
    for one in invoices:
        cast.payment(one)
    sync()
    assert len(paid()) == 5
    assert writes(xero) == {f"PUT {PAYMENTS}": 1}


def test_a_payment_waits_for_its_invoice_without_a_problem(invoice, sync, books, paid, xero):
    books.archive_account("200")
    payment = cast.payment(invoice)
    sync()
    assert paid() == []
    assert problems() == [("invoice", "archived-account")]
    books.restore_account("200")
    send_now(invoice.supplier, [invoice.pk], None)
    sync()
    assert [one["Reference"].endswith(str(payment.pk)) for one in paid()] == [True]


def test_by_setting_payments_stay_here_and_later_ones_go(invoice, connection, sync, paid):
    set_(connection, payments_to_xero=False)
    cast.payment(invoice, "5.00")
    sync()
    set_(connection, payments_to_xero=True)
    later = cast.payment(invoice, "4.00")
    sync()
    assert [one["Reference"].endswith(str(later.pk)) for one in paid()] == [True]


def test_taken_back_here_it_is_deleted_there(invoice, sync, books, paid):
    payment = cast.payment(invoice)
    sync()
    remove_payment(payment)
    sync()
    assert paid() == []
    assert books.find_invoice(invoice.number)["Status"] == "AUTHORISED"
    assert Link.objects.get(kind="payment").status == "DELETED"


def test_taken_back_before_it_went_nothing_goes(invoice, sync, xero):
    remove_payment(cast.payment(invoice))
    sync()
    assert shown(xero, "Payments") == []


def test_taken_back_and_voided_at_once_both_happen_in_order(invoice, sync, books, paid):
    payment = cast.payment(invoice)
    sync()
    remove_payment(payment)
    void_invoice(invoice)
    sync()
    assert paid() == []
    assert books.find_invoice(invoice.number)["Status"] == "VOIDED"
    assert problems() == []


def test_deleted_in_xero_already_is_done(invoice, sync, books, paid, xero):
    payment = cast.payment(invoice)
    sync()
    books.remove_payment(paid()[0]["PaymentID"])
    remove_payment(payment)
    xero.stats.reset()
    sync()
    assert writes(xero) == {}
    assert problems() == []


@pytest.mark.parametrize("kind", ["drop-after-commit", "500-after-commit", "cut-body"])
def test_a_payment_whose_answer_was_lost_is_known_by_its_mark(invoice, sync, paid, xero, kind):
    sync()
    cast.payment(invoice, "5.00")
    cast.payment(invoice, "5.00")
    xero.faults.add(kind, methods=["PUT"], path=PAYMENTS, count=1)
    sync()
    assert len(paid()) == 2
    assert Link.objects.filter(kind="payment").count() == 2
    assert not Dispatch.objects.exists()


def test_a_payment_that_never_arrived_goes_again_only_after_six_minutes(invoice, sync, paid, xero, later):
    sync()
    cast.payment(invoice)
    xero.faults.add("drop-before-commit", methods=["PUT"], path=PAYMENTS, count=1)
    sync()
    xero.stats.reset()
    for _ in range(3):
        later(seconds=110)
        sync()
        assert writes(xero) == {}
    for _ in range(3):
        later(seconds=200)
        sync()
    assert len(paid()) == 1


def test_a_late_payment_is_found_and_not_repeated(invoice, sync, paid, xero, later):
    sync()
    cast.payment(invoice, "5.00")
    xero.faults.add("commit-late", methods=["PUT"], path=PAYMENTS, count=1, seconds=300)
    sync()
    for _ in range(8):
        later(seconds=100)
        sync()
    assert len(paid()) == 1
    assert not Dispatch.objects.exists()


def test_a_lost_deletion_is_found(invoice, sync, paid, xero):
    payment = cast.payment(invoice)
    sync()
    remove_payment(payment)
    xero.faults.add("drop-after-commit", methods=["POST"], path=f"{PAYMENTS}/*", count=1)
    sync()
    assert paid() == []
    assert not Dispatch.objects.exists()


def test_made_and_deleted_by_a_person_before_we_knew_is_a_question(invoice, sync, paid, books, xero, later):
    sync()
    cast.payment(invoice)
    xero.faults.add("commit-late", methods=["PUT"], path=PAYMENTS, count=1, seconds=10)
    sync()
    later(seconds=12)
    books.remove_payment(paid()[0]["PaymentID"])
    later(seconds=60)
    sync()
    assert problems() == [("payment", "removed-in-xero")]
    assert not Dispatch.objects.exists()


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        (lambda books, invoice: books.pay(invoice.number, "15.00"), "too-much"),
        (lambda books, _invoice: books.set_lock_dates(period=date(2026, 11, 20)), "period-locked"),
    ],
)
def test_what_xero_refuses_is_a_problem_with_its_cause(invoice, sync, books, act, cause):
    sync()
    act(books, invoice)
    cast.payment(invoice)
    sync()
    assert problems() == [("payment", cause)]


def test_a_payment_of_a_draft_needs_its_approval(invoice, connection, sync):
    set_(connection, invoice_status="DRAFT")
    cast.payment(invoice)
    sync()
    assert problems() == [("payment", "not-approved")]


def test_approving_it_from_here_lets_the_payment_go(invoice, connection, sync, books):
    set_(connection, invoice_status="DRAFT")
    cast.payment(invoice)
    sync()
    approve(Problem.objects.get(solved_at=None), None)
    sync()
    assert books.find_invoice(invoice.number)["Status"] == "PAID"
    assert problems() == []


def test_without_a_clearing_account_a_person_is_asked(invoice, connection, sync):
    set_(connection, clearing_account="")
    cast.payment(invoice)
    sync()
    assert problems() == [("payment", "no-clearing-account")]


def test_a_reconciled_payment_stays_and_a_person_is_told(invoice, sync, xero, books, paid):
    xero.switches.update({"reconciled_payment_deletable": False, "uncertain_texts_known": True})
    payment = cast.payment(invoice)
    sync()
    books.reconcile(paid()[0]["PaymentID"])
    remove_payment(payment)
    sync()
    assert problems() == [("payment", "reconciled")]
    assert len(paid()) == 1


# --- refunds ------------------------------------------------------------------------------------------------------


def test_a_refund_is_recorded_with_its_credit_note(credit, sync, paid, books):
    refund = refund_credit(credit, amount=D("9.90"), date=DAY)
    sync()
    (theirs,) = paid()
    assert theirs["PaymentType"] == "ARCREDITPAYMENT"
    assert theirs["Reference"] == f"pv-{refund.pk}"
    assert books.find_credit_note(credit.number)["Status"] == "PAID"
    remove_payment(refund)
    sync()
    assert paid() == []


def test_by_setting_refunds_stay_here(credit, connection, sync, paid):
    set_(connection, refunds_to_xero=False)
    refund_credit(credit, amount=D("9.90"), date=DAY)
    sync()
    assert paid() == []


# --- allocations --------------------------------------------------------------------------------------------------


def test_a_credit_is_set_against_its_invoice(credit, invoice, sync, books, allocated):
    allocation = allocate_credit(credit, invoice, amount=D("9.90"), date=DAY)
    sync()
    (theirs,) = allocated()
    assert str(theirs["Amount"]) == "9.90"
    assert str(books.find_invoice(invoice.number)["AmountDue"]) == "9.90"
    assert Link.objects.get(kind="allocation").document == allocation.pk
    assert problems() == []


def test_a_credit_goes_to_several_invoices_and_keeps_the_rest(connection, cafe, sync, books):
    credit = cast.credit_note(cafe, cast.line(quantity=6))  # 29.70
    first, second = cast.invoice(cafe), cast.invoice(cafe)
    allocate_credit(credit, first, amount=D("19.80"), date=DAY)
    allocate_credit(credit, second, amount=D("5.00"), date=DAY)
    sync()
    theirs = books.find_credit_note(credit.number)
    assert sorted(str(one["Amount"]) for one in theirs["Allocations"]) == ["19.80", "5.00"]
    assert str(theirs["RemainingCredit"]) == "4.90"
    assert books.find_invoice(first.number)["Status"] == "PAID"


def test_a_draft_credit_note_is_set_against_nothing_before_it_is_approved(
    credit, invoice, connection, sync, books, xero, allocated
):
    set_(connection, credit_note_status="DRAFT")
    allocate_credit(credit, invoice, amount=D("9.90"), date=DAY)
    sync()
    assert allocated() == []
    assert problems() == []
    books.edit_credit_note(credit.number, Status="AUTHORISED")
    Link.objects.filter(kind="credit_note").update(status="AUTHORISED")  # as reading Xero's changes does
    sync()
    assert len(allocated()) == 1


def test_undone_here_it_is_taken_off_there(credit, invoice, sync, books, allocated):
    allocation = allocate_credit(credit, invoice, amount=D("9.90"), date=DAY)
    sync()
    undo_allocation(allocation)
    sync()
    assert allocated() == []
    assert str(books.find_invoice(invoice.number)["AmountDue"]) == "19.80"
    allocate_credit(credit, invoice, amount=D("4.00"), date=DAY)
    sync()
    assert [str(one["Amount"]) for one in allocated()] == ["4.00"]


def test_an_allocation_that_is_answered_without_its_id_is_looked_up(credit, invoice, sync, xero, books, allocated):
    xero.switches["allocating_tells_id"] = False
    allocation = allocate_credit(credit, invoice, amount=D("9.90"), date=DAY)
    sync()
    assert Link.objects.get(kind="allocation").xero_id == allocated()[0]["AllocationID"]
    undo_allocation(allocation)
    sync()
    assert allocated() == []


def test_undone_in_xero_already_is_done(credit, invoice, sync, books, allocated, xero):
    allocation = allocate_credit(credit, invoice, amount=D("9.90"), date=DAY)
    sync()
    books.remove_allocation(allocated()[0]["AllocationID"])
    undo_allocation(allocation)
    xero.stats.reset()
    sync()
    assert writes(xero) == {}
    assert problems() == []


@pytest.mark.parametrize("kind", ["drop-after-commit", "500-after-commit", "cut-body"])
@pytest.mark.parametrize("undo", [False, True], ids=["set", "taken off"])
def test_a_lost_answer_leaves_neither_a_double_nor_an_orphan(credit, invoice, sync, allocated, xero, kind, undo):
    sync()
    if undo:
        allocation = allocate_credit(credit, invoice, amount=D("4.00"), date=DAY)
        sync()
        undo_allocation(allocation)
    else:
        allocate_credit(credit, invoice, amount=D("4.00"), date=DAY)
    xero.faults.add(kind, methods=["PUT", "DELETE"], path=ALLOCATIONS, count=1)
    sync()
    assert len(allocated()) == (0 if undo else 1)
    assert not Dispatch.objects.exists()
    assert problems() == []


def test_an_allocation_that_never_arrived_goes_again_only_after_six_minutes(
    credit, invoice, sync, allocated, xero, later
):
    sync()
    allocate_credit(credit, invoice, amount=D("4.00"), date=DAY)
    xero.faults.add("drop-before-commit", methods=["PUT"], path=ALLOCATIONS, count=1)
    sync()
    for _ in range(3):
        later(seconds=110)
        sync()
        assert allocated() == []
    for _ in range(3):
        later(seconds=200)
        sync()
    assert len(allocated()) == 1


def test_a_bookkeepers_equal_allocation_isnt_taken_for_ours(connection, cafe, sync, books, xero, later):
    credit = cast.credit_note(cafe, cast.line(quantity=4))  # 19.80
    invoice = cast.invoice(cafe)
    sync()
    books.allocate(credit.number, invoice.number, "4.00")
    allocate_credit(credit, invoice, amount=D("4.00"), date=DAY)
    xero.faults.add("drop-before-commit", methods=["PUT"], path=ALLOCATIONS, count=1)
    sync()
    for _ in range(5):
        later(seconds=200)
        sync()
    assert len(books.find_credit_note(credit.number)["Allocations"]) == 2


def test_more_than_is_left_is_a_problem(credit, invoice, sync, books):
    sync()
    books.pay(invoice.number)
    allocate_credit(credit, invoice, amount=D("9.90"), date=DAY)
    sync()
    assert [kind for kind, _ in problems()] == ["allocation"]


def test_a_credit_note_voided_in_xero_holds_its_allocation(credit, invoice, sync, books):
    sync()
    books.edit_credit_note(credit.number, Status="VOIDED")
    allocate_credit(credit, invoice, amount=D("9.90"), date=DAY)
    sync()
    assert ("allocation", "voided-in-xero") in problems()


def test_proposed_settings_are_enough(connection, invoice, sync, paid):
    save_settings(connection, propose(connection), None)
    cast.payment(invoice)
    sync()
    assert len(paid()) == 1
