"""Defined measures of the shop, by time, place, product and who did it: for staff."""

from collections.abc import Mapping
from typing import Annotated, Literal

from opsbot.commerce.cases import office_hours
from opsbot.metrics.grouping import Dimension, Terms
from opsbot.metrics.measures import Metric
from opsbot.metrics.named_values import find_values
from opsbot.metrics.phrases import PHRASES
from opsbot.metrics.query import query
from opsbot.metrics.registry import find_metric
from opsbot.planning.period_words import read_period
from opsbot.toolkit.arguments import Period, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.metric_words import (
    measure_chart,
    measure_table,
    part_words,
    said_value,
    say_measure,
    span_of,
)
from opsbot.toolkit.results import Result
from opsbot.toolkit.tables import table_facts
from opsbot.toolkit.tool import ToolContext, tool

GROUPS = {
    # Two words each: "month" alone stands in "last month", where it groups nothing.
    "by_quarter": ("per quarter", "each quarter", "quarter by quarter", "every quarter"),
    "by_month": ("per month", "each month", "month by month", "over time", "every month"),
    "by_week": ("per week", "each week", "week by week", "every week", "weekly trend"),
    "by_day": ("per day", "each day", "day by day", "every day"),
    "by_channel": ("per channel", "each channel", "sales channels", "which channel"),
    "by_country": (
        "per country",
        "each country",
        "which country",
        "which countries",
        "by market",
        "where does it",
        "in which market",
    ),
    "by_product": ("per product", "each product", "which product", "which products"),
    "by_item": ("per item", "each item", "which items", "by sku", "per variant", "each variant"),
    "by_category": ("per category", "each category", "which category", "which categories"),
    "by_carrier": ("per carrier", "each carrier", "which carrier"),
    "by_service": ("per service", "each service", "which service"),
    "by_stage": (
        "per stage",
        "each stage",
        "which stage",
        "which step",
        "per step",
        "by step",
        "where do orders",
        "get stuck",
        "bottleneck",
        "wait longest",
    ),
    "by_reason": ("per reason", "each reason", "which reason", "which reasons"),
    "by_supplier": ("per supplier", "each supplier", "which supplier", "which suppliers"),
    "by_location": ("per location", "each location", "which location", "per warehouse"),
    "by_center": (
        "per work centre",
        "each work centre",
        "which work centre",
        "per machine",
        "which machine",
    ),
    "by_kind": ("per kind", "each kind", "which kind", "per type"),
}

MetricKey = Annotated[
    str,
    argument(
        "choice",
        "Which measure: revenue, orders, margin, on time in full, transit days, shipping cost, "
        "return rate, dead stock, or another one?",
        description=f"Key of the measure, one of: {', '.join(PHRASES)}.",
        labels=PHRASES,
        max_length=40,
    ),
]

GroupBy = Annotated[
    Literal[
        "",
        "by_quarter",
        "by_month",
        "by_week",
        "by_day",
        "by_channel",
        "by_country",
        "by_product",
        "by_item",
        "by_category",
        "by_carrier",
        "by_service",
        "by_stage",
        "by_reason",
        "by_supplier",
        "by_location",
        "by_kind",
        "by_center",
    ],
    argument(
        "choice",
        "By month, week, channel, country, product, carrier, supplier, or stage?",
        description="What to group by; empty: as suits the measure.",
        labels=GROUPS,
    ),
]

Compare = Annotated[
    bool,
    argument(
        "choice",
        "Compare it with the period before?",
        description="Whether to measure the period before as well.",
        labels={
            "true": (
                "compare",
                "comparison",
                "against the",
                "versus",
                "than the",
                "the period before",
                "growing",
                "it grow",
                "better",
                "worse",
                "is the change real",
            )
        },
    ),
]

Part = Annotated[
    str,
    argument(
        "part",
        "Of which part: a country, a channel, a carrier, a product, or a supplier?",
        description="Only this part, by name: countries, channels, carriers, products, categories, "
        "suppliers, locations or reasons; several values are set beside each other. Empty: all.",
        max_length=200,
    ),
]

Top = Annotated[
    int,
    argument(
        "number",
        "How many of them?",
        description="Only so many groups, the largest first; 0: all.",
        pattern=r"\b(?:top|first|best|worst) (\d{1,3})\b",
        ge=0,
        le=200,
    ),
]


