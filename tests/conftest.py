"""Fixtures that every test may ask for."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck
from hypothesis import settings as property_tests
from pydantic import SecretStr

from opsbot.db import Base, Database
from opsbot.migrations.schema import import_records
from opsbot.settings import PREFIX, TEST_PREFIX, Settings
from tests.postgres import postgres_schema, postgres_server

BACKENDS = ("sqlite", "postgresql")

# How fast inputs are made says something of the machine, not of what is tested.
property_tests.register_profile("any machine", suppress_health_check=[HealthCheck.too_slow])
property_tests.load_profile("any machine")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """Settings of a fresh installation; no environment or `.env` of the developer reaches it."""
    for name in list(os.environ):  # noqa: TID251  (the developer's own settings must not matter)
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Settings(secret_key=SecretStr("0123456789abcdef" * 2), data_dir=tmp_path / "data")


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with every table. The test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "opsbot.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        opened = Database(f"sqlite:///{path}")
    else:
        opened = request.getfixturevalue("postgres_database")
    yield opened
    # A thread that still holds a connection would leave it open, and fail a later test.
    pool = opened.engine.pool
    assert isinstance(pool, sa.QueuePool)
    assert pool.checkedout() == 0, "the test left a connection in use"
    if request.param == "postgresql":
        _empty_tables(opened.engine)
    else:
        opened.dispose()


@pytest.fixture(params=BACKENDS)
def blank_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table, for migrations. Runs on SQLite and on PostgreSQL."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/blank.db"
        if request.param == "postgresql":
            server = request.getfixturevalue("postgres_url")
            url = stack.enter_context(postgres_schema(server, "blank"))
        opened = Database(url)
        yield opened
        opened.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with every table, to copy."""
    import_records()
    path = tmp_path_factory.mktemp("template") / "opsbot.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA synchronous=off")
        Base.metadata.create_all(connection)
        connection.commit()
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server whose default database may be written."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_with_tables(postgres_url: str) -> Iterator[str]:
    """The URL of this process's own schema, with every table."""
    import_records()
    with postgres_schema(postgres_url, "tables") as url:
        opened = Database(url)
        Base.metadata.create_all(opened.engine)
        opened.dispose()
        yield url


@pytest.fixture(scope="session")
def postgres_database(postgres_with_tables: str) -> Iterator[Database]:
    """That schema, opened once: the server plans faster on a connection that knows the tables."""
    opened = Database(postgres_with_tables)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def postgres_shop_schema(postgres_url: str) -> Iterator[str]:
    """The URL of an empty schema that lives as long as the run: for a shop that is loaded once."""
    with postgres_schema(postgres_url, "shop") as url:
        yield url


def _empty_tables(engine: sa.Engine) -> None:
    """Delete all rows. To truncate takes some 0.5 s of file work; a test leaves few rows."""
    names = [table.name for table in reversed(Base.metadata.sorted_tables)]
    probes = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names)  # noqa: S608  (our own names)
    with engine.begin() as connection:
        filled = connection.exec_driver_sql(" UNION ALL ".join(probes)).scalars().all()
        # Rows of one table may refer to each other, so foreign keys are not looked at meanwhile.
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for name in filled:
            connection.exec_driver_sql(f"DELETE FROM {name}")  # noqa: S608  (our own names)
        # What was rolled back has used up ids too.
        connection.exec_driver_sql(
            "SELECT setval(oid::regclass, 1, false) FROM pg_class "
            "WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace"
        )
