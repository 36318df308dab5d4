"""The sample shop, loaded once, and a fresh copy of it for every test."""

import fcntl
import itertools
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from pydantic import SecretStr

from opsbot.app import close_services, create_app, open_services
from opsbot.channels.services import Services
from opsbot.db import Database
from opsbot.demo.load import load_demo
from opsbot.jobs import SCHEDULES, Worker, handlers
from opsbot.migrations import upgrade
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.settings import PREFIX, TEST_PREFIX, Settings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PASSWORD = "a lamp on the loom"  # noqa: S105  (of a shop that lives as long as the test)
STAFF = "mara@lumenandloom.example"


@pytest.fixture(scope="session")
def shop_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a loaded and indexed sample shop: made once, for all test processes."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # noqa: TID251  (tells whether others run beside us)
        base = base.parent
    folder = base / "shop"
    with (base / "shop.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _make_shop(folder)
            (folder / "done").touch()
    return folder


def _make_shop(folder: Path) -> None:
    settings = shop_settings(folder)
    database = Database(settings.resolved_database_url)
    upgrade(database)
    load_demo(database, now=NOW, staff_password=PASSWORD)
    ingest(database, settings.knowledge_dir, MiniLmEncoder.open(folder), now=NOW)
    database.dispose()
    services = open_services(settings, clock=lambda: NOW)
    services.knowledge.wait_until_ready(60)
    close_services(services)


@dataclass
class Shop:
    """A running copy of the sample shop."""

    client: TestClient
    services: Services
    moment: list[datetime]
    """One entry: the time it is."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def sign_in(self, number: str = "C-1001") -> dict[str, str]:
        """Return the headers of a signed-in customer."""
        self.client.post("/demo/sign-in", data={"customer": number}, follow_redirects=False)
        token = self.client.get("/demo/token").json()["token"]
        return {"authorization": f"Bearer {token}"}

    def sign_in_staff(self) -> None:
        """Sign a member of staff in, on this client."""
        answer = self.client.post(
            "/console/sign-in",
            data={"email": STAFF, "password": PASSWORD},
            follow_redirects=False,
        )
        assert answer.status_code == 303, answer.text

    def say(
        self,
        text: str,
        who: dict[str, str] | None = None,
        conversation: str | None = None,
        path: str = "/v1/chat",
    ) -> dict[str, Any]:
        """Return the reply to one message."""
        body = {"client_id": f"m{next(self.numbers)}", "text": text}
        if conversation:
            body["conversation_id"] = conversation
        answer = self.client.post(path, json=body, headers=who or {})
        assert answer.status_code == 200, answer.text
        reply: dict[str, Any] = answer.json()
        return reply

    def work(self, *, days: float = 0) -> None:
        """Let time go by, and the jobs run."""
        self.moment[0] += timedelta(days=days)
        work = Worker(
            self.services.database,
            handlers(self.services),
            self.services.clock,
            schedules=SCHEDULES,
        )
        work.run_once(self.services.clock())


@pytest.fixture
def data_dir(shop_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the loaded shop's data folder."""
    for name in list(os.environ):  # noqa: TID251  (the developer's own settings must not matter)
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    copy_shop(shop_template, folder)
    return folder


@pytest.fixture
def shop(data_dir: Path) -> Iterator[Shop]:
    """The sample shop, through the whole application."""
    moment = [NOW]
    services = open_services(shop_settings(data_dir), clock=lambda: moment[0])
    app = create_app(services, with_worker=False, with_warm_up=False)
    with TestClient(app, headers={"origin": "http://testserver"}) as client:
        yield Shop(client, services, moment)


@pytest.fixture
def address(data_dir: Path) -> Iterator[str]:
    """The address of a running server with the sample shop; its clock is the real one."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = shop_settings(data_dir).model_copy(update={"public_url": url})
    app = create_app(open_services(settings), with_worker=False, with_warm_up=False)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield url
    server.should_exit = True
    thread.join(timeout=20)
    listener.close()


def copy_shop(template: Path, folder: Path) -> None:
    """Copy a data folder that nobody writes; the encoder's graph is only linked.

    Another process that reads it makes and removes the files that SQLite keeps beside it.
    """
    passing = shutil.ignore_patterns("models", "*-shm", "*-wal")
    shutil.copytree(template, folder, ignore=passing)
    (folder / "models").symlink_to(template / "models")


def shop_settings(folder: Path) -> Settings:
    """Return the settings of the sample shop in this folder."""
    return Settings(
        secret_key=SecretStr("0123456789abcdef" * 2), data_dir=folder, demo=True, _env_file=None
    )
