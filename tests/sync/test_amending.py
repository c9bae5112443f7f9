"""A paid invoice that is amended, in the simulator's books."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

import cast
from provender.invoicing.actions import move_due_date
from provender.invoicing.models import CreditNote
from provender.ordering.actions import cancel_order, edit_order
from provender.ordering.lines import draft_of
from provender.ordering.models import Order
from provender.payments.actions import remove_payment
from provender.payments.amending import Way, Whole, further_of
from provender.sync.amending import amend_refused, closed_in_xero, refused_change
from provender.sync.errors import VersionUnknown
from provender.sync.models import Link, Problem
from provender.sync.verify import verify_books
from sync.kept import once

pytestmark = pytest.mark.django_db


@pytest.fixture
def sold(connection, supplier, sync, xero):
    """An order of 10 oat milk and 2 coffee beans, 103.75, whose invoice is in Xero."""
    xero.switches["half_cents_away_from_zero"] = True  # one pack of beans is 27.125; otherwise see test_switches

    def make():
        order = cast.placed_order(cast.venue(supplier, "Corner Cafe"), {"OAT-1L": 10, "BEANS-1KG": 2})
        sync()
        return order

    return once(make, connection, xero)


def fresh(order):
    return Order.objects.select_related("invoice", "customer", "supplier").get(pk=order.pk)


def edited(order, *quantities):
    lines = [draft_of(line) for line in order.lines.select_related("product")]
    return [replace(line, quantity=Decimal(many)) for line, many in zip(lines, quantities, strict=True)]


def credit_notes(xero):
    return xero.books()["organisations"][0]["CreditNotes"]


def test_the_books_show_the_invoice_as_it_was_and_what_amends_it(sold, supplier, sync, books, xero):
    cast.payment(sold.invoice, "100.00")
    edit_order(fresh(sold), lines=edited(sold, 8, 3), way=Way.BOTH, by=None)
    sync()
    theirs = books.find_invoice(sold.invoice.number)
    assert (str(theirs["Total"]), [int(line["Quantity"]) for line in theirs["LineItems"]]) == ("103.75", [10, 2])
    further = books.find_invoice(further_of(sold.invoice).get().number)
    assert str(further["Total"]) == "27.13"
    (note,) = credit_notes(xero)
    against = {each["Invoice"]["InvoiceID"]: str(each["Amount"]) for each in note["Allocations"]}
    assert str(note["Total"]) == "9.90"
    assert against == {theirs["InvoiceID"]: "3.75", further["InvoiceID"]: "6.15"}
    assert verify_books(supplier).equal


def test_a_cancelled_paid_order_is_credited_and_paid_back_there(sold, supplier, sync, books, xero, connection):
    connection.payments_to_xero = connection.refunds_to_xero = True
    connection.save(update_fields=["payments_to_xero", "refunds_to_xero"])
    cast.payment(sold.invoice, "103.75")
    sync()
    cancel_order(fresh(sold), then=Whole.PAY_BACK, by=None)
    sync()
    (note,) = credit_notes(xero)
    assert (str(note["Total"]), str(note["RemainingCredit"])) == ("103.75", "0.00")
    assert books.find_invoice(sold.invoice.number)["Status"] == "PAID"
    assert CreditNote.objects.get().remaining == 0
    assert verify_books(supplier).equal


# --- paid there, and known here only by Xero's refusal ------------------------------------------------------------


def problem():
    return Problem.objects.get(solved_at=None)


@pytest.fixture
def refused(sold, sync, books):
    """The same order, paid in Xero and edited here before anybody heard: fewer oat milk, more beans."""
    books.pay(sold.invoice.number)
    edit_order(fresh(sold), lines=edited(sold, 8, 3), by=None)
    sync()
    assert problem().cause == "paid-or-credited"
    return sold


def quantities(order):
    return [int(line.quantity) for line in order.invoice.lines.all()]


@pytest.mark.parametrize("way", [Way.BOTH, Way.LEAVE])
def test_what_xero_refused_is_brought_about_beside_it(refused, supplier, sync, books, xero, way):
    theirs = books.find_invoice(refused.invoice.number)
    invoice, difference = refused_change(problem())
    assert (str(difference.billed), str(difference.wanted), difference.shown) == ("103.75", "120.98", "9.90/27.13")
    amend_refused(problem(), way=way, shown="9.90/27.13", by=None)
    sync()
    assert not Problem.objects.filter(solved_at=None).exists()
    assert books.find_invoice(invoice.number) == theirs
    order = fresh(refused)
    assert (str(order.invoice.total), order.invoice.version, quantities(order)) == ("103.75", 3, [10, 2])
    assert str(order.own_total) == "120.98"
    assert [str(note["Total"]) for note in credit_notes(xero)] == (["9.90"] if way == Way.BOTH else [])
    assert [str(each.total) for each in further_of(invoice)] == (["27.13"] if way == Way.BOTH else [])
    assert verify_books(supplier).equal


def test_a_cancellation_that_xero_refused_opens_the_invoice_and_credits_it(sold, supplier, sync, books, xero):
    books.pay(sold.invoice.number)
    cancel_order(fresh(sold), by=None)
    sync()
    amend_refused(problem(), way=Way.CREDIT, by=None)
    sync()
    assert fresh(sold).invoice.status == "open"
    (note,) = credit_notes(xero)
    assert (str(note["Total"]), note["Allocations"]) == ("103.75", [])
    assert verify_books(supplier).equal


def test_a_payment_heard_of_meanwhile_holds_nothing_up(refused, supplier, sync):
    cast.payment(refused.invoice, "103.75")
    amend_refused(problem(), way=Way.BOTH, by=None)
    assert (fresh(refused).invoice.due, str(fresh(refused).invoice.total)) == (0, "103.75")


def test_the_ways_are_offered_on_the_problem_once(refused, theo):
    url = f"/w/harbour/xero/problems/{problem().pk}/amend"
    assert "Credit note or further invoice" in theo.get("/w/harbour/xero/problems").text
    page = theo.get(url).text
    assert "It is paid or credited in Xero, so it keeps its amount" in page
    assert "Credit note over $9.90 and further invoice over $27.13" in page
    sent = {"do": "save:both:9.90/27.13", "shown": problem().found_at.isoformat()}
    assert "is what Xero has again" in theo.post(url, sent, follow=True).text
    theo.post(url, sent)
    assert CreditNote.objects.count() == 1


def test_what_was_edited_there_before_is_for_hand(refused, theo):
    link = Link.objects.get(kind="invoice")
    Link.objects.filter(pk=link.pk).update(sent=link.sent.replace("10.0", "11.0").replace(":10,", ":11,"))
    with pytest.raises(VersionUnknown):
        refused_change(problem())
    page = theo.get(f"/w/harbour/xero/problems/{problem().pk}/amend", follow=True).text
    assert "is none of its versions here" in page


@pytest.fixture
def theo(supplier):
    """The bookkeeper's browser."""
    client = Client()
    client.force_login(cast.person("theo", supplier))
    return client


