"""Connecting through Xero's consent page, all that can go wrong on the way, disconnecting, coming back."""

import pytest

import cast
from provender.people.models import Membership
from provender.people.roles import Role
from provender.sync import connecting
from provender.sync.models import Connection
from sync.connected import consent

pytestmark = pytest.mark.django_db


@pytest.fixture
def theo(desk):
    """The bookkeeper's browser."""
    return desk("theo")


def press_connect(browser, slug="harbour"):
    return browser.post(f"/w/{slug}/xero/connect").headers["location"]


def come_back(browser, params, **options):
    return browser.get("/xero/callback", params, **options)


def test_the_tile_says_what_is_needed(theo, xero):
    page = theo.get("/w/harbour/integrations").text
    assert "What you’ll need" in page
    for need in ("An administrator of the organisation", "Matching SKUs", "The accounts", "Connect to Xero"):
        assert need in page


def test_who_may_not_connect_is_told_who_can(desk):
    page = desk("mai").get("/w/harbour/xero").text
    assert "Connect to Xero" not in page
    assert "An owner or a bookkeeper can do this." in page


def test_connecting_leads_to_consent_and_back_to_proposed_settings(theo, xero):
    address = press_connect(theo)
    assert address.startswith("http://localhost:8765/identity/connect/authorize?")
    page = come_back(theo, consent(xero, address), follow=True)
    assert page.redirect_chain == [("/w/harbour/xero/settings", 302)]
    assert "Connected to Demo Company (AU)" in page.text
    assert "Nothing is saved yet" in page.text
    assert Connection.objects.get().connected_by.name == "Theo"


def test_a_consent_for_several_asks_which(theo, xero):
    second = xero.add_organisation("demo-nz", "Southern Books").organisation_id
    both = [xero.organisation().id, second]
    page = come_back(theo, consent(xero, press_connect(theo), organisation=both), follow=True)
    assert "Which organisation?" in page.text
    address = page.redirect_chain[-1][0]
    theo.post(address, {"organisation": second})
    assert Connection.objects.get().organisation == "Southern Books"


def test_an_organisation_that_another_wholesaler_has_cant_be_chosen(theo, xero, connection):
    southern = cast.supplier("southern")
    Membership.objects.create(supplier=southern, user=southern_user(theo), role=Role.BOOKKEEPER)
    second = xero.add_organisation("demo-nz", "Southern Books").organisation_id
    both = [xero.organisation().id, second]
    page = come_back(theo, consent(xero, press_connect(theo, "southern"), organisation=both), follow=True)
    assert "Connected to another wholesaler of this Provender already." in page.text
    refused = theo.post(page.redirect_chain[-1][0], {"organisation": connection.tenant})
    assert refused.status_code == 400
    assert "That organisation is connected already" in refused.text
    assert "Choose another organisation" in refused.text


def southern_user(browser):
    return Membership.objects.get(user=browser.session["_auth_user_id"]).user


def test_cancelling_at_xero_connects_nothing(theo, xero):
    page = come_back(theo, consent(xero, press_connect(theo), decision="cancel"))
    assert page.status_code == 200
    assert "Nothing was connected" in page.text
    assert "Access was not given" in page.text
    assert "Start again" in page.text
    assert not Connection.objects.exists()


def test_a_state_that_was_never_given_out_is_ignored(theo, xero):
    page = come_back(theo, {"code": "stolen", "state": "guessed"})
    assert "That answer from Xero was not expected" in page.text
    assert "Start again" in page.text


def test_a_state_belongs_to_the_person_who_began(theo, desk, xero):
    answer = consent(xero, press_connect(theo))
    page = come_back(desk("priya"), answer)
    assert "That answer from Xero was not expected" in page.text
    assert not Connection.objects.exists()


def test_a_code_works_once(theo, xero):
    answer = consent(xero, press_connect(theo))
    page = come_back(theo, answer | {"code": "worn-out"})
    assert "Xero didn’t accept the code" in page.text
    assert "Start again" in page.text


def test_a_wrong_secret_is_for_whoever_runs_it(theo, xero, settings):
    answer = consent(xero, press_connect(theo))
    settings.XERO_CLIENT_SECRET = "mistyped"
    page = come_back(theo, answer)
    assert "Xero doesn’t accept this Provender’s app" in page.text
    assert "Start again" not in page.text


