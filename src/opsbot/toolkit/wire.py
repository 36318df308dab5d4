"""How tools, results, previews and errors look as JSON: the same on every way in."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from opsbot.errors import OpsbotError
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.proposals import Preview
from opsbot.toolkit.results import Result

CANDIDATES = "candidates"
"""The key of `Result.facts` that is for the embedded model alone."""


def show_tool(tool: AnyTool) -> dict[str, Any]:
    """Return a tool's declaration."""
    return {
        "name": tool.name,
        "description": tool.description,
        "audience": tool.audience.value,
        "roles": sorted(tool.roles),
        "level": int(tool.level),
        "effect": tool.effect,
        "confirm": tool.confirm,
        "pii": tool.pii,
        "limits": [str(limit) for limit in tool.limits],
        "errors": sorted(tool.codes),
        "examples": list(tool.examples),
        "parameters": without_extras(tool.schema["function"]["parameters"]),
    }


def show_result(result: Result) -> dict[str, Any]:
    """Return what a tool found or did."""
    facts = {key: value for key, value in result.facts.items() if key != CANDIDATES}
    return {
        "say": result.say,
        "facts": facts,
        "table": asdict(result.table) if result.table else None,
        "chart": asdict(result.chart) if result.chart else None,
        "cards": [asdict(card) for card in result.cards],
        "citations": [
            {
                "n": n,
                "title": hit.title,
                "heading": hit.heading,
                "url": hit.url,
                "text": hit.text,
            }
            for n, hit in enumerate(result.hits, 1)
        ],
    }


def show_preview(preview: Preview) -> dict[str, Any]:
    """Return what a change would do, and how to find it again."""
    return {
        "proposal_id": preview.id,
        "tool": preview.tool,
        "title": preview.title,
        "details": list(preview.details),
        "button": preview.button,
        "clause": asdict(preview.clause) if preview.clause else None,
        "state": preview.state.value,
        "expires_at": preview.expires_at.isoformat(),
        "say": preview.say,
        "can_undo": preview.can_undo,
    }


def show_error(error: OpsbotError) -> dict[str, Any]:
    """Return an error as a model or a program is told of it."""
    return {"code": error.code, "text": str(error), **error.details()}


def without_extras(value: Any) -> Any:
    """Return nested plain values without the keys that begin with `x-`."""
    if isinstance(value, Mapping):
        return {key: without_extras(v) for key, v in value.items() if not str(key).startswith("x-")}
    return [without_extras(v) for v in value] if isinstance(value, list) else value
