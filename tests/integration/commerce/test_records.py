"""Numbers, stock, money, returns, cases and staff: what each function refuses and leaves behind."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.commerce import inventory, payments, reservations
from opsbot.commerce.cases import CaseKind, CaseState, open_case
from opsbot.commerce.inventory import MoveReason, StockMove
from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.orders import Order, OrderState, find_order
from opsbot.commerce.payments import PaymentKind, refund, void
from opsbot.commerce.records import change_state
from opsbot.commerce.return_steps import open_return, receive_return, resolve_return
from opsbot.commerce.returns import (
    Resolution,
    Return,
    ReturnReason,
    ReturnState,
    Units,
    find_return,
    returned_or_open,
)
from opsbot.db import Database
from opsbot.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    OpsbotError,
    StaleError,
)
from opsbot.staff import Role, check_password, find_staff, make_staff
from tests.factories import (
    NOON,
    make_item,
    make_line,
    make_location,
    make_order,
    make_payment,
)

MUG = "LL-MUG-01-MOS"


def at_once(attempt: Callable[[int], object], times: int = 4) -> list[object]:
    """Run `attempt` in threads; None stands for one that was refused."""

    def guarded(count: int) -> object:
        try:
            return attempt(count)
        except OpsbotError:
            return None

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(guarded, range(times)))


def put(session: Session, quantity: int, *, sellable: bool = True, code: str = "BER") -> int:
    """Put mugs on a new location's shelf; return its id."""
    place = make_location(code, sellable=sellable)
    session.add(place)
    session.flush()
    move(session, place.id, quantity)
    return place.id


def move(session: Session, place: int, quantity: int) -> None:
    inventory.move(
        session,
        MUG,
        place,
        quantity,
        reason=MoveReason.ADJUST,
        reference="test",
        actor="test",
        at=NOON,
    )


def come_back(session: Session, order: Order, quantity: int, **values: int) -> Return:
    return open_return(
        session,
        order,
        [Units(values.get("line", order.lines[0].id), quantity, ReturnReason.CHANGED_MIND)],
        state=ReturnState.APPROVED,
        resolution=Resolution.REFUND,
        refund_minor=values.get("refund_minor", 2400),
        policy_version="2026-11-01",
        decision={"clause": "returns.window"},
        deadline=NOON + timedelta(days=21),
        actor="customer:1",
        now=NOON,
    )


def test_numbers_count_up_by_kind(database: Database) -> None:
    with database.write() as session:
        numbers = [next_number(session, kind) for kind in (*NumberKind, NumberKind.CASE)]

    assert numbers == [
        "C-1001",
        "#1001",
        "RMA-00001",
        "CS-00001",
        "PO-00001",
        "WO-00001",
        "LOT-00001",
        "ADJ-00001",
        "WD-00001",
        "CS-00002",
    ]


def test_a_number_is_given_out_once(database: Database) -> None:
    def take(_count: int) -> str:
        with database.write() as session:
            return next_number(session, NumberKind.RETURN)

    assert sorted(map(str, at_once(take, 6))) == [f"RMA-0000{n}" for n in range(1, 7)]


def test_only_sellable_locations_count_for_customers(database: Database) -> None:
    with database.write() as session:
        session.add(make_item())
        put(session, 5)
        put(session, 7, sellable=False, code="RET")

        assert inventory.available(session, MUG) == 5
        assert inventory.available(session, "no such item") == 0
        levels = {level.location.code: level.on_hand for level in inventory.levels_of(session, MUG)}
        assert levels == {"BER": 5, "RET": 7}


def test_stock_that_is_not_there_cannot_leave(database: Database) -> None:
    with database.write() as session:
        session.add(make_item())
        place = put(session, 5)

    with pytest.raises(ConflictError, match="not enough free stock"), database.write() as session:
        move(session, place, -6)

    with database.read() as session:
        assert session.scalars(sa.select(StockMove.quantity)).all() == [5]


def test_the_last_unit_is_reserved_once(database: Database) -> None:
    with database.write() as session:
        order = make_order(lines=[make_line(quantity=4)])
        session.add(order)
        session.flush()
        put(session, 1)
        line = order.lines[0].id

    def reserve(_count: int) -> int:
        with database.write() as session:
            return len(reservations.reserve(session, MUG, 1, order_line_id=line, at=NOON))

    outcomes = at_once(reserve)

    assert sorted(outcomes, key=str) == [1, None, None, None]


def test_a_reservation_may_lie_at_two_locations(database: Database) -> None:
    with database.write() as session:
        order = make_order(lines=[make_line(quantity=6)])
        session.add(order)
        session.flush()
        put(session, 4)
        put(session, 3, code="STO")

        held = reservations.reserve(session, MUG, 6, order_line_id=order.lines[0].id, at=NOON)

        assert [part.quantity for part in held] == [4, 2]
        assert inventory.available(session, MUG) == 1
        assert reservations.release(session, order.lines[0].id, 5) == 5
        assert inventory.available(session, MUG) == 6


