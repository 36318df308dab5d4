"""What one call of a tool that reads costs, and how that grows with the shop.

    python benchmarks/tool_calls.py [--orders 10000,100000] [--calls 100] [--url URL] [--seed 7]
        [--tools NAME,NAME]

The sample shop is grown to each number of orders (see `grown_shop.py`), on SQLite, or in a schema
of its own on the PostgreSQL server that URL names. Each tool is called so many times through the
executor, as the chat and the programs do, with the level, the limits, the audit of personal data
and all, by customers and about orders, items and returns picked at random. Nothing is kept between
calls but what the product keeps.

The last line is one JSON object:
    sizes       for each size:
        orders, grow_s           how many there are, and how long it took to make them
        ms_p50, ms_p95           over the calls of all tools that look something up
        cpu_ms_p50, cpu_ms_p10   processor time of the thread; the tenth is what it costs when
                                 other programs do not slow the processor down
        tools                    for each of them, the same and the SQL statements of a call
        reports                  the same for tools that add up the whole shop
    growth, growth_cpu           p50 at the largest size over p50 at the smallest
    growth_worst                 the tool that grew most by processor time, and how much
"""

import argparse
import gc
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from grown_shop import grow_shop
from illegal import open_database
from pydantic import SecretStr
from rich.progress import track

from opsbot.app import open_services
from opsbot.commerce.cases import Case
from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.products import Item
from opsbot.commerce.returns import Return
from opsbot.db import Database
from opsbot.errors import AmbiguousError, ConflictError, PolicyError
from opsbot.migrations import upgrade
from opsbot.settings import Settings
from opsbot.staff import Role
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.executor import Executor

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BETWEEN = timedelta(seconds=2)
"""From one call to the next, so that no limit is reached."""
STAFF = Caller(Audience.STAFF, "console", staff_id=2, roles=frozenset(role.value for role in Role))


@dataclass(frozen=True)
class Owned:
    """Something a customer has: an order, a return."""

    customer_id: int
    order_number: str
    number: str = ""

    @property
    def caller(self) -> Caller:
        """The customer, signed in."""
        return Caller(
            Audience.CUSTOMER, "widget", level=Level.SIGNED_IN, customer_id=self.customer_id
        )


@dataclass(frozen=True)
class World:
    """What calls can be about."""

    orders: list[Owned]
    returns: list[Owned]
    cases: list[Owned]
    skus: list[str]
    titles: list[str]
    emails: list[str]


Call = tuple[Caller, Mapping[str, object]]
Ask = Callable[[World, random.Random], Call]


def main() -> None:
    """Measure each size, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", default="10000,100000")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--url", default="", help="A PostgreSQL server; empty: SQLite.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--tools", default="", help="Only these; empty: all.")
    asked = parser.parse_args()
    names = {name for name in asked.tools.split(",") if name}
    sizes = []
    for size in (int(size) for size in asked.orders.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            url = asked.url or f"sqlite:///{folder}/opsbot.db"
            with open_database(url, "tool_calls") as database:
                figures = measure(database, Path(folder), size, asked.calls, asked.seed, names)
        print(json.dumps(figures))
        sizes.append(figures)
    print(json.dumps({"sizes": sizes, **_growth(sizes[0], sizes[-1])}))


def measure(
    database: Database, folder: Path, orders: int, calls: int, seed: int, names: set[str]
) -> dict[str, Any]:
    """Grow the shop, and call every tool."""
    upgrade(database)
    began = time.perf_counter()
    grow_shop(database, orders, now=NOW)
    grown = time.perf_counter() - began
    settings = Settings(secret_key=SecretStr("0123456789abcdef" * 2), data_dir=folder)
    gc.freeze()  # as `opsbot` does when it starts
    services = open_services(settings, clock=lambda: NOW, database=database)
    runs = Runs(services.executor, database, _world(database), seed)
    figures: dict[str, Any] = {"orders": orders, "grow_s": round(grown, 1)}
    with runs.counting():
        for kind, asks in (("tools", LOOK_UPS), ("reports", REPORTS)):
            chosen = [name for name in asks if not names or name in names]
            times = calls if kind == "tools" else max(3, calls // 20)
            said = f"{kind} at {orders:,} orders"
            figures[kind] = {n: runs.measure(n, asks[n], times) for n in track(chosen, said)}
    return {**figures, **_summary(runs.wall, runs.cpu)}


class Runs:
    """Calls tools, and keeps what each call took."""

    def __init__(self, executor: Executor, database: Database, world: World, seed: int) -> None:
        self._executor, self._database, self._world = executor, database, world
        self._random = random.Random(seed)  # noqa: S311  (a measurement must repeat itself)
        self._now = NOW
        self._statements = 0
        self.wall: list[float] = []
        """Milliseconds of each call of a look-up."""
        self.cpu: list[float] = []

    def measure(self, name: str, ask: Ask, times: int) -> dict[str, float]:
        """Call one tool so many times, and some more before that are not counted."""
        wall, cpu, statements = [], [], []
        for place in range(-2, times):
            caller, arguments = ask(self._world, self._random)
            self._now += BETWEEN
            self._statements = 0
            began, used = time.perf_counter(), time.thread_time()
            with suppress(PolicyError, ConflictError, AmbiguousError):  # an answer like any other
                self._executor.run(caller, name, arguments, now=self._now)
            ended, after = time.perf_counter(), time.thread_time()
            if place >= 0:
                wall.append((ended - began) * 1000)
                cpu.append((after - used) * 1000)
                statements.append(self._statements)
        if name in LOOK_UPS:
            self.wall += wall
            self.cpu += cpu
        return {
            "ms_p50": round(statistics.median(wall), 2),
            "cpu_ms_p50": round(statistics.median(cpu), 2),
            "cpu_ms_p10": _tenth(cpu),
            "statements": round(statistics.mean(statements), 1),
        }

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the SQL statements of each call."""

        def count(*_: object) -> None:
            self._statements += 1

        sa.event.listen(self._database.engine, "before_cursor_execute", count)
        yield
        sa.event.remove(self._database.engine, "before_cursor_execute", count)


