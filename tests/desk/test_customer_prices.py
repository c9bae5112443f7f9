"""What a customer pays and why, its own prices, and who pays what for a product."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

import cast
from desk.test_customers import queries
from desk.test_orders import typed_again
from desk.test_price_lists import typed
from provender.basics import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def mai(desk):
    return desk("mai")


@pytest.fixture
def lune(supplier):
    """On the Cafés list: oat milk at 4.20, all else 10 % below base."""
    for sku in cast.GOODS:
        cast.product(supplier, sku)
    cafes = cast.price_list(supplier, "Cafés", {"OAT-1L": "4.20"}, percent=Decimal(-10))
    return cast.venue(supplier, "Bar Lune", price_list=cafes)


def tab(customer):
    return f"/w/harbour/customers/{customer.pk}/prices"


def shown(page):
    """By SKU the price that counts and why."""
    rows = page.context["list"].page.rows
    return {row.cells[1].text: f"{row.cells[4].text}: {row.cells[4].note}" for row in rows}


def test_each_product_stands_with_its_price_today_and_why(supplier, lune, mai):
    cast.dated_price(lune, "11.00", date(2026, 1, 1), sku="SYRUP-VAN")
    assert shown(mai.get(tab(lune))) == {
        "BEANS-1KG": "24.4125: List Cafés −10 %",
        "OAT-1L": "4.20: List Cafés",
        "CUP-8OZ": "0.0338: List Cafés −10 %",
        "SYRUP-VAN": "11.00: Own price from 1 Jan 2026",
    }
    assert list(shown(mai.get(tab(lune), {"own": "yes"}))) == ["SYRUP-VAN"]
    assert list(shown(mai.get(tab(lune), {"q": "oat"}))) == ["OAT-1L"]


def test_prices_of_a_day_to_come_can_be_looked_at(lune, mai):
    cast.dated_price(lune.price_list, "4.40", date(2999, 1, 1))
    assert shown(mai.get(tab(lune), {"begins": "2999-01-02", "q": "oat"})) == {
        "OAT-1L": "4.40: List Cafés from 1 Jan 2999"
    }


def test_own_prices_are_written_many_at_once_and_taken_away(supplier, lune, mai):
    answer = mai.post(tab(lune), typed(supplier, OAT1L=("", "3.9025"), CUP8OZ=("", "0")), follow=True)
    assert "2 prices changed." in answer.text
    assert "2 products with prices of their own" in answer.text
    assert dict(lune.own_prices.values_list("product__sku", "price")) == {"OAT-1L": Decimal("3.9025"), "CUP-8OZ": 0}
    mai.post(tab(lune), typed(supplier, OAT1L=("3.9025", "")))
    assert lune.own_prices.get().product.sku == "CUP-8OZ"


def test_the_tab_costs_the_same_queries_for_any_number_of_products(supplier, lune, mai):
    few = queries(mai, tab(lune))
    for number in range(15):
        cast.dated_price(lune, "1.00", sku=f"P-{number}")
    assert queries(mai, tab(lune)) == few < 20


def test_the_customers_page_names_its_own_percentage_and_prices(lune, mai):
    cast.dated_price(lune, "4.00")
    form = {
        "trading_name": "Bar Lune",
        "terms_days": "14",
        "terms_from": "order",
        "invoice_at": "placing",
        "pays": "here",
    }
    mai.post(f"/w/harbour/customers/{lune.pk}/edit", form | {"percent": "-7.5 %", "percent_to": "2999-12-31"})
    page = mai.get(f"/w/harbour/customers/{lune.pk}").text
    assert "own −7.5 % until 31 Dec 2999" in page
    assert f'href="{tab(lune)}?own=yes">1 own price<' in page
    assert "Changed price list" in page


def test_an_own_percentage_that_ends_before_it_begins_is_refused_at_its_field(lune, mai):
    form = {
        "trading_name": "Bar Lune",
        "terms_days": "14",
        "terms_from": "order",
        "invoice_at": "placing",
        "pays": "here",
    }
    form |= {"percent": "5", "percent_from": "2026-12-01", "percent_to": "2026-11-01"}
    page = mai.post(f"/w/harbour/customers/{lune.pk}/edit", form)
    assert "percent_to" in page.context["form"].errors


def test_only_ones_own_customers_and_products_have_prices_here(supplier, lune, mai):
    southern = cast.supplier("southern")
    theirs, oat = cast.venue(southern, "Deli"), cast.product(southern)
    assert mai.get(f"{tab(lune)}/{oat.pk}").status_code == 404
    assert mai.get(tab(theirs)).status_code == 404
    assert mai.get(f"/w/harbour/products/{oat.pk}/prices").status_code == 404


def test_own_prices_by_day_are_written_on_their_page(supplier, lune, mai):
    oat = cast.product(supplier)
    url = f"{tab(lune)}/{oat.pk}"
    mai.post(url, {"row": ["0"], "0-was": "", "0-price": "3.95", "0-first": "2026-12-01", "0-last": "2026-12-24"})
    (row,) = lune.own_prices.all()
    assert (row.price, row.valid_from, row.valid_to) == (Decimal("3.95"), date(2026, 12, 1), date(2026, 12, 24))
    assert "For Bar Lune: not listed → 3.95 from 1 Dec 2026 until 24 Dec 2026" in mai.get(
        f"/w/harbour/products/{oat.pk}"
    ).text  # fmt: skip


def test_who_pays_what_for_a_product(supplier, lune, mai):
    oat = cast.product(supplier)
    own = cast.venue(supplier, "Corner Cafe")
    cast.venue(supplier, "Deli Nord", percent=Decimal(2))
    cast.venue(supplier, "Gone", active=False)
    cast.dated_price(own, "4.00")
    url = f"/w/harbour/products/{oat.pk}/prices"
    page = mai.get(url)
    assert [[cell.text for cell in row.cells] for row in page.context["list"].page.rows] == [
        ["Bar Lune", "Cafés", "4.20", "List Cafés"],
        ["Corner Cafe", "Base prices", "4.00", "Own price"],
        ["Deli Nord", "Base prices", "4.59", "Own +2 %"],
    ]
    assert [row.name for row in mai.get(url, {"own": "yes"}).context["list"].page.rows] == ["Corner Cafe"]
    assert [row.name for row in mai.get(url, {"q": "deli"}).context["list"].page.rows] == ["Deli Nord"]
    assert "Corner Cafe" in mai.get(f"/w/harbour/products/{oat.pk}").text
    few = queries(mai, url)
    for number in range(15):
        cast.venue(supplier, f"Venue {number}", price_list=lune.price_list)
    assert queries(mai, url) == few


# --- on orders ----------------------------------------------------------------------------------------------------


def test_a_placed_order_says_that_prices_moved_and_takes_them_when_ticked(supplier, lune, mai):
    order = cast.placed_order(lune, {"OAT-1L": 4, "CUP-8OZ": 10})
    url = f"/w/harbour/orders/{order.pk}/edit"
    assert "they hold now too" in mai.get(url).text
    cast.dated_price(lune, "3.9025")
    page = mai.get(url).text
    assert "1 line has another price by now" in page
    assert "4.20 · List Cafés" in page
    part = mai.post(url, typed_again(order, do="", anew="1"), headers={"HX-Request": "true"}).text
    assert "3.9025 · Own price" in part
    mai.post(url, typed_again(order, do="save"))
    assert order.lines.get(sku="OAT-1L").unit_price == Decimal("4.20")
    mai.post(url, typed_again(order, do="save", anew="1"))
    assert order.lines.get(sku="OAT-1L").unit_price == Decimal("3.9025")
    order.invoice.refresh_from_db()
    assert order.invoice.version == 2


def test_the_delivery_date_as_typed_says_which_price_counts(lune, mai):
    today = clock.today("Australia/Sydney")
    later = today + timedelta(days=40)
    cast.dated_price(lune, "4.00", later)
    form = {
        "customer": "Bar Lune", "order_date": today, "delivery_date": later, "purchase_order": "", "comment": "",
        "key": [""], "item": ["OAT-1L"], "quantity": ["4"], "price": [""], "do": "",
    }  # fmt: skip
    part = mai.post("/w/harbour/orders/new", form, headers={"HX-Request": "true"}).text
    assert f"4.00 · Own price from {clock.in_words(later)}" in part
    assert f"those of {clock.in_words(later)}" in part
