"""What our documents should look like in Xero: worked out from rows and settings, apart from what sends them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from provender.invoicing.models import CreditNote, DocumentLine, Invoice, LineKind
from provender.suppliers.models import TaxKind
from provender.sync.models import CategoryBinding, Connection, Link, OptionBinding
from provender.sync.verify_reading import Element, read_day, read_moment

REMOVED = ("VOIDED", "DELETED")
LADDER = ("DRAFT", "SUBMITTED", "AUTHORISED", "PAID")
CHART_MAY_BE_OLD = timedelta(hours=1)
LONGEST_REFERENCE = 255

Document = Invoice | CreditNote
Unequal = tuple[str, str, str]
"""A field that isn't the same: its name, ours, Xero's."""


class Expectation:
    """What our rows should look like in Xero, worked out from the rows, the settings and Xero's own lists."""

    def __init__(self, connection: Connection, accounts: Iterable[Element], items: Iterable[Element]) -> None:
        self._connection = connection
        self._codes = {one["AccountID"].lower(): one["Code"] for one in accounts if one.get("Code")}
        self._items = {one["Code"].casefold(): one for one in items if one.get("Code") and one.get("IsSold", True)}
        mine = CategoryBinding.objects.filter(connection=connection)
        self._categories = {str(one.property_id): (one.category_id.lower(), one.bound_at) for one in mine}
        chosen = OptionBinding.objects.filter(connection=connection)
        self._options = {str(one.option_id): (one.xero_id.lower(), one.bound_at) for one in chosen}

    def compare(
        self,
        document: Document,
        lines: Sequence[DocumentLine],
        theirs: Element,
        link: Link | None,
        contacts: Sequence[str],
        *,
        bare: bool,
        untracked: bool,
    ) -> list[Unequal]:
        """Every field that isn't what it should be; `contacts`: its customer's now, and when it was sent."""
        status = ("status", self._expected_status(document, str(theirs.get("Status", ""))), theirs.get("Status"))
        if document.status == Invoice.Status.VOID or theirs.get("Status") in REMOVED:
            return unequal([status])
        comment = document.comment if isinstance(document, Invoice) else ""
        shown = theirs.get("LineItems") or []
        pairs = [*_head(document, theirs, contacts), status, ("lines", len(lines) + bool(comment), len(shown))]
        remembered = self._remembered(link)
        for place, (line, item) in enumerate(zip(lines, shown, strict=False)):
            before = remembered[place] if place < len(remembered) else None
            fields = self._line(line, item, before, self._knew_items_at(link), bare=bare)
            fields += self._tracking([] if untracked else line.tracking, item.get("Tracking") or [], link)
            pairs += [(f"lines[{place}].{name}", ours, xero) for name, ours, xero in fields]
        if comment and len(shown) > len(lines):
            pairs += _comment(f"lines[{len(lines)}]", comment, shown[len(lines)])
        return unequal(pairs)

    def _expected_status(self, document: Document, theirs: str) -> str:
        """Theirs, when it may be so: a bookkeeper approves and pays, and drafts stay drafts after a new setting."""
        if document.status == Invoice.Status.VOID:
            return theirs if theirs in REMOVED else "VOIDED"
        chosen = self._connection
        lowest = str(chosen.invoice_status if isinstance(document, Invoice) else chosen.credit_note_status)
        saved_at = chosen.settings_saved_at
        if saved_at and document.created_at < saved_at:
            lowest = "DRAFT"  # it may have gone under another setting
        return theirs if theirs in LADDER[LADDER.index(lowest) :] else lowest

    def _line(
        self, line: DocumentLine, theirs: Element, before: Element | None, knew_at: datetime | None, *, bare: bool
    ) -> list[tuple[str, Any, Any]]:
        account = before.get("AccountCode") if before else self._account(line)
        tax_type = before.get("TaxType") if before else self._tax_type(line)
        return [
            ("description", _folded(line.description), _folded(theirs.get("Description"))),
            ("quantity", line.quantity, theirs.get("Quantity")),
            ("unit_amount", line.unit_price, theirs.get("UnitAmount")),
            ("account_code", account, theirs.get("AccountCode")),
            ("tax_type", tax_type, theirs.get("TaxType")),
            ("item_code", *self._item_codes(line, str(theirs.get("ItemCode") or ""), knew_at, bare=bare)),
            ("line_amount", line.amount, theirs.get("LineAmount")),
            ("tax_amount", line.tax, theirs.get("TaxAmount")),
        ]

    def _tracking(
        self, ours: Iterable[Mapping[str, Any]], theirs: Iterable[Element], link: Link | None
    ) -> list[tuple[str, Any, Any]]:
        """The options that should be on a line, and those that are, of the categories that we send."""
        sent_at = link.sent_at if link else None
        judged = {name: at for name, at in self._categories.values() if not (sent_at and at > sent_at)}
        expected: dict[str, str] = {}
        for one in ours:
            category, _ = self._categories.get(one["property"], ("", None))
            option, bound_at = self._options.get(one["option"], ("", None))
            if sent_at and bound_at and bound_at > sent_at:
                judged.pop(category, None)
            elif category:
                expected[category] = option
        if not expected and not (link and '"Tracking"' in link.sent):
            return []  # tracking that we never sent is the bookkeeper's own
        there = {one["TrackingCategoryID"].lower(): one["TrackingOptionID"].lower() for one in theirs}
        return [("tracking", expected.get(each, ""), there.get(each, "")) for each in judged]

    def _account(self, line: DocumentLine) -> str:
        """Product: its own code, Sales, Invoice. Freight, surcharge: their own, Invoice. Others: Invoice, Sales."""
        chosen = self._connection
        ways = {
            LineKind.PRODUCT.value: (chosen.sales_account, chosen.invoice_account),
            LineKind.FREIGHT.value: (chosen.freight_account, chosen.invoice_account),
            LineKind.SURCHARGE.value: (chosen.surcharge_account, chosen.invoice_account),
            LineKind.OTHER.value: (chosen.invoice_account, chosen.sales_account),
        }
        if line.kind == LineKind.PRODUCT and line.sales_account:
            return line.sales_account
        codes = [self._codes.get(account.lower(), "") for account in ways[line.kind]]
        return next(filter(None, codes), "")

    def _tax_type(self, line: DocumentLine) -> str:
        return {TaxKind.GST.value: self._connection.tax_type_gst, TaxKind.FREE.value: self._connection.tax_type_free}[
            line.tax_kind
        ]

    def _item_codes(self, line: DocumentLine, theirs: str, knew_at: datetime | None, *, bare: bool) -> tuple[str, str]:
        """Ours and theirs. None is wrong only if Xero had the item when we sent; what we sent stays though it goes."""
        if line.kind != LineKind.PRODUCT or bare or not line.sku:
            return "", theirs
        if theirs:
            return (theirs if theirs.casefold() == line.sku.casefold() else line.sku), theirs
        item = self._items.get(line.sku.casefold())
        if item is None or knew_at is None:
            return "", ""
        touched = read_moment(item.get("UpdatedDateUTC"))
        return (item["Code"] if touched and touched < knew_at else ""), ""

    def _knew_items_at(self, link: Link | None) -> datetime | None:
        """The latest moment whose items the sender surely knew: its copy may be up to an hour old."""
        if link is None or link.sent_at is None:
            return None
        read_at = self._connection.chart_read_at
        return read_at if read_at and read_at <= link.sent_at else link.sent_at - CHART_MAY_BE_OLD

    def _remembered(self, link: Link | None) -> list[Element]:
        """The lines as last sent, if the settings were saved anew since; else none: the settings are the measure."""
        saved_at = self._connection.settings_saved_at
        if link is None or not link.sent or not link.sent_at or not saved_at or link.sent_at >= saved_at:
            return []
        lines: list[Element] = json.loads(link.sent).get("LineItems") or []
        return lines


