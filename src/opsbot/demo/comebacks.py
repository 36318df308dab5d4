"""Returns: which goods come back, why, and what happens to them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.numbers import NumberKind
from opsbot.commerce.orders import OrderLine
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.commerce.quality import Inspection, InspectionStage, judge
from opsbot.commerce.returns import (
    Resolution,
    Return,
    ReturnLine,
    ReturnReason,
    ReturnState,
)
from opsbot.demo.sales import OWN_STORE, Sale, SoldLine
from opsbot.demo.supply import move_back
from opsbot.demo.world import RETURNS, World

POLICY_VERSION = "2026-11-01"

_NEVER_BACK = ("made_to_order", "final_sale", "gift_card")
_SHARES: dict[str, dict[ReturnReason, float]] = {
    "ceramics": {ReturnReason.DAMAGED_TRANSIT: 5, ReturnReason.CHANGED_MIND: 2},
    "bags": {ReturnReason.SIZE_OR_STYLE: 6, ReturnReason.CHANGED_MIND: 3},
    "lamps": {ReturnReason.CHANGED_MIND: 4, ReturnReason.DEFECTIVE: 2},
}
_ANY = {
    ReturnReason.CHANGED_MIND: 3.0,
    ReturnReason.NOT_AS_DESCRIBED: 1.0,
    ReturnReason.WRONG_ITEM: 0.8,
    ReturnReason.ARRIVED_LATE: 0.5,
    ReturnReason.MISSING_PARTS: 0.5,
}
_TROUBLED = {"LL-GRD-01-BLK": (0.22, ReturnReason.DEFECTIVE)}
"""Items with a fault that a look at the returns should find: share that comes back, and why."""
_RATES = {"bags": 0.11, "lamps": 0.08, "ceramics": 0.06, "coffee": 0.06}
_FAULTS = frozenset({ReturnReason.DEFECTIVE, ReturnReason.DAMAGED_TRANSIT})


@dataclass(frozen=True)
class _Times:
    """When a return goes from step to step; steps after today have not happened."""

    requested: datetime
    sent: datetime
    received: datetime
    resolved: datetime


def add_returns(world: World, sales: list[Sale], stories: set[str]) -> None:
    """Add returns of delivered orders but those of the stories, and one of a story."""
    for sale in sales:
        if sale.delivered_at is None or sale.channel == OWN_STORE or sale.number in stories:
            continue
        for line in sale.lines:
            reason = _reason(world, line)
            if reason is not None:
                _send_back(world, sale, line, reason)


def _reason(world: World, line: SoldLine) -> ReturnReason | None:
    product = world.products[line.sku]
    if product.return_class in _NEVER_BACK:
        return None
    if line.sku in _TROUBLED and world.chance(_TROUBLED[line.sku][0]):
        return _TROUBLED[line.sku][1]
    if not world.chance(_RATES.get(product.category, 0.03)):
        return None
    shares = {**_ANY, **_SHARES.get(product.category, {})}
    return world.random.choices(list(shares), weights=list(shares.values()))[0]


def _send_back(world: World, sale: Sale, line: SoldLine, reason: ReturnReason) -> None:
    assert sale.delivered_at is not None  # noqa: S101  (asked by the caller)
    requested = sale.delivered_at + world.between(10, 24 * 20)
    if requested >= world.today:
        return
    sent = requested + world.between(20, 120)
    received = sent + world.between(40, 140)
    times = _Times(requested, sent, received, received + world.between(20, 80))
    units = world.random.randint(1, min(2, line.quantity))
    resolution = _resolution(world, sale, reason)
    refund = 0 if resolution is Resolution.EXCHANGE else line.paid_minor * units // line.quantity
    state = _state(world, reason, times)
    number = world.number(NumberKind.RETURN)
    key = _add_return(world, sale, number, resolution, refund, state, reason, times)
    received_here = state in {ReturnState.RECEIVED, ReturnState.RESOLVED}
    grade = _grade(world, reason) if state is ReturnState.RESOLVED else None
    world.add(
        ReturnLine,
        return_id=key,
        order_line_id=line.id,
        quantity=units,
        reason=reason,
        grade=grade,
    )
    world.note(Return, key, "return_opened", requested, actor=f"customer:{sale.person.id}")
    if received_here:
        world.rows[OrderLine][line.id - 1]["returned"] += units
        world.move(line.sku, RETURNS, units, MoveReason.RETURN, number, received)
    if grade is not None:
        _settle(world, sale, line, number, units, grade, times.resolved, reason)
        if resolution is Resolution.REFUND and refund:
            _pay_back(world, sale, number, refund, times.resolved)


def _resolution(world: World, sale: Sale, reason: ReturnReason) -> Resolution:
    if sale.captured_minor == 0 or (reason in _FAULTS and world.chance(0.4)):
        return Resolution.EXCHANGE
    return Resolution.STORE_CREDIT if world.chance(0.1) else Resolution.REFUND


def _state(world: World, reason: ReturnReason, times: _Times) -> ReturnState:
    """Return where the return is today; a few end early."""
    for moment, state in (
        (times.resolved, ReturnState.RESOLVED),
        (times.received, ReturnState.RECEIVED),
        (times.sent, ReturnState.IN_TRANSIT),
    ):
        if moment < world.today:
            early = state is ReturnState.RESOLVED and world.chance(0.06)
            ends = [ReturnState.CANCELLED, ReturnState.EXPIRED, ReturnState.DECLINED]
            return world.random.choice(ends) if early else state
    return ReturnState.REQUESTED if reason in _FAULTS else ReturnState.APPROVED


def _add_return(
    world: World,
    sale: Sale,
    number: str,
    resolution: Resolution,
    refund: int,
    state: ReturnState,
    reason: ReturnReason,
    times: _Times,
) -> int:
    arrived = state in {ReturnState.RECEIVED, ReturnState.RESOLVED}
    return world.add(
        Return,
        number=number,
        order_id=sale.id,
        customer_id=sale.person.id,
        state=state,
        resolution=resolution,
        policy_version=POLICY_VERSION,
        decision={"outcome": "yes", "clause": "returns.window", "reason": reason},
        refund_minor=refund,
        deadline=times.requested + timedelta(days=21),
        requested_at=times.requested,
        received_at=times.received if arrived else None,
        resolved_at=times.resolved if state is ReturnState.RESOLVED else None,
    )


def _grade(world: World, reason: ReturnReason) -> str:
    weights = (0, 10, 30, 60) if reason in _FAULTS else (70, 22, 6, 2)
    return world.random.choices("ABCD", weights=weights)[0]


def _settle(
    world: World,
    sale: Sale,
    line: SoldLine,
    number: str,
    units: int,
    grade: str,
    at: datetime,
    reason: ReturnReason,
) -> None:
    """Inspect the goods; put good ones back into the warehouse and throw bad ones away."""
    faulty = units if reason in _FAULTS else 0
    world.add(
        Inspection,
        stage=InspectionStage.RETURN,
        reference=number,
        sku=line.sku,
        lot_size=units,
        sample_size=units,
        accept_up_to=0,
        critical=0,
        major=faulty,
        minor=0,
        defect=reason.replace("_", " ") if faulty else None,
        result=judge(critical=0, major=faulty, accept_up_to=0),
        inspected_at=at,
    )
    if grade in "AB":
        move_back(world, line.sku, units, number, at)
    else:
        world.move(line.sku, RETURNS, -units, MoveReason.SCRAP, number, at)
    world.note(Return, len(world.rows[Return]), "return_resolved", at, order=sale.number)


def _pay_back(world: World, sale: Sale, number: str, amount: int, at: datetime) -> None:
    paid = next(p for p in world.rows[Payment] if p["order_id"] == sale.id)
    world.add(
        Payment,
        order_id=sale.id,
        kind=PaymentKind.REFUND,
        amount_minor=amount,
        method=paid["method"],
        gateway_ref=f"refund:{number}",
        at=at,
    )
