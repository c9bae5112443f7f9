"""Payout files of payment providers: read whole, then entered payout by payout; what is here already stays.

A file may hold several payouts: lines with one reference are one. A file that can't be read says everything that is
wrong with it, by line, column and value, and changes nothing.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Date  # noqa: N812 -- `date` is what a payout calls it
from datetime import datetime
from decimal import Decimal
from typing import Any

from provender.basics import clock
from provender.basics.errors import ProvenderError
from provender.basics.money import ZERO, read_number, show_amount
from provender.basics.texts import one_line
from provender.importing.errors import Fault, FaultyFile
from provender.importing.mapping import (
    check_date_format,
    check_fields,
    field_of,
    find_columns,
    propose,
    propose_date_format,
    read_date,
)
from provender.importing.models import PayoutFile
from provender.importing.queries import KEPT_UNFINISHED
from provender.importing.reading import Binary, Cell, Faults, Row, open_sheet
from provender.payments.errors import PayoutKnown
from provender.payments.models import Payout, PayoutLayout, PayoutLine
from provender.payments.payouts import PayoutEntry, enter_payout, same_entries
from provender.people.models import User
from provender.suppliers.models import Supplier

MOST_LINES = 20_000
FIELDS = (
    field_of("reference", "Payout reference", "Lines with the same reference are one payout.",
             "payoutreference", "payoutid", "payout", "settlementreference", "settlement", "settlementid", "batch",
             needed=True, longest=100),
    field_of("date", "Payout date", "The day on which the money reached the bank.",
             "payoutdate", "settlementdate", "paidon", "arrivaldate", "paidout", needed=True),
    field_of("gross", "Gross", "What the customer paid; below zero for a refund.",
             "amount", "grossamount", "total", needed=True),
    field_of("fee", "Fee", "What the provider kept of it.", "fees", "feeamount", "charge", "charges"),
    field_of("net", "Net", "Gross less fee. Without it, it is worked out.", "netamount", "netpaid"),
    field_of("invoice_number", "Invoice number", "Which of our invoices was paid.",
             "invoice", "invoiceno", "orderreference", "description"),
    field_of("payment_reference", "Payment reference", "The reference that the payment was noted with here.",
             "reference", "paymentid", "payment", "transactionid", "transaction", "chargeid", longest=200),
)  # fmt: skip
_LONGEST = {each.name: each.longest for each in FIELDS}


@dataclass
class FilePayout:
    """One payout of a file."""

    reference: str
    date: Date
    line: int  # its first, in the file
    entries: list[PayoutEntry] = field(default_factory=list)

    @property
    def net(self) -> Decimal:
        """What reached the bank."""
        return sum((entry.paid_out() for entry in self.entries), ZERO)


@dataclass(frozen=True)
class Taken:
    """What became of one payout of a file: `payout` is the new one or the one that was here; `why` it was refused."""

    source: FilePayout
    payout: Payout | None
    new: bool = False
    why: str = ""

    @property
    def lines_open(self) -> int:
        """How many lines of the new payout wait for a person."""
        if not self.new or self.payout is None:
            return 0
        return self.payout.lines.filter(outcome=PayoutLine.Outcome.NONE).count()


@dataclass(frozen=True)
class Layout:
    """How a provider's files are read: field → column, and the date format (blank: ISO 8601)."""

    mapping: Mapping[str, str]
    date_format: str = ""


def layout_of(supplier: Supplier, provider: str) -> Layout | None:
    """How this provider's files were read last."""
    row = PayoutLayout.objects.filter(supplier=supplier, provider=provider).first()
    return Layout(row.mapping, row.date_format) if row else None


def remember_layout(supplier: Supplier, provider: str, layout: Layout) -> None:
    """Read this provider's next file the same way."""
    kept = {"mapping": dict(layout.mapping), "date_format": layout.date_format}
    PayoutLayout.objects.update_or_create(supplier=supplier, provider=provider, defaults=kept)


