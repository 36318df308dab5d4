"""Measures of cases, of closing the loop, of points and of the shop floor, counted by hand."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from opsbot.commerce.cases import Case, CaseKind, CaseState
from opsbot.commerce.loyalty import LoyaltyEntry, LoyaltyKind
from opsbot.commerce.production import (
    CapacityException,
    CenterKind,
    ExceptionReason,
    WorkCenter,
    WorkOrder,
    WorkOrderOp,
    WorkOrderState,
)
from opsbot.commerce.products import Item
from opsbot.commerce.records import History
from opsbot.db import Database
from opsbot.metrics.grouping import Terms
from opsbot.metrics.query import MetricResult
from opsbot.planning.office_hours import OfficeHours
from tests.factories import DAY, make_customer, make_item
from tests.integration.metrics.test_metrics import figures, measure, near
from tests.integration.metrics.workshop import hours

MONDAY = datetime(2026, 6, 8, 7, tzinfo=UTC)
"""9 o'clock in Berlin; no holiday in that week."""
LATER = datetime(2026, 8, 1, 12, tzinfo=UTC)


def june(
    database: Database, key: str, by: str | None = None, *, now: datetime = LATER, **values: Any
) -> MetricResult:
    return measure(database, key, "2026-06", by, now=now, **values)


def case(number: int, opened: datetime, **values: Any) -> Case:
    """Return a case that is due after eight and twenty-four office hours."""
    defaults = {
        "kind": CaseKind.SUPPORT,
        "state": CaseState.RESOLVED,
        "subject": "x",
        "summary": "",
        "first_response_due": opened + DAY,
        "resolution_due": opened + 3 * DAY,
        "first_response_at": None,
        "resolved_at": None,
        "reopened": 0,
    }
    return Case(number=f"CS-{number:05}", created_at=opened, **{**defaults, **values})


@pytest.fixture
def desk(database: Database) -> Database:
    """Five cases of one week.

    |   | kind     | opened     | first answer          | over                | promised     |
    |---|----------|------------|-----------------------|---------------------|--------------|
    | 1 | support  | Mon 9:00   | 2 hours later         | Mon 17:00           | kept         |
    | 2 | support  | Mon 16:00  | Tue 10:00: 2 of work  | Fri 9:00, too late  | Thu 16:00    |
    | 3 | recovery | Tue 9:00   | Wed 13:00: 12 of work | Wed 13:00           | Wed 9:00     |
    | 4 | recovery | Wed 9:00   | none                  | open                | Thu 9:00     |
    | 5 | delivery | Thu 9:00   | 1 hour; again 9 days later, when it had come back | waits | kept |
    """
    monday, tuesday, wednesday, thursday = (MONDAY + day * DAY for day in range(4))
    rows = [
        case(1, monday, first_response_at=monday + hours(2), resolved_at=monday + hours(8)),
        case(
            2,
            monday + hours(7),
            first_response_at=tuesday + hours(1),
            resolved_at=thursday + DAY,
        ),
        case(
            3,
            tuesday,
            kind=CaseKind.RECOVERY,
            first_response_at=wednesday + hours(4),
            resolved_at=wednesday + hours(4),
        ),
        case(4, wednesday, kind=CaseKind.RECOVERY, state=CaseState.OPEN),
        case(
            5,
            thursday,
            kind=CaseKind.DELIVERY,
            state=CaseState.WAITING_CUSTOMER,
            reopened=1,
            first_response_at=thursday + 9 * DAY,
            first_response_due=thursday + 10 * DAY,
            waiting_since=thursday + 9 * DAY,
        ),
    ]
    with database.write() as session:
        session.add_all(rows)
        session.flush()
        for at in (thursday + hours(1), thursday + 9 * DAY):
            session.add(
                History(
                    subject="cases",
                    subject_id=str(rows[4].id),
                    event="case_answered",
                    detail={},
                    actor="staff:1",
                    at=at,
                )
            )
    return database


