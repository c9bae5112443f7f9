"""What a comparison of the books finds: which document, what about it, and how Xero shows it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from provender.invoicing.models import Invoice
from provender.sync.verify_expected import REMOVED, Document
from provender.sync.verify_reading import Element


@dataclass(frozen=True)
class Difference:
    """One field that isn't the same. A document in one place only has the field `exists`, one twice there `double`."""

    kind: str
    number: str
    field: str
    ours: str
    xero: str

    def __str__(self) -> str:
        return f"{self.field}: here “{self.ours}”, in Xero “{self.xero}”"


class Case(Enum):
    """In what way a document isn't equal."""

    DIFFERS = "it is on both sides and not the same"
    GONE = "it counts here, and Xero has it no more"
    STILL = "it counts here no more, and Xero has it still"
    UNREAD = "Xero has money on it that doesn't count here"
    STRAY = "Xero has it twice, or for nothing that is open here"


@dataclass(frozen=True)
class Finding:
    """One document that isn't equal: ours, or the one that its mark in Xero names. `theirs`: as Xero shows it, if so.

    Of money that isn't read (UNREAD) the document is the invoice, and `theirs` the payment or allocation on it.
    """

    case: Case
    kind: str
    document: UUID
    differences: list[Difference]
    theirs: Element | None = None


def case_of(document: Document, theirs: Element) -> Case:
    """What it is about an invoice or a credit note that both sides have and that isn't the same."""
    void, removed = document.status == Invoice.Status.VOID, theirs.get("Status") in REMOVED
    return Case.DIFFERS if void == removed else Case.STILL if void else Case.GONE


def finding(
    case: Case, kind: str, document: UUID, number: str, unequal: Iterable[tuple[str, Any, Any]], theirs: Element | None
) -> Finding:
    """A finding whose differences (field, ours, Xero's) are all of the document itself."""
    return Finding(case, kind, document, [Difference(kind, number, *map(str, one)) for one in unequal], theirs)
