"""Payouts on their way to Xero: one deposit each, to the cent, once, or a Problem that names what is in the way."""

import json
from datetime import date
from decimal import Decimal

import pytest

import cast
from provender.changes.actions import ask
from provender.changes.models import Change
from provender.ordering.actions import edit_order
from provender.ordering.lines import OrderLineDraft, draft_of
from provender.payments.payouts import (
    PayoutEntry,
    close_payout,
    enter_payout,
    leave_for_hand,
    match_again,
    pay_up_to,
    undo_payout,
)
from provender.payments.surcharges import set_surcharges
from provender.sync import actions
from provender.sync.actions import send_now
from provender.sync.models import Connection, Dispatch, Link, Problem
from provender.sync.problems import repairs_of

pytestmark = pytest.mark.django_db

D = Decimal
DAY = date(2026, 11, 12)
BATCHES = "/api.xro/2.0/BatchPayments"
SPENT = "/api.xro/2.0/BankTransactions"


@pytest.fixture
def connection(connection):
    """With reconciling on: deposits on the bank account, fees on 404."""
    fees = connection.accounts.get(code="404").account_id
    Connection.objects.filter(pk=connection.pk).update(auto_reconcile=True, fee_account=fees)
    connection.refresh_from_db()
    return connection


@pytest.fixture
def cafe(supplier):
    return cast.venue(supplier, "Corner Cafe")


@pytest.fixture
def invoices(connection, cafe):
    """Three invoices of 19.80."""
    return [cast.invoice(cafe) for _ in range(3)]


@pytest.fixture
def payout(supplier, invoices):
    """One payout of all three, closed: 59.40 with a fee of 1.20."""
    return closed(supplier, invoices)


def closed(supplier, invoices, reference="PO-1", **fields):
    entries = [PayoutEntry(gross=one.due, fee=D("0.40"), invoice_number=one.number) for one in invoices]
    fields = {"provider": "PayWave", "reference": reference, "date": DAY, "entries": entries} | fields
    return close_payout(enter_payout(supplier, **fields))


@pytest.fixture
def deposits(xero):
    """The live deposits in Xero."""
    return lambda: [one for one in shown(xero, "BatchPayments") if one["Status"] == "AUTHORISED"]


@pytest.fixture
def spent(xero):
    """The live fees in Xero."""
    return lambda: [one for one in shown(xero, "BankTransactions") if one["Status"] == "AUTHORISED"]


def shown(xero, name):
    return xero.books()["organisations"][0][name]


def set_(connection, **settings):
    Connection.objects.filter(pk=connection.pk).update(**settings)
    connection.refresh_from_db()


def problems():
    return sorted(Problem.objects.filter(solved_at=None).values_list("kind", "cause"))


def held():
    return {one["number"]: one["why"] for one in json.loads(Problem.objects.get(solved_at=None).shown)}


def clearing(xero, connection):
    """What is left on the clearing account once the bank line has left it: deposits less fees less what came in."""
    books = xero.books()["organisations"][0]
    came = sum((D(str(one["Amount"])) for one in books["Payments"] if one["Status"] == "AUTHORISED"), D(0))
    went = sum((D(str(one["Total"])) for one in books["BankTransactions"] if one["Status"] == "AUTHORISED"), D(0))
    return came - went


def test_a_closed_payout_is_one_deposit_to_the_cent(payout, invoices, sync, books, deposits, connection, xero):
    sync()
    (theirs,) = deposits()
    assert (theirs["Reference"], str(theirs["TotalAmount"]), theirs["DateString"][:10]) == (
        "PO-1",
        "59.40",
        "2026-11-12",
    )
    assert theirs["Account"]["AccountID"] == connection.clearing_account
    assert [books.find_invoice(one.number)["Status"] for one in invoices] == ["PAID"] * 3
    assert clearing(xero, connection) == payout.net
    assert problems() == []
    assert Link.objects.get(kind="payout").xero_id == theirs["BatchPaymentID"]
    assert Link.objects.filter(kind="payment").count() == 3


