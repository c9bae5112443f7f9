"""Products from Xero: what a pull finds, what applying it does, and what undoing brings back."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cast
from provender.catalogue import actions as catalogue
from provender.catalogue.errors import CategoryInUse
from provender.catalogue.models import Product
from provender.sync import products
from provender.sync.errors import PullGone
from provender.sync.items import Chart, Shelf, judge_items
from provender.sync.mirror import keep_items
from provender.sync.models import Pull
from provender.timeline.models import Entry
from provender.xero import wire

pytestmark = pytest.mark.django_db

CHART = Chart({"200": "ACTIVE", "260": "ARCHIVED"}, {"OUTPUT": "gst", "EXEMPTOUTPUT": "free"})
ALL = ["new", "name", "description", "price", "sales_account", "tax_kind"]


def item(code="TEA-1", name="Tea", price="4.50", **fields):
    """An item as Xero tells it; `account`, `tax` and the price are of its sale."""
    sale = wire.ItemDetails(
        unit_price=None if price is None else Decimal(price),
        account_code=fields.pop("account", "200"),
        tax_type=fields.pop("tax", "OUTPUT"),
    )
    fields = {"item_id": f"id of {code}"[:36], "is_sold": True, "sales_details": sale} | fields
    return wire.Item(code=code, name=name, **fields)


def judge(*items, ours=()):
    return judge_items(items, Shelf(list(ours)), CHART)


def one(*args, ours=(), **fields):
    """The row of a single item."""
    return judge(item(*args, **fields), ours=ours)[0]


def tea(**changed):
    return Product(**{"sku": "TEA-1", "name": "Tea", "price": Decimal("4.50"), "sales_account": "200"} | changed)


@pytest.fixture
def pull(connection):
    """Read Xero's items; nothing is applied yet."""
    return lambda: products.pull_products(connection, None)


@pytest.fixture
def pull_all(pull):
    """Read, take everything, apply."""

    def run():
        made = pull()
        products.choose_parts(made, ALL)
        products.apply(made, None)
        return made

    return run


def counts(pull):
    return Counter(pull.rows.values_list("state", flat=True))


def row_of(pull, code):
    return pull.rows.get(code=code)


# --- judging ------------------------------------------------------------------------------------------------------


def test_a_new_item_brings_all_its_columns():
    row = one(description=" Loose leaf ", tax="EXEMPTOUTPUT")
    assert (row.state, row.after) == (
        "new",
        {"name": "Tea", "description": "Loose leaf", "price": "4.5000", "sales_account": "200", "tax_kind": "free"},
    )


def test_a_changed_item_shows_old_and_new_and_only_what_differs():
    row = one(price="5", name="Green tea", ours=[tea()])
    assert (row.state, row.price_moves) == ("changed", True)
    assert row.before == {"name": "Tea", "price": "4.5000"}
    assert row.after == {"name": "Green tea", "price": "5.0000"}


def test_an_equal_item_is_unchanged():
    assert one(ours=[tea()]).state == "unchanged"


def test_what_is_empty_in_xero_empties_nothing_here():
    row = one(name="", description="", price=None, account=None, tax=None, ours=[tea(description="Loose")])
    assert (row.state, row.hints) == ("unchanged", ["No sales price in Xero", "No tax type in Xero"])


def test_a_tracked_item_is_marked():
    assert one(is_tracked_as_inventory=True).tracked


def test_the_exact_sku_wins_over_one_that_differs_by_case():
    lower, upper = tea(sku="tea-1"), tea()
    assert one(ours=[lower, upper]).product == upper.pk


def test_without_an_exact_one_the_only_one_alike_is_it():
    lower = tea(sku=" tea-1 ")
    assert one(" TEA-1", ours=[lower]).product == lower.pk


def test_two_products_alike_are_a_question():
    row = one("Tea-1", ours=[tea(), tea(sku="tea-1")])
    assert row.state == "refused"
    assert "2 products here differ" in row.reason


