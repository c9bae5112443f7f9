"""From file to staging tables: first every row is read, then every document is judged. Nothing reaches the books here.

Both passes stream: what is kept in memory grows with the catalogue and the batch, not with the file.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

import msgspec
from django.db.models import Model, Q, QuerySet

from provender.basics.transactions import short_transaction
from provender.importing.errors import ImportOutOfBalance
from provender.importing.holding import Hold
from provender.importing.judging import judge
from provender.importing.known import Credited, Here, Known, load_here, load_known
from provender.importing.mapping import Line, Reader, find_columns
from provender.importing.models import Import, StagedCustomer, StagedDocument, StagedProduct, StagedRun
from provender.importing.reading import Binary, Faults, Row, open_sheet

ROWS_A_BATCH = 1000
RUNS_AT_ONCE = 100
DOCUMENTS_A_BATCH = 50  # few, since with those that are here already they are thousands of objects to clean up after

Told = Callable[[str, int, int], None]
"""Hears of progress: what is being done, how much of it is done, of how much (0: unknown)."""


@dataclass
class Sighting:
    """What the file says about a SKU: the first description that isn't empty, the first price above zero."""

    name: str = ""
    price: Decimal = Decimal(0)

    def see(self, line: Line) -> None:
        """Take from a line what is still missing."""
        self.name = self.name or line.description.strip()[:200]
        if self.price == 0 and line.price > 0:
            self.price = line.price


@dataclass
class Sightings:
    """Every SKU of the file; and of SKUs and customers that became needed the first line, for customers with a name."""

    products: dict[str, Sighting] = field(default_factory=dict)
    needed_skus: dict[str, int] = field(default_factory=dict)
    needed_customers: dict[str, tuple[int, str]] = field(default_factory=dict)

    def see(self, line: Line) -> None:
        """Note one line."""
        if line.sku:
            self.products.setdefault(line.sku, Sighting()).see(line)

    def need(self, lines: Sequence[Line]) -> None:
        """A document of these lines is to be imported."""
        for line in lines:
            if line.sku:
                self.needed_skus[line.sku] = min(line.line, self.needed_skus.get(line.sku, line.line))
        first = lines[0]
        here = (first.line, first.customer_name or f"Customer {first.customer}")
        self.needed_customers[first.customer] = min(here, self.needed_customers.get(first.customer, here))


def read_rows(source: Import, handle: Binary, hold: Hold, told: Told) -> Sightings:
    """Fill the staging table with every row of the file. Raises FaultyFile with all that can't be read."""
    faults = Faults(source.file_name)
    sheet = open_sheet(handle, source.file_name, faults)
    source.columns = sheet.columns
    at = find_columns(source.mapping, sheet.columns, faults)
    source.mapping = {name: sheet.columns[position] for name, position in at.items()}
    reader = Reader(source.supplier, sheet.columns, at, source.date_format, faults)
    size = _size_of(handle)
    seen = Sightings()
    stage = _Stage(source, hold)
    for row in sheet.rows:
        line = reader.read(row)
        if line is None or faults.found:
            continue  # nothing of this file will be imported: read on only to name what else is wrong
        seen.see(line)
        stage.add(row, line)
        if stage.is_full:
            stage.save()
            told("Reading", handle.tell(), size)
    faults.check()
    stage.save()
    told("Reading", size, size)
    return seen


def _size_of(handle: Binary) -> int:
    here = handle.tell()
    size = handle.seek(0, 2)
    handle.seek(here)
    return size


class _Stage:
    """Gathers rows into runs of one document, and saves them a thousand at a time."""

    def __init__(self, source: Import, hold: Hold) -> None:
        self.source, self.hold = source, hold
        self.runs: list[list[tuple[Line, list[str]]]] = []
        self.rows = 0

    @property
    def is_full(self) -> bool:
        return self.rows >= ROWS_A_BATCH

    def add(self, row: Row, line: Line) -> None:
        if not self.runs or self.runs[-1][0][0].number != line.number:
            self.runs.append([])
        self.runs[-1].append((line, row.texts))
        self.rows += 1
        self.source.lines_read += 1
        self.source.sum_read += line.amount

    def save(self) -> None:
        runs = [self._pack(run) for run in self.runs]
        with short_transaction():
            StagedRun.objects.bulk_create(runs)
        self.source.save(update_fields=["columns", "mapping", "lines_read", "sum_read"])
        self.hold.renew()
        self.runs, self.rows = [], 0

    def _pack(self, run: list[tuple[Line, list[str]]]) -> StagedRun:
        first = run[0][0]
        said = msgspec.json.encode([line for line, _ in run])
        cells = msgspec.json.encode([texts for _, texts in run])
        return StagedRun(source=self.source, number=first.number, line=first.line, said=said, cells=cells)


_unpack = msgspec.json.Decoder(list[Line]).decode


def lines_of(source: Import, numbers: Sequence[str] | None = None) -> Iterator[list[Line]]:
    """The staged lines of each document (of those with `numbers`, or all), in the file's order inside a document."""
    runs = source.runs.order_by("number", "line")
    if numbers is not None:
        runs = runs.filter(number__in=numbers)
    for _, document in groupby(_read_runs(runs), key=itemgetter(0)):
        yield [line for *_, said in document for line in _unpack(said)]