def test_the_fee_is_spent_once_with_the_providers_contact(payout, sync, spent, xero):
    sync()
    sync()
    (theirs,) = spent()
    assert theirs["Type"] == "SPEND"
    assert str(theirs["Total"]) == "1.20"
    assert theirs["Contact"]["Name"] == "PayWave"
    assert theirs["Reference"] == f"Fee of PO-1 pv-{payout.pk}"


def test_the_next_payouts_fee_goes_to_the_same_contact(payout, supplier, cafe, sync, xero):
    sync()
    closed(supplier, [cast.invoice(cafe)], "PO-2")
    sync()
    assert [one["Name"] for one in shown(xero, "Contacts")].count("PayWave") == 1
    assert len(shown(xero, "BankTransactions")) == 2


def test_a_payout_that_is_only_a_fee_spends_it_and_deposits_nothing(supplier, connection, sync, deposits, spent):
    fee = enter_payout(supplier, provider="PayWave", reference="PO-7", date=DAY, entries=[PayoutEntry(D(0), D("5.00"))])
    sync()
    assert spent() == []
    close_payout(fee)
    sync()
    sync()
    assert deposits() == []
    assert [str(one["Total"]) for one in spent()] == ["5.00"]
    undo_payout(fee)
    sync()
    assert spent() == []
    assert problems() == []


def test_a_surcharge_that_the_provider_took_is_put_on_the_invoice_and_deposited(supplier, cafe, sync, books, deposits):
    """As the guide says: the line waits, the order gets the surcharge, the line is matched again."""
    set_surcharges(supplier, {"visa": D("1.5")})
    order = cast.placed_order(cafe, {"OAT-1L": 4})  # 19.80
    sync()
    entries = [PayoutEntry(gross=D("20.10"), invoice_number=order.invoice.number)]
    payout = enter_payout(supplier, provider="PayWave", reference="PO-9", date=DAY, entries=entries)
    assert "surcharge for Visa" in payout.lines.get().why
    lines = [draft_of(line) for line in order.lines.select_related("product")]
    surcharge = OrderLineDraft(D(1), kind="surcharge", description="Surcharge Visa", unit_price=D("0.27"))
    edit_order(order, lines=[*lines, surcharge], by=None)
    match_again(payout)
    assert payout.lines.get().outcome == "matched"
    close_payout(payout)
    sync()
    assert [str(one["TotalAmount"]) for one in deposits()] == ["20.10"]
    assert books.find_invoice(order.invoice.number)["Status"] == "PAID"
    assert problems() == []


def test_without_a_fee_account_no_fee_is_posted(payout, connection, sync, spent, deposits):
    set_(connection, fee_account="")
    sync()
    assert len(deposits()) == 1
    assert spent() == []
    assert problems() == []


def test_with_reconciling_off_nothing_is_deposited(payout, connection, sync, deposits):
    set_(connection, auto_reconcile=False)
    sync()
    assert deposits() == []
    assert problems() == []


def test_with_reconciling_on_invoices_arrive_approved(connection, cafe, sync, books):
    set_(connection, invoice_status="DRAFT")
    invoice = cast.invoice(cafe)
    sync()
    assert books.find_invoice(invoice.number)["Status"] == "AUTHORISED"


def test_two_hundred_invoices_are_one_look_and_one_deposit(supplier, connection, cafe, sync, xero, deposits):
    invoices = [cast.invoice(cafe) for _ in range(200)]
    sync()
    set_(connection, fee_account="")
    closed(supplier, invoices)
    xero.stats.reset()
    sync()
    assert dict(xero.stats.calls) == {"GET /api.xro/2.0/Invoices": 1, f"PUT {BATCHES}": 1}
    assert str(deposits()[0]["TotalAmount"]) == "3960.00"


