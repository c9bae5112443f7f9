"""What a line costs, and why."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

import cast
from provender.basics.money import TooManyPlaces
from provender.catalogue.actions import save_product, set_list_price
from provender.ordering.actions import edit_order, place_order
from provender.ordering.errors import (
    AnotherWholesalersGoods,
    EmptyOrder,
    LineNamesNothing,
    LineWithoutPrice,
    ProductSwitchedOff,
    QuantityNotPositive,
)
from provender.ordering.lines import OrderLineDraft, draft_of
from provender.ordering.queries import order_totals

pytestmark = pytest.mark.django_db

FREIGHT = OrderLineDraft(kind="freight")


@pytest.fixture
def bistro(supplier):
    """A venue with the Cafés list (oat milk at 4.20) and freight of 12.00, free from 150.00."""
    cafes = cast.price_list(supplier, "Cafés", {"OAT-1L": "4.20"})
    return cast.venue(supplier, "Bistro", price_list=cafes, freight_group=cast.freight_group(supplier))


def prices(order):
    return [(line.description, str(line.unit_price), line.price_from) for line in order.lines.all()]


def test_prices_come_with_their_reason(bistro):
    order = cast.draft_order(bistro, {"OAT-1L": 4, "BEANS-1KG": 1})
    assert prices(order) == [("Oat milk 1L", "4.2000", "List Cafés"), ("Coffee beans 1kg", "27.1250", "Base price")]


def test_a_typed_price_stays_typed(bistro):
    oat = cast.product(bistro.supplier)
    order = cast.draft_order(bistro, lines=[OrderLineDraft(product=oat, unit_price=Decimal(4))])
    place_order(order, by=None)
    assert prices(order) == [("Oat milk 1L", "4.0000", "Typed")]


def test_typing_the_price_that_holds_anyway_is_not_typing(bistro):
    oat = cast.product(bistro.supplier)
    order = cast.draft_order(bistro, lines=[OrderLineDraft(product=oat, unit_price=Decimal("4.20"))])
    assert prices(order) == [("Oat milk 1L", "4.2000", "List Cafés")]


def test_a_draft_takes_the_newest_price_and_a_placed_order_keeps_its_own(bistro):
    oat = cast.product(bistro.supplier)
    order = cast.draft_order(bistro)
    set_list_price(bistro.price_list, oat, Decimal("4.40"), by=None)
    edit_order(order, lines=[replace(draft_of(order.lines.get()), unit_price=Decimal("4.20"))], by=None)
    assert prices(order) == [("Oat milk 1L", "4.4000", "List Cafés")]
    set_list_price(bistro.price_list, oat, Decimal("4.60"), by=None)
    place_order(order, by=None)
    set_list_price(bistro.price_list, oat, Decimal("5.00"), by=None)
    edit_order(order, lines=[replace(draft_of(order.lines.get()), quantity=Decimal(9))], by=None)
    assert prices(order) == [("Oat milk 1L", "4.6000", "List Cafés")]


def test_the_day_of_delivery_says_which_price_counts_and_else_the_orders_own(bistro):
    november, december = date(2026, 11, 30), date(2026, 12, 1)
    cast.dated_price(bistro.price_list, "4.30", december)
    orders = [
        cast.draft_order(bistro, order_date=november),
        cast.draft_order(bistro, order_date=november, delivery_date=december),
        cast.draft_order(bistro, order_date=december, delivery_date=november),
    ]
    assert [prices(order)[0][1:] for order in orders] == [
        ("4.2000", "List Cafés"),
        ("4.3000", "List Cafés from 1 Dec 2026"),
        ("4.2000", "List Cafés"),
    ]
    edit_order(orders[0], lines=[draft_of(orders[0].lines.get())], delivery_date=december, by=None)
    place_order(orders[0], by=None)
    assert prices(orders[0]) == [("Oat milk 1L", "4.3000", "List Cafés from 1 Dec 2026")]


def test_a_placed_order_takes_the_prices_that_hold_now_only_when_asked(bistro):
    beans = OrderLineDraft(product=cast.product(bistro.supplier, "BEANS-1KG"), unit_price=Decimal(20))
    order = cast.placed_order(bistro, lines=[*cast.goods(bistro.supplier, {"OAT-1L": 4}), beans])
    cast.dated_price(bistro, "3.9025")
    asked = [draft_of(line) for line in order.lines.all()]
    edit_order(order, lines=asked, by=None)
    assert order.invoice.version == 1
    edit_order(order, lines=asked, anew=True, by=None)
    assert prices(order) == [("Oat milk 1L", "3.9025", "Own price"), ("Coffee beans 1kg", "20.0000", "Typed")]
    assert [line.unit_price for line in order.invoice.lines.all()] == [Decimal("3.9025"), Decimal(20)]


def test_a_new_line_on_a_placed_order_takes_the_newest_price(bistro):
    order = cast.placed_order(bistro)
    set_list_price(bistro.price_list, cast.product(bistro.supplier), Decimal("5.00"), by=None)
    lines = [draft_of(order.lines.get()), *cast.goods(bistro.supplier, {"OAT-1L": 1})]
    edit_order(order, lines=lines, by=None)
    assert [price for _, price, _ in prices(order)] == ["4.2000", "5.0000"]


def test_another_product_under_the_same_key_is_priced_anew(bistro):
    order = cast.placed_order(bistro)
    swapped = replace(draft_of(order.lines.get()), product=cast.product(bistro.supplier, "SYRUP-VAN"), description="")
    edit_order(order, lines=[swapped], by=None)
    assert prices(order) == [("Vanilla syrup", "11.9500", "Base price")]


def test_what_was_placed_keeps_name_and_tax_and_takes_the_account_of_today(bistro):
    order = cast.placed_order(bistro)
    oat = cast.product(bistro.supplier)
    oat.name, oat.tax_kind, oat.sales_account = "Oat drink", "free", "210"
    save_product(oat, by=None)
    edit_order(order, lines=[replace(draft_of(order.lines.get()), quantity=Decimal(5))], by=None)
    line = order.invoice.lines.get()
    assert (line.description, line.tax_kind, line.sales_account) == ("Oat milk 1L", "gst", "210")


@pytest.mark.parametrize(
    ("cups", "freight", "reason"), [(10, "12.0000", "Metro"), (4000, "0.0000", "Metro, free from 150.00")]
)
def test_freight_follows_the_goods(bistro, cups, freight, reason):
    order = cast.draft_order(bistro, lines=[FREIGHT, *cast.goods(bistro.supplier, {"CUP-8OZ": cups})])
    assert prices(order)[0] == ("Freight", freight, reason)


def test_freight_that_comes_to_nothing_is_not_placed(bistro):
    order = cast.placed_order(bistro, lines=[FREIGHT, *cast.goods(bistro.supplier, {"CUP-8OZ": 4000})])
    assert [line.kind for line in order.invoice.lines.all()] == ["product"]


def test_freight_that_nobody_asked_for_is_no_order(bistro):
    with pytest.raises(EmptyOrder):
        cast.placed_order(bistro, lines=[FREIGHT])
    assert cast.placed_order(bistro, lines=[replace(FREIGHT, unit_price=Decimal(5))]).status == "placed"


def test_freight_is_found_again_when_a_draft_grows(bistro):
    order = cast.draft_order(bistro, lines=[*cast.goods(bistro.supplier, {"CUP-8OZ": 10}), FREIGHT])
    cups, freight = order.lines.all()
    grown = replace(draft_of(cups), quantity=Decimal(4000))
    edit_order(order, lines=[grown, replace(draft_of(freight), unit_price=Decimal("12.00"))], by=None)
    assert prices(order)[1][1] == "0.0000"


def test_typed_freight_stays(bistro):
    lines = [*cast.goods(bistro.supplier, {"OAT-1L": 1}), replace(FREIGHT, unit_price=Decimal(5))]
    assert prices(cast.placed_order(bistro, lines=lines))[1] == ("Freight", "5.0000", "Typed")


def test_freight_without_a_group_is_nothing(cafe):
    order = cast.draft_order(cafe, lines=[*cast.goods(cafe.supplier, {"OAT-1L": 1}), FREIGHT])
    assert prices(order)[1] == ("Freight", "0.0000", "No freight group")


def test_other_lines_carry_their_own_words_price_and_tax(cafe):
    fee = OrderLineDraft(kind="surcharge", description="Card fee", unit_price=Decimal("0.50"))
    gift = OrderLineDraft(kind="other", description="Gift card", unit_price=Decimal(20), tax_kind="free")
    lines = [*cast.goods(cafe.supplier, {"OAT-1L": 4}), fee, gift]
    order = cast.placed_order(cafe, lines=lines)
    assert [(line.kind, line.tax_kind, str(line.tax)) for line in order.invoice.lines.all()] == [
        ("product", "gst", "1.80"),
        ("surcharge", "gst", "0.05"),
        ("other", "free", "0.00"),
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (OrderLineDraft(unit_price=Decimal(1)), LineNamesNothing),
        (OrderLineDraft(kind="other", description="Pallet"), LineWithoutPrice),
        (OrderLineDraft(description="Pallet", unit_price=Decimal(1), quantity=Decimal(0)), QuantityNotPositive),
        (OrderLineDraft(description="Pallet", unit_price=Decimal(1), quantity=Decimal(-1)), QuantityNotPositive),
        (OrderLineDraft(description="Pallet", unit_price=Decimal("0.00001")), TooManyPlaces),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(cafe, line, error):
    with pytest.raises(error):
        cast.draft_order(cafe, lines=[line])
    assert not cafe.orders.exists()


def test_goods_of_another_wholesaler_are_refused(cafe):
    with pytest.raises(AnotherWholesalersGoods):
        cast.draft_order(cafe, lines=cast.goods(cast.supplier("southern"), {"OAT-1L": 1}))


def test_a_price_of_nothing_is_a_price(cafe):
    cast.product(cafe.supplier, "TASTER", price="0")
    assert cast.placed_order(cafe, {"TASTER": 2}).invoice.total == 0


def test_what_is_switched_off_is_not_ordered_and_not_placed(cafe):
    order = cast.draft_order(cafe)
    oat = cast.product(cafe.supplier)
    oat.active = False
    save_product(oat, by=None)
    with pytest.raises(ProductSwitchedOff, match="OAT-1L Oat milk 1L is switched off"):
        cast.draft_order(cafe)
    with pytest.raises(ProductSwitchedOff):
        place_order(order, by=None)


def test_what_was_placed_before_it_was_switched_off_stays(cafe):
    order = cast.placed_order(cafe)
    oat = cast.product(cafe.supplier)
    oat.active = False
    save_product(oat, by=None)
    edit_order(order, lines=[replace(draft_of(order.lines.get()), quantity=Decimal(2))], by=None)
    assert order.invoice.total == Decimal("9.90")


def test_totals_before_and_after_placing_agree(bistro):
    order = cast.draft_order(bistro, lines=[*cast.goods(bistro.supplier, {"OAT-1L": 3, "BEANS-1KG": 1}), FREIGHT])
    before = order_totals(order)
    place_order(order, by=None)
    assert order_totals(order) == before
    assert before.total == Decimal("54.19")
