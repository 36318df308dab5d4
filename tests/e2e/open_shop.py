"""The sample shop with its doors open: on a port of its own, for a browser."""

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient
from playwright.sync_api import Page
from sqlalchemy import Select, func, select
from sqlalchemy.orm import DeclarativeBase

from opsbot.app import create_app, open_services
from opsbot.commerce.orders import Order
from opsbot.settings import PREFIX
from opsbot.toolkit.policy import load_policies
from tests.e2e.conftest import NOW, Shop, copy_shop, shop_settings
from tests.e2e.processes import Process
from tests.stubs.openai_server import serve_stub
from tests.web.conftest import Open, Watched, overflows, violations


@dataclass
class OpenShop(Shop):
    """A running copy of the sample shop that other programs can reach."""

    url: str = ""

    @property
    def sent(self) -> list[EmailMessage]:
        """The mails that left."""
        files = sorted((self.services.settings.data_dir / "mail" / "out").glob("*.eml"))
        return [message_from_bytes(file.read_bytes(), policy=default) for file in files]

    def survey(self) -> tuple[str, str]:
        """Return the number of an order that somebody was asked about by mail, and the link."""
        mail = next(mail for mail in self.sent if "arrive?" in mail["subject"])
        [number] = re.findall(r"#\d+", mail["subject"])
        links = re.findall(r"http\S+/s/\S+", mail.get_content())
        return number, links[0]

    def receive(self, name: str, text: str) -> None:
        """Put a mail of Ada's where a mail server would."""
        mail = EmailMessage()
        mail["From"] = "Ada Brandt <ada@example.com>"
        mail["To"] = self.services.settings.mail.address
        mail["Subject"] = name.capitalize()
        mail["Message-ID"] = f"<{name}@example.com>"
        mail.set_content(text)
        folder = self.services.settings.data_dir / "mail" / "in"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.eml").write_bytes(bytes(mail))

    def order(self, number: str) -> Order:
        """Return an order as it is now."""
        with self.services.database.read() as session:
            return session.scalars(select(Order).where(Order.number == number)).one()

    def clause(self, name: str) -> str:
        """Return the words of a clause of the shop's rules."""
        return load_policies(self.services.settings.knowledge_dir / "policies").clause(name).text

    def count(self, what: type[DeclarativeBase] | Select[int]) -> int:
        """Return how many records of a kind there are, or what a query counts."""
        query = what if isinstance(what, Select) else select(func.count()).select_from(what)
        with self.services.database.read() as session:
            return session.scalar(query) or 0


@contextmanager
def serve_shop(template: Path, folder: Path) -> Iterator[OpenShop]:
    """Serve a copy of the loaded shop; its clock stands until it is moved."""
    copy_shop(template, folder)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(PREFIX)]:  # noqa: TID251
            patch.delenv(name)
        settings = shop_settings(folder).model_copy(update={"public_url": url})
    moment = [NOW]
    services = open_services(settings, clock=lambda: moment[0])
    app = create_app(services, with_worker=False, with_warm_up=False)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield OpenShop(TestClient(app), services, moment, url=url)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()


@contextmanager
def serve_slowly(data_dir: Path) -> Iterator[Process]:
    """Run the shop as a process of its own, with a language model that speaks slowly."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serve_stub() as (model, _):
        server = Process(
            data_dir,
            port,
            OPSBOT_MODEL="openai:slow",
            OPSBOT_MODEL_BASE_URL=model,
            OPSBOT_MODEL_API_KEY="sk-local",
        )
        try:
            server.start()
            yield server
        finally:
            server.kill()


def enter(open_page: Open, shop: OpenShop, path: str = "/") -> Watched:
    """Open a page at the time that it is in the shop."""
    watched = open_page(path)
    watched.page.clock.set_fixed_time(shop.moment[0])
    return watched


def leave(page: Page) -> None:
    """Look at the page as those do who cannot see it, or have little room."""
    page.evaluate("Promise.all(document.getAnimations().map(a => a.finished))")
    assert violations(page) == []
    assert not overflows(page)
