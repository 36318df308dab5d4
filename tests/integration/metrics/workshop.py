"""A second small shop: parcels, payments, stock moves, suppliers, work orders and surveys."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from opsbot.commerce.customers import Customer
from opsbot.commerce.inventory import Location, MoveReason, StockLevel, StockMove
from opsbot.commerce.orders import Order, SalesChannel
from opsbot.commerce.payments import PaymentKind
from opsbot.commerce.production import WorkOrder, WorkOrderState
from opsbot.commerce.products import Item
from opsbot.commerce.purchasing import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Supplier,
)
from opsbot.commerce.quality import Inspection, InspectionResult, InspectionStage
from opsbot.commerce.returns import Resolution, Return, ReturnLine, ReturnReason, ReturnState
from opsbot.commerce.shipments import ShipmentState
from tests.factories import (
    BERLIN,
    DAY,
    make_channel,
    make_customer,
    make_item,
    make_line,
    make_location,
    make_order,
    make_payment,
    make_shipment,
)

MAY = datetime(2026, 5, 4, 8, tzinfo=UTC)
"""A Monday."""
FIRST = datetime(2026, 5, 1, 7, tzinfo=UTC)
VIENNA = {**BERLIN, "city": "Wien", "country": "AT"}


def hours(count: float) -> timedelta:
    """Return so many hours."""
    return timedelta(hours=count)


def add_workshop(session: Session) -> None:
    """Add what the module describes; each part says its figures."""
    mug, lamp = make_item(cost_minor=1000), make_item("LL-LMP-02", "Ember lamp", category="lamps")
    lamp.cost_minor, lamp.price_minor = 3000, 10000
    web = make_channel(fee_pct=2.0)
    market = make_channel("market", name="Marketplace", fee_pct=10.0)
    ada, ben = make_customer(), make_customer("Ben", "ben@example.com", "C-1002")
    shelf, bench = make_location(), make_location("RET", name="Returns", sellable=False)
    session.add_all([mug, lamp, web, market, ada, ben, shelf, bench])
    session.flush()
    orders = add_orders(session, [ada, ben], [web, market], mug, lamp)
    add_comebacks(session, orders)
    add_stock(session, mug, lamp, shelf)
    add_purchases(session, mug, lamp)
    add_work(session, mug)


def add_orders(
    session: Session,
    people: list[Customer],
    channels: list[SalesChannel],
    mug: Item,
    lamp: Item,
) -> list[Order]:
    """Add three orders in May.

    | order | who | channel | what             | to | parcel    | in transit | arrived     |
    |-------|-----|---------|------------------|----|-----------|------------|-------------|
    | #1    | Ada | web     | 4 mugs at 24.00  | DE | DHL, 4.00 | 2 days     | in time     |
    | #2    | Ben | market  | 1 lamp at 100.00 | AT | GLS, 9.00 | 6 days     | a day late  |
    | #3    | Ada | web     | 2 mugs, 1 lamp   | AT | DHL, 6.00 | 3.5 days   | in time     |

    No tax. #1 was paid after 6 hours, the others at once. Promised: to leave after 2 days, to
    arrive after 6.
    """
    ada, ben = people
    web, market = channels
    what = [
        ("#1", ada, web, [make_line(mug, 4)], BERLIN, "DHL", 400, 24, 48),
        ("#2", ben, market, [make_line(lamp, 1)], VIENNA, "GLS", 900, 24, 144),
        ("#3", ada, web, [make_line(mug, 2), make_line(lamp, 1)], VIENNA, "DHL", 600, 60, 84),
    ]
    orders = []
    for place, (number, who, channel, lines, to, carrier, cost, out, transit) in enumerate(what):
        placed = MAY + place * 7 * DAY
        order = make_order(
            who,
            number,
            lines=lines,
            channel=channel,
            placed_at=placed,
            delivered_at=placed + hours(out + transit),
            ship_to=dict(to),
            shipping_minor=0,
            total_minor=sum(line.unit_price_minor * line.quantity for line in lines),
            paid=False,
        )
        order.payments = [make_payment(order.total_minor, at=placed + hours(0 if place else 6))]
        parcel = make_shipment(
            order,
            f"T{place}",
            carrier=carrier,
            service="Paket",
            cost_minor=cost,
            state=ShipmentState.DELIVERED,
            packed_at=placed + hours(out - 4),
            shipped_at=placed + hours(out),
            delivered_at=placed + hours(out + transit),
        )
        session.add_all([order, parcel])
        orders.append(order)
    session.flush()
    return orders


def add_comebacks(session: Session, orders: list[Order]) -> None:
    """Add two returns: a damaged mug of #1 (24.00 back, ended after 10 days); the lamp of #2."""
    back = [(orders[0], ReturnReason.DAMAGED_TRANSIT), (orders[1], ReturnReason.CHANGED_MIND)]
    for number, (order, reason) in enumerate(back):
        asked = order.placed_at + 14 * DAY
        done = number == 0
        values: dict[str, Any] = {
            "number": f"RMA-{number:05}",
            "order_id": order.id,
            "customer_id": order.customer_id,
            "state": ReturnState.RESOLVED if done else ReturnState.APPROVED,
            "resolution": Resolution.REFUND,
            "policy_version": "1",
            "decision": {},
            "refund_minor": 2400,
            "requested_at": asked,
            "received_at": asked + 7 * DAY if done else None,
            "resolved_at": asked + 10 * DAY if done else None,
        }
        line = ReturnLine(order_line_id=order.lines[0].id, quantity=1, reason=reason)
        session.add(Return(**values, lines=[line]))
        if done:
            order.lines[0].returned = 1
            kind = PaymentKind.REFUND
            session.add(make_payment(2400, kind, order_id=order.id, at=asked + 10 * DAY))


