"""The sample shop is whole: every invariant of the records holds, and the stories are as told."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from opsbot.commerce import inventory, payments
from opsbot.commerce.customers import find_customer
from opsbot.commerce.loyalty import LoyaltyEntry, LoyaltyKind
from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.orders import (
    Fulfilment,
    OrderState,
    cancel_order,
    change_address,
    find_order,
    orders_of,
)
from opsbot.commerce.returns import Return
from opsbot.commerce.shipments import Shipment, ShipmentState, fold, shipments_of
from opsbot.content import content_root
from opsbot.db import Base, Database
from opsbot.demo.load import DemoSummary, load_demo
from opsbot.demo.simulate import simulate
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.migrations.schema import import_records
from opsbot.staff import check_password, find_staff
from opsbot.toolkit.loyalty_rules import take_back_all
from opsbot.toolkit.policy import load_policies
from tests.factories import BERLIN, DAY, NOON, make_order

pytestmark = pytest.mark.slow

PASSWORD = "a long enough password"  # noqa: S105  (of the test's own staff)

# Each finds rows that break a rule; the names are the rules.
BROKEN = {
    "what is on hand is the sum of the moves": """
        SELECT l.sku FROM stock_levels l LEFT JOIN stock_moves m
            ON m.sku = l.sku AND m.location_id = l.location_id
        GROUP BY l.sku, l.location_id, l.on_hand
        HAVING l.on_hand <> COALESCE(SUM(m.quantity), 0)""",
    "every move has a level": """
        SELECT m.sku FROM stock_moves m LEFT JOIN stock_levels l
            ON m.sku = l.sku AND m.location_id = l.location_id WHERE l.sku IS NULL""",
    "what is reserved is the sum of the active reservations": """
        SELECT l.sku FROM stock_levels l LEFT JOIN reservations r
            ON r.sku = l.sku AND r.location_id = l.location_id AND r.state = 'active'
        GROUP BY l.sku, l.location_id, l.reserved
        HAVING l.reserved <> COALESCE(SUM(r.quantity), 0)""",
    "a line reserves what is still to be packed": """
        SELECT l.id FROM order_lines l JOIN orders o ON o.id = l.order_id
            LEFT JOIN reservations r ON r.order_line_id = l.id AND r.state = 'active'
        WHERE o.state = 'confirmed'
        GROUP BY l.id, l.quantity, l.cancelled
        HAVING COALESCE(SUM(r.quantity), 0) <> l.quantity - l.cancelled""",
    "a transfer sums to zero": """
        SELECT reference, sku FROM stock_moves WHERE reason = 'transfer'
        GROUP BY reference, sku HAVING SUM(quantity) <> 0""",
    "refunds are not more than captures": """
        SELECT order_id FROM payments GROUP BY order_id
        HAVING SUM(CASE kind WHEN 'refund' THEN amount_minor ELSE 0 END)
             > SUM(CASE kind WHEN 'capture' THEN amount_minor ELSE 0 END)""",
    "totals add up": """
        SELECT o.id FROM orders o JOIN order_lines l ON l.order_id = o.id
        GROUP BY o.id, o.items_minor, o.discount_minor, o.shipping_minor, o.total_minor
        HAVING o.items_minor <> SUM(l.unit_price_minor * l.quantity)
            OR o.discount_minor <> SUM(l.discount_minor)
            OR o.total_minor <> o.items_minor - o.discount_minor + o.shipping_minor""",
    "a completed order is delivered, and only that": """
        SELECT id FROM orders WHERE (state = 'completed') <> (delivered_at IS NOT NULL)""",
    "a cancelled order says when and why": """
        SELECT id FROM orders WHERE (state = 'cancelled') <> (cancelled_at IS NOT NULL)
            OR (state = 'cancelled') <> (cancel_reason IS NOT NULL)""",
    "a cancelled order keeps no money and sends nothing": """
        SELECT o.id FROM orders o JOIN order_lines l ON l.order_id = o.id
        WHERE o.state = 'cancelled' AND (l.cancelled <> l.quantity OR l.shipped > 0 OR
            (SELECT COALESCE(SUM(CASE kind WHEN 'capture' THEN amount_minor
                WHEN 'refund' THEN -amount_minor ELSE 0 END), 0)
             FROM payments p WHERE p.order_id = o.id) <> 0)""",
    "a delivered parcel has a scan that says so": """
        SELECT s.id FROM shipments s WHERE (s.delivered_at IS NOT NULL) <> EXISTS (
            SELECT 1 FROM tracking_events e
            WHERE e.shipment_id = s.id AND e.status = 'delivered')""",
    "what was shipped is what parcels that left hold": """
        SELECT l.id FROM order_lines l JOIN orders o ON o.id = l.order_id
            JOIN sales_channels c ON c.id = o.channel_id AND c.kind <> 'own_store'
            LEFT JOIN shipment_lines p ON p.order_line_id = l.id
            LEFT JOIN shipments s ON s.id = p.shipment_id
        GROUP BY l.id, l.shipped, l.delivered
        HAVING l.shipped <> SUM(CASE WHEN s.shipped_at IS NULL THEN 0 ELSE p.quantity END)
            OR l.delivered <> SUM(CASE WHEN s.delivered_at IS NULL THEN 0 ELSE p.quantity END)""",
    "what is packed has left the shelf": """
        SELECT o.number FROM orders o
        WHERE (SELECT COALESCE(SUM(p.quantity), 0) FROM shipment_lines p JOIN shipments s
                ON s.id = p.shipment_id WHERE s.order_id = o.id)
           <> (SELECT COALESCE(-SUM(m.quantity), 0) FROM stock_moves m
                WHERE m.reference = o.number AND m.reason = 'sale')
          AND o.channel_id <> (SELECT id FROM sales_channels WHERE kind = 'own_store')""",
    "what came back is on returns that were received": """
        SELECT l.id FROM order_lines l LEFT JOIN return_lines r ON r.order_line_id = l.id
            LEFT JOIN returns t ON t.id = r.return_id AND t.received_at IS NOT NULL
        GROUP BY l.id, l.returned
        HAVING l.returned <> SUM(CASE WHEN t.id IS NULL THEN 0 ELSE r.quantity END)""",
    "nothing happens before the order": """
        SELECT o.id FROM orders o JOIN shipments s ON s.order_id = o.id
            JOIN customers c ON c.id = o.customer_id
        WHERE s.packed_at < o.placed_at OR o.placed_at < c.created_at
            OR s.delivered_at < s.shipped_at OR s.shipped_at < s.packed_at""",
    "a work order makes no more than was planned": """
        SELECT id FROM work_orders WHERE produced + scrapped > planned
            OR (state = 'completed') <> (completed_at IS NOT NULL)""",
    "a purchase order receives no more than was ordered": """
        SELECT l.id FROM purchase_order_lines l JOIN purchase_orders p
            ON p.id = l.purchase_order_id
        WHERE l.received > l.ordered OR (p.state = 'received') <> (p.received_at IS NOT NULL)""",
    "a rejected lot had defects beyond its plan": """
        SELECT id FROM inspections
        WHERE (result IN ('rejected', 'concession')) <> (critical > 0 OR major > accept_up_to
            OR minor > COALESCE(minor_accept_up_to, minor))""",
    "a lot that is not released lies where nothing is sold from": """
        SELECT t.number FROM lots t JOIN stock_moves m ON m.lot_id = t.id
            JOIN locations p ON p.id = m.location_id AND p.sellable
        WHERE t.state <> 'released' GROUP BY t.number HAVING SUM(m.quantity) <> 0""",
    "no place has less than nothing of a lot": """
        SELECT lot_id FROM stock_moves WHERE lot_id IS NOT NULL
        GROUP BY lot_id, location_id HAVING SUM(quantity) < 0""",
    "a move of a lot is of the lot's item": """
        SELECT m.id FROM stock_moves m JOIN lots t ON t.id = m.lot_id WHERE t.sku <> m.sku""",
    "nobody uses points that are not there": """
        SELECT r.id FROM loyalty_entries r JOIN loyalty_entries e ON e.customer_id = r.customer_id
            AND e.available_at <= r.at AND e.at <= r.at
        WHERE r.kind = 'redeem' GROUP BY r.id HAVING SUM(e.points) < 0""",
    "an item that is made has one active bill of materials": """
        SELECT i.sku FROM items i LEFT JOIN boms b ON b.sku = i.sku AND b.state = 'active'
        WHERE i.manufactured AND (i.sellable OR i.component)
        GROUP BY i.sku HAVING COUNT(b.id) <> 1""",
    "an item that is bought has one preferred supplier": """
        SELECT i.sku FROM items i LEFT JOIN supplier_items s ON s.sku = i.sku AND s.preferred
        WHERE i.purchasable AND (i.sellable OR i.component)
        GROUP BY i.sku HAVING COUNT(s.id) <> 1""",
    "what a work order took is what its bill says": """
        SELECT w.number FROM work_orders w JOIN bom_lines l ON l.bom_id = w.bom_id
            LEFT JOIN stock_moves m ON m.reference = w.number AND m.sku = l.component
                AND m.reason = 'consume'
        WHERE w.state = 'completed'
        GROUP BY w.number, l.id, w.planned, l.quantity_e4, l.scrap_permille
        HAVING -COALESCE(SUM(m.quantity), 0) < w.planned * l.quantity_e4 / 10000""",
    "the receipts of a line add up to what came": """
        SELECT l.id FROM purchase_order_lines l
            LEFT JOIN receipts r ON r.purchase_order_line_id = l.id
        GROUP BY l.id, l.received, l.rejected
        HAVING l.received <> COALESCE(SUM(r.received), 0)
            OR l.rejected <> COALESCE(SUM(r.rejected), 0)""",
}

# Each finds at least that many rows that a question of staff is about.
INTERESTING = {
    "orders past the day they should have left": (
        2,
        "SELECT id FROM orders WHERE state = 'confirmed' AND promised_ship_by < :now",
    ),
    "parcels past their promised day": (
        3,
        """SELECT id FROM shipments WHERE promised_by < :now AND delivered_at IS NULL""",
    ),
    "lost parcels": (1, "SELECT id FROM shipments WHERE state = 'exception'"),
    "late purchase orders": (
        1,
        """SELECT id FROM purchase_orders
           WHERE promised_at < :now AND state IN ('sent', 'acknowledged')""",
    ),
    "work orders whose parts are not there yet": (
        2,
        "SELECT id FROM work_orders WHERE state = 'draft'",
    ),
    "work orders that may begin": (2, "SELECT id FROM work_orders WHERE state = 'released'"),
    "steps done by another company": (
        5,
        """SELECT o.id FROM work_order_ops o JOIN work_centers c ON c.id = o.work_center_id
           WHERE c.kind = 'outsourced'""",
    ),
    "lots that went into what was sold": (
        20,
        """SELECT DISTINCT lot_id FROM stock_moves WHERE reason = 'consume'
           AND lot_id IS NOT NULL""",
    ),
    "work orders being made": (1, "SELECT id FROM work_orders WHERE state = 'in_progress'"),
    "items that are sold out": (
        2,
        """SELECT sku FROM stock_levels WHERE location_id IN (1, 2)
           GROUP BY sku HAVING SUM(on_hand - reserved) = 0""",
    ),
    "items below their reorder point": (
        4,
        """SELECT p.sku FROM stock_policies p JOIN stock_levels l ON l.sku = p.sku
           WHERE l.location_id IN (1, 2) GROUP BY p.sku, p.reorder_point
           HAVING SUM(l.on_hand - l.reserved) < p.reorder_point""",
    ),
    "returns that are open": (
        3,
        """SELECT id FROM returns
           WHERE state IN ('requested', 'approved', 'in_transit', 'received')""",
    ),
    "rejected lots": (1, "SELECT id FROM lots WHERE state = 'quarantine' AND reason = 'rejected'"),
    "stock that nobody wants": (
        3,
        """SELECT i.sku FROM items i JOIN stock_levels l ON l.sku = i.sku
           WHERE l.on_hand > 0 AND i.status = 'discontinued' AND NOT EXISTS (
               SELECT 1 FROM stock_moves m WHERE m.sku = i.sku AND m.reason = 'sale')
           GROUP BY i.sku""",
    ),
    "points that became store credit": (
        50,
        """SELECT e.id FROM loyalty_entries e JOIN credit_entries c ON c.reference = e.reference
           WHERE e.kind = 'redeem' AND c.amount_minor = -5 * e.points AND c.at = e.at""",
    ),
    "orders on hold": (1, "SELECT id FROM orders WHERE on_hold"),
    "orders that wait for their money": (1, "SELECT id FROM orders WHERE state = 'pending'"),
    "cases nobody answered in time": (
        1,
        """SELECT id FROM cases WHERE state IN ('new', 'open') AND first_response_due < :now""",
    ),
}


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """The sample shop, loaded once for all tests here. They roll back what they change."""
    import_records()
    url = f"sqlite:///{tmp_path_factory.mktemp('shop')}/shop.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_shop_schema")
    database = Database(url)
    Base.metadata.create_all(database.engine)
    begun = perf_counter()
    load_demo(database, now=NOON, staff_password=PASSWORD)
    print(f"loaded the sample shop on {request.param} in {perf_counter() - begun:.1f} s")  # noqa: T201
    yield database
    database.dispose()


@pytest.mark.parametrize("rule", BROKEN)
def test_no_record_breaks_the_rule_that(shop: Database, rule: str) -> None:
    with shop.read() as session:
        broken = session.execute(sa.text(BROKEN[rule])).all()

    assert broken == []


@pytest.mark.parametrize("what", INTERESTING)
def test_staff_have_something_to_ask_about(shop: Database, what: str) -> None:
    fewest, query = INTERESTING[what]

    with shop.read() as session:
        statement = sa.text(query).bindparams()
        values = {"now": NOON} if ":now" in query else {}
        found = session.execute(statement, values).all()

    assert len(found) >= fewest


def test_stock_never_goes_below_zero_on_the_way(shop: Database) -> None:
    query = """
        SELECT sku FROM (
            SELECT sku, SUM(quantity) OVER (
                PARTITION BY sku, location_id ORDER BY at, id) AS running FROM stock_moves
        ) AS days WHERE running < 0"""

    with shop.read() as session:
        assert session.execute(sa.text(query)).all() == []


def test_every_parcel_is_where_its_scans_put_it(shop: Database) -> None:
    with shop.read() as session:
        parcels = session.scalars(sa.select(Shipment).options(selectinload(Shipment.events))).all()

        for parcel in parcels:
            journey = fold(parcel.events, start=ShipmentState.PACKED)
            assert (parcel.state, parcel.shipped_at, parcel.delivered_at) == (
                journey.state,
                journey.shipped_at,
                journey.delivered_at,
            ), parcel.tracking_number
    assert len(parcels) > 1500


def test_nothing_lies_in_the_future(shop: Database) -> None:
    moments = {
        "orders": ("placed_at", "delivered_at", "cancelled_at"),
        "payments": ("at",),
        "stock_moves": ("at",),
        "tracking_events": ("occurred_at", "received_at"),
        "returns": ("requested_at", "received_at", "resolved_at"),
        "history": ("at",),
        "cases": ("created_at",),
        "inspections": ("inspected_at",),
        "lots": ("made_at",),
        "receipts": ("received_at",),
        "work_orders": ("created_at", "started_at", "completed_at"),
        "survey_invitations": ("created_at",),
    }

    with shop.read() as session:
        for name, columns in moments.items():
            table = Base.metadata.tables[name]
            for column in columns:
                latest = session.scalar(sa.select(sa.func.max(table.c[column])))
                assert latest < NOON, (name, column)


def test_the_first_count_of_points_takes_nothing_back_again(shop: Database) -> None:
    policies = load_policies(content_root() / "knowledge" / "policies")
    with Session(shop.engine) as session:
        before = _points(session)

        taken = take_back_all(session, policies, now=NOON + timedelta(hours=1))

        assert taken == 0
        assert _points(session) == before
        returns = session.scalars(sa.select(Return.number)).all()
        back = sa.select(LoyaltyEntry.reference).where(LoyaltyEntry.kind == LoyaltyKind.REVERSE)
        references = session.scalars(back).all()
        assert len(references) > 20
        assert set(references) <= {f"reverse:{number}" for number in returns}


def _points(session: Session) -> dict[int, int]:
    """Return what each customer's ledger adds up to."""
    total = sa.func.sum(LoyaltyEntry.points)
    by_customer = sa.select(LoyaltyEntry.customer_id, total).group_by(LoyaltyEntry.customer_id)
    return {customer: int(points) for customer, points in session.execute(by_customer)}


