"""Reasons for returns, and measures in words."""

import pytest

from opsbot.commerce.returns import Resolution, Return, ReturnLine, ReturnReason, ReturnState
from opsbot.db import Database
from opsbot.errors import InvalidInputError
from tests.factories import (
    DAY,
    NOON,
    make_channel,
    make_customer,
    make_item,
    make_line,
    make_order,
)
from tests.integration.staff_tools.conftest import Ask, rows_of

CHANGED, FAULTY, LATE = (
    ReturnReason.CHANGED_MIND,
    ReturnReason.DEFECTIVE,
    ReturnReason.ARRIVED_LATE,
)


@pytest.fixture
def returns(database: Database) -> Database:
    """Mugs came back for a changed mind (3 + 1) and a fault (1), a lamp for a fault.

    A declined return, and one of last year, do not count.
    """
    ada, web = make_customer(), make_channel()
    mug, lamp = make_item(), make_item("LL-LMP-02", "Ember bedside lamp", category="lamps")
    order = make_order(
        ada,
        lines=[make_line(mug, 10), make_line(lamp, 5)],
        channel=web,
        delivered_at=NOON - 10 * DAY,
    )
    mugs, lamps = order.lines

    def back(
        number: int, *lines: ReturnLine, days: float = 2, state: ReturnState = ReturnState.APPROVED
    ) -> Return:
        return Return(
            number=f"RMA-{number:05}",
            order=order,
            customer=ada,
            state=state,
            resolution=Resolution.REFUND,
            policy_version="1",
            decision={},
            refund_minor=2400,
            requested_at=NOON - days * DAY,
            lines=list(lines),
        )

    found = [
        back(1, ReturnLine(order_line=mugs, quantity=3, reason=CHANGED)),
        back(
            2,
            ReturnLine(order_line=mugs, quantity=1, reason=CHANGED),
            ReturnLine(order_line=lamps, quantity=1, reason=FAULTY),
            ReturnLine(order_line=mugs, quantity=1, reason=FAULTY),
        ),
        back(
            3,
            ReturnLine(order_line=mugs, quantity=2, reason=LATE),
            state=ReturnState.DECLINED,
        ),
        back(4, ReturnLine(order_line=mugs, quantity=2, reason=LATE), days=400),
    ]
    with database.write() as session:
        session.add_all(found)
    return database


@pytest.mark.usefixtures("returns")
def test_reasons_are_counted_in_units_most_first_with_the_sum_so_far(ask: Ask) -> None:
    result = ask("returns_by_reason", period="last 30 days")

    assert [tuple(row.values()) for row in rows_of(result)] == [
        ("Changed mind", 4, 66.7, 66.7, 2, 26.7, "Kiln mug, moss"),
        ("Defective", 2, 33.3, 100, 1, 13.3, "Ember bedside lamp"),
    ]
    # of 10 mugs and 5 lamps: 6 now, and 2 that came back a year before they are counted here
    assert result.facts["cohort_rate"] == 53.3
    assert "Of the 15 units delivered in that time 53.3 % came back so far; final on" in result.say
    assert result.say.startswith(
        "**6 units were returned from 22 October 2026 to 20 November 2026;"
    )
    assert result.chart is not None


@pytest.mark.usefixtures("returns")
def test_reasons_of_one_item_or_category(ask: Ask) -> None:
    lamp = ask("returns_by_reason", period="this month", item="bedside lamp")
    ceramics = ask("returns_by_reason", period="this month", item="ceramics")

    assert [(row["reason"], row["units"]) for row in rows_of(lamp)] == [("Defective", 1)]
    assert lamp.say.startswith("**1 unit of Ember bedside lamp was returned in November 2026;")
    assert ceramics.facts["item"] == "ceramics"
    assert sum(row["units"] for row in rows_of(ceramics)) == 5


@pytest.mark.usefixtures("returns")
def test_an_unknown_item_is_said_and_all_are_counted(ask: Ask) -> None:
    result = ask("returns_by_reason", period="this month", item="trampoline")

    assert "I know no item of that name, so these are all items" in result.say
    assert len(rows_of(result)) == 2


def test_a_period_without_returns_has_nought(ask: Ask) -> None:
    result = ask("returns_by_reason", period="yesterday")

    assert result.say == "**0 units were returned on 19 November 2026.**"


def test_a_period_that_is_none_is_refused_with_what_is_understood(ask: Ask) -> None:
    with pytest.raises(InvalidInputError, match="I do not know the period 'the good old days'"):
        ask("returns_by_reason", period="the good old days")


@pytest.fixture
def sales(database: Database) -> Database:
    """Two orders in September for 48.00, one in October for 96.00, delivered after four days."""
    ada, web, mug = make_customer(), make_channel(), make_item()
    placed = [NOON - 75 * DAY, NOON - 70 * DAY, NOON - 40 * DAY]
    orders = [
        make_order(
            ada,
            f"#{5000 + index}",
            lines=[make_line(mug, quantity)],
            channel=web,
            placed_at=moment,
            delivered_at=moment + 4 * DAY,
        )
        for index, (moment, quantity) in enumerate(zip(placed, (1, 1, 4), strict=True))
    ]
    with database.write() as session:
        session.add_all(orders)
    return database


@pytest.mark.usefixtures("sales")
def test_a_measure_says_its_value_the_change_and_what_it_means(ask: Ask) -> None:
    result = ask("query_metric", metric="revenue", period="2026-10", compare="true")

    assert result.say.splitlines()[0] == "**€96.00 revenue in October 2026 (1 order).**"
    assert "September 2026: €48.00 (+100 %)" in result.say
    assert "Value of the goods ordered in the period" in result.say
    assert rows_of(result) == [
        {"group": "October 2026", "revenue": 96.0, "revenue_before": 48.0, "n": 1}
    ]
    assert result.chart is None


@pytest.mark.usefixtures("sales")
def test_a_measure_over_time_is_a_line_and_over_places_a_bar(ask: Ask) -> None:
    months = ask("query_metric", metric="orders", period="this year", by="by_month")
    places = ask("query_metric", metric="orders", period="this year", by="by_country")

    assert [row["orders"] for row in rows_of(months)][-3:] == [2, 1, 0]
    assert months.chart is not None
    assert months.chart.kind == "line"
    assert rows_of(places) == [{"group": "Germany", "orders": 3}]
    assert places.chart is None


@pytest.mark.usefixtures("sales")
def test_a_cohort_that_may_still_grow_has_no_rate_yet(ask: Ask) -> None:
    result = ask(
        "query_metric", metric="return_rate", period="2026-09-01 to 2026-10-31", by="by_month"
    )

    september, october = rows_of(result)
    assert (september["return_rate"], september["so_far"]) == (0, None)
    assert (october["return_rate"], october["so_far"]) == (None, 0)
    assert "Not final before 16 December 2026" in result.say


def test_a_measure_of_nothing_says_so(ask: Ask) -> None:
    result = ask("query_metric", metric="otif", period="last month")

    assert result.say.startswith("**0 orders due in October 2026: there is no on time in full.**")


def test_only_the_defined_measures_can_be_asked_for(ask: Ask) -> None:
    with pytest.raises(InvalidInputError, match=r"There is no measure 'luck'\. There are revenue,"):
        ask("query_metric", metric="luck")
    with pytest.raises(InvalidInputError, match="by"):
        ask("query_metric", metric="revenue", by="by_moon")
    with pytest.raises(InvalidInputError, match="Revenue is not known by carrier"):
        ask("query_metric", metric="revenue", by="by_carrier")
