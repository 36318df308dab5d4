"""Which lot each move was of, and what is known of the lots: worked out after the year is over."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from opsbot.commerce.inventory import MoveReason, StockMove
from opsbot.commerce.lots import Lot, LotState
from opsbot.commerce.numbers import NumberKind
from opsbot.commerce.production import WorkOrder
from opsbot.commerce.products import Item
from opsbot.commerce.purchasing import PurchaseOrder, PurchaseOrderLine, Receipt
from opsbot.commerce.quality import (
    Disposition,
    Inspection,
    InspectionResult,
    InspectionStage,
)
from opsbot.demo.world import QUARANTINE, WAREHOUSE, World

_CAME = (MoveReason.OPENING, MoveReason.RECEIPT, MoveReason.PRODUCE)

_OPEN_DAYS = 60
"""A lot that was rejected longer ago has been decided on."""

Row = dict[str, Any]


@dataclass
class _Trace:
    """What lies where, lot by lot, while the year is gone through again."""

    shelves: defaultdict[tuple[str, int], deque[list[int]]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    """Lot and units, the oldest first, by item and place."""
    moving: defaultdict[tuple[str, str, datetime], list[tuple[int | None, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """Units of a transfer that have left and not come yet."""


def assign_lots(world: World) -> None:
    """Give each move of an item that is kept by lots its lot, splitting it where it has several."""
    tracked = {row["sku"] for row in world.rows[Item] if row["lot_tracked"]}
    sources = {row["number"]: row["supplier_id"] for row in world.rows[PurchaseOrder]}
    works = {row["number"]: row["id"] for row in world.rows[WorkOrder]}
    old = sorted(world.rows[StockMove], key=lambda row: (row["at"], row["id"]))
    world.rows[StockMove] = []
    trace = _Trace()
    for row in old:
        if row["sku"] not in tracked:
            parts: list[tuple[int | None, int]] = [(None, row["quantity"])]
        elif row["quantity"] > 0 and row["reason"] in _CAME:
            lot = _add_lot(world, row, sources.get(row["reference"]), works.get(row["reference"]))
            trace.shelves[row["sku"], row["location_id"]].append([lot, row["quantity"]])
            parts = [(lot, row["quantity"])]
        else:
            parts = _split(trace, row)
        for lot_id, units in parts:
            world.add(
                StockMove,
                **{k: v for k, v in row.items() if k not in {"id", "quantity"}},
                quantity=units,
                lot_id=lot_id,
            )
    lots = {(row["reference"], row["sku"], row["state"]): row for row in world.rows[Lot]}
    _add_receipts(world, lots)
    _settle_rejected(world, trace, lots)


def _add_lot(world: World, row: Row, supplier: int | None, work: int | None) -> int:
    bad = row["location_id"] == QUARANTINE
    return world.add(
        Lot,
        number=world.number(NumberKind.LOT),
        sku=row["sku"],
        state=LotState.QUARANTINE if bad else LotState.RELEASED,
        supplier_id=supplier,
        supplier_lot=f"{supplier}{len(world.rows[Lot]) + 4001}" if supplier else None,
        work_order_id=work,
        reference=row["reference"],
        made_at=row["at"],
        expires_on=None,
        reason="rejected on receipt" if bad else None,
    )


def _split(trace: _Trace, row: Row) -> list[tuple[int | None, int]]:
    """Return the lots that a move is of, with the units of each."""
    key = (row["reference"], row["sku"], row["at"])
    shelf = trace.shelves[row["sku"], row["location_id"]]
    if row["quantity"] > 0:
        came: list[tuple[int | None, int]] = trace.moving.pop(key, [])
        known = sum(units for _, units in came)
        if known < row["quantity"]:
            came.append((None, row["quantity"] - known))
        shelf.extend([lot, units] for lot, units in came if lot is not None)
        return came
    left, parts = -row["quantity"], list[tuple[int | None, int]]()
    while left and shelf:
        taken = min(left, shelf[0][1])
        parts.append((shelf[0][0], -taken))
        left -= taken
        shelf[0][1] -= taken
        if not shelf[0][1]:
            shelf.popleft()
    if left:
        parts.append((None, -left))
    if row["reason"] is MoveReason.TRANSFER:
        trace.moving[key] = [(lot, -units) for lot, units in parts]
    return parts


def _add_receipts(world: World, lots: dict[tuple[str, str, LotState], Row]) -> None:
    orders = {row["id"]: row for row in world.rows[PurchaseOrder]}
    for line in world.rows[PurchaseOrderLine]:
        order = orders[line["purchase_order_id"]]
        if not line["received"]:
            continue
        lot = lots.get((order["number"], line["sku"], LotState.RELEASED))
        world.add(
            Receipt,
            purchase_order_line_id=line["id"],
            received=line["received"],
            rejected=line["rejected"],
            lot_id=lot["id"] if lot else None,
            received_at=order["received_at"],
            actor="system",
        )


def _settle_rejected(
    world: World, trace: _Trace, lots: dict[tuple[str, str, LotState], Row]
) -> None:
    """Hold the newest rejected lots in quarantine, as far as nobody waits for them.

    Older ones were used by concession, or worked over.
    """
    recent = world.today - timedelta(days=_OPEN_DAYS)
    may_be_held: list[tuple[Row, Row, int]] = []
    for row in sorted(world.rows[Inspection], key=lambda row: row["inspected_at"]):
        lot = lots.get((row["reference"], row["sku"], LotState.RELEASED))
        row["lot_id"] = lot["id"] if lot else None
        shelf = trace.shelves[row["sku"], WAREHOUSE]
        left = sum(units for key, units in shelf if lot and key == lot["id"])
        new = row["inspected_at"] > recent and 0 < left <= world.free[row["sku"], WAREHOUSE]
        if lot and new:
            may_be_held.append((row, lot, left))
        elif lot and row["result"] is InspectionResult.REJECTED:
            row["result"] = InspectionResult.CONCESSION
            incoming = row["stage"] is InspectionStage.INCOMING
            row["disposition"] = Disposition.USE_AS_IS if incoming else Disposition.REWORK
    if may_be_held:  # the newest of all is one that staff must decide on
        newest = next(
            (one for one in reversed(may_be_held) if one[0]["stage"] is InspectionStage.FINAL),
            may_be_held[-1],
        )
        newest[0].update(
            major=newest[0]["accept_up_to"] + 2 if newest[0]["sample_size"] > 1 else 1,
            defect="glaze run" if newest[0]["sku"].startswith("LL-MUG") else "wrong dimension",
            result=InspectionResult.REJECTED,
            disposition=None,
        )
    for row, lot, left in may_be_held:
        if row["result"] is InspectionResult.REJECTED:
            _hold(world, row["sku"], lot, left)


def _hold(world: World, sku: str, lot: Row, units: int) -> None:
    lot["state"], lot["reason"] = LotState.QUARANTINE, "rejected"
    world.free[sku, WAREHOUSE] -= units
    for place, change in ((WAREHOUSE, -units), (QUARANTINE, units)):
        world.add(
            StockMove,
            sku=sku,
            location_id=place,
            quantity=change,
            reason=MoveReason.TRANSFER,
            reference=lot["number"],
            actor="system",
            at=world.today - timedelta(minutes=1),
            lot_id=lot["id"],
        )
