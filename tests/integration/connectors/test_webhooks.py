"""Deliveries become records once, in whatever order and however often they come."""

import itertools
import random
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from opsbot.commerce.inventory import available
from opsbot.commerce.orders import Order, OrderState
from opsbot.commerce.payments import refundable
from opsbot.commerce.products import Item, ItemStatus
from opsbot.commerce.returns import Return
from opsbot.commerce.shipments import Shipment, ShipmentState
from opsbot.connectors.differences import list_differences
from opsbot.connectors.inbox import (
    KEPT,
    MAX_ATTEMPTS,
    InboxEvent,
    InboxState,
    failed_events,
    forget_old_events,
    keep_event,
    retry_failed,
)
from opsbot.db import Database
from opsbot.jobs.kinds import handle_kept_events
from opsbot.settings import Settings
from tests.factories import NOON
from tests.integration.connectors import deliveries as made
from tests.integration.connectors.conftest import LAMP, MUG, broken_rules, read_order

PARCEL = "00340434161094000042"


class Post:
    """Puts deliveries into the inbox and handles them."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.count = itertools.count()

    def __call__(self, source: str, topic: str, data: dict[str, Any]) -> InboxEvent:
        """Deliver, handle what is due, and return what became of it."""
        key = f"d{next(self.count)}"
        with self.database.write() as session:
            assert keep_event(session, source, key, topic, made.encode(data), now=NOON)
        handle_kept_events(self.database, self.settings, now=NOON)
        with self.database.read() as session:
            found = sa.select(InboxEvent).where(InboxEvent.delivery_id == key)
            return session.scalars(found).one()


@pytest.fixture
def post(shop: Database, settings: Settings) -> Post:
    """What delivers to the shop."""
    return Post(shop, settings)


def parcel_of(database: Database, number: str = PARCEL) -> Shipment:
    with database.read() as session:
        found = sa.select(Shipment).where(Shipment.tracking_number == number)
        return session.scalars(found).one()


def stock_of(database: Database, sku: str) -> int:
    with database.read() as session:
        return available(session, sku)


def test_an_order_lives_from_its_creation_to_the_door(shop: Database, post: Post) -> None:
    post("shopify", "orders/create", made.shopify_order())
    assert read_order(shop, "5001").state is OrderState.CONFIRMED
    assert (stock_of(shop, MUG), stock_of(shop, LAMP)) == (8, 9)

    post("shopify", "fulfillments/create", made.fulfillment())
    assert read_order(shop, "5001").state is OrderState.IN_FULFILLMENT

    scans = (("in_transit", "2026-11-19T20:00:00Z"), ("delivered", "2026-11-21T11:00:00Z"))
    post("easypost", "tracker.updated", made.easypost(PARCEL, *scans, status="delivered"))

    order = read_order(shop, "5001")
    assert order.state is OrderState.COMPLETED
    assert order.total_minor == 13190
    assert parcel_of(shop).state is ShipmentState.DELIVERED
    assert (stock_of(shop, MUG), stock_of(shop, LAMP)) == (8, 9)
    assert broken_rules(shop) == {}


def test_a_carriers_late_report_of_an_early_delivery_counts(shop: Database, post: Post) -> None:
    post("shopify", "orders/create", made.shopify_order(fulfillments=[made.fulfillment()]))
    scans = (
        ("in_transit", "2026-11-21T14:48:00Z"),
        ("out_for_delivery", "2026-11-22T08:10:00Z"),
        ("delivered", "2026-11-20T10:51:54Z"),
    )

    post("easypost", "tracker.updated", made.easypost(PARCEL, *scans, status="delivered"))

    assert parcel_of(shop).state is ShipmentState.DELIVERED


def test_a_final_summary_wins_over_scans_that_lack_it(shop: Database, post: Post) -> None:
    post("shopify", "orders/create", made.shopify_order(fulfillments=[made.fulfillment()]))
    event = made.easypost(PARCEL, ("in_transit", "2026-11-20T08:00:00Z"), status="return_to_sender")

    post("easypost", "tracker.updated", event)

    assert parcel_of(shop).state is ShipmentState.RETURNING


@pytest.mark.parametrize(
    ("source", "topic", "data", "state"),
    [
        (
            "aftership",
            "tracking_update",
            {
                "event": "tracking_update",
                "msg": {
                    "tracking_number": PARCEL,
                    "tag": "AttemptFail",
                    "updated_at": "2026-11-21T10:00:00Z",
                    "checkpoints": [
                        {"tag": "AttemptFail", "checkpoint_time": "2026-11-21T10:00:00"}
                    ],
                },
            },
            ShipmentState.ATTEMPT_FAILED,
        ),
        (
            "aftership",
            "tracking_update",
            {
                "msg": {
                    "tracking_number": PARCEL,
                    "tag": "Exception",
                    "subtag": "Exception_011",
                    "updated_at": "2026-11-21T10:00:00Z",
                    "checkpoints": [],
                }
            },
            ShipmentState.RETURNING,
        ),
        (
            "shippo",
            "track_updated",
            {
                "data": {
                    "tracking_number": PARCEL,
                    "tracking_status": {
                        "status": "TRANSIT",
                        "substatus": {"code": "out_for_delivery"},
                        "status_date": "2026-11-21T10:00:00Z",
                        "status_details": "On the vehicle",
                        "location": {"city": "Berlin", "country": "DE"},
                    },
                    "tracking_history": [],
                }
            },
            ShipmentState.OUT_FOR_DELIVERY,
        ),
        (
            "shopify",
            "fulfillment_events/create",
            {
                "fulfillment_id": 990001,
                "status": "ready_for_pickup",
                "happened_at": "2026-11-21T10:00:00Z",
            },
            ShipmentState.READY_FOR_PICKUP,
        ),
        (
            "own",
            "tracking.updated",
            {
                "tracking_number": PARCEL,
                "events": [{"status": "delivery_delayed", "at": "2026-11-21T10:00:00Z"}],
            },
            ShipmentState.DELAYED,
        ),
    ],
    ids=["attempt", "going back", "on the vehicle", "pickup", "own"],
)
def test_every_sender_reports_in_our_words(
    shop: Database, post: Post, source: str, topic: str, data: dict[str, Any], state: ShipmentState
) -> None:
    post("shopify", "orders/create", made.shopify_order(fulfillments=[made.fulfillment()]))

    event = post(source, topic, data)

    assert event.state is InboxState.HANDLED
    assert parcel_of(shop).state is state


def test_half_an_order_may_leave_first(shop: Database, post: Post) -> None:
    lamp = made.line(2, LAMP, "79.00")
    mugs = made.line(1, MUG, "24.00", 2)
    post("shopify", "orders/create", made.shopify_order())
    post("shopify", "fulfillments/create", made.fulfillment(lamp))
    assert [line.shipped for line in read_order(shop, "5001").lines] == [0, 1]

    later = made.fulfillment(mugs, id=990002, tracking_number="00340434161094000043")
    post("shopify", "fulfillments/create", later)

    assert [line.shipped for line in read_order(shop, "5001").lines] == [2, 1]
    assert broken_rules(shop) == {}


def test_a_parcel_cannot_hold_more_than_was_ordered(shop: Database, post: Post) -> None:
    post("shopify", "orders/create", made.shopify_order(fulfillments=[made.fulfillment()]))

    event = post("shopify", "fulfillments/create", made.fulfillment(id=990009, tracking_number="9"))

    assert event.state is InboxState.RECEIVED
    assert "holds more of order #5001 than is left" in str(event.reason)
    assert broken_rules(shop) == {}


def test_a_tracking_number_may_come_after_the_parcel(shop: Database, post: Post) -> None:
    bare = made.fulfillment(tracking_number=None, tracking_company=None, tracking_url=None)
    post("shopify", "orders/create", made.shopify_order(fulfillments=[bare]))
    assert parcel_of(shop, "shopify:990001").carrier == "unknown"

    post("shopify", "fulfillments/update", made.fulfillment())

    assert parcel_of(shop).carrier == "DHL"


@pytest.mark.parametrize("first", ["refund", "order"])
def test_a_refund_is_paid_once_whichever_way_it_is_told(
    shop: Database, post: Post, first: str
) -> None:
    back = made.refund("cancel", 1, "24.00")
    updated = made.shopify_order(
        updated_at="2026-11-20T10:00:00Z",
        financial_status="partially_refunded",
        refunds=[back],
    )
    post("shopify", "orders/create", made.shopify_order())
    told = [("refunds/create", back), ("orders/updated", updated)]

    for topic, data in told if first == "refund" else reversed(told):
        assert post("shopify", topic, data).state is InboxState.HANDLED

    order = read_order(shop, "5001")
    assert refundable(order.payments) == 13190 - 2400
    assert [line.cancelled for line in order.lines] == [1, 0]
    assert stock_of(shop, MUG) == 9
    assert broken_rules(shop) == {}


def test_goods_that_came_back_are_a_return_without_a_reason(shop: Database, post: Post) -> None:
    sent = made.fulfillment(shipment_status="delivered", updated_at="2026-11-19T18:00:00Z")
    post("shopify", "orders/create", made.shopify_order(fulfillments=[sent]))

    post("shopify", "refunds/create", made.refund("return", 2, "48.00"))

    with shop.read() as session:
        opened = session.scalars(sa.select(Return).options(sa.orm.selectinload(Return.lines))).one()
    assert (opened.refund_minor, [(x.quantity, x.reason) for x in opened.lines]) == (
        4800,
        [(2, None)],
    )
    assert stock_of(shop, MUG) == 10
    assert broken_rules(shop) == {}


def test_a_cancelled_order_frees_its_stock(shop: Database, post: Post) -> None:
    post("shopify", "orders/create", made.shopify_order())
    whole = made.refund("cancel", 2, "131.90")
    ended = made.shopify_order(
        updated_at="2026-11-19T10:00:00Z",
        cancelled_at="2026-11-19T10:00:00Z",
        cancel_reason="customer",
        financial_status="refunded",
        refunds=[whole],
    )

    post("shopify", "orders/cancelled", ended)

    order = read_order(shop, "5001")
    assert order.state is OrderState.CANCELLED
    assert order.cancel_reason == "The shop cancelled the order (customer)."
    assert (stock_of(shop, MUG), stock_of(shop, LAMP)) == (10, 10)
    assert broken_rules(shop) == {}


def test_an_older_state_never_overwrites_a_newer_one(shop: Database, post: Post) -> None:
    moved = made.shopify_order(
        updated_at="2026-11-19T10:00:00Z",
        shipping_address=made.ADDRESS | {"address1": "Neue Straße 1"},
    )
    post("shopify", "orders/updated", moved)

    event = post("shopify", "orders/create", made.shopify_order())

    assert event.state is InboxState.HANDLED
    assert read_order(shop, "5001").ship_to["line1"] == "Neue Straße 1"


@pytest.mark.parametrize("seed", range(6))
def test_repeats_and_any_order_of_deliveries_end_the_same(
    shop: Database, settings: Settings, seed: int
) -> None:
    scans = (("in_transit", "2026-11-19T20:00:00Z"), ("delivered", "2026-11-21T11:00:00Z"))
    sent = made.shopify_order(updated_at="2026-11-19T12:00:00Z", fulfillments=[made.fulfillment()])
    events = [
        ("shopify", "orders/create", made.shopify_order()),
        ("shopify", "orders/updated", sent),
        ("shopify", "fulfillments/create", made.fulfillment()),
        ("easypost", "tracker.updated", made.easypost(PARCEL, *scans[:1])),
        ("easypost", "tracker.updated", made.easypost(PARCEL, *scans, status="delivered")),
    ] * 2
    random.Random(seed).shuffle(events)  # noqa: S311  (a test must repeat itself)
    post = Post(shop, settings)

    for event in events:
        post(*event)
    for hours in range(1, 12):  # what came too early is tried again
        handle_kept_events(shop, settings, now=NOON + timedelta(hours=hours))

    order = read_order(shop, "5001")
    assert (order.state, stock_of(shop, MUG)) == (OrderState.COMPLETED, 8)
    assert parcel_of(shop).state is ShipmentState.DELIVERED
    with shop.read() as session:
        assert failed_events(session) == []
    assert broken_rules(shop) == {}


def test_woocommerces_prices_before_tax_are_kept_to_the_cent(shop: Database, post: Post) -> None:
    event = post("woocommerce", "order.created", made.woo_order())

    order = read_order(shop, "311")
    assert event.reason is None
    assert (order.total_minor, order.tax_minor, order.shipping_minor) == (7089, 1132, 609)
    assert (order.state, stock_of(shop, MUG)) == (OrderState.CONFIRMED, 7)
    assert broken_rules(shop) == {}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"status": "pending", "date_paid_gmt": None}, OrderState.PENDING),
        ({"status": "on-hold", "date_paid_gmt": None}, OrderState.PENDING),
        ({"status": "failed", "date_paid_gmt": None}, OrderState.CANCELLED),
        ({"status": "cancelled", "date_paid_gmt": None}, OrderState.CANCELLED),
        ({"status": "refunded"}, OrderState.CANCELLED),
        (
            {"status": "completed", "date_completed_gmt": "2026-11-19T09:00:00"},
            OrderState.IN_FULFILLMENT,
        ),
    ],
    ids=["pending", "on hold", "failed", "cancelled", "refunded", "completed"],
)
def test_every_status_of_woocommerce_has_its_place(
    shop: Database, post: Post, changes: dict[str, Any], state: OrderState
) -> None:
    event = post("woocommerce", "order.updated", made.woo_order(**changes))

    assert event.reason is None
    assert read_order(shop, "311").state is state
    assert broken_rules(shop) == {}


def test_products_follow_and_are_not_turned_back(shop: Database, post: Post) -> None:
    variant = {"id": 1, "sku": MUG, "title": "moss", "price": "26.00", "inventory_item_id": 71}
    product = {
        "id": 5,
        "title": "Kiln mug",
        "status": "active",
        "updated_at": "2026-11-20T10:00:00Z",
        "options": [{"name": "glaze"}],
        "variants": [variant | {"option1": "moss"}],
    }
    post("shopify", "products/update", product)

    old = product | {"updated_at": "2026-11-19T10:00:00Z", "title": "Mug", "status": "draft"}
    post("shopify", "products/update", old)

    with shop.read() as session:
        item = session.get_one(Item, MUG)
    assert (item.title, item.price_minor, item.status) == (
        "Kiln mug, moss",
        2600,
        ItemStatus.ACTIVE,
    )
    assert item.options == {"glaze": "moss"}


def test_stock_of_the_shop_is_compared_and_not_taken_over(shop: Database, post: Post) -> None:
    variant = {"id": 1, "sku": MUG, "title": "moss", "price": "24.00", "inventory_item_id": 71}
    product = {"id": 5, "title": "Kiln mug", "updated_at": "2026-11-20T10:00:00Z"}
    post("shopify", "products/create", product | {"variants": [variant]})

    def tell(place: int, units: int, at: str) -> None:
        level = {"inventory_item_id": 71, "location_id": place, "available": units}
        post("shopify", "inventory_levels/update", level | {"updated_at": at})

    tell(1, 4, "2026-11-20T11:00:00Z")
    with shop.read() as session:
        (found,) = list_differences(session)
    tell(2, 6, "2026-11-20T11:01:00Z")
    tell(1, 9, "2026-11-20T10:59:00Z")

    assert (found.key, found.field, found.ours, found.theirs) == (MUG, "available", "10", "4")
    assert stock_of(shop, MUG) == 10
    with shop.read() as session:
        assert list_differences(session) == []


def test_an_unknown_topic_is_kept_and_changes_nothing(shop: Database, post: Post) -> None:
    event = post("shopify", "themes/publish", {"id": 1})

    assert event.state is InboxState.IGNORED
    assert event.reason == "Nothing here follows themes/publish."


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"id": 1}, "It has no currency"),
        (made.shopify_order(total_price="1.00"), "make €131.90, and it says €1.00"),
        (made.shopify_order(line_items=[]), "holds no goods"),
        (made.shopify_order(line_items="all"), "holds no goods"),
        (made.shopify_order(currency="XXY"), "is not a currency"),
        (made.shopify_order(created_at="soon"), "not a date and time"),
        (made.shopify_order(email="nobody"), "not an e-mail address"),
        (made.shopify_order(email="a\x00@example.com"), "Its email is not valid text"),
        (made.shopify_order(name="\ud800"), "Its name is not valid text"),
        (made.shopify_order(id=None), "It has no id"),
    ],
)
def test_what_cannot_be_handled_is_kept_with_its_reason_and_tried_again(
    shop: Database, settings: Settings, post: Post, data: dict[str, Any], why: str
) -> None:
    event = post("shopify", "orders/create", data)
    assert (event.state, event.attempts) == (InboxState.RECEIVED, 1)
    assert why in str(event.reason)

    for day in range(1, MAX_ATTEMPTS):
        handle_kept_events(shop, settings, now=NOON + timedelta(days=day))

    with shop.write() as session:
        (failed,) = failed_events(session)
        assert (failed.state, failed.attempts) == (InboxState.FAILED, MAX_ATTEMPTS)
        assert retry_failed(session, now=NOON + timedelta(days=9)) == 1
        assert session.scalar(sa.select(sa.func.count(Order.id))) == 0


def test_what_is_over_is_forgotten_after_a_month(shop: Database, post: Post) -> None:
    post("shopify", "orders/create", made.shopify_order())
    waiting = post("shopify", "orders/create", {"id": 1})

    with shop.write() as session:
        forget_old_events(session, now=NOON + KEPT + timedelta(seconds=1))
        assert session.scalars(sa.select(InboxEvent.id)).all() == [waiting.id]
