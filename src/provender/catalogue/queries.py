"""Finding products, and what they cost by a price list.

What a product costs a customer is `customers.prices`: a customer's own prices come before its list.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from provender.basics.clock import span_in_words
from provender.basics.money import percent_on, show_percent
from provender.catalogue.models import Dated, ListPrice, PriceList, Product
from provender.suppliers.models import Supplier

BASE_PRICE = "Base price"
FEW = 500  # products that are named one by one in a query; for more, all of a list's prices are read


@dataclass(frozen=True)
class PriceFound:
    """A unit price without tax, and where it comes from: "List Cafés from 1 Nov 2026"."""

    price: Decimal
    reason: str


class DatedPrice(NamedTuple):
    """A price and the days on which it counts."""

    price: Decimal
    valid_from: date | None
    valid_to: date | None


def counts_on(on: date) -> Q:
    """What is `Dated` and counts on that day."""
    return (Q(valid_from=None) | Q(valid_from__lte=on)) & (Q(valid_to=None) | Q(valid_to__gte=on))


def counting(prices: QuerySet[Any], by: str, on: date) -> dict[Any, DatedPrice]:
    """Of dated prices the one that counts on that day, by the column `by`: of several the one that began last."""
    rows = prices.filter(counts_on(on)).values_list(by, "price", "valid_from", "valid_to")
    in_order = sorted(rows, key=lambda row: row[2] or date.min)
    return {key: DatedPrice(price, first, last) for key, price, first, last in in_order}


def prices_for(products: Iterable[Product], price_list: PriceList | None, on: date) -> dict[UUID, PriceFound]:
    """What products cost on that day by the list, by product id; at most one query."""
    wanted = list(products)
    listed: dict[UUID, DatedPrice] = {}
    if price_list is not None and wanted:
        listed = counting(named(ListPrice.objects.filter(price_list=price_list), wanted), "product_id", on)
    return {product.pk: _found(product, price_list, listed.get(product.pk), on) for product in wanted}


def named(prices: QuerySet[Any], products: Sequence[Product]) -> QuerySet[Any]:
    """Prices of these products, and perhaps of more: thousands aren't named one by one."""
    return prices.filter(product__in=[product.pk for product in products]) if len(products) <= FEW else prices


def prices_by_list(product: Product, lists: Iterable[PriceList], on: date) -> dict[UUID, PriceFound]:
    """What one product costs on that day by each of the lists, by the list's id; one query."""
    listed = counting(ListPrice.objects.filter(product=product), "price_list_id", on)
    return {each.pk: _found(product, each, listed.get(each.pk), on) for each in lists}


def _found(product: Product, price_list: PriceList | None, listed: DatedPrice | None, on: date) -> PriceFound:
    if price_list is not None and is_within(price_list, on):
        if listed is not None:
            return PriceFound(listed.price, reason(f"List {price_list}", *_both(price_list, listed)))
        if price_list.percent is not None:
            what = f"List {price_list} {show_percent(price_list.percent)}"
            return PriceFound(
                percent_on(product.price, price_list.percent), reason(what, price_list.valid_from, price_list.valid_to)
            )
    return PriceFound(product.price, BASE_PRICE)


def is_within(dated: Dated, on: date) -> bool:
    """Whether it counts on that day."""
    return (dated.valid_from or date.min) <= on <= (dated.valid_to or date.max)


def _both(price_list: PriceList, listed: DatedPrice) -> tuple[date | None, date | None]:
    """The first and the last day on which both count."""
    first = max(price_list.valid_from or date.min, listed.valid_from or date.min)
    last = min(price_list.valid_to or date.max, listed.valid_to or date.max)
    return (None if first == date.min else first), (None if last == date.max else last)


def reason(what: str, first: date | None, last: date | None) -> str:
    """Where a price comes from, with its days."""
    return f"{what} {span_in_words(first, last)}".strip()


def find_product(supplier: Supplier, sku: str) -> Product | None:
    """The product with that SKU as written; else, when only one differs by case alone, that one."""
    alike = list(Product.objects.filter(supplier=supplier, sku__iexact=sku)[:100])
    exact = [product for product in alike if product.sku == sku]
    if exact:
        return exact[0]
    return alike[0] if len(alike) == 1 else None
