"""Lots: how many pieces to inspect, what was found, where they went, if they may be used."""

from typing import Annotated, Literal

from opsbot.commerce.inventory import LocationKind
from opsbot.commerce.lot_changes import (
    Defects,
    inspect_lot,
    last_inspection,
)
from opsbot.commerce.lot_changes import (
    block_lot as block,
)
from opsbot.commerce.lot_changes import (
    release_lot as release,
)
from opsbot.commerce.lots import Lot, LotState, find_lot
from opsbot.commerce.products import Item
from opsbot.commerce.quality import InspectionResult, InspectionStage, judge
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.metrics.traces import lot_units, trace
from opsbot.planning.sampling import (
    MAJOR_LIMIT,
    MINOR_LIMIT,
    SamplingPlan,
    sampling_plan,
)
from opsbot.toolkit.approvals import second_person
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.documents import LotNumber
from opsbot.toolkit.places import StockPlace, find_place, place_of_kind
from opsbot.toolkit.results import Change, Result, Undo
from opsbot.toolkit.tool import ToolContext, tool

_ROLES = ("quality", "lead", "manager")
_READERS = ("ops", "planner", "quality", "lead", "manager")

Critical = Annotated[
    int,
    argument(
        "critical_defects",
        "How many critical defects?",
        description="Pieces with a critical defect.",
        pattern=r"\b(\d{1,5}) critical\b",
        ge=0,
        le=100_000,
    ),
]
Major = Annotated[
    int,
    argument(
        "major_defects",
        "How many major defects?",
        description="Pieces with a major defect.",
        pattern=r"\b(\d{1,5}) major\b",
        ge=0,
        le=100_000,
    ),
]
Minor = Annotated[
    int,
    argument(
        "minor_defects",
        "How many minor defects?",
        description="Pieces with a minor defect.",
        pattern=r"\b(\d{1,5}) minor\b",
        ge=0,
        le=100_000,
    ),
]
DefectName = Annotated[
    str,
    argument(
        "defect",
        "Which defect was it mostly?",
        description="The most frequent defect, in words.",
        pattern=r"\b(?:because of|due to|mostly|mainly) (?:an? |the )?([\w -]{3,50})",
        max_length=60,
    ),
]
Why = Annotated[
    str,
    argument(
        "lot_reason",
        "Why?",
        description="Why, in a few words.",
        pattern=r"\b(?:because(?: of)?|due to|reason:?) (?:an? |the |its )?([\w' -]{3,80})",
        max_length=120,
    ),
]
BlockAs = Annotated[
    Literal["blocked", "quarantine", "recalled"],
    argument(
        "choice",
        "Blocked, quarantine or recalled?",
        description="How it is taken out of use; a recall is final.",
        labels={
            "blocked": ("block", "blocked", "stop using"),
            "quarantine": ("quarantine", "set aside"),
            "recalled": ("recall", "recalled", "call back"),
        },
    ),
]


@tool(
    examples=[
        "Record the inspection of LOT-00231: 1 major, 2 minor",
        "inspected lot 315: no defects, 0 major",
        "LOT-00120 final inspection, 3 major because of glaze run",
        "enter inspection results for LOT-00044: 0 critical, 2 major, 4 minor",
        "incoming inspection of batch 102 found 5 major due to wrong dimension",
        "write down the sample of LOT-00290, 1 critical",
        "we checked LOT-00015 and found 0 major and 1 minor",
        "save the check of lot 87: 2 major",
    ],
    label="Preparing the inspection",
    audience=Audience.STAFF,
    effect="write",
    roles=_ROLES,
)
def record_inspection(
    ctx: ToolContext,
    lot: LotNumber,
    critical: Critical = 0,
    major: Major = 0,
    minor: Minor = 0,
    defect: DefectName = "",
) -> Change:
    """Write down what a sample of a lot showed; the result follows from the sampling plan.

    Args:
        ctx: who asks.
        lot: its number.
        critical: pieces with a critical defect.
        major: pieces with a major defect.
        minor: pieces with a minor defect.
        defect: the most frequent defect.
    """
    found = find_lot(ctx.session, lot)
    item = ctx.session.get_one(Item, found.sku)
    size = lot_units(ctx.session, found.id)
    if not size:
        raise ConflictError(f"Nothing of {found.number} has come in.")
    plan, small = sampling_plan(size, MAJOR_LIMIT), sampling_plan(size, MINOR_LIMIT)
    _check_counts(plan, critical, major, minor)
    result = judge(
        critical=critical,
        major=major,
        accept_up_to=plan.accept_up_to,
        minor=minor,
        minor_accept_up_to=small.accept_up_to,
    )
    stage = InspectionStage.FINAL if found.work_order_id else InspectionStage.INCOMING
    rejected = result is InspectionResult.REJECTED

    counts = Defects(critical, major, minor, defect or None)
    return Change(
        title=f"Record the {stage.value.replace('_', ' ')} inspection of {found.number}?",
        details=[
            (
                f"{item.title}, lot of {size}: sample {plan.sample_size}, accept up to "
                f"{plan.accept_up_to} major and {small.accept_up_to} minor, no critical."
            ),
            f"Found: {critical} critical, {major} major, {minor} minor.",
            f"Result: {result.value}." + (" It goes to quarantine." if rejected else ""),
        ],
        button="Record it",
        basis={"version": found.version, "size": size, "result": result.value},
        apply=lambda: _keep(ctx, found, stage, counts, size),
    )


