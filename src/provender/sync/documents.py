"""Our documents as Xero's elements, built from rows: what is sent, nothing else.

An element is a dict in Xero's names with Decimals. What is missing (an account, a tax type) is a Trouble for that
document alone; the others go on. Whether an account is archived or a period locked is Xero's to say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Date  # noqa: N812 -- a field is named date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from provender.basics.money import is_half_a_cent
from provender.basics.rows import read_values
from provender.basics.texts import some_lines
from provender.customers.models import Customer
from provender.invoicing.models import CreditNote, CreditNoteLine, Invoice, InvoiceLine, LineKind
from provender.properties.queries import Carried
from provender.suppliers.models import TaxKind
from provender.sync.kinds import MARK, is_marked, marked
from provender.sync.mirror import clean_name
from provender.sync.models import Connection, Link, ToApprove, WithoutItemCodes, WithoutTracking
from provender.sync.tracking import MISSING, Lacking, Tracking
from provender.xero import wire

COMMENT_KEY = "comment"  # the line that carries the customer's comment has no row of ours
UNAPPROVED = frozenset({"DRAFT", "SUBMITTED"})
COUNTRY_NAMES = {"AU": "Australia", "NZ": "New Zealand", "GB": "United Kingdom"}

Element = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """What the mirror says of one organisation, loaded once for many documents."""

    codes: Mapping[str, str]  # account id -> code
    items: Mapping[str, str]  # item code as written, and folded -> Xero's own spelling
    tracking: Tracking = field(default_factory=Tracking)

    @classmethod
    def load(cls, connection: Connection) -> "Chart":
        """A handful of queries."""
        spelled = spell_items(connection)
        codes = dict(connection.accounts.exclude(code="").values_list("account_id", "code"))
        return cls(codes, spelled, Tracking.load(connection))

    def item_code(self, sku: str) -> str:
        """Xero's spelling of that item's code, or "" when Xero has no such item."""
        return self.items.get(sku) or self.items.get(sku.casefold()) or ""


def spell_items(connection: Connection) -> dict[str, str]:
    """Codes of the items that are sold, as written and without case → Xero's own spelling; as they were last read."""
    items = list(connection.items.filter(sold=True).exclude(code="").values_list("code", flat=True))
    return {code.casefold(): code for code in items} | {code: code for code in items}


class Line(NamedTuple):
    """What is sent of an invoice line; whole model objects would cost more than all the rest of building."""

    key: UUID
    kind: str
    sku: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_kind: str
    sales_account: str
    tracking: Sequence[Carried]
    amount: Decimal
    tax_rate: Decimal
    tax: Decimal


class InvoiceHead(NamedTuple):
    """What is sent of an invoice beside its lines."""

    pk: UUID
    customer: UUID
    number: str
    date: Date
    currency: str
    total: Decimal
    due_date: Date
    order_numbers: str
    purchase_order: str
    comment: str


class CreditNoteHead(NamedTuple):
    """What is sent of a credit note beside its lines."""

    pk: UUID
    customer: UUID
    number: str
    date: Date
    currency: str
    total: Decimal
    reason: str
    invoice__number: str | None


Head = InvoiceHead | CreditNoteHead


@dataclass(frozen=True)
class Built:
    """A document ready to be sent, at the revision read before its rows."""

    document: UUID
    revision: int
    number: str
    element: bytes
    total: Decimal | None = None
    xero_id: str = ""
    line_keys: tuple[str, ...] = ()
    customer: UUID | None = None


@dataclass(frozen=True)
class Trouble:
    """Why a document can't be built; becomes its Problem."""

    document: UUID
    revision: int
    cause: str
    words: dict[str, str] = field(default_factory=dict)
    customer: UUID | None = None


def invoice_url(invoice: UUID) -> str:
    """Our invoice's own address, by which we know it again in Xero; its last part is the uuid."""
    return f"{settings.PUBLIC_URL}/invoice/{invoice}"


