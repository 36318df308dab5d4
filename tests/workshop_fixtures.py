"""A workshop to count by hand: mugs of clay and glaze, a kiln, a supplier, a quarantine."""

from decimal import Decimal

from sqlalchemy.orm import Session

from opsbot.commerce.boms import activate_bom, draft_bom
from opsbot.commerce.inventory import LocationKind, MoveReason, move
from opsbot.commerce.lots import make_lot
from opsbot.commerce.production import CenterKind, RoutingOp, WorkCenter
from opsbot.commerce.products import StockUnit
from opsbot.commerce.purchasing import Supplier, SupplierItem
from opsbot.planning.boms import Part
from tests.factories import DAY, NOON, make_item, make_location

MUG, CLAY, GLAZE = "LL-MUG-01-MOS", "MT-CLY", "MT-GLZ"
BERLIN, STORE, QUARANTINE = 1, 2, 3


def fill_workshop(session: Session) -> None:
    """Add 20 mugs of LOT-00001, 10 kg of clay and 500 g of glaze; a mug takes 400 g and 10 g."""
    part = {"category": "materials", "sellable": False, "component": True, "manufactured": False}
    session.add_all(
        [
            make_item(MUG, lot_tracked=True),
            make_item(CLAY, "Stoneware clay", stock_unit=StockUnit.GRAM, cost_minor=150,
                      cost_per=1000, purchasable=True, **part),
            make_item(GLAZE, "Glaze powder", stock_unit=StockUnit.GRAM, cost_minor=1000,
                      cost_per=1000, lot_tracked=True, purchasable=True, **part),
            make_location(),
            make_location("STO", name="Berlin store", kind=LocationKind.STORE),
            make_location("QUA", name="Quarantine", kind=LocationKind.QUARANTINE, sellable=False),
        ]
    )  # fmt: skip
    supplier = Supplier(
        name="Kiln & Co", country="PT", currency="EUR", lead_days=20, email="sales@kiln.example"
    )
    session.add(supplier)
    session.flush()
    session.add_all(
        [
            SupplierItem(supplier_id=supplier.id, sku=GLAZE, price_minor=900, price_per=1000,
                         minimum=2000, pack_multiple=1000, lead_days=14, preferred=True,
                         breaks=[{"from": 5000, "price_minor": 800}]),
            SupplierItem(supplier_id=supplier.id, sku=CLAY, price_minor=140, price_per=1000,
                         minimum=0, pack_multiple=5000, lead_days=20, preferred=True),
        ]
    )  # fmt: skip
    _add_making(session)
    lot = make_lot(session, MUG, reference="opening", at=NOON - 30 * DAY)
    for sku, units, lot_id in ((MUG, 20, lot.id), (CLAY, 10_000, None), (GLAZE, 500, None)):
        move(
            session,
            sku,
            BERLIN,
            units,
            reason=MoveReason.OPENING,
            reference="opening",
            actor="system",
            at=NOON - 30 * DAY,
            lot_id=lot_id,
        )


def _add_making(session: Session) -> None:
    centers = [
        WorkCenter(code="POT", name="Pottery bench", kind=CenterKind.IN_HOUSE,
                   minutes_per_day=480, efficiency_pct=100, cost_minor_per_hour=3600),
        WorkCenter(code="KILN", name="Kiln", kind=CenterKind.IN_HOUSE, minutes_per_day=600,
                   efficiency_pct=50, cost_minor_per_hour=1800),
    ]  # fmt: skip
    session.add_all(centers)
    session.flush()
    parts = [Part(CLAY, Decimal(400)), Part(GLAZE, Decimal(10))]
    bom = draft_bom(session, MUG, parts, now=NOON - 30 * DAY)
    activate_bom(session, bom, actor="test", now=NOON - 30 * DAY)
    session.add_all(
        RoutingOp(
            bom_id=bom.id,
            seq=10 * place,
            name=name,
            work_center_id=center.id,
            setup_minutes=30,
            run_seconds=120,
        )
        for place, (name, center) in enumerate(zip(("Throwing", "Firing"), centers, strict=True), 1)
    )
    session.flush()
