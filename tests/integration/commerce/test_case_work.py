"""A case from first word to last: states, clocks, owners."""

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy.orm import Session

from opsbot.commerce.case_work import (
    TRANSITIONS,
    answer_case,
    close_resolved,
    find_case,
    move_case,
    notes_of,
    raise_priority,
)
from opsbot.commerce.cases import Case, CaseKind, CasePriority, CaseState, open_case
from opsbot.db import Database
from opsbot.errors import ConflictError, NotFoundError, StaleError
from opsbot.planning.office_hours import OfficeHours
from tests.factories import DAY, NOON, make_customer

HOURS = OfficeHours()
HOUR = timedelta(hours=1)
MONDAY = NOON + 3 * DAY


def begin(session: Session, kind: CaseKind = CaseKind.SUPPORT, **values: object) -> Case:
    return open_case(
        session,
        kind,
        subject="A question",
        summary="How?",
        actor="visitor",
        now=NOON,
        **values,  # type: ignore[arg-type]  # each test names its own
    )


def move(session: Session, case: Case, to: CaseState, *, days: float = 0) -> None:
    move_case(session, case, to, hours=HOURS, actor="staff:1", now=NOON + days * DAY)


@pytest.mark.parametrize(("source", "target"), list(product(CaseState, CaseState)))
def test_a_case_goes_only_where_the_table_lets_it(
    database: Database, source: CaseState, target: CaseState
) -> None:
    with database.write() as session:
        case = begin(session)
        case.state = source
        case.resolved_at = NOON if source in {CaseState.RESOLVED, CaseState.CLOSED} else None
        session.flush()
        if target in TRANSITIONS[source]:
            move(session, case, target)
            assert case.state is target
        else:
            with pytest.raises(ConflictError, match="it cannot become"):
                move(session, case, target)
            assert case.state is source


def test_the_clock_stands_still_while_the_customer_is_waited_for(database: Database) -> None:
    with database.write() as session:
        case = begin(session)
        due = case.resolution_due
        assert due is not None

        answer_case(session, case, hours=HOURS, actor="staff:1", now=NOON + HOUR)
        assert case.next_due() is None
        assert case.breach(NOON + 60 * DAY) == ""
        move_case(session, case, CaseState.OPEN, hours=HOURS, actor="customer:1", now=MONDAY)

        # Friday 14:00 to 17:00 and Monday 9:00 to 13:00 were waited.
        assert case.resolution_due == HOURS.add(due, 7 * HOUR)
        assert case.first_response_at == NOON + HOUR


def test_the_deadline_of_the_law_does_not_wait(database: Database) -> None:
    with database.write() as session:
        case = begin(session, CaseKind.PRIVACY)
        assert case.resolution_due == NOON + 30 * DAY

        answer_case(session, case, hours=HOURS, actor="staff:1", now=NOON + HOUR)

        assert case.next_due() == NOON + 30 * DAY
        assert case.breach(NOON + 31 * DAY) == "resolution"
        move(session, case, CaseState.OPEN, days=10)
        assert case.resolution_due == NOON + 30 * DAY


def test_each_missed_time_is_named(database: Database) -> None:
    with database.write() as session:
        case = begin(session)

        assert case.breach(NOON) == ""
        assert case.breach(NOON + 5 * DAY) == "first answer"
        answer_case(
            session, case, hours=HOURS, actor="staff:1", now=NOON, to=CaseState.WAITING_INTERNAL
        )
        assert case.breach(NOON + 5.5 * DAY) == "resolution"
        move(session, case, CaseState.RESOLVED, days=6)
        assert case.breach(NOON + 30 * DAY) == ""


def test_a_case_is_reopened_for_two_weeks_and_not_later(database: Database) -> None:
    with database.write() as session:
        early, late = begin(session), begin(session)
        for case in (early, late):
            move(session, case, CaseState.RESOLVED)

        move(session, early, CaseState.OPEN, days=14)
        with pytest.raises(ConflictError, match="more than 14 days ago"):
            move(session, late, CaseState.OPEN, days=14.1)

        assert (early.reopened, early.resolved_at) == (1, None)
        assert early.first_response_due > NOON + 14 * DAY
        assert late.state is CaseState.RESOLVED


def test_an_ended_case_is_not_answered(database: Database) -> None:
    with database.write() as session:
        case = begin(session)
        move(session, case, CaseState.RESOLVED)

        with pytest.raises(ConflictError, match="Reopen it"):
            answer_case(session, case, hours=HOURS, actor="staff:1", now=NOON)


def test_of_two_who_move_a_case_at_once_one_is_told_that_it_changed(database: Database) -> None:
    with database.write() as session:
        key = begin(session).id
    with database.read() as one:
        seen = one.get_one(Case, key)
        version = seen.version
    with database.write() as session:
        move(session, session.get_one(Case, key), CaseState.OPEN)
    with database.write() as session:
        stale = session.get_one(Case, key)
        session.expire_on_commit = False
        assert stale.version == version + 1
        stale.__dict__["version"] = version
        with pytest.raises(StaleError):
            move_case(session, stale, CaseState.RESOLVED, hours=HOURS, actor="staff:2", now=NOON)


def test_an_urgent_case_is_due_sooner_and_never_later(database: Database) -> None:
    with database.write() as session:
        urgent = begin(session, priority=CasePriority.URGENT)
        raised = begin(session)
        raise_priority(session, raised, CasePriority.URGENT, hours=HOURS, actor="staff:1", now=NOON)

        assert urgent.first_response_due == raised.first_response_due == NOON + 2 * HOUR
        raise_priority(
            session, raised, CasePriority.URGENT, hours=HOURS, actor="staff:1", now=NOON + DAY
        )
        assert raised.first_response_due == NOON + 2 * HOUR


def test_what_was_resolved_long_ago_is_closed(database: Database) -> None:
    with database.write() as session:
        old, new = begin(session), begin(session)
        move(session, old, CaseState.RESOLVED, days=1)
        move(session, new, CaseState.RESOLVED, days=9)

        assert close_resolved(session, now=NOON + 16 * DAY) == 1
        session.expire_all()

        assert (old.state, new.state) == (CaseState.CLOSED, CaseState.RESOLVED)


def test_a_case_is_found_however_its_number_is_written(database: Database) -> None:
    with database.write() as session:
        ada, eve = make_customer(), make_customer("Eve", "eve@example.com", "C-1002")
        session.add_all([ada, eve])
        session.flush()
        case = begin(session, customer_id=ada.id)
        for written in ("CS-00001", "cs 1", "CS1"):
            assert find_case(session, written, customer_id=None) is case
        texts = []
        for number, whose in (("CS-00001", eve.id), ("CS-00009", ada.id)):
            with pytest.raises(NotFoundError) as raised:
                find_case(session, number, customer_id=whose)
            texts.append(str(raised.value).replace(number, "N"))
        assert texts[0] == texts[1]
        assert [row.event for row in notes_of(session, case)] == ["case_opened"]
