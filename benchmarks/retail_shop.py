"""The retail shop of tau-bench as records of ours, its rules as policy files, and back again."""

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from opsbot.commerce.customers import Customer, addresses_of, set_default_address
from opsbot.commerce.inventory import Location, LocationKind, MoveReason, move
from opsbot.commerce.order_changes import ITEMS_CHANGED, count_changes
from opsbot.commerce.orders import Order, OrderLine, OrderState, SalesChannel, SalesChannelKind
from opsbot.commerce.payment_methods import (
    CreditReason,
    MethodKind,
    PaymentMethod,
    add_method,
    change_balance,
    methods_of,
)
from opsbot.commerce.payments import PaymentKind, payments_of, record_payment
from opsbot.commerce.products import Item
from opsbot.commerce.reservations import reserve
from opsbot.commerce.returns import ENDED_EARLY, Resolution, returns_of
from opsbot.commerce.shipments import Shipment, ShipmentLine, ShipmentState, shipments_of

SOURCE = "tau"
CURRENCY = "USD"
DAY = timedelta(days=1)
PLENTY = 1000
"""Pieces of what the shop calls available; it tells no count."""
_KINDS = {
    "credit_card": MethodKind.CARD,
    "paypal": MethodKind.PAYPAL,
    "gift_card": MethodKind.GIFT_CARD,
}
_STATES = {
    "pending": OrderState.CONFIRMED,
    "processed": OrderState.IN_FULFILLMENT,
    "delivered": OrderState.COMPLETED,
    "cancelled": OrderState.CANCELLED,
}
REASONS = {"no longer needed": "changed_mind", "ordered by mistake": "mistake"}

Record = dict[str, Any]


def write_policies(shipped: Path, folder: Path) -> None:
    """Write the shop's rules: those that are shipped, with its own values in their place.

    Whatever a clause says in figures would not be true of the other values, so it goes.
    """
    shutil.copytree(shipped, folder, dirs_exist_ok=True)
    _change(folder / "returns.yaml", _returns)
    _change(folder / "orders.yaml", _orders)
    _change(folder / "changes.yaml", _changes)
    _change(folder / "identity.yaml", _identity)


def _change(path: Path, change: Any) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(content)
    for clause in content["clauses"]:
        if clause["values"]:
            clause["values"] = []
            clause["text"] = (
                f"{re.sub(r'[^a-zA-Z ]', '', clause['title'])}: please ask us about it."
            )
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _returns(file: Record) -> None:
    file["classes"]["standard"]["window_days"] = 3650
    file["reasons"]["changed_mind"]["postage"] = "seller"
    file["keep_item_below_minor"] = 0
    file["ask_reason"] = False
    file["resolutions"] = ["refund", "exchange"]
    file["automatic"] = {
        "max_refund_minor": 10_000_000,
        "max_returns": 3650,
        "within_days": 1,
        "reasons": ["changed_mind", "size_or_style"],
    }


def _orders(file: Record) -> None:
    file["cancellation"]["partial_lines"] = False
    for clause in file["clauses"]:
        if clause["id"] == "cancellation.before_packing":
            clause["text"] = "An order can be cancelled as a whole, while it is pending."


def _changes(file: Record) -> None:
    pending = ["pending", "confirmed"]
    file["cancel_reasons"] = list(REASONS.values())
    file["items"] = {
        "allowed_in_states": pending,
        "same_product_only": True,
        "once": True,
        "ends_changes": True,
        "refund_to": ["any"],
    }
    kinds = ["card", "paypal", "gift_card"]
    file["payment"] = {"allowed_in_states": pending, "kinds": kinds, "once": True}
    file["exchange"] = {"same_product_only": True, "refund_to": ["any"]}
    file["coming_back"] = {"refund_to": ["original", "gift_card"], "once": True}
    texts = {
        "changes.cancel_reason": "An order can be cancelled because it is no longer needed, or "
        "because it was ordered by mistake.",
        "changes.once": "The items of an order can be changed a single time. After that the order "
        "can neither be changed nor cancelled.",
        "changes.refund_to": "A refund goes back to the original payment method, or to a gift card "
        "of your account.",
        "changes.coming_back_once": "There is one return or one exchange of an order.",
    }
    for clause in file["clauses"]:
        clause["text"] = texts.get(clause["id"], clause["text"])


