"""Paid in Xero is known here: once, with its date, and taken back when it is taken back there."""

import contextlib
import json
from datetime import date
from decimal import Decimal

import pytest
from django.db.models import F

import cast
from provender.changes.models import Change
from provender.invoicing.models import Invoice
from provender.ordering import actions as ordering
from provender.ordering.models import Order
from provender.payments.actions import allocate_credit, remove_payment
from provender.payments.models import Allocation, Payment
from provender.payments.payouts import PayoutEntry, close_payout, enter_payout
from provender.sync import actions, failpoints, poll
from provender.sync.failpoints import Failpoint
from provender.sync.models import Connection, CreditInXero, Link, Problem
from provender.sync.poll import check_invoice, check_now, pace, poll_due
from provender.sync.session import open_session
from provender.timeline.queries import story
from provender.xero import wire
from sync.kept import once

pytestmark = pytest.mark.django_db
D = Decimal
DAY = date(2026, 11, 20)


@pytest.fixture
def connection(connection):
    set_(connection, mark_as_paid=True)
    return connection


@pytest.fixture
def read(connection, later):
    """A minute later the payments are read, as the engine does."""

    def run():
        later(minutes=30)
        Connection.objects.update(poll_after=None)
        return poll.poll(Connection.objects.select_related("supplier").get())

    return run


@pytest.fixture
def sent(supplier, connection, sync, xero):
    """An invoice of 73.05 that Xero has: awaiting payment."""

    def make():
        order = cast.placed_order(cast.venue(supplier, "Corner Cafe"), {"OAT-1L": 4, "BEANS-1KG": 2})
        sync()
        return order.invoice

    return once(make, connection, xero)


def set_(connection, **settings):
    Connection.objects.filter(pk=connection.pk).update(**settings)
    connection.refresh_from_db()


def fresh(invoice):
    return Invoice.objects.get(pk=invoice.pk)


def money(invoice):
    """What the invoice's rows say: (paid, credited, settled on)."""
    row = fresh(invoice)
    return row.paid, row.credited, row.settled_on


def rows(invoice):
    """Live payments as (source, amount, date, Xero's id)."""
    ids = dict(Link.objects.filter(kind="payment").values_list("document", "xero_id"))
    return [
        (row.source, row.amount, row.date, ids.get(row.pk))
        for row in Payment.objects.filter(invoice=invoice, removed_at=None).order_by("recorded_at")
    ]


def test_paid_in_xero_is_paid_here_with_its_date(sent, read, books):
    payment = books.pay(sent.number, day=DAY)
    tally = read()
    assert money(sent) == (sent.total, 0, DAY)
    assert rows(sent) == [("xero", sent.total, DAY, payment["PaymentID"])]
    assert tally.settled == [sent.number]
    assert story(sent.supplier, "invoice", sent.pk)[0].what == f"AUD {sent.total} paid in Xero; nothing left to pay"
    assert not Change.objects.filter(kind="payment").exists()


def test_read_again_nothing_is_recorded_twice(sent, read, books):
    books.pay(sent.number, 10, day=DAY)
    assert read().changes == 1
    Connection.objects.update(invoices_read_to=None)
    assert read().changes == 0
    assert len(rows(sent)) == 1


def test_part_payments_leave_what_is_due_until_the_last(sent, read, books):
    books.pay(sent.number, "20.00", day=date(2026, 11, 18))
    read()
    assert money(sent) == (D("20.00"), 0, None)
    assert fresh(sent).due == sent.total - 20
    books.pay(sent.number, day=DAY)
    read()
    assert money(sent) == (sent.total, 0, DAY)


def test_a_payment_taken_back_opens_the_invoice_again(sent, read, books):
    payment = books.pay(sent.number, day=DAY)
    read()
    books.remove_payment(payment)
    tally = read()
    assert tally.removed == 1
    assert money(sent) == (0, 0, None)
    assert rows(sent) == []
    assert Payment.objects.get().removed_why == "Removed in Xero"
    assert not Change.objects.filter(kind="payment").exists()


def flagged(connection, sent, read, books):
    set_(connection, removed_payments="flag")
    payment = books.pay(sent.number, day=DAY)
    read()
    books.remove_payment(payment)
    read()
    read()
    return Problem.objects.select_related("connection__supplier").get(solved_at=None)