def test_two_payments_of_one_invoice_are_one_in_the_deposit(supplier, invoices, sync, deposits):
    first = invoices[0]
    entries = [PayoutEntry(gross=D("9.90"), invoice_number=first.number) for _ in range(2)]
    close_payout(enter_payout(supplier, provider="PayWave", reference="PO-2", date=DAY, entries=entries))
    sync()
    (theirs,) = deposits()
    assert [str(one["Amount"]) for one in theirs["Payments"]] == ["19.80"]
    assert problems() == []


# --- what holds it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda books, number: books.pay(number), "paid"),
        (lambda books, number: books.pay(number, "5.00"), "less"),
        (lambda books, number: books.void(number), "gone"),
    ],
)
def test_one_invoice_that_cant_be_in_it_holds_the_whole(supplier, invoices, sync, books, deposits, xero, act, why):
    sync()
    act(books, invoices[1].number)
    payout = closed(supplier, invoices)
    xero.stats.reset()
    sync()
    assert deposits() == []
    assert held() == {invoices[1].number: why}
    assert dict(xero.stats.calls)["GET /api.xro/2.0/Invoices"] == 1
    problem = Problem.objects.get()
    assert (problem.kind, problem.document, problem.cause) == ("payout", payout.pk, "payout-held")
    assert invoices[1].number in problem.words["what"]


def test_a_draft_holds_it(supplier, invoices, connection, sync):
    set_(connection, auto_reconcile=False, invoice_status="DRAFT")
    sync()
    set_(connection, auto_reconcile=True)
    closed(supplier, invoices)
    sync()
    assert set(held().values()) == {"draft"}


def test_a_locked_period_holds_it_without_a_look(supplier, invoices, connection, sync, xero):
    sync()
    set_(connection, period_lock_date=date(2026, 11, 30))
    closed(supplier, invoices)
    xero.stats.reset()
    sync()
    assert held() == {"": "locked"}
    assert "GET /api.xro/2.0/Invoices" not in xero.stats.calls


def test_more_than_two_hundred_hold_it(supplier, connection, cafe, sync, deposits):
    closed(supplier, [cast.invoice(cafe) for _ in range(201)])
    sync()
    assert held() == {"": "many"}
    assert deposits() == []


def test_another_currency_holds_it(supplier, invoices, sync, connection):
    sync()
    payout = closed(supplier, invoices)
    payout.currency = "NZD"
    payout.save(update_fields=["currency"])
    sync()
    assert set(held().values()) == {"currency"}


def test_an_invoice_that_isnt_in_xero_holds_it_until_it_is_sent(supplier, invoices, connection, sync, deposits):
    set_(connection, automatic_sync=False)
    closed(supplier, invoices)
    Connection.objects.filter(pk=connection.pk).update(automatic_sync=False)
    ask(Change.objects.filter(kind="payout"))
    sync()
    assert set(held().values()) == {"missing"}
    send_now(supplier, [one.pk for one in invoices], None)
    ask(Change.objects.filter(kind="payout"))
    sync()
    assert len(deposits()) == 1


def test_an_invoice_with_a_problem_holds_it(supplier, invoices, sync, books, deposits):
    books.archive_account("200")
    closed(supplier, invoices)
    sync()
    assert ("payout", "payout-held") in problems()
    assert deposits() == []


def test_paying_up_to_what_is_due_lets_it_go(supplier, invoices, sync, books, deposits):
    sync()
    books.pay(invoices[1].number, "5.00")
    payout = closed(supplier, invoices)
    sync()
    pay_up_to(payout.lines.get(invoice=invoices[1]), D("14.80"))
    sync()
    assert str(deposits()[0]["TotalAmount"]) == "54.40"
    assert problems() == []


def test_left_for_hand_the_rest_is_deposited(supplier, invoices, sync, books, deposits):
    sync()
    books.pay(invoices[1].number)
    payout = closed(supplier, invoices)
    sync()
    leave_for_hand(payout.lines.get(invoice=invoices[1]))
    sync()
    assert str(deposits()[0]["TotalAmount"]) == "39.60"
    assert problems() == []


