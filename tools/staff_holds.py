"""What staff do with an order before it is packed: hold it, let it go, part it, find its stock."""

from typing import Annotated, Literal

from opsbot.commerce.fulfilment import (
    hold_order as hold,
)
from opsbot.commerce.fulfilment import (
    missing_units,
    open_units,
    reserve_missing,
)
from opsbot.commerce.fulfilment import (
    release_order as release,
)
from opsbot.commerce.fulfilment import (
    split_order as split,
)
from opsbot.commerce.orders import Order, find_order
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.formats import format_items
from opsbot.toolkit.arguments import OrderNumber, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.ownership import pick_lines
from opsbot.toolkit.results import Change, Result, Undo
from opsbot.toolkit.tool import ToolContext, tool

ROLES = ("agent", "ops", "lead", "manager")
WAREHOUSE = ("ops", "lead", "manager")

WhyHeld = Annotated[
    str,
    argument(
        "text",
        "Why shall it wait, in a few words?",
        description="Why the order shall not be packed yet.",
        max_length=2000,
    ),
]
LaterItems = Annotated[
    str,
    argument(
        "item",
        "Which of the items leave later?",
        description="Titles of the items that leave later, with commas between them; empty: what "
        "is not in stock.",
        max_length=400,
    ),
]
SplitStep = Annotated[
    Literal["split", "join"],
    argument(
        "choice",
        "Split it, or join it again?",
        description="Whether to part the order, or to make it one parcel again.",
        labels={
            "split": ("split", "divide", "part it"),
            "join": ("join", "together again", "undo the split", "in one parcel", "merge"),
        },
    ),
]


@tool(
    examples=[
        "Put order #1042 on hold, the address is unclear",
        "hold #2010 until the customer answers",
        "stop order 2033 from being packed",
        "block #1990 because of suspected fraud",
        "do not ship #2044 yet",
        "please pause order #2005",
        "keep #2071 back for now",
        "set #1877 on hold: wrong price",
    ],
    label="Preparing the hold",
    audience=Audience.STAFF,
    roles=ROLES,
    effect="write",
)
def hold_order(ctx: ToolContext, order_number: OrderNumber, reason: WhyHeld) -> Change:
    """Keep an order that has not been packed from being packed, and note why."""
    order = find_order(ctx.session, order_number, customer_id=None)
    if order.on_hold:
        raise ConflictError(f"Order {order.number} is on hold already: {order.hold_reason}.")

    def apply() -> Result:
        hold(ctx.session, order, reason, actor=ctx.caller.actor, now=ctx.now)
        return Result(f"Order **{order.number}** is on hold.", facts={"order": order.number})

    return Change(
        title=f"Put order {order.number} on hold?",
        details=[f"Reason: {reason}", "It is not packed until somebody releases it."],
        button="Put on hold",
        basis={"version": order.version, "reason": reason},
        apply=apply,
        undo=Undo(tool="release_order", arguments={"order_number": order.number}),
    )


@tool(
    examples=[
        "Release order #1042",
        "take #2010 off hold",
        "the address is fine now, let #2033 go",
        "unblock order 1990",
        "lift the block so that #2044 may be packed again",
        "lift the hold on #2005",
        "#2071 can go on",
        "remove the hold from #1877",
    ],
    label="Preparing the release",
    audience=Audience.STAFF,
    roles=ROLES,
    effect="write",
)
def release_order(ctx: ToolContext, order_number: OrderNumber) -> Change:
    """Let an order that is on hold be packed again."""
    order = find_order(ctx.session, order_number, customer_id=None)
    if not order.on_hold:
        raise ConflictError(f"Order {order.number} is not on hold.")
    again = {"order_number": order.number, "reason": order.hold_reason}

    def apply() -> Result:
        release(ctx.session, order, actor=ctx.caller.actor, now=ctx.now)
        return Result(f"Order **{order.number}** goes on.", facts={"order": order.number})

    return Change(
        title=f"Release order {order.number}?",
        details=[f"It is on hold: {order.hold_reason or 'no reason is written down'}."],
        button="Release the order",
        basis={"version": order.version},
        apply=apply,
        undo=Undo("hold_order", again) if order.hold_reason else None,
    )