def _identity(file: Record) -> None:
    file["proofs"] = ["email", "name_postcode"]
    file["levels"] = {"change_address": 2, "change_my_address": 2}


def cents(amount: float) -> int:
    """Return an amount of the shop in minor units."""
    return int((Decimal(str(amount)) * 100).to_integral_value())


def read_shop(folder: Path) -> Record:
    """Return the shop's data as it was published."""
    content: Record = json.loads((folder / "db.json").read_text(encoding="utf-8"))
    return content


def load_shop(session: Session, shop: Record, *, now: datetime) -> None:
    """Write the whole shop into an empty database."""
    channel = SalesChannel(code="web", name="Web store", kind=SalesChannelKind.WEB_STORE)
    shelf = Location(
        code="MAIN", name="Warehouse", kind=LocationKind.WAREHOUSE, country="US", sellable=True
    )
    session.add_all([channel, shelf])
    session.flush()
    waiting: dict[str, int] = {}
    for order in shop["orders"].values():
        for item in order["items"] if order["status"] == "pending" else ():
            waiting[item["item_id"]] = waiting.get(item["item_id"], 0) + 1
    for product in shop["products"].values():
        _add_product(session, product, shelf, waiting, now=now)
    people = {}
    for number, user in enumerate(shop["users"].values(), 1001):
        people[user["user_id"]] = _add_customer(session, user, f"C-{number}", now=now)
    for number, order in enumerate(shop["orders"].values()):
        placed = now - 20 * DAY - number * timedelta(minutes=1)
        _add_order(session, order, people[order["user_id"]], channel, placed, now=now)


def _add_product(
    session: Session, product: Record, shelf: Location, waiting: Mapping[str, int], *, now: datetime
) -> None:
    session.add(_item(product["product_id"], product["name"], now=now, sellable=False))
    session.flush()
    for variant in product["variants"].values():
        sku = variant["item_id"]
        title = ", ".join([product["name"], *variant["options"].values()])
        item = _item(sku, title, now=now, sellable=True)
        item.variant_of, item.options = product["product_id"], dict(variant["options"])
        item.price_minor = cents(variant["price"])
        session.add(item)
        session.flush()
        pieces = waiting.get(sku, 0) + (PLENTY if variant["available"] else 0)
        if pieces:
            move(
                session, sku, shelf.id, pieces,
                reason=MoveReason.OPENING, reference="opening", actor="import", at=now - 30 * DAY,
            )  # fmt: skip


def _item(sku: str, title: str, *, now: datetime, sellable: bool) -> Item:
    return Item(
        sku=sku, title=title, variant_of=None, options={}, category="goods",
        return_class="standard", price_minor=0, cost_minor=0, currency=CURRENCY, weight_g=500,
        manufactured=False, sellable=sellable, warranty_months=24, lead_time_days=14,
        created_at=now - 30 * DAY, source=SOURCE, external_id=sku,
    )  # fmt: skip


def _add_customer(session: Session, user: Record, number: str, *, now: datetime) -> Customer:
    name = f"{user['name']['first_name']} {user['name']['last_name']}"
    customer = Customer(
        number=number, email=user["email"].lower(), name=name, country="US", locale="en",
        created_at=now - 30 * DAY, source=SOURCE, external_id=user["user_id"],
    )  # fmt: skip
    session.add(customer)
    session.flush()
    address = {"name": name, **_address(user["address"])}
    set_default_address(session, customer, address, actor="import", now=now - 30 * DAY)
    for key, known in user["payment_methods"].items():
        kind = _KINDS[known["source"]]
        method = add_method(
            session, customer_id=customer.id, kind=kind, reference=key, currency=CURRENCY,
            now=now - 30 * DAY, brand=known.get("brand"), last4=known.get("last_four"),
            source=SOURCE, external_id=key,
        )  # fmt: skip
        if known.get("balance"):
            change_balance(
                session, method, cents(known["balance"]),
                reason=CreditReason.ISSUED, reference="import", actor="import", at=now - 30 * DAY,
            )  # fmt: skip
    return customer


