"""Payouts on the screens: a file comes in, each line finds its end, the payout is closed and undone."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

import cast
from importing.files import csv_of
from provender.importing.models import PayoutFile
from provender.payments.models import Payment, Payout, PayoutLine

pytestmark = pytest.mark.django_db
LIST = "/w/harbour/payouts"
HEADER = ["Payout", "Date", "Invoice", "Gross", "Fee"]


@pytest.fixture
def theo(desk):
    return desk("theo")


@pytest.fixture
def invoice(supplier):
    return cast.invoice(cast.venue(supplier))  # INV-1, 19.80


def send(browser, *rows, header=HEADER, provider="Payly"):
    content = csv_of(*rows, header=header)
    return browser.post(f"{LIST}/file", {"provider": provider, "file": SimpleUploadedFile("payouts.csv", content)})


def take(browser, *rows):
    there = send(browser, *rows).headers["Location"]
    return browser.post(f"{there}/take", follow=True)


def test_a_file_is_looked_at_taken_in_and_closed(theo, invoice):
    there = send(theo, ["PO-1", "2026-11-20", "INV-1", "19.80", "0.30"]).headers["Location"]
    page = theo.get(there).text
    assert "1 of 1 payout would come in" in page
    assert "19.50" in page
    assert not Payout.objects.exists()
    page = theo.post(f"{there}/take", follow=True)
    assert "Each line has its match: close it to pay its invoices." in page.text
    payout = Payout.objects.get()
    wrong = theo.post(f"{LIST}/{payout.pk}/close", {"bank": "19.80"}).text
    assert "The payout comes to 19.50, which is 0.30 less. Nothing was closed." in wrong
    done = theo.post(f"{LIST}/{payout.pk}/close", {"bank": "19.50"}, follow=True).text
    assert "Payout PO-1 is closed; its payments are on their invoices." in done
    invoice.refresh_from_db()
    assert (invoice.due, invoice.settled_on) == (0, date(2026, 11, 20))
    assert not PayoutFile.objects.exists()


def test_the_same_file_again_says_that_it_is_here(theo, invoice):
    row = ["PO-1", "2026-11-20", "INV-1", "19.80", "0.30"]
    take(theo, row)
    there = send(theo, row).headers["Location"]
    page = theo.get(there).text
    assert "Its payout is here already." in page
    assert f"{there}/take" not in page
    changed = send(theo, ["PO-1", "2026-11-20", "INV-1", "19.80", "0.20"]).headers["Location"]
    assert "is here already with other content" in theo.get(changed).text
    assert Payout.objects.count() == 1


def test_columns_that_no_heading_tells_are_chosen_and_remembered(theo, invoice):
    header = ["Batch", "When", "Doc", "Paid by customer", "Kept"]
    row = ["PO-1", "20/11/2026", "INV-1", "19.80", "0.30"]
    there = send(theo, row, header=header).headers["Location"]
    assert "Say which column holds: date, gross." in theo.get(there).text
    chosen = {"reference": "Batch", "date": "When", "gross": "Paid by customer", "fee": "Kept", "invoice_number": "Doc"}
    page = theo.post(there, {**chosen, "date_format": "%d/%m/%Y"}, follow=True).text
    assert "1 of 1 payout would come in" in page
    theo.post(f"{there}/take")
    again = send(theo, ["PO-2", "21/11/2026", "INV-1", "1.00", "0"], header=header).headers["Location"]
    assert "1 of 1 payout would come in" in theo.get(again).text


def test_what_cannot_be_read_is_named_and_a_file_is_discarded(theo):
    there = send(theo, ["PO-1", "2026-11-20", "INV-1", "x", ""]).headers["Location"]
    assert "payouts.csv, line 2, column Gross: “x” is not a number" in theo.get(there).text
    assert "Nothing of it was taken in" in theo.post(f"{there}/discard", follow=True).text
    assert theo.get(there).status_code == 404
    assert "the file is empty" in send(theo, header=[]).text


def test_a_person_decides_on_a_line(theo, invoice):
    take(theo, ["PO-1", "2026-11-20", "INV-9", "19.80", ""], ["PO-1", "2026-11-20", "", "5.00", ""])
    payout = Payout.objects.get()
    page = theo.get(f"{LIST}/{payout.pk}").text
    assert "2 lines need you before it can be closed." in page
    first = theo.get(f"{LIST}/{payout.pk}/lines/1").text
    assert "Open invoices over the same amount" in first
    wrong = theo.post(f"{LIST}/{payout.pk}/lines/1", {"do": "choose", "invoice": "INV-77"}).text
    assert "There is no invoice INV-77." in wrong
    theo.post(f"{LIST}/{payout.pk}/lines/1", {"do": "choose", "invoice": "inv-1"})
    theo.post(f"{LIST}/{payout.pk}/lines/2", {"do": "leave", "why": "Not ours"})
    page = theo.get(f"{LIST}/{payout.pk}").text
    assert "Left for hand" in page
    assert "close it to pay its invoices" in page
    theo.post(f"{LIST}/{payout.pk}/lines/2", {"do": "back"})
    assert "1 line needs you" in theo.get(f"{LIST}/{payout.pk}").text


def test_who_decides_second_on_a_line_is_told(theo, invoice):
    take(theo, ["PO-1", "2026-11-20", "INV-9", "19.80", ""])
    address = f"{LIST}/{Payout.objects.get().pk}/lines/1"
    (seen,) = set(re.findall(r'name="seen" value="([^"]*)"', theo.get(address).text))
    theo.post(address, {"do": "leave", "why": "Not ours", "seen": seen})
    told = theo.post(address, {"do": "choose", "invoice": invoice.number, "seen": seen}).text
    assert "Somebody changed line 1 while you were at it, so yours isn&#x27;t saved yet." in told
    again = theo.post(address, {"do": "leave", "seen": seen}, headers={"referer": address}, follow=True).text
    assert "Somebody changed line 1 while you were at it" in again
    assert PayoutLine.objects.get(position=1).outcome == "ignored"
    (seen,) = set(re.findall(r'name="seen" value="([^"]*)"', told))
    theo.post(address, {"do": "choose", "invoice": invoice.number, "seen": seen})
    assert PayoutLine.objects.get(position=1).invoice == invoice


def test_undoing_shows_first_what_opens_again(theo, invoice):
    take(theo, ["PO-1", "2026-11-20", "INV-1", "19.80", "0.30"])
    payout = Payout.objects.get()
    theo.post(f"{LIST}/{payout.pk}/close", {})
    page = theo.get(f"{LIST}/{payout.pk}/undo").text
    assert "1 invoice is open again" in page
    assert "INV-1" in page
    assert "is undone." in theo.post(f"{LIST}/{payout.pk}/undo", {"why": "Wrong day"}, follow=True).text
    invoice.refresh_from_db()
    assert invoice.due == Decimal("19.80")


def test_a_payout_is_entered_by_hand_from_the_list_of_invoices(theo, invoice):
    ask = {"action": "payout", "pick": [str(invoice.pk)]}
    assert "Settlement reference" in theo.post("/w/harbour/invoices", ask).text
    typed = {"provider": "Bank", "reference": "DD-1", "date": "2026-11-20", "fee": "0.50", "sure": "1"}
    page = theo.post("/w/harbour/invoices", {**ask, **typed}, follow=True).text
    assert "Payout DD-1 over AUD 19.30 is entered; close it under Payouts." in page
    assert [line.outcome for line in Payout.objects.get().lines.all()] == ["matched", "fee"]


def test_the_list_finds_a_payout_by_an_invoice_in_it(theo, invoice):
    take(theo, ["PO-1", "2026-11-20", "INV-1", "19.80", "0.30"])
    assert "PO-1" in theo.get(LIST, {"q": "INV-1"}).text
    assert "PO-1" not in theo.get(LIST, {"q": "INV-2"}).text
    assert "PO-1" not in theo.get(LIST, {"state": "undone"}).text


def test_the_order_desk_looks_and_decides_nothing(desk, theo, invoice):
    take(theo, ["PO-1", "2026-11-20", "INV-1", "19.80", "0.30"])
    payout, mai = Payout.objects.get(), desk("mai")
    assert mai.get(f"{LIST}/{payout.pk}").status_code == 200
    for address in ("close", "undo", "lines/1"):
        assert mai.post(f"{LIST}/{payout.pk}/{address}").status_code == 403
    assert mai.get(f"{LIST}/file").status_code == 403
    assert not Payment.objects.exists()