@tool(
    examples=[
        "What was our revenue last month?",
        "How many orders did we get this week?",
        "orders today",
        "revenue by month this year",
        "compare OTIF of last week with the week before, per carrier",
        "return rate by category",
        "average order value per channel",
        "How long do our deliveries take, by country?",
        "Did sales grow compared to last quarter?",
        "Which products sell best?",
        "how punctual were we in September",
        "chart of revenue per week",
        "where do our orders lose time?",
        "Which is slower to Germany, UPS or PostNL?",
        "does DHL take longer to France than UPS",
        "is one carrier quicker than another in Denmark",
        "days in transit by service",
        "What does shipping cost us per order?",
        "which sales channel leaves the most after its fees",
        "margin by country this year",
        "what did we not sell in the last nine months?",
        "dead stock by item",
        "how many of our customers order again",
        "scrap rate per product",
        "how often were shelves empty last quarter",
        "forecast error by category",
        "what share of conversations was solved without a person",
        "NPS per month",
        "top 5 products by units sold",
        "days of stock per category",
        "which goods did not move this year",
        "unsold stock per category",
        "items without a sale since spring",
        "inventory turns of the lamps",
        "at what stage do orders lose most time?",
        "did we keep our delivery promises last quarter, compared with the one before?",
        "what do parcels cost us by country, and is it growing?",
        "lead time of suppliers",
        "how soon do we answer cases",
        "share of cases that came back after they were solved",
        "how full are our work centres this month",
        "what are the loyalty points out there worth",
    ],
    label="Measuring",
    audience=Audience.STAFF,
)
def query_metric(
    ctx: ToolContext,
    metric: MetricKey,
    period: Period = "",
    by: GroupBy = "",
    compare: Compare = False,  # noqa: FBT002  (a model names it)
    only: Part = "",
    top: Top = 0,
) -> Result:
    """Measure sales, deliveries, parcels, returns, stock, suppliers, production, or answers.

    Each measure has one definition, which is said with it: revenue, units, orders, margin, on time
    in full, cycle time by stage, transit days, shipping cost, return rate, dead stock, days of
    stock, forecast error, supplier lead time, scrap rate, NPS and others.

    Args:
        ctx: who asks.
        metric: the measure.
        period: of which days; empty: as suits the measure.
        by: what to group by.
        compare: with the period before.
        only: which part of the records.
        top: how many groups at most.
    """
    wanted = find_metric(metric)
    locale = ctx.caller.locale
    when = read_period(period or wanted.period, now=ctx.now, zone=ctx.settings.time_zone)
    named = find_values(ctx.session, only, wanted.dimensions, locale=locale)
    found = query(
        ctx.session,
        wanted.key,
        period=when,
        now=ctx.now,
        by=_group(wanted, by, named),
        filters={dimension: tuple(values) for dimension, values in named.items()},
        compare=compare,
        top=top,
        locale=locale,
        terms=Terms(office_hours(ctx.settings), ctx.policies.loyalty.redeem.minor_per_point),
    )
    of = part_words(named, locale=locale)
    table = measure_table(ctx, found)
    facts = {
        "metric": found.metric.title,
        "definition": found.definition,
        "period": span_of(ctx, found),
        "of": of or "all",
        "value": said_value(ctx, found, found.total.values[0]),
        "n": found.metric.count(found.n),
        "caveats": list(found.caveats),
        "as_of": ctx.moment(ctx.now),
        **table_facts(table),
    }
    unnamed = not named and _is_name(only, metric=wanted, question=ctx.question)
    unknown = f" I know no {only!r} here: this is of all." if unnamed else ""
    return Result(
        say_measure(ctx, found, of=of) + unknown,
        facts=facts,
        table=table,
        chart=measure_chart(ctx, found, table),
    )


def _group(
    metric: Metric, by: str, named: Mapping[Dimension, Mapping[str, str]]
) -> Dimension | None:
    """Return what to group by: as asked, by what several values were named of, or as suits it."""
    if by:
        return Dimension(by.removeprefix("by_"))
    several = [dimension for dimension, values in named.items() if len(values) > 1]
    if several:
        return several[0]
    return None if metric.by in named else metric.by


def _is_name(words: str, *, metric: Metric, question: str) -> bool:
    """Tell whether words look like a name, and not like what is left of a question.

    A capital at its beginning, or in the measure's own name, says nothing.
    """
    own = {word.casefold() for word in [*metric.title.split(), *question.split()[:1]]}
    return any(
        word[0].isupper() or word[0].isdigit()
        for word in words.split()
        if word.casefold() not in own
    )