def _address(known: Record) -> Record:
    return {
        "line1": known["address1"],
        "line2": known["address2"] or None,
        "city": known["city"],
        "region": known["state"],
        "postal_code": known["zip"],
        "country": "US",
    }


def _add_order(
    session: Session,
    known: Record,
    customer: Customer,
    channel: SalesChannel,
    placed: datetime,
    *,
    now: datetime,
) -> None:
    total = sum(cents(item["price"]) for item in known["items"])
    state = _STATES[known["status"]]
    delivered = now - 10 * DAY if state is OrderState.COMPLETED else None
    order = Order(
        number=f"#{known['order_id'].lstrip('#W')}", channel_id=channel.id,
        customer_id=customer.id, state=state, currency=CURRENCY, items_minor=total,
        discount_minor=0, shipping_minor=0, tax_minor=0, total_minor=total,
        ship_to={"name": customer.name, **_address(known["address"])}, placed_at=placed,
        promised_ship_by=now + 3 * DAY, promised_delivery_by=now + 7 * DAY,
        delivered_at=delivered,
        cancelled_at=now - 15 * DAY if state is OrderState.CANCELLED else None,
        created_at=placed, source=SOURCE, external_id=known["order_id"],
        lines=[_line(item, state) for item in known["items"]],
    )  # fmt: skip
    session.add(order)
    session.flush()
    methods = {m.external_id: m for m in methods_of(session, customer.id)}
    for moved in known["payment_history"]:
        method = methods[moved["payment_method_id"]]
        kind = PaymentKind.CAPTURE if moved["transaction_type"] == "payment" else PaymentKind.REFUND
        record_payment(
            session, order, kind, cents(moved["amount"]), method=method.kind.value,
            reference=f"import {order.number}", at=placed, payment_method=method,
        )  # fmt: skip
    for line in order.lines if state is OrderState.CONFIRMED else ():
        reserve(session, line.sku, 1, order_line_id=line.id, at=placed)
    for parcel in known["fulfillments"]:
        session.add(_parcel(order, parcel["tracking_id"][0], delivered, now=now))


def _line(item: Record, state: OrderState) -> OrderLine:
    left = int(state is OrderState.COMPLETED)
    return OrderLine(
        sku=item["item_id"], title=", ".join([item["name"], *item["options"].values()]),
        unit_price_minor=cents(item["price"]), discount_minor=0, quantity=1,
        cancelled=int(state is OrderState.CANCELLED), shipped=left, delivered=left, returned=0,
        personalization=None,
    )  # fmt: skip


def _parcel(order: Order, tracking: str, delivered: datetime | None, *, now: datetime) -> Shipment:
    state = ShipmentState.DELIVERED if delivered else ShipmentState.PACKED
    if order.state is OrderState.CANCELLED:
        state = ShipmentState.CANCELLED  # it has a label, and never left
    return Shipment(
        order_id=order.id,
        state=state,
        carrier="UPS", service="Ground", tracking_number=tracking, weight_g=1000, cost_minor=0,
        packed_at=now - 14 * DAY, shipped_at=now - 13 * DAY if delivered else None,
        promised_by=order.promised_delivery_by, delivered_at=delivered,
        lines=[ShipmentLine(order_line_id=line.id, quantity=1) for line in order.lines],
    )  # fmt: skip


def export_shop(session: Session, users: Iterable[str] | None = None) -> Record:
    """Return the records in the shop's own shape: all, or those of some of its users."""
    wanted = select(Customer).where(Customer.source == SOURCE)
    if users is not None:
        wanted = wanted.where(Customer.external_id.in_(list(users)))
    out: Record = {"users": {}, "orders": {}}
    for customer in session.scalars(wanted.order_by(Customer.id)):
        methods = methods_of(session, customer.id)
        orders = session.scalars(
            select(Order)
            .where(Order.customer_id == customer.id, Order.source == SOURCE)
            .options(
                selectinload(Order.lines).joinedload(OrderLine.item).joinedload(Item.product),
                joinedload(Order.customer),
            )
            .order_by(Order.id)
        ).all()
        key = str(customer.external_id)
        out["users"][key] = _user(session, customer, methods, [str(o.external_id) for o in orders])
        for order in orders:
            out["orders"][str(order.external_id)] = _order(session, order, key)
    return out


