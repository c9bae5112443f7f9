"""Changing, and taking away, many products at once."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

import cast
from provender.catalogue.actions import Revision, delete_category, find_unsorted, remove_products, revise_products
from provender.catalogue.errors import CategoryInUse
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db


def dearer(product, **shown):
    """A revision of name and price, made by somebody who saw the product as it is but for `shown`."""
    before = {"name": product.name, "price": product.price} | shown
    return Revision(product.pk, before, {"name": f"{product.name}, large", "price": Decimal("9.90")})


def test_many_are_revised_and_each_tells_its_story(supplier):
    oat, beans = cast.product(supplier, "OAT-1L"), cast.product(supplier, "BEANS-1KG")
    written = revise_products(supplier, [dearer(oat), dearer(beans)], by=None, why="Products from Xero")
    assert written == {oat.pk: ["name", "price"], beans.pk: ["name", "price"]}
    oat.refresh_from_db()
    assert (oat.name, oat.price) == ("Oat milk 1L, large", Decimal("9.90"))
    entry = story(supplier, "product", oat.pk)[0]
    assert entry.what == "Changed name “Oat milk 1L” → “Oat milk 1L, large”, price 4.50 → 9.90"
    assert entry.why == "Products from Xero"


def test_a_column_that_is_not_as_it_was_shown_is_left(supplier):
    oat = cast.product(supplier, "OAT-1L")
    assert revise_products(supplier, [dearer(oat, price=Decimal(1))], by=None) == {oat.pk: ["name"]}


def test_the_rest_of_a_product_stays(supplier):
    oat = cast.product(supplier, "OAT-1L", category=cast.category(supplier), unit="carton", active=False)
    revise_products(supplier, [dearer(oat)], by=None)
    created = oat.created_at
    oat.refresh_from_db()
    assert (oat.category.name, oat.unit, oat.active, oat.created_at) == ("Drinks", "carton", False, created)


def test_another_wholesalers_product_is_not_touched(supplier):
    theirs = cast.product(cast.supplier("southern"))
    assert revise_products(supplier, [dearer(theirs)], by=None) == {theirs.pk: []}
    assert remove_products(supplier, [theirs.pk], by=None) == set()


def test_a_revision_that_cannot_be_changes_nothing(supplier):
    oat, beans = cast.product(supplier, "OAT-1L"), cast.product(supplier, "BEANS-1KG")
    wrong = Revision(beans.pk, {"price": beans.price}, {"price": Decimal(-1)})
    with pytest.raises(ValidationError):
        revise_products(supplier, [dearer(oat), wrong], by=None)
    oat.refresh_from_db()
    assert oat.name == "Oat milk 1L"


def test_products_that_something_names_are_not_removed(supplier):
    free, listed, ordered, invoiced = (cast.product(supplier, sku) for sku in ("FREE", "LISTED", "ORDERED", "INVOICED"))
    cast.price_list(supplier, prices={"LISTED": "1.00"})
    cafe = cast.venue(supplier)
    cast.draft_order(cafe, {"ORDERED": 1})
    cast.placed_order(cafe, {"INVOICED": 1})
    assert remove_products(supplier, [p.pk for p in (free, listed, ordered, invoiced)], by=None) == {free.pk}
    assert story(supplier, "supplier", supplier.pk)[0].what == "Removed the product FREE"


def test_unsorted_is_made_once_and_stays_while_used(supplier):
    made = find_unsorted(supplier)
    assert find_unsorted(supplier) == made
    oat = cast.product(supplier, "OAT-1L", category=made)
    with pytest.raises(CategoryInUse):
        delete_category(made, by=None)
    oat.category = None
    oat.save()
    delete_category(made, by=None)
