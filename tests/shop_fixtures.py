"""A small shop with two customers, and an executor over all the tools.

Imported by the conftest of the tests about tools. Nothing in it reads the clock.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy.orm import Session

from opsbot.commerce.customers import Customer, find_customer
from opsbot.commerce.inventory import Location, MoveReason, move
from opsbot.commerce.orders import Order, OrderLine, SalesChannel, find_order
from opsbot.commerce.products import Item
from opsbot.commerce.reservations import reserve
from opsbot.commerce.shipments import (
    Shipment,
    ShipmentState,
    pack_order,
    record_tracking_event,
)
from opsbot.content import content_root
from opsbot.db import Database
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool, load_tools
from opsbot.toolkit.policy import Policies, load_policies
from opsbot.toolkit.proposals import Preview
from opsbot.toolkit.results import Result
from tests.factories import (
    BERLIN,
    DAY,
    NOON,
    make_channel,
    make_customer,
    make_item,
    make_line,
    make_location,
    make_order,
)

CANARY = "canary"
"""Stands in every text of Eve's records: nobody else may ever read it."""
NO_KNOWLEDGE = cast("Knowledge", None)
"""For tests that search nothing."""


@dataclass(frozen=True)
class Shop:
    """Ada's orders: #1001 confirmed, #1002 two items delivered, #1003 on its way, #1004 pending.

    Eve's: #2001 confirmed, #2002 delivered.
    """

    database: Database
    settings: Settings
    executor: Executor
    ada: Caller
    eve: Caller

    def run(
        self,
        name: str,
        caller: Caller | None = None,
        /,
        *,
        now: datetime = NOON,
        conversation: str | None = "talk",
        **arguments: Any,
    ) -> Result | Preview:
        """Run a tool for Ada, or for somebody else."""
        return self.executor.run(
            caller or self.ada, name, arguments, now=now, conversation_id=conversation
        )

    def read(self, name: str, caller: Caller | None = None, /, **arguments: Any) -> Result:
        """Run a tool that reads."""
        result = self.run(name, caller, **arguments)
        assert isinstance(result, Result)
        return result

    def propose(self, name: str, caller: Caller | None = None, /, **arguments: Any) -> Preview:
        """Run a tool that writes."""
        preview = self.run(name, caller, **arguments)
        assert isinstance(preview, Preview)
        return preview

    def order(self, number: str) -> Order:
        """Read an order afresh."""
        with self.database.read() as session:
            return find_order(session, number, customer_id=None)

    def prove(self, number: str) -> Caller:
        """Return somebody who has proved one order, and no more."""
        order = self.order(number)
        return Caller(
            Audience.CUSTOMER,
            "widget",
            Level.ORDER,
            customer_id=order.customer_id,
            proved_order_id=order.id,
            visitor="v1",
        )


@pytest.fixture(scope="session")
def tools() -> Mapping[str, AnyTool]:
    """Every tool of the repository."""
    return load_tools(content_root() / "tools")


@pytest.fixture(scope="session")
def policies() -> Policies:
    """The shipped policies."""
    return load_policies(content_root() / "knowledge" / "policies")


