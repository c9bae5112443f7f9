"""The house stands as import-linter can't see it: foreign keys written as strings, furniture, and no hidden wiring."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from provender.basics.texts import AddressField, LineField, LinesField

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ROOT / "src" / "provender"
BANNED = {"utils", "helpers", "services", "manager", "managers", "common", "misc"}


def floors():
    """Room → its floor, counted from the roof; siblings share one."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return {room: floor for floor, layer in enumerate(layers) for room in re.findall(r"\w+", layer)}


def room_of(model):
    package, _, rest = model.__module__.partition(".")
    return rest.split(".")[0] if package == "provender" else None


def ours():
    return [model for model in apps.get_models(include_auto_created=True) if room_of(model)]


@pytest.mark.parametrize("model", ours(), ids=lambda model: model._meta.label)
def test_foreign_keys_point_downward(model):
    floor = floors()
    for field in model._meta.get_fields():
        target = room_of(field.related_model) if field.is_relation and not field.auto_created else None
        if target and target != room_of(model):
            assert floor[target] > floor[room_of(model)], f"{model._meta.label}.{field.name} points up to {target}"


# Written by us alone; and a line's description, which is kept to the space, so whatever builds the lines cleans it.
NOBODYS_WORDS = {
    "slug", "currency", "time_zone", "tag", "kind", "subject_kind", "what", "date_format", "secret_hash", "password",
    "credit_in_xero",
}  # fmt: skip
CLEANED_WHEN_BUILT = {"OrderLine.description", "InvoiceLine.description", "CreditNoteLine.description"}
AS_IT_CAME = {"sync", "importing", "engine"}  # what the outside wrote, until it is taken in


def test_what_people_write_is_cleaned_where_it_is_kept():
    left = {
        f"{model.__name__}.{field.name}"
        for model in ours()
        if room_of(model) not in AS_IT_CAME
        for field in model._meta.local_fields
        if isinstance(field, models.CharField | models.TextField)
        and not isinstance(field, LineField | LinesField | AddressField)
        and not field.choices
        and field.name not in NOBODYS_WORDS
    }
    assert left == CLEANED_WHEN_BUILT


def modules():
    return {path.relative_to(ROOMS).as_posix(): path for path in ROOMS.rglob("*.py") if "migrations" not in path.parts}


def test_a_module_is_named_by_what_it_holds():
    assert [name for name in modules() if set(Path(name).with_suffix("").parts) & BANNED] == []


def test_each_room_says_what_lives_there():
    for path in ROOMS.glob("*/__init__.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path.parent.name


def test_nothing_happens_by_signals():
    for name, path in modules().items():
        imported = re.search(
            r"^\s*(from|import) django\.(dispatch|db\.models\.signals)", path.read_text("utf-8"), re.MULTILINE
        )
        assert imported is None, name