def contact_number(customer: UUID, nth: int = 1) -> str:
    """Our customer's mark on a contact that we made; a later one has another, when a person refused the first."""
    return f"{MARK}{customer}" if nth == 1 else f"{MARK}{customer}-{nth}"


def is_ours(theirs: wire.Invoice | wire.CreditNote, document: UUID) -> bool:
    """Whether a document in Xero carries our document's mark."""
    if isinstance(theirs, wire.CreditNote):
        return is_marked(theirs.reference, document)
    return bool(theirs.url) and str(theirs.url).rstrip("/").endswith(str(document))


def build_contact(customer: Customer, revision: int, number: str) -> Built:
    """A contact to create: name, our number, and what we know for sure."""
    element: Element = {"Name": clean_name(customer.trading_name), "ContactNumber": number}
    if customer.email:
        element["EmailAddress"] = customer.email
    if customer.tax_number:
        element["TaxNumber"] = customer.tax_number
    if customer.phone:
        element["Phones"] = [{"PhoneType": "DEFAULT", "PhoneNumber": customer.phone}]
    if address := _address(customer):
        element["Addresses"] = [address]
    return Built(customer.pk, revision, number, wire.encode_element(element), customer=customer.pk)


def _address(customer: Customer) -> Element:
    parts = {
        "AddressLine1": customer.street,
        "City": customer.city,
        "Region": customer.region,
        "PostalCode": customer.postcode,
        "Country": COUNTRY_NAMES.get(customer.country, ""),
    }
    known = {name: value for name, value in parts.items() if value}
    return {"AddressType": "STREET", **known} if known else {}


Document = Invoice | CreditNote


@dataclass(frozen=True)
class Lined:
    """A kind of document that has lines: where its rows are, and what Xero calls its id."""

    kind: str
    model: type[Invoice] | type[CreditNote]
    line: type[InvoiceLine] | type[CreditNoteLine]
    head: type[InvoiceHead] | type[CreditNoteHead]
    id: str

    def of(self, connection: Connection) -> QuerySet[Document]:
        """The wholesaler's documents of this kind."""
        rows: QuerySet[Document] = self.model._default_manager.filter(supplier=connection.supplier_id)  # noqa: SLF001 -- its public name
        return rows

    def open(self, connection: Connection) -> QuerySet[Document]:
        """Those that count."""
        return self.of(connection).filter(status=Invoice.Status.OPEN)

    def numbers(self, connection: Connection, documents: Iterable[UUID]) -> dict[UUID, str]:
        """Their numbers, by document."""
        return dict(self.of(connection).filter(pk__in=list(documents)).values_list("pk", "number"))


INVOICES = Lined("invoice", Invoice, InvoiceLine, InvoiceHead, "InvoiceID")
CREDIT_NOTES = Lined("credit_note", CreditNote, CreditNoteLine, CreditNoteHead, "CreditNoteID")
LINED = {"invoice": INVOICES, "credit_note": CREDIT_NOTES}


class _Wishes(NamedTuple):
    """How a document goes: with item codes and tracking, unless a person wished otherwise; whether it is approved."""

    codes: bool
    tracking: bool
    approve: bool


