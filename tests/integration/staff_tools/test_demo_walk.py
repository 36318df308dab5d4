"""Every tool for staff, on the sample shop."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from opsbot.channels.charts import draw
from opsbot.commerce.customers import Customer, CustomerKind
from opsbot.commerce.orders import Order
from opsbot.db import Database
from opsbot.demo.load import load_demo
from opsbot.errors import OpsbotError
from opsbot.metrics.grouping import GOODS, MAX_GROUPS, Dimension
from opsbot.metrics.query import query
from opsbot.metrics.registry import METRICS
from opsbot.planning.period_words import read_period
from opsbot.toolkit.audit import AuditEvent, verify
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool
from tests.integration.staff_tools.conftest import Ask

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("order_overview", {"order_number": "#1001"}),
    ("order_overview", {"order_number": "1011"}),
    ("customer_overview", {"customer": "ada@example.com"}),
    ("customer_overview", {"customer": "Brandt"}),
    ("late_orders", {}),
    ("late_shipments", {}),
    ("late_shipments", {"days": "a week"}),
    ("stock_of", {"item": "Kiln mug"}),
    ("stock_of", {"item": "lamps"}),
    ("runs_out", {}),
    ("runs_out", {"days": "two months", "category": "the lamps"}),
    ("forecast_demand", {"item": "walnut lamp", "days": "five weeks"}),
    ("forecast_demand", {"item": "the bags", "days": "a quarter"}),
    ("safety_stock", {"item": "Kiln mug", "service_level": 98}),
    ("safety_stock", {"item": "lamps"}),
    ("purchase_orders", {}),
    ("purchase_orders", {"supplier": "osaka"}),
    ("replenishment", {}),
    ("replenishment", {"supplier": "Osaka Kettle Works"}),
    ("jit_plan", {}),
    ("production_plan", {}),
    ("production_plan", {"days": "two weeks"}),
    ("capacity", {}),
    ("capacity", {"center": "laser cutter", "days": "a week"}),
    ("capacity", {"item": "moss mug", "quantity": 500}),
    ("can_we_make", {"item": "dotted A5 notebook", "quantity": 300, "by": "12 December"}),
    ("can_we_make", {"item": "Lamp base, oak", "quantity": 100}),
    ("can_we_make", {"item": "copper kettle", "quantity": 30}),
    ("explode_bom", {"item": "walnut desk lamp", "quantity": 20}),
    ("where_used", {"item": "oak blank"}),
    ("stock_ledger", {"item": "moss mug", "period": "last 6 months"}),
    ("stock_ledger", {"item": "stoneware clay", "period": "last 6 months"}),
    ("inventory_health", {}),
    ("inspection_plan", {"lot_size": "1,000", "aql": 2.5}),
    ("quality", {"period": "this quarter"}),
    ("quality", {"period": "last 12 months", "supplier": "Lumenparts"}),
    ("trace_lot", {"lot": "LOT-00003"}),
    ("supplier_scorecard", {}),
    ("supplier_scorecard", {"supplier": "Tecelagem Ribeira", "period": "last 6 months"}),
    ("returns_by_reason", {"period": "last 6 months"}),
    ("returns_by_reason", {"period": "this year", "item": "tote bag"}),
    ("query_metric", {"metric": "revenue", "period": "last month", "compare": "true"}),
    ("query_metric", {"metric": "revenue", "period": "last 6 months", "by": "by_month"}),
    ("query_metric", {"metric": "orders", "period": "last 30 days", "by": "by_day"}),
    ("query_metric", {"metric": "average_order_value", "by": "by_channel"}),
    ("query_metric", {"metric": "otif", "period": "last month", "by": "by_carrier"}),
    ("query_metric", {"metric": "return_rate", "period": "last 6 months", "by": "by_month"}),
    ("query_metric", {"metric": "return_rate", "period": "Q3", "by": "by_category"}),
    ("query_metric", {"metric": "cycle_time", "period": "last 90 days", "by": "by_country"}),
    ("query_metric", {"metric": "cycle_time", "by": "by_stage"}),
    ("query_metric", {"metric": "transit_days", "only": "DHL to Austria than GLS"}),
    ("query_metric", {"metric": "cost_per_parcel", "by": "by_country", "compare": "true"}),
    ("query_metric", {"metric": "channel_margin"}),
    ("query_metric", {"metric": "units", "by": "by_item", "top": 5, "only": "ceramics"}),
    ("query_metric", {"metric": "nps", "by": "by_month", "period": "last 6 months"}),
]
CALLS += [
    ("cases", {}),
    ("cases", {"which": "overdue"}),
    ("order_queue", {}),
    ("order_queue", {"waits_for": "ready"}),
    ("advise_packaging", {"order_number": "#1004"}),
    ("market_readiness", {"country": "Norway", "product": "Lantern"}),
    ("market_readiness", {"country": "Japan"}),
    ("partner", {}),
    ("partner", {"partner": "Lichtblick", "period": "this year"}),
    ("survey_results", {"score": "nps", "period": "this year"}),
    ("survey_results", {"score": "csat", "period": "last month"}),
    ("improvements", {}),
    ("daily_brief", {}),
]
STAFF_TOOLS = {name for name, _ in CALLS}
CUSTOMERS = [
    Caller(Audience.CUSTOMER, "widget", Level.ANONYMOUS, visitor="v1"),
    Caller(Audience.CUSTOMER, "widget", Level.ORDER, proved_order_id=1, visitor="v1"),
    Caller(Audience.CUSTOMER, "widget", Level.SIGNED_IN, customer_id=1),
    Caller(Audience.CUSTOMER, "widget", Level.FRESH_CODE, customer_id=1, roles=frozenset({"lead"})),
]


def test_every_staff_tool_answers_on_the_sample_shop(database: Database, ask: Ask) -> None:
    load_demo(database, now=NOW)

    for name, arguments in CALLS:
        began = time.perf_counter()
        result = ask(name, now=NOW, **arguments)
        print(f"{name} {arguments}: {1000 * (time.perf_counter() - began):.0f} ms")  # noqa: T201

        what = f"{name} {arguments}: {result.say}"
        head, _, more = result.say.partition("\n\n")
        assert head.startswith("**"), what
        assert head.endswith("**"), what
        assert any(character.isdigit() for character in head), what
        assert len(more.splitlines()) <= 3, what
        assert result.table is not None, what
        assert result.table.rows, what
        assert "as of" in result.table.caption or "newest first" in result.table.caption, what
        assert json.loads(json.dumps(result.facts)) == result.facts, what
        assert "as_of" in result.facts, what
        if result.chart is not None:
            spec = draw(asdict(result.chart), asdict(result.table))
            assert len(spec["data"]["values"]) == len(result.table.rows) * len(result.chart.y)


def test_every_measure_can_be_cut_in_every_way_it_says(database: Database) -> None:
    load_demo(database, now=NOW)

    for key, metric in METRICS.items():
        period = read_period(metric.period, now=NOW, zone="Europe/Berlin")
        for by in metric.dimensions:
            if by is Dimension.DAY and period.days > MAX_GROUPS:
                continue
            with database.read() as session:
                result = query(session, key, period=period, now=NOW, by=by, compare=True)
            told = sum(row.n for row in result.rows)
            # What is not about a product is in no group; what is in two groups counts in both.
            assert told >= result.n or by in GOODS, f"{key} by {by}"


@pytest.mark.parametrize("caller", CUSTOMERS, ids=["visitor", "order", "signed in", "fresh code"])
def test_no_staff_tool_is_offered_or_open_to_a_customer(executor: Executor, caller: Caller) -> None:
    offered = {tool.name for tool in executor.offered(caller)}

    assert not offered & STAFF_TOOLS
    for name, arguments in CALLS:
        with pytest.raises(OpsbotError):
            executor.run(caller, name, arguments, now=NOW)


def test_only_those_who_deal_with_customers_see_personal_data(executor: Executor) -> None:
    planner = Caller(Audience.STAFF, "console", staff_id=2, roles=frozenset({"planner"}))

    offered = {tool.name for tool in executor.offered(planner)}

    assert {"order_overview", "customer_overview", "cases"} == STAFF_TOOLS - offered


def test_every_staff_tool_has_examples_of_its_own(tools: dict[str, AnyTool]) -> None:
    examples = [text for name in STAFF_TOOLS for text in tools[name].examples]

    assert len(set(examples)) == len(examples)
    for name in STAFF_TOOLS:
        assert len(tools[name].examples) >= 8, name
        assert tools[name].audience is Audience.STAFF, name
        assert tools[name].effect == "read", name


def test_what_names_a_customer_says_so_and_is_audited(
    database: Database, ask: Ask, tools: dict[str, AnyTool]
) -> None:
    load_demo(database, now=NOW)
    with database.read() as session:
        people = session.scalars(select(Customer).where(Customer.kind == CustomerKind.CONSUMER))
        named = {word.lower() for one in people for word in (one.name, one.email)}
        named |= {str(to["line1"]).lower() for to in session.scalars(select(Order.ship_to))}

    silent, telling = set[str](), set[str]()
    for name, arguments in [*CALLS, ("returns_worklist", {})]:
        text = json.dumps(asdict(ask(name, now=NOW, **arguments)), ensure_ascii=False, default=str)
        if any(word in text.lower() for word in named):
            (silent if tools[name].pii == "none" else telling).add(name)

    assert silent == set()
    assert telling == {"cases", "customer_overview", "order_overview", "trace_lot"}
    with database.read() as session:
        read = select(AuditEvent.subject).where(AuditEvent.action == "read")
        assert set(session.scalars(read)) == telling
        assert verify(session).problem == ""
