"""A server with the real pages and a scripted conversation: fixed words, delays and cut lines.

Some messages have a meaning: `cut 5` breaks the line after five events, `end 5` closes it without
an error, `slow` takes its time, `refused`, `busy` and `down` answer with a problem document.
"""

import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from opsbot.channels.problems import problem
from tests.web.turns import Event, events_for, settled, way_back

STEP_S = 0.004
SLOW_S = 0.25

router = APIRouter(prefix="/v1")
ways_back = APIRouter(prefix="/v1")
"""Comes before the real routes, for what is scripted alone."""


@dataclass
class Talk:
    """One conversation."""

    log: list[Event] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Script:
    """All that was said, and what was done."""

    talks: dict[str, Talk] = field(default_factory=dict)
    answered: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    """client_id to conversation, and the first and last event of the reply."""
    tries: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    """Proposal to how often it was executed."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def answer(self, client_id: str, text: str, conversation: str | None) -> tuple[str, int, int]:
        """Write the reply into the log, once for each client id."""
        if client_id not in self.answered:
            conversation = conversation or f"talk-{next(self.numbers)}"
            talk = self.talks.setdefault(conversation, Talk())
            before, number = len(talk.log), next(self.numbers)
            events = events_for(text, f"m-{number}")
            for at, (kind, data) in enumerate(events):
                if data.get("proposal_id") == "p-expires":
                    soon = datetime.fromtimestamp(time.time() + 1.5, UTC).isoformat()
                    events[at] = (kind, {**data, "expires_at": soon})
            talk.log += events
            own = {"message_id": f"own-{number}", "author": "customer", "text": text}
            talk.messages += [own, remember(events)]
            self.answered[client_id] = (conversation, before, len(talk.log))
        return self.answered[client_id]


def remember(events: list[Event]) -> dict[str, Any]:
    """Return a reply as a transcript holds it."""
    of = [(kind, {k: v for k, v in data.items() if k != "message_id"}) for kind, data in events]
    ends = [data for kind, data in events if kind in {"message_end", "message_start"}]
    return {
        "message_id": ends[-1]["message_id"],
        "author": "assistant",
        "text": ends[-1].get("text", ""),
        "citations": [data for kind, data in of if kind == "citation"],
        "cards": [data for kind, data in of if kind == "card"],
        "table": next((data for kind, data in of if kind == "table"), None),
        "chart": next((data for kind, data in of if kind == "chart"), None),
        "proposal": next((data for kind, data in of if kind == "action_proposal"), None),
        "quick_replies": [
            c for kind, data in of if kind == "quick_replies" for c in data["choices"]
        ],
    }


def install(app: FastAPI) -> Script:
    """Add the scripted conversation to `app`."""
    app.state.script = Script()
    app.include_router(router)
    script: Script = app.state.script
    return script


@router.post("/chat", response_model=None)
@router.post("/ask", response_model=None)
def post_message(request: Request, message: dict[str, Any]) -> Response:
    """Answer one message with its script."""
    script: Script = request.app.state.script
    text, client_id = str(message["text"]), str(message["client_id"])
    script.tries[text] += 1
    refusal = _refuse(text, script.tries[text])
    if refusal is not None:
        return refusal
    known = message.get("conversation_id")
    if known is not None and known not in script.talks:
        return problem(404, "Not found", "I could not find this conversation.", code="not_found")
    talk, first, last = script.answer(client_id, text, known)
    cut = re.match(r"(cut|end) (\d+)", text)
    limit = int(cut[2]) if cut and script.tries[text] == 1 else None
    breaks = cut is not None and cut[1] == "cut"
    pause = SLOW_S if text == "slow" else STEP_S
    events = script.talks[talk].log[first:last]
    opening = {"conversation_id": talk, "visitor": "visitor-1"}
    frames = _frames(events, first + 1, opening, limit=limit, breaks=breaks, pause=pause)
    return StreamingResponse(frames, media_type="text/event-stream")


@router.get("/conversations/{talk}/events")
@router.get("/staff/conversations/{talk}/events")
def get_events(request: Request, talk: str, after: int = 0) -> Response:
    """Send what comes after an event."""
    script: Script = request.app.state.script
    if talk not in script.talks:
        return problem(404, "Not found", "I could not find this conversation.", code="not_found")
    events = script.talks[talk].log[after:]
    return StreamingResponse(_frames(events, after + 1, None), media_type="text/event-stream")


@router.get("/conversations/{talk}/messages", response_model=None)
def get_messages(request: Request, talk: str) -> Response | dict[str, Any]:
    """Return the transcript."""
    script: Script = request.app.state.script
    if talk not in script.talks:
        return problem(404, "Not found", "I could not find this conversation.", code="not_found")
    return {"messages": script.talks[talk].messages}


@router.post("/proposals/{proposal_id}/{decision}")
def post_decision(request: Request, proposal_id: str, decision: str) -> dict[str, Any]:
    """Do a change once, or drop it. Slowly, so that a second press has its chance."""
    script: Script = request.app.state.script
    time.sleep(0.15)
    confirmed = decision == "confirm"
    script.done[proposal_id] += confirmed
    state = "executed" if confirmed else "cancelled"
    text = "Order #1004 is cancelled." if confirmed else "All right, nothing was changed."
    found = next(t for t in script.talks.values() if proposal_id in json.dumps(t.log))
    first, number = len(found.log) + 1, next(script.numbers)
    events = settled(proposal_id, state, text, f"m-{number}")
    if decision == "undo":
        events = way_back(proposal_id, f"m-{number}")
    found.log += events
    found.messages.append(remember(events))
    numbered = enumerate(events, start=first)
    return {"reply": {}, "events": [{"id": n, "type": k, "data": d} for n, (k, d) in numbered]}


@ways_back.post("/proposals/u-{rest}/undo")
def post_undo(request: Request, rest: str) -> dict[str, Any]:
    """Show what takes a change back."""
    return post_decision(request, f"u-{rest}", "undo")


def _refuse(text: str, tries: int) -> Response | None:
    if text == "refused":
        detail = "The message has 20,000 characters; the most is 4,000. Please shorten it."
        return problem(422, "Invalid input", detail, code="validation")
    if text == "busy":
        detail = "Too many messages. Wait a minute, then go on."
        return problem(429, "Too many tries", detail, code="rate_limited")
    if text == "down" and tries <= 2:
        detail = "The assistant is not there just now."
        return problem(503, "Unavailable", detail, code="unavailable")
    return None


def _frames(
    events: list[Event],
    first: int,
    opening: dict[str, Any] | None,
    *,
    limit: int | None = None,
    breaks: bool = False,
    pause: float = STEP_S,
) -> Iterator[str]:
    if opening:
        yield f"event: conversation\ndata: {json.dumps(opening)}\n\n"
    yield ": ping\n\n"
    for number, (kind, data) in enumerate(events, start=first):
        if limit is not None and number - first == limit:
            if breaks:
                raise ConnectionAbortedError
            return
        time.sleep(pause)
        yield f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"
