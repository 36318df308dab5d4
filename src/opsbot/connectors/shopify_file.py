"""The orders that Shopify exports as CSV: a line per item, the order on its first line only."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy.orm import Session

from opsbot.connectors.files import Group, LineError
from opsbot.connectors.foreign import (
    ForeignCustomer,
    ForeignLine,
    ForeignOrder,
    ForeignParcel,
    Money,
    share_out,
)
from opsbot.connectors.pricing import Priced, price_lines
from opsbot.connectors.tables import Row
from opsbot.connectors.values import (
    UNKNOWN_COUNTRY,
    read_count,
    read_country,
    read_email,
    read_moment,
    read_money,
    read_number,
    read_optional,
    read_text,
)
from opsbot.connectors.writing import Outcome, store_orders
from opsbot.errors import InvalidInputError

SOURCE = "shopify"
SETTLED = timedelta(days=30)
"""A parcel that was sent so long ago counts as delivered."""
USUAL_WAY = timedelta(days=3)
"""How long it is then taken to have been on its way."""
_PAID = frozenset({"paid", "partially_paid", "refunded", "partially_refunded"})


def sku_of(sku: str, title: str) -> str:
    """Return the item number of a line; Shopify's may be empty."""
    if sku.strip():
        return read_text(sku, "The item number", limit=64)
    return f"NO-SKU-{sha256(title.strip().lower().encode()).hexdigest()[:10]}"


@dataclass
class ShopifyOrders:
    """Reads the export into orders."""

    zone: str
    now: datetime
    what: str = "order"
    needs: Sequence[str] = (
        "Name",
        "Currency",
        "Subtotal",
        "Shipping",
        "Taxes",
        "Total",
        "Created at",
        "Lineitem quantity",
        "Lineitem name",
        "Lineitem price",
        "Financial Status",
    )

    def key(self, row: Row) -> str:
        """Return the name of the order."""
        return read_text(row.get("Name"), "The order's name", limit=60)

    def read(self, rows: Sequence[Row], refuse: Callable[[Row, str], None]) -> ForeignOrder:
        """Return one order."""
        first = rows[0]
        if not first.get("Total"):
            raise LineError(first, "The line that holds the order's amounts is missing.")
        try:
            return self._order(first, rows)
        except LineError:
            raise
        except InvalidInputError as error:
            raise LineError(first, str(error)) from error

    def store(
        self, session: Session, groups: Sequence[Group], refuse: Callable[[Row, str], None]
    ) -> list[Outcome]:
        """Write the orders down."""
        return store_orders(session, SOURCE, [group.record for group in groups], now=self.now)

    def _order(self, first: Row, rows: Sequence[Row]) -> ForeignOrder:
        currency = first.get("Currency").upper()
        amounts = {
            name: read_money(first.get(name) or "0", currency, decimal=".")
            for name in ("Subtotal", "Shipping", "Taxes", "Total", "Refunded Amount", "Duties")
        }
        outstanding = read_money(first.get("Outstanding Balance") or "0", currency, decimal=".")
        lines = self._lines(rows, currency, amounts)
        placed_at = read_moment(first.get("Created at"), self.zone)
        moments = [self._moment(first, n) for n in ("Paid at", "Fulfilled at", "Cancelled at")]
        paid_at, fulfilled_at, cancelled_at = moments
        included = amounts["Total"] == amounts["Subtotal"] + amounts["Shipping"]
        extra = 0 if included else amounts["Duties"]
        name = read_optional(first.get("Shipping Name") or first.get("Billing Name"), "The name")
        country = read_country(
            first.get("Shipping Country") or first.get("Billing Country") or UNKNOWN_COUNTRY
        )
        return ForeignOrder(
            external_id=first.get("Id") or first.get("Name"),
            number=read_number(first.get("Name")),
            customer=self._customer(first, name or "Unknown customer", country),
            currency=currency,
            lines=lines,
            ship_to=_address(first, name or "Unknown customer", country),
            placed_at=placed_at,
            changed_at=max([placed_at, *(moment for moment in moments if moment)]),
            shipping_minor=amounts["Shipping"] + extra,
            tax_minor=amounts["Taxes"],
            total_minor=amounts["Total"],
            money=_money(first, amounts, outstanding, paid_at),
            ready=first.get("Financial Status") in _PAID | {"authorized"},
            parcels=_parcels(first, rows, lines, fulfilled_at, self.now),
            cancelled_at=cancelled_at,
        )

    def _moment(self, row: Row, name: str) -> datetime | None:
        return read_moment(row.get(name), self.zone) if row.get(name) else None

    def _lines(
        self, rows: Sequence[Row], currency: str, amounts: dict[str, int]
    ) -> tuple[ForeignLine, ...]:
        priced = []
        for row in rows:
            try:
                title = read_text(row.get("Lineitem name"), "The item's name")
                discount = row.get("Lineitem discount") or "0"
                priced.append(
                    Priced(
                        sku=sku_of(row.get("Lineitem sku"), title),
                        title=title,
                        unit_minor=read_money(row.get("Lineitem price"), currency, decimal="."),
                        quantity=read_count(row.get("Lineitem quantity")),
                        discount_minor=read_money(discount, currency, decimal="."),
                    )
                )
            except InvalidInputError as error:
                raise LineError(row, str(error)) from error
        goods = sum(line.unit_minor * line.quantity - line.discount_minor for line in priced)
        whole = sum(line.unit_minor * line.quantity for line in priced)
        # The subtotal is after all discounts; line discounts may be part of the price already.
        if goods < amounts["Subtotal"] <= whole:
            priced = [line.without_discount() for line in priced]
            goods = whole
        on_top = amounts["Total"] - amounts["Subtotal"] - amounts["Shipping"] - amounts["Duties"]
        tax = amounts["Taxes"] if on_top == amounts["Taxes"] else 0
        if goods < amounts["Subtotal"]:
            message = "Its items cost less than its subtotal"
            raise InvalidInputError(f"{message}; a line may be missing.")
        weights = [line.unit_minor * line.quantity - line.discount_minor for line in priced]
        off = share_out(goods - amounts["Subtotal"], weights)
        taxes = share_out(tax, [w - o for w, o in zip(weights, off, strict=True)])
        return price_lines(priced, off, taxes)

    def _customer(self, row: Row, name: str, country: str) -> ForeignCustomer:
        email = row.get("Email")
        company = row.get("Billing Company") or row.get("Shipping Company")
        return ForeignCustomer(
            name=name,
            country=country,
            email=read_email(email) if email else None,
            phone=read_optional(row.get("Phone") or row.get("Billing Phone"), "The phone number"),
            company=read_optional(company, "The company"),
        )


