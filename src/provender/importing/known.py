"""What a file's SKUs, customer numbers and document numbers stand for: what we have, and what is about to come."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from provender.catalogue.models import Product
from provender.customers.models import Customer
from provender.importing.mapping import Line
from provender.importing.models import Import
from provender.invoicing.models import CreditNote, Invoice
from provender.suppliers.models import Supplier, TaxKind


@dataclass(frozen=True)
class KnownProduct:
    """What a line takes from its product."""

    id: UUID
    name: str
    tax_kind: str
    sales_account: str


@dataclass
class Shelf:
    """Products by SKU: found exactly as written, else by case when that is only one."""

    exact: dict[str, KnownProduct] = field(default_factory=dict)
    by_case: dict[str, list[KnownProduct]] = field(default_factory=dict)

    def add(self, sku: str, product: KnownProduct) -> None:
        """Put one more on the shelf."""
        self.exact[sku] = product
        self.by_case.setdefault(sku.casefold(), []).append(product)

    def find(self, sku: str) -> KnownProduct | None:
        """The product that a file's SKU stands for."""
        if sku in self.exact:
            return self.exact[sku]
        alike = self.by_case.get(sku.casefold(), [])
        return alike[0] if len(alike) == 1 else None


@dataclass
class Known:
    """A supplier's products and customers, as files call them. `coming_…` are not in the books yet."""

    shelf: Shelf
    customers: dict[str, Customer]
    coming_products: dict[UUID, Product] = field(default_factory=dict)
    coming_customers: dict[str, Customer] = field(default_factory=dict)

    def expect_products(self, products: Iterable[Product]) -> None:
        """Add products that are to be created; those whose SKU is known by now are left out."""
        for product in products:
            if self.shelf.find(product.sku) is None:
                known = KnownProduct(product.id, product.name, product.tax_kind, product.sales_account)
                self.shelf.add(product.sku, known)
                self.coming_products[product.id] = product

    def expect_customers(self, customers: Iterable[Customer]) -> None:
        """Add customers that are to be created; those whose number is known by now are left out."""
        for customer in customers:
            if customer.number not in self.customers:
                self.customers[customer.number] = self.coming_customers[customer.number] = customer

    def take_products(self, skus: Iterable[str]) -> list[Product]:
        """Those that these SKUs stand for and that aren't in the books yet; the caller creates them."""
        found = [product for sku in skus if (product := self.shelf.find(sku))]
        taken = (self.coming_products.pop(product.id, None) for product in found)
        return [product for product in taken if product]

    def take_customers(self, numbers: Iterable[str]) -> list[Customer]:
        """Those with these numbers that aren't in the books yet; the caller creates them."""
        taken = (self.coming_customers.pop(number, None) for number in numbers)
        return [customer for customer in taken if customer]


def load_known(supplier: Supplier) -> Known:
    """Everything the supplier has, in two queries."""
    shelf = Shelf()
    columns = ("sku", "id", "name", "tax_kind", "sales_account")
    for sku, *rest in Product.objects.filter(supplier=supplier).values_list(*columns).iterator():
        shelf.add(sku, KnownProduct(*rest))
    customers = Customer.objects.filter(supplier=supplier).exclude(number="")
    needed = customers.only(
        "number", "trading_name", "terms_days", "terms_from", "followed_terms", "followed_day", "supplier_id"
    )
    return Known(shelf, {customer.number: customer for customer in needed.iterator()})


def load_expected(source: Import) -> Known:
    """What the supplier has, and what this import will create."""
    known = load_known(source.supplier)
    known.expect_products(
        Product(supplier=source.supplier, sku=row.sku, name=row.name, price=row.price, tax_kind=TaxKind.GST)
        for row in source.products.order_by("pk").iterator()
    )
    known.expect_customers(
        Customer(supplier=source.supplier, number=row.number, trading_name=row.name)
        for row in source.customers.order_by("pk").iterator()
    )
    return known


@dataclass(frozen=True)
class Credited:
    """An invoice that a credit note names: whose it is, by the customer's number; without id it is still to come."""

    customer: str
    id: UUID | None = None


@dataclass(frozen=True)
class Here:
    """What we have of some documents of a file: those that bear their numbers, and the invoices that they credit."""

    invoices: Mapping[str, Invoice]
    credit_notes: Mapping[str, CreditNote]
    credited: Mapping[str, Credited]


def load_here(supplier: Supplier, documents: Sequence[Sequence[Line]]) -> Here:
    """What we have of these documents, each given by its lines."""
    numbers = [lines[0].number for lines in documents]
    invoices = Invoice.objects.filter(supplier=supplier, number__in=numbers)
    credit_notes = CreditNote.objects.filter(supplier=supplier, number__in=numbers)
    named = {lines[0].credited_invoice for lines in documents} - {""}
    credited = Invoice.objects.filter(supplier=supplier, number__in=named) if named else Invoice.objects.none()
    return Here(
        {one.number: one for one in invoices.select_related("customer").prefetch_related("lines")},
        {one.number: one for one in credit_notes.select_related("customer", "invoice").prefetch_related("lines")},
        {one.number: Credited(one.customer.number, one.pk) for one in credited.select_related("customer")},
    )
