"""A wholesaler that goes for good: each of its rows in each table, in short transactions, the children first.

Which tables there are is read from the models themselves, so a new one can't be forgotten. What is written meanwhile by
somebody who was at it when the wholesaler was closed goes with the next round; a deletion that was broken off goes on
where it stopped.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.db import models

from provender.basics import clock
from provender.basics.rows import delete_leaves
from provender.basics.transactions import short_transaction
from provender.suppliers.errors import SupplierOpen
from provender.suppliers.models import Supplier

BATCH = 250
Told = Callable[[int], None]
"""Hears how many rows went."""


def begin_deletion(supplier: Supplier) -> None:
    """From here on there is no way back. Raises SupplierOpen for one that isn't closed."""
    closed = Supplier.objects.filter(pk=supplier.pk, closed_at__isnull=False)
    if not closed.update(deletion_began_at=clock.now()):
        raise SupplierOpen(supplier.name, supplier.slug)


def rows_of(supplier: Supplier) -> Iterator[models.QuerySet[Any]]:
    """Its rows in each table, in the order in which they can go; the wholesaler's own row is none of them."""
    for model, path in tables():
        yield model._default_manager.filter(**{path: supplier}).order_by()  # noqa: SLF001 -- its public name


def delete_rows(supplier: Supplier, but: type[models.Model], told: Told = lambda _count: None) -> int:
    """Delete what `rows_of` names `but` one table, and uploaded files with it; answers how many rows went."""
    gone = 0
    for rows in rows_of(supplier):
        if rows.model is but:
            continue
        while count := _delete_some(rows):
            gone += count
            told(count)
    return gone


def tables() -> list[tuple[type[models.Model], str]]:
    """Each model whose rows belong to a wholesaler, with the path to it; who names a row comes before that row."""
    paths: dict[type[models.Model], str] = {Supplier: ""}
    ours = [model for model in apps.get_models() if model.__module__.startswith("provender.")]
    while found := {model: path for model in ours if model not in paths and (path := _path(model, paths))}:
        paths |= found
    del paths[Supplier]
    ordered: list[type[models.Model]] = []
    while len(ordered) < len(paths):
        left = [model for model in paths if model not in ordered]
        ordered += [model for model in left if not any(model in _named_by(other) for other in left if other != model)]
    return [(model, paths[model]) for model in ordered]


def _path(model: type[models.Model], paths: dict[type[models.Model], str]) -> str:
    """How a row of it leads to its wholesaler, by a key that is always there and the shortest known way; or nothing."""
    ways = [
        f"{key.name}__{paths[key.related_model]}".removesuffix("__")
        for key in _keys(model)
        if not key.null and key.related_model in paths
    ]
    return min(ways, key=len, default="")


def _named_by(model: type[models.Model]) -> set[Any]:
    return {key.related_model for key in _keys(model)}


def _keys(model: type[models.Model]) -> list[Any]:
    return [key for key in model._meta.concrete_fields if key.is_relation]  # noqa: SLF001 -- its public name


def _delete_some(rows: models.QuerySet[Any]) -> int:
    """A batch of them, those first that no other row of their own table names."""
    model = rows.model
    for key in _keys(model):
        if key.related_model is model:
            naming = model._default_manager.filter(**{key.name: models.OuterRef("pk")})  # noqa: SLF001
            rows = rows.exclude(models.Exists(naming))
    ids = list(rows.values_list("pk", flat=True)[:BATCH])
    these = model._default_manager.filter(pk__in=ids)  # noqa: SLF001
    for field in model._meta.concrete_fields:  # noqa: SLF001
        if isinstance(field, models.FileField):
            for name in these.exclude(**{field.name: ""}).values_list(field.name, flat=True):
                field.storage.delete(name)
    with short_transaction():
        delete_leaves(these)
    return len(ids)
