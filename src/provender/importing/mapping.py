"""Which column is which, and what a row's cells say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import date as Date  # noqa: N812 -- `date` is what a line calls it
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from provender.basics.errors import ProvenderError
from provender.basics.money import line_amount, read_number
from provender.basics.texts import one_line, readable
from provender.importing.errors import DateFormatUnusable, Fault, FieldUnknown, MappingIncomplete
from provender.importing.reading import Cell, Faults, Row
from provender.suppliers.models import Supplier, TaxKind

Said = TypeVar("Said", Decimal, Date)


@dataclass(frozen=True)
class Field:
    """Something a document's line says; `alike` are headings it is often found under."""

    name: str
    label: str
    help: str
    needed: bool
    longest: int
    alike: frozenset[str]


def field_of(name: str, label: str, help_: str, *alike: str, needed: bool = False, longest: int = 60) -> Field:
    """A field that is also found under its own name and under `alike`: headings in small letters and digits only."""
    return Field(name, label, help_, needed, longest, frozenset({name.replace("_", ""), *alike}))


FIELDS = (
    field_of("number", "Invoice number", "Lines with the same number are one invoice, or one credit note.",
             "invoiceno", "invoicenumber", "invoice", "documentno", "docno", needed=True),
    field_of("date", "Invoice date", "The first line's date counts.", "invoicedate", "docdate", "issued", needed=True),
    field_of("customer", "Customer number", "The number or code you know the customer by; the first line's counts.",
             "customerid", "customerno", "customernumber", "customercode", "accountno", needed=True, longest=50),
    field_of("sku", "SKU", "Matched exactly, then without regard to case.",
             "stockcode", "itemcode", "code", "productcode", "item", needed=True),
    field_of("description", "Description", "Where it is empty the product's name is taken.",
             "itemdescription", "details", "product", "productname", needed=True, longest=4000),
    field_of("quantity", "Quantity", "Up to 4 decimal places.", "qty", "units", needed=True),
    field_of("price", "Unit price", "Without tax, up to 4 decimal places.",
             "unitprice", "unitamount", "rate", "priceexclgst", needed=True),
    field_of("purchase_order", "Purchase order number", "The first line's counts.",
             "po", "ponumber", "reference", longest=100),
    field_of("due_date", "Due date", "Without it the customer's terms decide.", "due", "dueon"),
    field_of("customer_name", "Customer name", "For customers that are created.",
             "tradingname", "contactname", "contact", longest=255),
    field_of("tax", "Tax", "GST, VAT or free, or the rate in percent. Without it the product decides.",
             "taxtype", "gst", "vat", "taxrate"),
    field_of("credited_invoice", "Invoice credited", "Of a credit note: the invoice it gives back, if it is of one.",
             "originalinvoice", "invoicecredited", "againstinvoice", "creditofinvoice"),
)  # fmt: skip
_BY_NAME = {field.name: field for field in FIELDS}


def propose(columns: Sequence[str], fields: Sequence[Field] = FIELDS) -> dict[str, str]:
    """Field -> column for every field that a heading is clearly about; each column once."""
    found: dict[str, str] = {}
    for field in fields:
        for column in columns:
            if _bare(column) in field.alike and column not in found.values():
                found[field.name] = column
                break
    return found


def _bare(heading: str) -> str:
    return "".join(mark for mark in heading.casefold() if mark.isalnum())


def check_fields(mapping: Mapping[str, str], fields: Sequence[Field] = FIELDS) -> None:
    """Raise FieldUnknown for a field that doesn't exist."""
    known = [field.name for field in fields]
    for name in mapping:
        if name not in known:
            raise FieldUnknown(name, known)


def find_columns(
    mapping: Mapping[str, str], columns: Sequence[str], faults: Faults, fields: Sequence[Field] = FIELDS
) -> dict[str, int]:
    """Field -> position of its column. A field without a column of its own takes the one that bears its name.

    Raises FieldUnknown, MappingIncomplete, or FaultyFile for columns that the file doesn't have or has twice.
    """
    check_fields(mapping, fields)
    own_names = {field.name: field.name for field in fields if field.name in columns}
    chosen = {**own_names, **{name: column for name, column in mapping.items() if column}}
    if missing := [field.name for field in fields if field.needed and field.name not in chosen]:
        raise MappingIncomplete(missing, columns)
    for name, column in chosen.items():
        if (times := columns.count(column)) != 1:
            faults.add(_column_fault(name, column, columns, times))
    faults.check()
    return {name: columns.index(column) for name, column in chosen.items()}


def _column_fault(field: str, column: str, columns: Sequence[str], times: int) -> Fault:
    if times:
        return Fault(f"{times} columns are called “{column}”; give each its own name.", 1, column, column)
    what = f"the file has no column “{column}” (for {field}). Its columns are: {', '.join(columns)}."
    return Fault(what, 1, column, column)


class _Unreadable(ProvenderError):
    """A cell that doesn't say what its column should."""

    code = "unreadable-cell"


@lru_cache(maxsize=4096)
def read_date(text: str, pattern: str) -> Date:
    """The date that `text` writes, as written: no time zone moves it. A blank pattern means ISO 8601."""
    try:
        if pattern:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC).date()
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise _Unreadable(f"“{text}” is not a date like {pattern or '2026-01-31'}.") from None


