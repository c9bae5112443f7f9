"""Finding products and their prices."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from provender.catalogue.models import ListPrice, PriceList, Product
from provender.suppliers.models import Supplier

BASE_PRICE = "Base price"


@dataclass(frozen=True)
class PriceFound:
    """A unit price without tax, and where it comes from: the price list's name, or "Base price"."""

    price: Decimal
    reason: str


def price_for(product: Product, price_list: PriceList | None) -> PriceFound:
    """What the product costs a customer who has that price list."""
    return prices_for([product], price_list)[product.pk]


def prices_for(products: Iterable[Product], price_list: PriceList | None) -> dict[UUID, PriceFound]:
    """`price_for` for many products, by product id; at most one query."""
    wanted = list(products)
    listed: dict[UUID, Decimal] = {}
    if price_list is not None and wanted:
        prices = ListPrice.objects.filter(price_list=price_list, product__in=[product.pk for product in wanted])
        listed = dict(prices.values_list("product_id", "price"))
    return {product.pk: _found(product, price_list, listed.get(product.pk)) for product in wanted}


def _found(product: Product, price_list: PriceList | None, listed: Decimal | None) -> PriceFound:
    if price_list is None or listed is None:
        return PriceFound(product.price, BASE_PRICE)
    return PriceFound(listed, price_list.name)


def find_product(supplier: Supplier, sku: str) -> Product | None:
    """The product with that SKU as written; else, when only one differs by case alone, that one."""
    alike = list(Product.objects.filter(supplier=supplier, sku__iexact=sku)[:100])
    exact = [product for product in alike if product.sku == sku]
    if exact:
        return exact[0]
    return alike[0] if len(alike) == 1 else None
