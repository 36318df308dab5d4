"""The page to withdraw from a contract: two steps, no account, no script. A GET records nothing.

The first step proves the order, by its number and an e-mail address or postcode; the second one
shows exactly what is declared and what follows, and its button declares it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from opsbot.channels.dependencies import NowDep, ServicesDep
from opsbot.channels.networks import network_of
from opsbot.channels.pages import FormDep, PageRoute, PagesDep
from opsbot.channels.problems import describe
from opsbot.channels.services import Services
from opsbot.errors import ConflictError, InvalidInputError, OpsbotError, RateLimitedError
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.proposals import Preview, ProposalState
from opsbot.toolkit.results import Result
from opsbot.toolkit.withdrawing import WITHDRAWN

PATH = "/withdraw"
CHANNEL = "page"
VALID_S = 15 * 60
"""How long the second step may take, in seconds: as long as a proposal lives."""
_PRIVATE = {"x-robots-tag": "noindex"}
_AGAIN = "That took too long, so nothing was recorded. Please begin again: it takes a minute."

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class _Proved:
    """Somebody who proved one order on this page."""

    visitor: str
    customer_id: int
    order_id: int
    number: str

    @property
    def caller(self) -> Caller:
        """How the tools know this person."""
        return Caller(
            Audience.CUSTOMER,
            CHANNEL,
            Level.ORDER,
            customer_id=self.customer_id,
            proved_order_id=self.order_id,
            visitor=self.visitor,
        )


@router.get(PATH)
def get_withdrawal(request: Request, pages: PagesDep, order: str = "") -> Response:
    """Show the first step."""
    return _first(request, pages, {"order_number": order[:20]})


@router.post(PATH)
def post_withdrawal(
    request: Request, form: FormDep, services: ServicesDep, pages: PagesDep, now: NowDep
) -> Response:
    """Check that the order is theirs, and show the second step. Records no withdrawal."""
    host = request.client.host if request.client else ""
    visitor = Caller(
        Audience.CUSTOMER, CHANNEL, visitor=secrets.token_urlsafe(16), origin=network_of(host)
    )
    contact = form.get("contact", "").strip()
    proof = {
        "order_number": form.get("order_number", ""),
        "email" if "@" in contact else "postcode": contact,
    }
    try:
        proved = services.executor.run(visitor, "verify_order", proof, now=now)
        if not isinstance(proved, Result) or not proved.proves_order_id:
            raise InvalidInputError("Please give the number of the order.")
        person = _Proved(
            visitor.visitor,
            proved.proves_customer_id or 0,
            proved.proves_order_id,
            str(proved.facts["order_number"]),
        )
        preview = _propose(services, person, form, now=now)
    except OpsbotError as error:
        return _first(request, pages, form, error=error)
    return _second(request, pages, services.settings, person, preview)


@router.post(f"{PATH}/confirm")
def post_confirmation(
    request: Request, form: FormDep, services: ServicesDep, pages: PagesDep, now: NowDep
) -> Response:
    """Declare the withdrawal that was shown. Pressing twice declares it once."""
    person = _read(services.settings, form.get("proved", ""))
    if person is None:
        return _first(request, pages, {}, error=InvalidInputError(_AGAIN))
    try:
        done = services.executor.confirm(person.caller, form.get("proposal", "")[:60], now=now)
    except OpsbotError as error:
        return _first(request, pages, {"order_number": person.number}, error=error)
    if done.renewed is not None:
        changed = "Something changed meanwhile, so nothing was recorded. This is how it is now."
        return _second(request, pages, services.settings, person, done.renewed, notice=changed)
    if done.result is None:
        failed = done.preview.state is ProposalState.FAILED and done.preview.say
        ended = InvalidInputError(failed or _AGAIN)
        return _first(request, pages, {"order_number": person.number}, error=ended)
    facts = done.result.facts
    return pages.render(
        request,
        "withdrawal/done.html",
        headers=_PRIVATE,
        number=facts["withdrawal_number"],
        order=person.number,
        received=facts["received"],
        statement=facts["statement"],
        follows=facts["follows"],
    )


def _propose(
    services: Services, person: _Proved, form: Mapping[str, str], *, now: datetime
) -> Preview:
    items = [line.strip() for line in form.get("items", "").splitlines() if line.strip()]
    arguments = {"order_number": person.number, **({"items": items} if items else {})}
    preview = services.executor.run(person.caller, "withdraw", arguments, now=now)
    if not isinstance(preview, Preview):
        raise InvalidInputError(_AGAIN)
    return preview


def _first(
    request: Request,
    pages: PagesDep,
    form: Mapping[str, str],
    *,
    error: OpsbotError | None = None,
) -> Response:
    status, headers = 200, dict(_PRIVATE)
    if error is not None:
        status = describe(error).status_code
    if isinstance(error, RateLimitedError):
        headers["retry-after"] = str(error.retry_after)
    return pages.render(
        request,
        "withdrawal/start.html",
        status=status,
        headers=headers,
        order_number=form.get("order_number", "")[:20],
        contact=form.get("contact", "")[:254],
        items=form.get("items", "")[:1000],
        error=str(error) if error else "",
        recorded=isinstance(error, ConflictError) and error.state == WITHDRAWN,
    )


def _second(
    request: Request,
    pages: PagesDep,
    settings: Settings,
    person: _Proved,
    preview: Preview,
    *,
    notice: str = "",
) -> Response:
    return pages.render(
        request,
        "withdrawal/confirm.html",
        headers=_PRIVATE,
        preview=preview,
        proved=_signer(settings).dumps(
            [person.visitor, person.customer_id, person.order_id, person.number]
        ),
        order=person.number,
        notice=notice,
    )


def _read(settings: Settings, signed: str) -> _Proved | None:
    try:
        visitor, customer_id, order_id, number = _signer(settings).loads(signed, max_age=VALID_S)
    except (BadSignature, ValueError, TypeError):
        return None
    return _Proved(str(visitor), int(customer_id), int(order_id), str(number))


def _signer(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.secret_key.get_secret_value(), salt="withdrawal")