@tool(
    examples=[
        "Reallocate stock to order #1042",
        "reserve the missing units for #2010",
        "give #2033 the stock that has just come in",
        "allocate what is free to order 1990",
        "try again to reserve stock for #2044",
        "assign inventory to #2005",
        "#2071 lacks stock, reserve it now",
        "find stock for order #1877",
    ],
    label="Preparing the reservation",
    audience=Audience.STAFF,
    roles=WAREHOUSE,
    effect="write",
)
def reallocate(ctx: ToolContext, order_number: OrderNumber) -> Change:
    """Hold free stock back for what an order still lacks."""
    order = find_order(ctx.session, order_number, customer_id=None)

    def apply() -> Result:
        got = reserve_missing(ctx.session, order, actor=ctx.caller.actor, now=ctx.now)
        units = format_items([f"{n} x {title}" for title, n in got.items()])
        return Result(f"Held back for **{order.number}**: {units}.", facts={"units": got})

    return Change(
        title=f"Reserve what order {order.number} lacks?",
        details=["Free stock of the missing items is held back for it, as far as there is any."],
        button="Reserve",
        basis={"version": order.version, "open": _plain(open_units(ctx.session, order))},
        apply=apply,
    )


@tool(
    examples=[
        "Split order #2005, the lamp comes later",
        "split #2008 into two parcels",
        "let #2044 go without the missing mugs",
        "do not wait for the backordered part of order 2033",
        "hold the kettle of #1990 back and send the rest first",
        "divide #2071: what is in stock now, the rest later",
        "send the part of #2071 that we have, and the rest of it later",
        "put the two parts of #2005 together again",
        "undo the split of #1877, it shall leave in one parcel",
    ],
    label="Preparing the split",
    audience=Audience.STAFF,
    roles=ROLES,
    effect="write",
)
def split_order(
    ctx: ToolContext, order_number: OrderNumber, items: LaterItems = "", step: SplitStep = "split"
) -> Change:
    """Part an order, so that what is in stock need not wait for the rest; or join it again.

    Args:
        ctx: who asks.
        order_number: which.
        items: what leaves later; empty: what no stock is held for.
        step: part it, or make it one parcel again.
    """
    order = find_order(ctx.session, order_number, customer_id=None)
    left = open_units(ctx.session, order)
    if not left:
        raise ConflictError(f"Everything of order {order.number} is packed.")
    names = _names(items)
    if step == "join":
        later = {}
        if not any(line.held_back for line in order.lines):
            raise ConflictError(f"Order {order.number} is not split.")
    elif names:
        later = {x.id: left[x.id] for x in pick_lines(order, names) if x.id in left}
    else:
        later = missing_units(ctx.session, order)
    if step == "split" and (not later or later == left):
        raise InvalidInputError(_no_split(order, names=names, all_missing=bool(later)))

    def apply() -> Result:
        split(ctx.session, order, later, actor=ctx.caller.actor, now=ctx.now)
        done = "is split" if later else "is one parcel again"
        return Result(f"Order **{order.number}** {done}.", facts={"order": order.number})

    back = Undo("split_order", {"order_number": order.number, "step": "join"})
    return Change(
        title=f"Split order {order.number}?" if later else f"Join order {order.number} again?",
        details=_split_words(order, left, later),
        button="Split the order" if later else "Join it",
        basis={"version": order.version, "open": _plain(left), "later": _plain(later)},
        apply=apply,
        undo=back if later else None,
    )


def _names(items: str) -> list[str]:
    return [name.strip() for name in items.split(",") if name.strip()]


def _no_split(order: Order, *, names: list[str], all_missing: bool) -> str:
    if all_missing:
        return f"Nothing of order {order.number} would leave now, so there is nothing to split."
    why = "none of that is open" if names else "stock is held for all of it"
    return f"Order {order.number} cannot be split: {why}. Say which items leave later."


def _split_words(order: Order, left: dict[int, int], later: dict[int, int]) -> list[str]:
    now = [f"{n} x {x.title}" for x in order.lines if (n := left.get(x.id, 0) - later.get(x.id, 0))]
    then = [f"{later[x.id]} x {x.title}" for x in order.lines if x.id in later]
    words = [f"Leaves first: {format_items(now)}."]
    if then:
        words.append(f"Leaves later, in a parcel of its own: {format_items(then)}.")
        words.append("The customer is told when the first parcel is packed.")
    return words


def _plain(units: dict[int, int]) -> dict[str, int]:
    return {str(line): n for line, n in units.items()}
