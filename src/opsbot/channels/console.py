"""The console of the staff: questions, and the matters that wait for a person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.channels.dependencies import NowDep, ServicesDep, StaffDep, StaffVisit
from opsbot.channels.noting import note
from opsbot.channels.pages import Pages, PagesDep
from opsbot.channels.services import Services
from opsbot.channels.sign_in import ConsoleRoute
from opsbot.commerce.cases import AT_WORK, ENDED, Case
from opsbot.commerce.customers import Customer
from opsbot.commerce.effects import count_failed
from opsbot.commerce.orders import Order
from opsbot.conversation.models import Message
from opsbot.drafts.review import count_open_drafts
from opsbot.errors import NotFoundError
from opsbot.retrieval.gaps import count_open_gaps

MOST_CASES = 100

_EXAMPLES = (
    ("Orders", "Which orders are late?"),
    ("Shipments", "Which shipments are late, and with which carrier?"),
    ("Stock", "What runs out in the next two weeks?"),
    ("Returns", "Returns by reason in the last 90 days"),
    ("Revenue", "Revenue per month this year"),
    ("Customers", "Show customer ada@example.com at a glance"),
)

router = APIRouter(route_class=ConsoleRoute, include_in_schema=False)


@dataclass(frozen=True)
class CaseRow:
    """One case, as the list shows it."""

    number: str
    kind: str
    subject: str
    state: str
    due: datetime
    is_late: bool
    """Nobody has answered, and the time for it is over."""
    customer: str
    """Name of the customer, their address, or empty."""
    order: str
    """Number of the order, or empty."""


@router.get("/console")
def get_ask(request: Request, staff: StaffDep, services: ServicesDep, pages: PagesDep) -> Response:
    """Show the page for questions about the shop."""
    return render_console(
        request, pages, services, staff, "console/ask.html", examples=_EXAMPLES, page="ask"
    )


@router.get("/console/cases")
def get_cases(
    request: Request,
    staff: StaffDep,
    services: ServicesDep,
    pages: PagesDep,
    now: NowDep,
    state: str = "open",
) -> Response:
    """Show the open cases, those due first, or the closed ones."""
    closed = state == "closed"
    with services.database.read() as session:
        cases = _list_cases(session, now, closed=closed)
    note(services, staff.caller.actor, "read", "cases", now, state="closed" if closed else "open")
    return render_console(
        request,
        pages,
        services,
        staff,
        "console/cases.html",
        cases=cases,
        closed=closed,
        most=MOST_CASES,
        page="cases",
    )


@router.get("/console/cases/{number}")
def get_case(
    request: Request,
    number: str,
    staff: StaffDep,
    services: ServicesDep,
    pages: PagesDep,
    now: NowDep,
) -> Response:
    """Show one case with the conversation that led to it."""
    with services.database.read() as session:
        case = session.scalar(select(Case).where(Case.number == number))
        if case is None:
            raise NotFoundError("case", number)
        row = _describe(session, case, now)
        messages = session.scalars(
            select(Message)
            .where(Message.conversation_id == case.conversation_id)
            .order_by(Message.position)
        ).all()
    note(services, staff.caller.actor, "read", f"case {case.number}", now)
    return render_console(
        request,
        pages,
        services,
        staff,
        "console/case.html",
        case=case,
        row=row,
        messages=messages if case.conversation_id else [],
        page="cases",
    )


def render_console(
    request: Request,
    pages: Pages,
    services: Services,
    staff: StaffVisit,
    template: str,
    *,
    status: int = 200,
    **values: Any,
) -> Response:
    """Return a page of the console, with the counts of what waits."""
    now = services.clock()
    waiting = services.executor.waiting(staff.caller, now=now)
    mine = services.executor.open_proposals(staff.caller, now=now)
    with services.database.read() as session:
        counts = {
            "drafts": count_open_drafts(session),
            "cases": session.scalar(
                select(func.count()).select_from(Case).where(Case.state.in_(AT_WORK))
            ),
            "approvals": sum(one.may_decide for one in waiting),
            "proposals": len(mine),
            "outside": count_failed(session),
            "gaps": count_open_gaps(session),
        }
    return pages.render(
        request,
        template,
        status=status,
        person=staff.staff,
        csrf=staff.session.nonce,
        counts=counts,
        **values,
    )


def _list_cases(session: Session, now: datetime, *, closed: bool) -> list[CaseRow]:
    states, order = (
        (ENDED, Case.created_at.desc()) if closed else (AT_WORK, Case.first_response_due)
    )
    query = select(Case).where(Case.state.in_(states)).order_by(order, Case.id).limit(MOST_CASES)
    return [_describe(session, case, now) for case in session.scalars(query)]


def _describe(session: Session, case: Case, now: datetime) -> CaseRow:
    customer = session.get(Customer, case.customer_id) if case.customer_id else None
    order = session.get(Order, case.order_id) if case.order_id else None
    return CaseRow(
        number=case.number,
        kind=_in_words(case.kind),
        subject=case.subject,
        state=_in_words(case.state),
        due=case.first_response_due,
        is_late=bool(case.breach(now)),
        customer=customer.name if customer else case.contact_email or "",
        order=order.number if order else "",
    )


def _in_words(value: str) -> str:
    return str(value).replace("_", " ").capitalize()
