"""Writing dated prices, of a price list or of a customer, in few statements."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from provender.basics.clock import span_in_words
from provender.basics.money import exact_price, show_price
from provender.catalogue.errors import AnotherWholesalersCatalogue, EndsBeforeItBegins, NegativePrice
from provender.catalogue.models import Product
from provender.suppliers.models import Supplier


@dataclass(frozen=True)
class Offer:
    """A unit price without tax (4 places), and the last day on which it counts, if there is one."""

    price: Decimal
    until: date | None = None

    def in_words(self, first: date | None) -> str:
        """The price with its days, when it counts from `first`: "4.10 from 1 Dec 2026"."""
        return f"{show_price(self.price)} {span_in_words(first, self.until)}".strip()


# By product and first day (None: from ever) the price that begins then; None takes it away.
Offers = Mapping[tuple[Product, date | None], Offer | None]


def judge_offers(supplier: Supplier, offers: Offers) -> Offers:
    """The same, prices to 4 places.

    Raises NegativePrice, AnotherWholesalersCatalogue, EndsBeforeItBegins, and what `money.exact_price` raises.
    """
    for (product, first), offer in offers.items():
        if product.supplier_id != supplier.pk:
            raise AnotherWholesalersCatalogue(product.name)
        if offer and offer.price < 0:
            raise NegativePrice(product.sku)
        if offer and first and offer.until and offer.until < first:
            raise EndsBeforeItBegins(f"The price of {product.sku}", first, offer.until)
    return {key: offer and Offer(exact_price(offer.price), offer.until) for key, offer in offers.items()}


def write_offers(prices: Any, offers: Offers, **holder: Any) -> list[tuple[Product, str]]:
    """Make the dated prices of one holder (`prices`, its related manager) be so; answers what moved, in words.

    The holder is held (`basics.rows.hold`) by who calls this: two people may set the same price at once.
    """
    rows = prices.filter(product__in={product.pk for product, _ in offers})
    there = {(row.product_id, row.valid_from): row for row in rows}
    moved: list[tuple[Product, str]] = []
    gone, changed, new = [], [], []
    for (product, first), after in offers.items():
        row = there.get((product.pk, first))
        before = row and Offer(row.price, row.valid_to)
        if before == after:
            continue
        moved.append((product, f"{_said(before, first)} → {_said(after, first)}"))
        if row is None:
            assert after is not None  # noqa: S101 -- what isn't there can't be taken away: both would be None
            days = {"valid_from": first, "valid_to": after.until}
            new.append(prices.model(**holder, product=product, price=after.price, **days))
        elif after is None:
            gone.append(row.pk)
        else:
            row.price, row.valid_to = after.price, after.until
            changed.append(row)
    prices.filter(pk__in=gone).delete()
    prices.model.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["id"], update_fields=["price", "valid_to"]
    )
    prices.model.objects.bulk_create(new)
    return moved


def _said(offer: Offer | None, first: date | None) -> str:
    return offer.in_words(first) if offer else "not listed"
