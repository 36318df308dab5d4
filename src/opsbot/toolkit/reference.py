"""The reference page of the tools, from their declarations."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opsbot.errors import CODES
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.wire import without_extras

_LEVELS = (
    "anybody",
    "who has proved an order",
    "who is signed in",
    "who is signed in and has a fresh one-time code",
)
_EFFECTS = {
    "read": "reads",
    "write": "changes something that can be undone",
    "irreversible": "changes something that cannot be undone",
}
_CONFIRM = {
    "none": "nobody",
    "self": "who asked for it",
    "second_person": "who asked for it, and a colleague where the preview says so",
}
_PII = {
    "none": "none",
    "masked": "some, without names and streets; each read is audited",
    "full": "yes; each read is audited",
}
_WORDS = {"string": "text", "integer": "whole number", "boolean": "yes or no"}
_HEAD = (
    "# Tools",
    "",
    "Made by `scripts/build_reference.py` from the declarations in `tools/`; do not edit it.",
    "How to write a tool: [tools.md](../tools.md).",
    "",
    "The same tools answer in every chat, in `POST /v1/tools/{name}`, over MCP and in",
    "`opsbot tools run`. All of them may end with `forbidden`, `rate_limited` and `unavailable`.",
)


def tools_page(tools: Iterable[AnyTool]) -> str:
    """Return the page as Markdown."""
    known = sorted(tools, key=lambda tool: (tool.audience.value, tool.name))
    lines = [
        *_HEAD,
        "",
        "## Errors",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| `{code}` | {meaning} |" for code, meaning in CODES.items()),
    ]
    for audience, title in ((Audience.CUSTOMER, "For customers"), (Audience.STAFF, "For staff")):
        lines += ["", f"## {title}"]
        for tool in known:
            if tool.audience is audience:
                lines += ["", *_section(tool)]
    return "\n".join(lines) + "\n"


def _section(tool: AnyTool) -> Iterator[str]:
    yield f"### `{tool.name}`"
    yield ""
    yield tool.description.split("\n\nArgs:")[0]
    yield ""
    yield f"- **For:** {_who(tool)}"
    yield f"- **Effect:** {_EFFECTS[tool.effect]}. **Confirmed by:** {_CONFIRM[tool.confirm]}."
    yield f"- **Personal data:** {_PII[tool.pii]}."
    limits = ", ".join(str(limit) for limit in tool.limits) or "none of its own"
    yield f"- **Limits:** {limits}."
    own = sorted(tool.codes - {"forbidden", "rate_limited", "unavailable"})
    if own:
        yield f"- **Errors:** {', '.join(f'`{code}`' for code in own)}."
    rows = list(_arguments(tool))
    if rows:
        yield from ("", "| argument | type | meaning |", "|---|---|---|", *rows)
    yield ""
    yield "Asked like this:"
    yield ""
    yield from (f"- {example}" for example in tool.examples)


def _who(tool: AnyTool) -> str:
    if tool.audience is Audience.STAFF:
        return f"staff with the role {' or '.join(sorted(tool.roles))}" if tool.roles else "staff"
    return f"{_LEVELS[tool.level]} (level {int(tool.level)})"


def _arguments(tool: AnyTool) -> Iterator[str]:
    schema = without_extras(tool.schema["function"]["parameters"])
    definitions = schema.get("$defs", {})
    required = set(schema.get("required", ()))
    for name, described in schema.get("properties", {}).items():
        kind = _type(described, definitions).replace("|", "\\|")
        if name not in required:
            default = described.get("default")
            kind += "; may be left out" if default in (None, "") else f"; else `{default}`"
        meaning = _description(described).replace("|", "\\|").replace("\n", " ")
        yield f"| `{name}` | {kind} | {meaning} |"


def _description(described: Mapping[str, Any]) -> str:
    inner = [one for one in described.get("anyOf", ()) if "description" in one]
    return str(described.get("description") or (inner[0]["description"] if inner else ""))


def _type(described: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Return the type of an argument in words."""
    if "$ref" in described:
        described = definitions[described["$ref"].rpartition("/")[2]]
    if "anyOf" in described:
        kinds = [_type(one, definitions) for one in described["anyOf"]]
        return " or ".join(kind for kind in kinds if kind != "null")
    if values := described.get("enum", [described["const"]] if "const" in described else []):
        return ", ".join(f"`{value}`" for value in values)
    kind = str(described.get("type", "anything"))
    if kind == "array":
        return f"list of {_type(described.get('items', {}), definitions)}"
    return _WORDS.get(kind, kind) + _bounds(described)


def _bounds(described: Mapping[str, Any]) -> str:
    least, most = described.get("minimum"), described.get("maximum")
    if least is not None and most is not None:
        return f", {least} to {most}"
    longest = described.get("maxLength")
    return f", at most {longest} characters" if longest is not None else ""