def _head(document: Document, theirs: Element, contacts: Sequence[str]) -> list[tuple[str, Any, Any]]:
    there = str((theirs.get("Contact") or {}).get("ContactID", "")).lower()
    return [
        *(_invoice_head(document, theirs) if isinstance(document, Invoice) else _credit_head(document, theirs)),
        ("contact", there if there in contacts else next(iter(contacts), ""), there),
        ("date", document.date, read_day(theirs.get("Date"))),
        ("currency", document.currency, theirs.get("CurrencyCode")),
        ("line_amount_types", "Exclusive", theirs.get("LineAmountTypes")),
        ("subtotal", document.subtotal, theirs.get("SubTotal")),
        ("total_tax", document.tax, theirs.get("TotalTax")),
        ("total", document.total, theirs.get("Total")),
    ]


def _invoice_head(invoice: Invoice, theirs: Element) -> list[tuple[str, Any, Any]]:
    mark = read_mark(theirs.get("Url"))
    parts = [invoice.order_numbers] if invoice.order_numbers else []
    if invoice.purchase_order:
        parts.append(f"PO {invoice.purchase_order}")
    return [
        ("type", "ACCREC", theirs.get("Type")),
        ("number", invoice.number, theirs.get("InvoiceNumber")),
        ("reference", " · ".join(parts).strip()[:LONGEST_REFERENCE], theirs.get("Reference")),
        ("url", f"…/{invoice.pk}", f"…/{mark}" if mark else theirs.get("Url")),
        ("due_date", invoice.due_date, read_day(theirs.get("DueDate"))),
    ]


