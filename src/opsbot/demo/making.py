"""What a work order takes and leaves behind: parts, steps, scrap."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.production import WorkOrder, WorkOrderOp
from opsbot.commerce.reservations import Reservation, ReservationState
from opsbot.demo.workshop import Recipe, Workshop
from opsbot.demo.world import WAREHOUSE, World

_SCRAP_REASONS = {
    "ceramics": ("hairline crack", "glaze run", "warped"),
    "lamps": ("flickering driver", "scratched stem"),
    "paper": ("skewed binding", "torn sheet"),
    "wood": ("burn marks", "split grain"),
    "engraved": ("smudged engraving", "split grain"),
    "parts": ("chipped edge", "burn marks"),
    "spares": ("frayed edge",),
}


@dataclass(frozen=True)
class Job:
    """One work order, as its traces need it."""

    id: int
    number: str
    category: str
    units: int
    scrap: int
    created: datetime


def part_use(workshop: Workshop, daily: Mapping[str, float]) -> dict[str, float]:
    """Return the stock units of each part that a day's sales take, through all levels."""
    use: Counter[str] = Counter()
    waiting = [(sku, units) for sku, units in daily.items() if sku in workshop.recipes]
    while waiting:
        sku, units = waiting.pop()
        for part, each, scrap in workshop.recipes[sku].parts:
            taken = units * each * 1000 / (1000 - scrap)
            use[part] += taken  # type: ignore[assignment]  # a Counter of floats
            if part in workshop.recipes:
                waiting.append((part, taken))
    return dict(use)


def reserve_parts(world: World, recipe: Recipe, units: int) -> bool:
    """Take the parts of a work order off what is free, if all are there; tell whether they are."""
    needs = recipe.needs(units)
    if any(world.free[sku, WAREHOUSE] < needed for sku, needed in needs.items()):
        return False
    for sku, needed in needs.items():
        world.free[sku, WAREHOUSE] -= needed
    return True


def keep_records(
    world: World, recipe: Recipe, job: Job, *, begun: bool, completed: datetime | None
) -> None:
    """Write down what an order holds, or took, and what came of its steps."""
    for sku, needed in recipe.needs(job.units).items():
        if completed:
            world.move(sku, WAREHOUSE, -needed, MoveReason.CONSUME, job.number, completed)
        world.add(
            Reservation,
            sku=sku,
            location_id=WAREHOUSE,
            order_line_id=None,
            work_order_id=job.id,
            quantity=needed,
            state=ReservationState.CONSUMED if completed else ReservationState.ACTIVE,
            created_at=job.created,
        )
    _add_steps(world, recipe, job, begun=begun, completed=completed)
    world.note(WorkOrder, job.id, "work_order_released", job.created)
    if completed:
        world.note(WorkOrder, job.id, "work_order_completed", completed)


def _add_steps(
    world: World, recipe: Recipe, job: Job, *, begun: bool, completed: datetime | None
) -> None:
    """Part the scrap of an order among its steps, most of it in the first."""
    left, scrap = job.units, job.scrap
    last = len(recipe.steps) - 1
    for place, step in enumerate(recipe.steps):
        lost = scrap if place == last else (scrap * 2 + 2) // 3
        scrap -= lost
        good = left - lost
        done = completed is not None or (begun and place == 0 and last > 0)
        planned = step.minutes(job.units)
        reasons = _SCRAP_REASONS.get(job.category, ("scratches",))
        world.add(
            WorkOrderOp,
            work_order_id=job.id,
            seq=step.seq,
            name=step.name,
            work_center_id=step.center,
            planned_minutes=planned,
            actual_minutes=round(planned * world.random.uniform(0.88, 1.22)) if done else None,
            good=good if done else 0,
            scrap=lost if completed else 0,
            scrap_reason=world.random.choice(reasons) if lost and completed else None,
            done_at=_done_at(completed, last - place) if completed else None,
        )
        left = good


def _done_at(completed: datetime, steps_after: int) -> datetime:
    return completed - timedelta(days=steps_after)
