"""verify-books on money: nothing when all is equal, and just the difference that was made on purpose."""

from datetime import date
from decimal import Decimal

import pytest

import cast
from provender.payments.actions import allocate_credit, refund_credit, remove_payment, undo_allocation
from provender.payments.payouts import PayoutEntry, close_payout, enter_payout, undo_payout
from provender.sync.models import Link
from provender.sync.verify import verify_books
from provender.sync.verify_money import read_mark
from provender.sync.verify_reading import read_day

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def money(supplier, connection, sync):
    """A credit note set against an invoice and paid back in part, a payment, and a payout with its fee, all in Xero."""
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
def credit(supplier, connection, sync):
    """A credit note of an invoice of Corner Cafe, in Xero, of nothing used yet."""
    cafe = cast.venue(supplier, "Corner Cafe")
    lines = cast.line(quantity=2), cast.line("Beans", 1)
    made = cast.credit_note(cafe, *lines, invoice=cast.invoice(cafe), reason="One leaked")
    sync()
    return made


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
