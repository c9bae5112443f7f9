"""What becomes of one document of a file: the rules, and the invoice or credit note it would be.

A document that comes to less than zero is a credit note. Its staged sums stay below zero, as the file has them, so that
sums in are sums out; the credit note has the opposite quantities, and so the same sums above zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from provender.basics.money import line_tax
from provender.customers.models import Customer
from provender.customers.queries import due_date
from provender.importing.known import Credited, Here, Known
from provender.importing.mapping import Line
from provender.importing.models import Import, StagedDocument
from provender.invoicing.models import CreditNote, DocumentLine, Invoice, LineKind
from provender.invoicing.totals import LineDraft, tax_kind_of

State, Kind = StagedDocument.State, StagedDocument.Kind

# Each code of a rejection, in the words that lists and filters show.
REASONS = {
    "no-customer": "without a customer",
    "two-customers": "with two customers",
    "number-taken": "here already with other content",
    "unknown-invoice": "of an invoice that isn't here, or is another customer's",
    "unknown-customer": "of a customer who isn't here",
    "unknown-product": "with a product that isn't here",
    "nothing-sold": "with a line that has neither SKU nor description",
    "no-number": "without an invoice number",
    "negative-total": "with a negative total",  # in imports made before those became credit notes
}


@dataclass(frozen=True)
class Rejection:
    """Why a document stays out: a stable code, the field at fault, a sentence."""

    code: str
    field: str
    reason: str


def judge(source: Import, lines: Sequence[Line], known: Known, here: Here) -> StagedDocument:
    """The document that `lines` make, with its kind and its state."""
    subtotal = sum((line.amount for line in lines), Decimal("0.00"))
    tax = sum((_tax_of(source, line, known) for line in lines), Decimal("0.00"))
    first, kind = lines[0], Kind.CREDIT_NOTE if subtotal + tax < 0 else Kind.INVOICE
    document = StagedDocument(
        source=source, kind=kind, number=first.number, line=first.line, lines=len(lines), customer=first.customer,
        date=first.date, subtotal=subtotal, tax=tax, total=subtotal + tax, state=State.READY,
    )  # fmt: skip
    same = (here.invoices if kind == Kind.INVOICE else here.credit_notes).get(first.number)
    other = (here.credit_notes if kind == Kind.INVOICE else here.invoices).get(first.number)
    rejection = find_rejection(source, kind, lines, known)
    if rejection is None and same is not None:
        document.state = State.UNCHANGED
        rejection = find_difference(source, lines, same)
    elif rejection is None and other is not None:
        rejection = _another_kind(kind, other)
    elif rejection is None and kind == Kind.CREDIT_NOTE:
        rejection = _unknown_invoice(first, here.credited)
    if rejection is not None:
        document.state, document.code, document.reason = State.REJECTED, rejection.code, rejection.reason[:400]
        document.column = source.mapping.get(rejection.field, "")
    return document


def _tax_of(source: Import, line: Line, known: Known) -> Decimal:
    return line_tax(line.amount, source.supplier.tax_rate_of(_tax_kind_of(source, line, known)))


def _tax_kind_of(source: Import, line: Line, known: Known) -> str:
    """The file's word, else freight's by setting or the product's; what is not known to be free is taxed."""
    kind = kind_of(source, line)
    product = known.shelf.find(line.sku) if kind == LineKind.PRODUCT else None
    return line.tax_kind or (product.tax_kind if product else tax_kind_of(source.supplier, kind))


def find_rejection(source: Import, kind: str, lines: Sequence[Line], known: Known) -> Rejection | None:
    """The first rule that the document breaks, whatever we have under its number."""
    return (
        _without_number(lines)
        or _without_customer(kind, lines)
        or _unknown_customer(source, lines[0], known)
        or _unknown_line(source, lines, known)
    )


def _called(kind: str, number: str) -> str:
    return f"{Kind(kind).label} {number}"


def _without_number(lines: Sequence[Line]) -> Rejection | None:
    return None if lines[0].number else Rejection("no-number", "number", "The line has no invoice number.")


def _without_customer(kind: str, lines: Sequence[Line]) -> Rejection | None:
    first, name = lines[0].customer, _called(kind, lines[0].number)
    if not first:
        return Rejection("no-customer", "customer", f"{name} has no customer.")
    other = next((line for line in lines if line.customer not in ("", first)), None)
    if other is None:
        return None
    what = f"{name} has two customers: {first} and, on line {other.line}, {other.customer}."
    return Rejection("two-customers", "customer", what)


def _unknown_customer(source: Import, first: Line, known: Known) -> Rejection | None:
    if source.create_missing or first.customer in known.customers:
        return None
    what = (
        f"There is no customer with the number {first.customer}. Create it, or let the import create what is missing."
    )
    return Rejection("unknown-customer", "customer", what)


