"""What lines come to, by Xero's own rule: tax per line, rounded to 2 places, then summed."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from provender.basics.money import ZERO, exact_price, line_amount, line_tax, round_price
from provender.basics.texts import readable
from provender.invoicing.errors import LineDescriptionTooLong, LineWithoutDescription
from provender.invoicing.models import CreditNoteLine, DocumentLine, InvoiceLine, LineKind
from provender.properties.queries import Carried
from provender.suppliers.models import Supplier, TaxKind

LONGEST_DESCRIPTION = 4000

Line = TypeVar("Line", InvoiceLine, CreditNoteLine)


@dataclass(frozen=True)
class LineDraft:
    """A line as it is asked for. Quantity and unit price (without tax) have up to 4 places.

    A line that keeps its `key` through a revision is the same line, changed. `tracking` are the options it carries;
    None: those of its product, the invoice and the customer.
    """

    kind: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_kind: str
    key: uuid.UUID = field(default_factory=uuid.uuid4)
    product_id: uuid.UUID | None = None
    sku: str = ""
    sales_account: str = ""
    tracking: Sequence[Carried] | None = None


@dataclass(frozen=True)
class Totals:
    """The sums of a document's lines, each to 2 places."""

    subtotal: Decimal
    tax: Decimal
    total: Decimal


def build_lines(
    row: type[Line], supplier: Supplier, drafts: Sequence[LineDraft], rates: Mapping[str, Decimal] | None = None
) -> list[Line]:
    """The lines with their amounts and tax, unsaved, numbered from 1; `row` says of which document they are.

    `rates` (percent by tax kind) goes before the supplier's own: a revised invoice keeps the rates it was issued at.
    Raises LineWithoutDescription, LineDescriptionTooLong, TooManyPlaces, AmountTooLarge.
    """
    known = dict(rates or {})
    for tax_kind in {draft.tax_kind for draft in drafts}:
        known.setdefault(tax_kind, supplier.tax_rate_of(tax_kind))
    return [_build_line(row, draft, position, known[draft.tax_kind]) for position, draft in enumerate(drafts, start=1)]


def _build_line(row: type[Line], draft: LineDraft, position: int, rate: Decimal) -> Line:
    description = readable(draft.description)
    if not description.strip():
        raise LineWithoutDescription(position)
    if len(description) > LONGEST_DESCRIPTION:
        raise LineDescriptionTooLong(position, LONGEST_DESCRIPTION)
    quantity, unit_price = exact_price(draft.quantity, "quantity"), exact_price(draft.unit_price)
    amount = line_amount(quantity, unit_price)
    return row(
        key=draft.key,
        position=position,
        kind=draft.kind,
        product_id=draft.product_id,
        sku=draft.sku,
        description=description,
        quantity=quantity,
        unit_price=unit_price,
        tax_kind=draft.tax_kind,
        tax_rate=round_price(rate),
        sales_account=draft.sales_account,
        tracking=list(draft.tracking or ()),
        amount=amount,
        tax=line_tax(amount, rate),
    )


def tax_kind_of(supplier: Supplier, kind: str) -> str:
    """The tax kind of a new line without a product, when nobody says another."""
    settings = {LineKind.FREIGHT: supplier.freight_tax_kind, LineKind.SURCHARGE: supplier.surcharge_tax_kind}
    return {str(each): tax_kind for each, tax_kind in settings.items()}.get(kind, TaxKind.GST)


def draft_of(line: DocumentLine) -> LineDraft:
    """What would be asked for to have that line again."""
    return LineDraft(
        kind=line.kind,
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        tax_kind=line.tax_kind,
        key=line.key,
        product_id=line.product_id,
        sku=line.sku,
        sales_account=line.sales_account,
        tracking=line.tracking,
    )


def sum_lines(lines: Iterable[DocumentLine]) -> Totals:
    """The totals of lines that have their amounts."""
    subtotal = tax = ZERO
    for line in lines:
        subtotal += line.amount
        tax += line.tax
    return Totals(subtotal, tax, subtotal + tax)