# --- the ways out, as a person presses them -----------------------------------------------------------------------


def problem():
    return Problem.objects.get(kind="payout", solved_at=None)


def ways_out():
    return [one.do for one in repairs_of(problem())]


def test_the_invoices_are_sent_first(supplier, invoices, connection, sync, deposits):
    Connection.objects.filter(pk=connection.pk).update(automatic_sync=False)
    closed(supplier, invoices)
    ask(Change.objects.filter(kind="payout"))
    sync()
    assert ways_out() == ["send-first", "take-out", "send-again", "open-payout"]
    assert actions.send_first(problem(), None) == 3
    sync()
    assert len(deposits()) == 1
    assert problems() == []


def test_drafts_are_approved_and_the_deposit_follows(supplier, invoices, connection, sync, books, deposits):
    set_(connection, auto_reconcile=False, invoice_status="DRAFT")
    sync()
    set_(connection, auto_reconcile=True)
    closed(supplier, invoices)
    sync()
    assert "approve" in ways_out()
    actions.approve(problem(), None)
    sync()
    assert len(deposits()) == 1
    assert problems() == []
    assert books.find_invoice(invoices[0].number)["Status"] == "PAID"


def test_it_pays_up_to_what_is_due(supplier, invoices, sync, books, deposits):
    sync()
    books.pay(invoices[1].number, "5.00")
    closed(supplier, invoices)
    sync()
    assert "pay-up-to" in ways_out()
    actions.pay_less(problem(), None)
    sync()
    assert str(deposits()[0]["TotalAmount"]) == "54.40"
    assert problems() == []


def test_what_holds_it_is_taken_out(supplier, invoices, sync, books, deposits):
    sync()
    books.void(invoices[1].number)
    closed(supplier, invoices)
    sync()
    assert ways_out() == ["take-out", "send-again", "open-payout"]
    assert actions.take_out(problem(), None) == 1
    sync()
    assert str(deposits()[0]["TotalAmount"]) == "39.60"
    assert problems() == []


def test_sent_again_it_is_looked_at_again(supplier, invoices, sync, books, deposits):
    sync()
    payment = books.pay(invoices[1].number)
    closed(supplier, invoices)
    sync()
    books.remove_payment(payment["PaymentID"])
    actions.send_again(problem().connection, "payout-held", None)
    sync()
    assert str(deposits()[0]["TotalAmount"]) == "59.40"
    assert problems() == []


def test_drafts_of_a_wholesaler_are_approved_on_asking(invoices, connection, sync, books, xero, later):
    set_(connection, auto_reconcile=False, invoice_status="DRAFT")
    sync()
    xero.faults.add("drop-after-commit", methods=["POST"], path="/api.xro/2.0/Invoices", count=1)
    assert actions.approve_drafts(connection, [one.pk for one in invoices], None) == 3
    sync()
    for _ in range(3):
        later(seconds=100)
        sync()
    assert {books.find_invoice(one.number)["Status"] for one in invoices} == {"AUTHORISED"}
    assert not Dispatch.objects.exists()


# --- undone and changed -------------------------------------------------------------------------------------------


def test_undone_the_whole_deposit_and_its_fee_are_deleted(payout, invoices, sync, books, deposits, spent):
    sync()
    undo_payout(payout)
    sync()
    assert deposits() == spent() == []
    assert [books.find_invoice(one.number)["Status"] for one in invoices] == ["AUTHORISED"] * 3
    assert set(Link.objects.filter(kind__in=["payout", "payment", "fee"]).values_list("status", flat=True)) == {
        "DELETED"
    }
    assert problems() == []


def test_undone_and_entered_again_it_is_deposited_again(supplier, payout, invoices, sync, deposits):
    sync()
    undo_payout(payout)
    for one in invoices:
        one.refresh_from_db()
    closed(supplier, invoices)
    sync()
    assert len(deposits()) == 1
    assert problems() == []


