"""What an import holds, and what became of it."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import IO, Any
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from provender.basics.money import ZERO
from provender.basics.wording import counted
from provender.importing.errors import FaultyFile
from provender.importing.models import Import, StagedDocument, StagedRun
from provender.importing.reading import Faults, open_sheet
from provender.suppliers.models import Supplier

KEPT_UNFINISHED = timedelta(days=7)  # a preview that nobody acted on; its figures are stale by then
MARKS = ("line", "column", "reason")  # what the rejects file adds to the file's own columns


@dataclass
class Sum:
    """How many documents and lines, and what they come to."""

    documents: int = 0
    lines: int = 0
    subtotal: Decimal = ZERO
    tax: Decimal = ZERO
    total: Decimal = ZERO

    def add(self, lines: int, subtotal: Decimal, tax: Decimal, total: Decimal) -> None:
        """Add one document."""
        self.documents += 1
        self.lines += lines
        self.subtotal += subtotal
        self.tax += tax
        self.total += total

    def turned(self) -> "Sum":
        """The same with the opposite sign: what credit notes come to by themselves."""
        return Sum(self.documents, self.lines, -self.subtotal, -self.tax, -self.total)


@dataclass
class Tally:
    """An import's documents by state, the rejected ones by reason, and what is or will be created.

    The sums of credit notes are below zero, as in the file: so they add up.
    """

    read: Sum = field(default_factory=Sum)
    by_state: dict[str, Sum] = field(default_factory=lambda: {state: Sum() for state in StagedDocument.State.values})
    by_kind: dict[tuple[str, str], Sum] = field(default_factory=dict)  # state and kind, where there are any
    by_reason: dict[str, Sum] = field(default_factory=dict)
    customers: int = 0
    products: int = 0

    @property
    def ready(self) -> Sum:
        """What one press of the button imports."""
        return self.by_state[StagedDocument.State.READY]

    @property
    def imported(self) -> Sum:
        """What is in."""
        return self.by_state[StagedDocument.State.IMPORTED]

    @property
    def unchanged(self) -> Sum:
        """What was there already, the same."""
        return self.by_state[StagedDocument.State.UNCHANGED]

    @property
    def rejected(self) -> Sum:
        """What stays out."""
        return self.by_state[StagedDocument.State.REJECTED]

    def of(self, state: str, kind: str) -> Sum:
        """Those of one kind in that state."""
        return self.by_kind.get((state, kind), Sum())

    def say(self, state: str) -> str:
        """How many of which kind are in that state: "3 invoices, 1 credit note"."""
        counts = [(self.of(state, kind).documents, kind.label.lower()) for kind in StagedDocument.Kind]
        return ", ".join(counted(count, word) for count, word in counts if count)

    @property
    def to_come(self) -> str:
        """What one press of the button imports, in words."""
        return self.say(StagedDocument.State.READY)

    @property
    def came(self) -> str:
        """What is in, in words."""
        return self.say(StagedDocument.State.IMPORTED)


def tally(source: Import) -> Tally:
    """Counts and sums. Summed here, not by the database: SQLite sums decimals as floats."""
    found = Tally(customers=source.customers_created, products=source.products_created)
    columns = ("state", "kind", "code", "lines", "subtotal", "tax", "total")
    for state, kind, code, *figures in source.documents.values_list(*columns).iterator():
        found.read.add(*figures)
        found.by_state[state].add(*figures)
        found.by_kind.setdefault((state, kind), Sum()).add(*figures)
        if code:
            found.by_reason.setdefault(code, Sum()).add(*figures)
    if found.ready.documents:  # not in yet: what will be
        found.customers, found.products = source.customers.count(), source.products.count()
    found.by_reason = dict(sorted(found.by_reason.items(), key=lambda item: -item[1].documents))
    return found


def imports_of(supplier: Supplier) -> QuerySet[Import]:
    """Newest first, with who."""
    return Import.objects.filter(supplier=supplier).select_related("by").order_by("-started_at", "pk")


def find_import(supplier: Supplier, pk: UUID) -> Import | None:
    """This supplier's import of that id."""
    return imports_of(supplier).filter(pk=pk).first()


def rejected_documents(source: Import, code: str = "") -> QuerySet[StagedDocument]:
    """In the file's order; of one reason, or all."""
    found = source.documents.filter(state=StagedDocument.State.REJECTED).order_by("line")
    return found.filter(code=code) if code else found


def reject_lines(source: Import) -> Iterator[list[str]]:
    """The rejects file: a header, then every line of every rejected document, in the file's order.

    The cells are the file's own, so that a mended rejects file can be imported again.
    """
    yield [*_own_columns(source), *MARKS]
    wide = len(_own_columns(source))
    reasons = {
        number: (column, reason)
        for number, column, reason in rejected_documents(source).values_list("number", "column", "reason").iterator()
    }
    runs = StagedRun.objects.filter(source=source).order_by("line").values_list("number", "said", "cells")
    for number, said, cells in runs.iterator(chunk_size=100):
        if number in reasons:
            for line, own in zip(msgspec.json.decode(said), msgspec.json.decode(cells), strict=True):
                yield [*own[:wide], str(line["line"]), *reasons[number]]


def _own_columns(source: Import) -> list[str]:
    """The file's columns, without those that an earlier rejects file added."""
    columns: list[str] = source.columns
    return columns[: -len(MARKS)] if tuple(columns[-len(MARKS) :]) == MARKS else columns


def first_rows(source: Import, count: int = 4) -> list[list[str]]:
    """The first lines of an uploaded file as they are, to choose its columns by; as far as they can be read."""
    with source.file.open("rb") as file:
        try:
            sheet = open_sheet(file, source.file_name, Faults(source.file_name))
            return [row.texts for row in islice(sheet.rows, count)]
        except FaultyFile:
            return []


def write_rejects(source: Import, file: IO[str]) -> None:
    """`reject_lines` as CSV."""
    csv.writer(file, lineterminator="\n").writerows(reject_lines(source))


def as_json(source: Import, found: Tally, rejects: str | None) -> dict[str, Any]:
    """The answer of `provender import … --json`; before it is applied, what would be."""
    state = StagedDocument.State.IMPORTED if source.state == Import.State.DONE else StagedDocument.State.READY
    parts = {
        "read": found.read,
        "imported": found.by_state[state],
        "unchanged": found.unchanged,
        "rejected": found.rejected,
    }
    kinds = StagedDocument.Kind
    return {
        "documents": {name: part.documents for name, part in parts.items()},
        "lines": {name: part.lines for name, part in parts.items()},
        "sums": {name: _sums(part) for name, part in parts.items()},
        "invoices": _counts(found.of(state, kinds.INVOICE)),
        "credit_notes": _counts(found.of(state, kinds.CREDIT_NOTE).turned()),
        "rejected_by_reason": {code: part.documents for code, part in found.by_reason.items()},
        "created": {"customers": found.customers, "products": found.products},
        "rejects": rejects,
    }


def _sums(part: Sum) -> dict[str, str]:
    return {name: str(getattr(part, name)) for name in ("subtotal", "tax", "total")}


def _counts(part: Sum) -> dict[str, Any]:
    return {"documents": part.documents, "lines": part.lines, **_sums(part)}
