"""Changing what things are made of: a component comes in, takes another quantity, or goes."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Literal

from opsbot.commerce.boms import (
    active_bom,
    drop_planned,
    parts_of,
    planned_bom,
    read_boms,
    read_routings,
    revise_bom,
    work_costs,
)
from opsbot.commerce.production import Bom
from opsbot.commerce.products import Item
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.metrics.workshop import read_workshop, titles_of
from opsbot.planning.boms import Part, rolled_cost
from opsbot.planning.days_ahead import read_day_ahead
from opsbot.planning.part_changes import PartStep, change_parts
from opsbot.planning.periods import midnight
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.places import find_one_item
from opsbot.toolkit.results import Change, Result, Undo
from opsbot.toolkit.tool import ToolContext, tool

# Only words that speak of a parts list name its product and part; other words are left alone.
_LIST = r"(?:bill of materials|bom|parts list|recipe)"
_AMOUNT = r"(?:\d+(?:[.,]\d+)? ?(?:g|grams?|mm|ml|pieces?|units?|x)? ?(?:of )?|one more )?"
_TITLES = {"add": "Add", "change": "Change", "remove": "Remove"}
_PLACE = {"add": "to", "change": "in", "remove": "from"}

Product = Annotated[
    str,
    argument(
        "made_item",
        "Of which product's parts list?",
        description="The product whose parts list changes, by title with its variant or by item "
        "number.",
        pattern=rf"\b{_LIST} (?:of|for) (?:the |an? )?([^,.;:?!]+?)"
        r"(?= (?:from|by|on|as|starting|with|instead|to \d)\b|[,.;:?!]|$)"
        rf"|\b(?:to|from|out of|in|into) (?:the )?([^,.;:?!]+?)'s {_LIST}\b",
        min_length=2,
        max_length=120,
    ),
]
Component = Annotated[
    str,
    argument(
        "component",
        "Which part?",
        description="The material or part, by title or item number; of a planned change that is "
        "dropped: empty.",
        pattern=rf"\b(?:add|put|include|remove|take|delete|change|set) {_AMOUNT}(?:the |an? )?"
        rf"([^,.;:?!]+?)(?= (?:to|from|out of|in|into|on) [^,.;:?!]*?\b{_LIST}\b)",
        max_length=120,
    ),
]
Step = Annotated[
    Literal["add", "change", "remove", "drop"],
    argument(
        "choice",
        "Add the part, change its quantity, remove it, or drop a change that is planned?",
        description="What happens to the part; drop: give up the planned change.",
        labels={
            "add": ("add", "put in", "include", "new part"),
            "change": (
                "change the quantity",
                "change",
                "set",
                "raise",
                "lower",
                "reduce",
                "more of",
            ),
            "remove": ("remove", "take out", "take the", "delete", "without the"),
            "drop": ("drop the planned", "cancel the planned", "give up the planned", "call off"),
        },
    ),
]
Amount = Annotated[
    float,
    argument(
        "quantity",
        "How much of it goes into one?",
        description="Of the part for one product, in the part's stock unit; 0: as it is.",
        ge=0,
        le=1_000_000,
    ),
]
ScrapPercent = Annotated[
    float | None,
    argument(
        "part_scrap",
        "How many percent of it are lost?",
        description="Percent of the part that is lost on the way into the product; absent: as it "
        "is.",
        pattern=r"\b(\d{1,2}(?:[.,]\d)?) ?(?:%|percent) (?:scrap|waste|loss|of it is lost)",
        ge=0,
        lt=100,
    ),
]
FromDay = Annotated[
    str,
    argument(
        "effective_day",
        "From which day on?",
        description="The day from which it counts, such as 1 January; empty: at once.",
        pattern=r"\b(?:from|as of|starting|effective) (?:the )?"
        r"(\d{1,2}(?:st|nd|rd|th)?\.? (?:of )?[a-z]{3,9}(?: \d{4})?|[a-z]{3,9} \d{1,2}"
        r"(?:,? \d{4})?|\d{4}-\d{2}-\d{2}|tomorrow|(?:next )?(?:mon|tues|wednes|thurs|fri)day)\b",
        max_length=40,
    ),
]


@tool(
    examples=[
        "Add 2 felt pads to the bill of materials of the oak coaster set",
        "remove the paper sleeve from the parts list of the dotted A5 notebook",
        "change the stoneware clay in the BOM of the moss mug to 420 g from 1 January",
        "take the cork disc out of the BOM of the breakfast bowl",
        "set the screws in the walnut desk lamp's bill of materials to 3 from 1 February",
        "put the glaze powder in the recipe of the dinner plate to 14 g",
        "one more textile cable belongs on the Drift pendant lamp's parts list",
        "drop the planned change of the moss mug's bill of materials",
        "include a dust bag in the recipe of the canvas tote",
    ],
    label="Preparing the parts list",
    audience=Audience.STAFF,
    roles=("planner", "lead", "manager"),
    effect="write",
)
def change_bom(
    ctx: ToolContext,
    product: Product,
    step: Step,
    component: Component = "",
    quantity: Amount = 0,
    scrap_percent: ScrapPercent = None,
    effective: FromDay = "",
) -> Change:
    """Add, change or remove a component of a product's bill of materials, at once or from a day on.

    Work orders that are open keep the parts they were made with.

    Args:
        ctx: who asks.
        product: whose parts list.
        step: what happens to the part.
        component: which part.
        quantity: of it for one product.
        scrap_percent: of it that is lost on the way.
        effective: from when it counts.
    """
    made = find_one_item(ctx.session, product)
    current, waiting = active_bom(ctx.session, made.sku), planned_bom(ctx.session, made.sku)
    if current is None:
        raise InvalidInputError(f"{made.title} has no bill of materials: it is not made here.")
    if step == "drop":
        return _drop(ctx, made, waiting)
    if not component:
        raise InvalidInputError("component: name the part.", field="component")
    part = find_one_item(ctx.session, component)
    day = read_day_ahead(effective, today=ctx.today) if effective else ctx.today
    planned = day > ctx.today
    since = midnight(day, ctx.settings.time_zone) if planned else ctx.now
    base = _base(ctx, made, current, waiting, since=since if planned else None)
    before = parts_of(ctx.session, base)
    after = change_parts(
        before,
        PartStep(step),
        part.sku,
        quantity=Decimal(str(quantity)) if quantity else None,
        scrap=None if scrap_percent is None else Decimal(str(scrap_percent)) / 100,
    )
    details = [
        _line_words(part, before, after),
        _cost_words(ctx, made, after),
        f"Counts from {ctx.day(day)}." if planned else "Counts at once.",
        "Open work orders keep the parts they were made with.",
    ]
    return Change(
        title=f"{_TITLES[step]} {part.title} {_PLACE[step]} the parts of {made.title}?",
        details=details,
        button="Change the parts list",
        basis={
            "revision": base.revision,
            "parts": [[one.sku, str(one.quantity), str(one.scrap)] for one in after],
            "day": day.isoformat(),
        },
        apply=partial(_apply, ctx, made, after, since),
        undo=_undo(made, part, before, step, day=day if planned else None),
    )


def _apply(ctx: ToolContext, made: Item, parts: Sequence[Part], since: datetime) -> Result:
    actor, now = ctx.caller.actor, ctx.now
    bom = revise_bom(ctx.session, made.sku, parts, effective_at=since, actor=actor, now=now)
    when = f"from {ctx.day(since)} on" if since > now else "from now on"
    say = f"**{made.title}** is made by revision {bom.revision} {when}."
    return Result(say, facts={"item": made.title, "revision": bom.revision})


def _base(
    ctx: ToolContext, made: Item, current: Bom, waiting: Bom | None, *, since: datetime | None
) -> Bom:
    """Return the revision that a change begins from: the planned one of the same day, if any."""
    if waiting is None or waiting.effective_at is None:
        return current
    if since != waiting.effective_at:
        raise ConflictError(
            f"A change of the parts of {made.title} is planned for "
            f"{ctx.day(waiting.effective_at)}. Name that day, or drop the planned change first."
        )
    return waiting


def _drop(ctx: ToolContext, made: Item, waiting: Bom | None) -> Change:
    if waiting is None or waiting.effective_at is None:
        raise ConflictError(f"No change of the parts of {made.title} is planned.")

    def apply() -> Result:
        drop_planned(ctx.session, waiting, actor=ctx.caller.actor, now=ctx.now)
        return Result(f"The planned change of **{made.title}** is dropped.")

    return Change(
        title=f"Drop the planned change of the parts of {made.title}?",
        details=[f"Revision {waiting.revision} was to count from {ctx.day(waiting.effective_at)}."],
        button="Drop it",
        basis={"revision": waiting.revision},
        apply=apply,
    )


def _undo(made: Item, part: Item, before: Sequence[Part], step: str, *, day: date | None) -> Undo:
    if day is not None:
        return Undo("change_bom", {"product": made.sku, "step": "drop"})
    named = {"product": made.sku, "component": part.sku}
    old = next((one for one in before if one.sku == part.sku), None)
    if old is None:
        return Undo("change_bom", {**named, "step": "remove"})
    values = {"quantity": float(old.quantity), "scrap_percent": float(100 * old.scrap)}
    back = "add" if step == "remove" else "change"
    return Undo("change_bom", {**named, "step": back, **values})


def _line_words(part: Item, before: Sequence[Part], after: Sequence[Part]) -> str:
    old, new = (
        next((one for one in parts if one.sku == part.sku), None) for parts in (before, after)
    )
    return f"{part.title} for one: {_amount(old, part)}, becomes {_amount(new, part)}."


def _amount(part: Part | None, item: Item) -> str:
    if part is None:
        return "none"
    unit = "" if item.stock_unit == "each" else f" {item.stock_unit}"
    lost = f", {100 * part.scrap:g} % of it lost" if part.scrap else ""
    return f"{part.quantity:g}{unit}{lost}"


def _cost_words(ctx: ToolContext, made: Item, after: Sequence[Part]) -> str:
    boms = read_boms(ctx.session)
    new = {**boms, made.sku: tuple(after)}
    centers = read_workshop(ctx.session, now=ctx.now, zone=ctx.settings.time_zone).centers
    work = work_costs(read_routings(ctx.session), centers)
    skus = {one.sku for parts in (*boms.values(), after) for one in parts}
    bought = {
        sku: Decimal(item.cost_minor) / item.cost_per
        for sku, item in titles_of(ctx.session, skus).items()
        if sku not in boms
    }
    old, now = (round(rolled_cost(one, made.sku, bought=bought, work=work)) for one in (boms, new))
    currency = made.currency
    return f"One costs {ctx.money(old, currency)} to make now, then {ctx.money(now, currency)}."