def propose_layout(handle: Binary, name: str) -> tuple[list[str], Layout]:
    """The file's columns, and what they are likely to be. Raises FaultyFile when it has no readable header."""
    faults = Faults(name)
    sheet = open_sheet(handle, name, faults)
    mapping = propose(sheet.columns, FIELDS)
    if "date" not in mapping:
        return sheet.columns, Layout(mapping)
    at = sheet.columns.index(mapping["date"])
    samples: list[Cell] = []
    try:
        for row in sheet.rows:
            samples.append(row.cells[at])
            if len(samples) == 50:
                break
    except FaultyFile:
        pass  # what is wrong with it is told when the file is read whole
    return sheet.columns, Layout(mapping, propose_date_format(samples))


def keep_file(supplier: Supplier, provider: str, handle: Binary, name: str, *, by: User | None = None) -> PayoutFile:
    """Keep an uploaded file, to be looked at; its columns are read as the provider's last file was, else proposed.

    Older files that nobody took in are forgotten after a week. Raises FaultyFile when it has no readable header.
    """
    content = handle.read()
    columns, proposed = propose_layout(io.BytesIO(content), name)
    known = layout_of(supplier, provider)
    layout = known if known and set(known.mapping.values()) <= set(columns) else proposed
    now = clock.now()
    PayoutFile.objects.filter(supplier=supplier, uploaded_at__lt=now - KEPT_UNFINISHED).delete()
    return PayoutFile.objects.create(
        supplier=supplier,
        provider=provider,
        file_name=name[-255:],
        content=content,
        columns=columns,
        mapping=dict(layout.mapping),
        date_format=layout.date_format,
        by=by,
        uploaded_at=now,
    )


def choose_layout(file: PayoutFile, layout: Layout) -> None:
    """A person said which column is which. Raises FieldUnknown, DateFormatUnusable."""
    check_fields(layout.mapping, FIELDS)
    check_date_format(layout.date_format)
    file.mapping, file.date_format = dict(layout.mapping), layout.date_format
    file.save(update_fields=["mapping", "date_format"])


def look_at_file(file: PayoutFile) -> list[Taken]:
    """What taking the file in would do. Raises FaultyFile, MappingIncomplete."""
    return find_known(file.supplier, file.provider, _read_kept(file))


def take_file(file: PayoutFile, *, by: User | None = None) -> list[Taken]:
    """Take the file's payouts in, remember how it was read, and let go of it.

    Raises FaultyFile, MappingIncomplete.
    """
    taken = take_payouts(file.supplier, file.provider, _read_kept(file), by=by)
    remember_layout(file.supplier, file.provider, Layout(file.mapping, file.date_format))
    file.delete()
    return taken


def _read_kept(file: PayoutFile) -> list[FilePayout]:
    return read_payouts(io.BytesIO(file.content), file.file_name, Layout(file.mapping, file.date_format))


def read_payouts(handle: Binary, name: str, layout: Layout) -> list[FilePayout]:
    """All payouts of an open file, in its order.

    Raises FaultyFile, FieldUnknown, MappingIncomplete, DateFormatUnusable.
    """
    check_date_format(layout.date_format)
    faults = Faults(name)
    sheet = open_sheet(handle, name, faults)
    reader = _Reader(sheet.columns, find_columns(layout.mapping, sheet.columns, faults, FIELDS), layout, faults)
    payouts: dict[str, FilePayout] = {}
    for number, row in enumerate(sheet.rows):
        if number == MOST_LINES:
            raise faults.stop(Fault(f"the file has more than {MOST_LINES:,} lines. Split it.", row.line))
        reader.read(row, payouts)
    if not payouts and not faults.found:
        faults.add(Fault("there is no line under the headings.", 2))
    faults.check()
    return list(payouts.values())


def take_payouts(
    supplier: Supplier, provider: str, payouts: Sequence[FilePayout], *, by: User | None = None
) -> list[Taken]:
    """Enter each payout that isn't here yet; one that is here stays as it is, the same or not.

    Cut off anywhere, it can be called again: each payout goes in whole or not at all.
    """
    return [_take(supplier, provider, each, by) for each in payouts]


def find_known(supplier: Supplier, provider: str, payouts: Sequence[FilePayout]) -> list[Taken]:
    """What `take_payouts` would do, changing nothing."""
    references = [each.reference for each in payouts]
    rows = Payout.objects.filter(supplier=supplier, provider=provider, reference__in=references, undone_at=None)
    there = {row.reference: row for row in rows}
    return [_judge(each, there.get(each.reference)) for each in payouts]


