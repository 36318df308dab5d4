"""The rows that measures count. Each statement has a moment `at` and the columns to group by.

Columns of every statement: `at`, `order_id`, `channel`, `channel_label`, `country`, `currency`;
some have `product`, `product_label`, `sku`, `category`, or `carrier`.
"""

from typing import Any

from sqlalchemy import ColumnElement, Float, Select, and_, case, cast, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from opsbot.commerce.orders import Order, OrderLine, OrderState, SalesChannel, SalesChannelKind
from opsbot.commerce.products import Item
from opsbot.commerce.shipments import Direction, Shipment

Moment = InstrumentedAttribute[Any]
NO_CARRIER = "no parcel"


def delivery_facts(at: Moment) -> Select[Any]:
    """Return the rows of `order_facts` without sales over the counter, which are not delivered."""
    return order_facts(at).where(SalesChannel.kind != SalesChannelKind.OWN_STORE)


def order_facts(at: Moment) -> Select[Any]:
    """Return one row for each order that was not cancelled, placed in time by `at`.

    Further columns: `carrier` of the last parcel, `placed_at`, `delivered_at`, `in_full_on_time`
    (1 when everything wanted arrived by the promised day, else 0).
    """
    return (
        select(
            at.label("at"),
            *_order_columns(),
            _carrier().label("carrier"),
            Order.placed_at.label("placed_at"),
            Order.delivered_at.label("delivered_at"),
            case((_in_full_on_time(), 1), else_=0).label("in_full_on_time"),
        )
        .join(SalesChannel, SalesChannel.id == Order.channel_id)
        .where(Order.state != OrderState.CANCELLED)
    )


def line_facts(at: Moment) -> Select[Any]:
    """Return one row for each line of each order that was not cancelled, placed in time by `at`.

    Further columns: `product` and `product_label` (of variants: the product), `sku`, `category`,
    `net_minor` (minor units, without tax), `delivered` and `returned` (units).
    """
    product = aliased(Item)
    return (
        select(
            at.label("at"),
            *_order_columns(),
            func.coalesce(Item.variant_of, Item.sku).label("product"),
            func.coalesce(product.title, Item.title).label("product_label"),
            Item.sku.label("sku"),
            Item.category.label("category"),
            _net_minor().label("net_minor"),
            OrderLine.delivered.label("delivered"),
            OrderLine.returned.label("returned"),
        )
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .join(SalesChannel, SalesChannel.id == Order.channel_id)
        .join(Item, Item.sku == OrderLine.sku)
        .outerjoin(product, product.sku == Item.variant_of)
        .where(Order.state != OrderState.CANCELLED)
    )


def _order_columns() -> tuple[ColumnElement[Any], ...]:
    return (
        Order.id.label("order_id"),
        SalesChannel.code.label("channel"),
        SalesChannel.name.label("channel_label"),
        Order.ship_to["country"].as_string().label("country"),
        Order.currency.label("currency"),
    )


def _net_minor() -> ColumnElement[float]:
    """Return a line's value after discounts, without cancelled units and without tax.

    Prices hold their tax. A line does not say how much, so it bears the order's share.
    """
    wanted = cast(OrderLine.quantity - OrderLine.cancelled, Float)
    list_value = wanted * OrderLine.unit_price_minor
    discount = wanted * OrderLine.discount_minor / OrderLine.quantity
    net_share = case(
        (
            Order.total_minor > 0,
            cast(Order.total_minor - Order.tax_minor, Float) / Order.total_minor,
        ),
        else_=1.0,
    )
    return (list_value - discount) * net_share


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
