"""One thing set for many products at once, and undone.

It goes in short transactions, so that nobody who reads meanwhile feels it; each keeps what its products had before.
Cut off half way, doing it again does the rest, and undoing takes back what was done. A product that somebody changed
since keeps what it has.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from provender.basics import clock
from provender.basics.rows import ReadyRows
from provender.basics.transactions import short_transaction
from provender.catalogue.actions import set_column
from provender.catalogue.errors import ChangeGone
from provender.catalogue.models import BulkChange, Category, Former, Product
from provender.people.models import User
from provender.properties.actions import change_values
from provender.properties.errors import OptionRefused
from provender.properties.models import Kind, Property, Value
from provender.suppliers.models import Supplier, TaxKind

BATCH = 200  # products a transaction
KEPT = 5  # changes whose former values are kept
UNDONE_WITHIN = timedelta(days=1)
OF_PROPERTY = "property:"

Ids = Iterable[UUID]


@dataclass(frozen=True)
class Done:
    """How many products changed, and the change that can be undone; None when none did."""

    count: int
    bulk: BulkChange | None


@dataclass(frozen=True)
class Undone:
    """How many products were put back, and how many were left since they had changed."""

    put_back: int
    left: int


def switch(supplier: Supplier, products: Ids, active: bool, *, by: User | None) -> Done:
    """Offer these for new orders, or stop offering them."""
    said = "switched on" if active else "switched off"
    return _set(supplier, products, "active", active, said, by)


def move(supplier: Supplier, products: Ids, category: Category | None, *, by: User | None) -> Done:
    """Put these into a category (None: into none). Raises AnotherWholesalersCatalogue."""
    said = f"moved to {category.name}" if category else "taken out of their category"
    return _set(supplier, products, "category_id", category.pk if category else None, said, by)


def set_tax_kind(supplier: Supplier, products: Ids, tax_kind: str, *, by: User | None) -> Done:
    """Say whether these are taxed, for new order lines."""
    said = f"made {supplier.tax_kind_label(tax_kind)}"
    return _set(supplier, products, "tax_kind", TaxKind(tax_kind).value, said, by)


def set_sales_account(supplier: Supplier, products: Ids, code: str, *, by: User | None) -> Done:
    """Say which account in Xero the sales of these go to (its code); "" leaves it to the settings."""
    said = f"given the sales account {code}" if code else "left to the sales account of the settings"
    return _set(supplier, products, "sales_account", code, said, by)


def set_option(its: Property, products: Ids, option: str, *, by: User | None) -> Done:
    """Choose an option of a dropdown (by its id) on these; "" for none. Raises what `change_values` raises."""
    chosen = its.options.get(pk=option).name if option else ""
    said = f"given {its.name} {chosen}" if chosen else f"left without {its.name}"
    bulk = BulkChange(supplier=its.supplier, what=f"{OF_PROPERTY}{its.pk}", value=option, said=said, by=by)
    return _carry_out(bulk, products, lambda ids: change_values(its, Kind.PRODUCT, ids, option, by=by))


def last_change(supplier: Supplier) -> BulkChange | None:
    """The newest change of many, when it is of the last day and can be undone."""
    newest = supplier.bulk_changes.select_related("by", "supplier").first()
    if newest is None or newest.undone_at or newest.at < clock.now() - UNDONE_WITHIN:
        return None
    return newest


def undo(bulk: BulkChange, *, by: User | None) -> Undone:
    """Put back what the newest change of many replaced, on products that still have it as it was set then.

    Cut off, it can be called again. Raises ChangeGone when another change came after it, or it was undone.
    """
    newest = last_change(bulk.supplier)
    if newest is None or newest.pk != bulk.pk:
        raise ChangeGone
    put_back = 0
    formers = list(bulk.formers.values_list("pk", "product", "value"))
    by_value: dict[str, list[tuple[int, UUID]]] = defaultdict(list)
    for pk, product, value in formers:
        by_value[value].append((pk, product))
    for value, some in by_value.items():
        for start in range(0, len(some), BATCH):
            with short_transaction():
                batch = some[start : start + BATCH]
                put_back += len(_put_back(bulk, [product for _, product in batch], value, by))
                Former.objects.filter(pk__in=[pk for pk, _ in batch]).delete()
    BulkChange.objects.filter(pk=bulk.pk).update(undone_at=clock.now())
    return Undone(put_back, len(formers) - put_back)


def _set(supplier: Supplier, products: Ids, column: str, value: Any, said: str, by: User | None) -> Done:
    bulk = BulkChange(supplier=supplier, what=column, value=_as_text(value), said=said, by=by)
    return _carry_out(bulk, products, lambda ids: set_column(supplier, ids, column, value, by=by))


def _carry_out(bulk: BulkChange, products: Ids, act: Callable[[Sequence[UUID]], Mapping[UUID, Any]]) -> Done:
    ids, count = list(dict.fromkeys(products)), 0
    for start in range(0, len(ids), BATCH):
        with short_transaction():
            before = act(ids[start : start + BATCH])
            if before and not count:
                _save(bulk)
            if before:
                rows = [Former(bulk=bulk, product=pk, value=_as_text(former)) for pk, former in before.items()]
                ReadyRows.of(rows).insert()
        count += len(before)
    _forget_old(bulk.supplier)
    return Done(count, bulk if count else None)


def _save(bulk: BulkChange) -> None:
    bulk.at = clock.now()
    bulk.save(force_insert=True)


def _forget_old(supplier: Supplier) -> None:
    """All but the newest, their former values a few hundred at a time."""
    for old in supplier.bulk_changes.all()[KEPT:]:
        while first := list(old.formers.values_list("pk", flat=True)[:BATCH]):
            Former.objects.filter(pk__in=first).delete()
        old.delete()


def _as_text(value: Any) -> str:
    return "" if value in (None, False) else str(value)


def _from_text(column: str, text: str) -> Any:
    """The other way round than `_as_text`."""
    if column == "active":
        return bool(text)
    return (int(text) if text else None) if column == "category_id" else text


def _put_back(bulk: BulkChange, products: Sequence[UUID], value: str, by: User | None) -> Mapping[UUID, Any]:
    """Those that still have what was set then get `value` again."""
    if bulk.what.startswith(OF_PROPERTY):
        return _put_back_option(bulk, products, value, by)
    rows = Product.objects.filter(supplier=bulk.supplier, pk__in=products)
    as_set = rows.filter(**{bulk.what: _from_text(bulk.what, bulk.value)}).values_list("pk", flat=True)
    before = _from_text(bulk.what, value)
    if bulk.what == "category_id" and not bulk.supplier.categories.filter(pk=before).exists():
        before = None  # the category is gone by now
    return set_column(bulk.supplier, list(as_set), bulk.what, before, by=by)


def _put_back_option(bulk: BulkChange, products: Sequence[UUID], option: str, by: User | None) -> Mapping[UUID, Any]:
    its = bulk.supplier.properties.select_related("supplier").filter(pk=bulk.what.removeprefix(OF_PROPERTY)).first()
    if its is None:
        return {}
    there = Value.objects.filter(property=its, kind=Kind.PRODUCT, document__in=products)
    chosen = {pk: str(option) for pk, option in there.values_list("document", "option")}
    try:
        as_set = [pk for pk in products if chosen.get(pk, "") == bulk.value]
        return change_values(its, Kind.PRODUCT, as_set, option, by=by)
    except OptionRefused:  # the option that they had is no longer offered
        return {}
