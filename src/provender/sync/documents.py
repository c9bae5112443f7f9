"""Our documents as Xero's elements, built from rows: what is sent, nothing else.

An element is a dict in Xero's names with Decimals. What is missing (an account, a tax type) is a Trouble for that
document alone; the others go on. Whether an account is archived or a period locked is Xero's to say.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from provender.basics.money import is_half_a_cent
from provender.customers.models import Customer
from provender.invoicing.models import Invoice, InvoiceLine, LineKind
from provender.suppliers.models import TaxKind
from provender.sync.models import Connection, Link, WithoutItemCodes
from provender.xero import wire

COMMENT_KEY = "comment"  # the line that carries the customer's comment has no row of ours
CONTACT_NUMBER = "pv-"
COUNTRY_NAMES = {"AU": "Australia", "NZ": "New Zealand", "GB": "United Kingdom"}

Element = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """What the mirror says of one organisation, loaded once for many documents."""

    codes: Mapping[str, str]  # account id -> code
    items: Mapping[str, str]  # item code as written, and folded -> Xero's own spelling

    @classmethod
    def load(cls, connection: Connection) -> "Chart":
        """Two queries."""
        items = list(connection.items.filter(sold=True).exclude(code="").values_list("code", flat=True))
        spelled = {code.casefold(): code for code in items} | {code: code for code in items}
        return cls(dict(connection.accounts.exclude(code="").values_list("account_id", "code")), spelled)

    def item_code(self, sku: str) -> str:
        """Xero's spelling of that item's code, or "" when Xero has no such item."""
        return self.items.get(sku) or self.items.get(sku.casefold()) or ""


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
    amount: Decimal
    tax_rate: Decimal
    tax: Decimal


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


def contact_number(customer: UUID) -> str:
    """Our customer's mark on a contact that we made."""
    return f"{CONTACT_NUMBER}{customer}"


def is_ours(url: str | None, document: UUID) -> bool:
    """Whether a document in Xero carries our document's mark."""
    return bool(url) and str(url).rstrip("/").endswith(str(document))


def build_contact(customer: Customer, revision: int) -> Built:
    """A contact to create: name, our number, and what we know for sure."""
    element: Element = {"Name": clean_name(customer.trading_name), "ContactNumber": contact_number(customer.pk)}
    if customer.email:
        element["EmailAddress"] = customer.email
    if customer.tax_number:
        element["TaxNumber"] = customer.tax_number
    if customer.phone:
        element["Phones"] = [{"PhoneType": "DEFAULT", "PhoneNumber": customer.phone}]
    if address := _address(customer):
        element["Addresses"] = [address]
    return Built(customer.pk, revision, element["ContactNumber"], wire.encode_element(element), customer=customer.pk)


def clean_name(name: str) -> str:
    """A contact's name as Xero takes it: no leading, trailing or repeated spaces, no angle brackets."""
    return " ".join(name.replace("<", "(").replace(">", ")").split())[:255]


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


