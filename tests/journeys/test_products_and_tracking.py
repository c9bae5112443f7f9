"""Products from Xero, and tracking that arrives: a bookkeeper's morning in a browser, through both sides' screens."""

import pytest
from playwright.sync_api import expect

from browsers import needs_browser
from journeys.conftest import window
from journeys.test_order_to_books import (
    add_customer,
    add_product,
    come_in,
    connect,
    in_xero,
    place_order,
    type_order,
    wait_to_see,
)

pytestmark = [pytest.mark.browser, pytest.mark.kill, needs_browser]


def take_the_name_and_refuse_the_price(page, house):
    """Sync products, and of the sourdough, which is another one in Xero, take the name alone."""
    page.goto(f"{house.url}/w/harbour/xero/products")
    page.get_by_role("button", name="Sync products").click()
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="SOURDOUGH")).to_contain_text("+13.33 %")
    page.get_by_role("checkbox", name="SOURDOUGH: price").uncheck()
    page.get_by_role("button", name="Apply what is ticked").click()
    expect(page.get_by_role("status").filter(has_text="5 products added, 1 changed.")).to_be_visible()


def set_region_north_for_all_sold_by_xero(page, house):
    """Of the products that came from Xero; one of our own stays as it is."""
    page.goto(f"{house.url}/w/harbour/products?source=xero")
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Update properties…").click()
    page.get_by_label("Property and option").select_option(label="North")
    page.get_by_role("button", name="Update properties (6)").click()
    expect(page.get_by_role("status").filter(has_text="6 products given Region North.")).to_be_visible()


def lines_in_the_books(page, house, number):
    """What each line of that invoice says in the simulator's books: item code and tracking."""
    books = page.request.get(f"{house.books}books").json()["organisations"][0]
    (invoice,) = [one for one in books["Invoices"] if one["InvoiceNumber"] == number]
    return [
        (line.get("ItemCode", ""), [f"{one['Name']}={one['Option']}" for one in line["Tracking"]])
        for line in invoice["LineItems"]
    ]


def test_products_are_pulled_and_their_tracking_arrives(house, browser):
    with window(browser) as (page, _):
        come_in(page, house)
        connect(page, house)
        add_product(page, house, "SOURDOUGH", "Rye", "6.00")
        add_product(page, house, "RYE-800", "Dark rye loaf", "6.10")
        add_customer(page, house, "Corner Cafe")
        take_the_name_and_refuse_the_price(page, house)
        page.goto(f"{house.url}/w/harbour/products?q=SOURDOUGH")
        expect(page.get_by_role("row").filter(has_text="SOURDOUGH")).to_contain_text("Sourdough loaf")
        expect(page.get_by_role("row").filter(has_text="SOURDOUGH")).to_contain_text("6.00")

        page.goto(f"{house.url}/w/harbour/xero/tracking")
        page.get_by_role("button", name="Make properties from Xero").click()
        expect(page.get_by_role("status").filter(has_text="In step with Xero: Region, Salesperson.")).to_be_visible()
        set_region_north_for_all_sold_by_xero(page, house)

        type_order(page, house, "Corner Cafe", "SOURDOUGH", "4")
        page.get_by_label("SKU or name of line 2").fill("RYE-800")
        page.get_by_label("Quantity of line 2").fill("2")
        page.get_by_label("Region").select_option(label="South")
        expect(page.locator("#line-0-carried")).to_have_text("Region: North, from the product")
        expect(page.locator("#line-1-carried")).to_have_text("Region: South, from the order")
        number = place_order(page)
        wait_to_see(page, in_xero(page, "Sent"))
        expect(page.get_by_text("Without item code: RYE-800 is no item in Xero")).to_be_visible()
        assert lines_in_the_books(page, house, number) == [
            ("SOURDOUGH", ["Region=North"]),
            ("", ["Region=South"]),
        ]
