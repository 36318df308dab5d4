"""What waits for a second person, for staff: the list, and what they decide about it."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from opsbot.channels.chat import events_about, show_reply
from opsbot.channels.console import render_console
from opsbot.channels.dependencies import NowDep, ReaderDep, ServicesDep, StaffDep, StaffVisit
from opsbot.channels.noting import note
from opsbot.channels.pages import FormDep, PagesDep
from opsbot.channels.repeats import RESPONSES, OnceDep
from opsbot.channels.services import Services
from opsbot.channels.sign_in import ConsoleRoute, check_form
from opsbot.conversation.outcomes import words_of
from opsbot.conversation.replies import describe_preview
from opsbot.errors import InvalidInputError
from opsbot.texts import clean_text
from opsbot.toolkit.proposals import Confirmation, ProposalState
from opsbot.toolkit.second_person import Waiting

LONGEST_REASON = 500
_PAGE = "/console/approvals"

ProposalId = Annotated[str, Path(max_length=100)]

api = APIRouter(prefix="/v1/proposals", tags=["proposals"])
router = APIRouter(route_class=ConsoleRoute, include_in_schema=False)

_DONE = {
    ProposalState.EXECUTED: "It is approved and done.",
    ProposalState.REJECTED: "It is rejected. Nothing was changed.",
    ProposalState.STALE: "The facts had changed, so nothing was done. Who asked for it sees it as "
    "it is now, and must confirm it again.",
    ProposalState.FAILED: "It is not possible any more. Nothing was changed.",
    ProposalState.EXPIRED: "It has expired. Nothing was changed.",
    ProposalState.CANCELLED: "It was withdrawn. Nothing was changed.",
}


class WaitingOut(BaseModel):
    """One confirmed change that waits for a second person."""

    proposal_id: str
    tool: str
    title: str
    details: list[str]
    why: str
    """Why a second person must agree."""
    roles: list[str]
    """Who may: members of staff with one of these roles, but not who asked for it."""
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    may_decide: bool
    clause: dict[str, str] | None

    @classmethod
    def of(cls, waiting: Waiting) -> Self:
        """Describe what waits."""
        preview = waiting.preview
        shown = describe_preview(preview)
        approval = preview.approval
        return cls(
            proposal_id=preview.id,
            tool=preview.tool,
            title=preview.title,
            details=list(preview.details),
            why=approval.why if approval else "",
            roles=list(approval.roles) if approval else [],
            asked_by=waiting.asked_by,
            asked_at=waiting.asked_at,
            expires_at=preview.expires_at,
            may_decide=waiting.may_decide,
            clause=shown["clause"],
        )


class WaitingList(BaseModel):
    """What one may decide, and what is one's own; oldest first."""

    waiting: list[WaitingOut]


class Decided(BaseModel):
    """What became of a proposal."""

    proposal_id: str
    state: ProposalState
    text: str
    renewed: dict[str, Any] | None
    """When the facts had changed: how it looks now, to who asked for it."""

    @classmethod
    def of(cls, confirmation: Confirmation) -> Self:
        """Describe the outcome."""
        renewed = confirmation.renewed
        return cls(
            proposal_id=confirmation.preview.id,
            state=confirmation.preview.state,
            text=words_of(confirmation),
            renewed=describe_preview(renewed) if renewed else None,
        )


class Rejection(BaseModel):
    """Why it is not approved."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=LONGEST_REASON)


@api.get("/waiting")
def get_waiting(staff: StaffDep, services: ServicesDep, now: NowDep) -> WaitingList:
    """List the confirmed changes that wait for a second person."""
    waiting = _waiting(services, staff, now)
    return WaitingList(waiting=[WaitingOut.of(one) for one in waiting])


@api.post("/{proposal_id}/approve", response_model=Decided, responses=RESPONSES)
def post_approve(
    proposal_id: ProposalId, staff: StaffDep, services: ServicesDep, now: NowDep, once: OnceDep
) -> Decided | Response:
    """Agree as a second person: it is done at once. Twice approved is once done."""
    caller, approve = staff.caller, services.conversations.approve
    return once.answer(caller, lambda: Decided.of(approve(caller, proposal_id, now=now)))


@api.post("/{proposal_id}/reject", response_model=Decided, responses=RESPONSES)
def post_reject(
    proposal_id: ProposalId,
    rejection: Rejection,
    staff: StaffDep,
    services: ServicesDep,
    now: NowDep,
    once: OnceDep,
) -> Decided | Response:
    """Refuse as a second person: nothing is done."""
    caller, reject = staff.caller, services.conversations.reject
    reason = _clean(rejection.reason)
    return once.answer(
        caller, lambda: Decided.of(reject(caller, proposal_id, reason=reason, now=now))
    )


@api.post("/{proposal_id}/undo", response_model=None, responses=RESPONSES)
def post_undo(
    proposal_id: ProposalId, caller: ReaderDep, services: ServicesDep, now: NowDep, once: OnceDep
) -> dict[str, Any] | Response:
    """Propose what takes a change back; the answer carries the preview to confirm."""

    def propose() -> dict[str, Any]:
        reply = services.conversations.undo(caller, proposal_id, now=now)
        shown = str((reply.proposal or {}).get("proposal_id", ""))
        events = events_about(services, caller, reply, shown)
        return {"reply": show_reply(reply), "events": events}

    return once.answer(caller, propose)


@router.get(_PAGE)
def get_page(
    request: Request,
    staff: StaffDep,
    services: ServicesDep,
    pages: PagesDep,
    now: NowDep,
    done: ProposalState | None = None,
) -> Response:
    """Show what waits for a second person."""
    waiting = _waiting(services, staff, now)
    return render_console(
        request,
        pages,
        services,
        staff,
        "console/approvals.html",
        waiting=[WaitingOut.of(one) for one in waiting],
        done=_DONE.get(done, "") if done else "",
        longest_reason=LONGEST_REASON,
        page="approvals",
    )


@router.post(_PAGE + "/{proposal_id}")
def post_page(
    request: Request,
    proposal_id: ProposalId,
    form: FormDep,
    staff: StaffDep,
    services: ServicesDep,
    now: NowDep,
) -> Response:
    """Do what the pressed button says."""
    check_form(request, form, staff.session)
    conversations, caller, state = services.conversations, staff.caller, ProposalState.CANCELLED
    match form.get("decision"):
        case "approve":
            state = conversations.approve(caller, proposal_id, now=now).preview.state
        case "reject":
            reason = _clean(form.get("reason", ""))
            rejected = conversations.reject(caller, proposal_id, reason=reason, now=now)
            state = rejected.preview.state
        case "withdraw":
            state = services.executor.cancel(caller, proposal_id, now=now).state
        case _:
            raise InvalidInputError("decision: press one of the buttons.")
    return RedirectResponse(f"{_PAGE}?done={state}", status_code=303)


def _waiting(services: Services, staff: StaffVisit, now: datetime) -> list[Waiting]:
    """Return what waits; a preview may name a customer, so that it was looked at is audited."""
    waiting = services.executor.waiting(staff.caller, now=now)
    if waiting:
        note(services, staff.caller.actor, "read", "approvals", now)
    return waiting


def _clean(reason: str) -> str:
    return clean_text(reason, limit=LONGEST_REASON) if reason.strip() else ""
