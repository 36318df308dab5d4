"""Returns that Shopify handles: ours follow them, whatever arrives late, twice or never."""

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from sqlalchemy.orm import selectinload

from opsbot.commerce.inventory import MoveReason, available, move
from opsbot.commerce.return_work import approve_return, cancel_return, take_in
from opsbot.commerce.returns import Return, ReturnReason, ReturnState, find_return
from opsbot.connectors.inbox import InboxEvent, InboxState, keep_event
from opsbot.db import Database
from opsbot.jobs.kinds import handle_kept_events
from opsbot.settings import Settings
from tests.factories import DAY, NOON, make_location
from tests.integration.connectors import deliveries as made
from tests.integration.connectors.conftest import LAMP, MUG, broken_rules, read_order

ASKED_AT = NOON - 2 * DAY
_keys = itertools.count(1)

Told = tuple[str, dict[str, Any], datetime]
"""Topic, body, and when it happened."""


class Shop:
    """A shop whose order #5001 has arrived, and the road by which Shopify tells."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings

    def tell(self, topic: str, data: dict[str, Any], at: datetime = ASKED_AT) -> InboxEvent:
        """Deliver, handle what is due, and return what became of it."""
        key = self.keep(topic, data, at)
        handle_kept_events(self.database, self.settings, now=NOON)
        with self.database.read() as session:
            found = sa.select(InboxEvent).where(InboxEvent.delivery_id == key)
            return session.scalars(found).one()

    def keep(self, topic: str, data: dict[str, Any], at: datetime) -> str:
        key = f"r{next(_keys)}"
        with self.database.write() as session:
            keep_event(session, "shopify", key, topic, made.encode(data), now=NOON, happened_at=at)
        return key

    def returns(self, number: str = "5001") -> list[Return]:
        order = read_order(self.database, number)
        with self.database.read() as session:
            found = sa.select(Return).where(Return.order_id == order.id).order_by(Return.id)
            return list(session.scalars(found.options(selectinload(Return.lines))))

    def stock(self, sku: str) -> int:
        with self.database.read() as session:
            return available(session, sku)


@pytest.fixture
def told(shop: Database, settings: Settings) -> Shop:
    """The shop; two mugs and a lamp of order #5001 have arrived."""
    told = Shop(shop, settings)
    sent = made.fulfillment(shipment_status="delivered", updated_at="2026-11-19T18:00:00Z")
    told.tell("orders/create", made.shopify_order(fulfillments=[sent]))
    return told


def of_return(key: int, units: int, amount: str, **changes: Any) -> dict[str, Any]:
    """Return a refund of mugs that belongs to a return."""
    return made.refund("return", units, amount, **{"return": {"id": key}}, **changes)


def test_a_request_is_a_return_with_units_reasons_and_worth(told: Shop) -> None:
    event = told.tell("returns/request", made.asked(mugs=1, lamps=1))

    assert event.state is InboxState.HANDLED
    [opened] = told.returns()
    assert opened.state is ReturnState.REQUESTED
    assert opened.requested_at == ASKED_AT
    assert [(one.quantity, one.reason) for one in opened.lines] == [
        (1, ReturnReason.CHANGED_MIND),
        (1, ReturnReason.DEFECTIVE),
    ]
    assert opened.refund_minor == 2400 + 7900
    assert broken_rules(told.database) == {}


def test_it_goes_from_the_request_to_the_goods_and_the_money(told: Shop) -> None:
    told.tell("returns/request", made.asked())
    told.tell("returns/approve", made.asked(status="open"), ASKED_AT + DAY / 2)
    assert told.returns()[0].state is ReturnState.APPROVED
    before = told.stock(MUG)

    told.tell("refunds/create", of_return(660001, 2, "48.00"))
    told.tell("returns/close", made.ended("closed"), ASKED_AT + DAY)

    [opened] = told.returns()
    assert (opened.state, opened.refund_minor) == (ReturnState.RESOLVED, 4800)
    assert told.stock(MUG) == before + 2
    assert [line.returned for line in read_order(told.database, "5001").lines] == [2, 0]
    assert broken_rules(told.database) == {}


