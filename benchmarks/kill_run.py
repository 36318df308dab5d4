"""Kill the server while customers confirm, again and again, and compare at the end."""

import http.client
import json
import multiprocessing
import random
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from kill_server import serve
from kill_shop import KillShop, Ticket
from rich.progress import track

import opsbot.migrations
from opsbot.db import Database

CLIENTS = 4
WARM_S = 0.5
"""Half of the servers are killed within so long after their first answer, the others before it."""
START_S = 120.0
AGAIN = 0.2
"""Share of the confirmations that are pressed twice at once, and once more afterwards."""


class Customers:
    """Threads that confirm one cancellation after the other until each is acknowledged."""

    def __init__(self, shop: KillShop, port: int, seed: int) -> None:
        self._shop = shop
        self._port = port
        self._chance = random.Random(seed)  # noqa: S311  (nothing secret)
        self._stop = threading.Event()
        self.open = threading.Event()
        """Set while a server answers; without one nobody need press."""
        self.acknowledged: dict[str, str] = {}
        """What each customer was told, by proposal."""
        self.pressed = threading.Event()
        """Set by every press."""
        self.answered = threading.Event()
        """Set by every answer."""
        self.cut = 0
        """Requests that broke after they had been sent."""
        self.other_words = 0
        """Answers to a repeated press that differ from the first: must be 0."""
        self.refused: list[Any] = []
        """Answers that are no yes: must be none."""
        self._threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Let everybody get the answer they wait for, and stop."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            ticket = self._shop.next_ticket()
            twice = self._chance.random() < AGAIN
            if twice:
                second = threading.Thread(target=self._press, args=(ticket,))
                second.start()
            self._press(ticket)
            if twice:
                second.join()
                self._press(ticket)

    def _press(self, ticket: Ticket) -> None:
        """Press the button until an answer comes."""
        while True:
            self.open.wait()
            try:
                status, body = self._post(ticket)
            except ConnectionRefusedError:
                time.sleep(0.05)
                continue
            except (OSError, http.client.HTTPException):
                self.cut += 1
                continue
            if status >= http.client.INTERNAL_SERVER_ERROR:
                time.sleep(0.05)
                continue
            if status != http.client.OK:
                self.refused.append(body)
                return
            words = body["reply"]["text"]
            self.other_words += self.acknowledged.setdefault(ticket.proposal_id, words) != words
            return

    def _post(self, ticket: Ticket) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {
            "authorization": f"Bearer {ticket.token}",
            "content-type": "application/json",
        }  # no `Idempotency-Key`, as from the page: the ledger alone must do it once
        self.pressed.set()
        try:
            connection.request("POST", f"/v1/proposals/{ticket.proposal_id}/confirm", "{}", headers)
            response = connection.getresponse()
            body = json.loads(response.read())
            self.answered.set()
            return response.status, body
        finally:
            connection.close()


def run_kills(kills: int, database_url: str, folder: Path, seed: int) -> dict[str, Any]:
    """Kill so many servers and return what was lost or doubled.

    Args:
        kills: how many.
        database_url: a PostgreSQL server, on which a schema of its own is made and dropped;
            empty: SQLite.
        folder: for files.
        seed: of the moments.
    """
    began = time.monotonic()
    with _open_schema(database_url, folder) as url:
        database = Database(url)
        opsbot.migrations.upgrade(database)
        database.dispose()
        shop, port = KillShop(url, folder), _free_port()
        customers = Customers(shop, port, seed)
        customers.start()
        try:
            _kill_all(kills, (url, str(folder), port), customers, seed)
            last = _start((url, str(folder), port))
            customers.open.set()
        finally:
            customers.finish()
        last.kill()
        last.join()
        shop.drain()
        found = shop.compare(customers.acknowledged)
        shop.database.dispose()
    return {
        "database": "postgresql" if database_url else "sqlite",
        "kills": kills,
        "cut": customers.cut,
        **found,
        "other_words": customers.other_words,
        "refused": len(customers.refused),
        "seconds": round(time.monotonic() - began, 1),
    }


def _kill_all(kills: int, arguments: tuple[str, str, int], customers: Customers, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (nothing secret)
    first_s = WARM_S
    for number in track(range(kills), "Kills", disable=not sys.stderr.isatty()):
        server = _start(arguments)
        customers.pressed.clear()
        customers.answered.clear()
        customers.open.set()
        customers.pressed.wait(START_S)
        pressed = time.monotonic()
        if number % 2:
            customers.answered.wait(chance.uniform(0, first_s))
        else:
            customers.answered.wait(START_S)
            first_s = time.monotonic() - pressed
            time.sleep(chance.uniform(0, WARM_S))
        customers.open.clear()
        server.kill()
        server.join()


def _start(arguments: tuple[str, str, int]) -> BaseProcess:
    """Start a server from a process that has imported everything; return when it answers."""
    context = multiprocessing.get_context("forkserver")
    # Names on the installed path only: the fork server does not know this folder.
    context.set_forkserver_preload(["opsbot.app", "uvicorn.lifespan.on", "psycopg"])
    server = context.Process(target=serve, args=arguments, daemon=True)
    server.start()
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", arguments[2], timeout=5)
        try:
            connection.request("GET", "/no-such-page")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.01)
        else:
            return server
        finally:
            connection.close()
    raise TimeoutError("the server did not start")


@contextmanager
def _open_schema(server: str, folder: Path) -> Iterator[str]:
    if not server:
        yield f"sqlite:///{folder}/opsbot.db"
        return
    url = sa.make_url(server).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    name = f"opsbot_kills_{secrets.token_hex(6)}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    try:
        own = url.update_query_dict({"options": f"-csearch_path={name}"})
        yield own.render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
        engine.dispose()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
