"""Holding all conversations, each with a copy of its own."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from opsbot.channels.services import Services
from opsbot.errors import OpsbotError
from opsbot.evaluation.changes import compare
from opsbot.evaluation.checks import check_heard, check_records
from opsbot.evaluation.schema import Script
from opsbot.evaluation.shops import Template
from opsbot.evaluation.talk import Clock, PlayedTurn, Talk, find_speaker
from opsbot.toolkit.policy import load_policies


@dataclass(frozen=True)
class Outcome:
    """How one conversation went."""

    name: str
    script: Script
    turns: tuple[PlayedTurn, ...]
    failures: tuple[str, ...]
    """What is wrong with the conversation as a whole, and with the records."""
    seconds: float

    @property
    def problems(self) -> list[str]:
        """Everything that is wrong, in order."""
        by_turn = [
            f"turn {number}: {failure}"
            for number, turn in enumerate(self.turns, 1)
            for failure in turn.failures
        ]
        return [*by_turn, *self.failures]


class Evaluation:
    """Holds conversations with copies of one shop. The copies lie in `folder`, one at a time."""

    def __init__(self, template: Template, folder: Path, *, as_of: datetime) -> None:
        """`as_of`: when conversations begin that name no time of their own."""
        self._template = template
        self._folder = folder
        self._as_of = as_of
        policies = load_policies(template.settings.knowledge_dir / "policies")
        self._clauses = {clause.id: clause.text for clause in policies.clauses()}

    def hold_all(
        self, scripts: Mapping[str, Script], *, tell: Callable[[Outcome], None]
    ) -> list[Outcome]:
        """Hold all conversations and return how they went; `tell` hears of each when it ends."""
        outcomes = []
        for name, script in scripts.items():
            outcomes.append(self.hold(name, script))
            tell(outcomes[-1])
        return outcomes

    def hold(self, name: str, script: Script) -> Outcome:
        """Hold one conversation with a fresh copy of the shop."""
        begun = time.perf_counter()
        clock = Clock(script.as_of or self._as_of)
        turns, failures = list[PlayedTurn](), list[str]()
        with self._template.open_copy(self._folder / "copy", clock) as services:
            try:
                failures = self._play(services, clock, script, turns)
            except OpsbotError as error:
                failures = [str(error)]
        return Outcome(name, script, tuple(turns), tuple(failures), time.perf_counter() - begun)

    def _play(
        self, services: Services, clock: Clock, script: Script, turns: list[PlayedTurn]
    ) -> list[str]:
        talk = Talk(services, clock, self._clauses, find_speaker(services, script))
        for turn in script.turns:
            turns.append(talk.play(turn))
            if not turns[-1].answered:
                break  # what was to follow would be said to nobody; what was done is looked at
        failures = check_heard(script, talk.heard, self._clauses)
        zone = services.settings.time_zone
        with compare(self._template.file, services.database) as comparison:
            return failures + check_records(script, comparison, talk.heard, zone=zone)
