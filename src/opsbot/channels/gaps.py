"""What the articles do not answer, for those who write them: the list, and what was decided."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict

from opsbot.channels.articles import WriterDep
from opsbot.channels.console import render_console
from opsbot.channels.dependencies import NowDep, ServicesDep, StaffDep, StaffVisit
from opsbot.channels.pages import FormDep, PagesDep
from opsbot.channels.services import Services
from opsbot.channels.sign_in import ConsoleRoute, check_form
from opsbot.errors import InvalidInputError
from opsbot.retrieval.gap_rows import GapState
from opsbot.retrieval.gaps import Gap, decide_gap, list_gaps
from opsbot.retrieval.hits import Hit
from opsbot.staff import WRITERS
from opsbot.toolkit.audit import record_audit

MOST_LISTED = 30
"""Gaps on one page; for each the articles are searched."""
_MOST_ASKED = 50
"""Gaps that are asked again before they are shown; the rest are by the clock."""

GapId = Annotated[int, Path(ge=1, le=2**31 - 1)]
"""A number that a database can hold."""

api = APIRouter(prefix="/v1", tags=["knowledge"])
router = APIRouter(route_class=ConsoleRoute, include_in_schema=False)

_DONE = {
    GapState.OPEN: "The question is open again.",
    GapState.ANSWERED: "The question is marked as answered.",
    GapState.DISMISSED: "The question is dismissed.",
}


class ClosestOut(BaseModel):
    """A heading that comes near."""

    title: str
    heading: str
    url: str

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """Describe a passage."""
        return cls(title=hit.title, heading=hit.heading, url=hit.url)


class GapOut(BaseModel):
    """Questions of one meaning that the articles did not answer."""

    id: int
    question: str
    examples: list[str]
    audience: str
    """`public`: customers asked it; `staff`: staff did, whose articles do not answer either."""
    language: str
    count: int
    first_seen: datetime
    last_seen: datetime
    state: GapState
    decided_by: str
    closest: list[ClosestOut]

    @classmethod
    def of(cls, row: "GapLine") -> Self:
        """Describe a gap."""
        closest = [ClosestOut.of(hit) for hit in row.closest]
        return cls(**{**vars(row.gap), "examples": list(row.gap.examples)}, closest=closest)


class GapList(BaseModel):
    """Some of the gaps."""

    gaps: list[GapOut]
    next: int | None
    """Where the rest begins: give it as `after`."""


class Decision(BaseModel):
    """What becomes of a gap."""

    model_config = ConfigDict(extra="forbid")

    state: GapState


@dataclass(frozen=True)
class GapLine:
    """A gap and the passages that come nearest."""

    gap: Gap
    closest: list[Hit]


@api.get("/gaps")
def get_gaps(
    _staff: StaffDep,
    services: ServicesDep,
    now: NowDep,
    state: GapState = GapState.OPEN,
    after: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = MOST_LISTED,
) -> GapList:
    """List what the articles did not answer, what was asked most often first."""
    lines = _read_lines(services, state, now, after=after, limit=limit + 1)
    more = lines[limit - 1].gap.id if len(lines) > limit else None
    return GapList(gaps=[GapOut.of(line) for line in lines[:limit]], next=more)


@api.post("/gaps/{gap_id}")
def post_gap(
    gap_id: GapId, decision: Decision, staff: WriterDep, services: ServicesDep, now: NowDep
) -> GapOut:
    """Mark a gap as answered or dismissed, or open it again."""
    gap = _decide(services, staff, gap_id, decision.state, now)
    return GapOut.of(GapLine(gap, services.gaps.closest(gap)))


@router.get("/console/gaps")
def get_page(
    request: Request,
    staff: StaffDep,
    services: ServicesDep,
    pages: PagesDep,
    now: NowDep,
    state: GapState = GapState.OPEN,
    after: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    done: GapState | None = None,
) -> Response:
    """Show the questions in one state."""
    lines = _read_lines(services, state, now, after=after, limit=MOST_LISTED + 1)
    return render_console(
        request,
        pages,
        services,
        staff,
        "console/gaps.html",
        lines=lines[:MOST_LISTED],
        more=lines[MOST_LISTED - 1].gap.id if len(lines) > MOST_LISTED else None,
        state=state,
        may_write=staff.staff.has_role(*WRITERS),
        done=_DONE[done] if done else "",
        page="gaps",
    )


@router.post("/console/gaps/{gap_id}")
def post_page(
    request: Request,
    gap_id: GapId,
    form: FormDep,
    staff: WriterDep,
    services: ServicesDep,
    now: NowDep,
) -> Response:
    """Do what the pressed button says."""
    check_form(request, form, staff.session)
    try:
        state, shown = GapState(form.get("state", "")), GapState(form.get("shown", ""))
    except ValueError as error:
        raise InvalidInputError("state: press one of the buttons.") from error
    _decide(services, staff, gap_id, state, now)
    return RedirectResponse(f"/console/gaps?state={shown}&done={state}", status_code=303)


def _read_lines(
    services: Services, state: GapState, now: datetime, *, after: int | None, limit: int
) -> list[GapLine]:
    """Return gaps with what comes nearest; what the articles answer by now is closed before."""
    if state is GapState.OPEN:
        services.gaps.close_answered(now=now, limit=_MOST_ASKED)
    with services.database.read() as session:
        gaps = list_gaps(session, state=state, limit=limit, after=after)
    return [GapLine(gap, services.gaps.closest(gap)) for gap in gaps]


def _decide(
    services: Services, staff: StaffVisit, gap_id: int, state: GapState, now: datetime
) -> Gap:
    actor = staff.caller.actor
    with services.database.write(durable=True) as session:
        gap = decide_gap(session, gap_id, state, actor=actor, now=now)
        record_audit(
            session, actor=actor, action="gap_decided", subject=f"gap {gap_id}", at=now, state=state
        )
    return gap
