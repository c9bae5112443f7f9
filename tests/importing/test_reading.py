"""Files as rows, and what is said about files that can't be read."""

import io
from datetime import date

import pytest

from importing import files
from importing.files import Day, csv_of, row, xlsx_of
from provender.importing.errors import FaultyFile
from provender.importing.reading import Faults, open_sheet


def read(content, name="invoices.csv"):
    faults = Faults(name)
    sheet = open_sheet(io.BytesIO(content), name, faults)
    rows = list(sheet.rows)
    faults.check()
    return sheet.columns, [(each.line, each.cells) for each in rows]


def refused(content, name="invoices.csv"):
    with pytest.raises(FaultyFile) as refusal:
        read(content, name)
    return refusal.value


def test_the_header_is_line_1():
    columns, rows = read(csv_of(row()))
    assert columns == files.HEADER
    assert rows == [(2, row())]


def test_csv_compressed_csv_and_a_spreadsheet_read_alike():
    plain = read(csv_of(row(), row(sku="71053")))
    assert read(files.gz_of(row(), row(sku="71053")), "invoices.csv.gz") == plain
    assert read(xlsx_of(row(), row(sku="71053")), "invoices.XLSX") == plain


def test_a_line_is_where_it_begins_even_when_a_text_runs_over_several():
    _, rows = read(csv_of(row(what="TWO\nLINES, “quoted”"), row(sku="71053")))
    assert [line for line, _ in rows] == [2, 4]
    assert rows[0][1][2] == "TWO\nLINES, “quoted”"


def test_blank_lines_and_commas_at_the_end_are_no_data():
    _, rows = read(b"a,b\n\n1,2,,\n,\n3,4\n")
    assert rows == [(3, ["1", "2"]), (5, ["3", "4"])]


@pytest.mark.parametrize("mark", [";", "\t"])
def test_columns_may_be_parted_by(mark):
    assert read(f"a{mark}b\n1,5{mark}2\n".encode()) == (["a", "b"], [(2, ["1,5", "2"])])


def test_a_byte_order_mark_is_no_part_of_the_first_column():
    assert read("\ufeffa,b\n1,2\n".encode())[0] == ["a", "b"]


def test_a_sheet_shows_numbers_as_excel_does_and_keeps_its_dates():
    cells = [[17850, 0.1 + 0.2, Day(40513), 1e16]]
    assert read(xlsx_of(*cells, header=list("abcd")), "x.xlsx")[1] == [
        (2, ["17850", "0.3", date(2010, 12, 1), "10000000000000000"])
    ]


def test_a_sheet_that_begins_lower_keeps_its_row_numbers():
    assert read(xlsx_of(["1"], header=["a"], first_row=4), "x.xlsx")[1] == [(5, ["1"])]


def test_a_wrong_encoding_names_line_column_and_bytes():
    content = csv_of(row(), row(what="CAFÉ"), row(what="NAÏF"), encoding="latin-1")
    faults = refused(content).faults
    assert [(fault.line, fault.column, fault.value) for fault in faults] == [
        (3, "Description", r"CAF\xc9"),
        (4, "Description", r"NA\xcfF"),
    ]
    assert "bytes C9, which are not UTF-8" in faults[0].what


def test_utf_16_is_refused():
    assert "not UTF-8" in str(refused(csv_of(row(), encoding="utf-16")))
    assert "not UTF-8" in str(refused(csv_of(row(), encoding="utf-16-le")))


def test_a_compressed_file_that_breaks_off_says_after_which_line():
    whole = files.gz_of(*(row(sku=str(n * 7919 % 99991)) for n in range(5000)))
    sentence = str(refused(whole[: len(whole) // 2], "invoices.csv.gz"))
    assert "invoices.csv.gz, line " in sentence
    assert "breaks off or is damaged after line" in sentence


@pytest.mark.parametrize("name", ["invoices.csv.gz", "invoices.xlsx"])
def test_something_else_under_the_name(name):
    assert "not a whole" in str(refused(b"hello, world", name))


def test_a_spreadsheet_that_breaks_off():
    assert "may break off" in str(refused(xlsx_of(row())[:600], "invoices.xlsx"))


def test_a_line_that_breaks_off_names_the_column_it_lacks():
    (fault,) = refused(csv_of(row()) + b"536366,7105").faults
    assert (fault.line, fault.column, fault.value) == (3, "Description", "7105")


def test_a_quote_that_never_ends():
    (fault,) = refused(csv_of(row()) + b'536366,"71053,WHITE').faults
    assert fault.line == 3
    assert "before its closing quote" in fault.what


def test_a_line_with_more_cells_than_columns():
    (fault,) = refused(b"a,b\n1,2,3\n").faults
    assert (fault.line, fault.value) == (2, "3")


def test_an_empty_file():
    assert "is empty" in str(refused(b""))


def test_another_kind_of_file():
    assert "only .csv, .csv.gz, .xlsx can be read" in str(refused(b"", "invoices.pdf"))


def test_a_line_that_would_fill_the_memory():
    assert "longer than" in str(refused(b"a,b\n" + b"x" * 1_100_000))


def test_twenty_faults_are_enough():
    refusal = refused(b"a,b\n" + b"1\n" * 50)
    assert len(refusal.faults) == 20
    assert "There may be more" in str(refusal)
