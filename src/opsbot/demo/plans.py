"""The work planned for the coming weeks, some of it more than there is time or parts for."""

from datetime import timedelta

from opsbot.commerce.numbers import NumberKind
from opsbot.commerce.production import WorkOrder, WorkOrderState
from opsbot.demo.making import Job, keep_records, reserve_parts
from opsbot.demo.supply import Pipeline
from opsbot.demo.world import World

_PLANS = (
    # item, units, days until it is due, whether it may begin
    ("LL-CST-01-OAK", 260, 9, True),
    ("LL-ENG-01", 90, 10, True),
    ("PT-BAS-OAK", 140, 8, True),
    ("LL-NBK-01-DOT", 100, 11, True),
    ("LL-MUG-01-MOS", 120, 12, True),
    ("LL-LMP-01-WAL", 36, 15, False),
    ("LL-LMP-03-BRS", 14, 18, False),
    ("LL-NBK-01-LIN", 300, 16, False),
)


def plan_ahead(world: World, pipeline: Pipeline) -> None:
    """Add work orders for the next weeks; those whose parts are not free stay drafts."""
    created = world.today - timedelta(hours=14)
    for sku, units, days, may_begin in _PLANS:
        recipe = pipeline.workshop.recipes[sku]
        released = may_begin and reserve_parts(world, recipe, units)
        number = world.number(NumberKind.WORK_ORDER)
        key = world.add(
            WorkOrder,
            number=number,
            sku=sku,
            bom_id=recipe.bom_id,
            state=WorkOrderState.RELEASED if released else WorkOrderState.DRAFT,
            planned=units,
            produced=0,
            scrapped=0,
            created_at=created,
            planned_start=world.today + timedelta(days=max(1, days - 6)),
            due_at=world.today + timedelta(days=days, hours=15),
            started_at=None,
            completed_at=None,
        )
        job = Job(key, number, pipeline.goods[sku].category, units, 0, created)
        if released:
            keep_records(world, recipe, job, begun=False, completed=None)
        else:
            keep_records(world, recipe.without_parts(), job, begun=False, completed=None)
