"""Surcharges, credits that apply themselves, and the count of what waits, all the way into Xero's books."""

from datetime import date
from decimal import Decimal

import pytest

import cast
from provender.invoicing.models import Invoice
from provender.ordering.actions import cancel_order, edit_order
from provender.payments.actions import undo_allocation
from provender.payments.credits import give_credit
from provender.payments.models import Allocation, Payment
from provender.payments.payouts import PayoutEntry, close_payout, enter_payout
from provender.payments.surcharges import record_with_surcharge, remove_with_surcharge, set_surcharges
from provender.sync import failpoints
from provender.sync.actions import send_ours
from provender.sync.choices import save_settings, settings_troubles, tax_kind_trouble
from provender.sync.errors import SettingRefused
from provender.sync.failpoints import Failpoint
from provender.sync.models import Connection, Link, Problem
from provender.sync.outstanding import count_outstanding
from provender.sync.queries import status, xero_line
from provender.sync.verify import verify_books

pytestmark = pytest.mark.django_db
D = Decimal
DAY = date(2026, 11, 10)


@pytest.fixture
def connection(connection):
    """With payments going to Xero, and surcharges on an account of their own."""
    surcharges = connection.accounts.get(code="260").account_id
    Connection.objects.filter(pk=connection.pk).update(payments_to_xero=True, surcharge_account=surcharges)
    connection.refresh_from_db()
    return connection


@pytest.fixture
def cafe(connection, supplier):
    set_surcharges(supplier, {"visa": D("1.5")})
    return cast.venue(supplier, "Corner Cafe")


@pytest.fixture
def invoice(cafe, sync):
    """In Xero already: 4 oat milk, 19.80."""
    made = cast.invoice(cafe)
    sync()
    return made


def pay(invoice, amount="19.80"):
    return record_with_surcharge(invoice, amount=D(amount), date=DAY, method=Payment.Method.VISA)


def credit(cafe, **fields):
    return give_credit(cafe.supplier, cafe, lines=[cast.line(quantity=1)], date=date(2026, 11, 3), **fields)  # 4.95


def set_(connection, **settings):
    Connection.objects.filter(pk=connection.pk).update(**settings)
    connection.refresh_from_db()


def equal(supplier):
    assert verify_books(supplier).differences == []
    return True


def allocated(books, number):
    return {
        one["Invoice"]["InvoiceNumber"]: str(one["Amount"]) for one in books.find_credit_note(number)["Allocations"]
    }


# --- surcharges ---------------------------------------------------------------------------------------------------


def test_xero_has_the_line_before_the_payment(invoice, sync, books, xero, supplier):
    xero.stats.reset()
    pay(invoice)
    sync()
    theirs = books.find_invoice(invoice.number)
    assert (str(theirs["Total"]), theirs["Status"]) == ("20.10", "PAID")
    (line,) = [one for one in theirs["LineItems"] if one["Description"] == "Surcharge Visa 1.5 %"]
    assert (line["AccountCode"], line["TaxType"]) == ("260", "OUTPUT")
    written = [name for name in xero.stats.calls if not name.startswith("GET")]
    assert written == ["POST /api.xro/2.0/Invoices", "PUT /api.xro/2.0/Payments"]
    assert equal(supplier)


def test_taken_back_together_xero_follows(invoice, sync, books, supplier):
    payment = pay(invoice)
    sync()
    remove_with_surcharge(payment)
    sync()
    theirs = books.find_invoice(invoice.number)
    assert (str(theirs["Total"]), theirs["Status"]) == ("19.80", "AUTHORISED")
    assert equal(supplier)


class Died(Exception):
    pass


@pytest.mark.parametrize("place", [Failpoint.CLAIMED, Failpoint.ANSWERED, Failpoint.RECORDED])
@pytest.mark.parametrize("nth", [1, 2])
def test_whoever_dies_between_the_two_the_next_one_goes_on(
    invoice, sync, later, books, supplier, place, nth, monkeypatch
):
    """The first is the invoice's, the second the payment's."""
    pay(invoice)
    left = [nth]

    def watch(reached):
        left[0] -= reached == place
        if left[0] == 0:
            monkeypatch.setattr(failpoints.plan, "watch", None)
            raise Died

    monkeypatch.setattr(failpoints.plan, "watch", watch)
    with pytest.raises(Died):
        sync()
    theirs = books.find_invoice(invoice.number)
    assert not (theirs["Payments"] and str(theirs["Total"]) != "20.10")
    for _ in range(6):
        later(seconds=400)
        sync()
    theirs = books.find_invoice(invoice.number)
    assert (str(theirs["Total"]), theirs["Status"], len(theirs["Payments"])) == ("20.10", "PAID", 1)
    assert not Problem.objects.filter(solved_at=None).exists()
    assert equal(supplier)


def test_the_payment_waits_while_a_person_is_asked_about_its_invoice(invoice, sync, books, connection, supplier):
    books.edit_invoice(invoice.number, LineItems=[{"Description": "Mine", "UnitAmount": 9, "AccountCode": "200"}])
    pay(invoice)
    sync()
    problem = Problem.objects.get(solved_at=None)
    assert (problem.kind, problem.cause) == ("invoice", "edited-in-xero")
    assert books.find_invoice(invoice.number)["Payments"] == []
    assert count_outstanding(connection) == {}  # `sync --wait` doesn't wait for a person
    send_ours(problem, None)
    assert count_outstanding(connection) == {"invoice": 1, "payment": 1}
    sync()
    assert books.find_invoice(invoice.number)["Status"] == "PAID"
    assert equal(supplier)


# --- the tax of freight and surcharges ----------------------------------------------------------------------------


