"""What a product costs a customer on a day, and why."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cast
from provender.catalogue.actions import save_price_list, save_product
from provender.catalogue.errors import AnotherWholesalersCatalogue, EndsBeforeItBegins, NegativePrice
from provender.catalogue.models import ListPrice, PriceList, Product
from provender.catalogue.queries import PriceFound
from provender.customers.actions import save_customer, set_own_prices
from provender.customers.models import Customer, OwnPrice
from provender.customers.prices import price_of, prices_of, prices_of_customers
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 27)
NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
DAY = timedelta(1)


@pytest.fixture
def oat(supplier):
    """Base price 4.50."""
    return cast.product(supplier)


@pytest.fixture
def cafes(supplier, oat):
    """4.20 for oat milk, all else 10 % below base."""
    return cast.price_list(supplier, "Cafés", {"OAT-1L": "4.20"}, percent=Decimal(-10))


@pytest.fixture
def lune(supplier, cafes):
    return cast.venue(supplier, "Bar Lune", price_list=cafes)


def told(customer, product, on=TODAY):
    found = price_of(customer, product, on)
    return f"{found.price.normalize():f}: {found.reason}"


def test_each_step_of_the_rule_gives_way_to_the_one_before_it(supplier, cafes, oat):
    lune = cast.venue(supplier, "Bar Lune")
    assert told(lune, oat) == "4.5: Base price"
    lune.price_list = cast.price_list(supplier, "Bars", percent=Decimal(-10))
    assert told(lune, oat) == "4.05: List Bars −10 %"
    lune.price_list = cafes
    assert told(lune, oat) == "4.2: List Cafés"
    lune.percent = Decimal("-7.5")
    assert told(save_customer(lune, by=None), oat) == "4.1625: Own −7.5 %"
    cast.dated_price(lune, "4.0125")
    assert told(lune, oat) == "4.0125: Own price"


def test_a_scheduled_price_counts_by_itself_from_its_first_to_its_last_day(lune, cafes, oat):
    cast.dated_price(cafes, "4.30", DECEMBER, DECEMBER + 9 * DAY)
    assert told(lune, oat, DECEMBER - DAY) == "4.2: List Cafés"
    assert told(lune, oat, DECEMBER) == "4.3: List Cafés from 1 Dec 2026 until 10 Dec 2026"
    assert told(lune, oat, DECEMBER + 9 * DAY) == "4.3: List Cafés from 1 Dec 2026 until 10 Dec 2026"
    assert told(lune, oat, DECEMBER + 10 * DAY) == "4.2: List Cafés"


def test_of_overlapping_prices_the_one_that_began_last_counts(lune, oat):
    for price, first, last in (
        ("4.01", None, None),
        ("4.02", NOVEMBER, DECEMBER),
        ("4.03", NOVEMBER + DAY, NOVEMBER + DAY),
    ):
        cast.dated_price(lune, price, first, last)
    prices = {on: price_of(lune, oat, on).price for on in (NOVEMBER - DAY, NOVEMBER, NOVEMBER + DAY, DECEMBER)}
    assert list(map(str, prices.values())) == ["4.0100", "4.0200", "4.0300", "4.0200"]
    assert told(lune, oat, DECEMBER + DAY) == "4.01: Own price"


def test_a_list_counts_for_nothing_outside_its_own_days(lune, cafes, oat, supplier):
    cafes.valid_from, cafes.valid_to = NOVEMBER, DECEMBER
    save_price_list(cafes, by=None)
    cast.dated_price(cafes, "4.10", NOVEMBER + 9 * DAY)
    lune.refresh_from_db()
    syrup = cast.product(supplier, "SYRUP-VAN")
    assert told(lune, oat, NOVEMBER) == "4.2: List Cafés from 1 Nov 2026 until 1 Dec 2026"
    assert told(lune, oat, DECEMBER) == "4.1: List Cafés from 10 Nov 2026 until 1 Dec 2026"
    assert told(lune, syrup, NOVEMBER) == "10.755: List Cafés −10 % from 1 Nov 2026 until 1 Dec 2026"
    assert {told(lune, oat, on) for on in (NOVEMBER - DAY, DECEMBER + DAY)} == {"4.5: Base price"}


def test_a_percentage_comes_to_four_places_half_away_from_zero(lune, cafes, supplier):
    cup = cast.product(supplier, "CUP-8OZ")  # 0.0375 less 10 % is 0.03375
    assert price_of(lune, cup, TODAY).price == Decimal("0.0338")


def test_an_own_percentage_has_its_days(lune, oat):
    lune.percent, lune.percent_from, lune.percent_to = Decimal(5), NOVEMBER, DECEMBER
    assert told(lune, oat, NOVEMBER) == "4.725: Own +5 % from 1 Nov 2026 until 1 Dec 2026"
    assert {told(lune, oat, on) for on in (NOVEMBER - DAY, DECEMBER + DAY)} == {"4.2: List Cafés"}


def test_a_price_of_nothing_is_a_price(lune, oat):
    cast.dated_price(lune, "0")
    assert told(lune, oat) == "0: Own price"


def test_own_prices_are_told_where_they_belong(lune, oat, supplier):
    for price in ("4.00", "4.00", "3.90"):
        cast.dated_price(lune, price, DECEMBER)
    set_own_prices(lune, {(oat, DECEMBER): None}, by=None)
    assert [entry.what for entry in story(supplier, "customer", lune.pk)][:3] == [
        "Own price of OAT-1L: 3.90 from 1 Dec 2026 → not listed",
        "Own price of OAT-1L: 4.00 from 1 Dec 2026 → 3.90 from 1 Dec 2026",
        "Own price of OAT-1L: not listed → 4.00 from 1 Dec 2026",
    ]
    assert story(supplier, "product", oat.pk)[0].what == "For Bar Lune: 3.90 from 1 Dec 2026 → not listed"


def test_what_can_not_be_a_price_of_ones_own_is_refused(lune):
    with pytest.raises(NegativePrice):
        cast.dated_price(lune, "-0.01")
    with pytest.raises(EndsBeforeItBegins, match="OAT-1L would count from 1 Dec 2026 until 1 Nov 2026"):
        cast.dated_price(lune, "4.00", DECEMBER, NOVEMBER)
    theirs = cast.product(cast.supplier("southern"))
    with pytest.raises(AnotherWholesalersCatalogue):
        set_own_prices(lune, {(theirs, None): None}, by=None)
    lune.percent, lune.percent_from, lune.percent_to = Decimal(5), DECEMBER, NOVEMBER
    with pytest.raises(EndsBeforeItBegins):
        save_customer(lune, by=None)
    assert not lune.own_prices.exists()


def test_a_whole_catalogue_costs_two_queries_and_so_do_all_customers(supplier, lune, django_assert_num_queries):
    products = Product.objects.bulk_create(
        Product(supplier=supplier, sku=f"S{number}", name="S", price=number) for number in range(700)
    )
    cast.dated_price(lune, "1.00", sku="S699")
    lune = Customer.objects.select_related("price_list").get()
    for some in (products[:50], products):
        with django_assert_num_queries(2):
            found = prices_of(lune, some, TODAY)
        assert len(found) == len(some)
    assert found[products[-1].pk] == PriceFound(Decimal("1.0000"), "Own price")
    venues = [cast.venue(supplier, f"Venue {number}") for number in range(5)]
    with django_assert_num_queries(2):
        theirs = prices_of_customers(products[-1], [lune, *venues], TODAY)
    assert [found.price for found in theirs.values()] == [1, 699, 699, 699, 699, 699]


# --- the rule, read word by word ----------------------------------------------------------------------------------

SKUS = ["A", "B", "C"]
days = st.integers(0, 6).map(lambda number: NOVEMBER + number * DAY)
maybe_days = st.none() | days
percents = st.none() | st.decimals("-100", "50", places=4)
money = st.decimals("0", "99", places=4)
spans = st.tuples(maybe_days, maybe_days).filter(lambda span: not (span[0] and span[1] and span[1] < span[0]))
# By who has it ("list", "own"), SKU and first day: the price and the last day.
dated = st.dictionaries(
    st.tuples(st.sampled_from(["list", "own"]), st.sampled_from(SKUS), spans), money, max_size=12
).map(lambda found: {(who, sku, span[0]): (price, span[1]) for (who, sku, span), price in found.items()})


def rule_read_by_hand(base, listed, own, list_percent, list_span, own_percent, own_span, day):
    """The five steps as the guide has them, on one day. `listed` and `own`: (price, first, last)."""

    def counts(first, last):
        return (first is None or first <= day) and (last is None or day <= last)

    def that_began_last(prices):
        best = None
        for price, first, last in prices:
            later = best is None or (first is not None and (best[1] is None or first > best[1]))
            if counts(first, last) and later:
                best = (price, first)
        return None if best is None else best[0]

    def with_percent(percent):
        return (base + base * percent / 100).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)

    own_price = that_began_last(own)
    if own_price is not None:
        return own_price
    if own_percent is not None and counts(*own_span):
        return with_percent(own_percent)
    if list_span is not None and counts(*list_span):
        list_price = that_began_last(listed)
        if list_price is not None:
            return list_price
        if list_percent is not None:
            return with_percent(list_percent)
    return base


@settings(max_examples=80)
@given(st.lists(money, min_size=3, max_size=3), dated, percents, st.none() | spans, percents, spans, days)
def test_the_price_is_what_the_rule_says(supplier, bases, prices, list_percent, list_span, own_percent, own_span, day):
    Customer.objects.all().delete()
    PriceList.objects.all().delete()
    products = [_product(supplier, sku, base) for sku, base in zip(SKUS, bases, strict=True)]
    by_list = PriceList.objects.create(
        supplier=supplier, name="L", percent=list_percent, **_days(list_span or (None, None))
    )
    customer = Customer.objects.create(
        supplier=supplier,
        trading_name="Lune",
        price_list=by_list if list_span else None,
        percent=own_percent,
        percent_from=own_span[0],
        percent_to=own_span[1],
    )
    for (who, sku, first), (price, last) in prices.items():
        holder = {"price_list": by_list} if who == "list" else {"customer": customer}
        rows = ListPrice if who == "list" else OwnPrice
        rows.objects.create(**holder, product=products[SKUS.index(sku)], price=price, **_days((first, last)))
    expected = {
        product.pk: rule_read_by_hand(
            product.price,
            [
                (p, first, last)
                for (who, sku, first), (p, last) in prices.items()
                if (who, sku) == ("list", product.sku)
            ],
            [(p, first, last) for (who, sku, first), (p, last) in prices.items() if (who, sku) == ("own", product.sku)],
            list_percent,
            list_span,
            own_percent,
            own_span,
            day,
        )
        for product in products
    }
    found = prices_of(customer, products, day)
    assert {pk: each.price for pk, each in found.items()} == expected
    for product in products:
        assert prices_of_customers(product, [customer], day)[customer.pk] == found[product.pk]
        assert price_of(customer, product, day) == found[product.pk]


def _product(supplier, sku, base):
    product = Product.objects.filter(supplier=supplier, sku=sku).first() or Product(
        supplier=supplier, sku=sku, name=sku
    )
    product.price = base
    return save_product(product, by=None)


def _days(span):
    return {"valid_from": span[0], "valid_to": span[1]}
