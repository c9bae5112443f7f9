"""What can be wrong with a file, its mapping or the moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from provender.basics.errors import ProvenderError

MOST_FAULTS = 20  # more than that is one mistake made many times: a wrong column, a wrong date format


@dataclass(frozen=True)
class Fault:
    """One thing that makes a file unreadable: the file's line (header = 1), the column's name, what stands there."""

    what: str
    line: int | None = None
    column: str = ""
    value: str = ""

    def sentence(self, file: str) -> str:
        """For a person: file, line, column and what is wrong, which quotes the value."""
        place = [file]
        if self.line is not None:
            place.append(f"line {self.line}")
        if self.column:
            place.append(f"column {self.column}")
        return f"{', '.join(place)}: {self.what}"


class FaultyFile(ProvenderError):
    """The file can't be read as it is; every fault found is named (the first 20), and nothing was imported."""

    code = "faulty-file"

    def __init__(self, file: str, faults: Iterable[Fault]) -> None:
        self.file, self.faults = file, list(faults)
        more = "\nThere may be more: reading stopped here." if len(self.faults) >= MOST_FAULTS else ""
        super().__init__("\n".join(fault.sentence(file) for fault in self.faults) + more + "\nNothing was imported.")


class FieldUnknown(ProvenderError):
    """A mapping names something that invoices from a file don't have."""

    code = "import-field-unknown"

    def __init__(self, field: str, known: Sequence[str]) -> None:
        super().__init__(f"There is no field “{field}”. A column can be: {', '.join(known)}.")


class MappingIncomplete(ProvenderError):
    """A field that every document needs has no column."""

    code = "import-mapping-incomplete"

    def __init__(self, fields: Sequence[str], columns: Sequence[str]) -> None:
        super().__init__(
            f"Say which column holds: {', '.join(fields)}. The file's columns are: {', '.join(columns) or 'none'}."
        )


class DateFormatUnusable(ProvenderError):
    """A date format that can't tell day, month and year."""

    code = "import-date-format-unusable"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"“{text}” is not a date format with day, month and year. Write it like %d/%m/%Y or %Y-%m-%d %H:%M:%S."
        )


class ImportNotReady(ProvenderError):
    """What was asked doesn't fit the import's state."""

    code = "import-not-ready"

    def __init__(self, file: str, state: str) -> None:
        super().__init__(f"The import of {file} is “{state}”, so that can't be done now. Look at it again.")


class ImportTakenOver(ProvenderError):
    """Another process works on this import."""

    code = "import-taken-over"

    def __init__(self, file: str) -> None:
        super().__init__(f"Another process is working on the import of {file}. Wait for it to finish.")


class ImportOutOfBalance(ProvenderError):
    """Counts or sums in aren't counts and sums out: the batch at hand was rolled back."""

    code = "import-out-of-balance"

    def __init__(self, file: str, what: str, came_in: Decimal | int, went_out: Decimal | int) -> None:
        super().__init__(
            f"The import of {file} stopped: {what} in the file is {came_in}, but accounted for is {went_out}."
            " What was imported before stands; import the file again after reporting this."
        )


class ListFileGone(ProvenderError):
    """A file of a list was applied meanwhile, or a newer one stands in its place."""

    code = "list-file-gone"

    def __init__(self) -> None:
        super().__init__("This file was applied meanwhile, or a newer one took its place. Read the file again.")
