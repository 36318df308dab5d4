"""Late orders and parcels, one for each reason."""

from datetime import datetime
from typing import Any

import pytest

from opsbot.commerce.orders import Order, OrderState
from opsbot.commerce.reservations import Reservation
from opsbot.commerce.shipments import NeededAction, Shipment, ShipmentState, TrackingEvent
from opsbot.db import Database
from opsbot.errors import InvalidInputError
from tests.factories import (
    DAY,
    NOON,
    make_channel,
    make_customer,
    make_item,
    make_line,
    make_location,
    make_order,
    make_shipment,
)
from tests.integration.staff_tools.conftest import Ask, rows_of


@pytest.fixture
def late_shop(database: Database) -> Database:
    """Orders promised to leave two to six days ago, and one that is in time."""
    ada, web, mug, shelf = make_customer(), make_channel(), make_item(), make_location()

    def order(number: int, days_late: float, **values: Any) -> Order:
        return make_order(
            ada,
            f"#{number}",
            lines=[make_line(mug, 2)],
            channel=web,
            placed_at=NOON - (days_late + 2) * DAY,
            **values,
        )

    orders = [
        order(3001, 6, on_hold=True, hold_reason="the address is being checked"),
        order(3002, 5, state=OrderState.PENDING, paid=False),
        order(3003, 4, state=OrderState.IN_FULFILLMENT),
        order(3004, 3),
        order(3005, 2),
        order(3006, -1),
        order(3007, 7, state=OrderState.CANCELLED),
        order(3008, -0.2),
    ]
    with database.write() as session:
        session.add_all([*orders, shelf])
        session.flush()
        for index, held in ((3, 1), (4, 2), (5, 2), (7, 2)):
            line = orders[index].lines[0]
            session.add(
                Reservation(
                    sku=mug.sku,
                    location_id=shelf.id,
                    order_line_id=line.id,
                    quantity=held,
                    created_at=NOON,
                )
            )
    return database


@pytest.mark.usefixtures("late_shop")
def test_late_orders_stand_by_age_with_the_reason_why_they_wait(ask: Ask) -> None:
    result = ask("late_orders")

    assert [(row["number"], row["days"], row["reason"]) for row in rows_of(result)] == [
        ("#3001", 6, "on hold: the address is being checked"),
        ("#3002", 5, "not paid yet"),
        ("#3003", 4, "packed, waits for the carrier"),
        ("#3004", 3, "not in stock: 1 x Kiln mug, moss"),
        ("#3005", 2, "ready, waits to be packed"),
    ]
    assert result.say.startswith(
        "**5 orders are past their ship date, the oldest, #3001, by 6 days.**"
    )
    assert "1 more order must leave today" in result.say


def test_without_late_orders_the_answer_is_nought(ask: Ask) -> None:
    result = ask("late_orders")

    assert result.say == "**0 orders are past their ship date.**"
    assert result.table is None


def add_parcels(database: Database) -> None:
    """Add parcels in every trouble, and three in none."""
    ada, web, mug = make_customer(), make_channel(), make_item()

    def parcel(
        tracking: str,
        state: ShipmentState,
        scanned: datetime,
        promised: datetime,
        needs: NeededAction | None = None,
    ) -> Shipment:
        order = make_order(
            ada,
            f"#4{tracking}",
            lines=[make_line(mug)],
            channel=web,
            placed_at=NOON - 12 * DAY,
            state=OrderState.IN_FULFILLMENT,
        )
        scan = TrackingEvent(
            status=state,
            message="Scanned.",
            occurred_at=scanned,
            received_at=scanned,
            dedupe=tracking,
        )
        return make_shipment(
            order,
            tracking,
            state=state,
            needs=needs,
            shipped_at=NOON - 10 * DAY,
            promised_by=promised,
            events=[scan],
        )

    soon, past, fresh = NOON + DAY, NOON - DAY, NOON - DAY / 2
    on_the_way = ShipmentState.IN_TRANSIT
    parcels = [
        parcel("001", on_the_way, NOON - 5 * DAY, soon),
        parcel("002", on_the_way, fresh, past),
        parcel("003", ShipmentState.ATTEMPT_FAILED, fresh, soon),
        parcel("004", ShipmentState.READY_FOR_PICKUP, NOON - 6 * DAY, past),
        parcel("005", ShipmentState.RETURNING, NOON - 9 * DAY, past),
        parcel("006", on_the_way, fresh, soon),
        parcel("007", ShipmentState.DELIVERED, NOON - 9 * DAY, past),
        parcel("008", ShipmentState.READY_FOR_PICKUP, NOON - 6 * DAY, soon),
        parcel("009", on_the_way, fresh, soon, NeededAction.DOCUMENTS),
    ]
    with database.write() as session:
        session.add_all(parcels)


def test_parcels_that_need_a_look_say_why(database: Database, ask: Ask) -> None:
    add_parcels(database)

    result = ask("late_shipments")

    assert {row["parcel"]: row["why"] for row in rows_of(result)} == {
        "005": "coming back to us; no scan for 9 days; past the promised day",
        "004": "waits at the parcel shop",
        "001": "no scan for 5 days",
        "002": "past the promised day",
        "003": "delivery failed",
        "009": "the carrier waits for papers or facts",
    }
    assert result.say.startswith("**6 parcels need a look: 6 at DHL.**")
    assert rows_of(result)[0]["silent"] == 9


def test_a_parcel_is_silent_from_as_many_days_as_asked(database: Database, ask: Ask) -> None:
    add_parcels(database)

    week = ask("late_shipments", days="a week")

    assert "001" not in {row["parcel"] for row in rows_of(week)}


def test_a_length_of_time_that_is_none_is_refused(ask: Ask) -> None:
    with pytest.raises(InvalidInputError, match="'soon' is no length of time"):
        ask("late_shipments", days="soon")