def check_date_format(pattern: str) -> None:
    """Raise DateFormatUnusable unless the pattern writes and reads back a whole date."""
    sample = Date(2010, 12, 31)
    try:
        if pattern and read_date(sample.strftime(pattern), pattern) != sample:
            raise DateFormatUnusable(pattern)
    except (_Unreadable, ValueError):
        raise DateFormatUnusable(pattern) from None


DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
)  # fmt: skip -- day before month first: the three countries write it so


def propose_date_format(samples: Sequence[Cell]) -> str:
    """The first of DATE_FORMATS that reads every sample; blank when a sheet's own dates say it all, or none fits."""
    texts = [cell for cell in samples if isinstance(cell, str) and cell]
    for pattern in DATE_FORMATS if texts else ():
        if all(_reads(text, pattern) for text in texts):
            return pattern
    return ""


def _reads(text: str, pattern: str) -> bool:
    try:
        read_date(text, pattern)
    except _Unreadable:
        return False
    return True


@dataclass(frozen=True)
class Line:
    """What one row says, read. Amount: quantity times price, rounded."""

    line: int
    number: str
    customer: str
    customer_name: str
    date: Date
    due_date: Date | None
    purchase_order: str
    sku: str
    description: str
    quantity: Decimal
    price: Decimal
    amount: Decimal
    tax_kind: str
    credited_invoice: str = ""


class Reader:
    """Reads rows by a mapping; what can't be read is added to `faults`."""

    def __init__(
        self, supplier: Supplier, header: Sequence[str], at: Mapping[str, int], pattern: str, faults: Faults
    ) -> None:
        self.header, self.at, self.pattern, self.faults = header, at, pattern, faults
        self.tax_kinds = tax_words(supplier)

    def read(self, row: Row) -> Line | None:
        """The row's line, or None when a cell of it can't be read."""
        before = len(self.faults.found)
        quantity = self._number(row, "quantity")
        price = self._number(row, "price")
        day = self._date(row, "date", needed=True)
        due = self._date(row, "due_date")
        amount = self._checked(row, "price", lambda: line_amount(quantity, price)) if quantity and price else _ZERO
        texts = {name: self._text(row, name) for name in _TEXTS}
        tax_kind = self._tax_kind(row)
        if day is None or len(self.faults.found) > before:
            return None
        return Line(
            row.line, date=day, due_date=due, quantity=quantity, price=price, amount=amount or _ZERO,
            tax_kind=tax_kind, **texts,
        )  # fmt: skip

    def _text(self, row: Row, name: str) -> str:
        at = self.at.get(name)
        if at is None:
            return ""
        text = readable(row.texts[at])
        # A description is kept to the space; everything else identifies something, and spaces around it are noise.
        text = text if name == "description" and text.strip() else one_line(text)
        if len(text) > _BY_NAME[name].longest:
            self._fault(row, name, f"“{text[:40]}…” is longer than {_BY_NAME[name].longest} characters.")
        return text

    def _number(self, row: Row, name: str) -> Decimal:
        text = row.texts[self.at[name]]
        return self._checked(row, name, lambda: read_number(text, places=4, what=name)) or _ZERO

    def _date(self, row: Row, name: str, *, needed: bool = False) -> Date | None:
        at = self.at.get(name)
        cell = "" if at is None else row.cells[at]
        if isinstance(cell, Date):
            return cell.date() if isinstance(cell, datetime) else cell
        text = cell.strip()
        return self._checked(row, name, lambda: read_date(text, self.pattern)) if text or needed else None

    def _tax_kind(self, row: Row) -> str:
        word = self._text(row, "tax")
        if not word:
            return ""
        kind = self.tax_kinds.get(plain_word(word))
        if kind is None:
            self._fault(row, "tax", f"“{word}” is none of: {', '.join(self.tax_kinds)}.")
        return kind or ""

    def _checked(self, row: Row, name: str, read: Callable[[], Said]) -> Said | None:
        try:
            return read()
        except ProvenderError as error:
            self._fault(row, name, error.sentence)
            return None

    def _fault(self, row: Row, name: str, what: str) -> None:
        at = self.at[name]
        self.faults.add(Fault(what, row.line, self.header[at], row.texts[at]))


_ZERO = Decimal(0)
_TEXTS = ("number", "customer", "customer_name", "purchase_order", "sku", "description", "credited_invoice")


def plain_word(word: str) -> str:
    """A tax word without case and percent sign; 20.0 is 20."""
    bare = word.casefold().removesuffix("%").strip()
    return bare.rstrip("0").rstrip(".") if "." in bare else bare


def tax_words(supplier: Supplier) -> dict[str, str]:
    """Words for the tax kinds, as `plain_word` writes them."""
    rate = plain_word(str(supplier.tax_rate))
    free = {"free": TaxKind.FREE, "gst-free": TaxKind.FREE, "vat-free": TaxKind.FREE, "0": TaxKind.FREE}
    return {"gst": TaxKind.GST, "vat": TaxKind.GST, rate: TaxKind.GST, **free}
