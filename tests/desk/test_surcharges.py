"""Surcharges and self-applied credit on the screens: the settings, recording a payment, taking it back."""

from decimal import Decimal

import pytest

import cast
from provender.basics import clock
from provender.invoicing.models import Invoice
from provender.payments.actions import remove_payment
from provender.payments.credits import give_credit
from provender.payments.models import Allocation, Payment
from provender.payments.surcharges import set_surcharges, surcharges_of

pytestmark = pytest.mark.django_db
DESK = "/w/harbour"
D = Decimal
HTMX = {"hx-request": "true"}


@pytest.fixture
def theo(desk):
    return desk("theo")


@pytest.fixture
def typed(supplier):
    """A payment of 19.80 by Visa."""
    today = str(clock.today(supplier.time_zone))
    return {"amount": "19.80", "date": today, "method": "visa", "reference": "", "with_surcharge": "on"}


@pytest.fixture
def pay(cafe):
    """The address at which an invoice of 19.80 is paid; Visa costs 1.5 % on top."""
    set_surcharges(cafe.supplier, {"visa": D("1.5")})
    return f"{DESK}/invoices/{cast.invoice(cafe).pk}/pay"


def test_percentages_tax_and_credit_are_set_on_one_page(theo, supplier, desk):
    url = f"{DESK}/settings/money"
    assert "Credit notes apply themselves" in theo.get(url).text
    kept = {"visa": "1.5", "amex": "", "direct-debit": "0.8", "surcharge_tax_kind": "free"}
    page = theo.post(url, kept, follow=True).text
    assert "Saved." in page
    assert 'value="0.8"' in page
    supplier.refresh_from_db()
    assert (supplier.surcharge_tax_kind, supplier.credits_apply) == ("free", False)
    assert surcharges_of(supplier) == {"visa": D("1.5"), "direct-debit": D("0.8")}
    assert "less than or equal to 20" in theo.post(url, {**kept, "visa": "21"}).text
    assert "less than or equal" not in theo.get(url).text
    assert desk("mai").post(url, kept).status_code == 403
    assert "Save</button>" not in desk("rex").get(url).text


def test_the_tax_on_freight_is_set_beside_the_freight_groups(theo, supplier):
    page = theo.post(f"{DESK}/settings/freight", {"freight_tax_kind": "free"}, follow=True).text
    assert "Saved." in page
    supplier.refresh_from_db()
    assert supplier.freight_tax_kind == "free"
    assert '<option value="free" selected>GST-free' in theo.get(f"{DESK}/orders/new").text


def test_a_tax_that_the_account_in_xero_cannot_carry_is_refused(theo, supplier, connection):
    supplier.freight_tax_kind = "free"
    supplier.save()
    account = connection.accounts.get(code="425").account_id
    supplier.connections.update(freight_account=account)
    page = theo.post(f"{DESK}/settings/freight", {"freight_tax_kind": "gst"}).text
    assert "Freight account: 425 · Freight &amp; Courier can&#x27;t carry the tax type “GST on Income”" in page
    supplier.refresh_from_db()
    assert supplier.freight_tax_kind == "free"


def test_what_it_comes_to_is_seen_before_it_is_recorded(theo, pay, typed):
    assert "Visa, 1.5 % on top" in theo.get(pay).text
    live = theo.post(pay, typed, headers=HTMX).text
    assert ("$0.30" in live, "$20.10" in live, 'name="seen" value="0.30"' in live) == (True, True, True)
    asked = theo.post(pay, typed).text
    assert "Visa costs $0.30 on top: $20.10 together." in asked
    assert not Payment.objects.exists()
    page = theo.post(pay, {**typed, "seen": "0.30"}, follow=True).text
    assert "$20.10 recorded for INV-1." in page
    assert "with a surcharge of $0.30" in page
    assert Invoice.objects.get().total == D("20.10")


def test_the_surcharge_can_be_left_out(theo, pay, typed):
    del typed["with_surcharge"]
    assert "No surcharge." in theo.post(pay, typed, headers=HTMX).text
    assert "$19.80 recorded for INV-1." in theo.post(pay, typed, follow=True).text


def test_a_second_part_has_no_room_for_it_and_says_so(theo, pay, typed):
    cast.payment(Invoice.objects.get(), "9.80")
    typed |= {"amount": "10.00", "seen": "0.15"}
    assert "has a payment already, so the surcharge of $0.15 can’t be added" in theo.post(pay, typed, headers=HTMX).text
    assert (
        "INV-1 has a payment already, and an invoice with a payment can&#x27;t be changed" in theo.post(pay, typed).text
    )
    assert Payment.objects.count() == 1


def test_taking_the_payment_back_offers_the_surcharge(theo, pay, typed):
    theo.post(pay, {**typed, "seen": "0.30"})
    url = f"{DESK}/payments/{Payment.objects.get().pk}/remove"
    assert "Take its surcharge of $0.30 off the invoice too" in theo.get(url).text
    theo.post(url, {"surcharge": "1"})
    assert Invoice.objects.get().due == D("19.80")


def test_a_surcharge_that_stayed_can_be_taken_off_later(theo, pay, typed):
    theo.post(pay, {**typed, "seen": "0.30"})
    payment, page = Payment.objects.get(), pay.removesuffix("/pay")
    remove_payment(payment)
    assert "its surcharge of $0.30 is still on the invoice" in theo.get(page).text
    done = theo.post(f"{DESK}/payments/{payment.pk}/surcharge", follow=True).text
    assert "The surcharge is off invoice INV-1." in done
    assert "still on the invoice" not in done
    assert Invoice.objects.get().due == D("19.80")


def test_a_credit_says_what_it_does_by_itself_and_can_be_told_otherwise(theo, cafe):
    invoice = cast.invoice(cafe)
    lines = [cast.line(quantity=5)]
    made = give_credit(cafe.supplier, cafe, invoice=invoice, lines=lines, date=invoice.date, beyond=True)
    url = f"{DESK}/credit-notes/{made.pk}"
    page = theo.get(url).text
    assert "by itself" in page
    assert "What is left is set against the customer’s next invoices by itself." in page
    assert "is used by hand only." in theo.post(f"{url}/itself", {"itself": "0"}, follow=True).text
    assert ">N/A<" in theo.get(url).text
    assert "applies itself to" in theo.post(f"{url}/itself", {"itself": "1"}, follow=True).text


def test_voiding_says_which_credits_come_back(theo, cafe):
    invoice = cast.invoice(cafe)
    give_credit(cafe.supplier, cafe, invoice=invoice, lines=[cast.line(quantity=1)], date=invoice.date)
    url = f"{DESK}/invoices/{invoice.pk}/void"
    assert "$4.95 of" in theo.get(url).text
    assert "That credit note was for this very invoice: cancel it too" in theo.get(url).text
    assert "Invoice INV-1 is void." in theo.post(url, {"why": ""}, follow=True).text
    assert not Allocation.objects.filter(removed_at=None).exists()
