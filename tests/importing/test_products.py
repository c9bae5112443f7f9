"""Products from a file: what becomes of each line, and that what goes out comes in unchanged."""

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cast
from importing.files import csv_of, gz_of, xlsx_of
from provender.catalogue import actions as catalogue
from provender.catalogue.models import Product
from provender.importing import lists
from provender.importing.errors import FaultyFile, ListFileGone
from provender.importing.models import ListFile
from provender.importing.products import apply_products, preview_products
from provender.timeline.models import Entry

pytestmark = pytest.mark.django_db
HEADER = ["SKU", "Name", "Description", "Category", "Unit", "Price", "GST", "Sales account", "Active"]


def read(supplier, *rows, header=HEADER, name="products.csv", write=csv_of, accounts=()):
    return preview_products(supplier, io.BytesIO(write(*rows, header=header)), name, by=None, accounts=accounts)


def bring_in(supplier, *rows, **how):
    file = read(supplier, *rows, **how)
    apply_products(file, by=None)
    return file


def oat(**changed):
    """The oat milk's line as it is here, as a row under HEADER."""
    says = dict(zip(HEADER, ["OAT-1L", "Oat milk 1L", "", "", "", "4.50", "GST", "", "yes"], strict=True))
    return list((says | changed).values())


def only(file):
    return file.rows.get()


# --- judging ------------------------------------------------------------------------------------------------------


def test_each_line_ends_in_one_state_and_the_counts_add_up(supplier):
    for sku in ("OAT-1L", "SYRUP-VAN"):
        cast.product(supplier, sku)
    file = read(supplier, oat(), ["SYRUP-VAN", "Vanilla syrup", "", "", "", "12.00", "GST", "", "yes"],
                ["RYE-800", "Dark rye loaf", "", "Bakery", "loaf", "6.10", "free", "", ""], oat(SKU=""))  # fmt: skip
    assert lists.tally(file) == {"new": 1, "changed": 1, "unchanged": 1, "rejected": 1}
    assert supplier.products.count() == 2


def test_a_change_shows_old_and_new_and_only_what_differs(supplier):
    cast.product(supplier)
    row = only(read(supplier, oat(Name="Oat milk", Price="4.8", Active="No")))
    assert row.before == {"name": "Oat milk 1L", "price": "4.5000", "active": "yes"}
    assert row.after == {"name": "Oat milk", "price": "4.8000", "active": "no"}


def test_a_column_that_is_not_there_is_left_alone(supplier):
    ours = cast.product(supplier, description="Barista", unit="carton", category=cast.category(supplier))
    bring_in(supplier, ["OAT-1L", "5.00"], header=["Item code", "Unit price"])
    ours.refresh_from_db()
    assert (ours.price, ours.description, ours.unit, str(ours.category)) == (Decimal(5), "Barista", "carton", "Drinks")


def test_an_empty_cell_empties_what_may_be_empty_and_nothing_else(supplier):
    ours = cast.product(supplier, description="Barista", category=cast.category(supplier), sales_account="200")
    bring_in(supplier, ["OAT-1L", *[""] * 8])
    ours.refresh_from_db()
    assert (ours.description, ours.category, ours.sales_account) == ("", None, "")
    assert (ours.name, ours.price, ours.tax_kind, ours.active) == ("Oat milk 1L", Decimal("4.50"), "gst", True)


def test_the_exact_sku_wins_and_an_only_one_alike_is_it(supplier):
    cast.product(supplier, "tea"), cast.product(supplier, "TEA"), cast.product(supplier)
    file = read(supplier, oat(SKU="TEA"), oat(SKU="oat-1l"), oat(SKU="Tea"))
    assert [row.sku for row in file.rows.all()] == ["TEA", "OAT-1L", "Tea"]
    assert file.rows.get(sku="Tea").reason == "2 products here differ from this SKU by capitals only. Write it exactly."


