"""What will sell, and what stock that needs: for staff."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Annotated

import numpy as np

from opsbot.commerce.products import Item
from opsbot.commerce.stock_policies import StockPolicy
from opsbot.metrics.run_outs import REVIEW_DAYS
from opsbot.metrics.weekly_demand import DemandHistory, read_demand
from opsbot.planning.demand_weeks import WEEK
from opsbot.planning.forecasting import Forecast, forecast, forecast_items
from opsbot.planning.periods import DAY
from opsbot.planning.safety import OrderPoint, coverage, order_point
from opsbot.toolkit.arguments import Span, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.named_items import FoundItems, NamedItems, find_items
from opsbot.toolkit.results import Chart, Column, Result
from opsbot.toolkit.tables import Cell, count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

AHEAD_DAYS = 28
MOST_WEEKS = 26
SERVICE_LEVEL = 95
"""Percent of cycles without a stock-out, where nobody names another."""
_WEEK_COLUMNS = (
    Column("week", "Week from"),
    Column("expected", "Expected", numeric=True),
    Column("low", "At least", numeric=True),
    Column("high", "At most", numeric=True),
)
_STOCK_COLUMNS = (
    Column("item", "Item"),
    Column("sku", "SKU"),
    Column("lead", "Lead days", numeric=True),
    Column("expected", "Expected in lead time", numeric=True),
    Column("safety", "Safety stock", numeric=True),
    Column("point", "Reorder at", numeric=True),
    Column("up_to", "Order up to", numeric=True),
    Column("policy", "Safety stock now", numeric=True),
    Column("reached", "Enough in the past (%)", numeric=True),
)
_BASIS = (
    "Orders that were not cancelled, by whole weeks; weeks of empty shelves are left out. What the "
    "past does not show, such as a fair or a new campaign, is not in it."
)


@dataclass(frozen=True)
class _StockPlan:
    """What stock one item needs."""

    in_lead: float
    """Units expected in the lead time."""
    point: OrderPoint
    reached: float | None
    """Share of past cycles in which it would have been enough; None: not known."""


ServiceLevel = Annotated[
    int,
    argument(
        "service_level",
        "For which service level, in percent?",
        description="Percent of cycles without a stock-out, 50 to 99.",
        pattern=r"\b(\d{2})\s*(?:%|percent|per cent)",
        ge=50,
        le=99,
    ),
]


@tool(
    examples=[
        "How many desk lamps will we sell in the next five weeks?",
        "forecast for the Kiln mug",
        "demand forecast of the hand grinder for 8 weeks",
        "What do we expect to sell of the A5 notebook next month?",
        "How sure is the forecast of the tote bag?",
        "predict the sales of our ceramics",
        "expected demand for lamps in the coming quarter",
        "how much of the copper kettle is going to be ordered until Christmas",
        "projected sales of glassware",
        "sales outlook for bags",
    ],
    label="Forecasting the demand",
    audience=Audience.STAFF,
)
def forecast_demand(ctx: ToolContext, item: NamedItems, days: Span = AHEAD_DAYS) -> Result:
    """Forecast how many units of an item or a category will be ordered, week by week.

    Args:
        ctx: who asks.
        item: what to forecast.
        days: how far ahead.
    """
    named = find_items(ctx.session, item)
    label = named.label
    weeks = min(MOST_WEEKS, ceil(days / WEEK.days))
    history = _history(ctx, named)
    found = forecast([float(units) for units in history.together()], horizon=weeks)
    rows = [
        (
            ctx.day(history.next_week + index * WEEK),
            round(period.units, 1),
            round(period.low, 1),
            round(period.high, 1),
        )
        for index, period in enumerate(found.periods)
    ]
    caption = f"Forecast of {label}, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _WEEK_COLUMNS, rows)
    facts = {
        "item": label,
        "expected": round(found.total),
        "weeks": weeks,
        "ordered_in_as_many_weeks_before": _before(history, weeks),
        "method": found.method,
        "demand_class": found.shape.demand_class.value,
        "error_share": found.backtest.wape,
        "error_share_of_last_week_repeated": found.backtest.naive_wape,
        "caveats": [_BASIS],
        "as_of": ctx.moment(ctx.now),
        **table_facts(table),
    }
    chart = Chart(
        kind="line",
        title=f"Forecast of {label}",
        summary=f"About {found.total:.0f} units in {count(weeks, 'week')}.",
        x="week",
        y=("expected", "low", "high"),
        unit="units",
    )
    say = _forecast_words(ctx, label, found, history)
    return Result(say, facts=facts, table=table, chart=chart if weeks > 1 else None)


@tool(
    examples=[
        "how much safety stock for the travel mug at 95 %",
        "safety stock of the Halo desk lamp",
        "compute the reorder point of the hand grinder",
        "Is our buffer of notebooks large enough?",
        "how much buffer do the lamps need at a 99 percent service level",
        "are our safety stocks right for the ceramics?",
        "recommended safety stock and order-up-to for the travel mug",
        "which buffers do the bags need for a service level of 97 %",
        "reorder point of the steel grinder",
        "at which level should the bowls be ordered again",
    ],
    label="Working out the safety stock",
    audience=Audience.STAFF,
)
def safety_stock(
    ctx: ToolContext, item: NamedItems, service_level: ServiceLevel = SERVICE_LEVEL
) -> Result:
    """Work out safety stock, reorder point and order-up-to level, beside those in use.

    Args:
        ctx: who asks.
        item: of what.
        service_level: percent of cycles without a stock-out.
    """
    named = find_items(ctx.session, item)
    label, items = named.label, named.items
    history = _history(ctx, named)
    plans = _plans(items, history, service_level / 100)
    rows = [
        _stock_row(one, plans[one.sku], ctx.session.get(StockPolicy, one.sku))
        for one in items
        if one.sku in plans
    ]
    if not rows:
        say = f"**There is too little history of {label}: four weeks of sales are the least.**"
        return Result(say, facts={"item": label, "rows": [], "as_of": ctx.moment(ctx.now)})
    caption = f"Stock that {label} needs at {service_level} %, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _STOCK_COLUMNS, rows)
    facts = {
        "item": label,
        "service_level": service_level,
        "caveats": [_BASIS],
        "as_of": ctx.moment(ctx.now),
        **table_facts(table),
    }
    return Result(_stock_words(label, service_level, rows), facts=facts, table=table)


def _history(ctx: ToolContext, named: FoundItems) -> DemandHistory:
    return read_demand(ctx.session, named.skus, now=ctx.now, zone=ctx.settings.time_zone)


def _forecast_words(ctx: ToolContext, label: str, found: Forecast, history: DemandHistory) -> str:
    weeks = len(found.periods)
    last = ctx.day(history.next_week + weeks * WEEK - DAY)
    first = found.periods[0]
    monday = ctx.day(history.next_week)
    spanned = count(min(weeks, history.weeks), "week")
    band = f"between {first.low:.0f} and {first.high:.0f}"
    lines = [
        f"**About {found.total:.0f} of {label} in the {count(weeks, 'week')} to {last}.**",
        "",
        f"- The week from {monday}: {first.units:.1f}; eight times in ten {band}",
        f"- Ordered in the {spanned} before: {_before(history, weeks)}",
        f"- {_trust(found)}",
    ]
    if giants := [one for weeks in history.by_item.values() for one in weeks.giants]:
        largest = max(one.units for one in giants)
        lines.append(f"- Left out: {count(len(giants), 'order')} of up to {largest} units at once")
    return "\n".join(lines)


def _before(history: DemandHistory, weeks: int) -> int:
    """Return what was ordered in the last so many whole weeks, as far as it is known."""
    return round(float(np.nansum(history.together()[-weeks:])))


def _trust(found: Forecast) -> str:
    way, backtest = f"By {found.method}", found.backtest
    if backtest.wape is None or backtest.naive_wape is None:
        return f"{way}; the history is too short to try it on the past"
    tried = f"{way}; tried {backtest.origins} times on the past, it was off by {backtest.wape:.0%}"
    return f"{tried}, and repeating the last week by {backtest.naive_wape:.0%}"


def _plans(items: Sequence[Item], history: DemandHistory, level: float) -> dict[str, _StockPlan]:
    """Plan items by SKU, those of one lead time at once; left out: those of too little history."""
    by_weeks: defaultdict[int, list[Item]] = defaultdict(list)
    for item in items:
        by_weeks[ceil((item.lead_time_days + REVIEW_DAYS) / WEEK.days)].append(item)
    plans = {}
    for weeks, group in by_weeks.items():
        table = np.array([history.by_item[item.sku].units for item in group])
        for item, found in zip(group, forecast_items(table, horizon=weeks), strict=True):
            if found is not None:
                plans[item.sku] = _plan(item, found, level)
    return plans


def _plan(item: Item, found: Forecast, level: float) -> _StockPlan:
    daily = found.total / len(found.periods) / WEEK.days
    in_lead = daily * item.lead_time_days
    over_both = daily * (item.lead_time_days + REVIEW_DAYS)
    point = order_point(in_lead, over_both, deviation=found.backtest.error, service_level=level)
    return _StockPlan(in_lead, point, coverage(found.backtest.errors, point.safety_stock))


def _stock_row(item: Item, plan: _StockPlan, policy: StockPolicy | None) -> tuple[Cell, ...]:
    point = plan.point
    return (
        item.title,
        item.sku,
        item.lead_time_days,
        round(plan.in_lead, 1),
        point.safety_stock,
        point.reorder_point,
        point.order_up_to,
        policy.safety_stock if policy else None,
        None if plan.reached is None else round(100 * plan.reached),
    )


def _stock_words(label: str, level: int, rows: Sequence[Sequence[Cell]]) -> str:
    title, _, lead, _, safety, point, up_to, now, _ = rows[0]
    if len(rows) == 1:
        lines = [
            f"**{title} needs a safety stock of {safety} for {level} % of cycles.**",
            "",
            f"- Reorder at {point}, up to {up_to}; it takes {lead} days to come",
        ]
        if now is not None:
            lines.append(f"- The safety stock in use is {now}")
    else:
        low = sum(_is_lower(row[7], row[4]) for row in rows)
        lines = [
            f"**Safety stock of {count(len(rows), 'item')} of {label} for {level} % of cycles.**",
            "",
            f"- {low} of them have less now",
        ]
    lines.append(
        "- From the errors of past forecasts over lead time and review; a cycle without a "
        "stock-out is not a share of units"
    )
    return "\n".join(lines)


def _is_lower(now: Cell, wanted: Cell) -> bool:
    return isinstance(now, int) and isinstance(wanted, int) and now < wanted
