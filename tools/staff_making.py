"""Whether and when something can be made, and when its parts must be ordered: for staff."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

from opsbot.commerce.boms import part_needs
from opsbot.commerce.production import WorkOrder, WorkOrderState
from opsbot.commerce.products import Item
from opsbot.commerce.purchase_orders import source_of
from opsbot.commerce.work_orders import find_work_order
from opsbot.metrics import just_in_time
from opsbot.metrics.promises import Possible, possible
from opsbot.metrics.workshop import free_stock, read_workshop, titles_of
from opsbot.planning.days_ahead import read_day_ahead
from opsbot.planning.just_in_time import Need, OrderBy, order_dates
from opsbot.planning.making import Offer
from opsbot.planning.periods import local_day
from opsbot.toolkit.arguments import Span, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.documents import WorkOrderNumber
from opsbot.toolkit.named_items import find_items
from opsbot.toolkit.places import OneItem, Units, find_one_item
from opsbot.toolkit.results import Chart, Column, Result
from opsbot.toolkit.tables import Cell, count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

_ROLES = ("ops", "planner", "lead", "manager")
_AHEAD_DAYS = 42
_BUFFER_DAYS = 2
"""Days that parts should lie there before they are needed."""
_OFFER_COLUMNS = (
    Column("source", "How"),
    Column("quantity", "Units", numeric=True),
    Column("unit", "Cost of one"),
    Column("total", "In all"),
    Column("on", "There on"),
    Column("in_time", "In time"),
)
MOST_VARIANTS = 8
"""Items that one question may mean, looked at one by one."""
_EACH_COLUMNS = (
    Column("item", "Item"),
    Column("on", "Earliest"),
    Column("in_time", "In time"),
    Column("source", "Cheapest way"),
    Column("unit", "Cost of one"),
)
_NEED_COLUMNS = (
    Column("item", "Part"),
    Column("sku", "SKU"),
    Column("quantity", "To order", numeric=True),
    Column("needed", "Needed on"),
    Column("order_by", "Order by"),
    Column("left", "Days left", numeric=True),
    Column("supplier", "Supplier"),
    Column("fit", "Fit for just in time"),
)
_WAYS = (
    "Costs: parts at cost and work at hourly rates; set-up of one order is in the total. Dates: "
    "confirmed deliveries, overdue ones later by the supplier's usual lateness; parts ordered "
    "today, in the time that nine of ten of its last receipts took; free time of work centres."
)
_JIT = (
    "What planned work needs beyond free stock, ordered as late as the quoted lead time and two "
    "days of buffer allow. Fit: supplier on time in 95 %, lead time varies by at most 0.25 of its "
    "mean, demand not class Z, no class A item of a single supplier."
)
_MONTHS = r"january|february|march|april|may|june|july|august|september|october|november|december"

_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_DATE = (
    rf"\d{{1,2}}(?:st|nd|rd|th)?\.? (?:of )?(?:{_MONTHS})(?: \d{{4}})?"
    rf"|(?:{_MONTHS}) \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?|\d{{4}}-\d{{2}}-\d{{2}}"
    r"|christmas|new year|(?:the )?end of (?:the |this |next )?(?:week|month|year)"
    rf"|(?:next )?{_WEEKDAY}"
)

ByDay = Annotated[
    str,
    argument(
        "day",
        "By which day?",
        description="The day by which it is needed, such as 12 December; empty: as soon as it "
        "goes.",
        pattern=rf"\bby (?:the )?({_DATE})",
        max_length=40,
    ),
]


@tool(
    examples=[
        "Can we promise 300 dotted notebooks by 12 December?",
        "can we make 80 moss mugs until Friday",
        "When could we deliver 50 walnut desk lamps?",
        "Should we make or buy the oak lamp bases?",
        "make or buy: 200 breakfast bowls in salt",
        "is it cheaper to have the salt mugs made elsewhere",
        "earliest date for 150 oak coaster sets",
        "are we able to produce 20 brass floor lamps before Christmas",
        "a customer wants 100 espresso cup pairs, can we do that by the end of next month",
        "outsource or produce ourselves: 120 ink mugs",
    ],
    label="Working out when it can be made",
    audience=Audience.STAFF,
    roles=_ROLES,
)
def can_we_make(ctx: ToolContext, item: OneItem, quantity: Units = 100, by: ByDay = "") -> Result:
    """Tell when a quantity can be promised, from stock or by making it, and what each way costs.

    Args:
        ctx: who asks.
        item: what is wanted.
        quantity: how many.
        by: the day by which it is needed.
    """
    needed_on = read_day_ahead(by, today=ctx.today) if by else None
    several = find_items(ctx.session, item, parts=True).items
    if 1 < len(several) <= MOST_VARIANTS:
        return _each(ctx, several, quantity, needed_on)
    found = find_one_item(ctx.session, item)
    zone = ctx.settings.time_zone
    answer = possible(ctx.session, found, quantity, needed_on=needed_on, now=ctx.now, zone=zone)
    rows = _ways(ctx, answer, needed_on)
    caption = f"Ways to {quantity} x {found.title}, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _OFFER_COLUMNS, rows)
    facts = {
        "item": found.title,
        "quantity": quantity,
        "earliest": ctx.day(answer.on) if answer.on else None,
        "needed_on": ctx.day(needed_on) if needed_on else None,
        "in_time": answer.on is not None and (needed_on is None or answer.on <= needed_on),
        "caveats": [_WAYS, *answer.caveats],
        "as_of": ctx.moment(ctx.now),
    }
    say = _promise_words(ctx, answer, needed_on)
    return Result(say, facts=facts | table_facts(table), table=table)


@tool(
    examples=[
        "When must we order the parts for the planned work?",
        "just-in-time plan for the next six weeks",
        "which materials have to be ordered this week for production",
        "latest order dates of the LED driver boards",
        "which parts can be bought just in time and which not",
        "parts that we should have ordered already",
        "order-by dates for what production needs",
        "by which day must the material of WO-00239 be ordered",
        "back-schedule the material orders",
    ],
    label="Scheduling parts backwards",
    audience=Audience.STAFF,
    roles=_ROLES,
)
def jit_plan(
    ctx: ToolContext, days: Span = _AHEAD_DAYS, work_order: WorkOrderNumber = ""
) -> Result:
    """List the parts that planned work needs, with the last day to order each.

    Args:
        ctx: who asks.
        days: how far to look.
        work_order: only the parts of this one.
    """
    only = find_work_order(ctx.session, work_order).number if work_order else ""
    workshop = read_workshop(ctx.session, now=ctx.now, zone=ctx.settings.time_zone)
    until = workshop.today + timedelta(days=days)
    orders = [one for one in workshop.orders if only in {"", one.number}]
    needs = _open_needs(ctx, orders, until)
    dated = [one for need in needs for one in _dates(ctx, need)]
    dated.sort(key=lambda one: (one.order_by, one.sku))
    if not dated:
        say = f"**0 parts must be ordered for the work of the next {count(days, 'day')}.**"
        return Result(say, facts={"count": 0, "rows": [], "as_of": ctx.moment(ctx.now)})
    fits = just_in_time.fits(
        ctx.session, {one.sku for one in dated}, now=ctx.now, zone=ctx.settings.time_zone
    )
    items = titles_of(ctx.session, [one.sku for one in dated])
    rows = [_need_row(ctx, one, items[one.sku], fits[one.sku]) for one in dated]
    caption = f"Parts for planned work, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _NEED_COLUMNS, rows)
    late = [one for one in dated if one.days_left < 0]
    first = dated[0]
    lines = [
        f"**{count(len(dated), 'part')} must be ordered for planned work, {len(late)} too late.**",
        "",
        (
            f"- First: {first.quantity} of {items[first.sku].title}, by {ctx.day(first.order_by)}, "
            f"needed on {ctx.day(first.needed_on)}"
        ),
        f"- {sum(not one for one in fits.values())} of {len(fits)} can be bought just in time",
    ]
    facts = {
        "count": len(dated),
        "late": len(late),
        "caveats": [_JIT],
        "as_of": ctx.moment(ctx.now),
    }
    chart = Chart(
        kind="bar",
        title="Days left to order",
        summary=f"{items[first.sku].title} must be ordered first.",
        x="item",
        y=("left",),
        unit="days",
    )
    drawn = chart if len(dated) > 1 else None
    return Result("\n".join(lines), facts=facts | table_facts(table), table=table, chart=drawn)


def _each(ctx: ToolContext, items: Sequence[Item], quantity: int, needed_on: date | None) -> Result:
    """Tell of each variant that words may mean when it can be had, and which way costs least."""
    zone = ctx.settings.time_zone
    rows, first = list[tuple[Cell, ...]](), list[date]()
    for item in items:
        answer = possible(ctx.session, item, quantity, needed_on=needed_on, now=ctx.now, zone=zone)
        best = min(answer.offers, key=lambda one: one.total, default=None)
        soon = answer.on
        first += [soon] if soon else []
        rows.append(
            (
                item.title,
                ctx.day(soon) if soon else "not foreseeable",
                "yes" if soon and (needed_on is None or soon <= needed_on) else "no",
                best.source.name if best else "",
                ctx.money(round(best.unit), item.currency) if best else "",
            )
        )
    in_time = sum(row[2] == "yes" for row in rows)
    caption = f"{quantity} of each, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _EACH_COLUMNS, rows)
    by_day = f" by {ctx.day(needed_on)}" if needed_on else ""
    lines = [f"**{in_time} of {count(len(rows), 'item')} can be had{by_day}, {quantity} of each.**"]
    lines += ["", *([f"- The first on {ctx.day(min(first))}"] if first else [])]
    facts = {"quantity": quantity, "in_time": in_time, "caveats": [_WAYS]}
    facts |= {"as_of": ctx.moment(ctx.now), **table_facts(table)}
    return Result("\n".join(lines), facts=facts, table=table)


def _ways(ctx: ToolContext, answer: Possible, needed_on: date | None) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    item = answer.item
    if answer.from_stock_on:
        worth = item.cost_minor * answer.quantity // item.cost_per
        in_time = needed_on is None or answer.from_stock_on <= needed_on
        rows.append(
            (
                "from stock and what is coming",
                answer.quantity,
                ctx.money(round(item.cost_minor / item.cost_per), item.currency),
                ctx.money(worth, item.currency),
                ctx.day(answer.from_stock_on),
                "yes" if in_time else "no",
            )
        )
    return [*rows, *(_offer_row(ctx, one, item) for one in answer.offers)]


def _offer_row(ctx: ToolContext, one: Offer, item: Item) -> tuple[Cell, ...]:
    return (
        one.source.name,
        one.quantity,
        ctx.money(round(one.unit), item.currency),
        ctx.money(round(one.total), item.currency),
        ctx.day(one.on),
        "yes" if one.in_time else "no",
    )


def _promise_words(ctx: ToolContext, answer: Possible, needed_on: date | None) -> str:
    what = f"{answer.quantity} x {answer.item.title}"
    on = answer.on
    if on is None:
        head = f"**{what}: no day can be promised.**"
    elif needed_on is None:
        head = f"**{what} can be there on {ctx.day(on)}.**"
    elif on <= needed_on:
        head = f"**Yes: {what} can be there on {ctx.day(on)}, by {ctx.day(needed_on)}.**"
    else:
        head = f"**No: {what} can be there on {ctx.day(on)}, not by {ctx.day(needed_on)}.**"
    lines = [head, ""]
    if answer.making is not None and on != answer.from_stock_on:
        missing = len(answer.making.missing)
        parts = f"{count(missing, 'part')} to be bought first" if missing else "all parts are there"
        lines.append(f"- {answer.to_make} of them must be made: {parts}")
    if answer.offers:
        best = answer.offers[0]
        cost = ctx.money(round(best.unit), answer.item.currency)
        lines.append(
            f"- For {answer.to_make}, best: {best.source.name}, {cost} each, on {ctx.day(best.on)}"
        )
    return "\n".join(lines)


def _open_needs(ctx: ToolContext, orders: Sequence[WorkOrder], until: date) -> list[Need]:
    """Return what drafts need beyond free stock, by the day their work begins."""
    free = {sku: int(units) for sku, units in free_stock(ctx.session).items()}
    needs = []
    for order in orders:
        begin = local_day(order.planned_start or order.due_at, ctx.settings.time_zone)
        if order.state is not WorkOrderState.DRAFT or order.bom_id is None or begin > until:
            continue
        for sku, units in part_needs(ctx.session, order.bom_id, order.planned).items():
            taken = min(free.get(sku, 0), units)
            free[sku] = free.get(sku, 0) - taken
            if units > taken:
                needs.append(Need(sku, units - taken, max(begin, ctx.today)))
    return needs


def _dates(ctx: ToolContext, need: Need) -> list[OrderBy]:
    source = source_of(ctx.session, need.sku)
    lead = source.lead_days if source else ctx.session.get_one(Item, need.sku).lead_time_days
    return order_dates([need], lead_days=lead, buffer_days=_BUFFER_DAYS, today=ctx.today)


def _need_row(
    ctx: ToolContext, one: OrderBy, item: Item, reasons: Sequence[str]
) -> tuple[Cell, ...]:
    source = source_of(ctx.session, one.sku)
    return (
        item.title,
        one.sku,
        one.quantity,
        ctx.day(one.needed_on),
        ctx.day(one.order_by),
        one.days_left,
        source.supplier.name if source else "own workshop",
        "yes" if not reasons else f"no: {reasons[0]}",
    )
