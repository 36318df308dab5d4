"""What a tool said, read from its message."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opsbot.conversation.local.frame import Option, read_option


@dataclass(frozen=True)
class Outcome:
    """What came of a tool call."""

    say: str = ""
    """Words to say as they are."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    lists: Mapping[str, list[Option]] = field(default_factory=dict)
    """Possible values by kind, best first."""
    unknown: bool = False
    """The articles do not answer."""
    error: Mapping[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The kind of error; empty when there was none."""
        return str(self.error.get("code", "error")) if self.error else ""

    @property
    def text(self) -> str:
        """The words of the error."""
        return str(self.error.get("text", ""))

    @property
    def level(self) -> int:
        """The identity level that is needed."""
        level = self.error.get("level", 1)
        return level if isinstance(level, int) else 1

    @property
    def instead(self) -> str:
        """The tool that does what was asked; empty: none is known."""
        return str(self.error.get("instead") or "")

    @property
    def candidates(self) -> Sequence[str]:
        """What to choose from."""
        found = self.error.get("candidates")
        return [str(c) for c in found] if isinstance(found, list) else []


def read_outcome(content: str) -> Outcome:
    """Read a tool message; what is not our JSON is taken as words."""
    try:
        told = json.loads(content)
    except ValueError:
        return Outcome(say=content)
    if not isinstance(told, Mapping):
        return Outcome(say=content)
    error = told.get("error")
    if error:
        return Outcome(error=error if isinstance(error, Mapping) else {"text": str(error)})
    facts = told.get("facts")
    facts = facts if isinstance(facts, Mapping) else {}
    return Outcome(
        say=str(told.get("say", "")),
        facts=facts,
        lists=_read_lists(facts.get("candidates")),
        unknown=told.get("known") is False,
    )


def _read_lists(candidates: Any) -> dict[str, list[Option]]:
    if not isinstance(candidates, Mapping):
        return {}
    lists: dict[str, list[Option]] = {}
    for kind, values in candidates.items():
        if isinstance(values, list):
            lists[str(kind)] = [_read_option(value) for value in values]
    return lists


def _read_option(value: Any) -> Option:
    return read_option(value) if isinstance(value, Mapping) else Option(str(value), str(value))