def test_undone_before_it_went_nothing_goes(payout, sync, xero):
    undo_payout(payout)
    sync()
    assert shown(xero, "BatchPayments") == []


def test_undone_in_xero_already_is_done(payout, sync, books, deposits, spent, xero):
    sync()
    books.remove_batch(deposits()[0]["BatchPaymentID"])
    undo_payout(payout)
    sync()
    assert spent() == []
    assert problems() == []
    assert not [name for name in xero.stats.calls if name.startswith(f"POST {BATCHES}")]


def test_changed_after_it_was_deposited_it_is_made_anew(payout, invoices, sync, deposits, spent, books):
    sync()
    leave_for_hand(payout.lines.get(invoice=invoices[2]))
    sync()
    assert str(deposits()[0]["TotalAmount"]) == "39.60"
    assert books.find_invoice(invoices[2].number)["Status"] == "AUTHORISED"
    assert len(deposits()) == len(spent()) == 1
    assert problems() == []


def test_a_reconciled_deposit_stays_and_a_person_is_told(payout, sync, xero, books, deposits):
    xero.switches.update({"reconciled_payment_deletable": False, "uncertain_texts_known": True})
    sync()
    books.reconcile(deposits()[0]["BatchPaymentID"])
    undo_payout(payout)
    sync()
    assert ("payout", "reconciled") in problems()
    assert len(deposits()) == 1


# --- doubts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop-after-commit", "500-after-commit", "cut-body"])
@pytest.mark.parametrize("path", [BATCHES, SPENT])
def test_a_lost_answer_is_no_second_deposit(payout, sync, deposits, spent, xero, kind, path):
    xero.faults.add(kind, methods=["PUT"], path=path, count=1)
    sync()
    assert len(deposits()) == len(spent()) == 1
    assert not Dispatch.objects.exists()
    assert problems() == []
    assert Link.objects.filter(kind="payment").count() == 3


@pytest.mark.parametrize("path", [BATCHES, SPENT])
def test_what_never_arrived_goes_again_only_after_six_minutes(payout, sync, deposits, spent, xero, later, path):
    xero.faults.add("drop-before-commit", methods=["PUT"], path=path, count=1)
    sync()
    for _ in range(3):
        later(seconds=110)
        sync()
        assert len(deposits()) + len(spent()) < 2
    for _ in range(3):
        later(seconds=200)
        sync()
    assert len(deposits()) == len(spent()) == 1


@pytest.mark.parametrize("path", [BATCHES, SPENT])
def test_a_late_deposit_is_found_and_not_repeated(payout, sync, deposits, spent, xero, later, path):
    xero.faults.add("commit-late", methods=["PUT"], path=path, count=1, seconds=300)
    sync()
    for _ in range(8):
        later(seconds=100)
        sync()
    assert len(deposits()) == len(spent()) == 1
    assert not Dispatch.objects.exists()


def test_a_lost_deletion_is_found(payout, sync, deposits, spent, xero):
    sync()
    undo_payout(payout)
    xero.faults.add("drop-after-commit", methods=["POST"], path="/api.xro/2.0/*", count=2)
    sync()
    assert deposits() == spent() == []
    assert not Dispatch.objects.exists()


def test_a_deposit_made_anew_isnt_mistaken_for_the_deleted_one(payout, invoices, sync, deposits, xero, later):
    sync()
    line = payout.lines.get(invoice=invoices[2])
    pay_up_to(line, D("19.80"))  # the same sum again: a new payment row, the same deposit
    sync()
    assert len(deposits()) == 1
    leave_for_hand(line)
    xero.faults.add("drop-before-commit", methods=["PUT"], path=BATCHES, count=1)
    sync()
    for _ in range(4):
        later(seconds=200)
        sync()
    assert [str(one["TotalAmount"]) for one in deposits()] == ["39.60"]
