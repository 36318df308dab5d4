"""Events as a server-sent stream."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from opsbot.channels.charts import draw
from opsbot.conversation.events import StoredEvent
from opsbot.conversation.service import ConversationService
from opsbot.toolkit.caller import Caller

MOST_EVENTS = 2**31 - 1
"""No conversation has as many events; the largest number a client may name."""
PING_S = 15
"""A comment keeps a quiet line open, so often."""
LOOK_S = 0.25
"""How often to look for events that another process stored."""
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def stream(
    conversations: ConversationService,
    caller: Caller,
    conversation_id: str,
    *,
    after: int,
    first: Mapping[str, Any] | None = None,
) -> StreamingResponse:
    """Return a response that sends the events behind number `after`, and those that come.

    It ends with the turn. While it waits it holds no thread.

    Args:
        conversations: the core.
        caller: who is asking.
        conversation_id: one of the caller's own.
        after: number of the last event the client has.
        first: data of the `conversation` event that opens the stream.

    Raises:
        NotFoundError: the caller has no such conversation.
    """
    conversations.events(caller, conversation_id, after=MOST_EVENTS)
    frames = _frames(conversations, caller, conversation_id, after, first)
    return StreamingResponse(frames, media_type="text/event-stream", headers=HEADERS)


async def _frames(
    conversations: ConversationService,
    caller: Caller,
    conversation_id: str,
    after: int,
    first: Mapping[str, Any] | None,
) -> AsyncIterator[str]:
    if first is not None:
        yield _frame("conversation", first)
    loop, news, quiet = asyncio.get_running_loop(), asyncio.Event(), 0.0

    def wake() -> None:
        loop.call_soon_threadsafe(news.set)

    with conversations.listen(conversation_id, wake):
        while True:
            news.clear()
            events, is_open = await run_in_threadpool(
                conversations.events, caller, conversation_id, after=after
            )
            for event in events:
                after, quiet = event.number, 0.0
                yield f"id: {event.number}\n" + _frame(event.type, event_data(event))
            if not is_open:
                return
            try:
                await asyncio.wait_for(news.wait(), LOOK_S)
            except TimeoutError:
                quiet += LOOK_S
                if quiet >= PING_S:
                    quiet = 0.0
                    yield ": ping\n\n"


def event_data(event: StoredEvent) -> Mapping[str, Any]:
    """Return what a client gets of an event; a chart as its drawing."""
    return draw_chart(event.data) if event.type == "chart" else event.data


def draw_chart(chart: Mapping[str, Any]) -> dict[str, Any]:
    """Return a chart with its Vega-Lite specification in place of its columns."""
    return {
        "message_id": chart.get("message_id"),
        "title": chart["title"],
        "summary": chart["summary"],
        "spec": draw(chart, chart["table"]),
    }


def _frame(kind: str, data: Mapping[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