def test_a_refund_that_names_no_return_ends_the_one_with_its_units(told: Shop) -> None:
    told.tell("returns/approve", made.asked(mugs=0, lamps=1, status="open"))
    told.tell("returns/approve", made.asked(660002, status="open"))

    told.tell("refunds/create", made.refund("return", 2, "48.00"))

    states = [one.state for one in told.returns()]
    assert states == [ReturnState.APPROVED, ReturnState.RESOLVED]
    assert broken_rules(told.database) == {}


def test_a_refund_of_other_units_than_were_asked_for_counts(told: Shop) -> None:
    told.tell("returns/approve", made.asked(mugs=2, lamps=1, status="open"))

    told.tell("refunds/create", of_return(660001, 1, "24.00"))
    told.tell("refunds/create", of_return(660001, 1, "24.00", id=770002))

    ended = [(one.state, [x.quantity for x in one.lines]) for one in told.returns()]
    assert ended == [(ReturnState.RESOLVED, [1]), (ReturnState.RESOLVED, [1])]
    assert [line.returned for line in read_order(told.database, "5001").lines] == [2, 0]
    assert broken_rules(told.database) == {}


def test_goods_that_were_taken_in_here_do_not_come_twice(told: Shop) -> None:
    told.tell("returns/approve", made.asked(status="open"))
    with told.database.write() as session:
        session.add(make_location("RET", name="Returns", kind="returns", sellable=False))
        session.flush()
        opened = find_return(session, told.returns()[0].number, customer_id=None)
        take_in(session, opened, actor="staff:1", now=NOON)
    before = told.stock(MUG)

    told.tell("refunds/create", of_return(660001, 2, "48.00"))

    [opened] = told.returns()
    assert (opened.state, opened.received_at) == (ReturnState.RESOLVED, NOON)
    assert told.stock(MUG) == before
    assert [line.returned for line in read_order(told.database, "5001").lines] == [2, 0]


def test_declined_says_why(told: Shop) -> None:
    told.tell("returns/request", made.asked())

    decline = {"reason": "RETURN_PERIOD_ENDED", "note": None}
    told.tell("returns/decline", made.ended("declined", decline=decline), ASKED_AT + DAY)

    [opened] = told.returns()
    assert (opened.state, opened.note) == (ReturnState.DECLINED, "return period ended")


def test_what_is_taken_out_does_not_come_back(told: Shop) -> None:
    told.tell("returns/approve", made.asked(mugs=2, lamps=1, status="open"))

    told.tell("returns/update", made.taken_out(1), ASKED_AT + DAY / 2)
    [opened] = told.returns()
    assert [one.quantity for one in opened.lines] == [1, 1]
    assert opened.refund_minor == 2400 + 7900

    told.tell("returns/update", made.taken_out(1), ASKED_AT + DAY)
    told.tell("returns/update", made.taken_out(1, line=2), ASKED_AT + DAY)
    assert told.returns()[0].state is ReturnState.CANCELLED


def test_a_closed_return_without_goods_may_go_on(told: Shop) -> None:
    told.tell("returns/approve", made.asked(status="open"))
    told.tell("returns/close", made.ended("closed"), ASKED_AT + DAY / 2)
    assert told.returns()[0].state is ReturnState.CANCELLED

    told.tell("returns/reopen", made.ended("open"), ASKED_AT + DAY)

    [opened] = told.returns()
    assert (opened.state, opened.resolved_at) == (ReturnState.APPROVED, None)


def test_an_older_report_never_overwrites_a_newer_one(told: Shop) -> None:
    told.tell("returns/approve", made.asked(mugs=1, status="open"), ASKED_AT + DAY)

    event = told.tell("returns/request", made.asked(mugs=2), ASKED_AT)

    assert event.state is InboxState.HANDLED
    [opened] = told.returns()
    assert opened.state is ReturnState.APPROVED
    assert [one.quantity for one in opened.lines] == [1]