# --- edited once more ---------------------------------------------------------------------------------------------


@pytest.fixture
def billed_further(sold, sync):
    """The same order, paid, and then 3 coffee beans: a further invoice over 27.13 in Xero, not paid."""
    cast.payment(sold.invoice, "103.75")
    edit_order(fresh(sold), lines=edited(sold, 10, 3), way=Way.FURTHER, by=None)
    sync()
    return sold


def further(order):
    return further_of(order.invoice).get()


def test_the_next_edit_updates_the_further_invoice_there(billed_further, supplier, sync, books, xero):
    xero.stats.reset()
    edit_order(fresh(billed_further), lines=edited(billed_further, 12, 3), way=Way.FURTHER, by=None)
    sync()
    theirs = books.find_invoice(further(billed_further).number)
    assert (str(theirs["Total"]), further(billed_further).version) == ("37.03", 2)
    assert not [call for call in xero.stats.calls if call.startswith("PUT")]
    assert verify_books(supplier).equal
    edit_order(fresh(billed_further), lines=edited(billed_further, 10, 2), way=Way.FURTHER, by=None)
    sync()
    assert books.find_invoice(theirs["InvoiceNumber"])["Status"] == "VOIDED"
    assert verify_books(supplier).equal


def test_the_next_edit_updates_the_credit_note_there(sold, supplier, sync, xero):
    cast.payment(sold.invoice, "103.75")
    edit_order(fresh(sold), lines=edited(sold, 8, 2), way=Way.CREDIT, by=None)
    sync()
    edit_order(fresh(sold), lines=edited(sold, 7, 2), way=Way.CREDIT, by=None)
    sync()
    (note,) = credit_notes(xero)
    assert str(note["Total"]) == "14.85"
    edit_order(fresh(sold), lines=edited(sold, 10, 2), way=Way.CREDIT, by=None)
    sync()
    assert [note["Status"] for note in credit_notes(xero)] == ["VOIDED"]
    assert verify_books(supplier).equal


@pytest.mark.parametrize(("beans", "left"), [(4, "27.12"), (2, "-27.13")])
def test_a_further_invoice_paid_there_is_amended_beside_it(billed_further, supplier, sync, books, xero, beans, left):
    number = further(billed_further).number
    books.pay(number)
    edit_order(fresh(billed_further), lines=edited(billed_further, 10, beans), way=Way.FURTHER, by=None)
    sync()
    assert problem().cause == "paid-or-credited"
    first, difference = refused_change(problem())
    assert (first, str(difference.amount)) == (billed_further.invoice, left)
    amend_refused(problem(), way=Way.BOTH, shown=difference.shown, by=None)
    sync()
    assert not Problem.objects.filter(solved_at=None).exists()
    assert str(books.find_invoice(number)["Total"]) == "27.13"
    assert sorted(str(each.total) for each in further_of(billed_further.invoice)) == sorted(
        ["27.13"] if beans < 3 else ["27.13", "27.12"]
    )
    assert [str(note["Total"]) for note in credit_notes(xero)] == (["27.13"] if beans < 3 else [])
    assert verify_books(supplier).equal


