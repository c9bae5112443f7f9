"""verify-books on money: nothing when all is equal, and just the difference that was made on purpose."""

from datetime import date
from decimal import Decimal

import pytest

import cast
from provender.payments.actions import allocate_credit, refund_credit, remove_payment, undo_allocation
from provender.payments.models import Payout
from provender.payments.payouts import PayoutEntry, close_payout, enter_payout, undo_payout
from provender.sync import actions
from provender.sync.models import Link, Problem
from provender.sync.nightly import compare_nightly
from provender.sync.poll import poll
from provender.sync.queries import problems_of
from provender.sync.verify import verify_books
from provender.sync.verify_money import read_mark
from provender.sync.verify_reading import read_day
from sync.kept import once

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def money(supplier, connection, sync, xero):
    """A credit note set against an invoice and paid back in part, a payment, and a payout with its fee, all in Xero."""

    def make():
        fees = connection.accounts.get(code="404").account_id
        supplier.connections.update(payments_to_xero=True, auto_reconcile=True, fee_account=fees, mark_as_paid=True)
        cafe = cast.venue(supplier, "Corner Cafe")
        first, second, third = (cast.invoice(cafe) for _ in range(3))
        credit = cast.credit_note(cafe, cast.line(quantity=4))  # 19.80
        made = {
            "credit": credit,
            "allocation": allocate_credit(credit, first, amount=D("9.00"), date=first.date),
            "refund": refund_credit(credit, amount=D("2.00"), date=first.date),
            "payment": cast.payment(second, "9.80"),
            "second": second,
            "third": third,
        }
        entries = [PayoutEntry(gross=third.due, fee=D("0.30"), invoice_number=third.number)]
        day = date(2026, 11, 12)
        entered = enter_payout(supplier, provider="PayWave", reference="PO-1", date=day, entries=entries)
        made["payout"] = close_payout(entered)
        sync()
        return made

    return once(make, connection, xero)


def found(supplier):
    return sorted((one.kind, one.field) for one in verify_books(supplier).differences)


def test_all_equal(supplier, money):
    report = verify_books(supplier)
    assert report.differences == []
    assert report.checked == {
        "contacts": 1,
        "invoices": 3,
        "credit_notes": 1,
        "allocations": 1,
        "payments": 3,
        "payouts": 1,
    }


def test_taken_back_on_both_sides_is_equal(supplier, money, sync):
    undo_allocation(money["allocation"])
    remove_payment(money["payment"])
    remove_payment(money["refund"])
    undo_payout(money["payout"])
    assert found(supplier) == []  # what is on its way isn't judged
    sync()
    assert found(supplier) == []


@pytest.mark.parametrize(
    ("act", "differences"),
    [
        (lambda books, m: books.pay(m["second"].number, "1.00"), [("payment", "exists")]),
        (lambda books, m: books.allocate(m["credit"].number, m["second"].number, "1.00"), [("allocation", "exists")]),
        (lambda books, _: books.remove_payment(payment_in("9.80")), [("payment", "exists")]),
        (lambda books, _: books.remove_payment(payment_in("2.00")), [("payment", "exists")]),
        (
            lambda books, _: books.remove_batch(the("payout")),
            [("payment", "exists"), ("payout", "exists")],
        ),
        (
            lambda books, _: books.remove_allocation(Link.objects.get(kind="allocation").xero_id),
            [("allocation", "exists")],
        ),
    ],
)
def test_what_a_bookkeeper_does_is_the_difference_that_is_named(supplier, money, books, act, differences):
    act(books, money)
    assert [one for one in found(supplier) if one[0] != "invoice"] == differences


def the(kind):
    return Link.objects.get(kind=kind).xero_id


def payment_in(amount):
    ids = Link.objects.filter(kind="payment", total=D(amount)).values_list("xero_id", flat=True)
    return ids.get()


def test_a_row_changed_behind_the_senders_back_is_found(supplier, money):
    money["payment"].amount = D("9.70")
    money["payment"].save(update_fields=["amount"])
    money["payout"].fee = D("0.20")
    money["payout"].save(update_fields=["fee"])
    money["credit"].lines.update(unit_price=D("4.40"))
    assert found(supplier) == [("credit_note", "lines[0].unit_amount"), ("fee", "total"), ("payment", "amount")]


def test_a_payment_twice_in_xero_is_a_double(supplier, money, books):
    books.pay(money["second"].number, "1.00", reference=f"pv-{money['payment'].pk}")
    assert ("payment", "double") in found(supplier)


@pytest.mark.parametrize("text", ["", None, "pv-", "pv-17", "EFT 771"])
def test_what_is_no_mark_isnt_read_as_one(text):
    assert read_mark(text) is None


def test_days_are_read_as_xero_writes_them():
    assert read_day("/Date(1539993600000+0000)/") == date(2018, 10, 20)
    assert read_day("2018-10-20T00:00:00") == date(2018, 10, 20)
    assert read_day(None) is None


