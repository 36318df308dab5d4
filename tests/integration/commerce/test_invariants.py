"""Whatever the shop does, in whatever order, its records stay consistent."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from opsbot.commerce import inventory
from opsbot.commerce.customers import Customer
from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.orders import (
    TRANSITIONS,
    Order,
    OrderLine,
    OrderState,
    amount_due,
    cancel_order,
    confirm_order,
    find_order,
)
from opsbot.commerce.payments import payments_of, refundable
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
from opsbot.commerce.shipments import (
    ShipmentState,
    pack_order,
    record_tracking_event,
    shipments_of,
)
from opsbot.db import Database
from opsbot.errors import ConflictError, OpsbotError
from opsbot.toolkit.privacy import anonymise_customer
from tests.factories import (
    DAY,
    NOON,
    make_channel,
    make_customer,
    make_item,
    make_line,
    make_location,
    make_order,
    make_payment,
)
from tests.totals import totals

SKUS = ("LL-MUG-01-MOS", "LL-LMP-01-OAK")
COUNTS = st.integers(1, 4)
PICKS = st.integers(0, 2)
"""Few orders, so that several things happen to the same one."""

REPORTS = st.just(ShipmentState.DELIVERED) | st.sampled_from(ShipmentState)

# Each finds rows that break a rule of the records.
BROKEN = (
    """SELECT 'on hand', l.sku FROM stock_levels l LEFT JOIN stock_moves m
        ON m.sku = l.sku AND m.location_id = l.location_id
       GROUP BY l.sku, l.location_id, l.on_hand HAVING l.on_hand <> COALESCE(SUM(m.quantity), 0)""",
    """SELECT 'reserved', l.sku FROM stock_levels l LEFT JOIN reservations r
        ON r.sku = l.sku AND r.location_id = l.location_id AND r.state = 'active'
       GROUP BY l.sku, l.location_id, l.reserved
       HAVING l.reserved <> COALESCE(SUM(r.quantity), 0)""",
    """SELECT 'held', l.id FROM order_lines l LEFT JOIN reservations r
        ON r.order_line_id = l.id AND r.state = 'active'
       GROUP BY l.id, l.quantity, l.cancelled, l.shipped
       HAVING COALESCE(SUM(r.quantity), 0) > l.quantity - l.cancelled - l.shipped""",
    """SELECT 'transfer', reference FROM stock_moves WHERE reason = 'transfer'
       GROUP BY reference, sku HAVING SUM(quantity) <> 0""",
    """SELECT 'line', id FROM order_lines
       WHERE cancelled + shipped > quantity OR delivered > shipped OR returned > delivered""",
    """SELECT 'money', order_id FROM payments GROUP BY order_id
       HAVING SUM(CASE kind WHEN 'refund' THEN amount_minor ELSE 0 END)
            > SUM(CASE kind WHEN 'capture' THEN amount_minor ELSE 0 END)""",
    """SELECT 'way', order_id, method FROM payments GROUP BY order_id, method
       HAVING SUM(CASE kind WHEN 'refund' THEN amount_minor ELSE 0 END)
            > SUM(CASE kind WHEN 'capture' THEN amount_minor ELSE 0 END)""",
    """SELECT 'returned', l.id FROM order_lines l LEFT JOIN return_lines r
        ON r.order_line_id = l.id
       LEFT JOIN returns t ON t.id = r.return_id AND t.received_at IS NOT NULL
       GROUP BY l.id, l.returned
       HAVING l.returned <> SUM(CASE WHEN t.id IS NULL THEN 0 ELSE r.quantity END)""",
)


class Shop(RuleBasedStateMachine):
    """A shop with two items and two locations, in a transaction that is rolled back."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.connection = database.engine.execution_options(write=True, durable=False).connect()
        self.session = Session(self.connection, expire_on_commit=False)
        self.customer, self.channel = make_customer(), make_channel()
        self.items = [make_item(sku, sku) for sku in SKUS]
        places = [make_location(), make_location("RET", sellable=False)]
        self.session.add_all([self.customer, self.channel, *self.items, *places])
        self.session.flush()
        self.shelf, self.bench = (place.id for place in places)
        for sku in SKUS:
            self.stock_changes(sku, 30)
        self.states: dict[int, OrderState] = {}
        self.count = self.forgotten = 0

    def teardown(self) -> None:
        self.session.close()
        self.connection.close()

    def attempt(self, act: Callable[[], object]) -> None:
        """Do something that may be refused; a refusal changes nothing."""
        try:
            with self.session.begin_nested():
                act()
        except OpsbotError:
            self.session.expire_all()

    def order(self, pick: int) -> Order:
        numbers = self.session.scalars(sa.select(Order.number).order_by(Order.id)).all()
        self.session.expire_all()
        return find_order(self.session, numbers[pick % len(numbers)], customer_id=None)

    def has_orders(self) -> bool:
        return self.count > 0

    @rule(item=st.sampled_from(SKUS), units=st.integers(-12, 12))
    def somebody_counts(self, item: str, units: int) -> None:
        self.stock_changes(item, units)

    def stock_changes(self, item: str, units: int) -> None:
        self.attempt(
            lambda: inventory.move(
                self.session,
                item,
                self.shelf,
                units,
                reason=MoveReason.ADJUST,
                reference="count",
                actor="test",
                at=NOON,
            )
        )

    @rule(item=st.sampled_from(SKUS), units=COUNTS)
    def goods_change_place(self, item: str, units: int) -> None:
        self.attempt(
            lambda: inventory.transfer(
                self.session,
                item,
                units,
                from_id=self.shelf,
                to_id=self.bench,
                reference="shelf",
                actor="test",
                at=NOON,
            )
        )

    @precondition(lambda self: self.count <= 2)
    @rule(quantities=st.tuples(COUNTS, COUNTS))
    def somebody_orders(self, quantities: tuple[int, int]) -> None:
        self.count += 1
        lines = [
            make_line(item, quantity) for item, quantity in zip(self.items, quantities, strict=True)
        ]
        order = make_order(
            self.customer,
            f"#{1000 + self.count}",
            lines=lines,
            channel=self.channel,
            state=OrderState.PENDING,
            paid=False,
        )
        voucher = order.total_minor * self.count // 7
        order.payments = [
            make_payment(order.total_minor - voucher),
            make_payment(voucher, method="voucher"),
        ]
        self.session.add(order)
        self.session.flush()
        self.attempt(lambda: confirm_order(self.session, order, actor="test", now=NOON))

    @precondition(has_orders)
    @rule(pick=PICKS, units=st.tuples(COUNTS | st.just(0), COUNTS | st.just(0)) | st.none())
    def it_is_cancelled(self, pick: int, units: tuple[int, int] | None) -> None:
        """All of it, or some pieces of one item or of both: what they cost goes back."""
        order = self.order(pick)
        keys = [line.id for line in order.lines]
        lines = None if units is None else dict(zip(keys, units, strict=True))
        before = self.kept(order.id)

        def cancel() -> None:
            due = amount_due(order)
            cancel_order(self.session, order, lines=lines, reason="test", actor="test", now=NOON)
            left = 0 if order.state is OrderState.CANCELLED else amount_due(order)
            assert before - self.kept(order.id) == min(before, due - left)

        self.attempt(cancel)

    def kept(self, order_id: int) -> int:
        """Return what of an order's money is still the shop's."""
        return refundable(payments_of(self.session, order_id))

    @precondition(has_orders)
    @rule(pick=PICKS)
    def it_is_packed(self, pick: int) -> None:
        order = self.order(pick)
        self.attempt(
            lambda: pack_order(
                self.session,
                order,
                carrier="DHL",
                service="Paket",
                tracking_number=f"T{order.id}",
                cost_minor=1,
                actor="test",
                now=NOON,
            )
        )

    @precondition(has_orders)
    @rule(pick=PICKS, status=REPORTS, day=st.integers(0, 5))
    def the_carrier_reports(self, pick: int, status: ShipmentState, day: int) -> None:
        for parcel in shipments_of(self.session, self.order(pick).id):
            record_tracking_event(
                self.session,
                parcel,
                status=status,
                message="scan",
                place=None,
                occurred_at=NOON + day * DAY,
                received_at=NOON + 6 * DAY,
            )

    @precondition(has_orders)
    @rule(pick=PICKS, units=COUNTS, steps=st.sampled_from([3, 2, 1]))
    def goods_come_back(self, pick: int, units: int, steps: int) -> None:
        order = self.order(pick)
        line = order.lines[0]

        def come_back() -> None:
            opened = open_return(
                self.session,
                order,
                [Units(line.id, units, ReturnReason.CHANGED_MIND)],
                state=ReturnState.APPROVED,
                resolution=Resolution.REFUND,
                refund_minor=order.total_minor,
                policy_version="1",
                decision={},
                deadline=None,
                actor="test",
                now=NOON,
            )
            self._follow(opened, steps)

        self.attempt(come_back)

    @precondition(has_orders)
    @rule()
    def the_customer_is_forgotten(self) -> None:
        """Allowed once nothing is under way; then no total changes, and somebody else comes."""
        email = self.customer.email
        if self.has_open_orders():
            with pytest.raises(ConflictError), self.session.begin_nested():
                anonymise_customer(self.session, email, actor="test", now=NOON)
            self.session.expire_all()
            return
        before = totals(self.session)
        anonymise_customer(self.session, email, actor="test", now=NOON)
        assert totals(self.session) == before
        assert not self.session.scalar(sa.select(Customer.id).where(Customer.email == email))
        self.forgotten += 1
        self.customer = make_customer(
            email=f"{self.forgotten}@example.com", number=f"C-{2000 + self.forgotten}"
        )
        self.session.add(self.customer)
        self.session.flush()

    def has_open_orders(self) -> bool:
        states = (OrderState.PENDING, OrderState.CONFIRMED, OrderState.IN_FULFILLMENT)
        own = sa.select(Order.id).where(
            Order.customer_id == self.customer.id, Order.state.in_(states)
        )
        return bool(self.session.scalars(own).first())

    def _follow(self, opened: Return, steps: int) -> None:
        found = find_return(self.session, opened.number, customer_id=None)
        if steps > 1:
            receive_return(self.session, found, location_id=self.bench, actor="test", now=NOON)
        if steps > 2:
            grades = {line.id: "A" for line in found.lines}
            resolve_return(self.session, found, grades=grades, actor="test", now=NOON)

    @invariant()
    def no_rule_is_broken(self) -> None:
        self.session.flush()
        for query in BROKEN:
            assert self.session.execute(sa.text(query)).all() == []

    @invariant()
    def nothing_comes_back_that_was_not_delivered(self) -> None:
        for key, delivered in self.session.execute(sa.select(OrderLine.id, OrderLine.delivered)):
            assert returned_or_open(self.session, [key])[key] <= delivered

    @invariant()
    def states_follow_the_table(self) -> None:
        """A rule makes at most two steps: confirmed → in_fulfillment → completed."""
        for key, state in self.session.execute(sa.select(Order.id, Order.state)):
            before = self.states.get(key, state)
            reachable = {before, *TRANSITIONS[before]}
            reachable |= {after for middle in TRANSITIONS[before] for after in TRANSITIONS[middle]}
            assert state in reachable
            self.states[key] = state


def test_the_records_stay_consistent_whatever_happens(database: Database) -> None:
    class ThisShop(Shop):
        def __init__(self) -> None:
            super().__init__(database)

    run_state_machine_as_test(
        ThisShop,
        settings=settings(
            max_examples=10,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
