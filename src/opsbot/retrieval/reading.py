"""The process that reads untrusted files: `python -m opsbot.retrieval.reading MEGABYTES`.

It answers one request after the other, on its standard input and output; see `sandbox`. It may
use so much memory, and can write no file.
"""

import json
import os
import resource
import sys
from contextlib import suppress
from typing import BinaryIO

from opsbot.errors import InvalidInputError
from opsbot.retrieval.readers.content import check_size
from opsbot.retrieval.readers.untrusted import parse
from opsbot.retrieval.sandbox import LENGTH, OUT_OF_MEMORY

_DEPTH = 4_000
"""Calls within calls; what nests deeper is refused by the readers before."""


def main() -> None:
    """Answer requests until the input ends."""
    requests, answers = _take_pipes()
    _set_limits(int(sys.argv[1]) * 2**20)
    _write(answers, {"ready": True})
    while header := _read(requests):
        path = json.loads(header)["path"]
        _write(answers, _answer(path, _read(requests)))


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes to ourselves: a library that prints must not garble an answer."""
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    return sys.stdin.buffer, answers


def _set_limits(memory: int) -> None:
    sys.setrecursionlimit(_DEPTH)
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        # macOS has no limit of memory; the limit of time holds there too.
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def _answer(path: str, content: bytes) -> dict[str, object]:
    try:
        read = parse(path, content)
        check_size(path, read.text)
    except InvalidInputError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": OUT_OF_MEMORY}
    except Exception as error:  # noqa: BLE001  (readers of broken files raise anything)
        return {"error": f"{path} is broken ({type(error).__name__}); save it again."}
    return {"text": read.text, "stated": dict(read.stated), "notes": list(read.notes)}


def _read(pipe: BinaryIO) -> bytes:
    """Return the next message; empty at the end of the input."""
    prefix = pipe.read(LENGTH.size)
    return pipe.read(LENGTH.unpack(prefix)[0]) if len(prefix) == LENGTH.size else b""


def _write(pipe: BinaryIO, answer: dict[str, object]) -> None:
    # In ASCII: half a character, as broken files hold, can be sent as an escape.
    message = json.dumps(answer).encode()
    pipe.write(LENGTH.pack(len(message)) + message)
    pipe.flush()


if __name__ == "__main__":
    main()
