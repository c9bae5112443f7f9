from datetime import date
from decimal import Decimal

import pytest

import cast
from provender.catalogue.actions import save_price_list, set_list_price, set_list_prices
from provender.catalogue.errors import (
    AnotherWholesalersCatalogue,
    EndsBeforeItBegins,
    NegativePrice,
    PriceListNameTaken,
)
from provender.catalogue.models import PriceList
from provender.catalogue.offers import Offer
from provender.catalogue.queries import PriceFound, find_product, prices_for
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 27)


@pytest.fixture
def oat(supplier):
    return cast.product(supplier, "OAT-1L")


@pytest.fixture
def cafes(supplier):
    return cast.price_list(supplier, "Cafés", {"OAT-1L": "4.20", "SYRUP-VAN": "0"})


def price_for(product, price_list):
    return prices_for([product], price_list, TODAY)[product.pk]


def test_a_listed_product_costs_what_the_list_says(oat, cafes):
    assert price_for(oat, cafes) == PriceFound(Decimal("4.20"), "List Cafés")


def test_a_product_off_the_list_keeps_its_base_price(supplier, cafes):
    assert price_for(cast.product(supplier, "BEANS-1KG"), cafes) == PriceFound(Decimal("27.125"), "Base price")


def test_without_a_list_the_base_price_holds(oat):
    assert price_for(oat, None) == PriceFound(Decimal("4.50"), "Base price")


def test_a_listed_price_of_nothing_is_a_price(supplier, cafes):
    assert price_for(cast.product(supplier, "SYRUP-VAN"), cafes).price == 0


def test_many_prices_cost_one_query(supplier, cafes, django_assert_num_queries):
    products = [cast.product(supplier, sku) for sku in cast.GOODS]
    with django_assert_num_queries(1):
        assert len(prices_for(products, cafes, TODAY)) == 4
    with django_assert_num_queries(0):
        prices_for(products, None, TODAY)


def test_a_price_is_set_changed_and_taken_off(oat, cafes, supplier):
    for price in ("4.10", "4.10", None, None):
        set_list_price(cafes, oat, price and Decimal(price), by=None)
    assert price_for(oat, cafes).reason == "Base price"
    told = [entry.what for entry in story(supplier, "price-list", cafes.pk)]
    assert told[:2] == ["OAT-1L 4.10 → not listed", "OAT-1L 4.20 → 4.10"]


def test_a_list_takes_no_price_below_nothing(oat, cafes):
    with pytest.raises(NegativePrice, match="OAT-1L"):
        set_list_price(cafes, oat, Decimal("-0.01"), by=None)


def test_a_list_takes_its_own_wholesalers_products_only(cafes):
    theirs = cast.product(cast.supplier("southern"))
    with pytest.raises(AnotherWholesalersCatalogue):
        set_list_price(cafes, theirs, Decimal(1), by=None)


def test_a_sku_is_found_as_written_and_then_by_case(supplier):
    small, large = (cast.product(supplier, sku) for sku in ("15056n", "15056N"))
    lone = cast.product(supplier, "85123A")
    assert (find_product(supplier, "15056n"), find_product(supplier, "15056N")) == (small, large)
    assert find_product(supplier, "85123a") == lone
    assert find_product(supplier, "8512") is None


def test_a_sku_that_could_be_two_is_none(supplier):
    for sku in ("15056bl", "15056BL"):
        cast.product(supplier, sku)
    assert find_product(supplier, "15056Bl") is None


def test_a_sku_is_looked_for_in_one_catalogue(supplier):
    cast.product(cast.supplier("southern"), "OAT-1L")
    assert find_product(supplier, "OAT-1L") is None


