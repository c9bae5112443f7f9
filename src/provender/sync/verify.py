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
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F

from provender.basics import clock
from provender.changes.models import Change
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
from provender.sync.problems import note_problem
from provender.sync.verify_expected import REMOVED, Expectation, contact_sent, read_mark, read_uuid
from provender.sync.verify_money import MoneyBooks
from provender.sync.verify_reading import Element, Look, Reader

CHUNK = 100  # documents whose rows are held at a time; their lines are many
DECIDED = ("kept Xero's", "left as it is")


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


@dataclass(frozen=True)
class Finding:
    """One document that isn't equal. `stray`: it stands in Xero for nothing that is open here."""

    document: UUID
    differences: list[Difference]
    theirs: Element | None = None
    stray: bool = False


def verify_books(supplier: Supplier) -> Report:
    """Compare every document that was sent with Xero, and every document in Xero that carries our mark with ours.

    Raises NotConnectedHere, NeedsReconnecting, XeroBusy, XeroRefused.
    """
    connection = supplier.connections.exclude(state=Connection.State.DISCONNECTED).first()
    if connection is None:
        raise NotConnectedHere(supplier.name)
    with Reader(connection, for_a_person=True) as reader:
        books = _Books(connection, reader)
        found = [one for finding in books.findings() for one in finding.differences]
        money = MoneyBooks(connection, reader, books.expected, books.merged)
        found += [Difference(**asdict(one)) for one in money.differences()]
    report = Report(books.checked | money.checked, found)
    unsettled = Change.objects.filter(supplier=supplier, revision__gt=F("settled")).exclude(kind="contact")
    free = unsettled.filter(revision__gt=F("parked"))
    report.waiting = free.filter(may_go(connection)).count()
    report.held_back = free.count() - report.waiting
    report.problems = Problem.objects.filter(connection=connection, solved_at=None).count()
    return report


def compare_nightly(connection: Connection) -> int:
    """Make a Problem of each invoice that is in step by our reckoning and isn't. Returns how many there are new.

    Changes in Xero that don't move its time stamp show only here. What a person decided to keep as it is stays quiet
    for as long as it stays so. Raises what `verify_books` raises.
    """
    noted = 0
    with Reader(connection, for_a_person=False) as reader:
        books = _Books(connection, reader)
        for finding in books.findings(contacts_too=False):
            noted += _note(books, finding)
    return noted


def _note(books: "_Books", finding: Finding) -> bool:
    """Whether the finding became a Problem; one that waits, is in doubt, or is a Problem already did not."""
    connection, document = books.connection, finding.document
    about = {"connection": connection, "kind": "invoice", "document": document}
    change = Change.objects.filter(supplier=connection.supplier_id, kind="invoice", document=document).first()
    moving = change is not None and change.revision > max(change.settled, change.parked)
    if moving or DispatchDocument.objects.filter(**about).exists():
        return False
    if Problem.objects.filter(**about, solved_at=None).exists():
        return False
    revision = change.revision if change else 0
    if _was_decided(books, finding, Problem.objects.filter(**about, revision=revision, how__in=DECIDED).last()):
        return False
    first = finding.differences[0]
    words = {"number": first.number, "changes": "; ".join(str(one) for one in finding.differences[:3])}
    shown = json.dumps(finding.theirs, default=str) if finding.theirs else ""
    note_problem(
        connection, "invoice", document, revision, "orphan" if finding.stray else "differs", words, shown=shown
    )
    return True


def _was_decided(books: "_Books", finding: Finding, problem: Problem | None) -> bool:
    """Whether a person saw just this and let it be."""
    if problem is None:
        return False
    if finding.theirs is None or not problem.shown:
        return True
    shown = Look([json.loads(problem.shown, parse_float=Decimal)], clock.database_now())
    seen = [one.differences for one in books.judge(shown, final=True) if one.document == finding.document]
    return seen == [finding.differences]


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


class _Books:
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
            return Finding(document, [Difference("invoice", invoice.number, "double", twin, theirs)], stray=True)
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
        differences = [Difference("invoice", invoice.number, *one) for one in found]
        return Finding(document, differences, element) if differences else None

    def _judge_stray(self, facts: _Facts, element: Element, document: UUID, invoice: Invoice | None) -> Finding | None:
        """A live document with a mark of ours that nothing open here stands for; other programs' marks aren't ours."""
        prefix = str(element.get("Url", "")).startswith(f"{settings.PUBLIC_URL}/")
        if invoice is None and (document in facts.elsewhere or not prefix):
            return None
        number = str(element.get("InvoiceNumber", ""))
        ours = "void" if invoice else ""
        return Finding(document, [Difference("invoice", number, "exists", ours, number)], stray=True)

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
        for document in unlinked.iterator():
            if document not in self._seen:
                yield from self._exists_here_only(document, "never linked")

    def _exists_here_only(self, document: UUID, xero_id: str) -> Iterator[Finding]:
        invoice = Invoice.objects.filter(supplier=self.connection.supplier_id, pk=document).first()
        if invoice is None or invoice.status == Invoice.Status.VOID:
            return
        self._seen.add(document)
        yield Finding(document, [Difference("invoice", invoice.number, "exists", invoice.number, f"none ({xero_id})")])

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
                yield Finding(link.document, found)
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
                yield Finding(mark, [Difference("contact", theirs, "exists", "", theirs)], stray=True)
            elif link and not link.matched and link.xero_id.lower() != contact["ContactID"].lower():
                double = Difference("contact", names[mark], "double", link.xero_id, contact["ContactID"])
                yield Finding(mark, [double], stray=True)


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
