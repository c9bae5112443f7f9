"""The token set of a consent: refreshed by one at a time; a lost answer costs nothing; nothing is readable at rest."""

from datetime import timedelta

import msgspec
import pytest

import cast
from provender.basics import clock
from provender.invoicing.models import Invoice
from provender.sync import connecting
from provender.sync.choices import save_settings
from provender.sync.drain import drain, drain_due
from provender.sync.errors import AlreadyConnected, AppRefused, OrganisationTaken, StateUnknown
from provender.sync.jobs import check_connections
from provender.sync.models import Connection, Consent, Link
from provender.sync.queries import problem_groups, status, xero_line
from provender.sync.secrets import unseal
from provender.sync.session import asking_for_a_person, carried_by
from provender.sync.tokens import Tokens, access_token
from provender.sync.waiting import drain_until_in_step
from provender.xero import NotConnected, TryLater
from sync.connected import consent
from xero_simulator import Simulator
from xero_simulator.testing import FaultyTransport

pytestmark = pytest.mark.django_db

TOKEN = "/connect/token"


def held():
    return msgspec.json.decode(unseal(Consent.objects.get().tokens), type=Tokens)


def test_a_token_that_works_is_not_refreshed(connection, xero):
    xero.stats.reset()
    assert access_token(connection.consent_id) == held().access
    assert f"POST {TOKEN}" not in xero.stats.calls


def test_a_token_about_to_end_is_refreshed_and_rotated(connection, later):
    before = held()
    later(minutes=29)
    assert access_token(connection.consent_id) != before.access
    assert held().refresh != before.refresh
    assert held().previous == before.refresh


def test_a_lost_answer_costs_nothing_within_the_grace(connection, xero, later):
    later(minutes=29)
    xero.faults.add("drop-after-commit", methods=["POST"], path=TOKEN, count=1)
    with pytest.raises(TryLater):
        access_token(connection.consent_id)
    later(minutes=5)
    assert access_token(connection.consent_id) == held().access


def test_while_one_refreshes_the_others_wait_for_its_answer(connection, later):
    later(minutes=29)
    Consent.objects.update(refresh_owner="another", refresh_until=clock.now() + timedelta(seconds=30))
    with pytest.raises(TryLater):
        access_token(connection.consent_id)
    later(seconds=40)  # it died: its lease runs out
    assert access_token(connection.consent_id)


def test_a_revoked_consent_needs_reconnecting_and_changes_wait(order, connection, supplier, xero, later, sync):
    app = next(iter(xero.oauth.state.apps.values()))
    xero.oauth.revoke(app, {"token": held().refresh})
    later(minutes=31)
    sync()
    connection.refresh_from_db()
    assert connection.state == Connection.State.NEEDS_RECONNECTING
    assert xero_line(supplier).waiting == 1
    with pytest.raises(NotConnected):
        access_token(connection.consent_id)


def test_a_wrong_secret_ends_no_consent_and_heals_by_itself(
    order, connection, supplier, xero, books, later, sync, settings
):
    settings.XERO_CLIENT_SECRET = "mistyped"
    later(minutes=31)
    sync()
    connection.refresh_from_db()
    line, asked = xero_line(supplier), xero.stats.calls[f"POST {TOKEN}"]
    assert (connection.state, line.light, line.waiting, line.needing) == ("connected", "app-refused", 1, 1)
    assert "nothing goes to Demo Company (AU)" in line.sentence
    assert status(supplier)["connection"]["app_refused_since"] is not None
    assert [group.cause for group in problem_groups(supplier)] == ["app-refused"]
    assert drain_until_in_step(connection, wait=True).waiting == 1  # it doesn't wait for ever
    with pytest.raises(AppRefused), asking_for_a_person(connection) as session:
        session.client.organisation()
    assert xero.stats.calls[f"POST {TOKEN}"] == asked  # not asked again within the minute
    settings.XERO_CLIENT_SECRET = "simulator-secret"
    later(seconds=61)
    drain_due()
    assert books.find_invoice(order.invoice.number)
    assert (xero_line(supplier).light, xero_line(supplier).waiting) == ("connected", 0)
    assert status(supplier)["connection"]["app_refused_since"] is None


def test_a_connection_with_nothing_to_send_heals_too(connection, supplier, later, settings):
    settings.XERO_CLIENT_SECRET = "mistyped"
    later(minutes=31)
    check_connections()
    assert xero_line(supplier).app_refused
    later(minutes=2)
    check_connections()
    assert xero_line(supplier).app_refused
    settings.XERO_CLIENT_SECRET = "simulator-secret"
    check_connections()
    assert not xero_line(supplier).app_refused