def test_many_list_prices_are_set_at_once_and_only_what_changed_is_told(supplier):
    cafes = cast.price_list(supplier, "Cafés", {"OAT-1L": "4.20", "CUP-8OZ": "0.03"})
    oat, cup, syrup = (cast.product(supplier, sku) for sku in ("OAT-1L", "CUP-8OZ", "SYRUP-VAN"))
    new = {(oat, None): Offer(Decimal("4.20")), (cup, None): None, (syrup, None): Offer(Decimal("11.50"))}
    assert set_list_prices(cafes, new, by=None) == 2
    assert dict(cafes.prices.values_list("product__sku", "price")) == {
        "OAT-1L": Decimal("4.20"),
        "SYRUP-VAN": Decimal("11.50"),
    }
    assert {entry.what for entry in story(supplier, "price-list", cafes.pk)[:2]} == {
        "CUP-8OZ 0.03 → not listed",
        "SYRUP-VAN not listed → 11.50",
    }
    assert story(supplier, "product", syrup.pk)[0].what == "On Cafés: not listed → 11.50"


def test_a_price_and_its_last_day_change_under_its_first_day(supplier, oat, cafes):
    december = date(2026, 12, 1)
    cast.dated_price(cafes, "4.30", december, date(2026, 12, 24))
    cast.dated_price(cafes, "4.40", december)
    assert [entry.what for entry in story(supplier, "price-list", cafes.pk)[:2]] == [
        "OAT-1L 4.30 from 1 Dec 2026 until 24 Dec 2026 → 4.40 from 1 Dec 2026",
        "OAT-1L not listed → 4.30 from 1 Dec 2026 until 24 Dec 2026",
    ]
    assert list(cafes.prices.filter(product=oat).values_list("price", "valid_from", "valid_to").order_by("price")) == [
        (Decimal("4.20"), None, None),
        (Decimal("4.40"), december, None),
    ]


def test_of_many_list_prices_one_wrong_one_keeps_all_back(supplier):
    cafes, oat = cast.price_list(supplier), cast.product(supplier)
    theirs = cast.product(cast.supplier("southern"))
    good = {(oat, None): Offer(Decimal(4))}
    for wrong, error in (
        ({(theirs, None): Offer(Decimal(4))}, AnotherWholesalersCatalogue),
        ({(cast.product(supplier, "CUP-8OZ"), None): Offer(Decimal(-1))}, NegativePrice),
        ({(oat, TODAY): Offer(Decimal(1), date(2026, 11, 1))}, EndsBeforeItBegins),
    ):
        with pytest.raises(error):
            set_list_prices(cafes, good | wrong, by=None)
    assert not cafes.prices.exists()


def test_a_price_list_begins_with_the_prices_of_another(supplier):
    cafes = cast.price_list(supplier, "Cafés", {"OAT-1L": "4.20"})
    cast.dated_price(cafes, "4.30", date(2026, 12, 1))
    bars = save_price_list(PriceList(supplier=supplier, name="Bars"), like=cafes, by=None)
    set_list_price(bars, cast.product(supplier), Decimal("4.00"), by=None)
    assert set(cafes.prices.values_list("price", flat=True)) == {Decimal("4.20"), Decimal("4.30")}
    assert set(bars.prices.values_list("price", flat=True)) == {Decimal("4.00"), Decimal("4.30")}
    with pytest.raises(PriceListNameTaken):
        save_price_list(PriceList(supplier=supplier, name="Bars"), like=cafes, by=None)


def test_a_list_ends_after_it_begins(supplier):
    days = {"valid_from": date(2026, 12, 1), "valid_to": date(2026, 11, 30)}
    with pytest.raises(EndsBeforeItBegins, match="Cafés would count from 1 Dec 2026 until 30 Nov 2026"):
        cast.price_list(supplier, "Cafés", **days)


def test_two_people_who_set_one_price_at_once_leave_one(at_once):
    supplier = cast.supplier()
    cafes, oat = cast.price_list(supplier), cast.product(supplier)
    at_once(4, lambda number: set_list_price(cafes, oat, Decimal(number + 1), by=None))
    assert cafes.prices.count() == 1
