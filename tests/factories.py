"""Records with sensible values; a test names only what it is about.

The functions return new objects that are not stored: `session.add(order)` stores the order with its
customer, items, channel, lines and payments.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from opsbot.commerce.customers import Address, Customer
from opsbot.commerce.inventory import Location, LocationKind
from opsbot.commerce.orders import Order, OrderLine, OrderState, SalesChannel, SalesChannelKind
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.commerce.products import Item
from opsbot.commerce.shipments import Shipment, ShipmentLine, ShipmentState

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BERLIN = {
    "name": "Ada Brandt",
    "line1": "Torstraße 12",
    "line2": None,
    "city": "Berlin",
    "region": None,
    "postal_code": "10119",
    "country": "DE",
}


def make_customer(
    name: str = "Ada Brandt",
    email: str = "ada@example.com",
    number: str = "C-1001",
    **values: Any,
) -> Customer:
    """Return a customer in Germany."""
    values = {"created_at": NOON - 365 * DAY, "country": "DE", "locale": "en", **values}
    return Customer(name=name, email=email, number=number, **values)


def make_address(customer: Customer, **values: Any) -> Address:
    """Return the customer's default address, in Berlin."""
    return Address(**{"customer": customer, "is_default": True, **BERLIN, **values})


def make_item(sku: str = "LL-MUG-01-MOS", title: str = "Kiln mug, moss", **values: Any) -> Item:
    """Return an item that is sold for 24.00 EUR."""
    defaults = {
        "options": {},
        "category": "ceramics",
        "return_class": "standard",
        "price_minor": 2400,
        "cost_minor": 800,
        "currency": "EUR",
        "weight_g": 380,
        "manufactured": True,
        "sellable": True,
        "warranty_months": 24,
        "lead_time_days": 14,
        "created_at": NOON - 365 * DAY,
    }
    return Item(**{"sku": sku, "title": title, **defaults, **values})


def make_channel(code: str = "web", **values: Any) -> SalesChannel:
    """Return the web store."""
    kind = SalesChannelKind.WEB_STORE
    return SalesChannel(**{"code": code, "name": "Web store", "kind": kind, **values})


def make_location(code: str = "BER", **values: Any) -> Location:
    """Return a warehouse whose stock is for sale."""
    kind = LocationKind.WAREHOUSE
    defaults = {"name": "Berlin", "kind": kind, "country": "DE", "sellable": True}
    return Location(**{"code": code, **defaults, **values})


def make_line(item: Item | None = None, quantity: int = 1, **values: Any) -> OrderLine:
    """Return a line for an item at its list price."""
    item = item or make_item()
    price = {"unit_price_minor": item.price_minor, "title": item.title}
    return OrderLine(**{"item": item, "quantity": quantity, **price, **values})


def make_order(
    customer: Customer | None = None,
    number: str = "#1001",
    *,
    lines: list[OrderLine] | None = None,
    channel: SalesChannel | None = None,
    delivered_at: datetime | None = None,
    paid: bool = True,
    **values: Any,
) -> Order:
    """Return a confirmed, paid order of one mug; completed when it has `delivered_at`."""
    lines = [make_line()] if lines is None else lines
    items = sum(line.unit_price_minor * line.quantity for line in lines)
    placed = values.get("placed_at", (delivered_at or NOON) - 5 * DAY)
    state = OrderState.COMPLETED if delivered_at else OrderState.CONFIRMED
    defaults = {
        "state": state,
        "currency": "EUR",
        "items_minor": items,
        "shipping_minor": 490,
        "total_minor": items + 490,
        "ship_to": dict(BERLIN),
        "placed_at": placed,
        "promised_ship_by": placed + 2 * DAY,
        "promised_delivery_by": placed + 6 * DAY,
        "created_at": placed,
    }
    order = Order(number=number, lines=lines, delivered_at=delivered_at, **{**defaults, **values})
    order.customer = customer or make_customer()
    order.channel = channel or make_channel()
    if delivered_at:
        for line in lines:
            line.shipped = line.delivered = line.quantity
    if paid:
        order.payments = [make_payment(order.total_minor, at=placed)]
    return order


def make_payment(
    amount_minor: int, kind: PaymentKind = PaymentKind.CAPTURE, **values: Any
) -> Payment:
    """Return one line of the payment ledger: a capture by card."""
    defaults = {"method": "card", "gateway_ref": "pay_1", "at": NOON}
    return Payment(**{"amount_minor": amount_minor, "kind": kind, **defaults, **values})


def make_shipment(
    order: Order, tracking_number: str = "00340434161094000001", **values: Any
) -> Shipment:
    """Return a packed DHL parcel with every open unit of the order."""
    lines = [ShipmentLine(order_line=line, quantity=line.quantity) for line in order.lines]
    defaults = {
        "state": ShipmentState.PACKED,
        "carrier": "DHL",
        "service": "Paket",
        "weight_g": 900,
        "cost_minor": 490,
        "packed_at": order.placed_at + DAY,
        "promised_by": order.promised_delivery_by,
    }
    merged = {"order": order, "lines": lines, **defaults, **values}
    return Shipment(tracking_number=tracking_number, **merged)
