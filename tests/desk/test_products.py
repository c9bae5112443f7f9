"""Products and categories at the desk: list, page, form, what is done to many."""

import csv
import io
import re
from decimal import Decimal

import pytest

import cast
from desk.test_customers import names, queries
from provender.catalogue.models import Category, Product
from provender.sync.products import pull_products

pytestmark = pytest.mark.django_db
LIST, SHELVES = "/w/harbour/products", "/w/harbour/categories"


@pytest.fixture
def mai(desk):
    return desk("mai")


@pytest.fixture
def oat(supplier):
    return cast.product(supplier, "OAT-1L")


def typed(**changed):
    """What a browser sends of the form for a new product."""
    return {"sku": "RYE-800", "name": "Dark rye loaf", "price": "6.10", "tax_kind": "free", "active": "on"} | changed


# --- the list -----------------------------------------------------------------------------------------------------


def test_an_empty_list_teaches_and_starts(mai):
    page = mai.get(LIST).text
    assert "A product is something you sell" in page
    assert 'href="/w/harbour/products/new"' in page


def test_search_and_filters_narrow(supplier, oat, mai):
    drinks = cast.category(supplier, "Drinks")
    cast.product(supplier, "BEANS-1KG", category=drinks, active=False)
    for query in ({"q": "beans-"}, {"q": "coffee"}, {"category": drinks.pk}, {"status": "inactive"}, {"tax": "free"}):
        assert names(mai.get(LIST, query)) == ["Coffee beans 1kg"]
    for query in ({"category": "null"}, {"status": "active"}, {"tax": "gst"}):
        assert names(mai.get(LIST, query)) == ["Oat milk 1L"]


def test_the_list_says_price_tax_and_price_lists(supplier, mai):
    for name in ("Bars", "Cafés", "Groups"):
        cast.price_list(supplier, name, {"CUP-8OZ": "0.03"})
    rows = list(csv.reader(io.StringIO(b"".join(mai.get(LIST, {"format": "csv"})).decode("utf-8-sig"))))
    assert rows == [
        ["SKU", "Name", "Description", "Category", "Unit", "Price", "GST", "Sales account", "Active", "Price lists"],
        ["CUP-8OZ", "Paper cup 8oz", "", "", "", "0.0375", "GST", "201", "yes", "Bars, Cafés and 1 more"],
    ]


def test_tax_is_named_in_the_countrys_word(desk):
    giftware = cast.supplier("giftware")
    cast.product(giftware, "BEANS-1KG")
    page = desk("mai", giftware).get("/w/giftware/products").text
    assert "VAT-free" in page
    assert "GST" not in page


def test_the_list_costs_the_same_queries_for_any_number_of_rows(supplier, oat, mai):
    few = queries(mai, LIST)
    for number in range(20):
        cast.price_list(supplier, f"List {number}", {f"SKU-{number}": "1.00"})
        cast.product(supplier, f"NEW-{number}", category=cast.category(supplier, f"Shelf {number}"))
    assert queries(mai, LIST) == few < 16


@pytest.mark.parametrize(
    ("action", "chosen", "field", "after", "said"),
    [
        ("off", {}, "active", False, "1 product switched off."),
        ("tax", {"tax_kind": "free"}, "tax_kind", "free", "1 product made GST-free."),
        ("move", {"category": ""}, "category", None, "1 product taken out of their category."),
    ],
)
def test_many_are_changed_after_a_question(supplier, mai, action, chosen, field, after, said):
    oat = cast.product(supplier, category=cast.category(supplier))
    form = {"action": action, "pick": [str(oat.pk)]}
    assert "1 product?" in mai.post(LIST, form).text
    assert said in mai.post(LIST, form | chosen | {"sure": "1"}, follow=True).text
    oat.refresh_from_db()
    assert getattr(oat, field) == after


def test_many_are_moved_to_a_category_of_ones_own(supplier, oat, mai):
    drinks, theirs = cast.category(supplier, "Drinks"), cast.category(cast.supplier("southern"), "Theirs")
    form = {"action": "move", "pick": [str(oat.pk)], "sure": "1"}
    assert "Select a valid choice" in mai.post(LIST, form | {"category": theirs.pk}).text
    assert "1 product moved to Drinks." in mai.post(LIST, form | {"category": drinks.pk}, follow=True).text


def test_where_products_are_from_is_shown_and_filtered(supplier, connection, mai, books):
    books.add_item("OAT-1L", "Oat milk", "4.50")
    pull_products(connection, None)
    assert names(mai.get(LIST, {"source": "own"})) == []
    cast.product(supplier, "OAT-1L"), cast.product(supplier, "RYE-800")
    pull_products(connection, None)
    assert names(mai.get(LIST, {"source": "xero"})) == ["Oat milk 1L"]
    assert names(mai.get(LIST, {"source": "own"})) == ["RYE-800"]