@tool(
    examples=[
        "Block lot LOT-00231 because of bad glue",
        "put batch 315 into quarantine",
        "recall LOT-00120, it has sharp edges",
        "stop using LOT-00044",
        "LOT-00290 must not be sold any more",
        "nobody is allowed to touch LOT-00088 for now",
        "set lot 102 aside due to cracks",
        "lock LOT-00015",
        "take LOT-00087 out of circulation",
    ],
    label="Preparing the block",
    audience=Audience.STAFF,
    effect="write",
    roles=_ROLES,
)
def block_lot(
    ctx: ToolContext, lot: LotNumber, action: BlockAs = "blocked", reason: Why = ""
) -> Change:
    """Take a lot out of use: what is left goes to quarantine, reservations on it are given up.

    Args:
        ctx: who asks.
        lot: its number.
        action: blocked, quarantine, or recalled for good.
        reason: why.
    """
    found, to = find_lot(ctx.session, lot), LotState(action)
    item = ctx.session.get_one(Item, found.sku)
    if found.state is LotState.RECALLED or found.state is to:
        raise ConflictError(f"{found.number} is {found.state.value} already.")
    place = place_of_kind(ctx.session, LocationKind.QUARANTINE)
    seen = trace(ctx.session, found)
    usable = sum(units for name, units in seen.left.items() if name != place.name)

    def apply() -> Result:
        taken = block(
            ctx.session,
            found,
            to,
            reason=reason or action,
            actor=ctx.caller.actor,
            now=ctx.now,
        )
        waits = f" These wait again: {', '.join(taken.waiting)}." if taken.waiting else ""
        say = f"**{found.number}** is {to.value}; {taken.units} are in quarantine.{waits}"
        facts = {"lot": found.number, "state": to.value, "waiting": taken.waiting}
        return Result(say, facts=facts)

    details = [f"{usable} x {item.title} that are left go to {place.name}."]
    details.append("Orders that had them held back wait again, the newest first.")
    if seen.sales:
        details.append(f"{len({sale.number for sale in seen.sales})} orders got some already.")
    if to is LotState.RECALLED:
        details.append("A recall is final.")
    undo = None if to is LotState.RECALLED else Undo("release_lot", {"lot": found.number})
    return Change(
        title=f"Take {found.number} out of use ({to.value})?",
        details=details,
        button="Take it out of use",
        basis={"version": found.version, "usable": usable},
        apply=apply,
        undo=undo,
    )


@tool(
    examples=[
        "Release lot LOT-00231",
        "LOT-00315 can be used again",
        "unblock batch 120",
        "let LOT-00044 back into stock by concession",
        "free LOT-00290 from quarantine",
        "the rejected lot 102 may be used as it is",
        "lift the block on LOT-00015",
        "accept LOT-00087 after rework",
    ],
    label="Preparing the release",
    audience=Audience.STAFF,
    effect="write",
    roles=_ROLES,
)
def release_lot(
    ctx: ToolContext, lot: LotNumber, place: StockPlace = "", reason: Why = ""
) -> Change:
    """Let a lot be used again; one that an inspection rejected needs a second person.

    Args:
        ctx: who asks.
        lot: its number.
        place: where its units go.
        reason: why.
    """
    found, spot = find_lot(ctx.session, lot), find_place(ctx.session, place)
    if found.state in {LotState.RELEASED, LotState.RECALLED}:
        raise ConflictError(f"{found.number} is {found.state.value}.")
    item = ctx.session.get_one(Item, found.sku)
    seen = trace(ctx.session, found)
    held = sum(seen.left.values())
    inspection = last_inspection(ctx.session, found)
    rejected = inspection is not None and inspection.result is InspectionResult.REJECTED

    def apply() -> Result:
        units = release(
            ctx.session,
            found,
            location_id=spot.id,
            reason=reason or "released",
            actor=ctx.caller.actor,
            now=ctx.now,
        )
        say = f"**{found.number}** is released; {units} are at {spot.name}."
        return Result(say, facts={"lot": found.number, "units": units})

    details = [f"{held} x {item.title} go to {spot.name}."]
    if rejected:
        details.append("Its last inspection rejected it: this is a concession.")
    return Change(
        title=f"Release {found.number}?",
        details=details,
        button="Release it",
        basis={"version": found.version, "held": held, "rejected": rejected},
        apply=apply,
        approval=second_person(ctx, "release_lot", result="rejected" if rejected else None),
        undo=Undo("block_lot", {"lot": found.number, "action": "blocked"}),
    )


def _check_counts(plan: SamplingPlan, *counts: int) -> None:
    if max(counts) > plan.sample_size:
        raise InvalidInputError(
            f"The sample is {plan.sample_size}: not more than that can be defective."
        )


def _keep(ctx: ToolContext, lot: Lot, stage: InspectionStage, counts: Defects, size: int) -> Result:
    inspection = inspect_lot(
        ctx.session,
        lot,
        stage,
        sampling_plan(size, MAJOR_LIMIT),
        sampling_plan(size, MINOR_LIMIT),
        counts,
        lot_size=size,
        actor=ctx.caller.actor,
        now=ctx.now,
    )
    rejected = inspection.result is InspectionResult.REJECTED
    after = " What is left of it is in quarantine." if rejected else ""
    say = f"**{lot.number}** is {inspection.result.value}.{after}"
    return Result(say, facts={"lot": lot.number, "result": inspection.result.value})
