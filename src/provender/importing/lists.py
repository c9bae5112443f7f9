"""A file of a list, such as products or prices: read, laid beside what is here, kept as a preview, applied.

What the columns are, how a line is judged and what applying it does is said by the module of its kind (`products`).
Nothing changes before a person applies the preview; that goes in short transactions, each of which notes on the lines
what it did, so that what was cut off goes on where it was. A value changes only while it still is what was shown.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from provender.basics import clock
from provender.basics.texts import one_line, some_lines
from provender.basics.transactions import short_transaction
from provender.importing.errors import Fault, FaultyFile, ListFileGone
from provender.importing.mapping import Field, propose
from provender.importing.models import ListFile, ListRow
from provender.importing.queries import MARKS
from provender.importing.reading import Binary, Faults, Row, kind_of, open_sheet
from provender.people.models import User
from provender.suppliers.models import Supplier

MOST_LINES = 20_000
BATCH = 100  # lines a transaction: those who read meanwhile don't feel it
KEPT = 5  # applied files of a kind that can still be looked at
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # such a text goes out to CSV with an apostrophe before it

State = ListRow.State
Judge = Callable[[Sequence["Line"]], list[ListRow]]


@dataclass(frozen=True)
class Line:
    """A line of the file: field → text, for the fields that have a column; and which column each has."""

    number: int  # header = 1
    texts: Mapping[str, str]
    columns: Mapping[str, str]
    cells: Sequence[str]

    def says(self, name: str) -> str:
        """The text of that field, "" when it is empty or the file has no such column."""
        return self.texts.get(name, "")


class Unfit(Exception):
    """A line that can't be taken: the field at fault, and why in a sentence."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


# --- reading ------------------------------------------------------------------------------------------------------


def read_lines(handle: Binary, name: str, fields: Sequence[Field]) -> tuple[list[str], list[Line]]:
    """The headings and all lines of an open file; the headings say which column is which. Raises FaultyFile.

    Columns that no field is found under are passed over. A file may hold at most MOST_LINES lines.
    """
    faults = Faults(name)
    sheet = open_sheet(handle, name, faults)
    at = _find_columns(sheet.columns, fields, faults)
    columns = {field: sheet.columns[position] for field, position in at.items()}
    quoted = kind_of(name) != ".xlsx"
    lines: list[Line] = []
    for row in sheet.rows:
        if len(lines) == MOST_LINES:
            raise faults.stop(Fault(f"the file has more than {MOST_LINES:,} lines. Split it.", row.line))
        lines.append(_line(row, at, columns, quoted=quoted))
    faults.check()
    return sheet.columns, lines


def _find_columns(headings: Sequence[str], fields: Sequence[Field], faults: Faults) -> dict[str, int]:
    found = propose(headings, fields)
    for field in fields:
        if field.needed and field.name not in found:
            what = f"no column is called “{field.label}”. The columns are: {', '.join(headings)}."
            faults.add(Fault(what, 1, field.label))
    for column in found.values():
        if (times := headings.count(column)) > 1:
            faults.add(Fault(f"{times} columns are called “{column}”; give each its own name.", 1, column, column))
    faults.check()
    return {name: headings.index(column) for name, column in found.items()}


def _line(row: Row, at: Mapping[str, int], columns: Mapping[str, str], *, quoted: bool) -> Line:
    texts = {name: _text(name, row.texts[position], quoted=quoted) for name, position in at.items()}
    return Line(row.line, texts, columns, row.texts)


def _text(name: str, cell: str, *, quoted: bool) -> str:
    """What a cell says, as the field can hold it."""
    clean = some_lines if name == "description" else one_line
    text = clean(cell)
    return clean(text[1:]) if quoted and _has_apostrophe(text) else text


def _has_apostrophe(text: str) -> bool:
    """Whether a cell of a CSV file has the apostrophe that keeps a spreadsheet from running it."""
    return text.startswith("'") and text.lstrip("'").startswith(FORMULA_STARTS)


def reject(line: Line, unfit: Unfit) -> ListRow:
    """The row of a line that can't be taken."""
    return ListRow(
        line=line.number,
        state=State.REJECTED,
        sku=clean(line.says("sku"))[:200],
        name=clean(line.says("name"))[:200],
        column=line.columns.get(unfit.field, "")[:255],
        value=clean(line.says(unfit.field))[:200],
        reason=unfit.reason[:400],
        cells=[clean(cell) for cell in line.cells],
    )


def clean(text: str) -> str:
    """The text without the one character that PostgreSQL can't store."""
    return text.replace("\0", "�")


# --- the preview --------------------------------------------------------------------------------------------------