@pytest.fixture(scope="session")
def filled_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the shop in it, to copy."""
    path = tmp_path_factory.mktemp("shop") / "opsbot.db"
    shutil.copy(sqlite_template, path)
    opened = Database(f"sqlite:///{path}")
    fill_shop(opened)
    opened.dispose()
    return path


@pytest.fixture
def shop(
    filled_template: Path,
    settings: Settings,
    tools: Mapping[str, AnyTool],
    policies: Policies,
    tmp_path: Path,
) -> Iterator[Shop]:
    """Ada's and Eve's shop on SQLite, at noon of 20 November 2026."""
    shutil.copy(filled_template, tmp_path / "shop.db")
    opened = Database(f"sqlite:///{tmp_path}/shop.db")
    yield open_shop(opened, settings, tools, policies)
    opened.dispose()


def open_shop(
    database: Database,
    settings: Settings,
    tools: Mapping[str, AnyTool],
    policies: Policies,
    knowledge: Knowledge = NO_KNOWLEDGE,
) -> Shop:
    """Return the shop over a database that `fill_shop` has filled."""
    with database.read() as session:
        ada = find_customer(session, "C-1001").id
        eve = find_customer(session, "C-1002").id
    executor = Executor(database, settings, tools, knowledge, policies, runs_per_minute=1_000_000)
    return Shop(
        database,
        settings,
        executor,
        Caller(Audience.CUSTOMER, "widget", Level.SIGNED_IN, customer_id=ada),
        Caller(Audience.CUSTOMER, "widget", Level.SIGNED_IN, customer_id=eve),
    )


def fill_shop(database: Database) -> None:
    """Put customers, items, stock and orders into an empty database."""
    with database.write() as session:
        ada = make_customer()
        eve = make_customer(f"Eve {CANARY}", f"eve@{CANARY}.example", "C-1002")
        shelf, channel = make_location(), make_channel()
        items = {item.sku: item for item in _items()}
        session.add_all([ada, eve, shelf, channel, *items.values()])
        session.flush()
        for sku in items:
            if sku not in {"LL-MUG-01", "LL-MUG-01-INK", "LL-LMP-02"}:
                _stock(session, sku, shelf, 20)
        _adas_orders(session, ada, channel, items)
        _eves_orders(session, eve, channel, items)


def _items() -> list[Item]:
    mug, lamp = make_item("LL-MUG-01", "Kiln mug", sellable=False), _lamp("LL-LMP-02", "")
    lamp.sellable = False
    return [
        mug,
        make_item("LL-MUG-01-MOS", variant_of="LL-MUG-01", options={"glaze": "moss"}),
        make_item(
            "LL-MUG-01-INK", "Kiln mug, ink", variant_of="LL-MUG-01", options={"glaze": "ink"}
        ),
        lamp,
        _lamp("LL-LMP-02-SGE", "sage"),
        _lamp("LL-LMP-02-TER", "terracotta"),
        make_item(
            "LL-ENG-01",
            "Engraved oak name sign",
            return_class="made_to_order",
            price_minor=4500,
            category="engraved",
        ),
        make_item(
            "LL-SPR-03", "Linen shade for the Ember lamp", price_minor=2700, category="spares"
        ),
    ]


def _lamp(sku: str, colour: str) -> Item:
    values: dict[str, Any] = {"price_minor": 7900, "return_class": "electronics"}
    if colour:
        values |= {"variant_of": "LL-LMP-02", "options": {"colour": colour}}
    title = f"Ember bedside lamp, {colour}".rstrip(", ")
    return make_item(sku, title, category="lamps", **values)


def _adas_orders(
    session: Session, ada: Customer, channel: SalesChannel, items: Mapping[str, Item]
) -> None:
    mug, lamp = items["LL-MUG-01-MOS"], items["LL-LMP-02-SGE"]
    lines = [make_line(mug, 2)]
    _add(session, make_order(ada, "#1001", lines=lines, channel=channel, placed_at=NOON - DAY))
    arrived = NOON - 10 * DAY
    lines = [make_line(lamp), make_line(mug, 2)]
    _add(session, make_order(ada, "#1002", lines=lines, channel=channel, delivered_at=arrived))
    moving = make_order(ada, "#1003", lines=[make_line(lamp)], channel=channel)
    _add(session, moving)
    _ship(session, moving, "00340434161094000003")
    engraved = make_line(items["LL-ENG-01"])
    _add(session, make_order(ada, "#1004", lines=[engraved], channel=channel))


def _eves_orders(
    session: Session, eve: Customer, channel: SalesChannel, items: Mapping[str, Item]
) -> None:
    secret = dict(BERLIN) | {"name": f"Eve {CANARY}", "line1": f"{CANARY} street 1"}
    for number, arrived in (("#2001", None), ("#2002", NOON - 3 * DAY)):
        line = make_line(items["LL-LMP-02-TER"])
        line.title = f"Ember bedside lamp, {CANARY}"
        order = make_order(
            eve, number, lines=[line], channel=channel, delivered_at=arrived, ship_to=secret
        )
        _add(session, order)


def _add(session: Session, order: Order) -> None:
    session.add(order)
    session.flush()
    for line in order.lines if order.delivered_at is None else ():
        _hold(session, line)


def _hold(session: Session, line: OrderLine) -> None:
    reserve(session, line.sku, line.quantity, order_line_id=line.id, at=NOON)


def _stock(session: Session, sku: str, shelf: Location, quantity: int) -> None:
    move(
        session,
        sku,
        shelf.id,
        quantity,
        reason=MoveReason.OPENING,
        reference="opening",
        actor="system",
        at=NOON - 30 * DAY,
    )


def _ship(session: Session, order: Order, tracking: str) -> Shipment:
    parcel = pack_order(
        session,
        order,
        carrier="DHL",
        service="Paket",
        tracking_number=tracking,
        cost_minor=490,
        actor="system",
        now=order.placed_at + DAY,
    )
    record_tracking_event(
        session,
        parcel,
        status=ShipmentState.IN_TRANSIT,
        message="The parcel is in the depot",
        place="Leipzig",
        occurred_at=NOON - DAY,
        received_at=NOON - DAY,
    )
    return parcel
