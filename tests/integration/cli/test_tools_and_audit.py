"""The tools, the tokens and the audit from the command line."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from opsbot.channels.dependencies import token_caller
from opsbot.cli.common import now
from opsbot.cli.main import app
from opsbot.commerce.orders import OrderState, find_order
from opsbot.db import Database
from opsbot.errors import InvalidInputError, NotAllowedError, NotFoundError, OpsbotError
from opsbot.migrations import upgrade
from opsbot.settings import Settings
from opsbot.staff import Role, make_staff
from opsbot.toolkit.audit import AuditEvent, record_audit
from tests.factories import NOON
from tests.shop_fixtures import fill_shop

Run = Callable[..., Result]
MARA = "mara@lumenandloom.example"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with Ada's and Eve's shop, as `opsbot migrate` makes the tables."""
    folder = tmp_path_factory.mktemp("cli") / "data"
    database = Database(f"sqlite:///{folder}/opsbot.db")
    upgrade(database)
    fill_shop(database)
    with database.write() as session:
        session.add(
            make_staff(email=MARA, name="Mara", password="a" * 12, roles=[Role.OPS, Role.AGENT])
        )
    database.dispose()
    return folder


@pytest.fixture
def database(template: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The installation that the commands of the test work on."""
    folder = settings.data_dir
    folder.mkdir(parents=True)
    shutil.copy(template / "opsbot.db", folder / "opsbot.db")
    monkeypatch.setenv("OPSBOT_SECRET_KEY", settings.secret_key.get_secret_value())
    monkeypatch.setenv("OPSBOT_DATA_DIR", str(folder))
    return Database(f"sqlite:///{folder}/opsbot.db")


@pytest.fixture
def run(database: Database) -> Run:
    """Return a function that runs a command; a deliberate error is raised."""

    def do(*arguments: str, typed: str = "") -> Result:
        done = CliRunner().invoke(app, list(arguments), input=typed)
        if isinstance(done.exception, OpsbotError):
            raise done.exception
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        return done

    return do


def actions(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as session:
        rows = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.number))
        return [(row.actor, row.action, row.subject) for row in rows]


def test_the_tools_are_listed_and_shown(run: Run) -> None:
    listed = run("tools").stdout
    shown = json.loads(run("tools", "show", "cancel_order").stdout)

    rows = [line.split() for line in listed.splitlines()]
    assert [row[0] for row in rows].count("cancel_order") == 1, "one tool, one line"
    assert len(rows) == len({row[0] for row in rows}) > 60
    assert shown["effect"] == "irreversible"
    with pytest.raises(NotFoundError):
        run("tools", "show", "no_such_tool")


def test_a_read_is_run_as_a_member_of_staff(run: Run, database: Database) -> None:
    done = run(
        "tools", "run", "order_overview", "--json", '{"order_number": "#1001"}', "--staff", MARA
    )

    assert "#1001" in json.loads(done.stdout)["say"]
    assert ("staff:1", "read", "order_overview") in actions(database)


@pytest.mark.parametrize(
    ("typed", "state", "status"),
    [("y\n", OrderState.CANCELLED, 0), ("n\n", OrderState.CONFIRMED, 1), ("", None, 1)],
    ids=["yes", "no", "nothing"],
)
def test_a_change_is_asked_about_in_the_terminal(
    run: Run, database: Database, typed: str, state: OrderState | None, status: int
) -> None:
    done = run(
        "tools", "run", "cancel_order", "--json", '{"order_number": "#1001"}',
        "--as", "ada@example.com", typed=typed,
    )  # fmt: skip

    assert "Cancel order #1001?" in done.stdout
    assert done.exit_code == status
    with database.read() as session:
        order = find_order(session, "#1001", customer_id=None)
    assert order.state is (state or OrderState.CONFIRMED)


@pytest.mark.parametrize("arguments", ["[]", "{", "[" * 3000, "null"], ids=lambda v: v[:4])
def test_arguments_that_are_no_object_are_refused_in_words(run: Run, arguments: str) -> None:
    with pytest.raises(InvalidInputError, match="--json"):
        run("tools", "run", "late_orders", "--json", arguments, "--staff", MARA)


def test_a_tool_for_others_is_refused_here_too(run: Run) -> None:
    with pytest.raises(NotAllowedError):
        run("tools", "run", "late_orders", "--as", "ada@example.com")


def token_of(done: Result) -> str:
    return next(word for word in done.stdout.split() if word.startswith("opsbot_"))


def test_a_token_is_made_listed_and_revoked(
    run: Run, database: Database, settings: Settings
) -> None:
    made = run("staff", "token", MARA, "--name", "nightly")
    token = token_of(made)
    listed = run("staff", "token", MARA).stdout
    services: Any = SimpleNamespace(settings=settings, database=database)
    moment = now()
    caller = token_caller(services, f"Bearer {token}", channel="api", now=moment)
    run("staff", "token", MARA, "--name", "nightly", "--revoke")

    assert "nightly" in listed
    assert token not in listed
    assert caller.staff_id == 1
    assert caller.by_program
    with pytest.raises(NotAllowedError):
        token_caller(services, f"Bearer {token}", channel="api", now=moment)
    kinds = [action for _, action, _ in actions(database)]
    assert kinds == ["token_made", "token_revoked"]


def test_two_tokens_of_one_name_are_refused(run: Run) -> None:
    run("staff", "token", MARA, "--name", "nightly")

    with pytest.raises(InvalidInputError, match="nightly already"):
        run("staff", "token", MARA, "--name", "nightly")


def test_a_sign_in_is_given_as_before(run: Run, database: Database) -> None:
    run(
        "staff", "zoe@x.example", "--name", "Zoe", "--role", "ops",
        typed="correct horse\ncorrect horse\n",
    )  # fmt: skip

    assert ("terminal", "staff_added", "staff:2") in actions(database)


@pytest.fixture
def audited(database: Database) -> Database:
    """Four rows of the audit."""
    for number in range(4):
        with database.write() as session:
            record_audit(
                session, actor="staff:1", action="read", subject=f"order {number}", at=NOON
            )
    return database


def test_a_whole_audit_is_said_to_be_whole(run: Run, audited: Database) -> None:
    done = run("audit", "verify")

    assert "All 4 rows" in done.stdout
    assert done.exit_code == 0


ADD_ROW = """
    INSERT INTO audit_events (number, actor, action, subject, detail, at, previous, hash)
    SELECT 5, actor, action, subject, detail, at, hash, 'x' FROM audit_events WHERE number = 4
"""
TIME = "UPDATE audit_events SET at = '2026-01-01 00:00:00' WHERE number = 3"
TAMPERED = {
    "changed": (
        ["UPDATE audit_events SET subject = 'order 9' WHERE number = 2"],
        "Row 2 of the audit was changed",
    ),
    "time changed": ([TIME], "Row 3 of the audit was changed"),
    "missing": (
        ["DELETE FROM audit_events WHERE number = 2"],
        "Row 2 of the audit is missing",
    ),
    "last missing": (["DELETE FROM audit_events WHERE number = 4"], "ends at row 3"),
    "added": ([ADD_ROW], "Row 5 of the audit was added"),
    "moved": (
        [
            "UPDATE audit_events SET number = 9 WHERE number = 2",
            "UPDATE audit_events SET number = 2 WHERE number = 3",
            "UPDATE audit_events SET number = 3 WHERE number = 9",
        ],
        "Row 2 of the audit was moved",
    ),
}


@pytest.mark.parametrize(("statements", "told"), TAMPERED.values(), ids=list(TAMPERED))
def test_a_row_that_was_tampered_with_is_named(
    run: Run, audited: Database, statements: list[str], told: str
) -> None:
    with audited.write() as session:
        for statement in statements:
            session.execute(sa.text(statement))

    done = run("audit", "verify")

    assert told in " ".join(done.stdout.split())
    assert done.exit_code == 1


def test_an_export_has_the_rows_of_its_days_and_is_audited(run: Run, audited: Database) -> None:
    done = run("audit", "export", "--from", "2026-11-20", "--to", "2026-11-20")
    none = run("audit", "export", "--to", "2026-11-19")

    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["number"] for row in rows] == [1, 2, 3, 4]
    assert rows[1]["previous"] == rows[0]["hash"]
    assert none.stdout == ""
    assert ("terminal", "export", "audit") in actions(audited)
    with pytest.raises(InvalidInputError, match="is not a day"):
        run("audit", "export", "--from", "yesterday")