def test_adas_orders_are_as_the_tour_tells(shop: Database) -> None:
    with shop.read() as session:
        ada = find_customer(session, "ada@example.com")
        orders = {order.number: order for order in orders_of(session, ada.id)}
        delivered = {
            number: (NOON.date() - order.delivered_at.date()).days
            for number, order in orders.items()
            if order.delivered_at
        }

        assert (ada.number, ada.name) == ("C-1001", "Ada Brandt")
        assert sorted(orders) == [f"#100{n}" for n in range(1, 8)]
        assert delivered == {"#1001": 12, "#1002": 45, "#1006": 5, "#1007": 3}
        titles = {n: [line.title for line in order.lines] for n, order in orders.items()}
        assert titles["#1001"] == ["Kiln mug, moss", "Halo desk lamp, oak"]
        assert titles["#1004"] == ["Ember bedside lamp, sage", "A5 notebook, dotted"]
        assert orders["#1006"].lines[0].item.return_class == "made_to_order"
        assert orders["#1006"].lines[0].personalization == "Familie Brandt"
        assert {orders["#1004"].state, orders["#1005"].state} == {OrderState.CONFIRMED}
        assert orders["#1004"].promised_ship_by > NOON - DAY


def test_adas_grinder_is_on_its_way(shop: Database) -> None:
    with shop.read() as session:
        order = find_order(session, "#1003", customer_id=1)
        (parcel,) = shipments_of(session, order.id)

        assert order.fulfilment is Fulfilment.FULFILLED
        assert parcel.state is ShipmentState.IN_TRANSIT
        assert parcel.eta is not None
        assert (parcel.eta.date() - NOON.date()).days == 2
        assert len(parcel.events) >= 3