def _world(database: Database) -> World:
    order = (Order.customer_id, Order.number)
    with database.read() as session:
        delivered = sa.select(*order).where(Order.delivered_at.is_not(None)).order_by(Order.id)
        returns = sa.select(*order, Return.number).join(Return, Return.order_id == Order.id)
        cases = sa.select(*order, Case.number).join(Case, Case.order_id == Order.id)
        cases = cases.where(Case.customer_id == Order.customer_id)
        sold = sa.select(Item.sku, Item.title).where(sa.exists().where(OrderLine.sku == Item.sku))
        items = session.execute(sold.order_by(Item.sku)).all()
        return World(
            orders=[Owned(*row) for row in session.execute(delivered)],
            returns=[Owned(*row) for row in session.execute(returns.order_by(Return.id))],
            cases=[Owned(*row) for row in session.execute(cases.order_by(Case.id))],
            skus=[sku for sku, _ in items],
            titles=[title for _, title in items],
            emails=list(session.scalars(sa.select(Customer.email).order_by(Customer.id))),
        )


def _of_order(*, staff: bool = False) -> Ask:
    def ask(world: World, chance: random.Random) -> Call:
        owned = chance.choice(world.orders)
        return STAFF if staff else owned.caller, {"order_number": owned.order_number}

    return ask


def _own(world: World, chance: random.Random) -> Call:
    return chance.choice(world.orders).caller, {}


def _return(world: World, chance: random.Random) -> Call:
    owned = chance.choice(world.returns)
    return owned.caller, {"return_number": owned.number}


def _case(world: World, chance: random.Random) -> Call:
    owned = chance.choice(world.cases)
    return owned.caller, {"case_number": owned.number}


def _product(world: World, chance: random.Random) -> Call:
    return chance.choice(world.orders).caller, {"product": chance.choice(world.titles)}


def _item(world: World, chance: random.Random) -> Call:
    return STAFF, {"item": chance.choice(world.skus)}


def _customer(world: World, chance: random.Random) -> Call:
    return STAFF, {"customer": chance.choice(world.emails)}


def _staff(**arguments: object) -> Ask:
    def ask(_world: World, _chance: random.Random) -> Call:
        return STAFF, arguments

    return ask


LOOK_UPS: Mapping[str, Ask] = {
    "order_status": _of_order(),
    "my_orders": _own,
    "track_shipment": _of_order(),
    "return_options": _of_order(),
    "return_status": _return,
    "my_details": _own,
    "my_payment_methods": _own,
    "my_cases": _own,
    "case_status": _case,
    "loyalty": _own,
    "check_availability": _product,
    "product_facts": _product,
    "order_overview": _of_order(staff=True),
    "customer_overview": _customer,
    "advise_packaging": _of_order(staff=True),
    "stock_of": _item,
    "order_queue": _staff(),
    "late_orders": _staff(),
    "late_shipments": _staff(),
    "returns_worklist": _staff(),
    "cases": _staff(),
    "purchase_orders": _staff(),
}
"""Tools that look records up."""
REPORTS: Mapping[str, Ask] = {
    "stock_ledger": _item,
    "runs_out": _staff(),
    "replenishment": _staff(),
    "inventory_health": _staff(),
    "returns_by_reason": _staff(),
    "daily_brief": _staff(),
    "forecast_demand": _item,
    "query_metric": _staff(metric="orders", period="last month"),
}
"""Tools that add up what the whole shop did over weeks or a year."""


def _summary(wall: list[float], cpu: list[float]) -> dict[str, float]:
    if not wall:
        return {}
    return {
        "ms_p50": round(statistics.median(wall), 2),
        "ms_p95": round(statistics.quantiles(wall, n=20)[18], 2),
        "cpu_ms_p50": round(statistics.median(cpu), 2),
        "cpu_ms_p10": _tenth(cpu),
    }


def _tenth(times: list[float]) -> float:
    return round(statistics.quantiles(times, n=10)[0], 2)


def _growth(first: Mapping[str, Any], last: Mapping[str, Any]) -> dict[str, Any]:
    by_tool = {
        name: round(after["cpu_ms_p50"] / first["tools"][name]["cpu_ms_p50"], 2)
        for name, after in last["tools"].items()
    }
    if not by_tool:
        return {}
    worst = max(by_tool, key=lambda name: by_tool[name])
    return {
        "growth": round(last["ms_p50"] / first["ms_p50"], 2),
        "growth_cpu": round(last["cpu_ms_p50"] / first["cpu_ms_p50"], 2),
        "growth_worst": {worst: by_tool[worst]},
    }


if __name__ == "__main__":
    main()
