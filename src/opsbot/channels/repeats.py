"""`Idempotency-Key`: a request that is sent again is answered as it was the first time.

The header of the IETF's draft. Routes that write take `OnceDep`, and answer by it.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from opsbot.channels.dependencies import NowDep, ServicesDep
from opsbot.channels.problems import describe
from opsbot.db import Database
from opsbot.errors import InvalidInputError, OpsbotError, RateLimitedError, UnavailableError
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.repeats import (
    FIELD,
    LONGEST_KEY,
    Kept,
    Taken,
    free_key,
    keep_answer,
    lose_answer,
    take_key,
)

REPLAYED = "idempotent-replayed"
PROBLEM = "application/problem+json"
_OK = 200
_ERROR = 400

T = TypeVar("T")

RESPONSES: dict[int | str, dict[str, Any]] = {
    409: {
        "description": "The first request with this `Idempotency-Key` is still being answered, or "
        "ended without an answer; or the state of the record forbids it.",
        "content": {PROBLEM: {}},
    },
    422: {
        "description": "This `Idempotency-Key` came with another request before; or a value does "
        "not fit.",
        "content": {PROBLEM: {}},
    },
}
"""What a route that takes `OnceDep` may answer beside its own."""

KeyHeader = Annotated[
    str | None,
    Header(
        alias=FIELD,
        description="A word of your own for this request, such as a UUID. Sent again within a day "
        "with the same body, it returns the first answer and does nothing.",
    ),
]


@dataclass(frozen=True)
class Once:
    """Answers a request once, if it came with a key."""

    database: Database
    key: str | None
    request_hash: str
    now: datetime

    def answer(
        self, caller: Caller, do: Callable[[], T], *, repeatable: bool = True
    ) -> T | JSONResponse:
        """Do what the request asks for, or return what was answered before.

        Args:
            caller: whose request it is.
            do: does it, and returns what FastAPI can send.
            repeatable: whether doing it again after a crash happens once all the same.

        Raises:
            InvalidInputError: the key came with another request before.
            CollisionError: the first request is being answered, or ended without an answer.
            OpsbotError: as `do`; the same again for the same key, unless it may pass.
        """
        if self.key is None:
            return do()
        taken = take_key(
            self.database,
            owner=caller.owner,
            key=self.key,
            request_hash=self.request_hash,
            repeatable=repeatable,
            now=self.now,
        )
        if isinstance(taken, Kept):
            return _again(taken)
        return self._do(taken, do)

    def _do(self, taken: Taken, do: Callable[[], object]) -> JSONResponse:
        try:
            done = do()
            answer = (
                done
                if isinstance(done, JSONResponse)
                else JSONResponse(jsonable_encoder(done), _OK)
            )
        except (RateLimitedError, UnavailableError):
            free_key(self.database, taken)
            raise
        except OpsbotError as error:
            answer = describe(error)
        except BaseException:
            lose_answer(self.database, taken, now=self.now)
            raise
        keep_answer(self.database, taken, answer.status_code, _content(answer))
        return answer


async def _once(
    request: Request,
    services: ServicesDep,
    now: NowDep,
    idempotency_key: KeyHeader = None,
) -> Once:
    """Read the key, and what the request says.

    Raises:
        InvalidInputError: the key is empty, too long, or no plain text.
    """
    if idempotency_key is None:
        return Once(services.database, None, "", now)
    # The draft wants a quoted string; most senders leave the quotes out.
    key = idempotency_key.strip().strip('"')
    if not 0 < len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        message = f"{FIELD}: send 1 to {LONGEST_KEY} plain characters."
        raise InvalidInputError(message, field=FIELD)
    said = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    digest = hashlib.sha256(said + await request.body()).hexdigest()
    return Once(services.database, key, digest, now)


OnceDep = Annotated[Once, Depends(_once)]


def _again(kept: Kept) -> JSONResponse:
    kind = PROBLEM if kept.status >= _ERROR else "application/json"
    return JSONResponse(kept.body, kept.status, headers={REPLAYED: "true"}, media_type=kind)


def _content(answer: JSONResponse) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(bytes(answer.body))
    return content
