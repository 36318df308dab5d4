"""Rules of the records that need no database."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.commerce import orders, returns
from opsbot.commerce.numbers import NumberKind, written_number
from opsbot.commerce.orders import OrderState, cancellation_value, sources_of
from opsbot.commerce.payments import (
    PaymentKind,
    PaymentStatus,
    in_proportion,
    payment_status,
    refundable,
)
from opsbot.commerce.returns import ReturnState
from opsbot.commerce.shipments import ShipmentState, TrackingEvent, dedupe_key, fold
from opsbot.staff import Role, make_staff
from tests.factories import NOON, make_line, make_order, make_payment

STATUSES = st.sampled_from(ShipmentState)


def make_event(status: ShipmentState, hour: int, wait: int) -> TrackingEvent:
    at = NOON + timedelta(hours=hour)
    return TrackingEvent(
        status=status,
        message="scan",
        place=None,
        occurred_at=at,
        received_at=at + timedelta(hours=wait),
        dedupe=dedupe_key(status, "scan", None, at),
    )


EVENTS = st.lists(st.builds(make_event, STATUSES, st.integers(0, 9), st.integers(0, 9)))


@given(events=EVENTS, order=st.randoms(use_true_random=False))
def test_the_journey_does_not_depend_on_the_order_of_the_events(
    events: list[TrackingEvent], order: Random
) -> None:
    expected = fold(events, start=ShipmentState.PACKED)

    mixed = [*events, *events]
    order.shuffle(mixed)

    assert fold(mixed, start=ShipmentState.PACKED) == expected


@given(events=EVENTS)
def test_a_delivered_parcel_stays_delivered_or_went_back(events: list[TrackingEvent]) -> None:
    done = make_event(ShipmentState.DELIVERED, 10, 0)
    later = [make_event(event.status, 11 + i, 0) for i, event in enumerate(events)]

    journey = fold([done, *later], start=ShipmentState.PACKED)

    went_back = any(event.status is ShipmentState.RETURNING for event in later)
    assert went_back or journey.state is ShipmentState.DELIVERED
    assert journey.delivered_at == done.occurred_at


def test_a_parcel_without_events_is_where_it_was() -> None:
    journey = fold([], start=ShipmentState.PACKED)

    assert (journey.state, journey.shipped_at, journey.delivered_at) == (
        ShipmentState.PACKED,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("table", "start", "ends"),
    [
        (orders.TRANSITIONS, OrderState.PENDING, {OrderState.COMPLETED, OrderState.CANCELLED}),
        (
            returns.TRANSITIONS,
            ReturnState.REQUESTED,
            {ReturnState.RESOLVED, *returns.ENDED_EARLY},
        ),
    ],
    ids=["orders", "returns"],
)
def test_every_state_can_be_reached_and_left(
    table: dict[str, frozenset[str]], start: str, ends: set[str]
) -> None:
    reached, fresh = {start}, {start}
    while fresh:
        fresh = {after for state in fresh for after in table[state]} - reached
        reached |= fresh

    assert reached == set(table)
    assert {state for state, after in table.items() if not after} == ends


def test_what_is_packed_cannot_be_cancelled() -> None:
    assert set(sources_of(OrderState.CANCELLED)) == {OrderState.PENDING, OrderState.CONFIRMED}


@given(
    quantity=st.integers(1, 9),
    price=st.integers(1, 99_999),
    percent=st.integers(0, 100),
    first=st.integers(0, 9),
)
def test_cancelling_in_two_steps_gives_the_same_money_back(
    quantity: int, price: int, percent: int, first: int
) -> None:
    line = make_line(quantity=quantity, unit_price_minor=price, cancelled=0, id=1)
    line.discount_minor = price * quantity * percent // 100
    order = make_order(lines=[line])
    order.total_minor = price * quantity - line.discount_minor + 490
    units = min(first, quantity)

    back = cancellation_value(order, {1: units})
    line.cancelled = units
    rest = cancellation_value(order, {1: quantity - units}) if units < quantity else 0

    assert back + rest == order.total_minor


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([], PaymentStatus.NOT_PAID),
        ([("authorization", 100)], PaymentStatus.AUTHORIZED),
        ([("authorization", 100), ("void", 100)], PaymentStatus.VOIDED),
        ([("capture", 40)], PaymentStatus.PARTIALLY_PAID),
        ([("capture", 100)], PaymentStatus.PAID),
        ([("capture", 100), ("refund", 30)], PaymentStatus.PARTIALLY_REFUNDED),
        ([("capture", 100), ("refund", 100)], PaymentStatus.REFUNDED),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_ledger_tells_where_the_money_is(
    kinds: list[tuple[str, int]], expected: PaymentStatus
) -> None:
    ledger = [make_payment(amount, PaymentKind(kind)) for kind, amount in kinds]

    assert payment_status(100, ledger) is expected


def test_an_order_is_paid_when_what_is_left_of_it_is() -> None:
    ledger = [make_payment(60)]

    assert payment_status(100, ledger) is PaymentStatus.PARTIALLY_PAID
    assert payment_status(100, ledger, due_minor=60) is PaymentStatus.PAID


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=5), st.data())
def test_an_amount_is_parted_by_what_each_way_paid(paid: list[int], data: st.DataObject) -> None:
    amount = data.draw(st.integers(1, sum(paid)))
    ways = [(make_payment(one), one) for one in paid]

    parts = {id(way): part for way, part in in_proportion(ways, amount)}

    assert sum(parts.values()) == amount
    for way, still_ours in ways:
        exact = amount * still_ours / sum(paid)
        assert abs(parts.get(id(way), 0) - exact) < 1
        assert parts.get(id(way), 0) <= still_ours


def test_what_was_refunded_cannot_be_refunded_again() -> None:
    ledger = [make_payment(100), make_payment(30, PaymentKind.REFUND)]

    assert refundable(ledger) == 70


def test_numbers_look_as_people_know_them() -> None:
    assert written_number(NumberKind.RETURN, 9) == "RMA-00009"
    assert written_number(NumberKind.ORDER, 1001) == "#1001"
    assert written_number(NumberKind.CUSTOMER, 1001) == "C-1001"


def test_staff_get_the_roles_they_are_given() -> None:
    roles = [Role.AGENT, Role.OPS]

    mara = make_staff(email="MARA@x.example", name="Mara", password="0123456789", roles=roles)  # noqa: S106  (a test's)

    assert (mara.email, mara.roles) == ("mara@x.example", ["agent", "ops"])