def test_the_story_orders_can_be_changed_as_promised(shop: Database) -> None:
    with shop.engine.connect() as connection, connection.begin() as transaction:
        session = Session(connection, join_transaction_mode="create_savepoint")
        order = find_order(session, "1004", customer_id=1)
        free = inventory.available(session, "LL-LMP-02-SGE")

        refunded = cancel_order(session, order, reason="tour", actor="customer:1", now=NOON)
        other = find_order(session, "1005", customer_id=1)
        change_address(session, other, {**BERLIN, "line1": "Neu 1"}, actor="customer:1", now=NOON)

        assert refunded == order.total_minor == 9700
        assert inventory.available(session, "LL-LMP-02-SGE") == free + 1
        assert payments.refundable(payments.payments_of(session, order.id)) == 0
        assert next_number(session, NumberKind.ORDER) not in {None, "#1001"}
        session.close()
        transaction.rollback()


def test_customers_were_asked_but_not_about_the_tours_order(shop: Database) -> None:
    query = """SELECT o.number FROM survey_invitations i JOIN orders o ON o.id = i.order_id"""

    with shop.read() as session:
        asked = set(session.scalars(sa.text(query)))

    assert len(asked) > 100
    assert "#1007" not in asked


def test_staff_can_sign_in(shop: Database) -> None:
    with shop.read() as session:
        mara = find_staff(session, "Mara@lumenandloom.example")

    assert mara.roles == ["agent", "ops"]
    assert check_password(mara, PASSWORD)
    assert not check_password(mara, "something else")
    assert not check_password(None, PASSWORD)


