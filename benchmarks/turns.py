"""How fast opsbot starts and answers: the sample shop over HTTP, with the embedded model.

Run: python benchmarks/turns.py [--turns 200]

The last line is one JSON object:
    start_s       process start to the first 200 from /healthz
    rss_mb        resident memory of the server after the load
    turn_ms_p50, turn_ms_p95   one client, one turn after the other
    turns_per_s   four clients at once
"""

import argparse
import http.client
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import track

CLIENTS = 4
WARM_UP = 20
QUESTIONS = (
    "Where is my order #1003?",
    "How do I clean the Tide grinder?",
    "Can I put the Kiln mug in the dishwasher?",
    "What orders do I have?",
    "Is the Halo desk lamp in walnut in stock?",
    "Can I return order #1002?",
    "What does shipping to Norway cost?",
    "Thanks a lot",
)


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=200)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as (process, port, start_s):
        token = _token(port)
        for number in range(WARM_UP):
            _ask(port, token, f"w{number}", QUESTIONS[number % len(QUESTIONS)])
        times = [
            _ask(port, token, f"t{number}", QUESTIONS[number % len(QUESTIONS)])
            for number in track(range(turns), "Turns", disable=not sys.stderr.isatty())
        ]
        rate = _crowd(port, token, turns)
        rss = _rss_mb(process.pid)
    cuts = statistics.quantiles(times, n=20)
    figures = {
        "start_s": round(start_s, 2),
        "rss_mb": round(rss),
        "turn_ms_p50": round(statistics.median(times), 1),
        "turn_ms_p95": round(cuts[18], 1),
        "turns_per_s": round(rate, 1),
    }
    print(json.dumps(figures))


@contextmanager
def _server(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, float]]:
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("OPSBOT_")},  # noqa: TID251
        "OPSBOT_DATA_DIR": str(folder),
    }
    opsbot = [sys.executable, "-m", "opsbot", "demo"]
    subprocess.run([*opsbot, "--load-only"], env=environment, check=True)  # noqa: S603
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603
        [*opsbot, "--port", str(port)], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        while not _is_up(port):
            time.sleep(0.02)
        yield process, port, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(timeout=30)


def _is_up(port: int) -> bool:
    try:
        return _request(port, "GET", "/healthz")[0] == http.client.OK
    except OSError:
        return False


def _token(port: int) -> str:
    return str(_request(port, "GET", "/demo/token")[1]["token"])


def _ask(port: int, token: str, client_id: str, text: str) -> float:
    """Ask one question in a new conversation; return the milliseconds until the answer."""
    began = time.perf_counter()
    status, body = _request(
        port, "POST", "/v1/chat", {"client_id": client_id, "text": text}, token=token
    )
    if status != http.client.OK or not body["text"]:
        raise SystemExit(f"{text!r} was answered with {status}: {body}")
    return (time.perf_counter() - began) * 1000


def _crowd(port: int, token: str, turns: int) -> float:
    """Return the turns per second of several clients at once."""
    numbers = itertools.count()

    def work() -> None:
        while (number := next(numbers)) < turns:
            _ask(port, token, f"c{number}", QUESTIONS[number % len(QUESTIONS)])

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
