"""Whatever arrives twice, late or in any order: the order and its parcel end the same."""

from collections import Counter
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from opsbot.commerce.inventory import MoveReason, move
from opsbot.commerce.orders import OrderState
from opsbot.commerce.payments import PaymentKind
from opsbot.commerce.shipments import Shipment, ShipmentState, TrackingEvent
from opsbot.connectors.inbox import failed_events, keep_event
from opsbot.db import Database
from opsbot.jobs.kinds import handle_kept_events
from opsbot.settings import Settings
from tests.factories import NOON
from tests.integration.connectors import deliveries as made
from tests.integration.connectors.conftest import LAMP, MUG, broken_rules, read_order

pytestmark = pytest.mark.slow

Delivery = tuple[str, str, dict[str, Any]]
SCANS = (
    ("in_transit", "2026-11-19T20:00:00Z"),
    ("out_for_delivery", "2026-11-21T07:00:00Z"),
    ("failure", "2026-11-21T09:00:00Z"),
    ("delivered", "2026-11-21T11:00:00Z"),
)
_keys = count(1)


def deliveries_of(key: int) -> tuple[str, str, list[Delivery]]:
    """Return the number of an order, its parcel's, and all that is told of them, as it happened."""
    number, parcel = f"#{6000 + key}", f"0034043416{key:010}"
    order: dict[str, Any] = {"id": 900_000 + key, "name": number, "customer": {"id": 42}}
    sent = made.fulfillment(
        id=910_000 + key, order_id=order["id"], tracking_number=parcel, tracking_url=None
    )
    back = made.refund(
        "no_restock", 1, "10.00", id=920_000 + key, order_id=order["id"], refund_line_items=[]
    )
    later, last = "2026-11-19T12:00:00Z", "2026-11-20T12:00:00Z"
    return (
        number,
        parcel,
        [
            ("shopify", "orders/create", made.shopify_order(**order)),
            ("shopify", "fulfillments/create", sent),
            (
                "shopify",
                "orders/updated",
                made.shopify_order(**order, updated_at=later, fulfillments=[sent]),
            ),
            ("shopify", "refunds/create", back),
            (
                "shopify",
                "orders/updated",
                made.shopify_order(
                    **order,
                    updated_at=last,
                    fulfillments=[sent],
                    refunds=[back],
                    financial_status="partially_refunded",
                ),
            ),
            ("easypost", "tracker.updated", made.easypost(parcel, *SCANS[:1])),
            ("easypost", "tracker.updated", made.easypost(parcel, *SCANS[:3])),
            ("easypost", "tracker.updated", made.easypost(parcel, *SCANS, status="delivered")),
        ],
    )


def deliver(
    database: Database, settings: Settings, events: list[Delivery], pauses: set[int]
) -> None:
    """Keep the events in this order; handle what is there after some of them, and until the end."""
    for place, (source, topic, data) in enumerate(events):
        with database.write() as session:
            keep_event(session, source, f"d{next(_keys)}", topic, made.encode(data), now=NOON)
        if place in pauses:
            handle_kept_events(database, settings, now=NOON)
    for hours in range(12):  # what came too early is tried again
        handle_kept_events(database, settings, now=NOON + timedelta(hours=hours))


def outcome(database: Database, number: str, parcel: str) -> dict[str, object]:
    """Return all that can be seen of an order and of its parcel."""
    order = read_order(database, number)
    with database.read() as session:
        ours = session.scalars(sa.select(Shipment).where(Shipment.tracking_number == parcel)).one()
        scans = session.execute(
            sa.select(TrackingEvent.status, TrackingEvent.occurred_at).where(
                TrackingEvent.shipment_id == ours.id
            )
        )
        units = sa.text("SELECT -SUM(quantity) FROM stock_moves WHERE reference = :number")
        return {
            "state": order.state,
            "fulfilment": order.fulfilment,
            "delivered": order.delivered_at,
            "lines": [(one.sku, one.quantity, one.shipped, one.delivered) for one in order.lines],
            "money": Counter((one.kind, one.amount_minor) for one in order.payments),
            "parcel": (ours.state, ours.shipped_at, ours.delivered_at),
            "scans": Counter((row.status, row.occurred_at) for row in scans),
            "taken": session.scalar(units, {"number": number}),
        }


@pytest.fixture
def stocked(shop: Database) -> Database:
    """The shop with enough on the shelf for every example."""
    with shop.write() as session:
        for sku in (MUG, LAMP):
            move(session, sku, 1, 5_000, reason=MoveReason.RECEIPT, reference="much", actor="test",
                 at=NOON)  # fmt: skip
    return shop


@pytest.mark.parametrize("examples", [6, pytest.param(30, marks=pytest.mark.slow)])
def test_any_order_and_any_repeats_end_as_what_happened(
    stocked: Database, settings: Settings, examples: int
) -> None:
    number, parcel, events = deliveries_of(next(_keys))
    deliver(stocked, settings, events, set(range(len(events))))
    expected = outcome(stocked, number, parcel)
    assert expected["state"] is OrderState.COMPLETED
    assert expected["parcel"][0] is ShipmentState.DELIVERED  # type: ignore[index]  # a tuple
    assert expected["money"] == {(PaymentKind.CAPTURE, 13190): 1, (PaymentKind.REFUND, 1000): 1}
    assert expected["taken"] == 3

    @limits(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        order=st.permutations(range(2 * len(events))),
        once=st.sets(st.integers(0, len(events) - 1)),
        pauses=st.sets(st.integers(0, 2 * len(events))),
    )
    def ends_the_same(order: list[int], once: set[int], pauses: set[int]) -> None:
        number, parcel, told = deliveries_of(next(_keys))
        chosen = [place for place in order if place < len(told) or place - len(told) not in once]

        deliver(stocked, settings, [told[place % len(told)] for place in chosen], pauses)

        assert outcome(stocked, number, parcel) == expected

    ends_the_same()
    with stocked.read() as session:
        assert failed_events(session) == []
    assert broken_rules(stocked) == {}