def preview(
    supplier: Supplier,
    kind: ListFile.Kind,
    handle: Binary,
    name: str,
    fields: Sequence[Field],
    judge: Judge,
    *,
    by: User | None,
    about: UUID | None = None,
) -> ListFile:
    """Read a file, judge each line, and keep what would happen. Raises FaultyFile; then nothing is kept.

    Earlier previews of the same list that nobody applied are forgotten.
    """
    headings, lines = read_lines(handle, name, fields)
    if not lines:
        raise FaultyFile(name, [Fault("there is no line under the headings.", 2)])
    rows = judge(lines)
    _forget_old(supplier, kind, about)
    file = ListFile.objects.create(
        supplier=supplier, kind=kind, about=about, file_name=name[-255:], columns=headings, by=by, read_at=clock.now()
    )
    for start in range(0, len(rows), BATCH):
        for row in rows[start : start + BATCH]:
            row.file = file
        with short_transaction():
            ListRow.objects.bulk_create(rows[start : start + BATCH])
    file.state = ListFile.State.PREVIEW
    file.save(update_fields=["state"])
    return file


def _forget_old(supplier: Supplier, kind: str, about: UUID | None) -> None:
    before = ListFile.objects.filter(supplier=supplier, kind=kind, about=about)
    unused = before.filter(state__in=[ListFile.State.READING, ListFile.State.PREVIEW])
    for file in [*unused, *before.exclude(pk__in=unused.values("pk"))[KEPT:]]:
        _forget(file)


def _forget(file: ListFile) -> None:
    """Its lines a few hundred at a time, then itself."""
    while first := list(file.rows.values_list("pk", flat=True)[: 2 * BATCH]):
        ListRow.objects.filter(pk__in=first).delete()
    file.delete()


def find_list_file(supplier: Supplier, pk: UUID) -> ListFile | None:
    """One file of the wholesaler, once it is read."""
    files = supplier.list_files.exclude(state=ListFile.State.READING)
    return files.select_related("supplier", "by", "applied_by").filter(pk=pk).first()


def tally(file: ListFile) -> dict[str, int]:
    """How many lines are in each state; they add up to the lines of the file."""
    counted = Counter(file.rows.order_by().values_list("state", flat=True))
    return {state.value: counted[state] for state in State}


def left_count(file: ListFile) -> int:
    """How many lines of an applied file were left, in part or whole, since something had changed here."""
    return file.rows.filter(finished=True).exclude(outcome="").count()


def rows_of(file: ListFile, state: str = "", search: str = "") -> QuerySet[ListRow]:
    """The lines in the file's order: all, or those of a state; with a search for SKU or name."""
    rows = file.rows.filter(state=state) if state else file.rows.all()
    return rows.filter(Q(sku__icontains=search) | Q(name__icontains=search)) if search else rows


def rejected_lines(file: ListFile) -> Iterator[list[str]]:
    """The headings, then every rejected line as it was in the file, with line, column and reason: to be mended."""
    yield [*file.columns, *MARKS]
    for row in file.rows.filter(state=State.REJECTED).iterator():
        yield [*row.cells, str(row.line), row.column, row.reason]


def discard(file: ListFile) -> None:
    """Forget a preview. Raises ListFileGone when it was applied meanwhile."""
    _go(file, [ListFile.State.PREVIEW], ListFile.State.READING)  # nobody finds it any more
    _forget(file)


# --- applying -----------------------------------------------------------------------------------------------------


def apply(file: ListFile, change: Callable[[Sequence[ListRow]], None], *, by: User | None) -> None:
    """Do what the preview shows: `change` takes rows that are new or changed, and says on each its `outcome`, if any.

    Cut off anywhere, it can be called again and goes on where it was. Raises ListFileGone when it was applied already.
    """
    _go(file, [ListFile.State.PREVIEW, ListFile.State.APPLYING], ListFile.State.APPLYING)
    wanted = file.rows.filter(state__in=[State.NEW, State.CHANGED], finished=False)
    keys = list(wanted.values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        with short_transaction():
            _lock(file)
            rows = list(wanted.filter(pk__in=keys[start : start + BATCH]))
            change(rows)
            _note(rows)
    _go(file, [ListFile.State.APPLYING], ListFile.State.DONE, applied_at=clock.now(), applied_by=by)


def _note(rows: Sequence[ListRow]) -> None:
    told = [row for row in rows if row.outcome]
    for row in told:
        ListRow.objects.filter(pk=row.pk).update(outcome=row.outcome)
    ListRow.objects.filter(pk__in=[row.pk for row in rows]).update(finished=True)


def _lock(file: ListFile) -> None:
    """Hold the file for this transaction: of two people who press the button, one waits and finds the work done."""
    if not ListFile.objects.select_for_update().filter(pk=file.pk, state=ListFile.State.APPLYING).exists():
        raise ListFileGone


def _go(file: ListFile, states: Sequence[str], to: str, **stamps: object) -> None:
    if not ListFile.objects.filter(pk=file.pk, state__in=states).update(state=to, **stamps):
        raise ListFileGone
    file.refresh_from_db()
