"""Who answers mails in these tests: a clerk with set replies, or the real service with a script."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from langchain_core.messages import AIMessage, ToolCall, ToolMessage

from opsbot.commerce.orders import Order
from opsbot.conversation.assistant import Assistant
from opsbot.conversation.chat_model import Breaker
from opsbot.conversation.decisions import Decisions
from opsbot.conversation.events import Bell
from opsbot.conversation.replies import Reply
from opsbot.conversation.runner import Runner
from opsbot.conversation.service import ConversationService
from opsbot.db import Database
from opsbot.drafts.drafter import Drafter
from opsbot.errors import UnavailableError
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.staff import Staff
from opsbot.testing import ScriptedModel
from opsbot.toolkit.caller import Audience, Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import load_tools
from opsbot.toolkit.policy import load_policies
from tests.factories import NOON, make_order

REPOSITORY = Path(__file__).parents[3]

REPLY = Reply(
    conversation_id="c1",
    message_id="m1",
    text="Wipe it with a **damp** cloth [1].",
    citations=[
        {
            "n": 1,
            "title": "Kiln mugs",
            "heading": "Cleaning",
            "url": "/help/kiln-mugs#cleaning",
            "quote": "Wipe the mug with a damp cloth.",
        }
    ],
    cards=[],
    table=None,
    chart=None,
    proposal=None,
    quick_replies=[],
)


@dataclass
class Clerk:
    """Answers every mail with the same reply, and remembers who asked what."""

    reply_with: Reply = REPLY
    is_away: bool = False
    asked: list[tuple[Caller, str, str, str | None]] = field(default_factory=list)

    def reply(
        self,
        caller: Caller,
        text: str,
        *,
        client_id: str,
        now: datetime,
        conversation_id: str | None = None,
    ) -> Reply:
        """Answer, unless away."""
        self.asked.append((caller, text, client_id, conversation_id))
        if self.is_away:
            raise UnavailableError("The model did not answer.")
        return replace(self.reply_with, conversation_id=conversation_id or "c1")


@dataclass(frozen=True)
class Scripted:
    """A drafter whose model says what the test wants."""

    drafter: Drafter
    model: ScriptedModel

    @property
    def told(self) -> str:
        """All that tools have told the model."""
        heard = self.model.heard[-1] if self.model.heard else ()
        return "\n".join(str(m.content) for m in heard if isinstance(m, ToolMessage))


@pytest.fixture
def clerk() -> Clerk:
    """A clerk with one reply."""
    return Clerk()


@pytest.fixture
def drafter(database: Database, settings: Settings, clerk: Clerk) -> Drafter:
    """The drafter, with the clerk behind it."""
    return Drafter(database, clerk, settings)


@pytest.fixture
def order(database: Database) -> Order:
    """Ada's order #1001, on its way; she writes from ada@example.com."""
    with database.write() as session:
        stored = make_order()
        session.add(stored)
    return stored


@pytest.fixture
def reviewers(database: Database) -> list[Caller]:
    """Two people who review drafts: Mara and Jonas."""
    with database.write() as session:
        people = [
            Staff(email=f"{name.lower()}@shop.example", name=name, password_hash="", roles=[])
            for name in ("Mara", "Jonas")
        ]
        session.add_all(people)
        session.flush()
    return [Caller(Audience.STAFF, "console", staff_id=person.id) for person in people]


@pytest.fixture
def scripted(database: Database, settings: Settings) -> Iterator[Callable[..., Scripted]]:
    """Return a function that gives a drafter over the real service and tools, with a script."""
    services: list[ConversationService] = []

    def make(*lines: AIMessage) -> Scripted:
        model = ScriptedModel(lines=list(lines))
        services.append(_open_service(database, settings, model))
        return Scripted(Drafter(database, services[-1], settings), model)

    yield make
    for service in services:
        service.close()


def call(name: str, **arguments: object) -> AIMessage:
    """Return a line of the script that calls a tool."""
    return AIMessage("", tool_calls=[ToolCall(name=name, args=arguments, id=f"call_{name}")])


def _open_service(database: Database, settings: Settings, model: ScriptedModel) -> Any:
    tools = load_tools(REPOSITORY / "tools")
    policies = load_policies(REPOSITORY / "knowledge" / "policies")
    knowledge = cast("Knowledge", None)  # these scripts search nothing
    executor = Executor(database, settings, tools, knowledge, policies)
    ids = (f"id{n}" for n in itertools.count())
    ticks = itertools.count()
    bell = Bell()
    decisions = Decisions(database, executor, bell, clock=lambda: NOON, new_id=lambda: next(ids))
    runner = Runner(
        database,
        Assistant(settings, executor, knowledge, model, None, Breaker(lambda: 0.0)),
        bell,
        executor=executor,
        knowledge=knowledge,
        versions=lambda: {"index": 1},
        clock=lambda: NOON + timedelta(seconds=1),
        elapsed=lambda: float(next(ticks)),
        new_id=lambda: next(ids),
    )
    return ConversationService(database, runner, decisions, bell, knowledge, lambda: next(ids))
