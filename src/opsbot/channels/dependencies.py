"""What routes ask for: the services, the time, and who is asking."""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request
from sqlalchemy import select

from opsbot.channels.door import at_the_door
from opsbot.channels.identity import (
    SIGN_IN_AGAIN,
    StaffSession,
    find_member,
    new_visitor,
    verify_customer,
    verify_staff,
    verify_visitor,
)
from opsbot.channels.networks import network_of
from opsbot.channels.services import Services
from opsbot.commerce.customers import Customer
from opsbot.errors import ConfirmationRequiredError, NotAllowedError
from opsbot.staff import Staff
from opsbot.staff_tokens import PREFIX, find_by_token
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.second_person import ASK_A_PERSON

STAFF_COOKIE = "opsbot_staff"
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def utc_now() -> datetime:
    """Return the time: the one clock of the web process."""
    return datetime.now(UTC)  # noqa: TID251  (the one place routes read the clock)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]


def _now(services: ServicesDep) -> datetime:
    return services.clock()


NowDep = Annotated[datetime, Depends(_now)]


@dataclass(frozen=True)
class Visit:
    """A customer or visitor, and the signed id a new visitor must keep."""

    caller: Caller
    issued: str | None = None


def _visit(
    request: Request,
    services: ServicesDep,
    now: NowDep,
    authorization: Annotated[str | None, Header()] = None,
    x_opsbot_visitor: Annotated[str | None, Header()] = None,
) -> Visit:
    """Tell who is asking: a customer by the shop's token, else a visitor."""
    with at_the_door(request):
        if authorization:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise NotAllowedError("Authorization must be `Bearer TOKEN`.")
            number = verify_customer(services.settings, token, now=now)
            return Visit(customer_caller(services, number))
        if x_opsbot_visitor:
            visitor = verify_visitor(services.settings, x_opsbot_visitor)
            return Visit(_visitor(request, visitor))
    visitor, signed = new_visitor(services.settings)
    return Visit(_visitor(request, visitor), signed)


def _visitor(request: Request, visitor: str) -> Caller:
    return Caller(Audience.CUSTOMER, "widget", visitor=visitor, origin=_network(request))


def _network(request: Request) -> str:
    return network_of(request.client.host) if request.client else ""


def customer_caller(services: Services, number: str, *, channel: str = "widget") -> Caller:
    """Return the caller for the customer called `number`.

    Raises:
        NotAllowedError: there is no such customer any more.
    """
    with services.database.read() as session:
        customer = session.scalar(select(Customer).where(Customer.number == number))
    if customer is None or customer.anonymized_at is not None:
        raise NotAllowedError(SIGN_IN_AGAIN)
    return Caller(
        Audience.CUSTOMER,
        channel,
        level=Level.SIGNED_IN,
        customer_id=customer.id,
    )


VisitDep = Annotated[Visit, Depends(_visit)]


@dataclass(frozen=True)
class StaffVisit:
    """A signed-in member of staff."""

    staff: Staff
    session: StaffSession
    caller: Caller


def _staff(request: Request, services: ServicesDep) -> StaffVisit:
    """Tell which member of staff is asking, and refuse requests other sites have made."""
    check_origin(request)
    cookie = request.cookies.get(STAFF_COOKIE, "")
    # Who claims nothing is led to the sign-in page: that is no refusal.
    with at_the_door(request) if cookie else nullcontext():
        session = verify_staff(services.settings, cookie)
        staff = find_member(services.database, session)
        if staff is None:
            raise NotAllowedError(SIGN_IN_AGAIN)
    return StaffVisit(staff, session, staff_caller(staff, channel="console"))


def staff_caller(staff: Staff, *, channel: str) -> Caller:
    """Return the caller for a member of staff."""
    return Caller(
        Audience.STAFF,
        channel,
        level=Level.SIGNED_IN,
        staff_id=staff.id,
        roles=frozenset(staff.roles),
    )


