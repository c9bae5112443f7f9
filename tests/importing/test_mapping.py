"""Which column is which, and what cells say."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from importing.files import HEADER, MAPPING, plan, row
from provender.basics.errors import ProvenderError
from provender.importing.errors import DateFormatUnusable, FaultyFile, FieldUnknown, MappingIncomplete
from provender.importing.mapping import Reader, find_columns, propose, propose_date_format, read_date
from provender.importing.reading import Faults, row_of
from provender.suppliers.models import Supplier

GIFTWARE = Supplier(slug="giftware", name="Giftware Wholesale", country="GB", tax_rate=Decimal(20))


def read(cells, header=HEADER, mapping=MAPPING, date_format=""):
    faults = Faults("invoices.csv")
    at = find_columns(mapping, header, faults)
    line = Reader(GIFTWARE, header, at, date_format, faults).read(row_of(7, cells))
    return line, faults.found


def test_a_line_is_read_exactly():
    line, _ = read(row(price="2.5501", quantity="-1.25"))
    assert (line.quantity, line.price, line.amount) == (Decimal("-1.25"), Decimal("2.5501"), Decimal("-3.19"))
    assert (line.number, line.sku, line.customer, line.date) == ("536365", "85123A", "17850", date(2010, 12, 1))


def test_a_description_is_kept_to_the_space_and_identifiers_are_not():
    line, _ = read(row(what="METAL LANTERN ", sku=" 71053 ", who="17850 "))
    assert (line.description, line.sku, line.customer) == ("METAL LANTERN ", "71053", "17850")


def test_everything_unreadable_in_a_line_is_named_with_column_and_value():
    line, faults = read(row(quantity="six", price="2.55501", date="1/12/2010"))
    assert line is None
    assert [(fault.line, fault.column, fault.value) for fault in faults] == [
        (7, "Quantity", "six"),
        (7, "UnitPrice", "2.55501"),
        (7, "InvoiceDate", "1/12/2010"),
    ]


@pytest.mark.parametrize("text", ["", "(6)", "£6", "6e3", "1,5", "NaN"])
def test_what_is_not_clearly_an_amount_is_no_amount(text):
    _, faults = read(row(price=text))
    assert [(fault.column, fault.value) for fault in faults] == [("UnitPrice", text)]


def test_an_amount_beyond_what_a_line_can_hold():
    _, faults = read(row(quantity="99999999", price="99999999"))
    assert [fault.column for fault in faults] == ["UnitPrice"]


def test_texts_that_are_too_long_are_named_not_cut():
    _, faults = read(row(sku="X" * 61))
    assert [(fault.column, fault.what) for fault in faults] == [
        ("StockCode", f"“{'X' * 40}…” is longer than 60 characters.")
    ]


def test_a_date_is_as_written():
    assert read_date("2010-12-01 23:59:59", "%Y-%m-%d %H:%M:%S") == date(2010, 12, 1)
    assert read_date("2010-12-01T23:59:59+11:00", "") == date(2010, 12, 1)
    assert read([*row()[:4], datetime(2010, 12, 1, 23, 59), "1", "1"])[0].date == date(2010, 12, 1)  # noqa: DTZ001


@pytest.mark.parametrize("pattern", ["%d", "%H:%M", "dd/mm/yyyy", "%d/%m", "%Q"])
def test_a_date_format_must_tell_day_month_and_year(pattern):
    with pytest.raises(DateFormatUnusable):
        plan(date_format=pattern)


def test_optional_columns():
    header = [*HEADER, "PO", "Due", "Tax"]
    mapping = MAPPING | {"purchase_order": "PO", "due_date": "Due", "tax": "Tax"}
    line, _ = read([*row(), "P-7", "2011-01-01", "free"], header, mapping)
    assert (line.purchase_order, line.due_date, line.tax_kind) == ("P-7", date(2011, 1, 1), "free")


@pytest.mark.parametrize(("word", "kind"), [("VAT", "gst"), ("20%", "gst"), ("20.0", "gst"), ("0", "free"), ("", "")])
def test_a_tax_column_may_say(word, kind):
    assert read([*row(), word], [*HEADER, "Tax"], MAPPING | {"tax": "Tax"})[0].tax_kind == kind


def test_a_tax_word_nobody_knows():
    _, faults = read([*row(), "17.5%"], [*HEADER, "Tax"], MAPPING | {"tax": "Tax"})
    assert [(fault.column, fault.value) for fault in faults] == [("Tax", "17.5%")]


def test_a_wrong_column_name_lists_the_columns_there_are():
    with pytest.raises(FaultyFile, match=r"no column “Invoice” .* InvoiceNo, StockCode") as refusal:
        find_columns(MAPPING | {"number": "Invoice", "sku": "Code"}, HEADER, Faults("invoices.csv"))
    assert [fault.column for fault in refusal.value.faults] == ["Invoice", "Code"]


def test_a_column_that_is_there_twice():
    with pytest.raises(FaultyFile, match="2 columns are called “UnitPrice”"):
        find_columns(MAPPING, [*HEADER, "UnitPrice"], Faults("invoices.csv"))


def test_a_field_nobody_knows():
    with pytest.raises(FieldUnknown, match="no field “colour”"):
        plan(mapping={"colour": "X"})


def test_a_field_without_a_column():
    with pytest.raises(MappingIncomplete, match="holds: date, customer"):
        find_columns({}, ["number", "sku", "description", "quantity", "price"], Faults("invoices.csv"))


def test_columns_are_proposed_by_their_headings():
    assert propose(HEADER) == MAPPING
    assert propose(["Invoice No.", "Qty", "Colour"]) == {"number": "Invoice No.", "quantity": "Qty"}


@pytest.mark.parametrize(
    ("samples", "pattern"),
    [
        (["01/12/2010", "31/12/2010"], "%d/%m/%Y"),
        (["12/31/2010"], "%m/%d/%Y"),
        (["2010-12-01 08:26:00"], "%Y-%m-%d %H:%M:%S"),
        ([date(2010, 12, 1)], ""),
        (["soon"], ""),
    ],
)
def test_a_date_format_is_proposed_by_the_dates(samples, pattern):
    assert propose_date_format(samples) == pattern


def test_faults_are_sentences():
    _, (fault,) = read(row(price="2.x"))
    assert fault.sentence("invoices.csv").startswith("invoices.csv, line 7, column UnitPrice: “2.x” is not a number")
    assert issubclass(FaultyFile, ProvenderError)
