"""The cast: named wholesalers, people, goods and venues with fixed roles, made by the same actions that people use.

Harbour Fine Foods (Sydney) is the wholesaler of most tests; Southern Larder (Auckland) is the other one, whose things
Harbour must never see; Giftware Wholesale (London) imports its past. Goods are known by their SKU:

| SKU | what | price | tax | account |
| --- | --- | --- | --- | --- |
| OAT-1L | Oat milk 1L | 4.50 | GST | |
| BEANS-1KG | Coffee beans 1kg | 27.125 | GST-free | |
| CUP-8OZ | Paper cup 8oz | 0.0375 | GST | 201 |
| SYRUP-VAN | Vanilla syrup | 11.95 | GST | |
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from provender.catalogue import actions as catalogue
from provender.catalogue.models import Category, PriceList, Product
from provender.catalogue.offers import Offer
from provender.customers import actions as customers
from provender.customers.models import Customer, FreightGroup
from provender.invoicing.actions import raise_invoice
from provender.invoicing.credit_notes import raise_credit_note
from provender.invoicing.models import CreditNote, Invoice
from provender.invoicing.totals import LineDraft
from provender.ordering import actions as ordering
from provender.ordering.lines import OrderLineDraft
from provender.ordering.models import Order
from provender.payments.actions import record_payment
from provender.payments.models import Payment
from provender.people.models import Membership, User
from provender.people.roles import Role
from provender.properties import actions as properties
from provender.properties.models import Option, Property
from provender.suppliers.actions import create_supplier
from provender.suppliers.models import Supplier

WHOLESALERS = {
    "harbour": ("Harbour Fine Foods", "AU"),
    "southern": ("Southern Larder", "NZ"),
    "giftware": ("Giftware Wholesale", "GB"),
}
GOODS = {
    "OAT-1L": ("Oat milk 1L", "4.50", "gst", ""),
    "BEANS-1KG": ("Coffee beans 1kg", "27.125", "free", ""),
    "CUP-8OZ": ("Paper cup 8oz", "0.0375", "gst", "201"),
    "SYRUP-VAN": ("Vanilla syrup", "11.95", "gst", ""),
}
PEOPLE = {"mai": Role.STAFF, "theo": Role.BOOKKEEPER, "priya": Role.OWNER, "rex": Role.READER}


def supplier(slug: str = "harbour") -> Supplier:
    """One of the wholesalers."""
    name, country = WHOLESALERS[slug]
    return create_supplier(slug=slug, name=name, country=country)


def person(name: str, wholesaler: Supplier) -> User:
    """Mai takes orders, Theo keeps the books, Priya owns the business, Rex only reads; password "oat milk and rye"."""
    user = User.objects.filter(email=f"{name}@example.test").first() or User.objects.create_user(
        f"{name}@example.test", "oat milk and rye", name=name.title()
    )
    Membership.objects.create(supplier=wholesaler, user=user, role=PEOPLE[name])
    return user


def category(wholesaler: Supplier, name: str = "Drinks") -> Category:
    """A category of the catalogue."""
    return catalogue.save_category(Category(supplier=wholesaler, name=name), by=None)


def product(wholesaler: Supplier, sku: str = "OAT-1L", **changed: Any) -> Product:
    """One of the goods in the table above, or another one; made once per wholesaler."""
    there = Product.objects.filter(supplier=wholesaler, sku=sku).first()
    if there and not changed:
        return there
    name, price, tax_kind, account = GOODS.get(sku, (sku, "1.00", "gst", ""))
    fields = {"name": name, "price": price, "tax_kind": tax_kind, "sales_account": account} | changed
    fields["price"] = Decimal(fields["price"])
    return catalogue.save_product(Product(supplier=wholesaler, sku=sku, **fields), by=None)


def price_list(
    wholesaler: Supplier, name: str = "Cafés", prices: Mapping[str, str] | None = None, **fields: Any
) -> PriceList:
    """A price list with these prices by SKU, from ever on."""
    made = catalogue.save_price_list(PriceList(supplier=wholesaler, name=name, **fields), by=None)
    for sku, price in (prices or {}).items():
        catalogue.set_list_price(made, product(wholesaler, sku), Decimal(price), by=None)
    return made


def dated_price(
    holder: PriceList | Customer, price: str, first: date | None = None, last: date | None = None, sku: str = "OAT-1L"
) -> None:
    """A price on a list, or a customer's own, from a first to a last day."""
    offers = {(product(holder.supplier, sku), first): Offer(Decimal(price), last)}
    if isinstance(holder, PriceList):
        catalogue.set_list_prices(holder, offers, by=None)
    else:
        customers.set_own_prices(holder, offers, by=None)


