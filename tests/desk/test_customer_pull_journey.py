"""A bookkeeper's way through the contacts, in a real browser: one confirmed, one added, one told apart; then undone."""

import re

import pytest

import cast
from browsers import needs_browser
from desk.test_frame_axe import WIDTHS, cookie, look, window
from provender.people.models import User
from provender.sync.models import Link

pytestmark = [pytest.mark.browser, needs_browser]


@pytest.fixture
def theo(transactional_db, connection, client, books):
    """The bookkeeper's browser; two customers that Xero knows under other names, and a contact that is new."""
    supplier = connection.supplier
    books.add_contact("Corner Holdings", TaxNumber="51 824 753 556")
    books.add_contact("Twin Holdings", EmailAddress="twin@example.test")
    books.add_contact("New Bar")
    cast.venue(supplier, "Corner Cafe", tax_number="51824753556")
    cast.venue(supplier, "Twin", email="twin@example.test")
    client.force_login(User.objects.filter(email="theo@example.test").first() or cast.person("theo", supplier))
    return client


def test_on_a_phone_it_is_said_who_is_who_applied_and_undone(live_server, theo, connection):
    mine = connection.supplier.customers
    with window("phone", [cookie(theo, live_server)]) as (page, complaints):
        page.goto(f"{live_server.url}/w/harbour/xero/customers")
        page.get_by_role("button", name="Read contacts").click()
        page.get_by_role("group", name="Who is Corner Holdings?").get_by_label("It is Corner Cafe").check()
        page.get_by_role("group", name="Who is Twin Holdings?").get_by_label("Not the same").check()
        page.get_by_role("button", name=re.compile("^New")).click()
        page.get_by_label("Add as a customer: New Bar").check()
        page.get_by_role("button", name="Apply choices").click()
        page.get_by_text("1 customer added, 1 linked, 1 told apart.").wait_for()
        assert look(page, complaints, page.url, WIDTHS["phone"][0]) == []
    linked = set(Link.objects.filter(kind="contact").values_list("document", flat=True))
    assert set(mine.filter(pk__in=linked).values_list("trading_name", flat=True)) == {"Corner Cafe", "New Bar"}
    with window("phone", [cookie(theo, live_server)]) as (page, _):
        page.goto(f"{live_server.url}/w/harbour/xero/customers")
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("Undone: 1 removed again, 1 unlinked again, 1 open again.").wait_for()
    assert set(mine.values_list("trading_name", flat=True)) == {"Corner Cafe", "Twin"}
    assert not Link.objects.filter(kind="contact").exists()