class Builder:
    """Builds many documents of one kind and connection with a handful of queries."""

    def __init__(self, connection: Connection, chart: Chart, lined: Lined = INVOICES) -> None:
        self._connection = connection
        self._chart = chart
        self._lined = lined
        self._booked: dict[tuple[str, str, str, str], Element | str] = {}

    def build(
        self, revisions: Mapping[UUID, int], links: Mapping[UUID, Link], contacts: Mapping[UUID, str]
    ) -> list[Built | Trouble]:
        """Elements for the documents named by `revisions` (id → revision read before); `contacts` is customer → id.

        One with a link becomes a change: with its Xero id and line ids, and with Status only where a person asked for
        its approval.
        """
        kind = self._lined.kind
        head, documents = self._lined.head, self._lined.of(self._connection).filter(pk__in=revisions)
        heads: list[Head] = [head._make(row) for row in read_values(documents, *head._fields)]
        rows = self._lined.line._default_manager.filter(**{f"{kind}__in": list(revisions)})  # noqa: SLF001
        read = read_values(rows.order_by(kind, "position"), kind, *Line._fields)
        lines = {
            document: [Line._make(line) for _, *line in of_it] for document, of_it in groupby(read, key=itemgetter(0))
        }
        wishes = self._wishes(revisions)
        return [
            self._build_one(
                document,
                lines.get(document.pk, []),
                revisions[document.pk],
                links.get(document.pk),
                contacts[document.customer],
                wishes[document.pk],
            )
            for document in heads
            if document.customer in contacts
        ]

    def _wishes(self, documents: Iterable[UUID]) -> dict[UUID, _Wishes]:
        """What a person wished of each of these."""
        here = {"connection": self._connection, "kind": self._lined.kind, "document__in": documents}
        bare, untracked, approved = (
            set(choice._default_manager.filter(**here).values_list("document", flat=True))  # noqa: SLF001
            for choice in (WithoutItemCodes, WithoutTracking, ToApprove)
        )
        return {pk: _Wishes(pk not in bare, pk not in untracked, pk in approved) for pk in documents}

    def _build_one(
        self, document: Head, lines: Sequence[Line], revision: int, link: Link | None, contact: str, wishes: _Wishes
    ) -> Built | Trouble:
        items: list[Element] = []
        for line in lines:
            item = self._item(line, link, wishes)
            if isinstance(item, str):
                return Trouble(document.pk, revision, item, {"line": line.description}, document.customer)
            if isinstance(item, Lacking):
                return Trouble(document.pk, revision, MISSING, item.words, document.customer)
            items.append(item)
        keys = [str(line.key) for line in lines]
        if isinstance(document, InvoiceHead) and document.comment:
            items.append({"Description": clean_text(document.comment)})
            keys.append(COMMENT_KEY)
        element = self._head(document, contact)
        if link:
            element[self._lined.id] = link.xero_id
            if wishes.approve and link.status in UNAPPROVED:
                element["Status"] = "AUTHORISED"
            for key, item in zip(keys, items, strict=True):
                if twin := link.lines.get(key):
                    item["LineItemID"] = twin
                    if not wishes.codes:  # left out it would stay, since this line is only changed
                        item.setdefault("ItemCode", "")
        else:
            element["Status"] = self._first_status()
        element["LineItems"] = items
        return Built(
            document.pk,
            revision,
            document.number,
            wire.encode_element(element),
            document.total,
            link.xero_id if link else "",
            tuple(keys),
            document.customer,
        )

    def _item(self, line: Line, link: Link | None, wishes: _Wishes) -> Element | Lacking | str:
        """The line with its tracking; or what Xero lacks for it, or the cause that it can't be built."""
        item = self._line(line, with_codes=wishes.codes)
        if isinstance(item, str):
            return item
        chosen = self._chart.tracking.choices(line.tracking) if wishes.tracking else []
        if isinstance(chosen, Lacking):
            return chosen
        # Once we have said what a document's tracking is, Xero would keep what a change leaves out.
        if chosen or (link and '"Tracking"' in link.sent):
            item["Tracking"] = chosen
        return item

    def _first_status(self) -> str:
        """A payout pays approved invoices only: with reconciling on, none goes as a draft."""
        if self._lined is CREDIT_NOTES:
            return self._connection.credit_note_status
        return (
            Connection.InvoiceStatus.AUTHORISED if self._connection.auto_reconcile else self._connection.invoice_status
        )

    def _head(self, document: Head, contact: str) -> Element:
        common = {
            "Contact": {"ContactID": contact},
            "Date": document.date,
            "CurrencyCode": document.currency,
            "LineAmountTypes": "Exclusive",
        }
        if isinstance(document, CreditNoteHead):
            about = " · ".join(part for part in (document.invoice__number, document.reason) if part)
            return {
                "Type": "ACCRECCREDIT",
                "CreditNoteNumber": document.number,
                "Reference": marked(about, document.pk),
            } | common
        return {
            "Type": "ACCREC",
            "InvoiceNumber": document.number,
            "Reference": reference(document),
            "Url": invoice_url(document.pk),
            "DueDate": document.due_date,
        } | common

    def _line(self, line: Line, *, with_codes: bool) -> Element | str:
        """The line as Xero takes it, or the cause that it can't be built."""
        how = (line.kind, line.sku if with_codes else "", line.tax_kind, line.sales_account)
        booked = self._booked.get(how)  # hundreds of lines are booked alike
        if booked is None:
            booked = self._booked[how] = self._book(line, with_codes=with_codes)
        if isinstance(booked, str):
            return booked
        item: Element = {
            "Description": clean_text(line.description),
            "Quantity": line.quantity,
            "UnitAmount": line.unit_price,
            **booked,
        }
        if is_half_a_cent(line.amount, line.tax_rate):  # Xero doesn't say which way it rounds: we say which we did
            item["TaxAmount"] = line.tax
        return item

    def _book(self, line: Line, *, with_codes: bool) -> Element | str:
        """The account, tax type and item of a line, or the cause that it can't be built."""
        account = self._account(line)
        if not account:
            return "no-account"
        tax_type = self._connection.tax_type_gst if line.tax_kind == TaxKind.GST else self._connection.tax_type_free
        if not tax_type:
            return "no-tax-type"
        code = self._chart.item_code(line.sku) if with_codes and line.kind == LineKind.PRODUCT and line.sku else ""
        return {"AccountCode": account, "TaxType": tax_type} | ({"ItemCode": code} if code else {})

    def _account(self, line: Line) -> str:
        """Design section 6: the order in which a line's account is found. "" when there is none."""
        settings_ = self._connection
        if line.kind == LineKind.PRODUCT:
            if line.sales_account:
                return line.sales_account
            wanted = (settings_.sales_account, settings_.invoice_account)
        elif line.kind == LineKind.FREIGHT:
            wanted = (settings_.freight_account, settings_.invoice_account)
        elif line.kind == LineKind.SURCHARGE:
            wanted = (settings_.surcharge_account, settings_.invoice_account)
        else:
            wanted = (settings_.invoice_account, settings_.sales_account)
        return next((self._chart.codes[one] for one in wanted if one in self._chart.codes), "")


def reference(invoice: InvoiceHead) -> str:
    """Order numbers and the customer's purchase order number, as they stand in Xero's Reference."""
    parts = [invoice.order_numbers, f"PO {invoice.purchase_order}" if invoice.purchase_order else ""]
    return clean_text(" · ".join(part for part in parts if part))[:255]


def clean_text(text: str) -> str:
    """A description as Xero gives it back: one kind of line end, nothing around it, at most 4,000 characters."""
    return some_lines(text)[:4000].rstrip()


def removal_element(lined: Lined, xero_id: str, status: str) -> bytes:
    """A void, or for what was never approved a deletion."""
    return wire.encode_element({lined.id: xero_id, "Status": "DELETED" if status in UNAPPROVED else "VOIDED"})


def batches(built: Iterable[Built], *, count: int = 50, size: int = 3_500_000) -> Iterable[list[Built]]:
    """Documents in parcels that one call may carry: at most 50 of them and 3.5 MB."""
    parcel: list[Built] = []
    weight = 0
    for one in built:
        if parcel and (len(parcel) >= count or weight + len(one.element) > size):
            yield parcel
            parcel, weight = [], 0
        parcel.append(one)
        weight += len(one.element) + 1
    if parcel:
        yield parcel