def test_loading_again_changes_nothing(shop: Database) -> None:
    before = _checksum(shop)
    begun = perf_counter()

    summary = load_demo(shop, now=NOON + timedelta(days=3))

    assert perf_counter() - begun < 0.3
    assert isinstance(summary, DemoSummary)
    assert not summary.loaded
    assert _checksum(shop) == before


def test_the_same_day_and_seed_make_the_same_shop() -> None:
    first, second = simulate(NOON), simulate(NOON + timedelta(hours=3))

    assert first == second
    assert simulate(NOON, seed=1) != first


def test_a_load_that_breaks_off_leaves_nothing(database: Database) -> None:
    def break_off(what: str, done: float) -> None:
        if done > 0.5:
            raise KeyboardInterrupt(what)

    with pytest.raises(KeyboardInterrupt):
        load_demo(database, now=NOON, progress=break_off)

    with database.read() as session:
        assert orders_of(session, 1) == []
    assert load_demo(database, now=NOON).loaded


def test_another_shops_orders_are_not_mixed_with_the_sample_shop(database: Database) -> None:
    with database.write() as session:
        session.add(make_order())

    with pytest.raises(ConflictError, match="OPSBOT_DATA_DIR"):
        load_demo(database, now=NOON)


def test_a_short_password_is_refused_before_anything_is_stored(database: Database) -> None:
    with pytest.raises(InvalidInputError, match="at least 10 characters"):
        load_demo(database, now=NOON, staff_password="short")  # noqa: S106  (too short on purpose)

    with database.read() as session:
        assert orders_of(session, 1) == []


@pytest.mark.parametrize("day", ["2026-02-28", "2026-12-24"])
def test_the_rules_hold_whatever_the_day_is(tmp_path: Path, day: str) -> None:
    database = Database(f"sqlite:///{tmp_path}/shop.db")
    import_records()
    Base.metadata.create_all(database.engine)
    year, month, date = (int(part) for part in day.split("-"))

    load_demo(database, now=NOON.replace(year=year, month=month, day=date))

    with database.read() as session:
        for rule, query in BROKEN.items():
            assert session.execute(sa.text(query)).all() == [], rule
    database.dispose()


def _checksum(database: Database) -> str:
    digest = hashlib.sha256()
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            keys = list(table.primary_key.columns)
            for row in session.execute(sa.select(table).order_by(*keys)):
                digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()
