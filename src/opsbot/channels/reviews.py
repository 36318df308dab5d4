"""The review of drafted mails: read, change, send or reject, one at a time."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from opsbot.channels.console import render_console
from opsbot.channels.dependencies import NowDep, ServicesDep, StaffDep, StaffVisit
from opsbot.channels.noting import note
from opsbot.channels.pages import FormDep, Pages, PagesDep
from opsbot.channels.services import Services
from opsbot.channels.sign_in import ConsoleRoute, check_form
from opsbot.commerce.cases import office_hours
from opsbot.drafts.models import OPEN_DRAFTS, Draft
from opsbot.drafts.review import (
    approve_draft,
    edit_draft,
    find_draft,
    list_drafts,
    reject_draft,
)
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.planning.office_hours import OfficeHours
from opsbot.toolkit.audit import record_audit

router = APIRouter(route_class=ConsoleRoute, include_in_schema=False)

DraftId = Annotated[int, Path(ge=1, le=2**31 - 1)]
"""A number that a database can hold."""

_DONE = {
    "approved": "The answer is on its way.",
    "rejected": "The draft is rejected. Nothing was sent.",
    "saved": "Your version is saved. Nothing was sent yet.",
}


@router.get("/console/drafts")
def get_drafts(
    request: Request,
    staff: StaffDep,
    services: ServicesDep,
    pages: PagesDep,
    now: NowDep,
    done: str = "",
) -> Response:
    """Show the queue, with its oldest draft open."""
    with services.database.read() as session:
        queue = list_drafts(session)
    draft = queue[0] if queue else None
    if draft is not None:
        note(services, staff.caller.actor, "read", f"draft {draft.id}", now)
    return _render(request, pages, services, staff, draft=draft, queue=queue, done=done)


@router.get("/console/drafts/{draft_id}")
def get_draft(
    request: Request,
    draft_id: DraftId,
    staff: StaffDep,
    services: ServicesDep,
    pages: PagesDep,
    now: NowDep,
    done: str = "",
) -> Response:
    """Show one draft under the mail it answers."""
    with services.database.read() as session:
        draft, queue = find_draft(session, draft_id), list_drafts(session)
    note(services, staff.caller.actor, "read", f"draft {draft_id}", now)
    return _render(request, pages, services, staff, draft=draft, queue=queue, done=done)


@router.post("/console/drafts/{draft_id}")
def post_draft(
    request: Request,
    draft_id: DraftId,
    form: FormDep,
    staff: StaffDep,
    services: ServicesDep,
    pages: PagesDep,
    now: NowDep,
) -> Response:
    """Do what the pressed button says: approve, save or reject."""
    check_form(request, form, staff.session)
    hours = office_hours(services.settings)
    try:
        with services.database.write(durable=True) as session:
            place = _decide(session, draft_id, staff, form, now, hours)
            record_audit(
                session,
                actor=staff.caller.actor,
                action=f"draft_{form.get('decision', '')}",
                subject=f"draft {draft_id}",
                at=now,
            )
    except (ConflictError, InvalidInputError) as error:
        with services.database.read() as session:
            draft, queue = find_draft(session, draft_id), list_drafts(session)
        return _render(
            request,
            pages,
            services,
            staff,
            status=409 if isinstance(error, ConflictError) else 422,
            draft=draft,
            queue=queue,
            error=str(error),
        )
    return RedirectResponse(place, status_code=303)


def _decide(
    session: Session,
    draft_id: int,
    staff: StaffVisit,
    form: FormDep,
    now: NowDep,
    hours: OfficeHours,
) -> str:
    """Change the draft; return the page to go to."""
    decision, text = form.get("decision", ""), form.get("text", "")
    if decision == "approve":
        approve_draft(
            session,
            draft_id,
            staff.caller,
            now=now,
            text=_changed(session, draft_id, text),
            hours=hours,
        )
        return "/console/drafts?done=approved"
    if decision == "save":
        edit_draft(session, draft_id, staff.caller, text)
        return f"/console/drafts/{draft_id}?done=saved"
    if decision == "reject":
        reject_draft(session, draft_id, staff.caller, now=now, reason=form.get("reason", ""))
        return "/console/drafts?done=rejected"
    raise InvalidInputError("decision: press Approve, Save or Reject.")


def _changed(session: Session, draft_id: int, text: str) -> str | None:
    """Return the text if a person changed it. A form sends line breaks as CR LF."""
    plain = text.replace("\r\n", "\n")
    return None if plain.strip() == find_draft(session, draft_id).text.strip() else plain


def _render(
    request: Request,
    pages: Pages,
    services: Services,
    staff: StaffVisit,
    *,
    draft: Draft | None,
    queue: list[Draft],
    status: int = 200,
    done: str = "",
    error: str = "",
    **values: Any,
) -> Response:
    return render_console(
        request,
        pages,
        services,
        staff,
        "console/drafts.html",
        status=status,
        draft=draft,
        queue=queue,
        is_open=draft is not None and draft.state in OPEN_DRAFTS,
        done=_DONE.get(done, ""),
        error=error,
        page="drafts",
        **values,
    )