def test_an_account_has_to_take_the_tax_of_what_goes_there(connection, supplier):
    """An expense account takes tax-free sales in no country's rates, so it is told which."""
    freight = connection.accounts.get(code="425").account_id
    with pytest.raises(SettingRefused) as refused:
        save_settings(connection, {"freight_account": freight}, None)
    assert refused.value.errors.keys() == {"freight_account"}
    assert "can't carry the tax type “GST on Income”" in refused.value.errors["freight_account"]
    for rate in connection.tax_rates.filter(tax_type=connection.tax_type_free):
        rate.applies_to = ["REVENUE", "EXPENSE"]
        rate.save()
    supplier.freight_tax_kind = "free"
    supplier.save()
    connection = Connection.objects.get()
    save_settings(connection, {"freight_account": freight}, None)
    assert settings_troubles(connection) == []
    trouble = tax_kind_trouble(supplier, "freight_account", "gst")
    assert trouble.startswith("Freight account: 425 · Freight & Courier can't carry the tax type “GST on Income”")
    supplier.freight_tax_kind = "gst"
    supplier.save()
    assert len(settings_troubles(Connection.objects.get())) == 1


def test_freight_goes_with_the_tax_that_is_set(connection, supplier, sync, books):
    supplier.freight_tax_kind = "free"
    supplier.save()
    venue = cast.venue(supplier, "Harbour Bar", freight_group=cast.freight_group(supplier, charge="10.00"))
    freight = cast.ordering.OrderLineDraft(kind="freight")
    order = cast.placed_order(venue, lines=[*cast.goods(supplier, {"OAT-1L": 1}), freight])
    supplier.freight_tax_kind = "gst"
    supplier.save()
    assert order.invoice.total == D("14.95")
    sync()
    theirs = books.find_invoice(order.invoice.number)
    assert [one["TaxType"] for one in theirs["LineItems"]] == ["OUTPUT", "EXEMPTOUTPUT"]
    edit_order(order, lines=[*cast.goods(supplier, {"OAT-1L": 2}), *_drafts(order)[1:]], by=None)
    sync()
    assert str(books.find_invoice(order.invoice.number)["Total"]) == "19.90"
    assert equal(supplier)


def _drafts(order):
    from provender.ordering.lines import draft_of

    return [draft_of(line) for line in order.lines.select_related("product")]


# --- credits ------------------------------------------------------------------------------------------------------


def test_a_credit_applies_itself_in_xero_too_and_follows_edits_and_cancellation(cafe, supplier, sync, books):
    first = cast.placed_order(cafe)
    made = credit(cafe, invoice=first.invoice)
    sync()
    assert allocated(books, made.number) == {"INV-1": "4.95"}
    edit_order(first, lines=cast.goods(supplier, {"OAT-1L": 9}), by=None)
    sync()
    assert (allocated(books, made.number), str(books.find_invoice("INV-1")["AmountDue"])) == (
        {"INV-1": "4.95"},
        "39.60",
    )
    assert equal(supplier)
    cancel_order(first, by=None)
    sync()
    assert (allocated(books, made.number), books.find_invoice("INV-1")["Status"]) == ({}, "VOIDED")
    assert not Problem.objects.filter(solved_at=None).exists()
    assert equal(supplier)


def test_a_draft_credit_note_waits_in_xero_and_is_not_waited_for(cafe, connection, supplier, sync, books):
    set_(connection, credit_note_status="DRAFT")
    invoice = cast.placed_order(cafe).invoice
    made = credit(cafe, invoice=invoice)
    assert count_outstanding(connection) == {"invoice": 1, "credit_note": 1, "allocation": 1}
    sync()
    assert (made.remaining, allocated(books, made.number), count_outstanding(connection)) == (0, {}, {})


# --- what waits ---------------------------------------------------------------------------------------------------


def test_money_that_waits_is_counted_and_named(cafe, connection, supplier, sync, books):
    set_(connection, auto_reconcile=True)
    invoice, other = cast.invoice(cafe), cast.invoice(cafe)
    pay(invoice, "9.80")
    made = credit(cafe, invoice=other)
    entries = [PayoutEntry(gross=D("14.85"), fee=D("0.20"), invoice_number=other.number)]
    close_payout(enter_payout(supplier, provider="PayWave", reference="PO-1", date=DAY, entries=entries))
    waiting = {"invoice": 2, "credit_note": 1, "allocation": 1, "payment": 1, "payout": 1}
    assert count_outstanding(connection) == waiting
    line = xero_line(supplier)
    assert (line.waiting, status(supplier)["waiting"]) == (6, 6)
    assert line.what_waits == ("2 invoices, 1 credit note, 1 allocation, 1 payment and 1 deposit")
    sync()
    told = status(supplier)
    assert (told["waiting"], count_outstanding(connection)) == (0, {})
    assert told["in_step"] == {
        "contacts": 1,
        "invoices": 2,
        "credit_notes": 1,
        "payments": 2,  # one in the deposit
        "allocations": 1,
        "payouts": 1,
    }
    undo_allocation(Allocation.objects.get(credit_note=made))
    assert count_outstanding(connection) == {"allocation": 1}
    sync()
    assert (status(supplier)["in_step"]["allocations"], count_outstanding(connection)) == (0, {})


def test_what_a_setting_keeps_here_does_not_wait(cafe, connection, sync, later):
    set_(connection, payments_to_xero=False)
    invoice = cast.invoice(cafe)
    sync()
    cast.payment(invoice)
    assert count_outstanding(connection) == {}
    assert Link.objects.filter(kind="invoice").count() == Invoice.objects.count() == 1
