"""What WooCommerce's webhooks carry, in our words. Its amounts are before tax; ours are after."""

from collections import Counter
from datetime import datetime

from opsbot.connectors.foreign import (
    ForeignCustomer,
    ForeignLine,
    ForeignOrder,
    ForeignParcel,
    Money,
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
from opsbot.connectors.values import read_count, read_email, read_number, read_optional, read_text

SOURCE = "woocommerce"
_ADDRESS = {
    "line1": "address_1",
    "line2": "address_2",
    "city": "city",
    "region": "state",
    "postal_code": "postcode",
    "country": "country",
}
_PAID = frozenset({"processing", "completed", "refunded"})
_ENDED = frozenset({"cancelled", "failed", "trash"})


def read_order(data: Json) -> ForeignOrder:
    """Return the order of `order.created` and `order.updated`.

    Raises:
        InvalidInputError: it lacks a part, or holds what cannot be recorded; the text says which.
    """
    currency = need(data, "currency").upper()
    status = need(data, "status")
    lines = _lines(data, currency)
    placed_at = need_moment(data, "date_created_gmt")
    changed_at = need_moment(data, "date_modified_gmt", "date_created_gmt")
    shipping, billing = part_of(data, "shipping"), part_of(data, "billing")
    address = address_of(shipping if text_of(shipping, "address_1") else billing, _ADDRESS)
    name = _name(shipping) or _name(billing) or "Unknown customer"
    email = text_of(billing, "email")
    customer = text_of(data, "customer_id").strip("0")
    return ForeignOrder(
        external_id=need(data, "id"),
        number=read_number(text_of(data, "number") or need(data, "id")),
        customer=ForeignCustomer(
            name=name,
            country=str(address["country"]),
            email=read_email(email) if email else None,
            external_id=customer or None,
            phone=read_optional(text_of(billing, "phone"), "The phone number"),
            company=read_optional(text_of(billing, "company"), "The company"),
        ),
        currency=currency,
        lines=lines,
        ship_to=address | {"name": name},
        placed_at=placed_at,
        changed_at=changed_at,
        shipping_minor=_charges(data, currency),
        tax_minor=money_of(data, "total_tax", currency),
        total_minor=money_of(data, "total", currency),
        money=_money(data, currency, status, changed_at),
        ready=status in _PAID,
        parcels=_parcels(data, status, lines, changed_at),
        cancelled_at=changed_at if status in _ENDED or _is_undone(data, status) else None,
        cancel_reason=f"The shop ended the order ({status}).",
    )


def _name(address: Json) -> str | None:
    both = f"{text_of(address, 'first_name')} {text_of(address, 'last_name')}"
    return read_optional(both, "The name")


def _lines(data: Json, currency: str) -> tuple[ForeignLine, ...]:
    """Return the lines with their tax; the price is what it was before coupons."""
    priced, off, taxes = [], [], []
    for one in list_of(data, "line_items"):
        title = read_text(need(one, "name"), "The item's name")
        quantity = read_count(need(one, "quantity"))
        before = money_of(one, "subtotal", currency)
        after = money_of(one, "total", currency)
        each = -(-before // quantity)
        priced.append(Priced(sku_of(text_of(one, "sku"), title), title, each, quantity))
        off.append(each * quantity - after)
        taxes.append(money_of(one, "total_tax", currency))
    return price_lines(priced, off, taxes)


def _charges(data: Json, currency: str) -> int:
    whole = money_of(data, "shipping_total", currency) + money_of(data, "shipping_tax", currency)
    for fee in list_of(data, "fee_lines"):
        whole += money_of(fee, "total", currency) + money_of(fee, "total_tax", currency)
    return whole


def _money(data: Json, currency: str, status: str, changed_at: datetime) -> Money:
    method = read_optional(text_of(data, "payment_method"), "The payment method") or "unknown"
    paid_at = moment_of(data, "date_paid_gmt")
    total = money_of(data, "total", currency)
    if paid_at is None and status not in _PAID:
        return Money(method=method)
    refunded = sum(abs(money_of(one, "total", currency)) for one in list_of(data, "refunds"))
    if status == "refunded" and not refunded:
        refunded = total
    return Money(
        method=method,
        captured=total,
        refunded=min(refunded, total),
        captured_at=paid_at,
        refunded_at=changed_at,
    )


def _is_undone(data: Json, status: str) -> bool:
    """Tell whether all the money of an order that was never sent went back."""
    return status == "refunded" and not text_of(data, "date_completed_gmt")


def _parcels(
    data: Json, status: str, lines: tuple[ForeignLine, ...], changed_at: datetime
) -> tuple[ForeignParcel, ...]:
    """Return the one parcel of a completed order; WooCommerce itself knows no parcels."""
    sent_at = moment_of(data, "date_completed_gmt")
    if sent_at is None and status == "completed":
        sent_at = changed_at
    if sent_at is None:
        return ()
    units: Counter[str] = Counter()
    for line in lines:
        units[line.sku] += line.quantity
    parcel = ForeignParcel(
        external_id=f"{need(data, 'id')}:completed",
        units=dict(units),
        packed_at=sent_at,
        shipped_at=sent_at,
    )
    return (parcel,)
