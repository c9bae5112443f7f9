"""Are the books equal? Our rows against Xero, by a way that shares no code with the sender.

What each document should look like in Xero is worked out here a second time, from our rows and the connection's
settings (docs/guides/settings.md); Xero is read by `verify_reading`. A few things can't be told from our rows alone:

- After the settings were saved anew, documents sent before keep the accounts and tax types of then: for those, what we
  kept of the last sending is the measure.
- An item that Xero got after we sent a line doesn't make the line wrong for having no item code.
- Tracking is judged on documents that were sent with it, and by the bindings that stood when they were sent.
- An invoice stays with the contact that it went with when its customer is linked to another one afterwards.
- A contact that we created may be renamed on either side; its name is judged only while neither has changed since.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F

from provender.changes.models import GOING, Change
from provender.customers.models import Customer
from provender.invoicing.models import Invoice, InvoiceLine
from provender.suppliers.models import Supplier
from provender.sync.due import may_go
from provender.sync.errors import NotConnectedHere
from provender.sync.models import (
    Connection,
    ContactRefusal,
    DispatchDocument,
    Link,
    Problem,
    WithoutItemCodes,
    WithoutTracking,
)
from provender.sync.verify_expected import REMOVED, Expectation, contact_sent, read_mark, read_uuid
from provender.sync.verify_findings import Case, Difference, Finding, case_of, finding
from provender.sync.verify_money import MoneyBooks
from provender.sync.verify_reading import Element, Look, Reader

CHUNK = 100  # documents whose rows are held at a time; their lines are many


@dataclass
class Report:
    """What a comparison found. Documents that wait, or were never let go, aren't expected in Xero."""

    checked: dict[str, int]
    differences: list[Difference] = field(default_factory=list)
    waiting: int = 0
    held_back: int = 0
    problems: int = 0

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """The shape that scripts rely on (docs/reference/verify-books.md)."""
        return {
            "equal": self.equal,
            "checked": self.checked,
            "differences": [asdict(one) for one in self.differences],
            "waiting": self.waiting,
            "held_back": self.held_back,
            "problems": self.problems,
        }


def verify_books(supplier: Supplier) -> Report:
    """Compare every document that was sent with Xero, and every document in Xero that carries our mark with ours.

    Raises NotConnectedHere, NeedsReconnecting, XeroBusy, XeroRefused.
    """
    connection = supplier.connections.exclude(state=Connection.State.DISCONNECTED).first()
    if connection is None:
        raise NotConnectedHere(supplier.name)
    with Reader(connection, for_a_person=True) as reader:
        books = Books(connection, reader)
        found = [one for finding in books.findings() for one in finding.differences]
        money = MoneyBooks(connection, reader, books.expected, books.merged)
        found += [one for finding in money.findings() for one in finding.differences]
    report = Report(books.checked | money.checked, found)
    free = Change.objects.filter(GOING, supplier=supplier).exclude(kind="contact")
    report.waiting = free.filter(may_go(connection)).count()
    report.held_back = free.count() - report.waiting
    report.problems = Problem.objects.filter(connection=connection, solved_at=None).count()
    return report


@dataclass(frozen=True)
class _Facts:
    """What we know of some documents, a few queries for all."""

    links: Mapping[str, Link]  # by Xero's id
    twins: Mapping[UUID, str]  # document → the Xero id that we know it by
    invoices: Mapping[UUID, Invoice]
    lines: Mapping[UUID, Sequence[InvoiceLine]]
    contacts: Mapping[UUID, str]  # customer → contact id
    in_doubt: frozenset[UUID]
    bare: frozenset[UUID]
    untracked: frozenset[UUID]
    elsewhere: frozenset[UUID]  # marks that are other wholesalers' invoices


