"""Where a person confirms what a program proposed for them: the console, or a link by mail."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from itsdangerous import BadSignature, URLSafeSerializer

from opsbot.channels.console import render_console
from opsbot.channels.dependencies import NowDep, ServicesDep, StaffDep, StaffVisit, check_origin
from opsbot.channels.pages import FormDep, PageRoute, PagesDep
from opsbot.channels.services import Services
from opsbot.channels.sign_in import ConsoleRoute, check_form
from opsbot.commerce.customers import Customer
from opsbot.errors import NotFoundError, OpsbotError
from opsbot.mail import queue_mail
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.identity import mask_email
from opsbot.toolkit.proposals import Confirmation, Preview

CONSOLE_PAGE = "/console/proposals"
_UNDOABLE = timedelta(days=7)
"""How long what was done stands on the page, to be taken back."""
_MOST_DONE = 20
_PRIVATE = {"x-robots-tag": "noindex, nofollow", "referrer-policy": "no-referrer"}

console = APIRouter(route_class=ConsoleRoute, include_in_schema=False)
links = APIRouter(route_class=PageRoute, include_in_schema=False)

ProposalId = Annotated[str, Path(max_length=60)]
Token = Annotated[str, Path(max_length=300)]


@dataclass(frozen=True)
class Linked:
    """What a link in a mail is about."""

    caller: Caller
    proposal_id: str


def ask_person(services: Services, caller: Caller, preview: Preview, *, now: datetime) -> str:
    """Tell the person of a change that a program proposed; return what the program is told."""
    nothing_yet = "Nothing has been done yet."
    if caller.is_staff:
        page = f"{services.settings.public_url.rstrip('/')}{CONSOLE_PAGE}"
        return f"{nothing_yet} A person must confirm it within 15 minutes, signed in at {page}."
    if caller.customer_id is None:
        return f"{nothing_yet} Only a signed-in customer can confirm it."
    with services.database.write(durable=True) as session:
        customer = session.get_one(Customer, caller.customer_id)
        address = customer.email
        link = _link(services.settings, caller.customer_id, preview.id)
        lines = [f"Hello {customer.name},", "an assistant that you use asks for this:"]
        lines += [preview.title, *(f"- {detail}" for detail in preview.details)]
        lines += [f"Look at it and decide, within 15 minutes: {link}"]
        lines += ["If you do nothing, nothing happens.", services.settings.shop_name]
        queue_mail(
            session,
            to=address,
            subject=preview.title,
            text="\n\n".join(lines) + "\n",
            now=now,
            dedupe_key=f"confirm:{preview.id}",
            confidential=True,
        )
    return (
        f"{nothing_yet} We mailed a link to {mask_email(address)}: the customer must confirm it "
        "there within 15 minutes."
    )


@console.get(CONSOLE_PAGE)
def get_proposals(
    request: Request, staff: StaffDep, services: ServicesDep, pages: PagesDep, now: NowDep
) -> Response:
    """Show the changes that programs proposed for this person and that wait for them."""
    return _list(request, pages, services, staff, "", now)


@console.post(CONSOLE_PAGE + "/{proposal_id}")
def post_proposal(
    request: Request,
    proposal_id: ProposalId,
    staff: StaffDep,
    services: ServicesDep,
    pages: PagesDep,
    form: FormDep,
    now: NowDep,
) -> Response:
    """Do it, or drop it."""
    check_form(request, form, staff.session)
    decision = form.get("decision", "")
    decide = _undo if decision == "undo" else partial(_decide, decision=decision)
    said = decide(services, staff.caller, proposal_id, now=now)
    return _list(request, pages, services, staff, said, now)


@links.get("/confirm/{token}")
def get_link(
    request: Request, token: Token, services: ServicesDep, pages: PagesDep, now: NowDep
) -> Response:
    """Show what was proposed. Looking changes nothing: mail scanners open every link."""
    linked = _read_link(services.settings, token)
    return _show(request, pages, services, linked, token, "", now)


@links.post("/confirm/{token}")
def post_link(
    request: Request,
    token: Token,
    services: ServicesDep,
    pages: PagesDep,
    form: FormDep,
    now: NowDep,
) -> Response:
    """Do it, or drop it."""
    check_origin(request)
    linked = _read_link(services.settings, token)
    decision = form.get("decision", "")
    said = _decide(services, linked.caller, linked.proposal_id, decision=decision, now=now)
    return _show(request, pages, services, linked, token, said, now)


def _list(
    request: Request,
    pages: PagesDep,
    services: Services,
    staff: StaffVisit,
    said: str,
    now: datetime,
) -> Response:
    return render_console(
        request,
        pages,
        services,
        staff,
        "console/proposals.html",
        waiting=services.executor.open_proposals(staff.caller, now=now),
        done=services.executor.undoable(staff.caller, since=now - _UNDOABLE, limit=_MOST_DONE),
        said=said,
        page="proposals",
    )


def _show(
    request: Request,
    pages: PagesDep,
    services: Services,
    linked: Linked,
    token: str,
    said: str,
    now: datetime,
) -> Response:
    waiting = services.executor.open_proposals(linked.caller, now=now)
    preview = next((one for one in waiting if one.id == linked.proposal_id), None)
    return pages.render(
        request,
        "site/confirm.html",
        status=200 if preview or said else 410,
        headers=_PRIVATE,
        preview=preview,
        token=token,
        said=said,
    )


def _undo(services: Services, caller: Caller, proposal_id: str, *, now: datetime) -> str:
    try:
        services.executor.undo(caller, proposal_id, now=now, apart=True)
    except OpsbotError as error:
        return str(error)
    return "This takes it back. Look at it below; nothing happens before you confirm."


def _decide(
    services: Services, caller: Caller, proposal_id: str, *, decision: str, now: datetime
) -> str:
    if decision != "confirm":
        services.executor.cancel(caller, proposal_id, now=now)
        return "It was dropped; nothing was changed."
    try:
        return _words(services.executor.confirm(caller, proposal_id, now=now))
    except OpsbotError as error:
        return str(error)


def _words(done: Confirmation) -> str:
    if done.renewed is not None:
        return "Something changed meanwhile, so nothing was done. Look at it again below."
    if done.result is not None:
        return done.result.say.replace("**", "")
    return done.preview.say or f"Nothing was done: it is {done.preview.state.value} already."


def _link(settings: Settings, customer_id: int, proposal_id: str) -> str:
    token = _signer(settings).dumps([customer_id, proposal_id])
    return f"{settings.public_url.rstrip('/')}/confirm/{token}"


def _read_link(settings: Settings, token: str) -> Linked:
    """Return what a link is about. That the mail reached its owner proves who they are.

    Raises:
        NotFoundError: we did not sign it.
    """
    try:
        customer_id, proposal_id = _signer(settings).loads(token)
    except (BadSignature, ValueError, TypeError) as error:
        raise NotFoundError("the link", token[:10]) from error
    caller = Caller(Audience.CUSTOMER, "email", Level.SIGNED_IN, customer_id=int(customer_id))
    return Linked(caller, str(proposal_id))


def _signer(settings: Settings) -> URLSafeSerializer:
    return URLSafeSerializer(settings.secret_key.get_secret_value(), salt="confirm-proposal")