def test_by_setting_a_person_is_asked_instead(connection, sent, read, books):
    problem = flagged(connection, sent, read, books)
    assert (problem.kind, problem.cause) == ("payment", "payment-removed")
    assert money(sent) == (sent.total, 0, DAY)
    actions.reopen(problem, None)
    assert money(sent) == (0, 0, None)


def test_kept_as_paid_it_is_not_asked_again_and_paid_again_it_is_the_same_money(connection, sent, read, books):
    problem = flagged(connection, sent, read, books)
    actions.keep_as_paid(problem, None)
    read()
    assert not Problem.objects.filter(solved_at=None).exists()
    assert money(sent) == (sent.total, 0, DAY)
    again = books.pay(sent.number, day=DAY)
    read()
    assert rows(sent) == [("xero", sent.total, DAY, again["PaymentID"])]


def test_a_payment_noted_here_is_the_same_money_as_xeros(sent, read, books):
    """Paid through us is never marked twice: the row learns Xero's id."""
    cast.payment(sent, str(sent.total), date=DAY)
    payment = books.pay(sent.number, day=DAY)
    read()
    assert rows(sent) == [("here", sent.total, DAY, payment["PaymentID"])]
    change = Change.objects.get(kind="payment")
    assert change.settled == change.revision
    books.remove_payment(payment)
    read()
    assert money(sent) == (0, 0, None)


def test_other_amounts_for_what_is_paid_here_are_a_question(sent, read, books):
    cast.payment(sent, str(sent.total), date=DAY)
    books.pay(sent.number, "10.00", day=DAY)
    read()
    read()
    problem = Problem.objects.select_related("connection__supplier").get()
    assert (problem.cause, problem.words["theirs"]) == ("paid-on-both-sides", "10.00")
    assert money(sent) == (sent.total, 0, DAY)
    actions.take_payments(problem, None)
    assert [(source, amount) for source, amount, _, _ in rows(sent)] == [("xero", D("10.00"))]
    assert read().changes == 0


def test_left_as_it_is_the_question_stays_quiet(sent, read, books):
    cast.payment(sent, str(sent.total), date=DAY)
    books.pay(sent.number, "10.00", day=DAY)
    read()
    actions.leave(Problem.objects.select_related("connection__supplier").get(), None)
    Connection.objects.update(invoices_read_to=None)
    read()
    assert not Problem.objects.filter(solved_at=None).exists()
    assert money(sent) == (sent.total, 0, DAY)


def test_our_own_payment_comes_back_by_its_mark(connection, sent, read, books):
    """Its answer was lost, so nothing names it but the mark; no row is made, and it isn't sent again."""
    set_(connection, payments_to_xero=True)
    payment = cast.payment(sent, "30.00", date=DAY)
    theirs = books.pay(sent.number, "30.00", day=DAY, reference=f"Bank transfer pv-{payment.pk}")
    read()
    assert rows(sent) == [("here", D("30.00"), DAY, theirs["PaymentID"])]


def test_what_is_in_doubt_is_left_to_its_recovery_and_looked_at_again(connection, sent, read, books):
    payment = cast.payment(sent, "30.00", date=DAY)
    dispatch = connection.dispatches.create(
        kind="payment", operation="create", key="k", claimed_at=payment.recorded_at, next_try_at=payment.recorded_at
    )
    dispatch.documents.create(
        connection=connection, kind="payment", document=payment.pk, position=0, revision=1, number="x", element="{}"
    )
    books.pay(sent.number, "30.00", day=DAY, reference=f"pv-{payment.pk}")
    read()
    assert rows(sent) == [("here", D("30.00"), DAY, None)]
    dispatch.delete()
    read()
    assert [xero_id is None for *_, xero_id in rows(sent)] == [False]


def test_a_payment_on_its_way_is_not_taken_for_anothers_of_the_same_amount(connection, sent, read, books):
    set_(connection, payments_to_xero=True)
    cast.payment(sent, "10.00", date=DAY)  # goes with the next drain
    books.pay(sent.number, "10.00", day=DAY)
    read()
    assert [(source, amount) for source, amount, *_ in rows(sent)] == [("here", D("10.00")), ("xero", D("10.00"))]


