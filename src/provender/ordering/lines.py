"""Order lines: from what a person asks for to a priced line, and on to the invoice."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from provender.basics.money import ZERO, exact_price, line_amount
from provender.basics.texts import some_lines
from provender.catalogue.models import Product
from provender.catalogue.queries import PriceFound
from provender.customers.models import Customer
from provender.customers.prices import prices_of
from provender.customers.queries import freight_for
from provender.invoicing.models import Invoice, InvoiceLine, LineKind
from provender.invoicing.totals import LineDraft, Totals, build_lines, sum_lines, tax_kind_of
from provender.ordering.errors import (
    AnotherWholesalersGoods,
    LineNamesNothing,
    LineWithoutPrice,
    ProductSwitchedOff,
    QuantityNotPositive,
)
from provender.ordering.models import Order, OrderLine
from provender.payments.amending import own_keys
from provender.payments.surcharges import surcharge_lines
from provender.properties.queries import Carried, choose_for_lines
from provender.suppliers.models import Supplier

TYPED = "Typed"  # where a price comes from that a person wrote


@dataclass(frozen=True)
class OrderLineDraft:
    """A line as a person asks for it: a product, or a description with a price.

    Without a unit price (4 places, without tax) a product gets its price for this customer, and a freight line what
    the freight group charges. `key` says which line of the order it continues; `tax_kind` is for lines without a
    product: without one, freight and surcharges follow the wholesaler's setting, and others are taxed.
    """

    quantity: Decimal = Decimal(1)
    product: Product | None = None
    description: str = ""
    unit_price: Decimal | None = None
    kind: str = LineKind.PRODUCT
    tax_kind: str = ""
    key: uuid.UUID | None = None


def draft_of(line: OrderLine) -> OrderLineDraft:
    """What would be asked for to have that line again; a price that nobody typed is found anew."""
    return OrderLineDraft(
        quantity=line.quantity,
        product=line.product,
        description=line.description,
        unit_price=line.unit_price if line.price_from == TYPED else None,
        kind=line.kind,
        tax_kind=line.tax_kind,
        key=line.key,
    )


def price_lines(
    customer: Customer,
    drafts: Sequence[OrderLineDraft],
    before: Iterable[OrderLine] = (),
    *,
    on: date,
    placed: bool = False,
    anew: bool = False,
) -> list[OrderLine]:
    """The lines with their prices of that day and where each comes from, unsaved, numbered from 1.

    `before` are the order's present lines. On a placed order they keep price, name and tax as they were placed, unless
    a person typed another price or asks for prices `anew`; on a draft, prices that nobody typed are found anew.
    Raises LineNamesNothing, LineWithoutPrice, QuantityNotPositive, AnotherWholesalersGoods, and what
    `money.exact_price` raises.
    """
    for position, draft in enumerate(drafts, start=1):
        _check(customer, draft, position)
    known = {line.key: line for line in before}
    found = prices_of(customer, [draft.product for draft in drafts if draft.product], on)
    keep = placed and not anew
    lines: dict[int, OrderLine] = {}
    for position, draft in enumerate(drafts, start=1):
        if draft.kind != LineKind.FREIGHT:
            price = found[draft.product.pk] if draft.product else None
            lines[position] = _build(customer, draft, _twin(draft, known), price, placed=placed, keep=keep)
    freight = _freight(customer, lines.values())  # it depends on the goods, so it comes after them
    for position, draft in enumerate(drafts, start=1):
        if draft.kind == LineKind.FREIGHT:
            lines[position] = _build(customer, draft, _twin(draft, known), freight, placed=placed, keep=keep)
    for position, line in lines.items():
        line.position = position
    return [lines[position] for position in sorted(lines)]


def _check(customer: Customer, draft: OrderLineDraft, position: int) -> None:
    if draft.product is None and not some_lines(draft.description) and draft.kind != LineKind.FREIGHT:
        raise LineNamesNothing(position)
    if draft.product and draft.product.supplier_id != customer.supplier_id:
        raise AnotherWholesalersGoods(draft.product.name)
    if draft.quantity <= 0:
        raise QuantityNotPositive(draft.product.name if draft.product else draft.description, draft.quantity)


def _twin(draft: OrderLineDraft, known: dict[uuid.UUID, OrderLine]) -> OrderLine | None:
    """The present line that this draft continues; another product on it makes it a new one under the same key."""
    line = known.get(draft.key) if draft.key else None
    same = line and line.product_id == (draft.product.pk if draft.product else None) and line.kind == draft.kind
    return line if same else None


def _freight(customer: Customer, lines: Iterable[OrderLine]) -> PriceFound:
    goods = (line_amount(line.quantity, line.unit_price) for line in lines if line.kind == LineKind.PRODUCT)
    charge = freight_for(customer, sum(goods, ZERO))
    group = customer.freight_group
    if group is None:
        return PriceFound(charge, "No freight group")
    return PriceFound(charge, group.name if charge else f"{group.name}, free from {group.free_from}")


def _build(
    customer: Customer,
    draft: OrderLineDraft,
    twin: OrderLine | None,
    found: PriceFound | None,
    *,
    placed: bool,
    keep: bool,
) -> OrderLine:
    product, kept = draft.product, twin if placed else None
    price = _price(draft, twin, found, keep=keep)
    return OrderLine(
        key=draft.key or uuid.uuid4(),
        kind=draft.kind,
        product=product,
        sku=kept.sku if kept else product.sku if product else "",
        description=some_lines(draft.description) or _name(draft, kept),
        quantity=exact_price(draft.quantity, "quantity"),
        unit_price=exact_price(price.price),
        price_from=price.reason,
        tax_kind=_tax_kind(customer.supplier, draft, kept),
        sales_account=product.sales_account if product else "",
        tracking=(kept.tracking or []) if kept else None,
    )


def _tax_kind(supplier: Supplier, draft: OrderLineDraft, kept: OrderLine | None) -> str:
    if draft.product:
        return kept.tax_kind if kept else draft.product.tax_kind
    return draft.tax_kind or tax_kind_of(supplier, draft.kind)


def _name(draft: OrderLineDraft, kept: OrderLine | None) -> str:
    if kept:
        return kept.description
    return draft.product.name if draft.product else "Freight"


def _price(draft: OrderLineDraft, twin: OrderLine | None, found: PriceFound | None, *, keep: bool) -> PriceFound:
    asked = draft.unit_price
    untouched = twin is not None and asked in (None, twin.unit_price)
    if twin and untouched and keep:
        return PriceFound(twin.unit_price, twin.price_from)
    if found and (asked in (None, found.price) or (twin and untouched and twin.price_from != TYPED)):
        return found
    if asked is None:
        raise LineWithoutPrice(draft.description)
    return PriceFound(asked, TYPED)


def refuse_switched_off(products: Iterable[Product | None]) -> None:
    """Raises ProductSwitchedOff for the first inactive one."""
    for product in products:
        if product and not product.active:
            raise ProductSwitchedOff(product)


def invoice_lines(lines: Iterable[OrderLine]) -> list[LineDraft]:
    """What the invoice is asked for: the same lines under the same keys."""
    return [
        LineDraft(
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
        for line in lines
    ]


def wanted_lines(invoice: Invoice, lines: Iterable[OrderLine]) -> list[LineDraft]:
    """What the invoice should have: the order's lines, and the surcharges that payments brought."""
    return [*invoice_lines(lines), *surcharge_lines(invoice)]


