"""A bookkeeper's way through a pull, in a real browser: one name taken, one price refused, then thought better of."""

import pytest

import cast
from browsers import needs_browser
from desk.test_frame_axe import WIDTHS, cookie, look, window
from provender.people.models import User

pytestmark = [pytest.mark.browser, needs_browser]


@pytest.fixture
def theo(transactional_db, connection, client):
    """The bookkeeper's browser; tea has another name and price in Xero."""
    supplier = connection.supplier
    cast.product(supplier, "TEA-1", name="Tea", price="4.00")
    client.force_login(User.objects.filter(email="theo@example.test").first() or cast.person("theo", supplier))
    return client


@pytest.mark.parametrize("size", WIDTHS)
def test_a_name_is_taken_a_price_refused_and_all_of_it_undone(live_server, theo, connection, books, size):
    books.add_item("TEA-1", "Green tea", "5.00")
    books.add_item("NEW-1", "Something new", "2.50")
    tea = connection.supplier.products.get()
    with window(size, [cookie(theo, live_server)]) as (page, complaints):
        page.goto(f"{live_server.url}/w/harbour/xero/products")
        page.get_by_role("button", name="Sync products").click()
        assert look(page, complaints, page.url, WIDTHS[size][0]) == []
        page.get_by_role("checkbox", name="TEA-1: price").uncheck()
        page.get_by_role("button", name="Apply what is ticked").click()
        assert look(page, complaints, page.url, WIDTHS[size][0]) == []
    tea.refresh_from_db()
    assert (tea.name, str(tea.price)) == ("Green tea", "4.0000")
    assert connection.supplier.products.get(sku="NEW-1").category.name == "Unsorted"
    with window(size, [cookie(theo, live_server)]) as (page, complaints):
        page.goto(f"{live_server.url}/w/harbour/xero/products")
        assert look(page, complaints, page.url, WIDTHS[size][0]) == []
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("Undone:").first.wait_for()
    tea.refresh_from_db()
    assert tea.name == "Tea"
    assert not connection.supplier.products.filter(sku="NEW-1").exists()