def check_origin(request: Request) -> None:
    """Refuse a changing request that another site's page has made with our cookie.

    Raises:
        NotAllowedError: the browser names another origin, or names none and sends a cookie.
    """
    if request.method in UNSAFE:
        with at_the_door(request):
            refuse_other_sites(request)


def refuse_other_sites(request: Request) -> None:
    """Refuse what `check_origin` refuses, without a row in the audit; errors as there."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site")
    is_foreign = origin is not None and origin not in _origins(request)
    if is_foreign or site in {"cross-site", "same-site"}:
        raise NotAllowedError("This request came from another site.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # No page of another site can send JSON without asking us before.
    if (
        origin is None
        and site is None
        and kind != "application/json"
        and STAFF_COOKIE in request.cookies
    ):
        raise NotAllowedError(
            "This request does not say which site it came from. Send it with an Origin header."
        )


def _origins(request: Request) -> set[str]:
    """Return what browsers may call us. A proxy that speaks TLS asks us without it."""
    services: Services = request.app.state.services
    public = urlsplit(services.settings.public_url)
    return {
        f"{request.url.scheme}://{request.url.netloc}",
        f"{public.scheme}://{public.netloc}".lower(),
    }


StaffDep = Annotated[StaffVisit, Depends(_staff)]


def _reader(
    request: Request,
    services: ServicesDep,
    now: NowDep,
    authorization: Annotated[str | None, Header()] = None,
    x_opsbot_visitor: Annotated[str | None, Header()] = None,
) -> Caller:
    """Tell who reads: a customer or visitor who says so, else a signed-in member of staff."""
    if STAFF_COOKIE in request.cookies and not authorization and not x_opsbot_visitor:
        return _staff(request, services).caller
    return _visit(request, services, now, authorization, x_opsbot_visitor).caller


ReaderDep = Annotated[Caller, Depends(_reader)]


def _program(
    request: Request,
    services: ServicesDep,
    now: NowDep,
    authorization: Annotated[str | None, Header()] = None,
    x_opsbot_visitor: Annotated[str | None, Header()] = None,
) -> Visit:
    """Tell for whom a program acts: a member of staff by their token, else as a reader is told."""
    if authorization:
        with at_the_door(request):
            found = token_caller(services, authorization, channel="api", now=now)
        return Visit(replace(found, origin=_network(request)))
    if STAFF_COOKIE in request.cookies and not x_opsbot_visitor:
        return Visit(_staff(request, services).caller)
    visit = _visit(request, services, now, authorization, x_opsbot_visitor)
    return replace(visit, caller=replace(visit.caller, channel="api"))


def token_caller(services: Services, header: str, *, channel: str, now: datetime) -> Caller:
    """Return whose token an `Authorization` header holds: a member of staff's, or a customer's.

    Raises:
        NotAllowedError: it is no token of ours or of the shop, over, or revoked.
    """
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise NotAllowedError("Authorization must be `Bearer TOKEN`.")
    if not token.startswith(PREFIX):
        number = verify_customer(services.settings, token, now=now)
        customer = customer_caller(services, number, channel=channel)
        return replace(customer, by_program=channel == "mcp")
    with services.database.read() as session:
        staff = find_by_token(session, token, now=now)
    if staff is None:
        raise NotAllowedError("This token is not valid, or was revoked.")
    return replace(staff_caller(staff, channel=channel), by_program=True)


ProgramDep = Annotated[Visit, Depends(_program)]


def _staff_caller(request: Request, visit: ProgramDep) -> Caller:
    """Tell which member of staff reads, signed in or by a program of theirs."""
    with at_the_door(request):
        if not visit.caller.is_staff:
            raise NotAllowedError(SIGN_IN_AGAIN)
    return visit.caller


StaffCallerDep = Annotated[Caller, Depends(_staff_caller)]


def _decider(request: Request, visit: ProgramDep) -> Caller:
    """Tell which person decides. A staff token is a program's, so it decides nothing."""
    with at_the_door(request, actor=visit.caller.actor):
        if visit.caller.by_program:
            raise ConfirmationRequiredError(ASK_A_PERSON)
    return visit.caller


DeciderDep = Annotated[Caller, Depends(_decider)]
