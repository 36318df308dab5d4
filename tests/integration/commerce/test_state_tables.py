"""Every edge of the tables of states: what is allowed happens, and nothing else does."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from opsbot.commerce.lots import LOT_EDGES, Lot, LotState
from opsbot.commerce.production import WORK_ORDER_EDGES, WorkOrder, WorkOrderState
from opsbot.commerce.purchasing import (
    PURCHASE_ORDER_EDGES,
    PurchaseOrder,
    PurchaseOrderState,
    Supplier,
)
from opsbot.commerce.records import advance
from opsbot.db import Base, Database
from opsbot.errors import ConflictError
from tests.factories import DAY, NOON, make_item

SKU = "LL-MUG-01-MOS"


def _work_order(state: StrEnum) -> Base:
    return WorkOrder(
        number="WO-00001", sku=SKU, state=state, planned=5, created_at=NOON, due_at=NOON + DAY
    )


def _purchase_order(state: StrEnum) -> Base:
    return PurchaseOrder(
        number="PO-00001",
        supplier_id=1,
        state=state,
        currency="EUR",
        ordered_at=NOON,
        promised_at=NOON + DAY,
    )


def _lot(state: StrEnum) -> Base:
    return Lot(number="LOT-00001", sku=SKU, state=state, reference="WO-1", made_at=NOON)


TABLES: list[tuple[Callable[[StrEnum], Base], Any, type[StrEnum]]] = [
    (_work_order, WORK_ORDER_EDGES, WorkOrderState),
    (_purchase_order, PURCHASE_ORDER_EDGES, PurchaseOrderState),
    (_lot, LOT_EDGES, LotState),
]


@pytest.mark.parametrize(("make", "edges", "states"), TABLES, ids=["work", "purchase", "lot"])
def test_a_state_is_reached_by_allowed_edges_only(
    database: Database, make: Callable[[StrEnum], Base], edges: Any, states: type[StrEnum]
) -> None:
    assert set(edges) == set(states)
    wrong = []
    with database.write() as session:
        supplier = Supplier(name="Kiln & Co", country="PT", currency="EUR", lead_days=20)
        session.add_all([make_item(), supplier])
        session.flush()
        for start in states:
            for end in states:
                point = session.begin_nested()
                row = make(start)
                session.add(row)
                session.flush()
                try:
                    advance(session, row, end, edges)
                    happened = True
                except ConflictError:
                    happened = False
                reached = row.state  # type: ignore[attr-defined]
                if happened != (end in edges[start]) or reached is not (end if happened else start):
                    wrong.append((start, end, happened, reached))
                point.rollback()

    assert wrong == []


def test_what_is_over_has_no_way_on() -> None:
    assert not WORK_ORDER_EDGES[WorkOrderState.CLOSED] | WORK_ORDER_EDGES[WorkOrderState.CANCELLED]
    assert not PURCHASE_ORDER_EDGES[PurchaseOrderState.CLOSED]
    assert not PURCHASE_ORDER_EDGES[PurchaseOrderState.CANCELLED]
    assert not LOT_EDGES[LotState.RECALLED]