def _address(row: Row, name: str, country: str) -> dict[str, str | None]:
    def part(column: str) -> str | None:
        text = row.get(f"Shipping {column}") or row.get(f"Billing {column}")
        return read_optional(text.removeprefix("'"), f"The {column.lower()}")

    return {
        "name": name,
        "line1": part("Address1") or part("Street"),
        "line2": part("Address2"),
        "city": part("City"),
        "region": part("Province"),
        "postal_code": part("Zip"),
        "country": country,
    }


def _money(row: Row, amounts: dict[str, int], outstanding: int, paid_at: datetime | None) -> Money:
    status = row.get("Financial Status")
    method = read_optional(row.get("Payment Method"), "The payment method") or "unknown"
    total = amounts["Total"]
    if status in {"authorized", "voided"}:
        return Money(method=method, authorized=total, voided=status == "voided")
    if status not in _PAID:
        return Money(method=method)
    captured = total - max(0, outstanding) if status == "partially_paid" else total
    refunded = amounts["Refunded Amount"] or (total if status == "refunded" else 0)
    return Money(method=method, captured=captured, refunded=refunded, captured_at=paid_at)


def _parcels(
    first: Row,
    rows: Sequence[Row],
    lines: tuple[ForeignLine, ...],
    at: datetime | None,
    now: datetime,
) -> tuple[ForeignParcel, ...]:
    """Return the one parcel that the export tells of: what is fulfilled, and when.

    The export never says that a parcel arrived, so an old one counts as delivered.
    """
    status = first.get("Fulfillment Status")
    if at is None or status not in {"fulfilled", "partial"}:
        return ()
    units: Counter[str] = Counter()
    for row, line in zip(rows, lines, strict=True):
        if row.get("Lineitem fulfillment status") == "fulfilled" or status == "fulfilled":
            units[line.sku] += line.quantity
    if not units:
        return ()
    parcel = ForeignParcel(
        external_id=f"{first.get('Id') or first.get('Name')}:file",
        units=dict(units),
        packed_at=at,
        shipped_at=at,
        delivered_at=at + USUAL_WAY if now - at > SETTLED else None,
        service=first.get("Shipping Method"),
        delivery_message="Counted as delivered: it was sent long ago, and the file says no more.",
    )
    return (parcel,)
