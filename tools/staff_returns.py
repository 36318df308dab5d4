"""Why things come back: for staff."""

from collections.abc import Sequence
from typing import Annotated, Any

from opsbot.commerce.returns import ReturnReason
from opsbot.formats import format_items
from opsbot.metrics.return_reasons import Cohort, ReasonCount, count_cohort, count_reasons
from opsbot.metrics.sending_back import RETURNS_SETTLE
from opsbot.metrics.stock import find_category, skus_of_category
from opsbot.planning.period_words import read_period
from opsbot.planning.periods import Period as Days
from opsbot.toolkit.arguments import Period, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.catalogue import find_products
from opsbot.toolkit.results import Chart, Column, Result
from opsbot.toolkit.tables import count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

ReturnedItem = Annotated[
    str,
    argument(
        "item",
        "Which item?",
        description="Only this item, product or category; empty: all.",
        max_length=120,
    ),
]
MOST = 0.8
"""Share of the units from which reasons are called most of them."""
_COLUMNS = (
    Column("reason", "Reason"),
    Column("units", "Units", numeric=True),
    Column("share", "Share (%)", numeric=True),
    Column("cumulative", "Cumulative (%)", numeric=True),
    Column("returns", "Returns", numeric=True),
    Column("cohort", "Of delivered (%)", numeric=True),
    Column("item", "Most often"),
)


@tool(
    examples=[
        "Why do things come back?",
        "Return reasons last month",
        "returns by reason",
        "why do people send the daypack back",
        "What are the top reasons for returns this quarter?",
        "which reason do customers give most when they send something back",
        "pareto of return reasons for the Halo lamp",
        "Show me why customers returned ceramics in September",
        "how many items came back damaged in the last 90 days",
        "reasons for returns since July",
    ],
    label="Counting return reasons",
    audience=Audience.STAFF,
)
def returns_by_reason(
    ctx: ToolContext, period: Period = "last 90 days", item: ReturnedItem = ""
) -> Result:
    """Count returned units by the reason customers gave, most first.

    Args:
        ctx: who asks.
        period: when the return was asked for.
        item: only this item.
    """
    when = read_period(period, now=ctx.now, zone=ctx.settings.time_zone)
    label, skus = _items_named(ctx, item)
    counts = count_reasons(ctx.session, when, skus)
    cohort = count_cohort(ctx.session, when, skus)
    span = when.words(locale=ctx.caller.locale)
    phrase = when.phrase(locale=ctx.caller.locale)
    of_what = f" of {label}" if label else ""
    unknown = "I know no item of that name, so these are all items" if item and not label else ""
    facts: dict[str, Any] = {"period": span, "item": label or "all", "as_of": ctx.moment(ctx.now)}
    if not counts:
        say = f"**0 units{of_what} were returned {phrase}.**"
        return Result(f"{say}\n\n- {unknown}" if unknown else say, facts=facts | {"rows": []})
    table = make_table(
        f"Returns{of_what} by reason, {span}, as of {ctx.moment(ctx.now)}",
        _COLUMNS,
        [_row(one, cohort) for one in counts],
    )
    top = counts[0]
    chart = Chart(
        kind="bar",
        title="Returned units by reason",
        summary=f"{_words(top)} leads with {top.units} of {_units(counts)} returned units.",
        x="reason",
        y=("units",),
        unit="units",
    )
    lines = _say(counts, of_what, phrase, unknown)
    rate = cohort.rate()
    facts["definition"] = (
        "Units of returns asked for in the period, not declined or cancelled; beside it the share "
        "of the units delivered in the period that came back for it, whenever that was."
    )
    facts["cohort_rate"] = None if rate is None else round(100 * rate, 1)
    if rate is not None:
        lines += f"\n- {_cohort_words(ctx, cohort, rate, when)}"
    return Result(lines, facts=facts | table_facts(table), table=table, chart=chart)


def _items_named(ctx: ToolContext, words: str) -> tuple[str, list[str] | None]:
    """Return a name and SKUs; no name and None where the words name nothing we sell."""
    if not words:
        return "", None
    if category := find_category(ctx.session, words):
        return category, skus_of_category(ctx.session, category)
    products = find_products(ctx.session, words, active_only=False)
    several = find_category(ctx.session, words, among_others=True) if len(products) > 1 else ""
    if several:  # "top ceramics" names no product that has both words
        return several, skus_of_category(ctx.session, several)
    if not products:
        return "", None
    variants = [variant for product in products for variant in product.variants]
    label = variants[0].title if len(variants) == 1 else format_items([p.title for p in products])
    return label, [variant.sku for variant in variants]


def _units(counts: Sequence[ReasonCount]) -> int:
    return sum(one.units for one in counts)


def _words(one: ReasonCount) -> str:
    if one.reason is ReturnReason.DAMAGED_TRANSIT:
        return "Damaged in transit"
    return one.reason.value.replace("_", " ").capitalize()


def _cohort_words(ctx: ToolContext, cohort: Cohort, rate: float, when: Days) -> str:
    units = count(cohort.delivered, "unit")
    final = when.end + RETURNS_SETTLE
    so_far = "" if final <= ctx.now else f" so far; final on {ctx.day(final)}"
    return f"Of the {units} delivered in that time {100 * rate:.1f} % came back{so_far}"


def _row(one: ReasonCount, cohort: Cohort) -> tuple[str | float | None, ...]:
    rate = cohort.rate(one.reason)
    return (
        _words(one),
        one.units,
        round(100 * one.share, 1),
        round(100 * one.cumulative, 1),
        one.returns,
        None if rate is None else round(100 * rate, 1),
        one.top_item,
    )


def _say(counts: Sequence[ReasonCount], of_what: str, phrase: str, unknown: str) -> str:
    top, units = counts[0], _units(counts)
    were = "was" if units == 1 else "were"
    because = f"{100 * top.share:.0f} % because of “{_words(top).lower()}”"
    returned = f"{count(units, 'unit')}{of_what} {were} returned {phrase}"
    lines = [f"**{returned}; {because}.**", ""]
    most = (number for number, one in enumerate(counts, 1) if one.cumulative >= MOST)
    few = next(most, len(counts))
    if 1 < few < len(counts):
        share = 100 * counts[few - 1].cumulative
        lines.append(f"- The first {few} of {len(counts)} reasons make up {share:.0f} %")
    lines.append(f"- Most often for “{_words(top).lower()}”: {top.top_item}")
    if unknown:
        lines.append(f"- {unknown}")
    return "\n".join(lines)
