"""Work orders from plan to shelf: created, released, reported on, completed. For staff."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from opsbot.commerce.boms import active_bom
from opsbot.commerce.production import WorkOrder, WorkOrderState
from opsbot.commerce.work_orders import (
    cancel_work_order,
    find_work_order,
    pause_work_order,
    report_work,
    shortages,
)
from opsbot.commerce.work_orders import complete_work_order as complete
from opsbot.commerce.work_orders import create_work_order as create
from opsbot.commerce.work_orders import release_work_order as release
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.metrics.workshop import find_center
from opsbot.planning.periods import midnight
from opsbot.toolkit.arguments import Span, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.documents import WorkOrderNumber
from opsbot.toolkit.places import OneItem, StockPlace, Units, find_one_item, find_place
from opsbot.toolkit.results import Change, Result, Undo
from opsbot.toolkit.tool import ToolContext, tool

_ROLES = ("planner", "lead", "manager")
_MAKERS = ("ops", "planner", "lead", "manager")
_DUE_DAYS = 14

Good = Annotated[
    int,
    argument(
        "good_units",
        "How many were good?",
        description="Good units.",
        pattern=r"\b(\d{1,6}) (?:of them )?(?:were |are |was |came out )?"
        r"(?:good|fine|ok(?:ay)?|done|finished)\b",
        ge=0,
        le=1_000_000,
    ),
]
Scrap = Annotated[
    int,
    argument(
        "scrap_units",
        "How many were scrap?",
        description="Units that were lost.",
        pattern=r"\b(\d{1,6}) (?:of them )?(?:were |are |was |went to )?"
        r"(?:scrap(?:ped)?|bad|broken|lost|rejects?|cracked|waste)\b",
        ge=0,
        le=1_000_000,
    ),
]
ScrapReason = Annotated[
    str,
    argument(
        "scrap_reason",
        "Why were they scrap?",
        description="Why most of the scrap was scrap, in words.",
        pattern=r"\b(?:because of|due to|reason:?) (?:an? |the )?([\w -]{3,60})",
        max_length=80,
    ),
]
StepPlace = Annotated[
    str,
    argument(
        "work_center",
        "Of which work centre?",
        description="The work centre whose step is reported; empty: the last step.",
        pattern=r"\bat the "
        r"((?:[\w-]+ )?(?:cutter|kiln|oven|bindery|bench|coating|press|machine))\b",
        max_length=60,
    ),
]
Turn = Annotated[
    Literal["cancel", "pause", "resume"],
    argument(
        "choice",
        "Cancel, pause or resume it?",
        description="What shall happen to the order.",
        labels={
            "cancel": ("cancel", "call off", "drop", "stop for good"),
            "pause": ("pause", "interrupt", "halt", "suspend"),
            "resume": ("resume", "continue", "go on", "restart"),
        },
    ),
]


@tool(
    examples=[
        "Create a work order for 60 moss mugs",
        "plan to make 40 walnut desk lamps within three weeks",
        "new work order: 200 dotted A5 notebooks",
        "we need to produce 25 brass floor lamps, please plan it",
        "schedule production of 80 breakfast bowls in salt",
        "open a production order for 50 oak lamp bases",
        "put 120 espresso cup pairs into production",
        "plan the production of 90 pocket notebooks",
        "start planning 30 Drift pendant lamps, large",
    ],
    label="Preparing the work order",
    audience=Audience.STAFF,
    effect="write",
    roles=_ROLES,
)
def create_work_order(
    ctx: ToolContext, item: OneItem, quantity: Units, days: Span = _DUE_DAYS
) -> Change:
    """Plan to make a number of one item; its parts are reserved when it is released.

    Args:
        ctx: who asks.
        item: what is made.
        quantity: how many.
        days: in how many days it is due.
    """
    product = find_one_item(ctx.session, item)
    bom = active_bom(ctx.session, product.sku)
    if bom is None:
        raise ConflictError(f"{product.title} has no bill of materials: it is not made here.")
    due = _due_at(ctx, days)

    def apply() -> Result:
        order = create(
            ctx.session, product, quantity, due_at=due, actor=ctx.caller.actor, now=ctx.now
        )
        lacking = shortages(ctx.session, order)
        words = ""
        if lacking:
            named = ", ".join(f"{one.missing} of {one.sku}" for one in lacking)
            words = f" Parts are missing for it: {named}."
        undo = Undo("change_work_order", {"work_order": order.number, "action": "cancel"})
        facts = {"number": order.number, "missing": [one.sku for one in lacking]}
        say = f"**{order.number}** is planned: {quantity} x {product.title}.{words}"
        return Result(say, facts=facts, undo=undo)

    return Change(
        title=f"Plan to make {quantity} x {product.title}?",
        details=[
            f"Due on {ctx.day(due)}.",
            f"Made by revision {bom.revision} of its bill of materials.",
            "Nothing is reserved until it is released.",
        ],
        button="Create the work order",
        basis={"sku": product.sku, "bom": bom.id, "quantity": quantity, "days": days},
        apply=apply,
    )


@tool(
    examples=[
        "Release work order WO-00017",
        "WO-00240 can start now",
        "let the workshop begin with work order 238",
        "reserve the parts for WO-00239 and release it",
        "give WO-00012 free for production",
        "the material is there, please release WO-00041",
        "hand work order 15 over to the workshop",
        "free up WO-00233 for the kiln",
    ],
    label="Preparing the release",
    audience=Audience.STAFF,
    effect="write",
    roles=_ROLES,
)
def release_work_order(ctx: ToolContext, work_order: WorkOrderNumber) -> Change:
    """Reserve the parts of a planned work order and let the work begin.

    Args:
        ctx: who asks.
        work_order: its number.
    """
    order = find_work_order(ctx.session, work_order)
    _expect(order, WorkOrderState.DRAFT)
    if lacking := shortages(ctx.session, order):
        named = ", ".join(f"{one.missing} of {one.sku} ({one.free} free)" for one in lacking)
        raise ConflictError(f"{order.number} cannot begin, parts are missing: {named}.")

    def apply() -> Result:
        release(ctx.session, order, actor=ctx.caller.actor, now=ctx.now)
        say = f"**{order.number}** is released, and its parts are reserved."
        return Result(say, facts={"number": order.number, "state": "released"})

    return Change(
        title=f"Release {order.number}: {order.planned} x {order.item.title}?",
        details=["All parts are there and will be reserved.", f"Due on {ctx.day(order.due_at)}."],
        button="Release it",
        basis={"version": order.version},
        apply=apply,
        undo=Undo("change_work_order", {"work_order": order.number, "action": "cancel"}),
    )


@tool(
    examples=[
        "WO-00017: 40 good, 2 scrap because of glaze run",
        "report 25 good units on work order 233",
        "at the kiln 58 of WO-00012 are good and 2 cracked",
        "production report for WO-00240: 12 done",
        "3 scrap on WO-00041, 37 fine",
        "note for WO-00015: 20 finished, 1 broken due to hairline crack",
        "enter 18 good and 0 scrap for WO-00230",
        "we lost 4 of WO-00099, 4 bad because of torn sheets",
    ],
    label="Preparing the report",
    audience=Audience.STAFF,
    effect="write",
    roles=_MAKERS,
)
def report_production(
    ctx: ToolContext,
    work_order: WorkOrderNumber,
    good: Good = 0,
    scrap: Scrap = 0,
    reason: ScrapReason = "",
    center: StepPlace = "",
) -> Change:
    """Write down how many units of a work order came out good, and how many were scrap.

    Args:
        ctx: who asks.
        work_order: its number.
        good: good units.
        scrap: lost units.
        reason: why they were lost.
        center: the step; empty: the last one.
    """
    order = find_work_order(ctx.session, work_order)
    _expect(order, WorkOrderState.RELEASED, WorkOrderState.IN_PROGRESS)
    if not good + scrap:
        raise InvalidInputError("Please say how many were good, how many scrap, or both.")
    step = find_center(ctx.session, center) if center else None

    def apply() -> Result:
        report_work(
            ctx.session,
            order,
            good=good,
            scrap=scrap,
            scrap_reason=reason or None,
            center_id=step.id if step else None,
            actor=ctx.caller.actor,
            now=ctx.now,
        )
        say = (
            f"**{order.number}**: {order.produced} of {order.planned} made, {order.scrapped} lost."
        )
        facts = {"number": order.number, "produced": order.produced, "scrapped": order.scrapped}
        return Result(say, facts=facts)

    where = f" at {step.name}" if step else ""
    why = f": {reason}" if reason else ""
    return Change(
        title=f"Report {good} good and {scrap} scrap on {order.number}{where}?",
        details=[
            f"{order.item.title}: {order.produced} of {order.planned} made so far.",
            f"Scrap so far {order.scrapped}, now {scrap}{why}.",
        ],
        button="Report it",
        basis={"version": order.version},
        apply=apply,
    )


@tool(
    examples=[
        "Complete work order WO-00017",
        "WO-00012 is finished, put the mugs on stock",
        "close out production order 233",
        "book WO-00041 as completed",
        "we are done with WO-00099",
        "finish WO-00230 and take its parts off stock",
        "post the output of work order 15",
        "all of WO-00240 is made, complete it",
    ],
    label="Preparing the completion",
    audience=Audience.STAFF,
    effect="write",
    roles=_MAKERS,
)
def complete_work_order(
    ctx: ToolContext, work_order: WorkOrderNumber, place: StockPlace = ""
) -> Change:
    """Take the parts of a work order off stock and put what was made on it, as a lot.

    Args:
        ctx: who asks.
        work_order: its number.
        place: where the goods go.
    """
    order, spot = find_work_order(ctx.session, work_order), find_place(ctx.session, place)
    _expect(order, WorkOrderState.RELEASED, WorkOrderState.IN_PROGRESS)
    if not order.produced + order.scrapped:
        raise ConflictError(f"Nothing has been reported on {order.number} yet.")

    def apply() -> Result:
        lot = complete(ctx.session, order, location_id=spot.id, actor=ctx.caller.actor, now=ctx.now)
        made = f" as {lot.number}" if lot else ""
        say = f"**{order.number}** is completed: {order.produced} x {order.item.title}{made}."
        facts = {"number": order.number, "lot": lot.number if lot else None}
        return Result(say, facts=facts | {"produced": order.produced})

    short = order.planned - order.produced - order.scrapped
    return Change(
        title=f"Complete {order.number} with {order.produced} x {order.item.title}?",
        details=[
            f"They go to {spot.name}; {order.scrapped} were scrap.",
            "The parts for all of them leave the stock, the rest is released.",
            *([f"{short} fewer than planned are made."] if short > 0 else []),
            "This cannot be undone.",
        ],
        button="Complete it",
        basis={"version": order.version, "produced": order.produced, "place": spot.code},
        apply=apply,
    )


@tool(
    examples=[
        "Cancel work order WO-00241",
        "pause WO-00230, the kiln is down",
        "resume work order 230",
        "call off WO-00239, we do not need it",
        "interrupt WO-00012",
        "continue with WO-00041",
        "drop the planned production order 236",
        "suspend work order WO-00015 until the boards arrive",
    ],
    label="Preparing the change",
    audience=Audience.STAFF,
    effect="write",
    roles=_ROLES,
)
def change_work_order(ctx: ToolContext, work_order: WorkOrderNumber, action: Turn) -> Change:
    """Cancel, pause or resume a work order.

    Args:
        ctx: who asks.
        work_order: its number.
        action: what shall happen to it.
    """
    order = find_work_order(ctx.session, work_order)
    if action == "cancel" and order.produced + order.scrapped:
        made = order.produced + order.scrapped
        raise ConflictError(f"{made} of {order.number} are made; complete it instead.")
    expected = {
        "cancel": (WorkOrderState.DRAFT, WorkOrderState.RELEASED, WorkOrderState.IN_PROGRESS),
        "pause": (WorkOrderState.IN_PROGRESS,),
        "resume": (WorkOrderState.PAUSED,),
    }[action]
    paused = WorkOrderState.PAUSED if action == "cancel" else expected[0]
    _expect(order, *expected, paused)

    def apply() -> Result:
        if action == "cancel":
            cancel_work_order(ctx.session, order, actor=ctx.caller.actor, now=ctx.now)
        else:
            pause = action == "pause"
            pause_work_order(ctx.session, order, pause=pause, actor=ctx.caller.actor, now=ctx.now)
        say = f"**{order.number}** is {order.state.replace('_', ' ')} now."
        return Result(say, facts={"number": order.number, "state": order.state.value})

    back = {"pause": "resume", "resume": "pause"}.get(action)
    undo = Undo("change_work_order", {"work_order": order.number, "action": back}) if back else None
    return Change(
        title=f"{action.capitalize()} {order.number}: {order.planned} x {order.item.title}?",
        details=["Its parts are released again."]
        if action == "cancel"
        else ["Its parts stay held."],
        button=f"{action.capitalize()} it",
        basis={"version": order.version},
        apply=apply,
        undo=undo,
    )


def _due_at(ctx: ToolContext, days: int) -> datetime:
    return midnight(ctx.today + timedelta(days=days), ctx.settings.time_zone) + timedelta(hours=16)


def _expect(order: WorkOrder, *states: WorkOrderState) -> None:
    if order.state not in states:
        raise ConflictError(
            f"{order.number} is {order.state.replace('_', ' ')}.",
            state=order.state,
            allowed=states,
        )
