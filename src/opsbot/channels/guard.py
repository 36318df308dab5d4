"""Refuse bodies that are too large or are not text, before anything parses them."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsbot.channels.problems import problem

LARGEST_BODY = 256 * 1024
"""Bytes. Messages are at most 4,000 characters; forms a little more."""


class BodyGuard:
    """ASGI middleware: reads the body of a request once, within limits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem document."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if len(body) > LARGEST_BODY:
                detail = f"The request is larger than {LARGEST_BODY // 1024} KiB."
                await problem(413, "Too large", detail, code="too_large")(scope, receive, send)
                return
            if not message.get("more_body"):
                break
        if not _is_text(scope, body):
            detail = "The body is not valid UTF-8 text."
            await problem(400, "Not text", detail, code="not_utf8")(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


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