def test_first_answers_are_counted_in_office_hours_and_only_the_first(desk: Database) -> None:
    result = june(desk, "first_response")

    # 1, 2, 2 and 12 hours
    assert result.total.values == near((2, 2 + 0.7 * 10))
    assert result.total.n == 4
    assert figures(june(desk, "first_response", "kind")) == {
        "Delivery": (near(1), 1),
        "Recovery": (near(12), 1),
        "Support": (near(2), 2),
    }


def test_office_hours_are_those_of_the_shop(desk: Database) -> None:
    noon = OfficeHours(opens=time(12), closes=time(14))

    result = june(desk, "first_response", terms=Terms(hours=noon))

    # Monday 9 to 11: none of 12 to 14; Mon 16 to Tue 10: none; Tue 9 to Wed 13: 3; Thu 9 to 10: 0
    assert result.total.values == near((0, 0.7 * 3))


def test_the_time_to_the_end_counts_what_is_over(desk: Database) -> None:
    result = june(desk, "resolution_time")

    # 8; Mon 16 to Fri 9: 1 + 3 x 8; Tue 9 to Wed 13: 12
    assert (result.total.values, result.n) == (near((12, 12 + 0.8 * 13)), 3)


def test_a_breach_is_a_promise_that_was_not_kept_or_is_past(desk: Database) -> None:
    result = june(desk, "sla_breach")

    # 2 ended late, 3 and 4 were answered late or not at all
    assert (result.total.values, result.n) == (near((3 / 5, 2 / 5)), 5)
    # on Wednesday at noon the first answers of 4 and 5 were not due yet
    soon = june(desk, "sla_breach", now=MONDAY + 2 * DAY + hours(3))
    assert (soon.total.values, soon.n) == (near((2 / 3, 1 / 3)), 3)


def test_cases_that_came_back(desk: Database) -> None:
    result = june(desk, "reopen_rate")

    assert (result.total.values, result.n) == ((1 / 4,), 4)  # 4 is still open
    assert june(desk, "reopen_rate", now=MONDAY + 5 * DAY).total.open_until is not None


def test_the_unhappy_hear_from_a_person_or_do_not(desk: Database) -> None:
    assert june(desk, "closed_loop_rate").total.values == (1 / 2, 1 / 2)
    contact = june(desk, "time_to_contact")
    assert (contact.total.values, contact.n) == (near((28, 28)), 1)  # by the clock


def test_members_take_part_and_points_have_a_worth(database: Database) -> None:
    may, mid = MONDAY - 20 * DAY, MONDAY + 5 * DAY
    rows = [  # who, kind, points, when, usable from
        (1, LoyaltyKind.EARN, 100, may, may),
        (1, LoyaltyKind.REDEEM, -40, mid, mid),
        (1, LoyaltyKind.EARN, 30, mid, LATER + DAY),
        (2, LoyaltyKind.EARN, 50, may, may),
        (2, LoyaltyKind.REVERSE, -80, may, may),
        (3, LoyaltyKind.ADJUST, 10, mid, mid),
        (4, LoyaltyKind.EARN, 500, LATER, LATER + 30 * DAY),
    ]
    with database.write() as session:
        for key in range(1, 5):
            session.add(make_customer(f"C{key}", f"c{key}@example.com", f"C-{key}", id=key))
        session.add(make_item())
        session.flush()
        for number, (who, kind, points, at, usable) in enumerate(rows):
            session.add(
                LoyaltyEntry(
                    customer_id=who,
                    kind=kind,
                    points=points,
                    reference=str(number),
                    available_at=usable,
                    expires_at=None,
                    actor="x",
                    at=at,
                )
            )

    active = june(database, "loyalty_active")
    assert (active.total.values, active.n) == ((1 / 3,), 3)  # the fourth joined later
    months = measure(database, "loyalty_active", "2026", "month", now=LATER)
    assert [row.values[0] for row in months.rows[4:6]] == [1, 1 / 3]
    assert months.rows[0].values[0] is None  # nobody was a member yet

    used = june(database, "points_used", terms=Terms(point_minor=5))
    assert (used.total.values, used.n) == ((40, 200), 1)

    worth = june(database, "points_liability", "kind", terms=Terms(point_minor=5), now=LATER)
    # usable: 60 and 10; the second has less than none. Pending: 30 and 500
    assert {row.label: row.values for row in worth.rows} == {
        "Usable": (350, 70),
        "Pending": (2650, 530),
    }
    assert worth.total.values == (3000, 600)
    assert worth.n == 3


