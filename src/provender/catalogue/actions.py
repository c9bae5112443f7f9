"""What changes products, categories and price lists. Each function is one transaction."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models, transaction

from provender.basics import clock
from provender.basics.money import show_price
from provender.basics.rows import find_named, hold
from provender.catalogue.errors import (
    AnotherWholesalersCatalogue,
    CategoryInUse,
    CategoryNameTaken,
    EndsBeforeItBegins,
    NegativePrice,
    PriceListNameTaken,
    SkuTaken,
)
from provender.catalogue.models import Category, ListPrice, PriceList, Product
from provender.catalogue.offers import Offer, Offers, judge_offers, write_offers
from provender.people.models import User
from provender.suppliers.models import Supplier
from provender.timeline.actions import tell, tell_many
from provender.timeline.wording import what_changed

UNSORTED = "Unsorted"  # where products go that came without a category


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
    if product.price < 0:
        raise NegativePrice(product.sku)
    product.full_clean(validate_unique=False, validate_constraints=False)
    twin = Product.objects.filter(supplier=product.supplier, sku=product.sku).exclude(pk=product.pk).first()
    if twin:
        raise SkuTaken(product.sku, twin.name)
    if product.category and product.category.supplier_id != product.supplier_id:
        raise AnotherWholesalersCatalogue(product.category.name)


@transaction.atomic
def import_products(
    supplier: Supplier, products: Sequence[Product], *, by: User | None = None, why: str = ""
) -> list[Product]:
    """Add many new products from elsewhere, in few statements; all or none. Raises SkuTaken, ValidationError."""
    for product in products:
        product.supplier = supplier
        product.clean_fields(exclude={"supplier", "category"})
    there = Product.objects.filter(supplier=supplier, sku__in=[product.sku for product in products])
    names = dict(there.values_list("sku", "name"))
    for product in products:
        if product.sku in names:
            raise SkuTaken(product.sku, names[product.sku])
        names[product.sku] = product.name
    made = Product.objects.bulk_create(products)
    tell_many(
        supplier,
        "product",
        [(product.pk, f"Imported at {show_price(product.price)}") for product in made],
        who=by,
        why=why,
    )
    return made


@transaction.atomic
def save_category(category: Category, *, by: User | None) -> Category:
    """Add or rename a category. Raises CategoryNameTaken, ValidationError."""
    category.full_clean(validate_unique=False, validate_constraints=False)
    same_name = Category.objects.filter(supplier=category.supplier, name=category.name).exclude(pk=category.pk)
    if same_name.exists():
        raise CategoryNameTaken(category.name)
    category.save()
    return category


@transaction.atomic
def save_price_list(price_list: PriceList, *, like: PriceList | None = None, by: User | None) -> PriceList:
    """Add a price list, or keep what was changed on it. A new one may begin with the prices of another, `like`.

    Raises PriceListNameTaken, EndsBeforeItBegins, ValidationError.
    """
    price_list.full_clean(validate_unique=False, validate_constraints=False)
    same_name = PriceList.objects.filter(supplier=price_list.supplier, name=price_list.name).exclude(pk=price_list.pk)
    if same_name.exists():
        raise PriceListNameTaken(price_list.name)
    first, last = price_list.valid_from, price_list.valid_to
    if first and last and last < first:
        raise EndsBeforeItBegins(price_list.name, first, last)
    before = PriceList.objects.filter(pk=price_list.pk).first()
    changes = what_changed(before, price_list) if before else []
    if before and not changes:
        return price_list
    price_list.save()
    story = f"Changed {', '.join(changes)}" if before else "Added"
    tell(price_list.supplier, "price-list", price_list.pk, story, who=by)
    if like and not before:
        _take_prices(price_list, like, by=by)
    return price_list


def _take_prices(price_list: PriceList, like: PriceList, *, by: User | None) -> None:
    """Each with its days."""
    if like.supplier_id != price_list.supplier_id:
        raise AnotherWholesalersCatalogue(like.name)
    columns = ("product_id", "price", "valid_from", "valid_to")
    rows = [ListPrice(price_list=price_list, **row) for row in like.prices.values(*columns)]
    ListPrice.objects.bulk_create(rows, batch_size=500)
    tell(price_list.supplier, "price-list", price_list.pk, f"Took the prices of {like}", who=by)


def set_list_price(price_list: PriceList, product: Product, price: Decimal | None, *, by: User | None) -> None:
    """Put a product on a price list at `price` (without tax, 4 places) from ever on, or take that price off (None).

    Raises what `set_list_prices` raises.
    """
    set_list_prices(price_list, {(product, None): Offer(price) if price is not None else None}, by=by)


@transaction.atomic
def set_list_prices(price_list: PriceList, offers: Offers, *, by: User | None, why: str = "") -> int:
    """Set many dated prices of a list at once, in few statements, all or none; answers how many changed.

    Raises what `offers.judge_offers` raises.
    """
    offers = judge_offers(price_list.supplier, offers)
    hold(price_list)
    moved = write_offers(price_list.prices, offers, price_list=price_list)
    supplier, name = price_list.supplier, price_list.name
    of_list = [(price_list.pk, f"{product.sku} {move}") for product, move in moved]
    of_products = [(product.pk, f"On {name}: {move}") for product, move in moved]
    tell_many(supplier, "price-list", of_list, who=by, why=why)
    tell_many(supplier, "product", of_products, who=by, why=why)
    return len(moved)


def set_products_active(supplier: Supplier, ids: Iterable[UUID], active: bool, *, by: User | None) -> int:
    """Switch many products on or off; answers how many changed."""
    return len(set_column(supplier, ids, "active", active, by=by))


@transaction.atomic
def set_column(supplier: Supplier, ids: Iterable[UUID], column: str, value: Any, *, by: User | None) -> dict[UUID, Any]:
    """Give many products the same value in one of the SETTABLE columns (a category by its id), in few statements.

    Answers what each that changed had before. Raises AnotherWholesalersCatalogue.
    """
    story = _story_of_setting(supplier, column, value)
    chosen = Product.objects.select_for_update().filter(supplier=supplier, pk__in=list(ids))
    before = {pk: former for pk, former in chosen.values_list("pk", column) if former != value}
    Product.objects.filter(pk__in=list(before)).update(**{column: value}, changed_at=clock.now())
    tell_many(supplier, "product", [(pk, story) for pk in before], who=by)
    return before


SETTABLE = ("active", "category_id", "tax_kind", "sales_account")


def _story_of_setting(supplier: Supplier, column: str, value: Any) -> str:
    if column not in SETTABLE:
        raise ValueError(f"{column} is not set for many products at once.")
    if column == "active":
        return "Switched on" if value else "Switched off"
    if column == "tax_kind":
        return f"Made {supplier.tax_kind_label(value)}"
    if column == "sales_account":
        return f"Sales account set to {value}" if value else "Sales account left to the Xero settings"
    if value is None:
        return "Taken out of its category"
    category = Category.objects.filter(pk=value, supplier=supplier).first()
    if category is None:
        raise AnotherWholesalersCatalogue("That category")
    return f"Moved to {category.name}"


@transaction.atomic
def order_categories(supplier: Supplier, ids: Sequence[int]) -> None:
    """Give the categories their order, as named; any that isn't named comes last."""
    place = {pk: position for position, pk in enumerate(ids)}
    categories = list(Category.objects.filter(supplier=supplier))
    for category in categories:
        category.position = place.get(category.pk, len(ids))
    Category.objects.bulk_update(categories, ["position"])


