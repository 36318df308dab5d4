"""Whatever is shown to a person is done when they confirm it, and can be taken back if it says so.

The tools, their arguments and the records they are about are read from the declarations and from
the sample shop: a new tool is covered at once.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from opsbot.content import content_root
from opsbot.db import Base, Database
from opsbot.demo.load import load_demo
from opsbot.errors import OpsbotError
from opsbot.migrations.schema import import_records
from opsbot.settings import Settings
from opsbot.staff import Role, make_staff
from opsbot.toolkit.caller import Audience, Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool, load_tools
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import Preview, ProposalState
from tests.factories import NOON
from tests.random_calls import RandomCalls
from tests.shop_fixtures import NO_KNOWLEDGE

pytestmark = pytest.mark.slow

SEARCHES = {"draft_article", "draft_reply"}
"""They look into the articles, which this shop has none of."""
TOOLS = {
    name: tool
    for name, tool in load_tools(content_root() / "tools").items()
    if tool.writes and tool.confirm != "none" and name not in SEARCHES
}
CALLS_PER_TOOL = 25
STEP = timedelta(minutes=3)
"""Between two calls, so that no limit on calls hides what is behind it."""
SAID_DONE = {ProposalState.EXECUTED, ProposalState.WAITING}


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[Database]:
    """The sample shop, with a colleague who may do everything."""
    import_records()
    database = Database(f"sqlite:///{tmp_path}/sample.db")
    Base.metadata.create_all(database.engine)
    load_demo(database, now=NOON)
    yield database
    database.dispose()


@pytest.fixture
def colleague(sample: Database) -> Caller:
    """Somebody with every role."""
    with sample.write() as session:
        member = make_staff(
            email="all@shop.example", name="All", password="x" * 20, roles=list(Role)
        )
        session.add(member)
        session.flush()
        return Caller(Audience.STAFF, "console", staff_id=member.id, roles=frozenset(Role))


def test_what_is_shown_is_done_and_what_can_be_taken_back_is(
    sample: Database,
    colleague: Caller,
    settings: Settings,
    tools: Mapping[str, AnyTool],
    policies: Policies,
) -> None:
    executor = Executor(sample, settings, tools, NO_KNOWLEDGE, policies)
    calls = RandomCalls(sample, random.Random(4), colleague)  # noqa: S311  (no secret)
    now, broken, done = NOON, list[tuple[object, ...]](), Counter[str]()
    for name in [*TOOLS] * CALLS_PER_TOOL:
        now += STEP
        caller, arguments = calls.make(TOOLS[name])
        try:
            shown = executor.run(caller, name, arguments, now=now)
        except OpsbotError:
            continue
        assert isinstance(shown, Preview)
        ended = executor.confirm(caller, shown.id, now=now).preview
        if ended.state not in SAID_DONE:
            broken.append((name, arguments, ended.state, ended.say))
            continue
        done[name] += 1
        if ended.can_undo:
            way_back = executor.undo(caller, ended.id, now=now)
            undone = executor.confirm(caller, way_back.id, now=now).preview
            done[f"undo {name}"] += 1
            if undone.state not in SAID_DONE:
                broken.append(("undo", name, arguments, undone.state, undone.say))

    assert broken == []
    assert len([name for name in done if name in TOOLS]) > len(TOOLS) / 2, done