def test_without_xero_there_is_no_source(oat, mai):
    assert "id_source" not in mai.get(LIST).text


def test_the_sales_account_is_picked_from_the_chart(supplier, connection, mai):
    oat = cast.product(supplier)
    form = {"action": "account", "pick": [str(oat.pk)]}
    assert "200 · Sales" in mai.post(LIST, form).text
    assert "Select a valid choice" in mai.post(LIST, form | {"sure": "1", "account": "999"}).text
    done = mai.post(LIST, form | {"sure": "1", "account": "200"}, follow=True).text
    assert "1 product given the sales account 200." in done
    oat.refresh_from_db()
    assert oat.sales_account == "200"


def test_all_that_match_are_changed_and_put_back(supplier, mai):
    for number in range(30):
        cast.product(supplier, f"TEA-{number}", active=number > 0)
    cast.product(supplier, "OAT-1L")
    form = {"action": "off", "all": "1"}
    assert "30 products?" in mai.post(f"{LIST}?q=tea", form).text
    page = mai.post(f"{LIST}?q=tea", form | {"sure": "1"}, follow=True).text
    assert "29 products switched off." in page
    undo = re.search(r"/w/harbour/products/undo/[0-9a-f-]+", page)[0]
    assert "Undone: 29 products put back." in mai.post(undo, follow=True).text
    assert supplier.products.filter(active=False).count() == 1
    again = mai.post(undo, headers={"referer": f"http://testserver{LIST}"}, follow=True)
    assert "was undone already" in again.text
    assert "products/undo" not in again.text


def test_what_must_be_chosen_is_asked_for(oat, mai):
    page = mai.post(LIST, {"action": "tax", "pick": [str(oat.pk)], "sure": "1"})
    assert "Choose one." in page.text
    oat.refresh_from_db()
    assert oat.tax_kind == "gst"


# --- one product --------------------------------------------------------------------------------------------------


def test_the_page_says_what_it_costs_on_each_list_and_who_ordered_it(supplier, oat, cafe, mai):
    cast.price_list(supplier, "Cafés", {"OAT-1L": "4.20"})
    cast.price_list(supplier, "Groups")
    order = cast.placed_order(cafe, {"OAT-1L": 6})
    page = mai.get(f"{LIST}/{oat.pk}")
    assert [(str(each), str(found.price), found.reason) for each, found in page.context["prices"]] == [
        ("Cafés", "4.2000", "List Cafés"),
        ("Groups", "4.5000", "Base price"),
    ]
    assert f"/w/harbour/orders/{order.pk}" in page.text
    assert "On Cafés: not listed → 4.20" in page.text


def test_the_page_costs_the_same_queries_for_any_number_of_orders(oat, cafe, mai):
    cast.placed_order(cafe)
    few = queries(mai, f"{LIST}/{oat.pk}")
    for _ in range(6):
        cast.placed_order(cafe)
    assert queries(mai, f"{LIST}/{oat.pk}") == few


def test_one_is_switched_off_and_on(oat, mai):
    assert "isn’t offered" in mai.post(f"{LIST}/{oat.pk}/switch", {"active": "0"}, follow=True).text
    assert "it can be ordered" in mai.post(f"{LIST}/{oat.pk}/switch", {"active": "1"}, follow=True).text


def test_the_page_says_which_item_in_xero_it_is_or_that_there_is_none(supplier, connection, mai, books):
    oat = cast.product(supplier)
    assert "No item in Demo Company (AU) has this SKU" in mai.get(f"{LIST}/{oat.pk}").text
    books.add_item("oat-1l", "Oat milk", "4.50", tracked=True)
    pull_products(connection, None)
    page = mai.get(f"{LIST}/{oat.pk}").text
    assert "<dt>Item code</dt><dd>oat-1l</dd>" in page
    assert "Tracked stock" in page
    assert "No item in" not in page


def test_its_account_is_named_as_in_xero(supplier, connection, mai):
    cup = cast.product(supplier, "CUP-8OZ", sales_account="200")
    assert "200 · Sales" in mai.get(f"{LIST}/{cup.pk}").text


# --- the form -----------------------------------------------------------------------------------------------------


