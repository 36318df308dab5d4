"""What should happen outside and did not: staff try it again, or have done it themselves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from opsbot.channels.console import render_console
from opsbot.channels.dependencies import NowDep, ServicesDep, StaffDep
from opsbot.channels.noting import note
from opsbot.channels.pages import FormDep, PagesDep
from opsbot.channels.services import Services
from opsbot.channels.sign_in import ConsoleRoute, check_form
from opsbot.commerce.effects import (
    Effect,
    EffectState,
    settled_by_hand,
    troubled_effects,
)
from opsbot.errors import InvalidInputError
from opsbot.formats import format_money
from opsbot.staff import Staff
from opsbot.toolkit.outside import LONGEST_NOTE, may_settle, note_by_hand, try_again

PAGE = "/console/outside"
_MOST = 100
_MOST_SETTLED = 20
_LARGEST_ID = 2**31 - 1
_SAID = {
    "retry": "It is tried again now. Look here again in a minute.",
    "settle": "It is noted as done by hand. No port is asked for it any more.",
}
_NAMES = {"amount_minor": "amount", "gateway_ref": "payment", "reference": "reference"}
_LEFT_OUT = {"currency"}

router = APIRouter(route_class=ConsoleRoute, include_in_schema=False)

EffectId = Annotated[int, Path(ge=1, le=_LARGEST_ID)]


@dataclass(frozen=True)
class EffectRow:
    """One effect, as the page shows it."""

    id: int
    title: str
    facts: list[tuple[str, str]]
    """Names and values of what it is about."""
    key: str
    gave_up: bool
    """Nothing happens any more before a person decides."""
    in_hand: bool
    """A port is at it right now."""
    attempts: int
    error: str
    asked_at: datetime
    next_at: datetime
    settled_at: datetime | None
    settled_by: str
    note: str


@router.get(PAGE)
def get_page(
    request: Request,
    staff: StaffDep,
    services: ServicesDep,
    pages: PagesDep,
    now: NowDep,
    done: str = "",
) -> Response:
    """Show what failed, what is tried again, and what people did themselves."""
    with services.database.read() as session:
        names = {f"staff:{one.id}": one.name for one in session.scalars(select(Staff))}
        stuck = troubled_effects(session, limit=_MOST)
        ended = settled_by_hand(session, limit=_MOST_SETTLED)
    note(services, staff.caller.actor, "read", "effects", now)
    return render_console(
        request,
        pages,
        services,
        staff,
        "console/outside.html",
        troubled=[_describe(services, one, names) for one in stuck],
        settled=[_describe(services, one, names) for one in ended],
        may_settle=may_settle(staff.caller),
        done=_SAID.get(done, ""),
        longest_note=LONGEST_NOTE,
        page="outside",
    )


@router.post(PAGE + "/{effect_id}")
def post_page(
    request: Request,
    effect_id: EffectId,
    form: FormDep,
    staff: StaffDep,
    services: ServicesDep,
    now: NowDep,
) -> Response:
    """Try it again, or note that it was done by hand."""
    check_form(request, form, staff.session)
    decision = form.get("decision", "")
    match decision:
        case "retry":
            try_again(services.database, staff.caller, effect_id, now=now)
        case "settle":
            words = form.get("note", "")
            note_by_hand(services.database, staff.caller, effect_id, words=words, now=now)
        case _:
            raise InvalidInputError("decision: press one of the buttons.")
    return RedirectResponse(f"{PAGE}?done={decision}", status_code=303)


def _describe(services: Services, effect: Effect, names: Mapping[str, str]) -> EffectRow:
    operation = _in_words(effect.operation)
    return EffectRow(
        id=effect.id,
        title=f"{operation[:1].upper()}{operation[1:]} · {_in_words(effect.port)}",
        facts=list(_facts(effect.payload, services.settings.locale)),
        key=effect.key,
        gave_up=effect.state is EffectState.FAILED,
        in_hand=effect.state is EffectState.DELIVERING,
        attempts=effect.attempts,
        error=effect.error or "",
        asked_at=effect.created_at,
        next_at=effect.next_at,
        settled_at=effect.delivered_at,
        settled_by=names.get(effect.settled_by or "", effect.settled_by or ""),
        note=effect.note or "",
    )


def _facts(payload: Mapping[str, Any], locale: str) -> Iterator[tuple[str, str]]:
    """Yield what a payload says in single values; lists and empty ones are left out."""
    for name, value in payload.items():
        if name in _LEFT_OUT or value in (None, "") or isinstance(value, list | dict):
            continue
        currency = payload.get("currency")
        if name.endswith("_minor") and isinstance(value, int) and currency:
            yield _label(name), format_money(value, str(currency), locale=locale)
        else:
            yield _label(name), str(value)


def _label(name: str) -> str:
    words = _NAMES.get(name, _in_words(name.removesuffix("_minor")))
    return f"{words[:1].upper()}{words[1:]}"


def _in_words(name: str) -> str:
    return name.replace("_", " ")
