"""Returns that are handled at their source: ours follow, from the request to the goods."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.records import record_event
from opsbot.commerce.return_steps import open_return, reopen_return, replace_units
from opsbot.commerce.return_work import (
    BEFORE_GOODS,
    approve_return,
    cancel_return,
    decline_return,
)
from opsbot.commerce.returns import (
    ENDED_EARLY,
    Resolution,
    Return,
    ReturnLine,
    ReturnReason,
    ReturnState,
    Units,
)
from opsbot.connectors.finished import Ground
from opsbot.connectors.foreign import ForeignOrder, spread
from opsbot.connectors.links import LinkKind, keep_link, links_of
from opsbot.connectors.shopify_returns import (
    Asked,
    Reported,
    ReturnReport,
    Standing,
    dump_report,
    fold,
    load_report,
)
from opsbot.errors import ConflictError, NotFoundError

_REPORTS = "reports"
_DECLINED = "The shop declined the return."


def remember_lines(session: Session, source: str, order: ForeignOrder) -> None:
    """Keep which item each line of a source's order is; its returns name the lines alone."""
    known = links_of(session, source, LinkKind.LINE, order.line_skus)
    for key, sku in order.line_skus.items():
        if key not in known:
            keep_link(session, source, LinkKind.LINE, key, record=sku, changed_at=order.changed_at)


def linked_return(session: Session, source: str, key: str) -> Return | None:
    """Return ours for a return of a source, with lines and order, or None."""
    link = links_of(session, source, LinkKind.RETURN_REQUEST, [key]).get(key)
    return None if link is None else load_return(session, int(link.record))


