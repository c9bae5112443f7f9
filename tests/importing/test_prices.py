"""Prices from a file: what becomes of each line, and that applying does just what was shown."""

import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

import cast
from importing.files import Day, csv_of, xlsx_of
from provender.catalogue.actions import delete_price_list, remove_products
from provender.catalogue.models import Product
from provender.importing import prices
from provender.importing.errors import FaultyFile, ListFileGone
from provender.importing.lists import tally
from provender.importing.models import ListFile
from provender.importing.prices import apply_prices, preview_prices
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db
HEADER = ["SKU", "Price", "From", "Until"]
DECEMBER, CHRISTMAS = date(2026, 12, 1), date(2026, 12, 24)


@pytest.fixture
def cafes(supplier):
    """Oat milk at 4.20, and at 4.40 from 1 to 24 December; cups, beans and syrup have no price on it."""
    for sku in cast.GOODS:
        cast.product(supplier, sku)
    made = cast.price_list(supplier, "Cafés", {"OAT-1L": "4.20"})
    cast.dated_price(made, "4.40", DECEMBER, CHRISTMAS)
    return made


def read(holder, *rows, header=HEADER, name="prices.csv", make=csv_of):
    return preview_prices(holder, io.BytesIO(make(*rows, header=header)), name, by=None)


def rows_of(file):
    return [
        (row.state, row.sku, row.before, {k: v for k, v in row.after.items() if k != "first"})
        for row in file.rows.all()
    ]


def there(holder):
    found = prices.prices_there(holder)
    skus = dict(Product.objects.values_list("pk", "sku"))
    return {(skus[pk], first): (str(offer.price), offer.until) for (pk, first), offer in found.items()}


def test_each_line_is_laid_beside_the_price_that_begins_on_its_day(cafes):
    file = read(
        cafes,
        ["OAT-1L", "4.25", "", ""],
        ["oat-1l", "4.40", "2026-12-01", "2026-12-24"],
        ["CUP-8OZ", "0.0349", "2026-12-01", ""],
        ["BEANS-1KG", "", "", ""],
    )
    assert rows_of(file) == [
        ("changed", "OAT-1L", {"price": "4.2000"}, {"price": "4.2500"}),
        ("unchanged", "OAT-1L", {}, {}),
        ("new", "CUP-8OZ", {}, {"price": "0.0349", "until": ""}),
        ("unchanged", "BEANS-1KG", {}, {}),
    ]
    assert there(cafes)["OAT-1L", None] == ("4.2000", None)


def test_applying_does_what_was_shown_and_twice_changes_nothing(supplier, cafes):
    rows = [
        ["OAT-1L", "4.25", "", "30/11/2026"],
        ["OAT-1L", "", "1/12/2026", ""],
        ["CUP-8OZ", "0.0349", "1/12/2026", "24/12/2026"],
    ]
    file = read(cafes, *rows)
    assert tally(file) == {"new": 1, "changed": 2, "unchanged": 0, "rejected": 0}
    apply_prices(file, by=None)
    assert there(cafes) == {
        ("OAT-1L", None): ("4.2500", date(2026, 11, 30)),
        ("CUP-8OZ", DECEMBER): ("0.0349", CHRISTMAS),
    }
    assert {entry.why for entry in story(supplier, "price-list", cafes.pk)[:3]} == {"Prices from a file"}
    assert tally(read(cafes, *rows)) == {"new": 0, "changed": 0, "unchanged": 3, "rejected": 0}
    with pytest.raises(ListFileGone):
        apply_prices(file, by=None)


def test_without_a_column_of_last_days_they_stay(cafes):
    apply_prices(read(cafes, ["OAT-1L", "4.50", "2026-12-01"], header=["SKU", "Price", "From"]), by=None)
    assert there(cafes)["OAT-1L", DECEMBER] == ("4.5000", CHRISTMAS)


def test_a_spreadsheets_own_dates_and_numbers_are_read(cafes):
    row = ["CUP-8OZ", 0.0349, Day(46357), Day(46380)]
    apply_prices(read(cafes, row, name="prices.xlsx", make=xlsx_of), by=None)
    assert there(cafes)["CUP-8OZ", DECEMBER] == ("0.0349", CHRISTMAS)


def test_own_prices_of_a_customer_come_the_same_way(supplier, cafes):
    lune = cast.venue(supplier, "Bar Lune", price_list=cafes)
    file = read(lune, ["OAT-1L", "3.9025", "", ""])
    assert file.kind == ListFile.Kind.OWN_PRICES
    apply_prices(file, by=None)
    assert there(lune) == {("OAT-1L", None): ("3.9025", None)}
    assert story(supplier, "customer", lune.pk)[0].what == "Own price of OAT-1L: not listed → 3.9025"


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (["", "1", "", ""], "SKU", "no SKU"),
        (["RYE", "1", "", ""], "SKU", "No product has this SKU"),
        (["OAT-1L", "four", "", ""], "Price", "“four” is not a number"),
        (["OAT-1L", "4,50", "", ""], "Price", "“4,50” is not a number"),
        (["OAT-1L", "-1", "", ""], "Price", "below zero"),
        (["OAT-1L", "1.00001", "", ""], "Price", "more than 4 decimal places"),
        (["OAT-1L", "99999999999", "", ""], "Price", "is more than"),
        (["OAT-1L", "1", "soon", ""], "From", "“soon” is not a date"),
        (["OAT-1L", "1", "2026-02-30", ""], "From", "“2026-02-30” is not a date"),
        (["OAT-1L", "1", "2026-12-02", "2026-12-01"], "Until", "until 1 Dec 2026, which is before"),
        (["CUP-8OZ", "1", "", ""], "SKU", "Line 2 is about the same product and first day"),
    ],
)
def test_a_line_that_can_not_be_taken_says_where_and_why(cafes, row, column, reason):
    file = read(cafes, ["CUP-8OZ", "1", "", ""], row)
    bad = file.rows.get(line=3)
    assert (bad.state, bad.column) == ("rejected", column)
    assert reason in bad.reason
    apply_prices(file, by=None)
    assert len(there(cafes)) == 3