def test_of_two_items_alike_the_one_that_is_exactly_a_product_is_taken():
    rows = judge(item("TEA-1"), item("tea-1"), ours=[tea()])
    assert [row.state for row in rows] == ["unchanged", "refused"]


def test_an_item_no_longer_sold_is_gone_for_its_product_and_refused_without_one():
    assert one(is_sold=False, ours=[tea()]).state == "gone"
    assert one(is_sold=False).state == "refused"


HOSTILE = {
    "no code": (item(code=None), "no code"),
    "spaces for a code": (item(code="  "), "no code"),
    "31 characters": (item("x" * 31), "longer than 30"),
    "5 places": (item(price="1.23456"), "more than 4 decimal places"),
    "below zero": (item(price="-1"), "below zero"),
    "too large": (item(price="10000000000"), "more than 9,999,999,999.99"),
    "no price": (item(price=None), "no sales price"),
    "long name": (item(name="n" * 201), "name is longer"),
    "long description": (item(description="d" * 4001), "description is longer"),
    "not sold": (item(is_sold=False), "sold"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_cannot_be_taken_says_why(what):
    hostile, reason = HOSTILE[what]
    row = judge(hostile)[0]
    assert row.state == "refused"
    assert reason in row.reason


def test_signs_that_nobody_sees_are_left_out():
    row = one("TEA\x0b1", " Te\0a\u2028leaves\r", description="\ufeffone\r\ntwo\x85three\t")
    assert (row.code, row.after["name"], row.after["description"]) == ("TEA 1", "Tea leaves", "one\ntwo\nthree")


def test_what_can_be_taken_in_part_says_what_is_left():
    row = one("☕-1", "Kaffee ☕", description="d" * 4000, account="260", tax="ODD")
    assert row.state == "new"
    assert row.hints == ["Account 260 is archived in Xero", "Tax type ODD isn’t known here"]
    assert (row.after["sales_account"], row.after["tax_kind"]) == ("", "gst")


def test_every_hostile_item_ends_in_one_row():
    items = [hostile for hostile, _ in HOSTILE.values()] + [item("Abc"), item("aBC"), item("Abc"), item("☕")]
    rows = judge(*items)
    assert len(rows) == len(items)
    assert Counter(row.state for row in rows) == {"refused": len(items) - 1, "new": 1}
    assert all(row.reason for row in rows if row.state == "refused")


def test_hostile_items_are_kept_and_applied_like_any(connection, supplier):
    items = [hostile for hostile, _ in HOSTILE.values()] + [item("☕-1", "Kaffee ☕", description="d" * 4000)]
    keep_items(connection, items)
    made = products.keep_preview(connection, items, None)
    assert made.items == made.rows.count() == len(items)
    assert products.apply(made, None) == products.Applied(added=1)
    assert supplier.products.get().name == "Kaffee ☕"


# --- reading and applying -----------------------------------------------------------------------------------------


def test_pulling_changes_no_product_and_takes_one_call(pull, supplier, xero):
    before = sum(xero.stats.calls.values())
    made = pull()
    assert made.items == sum(counts(made).values()) > 0
    assert not supplier.products.exists()
    assert sum(xero.stats.calls.values()) == before + 1


def test_new_products_land_in_unsorted(pull_all, supplier, books):
    sale = {"UnitPrice": "3.20", "AccountCode": "200", "TaxType": "OUTPUT"}
    books.add_item("NEW-1", "New thing", SalesDetails=sale)
    pull_all()
    made = supplier.products.get(sku="NEW-1")
    assert (made.name, made.price, made.category.name) == ("New thing", Decimal("3.20"), "Unsorted")
    assert (made.sales_account, made.tax_kind, made.active) == ("200", "gst", True)


def test_unsorted_stays_while_it_is_used(pull_all, supplier):
    pull_all()
    unsorted = supplier.categories.get(name="Unsorted")
    with pytest.raises(CategoryInUse):
        catalogue.delete_category(unsorted, by=None)
    supplier.products.update(category=None)
    assert catalogue.delete_category(unsorted, by=None) == 0


def test_a_second_pull_without_a_change_writes_nothing(pull_all, pull, supplier):
    pull_all()
    before = list(supplier.products.values()), Entry.objects.count()
    again = pull()
    assert set(counts(again)) <= {"unchanged", "refused"}
    assert products.apply(again, None) == products.Applied()
    assert (list(supplier.products.values()), Entry.objects.count()) == before


def test_only_what_was_chosen_changes(pull_all, pull, supplier, books):
    drinks, cafes = cast.category(supplier), cast.price_list(supplier, prices={"TEA-1": "3.00"})
    lune = cast.venue(supplier, "Bar Lune", price_list=cafes)
    cast.dated_price(cafes, "3.10", date(2026, 12, 1), sku="TEA-1")
    cast.dated_price(lune, "2.90", sku="TEA-1")
    ours = supplier.products.get(sku="TEA-1")
    catalogue.set_column(supplier, [ours.pk], "category_id", drinks.pk, by=None)
    catalogue.set_products_active(supplier, [ours.pk], active=False, by=None)
    books.add_item("TEA-1", "Green tea", "5.00")
    made = pull()
    products.choose_parts(made, ["new", "name", "price"])
    products.choose_rows(made, {row_of(made, "TEA-1").pk: ["name"]})
    products.apply(made, None)
    ours.refresh_from_db()
    assert (ours.name, ours.price) == ("Green tea", Decimal("1.00"))
    assert (ours.category, ours.active) == (drinks, False)
    assert set(cafes.prices.values_list("price", flat=True)) == {Decimal("3.00"), Decimal("3.10")}
    assert lune.own_prices.get().price == Decimal("2.90")


def test_the_choice_is_the_rule_for_the_next_pull(pull, connection, books, supplier):
    cast.product(supplier, "TEA-1")
    books.add_item("TEA-1", "Green tea", "5.00")
    products.choose_parts(pull(), ["name"])
    assert products.rule(connection) == ["name"]
    assert row_of(pull(), "TEA-1").chosen == ["name"]


def test_what_changed_here_since_the_preview_is_left_and_told(pull, supplier, books):
    ours = cast.product(supplier, "TEA-1")
    books.add_item("TEA-1", "Green tea", "5.00")
    made = pull()
    ours.price = Decimal(7)
    catalogue.save_product(ours, by=None)
    assert products.apply(made, None).left == 1
    ours.refresh_from_db()
    assert (ours.name, ours.price) == ("Green tea", Decimal(7))
    assert row_of(made, "TEA-1").outcome == "Changed here since the preview, so left: price"


def test_a_product_made_since_the_preview_is_not_doubled(pull, supplier, books):
    books.add_item("TEA-1", "Tea", "5.00")
    made = pull()
    cast.product(supplier, "tea-1")
    products.apply(made, None)
    assert [p.sku for p in supplier.products.filter(sku__iexact="tea-1")] == ["tea-1"]


def test_a_deleted_item_leaves_its_product_which_is_named(pull_all, pull, books, supplier):
    books.add_item("TEA-1", "Tea", "5.00")
    pull_all()
    books.remove_item("TEA-1")
    again = pull()
    assert (row_of(again, "TEA-1").state, row_of(again, "TEA-1").reason) == ("gone", "Its item is gone")
    assert supplier.products.get(sku="TEA-1").active
    assert again.items == sum(counts(again).values()) - 1


def test_a_product_of_our_own_was_never_in_xero(pull, supplier):
    cast.product(supplier, "OWN-1")
    assert not pull().rows.filter(code="OWN-1").exists()


def test_a_pull_is_applied_once(pull):
    made = pull()
    products.apply(made, None)
    with pytest.raises(PullGone):
        products.apply(made, None)
    with pytest.raises(PullGone):
        products.choose_parts(made, ALL)


def test_an_application_cut_off_half_way_goes_on(pull, supplier, monkeypatch):
    monkeypatch.setattr(products, "BATCH", 2)
    made = pull()

    def cut(_done, _of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        products.apply(made, None, told=cut)
    assert supplier.products.count() == 2
    products.apply(Pull.objects.get(pk=made.pk), None)
    assert supplier.products.count() == counts(made)["new"]


# --- undoing ------------------------------------------------------------------------------------------------------


def test_undoing_brings_everything_back(pull, supplier, books):
    ours = cast.product(supplier, "TEA-1")
    books.add_item("TEA-1", "Green tea", "5.00")
    made = pull()
    applied = products.apply(made, None)
    undone = products.undo(made, None)
    ours.refresh_from_db()
    assert (ours.name, ours.price) == ("TEA-1", Decimal("1.00"))
    assert list(supplier.products.all()) == [ours]
    assert (undone.put_back, undone.removed, undone.left) == (applied.changed, applied.added, 0)


def test_what_was_used_or_changed_since_stays(pull_all, supplier, books):
    cast.product(supplier, "TEA-1")
    for code in ("TEA-1", "USED", "EDITED"):
        books.add_item(code, "From Xero", "5.00")
    made = pull_all()
    ours, used, edited = (supplier.products.get(sku=sku) for sku in ("TEA-1", "USED", "EDITED"))
    cast.draft_order(cast.venue(supplier), {"USED": 1})
    for product in (ours, edited):
        product.price = Decimal(9)
        catalogue.save_product(product, by=None)
    undone = products.undo(made, None)
    for product in (ours, used, edited):
        product.refresh_from_db()
    assert (ours.name, ours.price, ours.active) == ("TEA-1", Decimal(9), True)
    assert (used.active, edited.active) == (False, False)
    assert (undone.switched_off, undone.left) == (2, 1)
    assert row_of(made, "TEA-1").outcome == "Changed since, so left: price"


def test_only_the_last_application_is_undone_and_once(pull_all, pull, books):
    first = pull_all()
    books.add_item("TEA-1", "Tea", "5.00")
    second = pull_all()
    with pytest.raises(PullGone):
        products.undo(first, None)
    products.undo(second, None)
    with pytest.raises(PullGone):
        products.undo(second, None)


# --- preview, apply, preview --------------------------------------------------------------------------------------

texts = st.sampled_from(["", "Tea", "Green tea", " Tea ", "☕"])
prices = st.sampled_from(["0", "1.5", "1.2345", "1.23456", "-1", None])
xero_items = st.builds(
    item,
    st.sampled_from(["A", "a", "B", "b ", "C", "", "x" * 31]),
    texts,
    prices,
    description=texts,
    account=st.sampled_from(["200", "260", "999", None]),
    tax=st.sampled_from(["OUTPUT", "EXEMPTOUTPUT", "ODD", None]),
    is_sold=st.sampled_from([True, True, False, None]),
)


@settings(max_examples=60)
@given(st.lists(xero_items, max_size=6), st.sets(st.sampled_from(["A", "a", "B", "c"])), st.sets(st.sampled_from(ALL)))
def test_what_was_chosen_and_applied_is_not_found_again(supplier, items, skus, parts):
    supplier.products.all().delete()
    for sku in skus:
        Product.objects.create(supplier=supplier, sku=sku, name="Old", price=1)
    for row in judge(*items, ours=supplier.products.all()):
        _do(supplier, row, parts)
    again = judge(*items, ours=supplier.products.all())
    assert [row for row in again if products._choosable(row, parts)] == []
    assert len({sku.strip().casefold() for sku in supplier.products.values_list("sku", flat=True)}) == (
        supplier.products.count() - ({"A", "a"} <= skus)
    )


def _do(supplier, row, parts):
    """What applying a row comes to."""
    chosen = products._choosable(row, parts)
    if row.state == "new" and chosen:
        columns = products._columns(row.after, row.after)
        catalogue.import_products(supplier, [Product(supplier=supplier, sku=row.code, **columns)])
    elif row.state == "changed":
        catalogue.revise_products(
            supplier, [products._revision(row, chosen, row.before, row.after)], by=None
        )  # fmt: skip