def _another_kind(kind: str, there: Invoice | CreditNote) -> Rejection:
    """One number names one document, here as in the file."""
    was = _called(Kind.INVOICE if isinstance(there, Invoice) else Kind.CREDIT_NOTE, there.number)
    now = "a credit note" if kind == Kind.CREDIT_NOTE else "an invoice"
    return Rejection("number-taken", "number", f"{was} is here already; in the file it is {now}. It was left as it is.")


def _unknown_invoice(first: Line, credited: Mapping[str, Credited]) -> Rejection | None:
    named = first.credited_invoice
    if not named or (named in credited and credited[named].customer == first.customer):
        return None
    why = f"customer {credited[named].customer}'s" if named in credited else "neither here nor in the file"
    what = f"Credit note {first.number} is of invoice {named}, which is {why}. Name another, or none."
    return Rejection("unknown-invoice", "credited_invoice", what)


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


def find_difference(source: Import, lines: Sequence[Line], there: Invoice | CreditNote) -> Rejection | None:
    """In what the file's document differs from what has its number here: by what the file states, no more."""
    kind = Kind.INVOICE if isinstance(there, Invoice) else Kind.CREDIT_NOTE
    for field, ours, theirs in _compared(source, lines, there):
        if ours != theirs:
            what = (
                f"{_called(kind, there.number)} is here already with another {_WORDS.get(field, field)}:"
                f" {ours or 'none'} here, {theirs or 'none'} in the file. It was left as it is."
            )
            return Rejection("number-taken", field if field in source.mapping else "number", what)
    return None


_WORDS = {
    "lines": "number of lines",
    "sku": "SKU",
    "purchase_order": "purchase order number",
    "due_date": "due date",
    "credited_invoice": "invoice that it is of",
}

Compared = tuple[str, str | date | Decimal | int, str | date | Decimal | int]


def _compared(source: Import, lines: Sequence[Line], there: Invoice | CreditNote) -> list[Compared]:
    first = lines[0]
    pairs: list[Compared] = [
        ("customer", there.customer.number, first.customer),
        ("date", there.date, first.date),
        ("lines", len(there.lines.all()), len(lines)),
    ]
    if isinstance(there, Invoice):
        pairs += _compared_invoice(source, first, there)
    else:
        pairs += _compared_credit_note(source, first, there)
    for ours, theirs in zip(there.lines.all(), lines, strict=False):
        quantity = ours.quantity if isinstance(there, Invoice) else -ours.quantity
        pairs += [("quantity", quantity, theirs.quantity), *_compared_line(ours, theirs)]
    return pairs


def _compared_invoice(source: Import, first: Line, there: Invoice) -> list[Compared]:
    pairs: list[Compared] = []
    if "purchase_order" in source.mapping:
        pairs.append(("purchase_order", there.purchase_order, first.purchase_order))
    if first.due_date is not None:
        pairs.append(("due_date", there.due_date, first.due_date))
    return pairs


def _compared_credit_note(source: Import, first: Line, there: CreditNote) -> list[Compared]:
    pairs: list[Compared] = []
    if "purchase_order" in source.mapping:
        pairs.append(("purchase_order", there.reason, reason_of(first)))
    if "credited_invoice" in source.mapping:
        pairs.append(("credited_invoice", there.invoice.number if there.invoice else "", first.credited_invoice))
    return pairs


def _compared_line(ours: DocumentLine, theirs: Line) -> list[Compared]:
    pairs: list[Compared] = [("sku", ours.sku, theirs.sku), ("price", ours.unit_price, theirs.price)]
    if theirs.description.strip():
        pairs.append(("description", ours.description, theirs.description))
    if theirs.tax_kind:
        pairs.append(("tax", ours.tax_kind, theirs.tax_kind))
    return pairs


def draft_line(source: Import, kind: str, line: Line, known: Known) -> LineDraft:
    """The document's line: the SKU as written, the product's name where there is no description.

    What an invoice takes back, a credit note gives, and the other way about: its quantities have the opposite sign.
    """
    product = known.shelf.find(line.sku) if line.sku else None
    return LineDraft(
        kind=kind_of(source, line),
        description=line.description if line.description.strip() else (product.name if product else line.sku),
        quantity=-line.quantity if kind == Kind.CREDIT_NOTE else line.quantity,
        unit_price=line.price,
        tax_kind=_tax_kind_of(source, line, known),
        product_id=product.id if product else None,
        sku=line.sku,
        sales_account=product.sales_account if product else "",
    )


def due_of(first: Line, customer: Customer) -> date:
    """The file's due date, else by the customer's terms."""
    return first.due_date or due_date(customer, order_date=first.date, delivery_date=first.date, dated=first.date)


def reason_of(first: Line) -> str:
    """What a credit note keeps of the customer's own order number, for which it has no place of its own."""
    return f"PO {first.purchase_order}" if first.purchase_order else ""
