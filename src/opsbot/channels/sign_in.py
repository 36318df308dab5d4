"""How staff sign in to the console, and out again."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, unquote, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse

from opsbot.channels.dependencies import (
    STAFF_COOKIE,
    NowDep,
    ServicesDep,
    check_origin,
)
from opsbot.channels.door import at_the_door
from opsbot.channels.identity import SESSION_S, StaffSession, find_member, sign_staff, verify_staff
from opsbot.channels.networks import network_of
from opsbot.channels.noting import note
from opsbot.channels.pages import FormDep, PageRoute, PagesDep
from opsbot.channels.services import Services
from opsbot.channels.throttle import Throttle
from opsbot.db import Database
from opsbot.errors import NotAllowedError, NotFoundError, OpsbotError
from opsbot.staff import Staff, check_password, find_staff
from opsbot.toolkit.audit import record_audit
from opsbot.toolkit.identity import mask_email

SIGN_IN = "/console/sign-in"
_TOO_LONG = "This page was open for too long. Go back, reload it and try again."
_WRONG = "This address and password do not belong together."

router = APIRouter(route_class=PageRoute, include_in_schema=False)


class ConsoleRoute(PageRoute):
    """A route for staff: whoever is not signed in is led to the sign-in page, and back after it."""

    def describe(self, request: Request, error: OpsbotError | RequestValidationError) -> Response:
        """Return the sign-in page's address, or the page for an error."""
        if isinstance(error, NotAllowedError) and request.method == "GET":
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{SIGN_IN}?next={quote(target)}", status_code=303)
        return super().describe(request, error)


def check_form(request: Request, form: Mapping[str, str], session: StaffSession) -> None:
    """Refuse a form that was not on one of this session's own pages.

    Raises:
        NotAllowedError: the hidden field is missing or from another session.
    """
    with at_the_door(request, actor=f"staff:{session.staff_id}"):
        if not hmac.compare_digest(form.get("csrf", "").encode(), session.nonce.encode()):
            raise NotAllowedError(_TOO_LONG)


@router.get(SIGN_IN)
def get_sign_in(request: Request, pages: PagesDep) -> Response:
    """Show the form."""
    goal = _inside(request.query_params.get("next", ""))
    return pages.render(request, "console/sign_in.html", goal=goal, email="", error="")


@router.post(SIGN_IN)
def post_sign_in(
    request: Request, form: FormDep, services: ServicesDep, pages: PagesDep, now: NowDep
) -> Response:
    """Start a session, if address and password belong together."""
    check_origin(request)
    goal = _inside(form.get("next", ""))
    email = form.get("email", "").strip().lower()[:320]
    host = request.client.host if request.client else ""
    gate: Throttle = request.app.state.sign_ins
    both = f"both {host} {email}"
    limits = {both: 5, f"host {host}": 20, f"email {email}": 20}
    gate.take(limits, now=now)
    staff = _find(services.database, email, form.get("password", "")[:1000])
    if staff is None:
        known = {"address": mask_email(email), "from": network_of(host)}
        note(services, "visitor", "sign_in_failed", "console", now, personal=known)
        return pages.render(
            request, "console/sign_in.html", status=403, goal=goal, email=email, error=_WRONG
        )
    gate.give_back(limits, now=now)
    gate.forget(both)
    note(services, f"staff:{staff.id}", "signed_in", "console", now)
    response = RedirectResponse(goal, status_code=303)
    response.set_cookie(
        STAFF_COOKIE,
        sign_staff(services.settings, staff),
        max_age=SESSION_S,
        httponly=True,
        samesite="lax",
        secure="https" in {request.url.scheme, urlsplit(services.settings.public_url).scheme},
    )
    return response


@router.post("/console/sign-out")
def post_sign_out(request: Request, services: ServicesDep, now: NowDep) -> Response:
    """End this person's sessions: a copy of the cookie is worth nothing after it."""
    check_origin(request)
    _end_sessions(services, request.cookies.get(STAFF_COOKIE, ""), now)
    response = RedirectResponse(SIGN_IN, status_code=303)
    response.delete_cookie(STAFF_COOKIE, httponly=True, samesite="lax")
    return response


def _end_sessions(services: Services, cookie: str, now: datetime) -> None:
    try:
        session = verify_staff(services.settings, cookie)
    except NotAllowedError:
        return
    if find_member(services.database, session) is None:
        return
    with services.database.write(durable=True) as db:
        db.get_one(Staff, session.staff_id).end_sessions()
        actor = f"staff:{session.staff_id}"
        record_audit(db, actor=actor, action="signed_out", subject="console", at=now)


def _find(database: Database, email: str, password: str) -> Staff | None:
    with database.read() as session:
        try:
            staff = find_staff(session, email)
        except NotFoundError:
            staff = None
    return staff if check_password(staff, password) else None


def _inside(goal: str) -> str:
    """Return where to go after the sign-in: a page of the console, whatever was asked."""
    is_ours = goal == "/console" or goal.startswith(("/console/", "/console?"))
    # Decoded as often as a browser or a proxy may do it.
    plain = unquote(unquote(goal))
    leads_out = any(part in plain for part in ("..", "//", "\\")) or not plain.isprintable()
    return "/console" if leads_out or not is_ours else goal
