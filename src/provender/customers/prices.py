"""What a product costs a customer on a day, and why: the one place where that is decided.

The first of these that there is on that day:

1. the customer's own price for the product;
2. the customer's own percentage, on the base price;
3. the product's price on the customer's price list;
4. the list's percentage, on the base price;
5. the base price.

So what is agreed with the customer comes before the list, and what is agreed for the product before what is agreed for
all. Each counts from its first to its last day, both included; an empty day is no limit. A list counts for nothing
outside its own days. Of several prices for one product the one that began last counts (one without a first day began
before all others), and two never begin on one day, so there is no tie. A percentage comes to 4 places, half away from
zero. Steps 3 to 5 are `catalogue.queries`.

The day is that of the delivery, or of the order while no delivery is known (`ordering.models.Order.priced_on`).
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from uuid import UUID

from provender.basics.money import percent_on, show_percent
from provender.catalogue.models import Product
from provender.catalogue.queries import (
    DatedPrice,
    PriceFound,
    counting,
    named,
    prices_by_list,
    prices_for,
    reason,
)
from provender.customers.models import Customer, OwnPrice


def price_of(customer: Customer, product: Product, on: date) -> PriceFound:
    """What the product costs the customer on that day."""
    return prices_of(customer, [product], on)[product.pk]


def prices_of(customer: Customer, products: Iterable[Product], on: date) -> dict[UUID, PriceFound]:
    """`price_of` for many products, by product id; at most two queries."""
    wanted = list(products)
    listed = prices_for(wanted, customer.price_list, on)
    own: dict[UUID, DatedPrice] = {}
    if wanted:
        own = counting(named(OwnPrice.objects.filter(customer=customer.pk), wanted), "product_id", on)
    return {product.pk: _found(customer, product, own.get(product.pk), listed[product.pk], on) for product in wanted}


def prices_of_customers(product: Product, customers: Iterable[Customer], on: date) -> dict[UUID, PriceFound]:
    """`price_of` for many customers, by customer id; two queries when their price lists were read with them."""
    wanted = list(customers)
    lists = {each.price_list for each in wanted if each.price_list}
    listed = prices_by_list(product, lists, on)
    own = counting(
        OwnPrice.objects.filter(product=product, customer__in=[each.pk for each in wanted]), "customer_id", on
    )
    base = prices_for([product], None, on)[product.pk]
    return {
        each.pk: _found(each, product, own.get(each.pk), listed[each.price_list.pk] if each.price_list else base, on)
        for each in wanted
    }


def _found(customer: Customer, product: Product, own: DatedPrice | None, listed: PriceFound, on: date) -> PriceFound:
    if own is not None:
        return PriceFound(own.price, reason("Own price", own.valid_from, own.valid_to))
    percent = own_percent(customer, on)
    if percent is not None:
        what = f"Own {show_percent(percent)}"
        return PriceFound(percent_on(product.price, percent), reason(what, customer.percent_from, customer.percent_to))
    return listed


def own_percent(customer: Customer, on: date) -> Decimal | None:
    """The customer's own percentage, if it has one that counts on that day."""
    first, last = customer.percent_from or date.min, customer.percent_to or date.max
    return customer.percent if first <= on <= last else None
