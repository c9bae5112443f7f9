"""What changes products, categories and price lists. Each function is one transaction."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from provender.basics.money import exact_price, show_price
from provender.catalogue.errors import (
    AnotherWholesalersCatalogue,
    CategoryNameTaken,
    NegativePrice,
    PriceListNameTaken,
    SkuTaken,
)
from provender.catalogue.models import Category, ListPrice, PriceList, Product
from provender.people.models import User
from provender.suppliers.models import Supplier
from provender.timeline.actions import tell, tell_many
from provender.timeline.wording import what_changed


@transaction.atomic
def save_product(product: Product, *, by: User | None) -> Product:
    """Add a product, or keep what was changed on it. Raises SkuTaken, NegativePrice, ValidationError."""
    _check_product(product)
    before = Product.objects.filter(pk=product.pk).first()
    changes = what_changed(before, product) if before else []
    if before and not changes:
        return product
    product.save()
    story = f"Changed {', '.join(changes)}" if before else f"Added at {show_price(product.price)}"
    tell(product.supplier, "product", product.pk, story, who=by)
    return product


def _check_product(product: Product) -> None:
    twin = Product.objects.filter(supplier=product.supplier, sku=product.sku).exclude(pk=product.pk).first()
    if twin:
        raise SkuTaken(product.sku, twin.name)
    if product.price < 0:
        raise NegativePrice(product.sku)
    if product.category and product.category.supplier_id != product.supplier_id:
        raise AnotherWholesalersCatalogue(product.category.name)
    product.full_clean(validate_unique=False, validate_constraints=False)


@transaction.atomic
def import_products(supplier: Supplier, products: Sequence[Product], *, by: User | None = None) -> list[Product]:
    """Add many new products that a file named, in few statements; all or none. Raises SkuTaken, ValidationError."""
    there = Product.objects.filter(supplier=supplier, sku__in=[product.sku for product in products])
    names = dict(there.values_list("sku", "name"))
    for product in products:
        if product.sku in names:
            raise SkuTaken(product.sku, names[product.sku])
        names[product.sku] = product.name
        product.supplier = supplier
        product.clean_fields(exclude={"supplier", "category"})
    made = Product.objects.bulk_create(products)
    tell_many(
        supplier, "product", [(product.pk, f"Imported at {show_price(product.price)}") for product in made], who=by
    )
    return made


@transaction.atomic
def save_category(category: Category, *, by: User | None) -> Category:
    """Add or rename a category. Raises CategoryNameTaken, ValidationError."""
    same_name = Category.objects.filter(supplier=category.supplier, name=category.name).exclude(pk=category.pk)
    if same_name.exists():
        raise CategoryNameTaken(category.name)
    category.full_clean(validate_unique=False, validate_constraints=False)
    category.save()
    return category


@transaction.atomic
def save_price_list(price_list: PriceList, *, by: User | None) -> PriceList:
    """Add or rename a price list. Raises PriceListNameTaken, ValidationError."""
    same_name = PriceList.objects.filter(supplier=price_list.supplier, name=price_list.name).exclude(pk=price_list.pk)
    if same_name.exists():
        raise PriceListNameTaken(price_list.name)
    price_list.full_clean(validate_unique=False, validate_constraints=False)
    before = PriceList.objects.filter(pk=price_list.pk).first()
    changes = what_changed(before, price_list) if before else []
    if before and not changes:
        return price_list
    price_list.save()
    story = f"Changed {', '.join(changes)}" if before else "Added"
    tell(price_list.supplier, "price-list", price_list.pk, story, who=by)
    return price_list


@transaction.atomic
def set_list_price(price_list: PriceList, product: Product, price: Decimal | None, *, by: User | None) -> None:
    """Put a product on a price list at `price` (without tax, 4 places), or take it off (None).

    Raises NegativePrice, TooManyPlaces, AnotherWholesalersCatalogue.
    """
    if product.supplier_id != price_list.supplier_id:
        raise AnotherWholesalersCatalogue(product.name)
    if price is not None and price < 0:
        raise NegativePrice(product.sku)
    before = ListPrice.objects.filter(price_list=price_list, product=product).values_list("price", flat=True).first()
    after = None if price is None else exact_price(price)
    if before == after:
        return
    _write_list_price(price_list, product, after)
    story = f"{product.sku} {_listed(before)} → {_listed(after)}"
    tell(price_list.supplier, "price-list", price_list.pk, story, who=by)


def _listed(price: Decimal | None) -> str:
    return "not listed" if price is None else show_price(price)


def _write_list_price(price_list: PriceList, product: Product, price: Decimal | None) -> None:
    if price is None:
        ListPrice.objects.filter(price_list=price_list, product=product).delete()
        return
    ListPrice.objects.bulk_create(  # one statement: two people may set the same price at once
        [ListPrice(price_list=price_list, product=product, price=price)],
        update_conflicts=True,
        unique_fields=["price_list", "product"],
        update_fields=["price"],
    )


@transaction.atomic
def set_products_active(supplier: Supplier, ids: Iterable[UUID], active: bool, *, by: User | None) -> int:
    """Switch many products on or off; answers how many changed."""
    chosen = Product.objects.filter(supplier=supplier, pk__in=list(ids)).exclude(active=active)
    changed = list(chosen.values_list("pk", flat=True))
    Product.objects.filter(supplier=supplier, pk__in=changed).update(active=active)
    tell_many(supplier, "product", [(pk, "Switched on" if active else "Switched off") for pk in changed], who=by)
    return len(changed)


@transaction.atomic
def move_products(supplier: Supplier, ids: Iterable[UUID], category: Category | None, *, by: User | None) -> int:
    """Put many products into a category (None: into none); answers how many moved."""
    if category and category.supplier_id != supplier.pk:
        raise AnotherWholesalersCatalogue(category.name)
    chosen = Product.objects.filter(supplier=supplier, pk__in=list(ids))
    moved = [product.pk for product in chosen if product.category_id != (category.pk if category else None)]
    Product.objects.filter(supplier=supplier, pk__in=moved).update(category=category)
    story = f"Moved to {category.name}" if category else "Taken out of its category"
    tell_many(supplier, "product", [(pk, story) for pk in moved], who=by)
    return len(moved)
