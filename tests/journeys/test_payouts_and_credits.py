"""A carton comes back, the rest is paid through a provider: from credit note to bank statement, in a browser."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from browsers import needs_browser
from journeys.conftest import window
from journeys.test_order_to_books import (
    add_customer,
    add_product,
    come_in,
    consent,
    in_xero,
    place_order,
    save_proposed_settings,
    type_order,
    wait_to_see,
)

pytestmark = [pytest.mark.browser, pytest.mark.kill, needs_browser]
PAYOUT = "Payout,Date,Invoice,Gross,Fee\nPO-77,{day},{invoice},14.85,0.35\n"


def reconcile_by_deposits(page):
    """On the settings: payouts become deposits, and their fees are posted."""
    page.get_by_label("Auto reconciliation").check()
    page.get_by_label("Fee account").select_option(label="404 · Bank Fees")
    save_proposed_settings(page)


def credit_one(page):
    """From the invoice's page: one of its first line comes back, and is set against it; the credit note shows then."""
    page.get_by_role("link", name="Credit", exact=True).click()
    page.get_by_label("Quantity of charge 1").fill("1")
    page.get_by_role("button", name="Issue the credit note").click()
    expect(page.get_by_role("heading", name="Credit note CN-1")).to_be_visible()
    expect(page.locator("main")).to_contain_text("4.95 to INV-1")


def take_in_and_close(page, house, csv):
    page.goto(f"{house.url}/w/harbour/payouts/file")
    page.get_by_label("Payment provider").fill("Payly")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "payly.csv", "mimeType": "text/csv", "buffer": csv.encode()}
    )
    page.get_by_role("button", name="Read the file").click()
    page.get_by_role("button", name="Take in 1 payout").click()
    page.get_by_role("link", name="Close", exact=True).click()
    page.get_by_label("The amount in the bank").fill("14.50")
    page.get_by_role("button", name="Close the payout").click()
    expect(page.get_by_role("status").filter(has_text="Payout PO-77 is closed")).to_be_visible()


def test_a_credit_note_reaches_its_invoice_and_a_payout_reconciles_to_nothing(house, browser):
    with window(browser) as (page, _):
        come_in(page, house)
        consent(page, house, "Allow access")
        reconcile_by_deposits(page)
        add_customer(page, house, "Corner Cafe")
        add_product(page, house, "OAT-1L", "Oat milk 1L", "4.50")
        type_order(page, house, "Corner Cafe", "OAT-1L", "4")
        number = place_order(page)
        invoice = page.url

        credit_one(page)
        wait_to_see(page, page.locator("#timeline").get_by_text("Set against the invoice in Xero: 4.95"))
        page.goto(f"{house.books}?view=credit-notes")
        expect(page.get_by_role("row").filter(has_text="CN-1").get_by_role("cell").nth(4)).to_have_text("0.00")

        today = datetime.now(ZoneInfo("Australia/Sydney")).date()
        take_in_and_close(page, house, PAYOUT.format(day=today, invoice=number))
        wait_to_see(page, in_xero(page, "Deposited").filter(has_text="Fee spent"))
        page.goto(f"{house.books}?view=bank")
        account = page.locator("section").filter(has_text="PO-77")
        expect(account.get_by_role("row").filter(has_text="14.85")).to_have_count(1)
        expect(account).to_contain_text("Left to reconcile: 14.50")  # the line in the bank, to the cent
        for _ in range(2):
            account.get_by_role("button", name="Reconcile", exact=True).first.click()
        expect(account).to_contain_text("Left to reconcile: 0.00")

        page.goto(invoice)
        expect(page.locator(".title-line .badge")).to_have_text("Paid")
        expect(page.get_by_role("region", name="Paid")).to_contain_text("PO-77")
