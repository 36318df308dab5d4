"""What Shopify's webhooks carry, in our words."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from opsbot.connectors.foreign import (
    ForeignCustomer,
    ForeignOrder,
    ForeignParcel,
    ForeignReturn,
    Money,
    share_out,
)
from opsbot.connectors.payloads import (
    Json,
    address_of,
    list_of,
    moment_of,
    money_of,
    need,
    need_moment,
    part_of,
    text_of,
)
from opsbot.connectors.pricing import Priced, price_lines
from opsbot.connectors.shopify_file import sku_of
from opsbot.connectors.values import (
    read_count,
    read_email,
    read_number,
    read_optional,
    read_text,
)
from opsbot.errors import InvalidInputError

_ADDRESS = {
    "name": "name",
    "line1": "address1",
    "line2": "address2",
    "city": "city",
    "region": "province",
    "postal_code": "zip",
    "country": "country_code",
}
_NOT_SENT = frozenset({"label_printed", "label_purchased", "confirmed", "ready_for_pickup"})
_SENT = frozenset({"paid", "partially_paid", "authorized", "partially_refunded", "refunded"})


def read_order(data: Json) -> ForeignOrder:
    """Return the order of `orders/*`.

    Raises:
        InvalidInputError: it lacks a part, or holds what cannot be recorded; the text says which.
    """
    currency = need(data, "currency").upper()
    refunds = list_of(data, "refunds")
    placed_at = need_moment(data, "created_at")
    address = part_of(data, "shipping_address") or part_of(data, "billing_address")
    ship_to = address_of(address, _ADDRESS)
    name = ship_to["name"] or "Unknown customer"
    changed_at = need_moment(data, "updated_at", "created_at")
    subtotal, total = (
        money_of(data, "subtotal_price", currency),
        money_of(data, "total_price", currency),
    )
    return ForeignOrder(
        external_id=need(data, "id"),
        number=read_number(need(data, "name")),
        customer=_customer(data, name, str(ship_to["country"])),
        currency=currency,
        lines=price_lines(*_prices(data, currency, subtotal, total)),
        ship_to=ship_to | {"name": name},
        placed_at=placed_at,
        changed_at=changed_at,
        shipping_minor=_shipping(data, currency),
        tax_minor=money_of(data, "total_tax", currency),
        total_minor=total,
        money=_money(data, currency, total, refunds),
        ready=text_of(data, "financial_status") in _SENT,
        parcels=tuple(
            read_parcel(one)
            for one in list_of(data, "fulfillments")
            if text_of(one, "status") not in {"cancelled", "error", "failure"}
        ),
        returns=tuple(one for refund in refunds if (one := read_return(refund, currency))),
        refunds=tuple(need(refund, "id") for refund in refunds),
        line_skus=_line_skus(data),
        cancelled_at=moment_of(data, "cancelled_at"),
        cancel_reason=_cancel_reason(data),
    )


def _customer(data: Json, name: str, country: str) -> ForeignCustomer:
    person = part_of(data, "customer")
    email = text_of(data, "email") or text_of(person, "email")
    billing = part_of(data, "billing_address")
    return ForeignCustomer(
        name=name,
        country=country,
        email=read_email(email) if email else None,
        external_id=text_of(person, "id") or None,
        phone=read_optional(text_of(data, "phone") or text_of(billing, "phone"), "The phone"),
        company=read_optional(text_of(billing, "company"), "The company"),
    )


def _prices(
    data: Json, currency: str, subtotal: int, total: int
) -> tuple[list[Priced], list[int], list[int]]:
    """Return lines, the discount beside their own, and the tax on top of each."""
    cancelled = _cancelled(data)
    lines = []
    for one in list_of(data, "line_items"):
        title = read_text(text_of(one, "name") or need(one, "title"), "The item's name")
        words = [text_of(entry, "value") for entry in list_of(one, "properties")]
        lines.append(
            Priced(
                sku=sku_of(text_of(one, "sku"), title),
                title=title,
                unit_minor=money_of(one, "price", currency),
                quantity=read_count(need(one, "quantity")),
                cancelled=cancelled[text_of(one, "id")],
                personalization=read_optional(", ".join(filter(None, words)), "The properties"),
            )
        )
    if not lines:
        raise InvalidInputError("The order holds no goods.")
    weights = [line.unit_minor * line.quantity for line in lines]
    if sum(weights) < subtotal:
        raise InvalidInputError("Its items cost less than its subtotal.")
    off = share_out(sum(weights) - subtotal, weights)
    extra = total - subtotal - _shipping(data, currency)
    tax = money_of(data, "total_tax", currency) if data.get("taxes_included") is False else 0
    on_top = tax if extra == tax else 0
    nets = [weight - part for weight, part in zip(weights, off, strict=True)]
    return lines, off, share_out(on_top, nets)


def _line_skus(data: Json) -> dict[str, str]:
    lines = list_of(data, "line_items")
    return {key: _sku(one) for one in lines if (key := text_of(one, "id"))}


def _shipping(data: Json, currency: str) -> int:
    """Return what sending costs, after discounts, with duties and tips."""
    whole = 0
    for line in list_of(data, "shipping_lines"):
        name = "discounted_price" if text_of(line, "discounted_price") else "price"
        whole += money_of(line, name, currency)
    return whole + money_of(data, "total_tip_received", currency)


def _cancelled(data: Json) -> Counter[str]:
    """Return how many units of each line were taken out before they were sent."""
    units: Counter[str] = Counter()
    for refund in list_of(data, "refunds"):
        for one in list_of(refund, "refund_line_items"):
            if text_of(one, "restock_type") == "cancel":
                units[text_of(one, "line_item_id")] += read_count(need(one, "quantity"))
    return units


def _money(data: Json, currency: str, total: int, refunds: list[Json]) -> Money:
    status = text_of(data, "financial_status")
    gateways = data.get("payment_gateway_names")
    first = str(gateways[0]) if isinstance(gateways, list) and gateways else ""
    method = read_optional(first or text_of(data, "gateway"), "The method") or "unknown"
    if status in {"authorized", "voided"}:
        return Money(method=method, authorized=total, voided=status == "voided")
    if status not in _SENT:
        return Money(method=method)
    outstanding = money_of(data, "total_outstanding", currency)
    captured = total - max(0, outstanding) if status == "partially_paid" else total
    refunded = sum(refunded_in(refund, currency) for refund in refunds)
    times = [moment for refund in refunds if (moment := moment_of(refund, "created_at"))]
    return Money(
        method=method,
        captured=captured,
        refunded=min(refunded, captured),
        captured_at=moment_of(data, "processed_at"),
        refunded_at=max(times, default=None),
    )


def refunded_in(refund: Json, currency: str) -> int:
    """Return how much money one refund gave back."""
    return sum(
        money_of(one, "amount", currency)
        for one in list_of(refund, "transactions")
        if text_of(one, "kind") in {"refund", "void"} and text_of(one, "status") == "success"
    )


def read_return(refund: Json, currency: str) -> ForeignReturn | None:
    """Return the goods that came back with a refund, or None."""
    units: Counter[str] = Counter()
    for one in list_of(refund, "refund_line_items"):
        if text_of(one, "restock_type") == "return":
            item = part_of(one, "line_item")
            units[_sku(item)] += read_count(need(one, "quantity"))
    if not units:
        return None
    return ForeignReturn(
        external_id=need(refund, "id"),
        at=need_moment(refund, "created_at"),
        units=dict(units),
        refund_minor=refunded_in(refund, currency),
        request_id=text_of(part_of(refund, "return"), "id"),
    )


def cancelled_in(refund: Json) -> Mapping[str, int]:
    """Return how many units of each item a refund took out before they were sent."""
    units: Counter[str] = Counter()
    for one in list_of(refund, "refund_line_items"):
        if text_of(one, "restock_type") == "cancel":
            units[_sku(part_of(one, "line_item"))] += read_count(need(one, "quantity"))
    return units


def read_parcel(data: Json) -> ForeignParcel:
    """Return the parcel of `fulfillments/*`."""
    units: Counter[str] = Counter()
    for one in list_of(data, "line_items"):
        units[_sku(one)] += read_count(need(one, "quantity"))
    made_at = need_moment(data, "created_at")
    status = text_of(data, "shipment_status")
    arrived: datetime | None = None
    if status in {"delivered", "picked_up"}:
        arrived = need_moment(data, "updated_at", "created_at")
    return ForeignParcel(
        external_id=need(data, "id"),
        units=dict(units),
        packed_at=made_at,
        shipped_at=None if status in _NOT_SENT else made_at,
        delivered_at=arrived,
        carrier=read_optional(text_of(data, "tracking_company"), "The carrier") or "unknown",
        service=text_of(data, "service")[:60],
        tracking_number=read_optional(text_of(data, "tracking_number"), "The tracking number"),
        tracking_url=_web_address(text_of(data, "tracking_url")),
    )


def _web_address(text: str) -> str | None:
    return text[:500] if text.startswith(("https://", "http://")) else None


def _sku(item: Json) -> str:
    return sku_of(text_of(item, "sku"), text_of(item, "name") or text_of(item, "title"))


def _cancel_reason(data: Json) -> str:
    reason = text_of(data, "cancel_reason")
    return (
        f"The shop cancelled the order ({reason[:60]})."
        if reason
        else ("The shop cancelled the order.")
    )