@pytest.mark.parametrize("lines", [{}, {"return_line_items": [], "exchange_line_items": []}])
def test_what_the_shop_has_dealt_with_is_not_called_off_by_its_end(
    told: Shop, lines: dict[str, Any]
) -> None:
    told.tell("returns/approve", made.asked(status="open"))

    event = told.tell("returns/process", made.processed(**lines), ASKED_AT + DAY / 2)
    told.tell("returns/close", made.ended("closed"), ASKED_AT + DAY)

    [opened] = told.returns()
    assert event.state is InboxState.HANDLED
    assert opened.state is ReturnState.APPROVED, "other goods went out; a person ends it here"
    assert [one.quantity for one in opened.lines] == [2]


def test_the_end_may_be_heard_of_before_what_it_ends(told: Shop) -> None:
    told.tell("returns/approve", made.asked(status="open"))
    told.tell("returns/close", made.ended("closed"), ASKED_AT + DAY)
    assert told.returns()[0].state is ReturnState.CANCELLED

    told.tell("returns/process", made.processed(), ASKED_AT + DAY / 2)

    assert told.returns()[0].state is ReturnState.APPROVED
    told.tell("refunds/create", of_return(660001, 2, "48.00"))
    assert told.returns()[0].state is ReturnState.RESOLVED
    assert broken_rules(told.database) == {}


def test_what_was_called_off_here_and_dealt_with_there_is_left_to_people(told: Shop) -> None:
    told.tell("returns/approve", made.asked(status="open"))
    with told.database.write() as session:
        opened = find_return(session, told.returns()[0].number, customer_id=None)
        cancel_return(session, opened, actor="customer:1", now=NOON)

    event = told.tell("returns/process", made.processed(), ASKED_AT + DAY)

    assert "was processed at its source, and is cancelled here" in (event.reason or "")


@pytest.mark.parametrize(
    ("topic", "data", "said"),
    [
        ("returns/cancel", made.ended("canceled", 1), "There is no the return of this event"),
        ("returns/process", made.processed(2), "There is no the return of this event"),
        ("returns/request", made.asked(order=1), "There is no the order of this event"),
        ("returns/request", made.asked(mugs=3), "More of order #5001 is to come back"),
        ("returns/request", made.asked(return_line_items=[{"id": 1}]), "It has no id"),
        ("returns/request", {"status": "open"}, "does not say which return"),
        ("returns/update", made.taken_out(1) | {"admin_graphql_api_id": "gid://x/1"}, "not say"),
    ],
)
def test_what_cannot_be_followed_waits_with_its_reason(
    told: Shop, topic: str, data: dict[str, Any], said: str
) -> None:
    event = told.tell(topic, data)

    assert event.state is InboxState.RECEIVED
    assert said.removeprefix("There is no ") in (event.reason or "")
    assert told.returns() == []


def test_a_return_that_went_another_way_here_is_left_to_people(told: Shop) -> None:
    told.tell("returns/request", made.asked())
    number = told.returns()[0].number
    with told.database.write() as session:
        opened = find_return(session, number, customer_id=None)
        approve_return(session, opened, note="", actor="staff:1", now=NOON)

    declined = told.tell("returns/decline", made.ended("declined"), ASKED_AT + DAY)
    with told.database.write() as session:
        opened = find_return(session, number, customer_id=None)
        cancel_return(session, opened, actor="customer:1", now=NOON)
    approved = told.tell("returns/approve", made.asked(status="open"), ASKED_AT + DAY / 2)

    assert "was declined at its source, and is approved here" in (declined.reason or "")
    assert "goes on at its source, and is cancelled here" in (approved.reason or "")
    assert told.returns()[0].state is ReturnState.CANCELLED


def test_a_line_that_nobody_told_of_waits_for_the_next_update_of_its_order(told: Shop) -> None:
    with told.database.write() as session:
        session.execute(sa.text("DELETE FROM source_links WHERE kind = 'line'"))

    event = told.tell("returns/request", made.asked())

    assert "the line of order #5001" in (event.reason or "")
    told.tell("orders/updated", made.shopify_order(updated_at="2026-11-20T10:00:00Z"))
    assert told.tell("returns/request", made.asked()).state is InboxState.HANDLED


