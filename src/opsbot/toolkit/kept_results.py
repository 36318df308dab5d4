"""A result as it is kept with its proposal, so that the first words can be said again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from opsbot.toolkit.results import Card, Column, Result, Table


def dump_result(result: Result) -> dict[str, Any]:
    """Return what of a change's result is kept, to say it again."""
    return {
        "say": result.say,
        "facts": plain(result.facts),
        "cards": [asdict(card) for card in result.cards],
        "table": asdict(result.table) if result.table else None,
        "quick_replies": list(result.quick_replies),
        "hands_off": result.hands_off,
    }


def load_result(stored: Mapping[str, Any]) -> Result:
    """Return the result that `dump_result` kept."""
    table = stored.get("table")
    return Result(
        say=stored["say"],
        facts=stored.get("facts", {}),
        cards=tuple(Card(**card) for card in stored.get("cards", ())),
        table=_load_table(table) if table else None,
        quick_replies=tuple(stored.get("quick_replies", ())),
        hands_off=stored.get("hands_off", False),
    )


def hash_of(value: object) -> str:
    """Return a hash that is equal for equal facts, whatever the order of their keys."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


def plain(value: object) -> Any:
    """Return a value as JSON can hold it."""
    return json.loads(_canonical(value))


def _load_table(stored: Mapping[str, Any]) -> Table:
    columns = tuple(Column(**column) for column in stored["columns"])
    return Table(caption=stored["caption"], columns=columns, rows=stored["rows"])


def _canonical(value: object) -> str:
    # Keys become text before they are sorted: as numbers 9 comes before 10, as text after it.
    as_text = json.loads(json.dumps(value, default=str))
    return json.dumps(as_text, sort_keys=True, separators=(",", ":"))
