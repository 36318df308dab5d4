"""Quality: sampling plans, where lots went, yields and defects. For staff."""

from typing import Annotated

from pydantic import BeforeValidator

from opsbot.commerce.lots import find_lot
from opsbot.commerce.products import Item
from opsbot.errors import NotFoundError
from opsbot.metrics import supply
from opsbot.metrics.quality import QualityFigures, quality_figures
from opsbot.metrics.traces import Trace, trace
from opsbot.planning.period_words import read_period
from opsbot.planning.quality import vital_few
from opsbot.planning.sampling import MAJOR_LIMIT, MINOR_LIMIT, Level, sampling_plan
from opsbot.toolkit.arguments import Period, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.documents import LotNumber
from opsbot.toolkit.named_items import find_items
from opsbot.toolkit.named_suppliers import SupplierName
from opsbot.toolkit.results import Chart, Column, Result
from opsbot.toolkit.tables import Cell, count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

_READERS = ("ops", "planner", "quality", "lead", "manager")
_PLAN_COLUMNS = (
    Column("defect", "Defects"),
    Column("limit", "AQL (%)"),
    Column("letter", "Letter"),
    Column("sample", "Sample", numeric=True),
    Column("accept", "Accept up to", numeric=True),
    Column("reject", "Reject from", numeric=True),
    Column("chance", "Passes at 2 x AQL (%)", numeric=True),
)
_TRACE_COLUMNS = (
    Column("what", "What"),
    Column("number", "Number"),
    Column("who", "Who or where"),
    Column("units", "Units", numeric=True),
    Column("on", "On"),
    Column("lot", "Lot"),
)
_STANDARD = (
    "Single sampling, normal inspection, MIL-STD-105E (ISO 2859-1); no critical defect is accepted."
)


_DEFECT_COLUMNS = (
    Column("cause", "Defect"),
    Column("count", "Units", numeric=True),
    Column("share", "Share (%)", numeric=True),
    Column("sum", "Together (%)", numeric=True),
)
_QUALITY = (
    "First pass yield: good units of a step in units it started, no rework counted; rolled: the "
    "product over the steps. Defects: scrap of steps by reason, and defective pieces of samples. "
    "Rejects: units rejected on receipt in a million received."
)


def _plain_number(value: object) -> object:
    return value.replace(",", "") if isinstance(value, str) else value


LotSize = Annotated[
    int,
    argument(
        "lot_size",
        "How many pieces has the lot?",
        description="Pieces in the lot.",
        pattern=r"\b(?:lots?|batch|batches|delivery)(?: size)?(?: of| is|:)? "
        r"(\d{1,3}(?:,\d{3})+|\d{1,7})\b"
        r"|\b(\d{1,3}(?:,\d{3})+)\b|\b(\d{2,7}) (?:pieces|parts|units) (?:in|per|came|arrived)\b",
        ge=1,
        le=10_000_000,
    ),
    BeforeValidator(_plain_number),
]
Limit = Annotated[
    float,
    argument(
        "quality_limit",
        "Which acceptance quality limit (AQL), in percent?",
        description="Acceptance quality limit in percent: 0.1 to 6.5.",
        pattern=r"\b(?:AQL|limit)(?: of| is|:)? ?(\d+(?:\.\d+)?)\b"
        r"|\b(\d+(?:\.\d+)?) ?(?:%|percent) AQL",
        gt=0,
        le=6.5,
    ),
]
PlanLevel = Annotated[
    Level,
    argument(
        "choice",
        "Which inspection level: I, II or III?",
        description="General inspection level.",
        labels={
            "I": ("level I", "level 1", "reduced inspection"),
            "II": ("level II", "level 2", "normal level"),
            "III": ("level III", "level 3", "tightened level"),
        },
    ),
]
QualityItem = Annotated[
    str,
    argument(
        "item",
        "Of which item?",
        description="Only this item, product or category; empty: all.",
        max_length=120,
    ),
]