HOSTILE = {
    "no SKU": (oat(SKU=" "), "SKU", "no SKU"),
    "long SKU": (oat(SKU="x" * 61), "SKU", "at most 60"),
    "long name": (oat(Name="n" * 201), "Name", "longer than 200"),
    "long description": (oat(Description="d" * 4001), "Description", "longer than 4,000"),
    "long category": (oat(Category="c" * 101), "Category", "longer than 100"),
    "long account": (oat(**{"Sales account": "12345678901"}), "Sales account", "longer than 10"),
    "price in words": (oat(Price="four"), "Price", "not a number"),
    "price in a foreign way": (oat(Price="4,50"), "Price", "not a number"),
    "5 places": (oat(Price="1.23456"), "Price", "more than 4 decimal places"),
    "below zero": (oat(Price="-1"), "Price", "below zero"),
    "too large": (oat(Price="10000000000"), "Price", "more than 9,999,999,999.99"),
    "tax unheard of": (oat(GST="maybe"), "GST", "is none of"),
    "active or not": (oat(Active="perhaps"), "Active", "neither yes nor no"),
    "new without a price": (oat(SKU="NEW", Price=""), "Price", "needs a price"),
    "new without a name": (oat(SKU="NEW", Name=""), "Name", "needs a name"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_cannot_be_taken_is_named_with_line_column_and_value(supplier, what):
    cells, column, reason = HOSTILE[what]
    row = only(read(supplier, cells))
    assert (row.state, row.line, row.column) == ("rejected", 2, column)
    assert row.value == cells[HEADER.index(column)].strip()[:200]
    assert reason in row.reason


def test_hostile_lines_each_end_in_a_state_and_the_others_go_in(supplier):
    rows = [cells for cells, *_ in HOSTILE.values()]
    rows += [oat(SKU="☕", Name="Kaffee ☕", Description="d" * 4000), oat(SKU="=1+1"), oat(SKU="DUP"), oat(SKU="dup")]
    file = bring_in(supplier, *rows)
    assert sum(lists.tally(file).values()) == len(rows)
    assert set(supplier.products.values_list("sku", flat=True)) == {"☕", "=1+1", "DUP"}
    assert file.rows.get(sku="dup").reason == f"Line {len(rows)} is about the same product. Keep one of the two."


def test_what_will_happen_beside_is_hinted_at(supplier):
    row = only(read(supplier, oat(SKU="x" * 31, Category="Milks", **{"Sales account": "999"}), accounts={"200"}))
    assert row.hints == [
        "Longer than 30 characters: its lines go to Xero without an item code",
        "The category Milks will be made",
        "Xero has no account 999 that sales can go to: invoices with it would wait",
    ]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["Name", "Price"], "no column is called “SKU”. The columns are: Name, Price."),
        (["SKU", "Price", "Price"], "2 columns are called “Price”"),
    ],
)
def test_a_file_whose_headings_do_not_say_is_refused_whole(supplier, header, said):
    with pytest.raises(FaultyFile, match=said):
        read(supplier, ["a"] * len(header), header=header)
    assert not ListFile.objects.exists()


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (csv_of(["OAT-1L", "Caf\xe9"], header=["SKU", "Name"], encoding="latin-1"), "p.csv", "not UTF-8"),
        (b"", "p.csv", "the file is empty"),
        (b"SKU,Name\n", "p.csv", "no line under the headings"),
        (b"PK", "p.xlsx", "not a whole Excel workbook"),
        (b"SKU\n1\n", "p.pdf", "only .csv"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(supplier, content, name, said):
    with pytest.raises(FaultyFile, match=said):
        preview_products(supplier, io.BytesIO(content), name, by=None)


def test_too_many_lines_are_refused(supplier, monkeypatch):
    monkeypatch.setattr(lists, "MOST_LINES", 2)
    with pytest.raises(FaultyFile, match="more than 2 lines"):
        read(supplier, *[oat(SKU=str(number)) for number in range(3)])


def test_excel_and_compressed_files_are_read_alike(supplier):
    cells = ["RYE-800", "Dark rye loaf", 6.1]
    header = ["SKU", "Name", "Price"]
    for write, name in ((xlsx_of, "p.xlsx"), (lambda *rows, header: gz_of(header, *rows), "p.csv.gz")):
        rows = [list(map(str, cells))] if name.endswith(".gz") else [cells]
        if name.endswith(".gz"):
            content = __import__("gzip").compress(csv_of(*rows, header=header))
            row = only(preview_products(supplier, io.BytesIO(content), name, by=None))
        else:
            row = only(read(supplier, *rows, header=header, name=name, write=write))
        assert (row.state, row.after["price"]) == ("new", "6.1000")


# --- applying -----------------------------------------------------------------------------------------------------


def test_new_and_changed_products_are_as_the_file_says_and_told(supplier):
    ours = cast.product(supplier)
    bring_in(
        supplier,
        oat(Price="4.80", Category="Drinks"),
        ["RYE-800", "Rye", "", "Bakery", "loaf", "6.10", "free", "", "no"],
    )
    ours.refresh_from_db()
    made = supplier.products.get(sku="RYE-800")
    assert (ours.price, str(ours.category)) == (Decimal("4.80"), "Drinks")
    assert (made.unit, made.tax_kind, made.active, str(made.category)) == ("loaf", "free", False, "Bakery")
    told = Entry.objects.get(subject=ours.pk, why="Products from a file").what
    assert told == "Changed category nothing → Drinks, price 4.50 → 4.80"


def test_the_same_file_twice_changes_nothing(supplier):
    rows = [oat(Category="drinks"), oat(SKU="RYE-800", Category="Drinks")]
    bring_in(supplier, *rows)
    before = list(supplier.products.values()), Entry.objects.count()
    again = bring_in(supplier, *rows)
    assert lists.tally(again)["unchanged"] == 2
    assert (list(supplier.products.values()), Entry.objects.count()) == before


def test_what_changed_here_since_the_preview_is_left_and_told(supplier):
    ours = cast.product(supplier)
    file = read(supplier, oat(Name="Oat milk", Price="4.80"), oat(SKU="NEW"))
    ours.price = Decimal(7)
    catalogue.save_product(ours, by=None)
    cast.product(supplier, "new")
    apply_products(file, by=None)
    ours.refresh_from_db()
    assert (ours.name, ours.price) == ("Oat milk", Decimal(7))
    assert [row.outcome for row in file.rows.all()] == [
        "Changed here since the preview, so left: price",
        "A product with this SKU was made here since the preview",
    ]
    assert lists.left_count(file) == 2


def test_a_file_is_applied_once(supplier):
    file = bring_in(supplier, oat())
    with pytest.raises(ListFileGone):
        apply_products(file, by=None)
    with pytest.raises(ListFileGone):
        lists.discard(file)


def test_an_application_cut_off_goes_on(supplier, monkeypatch):
    monkeypatch.setattr(lists, "BATCH", 2)
    file = read(supplier, *[oat(SKU=f"NEW-{number}") for number in range(5)])
    import_products, calls = catalogue.import_products, []

    def dies_the_second_time(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return import_products(*args, **kwargs)

    monkeypatch.setattr(catalogue, "import_products", dies_the_second_time)
    with pytest.raises(KeyboardInterrupt):
        apply_products(file, by=None)
    assert supplier.products.count() == 2
    apply_products(ListFile.objects.select_related("supplier").get(pk=file.pk), by=None)
    assert supplier.products.count() == 5


def test_statements_do_not_grow_with_the_lines(supplier, django_assert_max_num_queries):
    for number in range(30):
        cast.product(supplier, f"OLD-{number}")
    file = read(supplier, *[oat(SKU=f"OLD-{number}", Category=f"Shelf {number % 3}") for number in range(30)])
    with django_assert_max_num_queries(40):
        apply_products(file, by=None)


def test_only_the_newest_preview_stays(supplier):
    first = read(supplier, oat())
    read(supplier, oat(Name="Other"))
    assert lists.find_list_file(supplier, first.pk) is None


# --- whatever is in a file ----------------------------------------------------------------------------------------

cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
columns = st.tuples(
    st.sampled_from(["A", "a", "B", "c ", "", "ä"]), cells, cells, st.sampled_from(["", "Drinks", "drinks", "Tee"]),
    st.sampled_from(["", "kg"]), st.sampled_from(["", "0", "1.5", "1.23456", "-1", "x"]),
    st.sampled_from(["", "GST", "free", "odd"]), st.sampled_from(["", "200"]), st.sampled_from(["", "yes", "No", "?"]),
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(columns.filter(any), min_size=1, max_size=5), st.sets(st.sampled_from(["A", "a", "B"])))
def test_what_was_applied_is_not_found_again(supplier, rows, skus):
    supplier.products.all().delete()
    for sku in skus:
        Product.objects.create(supplier=supplier, sku=sku, name="Old", price=1)
    file = bring_in(supplier, *rows, write=as_python_does)
    assert sum(lists.tally(file).values()) == len(rows)
    again = read(supplier, *rows, write=as_python_does)
    assert set(again.rows.values_list("state", flat=True)) <= {"unchanged", "rejected"}


def as_python_does(*rows, header):
    content = io.StringIO(newline="")
    csv.writer(content).writerows([header, *rows])
    return content.getvalue().encode()