def load_return(session: Session, key: int) -> Return:
    """Return a return as it is now, with lines and order, locked until the transaction ends."""
    return session.scalars(
        select(Return)
        .where(Return.id == key)
        .options(selectinload(Return.lines).joinedload(ReturnLine.order_line))
        .options(selectinload(Return.order).selectinload(Order.lines))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def follow_report(session: Session, ground: Ground, opened: Return, report: ReturnReport) -> None:
    """Bring a return to where its source has it. What is done here stays done.

    Raises:
        ConflictError: it went another way here; a person must look.
    """
    kept = [load_report(one) for one in opened.decision.get(_REPORTS, [])]
    if report in kept:
        return
    before, now = fold(kept), fold([*kept, report])
    opened.decision = opened.decision | {
        _REPORTS: [*opened.decision.get(_REPORTS, []), dump_report(report)]
    }
    if now.units != before.units and opened.state in BEFORE_GOODS:
        units = _units_of(session, ground, opened.order, now.units)
        if units:
            worth = _worth(opened.order, units)
            replace_units(
                session, opened, units, refund_minor=worth, actor=ground.actor, now=ground.now
            )
    if now.standing is not before.standing and now.standing is not None:
        _bring(session, ground, opened, before, now)
    if now.processed and not before.processed:
        _note_processed(session, ground, opened, now)
    if not now.units and before.units and opened.state in BEFORE_GOODS:
        cancel_return(session, opened, actor=ground.actor, now=ground.now)


def begin_return(
    session: Session, ground: Ground, order: Order, key: str, report: ReturnReport
) -> Return:
    """Write down a return that its source tells of for the first time.

    Raises:
        NotFoundError: the report does not say of what; a later or an earlier one will.
        ConflictError: its units have not arrived here, or are on another return.
    """
    now = fold([report])
    if report.listed is None or not now.units:
        raise NotFoundError("the return of this event", key)
    units = _units_of(session, ground, order, now.units)
    first = ReturnState.REQUESTED if now.standing is Standing.REQUESTED else ReturnState.APPROVED
    opened = open_return(
        session,
        order,
        units,
        state=first,
        resolution=Resolution.REFUND,
        refund_minor=_worth(order, units),
        policy_version=ground.actor,
        decision={"source": ground.source, "id": key, _REPORTS: [dump_report(report)]},
        deadline=None,
        actor=ground.actor,
        now=report.at,
    )
    link_return(session, ground, key, opened, at=report.at)
    session.refresh(opened, ["lines", "order"])
    if now.standing not in {Standing.REQUESTED, Standing.OPEN, None}:
        _bring(session, ground, opened, Reported(Standing.OPEN), now)
    return opened


def link_return(
    session: Session, ground: Ground, key: str, opened: Return, *, at: datetime
) -> None:
    """Remember which of our returns a source's one is."""
    keep_link(session, ground.source, LinkKind.RETURN_REQUEST, key, record=opened.id, changed_at=at)


def _bring(
    session: Session, ground: Ground, opened: Return, before: Reported, now: Reported
) -> None:
    """Go the step that a new standing means here, if it is not gone yet."""
    state, actor = opened.state, ground.actor
    goods_are_in = state not in {*BEFORE_GOODS, ReturnState.IN_TRANSIT, *ENDED_EARLY}
    match now.standing:
        case Standing.OPEN if state is ReturnState.REQUESTED:
            approve_return(session, opened, note="", actor=actor, now=ground.now)
        case Standing.OPEN if state in ENDED_EARLY and before.standing is Standing.CLOSED:
            reopen_return(session, opened, actor=actor, now=ground.now)
        case Standing.OPEN if state in ENDED_EARLY:
            raise _parted(opened, "goes on")
        case Standing.DECLINED if state is not ReturnState.DECLINED:
            if state is not ReturnState.REQUESTED:
                raise _parted(opened, "was declined")
            note = now.note or _DECLINED
            decline_return(session, opened, note=note, actor=actor, now=ground.now)
        case Standing.CANCELED if state not in ENDED_EARLY:
            if state not in BEFORE_GOODS:
                raise _parted(opened, "was called off")
            cancel_return(session, opened, actor=actor, now=ground.now)
        case Standing.CLOSED if state not in ENDED_EARLY and not (goods_are_in or now.processed):
            cancel_return(session, opened, actor=actor, now=ground.now)


def _note_processed(session: Session, ground: Ground, opened: Return, now: Reported) -> None:
    """Keep a return that its source has dealt with: it was not called off, whatever came first.

    It ends with the refund that brings the goods back; one that ended in other goods has none, and
    waits here for a person.

    Raises:
        ConflictError: it had ended here otherwise.
    """
    record_event(session, opened, "return_processed", actor=ground.actor, at=ground.now)
    if opened.state not in ENDED_EARLY:
        return
    if now.standing is not Standing.CLOSED:
        raise _parted(opened, "was processed")
    reopen_return(session, opened, actor=ground.actor, now=ground.now)


def _parted(opened: Return, what: str) -> ConflictError:
    state = opened.state.value.replace("_", " ")
    words = f"Return {opened.number} {what} at its source, and is {state} here"
    return ConflictError(f"{words}; a person must look at it.")


def _units_of(
    session: Session, ground: Ground, order: Order, asked: Sequence[Asked]
) -> list[Units]:
    """Return which units of our lines a source means.

    Raises:
        NotFoundError: it names a line that we do not know.
        ConflictError: more than arrived here.
    """
    known = links_of(session, ground.source, LinkKind.LINE, [one.line_id for one in asked])
    wanted: Counter[str] = Counter()
    reasons: dict[str, ReturnReason | None] = {}
    for one in asked:
        sku = _sku_of(order, known[one.line_id].record if one.line_id in known else None, one)
        wanted[sku] += one.quantity
        reasons[sku] = ReturnReason(one.reason) if one.reason else None
    lines = order.lines
    shares = _spread(lines, [line.delivered for line in lines], wanted)
    if sum(shares) != wanted.total():
        raise ConflictError(f"More of order {order.number} is to come back than had arrived here.")
    return [
        Units(line.id, units, reasons[line.sku])
        for line, units in zip(lines, shares, strict=True)
        if units
    ]


def _sku_of(order: Order, known: str | None, asked: Asked) -> str:
    if known is not None:
        return known
    if len(order.lines) == 1:  # came with a file, which has no ids of lines
        return order.lines[0].sku
    raise NotFoundError(f"the line of order {order.number}", asked.line_id)


def _spread(lines: Sequence[OrderLine], room: list[int], units: Mapping[str, int]) -> list[int]:
    return spread([line.sku for line in lines], room, units)


def _worth(order: Order, units: Sequence[Units]) -> int:
    """Return what was paid for units; the source decides what is given back for them."""
    lines = {line.id: line for line in order.lines}
    worth = 0
    for one in units:
        line = lines[one.order_line_id]
        paid = line.unit_price_minor * line.quantity - line.discount_minor
        worth += paid * one.quantity // line.quantity
    return worth
