"""Two replies to one message, part by part, as lines that people can compare."""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_CONTEXT = 2
"""Lines around a difference that are shown."""
_HEAD = 2
"""Lines that a unified diff begins with: the names of the two."""

Parts = dict[str, list[str]]
"""Lines of each part of a reply, by what people call it."""


@dataclass(frozen=True)
class Difference:
    """A part of a reply that is another one."""

    part: str
    lines: tuple[str, ...]
    """A unified diff, without its head: ` ` stayed, `-` was there then, `+` is there now."""


def describe_reply(
    text: str,
    body: Mapping[str, Any],
    frame: Mapping[str, Any] | None,
    calls: Sequence[tuple[str, Mapping[str, Any]]],
) -> Parts:
    """Return a reply as lines: what was called, what is said, and what goes with it."""
    proposal = body.get("proposal")
    return {
        "tools": [f"{name} {_line(arguments)}" for name, arguments in calls],
        "words": text.splitlines(),
        "sources": [f"{one['title']}: {one['heading']}" for one in body.get("citations", ())],
        "proposal": _lines(proposal) if proposal else [],
        "quick replies": list(body.get("quick_replies", ())),
        "cards": [line for card in body.get("cards", ()) for line in _lines(card)],
        "table": _lines(body["table"]) if body.get("table") else [],
        "chart": _lines(body["chart"]) if body.get("chart") else [],
        "quotes": [
            f"{one['article']} {one['version']}, {one['start']} to {one['end']}: {one['quote']}"
            for one in body.get("proofs", ())
        ],
        "what is remembered": _lines(frame) if frame else [],
    }


def compare_replies(then: Parts, now: Parts) -> tuple[Difference, ...]:
    """Return the parts that differ, in order."""
    return tuple(
        Difference(part, tuple(_diff(then[part], now[part])))
        for part in then
        if then[part] != now[part]
    )


def _diff(then: list[str], now: list[str]) -> list[str]:
    lines = list(difflib.unified_diff(then, now, lineterm="", n=_CONTEXT))
    return [line for line in lines[_HEAD:] if not line.startswith("@@")]


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _lines(value: Any) -> list[str]:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, default=str).splitlines()
