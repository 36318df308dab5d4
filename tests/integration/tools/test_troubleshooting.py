"""Step by step through a guide: which one, which step, and when it stops."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from opsbot.db import Database
from opsbot.errors import NotFoundError
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.results import Result
from tests.factories import NOON
from tests.quick_encoder import QuickEncoder

GUIDE = """---
title: Lamp trouble
audience: public
---

> **Warning:** Unplug the lamp before you open it.

## It does not turn on

1. Check that the plug sits firmly.
2. Try another socket.
3. Change the bulb.

## It flickers

1. Tighten the bulb.
2. Move the dimmer to the end and back.

## Who to ask

1. Only one step is no guide.
"""
NAME = "Lamp trouble: It does not turn on"
VISITOR = Caller(Audience.CUSTOMER, "widget", visitor="v1")


@dataclass
class Helper:
    """Asks for steps as a visitor does, with what was said before as the context."""

    executor: Executor
    context: str = ""

    def ask(self, symptom: str) -> Result:
        arguments = {"symptom": symptom}
        result = self.executor.run(
            VISITOR, "troubleshoot", arguments, now=NOON, question=symptom, context=self.context
        )
        assert isinstance(result, Result)
        self.context = result.say
        return result


@pytest.fixture
def helper(
    database: Database,
    settings: Settings,
    tools: Mapping[str, AnyTool],
    policies: Policies,
    tmp_path: Path,
) -> Iterator[Helper]:
    """A shop with one guide of two sections."""
    folder = tmp_path / "articles" / "troubleshooting"
    folder.mkdir(parents=True)
    (folder / "lamp.md").write_text(GUIDE, "utf-8")
    encoder = QuickEncoder()
    ingest(database, tmp_path / "articles", encoder, now=NOON)
    knowledge = Knowledge(database, encoder, tmp_path, settings.retrieval)
    yield Helper(Executor(database, settings, tools, knowledge, policies))
    knowledge.close()


def test_the_first_step_comes_with_the_warnings_and_the_way_to_the_whole(helper: Helper) -> None:
    result = helper.ask(NAME)

    assert result.facts == {"guide": NAME, "step": 1, "steps": 3}
    assert result.say.startswith(f"**{NAME}**, step 1 of 3:")
    assert "> Unplug the lamp" in result.say
    assert "Check that the plug sits firmly." in result.say
    assert "Try another socket" not in result.say
    assert "#it-does-not-turn-on" in result.say


def test_the_next_steps_follow_without_the_warning_until_a_person_is_offered(
    helper: Helper,
) -> None:
    helper.ask(NAME)

    second = helper.ask("That did not help, next step please")
    third = helper.ask("no change")
    last = helper.ask("still the same")

    assert (second.facts["step"], third.facts["step"]) == (2, 3)
    assert "Unplug" not in second.say
    assert last.facts == {"outcome": "case", "guide": NAME}
    assert list(last.quick_replies) == ["Yes, a person please"]


@pytest.mark.parametrize(
    ("said", "solved"),
    [
        ("It works now, thanks", True),
        ("that helped!", True),
        ("it's fixed", True),
        ("that has not fixed it", False),
        ("it doesn't work, no change, not solved", False),
    ],
)
def test_solved_is_what_was_not_denied(helper: Helper, said: str, *, solved: bool) -> None:
    helper.ask(NAME)

    result = helper.ask(said)

    assert (result.facts.get("outcome") == "solved") is solved
    assert solved or result.facts["step"] == 2


@pytest.mark.parametrize("first", [True, False], ids=["at once", "in the middle"])
def test_danger_ends_the_guide_and_calls_a_person(helper: Helper, *, first: bool) -> None:
    if not first:
        helper.ask(NAME)

    result = helper.ask("there is smoke coming out of it")

    assert result.facts == {"outcome": "danger"}
    assert result.hands_off
    assert "unplug" in result.say.lower()
    assert "step 2" not in result.say


def test_what_no_guide_is_about_is_said(helper: Helper) -> None:
    with pytest.raises(NotFoundError, match="steps for"):
        helper.ask("the kettle whistles in C minor")


def test_a_step_of_a_guide_that_is_gone_is_not_made_up(helper: Helper) -> None:
    helper.context = "**Lamp trouble: It hums**, step 1 of 9:"

    with pytest.raises(NotFoundError):
        helper.ask("next step please")
