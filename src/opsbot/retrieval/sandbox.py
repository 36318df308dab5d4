"""Read untrusted files in a process of their own: it may be killed, and it may use so much."""

import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from opsbot.errors import InvalidInputError, UnavailableError
from opsbot.retrieval.readers.content import Content

SECONDS = 8.0
"""How long the reading of one file may take."""
MEGABYTES = 1_000
"""Address space that the reading process may have."""
LENGTH = struct.Struct(">Q")
"""Stands before every message: how many bytes follow."""
OUT_OF_MEMORY = "memory"
"""The error that the reading process names in place of a sentence."""

_START_S = 60.0
"""How long the process may take to start, on a busy machine."""
_LARGEST_ANSWER = 64_000_000
"""Bytes; more than the longest text can become."""
_FILES = 1_000
"""After so many files the process is replaced, so that what it leaks is given back."""


class Sandbox:
    """Reads one file after the other, for all threads; starts its process at the first one."""

    def __init__(self, *, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> None:
        self._seconds = seconds
        self._megabytes = megabytes
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def parse(self, path: str, content: bytes) -> Content:
        """Read the bytes of a file; `path` tells its format.

        Raises:
            InvalidInputError: it cannot be read, or not within the limits; the text says why.
            UnavailableError: the reading process does not start.
        """
        with self._lock:
            answer = self._ask(path, content)
        if "error" not in answer:
            return Content(answer["text"], stated=answer["stated"], notes=tuple(answer["notes"]))
        if answer["error"] == OUT_OF_MEMORY:
            raise InvalidInputError(
                f"{path} needs more than {self._megabytes} MB of memory to be read; split it."
            )
        raise InvalidInputError(answer["error"])

    def close(self) -> None:
        """End the process; the next file starts another one."""
        with self._lock:
            self._stop()

    def _ask(self, path: str, content: bytes) -> dict[str, Any]:
        process = self._start()
        self._count += 1
        try:
            _send(process, json.dumps({"path": path}).encode(), content)
            answer = _receive(process, self._seconds)
        except TimeoutError as error:
            self._stop()
            raise InvalidInputError(
                f"{path} takes longer than {self._seconds:.0f} seconds to read; split it, or save "
                "it again."
            ) from error
        except (OSError, EOFError, ValueError) as error:
            self._stop()
            raise InvalidInputError(
                f"{path} makes its reader break off; open it in the program that made it and save "
                "it again."
            ) from error
        if answer.get("error") == OUT_OF_MEMORY or self._count >= _FILES:
            self._stop()
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._stop()
        command = [sys.executable, "-P", "-m", "opsbot.retrieval.reading", str(self._megabytes)]
        self._process = subprocess.Popen(  # noqa: S603  (our own module)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # None of our environment: it holds keys.
            env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        try:
            _receive(self._process, _START_S)
        except (OSError, EOFError, ValueError) as error:
            self._stop()
            raise UnavailableError("The process that reads documents does not start.") from error
        return self._process

    def _stop(self) -> None:
        process, self._process, self._count = self._process, None, 0
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.wait()


def _send(process: subprocess.Popen[bytes], *messages: bytes) -> None:
    pipe = process.stdin
    if pipe is None:
        raise EOFError
    for message in messages:
        pipe.write(LENGTH.pack(len(message)))
        pipe.write(message)
    pipe.flush()


def _receive(process: subprocess.Popen[bytes], seconds: float) -> dict[str, Any]:
    """Return the next answer.

    Raises:
        TimeoutError: there is none in time.
        EOFError: the process ended.
        ValueError: it is no answer of ours.
    """
    if process.stdout is None:
        raise EOFError
    file, deadline = process.stdout.fileno(), time.monotonic() + seconds
    size = LENGTH.unpack(_take(file, LENGTH.size, deadline))[0]
    if size > _LARGEST_ANSWER:
        raise ValueError(size)
    answer = json.loads(_take(file, size, deadline))
    if not isinstance(answer, dict):
        raise ValueError(answer)  # noqa: TRY004  (nothing of the caller)
    return answer


def _take(file: int, size: int, deadline: float) -> bytes:
    taken = bytearray()
    while len(taken) < size:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([file], [], [], left)[0]:
            raise TimeoutError
        piece = os.read(file, min(size - len(taken), 2**20))
        if not piece:
            raise EOFError
        taken += piece
    return bytes(taken)