@transaction.atomic
def delete_category(category: Category, *, by: User | None) -> int:
    """Delete a category; its products stay, in no category. Answers how many they were.

    Raises CategoryInUse for Unsorted while a product is in it.
    """
    left = list(category.products.values_list("pk", flat=True))
    if left and category.name == UNSORTED:
        raise CategoryInUse(category.name, len(left))
    category.delete()
    supplier, name = category.supplier, category.name
    tell_many(supplier, "product", [(pk, f"Its category {name} was deleted") for pk in left], who=by)
    tell(supplier, "supplier", supplier.pk, f"Deleted the category {name}", who=by)
    return len(left)


@transaction.atomic
def delete_price_list(price_list: PriceList, *, by: User | None) -> None:
    """Delete a price list with its prices. Customers who have it are told by `customers.actions.retire_price_list`."""
    supplier, name = price_list.supplier, price_list.name
    price_list.delete()
    tell(supplier, "supplier", supplier.pk, f"Deleted the price list {name}", who=by)


def find_unsorted(supplier: Supplier) -> Category:
    """The category Unsorted, made after the others when it isn't there."""
    last = Category.objects.filter(supplier=supplier).count()
    return Category.objects.get_or_create(supplier=supplier, name=UNSORTED, defaults={"position": last})[0]


@dataclass(frozen=True)
class Revision:
    """Columns of one product: as somebody was shown them, and as they should be; a category as itself or None."""

    product: UUID
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@transaction.atomic
def revise_products(
    supplier: Supplier, revisions: Iterable[Revision], *, by: User | None, why: str = ""
) -> dict[UUID, list[str]]:
    """Change columns of many products in few statements; a column that isn't as it was shown any more is left.

    Answers the columns written, by product; a product that is gone has none. Raises ValidationError.
    """
    wanted = {revision.product: revision for revision in revisions}
    there = list(Product.objects.select_for_update().filter(supplier=supplier, pk__in=list(wanted)))
    if any("category" in revision.after for revision in wanted.values()):
        models.prefetch_related_objects(there, "category")
    written: dict[UUID, list[str]] = {pk: [] for pk in wanted}
    changed: list[Product] = []
    stories: list[tuple[UUID, str]] = []
    for product in there:
        before = copy.copy(product)
        written[product.pk] = _revise(product, wanted[product.pk])
        if changes := what_changed(before, product):
            product.clean_fields(exclude={"supplier", "category"})
            changed.append(product)
            stories.append((product.pk, f"Changed {', '.join(changes)}"))
    _write_products(changed)
    tell_many(supplier, "product", stories, who=by, why=why)
    return written


def _revise(product: Product, revision: Revision) -> list[str]:
    as_shown = [name for name in revision.after if getattr(product, name) == revision.before[name]]
    for name in as_shown:
        setattr(product, name, revision.after[name])
    return as_shown


def _write_products(products: Sequence[Product]) -> None:
    """One upsert by id: several times as fast as an update that spells out a case for each row and column."""
    columns = [f.name for f in Product._meta.concrete_fields if f.name not in {"id", "supplier", "created_at"}]  # noqa: SLF001
    Product.objects.bulk_create(products, update_conflicts=True, unique_fields=["id"], update_fields=columns)


@transaction.atomic
def remove_products(supplier: Supplier, ids: Iterable[UUID], *, by: User | None, why: str = "") -> set[UUID]:
    """Delete those of the products that nothing names: no order, invoice or price list. Answers which went."""
    chosen = Product.objects.filter(supplier=supplier, pk__in=list(ids))
    found = dict(chosen.values_list("pk", "sku"))
    named = find_named(Product, found)
    gone = {pk: sku for pk, sku in found.items() if pk not in named}
    Product.objects.filter(supplier=supplier, pk__in=list(gone)).delete()
    stories = [(supplier.pk, f"Removed the product {sku}") for sku in gone.values()]
    tell_many(supplier, "supplier", stories, who=by, why=why)
    return set(gone)
