"""Prices from a file, of a price list or a customer: what its columns are, how a line is judged, what applying does.

A line is one price of one product, and its first day says which one: an empty one means from ever on. An empty price
takes that price away; a product that has none there stays so. A column of last days that the file doesn't have is left
alone. What the file doesn't name is left alone too.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from provender.basics.clock import in_words
from provender.basics.errors import ProvenderError
from provender.basics.money import exact_price, read_number
from provender.basics.rows import hold
from provender.catalogue.actions import set_list_prices
from provender.catalogue.errors import EndsBeforeItBegins, NegativePrice
from provender.catalogue.models import PriceList, Product
from provender.catalogue.offers import Offer
from provender.customers.actions import set_own_prices
from provender.customers.models import Customer
from provender.importing import lists
from provender.importing.lists import Line, Unfit, reject
from provender.importing.mapping import DATE_FORMATS, field_of, read_date
from provender.importing.models import ListFile, ListRow
from provender.importing.reading import Binary
from provender.people.models import User

Holder = PriceList | Customer
State = ListRow.State
FIELDS = (
    field_of("sku", "SKU", "Which product it is: exactly so, else without regard to capitals.",
             "itemcode", "stockcode", "productcode", "code", needed=True),
    field_of("price", "Price", "Without tax, up to 4 decimal places. Empty: this price is taken away.",
             "unitprice", "listprice", "ownprice", needed=True),
    field_of("from", "From", "The first day on which it counts. Empty: from ever on.",
             "validfrom", "startdate", "start", "begins"),
    field_of("until", "Until", "The last day on which it counts. Empty: no limit.",
             "to", "validto", "validuntil", "enddate", "end", "ends"),
)  # fmt: skip
WHY = "Prices from a file"
GONE = "What it was for is not here any more"


def preview_prices(holder: Holder, handle: Binary, name: str, *, by: User | None) -> ListFile:
    """Lay the lines of a file beside the prices of a list or a customer; nothing changes. Raises FaultyFile."""
    kind = ListFile.Kind.PRICES if isinstance(holder, PriceList) else ListFile.Kind.OWN_PRICES
    judge = Judge(holder)
    return lists.preview(holder.supplier, kind, handle, name, FIELDS, judge.judge, by=by, about=holder.pk)


def apply_prices(file: ListFile, *, by: User | None) -> None:
    """Write the prices as the preview shows. Raises ListFileGone."""
    lists.apply(file, lambda rows: _change(file, rows, by), by=by)


# --- judging ------------------------------------------------------------------------------------------------------


@dataclass
class Judge:
    """The wholesaler's products, the prices that are there, and what the lines before have named already."""

    holder: Holder
    exact: dict[str, Product] = field(default_factory=dict)
    alike: dict[str, list[Product]] = field(default_factory=lambda: defaultdict(list))
    taken: dict[tuple[UUID, date | None], int] = field(default_factory=dict)  # product and first day → its line
    pattern: str = ""

    def __post_init__(self) -> None:
        for product in self.holder.supplier.products.all():
            self.exact[product.sku] = product
            self.alike[product.sku.strip().casefold()].append(product)
        self.there = prices_there(self.holder)

    def judge(self, lines: Sequence[Line]) -> list[ListRow]:
        """One row for each line, in the file's order."""
        days = [text for line in lines for text in (line.says("from"), line.says("until")) if text]
        self.pattern = max(DATE_FORMATS, key=lambda pattern: sum(_reads(text, pattern) for text in days))
        return [self._judge(line) for line in lines]

    def _judge(self, line: Line) -> ListRow:
        try:
            product = self._find(line)
            first = self._read(line, "from", self._day)
            price = self._read(line, "price", _price)
            before = self.there.get((product.pk, first))
            last = self._last(line, product, first, before)
            self._take(line, product, first)
        except Unfit as unfit:
            return reject(line, unfit)
        after = None if price is None else Offer(price, last)
        row = _compare(before, after)
        row.line, row.sku, row.product = line.number, product.sku, product.pk
        row.name = f"{product.name}{f', from {in_words(first)}' if first else ''}"[:200]
        row.after["first"] = _text(first)
        return row

    def _find(self, line: Line) -> Product:
        sku = line.says("sku")
        alike = self.alike.get(sku.casefold(), [])
        if product := self.exact.get(sku) or (alike[0] if len(alike) == 1 else None):
            return product
        if not sku:
            raise Unfit("sku", "The line has no SKU, so there is no telling which product it is.")
        if alike:
            raise Unfit("sku", f"{len(alike)} products here differ from this SKU by capitals only. Write it exactly.")
        raise Unfit("sku", "No product has this SKU. Add it to the products first.")

    def _read(self, line: Line, name: str, read: Callable[[str], Any]) -> Any:
        """What the cell says; None when it is empty."""
        text = line.says(name)
        try:
            return read(text) if text else None
        except ProvenderError as error:
            raise Unfit(name, error.sentence) from error

    def _last(self, line: Line, product: Product, first: date | None, before: Offer | None) -> date | None:
        if "until" not in line.texts:
            return before.until if before else None
        last: date | None = self._read(line, "until", self._day)
        if first and last and last < first:
            raise Unfit("until", EndsBeforeItBegins(f"The price of {product.sku}", first, last).sentence)
        return last

    def _day(self, text: str) -> date:
        return read_date(text, "" if _reads(text, "") else self.pattern)

    def _take(self, line: Line, product: Product, first: date | None) -> None:
        key = (product.pk, first)
        if key in self.taken:
            raise Unfit("sku", f"Line {self.taken[key]} is about the same product and first day. Keep one of the two.")
        self.taken[key] = line.number


