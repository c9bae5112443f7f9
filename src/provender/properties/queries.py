"""Reading properties: what may be noted where, what is, and which options the lines of a document carry."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from provender.properties.models import Kind, Option, Property, Value
from provender.suppliers.models import Supplier

CHUNK = 500

Carried = dict[str, Any]
"""An option on a line: `property`, `option` (ids), `property_name`, `option_name`, `from` (a Kind), all texts."""


@dataclass(frozen=True)
class Field:
    """One property of one document, for a form: what may be chosen, what is."""

    property: Property
    value: str  # an option's id, or the text
    shown: str
    options: list[Option]  # active ones, and the one that stands there


def properties_for(supplier: Supplier, kind: str) -> QuerySet[Property]:
    """The properties that may be noted on documents of that kind."""
    return Property.objects.filter(supplier=supplier, **{f"on_{kind}s": True})


def fields_of(supplier: Supplier, kind: str, document: UUID) -> list[Field]:
    """What may be noted on that document, and what is."""
    values = Value.objects.filter(supplier=supplier, kind=kind, document=document).select_related("option")
    there = {value.property_id: value for value in values}
    wanted = properties_for(supplier, kind).prefetch_related("options")
    return [_field(each, there.get(each.pk)) for each in wanted]


def _field(its: Property, value: Value | None) -> Field:
    option = value.option if value else None
    offered = [each for each in its.options.all() if each.active or each == option]
    if option:
        return Field(its, str(option.pk), option.name, offered)
    return Field(its, value.text if value else "", value.text if value else "", offered)


def choose_for_lines(
    supplier: Supplier,
    products: Sequence[UUID | None],
    *,
    customer: UUID | None = None,
    order: UUID | None = None,
    invoice: UUID | None = None,
    on_order: Mapping[UUID, Option | None] | None = None,
) -> list[list[Carried]]:
    """The options that lines carry, a list for each line, given by its product (None: the line has none).

    `on_order` are options about to be chosen on the order (property → option), before what is saved on it.
    For each dropdown the product decides, then the invoice, then the order, then the customer; a property counts only
    on kinds that it is attached to. At most four queries, however many lines.
    """
    dropdowns = list(Property.objects.filter(supplier=supplier, type=Property.Type.DROPDOWN))
    if not dropdowns:
        return [[] for _ in products]
    heads = [
        (kind, document)
        for kind, document in ((Kind.INVOICE, invoice), (Kind.ORDER, order), (Kind.CUSTOMER, customer))
        if document
    ]
    named = _chosen(supplier, Kind.PRODUCT, {product for product in products if product})
    for kind, document in heads:
        named |= _chosen(supplier, kind, {document})
    for its, option in (on_order or {}).items():
        if order:
            named[str(Kind.ORDER), order, its] = option
    return [_carried(dropdowns, product, heads, named) for product in products]


def choose_for_customers(
    supplier: Supplier, products: Mapping[UUID, Sequence[UUID | None]]
) -> dict[UUID, list[list[Carried]]]:
    """The same for lines of new documents of many customers: customer → products → their lists of options.

    Three queries, and two more for every few hundred products or customers.
    """
    dropdowns = list(Property.objects.filter(supplier=supplier, type=Property.Type.DROPDOWN))
    if not dropdowns:
        return {customer: [[] for _ in wanted] for customer, wanted in products.items()}
    named = _chosen(supplier, Kind.PRODUCT, {product for wanted in products.values() for product in wanted if product})
    named |= _chosen(supplier, Kind.CUSTOMER, products)
    return {
        customer: [_carried(dropdowns, product, [(Kind.CUSTOMER, customer)], named) for product in wanted]
        for customer, wanted in products.items()
    }


def _carried(
    dropdowns: Iterable[Property],
    product: UUID | None,
    heads: Sequence[tuple[Kind, UUID]],
    named: dict[tuple[str, UUID, UUID], Option | None],
) -> list[Carried]:
    """What a line carries: for each dropdown the first option that the product or one of the heads names."""
    levels = [(Kind.PRODUCT, product), *heads] if product else heads
    return [carried for each in dropdowns if (carried := _first(each, levels, named))]


def _chosen(supplier: Supplier, kind: str, documents: Iterable[UUID]) -> dict[tuple[str, UUID, UUID], Option | None]:
    ids = list(documents)
    found: dict[tuple[str, UUID, UUID], Option | None] = {}
    for start in range(0, len(ids), CHUNK):
        rows = Value.objects.filter(
            supplier=supplier, kind=kind, document__in=ids[start : start + CHUNK], option__isnull=False
        )
        for row in rows.select_related("option"):
            if row.option:
                found[str(kind), row.document, row.property_id] = row.option
    return found


def _first(
    its: Property, levels: Iterable[tuple[Kind, UUID]], named: dict[tuple[str, UUID, UUID], Option | None]
) -> Carried | None:
    for kind, document in levels:
        option = named.get((str(kind), document, its.pk))
        if option and getattr(its, f"on_{kind}s"):
            return {
                "property": str(its.pk),
                "property_name": its.name,
                "option": str(option.pk),
                "option_name": option.name,
                "from": str(kind),
            }
    return None
