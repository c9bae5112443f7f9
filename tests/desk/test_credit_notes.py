"""Credit notes on the screens: from an invoice or free, set against invoices, cancelled; and payments paid back."""

from decimal import Decimal

import pytest

import cast
from provender.basics import clock
from provender.invoicing.models import CreditNote
from provender.payments.models import Allocation, Payment

pytestmark = pytest.mark.django_db
DESK = "/w/harbour"
D = Decimal


@pytest.fixture
def theo(desk):
    return desk("theo")


@pytest.fixture
def cafe(supplier):
    return cast.venue(supplier)


@pytest.fixture
def invoice(cafe):
    return cast.invoice(cafe, cast.line(), cast.line("Paper cup 8oz", 100, "0.05"))  # 19.80 + 5.50


def lines(*rows):
    """The form's repeated fields: key, item, quantity, price."""
    names = ("charge_key", "charge_item", "charge_quantity", "charge_price", "charge_kind", "charge_tax")
    padded = [(*row, "other", "gst") for row in rows]
    return {name: [row[at] for row in padded] for at, name in enumerate(names)}


def write(browser, url, *rows, **header):
    typed = {
        "date": clock.today("Australia/Sydney"),
        "reason": "Two were broken",
        "do": "save",
        **header,
        **lines(*rows),
    }
    return browser.post(url, typed, follow=True)


def test_part_of_an_invoice_is_credited(theo, invoice):
    url = f"{DESK}/invoices/{invoice.pk}/credit"
    assert "Credit for invoice INV-1" in theo.get(url).text
    oat = invoice.lines.first()
    page = write(theo, url, (str(oat.key), "Oat milk 1L", "2", "4.50")).text
    assert "Credit note CN-1 over 9.90 is issued, and 9.90 of it is set against invoice INV-1." in page
    credit = CreditNote.objects.get()
    assert (credit.invoice, credit.total, credit.reason) == (invoice, D("9.90"), "Two were broken")
    assert "Credit note CN-1 over 9.90" in theo.get(f"{DESK}/invoices/{invoice.pk}").text


def test_more_than_the_invoice_is_asked_about(theo, invoice):
    url = f"{DESK}/invoices/{invoice.pk}/credit"
    page = write(theo, url, ("", "Goodwill", "1", "100.00")).text
    assert "110.00 is more than the 25.30 of invoice INV-1 that isn&#x27;t credited yet." in page
    assert not CreditNote.objects.exists()
    page = write(theo, url, ("", "Goodwill", "1", "100.00"), beyond="on").text
    assert "is issued, and 25.30 of it is set against invoice INV-1." in page


def test_a_free_credit_is_written_edited_and_cancelled(theo, cafe):
    assert f"{DESK}/customers/{cafe.pk}/credit" in theo.get(f"{DESK}/customers/{cafe.pk}").text
    assert "needs at least one line" in write(theo, f"{DESK}/customers/{cafe.pk}/credit").text
    assert "Write its price." in write(theo, f"{DESK}/customers/{cafe.pk}/credit", ("", "Goodwill", "1", "")).text
    write(theo, f"{DESK}/customers/{cafe.pk}/credit", ("", "Goodwill", "1", "10.00"))
    credit = CreditNote.objects.get()
    line = credit.lines.get()
    page = write(theo, f"{DESK}/credit-notes/{credit.pk}/edit", (str(line.key), "Goodwill", "1", "20.00")).text
    assert "Credit note CN-1 is saved." in page
    credit.refresh_from_db()
    assert (credit.total, credit.version) == (D("22.00"), 2)
    assert "is cancelled." in theo.post(f"{DESK}/credit-notes/{credit.pk}/void", {"why": "Typo"}, follow=True).text
    assert "used or cancelled" in theo.get(f"{DESK}/credit-notes/{credit.pk}/edit", follow=True).text


def test_it_is_set_against_invoices_and_taken_off(theo, cafe, invoice):
    credit = cast.credit_note(cafe, cast.line(quantity=2), invoice=invoice)
    url = f"{DESK}/credit-notes/{credit.pk}/allocate"
    assert 'value="9.90"' in theo.get(url).text
    assert "x” is not a number that can be read as an amount." in theo.post(url, {str(invoice.pk): "x"}).text
    assert "9.90 left, which is less than 9.91" in theo.post(url, {str(invoice.pk): "9.91"}).text
    assert "Write how much" in theo.post(url, {str(invoice.pk): ""}).text
    page = theo.post(url, {str(invoice.pk): "9.90"}, follow=True).text
    assert "9.90 of CN-1 set against 1 invoice." in page
    assert ">Applied<" in page
    allocation = Allocation.objects.get()
    back = theo.post(
        f"{DESK}/allocations/{allocation.pk}/undo",
        headers={"referer": f"http://testserver{DESK}/credit-notes/{credit.pk}"},
        follow=True,
    )
    assert "Credit note CN-1 is taken off invoice INV-1." in back.text
    invoice.refresh_from_db()
    assert invoice.due == invoice.total


def test_a_credit_without_open_invoices_says_so(theo, cafe):
    credit = cast.credit_note(cafe)
    assert "owes nothing now" in theo.get(f"{DESK}/credit-notes/{credit.pk}/allocate").text


def test_a_payment_is_paid_back(theo, invoice):
    payment = cast.payment(invoice, "25.30")
    url = f"{DESK}/payments/{payment.pk}/refund"
    assert 'value="25.30"' in theo.get(url).text
    typed = {"date": payment.date.isoformat(), "method": "card", "reason": "Spilt"}
    assert "it goes back after that." in theo.post(url, {**typed, "date": "1999-01-01", "amount": "5.30"}).text
    assert "Write an amount above zero." in theo.post(url, {**typed, "amount": "0"}).text
    assert "At most 25.30 can be paid back." in theo.post(url, {**typed, "amount": "25.31"}).text
    page = theo.post(url, {**typed, "amount": "5.30"}, follow=True).text
    assert "5.30 is paid back, with credit note CN-1." in page
    assert "5.30 paid back" in page
    assert Payment.objects.get(credit_note__isnull=False).refund_of == payment


def test_the_list_by_state(theo, cafe, invoice):
    cast.credit_note(cafe)
    used = cast.credit_note(cafe, invoice=invoice)
    theo.post(f"{DESK}/credit-notes/{used.pk}/allocate", {str(invoice.pk): "4.95"}, follow=True)
    found = {state: theo.get(f"{DESK}/credit-notes", {"state": state}).text for state in ("issued", "applied", "void")}
    assert [("CN-1" in text, "CN-2" in text) for text in found.values()] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert "CN-2" in theo.get(f"{DESK}/credit-notes", {"q": "INV-1"}).text


def test_the_order_desk_looks_and_credits_nothing(desk, invoice, cafe):
    credit, mai = cast.credit_note(cafe), desk("mai")
    assert mai.get(f"{DESK}/credit-notes/{credit.pk}").status_code == 200
    for address in (
        f"invoices/{invoice.pk}/credit",
        f"credit-notes/{credit.pk}/allocate",
        f"credit-notes/{credit.pk}/void",
    ):
        assert mai.post(f"{DESK}/{address}").status_code == 403
