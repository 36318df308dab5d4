"""What people decide here about another system's orders, told to that system by a port."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import select

from opsbot.commerce.effects import Effect, EffectState, deliver_effects
from opsbot.commerce.orders import Order, find_order
from opsbot.connectors.inbox import InboxEvent, InboxState, keep_event
from opsbot.content import content_root
from opsbot.db import Database
from opsbot.jobs.kinds import handle_kept_events
from opsbot.settings import Settings
from opsbot.testing import RecordingPort
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import load_tools
from opsbot.toolkit.policy import load_policies
from opsbot.toolkit.proposals import Preview, ProposalState
from tests.factories import DAY, NOON
from tests.integration.connectors import deliveries as made
from tests.integration.connectors.conftest import read_order
from tests.shop_fixtures import NO_KNOWLEDGE

OPS = Caller(Audience.STAFF, "console", staff_id=1, roles=frozenset({"ops", "agent", "lead"}))
Do = Callable[..., None]


def tell(database: Database, settings: Settings, topic: str, data: Mapping[str, Any]) -> None:
    """Deliver a webhook and handle it."""
    with database.write() as session:
        keep_event(session, "shopify", topic + str(hash(str(data))), topic, made.encode(dict(data)),
                   now=NOON, happened_at=NOON - DAY)  # fmt: skip
    handle_kept_events(database, settings, now=NOON)


@pytest.fixture
def shops(shop: Database, settings: Settings) -> Database:
    """The shop with Shopify's order #5001, which has not been packed, and #5002, delivered."""
    tell(shop, settings, "orders/create", made.shopify_order())
    sent = made.fulfillment(id=9, order_id=880002, tracking_number="T9",
                            shipment_status="delivered",
                            updated_at="2026-11-19T18:00:00Z")  # fmt: skip
    tell(shop, settings, "orders/create",
         made.shopify_order(id=880002, name="#5002", fulfillments=[sent]))  # fmt: skip
    return shop


def executor_of(database: Database, settings: Settings, ports: Mapping[str, str]) -> Executor:
    root = content_root()
    tools = load_tools(root / "tools")
    policies = load_policies(root / "knowledge" / "policies")
    told = settings.model_copy(update={"ports": dict(ports)})
    return Executor(database, told, tools, NO_KNOWLEDGE, policies)


@pytest.fixture
def do(shops: Database, settings: Settings) -> Do:
    """Make a change and confirm it, where the operator named the port."""
    executor = executor_of(shops, settings, {"shop": "file"})

    def run(caller: Caller, name: str, **arguments: Any) -> None:
        preview = executor.run(caller, name, arguments, now=NOON)
        assert isinstance(preview, Preview)
        done = executor.confirm(caller, preview.id, now=NOON)
        assert done.preview.state is ProposalState.EXECUTED, done.preview.say

    return run


def customer_of(database: Database, number: str) -> Caller:
    with database.read() as session:
        order = find_order(session, number, customer_id=None)
    return Caller(Audience.CUSTOMER, "widget", Level.FRESH_CODE, customer_id=order.customer_id)


def told_of(database: Database) -> list[Effect]:
    """Return what the shop is to be told, oldest first."""
    with database.read() as session:
        found = select(Effect).where(Effect.port == "shop").order_by(Effect.id)
        return list(session.scalars(found))


def test_a_cancelled_item_is_told_by_its_number(shops: Database, do: Do) -> None:
    with shops.read() as session:
        line = find_order(session, "#5001", customer_id=None).lines[0]
    one = {"items": [line.title], "quantity": 1}

    do(customer_of(shops, "#5001"), "cancel_order", order_number="#5001", **one)

    [told] = told_of(shops)
    assert told.operation == "lines_cancelled"
    assert told.payload["detail"]["items"] == [{"sku": line.sku, "quantity": 1}]


