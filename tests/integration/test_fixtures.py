"""The fixtures themselves: both databases, empty for every test."""

from typing import Any

import pytest
import sqlalchemy as sa

from opsbot.db import Database
from opsbot.settings import Settings
from tests.factories import make_customer


@pytest.mark.parametrize("attempt", [1, 2])
def test_every_test_starts_with_an_empty_database(database: Database, attempt: int) -> None:
    ada = make_customer()

    with database.write() as session:
        session.add(ada)

    with database.read() as session:
        numbers = session.scalars(sa.text("SELECT number FROM customers")).all()
    assert numbers == ["C-1001"], f"attempt {attempt}"
    assert ada.id == 1


@pytest.mark.parametrize(
    "value", [{"a": [1, "ä", None]}, {"odd": "\ud800"}, {"far": 2**70}, {3: "x"}]
)
def test_json_comes_back_as_it_was_stored(database: Database, value: dict[str, Any]) -> None:
    column = sa.type_coerce(sa.literal(value, sa.JSON), sa.JSON)

    with database.read() as session:
        assert session.scalar(sa.select(column)) == {str(key): one for key, one in value.items()}


def test_settings_keep_everything_in_the_tests_own_folder(settings: Settings) -> None:
    assert settings.resolved_database_url.endswith("/data/opsbot.db")
    assert settings.data_dir.is_absolute()
