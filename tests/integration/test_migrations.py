"""Migrations make exactly the tables of the code, once, and never touch what is not theirs."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from opsbot import migrations
from opsbot.commerce.customers import Address
from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.db import Database
from opsbot.errors import ConflictError, UnavailableError
from opsbot.migrations.schema import import_records

pytestmark = pytest.mark.slow


def test_upgrading_an_empty_database_makes_the_tables_of_the_code(
    blank_database: Database,
) -> None:
    metadata = import_records()

    migrations.upgrade(blank_database)

    with blank_database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_make_the_checks_too(blank_database: Database) -> None:
    migrations.upgrade(blank_database)

    found = sa.inspect(blank_database.engine)
    for table in import_records().sorted_tables:
        wanted = {
            str(check.name) for check in table.constraints if isinstance(check, sa.CheckConstraint)
        }
        names = {str(check["name"]) for check in found.get_check_constraints(table.name)}
        assert names == wanted, table.name


def test_the_newest_version_is_the_one_that_alembic_ends_at() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_heads() == [migrations.newest()]


def test_a_start_with_nothing_to_migrate_does_without_alembic(blank_database: Database) -> None:
    migrations.upgrade(blank_database)
    program = "import sys; from opsbot import migrations; from opsbot.db import Database; "
    program += "migrations.upgrade(Database(sys.argv[1])); print('alembic' in sys.modules)"

    ran = subprocess.run(  # noqa: S603  (our own words)
        [sys.executable, "-c", program, blank_database.url],
        capture_output=True,
        check=True,
        text=True,
    )

    assert ran.stdout == "False\n"


def test_an_upgrade_does_nothing_the_second_time(blank_database: Database) -> None:
    assert migrations.pending(blank_database)
    assert migrations.current(blank_database) is None
    migrations.upgrade(blank_database)
    with blank_database.write() as session:
        assert next_number(session, NumberKind.RETURN) == "RMA-00001"

    migrations.upgrade(blank_database)

    assert not migrations.pending(blank_database)
    assert migrations.current(blank_database) == migrations.newest()
    with blank_database.write() as session:
        assert next_number(session, NumberKind.RETURN) == "RMA-00002"


def test_a_newer_database_is_refused_in_words(blank_database: Database) -> None:
    migrations.upgrade(blank_database)
    with blank_database.write() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConflictError, match=r"newer opsbot .*'9999'"):
        migrations.upgrade(blank_database)

    assert migrations.pending(blank_database)


def test_tables_that_no_migration_made_are_left_alone(blank_database: Database) -> None:
    with blank_database.write() as session:
        session.execute(sa.text("CREATE TABLE orders (mine INTEGER)"))

    with pytest.raises(ConflictError, match="OPSBOT_DATABASE_URL"):
        migrations.upgrade(blank_database)

    assert sa.inspect(blank_database.engine).get_table_names() == ["orders"]


def test_of_two_upgrades_at_once_one_waits_for_the_other(blank_database: Database) -> None:
    url = blank_database.url
    databases = [Database(url), Database(url)]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrations.upgrade, databases))

    assert not migrations.pending(blank_database)
    for database in databases:
        database.dispose()


def test_a_migration_that_fails_leaves_nothing_behind(blank_database: Database) -> None:
    with blank_database.write() as session:
        session.execute(sa.text("CREATE TABLE payments (mine INTEGER)"))

    with pytest.raises(UnavailableError, match="Nothing was changed"):
        migrations.upgrade(blank_database)

    assert sa.inspect(blank_database.engine).get_table_names() == ["payments"]


def test_foreign_keys_are_kept_again_after_an_upgrade(blank_database: Database) -> None:
    migrations.upgrade(blank_database)
    orphan = sa.insert(Address).values(
        customer_id=404, name="x", line1="x", city="x", postal_code="x", country="DE"
    )

    with pytest.raises(sa.exc.IntegrityError), blank_database.write() as session:
        session.execute(orphan)
