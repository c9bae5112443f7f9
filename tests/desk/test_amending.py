"""Editing what is paid, as people at the desk meet it: the ways with their amounts, one press, and what stays open."""

import re
from datetime import date

import pytest

import cast
from provender.desk.invoice_form import AMENDED, MOVES, STAYS
from provender.invoicing.models import CreditNote, Invoice
from provender.ordering.models import Order
from provender.payments.actions import remove_payment
from provender.payments.amending import Way, further_of
from provender.payments.models import Payment

pytestmark = pytest.mark.django_db
URL = "/w/harbour/orders"


@pytest.fixture
def paid(cafe):
    """A paid order: 10 oat milk, 2 coffee beans, 103.75."""
    order = cast.placed_order(cafe, {"OAT-1L": 10, "BEANS-1KG": 2})
    cast.payment(order.invoice, str(order.invoice.total))
    return order


def form(order, *quantities, **more):
    lines = list(order.lines.select_related("product"))
    many = [str(each) for each in (*quantities, *(line.quantity for line in lines[len(quantities) :]))]
    return {
        "order_date": order.order_date.isoformat(),
        "key": [str(line.key) for line in lines],
        "item": [line.product.sku for line in lines],
        "quantity": many,
        "price": [""] * len(lines),
        **more,
    }


def buttons(page):
    return dict(re.findall(r'name="do" value="(save:[^"]*)">([^<]*)<', page.text))


def test_the_ways_stand_there_with_their_amounts_before_the_press(desk, paid):
    theo = desk("theo")
    page = theo.get(f"{URL}/{paid.pk}/edit")
    assert "is paid, so it stays as it is" in page.text
    assert not buttons(page)
    page = theo.post(f"{URL}/{paid.pk}/edit", form(paid, 8, 3, do="show"))
    assert buttons(page) == {
        "save:both:9.90/27.13": "Save, with a credit note over $9.90 and further invoice over $27.13",
        "save:credit:9.90/27.13": "Save, with a credit note over $9.90",
        "save:further:9.90/27.13": "Save, with a further invoice over $27.13",
        "save:leave:9.90/27.13": "Save the order, leave the invoice",
    }
    assert "$17.23 too little is billed" in page.text
    live = theo.post(f"{URL}/{paid.pk}/edit", form(paid, 8, do="show"), headers={"hx-request": "true"})
    assert "Save, with a credit note over $9.90" in live.text
    assert not CreditNote.objects.exists()


def test_one_press_saves_the_order_and_makes_both(desk, paid):
    theo, sent = desk("theo"), form(paid, 8, 3, do="save:both:9.90/27.13")
    page = theo.post(f"{URL}/{paid.pk}/edit", sent, follow=True).text
    note, further = CreditNote.objects.get(), further_of(paid.invoice).get()
    assert f"credit note {note.number} over 9.90 and further invoice {further.number} over 27.13" in page
    assert f">{note.number}</a>" in page
    assert "What can be done" not in page
    assert "in addition to <a" in theo.get(f"/w/harbour/invoices/{further.pk}").text
    theo.post(f"{URL}/{paid.pk}/edit", sent)  # pressed twice
    assert (CreditNote.objects.count(), Invoice.objects.count()) == (1, 2)


def test_without_a_way_nothing_is_saved_and_the_ways_show(desk, paid):
    page = desk("theo").post(f"{URL}/{paid.pk}/edit", form(paid, 8, do="save"))
    assert "make a credit note or a further invoice for the difference" in page.text
    assert "save:credit:9.90/0.00" in buttons(page)
    assert paid.lines.first().quantity == 10


def test_amounts_that_moved_are_shown_first(desk, paid):
    page = desk("theo").post(f"{URL}/{paid.pk}/edit", form(paid, 8, do="save:credit:4.95/0.00"))
    assert "has changed since you looked" in page.text
    assert "save:credit:9.90/0.00" in buttons(page)
    assert not CreditNote.objects.exists()