def add_stock(session: Session, mug: Item, lamp: Item, shelf: Location) -> None:
    """Add the ledger: 10 mugs and 2 lamps since April; 5 mugs were sold in mid-May, no lamp."""
    april, mid = datetime(2026, 3, 31, 22, tzinfo=UTC), datetime(2026, 5, 16, 10, tzinfo=UTC)
    moves = [
        (mug, 10, MoveReason.OPENING, april),
        (lamp, 2, MoveReason.OPENING, april),
        (mug, -5, MoveReason.SALE, mid),
        (lamp, -1, MoveReason.COUNT, mid),
        (lamp, 1, MoveReason.COUNT, mid),
    ]
    for item, quantity, reason, at in moves:
        session.add(
            StockMove(
                sku=item.sku,
                location_id=shelf.id,
                quantity=quantity,
                reason=reason,
                reference="x",
                actor="test",
                at=at,
            )
        )
    for item, count in ((mug, 5), (lamp, 2)):
        session.add(StockLevel(sku=item.sku, location_id=shelf.id, on_hand=count, reserved=0))


def add_purchases(session: Session, mug: Item, lamp: Item) -> None:
    """Add two purchase orders of May.

    Kiln & Co: 100 mugs after 10.1 days, on the promised day but later than the hour, 2 rejected;
    Lux: 50 lamps after 20 days, a day late.
    """
    for name, item, units, rejected, promised, took in (
        ("Kiln & Co", mug, 100, 2, 10, 10.1),
        ("Lux", lamp, 50, 0, 19, 20.0),
    ):
        supplier = Supplier(name=name, country="DE", currency="EUR", lead_days=promised)
        session.add(supplier)
        session.flush()
        session.add(
            PurchaseOrder(
                number=f"PO-{promised}",
                supplier_id=supplier.id,
                state=PurchaseOrderState.RECEIVED,
                currency="EUR",
                ordered_at=FIRST,
                promised_at=FIRST + promised * DAY,
                received_at=FIRST + took * DAY,
                lines=[
                    PurchaseOrderLine(
                        sku=item.sku,
                        ordered=units,
                        received=units,
                        rejected=rejected,
                        unit_price_minor=500,
                    )
                ],
            )
        )


def add_work(session: Session, mug: Item) -> None:
    """Add two work orders of 20 and 30 mugs: done on their day with 1 scrap, two days late with 4.

    Beside them two inspections of 20: no defect; 3 major, rejected.
    """
    for number, (planned, scrapped, late) in enumerate(((20, 1, 0.2), (30, 4, 2))):
        session.add(
            WorkOrder(
                number=f"WO-{number}",
                sku=mug.sku,
                state=WorkOrderState.COMPLETED,
                planned=planned,
                produced=planned - scrapped,
                scrapped=scrapped,
                created_at=FIRST,
                due_at=FIRST + 10 * DAY,
                started_at=FIRST,
                completed_at=FIRST + (10 + late) * DAY,
            )
        )
        result = InspectionResult.REJECTED if number else InspectionResult.ACCEPTED
        session.add(
            Inspection(
                stage=InspectionStage.FINAL,
                reference=f"WO-{number}",
                sku=mug.sku,
                lot_size=planned,
                sample_size=20,
                accept_up_to=1,
                major=3 * number,
                result=result,
                inspected_at=FIRST + 11 * DAY,
            )
        )
