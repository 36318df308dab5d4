"""A server that speaks OpenAI's chat protocol; how it behaves is chosen by the model's name.

Like the real one it refuses a history with an unanswered tool call.
"""

import asyncio
import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

Json = dict[str, Any]


def create_stub() -> FastAPI:
    app = FastAPI()
    app.state.requests = []
    app.state.received = b""

    @app.post("/v1/chat/completions", response_model=None)
    async def complete(request: Request) -> Response:
        raw = await request.body()
        app.state.received += b"".join(b"\n".join(one) for one in request.headers.raw) + raw
        body: Json = json.loads(raw)
        app.state.requests.append(body)
        if _dangles(body["messages"]):
            return JSONResponse({"error": {"message": "unanswered tool call"}}, 400)
        match body["model"]:
            case "error500":
                return JSONResponse({"error": {"message": "boom"}}, 500)
            case "timeout":
                await asyncio.sleep(5)
        return StreamingResponse(_stream(body), media_type="text/event-stream")

    return app


@contextmanager
def serve_stub() -> Iterator[tuple[str, FastAPI]]:
    """Serve the stub on a free port; yields its base URL and itself."""
    app = create_stub()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", app
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


async def _stream(body: Json) -> AsyncIterator[str]:
    last = body["messages"][-1]
    model = body["model"]
    if model == "malformed":
        yield _chunk(tool_calls=[_call("order_status", '{"order_number": ')])
        yield _chunk(finish="tool_calls")
    elif model == "placeholders":
        for piece in _with_placeholders(body["messages"]):
            yield piece
    elif last["role"] != "tool" and model in {"tools", "slow", "cut"}:
        for call in (
            _call("order_status", ""),
            _call(None, '{"order_num'),
            _call(None, 'ber": "#1003"}'),
        ):
            yield _chunk(tool_calls=[call])
        yield _chunk(finish="tool_calls")
    else:
        async for piece in _say(model, last):
            yield piece
    if model != "cut":
        yield "data: [DONE]\n\n"


def _with_placeholders(messages: list[Json]) -> Iterator[str]:
    """Ask for the order with the placeholders it was told, and repeat what comes of it."""
    told = [json.loads(m["content"]) for m in messages if m["role"] == "tool"]
    asked = [m["content"] for m in messages if m["role"] == "user"][-1]
    known = dict(re.findall(r"\[((EMAIL|ORDER)_\w+)\]", asked)[::-1])
    by_kind = {kind: f"[{name}]" for name, kind in known.items()}
    calls = [{"order_number": by_kind.get("ORDER", "none")}]
    if "EMAIL" in by_kind:
        calls.insert(0, calls[0] | {"email": by_kind["EMAIL"]})
    if len(told) < len(calls):
        arguments = json.dumps(calls[len(told)])
        yield _chunk(
            tool_calls=[_call("verify_order" if "email" in arguments else "order_status", "")]
        )
        for place in range(0, len(arguments), 3):
            yield _chunk(tool_calls=[_call(None, arguments[place : place + 3])])
        yield _chunk(finish="tool_calls")
        return
    text = f"Thank you, [NAME_ZZZZZ].\n{told[-1].get('say') or told[-1]['error']['text']}"
    for place in range(0, len(text), 3):
        yield _chunk(content=text[place : place + 3])
    yield _chunk(finish="stop")


async def _say(model: str, last: Json) -> AsyncIterator[str]:
    text = _words(model, last)
    for word in text.split(" "):
        if model == "slow":
            await asyncio.sleep(0.15)
        yield _chunk(content=word + " ")
        if model == "cut" and word.endswith("."):
            return
    yield _chunk(finish="stop")


def _words(model: str, last: Json) -> str:
    if model == "invents":
        return "Let me see. I have refunded your order. You get €999.00 back. Good day."
    if last["role"] == "tool":
        told = json.loads(last["content"])
        return str(told.get("say") or told["error"]["text"])
    return "Hello. How can I help?"


def _call(name: str | None, arguments: str) -> Json:
    function: Json = {"arguments": arguments}
    if name is None:
        return {"index": 0, "function": function}
    return {"index": 0, "id": "call_1", "type": "function", "function": function | {"name": name}}


def _chunk(
    content: str | None = None, tool_calls: list[Json] | None = None, finish: str | None = None
) -> str:
    delta: Json = {"role": "assistant"}
    if content is not None:
        delta["content"] = content
    if tool_calls is not None:
        delta["tool_calls"] = tool_calls
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    event = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "stub",
        "choices": [choice],
    }
    return f"data: {json.dumps(event)}\n\n"


def _dangles(messages: list[Json]) -> bool:
    asked = {c["id"] for m in messages for c in m.get("tool_calls") or []}
    return asked != {m["tool_call_id"] for m in messages if m["role"] == "tool"}