def test_what_is_left_stays_said_and_open(desk, paid):
    theo = desk("theo")
    page = theo.post(f"{URL}/{paid.pk}/edit", form(paid, 8, do="save:leave:9.90/0.00"), follow=True).text
    assert "$103.75 is billed, and the order comes to $93.85. $9.90 too much is billed" in page
    assert "$93.85" in theo.get(URL).text
    page = theo.get(f"{URL}/{paid.pk}/amend")
    assert buttons(page) == {"save:credit:9.90/0.00": "Credit note over $9.90"}
    page = theo.post(f"{URL}/{paid.pk}/amend", {"do": "save:credit:9.90/0.00"}, follow=True).text
    assert "over 9.90." in page
    assert "too much is billed" not in page
    page = theo.post(f"{URL}/{paid.pk}/amend", {"do": "save:credit:9.90/0.00"}, follow=True).text
    assert "Nothing was left to make up for" in page
    assert CreditNote.objects.count() == 1


def test_who_takes_orders_leaves_credit_notes_to_the_books(desk, paid):
    mai = desk("mai")
    page = mai.post(f"{URL}/{paid.pk}/edit", form(paid, 8, 3, do="show"))
    assert list(buttons(page)) == ["save:further:9.90/27.13", "save:leave:9.90/27.13"]
    assert "Somebody who keeps the books can issue the credit note" in page.text
    assert mai.post(f"{URL}/{paid.pk}/edit", form(paid, 8, 3, do="save:both:9.90/27.13")).status_code == 403
    assert mai.post(f"{URL}/{paid.pk}/cancel", {"then": "keep"}).status_code == 403
    mai.post(f"{URL}/{paid.pk}/edit", form(paid, 8, 3, do="save:leave:9.90/27.13"))
    assert mai.post(f"{URL}/{paid.pk}/amend", {"do": "save:credit:9.90/27.13"}).status_code == 403
    assert desk("rex").get(f"{URL}/{paid.pk}/amend").status_code == 403
    assert not CreditNote.objects.exists()


def test_credit_notes_for_other_reasons_are_named(desk, paid):
    note = cast.credit_note(paid.customer, invoice=paid.invoice)
    page = desk("theo").post(f"{URL}/{paid.pk}/edit", form(paid, 8, do="show")).text
    assert "Credited for other reasons already" in page
    assert note.number in page


def test_an_invoice_itself_is_edited_so_too(desk, cafe):
    theo, invoice = desk("theo"), cast.invoice(cafe, cast.line(quantity=10))
    cast.payment(invoice, str(invoice.total))
    url, (line,) = f"/w/harbour/invoices/{invoice.pk}", invoice.lines.all()
    sent = {
        "charge_key": str(line.key), "charge_item": line.description, "charge_quantity": "8", "charge_price": "4.50",
        "charge_kind": "product", "charge_tax": "gst", "seen": "1",
    }  # fmt: skip
    page = theo.post(f"{url}/edit", {**sent, "do": "show"})
    assert buttons(page) == {"save:credit:9.90/0.00": "Credit note over $9.90"}
    for field, reason in STAYS.items():
        assert f'name="{field}"' in page.text
        assert reason in page.text
    assert page.text.count(" disabled") == len(STAYS)
    typed = {**sent, "do": "save:credit:9.90/0.00", "due_date": "2027-01-31", "comment": "typed all the same"}
    page = theo.post(f"{url}/edit", typed, follow=True).text
    assert "Edited since it has money on it" in page
    before, _ = (invoice.due_date, invoice.comment), invoice.refresh_from_db()
    assert (invoice.due_date, invoice.comment) == before
    assert 'value="8"' in theo.get(f"{url}/edit").text
    remove_payment(Payment.objects.get())
    assert theo.get(f"{url}/edit").text.count(AMENDED) == len(STAYS)
    theo.post(f"{url}/edit", {**sent, "do": "save:credit:9.90/0.00"})
    assert CreditNote.objects.count() == 1