def _reads(text: str, pattern: str) -> bool:
    try:
        read_date(text, pattern)
    except ProvenderError:
        return False
    return True


def _price(text: str) -> Decimal:
    price = exact_price(read_number(text, places=4, what="price"))
    if price < 0:
        raise NegativePrice("this line")
    return price


def prices_there(holder: Holder, products: Collection[UUID] | None = None) -> dict[tuple[UUID, date | None], Offer]:
    """The prices of a list or a customer (of these products), by product and first day."""
    prices: Any = holder.prices if isinstance(holder, PriceList) else holder.own_prices
    rows = prices.all() if products is None else prices.filter(product__in=products)
    return {(row.product_id, row.valid_from): Offer(row.price, row.valid_to) for row in rows}


def _compare(before: Offer | None, after: Offer | None) -> ListRow:
    if before == after:
        return ListRow(state=State.UNCHANGED, before={}, after={})
    old, new = _as_kept(before), _as_kept(after)
    if before is None:
        return ListRow(state=State.NEW, before={}, after=new)
    moved = [name for name in old if old[name] != new[name] and (after or name == "price")]
    return ListRow(
        state=State.CHANGED, before={name: old[name] for name in moved}, after={name: new[name] for name in moved}
    )


def _as_kept(offer: Offer | None) -> dict[str, str]:
    """A price as a row keeps it."""
    return {"price": str(offer.price) if offer else "", "until": _text(offer.until) if offer else ""}


def _text(day: date | None) -> str:
    return day.isoformat() if day else ""


# --- applying -----------------------------------------------------------------------------------------------------


def holder_of(file: ListFile) -> Holder | None:
    """The price list or customer that a file is about, if it is still here."""
    supplier = file.supplier
    mine = supplier.price_lists if file.kind == ListFile.Kind.PRICES else supplier.customers
    holder: Holder | None = mine.select_related("supplier").filter(pk__in=[file.about]).first()
    return holder


def _change(file: ListFile, rows: Sequence[ListRow], by: User | None) -> None:
    holder = holder_of(file)
    if holder is None:
        for row in rows:
            row.outcome = GONE
        return
    hold(holder)  # before what is there is read: nobody writes between the look and the change
    named = [row.product for row in rows if row.product]
    there = prices_there(holder, named)
    products = file.supplier.products.in_bulk(named)
    offers: dict[tuple[Product, date | None], Offer | None] = {}
    for row in rows:
        product = products.get(row.product) if row.product else None
        first = date.fromisoformat(row.after["first"]) if row.after["first"] else None
        before = there.get((product.pk, first)) if product else None
        if product is None:
            row.outcome = "The product is not here any more"
        elif not _is_as_shown(row, before):
            row.outcome = "Changed here since the preview, so left"
        else:
            offers[product, first] = _wanted(row, before)
    if isinstance(holder, PriceList):
        set_list_prices(holder, offers, by=by, why=WHY)
    else:
        set_own_prices(holder, offers, by=by, why=WHY)


def _is_as_shown(row: ListRow, before: Offer | None) -> bool:
    now = _as_kept(before)
    return (before is None) == (row.state == State.NEW) and all(now[name] == old for name, old in row.before.items())


def _wanted(row: ListRow, before: Offer | None) -> Offer | None:
    """The price that the line asks for; what the line doesn't move stays."""
    said = _as_kept(before) | row.after
    if not said["price"]:
        return None
    return Offer(Decimal(said["price"]), date.fromisoformat(said["until"]) if said["until"] else None)
