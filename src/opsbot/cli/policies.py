"""`opsbot policy simulate`: what the rules say, before they go live."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from opsbot.db import Database
from opsbot.errors import InvalidInputError, UnavailableError
from opsbot.formats import format_money
from opsbot.migrations import pending
from opsbot.settings import Settings
from opsbot.toolkit.policy import Policies, load_policies
from opsbot.toolkit.policy.return_facts import facts_from_json
from opsbot.toolkit.policy.returns import ReturnFacts
from opsbot.toolkit.policy_trials import (
    Asked,
    Trial,
    explain,
    facts_of_order,
    trial_as_json,
    try_policies,
)

_MOST_ROWS = 100
_MISSING: Mapping[str, object] = {"none": None, "null": None}


@dataclass(frozen=True)
class Question:
    """What is to be decided."""

    facts: Mapping[str, object]
    """Named facts; empty: those of an order's items, or nothing."""
    order: Asked | None = None
    today: date | None = None
    """None: the real day."""


def read_facts(pairs: Sequence[str], text: str) -> dict[str, object]:
    """Return facts from `NAME=VALUE`s, over those of JSON: the text itself, or a file's after `@`.

    Raises:
        InvalidInputError: it is no JSON object, or the file cannot be read; a pair has no `=`.
    """
    facts: dict[str, object] = {}
    if text:
        try:
            content = Path(text[1:]).read_text("utf-8") if text.startswith("@") else text
            facts = json.loads(content)
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"The facts cannot be read: {error}.") from error
        if not isinstance(facts, dict):
            raise InvalidInputError("The facts must be a JSON object.")
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise InvalidInputError(f"A fact is written NAME=VALUE, not {pair[:40]}.")
        facts[name.strip()] = _MISSING.get(value.strip().lower(), value.strip())
    return facts


def simulate(
    console: Console,
    settings: Settings,
    question: Question,
    *,
    folder: Path | None,
    last: int,
    as_json: bool,
    now: datetime,
) -> None:
    """Print what the rules decide; with `folder`, what its rules would, and what that changes.

    Args:
        console: where to print.
        settings: whose rules hold.
        question: what to decide.
        folder: changed policy files; None: only the rules that hold.
        last: how many past returns to decide again by both.
        as_json: print one JSON object instead.
        now: the time.
    """
    live = load_policies(settings.knowledge_dir / "policies")
    tried = load_policies(folder) if folder is not None else None
    sets = [live] if tried is None else [live, tried]
    today = question.today or now.astimezone(ZoneInfo(settings.time_zone)).date()
    facts = _facts(settings, question, live, now)
    found: dict[str, Any] = {
        "decisions": [
            {"item": name} | explain(one, rules, today, currency=settings.currency)
            for name, one in facts
            for rules in sets
        ]
    }
    trial = None
    if tried is not None and last:
        with _open(settings).read() as session:
            zone, currency = settings.time_zone, settings.currency
            trial = try_policies(session, live, tried, last=last, zone=zone, currency=currency)
        found["trial"] = trial_as_json(trial)
    if as_json:
        console.print_json(json.dumps(found))
        return
    for one in found["decisions"]:
        _print_decision(console, one)
    if trial is not None:
        _print_trial(console, trial, settings.currency)


def _facts(
    settings: Settings, question: Question, policies: Policies, now: datetime
) -> list[tuple[str, ReturnFacts]]:
    if question.facts:
        return [("", facts_from_json(question.facts))]
    if question.order is None:
        return []
    with _open(settings).read() as session:
        return facts_of_order(session, question.order, policies, zone=settings.time_zone, now=now)


def _open(settings: Settings) -> Database:
    database = Database(settings.resolved_database_url)
    if pending(database):
        raise UnavailableError("The database has no tables of this version yet: opsbot migrate.")
    return database


def _print_decision(console: Console, found: Mapping[str, Any]) -> None:
    head = " · ".join(part for part in (found["item"], found["policy_version"]) if part)
    console.print(f"[bold]{head}[/], asked on {found['today']}", highlight=False)
    for sentence in found["say"]:
        console.print(f"  {sentence}", highlight=False, markup=False)
    for clause in found["clauses"]:
        words = f"  {clause['id']}: {clause['text']}"
        console.print(words, style="dim", highlight=False, markup=False)
    console.print()


def _print_trial(console: Console, trial: Trial, currency: str) -> None:
    returns = len({one.number for one in trial.differences})
    before, after = (
        format_money(minor, currency)
        for minor in (trial.refund_before_minor, trial.refund_after_minor)
    )
    console.print(
        f"Of {trial.looked_at} items of past returns, those of {returns} returns would be decided "
        f"otherwise. Refunds: {before} before, {after} after.",
        highlight=False,
    )
    if not trial.differences:
        return
    table = Table("return", "order", "item", "what", "now", "with the changed files", box=None)
    for one in trial.differences[:_MOST_ROWS]:
        table.add_row(one.number, one.order, one.sku, one.what, one.before, one.after)
    console.print(table)
    if len(trial.differences) > _MOST_ROWS:
        console.print(f"and {len(trial.differences) - _MOST_ROWS} more", style="dim")
