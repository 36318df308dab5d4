"""opsbot as a process of its own, to be stopped hard."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opsbot.settings import PREFIX

START_S = 60


class Process:
    """`opsbot serve` with the sample shop's data."""

    def __init__(self, data_dir: Path, port: int, **settings: str) -> None:
        plain = {
            name: value
            for name, value in os.environ.items()  # noqa: TID251  (handed to the process)
            if not name.startswith(PREFIX)
        }
        self._environment = plain | {
            "OPSBOT_SECRET_KEY": "0123456789abcdef" * 2,
            "OPSBOT_DATA_DIR": str(data_dir),
            "OPSBOT_DEMO": "true",
            **settings,
        }
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "opsbot", "serve", "--port", str(self.port)],
            env=self._environment,
        )
        for _ in range(START_S * 10):
            try:
                if self.request("GET", "/healthz")[0] == http.client.OK:
                    return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("the server did not start")

    def kill(self) -> None:
        """Stop it at once, as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Return the status and the JSON of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            content = {"content-type": "application/json"} | (headers or {})
            connection.request(method, path, json.dumps(body) if body else None, content)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        finally:
            connection.close()

    def stream(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """Yield number, type and data of each event, until the line ends or breaks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        wanted = {"content-type": "application/json", "accept": "text/event-stream"}
        try:
            connection.request(
                method, path, json.dumps(body) if body else None, wanted | (headers or {})
            )
            response = connection.getresponse()
            number, kind = 0, ""
            for raw in response:
                line = raw.decode().rstrip("\n")
                if line.startswith("id: "):
                    number = int(line[4:])
                elif line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: "):
                    yield number, kind, json.loads(line[6:])
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()
