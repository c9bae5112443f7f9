"""From an order to the books, as people go through it: in a browser, through the screens of both sides."""

import re
from time import monotonic

import pytest
from playwright.sync_api import expect

from browsers import needs_browser
from journeys.conftest import window

pytestmark = [pytest.mark.browser, pytest.mark.kill, needs_browser]
PASSWORD = "oat milk and rye"
PATIENCE = 60  # seconds, for machines that are busy with something else


# --- what people do ------------------------------------------------------------------------------------------------


def come_in(page, house):
    """Open the link that was printed when Provender started, and choose a password."""
    page.goto(house.link)
    page.get_by_label("E-mail address").fill("priya@example.test")
    page.get_by_label("Your name").fill("Priya")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Priya")


def log_out_and_in(page):
    page.get_by_role("button", name="Priya").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("E-mail address").fill("priya@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Priya")


def consent(page, house, decision):
    """Go to Xero's page, and come back with that answer."""
    page.goto(f"{house.url}/w/harbour/integrations")
    page.get_by_role("button", name="Connect to Xero").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("wants to connect to your organisation")
    page.get_by_role("button", name=decision).click()


def save_proposed_settings(page):
    """They come from the organisation's own chart of accounts; automatic sync is the person's to switch on."""
    page.get_by_label("Automatic sync").check()
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_label("Automatic sync")).to_be_checked()


def connect(page, house):
    consent(page, house, "Allow access")
    save_proposed_settings(page)


def add_customer(page, house, name):
    page.goto(f"{house.url}/w/harbour/customers/new")
    page.get_by_label("Trading name").fill(name)
    page.get_by_role("button", name="Add customer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def add_product(page, house, sku, name, price):
    page.goto(f"{house.url}/w/harbour/products/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("SKU").fill(sku)
    page.get_by_label("Base price").fill(price)
    page.get_by_label("GST", exact=True).check()
    page.get_by_role("button", name="Add product").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def type_order(page, house, customer, sku, quantity):
    page.goto(f"{house.url}/w/harbour/orders/new")
    page.get_by_label("Customer", exact=True).fill(customer)
    page.get_by_label("SKU or name of line 1").fill(sku)
    page.get_by_label("Quantity of line 1").fill(quantity)


def place_order(page):
    """Place what was typed, and go on to the invoice that it raised; the invoice's number."""
    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_role("status").filter(has_text="Placed SO-")).to_be_visible()
    number = page.get_by_role("link", name=re.compile(r"^INV-\d+$")).first
    invoice = number.inner_text()
    number.click()
    expect(page.get_by_role("heading", name=f"Invoice {invoice}")).to_be_visible()
    return invoice


def change_quantity(page, quantity):
    """From the invoice's page, and back to it."""
    invoice = page.url
    page.get_by_role("link", name="Edit order").click()
    page.get_by_label("Quantity of line 1").fill(quantity)
    page.get_by_role("button", name="Save version 2").click()
    expect(page.get_by_role("status").filter(has_text="is in its version 2")).to_be_visible()
    page.goto(invoice)


def cancel_order(page):
    """From the invoice's page, and back to it."""
    invoice = page.url
    page.get_by_role("link", name="Cancel order").click()
    page.get_by_role("button", name="Cancel order").click()
    expect(page.get_by_role("status").filter(has_text="is cancelled")).to_be_visible()
    page.goto(invoice)


# --- what they look for --------------------------------------------------------------------------------------------


def wait_to_see(page, what):
    """A page is as it was when it was asked for: ask again until that shows."""
    until = monotonic() + PATIENCE
    while not what.is_visible():
        assert monotonic() < until, page.locator("main").inner_text()
        page.reload()


def in_xero(page, state):
    """The panel beside an invoice when it says that the invoice is in that state."""
    return page.get_by_role("region", name="In Xero").filter(has=page.locator(".badge").get_by_text(state, exact=True))


def width(page):
    """How far it reaches, in pixels; what a phone shows of it is no measure, as that grows along."""
    return page.locator("html").evaluate("page => page.scrollWidth")


def look_into_the_books(page, house, number, *facts):
    """On the bookkeeper's page the invoice is there once, and its row says those; then back to where the person was."""
    before = page.url
    page.goto(f"{house.books}?view=invoices")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=number, exact=True))
    expect(row).to_have_count(1)
    for fact in facts:
        expect(row).to_contain_text(fact)
    page.goto(before)