class InvoiceBuilder:
    """Builds many invoices of one connection with a handful of queries."""

    def __init__(self, connection: Connection, chart: Chart) -> None:
        self._connection = connection
        self._chart = chart

    def build(
        self, revisions: Mapping[UUID, int], links: Mapping[UUID, Link], contacts: Mapping[UUID, str]
    ) -> list[Built | Trouble]:
        """Elements for the invoices named by `revisions` (id → revision read before); `contacts` is customer → id.

        An invoice with a link becomes a change: with its Xero id and line ids, and without Status.
        """
        invoices = Invoice.objects.filter(supplier=self._connection.supplier_id, pk__in=revisions)
        lines: dict[UUID, list[Line]] = defaultdict(list)
        rows = InvoiceLine.objects.filter(invoice__in=list(revisions)).order_by("invoice", "position")
        for invoice, *line in rows.values_list("invoice", *Line._fields):
            lines[invoice].append(Line._make(line))
        bare = set(
            WithoutItemCodes.objects.filter(
                connection=self._connection, kind="invoice", document__in=revisions
            ).values_list("document", flat=True)
        )
        return [
            self._build_one(
                invoice,
                lines[invoice.pk],
                revisions[invoice.pk],
                links.get(invoice.pk),
                contacts[invoice.customer_id],
                with_codes=invoice.pk not in bare,
            )
            for invoice in invoices
            if invoice.customer_id in contacts
        ]

    def _build_one(
        self,
        invoice: Invoice,
        lines: Sequence[Line],
        revision: int,
        link: Link | None,
        contact: str,
        *,
        with_codes: bool,
    ) -> Built | Trouble:
        items: list[Element] = []
        for line in lines:
            item = self._line(line, with_codes=with_codes)
            if isinstance(item, str):
                return Trouble(invoice.pk, revision, item, {"line": line.description}, invoice.customer_id)
            items.append(item)
        keys = [str(line.key) for line in lines]
        if invoice.comment:
            items.append({"Description": clean_text(invoice.comment)})
            keys.append(COMMENT_KEY)
        element = self._head(invoice, contact)
        if link:
            element["InvoiceID"] = link.xero_id
            for key, item in zip(keys, items, strict=True):
                if twin := link.lines.get(key):
                    item["LineItemID"] = twin
                    if not with_codes:  # left out it would stay, since this line is only changed
                        item.setdefault("ItemCode", "")
        else:
            element["Status"] = self._connection.invoice_status
        element["LineItems"] = items
        return Built(
            invoice.pk,
            revision,
            invoice.number,
            wire.encode_element(element),
            invoice.total,
            link.xero_id if link else "",
            tuple(keys),
            invoice.customer_id,
        )

    def _head(self, invoice: Invoice, contact: str) -> Element:
        return {
            "Type": "ACCREC",
            "Contact": {"ContactID": contact},
            "InvoiceNumber": invoice.number,
            "Reference": reference(invoice),
            "Url": invoice_url(invoice.pk),
            "Date": invoice.date,
            "DueDate": invoice.due_date,
            "CurrencyCode": invoice.currency,
            "LineAmountTypes": "Exclusive",
        }

    def _line(self, line: Line, *, with_codes: bool) -> Element | str:
        """The line as Xero takes it, or the cause that it can't be built."""
        account = self._account(line)
        if not account:
            return "no-account"
        tax_type = self._connection.tax_type_gst if line.tax_kind == TaxKind.GST else self._connection.tax_type_free
        if not tax_type:
            return "no-tax-type"
        item: Element = {
            "Description": clean_text(line.description),
            "Quantity": line.quantity,
            "UnitAmount": line.unit_price,
            "AccountCode": account,
            "TaxType": tax_type,
        }
        if is_half_a_cent(line.amount, line.tax_rate):  # Xero doesn't say which way it rounds: we say which we did
            item["TaxAmount"] = line.tax
        code = self._chart.item_code(line.sku) if with_codes and line.kind == LineKind.PRODUCT and line.sku else ""
        if code:
            item["ItemCode"] = code
        return item

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


def reference(invoice: Invoice) -> str:
    """Order numbers and the customer's purchase order number, as they stand in Xero's Reference."""
    parts = [invoice.order_numbers, f"PO {invoice.purchase_order}" if invoice.purchase_order else ""]
    return clean_text(" · ".join(part for part in parts if part))[:255]


def clean_text(text: str) -> str:
    """A description as Xero gives it back: one kind of line end, nothing around it, at most 4,000 characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()[:4000].rstrip()


def removal_element(xero_id: str, status: str) -> bytes:
    """A void, or for what was never approved a deletion."""
    wanted = "DELETED" if status in {"DRAFT", "SUBMITTED"} else "VOIDED"
    return wire.encode_element({"InvoiceID": xero_id, "Status": wanted})


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