@tool(
    examples=[
        "How many pieces must I inspect in a lot of 800?",
        "sampling plan for a batch of 1,200 at AQL 1.5",
        "inspection plan for a lot of 300",
        "AQL 2.5 for a lot size of 5000, what are n, Ac and Re",
        "what sample size do I need for a delivery of 450 mugs",
        "when do I have to reject a lot of 90",
        "acceptance number for a lot of 2,000 at AQL 4",
        "how large is the sample of a lot of 150 at level III",
    ],
    label="Looking up the sampling plan",
    audience=Audience.STAFF,
    roles=_READERS,
)
def inspection_plan(
    ctx: ToolContext, lot_size: LotSize, aql: Limit = MAJOR_LIMIT, strictness: PlanLevel = Level.II
) -> Result:
    """Tell how many pieces of a lot to inspect, and how many defective ones still accept it.

    Args:
        ctx: who asks.
        lot_size: pieces in the lot.
        aql: acceptance quality limit for major defects, percent.
        strictness: general inspection level.
    """
    rows = []
    for words, limit in (("major", aql), ("minor", MINOR_LIMIT)):
        plan = sampling_plan(lot_size, limit, level=strictness)
        chance = round(100 * plan.chance_of_acceptance(2 * limit / 100), 1)
        rows.append(
            (words, f"{limit:g}", plan.letter, plan.sample_size, plan.accept_up_to,
             plan.reject_from, chance)
        )  # fmt: skip
    major = sampling_plan(lot_size, aql, level=strictness)
    table = make_table(
        f"Sampling plan of a lot of {lot_size:,}, as of {ctx.moment(ctx.now)}", _PLAN_COLUMNS, rows
    )
    whole = "all of them" if major.whole_lot else f"letter {major.letter}, level {strictness.value}"
    lines = [
        (
            f"**Inspect {major.sample_size} of {lot_size:,}: accept up to {major.accept_up_to} "
            f"major defects, reject from {major.reject_from}.**"
        ),
        "",
        f"- AQL {aql:g} %, {whole}",
        f"- {_STANDARD}",
    ]
    facts = {
        "lot_size": lot_size,
        "sample_size": major.sample_size,
        "accept_up_to": major.accept_up_to,
        "reject_from": major.reject_from,
        "definition": _STANDARD,
        "as_of": ctx.moment(ctx.now),
    }
    return Result("\n".join(lines), facts=facts | table_facts(table), table=table)


@tool(
    examples=[
        "Batch LOT-00231 has bad glue: who got it?",
        "trace lot LOT-00120",
        "where is lot 315 and what was made of it",
        "which customers received goods of LOT-00044",
        "where did the clay of batch 102 go",
        "follow LOT-00290 to the orders",
        "in which products was lot LOT-00015 used",
        "show the trail of LOT-00087",
    ],
    label="Following the lot",
    audience=Audience.STAFF,
    roles=_READERS,
    pii=True,
)
def trace_lot(ctx: ToolContext, lot: LotNumber) -> Result:
    """Show where a lot came from, what was made of it, which orders it went to and what is left.

    Args:
        ctx: who asks.
        lot: its number.
    """
    found = find_lot(ctx.session, lot)
    item = ctx.session.get_one(Item, found.sku)
    seen = trace(ctx.session, found)
    rows = _trace_rows(ctx, seen)
    if not rows:
        rows = [("came in", found.reference, "", 0, ctx.day(found.made_at), found.number)]
    caption = f"Where {found.number} went, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _TRACE_COLUMNS, rows)
    buyers = {sale.customer for sale in seen.sales}
    state = found.state.value if not found.reason else f"{found.state.value}, {found.reason}"
    lines = [
        (
            f"**{found.number} ({item.title}) went to {count(len(buyers), 'customer')} in "
            f"{count(len({sale.number for sale in seen.sales}), 'order')}.**"
        ),
        "",
        f"- {state}; came with {found.reference} on {ctx.day(found.made_at)}",
        f"- {sum(seen.left.values())} are left; {count(len(seen.works), 'work order')} used some",
    ]
    facts = {
        "lot": found.number,
        "item": item.title,
        "state": found.state.value,
        "customers": len(buyers),
        "left": sum(seen.left.values()),
        "caveats": ["Oldest lot first: what left the shelf without a scan counts as the oldest."],
        "as_of": ctx.moment(ctx.now),
    }
    return Result("\n".join(lines), facts=facts | table_facts(table), table=table)


