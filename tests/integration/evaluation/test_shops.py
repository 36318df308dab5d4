"""A shop is copied from SQLite and from PostgreSQL, and nothing is written to it."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from opsbot.db import Base, Database
from opsbot.errors import UnavailableError
from opsbot.evaluation.shops import apart, copy_shop
from opsbot.migrations.alembic_run import run_migrations
from opsbot.settings import Settings
from tests.factories import NOON
from tests.quick_encoder import QuickEncoder
from tests.shop_fixtures import fill_shop


@pytest.fixture
def live(settings: Settings, blank_database: Database, tmp_path: Path) -> Settings:
    """The settings of a shop whose database is on SQLite or PostgreSQL."""
    run_migrations(blank_database)
    fill_shop(blank_database)
    (tmp_path / "knowledge").mkdir()
    url = blank_database.engine.url.render_as_string(hide_password=False)
    return settings.model_copy(
        update={"database_url": url, "knowledge_dir": tmp_path / "knowledge"}
    )


def rows_of(database: Database) -> dict[str, list[Any]]:
    with database.read() as session:
        return {
            table.name: sorted(map(repr, session.execute(sa.select(table))))
            for table in Base.metadata.sorted_tables
        }


def test_a_copy_has_all_rows_and_the_shop_keeps_its_own(
    live: Settings, blank_database: Database, tmp_path: Path
) -> None:
    before = rows_of(blank_database)

    template = copy_shop(live, apart(live, tmp_path / "copy"), QuickEncoder(), now=NOON)

    copied = Database(f"sqlite:///{template.file}")
    after = rows_of(copied)
    copied.dispose()
    assert rows_of(blank_database) == before
    # Reading the articles notes the version of the index in the copy.
    indexed = {"index_state"}
    assert {name: rows for name, rows in after.items() if name not in indexed} == {
        name: rows for name, rows in before.items() if name not in indexed
    }
    assert len(before["orders"]) == 6


def test_records_of_an_older_version_are_not_copied(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no tables of this version yet"):
        copy_shop(settings, apart(settings, tmp_path / "copy"), QuickEncoder(), now=NOON)
