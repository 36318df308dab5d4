"""A shop with one delivered order and the surveys that come with opsbot."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsbot.db import Database
from opsbot.settings import Settings
from opsbot.surveys.flows import Flow, load_flows

WEB = Path(__file__).parents[3] / "web"


@pytest.fixture
def asking(settings: Settings) -> Settings:
    """Settings with the surveys of the repository."""
    return settings.model_copy(update={"web_dir": WEB, "public_url": "https://shop.example/"})


@pytest.fixture
def flows() -> dict[str, Flow]:
    """The surveys that come with opsbot."""
    return load_flows(WEB / "surveys")


@pytest.fixture
def shop(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty database on SQLite, for rules that no database changes."""
    path = tmp_path / "shop.db"
    shutil.copy(sqlite_template, path)
    opened = Database(f"sqlite:///{path}")
    yield opened
    opened.dispose()
