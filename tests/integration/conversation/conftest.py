"""A conversation service with a scripted model and three small tools of our own."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, cast

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolCall
from pydantic import Field
from sqlalchemy import func, select

from opsbot.commerce.cases import Case, CaseKind, open_case
from opsbot.commerce.customers import Customer
from opsbot.conversation.assistant import Assistant
from opsbot.conversation.chat_model import Breaker
from opsbot.conversation.decisions import Decisions
from opsbot.conversation.events import Bell, StoredEvent
from opsbot.conversation.local.model import LocalChatModel
from opsbot.conversation.runner import Runner
from opsbot.conversation.service import ConversationService
from opsbot.db import Database
from opsbot.mail import OutgoingMail
from opsbot.retrieval.gaps import Gaps
from opsbot.retrieval.hits import Hit
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.testing import ScriptedModel
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import load_tools
from opsbot.toolkit.policy import load_policies
from opsbot.toolkit.results import Change, Result, Undo
from opsbot.toolkit.tool import ToolContext, tool
from tests.factories import NOON, make_customer
from tests.quick_encoder import QuickEncoder
from tests.retrieval_fixtures import encoder, folder, knowledge, sample_knowledge

__all__ = ["encoder", "folder", "knowledge", "sample_knowledge"]
REPOSITORY = Path(__file__).parents[3]
Text = Annotated[str, Field(max_length=80)]


@tool(examples=(), label="Looking it up")
def look_up(ctx: ToolContext, key: Text) -> Result:
    """Look something up."""
    return Result(f"{key} costs €19.10.", facts={"key": key})


@tool(examples=(), label="Opening a case", effect="write", level=Level.SIGNED_IN)
def report(ctx: ToolContext, about: Text) -> Change:
    """Open a case."""

    def apply() -> Result:
        case = open_case(
            ctx.session,
            kind=CaseKind.SUPPORT,
            subject=about,
            summary=about,
            now=ctx.now,
            actor="test",
        )
        return Result(f"Case {case.number} is open.")

    return Change(f"Open a case about {about}?", ("A case is opened.",), "Open it", {}, apply)


@tool(examples=(), label="Changing it", effect="write", level=Level.FRESH_CODE)
def change(ctx: ToolContext, to: Text) -> Change:
    """Change something risky."""
    return Change(f"Change it to {to}?", (), "Change it", {}, lambda: Result(f"It is {to} now."))


def _rename(ctx: ToolContext, tool_name: str, to: str) -> Change:
    customer = ctx.session.get_one(Customer, ctx.caller.customer_id)
    before = customer.name

    def apply() -> Result:
        customer.name = to
        ctx.session.flush()
        return Result(f"You are called {to}.")

    undo = Undo(tool_name, {"to": before})
    basis = {"name": before}
    return Change(f"Call you {to}?", (f"Not {before}.",), "Rename", basis, apply, undo=undo)


@tool(examples=(), label="Renaming", effect="write", level=Level.SIGNED_IN)
def rename(ctx: ToolContext, to: Text) -> Change:
    """Change what can be changed back."""
    return _rename(ctx, "rename", to)


@tool(examples=(), label="Renaming", effect="write", level=Level.FRESH_CODE)
def rename_safely(ctx: ToolContext, to: Text) -> Change:
    """Change what can be changed back, with a fresh code."""
    return _rename(ctx, "rename_safely", to)


@tool(examples=(), label="Handing over", role="handoff")
def ask_person(ctx: ToolContext) -> Result:
    """Hand over."""
    return Result("A person takes over.", hands_off=True)


class NoArticles:
    """Articles that know nothing."""

    def search(self, question: str, **_options: object) -> list[Hit]:
        """Find nothing."""
        return []

    def knows(self, hits: Sequence[Hit]) -> bool:
        """Know nothing."""
        return bool(hits)


@dataclass
class Shop:
    """What a test of conversations needs."""

    database: Database
    model: ScriptedModel
    remote: ScriptedModel
    service: ConversationService
    ada: Caller
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def say(
        self, text: str, *lines: Any, caller: Caller | None = None, conversation: Any = None
    ) -> Any:
        """Let the embedded model say `lines`, and return the reply to `text`."""
        self.model.lines.extend(lines)
        return self.service.reply(
            caller or self.ada,
            text,
            client_id=f"m{next(self.numbers)}",
            now=NOON,
            conversation_id=conversation,
        )

    def events(self, conversation_id: str, caller: Caller | None = None) -> list[StoredEvent]:
        """Return the stored events."""
        return self.service.events(caller or self.ada, conversation_id)[0]

    def cases(self) -> int:
        """Return how many cases there are."""
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(Case)) or 0


def codes_for(shop: Shop) -> list[str]:
    """Return the codes that were mailed, the oldest first."""
    with shop.database.read() as session:
        texts = session.scalars(select(OutgoingMail.text).order_by(OutgoingMail.id)).all()
    return [found[1] for text in texts if (found := re.search(r"code is (\d{6})", text))]


def code_for(shop: Shop) -> str:
    """Return the newest code that was mailed."""
    return codes_for(shop)[-1]


def call(name: str, **arguments: object) -> AIMessage:
    """Return a line that calls a tool."""
    return AIMessage("", tool_calls=[ToolCall(name=name, args=arguments, id=f"call_{name}")])


def shop_with(
    database: Database,
    settings: Settings,
    *,
    remote: bool = False,
    knowledge: Knowledge | None = None,
    embedded: BaseChatModel | None = None,
    gaps: Gaps | None = None,
    tick_s: float = 1.0,
) -> Shop:
    """Build the service; with `remote`, a second scripted model stands in for a provider's.

    Each look at the clock is `tick_s` later than the last.

    With `knowledge` the shop's own search is among the tools.
    """
    with database.write() as session:
        customer = make_customer()
        session.add(customer)
        session.flush()
        ada = Caller(Audience.CUSTOMER, "widget", Level.SIGNED_IN, customer_id=customer.id)
    articles = knowledge or cast("Knowledge", NoArticles())
    tools = {t.name: t for t in (look_up, report, change, rename, rename_safely, ask_person)}
    if knowledge is not None:
        tools |= {"search_articles": load_tools(REPOSITORY / "tools")["search_articles"]}
    policies = load_policies(REPOSITORY / "knowledge" / "policies")
    executor = Executor(database, settings, tools, articles, policies)
    ids = (f"id{n}" for n in itertools.count())
    ticks = itertools.count()
    bell, model, other = Bell(), ScriptedModel(lines=[]), ScriptedModel(lines=[])
    decisions = Decisions(database, executor, bell, clock=lambda: NOON, new_id=lambda: next(ids))
    assistant = Assistant(
        settings,
        executor,
        articles,
        embedded or model,
        other if remote else None,
        Breaker(lambda: 0.0),
        understand=LocalChatModel(encoder=QuickEncoder()).understand,
    )
    runner = Runner(
        database,
        assistant,
        bell,
        executor=executor,
        knowledge=articles,
        versions=lambda: {"index": 1},
        clock=lambda: NOON + timedelta(seconds=1),
        elapsed=lambda: next(ticks) * tick_s,
        new_id=lambda: next(ids),
        gaps=gaps,
    )
    service = ConversationService(database, runner, decisions, bell, articles, lambda: next(ids))
    return Shop(database, model, other, service, ada)


@pytest.fixture
def make_shop(database: Database, settings: Settings) -> Iterator[Callable[..., Shop]]:
    """Return a function that builds the shop; its threads end with the test."""
    made: list[Shop] = []

    def make(**options: Any) -> Shop:
        made.append(shop_with(database, settings, **options))
        return made[-1]

    yield make
    for shop in made:
        shop.service.close()


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    """A shop with the embedded model alone."""
    return make_shop()