@pytest.fixture
def credit(supplier, connection, sync, xero):
    """A credit note of an invoice of Corner Cafe, in Xero, of nothing used yet."""

    def make():
        cafe = cast.venue(supplier, "Corner Cafe")
        lines = cast.line(quantity=2), cast.line("Beans", 1)
        made = cast.credit_note(cafe, *lines, invoice=cast.invoice(cafe), reason="One leaked")
        sync()
        return made

    return once(make, connection, xero)


def test_everything_of_a_credit_note_is_compared(supplier, credit):
    report = verify_books(supplier)
    assert (report.differences, report.checked["credit_notes"]) == ([], 1)


def _bare(line):
    """A line as somebody types it: what follows from the rest is left out."""
    return {name: value for name, value in line.items() if name not in {"LineAmount", "TaxAmount", "AccountID"}}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Reference": "changed"}, "reference"),
        ({"CreditNoteNumber": "X-1"}, "number"),
        ({"Date": "2026-01-02"}, "date"),
        ({"Contact": {"Name": "Somebody else"}}, "contact"),
    ],
)
def test_a_changed_head_of_a_credit_note_is_named(supplier, credit, books, change, field):
    books.edit_credit_note(credit.number, **change)
    assert [one.field for one in verify_books(supplier).differences] == [field]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"AccountCode": "260"}, ["lines[1].account_code"]),
        ({"Description": "Ground beans"}, ["lines[1].description"]),
        ({"TaxType": "EXEMPTOUTPUT"}, ["lines[1].tax_amount", "lines[1].tax_type", "total", "total_tax"]),
        (None, ["lines", "subtotal", "total", "total_tax"]),
    ],
)
def test_a_changed_line_of_a_credit_note_is_named(supplier, credit, books, change, fields):
    first, last = (_bare(line) for line in books.find_credit_note(credit.number)["LineItems"])
    books.edit_credit_note(credit.number, LineItems=[first, *([last | change] if change else [])])
    assert sorted(one.field for one in verify_books(supplier).differences) == fields


def test_a_credit_note_that_only_we_think_is_in_xero_is_named(supplier, credit):
    Link.objects.filter(kind="credit_note").delete()
    assert ("credit_note", "exists") in found(supplier)


# --- by night -----------------------------------------------------------------------------------------------------


def asked():
    """What needs a person, by kind and cause."""
    return sorted(Problem.objects.filter(solved_at=None).values_list("kind", "cause"))


def mend(act, connection, sync):
    """Do that about the one problem there is; then everything is equal, and nothing is left to ask."""
    act(Problem.objects.get(solved_at=None), None)
    sync()
    assert verify_books(connection.supplier).differences == []
    compare_nightly(connection)
    assert asked() == []


def the_link(kind, document):
    return Link.objects.get(kind=kind, document=document.pk).xero_id


MADE_IN_XERO = {
    "a payment by hand": lambda books, m: books.pay(m["second"].number, "1.00"),
    "a credit by hand": lambda books, m: books.allocate(m["credit"].number, m["second"].number, "1.00"),
}
TAKEN_OUT_IN_XERO = {
    "payment": lambda books, m: books.remove_payment(the_link("payment", m["payment"])),
    "refund": lambda books, m: books.remove_payment(the_link("payment", m["refund"])),
    "allocation": lambda books, m: books.remove_allocation(the_link("allocation", m["allocation"])),
}


@pytest.mark.parametrize("act", MADE_IN_XERO.values(), ids=MADE_IN_XERO)
def test_money_that_no_reading_saw_is_counted_by_a_button(money, connection, books, sync, act):
    connection.refresh_from_db()
    act(books, money)
    assert (compare_nightly(connection), compare_nightly(connection)) == (1, 0)
    assert asked() == [("invoice", "not-counted")]
    assert "of 1.00 on INV-" in row_of(connection).sentence
    mend(actions.count_it, connection, sync)


def row_of(connection):
    (row,) = problems_of(connection.supplier)
    return row


@pytest.mark.parametrize("which", TAKEN_OUT_IN_XERO)
def test_money_taken_out_in_xero_is_asked_about(money, connection, books, sync, which):
    TAKEN_OUT_IN_XERO[which](books, money)
    compare_nightly(connection)
    kind = "allocation" if which == "allocation" else "payment"
    assert asked() == [(kind, "payment-removed")]
    assert row_of(connection).url_in_xero
    mend(actions.reopen, connection, sync)


def test_kept_as_paid_stays_quiet(money, connection, books):
    TAKEN_OUT_IN_XERO["payment"](books, money)
    compare_nightly(connection)
    actions.keep_as_paid(Problem.objects.get(), None)
    assert compare_nightly(connection) == 0