@tool(
    examples=[
        "which defects were most frequent last month",
        "the top defects of the year so far",
        "what are our most common defects",
        "first pass yield of the last 3 months",
        "quality figures for the ceramics this year",
        "scrap rate last month",
        "Pareto of defects in the last 6 months",
        "how many ppm do our suppliers deliver",
        "most frequent reasons for scrap",
        "yield of the moss mug in the last quarter",
        "what goes wrong most often in production",
        "reject rate of Lumenparts BV this year",
    ],
    label="Adding up defects",
    audience=Audience.STAFF,
    roles=_READERS,
)
def quality(
    ctx: ToolContext,
    period: Period = "last 90 days",
    item: QualityItem = "",
    supplier: SupplierName = "",
) -> Result:
    """Show yield, scrap, rejects and the most frequent defects of a period.

    Args:
        ctx: who asks.
        period: when it was made or came in.
        item: only this item, product or category.
        supplier: only what this one delivered.
    """
    span = read_period(period, now=ctx.now, zone=ctx.settings.time_zone)
    source = supply.find_supplier(ctx.session, supplier) if supplier else None
    label, skus = _items_named(ctx, item)
    found = quality_figures(ctx.session, span, skus=skus, supplier=source)
    of = f" of {label}" if label else ""
    phrase = span.phrase(locale=ctx.caller.locale)
    rows = [
        (row.cause, round(row.count), round(100 * row.share, 1), round(100 * row.cumulative, 1))
        for row in found.pareto
    ]
    words = span.words(locale=ctx.caller.locale)
    table = make_table(f"Defects{of}, {words}, as of {ctx.moment(ctx.now)}", _DEFECT_COLUMNS, rows)
    few = vital_few(found.pareto) if found.pareto else []
    chart = Chart(
        kind="bar",
        title="Defects",
        summary=f"{few[0].cause} is the most frequent defect." if few else "No defects.",
        x="cause",
        y=("count",),
        unit="units",
    )
    facts = {
        "period": words,
        "item": label or "all",
        "first_pass_yield": _percent(found.first_pass),
        "rolled_yield": _percent(found.rolled),
        "scrap_rate": _percent(found.scrap_rate),
        "supplier_ppm": round(found.ppm) if found.ppm is not None else None,
        "lots_rejected": found.rejected,
        "lots_inspected": found.inspected,
        "definition": _QUALITY,
        "as_of": ctx.moment(ctx.now),
    }
    say = _quality_words(found, of, phrase, few[0].cause if few else "")
    if item and not label:
        say += "\n- I know no item of that name, so these are all items"
    drawn = chart if len(rows) > 1 else None
    return Result(say, facts=facts | table_facts(table), table=table, chart=drawn)


def _items_named(ctx: ToolContext, words: str) -> tuple[str, list[str] | None]:
    """Return the label and the numbers of what words name; nothing for what nobody knows."""
    if not words:
        return "", None
    try:
        named = find_items(ctx.session, words, parts=True)
    except NotFoundError:
        return "", None
    return named.label, named.skus


def _quality_words(found: QualityFigures, of: str, phrase: str, worst: str) -> str:
    defects = round(sum(row.count for row in found.pareto))
    lines = [
        f"**{defects} defects{of} {phrase}" + (f", most often: {worst}.**" if worst else ".**"),
        "",
    ]
    if found.first_pass is not None:
        rolled = f", {found.rolled:.1%} over all steps" if found.rolled is not None else ""
        lines.append(f"- First pass yield {found.first_pass:.1%}{rolled}")
    received = f"; {found.ppm:,.0f} ppm rejected on receipt" if found.ppm is not None else ""
    lines.append(f"- {found.rejected} of {count(found.inspected, 'lot')} rejected{received}")
    return "\n".join(lines)


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def _trace_rows(ctx: ToolContext, seen: Trace) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = [
        ("in stock", "", place, units, "", "") for place, units in sorted(seen.left.items())
    ]
    rows += [
        ("used by", work.number, work.title, work.units, ctx.day(work.at), work.lot)
        for work in seen.works
    ]
    rows += [
        ("sold in", sale.number, sale.customer, sale.units, ctx.day(sale.at), sale.lot)
        for sale in seen.sales
    ]
    return rows
