"""A file as rows of cells. Knows spreadsheets and encodings, nothing of invoices.

`.csv` and `.csv.gz` are streamed: memory doesn't grow with the file. `.xlsx` is opened whole, as the format demands.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from python_calamine import CalamineError, CalamineWorkbook

from provender.importing.errors import MOST_FAULTS, Fault, FaultyFile

KINDS = (".csv", ".csv.gz", ".xlsx")
LONGEST_LINE = 1_000_000  # bytes; a longer one isn't a table's, and would be read into memory whole

Cell = str | date


class Binary(Protocol):
    """An open binary file, or what a web form makes of one."""

    def read(self, size: int = -1, /) -> bytes: ...
    def readline(self, size: int, /) -> bytes: ...
    def seek(self, to: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...


@dataclass(frozen=True)
class Row:
    """One line of data: its place in the file (header = 1), one cell for each column, and the cells as text."""

    line: int
    cells: Sequence[Cell]
    texts: list[str]


def row_of(line: int, cells: Sequence[Cell]) -> Row:
    """A row with its texts; a spreadsheet's dates are written in ISO 8601."""
    return Row(line, cells, [text_of(cell) for cell in cells])


def text_of(cell: Cell) -> str:
    """A cell as text."""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date) else cell


class Faults:
    """Gathers what is wrong with one file, so that a person hears of all of it at once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Note one; at the twentieth reading stops with FaultyFile."""
        self.found.append(fault)
        if len(self.found) >= MOST_FAULTS:
            raise FaultyFile(self.file, self.found)

    def stop(self, fault: Fault) -> FaultyFile:
        """The error to raise for a fault behind which nothing can be read."""
        return FaultyFile(self.file, [*self.found, fault])

    def check(self) -> None:
        """Raise FaultyFile if there was any."""
        if self.found:
            raise FaultyFile(self.file, self.found)


@dataclass(frozen=True)
class Sheet:
    """An open file: its header, and its rows, which can be walked once."""

    columns: list[str]
    rows: Iterator[Row]


def kind_of(name: str) -> str:
    """Which of KINDS a file's name says it is. Raises FaultyFile."""
    for kind in KINDS:
        if name.lower().endswith(kind):
            return kind
    raise FaultyFile(name, [Fault(f"only {', '.join(KINDS)} can be read. Save it as one of these.")])


def open_sheet(handle: Binary, name: str, faults: Faults) -> Sheet:
    """The table in an open binary file; `name` tells its kind. Raises FaultyFile, here or while its rows are walked."""
    kind = kind_of(name)
    if kind == ".xlsx":
        rows = _sheet_rows(handle, faults)
    else:
        source: Binary = gzip.GzipFile(fileobj=handle) if kind == ".csv.gz" else handle
        rows = _csv_rows(source, faults)
    header = next((row for row in rows if not _is_blank(row)), None)
    if header is None:
        raise faults.stop(Fault("the file is empty.", line=1))
    columns = [text.strip() for text in header.texts]
    return Sheet(columns, _fitting(rows, columns, faults))


def _is_blank(row: Row) -> bool:
    return not any(row.cells)


def _fitting(rows: Iterator[Row], columns: list[str], faults: Faults) -> Iterator[Row]:
    """The rows that have one cell for each column; blank ones aren't lines of data."""
    wide = len(columns)
    for row in rows:
        if _is_blank(row):
            continue
        if len(row.cells) > wide and not any(row.cells[wide:]):
            row = Row(row.line, row.cells[:wide], row.texts[:wide])  # noqa: PLW2901 -- commas at the end, as Excel leaves them
        if len(row.cells) == wide:
            yield row
        else:
            faults.add(_misfit(row, columns))


def _misfit(row: Row, columns: list[str]) -> Fault:
    has, wide = len(row.cells), len(columns)
    last = row.texts[-1]
    if has < wide:
        what = f"the line has {has} of {wide} columns and ends with “{last}”. The file may break off here."
        return Fault(what, row.line, columns[has], last)
    what = f"the line has {has} cells for {wide} columns; “{last}” has no column. Put texts with commas in quotes."
    return Fault(what, row.line, columns[-1], last)