def _read_runs(runs: QuerySet[StagedRun]) -> Iterator[tuple[str, int, bytes | memoryview]]:
    """A page at a time, each read to its end: on SQLite nothing can be written between two rows of an open query once
    another process has written.
    """
    page = list(runs.values_list("number", "line", "said")[:RUNS_AT_ONCE])
    while page:
        yield from page
        number, line, _ = page[-1]
        beyond = runs.filter(Q(number__gt=number) | Q(line__gt=line), number__gte=number)
        page = list(beyond.values_list("number", "line", "said")[:RUNS_AT_ONCE])


def judge_documents(source: Import, seen: Sightings, hold: Hold, told: Told) -> None:
    """Give every staged document its state, and note the products and customers that will be created.

    A credit note of an invoice that isn't here comes last: by then it is known whether the file brings the invoice.
    """
    known = load_known(source.supplier)
    done = 0
    put_off: list[str] = []
    for batch in _batches(lines_of(source)):
        here = load_here(source.supplier, batch)
        later = {lines[0].number for lines in batch if _waits_for_invoice(lines, here)}
        put_off += later
        _judge_batch(source, [lines for lines in batch if lines[0].number not in later], known, here, seen)
        hold.renew()
        done += sum(map(len, batch))
        told("Checking", done, source.lines_read)
    for start in range(0, len(put_off), DOCUMENTS_A_BATCH):
        for batch in _batches(lines_of(source, put_off[start : start + DOCUMENTS_A_BATCH])):
            _judge_batch(source, batch, known, _with_coming(source, batch, load_here(source.supplier, batch)), seen)
            hold.renew()
    if source.create_missing:
        _note_missing(source, seen, known)
    check_balance(source)


def _judge_batch(source: Import, batch: Sequence[list[Line]], known: Known, here: Here, seen: Sightings) -> None:
    documents = [judge(source, lines, known, here) for lines in batch]
    with short_transaction():
        StagedDocument.objects.bulk_create(documents)
    for document, lines in zip(documents, batch, strict=True):
        if document.state == StagedDocument.State.READY:
            seen.need(lines)


def _waits_for_invoice(lines: Sequence[Line], here: Here) -> bool:
    named = lines[0].credited_invoice
    return bool(named) and named not in here.credited and sum(line.amount for line in lines) < 0


def _with_coming(source: Import, batch: Sequence[list[Line]], here: Here) -> Here:
    """The same, with the invoices that these name and that the file is about to bring."""
    named = {lines[0].credited_invoice for lines in batch}
    coming = source.documents.filter(
        number__in=named, kind=StagedDocument.Kind.INVOICE, state=StagedDocument.State.READY
    ).values_list("number", "customer")
    return replace(here, credited={number: Credited(customer) for number, customer in coming} | dict(here.credited))


def _batches(documents: Iterator[list[Line]]) -> Iterator[list[list[Line]]]:
    batch: list[list[Line]] = []
    for document in documents:
        batch.append(document)
        if len(batch) == DOCUMENTS_A_BATCH or sum(map(len, batch)) >= 4 * ROWS_A_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _note_missing(source: Import, seen: Sightings, known: Known) -> None:
    """In the file's order, so that of two spellings of a SKU the first one needed makes the product."""
    products: list[StagedProduct] = []
    folded: set[str] = set()
    for sku in sorted(seen.needed_skus, key=seen.needed_skus.__getitem__):
        if known.shelf.find(sku) is None and sku.casefold() not in folded:
            folded.add(sku.casefold())
            seen_as = seen.products[sku]
            products.append(StagedProduct(source=source, sku=sku, name=seen_as.name or sku, price=seen_as.price))
    customers = [
        StagedCustomer(source=source, number=number, name=name)
        for number, (_, name) in sorted(seen.needed_customers.items(), key=itemgetter(1))
        if number not in known.customers
    ]
    _save_all(products)
    _save_all(customers)


def _save_all(rows: Sequence[Model]) -> None:
    """A thousand a transaction: what is there of an import whose reading died is cleared before it is read again."""
    for start in range(0, len(rows), ROWS_A_BATCH):
        some = rows[start : start + ROWS_A_BATCH]
        with short_transaction():
            type(some[0])._default_manager.bulk_create(some)  # noqa: SLF001 -- its public name


def check_balance(source: Import) -> None:
    """Lines and sums in are lines and sums of the documents, each of which has a state. Raises ImportOutOfBalance."""
    lines, total = 0, Decimal(0)
    for count, subtotal in source.documents.values_list("lines", "subtotal").iterator():
        lines += count
        total += subtotal
    if lines != source.lines_read:
        raise ImportOutOfBalance(source.file_name, "the number of lines", source.lines_read, lines)
    if total != source.sum_read:
        raise ImportOutOfBalance(source.file_name, "the sum of all lines", source.sum_read, total)


def clear(source: Import) -> None:
    """Empty the staging tables of one import, in short transactions."""
    while first := list(source.runs.order_by("pk").values_list("pk", flat=True)[:RUNS_AT_ONCE]):
        StagedRun.objects.filter(pk__in=first).delete()
    while first := list(source.documents.order_by("pk").values_list("pk", flat=True)[:ROWS_A_BATCH]):
        StagedDocument.objects.filter(pk__in=first).delete()
    source.products.all().delete()
    source.customers.all().delete()
    source.lines_read, source.sum_read = 0, Decimal(0)