def story(key: int) -> tuple[str, Sequence[Told]]:
    """Return an order's number and all that is told of its return, as it happened."""
    order, request, number = 700_000 + key, 800_000 + key, f"#{7000 + key}"
    sent = made.fulfillment(
        id=710_000 + key,
        order_id=order,
        tracking_number=f"T{key:06}",
        shipment_status="delivered",
        updated_at="2026-11-19T18:00:00Z",
    )
    placed = made.shopify_order(id=order, name=number, fulfillments=[sent])
    back = of_return(request, 1, "24.00", id=720_000 + key, order_id=order)
    paid = made.shopify_order(
        id=order,
        name=number,
        fulfillments=[sent],
        refunds=[back],
        financial_status="partially_refunded",
        updated_at="2026-11-20T09:30:00Z",
    )
    steps: list[tuple[str, dict[str, Any]]] = [
        ("orders/create", placed),
        ("returns/request", made.asked(request, order=order)),
        ("returns/approve", made.asked(request, order=order, status="open")),
        ("returns/update", made.taken_out(1, request)),
        ("returns/process", made.processed(request, order=order)),
        ("refunds/create", back),
        ("orders/updated", paid),
        ("returns/close", made.ended("closed", request, order=order)),
    ]
    hour = timedelta(hours=1)
    return number, [(topic, data, ASKED_AT + n * hour) for n, (topic, data) in enumerate(steps)]


def ending(shop: Shop, number: str) -> tuple[Any, ...]:
    """Return all that can be seen of an order's returns."""
    returns = [
        (one.state, one.refund_minor, sorted((x.order_line_id, x.quantity) for x in one.lines))
        for one in shop.returns(number)
    ]
    order = read_order(shop.database, number)
    first = order.lines[0].id
    seen = [(a, b, [(line - first, n) for line, n in lines]) for a, b, lines in returns]
    moved = sa.text(
        "SELECT SUM(m.quantity) FROM stock_moves m JOIN returns r ON r.number = m.reference"
        " WHERE r.order_id = :order"
    )
    with shop.database.read() as session:
        stock = session.scalar(moved, {"order": order.id})
    money = sorted((one.kind.value, one.amount_minor) for one in order.payments)
    return seen, [line.returned for line in order.lines], stock, money


@pytest.mark.parametrize("examples", [6, pytest.param(40, marks=pytest.mark.slow)])
def test_any_order_and_any_repeats_end_the_same(
    told: Shop, settings: Settings, examples: int
) -> None:
    with told.database.write() as session:
        for sku in (MUG, LAMP):
            move(session, sku, 1, 5_000, reason=MoveReason.RECEIPT, reference="much", actor="test",
                 at=NOON)  # fmt: skip
    number, steps = story(next(_keys))
    for step in steps:
        told.tell(*step)
    expected = ending(told, number)
    assert expected[:3] == ([(ReturnState.RESOLVED, 2400, [(0, 1)])], [1, 0], 1)

    @limits(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        order=st.permutations(range(2 * len(steps))),
        once=st.sets(st.integers(0, len(steps) - 1)),
        pauses=st.sets(st.integers(0, 2 * len(steps))),
    )
    def ends_the_same(order: list[int], once: set[int], pauses: set[int]) -> None:
        number, steps = story(next(_keys))
        chosen = [place for place in order if place < len(steps) or place - len(steps) not in once]
        for place in chosen:
            told.keep(*steps[place % len(steps)])
            if place in pauses:
                handle_kept_events(told.database, settings, now=NOON)
        for hours in range(14):  # what came too early is tried again
            handle_kept_events(told.database, settings, now=NOON + timedelta(hours=hours))

        assert ending(told, number) == expected

    ends_the_same()
    assert broken_rules(told.database) == {}
