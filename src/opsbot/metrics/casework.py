"""How soon cases are answered and over, which come back, and whether the unhappy hear from us."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, String, and_, case, cast, func, or_, select
from sqlalchemy.orm import Session

from opsbot.commerce.case_work import REOPEN_WITHIN
from opsbot.commerce.cases import Case, CaseKind, CaseState
from opsbot.commerce.records import History
from opsbot.metrics.clock import seconds_between
from opsbot.metrics.counting import shares, spans, sums
from opsbot.metrics.grouping import TIME, Dimension, Slice, group_facts
from opsbot.metrics.measures import HOUR, Counted, Groups, Measure, Metric, Unit, counted_share
from opsbot.planning.promises import percentile

CONTACT_WITHIN = timedelta(hours=48)
"""By when somebody unhappy should have heard from a person at the latest."""
DIMENSIONS = (*TIME, Dimension.KIND)


def first_response(session: Session, part: Slice) -> Groups:
    """Give the office hours from opening a case to the first answer of a person; n: answered."""
    answered = _first_answer()
    facts = _facts(answered).where(answered.is_not(None)).add_columns(answered.label("until"))
    return _office_hours(session, part, facts)


def resolution_time(session: Session, part: Slice) -> Groups:
    """Give the office hours from opening a case to its end; n: ended."""
    facts = _facts(Case.resolved_at).where(Case.resolved_at.is_not(None))
    return _office_hours(session, part, facts.add_columns(Case.resolved_at.label("until")))


def sla_breach(session: Session, part: Slice) -> Groups:
    """Tell which share of the cases due in the period passed a promised time; n: cases due."""
    answered = func.coalesce(Case.first_response_at, Case.resolved_at, part.now)
    waits = and_(Case.state == CaseState.WAITING_CUSTOMER, Case.kind != CaseKind.PRIVACY)
    over = and_(
        Case.resolution_due.is_not(None),
        or_(Case.resolved_at.is_not(None), ~waits),
        func.coalesce(Case.resolved_at, part.now) > Case.resolution_due,
    )
    late = answered > Case.first_response_due
    facts = _facts(Case.first_response_due).add_columns(
        case((or_(late, over), 1), else_=0).label("breached"),
        case((late, 1), else_=0).label("late"),
    )
    found = sums(session, part.up_to_now, facts, ("late", "breached", "*"))
    return {
        key: _with_share(counted_share(label, breached, n), late / n)
        for key, (label, late, breached, n) in found.items()
    }


def reopen_rate(session: Session, part: Slice) -> Groups:
    """Tell which share of the cases opened in the period and resolved came back; n: resolved."""
    ended = or_(Case.resolved_at.is_not(None), Case.reopened > 0)
    facts = _facts(Case.created_at).where(ended)
    facts = facts.add_columns(case((Case.reopened > 0, 1), else_=0).label("came_back"))
    return shares(session, part, facts, "came_back", "*")


def closed_loop_rate(session: Session, part: Slice) -> Groups:
    """Tell which share of the unhappy heard from a person; n: cases that low scores opened."""
    answered = _first_answer()
    soon = seconds_between(Case.created_at, answered) <= CONTACT_WITHIN.total_seconds()
    facts = _unhappy().add_columns(
        case((answered.is_not(None), 1), else_=0).label("contacted"),
        case((and_(answered.is_not(None), soon), 1), else_=0).label("soon"),
    )
    found = sums(session, part, facts, ("soon", "contacted", "*"))
    return {
        key: _with_share(counted_share(label, contacted, n), soon_enough / n)
        for key, (label, soon_enough, contacted, n) in found.items()
    }


def time_to_contact(session: Session, part: Slice) -> Groups:
    """Give the hours until somebody unhappy heard from a person; n: those who did."""
    facts = _unhappy().add_columns(
        Case.created_at.label("opened_at"), _first_answer().label("answered_at")
    )
    found = spans(session, part, facts, first="opened_at", last="answered_at", unit=HOUR)
    return {key: Counted(one.label, one.points, one.n) for key, one in found.items()}


def _facts(at: Any) -> Select[Any]:
    """Return one row for each case, placed in time by `at`."""
    return select(at.label("at"), Case.kind.label("kind"), Case.created_at.label("since"))


def _unhappy() -> Select[Any]:
    return _facts(Case.created_at).where(Case.kind == CaseKind.RECOVERY)


def _first_answer() -> Any:
    """Return when a person first answered; a case that came back keeps its first answer."""
    noted = (
        select(func.min(History.at))
        .where(History.subject == Case.__tablename__, History.event == "case_answered")
        .where(History.subject_id == cast(Case.id, String))
        .correlate(Case)
        .scalar_subquery()
    )
    return case((Case.reopened > 0, func.coalesce(noted, Case.first_response_at)),
                else_=Case.first_response_at)  # fmt: skip


def _office_hours(session: Session, part: Slice, facts: Select[Any]) -> Groups:
    """Return median and 90th percentile of the office hours from `since` to `until` by group."""
    statement, columns = group_facts(facts, part)
    found: defaultdict[Any, list[float]] = defaultdict(list)
    labels: dict[Any, str] = {}
    for key, label, since, until in session.execute(
        statement.add_columns(columns.since, columns.until)
    ):
        found[key].append(_worked(part, since, until))
        labels[key] = str(label)
    return {
        key: Counted(labels[key], (percentile(values, 0.5), percentile(values, 0.9)), len(values))
        for key, values in found.items()
    }


def _worked(part: Slice, since: datetime, until: datetime) -> float:
    return part.terms.hours.between(since, until) / HOUR


def _with_share(counted: Counted, other: float) -> Counted:
    return Counted(counted.label, (*counted.values, other), counted.n, counted.score)


METRICS = (
    Metric(
        key="first_response",
        title="First answer",
        definition="Office hours from opening a case to the first answer of a person, of cases "
        "first answered in the period: median, and the time 90 % stay within.",
        counts="cases",
        dimensions=DIMENSIONS,
        measures=(
            Measure("first_response", "Median", Unit.HOURS),
            Measure("first_response_p90", "90 % within", Unit.HOURS),
        ),
        function=first_response,
    ),
    Metric(
        key="resolution_time",
        title="Time to the end of a case",
        definition="Office hours from opening a case to its end, waiting for the customer "
        "included, of cases resolved in the period: median, and the time 90 % stay within.",
        counts="cases",
        dimensions=DIMENSIONS,
        measures=(
            Measure("resolution_time", "Median", Unit.HOURS),
            Measure("resolution_time_p90", "90 % within", Unit.HOURS),
        ),
        function=resolution_time,
    ),
    Metric(
        key="sla_breach",
        title="Cases past their time",
        definition="Share of the cases whose first answer was due in the period, up to now, that "
        "were answered or ended after the promised time, or are past it; the time to end them "
        "does not run while the customer is waited for.",
        counts="cases due",
        dimensions=DIMENSIONS,
        measures=(
            Measure("sla_breach", "Past their time", Unit.SHARE),
            Measure("sla_breach_first", "First answer late", Unit.SHARE),
        ),
        function=sla_breach,
        score_scale=100,
    ),
    Metric(
        key="reopen_rate",
        title="Cases that came back",
        definition="Share of the cases opened in the period and resolved that were reopened; final "
        f"{REOPEN_WITHIN.days} days after the last was resolved.",
        counts="cases",
        dimensions=DIMENSIONS,
        measures=(Measure("reopen_rate", "Came back", Unit.SHARE),),
        function=reopen_rate,
        settles=REOPEN_WITHIN,
        score_scale=100,
    ),
    Metric(
        key="closed_loop_rate",
        title="Unhappy customers who heard from us",
        definition="Share of the recovery cases opened in the period, by low scores or alarming "
        "words, in which a person answered the customer; beside it within 48 hours.",
        counts="cases",
        dimensions=TIME,
        measures=(
            Measure("closed_loop_rate", "Heard from us", Unit.SHARE),
            Measure("closed_loop_soon", "Within 48 hours", Unit.SHARE),
        ),
        function=closed_loop_rate,
        settles=CONTACT_WITHIN,
        period="last 90 days",
        score_scale=100,
    ),
    Metric(
        key="time_to_contact",
        title="Time until unhappy customers heard from us",
        definition="Hours by the clock from a low score or alarming words to the first answer of a "
        "person, of recovery cases opened in the period: median, and the time 90 % stay within.",
        counts="cases",
        dimensions=TIME,
        measures=(
            Measure("time_to_contact", "Median", Unit.HOURS),
            Measure("time_to_contact_p90", "90 % within", Unit.HOURS),
        ),
        function=time_to_contact,
        settles=CONTACT_WITHIN,
        period="last 90 days",
    ),
)
