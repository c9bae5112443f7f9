"""The bookkeeper's page in a real browser: a morning's work on a telephone without JavaScript, and who can read it."""

import httpx2
import pytest

from browsers import browser, needs_browser, window
from xero_simulator import Simulator, messages
from xero_simulator.testing import Server, connect
from xero_simulator.views.page import VIEWS

CAFE = "Basket Case Café"
PHONE = (390, 844)
pytestmark = [pytest.mark.browser, needs_browser]


@pytest.fixture
def server():
    simulator = Simulator(limits=False)
    with Server(simulator) as server, httpx2.Client(base_url=server.url) as http:
        connect(http, simulator)
        yield server
    simulator.close()


class Person:
    """Somebody with a telephone."""

    def __init__(self, page, url):
        self.page, self.url = page, url

    def look_at(self, view, document=None):
        self.page.goto(f"{self.url}/_simulator/?view={view}")
        if document:
            self.page.get_by_role("link", name=document).click()

    def fill_in(self, act, near=None, **fields):
        """Fill in a form and send it; opens what it is folded in. Answers what the page then says."""
        form = (near or self.page).locator(f"form[action$='/do/{act}']").first
        if not form.is_visible():
            form.locator("xpath=ancestor::details").locator("summary").click()
        for name, value in fields.items():
            box = form.locator(f"[name={name}]").first
            if box.evaluate("one => one.tagName") == "SELECT":
                box.select_option(value)
            else:
                box.fill(value)
        form.get_by_role("button").click()
        return self.page.locator(".note").inner_text()

    def row(self, text):
        return self.page.locator("tr", has_text=text).first


def test_a_mornings_work_on_a_telephone(server):
    books = server.simulator.organisation()
    with browser() as started, window(started, PHONE, java_script_enabled=False) as (page, _):
        mai = Person(page, server.url)
        mai.look_at("invoices")
        new = {"contact": CAFE, "description": "Olive oil", "price": "40"}
        assert mai.fill_in("new-invoice", number="A-1", status="DRAFT", **new) == "Done."
        mai.look_at("invoices", "A-1")
        assert mai.fill_in("edit-invoice", reference="by hand", price="50") == "Done."
        assert mai.fill_in("approve") == "Done."
        assert mai.fill_in("pay", amount="5") == "Done."
        assert mai.fill_in("void") == messages.status_blocked_by_payment("VOIDED")
        assert mai.fill_in("remove-payment") == "Done."
        mai.look_at("credit-notes")
        assert mai.fill_in("new-credit-note", contact=CAFE, description="Broken", price="10") == "Done."
        assert mai.fill_in("allocate", amount="4") == "Done."
        mai.look_at("invoices", "A-1")
        assert mai.fill_in("remove-allocation") == "Done."
        assert mai.fill_in("pay") == "Done."
        mai.look_at("bank")
        assert mai.fill_in("reconcile") == "Done."
        mai.look_at("items")
        assert mai.fill_in("add-item", code="NEW", name="New", price="3") == "Done."
        assert mai.fill_in("edit-item", mai.row("NEW"), price="4.5") == "Done."
        mai.look_at("contacts")
        assert mai.fill_in("archive-contact", mai.row("Ridgeway Bakery")) == "Done."
        mai.look_at("settings")
        assert mai.fill_in("lock", period="2026-10-31") == "Done."
        assert mai.fill_in("disconnect") == "Done."
    paid = books.find_invoice("A-1")
    assert (paid["Status"], paid["Total"], paid["Reference"]) == ("PAID", 55, "by hand")
    assert books.find_contact("Ridgeway Bakery")["ContactStatus"] == "ARCHIVED"
    assert server.simulator.oauth.state.connections == {}


def test_every_view_can_be_read_and_fits(server):
    from axe_playwright_python.sync_playwright import Axe

    books = server.simulator.organisation()
    owed = books.type_invoice("A-1", CAFE)
    books.type_invoice("A-2", CAFE)
    books.pay_batch(["A-2"])
    books.refund(books.type_credit_note(CAFE), 1)
    addresses = [f"/_simulator/?view={view}" for view in VIEWS] + [f"/_simulator/invoice/{owed['InvoiceID']}"]
    wrong = []
    with browser() as started, window(started, PHONE) as (page, _):
        for address in addresses:
            page.goto(server.url + address)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                found = Axe().run(page).response["violations"]
                wrong += [f"{address} {scheme}: {rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found]
            if page.locator("html").evaluate("page => page.scrollWidth") > 390:
                wrong.append(f"{address} is too wide")
    assert not wrong, "\n".join(wrong)