def test_what_a_reading_mends_is_no_problem_any_more(money, connection, books):
    TAKEN_OUT_IN_XERO["payment"](books, money)
    MADE_IN_XERO["a payment by hand"](books, money)
    compare_nightly(connection)
    assert asked() == [("invoice", "not-counted"), ("payment", "payment-removed")]
    poll(connection)
    assert asked() == [("invoice", "not-counted")]
    compare_nightly(connection)
    assert asked() == []


def test_a_deposit_deleted_in_xero_is_one_problem_and_made_anew(money, connection, books, sync):
    books.remove_batch(the("payout"))
    assert compare_nightly(connection) == 1
    assert asked() == [("payout", "removed-in-xero")]
    assert [one.do for one in row_of(connection).repairs] == ["send-again", "open-payout", "leave"]
    mend(actions.try_again, connection, sync)


def test_a_deposit_that_was_changed_is_made_anew_when_ours_is_sent(money, connection, supplier, sync):
    sent = Payout.objects.get()
    Payout.objects.update(reference="PO-1a")  # as if the one in Xero had been changed
    compare_nightly(connection)
    assert asked() == [("payout", "differs")]
    assert [one.do for one in row_of(connection).repairs] == ["keep-theirs", "send-ours"]
    before = the_link("payout", sent)
    mend(actions.send_ours, connection, sync)
    assert the_link("payout", sent) != before


def test_what_counts_here_no_more_is_taken_out_there_when_sent_again(money, connection, sync):
    remove_payment(money["payment"], told_by_xero=True)
    undo_allocation(money["allocation"], told_by_xero=True)
    assert compare_nightly(connection) == 2
    assert asked() == [("allocation", "still-in-xero"), ("payment", "still-in-xero")]
    actions.send_again(connection, "still-in-xero", None)
    sync()
    assert verify_books(connection.supplier).equal


def test_a_second_payment_with_our_mark_is_named(money, connection, books):
    connection.refresh_from_db()
    books.pay(money["second"].number, "1.00", reference=f"pv-{money['payment'].pk}")
    compare_nightly(connection)
    assert asked() == [("payment", "orphan")]
    assert "it is there twice" in row_of(connection).sentence


def test_a_fee_that_was_changed_can_only_be_left(money, connection):
    Payout.objects.update(fee="0.20")
    compare_nightly(connection)
    assert [one.do for one in row_of(connection).repairs] == ["open-payout", "leave"]
    actions.leave(Problem.objects.get(), None)
    assert compare_nightly(connection) == 0
    Payout.objects.update(fee="0.10")
    assert compare_nightly(connection) == 1


def test_ours_or_theirs_of_a_credit_note(credit, connection, books, sync):
    books.edit_credit_note(credit.number, Reference="typed over")
    assert (compare_nightly(connection), compare_nightly(connection)) == (1, 0)
    assert asked() == [("credit_note", "differs")]
    actions.keep_theirs(Problem.objects.get(), None)
    assert compare_nightly(connection) == 0
    books.edit_credit_note(credit.number, Reference="typed over again")
    assert compare_nightly(connection) == 1
    mend(actions.send_ours, connection, sync)


def test_what_xero_takes_no_change_to_is_not_offered_to_be_sent(credit, connection, books, sync):
    books.edit_credit_note(credit.number, Reference="typed over")
    allocate_credit(credit, credit.invoice, amount=D("1.00"), date=credit.date)
    sync()
    compare_nightly(connection)
    assert [one.do for one in row_of(connection).repairs] == ["keep-theirs", "open-in-xero"]


def test_a_credit_note_that_is_put_right_in_xero_is_no_problem_any_more(credit, connection, books):
    before = books.find_credit_note(credit.number)["Reference"]
    books.edit_credit_note(credit.number, Reference="typed over")
    compare_nightly(connection)
    books.edit_credit_note(credit.number, Reference=before)
    compare_nightly(connection)
    assert asked() == []


def test_a_credit_note_voided_in_xero_is_told(credit, connection, books):
    books.edit_credit_note(credit.number, Status="VOIDED")
    compare_nightly(connection)
    assert asked() == [("credit_note", "voided-in-xero")]


def test_by_night_what_is_on_its_way_is_left_alone(money, connection, sync):
    undo_allocation(money["allocation"])
    remove_payment(money["payment"])
    undo_payout(money["payout"])
    assert compare_nightly(connection) == 0
    sync()
    assert compare_nightly(connection) == 0


def test_a_quiet_night_takes_few_calls(money, connection, xero):
    """A call of each thousand: a Starter day has a thousand calls, and the night takes eight of them."""
    xero.switches["starter_tier"] = True
    xero.limits.on = True
    xero.stats.reset()
    assert compare_nightly(connection) == 0
    calls = {name.replace("/api.xro/2.0/", ""): count for name, count in xero.stats.calls.items()}
    assert calls == {
        "GET Accounts": 1,
        "GET Items": 1,
        "GET Contacts": 1,
        "GET Invoices": 1,
        "GET CreditNotes": 1,
        "GET Payments": 1,
        "GET BatchPayments": 1,
        "GET BankTransactions": 1,
    }