def test_settled_by_a_credit_note_of_xeros(sent, read, books, xero):
    lines = [{"Description": "Came back", "Quantity": 1, "UnitAmount": sent.total, "AccountCode": "200",
              "TaxType": "EXEMPTOUTPUT"}]  # fmt: skip
    note = books.type_credit_note("Corner Cafe", lines, Date="2026-11-19")
    books.allocate(note, sent.number, sent.total)
    read()
    allocation = Allocation.objects.get()
    assert money(sent)[:2] == (0, sent.total)
    assert fresh(sent).settled_on is not None
    assert (allocation.source, allocation.credit_name) == ("xero", f"Credit note {note['CreditNoteNumber']}")
    shown = books.find_credit_note(note)["Allocations"][0]["AllocationID"]
    assert Link.objects.get(kind="allocation", document=allocation.pk).xero_id == shown
    books.remove_allocation(shown)
    read()
    assert money(sent) == (0, 0, None)
    assert CreditInXero.objects.get().remaining == sent.total


def test_the_excess_of_an_overpayment_stays_in_xero_and_is_known(connection, sent, read, books):
    banked = books.type_bank_transaction("RECEIVE-OVERPAYMENT", "Corner Cafe", sent.total + 20)
    with open_session(connection) as session:
        session.budget.take()
        part = {"Invoice": {"InvoiceID": books.find_invoice(sent.number)["InvoiceID"]}, "Amount": sent.total}
        body = wire.encode("Allocations", [part])
        where = f"Overpayments/{banked['OverpaymentID']}/Allocations"
        session.client.write("PUT", where, body, key="given", access_token=session.token())
    read()
    assert money(sent)[1] == sent.total
    assert Allocation.objects.get().credit_name == "Overpayment"
    excess = CreditInXero.objects.get()
    assert (excess.name, excess.remaining) == ("Overpayment", D("20.00"))


def test_voided_in_xero_is_a_question_asked_once(sent, read, books):
    books.void(sent.number)
    read()
    problem = Problem.objects.select_related("connection__supplier").get()
    assert problem.cause == "voided-in-xero"
    actions.leave(problem, None)
    Connection.objects.update(invoices_read_to=None)
    read()
    assert not Problem.objects.filter(solved_at=None).exists()


def test_edited_in_xero_is_a_question_and_over_when_it_is_mended_there(sent, read, books):
    books.edit_invoice(sent.number, Reference="typed by hand")
    read()
    problem = Problem.objects.get()
    assert problem.cause == "differs"
    assert "typed by hand" in problem.words["changes"]
    original = Link.objects.get(kind="invoice").sent
    books.edit_invoice(sent.number, Reference=json.loads(original)["Reference"])
    read()
    assert not Problem.objects.filter(solved_at=None).exists()


def test_an_edit_of_ours_on_its_way_asks_nothing(sent, read, books, supplier):
    books.edit_invoice(sent.number, Reference="typed by hand")
    ordering.edit_order(Order.objects.get(), lines=cast.goods(supplier, {"OAT-1L": 9}), by=None)
    read()
    assert not Problem.objects.exists()


def test_switched_off_nothing_is_read_and_switched_on_later_what_happened_before_is(connection, sent, books, xero):
    Connection.objects.update(mark_as_paid=False)
    books.pay(sent.number, day=DAY)
    xero.stats.reset()
    poll_due()
    assert not xero.stats.calls
    assert rows(sent) == []
    Connection.objects.update(mark_as_paid=True)
    poll_due()
    assert money(sent) == (sent.total, 0, DAY)


def test_a_deposit_that_a_person_made_in_xero_pays_its_invoices(sent, read, books, supplier, sync):
    other = cast.placed_order(cast.venue(supplier, "Harbour View"), {"OAT-1L": 1}).invoice
    sync()
    books.pay_batch([sent.number, other.number], day=DAY, reference="deposit")
    read()
    assert money(sent)[0] == sent.total
    assert money(other)[0] == other.total


def test_a_payment_that_we_sent_comes_back_as_itself_and_is_gone_when_it_is_removed_there(
    connection, sent, read, books, sync
):
    set_(connection, payments_to_xero=True)
    cast.payment(sent, "30.00", date=DAY)
    sync()
    (theirs,) = books.find_invoice(sent.number)["Payments"]
    read()
    Connection.objects.update(invoices_read_to=None)
    assert read().changes == 0
    assert rows(sent) == [("here", D("30.00"), DAY, theirs["PaymentID"])]
    books.remove_payment(theirs)
    assert read().removed == 1
    assert money(sent) == (0, 0, None)
    sync()
    assert books.find_invoice(sent.number)["Payments"] == []


