"""Judging Xero's items beside our products: each item becomes one row of a pull, in one named state.

A product is matched by its SKU: exactly, else without regard to case when only one is so alike. What is empty in Xero
never empties a column here. Nothing is read or written: all comes in as arguments.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from provender.basics.money import AmountTooLarge, TooManyPlaces, exact_price
from provender.basics.texts import one_line, some_lines
from provender.catalogue.models import Product
from provender.suppliers.models import TaxKind
from provender.sync.models import PullRow
from provender.xero import wire

State = PullRow.State
LABELS = {
    "name": "name",
    "description": "description",
    "price": "price",
    "sales_account": "sales account",
    "tax_kind": "tax status",
}
COLUMNS = tuple(LABELS)
NOT_SOLD = "It isn’t marked as sold in Xero"
LONGEST_CODE, LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_ACCOUNT = 30, 200, 4000, 10


@dataclass(frozen=True)
class Chart:
    """What the organisation's accounts and tax rates say: account code → status, tax type → our tax kind."""

    accounts: Mapping[str, str]
    tax_kinds: Mapping[str, str]


@dataclass(frozen=True)
class Shelf:
    """Our products, found by their SKU; and which item each was found to be before, by product."""

    products: Sequence[Product]
    items_before: Mapping[UUID, str] = field(default_factory=dict)
    by_sku: dict[str, Product] = field(default_factory=dict)
    alike: dict[str, list[Product]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for product in self.products:
            self.by_sku[product.sku] = product
            self.alike[fold_code(product.sku)].append(product)

    def find(self, code: str) -> Product | None:
        """The product with that SKU, or the only one that differs from it by case. Raises Unfit when several do."""
        if exact := self.by_sku.get(code):
            return exact
        alike = self.alike.get(fold_code(code), [])
        if len(alike) > 1:
            raise Unfit(f"{len(alike)} products here differ from this code by case only; give each a code of its own")
        return alike[0] if alike else None


class Unfit(Exception):
    """An item that can't be taken, with the reason in a bookkeeper's words."""


def fold_code(code: str) -> str:
    """A code as it is compared when no exact twin is there."""
    return one_line(code).casefold()


def as_text(column: str, value: Any) -> str:
    """A product's column as a row keeps it."""
    return str(exact_price(value)) if column == "price" else str(value)


def from_text(column: str, text: str) -> Any:
    """The other way round."""
    return Decimal(text) if column == "price" else text


def judge_items(items: Sequence[wire.Item], shelf: Shelf, chart: Chart) -> list[PullRow]:
    """One row for each item, in Xero's order; then one for each product whose item is there no more."""
    exact = Counter(one_line(item.code or "") for item in items)
    folded = Counter(fold_code(item.code or "") for item in items)
    rows = []
    for item in items:
        code = one_line(item.code or "")
        rivals = exact[code] > 1 or (folded[fold_code(code)] > 1 and code not in shelf.by_sku)
        rows.append(_judge(item, shelf, chart, rivals=rivals))
    rows.extend(_gone(items, folded, shelf))
    for position, row in enumerate(rows):
        row.position = position
    return rows


def _judge(item: wire.Item, shelf: Shelf, chart: Chart, *, rivals: bool) -> PullRow:
    row = PullRow(
        item_id=item.item_id or "unknown",
        code=one_line(item.code or "")[:200],
        name=one_line(item.name or "")[:200],
        tracked=bool(item.is_tracked_as_inventory),
    )
    try:
        _check_code(row.code, rivals=rivals)
        product = shelf.find(row.code)
        if item.is_sold is False:
            return _not_sold(row, product)
        _check_texts(item)
        offered = dict(_offer(item, chart, row.hints))
    except Unfit as unfit:
        row.state, row.reason = State.REFUSED, str(unfit)
        return row
    return _compare(row, product, offered) if product else _take_in(row, offered)


def _check_code(code: str, *, rivals: bool) -> None:
    if not code:
        raise Unfit("It has no code in Xero; a product needs one as its SKU")
    if len(code) > LONGEST_CODE:
        raise Unfit(f"Its code is longer than {LONGEST_CODE} characters, which no invoice line could carry")
    if rivals:
        raise Unfit("Another item has the same code but for case or spaces; give each a code of its own in Xero")


def _check_texts(item: wire.Item) -> None:
    if len(one_line(item.name or "")) > LONGEST_NAME:
        raise Unfit(f"Its name is longer than {LONGEST_NAME} characters")
    if len(some_lines(item.description or "")) > LONGEST_DESCRIPTION:
        raise Unfit(f"Its description is longer than {LONGEST_DESCRIPTION:,} characters")


def _offer(item: wire.Item, chart: Chart, hints: list[str]) -> Iterator[tuple[str, str]]:
    """Column → text, of what the item says and we can take; what we can't goes to the hints."""
    if name := one_line(item.name or ""):
        yield "name", name
    if description := some_lines(item.description or ""):
        yield "description", description
    sale = item.sales_details or wire.ItemDetails()
    if sale.unit_price is not None:
        yield "price", _price(sale.unit_price)
    else:
        hints.append("No sales price in Xero")
    if sale.account_code:
        yield from _account(one_line(sale.account_code), chart, hints)
    if sale.tax_type and (kind := chart.tax_kinds.get(sale.tax_type)):
        yield "tax_kind", kind
    else:
        hints.append(f"Tax type {sale.tax_type[:50]} isn’t known here" if sale.tax_type else "No tax type in Xero")


def _price(price: Decimal) -> str:
    if price < 0:
        raise Unfit(f"Its price is below zero: {price}")
    try:
        return str(exact_price(price))
    except (TooManyPlaces, AmountTooLarge) as error:
        raise Unfit(f"Its price can’t be taken: {error.sentence}") from error


def _account(code: str, chart: Chart, hints: list[str]) -> Iterator[tuple[str, str]]:
    status = chart.accounts.get(code)
    if status == "ACTIVE" and len(code) <= LONGEST_ACCOUNT:
        yield "sales_account", code
    else:
        hints.append(f"Account {code[:50]} is {'archived' if status else 'not in the chart of accounts'} in Xero")


def _compare(row: PullRow, product: Product, offered: Mapping[str, str]) -> PullRow:
    row.product = product.pk
    ours = {column: as_text(column, getattr(product, column)) for column in offered}
    row.after = {column: text for column, text in offered.items() if text != ours[column]}
    row.before = {column: ours[column] for column in row.after}
    row.state = State.CHANGED if row.after else State.UNCHANGED
    row.price_moves = "price" in row.after
    return row


def _take_in(row: PullRow, offered: Mapping[str, str]) -> PullRow:
    if "price" not in offered:
        row.state, row.reason = State.REFUSED, "It has no sales price in Xero; a product needs one"
        return row
    row.state, row.product = State.NEW, uuid4()  # the key that the product will have
    row.after = {"name": row.code, "description": "", "sales_account": "", "tax_kind": TaxKind.GST.value, **offered}
    return row


def _not_sold(row: PullRow, product: Product | None) -> PullRow:
    row.state = State.GONE if product else State.REFUSED
    row.product = product.pk if product else None
    row.reason = "It is no longer sold in Xero" if product else NOT_SOLD
    return row


def _gone(items: Iterable[wire.Item], codes: Mapping[str, int], shelf: Shelf) -> Iterator[PullRow]:
    """Products that an earlier pull found in Xero, and this one doesn't."""
    now = {item.item_id: one_line(item.code or "") for item in items}
    for product in shelf.products:
        before = shelf.items_before.get(product.pk)
        if before is None or fold_code(product.sku) in codes:
            continue
        renamed = f"Its item has the code “{now[before][:60]}” in Xero now" if before in now else "Its item is gone"
        yield PullRow(
            state=State.GONE, code=product.sku, name=product.name, product=product.pk, reason=renamed
        )  # fmt: skip