def test_the_due_date_of_one_paid_in_part_can_be_moved(desk, cafe):
    theo, invoice = desk("theo"), cast.invoice(cafe, cast.line(quantity=10))
    cast.payment(invoice, "20.00")
    url, (line,) = f"/w/harbour/invoices/{invoice.pk}", invoice.lines.all()
    sent = {
        "charge_key": str(line.key), "charge_item": line.description, "charge_quantity": "10", "charge_price": "4.50",
        "charge_kind": "product", "charge_tax": "gst", "seen": "1", "due_date": "2026-12-31", "comment": "typed",
    }  # fmt: skip
    page = theo.post(f"{url}/edit", {**sent, "do": "show"})
    assert re.search(r'name="do" value="save">Save the due date<', page.text)
    assert MOVES in page.text
    assert page.text.count(" disabled") == len(STAYS) - 1
    assert (
        "An invoice falls due on its own date or later."
        in theo.post(f"{url}/edit", {**sent, "due_date": "2026-01-01", "do": "save"}).text
    )
    page = theo.post(f"{url}/edit", {**sent, "do": "save"}, follow=True).text
    assert "INV-1 is due on 31 Dec 2026, in its version 2." in page
    page = theo.post(f"{url}/edit", {**sent, "due_date": "2027-01-31", "do": "save"}).text
    assert "Theo changed this invoice" in page
    typed = {**sent, "charge_quantity": "8", "due_date": "2027-01-31", "seen": "2", "do": "save:credit:9.90/0.00"}
    assert (
        "INV-1 is due on 31 Jan 2027, in its version 3. Credit note CN-1 over 9.90."
        in theo.post(f"{url}/edit", typed, follow=True).text
    )
    invoice.refresh_from_db()
    assert (invoice.due_date, invoice.comment, str(invoice.total)) == (date(2027, 1, 31), "", "49.50")
    assert theo.get(f"{url}/edit").text.count(" disabled") == len(STAYS)  # amended, it stays


def test_cancelling_says_what_is_given_back_and_pays_it_back(desk, paid):
    theo = desk("theo")
    page = theo.get(f"{URL}/{paid.pk}/cancel").text
    assert "A credit note over $103.75, all of it that isn’t credited yet" in page
    assert "Is paid back: $103.75" in page
    page = theo.post(f"{URL}/{paid.pk}/cancel", {"then": "pay-back"}, follow=True).text
    assert "its invoice is credited" in page
    assert str(Payment.objects.get(credit_note=CreditNote.objects.get()).amount) == "103.75"


def test_a_paid_invoice_without_an_order_is_credited_whole(desk, cafe):
    invoice = cast.invoice(cafe)
    cast.payment(invoice, "5.00")
    theo, url = desk("theo"), f"/w/harbour/invoices/{invoice.pk}/void"
    page = theo.get(url).text
    assert "Credit all of invoice" in page
    assert "What is left to pay, $14.80, is settled by the credit note." in page
    theo.post(url, {"then": "keep"})
    note = CreditNote.objects.get()
    assert (str(note.total), str(note.remaining)) == ("19.80", "5.00")


def test_money_taken_back_lets_the_invoice_follow(desk, paid):
    theo = desk("theo")
    theo.post(f"{URL}/{paid.pk}/edit", form(paid, 8, do=f"save:{Way.LEAVE}:9.90/0.00"))
    theo.post(f"/w/harbour/payments/{Payment.objects.get().pk}/remove", {})
    assert "can follow" in theo.get(f"{URL}/{paid.pk}/amend").text
    page = theo.post(f"{URL}/{paid.pk}/amend", {"do": "save"}, follow=True).text
    assert "follows the order again, in its version 2" in page
    assert Order.objects.get().own_total is None
