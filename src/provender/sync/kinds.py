"""The kinds of documents that go to Xero, a row each: how one is written, known again, timed and told.

Claiming, sending, recording and recovery ask nothing but this table; what a document is built from, and what it waits
for, is said where its kind is sent (`lined`, `money`, `deposits`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.conf import settings

from provender.payments.models import Allocation, Payment
from provender.sync.models import Dispatch, DispatchDocument
from provender.xero import wire

MARK = "pv-"
LONGEST_REFERENCE = 255

Theirs = Any  # one of the wire types, or the id of what a DELETE removed


@dataclass(frozen=True)
class Kind:
    """One kind. `id`, `number`, `status` and `total` are fields of its wire type; an empty one it doesn't have.

    A new one is known again in the answer by `known_by`: our number, our mark in its Reference, or the invoice that an
    allocation, which has neither, is for. What Xero doesn't hold unique may be there twice, so its doubts last longer.
    """

    name: str
    resource: str  # the list in Xero, and the name of its envelope
    id: str
    number: str = ""
    status: str = "status"
    total: str = ""
    known_by: Literal["number", "reference", "invoice"] = "number"
    unique: bool = True

    def id_of(self, theirs: Theirs) -> str:
        """Xero's id."""
        return theirs if isinstance(theirs, str) else getattr(theirs, self.id) or ""

    def number_of(self, theirs: Theirs) -> str:
        """The number by which people know it there, or ""."""
        return (getattr(theirs, self.number) or "") if self.number and not isinstance(theirs, str) else ""

    def status_of(self, theirs: Theirs) -> str:
        """Its status there; an allocation has none: it is there, or it isn't."""
        if isinstance(theirs, str):
            return "DELETED"
        return (getattr(theirs, self.status) or "") if self.status else "AUTHORISED"

    def total_of(self, theirs: Theirs) -> Decimal | None:
        """What it comes to, or None where nothing tells."""
        if not self.total or isinstance(theirs, str):
            return None
        amount: Decimal | None = getattr(theirs, self.total)
        return amount

    def identity(self, operation: str, theirs: Theirs) -> str:
        """What an element of an answer is known by: Xero's id for what was there already, our own name for it else."""
        if isinstance(theirs, str) or not self._is_new(operation):
            return self.id_of(theirs).lower()
        if self.known_by == "invoice":
            return ((theirs.invoice and theirs.invoice.invoice_id) or "").lower()
        return (theirs.reference or "") if self.known_by == "reference" else self.number_of(theirs)

    def identity_of(self, operation: str, row: DispatchDocument) -> str:
        """The same of what we sent."""
        if not self._is_new(operation):
            return row.xero_id.lower()
        if self.known_by == "number":
            return row.number
        sent = wire.decode(row.element)
        return str(sent["Invoice"]["InvoiceID"]).lower() if self.known_by == "invoice" else str(sent["Reference"])

    def _is_new(self, operation: str) -> bool:
        return operation == Dispatch.Operation.CREATE or self.name == "contact"

    @property
    def settle_seconds(self) -> int:
        """How long after it was sent a request may still commit, for all we know."""
        seconds: int = settings.SYNC_SETTLE_SECONDS if self.unique else settings.SYNC_SETTLE_UNHELD_SECONDS
        return seconds


KINDS = {
    kind.name: kind
    for kind in (
        Kind("contact", "Contacts", "contact_id", "contact_number", "contact_status"),
        Kind("invoice", "Invoices", "invoice_id", "invoice_number", total="total"),
        Kind("credit_note", "CreditNotes", "credit_note_id", "credit_note_number", total="total"),
        Kind("allocation", "Allocations", "allocation_id", status="", total="amount", known_by="invoice", unique=False),
        Kind("payment", "Payments", "payment_id", total="amount", known_by="reference", unique=False),
        Kind("payout", "BatchPayments", "batch_payment_id", total="total_amount", known_by="reference", unique=False),
        Kind("fee", "BankTransactions", "bank_transaction_id", total="total", known_by="reference", unique=False),
    )
}

Subject = tuple[str, UUID]
"""Whose story something is told in: the kind of document and which one."""


def subjects(kind: str, documents: Iterable[UUID]) -> dict[UUID, Subject]:
    """In whose story each of these is told: money in that of the document that it belongs to."""
    if kind == "payment":
        rows = Payment.objects.filter(pk__in=list(documents)).values_list("pk", "invoice", "credit_note")
        return {pk: ("invoice", invoice) if invoice else ("credit_note", credit) for pk, invoice, credit in rows}
    if kind == "allocation":
        pairs = Allocation.objects.filter(pk__in=list(documents)).values_list("pk", "credit_note")
        return {pk: ("credit_note", credit_note) for pk, credit_note in pairs}
    name = {"contact": "customer", "fee": "payout"}.get(kind, kind)
    return {document: (name, document) for document in documents}


def marked(text: str, document: UUID) -> str:
    """A Reference that ends in our document's mark, as long as Xero takes it."""
    mark = f"{MARK}{document}"
    return f"{' '.join(text.split())[: LONGEST_REFERENCE - len(mark) - 1].rstrip()} {mark}".strip()


def is_marked(reference: str | None, document: UUID) -> bool:
    """Whether a Reference in Xero carries our document's mark."""
    return bool(reference) and str(reference).rstrip().lower().endswith(f"{MARK}{document}")
