"""The API of the widget and of the console's questions."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from opsbot.channels.dependencies import (
    DeciderDep,
    NowDep,
    ServicesDep,
    StaffDep,
    Visit,
    VisitDep,
)
from opsbot.channels.door import at_the_door
from opsbot.channels.repeats import RESPONSES, OnceDep
from opsbot.channels.services import Services
from opsbot.channels.stream import MOST_EVENTS, draw_chart, event_data, stream
from opsbot.conversation.replies import Reply, describe_preview
from opsbot.conversation.service import Posted
from opsbot.errors import NotFoundError
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.proposals import Confirmation, Preview
from opsbot.toolkit.wire import show_preview, show_result

router = APIRouter(prefix="/v1", tags=["chat"])
AcceptDep = Annotated[str, Header()]
SSE = "text/event-stream"


class Incoming(BaseModel):
    """One message."""

    model_config = ConfigDict(extra="forbid")

    text: str
    """At most 4,000 characters."""
    client_id: str = Field(min_length=1, max_length=100)
    """The sender's own id of this message; sending it again returns the first answer."""
    conversation_id: str | None = Field(default=None, max_length=100)
    """Absent: a new conversation."""


@router.post("/chat", response_model=None)
async def post_chat(
    request: Request,
    message: Incoming,
    visit: VisitDep,
    services: ServicesDep,
    now: NowDep,
    accept: AcceptDep = "application/json",
) -> Response | dict[str, Any]:
    """Answer one message of a customer or visitor, as JSON or as a stream of events."""
    return await _answer(request, services, visit, message, now, accept)


@router.post("/ask", response_model=None)
async def post_ask(
    request: Request,
    message: Incoming,
    staff: StaffDep,
    services: ServicesDep,
    now: NowDep,
    accept: AcceptDep = "application/json",
) -> Response | dict[str, Any]:
    """Answer one question of a member of staff."""
    return await _answer(request, services, Visit(staff.caller), message, now, accept)


@router.get("/conversations/{conversation_id}/events", response_model=None)
def get_events(
    request: Request,
    conversation_id: str,
    visit: VisitDep,
    services: ServicesDep,
    after: Annotated[int, Query(ge=0, le=MOST_EVENTS)] = 0,
) -> Response:
    """Send the events after number `after`, and those that follow until the turn ends."""
    with at_the_door(request, actor=visit.caller.actor):
        return stream(services.conversations, visit.caller, conversation_id, after=after)


@router.get("/staff/conversations/{conversation_id}/events", response_model=None)
def get_staff_events(
    request: Request,
    conversation_id: str,
    staff: StaffDep,
    services: ServicesDep,
    after: Annotated[int, Query(ge=0, le=MOST_EVENTS)] = 0,
) -> Response:
    """Send the events of a member of staff's own conversation."""
    with at_the_door(request, actor=staff.caller.actor):
        return stream(services.conversations, staff.caller, conversation_id, after=after)


@router.get("/conversations/{conversation_id}/messages")
def get_messages(
    request: Request, conversation_id: str, visit: VisitDep, services: ServicesDep, now: NowDep
) -> dict[str, list[dict[str, Any]]]:
    """Return the messages of a conversation, oldest first; what was proposed, as it stands now."""
    with at_the_door(request, actor=visit.caller.actor):
        messages = services.conversations.transcript(visit.caller, conversation_id)
        previews = services.executor.previews_in(conversation_id, now=now)
    return {
        "messages": [
            {
                "message_id": message.id,
                "author": message.author,
                "text": message.text,
                "sent_at": message.sent_at.isoformat(),
                **_drawn(_as_it_stands(dict(message.body), previews)),
            }
            for message in messages
        ]
    }


@router.post("/proposals/{proposal_id}/confirm", response_model=None, responses=RESPONSES)
def post_confirm(
    proposal_id: str, caller: DeciderDep, services: ServicesDep, now: NowDep, once: OnceDep
) -> Response | dict[str, Any]:
    """Do what a preview announced. Pressing twice does it once.

    What was proposed in a conversation is told there, in `reply` and `events`; of anything else
    come the `proposal` and its `result`, or a `renewed` preview when the facts had changed.
    """
    return once.answer(caller, lambda: _confirm(services, caller, proposal_id, now))