def _credit_head(credit_note: CreditNote, theirs: Element) -> list[tuple[str, Any, Any]]:
    """Its reference says what it is of and why, shortened so that our mark always ends it."""
    mark = f"pv-{credit_note.pk}"
    words = [credit_note.invoice.number if credit_note.invoice else "", credit_note.reason]
    about = " ".join(" · ".join(word for word in words if word).split())
    return [
        ("type", "ACCRECCREDIT", theirs.get("Type")),
        ("number", credit_note.number, theirs.get("CreditNoteNumber")),
        ("reference", f"{about[: LONGEST_REFERENCE - len(mark) - 1].rstrip()} {mark}".strip(), theirs.get("Reference")),
    ]


def _comment(place: str, comment: str, theirs: Element) -> list[tuple[str, Any, Any]]:
    return [
        (f"{place}.description", _folded(comment), _folded(theirs.get("Description"))),
        (f"{place}.line_amount", Decimal(0), theirs.get("LineAmount") or Decimal(0)),
    ]


def unequal(pairs: Iterable[tuple[str, Any, Any]]) -> list[Unequal]:
    """Those of these fields (name, ours, Xero's) that aren't the same, as text."""
    return [(name, _text(ours), _text(xero)) for name, ours, xero in pairs if not _same(ours, xero)]


def read_mark(url: Any) -> UUID | None:
    """The uuid at the end of an address of ours, `…/invoice/<uuid>`."""
    parts = urlsplit(str(url or "")).path.rstrip("/").split("/")
    return read_uuid(parts[-1]) if len(parts) > 1 and parts[-2] == "invoice" else None


def read_uuid(text: str) -> UUID | None:
    """The uuid that a text is, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def contact_sent(link: Link | None) -> str:
    """The contact that a document went with: its customer may have been linked to another one since."""
    sent = json.loads(link.sent) if link and link.sent else {}
    return str((sent.get("Contact") or {}).get("ContactID", "")).lower()


def _folded(text: Any) -> str:
    """A text by its lines, without what stands around them."""
    return "\n".join(str(text or "").strip().splitlines())[:4000].strip()


def _same(ours: Any, xero: Any) -> bool:
    if isinstance(ours, Decimal | int):
        return xero is not None and ours == Decimal(str(xero))
    return _text(ours) == _text(xero)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