def test_two_products_that_differ_by_capitals_are_told_apart_or_asked_about(supplier, cafes):
    cast.product(supplier, "tea"), cast.product(supplier, "TEA")
    file = read(cafes, ["tea", "1", "", ""], ["Tea", "1", "", ""])
    assert [row.state for row in file.rows.all()] == ["new", "rejected"]


def test_one_odd_date_rejects_its_line_alone(cafes):
    file = read(cafes, ["OAT-1L", "1", "13/12/2026", ""], ["CUP-8OZ", "1", "1/1/2027", ""], ["SYRUP-VAN", "1", "x", ""])
    assert [row.state for row in file.rows.all()] == ["new", "new", "rejected"]
    assert file.rows.get(line=3).after["first"] == "2027-01-01"


def test_another_wholesalers_products_are_unknown(cafes):
    cast.product(cast.supplier("southern"), "KIWI")
    assert [row.state for row in read(cafes, ["KIWI", "1", "", ""]).rows.all()] == ["rejected"]


def test_a_file_without_prices_is_refused_whole(cafes):
    with pytest.raises(FaultyFile, match="no column is called “Price”"):
        read(cafes, ["OAT-1L"], header=["SKU"])
    assert not ListFile.objects.exists()


def test_what_changed_here_since_the_preview_is_left_and_told(supplier, cafes):
    lone = cast.product(supplier, "LONE")
    file = read(
        cafes,
        ["OAT-1L", "4.25", "", ""],
        ["OAT-1L", "4.45", "2026-12-01", "2026-12-24"],
        ["CUP-8OZ", "0.03", "", ""],
        ["LONE", "1", "", ""],
        ["SYRUP-VAN", "11", "", ""],
    )
    cast.dated_price(cafes, "4.21")
    cast.dated_price(cafes, "0.04", sku="CUP-8OZ")
    remove_products(supplier, [lone.pk], by=None)
    apply_prices(file, by=None)
    assert [bool(row.outcome) for row in file.rows.all()] == [True, False, True, True, False]
    assert {key: price for key, (price, _) in there(cafes).items()} == {
        ("OAT-1L", None): "4.2100",
        ("OAT-1L", DECEMBER): "4.4500",
        ("CUP-8OZ", None): "0.0400",
        ("SYRUP-VAN", None): "11.0000",
    }


def test_a_file_for_a_list_that_is_gone_changes_nothing(cafes):
    file = read(cafes, ["OAT-1L", "1", "", ""])
    delete_price_list(cafes, by=None)
    apply_prices(file, by=None)
    assert file.rows.get().outcome == "What it was for is not here any more"


def test_what_was_cut_off_goes_on_where_it_was(cafes, monkeypatch):
    rows = [["OAT-1L", "4.25", "", ""], ["CUP-8OZ", "0.03", "", ""], ["SYRUP-VAN", "11", "", ""]]
    file = read(cafes, *rows)
    monkeypatch.setattr("provender.importing.lists.BATCH", 1)
    done = []

    def die_at_the_second(*args, **kwargs):
        if len(done) == 1:
            raise RuntimeError("the process died")
        done.append(1)
        return set_list_prices(*args, **kwargs)

    set_list_prices = prices.set_list_prices
    with monkeypatch.context() as while_it_dies:
        while_it_dies.setattr(prices, "set_list_prices", die_at_the_second)
        with pytest.raises(RuntimeError):
            apply_prices(file, by=None)
    apply_prices(file, by=None)
    assert tally(read(cafes, *rows))["unchanged"] == 3


cells = st.tuples(
    st.sampled_from(["OAT-1L", "CUP-8OZ", "cup-8oz", "NONE"]),
    st.sampled_from(["", "0", "4.20", "4.5", "0.0375", "1,234.5678", "x", "-1"]),
    st.sampled_from(["", "2026-12-01", "2026-12-31", "32/1/2026"]),
    st.sampled_from(["", "2026-12-01", "2027-01-01"]),
)


@hypothesis(max_examples=40)
@given(st.lists(cells, min_size=1, max_size=8))
def test_after_applying_nothing_of_the_file_is_left_to_do(cafes, rows):
    before = tally(read(cafes, *map(list, rows)))
    assert sum(before.values()) == len(rows)
    file = read(cafes, *map(list, rows))
    apply_prices(file, by=None)
    again = tally(read(cafes, *map(list, rows)))
    assert (again["new"], again["changed"], again["rejected"]) == (0, 0, before["rejected"])
