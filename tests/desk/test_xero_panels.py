"""How an invoice and a customer stand in Xero, as the panels beside them tell it; and "Send to Xero"."""

from types import SimpleNamespace

import pytest
from django.template.loader import render_to_string

import cast
from provender.basics import clock
from provender.ordering import actions as ordering
from provender.people.models import Membership
from provender.sync import actions, queries
from provender.sync.choices import save_settings
from provender.sync.models import Connection
from provender.sync.standing import contact_standing, standing

pytestmark = pytest.mark.django_db


@pytest.fixture
def looking(supplier):
    """What a page gives its panels when Theo looks."""
    theo = cast.person("theo", supplier)

    def context(**more):
        line = queries.xero_line(supplier)
        return {
            "supplier": supplier,
            "membership": Membership.objects.get(user=theo),
            "may": {"books": True, "trade": True},
            "frame": SimpleNamespace(xero=line),
            **more,
        }

    return context


@pytest.fixture
def panel(looking, supplier):
    """The panel of an invoice."""

    def draw(invoice):
        invoice.refresh_from_db()
        how = standing(supplier, [invoice.pk])[invoice.pk]
        what = {"document": invoice, "kind": "invoice", "noun": "invoice", "page": f"/w/harbour/invoices/{invoice.pk}"}
        return render_to_string("desk/xero/_panel.html", looking(standing=how, **what))

    return draw


def test_before_connecting_it_leads_to_xero(supplier, panel):
    page = panel(cast.placed_order(cast.venue(supplier)).invoice)
    assert "Off" in page
    assert "Xero is not connected." in page
    assert 'href="/w/harbour/xero"' in page


def test_waiting(order, panel):
    page = panel(order.invoice)
    assert "Waiting" in page
    assert "Goes to Xero by itself, within a minute." in page


def test_sent_shows_the_twin_beside_ours(order, sync, panel):
    sync()
    page = panel(order.invoice)
    for told in ("Sent", "Awaiting payment", "same as here", "/_simulator/invoice/", "Send again"):
        assert told in page


def test_needs_you_has_sentence_words_and_repairs(order, books, sync, panel):
    books.type_invoice(order.invoice.number)
    sync()
    page = panel(order.invoice)
    for told in ("Needs you", "which isn&#x27;t ours", "Give ours the next number", "Invoice # must be unique."):
        assert told in page


def test_while_it_waits_the_panel_asks_for_itself_until_it_is_settled(desk, order, sync):
    theo, address = desk("theo"), f"/w/harbour/invoices/{order.invoice_id}"
    asking = {"HX-Request": "true", "HX-Target": "xero-panel"}
    assert 'hx-trigger="every' in theo.get(address).text
    assert theo.get(address, headers=asking).status_code == 204
    sync()
    settled = theo.get(address, headers=asking)
    assert settled.status_code == 200
    assert 'id="xero-panel"' in settled.text
    assert 'id="timeline"' in settled.text
    assert 'hx-trigger="every' not in settled.text


def test_while_xero_needs_reconnecting_nothing_is_asked(order, connection, panel):
    connection.state = connection.State.NEEDS_RECONNECTING
    connection.save()
    assert "hx-trigger" not in panel(order.invoice)


def test_while_xero_refuses_the_app_every_page_says_so_and_asks_for_no_consent(order, connection, panel, priya):
    Connection.objects.update(app_refused_at=clock.now())
    assert "Waits until Xero accepts Provender’s app again" in panel(order.invoice)
    said = "Xero doesn’t accept the id or the secret of Provender’s app, so nothing goes to Demo Company (AU)."
    for page in ("", "xero", "xero/problems"):
        shown = priya.get(f"/w/harbour/{page}").text
        assert said in shown
        assert 'class="side-foot app-refused"' in shown
        assert "Reconnect" not in shown
    assert "App not accepted" in priya.get("/w/harbour/xero").text
    assert "App not accepted" in priya.get("/w/harbour/integrations").text


def test_what_is_void_in_xero_cannot_be_sent_again(order, sync, panel):
    sync()
    ordering.cancel_order(order, by=None)
    sync()
    page = panel(order.invoice)
    assert 'class="badge ok">Voided</span>' in page
    assert "Send again" not in page


def test_the_link_names_the_organisation(order, sync, connection, panel):
    sync()
    assert f"?organisation={connection.tenant}" in panel(order.invoice)


def test_locked_when_paid_there_and_changed_here(order, books, sync, supplier, panel):
    sync()
    books.pay(order.invoice.number, 5)
    ordering.edit_order(order, lines=cast.goods(supplier, {"OAT-1L": 6}), by=None)
    sync()
    page = panel(order.invoice)
    assert "Locked" in page
    assert "has a payment or a credit note in Xero" in page


def test_with_automatic_sync_off_one_invoice_is_sent_by_hand(desk, connection, supplier, sync, books, panel):
    save_settings(connection, {"automatic_sync": False}, None)
    invoice = cast.placed_order(cast.venue(supplier)).invoice
    sync()
    assert "Send to Xero" in panel(invoice)
    page = desk("priya").post("/w/harbour/xero/send", {"invoice": [str(invoice.pk), "not-an-id"]})
    assert page.status_code == 302
    sync()
    assert books.find_invoice(invoice.number)


def test_another_wholesalers_invoice_is_not_sent(desk, connection):
    theirs = cast.placed_order(cast.venue(cast.supplier("southern"))).invoice
    page = desk("theo").post("/w/harbour/xero/send", {"invoice": str(theirs.pk)}, follow=True)
    assert "There is nothing to send" in page.text


def test_a_customer_is_told_its_contact(looking, order, sync, supplier):
    cafe = order.customer

    def draw():
        context = looking(customer=cafe, contact=contact_standing(cafe))
        return render_to_string("desk/xero/_contact_panel.html", context)

    assert "None yet" in draw()
    sync()
    linked = draw()
    assert "Linked" in linked
    assert f"/w/harbour/customers/{cafe.pk}/contact" in linked


def test_a_sku_that_is_no_item_is_a_hint_said_once_and_no_problem(desk, supplier, connection, sync, books):
    books.add_item("SYRUP-VAN", "Vanilla syrup", "1.00")  # as dear as ours, so it doesn't matter whose price counts
    actions.reload_chart(connection, None)
    venue = cast.venue(supplier)
    lines = [*cast.goods(supplier, {"OAT-1L": 1}), *cast.goods(supplier, {"OAT-1L": 2, "syrup-van": 1})]
    invoice = cast.placed_order(venue, lines=lines).invoice
    theo = desk("theo")
    for _ in ("before it is sent", "after it was sent"):
        page = theo.get(f"/w/harbour/invoices/{invoice.pk}").text
        assert page.count("Without item code: OAT-1L is no item in Xero, so that line goes by description.") == 1
        sync()
    assert queries.xero_line(supplier).needing == 0
    codes = [line.get("ItemCode") for line in books.find_invoice(invoice.number)["LineItems"]]
    assert codes == [None, None, "SYRUP-VAN"]


def test_nothing_is_hinted_at_when_every_sku_is_an_item_or_nothing_is_connected(desk, supplier, connection, books):
    invoice = cast.placed_order(cast.venue(supplier)).invoice
    books.add_item("OAT-1L", "Oat milk", "4.50")
    actions.reload_chart(connection, None)
    assert "Without item code" not in desk("theo").get(f"/w/harbour/invoices/{invoice.pk}").text
    books.remove_item("OAT-1L")
    connection.delete()
    assert "Without item code" not in desk("rex").get(f"/w/harbour/invoices/{invoice.pk}").text