def _user(
    session: Session, customer: Customer, methods: Iterable[PaymentMethod], orders: list[str]
) -> Record:
    first, _, last = customer.name.partition(" ")
    address = addresses_of(session, customer.id)[0]
    known = {}
    for method in methods:
        source = next(name for name, kind in _KINDS.items() if kind is method.kind)
        one: Record = {"source": source, "id": method.external_id}
        if method.has_balance:
            one["balance"] = method.balance_minor / 100
        if method.kind is MethodKind.CARD:
            one |= {"brand": method.brand, "last_four": method.last4}
        known[str(method.external_id)] = one
    return {
        "name": {"first_name": first, "last_name": last},
        "address": _their_address({key: getattr(address, key) for key in _ADDRESS}),
        "email": customer.email,
        "payment_methods": known,
        "orders": orders,
    }


_ADDRESS = ("line1", "line2", "city", "region", "postal_code", "country")


def _their_address(ours: Mapping[str, Any]) -> Record:
    return {
        "address1": ours["line1"],
        "address2": ours["line2"] or "",
        "city": ours["city"],
        "state": ours["region"],
        "zip": ours["postal_code"],
        "country": {"US": "USA"}.get(str(ours["country"]), ours["country"]),
    }


def _order(session: Session, order: Order, user: str) -> Record:
    moved = {PaymentKind.CAPTURE: "payment", PaymentKind.REFUND: "refund"}
    record: Record = {
        "order_id": order.external_id,
        "user_id": user,
        "address": _their_address(order.ship_to),
        "items": [
            {
                "name": line.item.product.title if line.item.product else line.item.title,
                "product_id": line.item.variant_of,
                "item_id": line.sku,
                "price": line.unit_price_minor / 100,
                "options": dict(line.item.options),
            }
            for line in order.lines
        ],
        "fulfillments": [
            {
                "tracking_id": [parcel.tracking_number],
                "item_ids": [line.order_line.sku for line in parcel.lines],
            }
            for parcel in shipments_of(session, order.id)
        ],
        "payment_history": [
            {
                "transaction_type": moved[line.kind],
                "amount": line.amount_minor / 100,
                "payment_method_id": line.payment_method.external_id if line.payment_method else "",
            }
            for line in payments_of(session, order.id)
            if line.kind in moved
        ],
        "status": _status(session, order),
    }
    if order.state is OrderState.CANCELLED and order.cancel_reason:
        record["cancel_reason"] = {v: k for k, v in REASONS.items()}.get(order.cancel_reason)
    return record | _coming_back(session, order)


def _status(session: Session, order: Order) -> str:
    if order.state is OrderState.CONFIRMED and count_changes(session, order, ITEMS_CHANGED):
        return "pending (item modified)"
    return next(name for name, state in _STATES.items() if state is order.state)


def _paid_with(session: Session, order: Order) -> str | None:
    """Return how an order was paid: without another wish the money goes back that way."""
    paid = (one for one in payments_of(session, order.id) if one.kind is PaymentKind.CAPTURE)
    first = next((one.payment_method for one in paid if one.payment_method), None)
    return str(first.external_id) if first else None


def _coming_back(session: Session, order: Order) -> Record:
    known = [one for one in returns_of(session, order.id) if one.state not in ENDED_EARLY]
    if not known:
        return {}
    opened = known[0]
    method = session.get(PaymentMethod, opened.payment_method_id or 0)
    pieces = [line for line in opened.lines for _ in range(line.quantity)]
    old = [line.order_line.sku for line in pieces]
    if opened.resolution is Resolution.EXCHANGE:
        return {
            "status": "exchange requested",
            "exchange_items": sorted(old),
            "exchange_new_items": sorted(str(line.replacement_sku) for line in pieces),
            "exchange_payment_method_id": method.external_id
            if method
            else _paid_with(session, order),
            "exchange_price_difference": (opened.difference_minor or 0) / 100,
        }
    return {
        "status": "return requested",
        "return_items": sorted(old),
        "return_payment_method_id": method.external_id if method else _paid_with(session, order),
    }
