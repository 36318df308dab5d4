"""A shop for staff: its tools, and somebody who works there."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

import pytest

from opsbot.content import content_root
from opsbot.db import Database
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool, load_tools
from opsbot.toolkit.policy import load_policies
from opsbot.toolkit.results import Result
from tests.factories import NOON

Ask = Callable[..., Result]


@pytest.fixture(scope="session")
def tools() -> dict[str, AnyTool]:
    """Every tool of the repository."""
    return load_tools(content_root() / "tools")


@pytest.fixture
def executor(database: Database, settings: Settings, tools: dict[str, AnyTool]) -> Executor:
    """The door to the tools. None of the staff's searches the articles."""
    policies = load_policies(content_root() / "knowledge" / "policies")
    knowledge = cast("Knowledge", None)
    return Executor(database, settings, tools, knowledge, policies, runs_per_minute=1_000_000)


@pytest.fixture
def mara() -> Caller:
    """Somebody who answers customers and packs parcels."""
    return Caller(Audience.STAFF, "console", staff_id=1, roles=frozenset({"agent", "ops"}))


@pytest.fixture
def ask(executor: Executor, mara: Caller) -> Ask:
    """Run a tool for Mara."""

    def run(name: str, *, now: datetime = NOON, **arguments: Any) -> Result:
        result = executor.run(mara, name, arguments, now=now)
        assert isinstance(result, Result)
        return result

    return run


def rows_of(result: Result) -> list[dict[str, Any]]:
    """Return the rows of a result's table by column key."""
    assert result.table is not None
    keys = [column.key for column in result.table.columns]
    return [dict(zip(keys, row, strict=True)) for row in result.table.rows]