def test_another_apps_id_ends_no_consent(connection, supplier, xero, later, settings):
    other = xero.oauth.state.apps["another"] = msgspec.structs.replace(
        xero.oauth.state.apps["simulator"], client_id="another"
    )
    settings.XERO_CLIENT_ID = other.client_id
    later(minutes=31)
    with pytest.raises(TryLater, match="app-refused"):
        access_token(connection.consent_id)
    assert xero_line(supplier).app_refused
    settings.XERO_CLIENT_ID = "simulator"
    assert access_token(connection.consent_id)
    assert not xero_line(supplier).app_refused


def test_tokens_are_unreadable_at_rest(connection):
    stored = bytes(Consent.objects.get().tokens)
    assert held().access.encode() not in stored
    assert held().refresh.encode() not in stored
    assert held().access not in repr(Consent.objects.values())


def reconnect(xero, supplier, organisation=None):
    attempt = connecting.finish(consent(xero, connecting.begin(supplier, None), organisation=organisation), None)
    tenant = organisation or xero.organisation().id
    return connecting.choose(attempt, tenant, None)


def test_the_same_organisation_again_finds_its_links_and_settings(order, connection, supplier, xero, sync):
    sync()
    save_settings(connection, {"invoice_status": "DRAFT"}, None)
    links = list(Link.objects.order_by("pk").values_list("pk", "xero_id"))
    connecting.disconnect(connection, None)
    assert status(supplier)["connection"]["state"] == "disconnected"
    cast.placed_order(order.customer)
    again = reconnect(xero, supplier)
    assert again.pk == connection.pk
    assert again.invoice_status == "DRAFT"
    assert list(Link.objects.order_by("pk").values_list("pk", "xero_id")) == links
    drain(again)
    assert status(supplier)["in_step"]["invoices"] == 2


def test_another_organisation_never_gets_ids_of_the_first(order, connection, supplier, xero, sync):
    sync()
    xero.add_organisation("demo-au", "Second Company")
    other = xero.organisation(1).id
    connecting.disconnect(connection, None)
    second = reconnect(xero, supplier, other)
    drain(second)
    assert not Link.objects.filter(connection=second).exists()
    save_settings(second, {"automatic_sync": True}, None)
    new = cast.placed_order(order.customer)
    drain(second)
    assert Link.objects.filter(connection=second, kind="invoice").get().document == new.invoice_id
    assert Invoice.objects.count() == 2


def test_an_organisation_belongs_to_one_wholesaler(connection, xero):
    with pytest.raises(OrganisationTaken):
        reconnect(xero, cast.supplier("southern"))


def test_a_wholesaler_has_one_organisation_at_a_time(connection, supplier, xero):
    xero.add_organisation("demo-au", "Second Company")
    other = xero.organisation(1).id
    with pytest.raises(AlreadyConnected):
        reconnect(xero, supplier, other)


def test_a_state_works_once_and_for_its_person(supplier, xero, connection):
    params = consent(xero, connecting.begin(supplier, None))
    with pytest.raises(StateUnknown):
        connecting.finish(params | {"state": "another"}, None)
    with pytest.raises(StateUnknown):
        connecting.finish(params, cast.person("mai", supplier))
    connecting.finish(params, None)
    with pytest.raises(StateUnknown):
        connecting.finish(params, None)


def test_switching_automatic_sync_on_sends_nothing_from_before(supplier, connection, sync, books):
    save_settings(connection, {"automatic_sync": False}, None)
    before = cast.placed_order(cast.venue(supplier, "Early Cafe"))
    save_settings(connection, {"automatic_sync": True}, None)
    after = cast.placed_order(cast.venue(supplier, "Late Cafe"))
    sync()
    numbers = {one["InvoiceNumber"] for one in books.invoices()}
    assert after.invoice.number in numbers
    assert before.invoice.number not in numbers


def test_an_app_without_a_secret_connects_by_pkce(supplier, settings):
    settings.XERO_LOGIN_URL = settings.XERO_IDENTITY_URL = settings.XERO_API_URL = "http://localhost:8765"
    settings.XERO_CLIENT_ID, settings.XERO_CLIENT_SECRET = "public-app", ""
    simulator = Simulator(organisation="demo-nz", limits=False, client_id="public-app", client_secret=None)
    with carried_by(FaultyTransport(simulator)):
        address = connecting.begin(supplier, None)
        assert "code_challenge_method=S256" in address
        made = reconnect(simulator, supplier)
    assert made.organisation == simulator.organisation().name


def test_a_process_set_up_with_another_app_leaves_the_connection_alone(order, connection, settings, xero):
    settings.XERO_CLIENT_ID = "another-app"
    xero.stats.reset()
    drain_due()
    check_connections()
    assert not xero.stats.calls
    connection.refresh_from_db()
    assert connection.state == Connection.State.CONNECTED
