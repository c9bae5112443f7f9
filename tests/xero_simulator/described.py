"""Xero's own OpenAPI description as a check of every JSON answer that the tests get.

Validating is slow and answers repeat, so it is done once for each shape of an answer: its structure, the kinds of its
values, its words that are in one of Xero's enumerations, and how long its texts are where a limit could matter.
"""

import json
import os
import re
from bisect import bisect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.exceptions import ValidationError, best_match
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("XERO_OPENAPI") or ROOT.parent / "shared" / "xero-openapi")
FILE = FOLDER / "xero_accounting.yaml"
ADDRESS = "urn:xero"
STRING_BOOLEANS = {"true": True, "false": False}
counted = {"checked": 0}
# Where the description's own examples contradict its schemas we answer as in the examples.
EXCEPTIONS = {
    ("DELETE", "Allocations", "Invoice"): "the schema has one invoice, the example a list of one",
}
# What was refused is told as it was sent: what is missing, unknown or too long in it stays so.
AS_SENT = {"required", "enum", "maxLength"}
misfits: list[str] = []
known: dict[Any, str | None] = {}


class WithoutTimestamps(yaml.CSafeLoader):
    """Dates stay text, as they are in JSON."""


WithoutTimestamps.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@cache
def description() -> dict[str, Any] | None:
    """The accounting API's description, or None when it is not there, which CI does not allow."""
    if not FILE.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"Xero's OpenAPI description is missing: {FILE}")
        return None
    return _coerced(yaml.load(FILE.read_text(), WithoutTimestamps))  # noqa: S506 - a safe loader with less


def _coerced(node: Any) -> Any:
    """Boolean defaults that stand in quotes become booleans, references absolute."""
    if isinstance(node, list):
        return [_coerced(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: _coerced(one) for name, one in node.items()}
    if isinstance(made.get("$ref"), str):
        made["$ref"] = made["$ref"].replace("#/", ADDRESS + "#/")
    if made.get("type") == "boolean" and isinstance(made.get("default"), str):
        made["default"] = STRING_BOOLEANS[made["default"]]
    return made


@cache
def _operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    found = description()
    paths = found["paths"] if found else {}
    return [
        (re.compile("^" + re.sub(r"\{[^}]+\}", "[^/]+", path) + "/?$", re.IGNORECASE), item)
        for path, item in paths.items()
    ]


@cache
def _validator(method: str, pattern: str, status: str) -> OAS30Validator | None:
    item = next(item for compiled, item in _operations() if compiled.pattern == pattern)
    answers = item.get(method.lower(), {}).get("responses", {})
    content = (answers.get(status) or {}).get("content", {}).get("application/json", {})
    if "$ref" in (answers.get(status) or {}):
        name = answers[status]["$ref"].rsplit("/", 1)[1]
        content = description()["components"]["responses"][name]["content"]["application/json"]
    schema = content.get("schema")
    if schema is None:
        return None
    registry = Registry().with_resource(ADDRESS, DRAFT4.create_resource(description()))
    return OAS30Validator(schema, registry=registry)


@cache
def _limits() -> list[int]:
    """Every maxLength of the description."""
    return sorted({int(found) for found in re.findall(r'"maxLength": (\d+)', json.dumps(description()))})


@cache
def _words() -> frozenset[str]:
    """Every word of an enumeration; another one in its place has the shape of a text, and is refused there."""
    return frozenset(_enumerated(description()))


def _enumerated(node: Any) -> Iterator[str]:
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _enumerated(one)
    if isinstance(node, dict) and isinstance(node.get("enum"), list):
        yield from (word for word in node["enum"] if isinstance(word, str))


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((name, _shape(one)) for name, one in value.items())
    if isinstance(value, list):
        return frozenset(map(_shape, value))
    if isinstance(value, str):
        return value if value in _words() else bisect(_limits(), len(value) - 1)
    return type(value)


def check(method: str, path: str, status: int, body: bytes) -> None:
    """Note an answer that does not fit the description; answers it says nothing about pass."""
    short = path.removeprefix("/api.xro/2.0")
    if description() is None:
        return
    for pattern, item in _operations():
        if pattern.match(short) and method.lower() in item:
            if (validator := _validator(method, pattern.pattern, str(status))) is None:
                return
            counted["checked"] += 1
            content = json.loads(body)
            key = (method, pattern.pattern, status, _shape(content))
            if known.get(key, "unknown"):  # a misfit is judged each time anew: the words that don't fit are told
                known[key] = _misfit(validator, method, path, content)
            if known[key]:
                misfits.append(f"{method} {path} {status}: {known[key]}")
            return


def _misfit(validator: OAS30Validator, method: str, path: str, content: Any) -> str | None:
    errors = [
        one
        for one in validator.iter_errors(content)
        if not _is_excepted(method, path, one) and not _is_as_sent(content, one)
    ]
    if error := best_match(errors):
        return f"{'/'.join(str(part) for part in error.absolute_path)}: {error.message[:300]}"
    return None


def _is_excepted(method: str, path: str, error: ValidationError) -> bool:
    where = "/".join(str(part) for part in error.absolute_path)
    return any((method, where) == (verb, place) and f"/{name}" in path for verb, name, place in EXCEPTIONS)


def _is_as_sent(content: Any, error: ValidationError) -> bool:
    key, *position = [*error.absolute_path][:2] or [None]
    element = content[key][position[0]] if position and isinstance(content.get(key), list) else {}
    return error.validator in AS_SENT and bool(element.get("ValidationErrors"))
