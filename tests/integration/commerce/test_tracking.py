"""What carriers report: twice, late and in any order, with one outcome."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from opsbot.commerce.orders import Fulfilment, Order, OrderState, find_order
from opsbot.commerce.records import History
from opsbot.commerce.shipments import (
    NeededAction,
    Shipment,
    ShipmentState,
    record_tracking_event,
    shipments_of,
)
from opsbot.db import Database
from tests.factories import DAY, NOON, make_order, make_shipment

Event = tuple[ShipmentState, int, int]
"""Status, hour it occurred, hours until it was received."""

EVENTS = st.lists(
    st.tuples(st.sampled_from(ShipmentState), st.integers(0, 5), st.integers(0, 3)),
    min_size=1,
    max_size=7,
)


class UndoError(Exception):
    """Ends a transaction that must leave nothing."""


@contextmanager
def scratch(database: Database) -> Iterator[Session]:
    with suppress(UndoError), database.write() as session:
        yield session
        raise UndoError


def report(session: Session, shipment: Shipment, events: list[Event]) -> None:
    for status, hour, wait in events:
        occurred = NOON + timedelta(hours=hour)
        record_tracking_event(
            session,
            shipment,
            status=status,
            message="scan",
            place=None,
            occurred_at=occurred,
            received_at=occurred + timedelta(hours=wait),
        )


def outcome(session: Session, number: str) -> tuple[object, ...]:
    order = find_order(session, number, customer_id=None)
    (parcel,) = shipments_of(session, order.id)
    lines = [(line.shipped, line.delivered) for line in order.lines]
    return (
        parcel.state,
        parcel.shipped_at,
        parcel.delivered_at,
        order.state,
        order.delivered_at,
        lines,
    )


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=EVENTS, shuffle=st.randoms(use_true_random=False))
def test_events_in_any_order_and_twice_have_one_outcome(
    database: Database, events: list[Event], shuffle: Random
) -> None:
    mixed = events + events[: len(events) // 2 + 1]
    shuffle.shuffle(mixed)

    with scratch(database) as session:
        first = make_order(number="#1001", state=OrderState.IN_FULFILLMENT)
        second = make_order(
            first.customer,
            "#1002",
            lines=[type(line)(**copy_of(line)) for line in first.lines],
            channel=first.channel,
            state=OrderState.IN_FULFILLMENT,
        )
        parcels = make_shipment(first, "A"), make_shipment(second, "B")
        session.add_all(parcels)
        session.flush()
        report(session, parcels[0], events)
        report(session, parcels[1], mixed)

        assert outcome(session, "#1001") == outcome(session, "#1002")


def copy_of(line: object) -> dict[str, object]:
    names = ("item", "title", "unit_price_minor", "quantity")
    return {name: getattr(line, name) for name in names}


def store_parcel(session: Session) -> tuple[Order, Shipment]:
    order = make_order(state=OrderState.IN_FULFILLMENT)
    parcel = make_shipment(order)
    session.add(parcel)
    session.flush()
    return order, parcel


def test_a_delivery_completes_the_order(database: Database) -> None:
    with database.write() as session:
        order, parcel = store_parcel(session)

        report(
            session,
            parcel,
            [(ShipmentState.IN_TRANSIT, 0, 0), (ShipmentState.DELIVERED, 3, 1)],
        )

        assert order.state is OrderState.COMPLETED
        assert order.fulfilment is Fulfilment.DELIVERED
        assert order.delivered_at == NOON + timedelta(hours=3)
        assert parcel.shipped_at == NOON
        events = session.scalars(select(History.event).order_by(History.id)).all()
        assert events == ["parcel_moved", "parcel_moved", "order_delivered"]


def test_an_older_event_that_comes_late_does_not_undo_the_delivery(database: Database) -> None:
    with database.write() as session:
        order, parcel = store_parcel(session)
        report(session, parcel, [(ShipmentState.DELIVERED, 5, 0)])

        report(session, parcel, [(ShipmentState.OUT_FOR_DELIVERY, 2, 9)])

        assert parcel.state is ShipmentState.DELIVERED
        assert parcel.shipped_at == NOON + timedelta(hours=2)
        assert order.state is OrderState.COMPLETED


def test_only_going_back_follows_a_delivery(database: Database) -> None:
    with database.write() as session:
        _, parcel = store_parcel(session)

        report(session, parcel, [(ShipmentState.DELIVERED, 1, 0), (ShipmentState.IN_TRANSIT, 2, 0)])
        before = parcel.state
        report(session, parcel, [(ShipmentState.RETURNING, 3, 0)])

        assert [before, parcel.state] == [ShipmentState.DELIVERED, ShipmentState.RETURNING]
        assert parcel.delivered_at == NOON + timedelta(hours=1)


def test_an_event_that_is_known_says_so(database: Database) -> None:
    with database.write() as session:
        _, parcel = store_parcel(session)

        new = [
            record_tracking_event(
                session,
                parcel,
                status=ShipmentState.IN_TRANSIT,
                message="scan",
                place="Leipzig",
                occurred_at=NOON,
                received_at=NOON + DAY,
            )
            for _ in range(2)
        ]

        assert new == [True, False]


def test_what_a_carrier_waits_for_holds_until_it_goes_on(database: Database) -> None:
    with database.write() as session:
        _, parcel = store_parcel(session)

        def tell(
            status: ShipmentState, hours: int, needs: NeededAction | None = None
        ) -> NeededAction | None:
            record_tracking_event(
                session,
                parcel,
                status=status,
                message="scan",
                place=None,
                occurred_at=NOON + timedelta(hours=hours),
                received_at=NOON + DAY,
                needs=needs,
            )
            return parcel.needs

        assert tell(ShipmentState.IN_TRANSIT, 1) is None
        assert tell(ShipmentState.DELAYED, 3, NeededAction.FEES) is NeededAction.FEES
        assert tell(ShipmentState.IN_TRANSIT, 2) is NeededAction.FEES
        assert tell(ShipmentState.DELAYED, 3) is NeededAction.FEES  # the same scan, told with less
        assert tell(ShipmentState.IN_TRANSIT, 4) is None
        assert tell(ShipmentState.DELAYED, 5, NeededAction.ADDRESS) is NeededAction.ADDRESS
        assert tell(ShipmentState.DELIVERED, 6, NeededAction.CONTACT) is None
        found = select(History.detail).where(History.event == "action_needed")
        asked = [detail["needs"] for detail in session.scalars(found.order_by(History.id))]
    assert asked == ["fees", "address"]


def test_an_order_in_two_parcels_is_complete_when_both_arrived(database: Database) -> None:
    with database.write() as session:
        order = make_order(state=OrderState.IN_FULFILLMENT)
        order.lines[0].quantity = 2
        first, second = make_shipment(order, "A"), make_shipment(order, "B")
        for parcel in (first, second):
            parcel.lines[0].quantity = 1
        session.add_all([first, second])
        session.flush()

        report(session, first, [(ShipmentState.DELIVERED, 1, 0)])
        assert (order.state, order.fulfilment) == (OrderState.IN_FULFILLMENT, Fulfilment.PARTIAL)
        report(session, second, [(ShipmentState.DELIVERED, 2, 0)])

        assert order.state is OrderState.COMPLETED
        assert order.delivered_at == NOON + timedelta(hours=2)


def test_parcels_come_with_their_events_in_order(database: Database) -> None:
    with database.write() as session:
        _, parcel = store_parcel(session)
        report(session, parcel, [(ShipmentState.DELIVERED, 5, 0), (ShipmentState.IN_TRANSIT, 1, 0)])

    with database.read() as session:
        (found,) = shipments_of(session, 1)
        statuses = [event.status for event in found.events]
        stored = session.scalars(select(Shipment).options(selectinload(Shipment.lines))).one()

    assert statuses == [ShipmentState.IN_TRANSIT, ShipmentState.DELIVERED]
    assert stored.lines[0].quantity == 1
