"""Money as people see it come: paid in Xero's own page, known here; part of it; taken back."""

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


def in_the_books(page, act):
    """Do that on the invoice's page in Xero, which the panel leads to; then back to the invoice here."""
    here = page.url
    there = page.get_by_role("region", name="In Xero").get_by_role("link").first.get_attribute("href")
    page.goto(there)
    act(page)
    page.goto(here)


def pay(amount=None):
    def act(page):
        form = page.locator("form").filter(has=page.get_by_role("heading", name="Record a payment"))
        if amount:
            form.locator("[name=amount]").fill(amount)
        form.get_by_role("button").click()
        expect(page.get_by_role("button", name="Remove").first).to_be_visible()

    return act


def remove_first(page):
    before = page.get_by_role("button", name="Remove").count()
    page.get_by_role("button", name="Remove").first.click()
    expect(page.get_by_role("button", name="Remove")).to_have_count(before - 1)


def check(page):
    """Ask Xero now; what the badge beside the number says then."""
    page.get_by_role("region", name="Paid").get_by_role("button", name="Check now").click()
    expect(page.get_by_role("status").first).to_be_visible()
    return page.locator(".title-line .badge")


def test_a_payment_in_xero_shows_here_a_part_of_it_and_its_removal_too(house, browser):
    with window(browser) as (page, _):
        come_in(page, house)
        consent(page, house, "Allow access")
        page.get_by_label("Invoice mark as paid").check()
        save_proposed_settings(page)
        add_customer(page, house, "Corner Cafe")
        add_product(page, house, "OAT-1L", "Oat milk 1L", "4.50")
        type_order(page, house, "Corner Cafe", "OAT-1L", "4")
        place_order(page)
        wait_to_see(page, in_xero(page, "Sent").filter(has_text="$19.80"))
        money = page.get_by_role("region", name="Paid")

        in_the_books(page, pay("5.00"))
        expect(check(page)).to_have_text("Part paid")
        expect(money).to_contain_text("$14.80")

        in_the_books(page, pay())
        expect(check(page)).to_have_text("Paid")
        expect(money).to_contain_text("In Xero as")

        in_the_books(page, remove_first)
        expect(check(page)).to_have_text("Part paid")
        expect(money).to_contain_text("Removed in Xero")
