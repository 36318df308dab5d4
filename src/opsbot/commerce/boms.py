"""Bills of materials: how they are read, and when one may become the active one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from opsbot.commerce.production import Bom, BomLine, BomState, RoutingOp, WorkCenter
from opsbot.commerce.products import Item, ItemStatus
from opsbot.commerce.records import record_event
from opsbot.errors import ConflictError, InvalidInputError, NotFoundError
from opsbot.planning.boms import Boms, Part, explode, where_used
from opsbot.planning.capacity import Operation


def read_boms(session: Session) -> dict[str, tuple[Part, ...]]:
    """Return the active bill of materials of each item that is made."""
    rows = session.execute(
        select(Bom.sku, BomLine)
        .join(BomLine, BomLine.bom_id == Bom.id)
        .where(Bom.state == BomState.ACTIVE)
        .order_by(Bom.sku, BomLine.seq)
    )
    boms: defaultdict[str, list[Part]] = defaultdict(list)
    for sku, line in rows:
        boms[sku].append(_part(line))
    return {sku: tuple(parts) for sku, parts in boms.items()}


def read_routings(session: Session) -> dict[str, tuple[Operation, ...]]:
    """Return the steps of each item that is made, by the codes of their work centres."""
    rows = session.execute(
        select(Bom.sku, RoutingOp, WorkCenter.code)
        .join(RoutingOp, RoutingOp.bom_id == Bom.id)
        .join(WorkCenter, WorkCenter.id == RoutingOp.work_center_id)
        .where(Bom.state == BomState.ACTIVE)
        .order_by(Bom.sku, RoutingOp.seq)
    )
    steps: defaultdict[str, list[Operation]] = defaultdict(list)
    for sku, step, code in rows:
        run = step.run_seconds / 60
        steps[sku].append(Operation(code, step.setup_minutes, run, step.queue_days))
    return {sku: tuple(found) for sku, found in steps.items()}


def active_bom(session: Session, sku: str) -> Bom | None:
    """Return the bill of materials an item is made by now; None: it is not made from parts."""
    return session.scalar(select(Bom).where(Bom.sku == sku, Bom.state == BomState.ACTIVE))


def part_needs(session: Session, bom_id: int, units: int) -> dict[str, int]:
    """Return the stock units of each part that a number of the product takes, rounded up."""
    lines = session.scalars(select(BomLine).where(BomLine.bom_id == bom_id).order_by(BomLine.seq))
    parts = [_part(line) for line in lines]
    if not parts or units <= 0:
        return {}
    needs = explode({"": parts}, "", Decimal(units))
    return {need.sku: int(need.gross) for need in needs if need.level}


def draft_bom(session: Session, sku: str, parts: Sequence[Part], *, now: datetime) -> Bom:
    """Write the next version of an item's bill of materials; it counts once it is active.

    Raises:
        InvalidInputError: there are no parts, or one stands there twice.
        NotFoundError: a part is not known.
    """
    components = [part.sku for part in parts]
    if not components or len(set(components)) < len(components):
        raise InvalidInputError("A bill of materials needs parts, each of them once.")
    for component in components:
        if session.get(Item, component) is None:
            raise NotFoundError("a part numbered", component[:60])
    last = session.scalar(select(func.max(Bom.revision)).where(Bom.sku == sku)) or 0
    bom = Bom(sku=sku, revision=last + 1, state=BomState.DRAFT, created_at=now)
    session.add(bom)
    session.flush()
    session.add_all(
        BomLine(
            bom_id=bom.id,
            seq=10 * place,
            component=part.sku,
            quantity_e4=int(part.quantity * 10_000),
            scrap_permille=int(part.scrap * 1000),
        )
        for place, part in enumerate(parts, start=1)
    )
    session.flush()
    return bom


def activate_bom(session: Session, bom: Bom, *, actor: str, now: datetime) -> None:
    """Make a drafted bill of materials the one that counts; the one before it is retired.

    Raises:
        ConflictError: it is not a draft, or a part is not made and sold any more.
        InvalidInputError: a product would contain itself, or lie more than ten levels deep.
    """
    if bom.state is not BomState.DRAFT:
        raise ConflictError(f"This bill of materials is {bom.state.value} already.")
    lines = list(session.scalars(select(BomLine).where(BomLine.bom_id == bom.id)))
    gone = session.scalars(
        select(Item.sku).where(
            Item.sku.in_([line.component for line in lines]),
            Item.status == ItemStatus.DISCONTINUED,
        )
    ).all()
    if gone:
        raise ConflictError(f"{gone[0]} is discontinued and cannot be a part.")
    boms = {**read_boms(session), bom.sku: tuple(_part(line) for line in lines)}
    check_levels(boms, bom.sku)
    session.execute(
        update(Bom)
        .where(Bom.sku == bom.sku, Bom.state == BomState.ACTIVE)
        .values(state=BomState.RETIRED)
        .execution_options(synchronize_session="fetch")
    )
    bom.state = BomState.ACTIVE
    session.flush()
    record_event(session, bom, "bom_activated", actor=actor, at=now, sku=bom.sku)


def check_levels(boms: Boms, sku: str) -> None:
    """Refuse bills of materials in which a product contains itself, or lies too deep.

    Raises:
        InvalidInputError: one does, or a quantity makes no sense.
    """
    explode(boms, sku, Decimal(1))
    where_used(boms, sku)  # what it goes into must not become too deep either


def work_costs(
    routings: Mapping[str, Sequence[Operation]], centers: Mapping[str, WorkCenter]
) -> dict[str, Decimal]:
    """Return the cost of the work on one of each product, without set-up, in minor units."""
    return {
        sku: sum(
            (
                Decimal(step.run_minutes) * centers[step.center].cost_minor_per_hour / 60
                for step in steps
            ),
            Decimal(0),
        )
        for sku, steps in routings.items()
    }


def _part(line: BomLine) -> Part:
    return Part(line.component, line.quantity, Decimal(line.scrap_permille) / 1000)
