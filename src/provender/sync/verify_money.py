"""Are the books of money equal? Credit notes, what they are set against, payments, refunds, payouts and fees.

Like `verify`, this shares no code with the sender; a credit note is compared as an invoice is. What is on its way isn't
judged. Money that a bookkeeper entered in
Xero is expected here only where Xero's payments count here (Invoice mark as paid).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F

from provender.changes.models import UNSETTLED, Change
from provender.invoicing.models import CreditNote
from provender.payments.models import Allocation, Payment, Payout
from provender.sync.models import Connection, DispatchDocument, Link, WithoutItemCodes, WithoutTracking
from provender.sync.verify_expected import REMOVED as GONE
from provender.sync.verify_expected import Expectation, contact_sent
from provender.sync.verify_findings import Case, Difference, Finding, case_of, finding
from provender.sync.verify_reading import Element, Reader, read_day

RECEIVED = ("ACCRECPAYMENT", "ARCREDITPAYMENT")
MARK = re.compile(r"pv-([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\s*$", re.IGNORECASE)
CHUNK = 100  # credit notes whose rows are held at a time


@dataclass(frozen=True)
class _Facts:
    """What we know of some credit notes, a few queries for all."""

    rows: Mapping[UUID, CreditNote]
    contacts: Mapping[UUID, str]  # customer → contact id
    bare: frozenset[UUID]
    untracked: frozenset[UUID]


class MoneyBooks:
    """Both sides of one connection's money. `merged`: contact ids → the contact that they were merged into."""

    def __init__(
        self, connection: Connection, reader: Reader, expected: Expectation, merged: Mapping[str, str]
    ) -> None:
        self.connection, self._reader = connection, reader
        self._expected, self._merged = expected, merged
        self.checked = {"credit_notes": 0, "allocations": 0, "payments": 0, "payouts": 0}
        rows = Link.objects.filter(
            connection=connection, kind__in=("credit_note", "allocation", "payment", "payout", "fee")
        )
        self._links: dict[str, dict[str, Link]] = defaultdict(dict)  # kind → Xero's id → link
        for link in rows:
            self._links[link.kind][link.xero_id.lower()] = link
        invoices = Link.objects.filter(connection=connection, kind="invoice")
        self._invoices = {  # Xero's id → ours, and the number
            xero_id.lower(): (document, number)
            for xero_id, document, number in invoices.values_list("xero_id", "document", "number")
        }
        unsettled = Change.objects.filter(UNSETTLED, supplier=connection.supplier_id)
        doubtful = DispatchDocument.objects.filter(connection=connection)
        self._moving = {*unsettled.values_list("document", flat=True), *doubtful.values_list("document", flat=True)}
        taken_along = Payment.objects.filter(supplier=connection.supplier_id, payout__in=self._moving)
        self._moving |= set(taken_along.values_list("pk", flat=True))

    def findings(self) -> Iterator[Finding]:
        """Everything that isn't equal; what there can be nothing of isn't asked for."""
        credits_here = CreditNote.objects.filter(supplier=self.connection.supplier_id).exists()
        if self._links["credit_note"] or credits_here:
            yield from self._credit_notes()
        if self._links["payment"] or self.connection.mark_as_paid:
            yield from self._payments()
        if self._links["payout"]:
            yield from self._payouts()
        if self._links["fee"]:
            yield from self._fees()

    # --- credit notes and what they are set against ---------------------------------------------------------------

    def judge(self, theirs: Element) -> list[Finding]:
        """What isn't equal of one credit note, as Xero showed it."""
        return list(self._some_credit_notes([theirs], set(), {}))

    def _credit_notes(self) -> Iterator[Finding]:
        seen: set[UUID] = set()
        set_against: dict[str, Element] = {}
        for look in self._reader.pages("CreditNotes", where='Type=="ACCRECCREDIT"', order="CreditNoteID"):
            for start in range(0, len(look.elements), CHUNK):
                yield from self._some_credit_notes(look.elements[start : start + CHUNK], seen, set_against)
        live = CreditNote.objects.filter(supplier=self.connection.supplier_id, status=CreditNote.Status.OPEN)
        numbers = dict(live.values_list("pk", "number"))
        yield from self._unseen("credit_note", seen, numbers)
        yield from self._never_linked("credit_note", numbers)
        yield from self._allocations(set_against)

    def _some_credit_notes(
        self, elements: Sequence[Element], seen: set[UUID], set_against: dict[str, Element]
    ) -> Iterator[Finding]:
        pairs = [(self._links["credit_note"].get(one["CreditNoteID"].lower()), one) for one in elements]
        marked = [(link.document if link else read_mark(one.get("Reference")), link, one) for link, one in pairs]
        facts = self._facts([document for document, _, _ in marked if document])
        for document, link, theirs in marked:
            if document is None or document in self._moving:
                seen |= {document} if document else set()
                continue
            yield from self._credit_note(facts, document, link, theirs, seen)
            if link:
                set_against |= {one["AllocationID"].lower(): one for one in theirs.get("Allocations") or []}

    def _facts(self, documents: Sequence[UUID]) -> _Facts:
        rows = CreditNote.objects.filter(supplier=self.connection.supplier_id).select_related("invoice")
        found = rows.prefetch_related("lines").in_bulk(documents)
        customers = {row.customer_id for row in found.values()}
        contacts = Link.objects.filter(connection=self.connection, kind="contact", document__in=customers)
        here = {"connection": self.connection, "kind": "credit_note", "document__in": list(found)}
        return _Facts(
            found,
            dict(contacts.values_list("document", "xero_id")),
            frozenset(WithoutItemCodes.objects.filter(**here).values_list("document", flat=True)),
            frozenset(WithoutTracking.objects.filter(**here).values_list("document", flat=True)),
        )

    def _credit_note(
        self, facts: _Facts, document: UUID, link: Link | None, theirs: Element, seen: set[UUID]
    ) -> Iterator[Finding]:
        number, row = str(theirs.get("CreditNoteNumber", "")), facts.rows.get(document)
        if row is None or link is None or row.pk in seen:
            if theirs.get("Status") not in GONE:
                field = "double" if row and row.pk in seen else "exists"
                unequal = [(field, row.number if row else "", number)]
                yield finding(Case.STRAY, "credit_note", document, number, unequal, theirs)
            return
        seen.add(row.pk)
        self.checked["credit_notes"] += 1
        contacts = [facts.contacts.get(row.customer_id, "").lower(), contact_sent(link)]
        found = self._expected.compare(
            row,
            list(row.lines.all()),
            theirs,
            link,
            [self._merged.get(one, one) for one in contacts if one],
            bare=row.pk in facts.bare,
            untracked=row.pk in facts.untracked,
        )
        if found:
            yield finding(case_of(row, theirs), "credit_note", row.pk, row.number, found, theirs)

    def _allocations(self, there: Mapping[str, Element]) -> Iterator[Finding]:
        rows = Allocation.objects.filter(supplier=self.connection.supplier_id, credit_note__isnull=False)
        by_pk = {row.pk: row for row in rows.select_related("credit_note", "invoice")}
        for xero_id, link in self._links["allocation"].items():
            row = by_pk.get(link.document)
            if row is None or row.pk in self._moving:
                continue
            name, theirs = f"{row.credit_name} on {row.invoice.number}", there.get(xero_id)
            ours = "" if row.removed_at else str(row.amount)
            self.checked["allocations"] += 1
            if (theirs is None) != bool(row.removed_at):
                case = Case.STILL if theirs else Case.GONE
                unequal = [("exists", ours, str(theirs["Amount"]) if theirs else "")]
                yield finding(case, "allocation", row.pk, name, unequal, theirs)
            elif theirs is not None:
                pairs = [("amount", row.amount, _number(theirs.get("Amount")))]
                yield from _differ("allocation", row.pk, name, pairs, theirs)
        if self.connection.mark_as_paid and not self._on_the_way("allocation"):
            for xero_id in sorted(there.keys() - self._links["allocation"].keys()):
                yield from self._unread("allocation", there[xero_id])

    # --- payments and refunds -------------------------------------------------------------------------------------

    def _payments(self) -> Iterator[Finding]:
        mine = Payment.objects.filter(supplier=self.connection.supplier_id)
        rows = mine.select_related("invoice", "credit_note").in_bulk(
            [one.document for one in self._links["payment"].values()]
        )
        batches = self._links["payout"].keys()
        seen: set[UUID] = set()
        for look in self._reader.pages("Payments", order="PaymentID"):
            for theirs in look.elements:
                if theirs.get("PaymentType") not in RECEIVED or theirs.get("Status") in GONE:
                    continue
                link = self._links["payment"].get(theirs["PaymentID"].lower())
                if link is None:
                    yield from self._unknown_payment(theirs, batches)
                elif link.document in rows and link.document not in self._moving:
                    seen.add(link.document)
                    yield from self._payment(rows[link.document], theirs, batches)
        live = {pk: _name(row) for pk, row in rows.items() if row.removed_at is None}
        yield from self._unseen("payment", seen, live)

    def _payment(self, row: Payment, theirs: Element, batches: Iterable[str]) -> Iterator[Finding]:
        self.checked["payments"] += 1
        if row.removed_at:
            unequal = [("exists", "", str(theirs["Amount"]))]
            yield finding(Case.STILL, "payment", row.pk, _name(row), unequal, theirs)
        elif str(theirs.get("BatchPaymentID", "")).lower() not in batches:  # of ours the deposit is compared as a whole
            pairs = [
                ("amount", row.amount, _number(theirs.get("Amount"))),
                ("date", row.date, read_day(theirs.get("Date"))),
            ]
            yield from _differ("payment", row.pk, _name(row), pairs, theirs)

    def _unknown_payment(self, theirs: Element, batches: Iterable[str]) -> Iterator[Finding]:
        """One that no row of ours is linked to: with our mark it is a double, else a bookkeeper's."""
        mark = read_mark(theirs.get("Reference"))
        if mark in self._moving or str(theirs.get("BatchPaymentID", "")).lower() in batches:
            return
        if mark and Payment.objects.filter(supplier=self.connection.supplier_id, pk=mark).exists():
            _, number = self._invoice_of(theirs)
            double = [("double", str(mark), theirs["PaymentID"])]
            yield finding(Case.STRAY, "payment", mark, number, double, theirs)
        elif self.connection.mark_as_paid and not self._on_the_way("payment"):
            yield from self._unread("payment", theirs)

    def _unread(self, kind: str, theirs: Element) -> Iterator[Finding]:
        """Money that a bookkeeper put on an invoice of ours, and that counts here not yet."""
        invoice, number = self._invoice_of(theirs)
        if invoice:
            amount = Difference(kind, number, "exists", "", str(theirs["Amount"]))
            yield Finding(Case.UNREAD, "invoice", invoice, [amount], theirs)

    def _invoice_of(self, theirs: Element) -> tuple[UUID | None, str]:
        """Our invoice that a payment or an allocation is on, and its number; none, if it is on another."""
        there = str((theirs.get("Invoice") or {}).get("InvoiceID", "")).lower()
        return self._invoices.get(there, (None, ""))

    def _on_the_way(self, kind: str) -> bool:
        """Whether money of ours of that kind is in doubt, which what is unknown may turn out to be."""
        return DispatchDocument.objects.filter(connection=self.connection, kind=kind).exists()

    # --- payouts and fees -----------------------------------------------------------------------------------------

    def _payouts(self) -> Iterator[Finding]:
        rows = Payout.objects.filter(supplier=self.connection.supplier_id).in_bulk()
        paid: dict[UUID | None, Decimal] = defaultdict(Decimal)
        live = Payment.objects.filter(payout__in=list(rows), removed_at=None, invoice__isnull=False)
        for payout, amount in live.values_list("payout", "amount"):
            paid[payout] += amount
        seen: set[UUID] = set()
        for theirs in self._reader.whole("BatchPayments"):
            link = self._links["payout"].get(theirs["BatchPaymentID"].lower())
            if link is None or theirs.get("Status") in GONE or link.document in self._moving:
                continue
            row = rows.get(link.document)
            seen.add(link.document)
            self.checked["payouts"] += 1
            if row is None or row.undone_at:
                name, unequal = str(theirs.get("Reference", "")), [("exists", "", str(theirs["TotalAmount"]))]
                yield finding(Case.STILL, "payout", link.document, name, unequal, theirs)
                continue
            pairs = [
                ("total", paid[row.pk], _number(theirs.get("TotalAmount"))),
                ("date", row.date, read_day(theirs.get("Date"))),
                ("reference", " ".join(row.reference.split()), theirs.get("Reference")),
            ]
            yield from _differ("payout", row.pk, row.reference, pairs, theirs)
        yield from self._unseen("payout", seen, {pk: row.reference for pk, row in rows.items() if not row.undone_at})

    def _fees(self) -> Iterator[Finding]:
        rows = Payout.objects.filter(supplier=self.connection.supplier_id).in_bulk()
        seen: set[UUID] = set()
        for look in self._reader.pages("BankTransactions", where='Type=="SPEND"', order="BankTransactionID"):
            for theirs in look.elements:
                link = self._links["fee"].get(theirs["BankTransactionID"].lower())
                if link is None or theirs.get("Status") in GONE or link.document in self._moving:
                    continue
                row = rows.get(link.document)
                seen.add(link.document)
                if row is None or row.undone_at:
                    unequal = [("exists", "", str(theirs["Total"]))]
                    yield finding(Case.STILL, "fee", link.document, link.number, unequal, theirs)
                else:
                    pairs = [("total", row.fee, _number(theirs.get("Total")))]
                    yield from _differ("fee", row.pk, link.number, pairs, theirs)
        yield from self._unseen("fee", seen, {pk: row.reference for pk, row in rows.items() if not row.undone_at})

    def _unseen(self, kind: str, seen: set[UUID], live: Mapping[UUID, str]) -> Iterator[Finding]:
        """Those that count here, that Xero had once, and that it doesn't show any more."""
        for xero_id, link in self._links[kind].items():
            if link.document in live and link.document not in seen | self._moving:
                yield _gone(kind, link.document, live[link.document], f"none ({xero_id})")

    def _never_linked(self, kind: str, live: Mapping[UUID, str]) -> Iterator[Finding]:
        """Those that count here and that Xero should have by our reckoning, though we know nothing of them there."""
        linked = {link.document for link in self._links[kind].values()}
        told = Change.objects.filter(supplier=self.connection.supplier_id, kind=kind, settled__gte=F("revision"))
        for document in told.values_list("document", flat=True):
            if document in live and document not in linked:
                yield _gone(kind, document, live[document], "none (never linked)")


def _name(row: Payment) -> str:
    return row.invoice.number if row.invoice else row.credit_note.number if row.credit_note else ""


def _differ(
    kind: str, document: UUID, number: str, pairs: Iterable[tuple[str, Any, Any]], theirs: Element
) -> Iterator[Finding]:
    if found := [(field, ours, xero) for field, ours, xero in pairs if ours != xero]:
        yield finding(Case.DIFFERS, kind, document, number, found, theirs)


def _gone(kind: str, document: UUID, number: str, there: str) -> Finding:
    return finding(Case.GONE, kind, document, number, [("exists", number, there)], None)


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def read_mark(reference: Any) -> UUID | None:
    """The uuid at the end of a Reference that we gave."""
    found = MARK.search(str(reference or ""))
    return UUID(found[1]) if found else None