def test_a_taken_organisation_is_refused_with_its_reason(theo, xero, connection):
    southern = cast.supplier("southern")
    Membership.objects.create(supplier=southern, user=southern_user(theo), role=Role.OWNER)
    page = come_back(theo, consent(xero, press_connect(theo, "southern")))
    assert "That organisation is connected already" in page.text
    assert "is connected to another wholesaler of this Provender" in page.text
    assert Connection.objects.count() == 1


def test_a_second_organisation_needs_the_first_disconnected(theo, xero, connection):
    second = xero.add_organisation("demo-nz", "Southern Books").organisation_id
    page = come_back(theo, consent(xero, press_connect(theo), organisation=second))
    assert "Another organisation is connected" in page.text
    assert 'href="/w/harbour/xero/disconnect"' in page.text


def test_without_an_app_the_page_says_what_to_set(theo, settings):
    settings.XERO_CLIENT_ID = ""
    page = theo.post("/w/harbour/xero/connect")
    assert page.status_code == 400
    assert "Provender has no Xero app yet" in page.text
    assert "XERO_CLIENT_ID" in page.text


def test_a_consent_that_names_no_organisation_is_told(theo, xero, books):
    answer = consent(xero, press_connect(theo))
    books.disconnect()
    page = come_back(theo, answer)
    assert "No organisation was chosen" in page.text


def test_when_xero_is_down_the_page_says_to_come_back(theo, xero):
    answer = consent(xero, press_connect(theo))
    xero.faults.add("503", path="/connect/token")
    page = come_back(theo, answer)
    assert page.status_code == 503
    assert "Xero can’t be asked right now" in page.text


def test_who_lost_the_role_on_the_way_connects_nothing(theo, xero):
    answer = consent(xero, press_connect(theo))
    Membership.objects.update(role=Role.READER)
    assert come_back(theo, answer).status_code == 403
    assert not Connection.objects.exists()


def test_the_page_tells_all_about_a_connection(theo, connection, books, supplier):
    cast.product(supplier, "OAT-1L")
    books.add_item("OAT-1L")
    cast.product(supplier, "CUP-8OZ")
    theo.post("/w/harbour/xero/reload")
    page = theo.get("/w/harbour/xero").text
    for told in ("Demo Company (AU)", "the command line", "invoices and credit notes", "None set", "Calls left today"):
        assert told in page
    assert "1 of 2 SKUs is no item in Xero" in page
    assert "sales account 201, which Xero doesn&#x27;t have" in page
    listed = theo.get("/w/harbour/xero/skus").text
    assert "CUP-8OZ" in listed
    assert "OAT-1L" not in listed


def test_check_now_sends_what_waits(theo, order, books):
    page = theo.post("/w/harbour/xero/check", follow=True)
    assert "Xero answered. The invoice is in Demo Company (AU)." in page.text
    assert books.find_invoice(order.invoice.number)


def test_a_revoked_consent_says_what_waits_and_how_to_go_on(theo, order, books, sync, xero):
    books.disconnect()
    sync()
    page = theo.get("/w/harbour/xero").text
    assert "Xero needs a new consent" in page
    assert "There is no way into Demo Company (AU) in Xero any more" in page
    assert "<b>1 invoice</b> waits" in page
    come_back(theo, consent(xero, press_connect(theo)))
    sync()
    assert books.find_invoice(order.invoice.number)


def test_disconnecting_asks_and_keeps_links_and_settings(theo, order, sync, xero, connection):
    sync()
    asked = theo.get("/w/harbour/xero/disconnect").text
    assert "What stays" in asked
    gone = theo.post("/w/harbour/xero/disconnect", follow=True)
    assert "Disconnected from Demo Company (AU). Links and settings are kept." in gone.text
    assert "Connect again" in gone.text
    back = come_back(theo, consent(xero, press_connect(theo)), follow=True)
    assert "Its links and settings are as they were." in back.text
    again = Connection.objects.get()
    assert again.sales_account == connection.sales_account
    assert again.links.filter(kind="invoice").count() == 1


def test_without_a_connection_its_pages_are_not_there(theo):
    for address in ("xero/settings", "xero/skus", "xero/disconnect"):
        assert theo.get(f"/w/harbour/{address}").status_code == 404


def test_an_old_choice_is_no_longer_offered(theo, xero, later):
    second = xero.add_organisation("demo-nz", "Southern Books").organisation_id
    both = [xero.organisation().id, second]
    page = come_back(theo, consent(xero, press_connect(theo), organisation=both), follow=True)
    later(seconds=connecting.ATTEMPT_LIVES.total_seconds() + 1)
    assert theo.get(page.redirect_chain[-1][0]).status_code == 404
