"""What changes an import: upload or stage a file, say what its columns are, apply it, discard it.

At a command, `stage` and `apply` do the work at once. From a screen, `upload`, `choose` and `ask_to_apply` say what is
wanted; `go_on` does it, in the request when it is small (`is_small`), else in the job `work`.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from django.core.files.base import File
from django.db import transaction
from django.db.models import Q

from provender import engine
from provender.basics import clock
from provender.basics.errors import ProvenderError
from provender.basics.outage import is_outage
from provender.importing.applying import apply_documents, finish
from provender.importing.errors import FaultyFile, ImportNotReady, ImportTakenOver
from provender.importing.holding import Hold
from provender.importing.mapping import check_date_format, check_fields, find_columns, propose, propose_date_format
from provender.importing.models import Import, StagedDocument
from provender.importing.queries import KEPT_UNFINISHED
from provender.importing.reading import Binary, Cell, Faults, Row, open_sheet
from provender.importing.staging import Told, clear, judge_documents, read_rows
from provender.people.models import User
from provender.suppliers.models import Supplier

log = logging.getLogger(__name__)

JOB = "imports"  # config registers `work` under this name
SMALL_FILE = 100_000  # bytes; read within a request
SMALL_IMPORT = 1_000  # lines; applied within a request

State = Import.State


@dataclass(frozen=True)
class Plan:
    """How a file is to be read: field -> column, the date format (blank: ISO 8601), the SKUs that are freight."""

    mapping: Mapping[str, str]
    date_format: str = ""
    freight: Sequence[str] = ()
    create_missing: bool = False

    def __post_init__(self) -> None:
        check_fields(self.mapping)
        check_date_format(self.date_format)


def hear_nothing(_what: str, _done: int, _of: int) -> None:
    """For a caller who doesn't show progress."""


def stage(
    supplier: Supplier, file: Binary, name: str, plan: Plan, *, by: User | None = None, told: Told = hear_nothing
) -> Import:
    """Read an open file and check every document of it; nothing is in the books yet. `name` tells its kind.

    Raises FaultyFile (everything that can't be read), FieldUnknown, MappingIncomplete, DateFormatUnusable; then nothing
    is kept.
    """
    forget_old(supplier)
    source = Import(supplier=supplier, by=by, file_name=name, state=State.READING, started_at=clock.now())
    _take_plan(source, plan)
    source.save(force_insert=True)
    try:
        with Hold(source) as hold:
            _read(source, file, hold, told)
    except ProvenderError:
        _forget(source)
        raise
    return source


def _take_plan(source: Import, plan: Plan) -> None:
    source.mapping = {name: column for name, column in plan.mapping.items() if column}
    source.date_format, source.create_missing = plan.date_format, plan.create_missing
    source.freight = [sku.strip() for sku in plan.freight if sku.strip()]


def _read(source: Import, file: Binary, hold: Hold, told: Told) -> None:
    seen = read_rows(source, file, hold, told)
    judge_documents(source, seen, hold, told)
    source.state = State.READY
    source.save(update_fields=["state"])


def apply(source: Import, *, told: Told = hear_nothing) -> Import:
    """Import every document that is ready; cut off anywhere, it can be run again and goes on where it was.

    Raises ImportNotReady, ImportTakenOver, ImportOutOfBalance.
    """
    if source.state not in {State.READY, State.APPLYING, State.STOPPED}:
        raise ImportNotReady(source.file_name, source.get_state_display())
    with Hold(source) as hold:
        apply_documents(source, hold, told)
        finish(source)
    return source


def upload(supplier: Supplier, file: "File[bytes]", name: str, *, by: User | None) -> Import:
    """Keep a file from a screen and propose what its columns are. Raises FaultyFile when it has no readable header."""
    forget_old(supplier)
    source = Import(supplier=supplier, by=by, file_name=name[-255:], started_at=clock.now())
    faults = Faults(source.file_name)
    sheet = open_sheet(file, source.file_name, faults)
    source.columns, source.mapping = sheet.columns, propose(sheet.columns)
    if "date" in source.mapping:
        source.date_format = propose_date_format(_samples(sheet.rows, sheet.columns.index(source.mapping["date"])))
    file.seek(0)
    name = f"{source.pk}.part"
    try:
        source.file.save(name, file, save=False)
        source.save(force_insert=True)
    except BaseException:  # the disk may be full: nobody would find the part that is on it
        source.file.storage.delete(source.file.field.generate_filename(source, name))
        raise
    return source