class _Lines:
    """A binary file's lines as text; bytes that aren't UTF-8 are kept as surrogates, to be shown in their cell."""

    def __init__(self, source: Binary, faults: Faults) -> None:
        self.source, self.faults = source, faults
        self.number = 0
        self.has_wrong_bytes = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = self._read()
        if not raw:
            raise StopIteration
        self.number += 1
        if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
            raise self.faults.stop(Fault(f"the line is longer than {LONGEST_LINE:,} bytes: not a table.", self.number))
        try:
            text = raw.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError:
            self.has_wrong_bytes = True
            text = raw.decode("utf-8", "surrogateescape")
        if "\0" in text:
            raise self.faults.stop(Fault(f"there is a zero byte, so the file is not UTF-8 text. {_HOW}", self.number))
        return text

    def _read(self) -> bytes:
        try:
            return self.source.readline(LONGEST_LINE)
        except (EOFError, zlib.error) as error:
            what = f"the compressed file breaks off or is damaged after line {self.number} ({error}). Fetch it again."
            raise self.faults.stop(Fault(what, self.number + 1)) from error
        except gzip.BadGzipFile as error:
            raise self.faults.stop(Fault(f"this is not a whole gzip file ({error}).", self.number + 1)) from error


_HOW = "Save it as UTF-8 (in Excel: “CSV UTF-8”)."


def _csv_rows(source: Binary, faults: Faults) -> Iterator[Row]:
    lines = _Lines(source, faults)
    first = next(lines, None)
    if first is None:
        return
    columns: list[str] = []
    start = 1
    reader = csv.reader(_again(first, lines), delimiter=_delimiter_of(first), strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise faults.stop(Fault(f"the line can't be read: {_in_words(error)}", start)) from error
        if cells is None:
            return
        row = Row(start, cells, cells)
        start = reader.line_num + 1
        if lines.has_wrong_bytes:
            lines.has_wrong_bytes = False
            _note_wrong_bytes(row, columns, faults)
        elif row.cells:
            yield row
        columns = columns or cells


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _delimiter_of(header: str) -> str:
    """Comma, semicolon (Excel where the comma is decimal) or tab: whichever parts the header most."""
    return max(",;\t", key=header.count)


def _in_words(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return "a quoted text begins here and the file ends before its closing quote. The file may break off."
    return f"{error}."


def _note_wrong_bytes(row: Row, columns: list[str], faults: Faults) -> None:
    """One fault for each cell that holds bytes which aren't UTF-8; the value shows them in hexadecimal."""
    for at, cell in enumerate(row.texts):
        raw = cell.encode("utf-8", "surrogateescape")
        shown = raw.decode("utf-8", "backslashreplace")
        if shown != cell:
            wrong = " ".join(f"{ord(mark) - 0xDC00:02X}" for mark in cell if 0xDC80 <= ord(mark) <= 0xDCFF)
            column = columns[at] if at < len(columns) else ""
            faults.add(
                Fault(f"“{shown}” holds the bytes {wrong}, which are not UTF-8. {_HOW}", row.line, column, shown)
            )
    if not columns:
        faults.check()  # without a header nothing else can be read


def _sheet_rows(handle: Binary, faults: Faults) -> Iterator[Row]:
    try:
        book = CalamineWorkbook.from_filelike(handle)
        sheet = book.get_sheet_by_index(0)
    except CalamineError as error:
        what = f"this is not a whole Excel workbook ({error}). It may break off; save it again as .xlsx."
        raise faults.stop(Fault(what)) from error
    for line, cells in enumerate(sheet.iter_rows(), start=1):
        yield row_of(line, [_cell(value) for value in cells])


def _cell(value: Any) -> Cell:
    """A spreadsheet's value as it shows: 17850 rather than 17850.0, and 15 digits, all that Excel keeps."""
    if isinstance(value, str | date):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        number = Decimal(format(value, ".15g"))
        return format(number if number % 1 else number.to_integral_value(), "f")
    return str(value)
