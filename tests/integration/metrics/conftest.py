"""A shop so small that every figure can be counted by hand."""

from datetime import UTC, datetime
from typing import Any

import pytest

from opsbot.commerce.orders import Order, OrderLine, OrderState, SalesChannelKind
from opsbot.commerce.shipments import ShipmentState
from opsbot.db import Database
from tests.factories import (
    BERLIN,
    DAY,
    make_channel,
    make_customer,
    make_item,
    make_line,
    make_order,
    make_shipment,
)

SEPTEMBER = datetime(2026, 9, 10, 9, tzinfo=UTC)


@pytest.fixture
def shop(database: Database) -> Database:
    """Two products, two channels, two countries, two carriers; seven orders.

    | order | placed (Berlin)  | lines                      | channel | to | came                |
    |-------|------------------|----------------------------|---------|----|---------------------|
    | #2001 | 10 September     | 2 mugs moss, 5.00 off      | web     | DE | in time, after 3 d  |
    | #2002 | 10 September     | 1 lamp                     | web     | AT | late, after 9 d     |
    | #2003 | 30 September     | 1 mug ink, 1 lamp          | market  | DE | in time, after 5 d  |
    | #2004 | 1 October, 00:30 | 3 mugs moss, 1 cancelled   | web     | DE | in time, after 4 d  |
    | #2005 | 12 October       | 1 lamp                     | web     | AT | never, was due      |
    | #2006 | 12 October       | 5 lamps                    | web     | DE | cancelled           |
    | #2007 | 12 October       | 1 mug (100.00 CHF)         | web     | CH | in time, after 2 d  |

    Mugs cost 24.00, lamps 79.00; no tax but on #2003, 19 % of the whole. One mug of #2001 and the
    lamp of #2002 came back.
    """
    orders = _make_orders()
    carriers = ["DHL", "GLS", "DHL", "DHL", "GLS"]
    parcels = [
        make_shipment(order, f"T{order.number}", carrier=carrier, state=ShipmentState.DELIVERED)
        for order, carrier in zip(orders[:5], carriers, strict=True)
    ]
    mug = make_item("LL-MUG-01", "Kiln mug", sellable=False)
    with database.write() as session:
        session.add_all([mug, *orders, *parcels])
    return database


def _make_orders() -> list[Order]:
    moss = make_item(variant_of="LL-MUG-01")
    ink = make_item("LL-MUG-01-INK", "Kiln mug, ink", variant_of="LL-MUG-01")
    lamp = make_item("LL-LMP-02", "Ember bedside lamp", category="lamps", price_minor=7900)
    web = make_channel()
    market = make_channel("market", name="Marketplace", kind=SalesChannelKind.MARKETPLACE)
    vienna = {**BERLIN, "city": "Wien", "country": "AT"}
    zurich = {**BERLIN, "city": "Zürich", "country": "CH"}
    ada = make_customer()

    def order(
        number: int, placed_at: datetime, *lines: OrderLine, days: int = 0, **values: Any
    ) -> Order:
        given = {"customer": ada, "channel": web, "placed_at": placed_at, **values}
        came = placed_at + days * DAY if days else None
        return make_order(number=f"#{number}", lines=list(lines), delivered_at=came, **given)

    first_of_october = datetime(2026, 9, 30, 22, 30, tzinfo=UTC)
    october = datetime(2026, 10, 12, 9, tzinfo=UTC)
    orders = [
        order(2001, SEPTEMBER, make_line(moss, 2, discount_minor=500), days=3),
        order(2002, SEPTEMBER, make_line(lamp, 1), days=9, ship_to=vienna),
        order(
            2003,
            datetime(2026, 9, 30, 21, 30, tzinfo=UTC),
            make_line(ink, 1),
            make_line(lamp, 1),
            days=5,
            channel=market,
            shipping_minor=0,
            total_minor=10300,
            tax_minor=1957,
        ),
        order(2004, first_of_october, make_line(moss, 3), days=4),
        order(2005, october, make_line(lamp, 1), ship_to=vienna),
        order(2006, october, make_line(lamp, 5), state=OrderState.CANCELLED),
        order(
            2007,
            october,
            make_line(moss, 1, unit_price_minor=10000),
            days=2,
            ship_to=zurich,
            currency="CHF",
        ),
    ]
    orders[0].lines[0].returned = orders[1].lines[0].returned = 1
    october_mugs = orders[3].lines[0]
    october_mugs.cancelled, october_mugs.shipped, october_mugs.delivered = 1, 2, 2
    return orders
