"""The tools over HTTP, for a shop's own programs: what a caller may call, and a call."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from opsbot.channels.dependencies import NowDep, ProgramDep, ServicesDep, Visit
from opsbot.channels.door import at_the_door
from opsbot.channels.repeats import RESPONSES, OnceDep
from opsbot.channels.services import Services
from opsbot.errors import CODES, InvalidInputError
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.repeats import FIELD
from opsbot.toolkit.results import Result
from opsbot.toolkit.wire import show_preview, show_result, show_tool

router = APIRouter(prefix="/v1", tags=["tools"])

ACCEPTED = 202


class Call(BaseModel):
    """One call of a tool."""

    model_config = ConfigDict(extra="forbid")

    arguments: dict[str, Any] = Field(default_factory=dict)
    """By name; `GET /v1/tools` has their schema. Nothing in them tells who is asking."""
    conversation_id: str | None = Field(default=None, max_length=100)
    """One of the caller's own conversations, where they have proved more than their token does."""


@router.get("/tools")
def get_tools(visit: ProgramDep, services: ServicesDep) -> dict[str, Any]:
    """List the tools that this caller may call, with the schemas of their arguments."""
    opening = {"visitor": visit.issued} if visit.issued else {}
    tools = [show_tool(tool) for tool in services.executor.offered(visit.caller)]
    return {"tools": tools, "errors": CODES} | opening


@router.post(
    "/tools/{name}",
    responses={
        ACCEPTED: {"description": "A change: it waits for a person's confirmation."},
        **RESPONSES,
    },
    response_model=None,
)
def post_tool(
    name: Annotated[str, Path(max_length=60)],
    request: Request,
    visit: ProgramDep,
    services: ServicesDep,
    now: NowDep,
    once: OnceDep,
    call: Call | None = None,
) -> JSONResponse | dict[str, Any]:
    """Call a tool. A read returns what it found; a change returns 202 and what would be done.

    The change is made by `POST /v1/proposals/{proposal_id}/confirm`. With an `Idempotency-Key`, a
    visitor also sends the `x-opsbot-visitor` of an earlier answer: a key is its caller's own.
    """
    if once.key is not None and visit.issued:
        message = f"{FIELD}: send the x-opsbot-visitor of an earlier answer with it."
        raise InvalidInputError(message, field=FIELD)
    # Some tools write at once. Whether they had, when the process died, the key does not tell.
    return once.answer(
        visit.caller,
        lambda: _call(request, services, visit, name, call or Call(), now),
        repeatable=False,
    )


def _call(
    request: Request, services: Services, visit: Visit, name: str, call: Call, now: datetime
) -> JSONResponse | dict[str, Any]:
    opening = {"visitor": visit.issued} if visit.issued else {}
    with at_the_door(request, actor=visit.caller.actor):
        caller = _in_conversation(services, visit.caller, call.conversation_id, now)
    outcome = services.executor.run(
        caller, name, call.arguments, now=now, conversation_id=call.conversation_id
    )
    if isinstance(outcome, Result):
        return {"result": show_result(outcome)} | opening
    return JSONResponse({"proposal": show_preview(outcome)} | opening, ACCEPTED)


def _in_conversation(
    services: Services, caller: Caller, conversation_id: str | None, now: datetime
) -> Caller:
    if conversation_id is None:
        return caller
    return services.conversations.caller_in(caller, conversation_id, now=now)
