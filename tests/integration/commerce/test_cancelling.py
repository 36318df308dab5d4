"""Cancelling: stock is free again, money goes back, and packing at the same time cannot win too."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce import inventory, payments
from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.orders import (
    Order,
    OrderState,
    cancel_order,
    change_address,
    confirm_order,
    find_order,
    orders_of,
)
from opsbot.commerce.payments import PaymentKind, PaymentStatus, payment_status
from opsbot.commerce.records import History
from opsbot.commerce.shipments import pack_order
from opsbot.db import Database
from opsbot.errors import ConflictError, InvalidInputError, NotFoundError
from tests.factories import (
    BERLIN,
    NOON,
    make_customer,
    make_item,
    make_line,
    make_location,
    make_order,
    make_payment,
)

MUG = "LL-MUG-01-MOS"


def store_order(session: Session, *, quantity: int = 3, captured: bool = True) -> Order:
    """Store ten mugs and a confirmed order of some of them."""
    line = make_line(quantity=quantity)
    order = make_order(lines=[line], state=OrderState.PENDING, paid=False)
    kind = PaymentKind.CAPTURE if captured else PaymentKind.AUTHORIZATION
    order.payments = [make_payment(order.total_minor, kind)]
    warehouse = make_location()
    session.add_all([order, warehouse])
    session.flush()
    inventory.move(
        session,
        MUG,
        warehouse.id,
        10,
        reason=MoveReason.OPENING,
        reference="opening",
        actor="system",
        at=NOON,
    )
    found = find_order(session, order.number, customer_id=order.customer_id)
    confirm_order(session, found, actor="system", now=NOON)
    return found


def test_cancelling_frees_the_stock_and_gives_the_money_back(database: Database) -> None:
    with database.write() as session:
        order = store_order(session)
        assert inventory.available(session, MUG) == 7

        refunded = cancel_order(session, order, reason="too late", actor="customer:1", now=NOON)

        assert refunded == order.total_minor
        assert order.state is OrderState.CANCELLED
        assert inventory.available(session, MUG) == 10
        ledger = payments.payments_of(session, order.id)
        assert payment_status(order.total_minor, ledger) is PaymentStatus.REFUNDED
        events = session.scalars(select(History.event)).all()
        assert events == ["order_confirmed", "order_cancelled"]


def test_an_order_that_was_only_authorized_is_voided(database: Database) -> None:
    with database.write() as session:
        order = store_order(session, captured=False)

        refunded = cancel_order(session, order, reason="too late", actor="customer:1", now=NOON)

        ledger = payments.payments_of(session, order.id)
        assert refunded == 0
        assert payment_status(order.total_minor, ledger) is PaymentStatus.VOIDED


def test_some_units_can_be_cancelled_and_the_rest_later(database: Database) -> None:
    with database.write() as session:
        order = store_order(session)
        key = order.lines[0].id

        first = cancel_order(
            session, order, lines={key: 1}, reason="one less", actor="customer:1", now=NOON
        )
        assert (first, order.state, inventory.available(session, MUG)) == (
            2400,
            OrderState.CONFIRMED,
            8,
        )
        rest = cancel_order(session, order, reason="all", actor="customer:1", now=NOON)

        assert first + rest == order.total_minor
        assert order.state is OrderState.CANCELLED


def test_cancelling_twice_is_refused(database: Database) -> None:
    with database.write() as session:
        order = store_order(session)
        cancel_order(session, order, reason="once", actor="customer:1", now=NOON)

        with pytest.raises(ConflictError, match="is cancelled"):
            cancel_order(session, order, reason="twice", actor="customer:1", now=NOON)


@pytest.mark.parametrize(
    "units", [{1: 4}, {1: -1}, {99: 1}], ids=["too many", "negative", "another line"]
)
def test_units_that_are_not_there_cannot_be_cancelled(
    database: Database, units: dict[int, int]
) -> None:
    with database.write() as session:
        order = store_order(session)

        with pytest.raises(ConflictError, match="does not have that many units"):
            cancel_order(session, order, lines=units, reason="x", actor="customer:1", now=NOON)


def test_of_cancelling_and_packing_at_once_exactly_one_wins(database: Database) -> None:
    with database.write() as session:
        number = store_order(session).number
    start = Barrier(2)

    def cancel(session: Session, order: Order) -> None:
        cancel_order(session, order, reason="race", actor="customer:1", now=NOON)

    def pack(session: Session, order: Order) -> None:
        pack_order(
            session,
            order,
            carrier="DHL",
            service="Paket",
            tracking_number="0034",
            cost_minor=490,
            actor="staff:1",
            now=NOON,
        )

    def attempt(act: str) -> str | None:
        start.wait()
        try:
            with database.write() as session:
                order = find_order(session, number, customer_id=None)
                {"cancel": cancel, "pack": pack}[act](session, order)
        except ConflictError:
            return None
        return act

    with ThreadPoolExecutor(2) as pool:
        winners = [act for act in pool.map(attempt, ["cancel", "pack"]) if act]

    with database.read() as session:
        order = find_order(session, number, customer_id=None)
        left = sum(level.on_hand for level in inventory.levels_of(session, MUG))
        held = sum(level.reserved for level in inventory.levels_of(session, MUG))
    expected = {
        "cancel": (OrderState.CANCELLED, 10, 0),
        "pack": (OrderState.IN_FULFILLMENT, 7, 0),
    }
    assert len(winners) == 1
    assert (order.state, left, held) == expected[winners[0]]


def test_the_address_changes_until_the_order_is_packed(database: Database) -> None:
    with database.write() as session:
        order = store_order(session)
        new = {**BERLIN, "line1": "Lindenstraße 4", "postal_code": "10969"}

        change_address(session, order, new, actor="customer:1", now=NOON)
        assert order.ship_to["line1"] == "Lindenstraße 4"
        pack_order(
            session,
            order,
            carrier="DHL",
            service="Paket",
            tracking_number="0034",
            cost_minor=490,
            actor="staff:1",
            now=NOON,
        )

        with pytest.raises(ConflictError, match="is in fulfillment"):
            change_address(session, order, new, actor="customer:1", now=NOON)
        with pytest.raises(InvalidInputError, match="needs city, postal code"):
            change_address(
                session,
                order,
                {"name": "Ada", "line1": "x", "country": "DE"},
                actor="customer:1",
                now=NOON,
            )


@pytest.mark.parametrize("text", ["1001", "#1001", "order 1001", "Order #1001", " no. 1001! "])
def test_an_order_is_found_by_the_ways_people_write_it(database: Database, text: str) -> None:
    with database.write() as session:
        session.add(make_order())

    with database.read() as session:
        order = find_order(session, text, customer_id=1)

        assert order.number == "#1001"
        assert order.lines[0].item.title == "Kiln mug, moss"
        assert order.channel.code == "web"


def test_another_customers_order_looks_like_one_that_does_not_exist(database: Database) -> None:
    with database.write() as session:
        session.add(make_order())
        session.add(make_customer("Eve", "eve@example.com", "C-1002"))

    with database.read() as session:
        with pytest.raises(NotFoundError, match=r"^I could not find order #1001\.$"):
            find_order(session, "1001", customer_id=2)
        with pytest.raises(NotFoundError, match=r"^I could not find order #9999\.$"):
            find_order(session, "9999", customer_id=2)
        assert orders_of(session, 2) == []
        assert [order.number for order in orders_of(session, 1)] == ["#1001"]


@pytest.mark.parametrize("text", ["", "my lamp", "1001 and 1002", "1" * 400], ids=repr)
def test_words_that_are_no_order_number_find_nothing(database: Database, text: str) -> None:
    with database.read() as session, pytest.raises(NotFoundError):
        find_order(session, text, customer_id=None)


def test_latest_orders_come_first(database: Database) -> None:
    with database.write() as session:
        ada, channel, item = make_customer(), make_order().channel, make_item()
        for day in (1, 3, 2):
            session.add(
                make_order(
                    ada,
                    f"#100{day}",
                    lines=[make_line(item)],
                    channel=channel,
                    placed_at=NOON.replace(day=day),
                )
            )

    with database.read() as session:
        assert [o.number for o in orders_of(session, 1, limit=2)] == ["#1003", "#1002"]
