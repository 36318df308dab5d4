"""How fast opsbot starts and answers: the sample shop over HTTP, with the embedded model.

Run: python benchmarks/turns.py [--turns 200] [--processes 1]

Each turn is a new conversation of another signed-in customer, who asks about an order or product of
their own: nobody meets a limit, and few messages are equal. What the assistant refuses or cannot
answer ends the run.

The last line is one JSON object:
    start_s       process start to the first 200 from /healthz, the second time it is started
    rss_mb        resident memory of a serving process after the load
    turn_ms_p50, turn_ms_p95   one client, one turn after the other
    turns_per_s   four clients at once, spread over `--processes` servers of the same shop
"""

import argparse
import http.client
import itertools
import json
import os
import secrets
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.progress import track

from opsbot.channels.identity import sign_customer
from opsbot.settings import Settings

CLIENTS = 4
WARM_UP = 24
SETTLE_S = 15
"""The load begins so long after the start, as it does on most days."""
REFUSED = ("a lot at once", "very often already", "went wrong")
QUESTIONS = (
    "Where is my order {order}?",
    "How do I clean the Tide grinder?",
    "Can I put the {product} in the dishwasher?",
    "What orders do I have?",
    "Is the {product} in stock?",
    "Can I return order {order}?",
    "What does shipping to Norway cost?",
    "Thanks a lot",
)


@dataclass(frozen=True)
class Asker:
    """A signed-in customer with an order."""

    token: str
    order: str
    product: str


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    turns: int = options.turns
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        shop = Shop(Path(folder))
        shop.load()
        servers = [stack.enter_context(shop.serve()) for _ in range(options.processes)]
        first, askers = servers[0], shop.askers(datetime.now(UTC))  # noqa: TID251
        ports = [server.port for server in servers]
        time.sleep(SETTLE_S)
        for number in range(WARM_UP * len(ports)):
            _ask(ports[number % len(ports)], askers, number)
        times = [
            _ask(first.port, askers, WARM_UP + number)
            for number in track(range(turns), "Turns", disable=not sys.stderr.isatty())
        ]
        rate = _crowd(ports, askers, turns)
        rss = max(_rss_mb(server.process.pid) for server in servers)
    cuts = statistics.quantiles(times, n=20)
    figures = {
        "processes": options.processes,
        "start_s": round(first.start_s, 2),
        "rss_mb": round(rss),
        "turn_ms_p50": round(statistics.median(times), 1),
        "turn_ms_p95": round(cuts[18], 1),
        "turns_per_s": round(rate, 1),
    }
    print(json.dumps(figures))


@dataclass(frozen=True)
class Server:
    """A serving process."""

    process: subprocess.Popen[bytes]
    port: int
    start_s: float


class Shop:
    """The sample shop in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = secrets.token_hex(32)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not _is_left_out(name)},  # noqa: TID251
            "OPSBOT_DATA_DIR": str(folder),
            "OPSBOT_IDENTITY_KEY": self._key,
        }
        self._opsbot = [sys.executable, "-m", "opsbot", "demo"]

    def load(self) -> None:
        """Load and index it."""
        subprocess.run([*self._opsbot, "--load-only"], env=self._environment, check=True)  # noqa: S603

    @contextmanager
    def serve(self) -> Iterator[Server]:
        """Serve it on a free port."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603
            [*self._opsbot, "--port", str(port)], env=self._environment, stdout=subprocess.DEVNULL
        )
        try:
            while not _is_up(port):
                time.sleep(0.02)
            yield Server(process, port, time.perf_counter() - began)
        finally:
            process.terminate()
            process.wait(timeout=30)

    def askers(self, now: datetime) -> list[Asker]:
        """Return every customer who has ordered, with their latest order and a product of it."""
        settings = Settings(secret_key=self._key, identity_key=self._key)
        with sqlite3.connect(self._folder / "opsbot.db") as database:
            rows = database.execute(
                "SELECT c.number, max(o.number), l.title FROM orders o"
                " JOIN customers c ON c.id = o.customer_id"
                " JOIN order_lines l ON l.order_id = o.id GROUP BY c.number ORDER BY c.number"
            ).fetchall()
        return [
            Asker(sign_customer(settings, number, now=now), order, product)
            for number, order, product in rows
        ]


def _is_left_out(variable: str) -> bool:
    """Tell whether a variable must not be seen by the server: a second start finds bytecode."""
    return variable.startswith("OPSBOT_") or variable == "PYTHONDONTWRITEBYTECODE"


def _is_up(port: int) -> bool:
    try:
        return _request(port, "GET", "/healthz")[0] == http.client.OK
    except OSError:
        return False


def _ask(port: int, askers: Sequence[Asker], number: int) -> float:
    """Ask one question in a new conversation; return the milliseconds until the answer."""
    asker = askers[number % len(askers)]
    text = QUESTIONS[number % len(QUESTIONS)].format(order=asker.order, product=asker.product)
    began = time.perf_counter()
    status, body = _request(
        port,
        "POST",
        "/v1/chat",
        {"client_id": secrets.token_hex(8), "text": text},
        token=asker.token,
    )
    answer = str(body.get("text", "")) if status == http.client.OK else ""
    if not answer or any(words in answer for words in REFUSED):
        raise SystemExit(f"{text!r} was answered with {status}: {body}")
    return (time.perf_counter() - began) * 1000


def _crowd(ports: Sequence[int], askers: Sequence[Asker], turns: int) -> float:
    """Return the turns per second of several clients at once."""
    numbers = itertools.count()

    def work() -> None:
        while (number := next(numbers)) < turns:
            _ask(ports[number % len(ports)], askers, WARM_UP + turns + number)

    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return turns / (time.perf_counter() - began)


def _request(
    port: int, method: str, path: str, body: dict[str, str] | None = None, *, token: str = ""
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, json.dumps(body or {}), headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def _rss_mb(pid: int) -> float:
    """Return the resident memory of a process, in megabytes (10^6 bytes)."""
    output = subprocess.run(  # noqa: S603
        ["ps", "-o", "rss=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        check=True,
        text=True,
    )
    return int(output.stdout) * 1024 / 1e6


if __name__ == "__main__":
    main()
