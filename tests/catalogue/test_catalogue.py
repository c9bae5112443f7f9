from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

import cast
from provender.catalogue.actions import (
    delete_category,
    import_products,
    order_categories,
    save_category,
    save_price_list,
    save_product,
    set_products_active,
)
from provender.catalogue.errors import (
    AnotherWholesalersCatalogue,
    CategoryNameTaken,
    NegativePrice,
    PriceListNameTaken,
    SkuTaken,
)
from provender.catalogue.models import Category, PriceList, Product
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db


def told(product):
    return [entry.what for entry in story(product.supplier, "product", product.pk)]


def test_a_product_is_added_and_changed_and_its_story_told(supplier):
    oat = cast.product(supplier)
    oat.price = Decimal("4.80")
    save_product(oat, by=cast.person("mai", supplier))
    assert told(oat) == ["Changed price 4.50 → 4.80", "Added at 4.50"]
    assert story(supplier, "product", oat.pk)[0].who.name == "Mai"


def test_saving_without_a_change_tells_nothing(supplier):
    oat = cast.product(supplier)
    save_product(Product.objects.get(pk=oat.pk), by=None)
    assert len(told(oat)) == 1


def test_a_sku_belongs_to_one_product_of_a_wholesaler(supplier):
    cast.product(supplier, "OAT-1L")
    cast.product(supplier, "oat-1l")
    cast.product(cast.supplier("southern"), "OAT-1L")
    with pytest.raises(SkuTaken, match="Oat milk 1L"):
        cast.product(supplier, "OAT-1L", name="Another")


def test_a_price_may_be_nothing_but_not_less(supplier):
    cast.product(supplier, "TASTER", price="0")
    with pytest.raises(NegativePrice):
        cast.product(supplier, "WRONG", price="-1")


@pytest.mark.parametrize("wrong", [{"name": ""}, {"price": "1.00001"}, {"sku": "x" * 61}, {"tax_kind": "vat"}])
def test_what_a_column_cannot_hold_is_refused(supplier, wrong):
    with pytest.raises(ValidationError):
        cast.product(supplier, **({"sku": "NEW", "name": "New"} | wrong))


def test_a_category_must_be_ones_own(supplier):
    theirs = cast.category(cast.supplier("southern"))
    with pytest.raises(AnotherWholesalersCatalogue):
        cast.product(supplier, "OAT-1L", category=theirs)


def test_names_of_categories_and_price_lists_are_taken_once(supplier):
    cast.category(supplier, "Drinks")
    cast.price_list(supplier, "Cafés")
    with pytest.raises(CategoryNameTaken):
        save_category(Category(supplier=supplier, name="Drinks"), by=None)
    with pytest.raises(PriceListNameTaken):
        save_price_list(PriceList(supplier=supplier, name="Cafés"), by=None)


def test_a_price_list_is_renamed(supplier):
    cafes = cast.price_list(supplier, "Cafés")
    cafes.name = "Cafés and bars"
    save_price_list(cafes, by=None)
    save_price_list(cafes, by=None)
    assert story(supplier, "price-list", cafes.pk)[0].what == "Changed name “Cafés” → “Cafés and bars”"
    assert story(supplier, "price-list", cafes.pk).count() == 2


def test_many_products_are_switched_off_and_only_those_that_were_on_are_counted(supplier):
    on, off = cast.product(supplier, "OAT-1L"), cast.product(supplier, "CUP-8OZ", active=False)
    theirs = cast.product(cast.supplier("southern"))
    assert set_products_active(supplier, [on.pk, off.pk, theirs.pk], active=False, by=None) == 1
    assert told(on)[0] == "Switched off"
    assert set(Product.objects.filter(active=True)) == {theirs}


def test_a_files_products_come_in_all_or_none(supplier):
    cast.product(supplier, "OAT-1L")
    new = [Product(sku=sku, name=sku, price=Decimal(1)) for sku in ("A", "a", "B")]
    assert [product.sku for product in import_products(supplier, new)] == ["A", "a", "B"]
    with pytest.raises(SkuTaken):
        import_products(supplier, [Product(sku=sku, name=sku, price=Decimal(1)) for sku in ("C", "OAT-1L")])
    assert not Product.objects.filter(sku="C").exists()


def test_categories_are_put_in_order_and_who_is_not_named_comes_last(supplier):
    drinks, bakery, pantry = (cast.category(supplier, name) for name in ("Drinks", "Bakery", "Pantry"))
    order_categories(supplier, [pantry.pk, bakery.pk])
    assert list(supplier.categories.all()) == [pantry, bakery, drinks]


def test_a_deleted_category_leaves_its_products(supplier):
    drinks = cast.category(supplier, "Drinks")
    oat = cast.product(supplier, category=drinks)
    assert delete_category(drinks, by=None) == 1
    oat.refresh_from_db()
    assert oat.category is None
    assert told(oat)[0] == "Its category Drinks was deleted"
