"""Arguments for tools: right ones from their declaration, and the same with one thing wrong."""

import random
from collections.abc import Mapping
from typing import Any

from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.wire import without_extras

UNKNOWN = ("customer_id", "level", "role", "actor", "approved", "__class__", "now", "ctx", "order")
LONG = "x" * 5000
_BY_KIND: Mapping[str, Any] = {
    "email": "ada@example.com",
    "postcode": "10119",
    "item": "Kiln mug",
    "period": "last month",
    "address": "Sonnenallee 5, 12047 Berlin",
    "text": "please",
    "customer": "ada@example.com",
    "category": "lamps",
    "supplier": "Tallinn Glass",
}


def fill_arguments(rng: random.Random, tool: AnyTool, order: str) -> dict[str, Any]:
    """Return arguments that fit a tool: the required ones, and some of the others."""
    schema = tool.schema["function"]["parameters"]
    required = set(schema.get("required", ()))
    return {
        name: _value(rng, described, schema.get("$defs", {}), order)
        for name, described in schema.get("properties", {}).items()
        if name in required or rng.random() < 0.3  # noqa: PLR2004
    }


def break_argument(
    rng: random.Random, tool: AnyTool, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments with one thing in them that no tool takes."""
    schema = without_extras(tool.schema["function"]["parameters"])
    properties: Mapping[str, Any] = schema.get("properties", {})
    required = [name for name in schema.get("required", ()) if name in arguments]
    if not properties or rng.random() < 0.25:  # noqa: PLR2004
        return {**arguments, rng.choice(UNKNOWN): rng.choice([1, "manager", True, None, {}])}
    if required and rng.random() < 0.15:  # noqa: PLR2004
        gone = rng.choice(required)
        return {name: value for name, value in arguments.items() if name != gone}
    name = rng.choice(sorted(properties))
    wrong = _wrong(_plain(properties[name], schema.get("$defs", {})))
    if name == "question":
        wrong.remove(LONG)  # a question that is too long is cut, not refused
    return {**arguments, name: rng.choice(wrong)}


def _wrong(shape: Mapping[str, Any]) -> list[Any]:
    """Return values that do not fit a type."""
    anywhere: list[Any] = ["\0", "a\ud800b", {"a": 1}, _nested(40)]
    if "enum" in shape or "const" in shape:
        return [*anywhere, "nonsense", 7, ["x"]]
    kind = shape.get("type")
    if kind in {"integer", "number"}:
        return [*anywhere, -1, -(10**9), 10**12, 10**30, "many", "1e5x", [1], "' OR 1=1 --"]
    if kind == "array":
        return [*anywhere, 5, "x", [{}], [["x"]], ["x"] * 500, ["\0"]]
    if kind == "boolean":
        return [*anywhere, "perhaps", 17, [True]]
    return [*anywhere, 5, -1, ["x"], True, LONG]


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def _value(
    rng: random.Random, described: Mapping[str, Any], definitions: Mapping[str, Any], order: str
) -> Any:
    shape = _plain(described, definitions)
    extra = described.get("x-argument") or shape.get("x-argument") or {}
    kind = extra.get("kind", "")
    if kind == "order_number":
        return order
    if "enum" in shape:
        return rng.choice(shape["enum"])
    if shape.get("type") == "array":
        return [str(_BY_KIND.get(kind, "Kiln mug"))]
    if shape.get("type") in {"integer", "number"}:
        return max(1, int(shape.get("minimum", 1)))
    if shape.get("type") == "boolean":
        return True
    return _BY_KIND.get(kind, "something")


def _plain(described: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references, and of alternatives take the one that is not null."""
    if "$ref" in described:
        return _plain(definitions[described["$ref"].rpartition("/")[2]], definitions)
    for many in ("anyOf", "allOf"):
        if many in described:
            inner = [one for one in described[many] if one.get("type") != "null"]
            return {**described, **_plain(inner[0], definitions)}
    return described
