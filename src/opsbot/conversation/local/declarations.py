"""What the embedded model knows of a tool: its declaration, read into plain records."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KNOWLEDGE, HANDOFF, PROOF = "knowledge", "handoff", "proof"
"""Roles of tools: the search over articles, the way to a person, the proof of an order."""
NUMBERS = ("integer", "number")
UNSHARED = frozenset({"text", "choice", "quantity", "number", "period", "span", "", "address"})
"""Kinds whose values say nothing about the next request."""


@dataclass(frozen=True)
class ArgumentSpec:
    """One argument of a tool."""

    name: str
    kind: str
    """What values mean; arguments of one kind share values. Empty: nothing was declared."""
    ask: str
    pattern: re.Pattern[str] | None
    candidates: str
    """Name of the read tool that lists possible values; empty: none does."""
    labels: Mapping[str, Sequence[str]]
    """Each allowed value with the phrases that mean it; empty: any value is allowed."""
    required: bool
    many: bool
    """Whether it takes a list."""
    type: str
    """JSON type of one value: `string`, `integer`, `number` or `boolean`."""
    when: re.Pattern[str] | None = None
    """Words that call for it, where others leave it alone."""


@dataclass(frozen=True)
class ToolSpec:
    """One tool."""

    name: str
    description: str
    examples: Sequence[str]
    writes: bool
    level: int
    role: str
    arguments: Sequence[ArgumentSpec]
    acts: bool = False
    """Whether it changes something at once, without asking."""
    grants: int = 1
    """Of a proof: the identity level it gives."""
    follow_ups: Sequence[str] = ()
    """What people say to go on with it, right after it was used."""

    def argument(self, name: str) -> ArgumentSpec | None:
        """Return the argument called `name`."""
        return next((a for a in self.arguments if a.name == name), None)

    def of_kind(self, kind: str) -> ArgumentSpec | None:
        """Return the first argument of a kind."""
        return next((a for a in self.arguments if a.kind == kind), None)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds its arguments take."""
        return frozenset(a.kind for a in self.arguments if a.kind)


def read_declaration(schema: Mapping[str, Any]) -> ToolSpec:
    """Read a declaration in the shape LangChain binds; our own keys may be missing.

    Without `x-tool`, the description stands in for the examples.
    """
    function = schema.get("function", schema)
    ours = function.get("x-tool", {})
    parameters = function.get("parameters") or {}
    required = set(parameters.get("required", ()))
    definitions = parameters.get("$defs", {})
    description = str(function.get("description", ""))
    first_line = description.split("\n", 1)[0]
    return ToolSpec(
        name=str(function["name"]),
        description=description,
        examples=tuple(ours.get("examples") or ([first_line] if first_line else ())),
        writes=ours.get("effect", "read") != "read" and ours.get("confirm") != "none",
        level=int(ours.get("level", 0)),
        role=str(ours.get("role", "")),
        arguments=tuple(
            _read_argument(name, described, definitions, required=name in required)
            for name, described in parameters.get("properties", {}).items()
        ),
        acts=ours.get("effect", "read") != "read" and ours.get("confirm") == "none",
        grants=int(ours.get("grants", 1)),
        follow_ups=tuple(ours.get("follow_ups", ())),
    )


def _read_argument(
    name: str, described: Mapping[str, Any], definitions: Mapping[str, Any], *, required: bool
) -> ArgumentSpec:
    shape = _flatten(described, definitions)
    many = shape.get("type") == "array"
    one = _flatten(shape.get("items", {}), definitions) if many else shape
    ours = described.get("x-argument") or shape.get("x-argument") or one.get("x-argument") or {}
    labels = dict(ours.get("labels") or {})
    for value in one.get("enum", ()):
        if value is not None:
            labels.setdefault(str(value), (str(value).replace("_", " "),))
    words = name.replace("_", " ")
    pattern, when = ours.get("pattern") or "", ours.get("when") or ""
    return ArgumentSpec(
        name=name,
        kind=str(ours.get("kind") or _plain_kind(one, labels)),
        ask=str(ours.get("ask") or f"What is the {words}?"),
        pattern=re.compile(pattern, re.IGNORECASE) if pattern else None,
        candidates=str(ours.get("candidates") or ""),
        labels=labels,
        required=required,
        many=many,
        type=str(one.get("type", "string")),
        when=re.compile(when, re.IGNORECASE) if when else None,
    )


def _flatten(described: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Follow `$ref` and take the branch of `anyOf` that is not null."""
    shape = dict(described)
    for branch in (*shape.pop("anyOf", ()), *shape.pop("allOf", ())):
        if branch.get("type") != "null":
            shape = {**_flatten(branch, definitions), **shape}
            break
    if reference := shape.pop("$ref", None):
        shape = {
            **_flatten(definitions.get(str(reference).split("/")[-1], {}), definitions),
            **shape,
        }
    return shape


def _plain_kind(shape: Mapping[str, Any], labels: Mapping[str, Any]) -> str:
    if labels:
        return "choice"
    if shape.get("type") in NUMBERS:
        return "number"
    return "" if shape.get("type") == "boolean" else "text"