def test_a_cancellation_and_a_hold_are_told_once_with_the_sources_own_id(
    shops: Database, do: Do
) -> None:
    do(OPS, "hold_order", order_number="#5001", reason="the address is unclear")
    do(OPS, "release_order", order_number="#5001")
    do(customer_of(shops, "#5001"), "cancel_order", order_number="#5001")

    told = told_of(shops)
    assert [one.operation for one in told] == ["order_held", "order_released", "order_cancelled"]
    assert told[0].payload == {
        "source": "shopify", "order_id": "880001", "order": "#5001",
        "detail": {"reason": "the address is unclear"},
    }  # fmt: skip
    port = RecordingPort()
    for _ in range(2):
        deliver_effects(shops, {"": RecordingPort(), "shop": port}, now=NOON)
    assert {one.state for one in told_of(shops)} == {EffectState.DELIVERED}


def test_a_return_is_told_with_what_comes_back(shops: Database, do: Do) -> None:
    ada = customer_of(shops, "#5002")
    do(ada, "request_return", order_number="#5002", items=["mug"], quantity=1,
       reason="changed_mind")  # fmt: skip

    [told] = told_of(shops)
    assert told.operation == "return_opened"
    assert told.payload["order_id"] == "880002"
    assert told.payload["lines"] == [{"sku": "LL-MUG-01-MOS", "quantity": 1}]
    assert told.payload["return"] == "RMA-00001"


def test_a_preview_tells_nobody(shops: Database, settings: Settings) -> None:
    executor = executor_of(shops, settings, {"shop": "file"})

    executor.run(OPS, "hold_order", {"order_number": "#5001", "reason": "x"}, now=NOON)

    assert told_of(shops) == []


def test_what_the_source_told_us_is_not_told_back(
    shops: Database, do: Do, settings: Settings
) -> None:
    cancelled = made.shopify_order(
        cancelled_at="2026-11-20T10:00:00Z", cancel_reason="customer",
        updated_at="2026-11-20T10:00:00Z", financial_status="voided",
    )  # fmt: skip
    tell(shops, settings, "orders/cancelled", cancelled)

    assert told_of(shops) == []


def test_orders_that_were_placed_here_are_told_to_nobody(shops: Database, do: Do) -> None:
    with shops.write() as session:
        order = session.scalars(select(Order).where(Order.number == "#5001")).one()
        order.source, order.external_id = "opsbot", None

    do(OPS, "hold_order", order_number="#5001", reason="x")

    assert told_of(shops) == []


def test_nothing_is_told_where_the_operator_named_no_port(
    shops: Database, settings: Settings
) -> None:
    executor = executor_of(shops, settings, {})
    preview = executor.run(OPS, "hold_order", {"order_number": "#5001", "reason": "x"}, now=NOON)
    assert isinstance(preview, Preview)

    executor.confirm(OPS, preview.id, now=NOON)

    assert told_of(shops) == []


def test_what_the_source_then_reports_of_it_is_done_already(
    shops: Database, do: Do, settings: Settings
) -> None:
    ada = customer_of(shops, "#5001")
    do(ada, "change_address", order_number="#5001", address="Sonnenallee 5, 12047 Berlin")
    moved = made.ADDRESS | {"address1": "Sonnenallee 5", "zip": "12047"}
    tell(shops, settings, "orders/updated",
         made.shopify_order(shipping_address=moved, updated_at="2026-11-20T09:00:00Z"))  # fmt: skip
    assert read_order(shops, "5001").ship_to["line1"] == "Sonnenallee 5"

    do(ada, "cancel_order", order_number="#5001")
    before = read_order(shops, "5001")
    back = made.refund("cancel", 2, "131.90")
    tell(shops, settings, "orders/cancelled", made.shopify_order(
        shipping_address=moved, cancelled_at="2026-11-20T10:00:00Z", cancel_reason="customer",
        financial_status="refunded", refunds=[back], updated_at="2026-11-20T10:00:00Z",
    ))  # fmt: skip

    after = read_order(shops, "5001")
    assert [one.operation for one in told_of(shops)] == ["address_changed", "order_cancelled"]
    assert after.cancelled_at == before.cancelled_at
    money = [(one.kind, one.amount_minor) for one in after.payments]
    assert money == [(one.kind, one.amount_minor) for one in before.payments]
    with shops.read() as session:
        states = set(session.scalars(select(InboxEvent.state)))
    assert states == {InboxState.HANDLED}