def freight_group(
    wholesaler: Supplier, name: str = "Metro", charge: str = "12.00", free_from: str | None = "150.00"
) -> FreightGroup:
    """Deliveries in town: 12.00, free from 150.00."""
    group = FreightGroup(supplier=wholesaler, name=name, charge=Decimal(charge))
    if free_from:
        group.free_from = Decimal(free_from)
    return customers.save_freight_group(group, by=None)


def venue(wholesaler: Supplier, trading_name: str = "Corner Cafe", **fields: Any) -> Customer:
    """A venue: 14 days from the order, invoiced at placing, base prices, no freight, unless `fields` say otherwise."""
    return customers.save_customer(Customer(supplier=wholesaler, trading_name=trading_name, **fields), by=None)


def goods(wholesaler: Supplier, quantities: Mapping[str, object]) -> list[OrderLineDraft]:
    """Order lines by SKU: `{"OAT-1L": 4}`."""
    return [
        OrderLineDraft(product=product(wholesaler, sku), quantity=Decimal(str(quantity)))
        for sku, quantity in quantities.items()
    ]


def draft_order(customer: Customer, quantities: Mapping[str, object] | None = None, **fields: Any) -> Order:
    """A draft of that customer: 4 oat milk, unless told otherwise."""
    lines = fields.pop("lines", None) or goods(customer.supplier, quantities or {"OAT-1L": 4})
    return ordering.create_order(customer.supplier, customer, lines=lines, by=None, **fields)


def placed_order(customer: Customer, quantities: Mapping[str, object] | None = None, **fields: Any) -> Order:
    """The same, placed; its invoice is `.invoice` when the customer is invoiced at placing."""
    return ordering.place_order(draft_order(customer, quantities, **fields), by=None)


def line(description: str = "Oat milk 1L", quantity: object = 4, price: object = "4.50", **fields: Any) -> LineDraft:
    """An invoice line that names no product: 4 oat milk at 4.50 with GST."""
    fields = {"kind": "product", "tax_kind": "gst"} | fields
    return LineDraft(description=description, quantity=Decimal(str(quantity)), unit_price=Decimal(str(price)), **fields)


def invoice(customer: Customer, *lines: LineDraft, **fields: Any) -> Invoice:
    """An invoice of 1 November 2026, due on the 15th: 4 oat milk, 19.80 with GST."""
    fields = {"date": date(2026, 11, 1), "due_date": date(2026, 11, 15), "lines": lines or [line()]} | fields
    return raise_invoice(customer.supplier, customer, **fields)


def credit_note(customer: Customer, *lines: LineDraft, **fields: Any) -> CreditNote:
    """A credit note of 3 November 2026: 1 oat milk, 4.95 with GST."""
    fields = {"date": date(2026, 11, 3), "lines": lines or [line(quantity=1)]} | fields
    return raise_credit_note(customer.supplier, customer, **fields)


def payment(invoice: Invoice, amount: str = "19.80", **fields: Any) -> Payment:
    """A bank transfer of 10 November 2026."""
    return record_payment(invoice, amount=Decimal(amount), **({"date": date(2026, 11, 10)} | fields))


def property_(wholesaler: Supplier, name: str = "Region", options: Sequence[str] = (), **fields: Any) -> Property:
    """A dropdown with these options, tagged for the tracking category of its name; it attaches everywhere."""
    fields = {"tag": f"xero_{name}"} | fields
    made = properties.save_property(Property(supplier=wholesaler, name=name, **fields), by=None)
    for option in options:
        properties.save_option(Option(property=made, name=option), by=None)
    return made


def choose(its: Property, document: Any, option: str) -> None:
    """Choose an option, by its name, on a product, customer, order or invoice."""
    kind = type(document).__name__.lower()
    properties.set_value(its, kind, document.pk, str(its.options.get(name=option).pk), by=None)