def work(
    number: int,
    item: Item,
    done: datetime | None,
    steps: list[tuple[WorkCenter, int, int, int]],
) -> WorkOrder:
    """Return a work order; of each step: where, planned minutes, good and scrap."""
    operations = [
        WorkOrderOp(
            seq=10 * place,
            name="step",
            work_center_id=center.id,
            planned_minutes=minutes,
            good=good,
            scrap=scrap,
        )
        for place, (center, minutes, good, scrap) in enumerate(steps, 1)
    ]
    return WorkOrder(
        number=f"WO-{number}",
        sku=item.sku,
        state=WorkOrderState.COMPLETED if done else WorkOrderState.RELEASED,
        planned=100,
        produced=95 if done else 0,
        scrapped=5 if done else 0,
        created_at=MONDAY,
        due_at=MONDAY + 4 * DAY,
        started_at=MONDAY,
        completed_at=done,
        operations=operations,
    )


@pytest.fixture
def floor(database: Database) -> Database:
    """Two centres for June 2026 (22 working days), and two work orders of two steps each.

    The kiln has 600 minutes a day at 50 %, and lost 600 to maintenance; the bench 480 at 100 %.
    """
    with database.write() as session:
        mug, bowl = make_item(), make_item("LL-BWL-01", "Bowl")
        kiln, bench = (
            WorkCenter(
                code=code,
                name=name,
                kind=CenterKind.IN_HOUSE,
                minutes_per_day=minutes,
                efficiency_pct=share,
                cost_minor_per_hour=0,
            )
            for code, name, minutes, share in (
                ("KILN", "Kiln", 600, 50),
                ("POT", "Pottery bench", 480, 100),
            )
        )
        session.add_all([mug, bowl, kiln, bench])
        session.flush()
        repair = {"minutes": -200, "reason": ExceptionReason.MAINTENANCE}
        session.add(CapacityException(work_center_id=kiln.id, day=date(2026, 6, 10), **repair))
        for number, (item, done, steps) in enumerate(
            [
                (mug, MONDAY, [(bench, 600, 98, 2), (kiln, 640, 95, 5)]),
                (mug, MONDAY + DAY, [(bench, 300, 98, 2), (kiln, 0, 95, 5)]),
                (bowl, MONDAY, [(bench, 156, 50, 50)]),
                (bowl, None, [(kiln, 1000, 0, 0)]),
            ]
        ):
            session.add(work(number, item, done, steps))
    return database


def test_utilisation_is_work_over_what_the_centres_have(floor: Database) -> None:
    result = june(floor, "utilisation", "center")

    kiln, bench = 22 * 300 - 200, 22 * 480
    rows = {row.label: row.values for row in result.rows}
    assert rows["Kiln"] == (near(1640 / kiln), 1640, kiln)
    assert rows["Pottery bench"] == (near(1056 / bench), 1056, bench)
    assert result.total.values[0] == near(2696 / (kiln + bench))
    weeks = june(floor, "utilisation", "week")
    assert [row.values[1] for row in weeks.rows] == [0, 2696, 0, 0, 0]


def test_a_rolled_yield_is_the_product_of_the_steps(floor: Database) -> None:
    result = june(floor, "rty", "item")

    assert {row.label: (row.values[0], row.n) for row in result.rows} == {
        "Kiln mug, moss": (near(0.98 * 0.95), 200),
        "Bowl": (near(0.5), 100),
    }
    assert result.total.values == near(((200 * 0.98 * 0.95 + 100 * 0.5) / 300,))