def test_no_more_is_refunded_than_was_paid_even_at_once(database: Database) -> None:
    with database.write() as session:
        session.add(make_order())

    def give_back(count: int) -> int:
        with database.write() as session:
            order = find_order(session, "1001", customer_id=None)
            [line] = refund(session, order, 1000, reference=f"R{count}", now=NOON)
            return line.amount_minor

    outcomes = at_once(give_back)

    with database.read() as session:
        left = payments.refundable(payments.payments_of(session, 1))
    assert sorted(outcomes, key=str) == [1000, 1000, None, None]
    assert left == 890


def test_an_authorization_is_voided_once(database: Database) -> None:
    with database.write() as session:
        order = make_order(paid=False)
        order.payments = [make_payment(order.total_minor, PaymentKind.AUTHORIZATION)]
        session.add(order)
        session.flush()

        first = void(session, order, reference="x", now=NOON)
        second = void(session, order, reference="x", now=NOON)

        assert [line.amount_minor for line in first] == [order.total_minor]
        assert second == []


def test_a_return_goes_from_request_to_refund(database: Database) -> None:
    with database.write() as session:
        session.add(make_order(lines=[make_line(quantity=3)], delivered_at=NOON))
        bench = put(session, 1, sellable=False, code="RET")
        order = find_order(session, "1001", customer_id=1)

        number = come_back(session, order, 2).number
        opened = find_return(session, number.lower(), customer_id=1)
        assert returned_or_open(session, [order.lines[0].id]) == {order.lines[0].id: 2}
        receive_return(session, opened, location_id=bench, actor="staff:1", now=NOON)
        grades = {line.id: "A" for line in opened.lines}
        resolve_return(session, opened, grades=grades, actor="staff:1", now=NOON)

        assert opened.state is ReturnState.RESOLVED
        assert order.lines[0].returned == 2
        assert [level.on_hand for level in inventory.levels_of(session, MUG)] == [3]
        assert payments.refundable(payments.payments_of(session, order.id)) == 7690 - 2400


@pytest.mark.parametrize(
    ("quantity", "line", "error"),
    [
        (4, None, "3 were delivered"),
        (0, None, "Say which units"),
        (1, 99, "Say which units"),
    ],
    ids=["more than delivered", "none", "another order's line"],
)
def test_units_that_were_not_delivered_cannot_come_back(
    database: Database, quantity: int, line: int | None, error: str
) -> None:
    with database.write() as session:
        session.add(make_order(lines=[make_line(quantity=3)], delivered_at=NOON))
        order = find_order(session, "1001", customer_id=1)

        with pytest.raises((ConflictError, InvalidInputError), match=error):
            come_back(session, order, quantity, line=line or order.lines[0].id)


def test_the_same_unit_comes_back_once_even_at_once(database: Database) -> None:
    with database.write() as session:
        session.add(make_order(delivered_at=NOON))

    def ask(_count: int) -> str:
        with database.write() as session:
            order = find_order(session, "1001", customer_id=1)
            return come_back(session, order, 1).number

    numbers = [number for number in at_once(ask) if number]

    assert len(numbers) == 1


def test_another_customers_return_looks_like_none(database: Database) -> None:
    with database.write() as session:
        session.add(make_order(delivered_at=NOON))
        number = come_back(session, find_order(session, "1001", customer_id=1), 1).number

        with pytest.raises(NotFoundError, match=f"I could not find return {number}"):
            find_return(session, number, customer_id=2)
        assert find_return(session, number, customer_id=None).order.number == "#1001"


def test_a_case_says_by_when_somebody_answers(database: Database) -> None:
    with database.write() as session:
        case = open_case(
            session,
            CaseKind.DELIVERY,
            subject="Where is it?",
            summary="The parcel is late.",
            contact_email="eve@example.com",
            actor="anonymous",
            now=NOON,
        )

        assert (case.number, case.state) == ("CS-00001", CaseState.NEW)
        # Four hours are left of Friday, the other four are Monday morning.
        assert case.first_response_due == NOON + timedelta(days=3)


def test_a_change_on_old_facts_is_stale(database: Database) -> None:
    with database.write() as session:
        session.add(make_order())
    with database.read() as session:
        seen = find_order(session, "1001", customer_id=1)
    with database.write() as session:
        order = find_order(session, "1001", customer_id=1)
        change_state(session, order, order.state, allowed=[order.state], on_hold=True)

    with database.write() as session:
        session.add(seen)
        with pytest.raises(StaleError, match="a moment ago"):
            change_state(session, seen, OrderState.CANCELLED, allowed=[OrderState.CONFIRMED])


def test_staff_prove_who_they_are(database: Database) -> None:
    with database.write() as session:
        session.add(
            make_staff(
                email=" Mara@lumenandloom.example ",
                name="Mara",
                password="correct horse battery",  # noqa: S106  (of the test's own staff)
                roles=[Role.AGENT],
            )
        )

    with database.write() as session:
        mara = find_staff(session, "MARA@lumenandloom.example")
        assert check_password(mara, "correct horse battery")
        assert not check_password(mara, "Correct horse battery")
        assert mara.has_role("agent", "manager")
        assert not mara.has_role("manager")
        assert mara.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        mara.active = False

    assert not check_password(mara, "correct horse battery")
    with database.read() as session, pytest.raises(NotFoundError):
        find_staff(session, "mara@lumenandloom.example")
