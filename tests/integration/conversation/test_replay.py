"""Turns run again over what was kept with them, with scripted models."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from sqlalchemy import select

from opsbot.conversation.local.model import LocalChatModel
from opsbot.conversation.models import TurnInputs
from opsbot.conversation.replay import Replays
from opsbot.db import Database
from opsbot.errors import UnavailableError
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.testing import ScriptedModel
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.policy import load_policies
from tests.integration.conversation.conftest import (
    REPOSITORY,
    NoArticles,
    Shop,
    ask_person,
    call,
    change,
    look_up,
    report,
    shop_with,
)
from tests.quick_encoder import QuickEncoder

LOOK, SAY = call("look_up", key="A mug"), AIMessage("A mug costs €19.10.")


@dataclass
class Lab:
    """A shop with a language model from outside, and what replays its turns."""

    shop: Shop
    settings: Settings
    executor: Executor

    def replays(
        self, *lines: Any, versions: Mapping[str, Any] | None = None, model: Any = None
    ) -> Replays:
        """Return replays whose embedded model says `lines`."""
        embedded = cast("BaseChatModel", model or ScriptedModel(lines=list(lines)))
        articles = cast("Knowledge", NoArticles())
        parts = (self.shop.database, self.settings, self.executor, articles, embedded)
        understand = LocalChatModel(encoder=QuickEncoder()).understand
        return Replays(*parts, versions=lambda: versions or {"index": 1}, understand=understand)


@pytest.fixture
def lab(database: Database, settings: Settings) -> Iterator[Lab]:
    settings = settings.model_copy(update={"model": "openai:puppet"})
    shop = shop_with(database, settings, remote=True)
    tools = {tool.name: tool for tool in (look_up, report, change, ask_person)}
    policies = load_policies(REPOSITORY / "knowledge" / "policies")
    knowledge = cast("Knowledge", NoArticles())
    yield Lab(shop, settings, Executor(database, settings, tools, knowledge, policies))
    shop.service.close()


def test_a_language_models_own_words_are_checked_again_without_asking_it(lab: Lab) -> None:
    lab.shop.remote.lines.extend([LOOK, AIMessage("A mug costs €19.10. It is also €5.")])
    reply = lab.shop.say("What is a mug?")
    asked = len(lab.shop.remote.heard)

    replayed = lab.replays().replay(reply.message_id)

    assert replayed.is_same
    assert replayed.model == "openai:puppet"
    assert "€5" not in reply.text
    assert len(lab.shop.remote.heard) == asked


def test_what_a_failed_model_asked_and_wrote_is_not_replayed(lab: Lab) -> None:
    lab.shop.remote.lines.extend([call("look_up", key="A lamp"), UnavailableError("gone")])
    reply = lab.shop.say("What is a mug?", LOOK, SAY)

    replayed = lab.replays(LOOK, SAY).replay(reply.message_id)

    assert replayed.is_same
    assert replayed.model == "embedded"
    with lab.shop.database.read() as session:
        inputs = session.scalars(select(TurnInputs)).one()
    assert "A lamp" not in str(inputs.answers)
    assert inputs.written == []


def test_another_tool_is_named_and_ends_the_replay(lab: Lab) -> None:
    lab.shop.remote.lines.append(UnavailableError("gone"))
    reply = lab.shop.say("What is a mug?", LOOK, SAY)

    replayed = lab.replays(call("look_up", key="A lamp"), SAY).replay(reply.message_id)

    assert replayed.stopped.startswith("It would ask the tool look_up (key: A lamp).")
    assert not replayed.is_same


def test_other_words_are_a_difference_and_versions_tell_what_changed(lab: Lab) -> None:
    lab.shop.remote.lines.append(UnavailableError("gone"))
    reply = lab.shop.say("What is a mug?", LOOK, SAY)

    replays = lab.replays(LOOK, AIMessage("That is €19.10."), versions={"index": 2})
    replayed = replays.replay(reply.message_id)

    assert [one.part for one in replayed.differences] == ["words"]
    assert replayed.differences[0].lines == ("-A mug costs €19.10.", "+That is €19.10.")
    assert [(one.of, one.then, one.now) for one in replayed.versions] == [("articles", "1", "2")]


def test_a_change_is_confirmed_in_a_replay_without_being_made(lab: Lab) -> None:
    lab.shop.remote.lines.append(call("report", about="a leak"))
    preview = lab.shop.say("Please open a case")
    done = lab.shop.say("yes", conversation=preview.conversation_id)

    replayed = [lab.replays().replay(one.message_id) for one in (preview, done)]

    assert all(one.is_same for one in replayed)
    assert lab.shop.cases() == 1


def test_a_refusal_is_told_again(lab: Lab) -> None:
    lab.shop.remote.lines.extend([call("look_up"), AIMessage("I need a key for that.")])
    stranger = Caller(lab.shop.ada.audience, "widget", visitor="somebody")
    reply = lab.shop.say("Look it up", caller=stranger)

    assert lab.replays().replay(reply.message_id).is_same
