"""When an item is ordered again, set by a person or computed: for staff."""

from typing import Annotated

from opsbot.commerce.stock_policies import PolicySource, StockPolicy, compute_levels, set_levels
from opsbot.errors import ConflictError
from opsbot.metrics.item_levels import computed_levels
from opsbot.planning.safety import OrderPoint
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.places import OneItem, find_one_item
from opsbot.toolkit.results import Change, Result, Undo
from opsbot.toolkit.tool import ToolContext, tool

_LEVEL_PCT = 95


def _level(kind: str, ask: str, words: str, description: str) -> object:
    return argument(
        kind,
        ask,
        description=description,
        # The number is looked ahead to, so that the words between still name the item.
        pattern=rf"\b(?:{words})\b(?=(?:[^,;.]{{0,60}}?\b(?:to|at))?[ =:]*(\d{{1,7}})\b)",
        ge=0,
        le=10_000_000,
    )


ReorderPoint = Annotated[
    int | None,
    _level(
        "reorder_point",
        "Reorder at which position?",
        "reorder(?:ed)?(?: point| level)?|minimum(?: stock)?|min",
        "Position at which to order; empty: computed.",
    ),
]
OrderUpTo = Annotated[
    int | None,
    _level(
        "order_up_to",
        "Up to which position?",
        "up to|order[- ]up[- ]to(?: level)?|maximum(?: stock)?|max",
        "Position to fill up to; empty: computed.",
    ),
]
SafetyStock = Annotated[
    int | None,
    _level(
        "safety_units",
        "Which safety stock?",
        "safety(?: stock)?|buffer",
        "Units kept against doubt; empty: computed.",
    ),
]


@tool(
    examples=[
        "Order the moss mug again at 40 and up to 120",
        "change the stock policy of the oak coasters: reorder at 20, up to 60",
        "let the copper kettle go back to the computed levels",
        "put safety stock to 15 for the travel mug 350 ml",
        "from now on order the steel grinder again at 12",
        "min 30 max 90 for the dotted A5 notebook",
        "reset the stock policy of the zip pouch, navy to what is computed",
        "raise the safety stock of the brass floor lamp to 6",
    ],
    label="Preparing the stock policy",
    audience=Audience.STAFF,
    effect="write",
    roles=("planner", "lead", "manager"),
)
def set_stock_policy(
    ctx: ToolContext,
    item: OneItem,
    reorder_point: ReorderPoint = None,
    order_up_to: OrderUpTo = None,
    safety_stock: SafetyStock = None,
) -> Change:
    """Set when an item is ordered again and how far; without numbers the computed levels count.

    What a person sets is never overwritten by a computation, only flagged.

    Args:
        ctx: who asks.
        item: which one.
        reorder_point: position at which to order.
        order_up_to: position to fill up to.
        safety_stock: units kept against doubt.
    """
    found = find_one_item(ctx.session, item)
    policy = ctx.session.get(StockPolicy, found.sku)
    given = (reorder_point, order_up_to, safety_stock)
    manual = any(value is not None for value in given)
    levels = _wanted(policy, *given) if manual else _computed(ctx, found.sku)

    def apply() -> Result:
        who, now = ctx.caller.actor, ctx.now
        if manual:
            set_levels(ctx.session, found.sku, levels, actor=who, now=now)
        else:
            compute_levels(
                ctx.session,
                found.sku,
                levels,
                service_level_pct=_LEVEL_PCT,
                overwrite=True,
                actor=who,
                now=now,
            )
        say = f"**{found.title}** is reordered at {levels.reorder_point} now."
        return Result(say, facts={"sku": found.sku, "manual": manual, **_plain(levels)})

    before = policy.levels if policy else None
    undo = None
    if before is not None and policy is not None and policy.source is PolicySource.MANUAL:
        undo = Undo("set_stock_policy", {"item": found.sku, **_plain(before)})
    elif before is not None and manual:
        undo = Undo("set_stock_policy", {"item": found.sku})
    return Change(
        title=f"Set the stock policy of {found.title}?",
        details=[
            _change("Reorder at", before.reorder_point if before else None, levels.reorder_point),
            _change("Up to", before.order_up_to if before else None, levels.order_up_to),
            _change("Safety stock", before.safety_stock if before else None, levels.safety_stock),
            "Set by a person: computations only flag it." if manual else "As computed.",
        ],
        button="Set it",
        basis={"version": policy.version if policy else 0, **_plain(levels)},
        apply=apply,
        undo=undo,
    )


def _wanted(
    policy: StockPolicy | None,
    point: int | None,
    up_to: int | None,
    safety: int | None,
) -> OrderPoint:
    """Return the levels that were given, the others as they are, or as they must follow."""
    old = policy.levels if policy else None
    if old is None:
        base = point if point is not None else safety or 0
        old = OrderPoint(min(safety or 0, base), base, up_to if up_to is not None else 2 * base)
    new_safety = safety if safety is not None else old.safety_stock
    new_point = point if point is not None else max(old.reorder_point, new_safety)
    if safety is None:
        new_safety = min(new_safety, new_point)
    new_up_to = up_to if up_to is not None else max(old.order_up_to, new_point)
    return OrderPoint(new_safety, new_point, new_up_to)


def _computed(ctx: ToolContext, sku: str) -> OrderPoint:
    levels = computed_levels(
        ctx.session, [sku], service_level=_LEVEL_PCT / 100, now=ctx.now, zone=ctx.settings.time_zone
    )
    if sku not in levels:
        raise ConflictError("There is too little history to compute levels: name them, please.")
    return levels[sku]


def _change(words: str, before: int | None, after: int) -> str:
    return f"{words}: {after}" if before is None else f"{words}: {before} → {after}"


def _plain(levels: OrderPoint) -> dict[str, int]:
    return {
        "reorder_point": levels.reorder_point,
        "order_up_to": levels.order_up_to,
        "safety_stock": levels.safety_stock,
    }
