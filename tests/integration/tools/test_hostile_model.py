"""Whatever a model emits is chosen by an attacker: it reaches and changes nothing of others."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from opsbot.content import content_root
from opsbot.db import Base, Database
from opsbot.errors import OpsbotError
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit.caller import Caller, Level
from opsbot.toolkit.loading import AnyTool, load_tools
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import Preview
from opsbot.toolkit.results import Result
from tests.factories import NOON
from tests.quick_encoder import QuickEncoder
from tests.retrieval_fixtures import GRINDER, LAMP
from tests.shop_fixtures import CANARY, Shop, open_shop

TOOLS = load_tools(content_root() / "tools")
OWN_TABLES = frozenset({
    "proposals", "audit_events", "audit_heads", "proof_attempts", "tool_uses", "feedback",
})  # fmt: skip
"""Tables that a request may grow; everything else is the shop's. Words that a customer wants to
leave are kept at once: no confirmation stands between."""

words = st.one_of(
    st.sampled_from([
        "#1001", "1002", "#1003", "#1004", "#2001", "2002", "#9999", "order #2001 of Eve",
        "' OR 1=1 --", "#2001\n#1001", "*", "%", "C-1002", "eve@canary.example", "1",
        "Ember bedside lamp, sage", "Kiln mug, moss", "everything", "lamp", "10119", "\x00",
        "Sonnenallee 5, 12047 Berlin", "damaged", "late", "refund", "changed_mind", "opened",
        "open", "defective", "ada@example.com", "{}", "[1]",
        "null", "\u0661\u0660\u0660\u0661", "\ud800",
    ]),
    st.text(max_size=40),
)  # fmt: skip
values = st.one_of(
    words,
    st.lists(words, max_size=3),
    st.integers(-5, 5000),
    st.none(),
    st.booleans(),
    st.dictionaries(words, words, max_size=2),
)
NAMES = sorted({
    name for t in TOOLS.values() for name in t.schema["function"]["parameters"]["properties"]
} | {"customer_id", "level", "actor"})  # fmt: skip


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A tool call as a model might emit it: mostly of the right shape, with any values."""
    name = draw(st.sampled_from([*sorted(TOOLS), "no_such_tool"]))
    if name in TOOLS and draw(st.integers(0, 9)):
        known = TOOLS[name].schema["function"]["parameters"]["properties"]
        required = TOOLS[name].schema["function"]["parameters"].get("required", [])
        chosen = [n for n in known if n in required or draw(st.booleans())]
    else:
        chosen = draw(st.lists(st.sampled_from(NAMES), max_size=4, unique=True))
    return name, {n: draw(st.lists(words, max_size=2) if n == "items" else values) for n in chosen}


@pytest.fixture(scope="module")
def hostile_shop(
    filled_template: Path,
    tools: Mapping[str, AnyTool],
    policies: Policies,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shop]:
    """One shop for all calls: nothing of it may change. It has two articles to search."""
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copy(filled_template, folder / "shop.db")
    opened = Database(f"sqlite:///{folder}/shop.db")
    settings = Settings(secret_key="0123456789abcdef" * 2, data_dir=folder)
    articles = folder / "articles"
    for name, text in (("lamp", LAMP), ("grinder", GRINDER)):
        (articles / "manuals").mkdir(parents=True, exist_ok=True)
        (articles / "manuals" / f"{name}.md").write_text(f"# {name}\n\n{text}", "utf-8")
    encoder = QuickEncoder()
    ingest(opened, articles, encoder, now=NOON)
    knowledge = Knowledge(opened, encoder, folder, settings.retrieval)
    yield open_shop(opened, settings, tools, policies, knowledge)
    knowledge.close()
    opened.dispose()


def contents(shop: Shop) -> dict[str, list[Any]]:
    """Return every row of the shop's own tables."""
    with shop.database.read() as session:
        return {
            table.name: [tuple(row) for row in session.execute(sa.select(table))]
            for table in Base.metadata.sorted_tables
            if table.name not in OWN_TABLES
        }


@limits(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(calls(), min_size=1, max_size=4),
    st.sampled_from([Level.ANONYMOUS, Level.ORDER, Level.SIGNED_IN, Level.FRESH_CODE]),
    st.integers(0, 10**9),
)
def test_no_sequence_of_calls_reaches_or_changes_what_is_not_the_callers(
    hostile_shop: Shop, sequence: list[tuple[str, dict[str, Any]]], level: Level, place: int
) -> None:
    shop, caller = hostile_shop, _ada(hostile_shop, level)
    before = contents(shop)

    told, broken = [], list[str]()
    for name, arguments in sequence:
        try:
            outcome = shop.executor.run(
                caller, name, arguments, now=NOON, conversation_id=f"talk {place}"
            )
        except OpsbotError as error:
            broken += [name] if error.code == "unavailable" else []
            told.append(_without(repr((str(error), vars(error))), arguments))
        else:
            assert isinstance(outcome, Result | Preview)
            told.append(_without(repr(outcome), arguments))

    assert broken == []
    assert contents(shop) == before
    assert not [text for text in told if CANARY in text.lower()]


def _ada(shop: Shop, level: Level) -> Caller:
    if level is Level.ORDER:
        return shop.prove("#1001")
    if level is Level.ANONYMOUS:
        return Caller(shop.ada.audience, "widget", visitor="v9")
    return shop.ada.at_level(level)


def _without(text: str, arguments: dict[str, Any]) -> str:
    """Drop what the model itself said: an echo of its own words tells it nothing."""
    for value in arguments.values():
        for said in value if isinstance(value, list | dict) else [value]:
            text = text.replace(str(said), "") if str(said) else text
    return text