def test_a_credit_note_that_we_sent_and_set_against_it_comes_back_as_itself(sent, read, books, sync):
    note = cast.credit_note(sent.customer)
    allocate_credit(note, sent, amount=D("4.95"), date=DAY)
    sync()
    sync()
    assert D(books.find_invoice(sent.number)["AmountCredited"]) == D("4.95")
    read()
    Connection.objects.update(invoices_read_to=None, credits_read_to=None, credits_read_at=None)
    assert read().changes == 0
    assert Allocation.objects.count() == 1
    (theirs,) = books.find_credit_note(note.number)["Allocations"]
    books.remove_allocation(theirs["AllocationID"])
    read()
    assert money(sent) == (0, 0, None)
    books.allocate(note.number, sent.number, "3.00")
    read()
    assert money(sent)[1] == D("3.00")
    row = Allocation.objects.get(removed_at=None)
    assert (row.credit_note, row.source) == (note, "xero")


def test_a_refund_that_a_person_made_in_xero_is_known_here(sent, read, books, sync, connection):
    note = cast.credit_note(sent.customer)
    sync()
    with open_session(connection) as session:
        session.budget.take()
        theirs = books.find_credit_note(note.number)["CreditNoteID"]
        refund = {"CreditNote": {"CreditNoteID": theirs}, "Account": {"Code": "090"}, "Amount": 2, "Date": "2026-11-20"}
        body = wire.encode("Payments", [refund])
        answer = session.client.write("PUT", "Payments", body, key="back", access_token=session.token())
        assert answer.elements[0].ok, answer.elements[0].messages
    Connection.objects.update(credits_read_at=None)
    read()
    row = Payment.objects.get()
    assert (row.credit_note, row.amount, row.date, row.source) == (note, D("2.00"), DAY, "xero")
    note.refresh_from_db()
    assert note.used == D("2.00")
    Connection.objects.update(credits_read_to=None, credits_read_at=None)
    assert read().changes == 0


def test_a_payout_that_we_deposited_comes_back_as_itself_and_opens_again_with_its_deposit(
    connection, sent, read, books, sync, supplier
):
    set_(connection, auto_reconcile=True)
    halves = [PayoutEntry(amount, invoice_number=sent.number) for amount in (sent.total - 20, D("20.00"))]
    payout = close_payout(enter_payout(supplier, provider="PayWave", reference="PO-9", date=DAY, entries=halves))
    sync()
    (theirs,) = books.find_invoice(sent.number)["Payments"]
    assert D(theirs["Amount"]) == sent.total
    for _ in range(2):
        Connection.objects.update(invoices_read_to=None)
        read()
        assert money(sent) == (sent.total, 0, DAY)
        assert {row.payout for row in Payment.objects.all()} == {payout}
    books.remove_batch(theirs["BatchPaymentID"])
    assert read().removed == 2
    assert money(sent) == (0, 0, None)
    payout.refresh_from_db()
    assert payout.undone_at
    assert story(supplier, "payout", payout.pk)[0].why == "Its deposit was deleted in Xero"
    sync()
    assert not Change.objects.filter(kind="payout", revision__gt=F("settled")).exists()
    close_payout(enter_payout(supplier, provider="PayWave", reference="PO-9", date=DAY, entries=halves))
    sync()
    assert D(books.find_invoice(sent.number)["AmountDue"]) == 0


def test_a_refund_taken_back_in_xero_counts_no_more_or_a_person_is_asked_by_setting(
    connection, sent, read, books, sync
):
    note = cast.credit_note(sent.customer)
    sync()
    for flag in (False, True):
        set_(connection, removed_payments="flag" if flag else "reopen")
        refund = books.refund(note.number, "2.00")
        Connection.objects.update(credits_read_at=None)
        read()
        books.remove_payment(refund)
        for _ in range(2):
            Connection.objects.update(credits_read_at=None, credits_read_to=None)
            read()
        note.refresh_from_db()
        assert note.used == (D("2.00") if flag else 0)
    problem = Problem.objects.select_related("connection__supplier").get(solved_at=None)
    assert (problem.kind, problem.cause, problem.words["number"]) == ("payment", "payment-removed", note.number)
    actions.keep_as_paid(problem, None)
    Connection.objects.update(credits_read_at=None, credits_read_to=None)
    assert read().changes == 0
    assert "stays paid, though not in Xero" in story(note.supplier, "credit_note", note.pk)[0].what


def test_a_payment_removed_here_is_not_made_again_while_xero_still_has_it(connection, sent, read, books):
    set_(connection, payments_to_xero=True)
    books.pay(sent.number, day=DAY)
    read()
    remove_payment(Payment.objects.get())
    Connection.objects.update(invoices_read_to=None)
    read()
    assert rows(sent) == []


