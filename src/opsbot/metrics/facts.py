"""The rows of orders that measures count. Each has a moment `at` and the columns to group by.

Columns of every statement: `at`, `order_id`, `channel`, `channel_label`, `country`, `currency`;
some have `product`, `item` (each with its label), `category`, or `carrier`.
"""

from typing import Any

from sqlalchemy import ColumnElement, Float, Select, and_, case, cast, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from opsbot.commerce.orders import Order, OrderLine, OrderState, SalesChannel, SalesChannelKind
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.commerce.products import Item
from opsbot.commerce.shipments import Direction, Shipment

Moment = InstrumentedAttribute[Any]
NO_CARRIER = "no parcel"
Product = aliased(Item, name="product")
"""What a variant is a variant of; of other items nothing."""


def delivery_facts(at: Moment) -> Select[Any]:
    """Return the rows of `order_facts` without sales over the counter, which are not delivered."""
    return order_facts(at).where(SalesChannel.kind != SalesChannelKind.OWN_STORE)


def order_facts(at: Moment) -> Select[Any]:
    """Return one row for each order that was not cancelled, placed in time by `at`.

    Further columns: `carrier` of the last parcel, `placed_at`, `delivered_at`, `in_full_on_time`
    (1 when everything wanted arrived by the promised day, else 0), `customer_id`.
    """
    return (
        select(
            at.label("at"),
            *order_columns(),
            _carrier().label("carrier"),
            Order.customer_id.label("customer_id"),
            Order.placed_at.label("placed_at"),
            Order.delivered_at.label("delivered_at"),
            case((_in_full_on_time(), 1), else_=0).label("in_full_on_time"),
        )
        .join(SalesChannel, SalesChannel.id == Order.channel_id)
        .where(Order.state != OrderState.CANCELLED)
    )


def line_facts(at: Moment) -> Select[Any]:
    """Return one row for each line of each order that was not cancelled, placed in time by `at`.

    Further columns: those of `goods_columns`, `net_minor` (minor units, without tax),
    `cost_minor` (of the units wanted), `wanted`, `delivered` and `returned` (units).
    """
    wanted = OrderLine.quantity - OrderLine.cancelled
    return (
        select(
            at.label("at"),
            *order_columns(),
            *goods_columns(),
            net_minor().label("net_minor"),
            (wanted * Item.cost_minor).label("cost_minor"),
            wanted.label("wanted"),
            OrderLine.delivered.label("delivered"),
            OrderLine.returned.label("returned"),
        )
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .join(SalesChannel, SalesChannel.id == Order.channel_id)
        .join(Item, Item.sku == OrderLine.sku)
        .outerjoin(Product, Product.sku == Item.variant_of)
        .where(Order.state != OrderState.CANCELLED)
    )


def payment_facts() -> Select[Any]:
    """Return one row for each line of the payment ledger, at the moment it moved.

    Further columns: `captured` and `refunded` (minor units).
    """
    return (
        select(
            Payment.at.label("at"),
            *order_columns(),
            _amount(PaymentKind.CAPTURE).label("captured"),
            _amount(PaymentKind.REFUND).label("refunded"),
        )
        .select_from(Payment)
        .join(Order, Order.id == Payment.order_id)
        .join(SalesChannel, SalesChannel.id == Order.channel_id)
    )


def margin_facts() -> Select[Any]:
    """Return one row for each order that was not cancelled, by the moment it was placed.

    Further columns, in minor units and without tax: `revenue`, `goods` (at cost), `fees`,
    `shipping` (of its parcels to the customer), `refunds` (beyond those of cancelled units).
    """
    lines = (
        select(
            OrderLine.order_id.label("order_id"),
            func.sum(net_minor()).label("revenue"),
            func.sum((OrderLine.quantity - OrderLine.cancelled) * Item.cost_minor).label("goods"),
            func.sum(_cancelled_minor()).label("cancelled"),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .join(Item, Item.sku == OrderLine.sku)
        .where(Order.state != OrderState.CANCELLED)
        .group_by(OrderLine.order_id)
        .subquery("lines")
    )
    refunded = _of_order(func.sum(Payment.amount_minor), Payment.order_id).where(
        Payment.kind == PaymentKind.REFUND
    )
    shipping = _of_order(func.sum(Shipment.cost_minor), Shipment.order_id).where(
        Shipment.direction == Direction.OUTBOUND
    )
    beyond = func.coalesce(refunded.scalar_subquery(), 0) - lines.c.cancelled
    return (
        select(
            Order.placed_at.label("at"),
            *order_columns(),
            lines.c.revenue,
            lines.c.goods,
            (lines.c.revenue * SalesChannel.fee_pct / 100.0).label("fees"),
            func.coalesce(shipping.scalar_subquery(), 0).label("shipping"),
            case((beyond > 0, beyond * _net_share()), else_=0.0).label("refunds"),
        )
        .select_from(Order)
        .join(SalesChannel, SalesChannel.id == Order.channel_id)
        .join(lines, lines.c.order_id == Order.id)
    )


def order_columns() -> tuple[ColumnElement[Any], ...]:
    """Return the columns that every fact of an order has."""
    return (
        Order.id.label("order_id"),
        SalesChannel.code.label("channel"),
        SalesChannel.name.label("channel_label"),
        Order.ship_to["country"].as_string().label("country"),
        Order.currency.label("currency"),
    )


def goods_columns() -> tuple[ColumnElement[Any], ...]:
    """Return product, item and category; needs `Item`, and `Product` joined to it."""
    return (
        func.coalesce(Item.variant_of, Item.sku).label("product"),
        func.coalesce(Product.title, Item.title).label("product_label"),
        Item.sku.label("item"),
        Item.title.label("item_label"),
        Item.category.label("category"),
    )


def net_minor() -> ColumnElement[float]:
    """Return a line's value after discounts, without cancelled units and without tax.

    Prices hold their tax. A line does not say how much, so it bears the order's share.
    """
    wanted = cast(OrderLine.quantity - OrderLine.cancelled, Float)
    list_value = wanted * OrderLine.unit_price_minor
    discount = wanted * OrderLine.discount_minor / OrderLine.quantity
    return (list_value - discount) * _net_share()


def _cancelled_minor() -> ColumnElement[float]:
    units = cast(OrderLine.cancelled, Float)
    return units * OrderLine.unit_price_minor - (
        units * OrderLine.discount_minor / OrderLine.quantity
    )


def _net_share() -> ColumnElement[float]:
    return case(
        (
            Order.total_minor > 0,
            cast(Order.total_minor - Order.tax_minor, Float) / Order.total_minor,
        ),
        else_=1.0,
    )


def _amount(kind: PaymentKind) -> ColumnElement[int]:
    return case((Payment.kind == kind, Payment.amount_minor), else_=0)


def _of_order(column: ColumnElement[Any], key: InstrumentedAttribute[int]) -> Select[Any]:
    return select(column).where(key == Order.id).correlate(Order)


def _in_full_on_time() -> ColumnElement[bool]:
    missing = exists().where(
        OrderLine.order_id == Order.id,
        OrderLine.delivered < OrderLine.quantity - OrderLine.cancelled,
    )
    return and_(Order.delivered_at <= Order.promised_delivery_by, ~missing)


def _carrier() -> ColumnElement[str]:
    newest = (
        select(Shipment.carrier)
        .where(Shipment.order_id == Order.id, Shipment.direction == Direction.OUTBOUND)
        .order_by(Shipment.id.desc())
        .limit(1)
        .correlate(Order)
        .scalar_subquery()
    )
    return func.coalesce(newest, NO_CARRIER)
