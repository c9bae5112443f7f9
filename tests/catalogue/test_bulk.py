"""One thing set for many products at once, and undone."""

from datetime import timedelta

import pytest

import cast
from provender.basics import clock
from provender.catalogue import actions, bulk
from provender.catalogue.errors import AnotherWholesalersCatalogue, ChangeGone
from provender.catalogue.models import BulkChange, Former, Product
from provender.properties.errors import OptionRefused
from provender.properties.models import Value
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db


@pytest.fixture
def goods(supplier):
    return [cast.product(supplier, sku) for sku in cast.GOODS]


def keys(products):
    return [product.pk for product in products]


def columns(supplier, name):
    return dict(supplier.products.values_list("sku", name))


def test_only_those_that_change_are_counted_and_told(supplier, goods):
    done = bulk.set_tax_kind(supplier, keys(goods), "free", by=None)
    assert (done.count, done.bulk.said) == (3, "made GST-free")
    assert story(supplier, "product", goods[0].pk)[0].what == "Made GST-free"
    assert bulk.set_tax_kind(supplier, keys(goods), "free", by=None) == bulk.Done(0, None)


@pytest.mark.parametrize(
    ("column", "act"),
    [
        ("active", lambda supplier, ids: bulk.switch(supplier, ids, active=False, by=None)),
        ("category__name", lambda supplier, ids: bulk.move(supplier, ids, cast.category(supplier, "Dry"), by=None)),
        ("category__name", lambda supplier, ids: bulk.move(supplier, ids, None, by=None)),
        ("tax_kind", lambda supplier, ids: bulk.set_tax_kind(supplier, ids, "free", by=None)),
        ("sales_account", lambda supplier, ids: bulk.set_sales_account(supplier, ids, "200", by=None)),
        ("sales_account", lambda supplier, ids: bulk.set_sales_account(supplier, ids, "", by=None)),
    ],
)
def test_each_change_is_undone_to_what_each_product_had(supplier, goods, column, act):
    actions.set_column(supplier, keys(goods[:2]), "category_id", cast.category(supplier).pk, by=None)
    before = columns(supplier, column)
    done = act(supplier, keys(goods))
    assert columns(supplier, column) != before
    assert bulk.undo(done.bulk, by=None) == bulk.Undone(done.count, 0)
    assert columns(supplier, column) == before


def test_options_are_chosen_for_many_and_put_back(supplier, goods):
    region = cast.property_(supplier, "Region", ["North", "South"])
    cast.choose(region, goods[0], "South")
    done = bulk.set_option(region, keys(goods), str(region.options.get(name="North").pk), by=None)
    assert (done.count, done.bulk.said) == (4, "given Region North")
    assert bulk.undo(done.bulk, by=None) == bulk.Undone(4, 0)
    assert Value.objects.get().option.name == "South"


def test_an_option_that_is_no_longer_offered_is_not_put_back(supplier, goods):
    region = cast.property_(supplier, "Region", ["North", "South"])
    cast.choose(region, goods[0], "South")
    done = bulk.set_option(region, keys(goods[:1]), "", by=None)
    region.options.filter(name="South").update(active=False)
    assert bulk.undo(done.bulk, by=None) == bulk.Undone(0, 1)
    with pytest.raises(OptionRefused):
        bulk.set_option(region, keys(goods), str(region.options.get(name="South").pk), by=None)


def test_what_somebody_changed_since_stays(supplier, goods):
    done = bulk.switch(supplier, keys(goods), active=False, by=None)
    actions.set_products_active(supplier, [goods[0].pk], active=True, by=None)
    assert bulk.undo(done.bulk, by=None) == bulk.Undone(3, 1)
    assert not Product.objects.filter(active=False).exists()


def test_a_category_that_is_gone_by_now_is_none(supplier, goods):
    drinks = cast.category(supplier)
    actions.set_column(supplier, keys(goods), "category_id", drinks.pk, by=None)
    done = bulk.move(supplier, keys(goods), cast.category(supplier, "Dry"), by=None)
    actions.delete_category(drinks, by=None)
    bulk.undo(done.bulk, by=None)
    assert set(columns(supplier, "category").values()) == {None}


def test_only_the_newest_is_undone_once_and_within_a_day(supplier, goods):
    first = bulk.switch(supplier, keys(goods), active=False, by=None)
    second = bulk.set_tax_kind(supplier, keys(goods), "free", by=None)
    with pytest.raises(ChangeGone):
        bulk.undo(first.bulk, by=None)
    assert bulk.last_change(supplier) == second.bulk
    bulk.undo(second.bulk, by=None)
    with pytest.raises(ChangeGone):
        bulk.undo(second.bulk, by=None)
    third = bulk.switch(supplier, keys(goods), active=True, by=None)
    clock.move(timedelta(days=1, minutes=1))
    try:
        assert bulk.last_change(supplier) is None
        with pytest.raises(ChangeGone):
            bulk.undo(third.bulk, by=None)
    finally:
        clock.move(-timedelta(days=1, minutes=1))


def test_other_wholesalers_products_and_categories_are_out_of_reach(supplier, goods):
    southern = cast.supplier("southern")
    theirs = cast.product(southern)
    assert bulk.switch(supplier, [theirs.pk], active=False, by=None).count == 0
    with pytest.raises(AnotherWholesalersCatalogue):
        bulk.move(supplier, keys(goods), cast.category(southern), by=None)


def test_cut_off_half_way_the_rest_is_done_again_and_undone(supplier, goods, monkeypatch):
    monkeypatch.setattr(bulk, "BATCH", 2)
    insert, calls = bulk.ReadyRows.insert, []

    def dies_the_second_time(rows):
        calls.append(1)
        if len(calls) == 4:  # the story and the former values, for each batch
            raise KeyboardInterrupt
        insert(rows)

    monkeypatch.setattr(bulk.ReadyRows, "insert", dies_the_second_time)
    with pytest.raises(KeyboardInterrupt):
        bulk.switch(supplier, keys(goods), active=False, by=None)
    assert Product.objects.filter(active=False).count() == Former.objects.count() == 2
    assert bulk.undo(bulk.last_change(supplier), by=None) == bulk.Undone(2, 0)


def test_old_changes_are_forgotten(supplier, goods):
    for number in range(bulk.KEPT + 2):
        bulk.switch(supplier, keys(goods), active=bool(number % 2), by=None)
    assert BulkChange.objects.count() == bulk.KEPT
    assert Former.objects.count() == bulk.KEPT * len(goods)


def test_statements_do_not_grow_with_the_products(supplier, django_assert_max_num_queries):
    made = [cast.product(supplier, f"SKU-{number}") for number in range(40)]
    with django_assert_max_num_queries(16):
        bulk.set_sales_account(supplier, keys(made), "200", by=None)
