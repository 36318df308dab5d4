"""Refuse bodies that are too large or are not text, before anything parses them."""

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsbot.channels.problems import problem
from opsbot.retrieval.sources import MAX_BYTES

LARGEST_BODY = 256 * 1024
"""Bytes. Messages are at most 4,000 characters; forms a little more."""
WEBHOOKS = "/v1/webhooks/"
LARGEST_WEBHOOK = 1024 * 1024
"""Bytes: an order with some hundred lines."""
UPLOADS = frozenset({"/v1/knowledge/articles", "/console/articles"})
"""Where files are sent to. They are not read before it is known who sends them."""
LARGEST_UPLOAD = MAX_BYTES + LARGEST_BODY
"""Bytes: a file, and the fields beside it."""


class BodyGuard:
    """ASGI middleware: reads the body of a request once, within limits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem document."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
        elif scope["path"] in UPLOADS:
            await self._pass_upload(scope, receive, send)
        else:
            await self._pass_body(scope, receive, send)

    async def _pass_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = LARGEST_WEBHOOK if scope["path"].startswith(WEBHOOKS) else LARGEST_BODY
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if len(body) > most:
                await _refuse(most, scope, receive, send)
                return
            if not message.get("more_body"):
                break
        if not _is_text(scope, body):
            detail = "The body is not valid UTF-8 text."
            await problem(400, "Not text", detail, code="validation")(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _pass_upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the body on as it comes; its reader may refuse it before it is all here."""
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > LARGEST_UPLOAD:
            await _refuse(LARGEST_UPLOAD, scope, receive, send)
            return
        size = 0

        async def count() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST_UPLOAD:
                # What the reader of forms itself raises: it closes its files at it.
                raise MultiPartException("It is too large.")
            return message

        async def answer(message: Message) -> None:
            if size <= LARGEST_UPLOAD:
                await send(message)

        await self._app(scope, count, answer)
        if size > LARGEST_UPLOAD:
            await _refuse(LARGEST_UPLOAD, scope, receive, send)


async def _refuse(most: int, scope: Scope, receive: Receive, send: Send) -> None:
    detail = f"The request is larger than {most // 1024} KiB."
    await problem(413, "Too large", detail, code="validation")(scope, receive, send)


def _is_text(scope: Scope, body: bytes) -> bool:
    if "json" not in Headers(scope=scope).get("content-type", "json"):
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def read() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return read