def in_accounts(page, house, code, button):
    """Play the bookkeeper: press that button on an account's row."""
    page.goto(f"{house.books}?view=accounts")
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name=code, exact=True))
    row.get_by_role("button", name=button).click()


# --- journeys ------------------------------------------------------------------------------------------------------


def test_an_order_becomes_an_invoice_in_xero_and_follows_its_changes(house, browser):
    with window(browser) as (page, complaints):
        come_in(page, house)
        log_out_and_in(page)
        consent(page, house, "Cancel")
        expect(page.get_by_role("heading", name="Nothing was connected")).to_be_visible()
        expect(page.get_by_role("button", name="Start again")).to_be_visible()
        assert [told for told in complaints if "status of 400" not in told] == []
        complaints.clear()
        consent(page, house, "Allow access")
        expect(page.get_by_label("Sales account")).to_have_value(re.compile(".+"))
        save_proposed_settings(page)
        add_customer(page, house, "Corner Cafe")
        add_product(page, house, "OAT-1L", "Oat milk 1L", "4.50")

        type_order(page, house, "Corner Cafe", "OAT-1L", "4")
        expect(page.locator("#sums")).to_contain_text("$19.80")
        number = place_order(page)
        wait_to_see(page, in_xero(page, "Sent").filter(has_text="$19.80"))
        look_into_the_books(page, house, number, "Corner Cafe", "19.80", "Authorised")

        change_quantity(page, "7")
        wait_to_see(page, in_xero(page, "Sent").filter(has_text="$34.65"))
        look_into_the_books(page, house, number, "34.65", "Authorised")

        cancel_order(page)
        wait_to_see(page, in_xero(page, "Voided"))
        look_into_the_books(page, house, number, "Voided")


def test_an_archived_account_is_told_and_mended(house, browser):
    with window(browser) as (page, _):
        come_in(page, house)
        connect(page, house)
        add_customer(page, house, "Corner Cafe")
        add_product(page, house, "OAT-1L", "Oat milk 1L", "4.50")
        in_accounts(page, house, "200", "Archive")

        type_order(page, house, "Corner Cafe", "OAT-1L", "4")
        number = place_order(page)
        wait_to_see(page, in_xero(page, "Needs you"))
        page.goto(f"{house.url}/w/harbour/xero/problems")
        problem = page.get_by_role("region", name="Account archived in Xero")
        expect(problem).to_contain_text(
            f"Xero refused {number}: account 200 is archived or deleted. Restore it in Xero"
        )

        in_accounts(page, house, "200", "Restore")
        page.goto(f"{house.url}/w/harbour/xero/problems")
        problem.get_by_role("button", name="Send again").click()
        wait_to_see(page, page.get_by_role("heading", name="All is in step"))
        look_into_the_books(page, house, number, "19.80", "Authorised")


def test_an_order_is_placed_on_a_phone_without_scripts(house, browser):
    with window(browser, (390, 844), java_script_enabled=False) as (page, _):
        come_in(page, house)
        connect(page, house)
        add_customer(page, house, "Corner Cafe")
        add_product(page, house, "OAT-1L", "Oat milk 1L", "4.50")
        type_order(page, house, "Corner Cafe", "OAT-1L", "4")
        assert width(page) <= 390
        number = place_order(page)
        wait_to_see(page, in_xero(page, "Sent").filter(has_text="$19.80"))
        assert width(page) <= 390
        look_into_the_books(page, house, number, "19.80", "Authorised")