def test_a_product_is_added(supplier, mai):
    answer = mai.post(f"{LIST}/new", typed(price="1,234.5"), follow=True)
    made = Product.objects.get(supplier=supplier)
    assert answer.redirect_chain[-1][0] == f"{LIST}/{made.pk}"
    assert (made.sku, made.price, made.tax_kind, made.active) == ("RYE-800", Decimal("1234.5"), "free", True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "What is it called?"),
        ({"sku": "OAT-1L"}, "The SKU OAT-1L belongs to “Oat milk 1L” already."),
        ({"price": ""}, "What does one cost?"),
        ({"price": "six"}, "“six” is not a number"),
        ({"price": "-1"}, "below zero"),
        ({"price": "1.00001"}, "more than 4 decimal places"),
        ({"price": "99999999999"}, "more than 9,999,999,999.99"),
        ({"tax_kind": "vat"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(oat, mai, wrong, said):
    page = mai.post(f"{LIST}/new", typed(unit="loaf") | wrong)
    assert page.status_code == 200
    assert said in page.text
    assert page.context["form"].errors.keys() == wrong.keys()
    assert 'value="loaf"' in page.text
    assert all(f'value="{text}"' in page.text for field, text in wrong.items() if text and field != "tax_kind")
    assert Product.objects.count() == 1


def test_an_edit_shows_the_price_as_people_write_it(supplier, mai):
    for sku, shown in (("BEANS-1KG", "27.125"), ("OAT-1L", "4.50")):
        assert f'value="{shown}"' in mai.get(f"{LIST}/{cast.product(supplier, sku).pk}/edit").text


def test_an_edit_is_kept_and_told(oat, mai):
    answer = mai.post(f"{LIST}/{oat.pk}/edit", typed(sku="OAT-1L", name="Oat milk 1L", tax_kind="gst", price="4.80"))
    assert answer.status_code == 302
    assert "Changed price 4.50 → 4.80" in mai.get(f"{LIST}/{oat.pk}").text


def test_an_account_that_xero_lacks_is_kept_with_a_warning(connection, mai):
    assert "Xero has no account 999" in mai.post(f"{LIST}/new", typed(sales_account="999"), follow=True).text
    assert "Xero has no" not in mai.post(f"{LIST}/new", typed(sku="B", sales_account="200"), follow=True).text


# --- categories ---------------------------------------------------------------------------------------------------


def shelves(supplier):
    return [category.name for category in supplier.categories.all()]


def test_categories_are_added_at_the_end_and_moved(supplier, mai):
    for name in ("Drinks", "Bakery", "Pantry"):
        mai.post(SHELVES, {"name": name})
    assert shelves(supplier) == ["Drinks", "Bakery", "Pantry"]
    pantry = Category.objects.get(name="Pantry")
    for to, after in (("up", ["Drinks", "Pantry", "Bakery"]), ("up", ["Pantry", "Drinks", "Bakery"])):
        mai.post(f"{SHELVES}/{pantry.pk}/move", {"to": to})
        assert shelves(supplier) == after
    mai.post(f"{SHELVES}/{pantry.pk}/move", {"to": "up"})
    mai.post(f"{SHELVES}/{pantry.pk}/move", {"to": "down"})
    assert shelves(supplier) == ["Drinks", "Pantry", "Bakery"]


def test_a_category_is_renamed_but_not_to_a_name_that_is_taken(supplier, mai):
    drinks, _ = cast.category(supplier, "Drinks"), cast.category(supplier, "Bakery")
    refused = mai.post(f"{SHELVES}/{drinks.pk}", {"name": "Bakery"}).text
    assert "There is a category “Bakery” already." in refused
    assert "Rename Drinks" in refused
    mai.post(f"{SHELVES}/{drinks.pk}", {"name": "Cold drinks"})
    assert "Cold drinks" in shelves(supplier)


def test_a_category_without_a_name_is_not_added(supplier, mai):
    assert "What is it called?" in mai.post(SHELVES, {"name": " "}).text
    assert shelves(supplier) == []


def test_deleting_a_category_says_how_many_products_it_leaves(supplier, mai):
    drinks = cast.category(supplier, "Drinks")
    oat = cast.product(supplier, category=drinks)
    assert "1 product</a> is in it." in mai.get(f"{SHELVES}/{drinks.pk}/delete").text
    assert "The category Drinks is deleted." in mai.post(f"{SHELVES}/{drinks.pk}/delete", follow=True).text
    oat.refresh_from_db()
    assert oat.category is None


def test_a_reader_sees_categories_without_buttons(supplier, desk):
    cast.category(supplier, "Drinks")
    page = desk("rex").get(SHELVES).text
    assert "Drinks" in page
    assert "Add category" not in page
    assert "Move Drinks" not in page
