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
    return part_needs_of(session, [(bom_id, units)])[0]


def part_needs_of(
    session: Session, wanted: Sequence[tuple[int | None, int]]
) -> list[dict[str, int]]:
    """Return what `part_needs` does for many bills and numbers of units, in one statement.

    Args:
        session: a session to read in.
        wanted: bill and units of each; without a bill nothing is needed.
    """
    bills = {bom_id for bom_id, _ in wanted if bom_id is not None}
    parts: defaultdict[int, list[Part]] = defaultdict(list)
    lines = select(BomLine).where(BomLine.bom_id.in_(bills)).order_by(BomLine.seq)
    for line in session.scalars(lines) if bills else ():
        parts[line.bom_id].append(_part(line))
    return [
        _needs_of(parts[bom_id] if bom_id is not None else [], units) for bom_id, units in wanted
    ]


def _needs_of(parts: Sequence[Part], units: int) -> dict[str, int]:
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
    _check_parts(session, bom)
    session.execute(
        update(Bom)
        .where(Bom.sku == bom.sku, Bom.state == BomState.ACTIVE)
        .values(state=BomState.RETIRED)
        .execution_options(synchronize_session="fetch")
    )
    bom.state = BomState.ACTIVE
    session.flush()
    record_event(session, bom, "bom_activated", actor=actor, at=now, sku=bom.sku)


def parts_of(session: Session, bom: Bom) -> list[Part]:
    """Return the parts of a bill of materials, in its order."""
    lines = session.scalars(select(BomLine).where(BomLine.bom_id == bom.id).order_by(BomLine.seq))
    return [_part(line) for line in lines]


def planned_bom(session: Session, sku: str) -> Bom | None:
    """Return the revision of an item's bill of materials that waits for its day."""
    waiting = select(Bom).where(Bom.sku == sku, Bom.state == BomState.DRAFT)
    return session.scalar(waiting.where(Bom.effective_at.is_not(None)))


def revise_bom(
    session: Session,
    sku: str,
    parts: Sequence[Part],
    *,
    effective_at: datetime,
    actor: str,
    now: datetime,
) -> Bom:
    """Write the next revision with the steps of the active one, to count from a moment on.

    One that waits for the same moment is replaced. Open work orders keep the revision they were
    made with.

    Raises:
        ConflictError: a revision waits for another moment, or a part is discontinued.
        InvalidInputError: a product would contain itself, or lie too deep, or there are no parts.
        NotFoundError: the item has no bill of materials, or a part is not known.
    """
    current = active_bom(session, sku)
    if current is None:
        raise NotFoundError("a bill of materials of", sku)
    waiting = planned_bom(session, sku)
    if waiting is not None and waiting.effective_at != effective_at:
        raise ConflictError(f"Another change of the parts of {sku} waits for its day already.")
    bom = draft_bom(session, sku, parts, now=now)
    bom.effective_at = effective_at
    if waiting is not None:
        waiting.state = BomState.RETIRED
    for step in session.scalars(select(RoutingOp).where(RoutingOp.bom_id == current.id)):
        session.add(
            RoutingOp(
                bom_id=bom.id,
                seq=step.seq,
                name=step.name,
                work_center_id=step.work_center_id,
                setup_minutes=step.setup_minutes,
                run_seconds=step.run_seconds,
                queue_days=step.queue_days,
            )
        )
    session.flush()
    since = effective_at.isoformat()
    record_event(session, bom, "bom_revised", actor=actor, at=now, sku=sku, since=since)
    if effective_at <= now:
        activate_bom(session, bom, actor=actor, now=now)
    else:
        _check_parts(session, bom)
    return bom


def drop_planned(session: Session, bom: Bom, *, actor: str, now: datetime) -> None:
    """Give up a revision that waits for its day."""
    bom.state = BomState.RETIRED
    session.flush()
    record_event(session, bom, "bom_dropped", actor=actor, at=now, sku=bom.sku)


def activate_due_boms(session: Session, *, now: datetime) -> int:
    """Let the revisions count whose day has come; return how many.

    What cannot count any more, because a part was discontinued meanwhile, is given up; its history
    says why.
    """
    due = session.scalars(
        select(Bom)
        .where(Bom.state == BomState.DRAFT, Bom.effective_at <= now)
        .order_by(Bom.effective_at, Bom.id)
        .with_for_update()
    ).all()
    count = 0
    for bom in due:
        try:
            activate_bom(session, bom, actor="system", now=now)
        except (ConflictError, InvalidInputError) as error:
            bom.state = BomState.RETIRED
            record_event(
                session, bom, "bom_not_activated", actor="system", at=now, reason=str(error)
            )
        else:
            count += 1
    return count


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


def _check_parts(session: Session, bom: Bom) -> None:
    parts = parts_of(session, bom)
    gone = session.scalars(
        select(Item.sku).where(
            Item.sku.in_([part.sku for part in parts]), Item.status == ItemStatus.DISCONTINUED
        )
    ).all()
    if gone:
        raise ConflictError(f"{gone[0]} is discontinued and cannot be a part.")
    check_levels({**read_boms(session), bom.sku: tuple(parts)}, bom.sku)


def _part(line: BomLine) -> Part:
    return Part(line.component, line.quantity, Decimal(line.scrap_permille) / 1000)
