"""The cases that somebody must deal with, those that are due first on top."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.cases import AT_WORK, Case, CaseKind, CasePriority, CaseState
from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order
from opsbot.staff import Staff


@dataclass(frozen=True)
class ListedCase:
    """A case with what its row shows."""

    case: Case
    customer: str
    """Name, or the address to answer; empty when neither is known."""
    order: str
    owner: str


@dataclass(frozen=True)
class CaseFilter:
    """Which cases to list."""

    kind: CaseKind | None = None
    states: Sequence[CaseState] = AT_WORK
    breached: bool = False
    urgent: bool = False
    owner_id: int | None = None
    unowned: bool = False


def list_cases(session: Session, wanted: CaseFilter, *, now: datetime) -> list[ListedCase]:
    """Return the cases that fit; urgent ones first, then by when something must happen."""
    query = (
        select(Case, Customer.name, Order.number, Staff.name)
        .outerjoin(Customer, Customer.id == Case.customer_id)
        .outerjoin(Order, Order.id == Case.order_id)
        .outerjoin(Staff, Staff.id == Case.owner_id)
        .where(Case.state.in_(wanted.states))
    )
    if wanted.kind is not None:
        query = query.where(Case.kind == wanted.kind)
    if wanted.urgent:
        query = query.where(Case.priority == CasePriority.URGENT)
    if wanted.owner_id is not None:
        query = query.where(Case.owner_id == wanted.owner_id)
    if wanted.unowned:
        query = query.where(Case.owner_id.is_(None))
    found = [
        ListedCase(case, name or case.contact_email or "", number or "", owner or "")
        for case, name, number, owner in session.execute(query)
    ]
    if wanted.breached:
        found = [one for one in found if one.case.breach(now)]
    return sorted(found, key=lambda one: _rank(one.case))


def _rank(case: Case) -> tuple[bool, bool, datetime, int]:
    due = case.next_due()
    return case.priority is not CasePriority.URGENT, due is None, due or case.created_at, case.id