def as_json(taken: Sequence[Taken]) -> dict[str, Any]:
    """The answer of `provender import payouts … --json`: each payout, its sums as text, and what became of it."""
    return {
        "payouts": [
            {
                "reference": each.source.reference,
                "date": each.source.date.isoformat(),
                "lines": len(each.source.entries),
                "gross": str(sum((entry.gross for entry in each.source.entries), ZERO)),
                "fee": str(sum((entry.fee for entry in each.source.entries), ZERO)),
                "net": str(each.source.net),
                "state": "new" if each.new else "refused" if each.why else "unchanged",
                "why": each.why,
                "lines_open": each.lines_open,
            }
            for each in taken
        ]
    }


def _take(supplier: Supplier, provider: str, source: FilePayout, by: User | None) -> Taken:
    found = find_known(supplier, provider, [source])[0]
    if not found.new:
        return found
    try:
        payout = enter_payout(
            supplier, provider=provider, reference=source.reference, date=source.date, entries=source.entries, by=by
        )
    except PayoutKnown:  # somebody else imported the same file at the same moment
        return find_known(supplier, provider, [source])[0]
    return Taken(source, payout, new=True)


def _judge(source: FilePayout, there: Payout | None) -> Taken:
    if there is None:
        return Taken(source, None, new=True)
    if there.date == source.date and same_entries(there, source.entries):
        return Taken(source, there)
    what = f"Payout {source.reference} is here already with other content. Undo that one first if it was wrong."
    return Taken(source, there, why=what)


class _Reader:
    """Reads rows into payouts; what can't be read is added to `faults`."""

    def __init__(self, header: Sequence[str], at: Mapping[str, int], layout: Layout, faults: Faults) -> None:
        self.header, self.at, self.pattern, self.faults = header, at, layout.date_format, faults

    def read(self, row: Row, payouts: dict[str, FilePayout]) -> None:
        """Add the row to its payout, or say what is wrong with it."""
        before = len(self.faults.found)
        reference, number, payment = (self._text(row, n) for n in ("reference", "invoice_number", "payment_reference"))
        if not reference:
            self._fault(row, "reference", "the line names no payout.")
        day = self._date(row)
        gross, fee, net = (self._amount(row, name) for name in ("gross", "fee", "net"))
        if len(self.faults.found) > before or day is None:
            return
        gross, fee = gross or ZERO, fee or ZERO
        if net is not None and gross - fee != net:
            shown = [show_amount(each) for each in (gross, fee, gross - fee, net)]
            self._fault(row, "net", "gross {} less fee {} is {}, not {}.".format(*shown))
            return
        payout = payouts.setdefault(reference, FilePayout(reference, day, row.line))
        if payout.date != day:
            self._fault(row, "date", f"payout {reference} has the date {payout.date} on line {payout.line}.")
            return
        payout.entries.append(
            PayoutEntry(gross=gross, fee=fee, net=net, invoice_number=number, payment_reference=payment, line=row.line)
        )

    def _text(self, row: Row, name: str) -> str:
        if name not in self.at:
            return ""
        text = one_line(row.texts[self.at[name]])
        if len(text) > _LONGEST[name]:
            self._fault(row, name, f"“{text[:40]}…” is longer than {_LONGEST[name]} characters.")
        return text

    def _date(self, row: Row) -> Date | None:
        cell = row.cells[self.at["date"]]
        if isinstance(cell, Date):
            return cell.date() if isinstance(cell, datetime) else cell
        try:
            return read_date(cell.strip(), self.pattern)
        except ProvenderError as error:
            self._fault(row, "date", error.sentence)
            return None

    def _amount(self, row: Row, name: str) -> Decimal | None:
        """The amount to 2 places; an empty fee or net is none, an empty gross can't be read."""
        if name not in self.at:
            return None
        text = row.texts[self.at[name]].strip()
        if not text and name != "gross":
            return None
        try:
            return read_number(text, places=2, what=name)
        except ProvenderError as error:
            self._fault(row, name, error.sentence)
            return None

    def _fault(self, row: Row, name: str, what: str) -> None:
        at = self.at[name]
        self.faults.add(Fault(what, row.line, self.header[at], row.texts[at]))