# --- left as Xero has it ------------------------------------------------------------------------------------------


@pytest.fixture
def left(refused, sync):
    """The refused change was left: the invoice is what Xero has, the order isn't, and no payment is known here."""
    amend_refused(problem(), way=Way.LEAVE, by=None)
    sync()
    return fresh(refused)


def test_after_leaving_it_only_what_xero_takes_is_offered(left, theo):
    assert "What can be done" in theo.get(f"/w/harbour/orders/{left.pk}").text
    page = theo.get(f"/w/harbour/orders/{left.pk}/amend").text
    assert "is paid or credited in Xero" in page
    assert "Credit note over $9.90 and further invoice over $27.13" in page
    assert "can follow" not in page
    assert "Save, with a credit note over $9.90" in theo.get(f"/w/harbour/orders/{left.pk}/edit").text
    assert "takes its place, here and in Xero" in theo.get(f"/w/harbour/orders/{left.pk}/cancel").text


def test_what_is_offered_after_leaving_it_works(left, supplier, sync, theo, books, xero):
    theirs = books.find_invoice(left.invoice.number)
    theo.post(f"/w/harbour/orders/{left.pk}/amend", {"do": "save:both:9.90/27.13"})
    sync()
    assert not Problem.objects.filter(solved_at=None).exists()
    assert books.find_invoice(theirs["InvoiceNumber"]) == theirs
    (note,) = credit_notes(xero)
    (against,) = note["Allocations"]  # not the first invoice, which takes none
    assert (str(note["Total"]), against["Invoice"]["InvoiceNumber"]) == ("9.90", further(left).number)
    assert fresh(left).invoice.version == 3
    assert verify_books(supplier).equal


def test_a_later_edit_goes_beside_it_too(left, supplier, sync, xero):
    closed = closed_in_xero(left.invoice)
    edit_order(left, lines=edited(left, 9, 2), way=Way.CREDIT, closed=closed, by=None)
    sync()
    assert fresh(left).invoice.version == 3
    assert [str(note["Total"]) for note in credit_notes(xero)] == ["4.95"]
    assert verify_books(supplier).equal


def test_a_cancellation_after_leaving_it_is_a_credit_note(left, supplier, sync, theo, xero):
    theo.post(f"/w/harbour/orders/{left.pk}/cancel", {"then": "keep"})
    sync()
    assert not Problem.objects.filter(solved_at=None).exists()
    assert [str(note["Total"]) for note in credit_notes(xero)] == ["103.75"]
    assert verify_books(supplier).equal


def test_once_the_payment_is_known_here_it_says_itself_what_can_be_done(left, supplier):
    assert closed_in_xero(left.invoice) == {left.invoice.pk}
    payment = cast.payment(left.invoice, "103.75")
    assert closed_in_xero(left.invoice) == frozenset()
    remove_payment(payment)
    assert closed_in_xero(left.invoice) == frozenset()


def test_the_due_date_of_one_paid_in_part_follows_and_nothing_else_does(connection, supplier, sync, books):
    invoice = cast.invoice(cast.venue(supplier), cast.line(quantity=10))
    sync()
    books.pay(invoice.number, "20.00")
    cast.payment(invoice, "20.00")
    before = books.find_invoice(invoice.number)
    move_due_date(invoice, date(2026, 12, 31))
    sync()
    after = books.find_invoice(invoice.number)
    assert (before["DueDateString"][:10], after["DueDateString"][:10]) == ("2026-11-15", "2026-12-31")
    assert {name for name in after if after[name] != before.get(name)} == {"DueDate", "DueDateString"}
    assert not Problem.objects.exists()
    assert verify_books(supplier).equal
    books.pay(invoice.number)
    move_due_date(invoice, date(2027, 1, 31))
    sync()
    assert Problem.objects.get().cause == "paid-or-credited"
    assert books.find_invoice(invoice.number)["DueDateString"][:10] == "2026-12-31"
    amend_refused(Problem.objects.get(), way=Way.LEAVE, by=None)  # one press, and both sides say the same again
    invoice.refresh_from_db()
    assert invoice.due_date == date(2026, 12, 31)
    assert verify_books(supplier).equal


def test_a_due_date_does_not_carry_what_else_changed_nor_go_over_what_a_person_did(connection, supplier, sync, books):
    invoice = cast.invoice(cast.venue(supplier), cast.line(quantity=10))
    sync()
    books.pay(invoice.number, "20.00")
    cast.payment(invoice, "20.00")
    books.edit_invoice(invoice.number, DueDate="2026-11-20")
    move_due_date(invoice, date(2026, 12, 31))
    sync()
    assert Problem.objects.get().cause == "paid-or-credited"
    assert books.find_invoice(invoice.number)["DueDateString"][:10] == "2026-11-20"
