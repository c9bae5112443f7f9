"""The frozen copy of an issued invoice, and what differs between two of them.

A copy is plain JSON: amounts, prices and quantities as strings, dates as YYYY-MM-DD, ids as text.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from provender.basics.money import show_amount, show_price, show_quantity
from provender.catalogue.models import Product
from provender.customers.models import Customer
from provender.invoicing.models import DocumentLine, Invoice, InvoiceLine, InvoiceVersion
from provender.invoicing.totals import LineDraft
from provender.suppliers.models import Supplier

Document = dict[str, Any]

_SUPPLIER = ("name", "legal_name", "tax_number", "address", "email", "phone", "country", "tax_word")
_CUSTOMER = (
    *("number", "trading_name", "legal_name", "tax_number", "email", "phone"),
    *("street", "city", "region", "postcode", "country"),
)
_HEADER = {
    "number": "Number",
    "date": "Date",
    "due_date": "Due date",
    "order_numbers": "Order number",
    "purchase_order": "Purchase order number",
    "comment": "Comment",
}
_LINE = {
    "description": "description",
    "sku": "SKU",
    "quantity": "quantity",
    "unit_price": "unit price",
    "tax_kind": "tax",
    "sales_account": "account",
}


def freeze(invoice: Invoice, lines: Sequence[InvoiceLine]) -> Document:
    """The invoice as it is issued now, with the names on it."""
    return {
        **{name: str(getattr(invoice, name)) for name in (*_HEADER, "currency", "subtotal", "tax", "total")},
        **names_of(invoice.supplier, invoice.customer),
        "lines": [freeze_line(line) for line in lines],
    }


def names_of(supplier: Supplier, customer: Customer) -> Document:
    """Who sells and who buys, as a document names them now."""
    return {
        "supplier": {name: getattr(supplier, name) for name in _SUPPLIER},
        "customer": {"id": str(customer.pk)} | {name: getattr(customer, name) for name in _CUSTOMER},
    }


def freeze_line(line: DocumentLine) -> Document:
    """One line as it is issued now."""
    return {
        "key": str(line.key),
        "kind": line.kind,
        "product": str(line.product_id) if line.product_id else None,
        "sku": line.sku,
        "description": line.description,
        "quantity": str(line.quantity),
        "unit_price": str(line.unit_price),
        "tax_kind": line.tax_kind,
        "tax_rate": str(line.tax_rate),
        "sales_account": line.sales_account,
        "tracking": line.tracking,
        "amount": str(line.amount),
        "tax": str(line.tax),
    }


def lines_of(supplier: Supplier, document: Document) -> list[LineDraft]:
    """What would be asked for to have that copy's lines again; products that are gone since are named no more."""
    named = [line["product"] for line in document["lines"] if line["product"]]
    mine = Product.objects.filter(supplier=supplier, pk__in=named)
    there = {str(pk) for pk in mine.values_list("pk", flat=True)}
    return [
        LineDraft(
            kind=line["kind"],
            description=line["description"],
            quantity=Decimal(line["quantity"]),
            unit_price=Decimal(line["unit_price"]),
            tax_kind=line["tax_kind"],
            key=UUID(line["key"]),
            product_id=UUID(line["product"]) if line["product"] in there else None,
            sku=line["sku"],
            sales_account=line["sales_account"],
            tracking=line.get("tracking", []),
        )
        for line in document["lines"]
    ]


def rates_of(document: Document) -> dict[str, Decimal]:
    """Tax kind → the rate in percent that the copy was issued at."""
    return {line["tax_kind"]: Decimal(line["tax_rate"]) for line in document["lines"]}


def same_content(older: Document, newer: Document) -> bool:
    """Whether nothing that a person edits on the invoice differs; names printed on it may have changed since."""
    same_head = all(older[name] == newer[name] for name in (*_HEADER, "currency"))
    return same_head and list(map(_whole, older["lines"])) == list(map(_whole, newer["lines"]))


def _whole(line: Document) -> Document:
    """Copies made before lines carried options have no word about them."""
    return {"tracking": []} | line


def compare_versions(older: InvoiceVersion, newer: InvoiceVersion) -> list[str]:
    """What an edit changed, one sentence each, as `differences` has them."""
    return differences(older.document, newer.document)


def differences(older: Document, newer: Document) -> list[str]:
    """One sentence for each difference: "Line 2 Oat milk 1L: quantity 4 → 6". Lines are matched by their key."""
    header = [
        f"{word}: {older[name] or 'nothing'} → {newer[name] or 'nothing'}"
        for name, word in _HEADER.items()
        if older[name] != newer[name]
    ]
    total = [f"Total: {_amount(older)} → {_amount(newer)}"] if older["total"] != newer["total"] else []
    return [*header, *_line_differences(older["lines"], newer["lines"]), *total]


def _line_differences(older: list[Document], newer: list[Document]) -> list[str]:
    before = {line["key"]: line for line in older}
    after = {line["key"]: line for line in newer}
    sentences = [
        f"Line {position} {line['description']}: removed"
        for position, line in enumerate(older, start=1)
        if line["key"] not in after
    ]
    for position, line in enumerate(newer, start=1):
        name = f"Line {position} {line['description']}"
        if line["key"] not in before:
            sentences.append(f"{name}: added, {_show('quantity', line)} × {_show('unit_price', line)}")
        elif changes := _changes(before[line["key"]], line):
            sentences.append(f"{name}: {', '.join(changes)}")
    if [key for key in before if key in after] != [key for key in after if key in before]:
        sentences.append("Lines are in another order")
    return sentences


def _changes(older: Document, newer: Document) -> list[str]:
    found = [
        f"{word} {_show(name, older)} → {_show(name, newer)}"
        for name, word in _LINE.items()
        if older[name] != newer[name]
    ]
    before, after = _options(older), _options(newer)
    moved = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return found + [f"{name} {before.get(name, 'nothing')} → {after.get(name, 'nothing')}" for name in moved]


def _options(line: Document) -> dict[str, str]:
    return {each["property_name"]: each["option_name"] for each in line.get("tracking", [])}


def _amount(document: Document) -> str:
    return show_amount(Decimal(document["total"]))


def _show(name: str, line: Document) -> str:
    text = str(line[name])
    if name == "quantity":
        return show_quantity(Decimal(text))
    if name == "unit_price":
        return show_price(Decimal(text))
    if name == "tax_kind":
        return "taxed" if Decimal(line["tax_rate"]) else "tax-free"
    return f"“{text}”" if text else "nothing"
