"""Ada's and Eve's shop, served whole, for programs that call its tools."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from pydantic import SecretStr

from opsbot.app import create_app, open_services
from opsbot.channels.identity import sign_customer, sign_staff
from opsbot.channels.services import Services
from opsbot.db import Database
from opsbot.migrations import newest
from opsbot.settings import Settings
from opsbot.staff import Role, Staff, find_staff, make_staff
from opsbot.staff_tokens import make_token
from opsbot.toolkit.audit import AuditEvent
from tests.factories import NOON
from tests.shop_fixtures import fill_shop, filled_template

__all__ = ["filled_template"]

MARA = "mara@lumenandloom.example"


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the encoder's graph is built once."""
    return tmp_path_factory.mktemp("ways-in")


@dataclass
class Served:
    """A shop that answers over HTTP; its clock stands until it is moved."""

    client: TestClient
    services: Services
    moment: list[datetime]

    def customer(self, number: str = "C-1001", **claims: Any) -> dict[str, str]:
        """Return the headers of a customer whom the shop has signed in."""
        token = sign_customer(self.services.settings, number, now=self.moment[0])
        return {"authorization": f"Bearer {token}", **claims}

    def staff_token(self, email: str = MARA, name: str = "script") -> dict[str, str]:
        """Return the headers of a program of a member of staff."""
        with self.services.database.write() as session:
            staff = find_staff(session, email)
            token = make_token(session, staff, name, now=self.moment[0])
        return {"authorization": f"Bearer {token}"}

    def staff_session(self, email: str = MARA) -> dict[str, str]:
        """Return the headers of a browser in which somebody has signed in."""
        with self.services.database.read() as session:
            cookie = sign_staff(self.services.settings, find_staff(session, email))
        return {"cookie": f"opsbot_staff={cookie}", "origin": "http://testserver"}

    def audit(self) -> list[tuple[str, str, str]]:
        """Return actor, action and subject of every row of the audit."""
        with self.services.database.read() as session:
            rows = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.number))
            return [(row.actor, row.action, row.subject) for row in rows]


def prepare(database: Database) -> None:
    """Mark the tables as of this version, and add two members of staff."""
    with database.write() as session:
        session.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        session.execute(sa.text("INSERT INTO alembic_version VALUES (:v)"), {"v": newest()})
        session.add_all(people())


def people() -> list[Staff]:
    """Return Mara, who may do much, and Nils, who may do little."""
    password = "correct horse battery"  # noqa: S105  (of people of a test)
    mara = make_staff(
        email=MARA, name="Mara", password=password, roles=[Role.MANAGER, Role.AGENT, Role.OPS]
    )
    nils = make_staff(
        email="nils@lumenandloom.example", name="Nils", password=password, roles=[Role.EDITOR]
    )
    return [mara, nils]


def shop_settings(folder: Path) -> Settings:
    """Return settings that no environment reaches."""
    return Settings(secret_key=SecretStr("0123456789abcdef" * 2), data_dir=folder, _env_file=None)


def open_served(database: Database, folder: Path) -> Iterator[Served]:
    """Serve a filled database."""
    moment = [NOON]
    services = open_services(shop_settings(folder), clock=lambda: moment[0], database=database)
    app = create_app(services, with_worker=False, with_warm_up=False)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Served(client, services, moment)


@pytest.fixture
def served(
    filled_template: Path, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    """The shop on SQLite."""
    shutil.copy(filled_template, tmp_path / "shop.db")
    database = Database(f"sqlite:///{tmp_path}/shop.db")
    prepare(database)
    yield from open_served(database, data_folder)


@pytest.fixture
def served_on_both(database: Database, data_folder: Path) -> Iterator[Served]:
    """The shop on SQLite and on PostgreSQL."""
    fill_shop(database)
    prepare(database)
    try:
        yield from open_served(database, data_folder)
    finally:
        with database.write() as session:
            session.execute(sa.text("DROP TABLE alembic_version"))