def test_documents_that_are_not_ours_are_passed_by(sent, read, books):
    books.type_invoice("THEIRS-1")
    books.pay("THEIRS-1")
    tally = read()
    assert tally.changes == 0
    assert not Payment.objects.exists()


# --- whoever dies in between --------------------------------------------------------------------------------------


class Died(BaseException):
    """The power went."""


@pytest.mark.parametrize("place", [Failpoint.LEASED, Failpoint.POLLED, Failpoint.NOTED, Failpoint.READ_ON])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_reading_that_dies_anywhere_is_read_again_and_counts_once(
    connection, sent, supplier, sync, books, read, monkeypatch, place, nth
):
    other = cast.placed_order(cast.venue(supplier, "Harbour View"), {"OAT-1L": 1}).invoice
    sync()
    books.pay(sent.number, "20.00", day=DAY)
    books.pay(sent.number, day=DAY)
    note = books.type_credit_note("Harbour View", Date="2026-11-01")
    books.allocate(note, other.number, 2)
    left = [nth]

    def die(reached):
        if reached == place:
            left[0] -= 1
            if left[0] == 0:
                raise Died

    monkeypatch.setattr(failpoints.plan, "watch", die)
    with contextlib.suppress(Died):
        read()
    monkeypatch.setattr(failpoints.plan, "watch", None)
    read()
    assert sorted(amount for _, amount, *_ in rows(sent)) == [D("20.00"), sent.total - 20]
    assert money(sent) == (sent.total, 0, DAY)
    assert money(other)[:2] == (0, D("2.00"))
    assert Link.objects.filter(kind="allocation").count() == 1
    assert CreditInXero.objects.get().remaining == D("9.00")


# --- what it costs ------------------------------------------------------------------------------------------------


def reads(xero):
    """Calls of the accounting API since the statistics were reset."""
    short = {name.replace("/api.xro/2.0/", ""): count for name, count in xero.stats.calls.items()}
    return {name: count for name, count in short.items() if name.startswith("GET ")}


def test_nothing_changed_costs_one_call_and_credits_are_asked_rarely(sent, read, xero, later):
    read()
    xero.stats.reset()
    later(minutes=6)
    poll_due()
    assert reads(xero) == {"GET Invoices": 1}


def test_a_person_who_checks_one_invoice_costs_one_call(connection, sent, books, xero):
    books.pay(sent.number, day=DAY)
    xero.stats.reset()
    tally = check_invoice(connection, Link.objects.get(kind="invoice").xero_id)
    assert tally.settled == [sent.number]
    assert reads(xero) == {"GET Invoices": 1}


def test_check_now_reads_all_that_is_polled(connection, sent, books, xero):
    books.pay(sent.number, day=DAY)
    xero.stats.reset()
    assert check_now(connection).payments == 1
    assert reads(xero) == {"GET Invoices": 1, "GET CreditNotes": 1, "GET Overpayments": 1}


def test_the_day_sets_the_pace(settings):
    settings.XERO_POLL_SECONDS, settings.XERO_KEEP_BACK_DAY = 300, 50
    seconds = [pace(left).total_seconds() for left in (None, 5000, 1000, 250, 54, 50, 0)]
    assert seconds == [300, 300, pytest.approx(363.8, abs=0.1), 1728, 10800, 10800, 10800]


def test_more_changes_than_a_page_holds_are_all_read(connection, sent, books, monkeypatch, supplier, sync, read):
    """Sought by time: each page begins where the one before it ended."""
    monkeypatch.setattr(poll, "PAGE", 2)
    cafe = supplier.customers.get()
    more = [cast.invoice(cafe) for _ in range(6)]
    sync()
    for invoice in [sent, *more]:
        books.pay(invoice.number, day=DAY)
    tally = read()
    assert all(fresh(invoice).settled_on == DAY for invoice in [sent, *more])
    assert tally.payments == 7


def test_a_starter_day_is_not_eaten_by_readings(connection, sent, xero, later):
    """1,000 calls a day, people's part of them included: readings slow down and leave most to sending."""
    xero.switches["starter_tier"] = True
    xero.limits.on = True
    xero.stats.reset()
    for _ in range(4 * 24):
        later(minutes=15)
        poll_due()
    readings = sum(reads(xero).values())
    assert 4 * 24 <= readings <= 250
    assert Connection.objects.get().day_left > 700
