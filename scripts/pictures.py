"""Pictures of products, tracking and money for the guides, taken in a running demonstration.

    provender demo                                                   # in one terminal; it prints address and log-in
    python scripts/pictures.py http://localhost:8000 owner@larkfield.example PASSWORD

Needs Debian's Chromium and the development set. Syncs products, makes properties from Xero's tracking and types an
order, so take the pictures in a demonstration that may change. They are written to docs/pictures.
"""

import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import ViewportSize, sync_playwright

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
WIDE: ViewportSize = {"width": 1100, "height": 640}
TALL: ViewportSize = {"width": 1100, "height": 860}


def main() -> None:
    url, email, password = sys.argv[1:]
    with sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-background-networking"]
        )
        page = browser.new_page(viewport=WIDE, reduced_motion="reduce", color_scheme="light")
        home = log_in(page, url, email, password)
        page.goto(f"{home}/xero/products")
        page.get_by_role("button", name="Sync products").click()
        page.set_viewport_size(TALL)
        keep(page, "pull")
        page.set_viewport_size(WIDE)
        page.goto(f"{home}/products")
        page.get_by_label("Select all on this page").check()
        keep(page, "products")
        page.goto(f"{home}/xero/tracking")
        page.get_by_role("button", name="properties from Xero").click()
        keep(page, "tracking")
        type_order(page, home)
        keep(page, "order-tracking")
        open_newest(page, f"{home}/payouts")
        keep(page, "payout")
        open_newest(page, f"{home}/credit-notes?state=issued")
        page.set_viewport_size(TALL)
        keep(page, "credit-note")
        browser.close()


def log_in(page: Any, url: str, email: str, password: str) -> str:
    """The address of the wholesaler's screens."""
    page.goto(url)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Products").first.click()
    page.wait_for_url("**/products")
    return str(page.url).removesuffix("/products")


def type_order(page: Any, home: str) -> None:
    """A new order whose region is chosen on it; nothing is saved."""
    page.goto(f"{home}/products")
    skus = page.locator("tbody tr td:nth-child(3)").all_inner_texts()[:2]
    page.goto(f"{home}/orders/new")
    for line, sku in enumerate(skus, start=1):
        page.get_by_label(f"SKU or name of line {line}").fill(sku)
        page.get_by_label(f"Quantity of line {line}").fill(str(2 * line))
    page.get_by_label("Region").select_option(index=1)
    page.locator("#line-1-carried .note").wait_for()


def open_newest(page: Any, address: str) -> None:
    """The first of a list."""
    page.goto(address)
    page.locator("tbody a").first.click()


def keep(page: Any, name: str) -> None:
    """What the window shows, as docs/pictures/NAME.png."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
