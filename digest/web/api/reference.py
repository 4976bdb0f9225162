"""An OpenAPI document as values that a page shows: calls by subject, and what they take and answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NEEDS = "\n\nNeeds the right "
"""How a description ends."""

_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class FieldTold:
    """A parameter or a field: its name, its type in words, whether it must be there, and what it means."""

    name: str
    type: str
    is_needed: bool
    about: str


@dataclass(frozen=True, slots=True)
class CallTold:
    """One call: its method and path, what it does, and what it takes and answers."""

    name: str
    method: str
    path: str
    title: str
    about: str
    right: str
    parameters: tuple[FieldTold, ...]
    body: tuple[FieldTold, ...]
    status: str
    answer: tuple[FieldTold, ...]
    answers_list: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The calls on one subject."""

    name: str
    calls: tuple[CallTold, ...]


def reference_of(document: Mapping[str, Any]) -> tuple[Group, ...]:
    """Return the document's calls by subject, in its order."""
    groups: dict[str, list[CallTold]] = {}
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if operation := methods.get(method):
                subject = operation["tags"][-1]
                groups.setdefault(subject, []).append(_call(document, method, path, operation))
    return tuple(Group(name, tuple(calls)) for name, calls in groups.items())


def _call(document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]) -> CallTold:
    status, answer = next((code, one) for code, one in operation["responses"].items() if code.startswith("2"))
    shape = _shape(document, answer)
    items = shape.get("properties", {}).get("items")
    told = _resolved(document, items["items"]) if items else shape
    return CallTold(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        title=operation["summary"],
        about=operation["description"].removeprefix(operation["summary"]).partition(NEEDS)[0].strip(),
        right=operation["x-right"],
        parameters=tuple(
            FieldTold(
                one["name"],
                _type(document, one["schema"]),
                one.get("required", False),
                _about(one, one["schema"]),
            )
            for one in operation.get("parameters", ())
        ),
        body=tuple(_fields(document, _shape(document, operation.get("requestBody", {})))),
        status=status,
        answer=tuple(_fields(document, told)),
        answers_list=bool(items),
    )


def _about(parameter: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    return str(parameter.get("description") or schema.get("description", ""))


def _shape(document: Mapping[str, Any], content: Mapping[str, Any]) -> Mapping[str, Any]:
    media = content.get("content", {}).get("application/json", {})
    return _resolved(document, media.get("schema", {}))


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _fields(document: Mapping[str, Any], shape: Mapping[str, Any]) -> Iterator[FieldTold]:
    needed = shape.get("required", ())
    for name, schema in shape.get("properties", {}).items():
        yield FieldTold(name, _type(document, schema), name in needed, schema.get("description", ""))


def _type(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return a type in words: `string`, `integer or null`, `list of Place`, `draft, approved or sent`."""
    if "$ref" in schema:
        found = _resolved(document, schema)
        return _type(document, found) if "enum" in found else schema["$ref"].rpartition("/")[2]
    if choices := schema.get("anyOf"):
        return " or ".join(_type(document, one) for one in choices)
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_type(document, schema['items'])}"
    return str(schema.get("format") or schema.get("type", "object"))
