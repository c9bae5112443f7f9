"""What becomes of one document of a file: the rules, and the invoice it would be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from provender.basics.money import line_tax
from provender.customers.models import Customer
from provender.customers.queries import due_date
from provender.importing.known import Known
from provender.importing.mapping import Line
from provender.importing.models import Import, StagedDocument
from provender.invoicing.models import Invoice, InvoiceLine, LineKind
from provender.invoicing.totals import LineDraft
from provender.suppliers.models import TaxKind

State = StagedDocument.State


# Each code of a rejection, in the words that lists and filters show.
REASONS = {
    "no-customer": "without a customer",
    "negative-total": "with a negative total (credit notes come in a later step)",
    "two-customers": "with two customers",
    "number-taken": "here already with other content",
    "unknown-customer": "of a customer who isn't here",
    "unknown-product": "with a product that isn't here",
    "nothing-sold": "with a line that has neither SKU nor description",
    "no-number": "without an invoice number",
}


@dataclass(frozen=True)
class Rejection:
    """Why a document stays out: a stable code, the field at fault, a sentence."""

    code: str
    field: str
    reason: str


def judge(source: Import, lines: Sequence[Line], known: Known, there: Invoice | None) -> StagedDocument:
    """The document that `lines` make, with its state. `there` is the invoice that has its number already, if any."""
    subtotal = sum((line.amount for line in lines), Decimal("0.00"))
    tax = sum((_tax_of(source, line, known) for line in lines), Decimal("0.00"))
    first = lines[0]
    document = StagedDocument(
        source=source, number=first.number, line=first.line, lines=len(lines), customer=first.customer,
        date=first.date, subtotal=subtotal, tax=tax, total=subtotal + tax, state=State.READY,
    )  # fmt: skip
    rejection = find_rejection(source, lines, known, document.total)
    if rejection is None and there is not None:
        document.state = State.UNCHANGED
        rejection = find_difference(source, lines, there)
    if rejection is not None:
        document.state, document.code, document.reason = State.REJECTED, rejection.code, rejection.reason[:400]
        document.column = source.mapping.get(rejection.field, "")
    return document


def _tax_of(source: Import, line: Line, known: Known) -> Decimal:
    return line_tax(line.amount, source.supplier.tax_rate_of(tax_kind_of(line, known)))


def tax_kind_of(line: Line, known: Known) -> str:
    """The file's word, else the product's, else taxed: what is not known to be free isn't."""
    product = known.shelf.find(line.sku)
    return line.tax_kind or (product.tax_kind if product else TaxKind.GST)


def find_rejection(source: Import, lines: Sequence[Line], known: Known, total: Decimal) -> Rejection | None:
    """The first rule that the document breaks, whatever we have under its number."""
    return (
        _without_number(lines)
        or _without_customer(lines)
        or _unknown_customer(source, lines[0], known)
        or _negative(lines[0], total)
        or _unknown_line(source, lines, known)
    )


def _without_number(lines: Sequence[Line]) -> Rejection | None:
    return None if lines[0].number else Rejection("no-number", "number", "The line has no invoice number.")


def _without_customer(lines: Sequence[Line]) -> Rejection | None:
    first = lines[0].customer
    if not first:
        return Rejection("no-customer", "customer", f"Invoice {lines[0].number} has no customer.")
    other = next((line for line in lines if line.customer not in ("", first)), None)
    if other is None:
        return None
    what = f"Invoice {other.number} has two customers: {first} and, on line {other.line}, {other.customer}."
    return Rejection("two-customers", "customer", what)


def _unknown_customer(source: Import, first: Line, known: Known) -> Rejection | None:
    if source.create_missing or first.customer in known.customers:
        return None
    what = (
        f"There is no customer with the number {first.customer}. Create it, or let the import create what is missing."
    )
    return Rejection("unknown-customer", "customer", what)


def _negative(first: Line, total: Decimal) -> Rejection | None:
    if total >= 0:
        return None
    what = f"Invoice {first.number} has a negative total, {total}: it becomes a credit note in a later step."
    return Rejection("negative-total", "quantity", what)


def _unknown_line(source: Import, lines: Sequence[Line], known: Known) -> Rejection | None:
    for line in lines:
        if not line.sku and not line.description:
            return Rejection("nothing-sold", "sku", f"Line {line.line} has neither a SKU nor a description.")
        if line.sku and not source.create_missing and _is_unknown(source, line, known):
            what = f"There is no product {line.sku} (line {line.line}). Create it, or let the import do so."
            return Rejection("unknown-product", "sku", what)
    return None


def _is_unknown(source: Import, line: Line, known: Known) -> bool:
    return kind_of(source, line) == LineKind.PRODUCT and known.shelf.find(line.sku) is None


def kind_of(source: Import, line: Line) -> str:
    """Freight where the SKU was named as such, a product where there is a SKU."""
    if line.sku.casefold() in {sku.casefold() for sku in source.freight}:
        return LineKind.FREIGHT
    return LineKind.PRODUCT if line.sku else LineKind.OTHER


def find_difference(source: Import, lines: Sequence[Line], there: Invoice) -> Rejection | None:
    """In what the file's document differs from the invoice that has its number: by what the file states, no more."""
    for field, ours, theirs in _compared(source, lines, there):
        if ours != theirs:
            what = (
                f"Invoice {there.number} is here already with another {_WORDS.get(field, field)}:"
                f" {ours or 'none'} here, {theirs or 'none'} in the file. It was left as it is."
            )
            return Rejection("number-taken", field if field in source.mapping else "number", what)
    return None


_WORDS = {"lines": "number of lines", "sku": "SKU", "purchase_order": "purchase order number", "due_date": "due date"}

Compared = tuple[str, str | date | Decimal | int, str | date | Decimal | int]


def _compared(source: Import, lines: Sequence[Line], there: Invoice) -> list[Compared]:
    first = lines[0]
    pairs: list[Compared] = [
        ("customer", there.customer.number, first.customer),
        ("date", there.date, first.date),
        ("lines", len(there.lines.all()), len(lines)),
    ]
    if "purchase_order" in source.mapping:
        pairs.append(("purchase_order", there.purchase_order, first.purchase_order))
    if first.due_date is not None:
        pairs.append(("due_date", there.due_date, first.due_date))
    for ours, theirs in zip(there.lines.all(), lines, strict=False):
        pairs += _compared_line(ours, theirs)
    return pairs


def _compared_line(ours: InvoiceLine, theirs: Line) -> list[Compared]:
    pairs: list[Compared] = [
        ("sku", ours.sku, theirs.sku),
        ("quantity", ours.quantity, theirs.quantity),
        ("price", ours.unit_price, theirs.price),
    ]
    if theirs.description.strip():
        pairs.append(("description", ours.description, theirs.description))
    if theirs.tax_kind:
        pairs.append(("tax", ours.tax_kind, theirs.tax_kind))
    return pairs


def draft_line(source: Import, line: Line, known: Known) -> LineDraft:
    """The invoice's line: the SKU as written, the product's name where there is no description."""
    product = known.shelf.find(line.sku) if line.sku else None
    return LineDraft(
        kind=kind_of(source, line),
        description=line.description if line.description.strip() else (product.name if product else line.sku),
        quantity=line.quantity,
        unit_price=line.price,
        tax_kind=tax_kind_of(line, known),
        product_id=product.id if product else None,
        sku=line.sku,
        sales_account=product.sales_account if product else "",
    )


def due_of(first: Line, customer: Customer) -> date:
    """The file's due date, else by the customer's terms."""
    return first.due_date or due_date(customer, order_date=first.date, delivery_date=first.date, dated=first.date)