def _samples(rows: Iterator[Row], at: int) -> list[Cell]:
    """A column's first cells, as far as the file can be read: what is wrong with it is told when it is read whole."""
    try:
        return [row.cells[at] for row in islice(rows, 50)]
    except FaultyFile:
        return []


def choose(source: Import, plan: Plan) -> Import:
    """A person has said how an uploaded file is to be read; `go_on` reads it.

    Raises ImportNotReady, FieldUnknown, MappingIncomplete, FaultyFile, DateFormatUnusable.
    """
    if not source.file or source.is_busy:
        raise ImportNotReady(source.file_name, source.get_state_display())
    find_columns(plan.mapping, source.columns, Faults(source.file_name))
    _take_plan(source, plan)
    source.state, source.faults = State.READING, []
    source.save()
    return source


def ask_to_apply(source: Import) -> Import:
    """A person has looked at the preview and wants it in; `go_on` imports it. Raises ImportNotReady."""
    if source.state not in {State.READY, State.STOPPED}:
        raise ImportNotReady(source.file_name, source.get_state_display())
    source.state, source.faults = State.APPLYING, []
    source.save(update_fields=["state", "faults"])
    return source


def is_small(source: Import) -> bool:
    """Whether it can be done while a person waits for the page."""
    if source.state == State.READING:
        return bool(source.file) and source.file.size <= SMALL_FILE
    return source.lines_read <= SMALL_IMPORT


def go_on(source: Import) -> Import:
    """Do what was asked of an import, or leave it to the job where it is large. What goes wrong is kept on it."""
    if not is_small(source):
        transaction.on_commit(partial(engine.wake, JOB), robust=True)
        return source
    return _do(source)


def work() -> None:
    """The job: do all that was asked of imports and that nobody is doing; its next run, what an outage breaks off."""
    wanted = Q(state=State.APPLYING) | Q(state=State.READING) & ~Q(file="")  # a command reads its own file
    for source in (
        Import.objects.filter(_free(), wanted, supplier__closed_at=None)
        .select_related("supplier")
        .order_by("started_at")
    ):
        try:
            _do(source)
        except ImportTakenOver:
            log.info("import %s is in other hands", source.pk)
        except Exception as error:  # a worker's loop: one import's unknown trouble leaves the others alone
            if is_outage(error):
                raise
            log.exception("import %s stopped", source.pk)
            _stop(source, "Something went wrong inside Provender. The log has the details; try again or report it.")


def _free() -> Q:
    """Imports that no process is working on."""
    return Q(held_until=None) | Q(held_until__lt=clock.database_now())


def _do(source: Import) -> Import:
    try:
        if source.state == State.READING:
            _read_uploaded(source)
        elif source.state == State.APPLYING:
            apply(source)
    except ImportTakenOver:
        raise
    except FaultyFile as error:
        clear(source)
        source.state, source.faults = State.FAULTY, [fault.sentence(source.file_name) for fault in error.faults]
        source.save()
    except ProvenderError as error:
        _stop(source, error.sentence)
    return source


def _read_uploaded(source: Import) -> None:
    with Hold(source) as hold, source.file.open("rb") as file:
        clear(source)  # a process may have died over it
        _read(source, file, hold, hear_nothing)


def _stop(source: Import, sentence: str) -> None:
    source.state = State.FAULTY if source.state == State.READING else State.STOPPED
    source.faults = [sentence]
    source.save(update_fields=["state", "faults"])


def discard(source: Import) -> None:
    """Forget an import that nobody wants after all. Raises ImportNotReady when it is busy or part of it is in."""
    if source.is_busy or source.documents.filter(state=StagedDocument.State.IMPORTED).exists():
        raise ImportNotReady(source.file_name, source.get_state_display())
    _forget(source)


def _forget(source: Import) -> None:
    clear(source)
    if source.file:
        source.file.delete(save=False)
    source.delete()


def forget_old(supplier: Supplier) -> None:
    """Discard what nobody finished in a week, and what a command left that died while it read."""
    unfinished = (State.UPLOADED, State.FAULTY, State.READY)
    old = Q(state__in=unfinished, started_at__lt=clock.now() - KEPT_UNFINISHED)
    for source in supplier.imports.filter(_free(), old | Q(state=State.READING, file="")):
        _forget(source)