@router.post("/proposals/{proposal_id}/cancel", response_model=None, responses=RESPONSES)
def post_cancel(
    proposal_id: str, caller: DeciderDep, services: ServicesDep, now: NowDep, once: OnceDep
) -> Response | dict[str, Any]:
    """Drop a preview, or withdraw what waits for a second person."""
    return once.answer(caller, lambda: _cancel(services, caller, proposal_id, now))


def _confirm(services: Services, caller: Caller, proposal_id: str, now: datetime) -> dict[str, Any]:
    if _stands_alone(services, caller, proposal_id, now):
        return _show(services.executor.confirm(caller, proposal_id, now=now))
    return _decided(services, caller, proposal_id, now, confirm=True)


def _cancel(services: Services, caller: Caller, proposal_id: str, now: datetime) -> dict[str, Any]:
    if _stands_alone(services, caller, proposal_id, now):
        dropped = services.executor.cancel(caller, proposal_id, now=now)
        return _show(Confirmation(dropped, None, None))
    return _decided(services, caller, proposal_id, now, confirm=False)


async def _answer(
    request: Request,
    services: Services,
    visit: Visit,
    message: Incoming,
    now: datetime,
    accept: str,
) -> Response | dict[str, Any]:
    """Take the message; then wait for the answer without holding a thread."""
    conversations = services.conversations

    def post() -> Posted:
        with at_the_door(request, actor=visit.caller.actor):
            return conversations.post(
                visit.caller,
                message.text,
                client_id=message.client_id,
                conversation_id=message.conversation_id,
                now=now,
            )

    posted = await run_in_threadpool(post)
    opening = {"visitor": visit.issued} if visit.issued else {}
    if SSE in accept:
        first = {"conversation_id": posted.conversation_id, "message_id": posted.message_id}
        return await run_in_threadpool(
            stream,
            conversations,
            visit.caller,
            posted.conversation_id,
            after=posted.last_event,
            first=first | opening,
        )
    await asyncio.wrap_future(posted.answered)
    return show_reply(await run_in_threadpool(conversations.answer_to, posted)) | opening


def _decided(
    services: Services, caller: Caller, proposal_id: str, now: datetime, *, confirm: bool
) -> dict[str, Any]:
    conversations = services.conversations
    decide = conversations.confirm if confirm else conversations.cancel
    reply = decide(caller, proposal_id, now=now)
    events = events_about(services, caller, reply, proposal_id)
    return {"reply": show_reply(reply), "events": events}


def events_about(
    services: Services, caller: Caller, reply: Reply, proposal_id: str
) -> list[dict[str, Any]]:
    """Return the events of a reply that no turn wrote, and those of its proposal."""
    return [
        {"id": event.number, "type": event.type, "data": event_data(event)}
        for event in services.conversations.events(caller, reply.conversation_id)[0]
        if event.data.get("message_id") == reply.message_id
        or event.data.get("proposal_id") == proposal_id
    ]


def _stands_alone(services: Services, caller: Caller, proposal_id: str, now: datetime) -> bool:
    """Tell whether a proposal was made outside of any conversation."""
    try:
        return services.executor.conversation_of(proposal_id) is None
    except NotFoundError as error:
        raise services.executor.refuse_unknown(caller, proposal_id, now=now) from error


def _show(confirmation: Confirmation) -> dict[str, Any]:
    result, renewed = confirmation.result, confirmation.renewed
    return {
        "proposal": show_preview(confirmation.preview),
        "result": show_result(result) if result else None,
        "renewed": show_preview(renewed) if renewed else None,
    }


def show_reply(reply: Reply) -> dict[str, Any]:
    """Return a reply as JSON."""
    return _drawn(
        {
            "conversation_id": reply.conversation_id,
            "message_id": reply.message_id,
            "text": reply.text,
            "citations": list(reply.citations),
            "cards": list(reply.cards),
            "table": reply.table,
            "chart": reply.chart,
            "proposal": reply.proposal,
            "quick_replies": list(reply.quick_replies),
            "proofs": list(reply.proofs),
        }
    )


def _as_it_stands(body: dict[str, Any], previews: Mapping[str, Preview]) -> dict[str, Any]:
    """Return what a message holds, with the state its proposal has by now."""
    shown = body.get("proposal")
    preview = previews.get(shown["proposal_id"]) if shown else None
    return body | {"proposal": describe_preview(preview)} if preview else body


def _drawn(body: dict[str, Any]) -> dict[str, Any]:
    if body.get("chart"):
        return body | {"chart": draw_chart(body["chart"] | {"table": body["table"]})}
    return body
