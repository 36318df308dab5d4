"""What a model is told of a tool's result, and how its marks are numbered."""

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from opsbot.errors import OpsbotError
from opsbot.toolkit.results import Result
from opsbot.toolkit.wire import CANDIDATES, show_error

MARK = re.compile(r"\[(\d{1,2})\]")
"""A citation in a text: `[2]`."""
SHOWN_ROWS = 20
"""Rows of a table that a model is shown."""


def tell_result(result: Result, *, first: int, extras: bool = True) -> dict[str, Any]:
    """Return what the model is told of a result; with `extras`, what the embedded one reads too."""
    facts = {key: value for key, value in result.facts.items() if extras or key != CANDIDATES}
    told: dict[str, Any] = {"say": result.say, "facts": facts}
    if result.hits:
        told["hits"] = [
            {
                "n": n,
                "title": hit.title,
                "heading": hit.heading,
                "text": hit.text,
                "score": round(hit.score, 3),
            }
            for n, hit in enumerate(result.hits, first)
        ]
    if "known" in result.facts:
        told["known"] = result.facts["known"]
    if result.table is not None:
        told["rows"] = [list(row) for row in result.table.rows[:SHOWN_ROWS]]
        told["columns"] = [column.label for column in result.table.columns]
    return told


def tell_error(error: OpsbotError) -> dict[str, Any]:
    """Return what the model is told of a tool that failed."""
    return {"error": show_error(error)}


def renumber(result: Result, before: int) -> Result:
    """Shift the marks of a second search behind those of the first."""
    if not before or not result.hits:
        return result
    return replace(result, say=MARK.sub(lambda m: f"[{int(m[1]) + before}]", result.say))


def flatten(value: object) -> str:
    """Return every word and number inside nested plain values, as one text."""
    if isinstance(value, Mapping):
        return " ".join(flatten(v) for v in value.values())
    if isinstance(value, list | tuple):
        return " ".join(flatten(v) for v in value)
    if hasattr(value, "__dataclass_fields__"):
        return flatten(asdict(value))  # type: ignore[call-overload]  # checked just above
    return str(value)