def take_own_keys(invoice: Invoice, lines: Iterable[OrderLine]) -> None:
    """Let lines that are another product or tax than was billed under their key be lines of their own."""
    lines = list(lines)
    keys = own_keys(invoice, invoice_lines(lines))
    for line in lines:
        line.key = keys.get(line.key, line.key)


def choose_tracking(order: Order, lines: Sequence[OrderLine]) -> None:
    """Let lines that carry no choice yet take theirs: product, then invoice, then order, then customer."""
    open_ = [line for line in lines if line.tracking is None]
    for line, carried in zip(open_, tracking_of(order, open_), strict=True):
        line.tracking = carried


def tracking_of(order: Order, lines: Sequence[OrderLine]) -> list[list[Carried]]:
    """The options that these lines carry, or will when the order is placed."""
    fresh = choose_for_lines(
        order.supplier,
        [line.product_id for line in lines],
        customer=order.customer_id,
        order=order.pk,
        invoice=order.invoice_id,
    )
    return [found if line.tracking is None else line.tracking for line, found in zip(lines, fresh, strict=True)]


def totals_of(supplier: Supplier, lines: Iterable[OrderLine], invoice: Invoice | None = None) -> Totals:
    """What the lines come to, tax as it will be in Xero, at the rates of their invoice. Raises AmountTooLarge."""
    rates = dict(invoice.lines.values_list("tax_kind", "tax_rate")) if invoice else None
    wanted = wanted_lines(invoice, lines) if invoice else invoice_lines(lines)
    return sum_lines(build_lines(InvoiceLine, supplier, wanted, rates))