class Books:
    """Both sides of one connection's books, read page by page."""

    def __init__(self, connection: Connection, reader: Reader) -> None:
        self.connection = connection
        self._reader = reader
        self.expected = Expectation(connection, reader.whole("Accounts"), reader.whole("Items"))
        self.merged: dict[str, str] = {}
        self._seen: set[UUID] = set()  # documents found in Xero
        self._raced: list[str] = []  # Xero ids that were written to while we read
        self.checked = {"contacts": 0, "invoices": 0}

    def findings(self, *, contacts_too: bool = True) -> Iterator[Finding]:
        """Everything that isn't equal."""
        found = list(self._contacts())
        if contacts_too:
            yield from found
        for look in self._reader.pages("Invoices", where='Type=="ACCREC"', order="InvoiceID"):
            yield from self.judge(look)
        yield from self._not_seen()
        for look in self._reader.by_ids("Invoices", self._raced):
            yield from self.judge(look, final=True)
        self.checked["invoices"] = len(self._seen)

    # --- invoices -------------------------------------------------------------------------------------------------

    def judge(self, look: Look, *, final: bool = False) -> Iterator[Finding]:
        """What isn't equal among these elements. Unless `final`, those sent since the look are put off."""
        for start in range(0, len(look.elements), CHUNK):
            some = look.elements[start : start + CHUNK]
            facts = self._facts(some)
            for element in some:
                link = facts.links.get(element["InvoiceID"].lower())
                if link and not final and link.sent_at and link.sent_at >= look.asked_at:
                    self._seen.add(link.document)
                    self._raced.append(element["InvoiceID"])
                elif found := self._judge_one(facts, element, link):
                    yield found

    def _judge_one(self, facts: _Facts, element: Element, link: Link | None) -> Finding | None:
        document = link.document if link else read_mark(element.get("Url"))
        if document is None:
            return None
        invoice = facts.invoices.get(document)
        removed = element.get("Status") in REMOVED
        if link is None and (removed or document in facts.in_doubt):
            return None
        if invoice is None or (link is None and invoice.status == Invoice.Status.VOID):
            return self._judge_stray(facts, element, document, invoice)
        if link is None and (document in facts.twins or document in self._seen):
            twin = facts.twins.get(document, invoice.number)
            theirs = f"{element.get('InvoiceNumber', '')} {element['InvoiceID']}"
            return finding(Case.STRAY, "invoice", document, invoice.number, [("double", twin, theirs)], element)
        self._seen.add(document)
        contact = facts.contacts.get(invoice.customer_id, "")
        found = self.expected.compare(
            invoice,
            facts.lines[document],
            element,
            link,
            [self.merged.get(one, one) for one in (contact.lower(), contact_sent(link)) if one],
            bare=document in facts.bare,
            untracked=document in facts.untracked,
        )
        case = case_of(invoice, element)
        return finding(case, "invoice", document, invoice.number, found, element) if found else None

    def _judge_stray(self, facts: _Facts, element: Element, document: UUID, invoice: Invoice | None) -> Finding | None:
        """A live document with a mark of ours that nothing open here stands for; other programs' marks aren't ours."""
        prefix = str(element.get("Url", "")).startswith(f"{settings.PUBLIC_URL}/")
        if invoice is None and (document in facts.elsewhere or not prefix):
            return None
        number = str(element.get("InvoiceNumber", ""))
        ours = "void" if invoice else ""
        return finding(Case.STRAY, "invoice", document, number, [("exists", ours, number)], element)

    def _not_seen(self) -> Iterator[Finding]:
        """Linked documents that no page showed are asked for by id; then the ones that should be linked and aren't."""
        linked = Link.objects.filter(connection=self.connection, kind="invoice").values_list("document", "xero_id")
        missing = [pair for pair in linked.iterator() if pair[0] not in self._seen]
        for look in self._reader.by_ids("Invoices", [xero_id for _, xero_id in missing]):
            yield from self.judge(look)
        for document, xero_id in missing:
            if document not in self._seen:
                yield from self._exists_here_only(document, xero_id)
        told = Change.objects.filter(
            supplier=self.connection.supplier_id, kind="invoice", settled__gte=F("revision")
        ).values_list("document", flat=True)
        unlinked = told.exclude(document__in=linked.values("document"))
        for document in unlinked:
            if document not in self._seen:
                yield from self._exists_here_only(document, "never linked")

    def _exists_here_only(self, document: UUID, xero_id: str) -> Iterator[Finding]:
        invoice = Invoice.objects.filter(supplier=self.connection.supplier_id, pk=document).first()
        if invoice is None or invoice.status == Invoice.Status.VOID:
            return
        self._seen.add(document)
        unequal = [("exists", invoice.number, f"none ({xero_id})")]
        yield finding(Case.GONE, "invoice", document, invoice.number, unequal, None)

    def _facts(self, elements: Sequence[Element]) -> _Facts:
        ids = [element["InvoiceID"].lower() for element in elements]
        marks = {mark for element in elements if (mark := read_mark(element.get("Url")))}
        mine = Link.objects.filter(connection=self.connection, kind="invoice")
        links = {link.xero_id.lower(): link for link in mine.filter(xero_id__in=ids)}
        documents = marks | {link.document for link in links.values()}
        invoices = Invoice.objects.filter(supplier=self.connection.supplier_id).in_bulk(list(documents))
        lines: dict[UUID, list[InvoiceLine]] = defaultdict(list)
        for line in InvoiceLine.objects.filter(invoice__in=list(invoices)).order_by("invoice", "position"):
            lines[line.invoice_id].append(line)
        customers = {invoice.customer_id for invoice in invoices.values()}
        contacts = Link.objects.filter(connection=self.connection, kind="contact", document__in=customers)
        here = {"connection": self.connection, "kind": "invoice", "document__in": list(documents)}
        unknown = documents - invoices.keys()
        return _Facts(
            links,
            dict(mine.filter(document__in=list(documents)).values_list("document", "xero_id")),
            invoices,
            lines,
            dict(contacts.values_list("document", "xero_id")),
            frozenset(DispatchDocument.objects.filter(**here).values_list("document", flat=True)),
            frozenset(WithoutItemCodes.objects.filter(**here).values_list("document", flat=True)),
            frozenset(WithoutTracking.objects.filter(**here).values_list("document", flat=True)),
            frozenset(Invoice.objects.filter(pk__in=unknown).values_list("pk", flat=True)) if unknown else frozenset(),
        )

    # --- contacts -------------------------------------------------------------------------------------------------

    def _contacts(self) -> Iterator[Finding]:
        links = Link.objects.filter(connection=self.connection, kind="contact")
        wanted = {xero_id.lower() for xero_id in links.values_list("xero_id", flat=True)}
        status: dict[str, str] = {}
        shown: dict[str, Element] = {}
        marked: list[tuple[UUID, Element]] = []
        for look in self._reader.pages("Contacts", includeArchived="true", order="ContactID"):
            for contact in look.elements:
                key = contact["ContactID"].lower()
                status[key] = contact.get("ContactStatus", "ACTIVE")
                if key in wanted:
                    shown[key] = _brief(contact)
                if merged_to := contact.get("MergedToContactID"):
                    self.merged[key] = merged_to.lower()
                if mark := read_contact_mark(contact.get("ContactNumber")):
                    marked.append((mark, _brief(contact)))
        rows = list(links)
        names = dict(Customer.objects.filter(supplier=self.connection.supplier_id).values_list("pk", "trading_name"))
        self.checked["contacts"] = len(rows)
        for link in rows:
            if found := self._compare_contact(link, names.get(link.document, ""), shown, status):
                yield Finding(Case.DIFFERS, "contact", link.document, found)
        yield from self._stray_contacts({link.document: link for link in rows}, names, marked)

    def _compare_contact(
        self, link: Link, ours: str, shown: Mapping[str, Element], status: Mapping[str, str]
    ) -> list[Difference]:
        key = link.xero_id.lower()
        target = self.merged.get(key, key)
        if target not in status:
            return [Difference("contact", ours, "exists", ours, f"none ({link.xero_id})")]
        found = []
        if status[target] != "ACTIVE":
            found.append(Difference("contact", ours, "status", "ACTIVE", status[target]))
        if link.matched or target != key:  # somebody else's contact: nothing of ours is written on it
            return found
        theirs = shown[key]
        if read_contact_mark(theirs.get("ContactNumber")) != link.document:
            number = str(theirs.get("ContactNumber", ""))
            found.append(Difference("contact", ours, "contact_number", f"pv-{link.document}", number))
        if self._name_is_wrong(link, ours, theirs):
            found.append(Difference("contact", ours, "name", _contact_name(ours), str(theirs.get("Name", ""))))
        return found

    def _name_is_wrong(self, link: Link, ours: str, theirs: Element) -> bool:
        """Judged only while nobody renamed it: not here since it was sent, and not touched in Xero since."""
        sent = json.loads(link.sent).get("Name", "") if link.sent else ""
        untouched = not link.updated or theirs.get("UpdatedDateUTC") == link.updated
        return sent == _contact_name(ours) and untouched and theirs.get("Name") != sent

    def _stray_contacts(
        self, links: Mapping[UUID, Link], names: Mapping[UUID, str], marked: Iterable[tuple[UUID, Element]]
    ) -> Iterator[Finding]:
        refusals = ContactRefusal.objects.filter(connection=self.connection)
        refused = {(customer, contact.lower()) for customer, contact in refusals.values_list("customer", "contact_id")}
        for mark, contact in marked:
            if contact.get("ContactStatus", "ACTIVE") != "ACTIVE" or (mark, contact["ContactID"].lower()) in refused:
                continue
            theirs, link = str(contact.get("Name", "")), links.get(mark)
            if mark not in names and not Customer.objects.filter(pk=mark).exists():
                yield finding(Case.STRAY, "contact", mark, theirs, [("exists", "", theirs)], contact)
            elif link and not link.matched and link.xero_id.lower() != contact["ContactID"].lower():
                double = ("double", link.xero_id, contact["ContactID"])
                yield finding(Case.STRAY, "contact", mark, names[mark], [double], contact)


def read_contact_mark(number: Any) -> UUID | None:
    """The uuid in a contact number of ours, `pv-<uuid>`, or of a customer's second contact `pv-<uuid>-2`."""
    text = str(number or "")
    marked = text.startswith("pv-") and text[39:40] in ("", "-")
    return read_uuid(text[3:39]) if marked else None


def _brief(contact: Element) -> Element:
    names = ("ContactID", "ContactNumber", "ContactStatus", "Name", "UpdatedDateUTC")
    return {name: contact[name] for name in names if name in contact}


def _contact_name(name: str) -> str:
    """A name as Xero can hold it: single spaces, round brackets for angle ones, at most 255 characters."""
    return " ".join(name.translate({ord("<"): "(", ord(">"): ")"}).split())[:255]
