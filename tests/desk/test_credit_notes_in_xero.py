"""How a credit note stands in Xero, on its page; and what a person decides when somebody changed it there."""

from decimal import Decimal

import pytest
from django.utils.html import escape

import cast
from provender.invoicing.credit_notes import void_credit_note
from provender.payments.actions import allocate_credit
from provender.sync.models import Problem

pytestmark = pytest.mark.django_db
PAGE = "/w/harbour/credit-notes"
SEND = "/w/harbour/xero/send"


@pytest.fixture
def theo(desk, connection):
    """The bookkeeper's browser, at a connected wholesaler."""
    return desk("theo")


@pytest.fixture
def credit(order):
    """One oat milk of Corner Cafe's invoice, not sent yet."""
    return cast.credit_note(order.customer, invoice=order.invoice, reason="One carton leaked")


@pytest.fixture
def edited(credit, sync, books):
    """Sent; then 3 instead of 1 were typed in Xero, and another reason here."""
    sync()
    [line] = books.find_credit_note(credit.number)["LineItems"]
    kept = ("LineItemID", "Description", "UnitAmount", "AccountCode", "TaxType")
    typed = {name: line[name] for name in kept if name in line} | {"Quantity": Decimal(3)}
    books.edit_credit_note(credit.number, LineItems=[typed])
    return credit


def panel(browser, credit):
    return browser.get(f"{PAGE}/{credit.pk}").text.split('id="xero-panel"')[1].split("</section>")[0]


def test_before_connecting_it_leads_to_xero(desk, supplier):
    credit = cast.credit_note(cast.venue(supplier))
    assert "Xero is not connected." in panel(desk("theo"), credit)


def test_waiting_it_asks_until_it_is_there(theo, credit, sync):
    assert "Goes to Xero by itself, within a minute." in panel(theo, credit)
    asked = {"headers": {"hx-request": "true"}}
    assert theo.get(f"{PAGE}/{credit.pk}", **asked).status_code == 204
    sync()
    assert "xero-panel" in theo.get(f"{PAGE}/{credit.pk}", **asked).text


def test_sent_it_shows_its_twin_and_goes_again(theo, credit, sync, books):
    sync()
    shown = panel(theo, credit)
    theirs = books.find_credit_note(credit.number)
    for text in ("Sent", "CN-1", "Approved", "$4.95", "same as here", "Send again"):
        assert text in shown
    assert f"view=credit-notes#{theirs['CreditNoteID']}" in shown
    said = theo.post(SEND, {"credit_note": str(credit.pk)}, headers={"referer": f"http://testserver{PAGE}/{credit.pk}"})
    assert "1 credit note on the way to Xero." in theo.get(said.url).text
    assert "Waiting" in panel(theo, credit)
    sync()
    assert "same as here" in panel(theo, credit)


def test_one_that_was_never_sent_can_be_sent_by_hand(theo, connection, order, sync):
    connection.automatic_sync = False
    connection.save()
    credit = cast.credit_note(order.customer)
    assert "Send to Xero" in panel(theo, credit)
    theo.post(SEND, {"credit_note": [str(credit.pk), "no id"]})
    sync()
    assert "same as here" in panel(theo, credit)


def test_nobody_sends_anothers_credit_note(theo, sync):
    theirs = cast.credit_note(cast.venue(cast.supplier("southern")))
    assert "There is nothing to send" in theo.post(SEND, {"credit_note": str(theirs.pk)}, follow=True).text


def test_cancelled_it_says_so(theo, credit, sync):
    sync()
    void_credit_note(credit)
    sync()
    assert "Voided" in panel(theo, credit)


def test_a_refusal_stands_there_with_its_button(theo, supplier, order, sync):
    credit = cast.credit_note(order.customer, cast.line(sales_account="999"))
    sync()
    shown = panel(theo, credit)
    assert "Needs you" in shown
    assert escape("account 999 isn't one that an invoice line can use") in shown
    assert "Send again" in shown
    problem = Problem.objects.get(kind="credit_note")
    theo.post(f"/w/harbour/xero/problems/{problem.pk}/again")
    assert "Waiting" in panel(theo, credit)


def test_an_account_of_a_product_is_mended_there_also_for_a_credit_that_is_used(theo, supplier, order, sync, books):
    cups = cast.product(supplier, "CUP-8OZ")  # its account, 201, isn't in Xero
    line = cast.line("Paper cup 8oz", 100, "0.0375", product_id=cups.pk, sku="CUP-8OZ", sales_account="201")
    credit = cast.credit_note(order.customer, line)
    allocate_credit(credit, order.invoice, amount=Decimal("1.00"), date=order.invoice.date)
    sync()
    assert "Change it on the product" in panel(theo, credit)
    cups.sales_account = ""
    cups.save()
    problem = Problem.objects.get(kind="credit_note")
    theo.post(f"/w/harbour/xero/problems/{problem.pk}/again")
    sync()
    assert "same as here" in panel(theo, credit)
    assert str(books.find_credit_note(credit.number)["RemainingCredit"]) == str(credit.total - 1)


def test_a_credit_that_xero_does_not_take_is_told_here(theo, credit, order, sync, books):
    sync()
    books.pay(order.invoice.number)
    allocate_credit(credit, order.invoice, amount=Decimal("4.95"), date=order.invoice.date)
    sync()
    page = theo.get(f"{PAGE}/{credit.pk}").text.split("What became of it")[1].split('id="xero-panel"')[0]
    assert escape(Problem.objects.get(kind="allocation").raw) in page


@pytest.mark.parametrize(("do", "theirs"), [("keep-theirs", "14.85"), ("send-ours", "9.90")])
def test_edited_on_both_sides_both_are_shown_and_one_wins(theo, edited, sync, books, do, theirs):
    write = {"date": "2026-11-03", "reason": "Two leaked", "do": "save", "charge_key": [str(edited.lines.get().key)],
             "charge_item": ["Oat milk 1L"], "charge_quantity": ["2"], "charge_price": ["4.50"],
             "charge_kind": ["product"], "charge_tax": ["gst"]}  # fmt: skip
    theo.post(f"{PAGE}/{edited.pk}/edit", write)
    sync()
    problem = Problem.objects.get(cause="edited-in-xero")
    address = f"/w/harbour/xero/problems/{problem.pk}/{do}"
    assert address in panel(theo, edited)
    page = theo.get(address).text
    table = page.split('class="table sides"')[1].split("</table>")[0]
    for text in ("CN-1", "Quantity", "<td>2", "<td>3", "9.90", "14.85"):
        assert text in table
    assert "Due date" not in table
    assert 'In Xero: <span class="badge info">Approved' in page
    theo.post(address, {"shown": problem.found_at.isoformat()})
    sync()
    assert str(books.find_credit_note(edited.number)["Total"]) == theirs
