"""Our own CSV of orders, for systems without an export that we read: a line per item."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from opsbot.connectors.files import Group, LineError
from opsbot.connectors.foreign import (
    ForeignCustomer,
    ForeignLine,
    ForeignOrder,
    ForeignParcel,
    Money,
)
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

ADDRESS = ("line1", "line2", "city", "region", "postal_code")
MOMENTS = (
    "placed_at",
    "paid_at",
    "sent_at",
    "delivered_at",
    "cancelled_at",
    "refunded_at",
    "changed_at",
)


@dataclass
class PlainOrders:
    """Reads `order, placed_at, email, sku, …` into orders."""

    source: str
    currency: str
    zone: str
    decimal: str | None
    now: datetime
    what: str = "order"
    needs: Sequence[str] = ("order", "placed_at", "email", "name", "sku", "quantity", "unit_price")

    def key(self, row: Row) -> str:
        """Return the order's number."""
        return read_text(row.get("order"), "The order's number", limit=60)

    def read(self, rows: Sequence[Row], refuse: Callable[[Row, str], None]) -> ForeignOrder:
        """Return one order; what is not of a line stands on its first one."""
        lines = tuple(self._line(row) for row in rows)
        try:
            return self._order(rows[0], lines)
        except InvalidInputError as error:
            raise LineError(rows[0], str(error)) from error

    def store(
        self, session: Session, groups: Sequence[Group], refuse: Callable[[Row, str], None]
    ) -> list[Outcome]:
        """Write the orders down."""
        return store_orders(session, self.source, [g.record for g in groups], now=self.now)

    def _line(self, row: Row) -> ForeignLine:
        try:
            sku = read_text(row.get("sku"), "The item number", limit=64)
            return ForeignLine(
                sku=sku,
                title=read_text(row.get("title") or sku, "The title"),
                unit_price_minor=self._money(row, "unit_price"),
                quantity=read_count(row.get("quantity")),
                discount_minor=self._money(row, "discount"),
                cancelled=read_count(row.get("cancelled") or "0", least=0),
                personalization=read_optional(row.get("personalization"), "The personalization"),
            )
        except InvalidInputError as error:
            raise LineError(row, str(error)) from error

    def _money(self, row: Row, name: str) -> int:
        currency = row.get("currency").upper() or self.currency
        return read_money(row.get(name) or "0", currency, decimal=self.decimal)

    def _order(self, first: Row, lines: tuple[ForeignLine, ...]) -> ForeignOrder:
        at = {n: read_moment(first.get(n), self.zone) if first.get(n) else None for n in MOMENTS}
        placed_at = read_moment(first.get("placed_at"), self.zone)
        country = read_country(first.get("country") or UNKNOWN_COUNTRY)
        name = read_text(first.get("name"), "The name")
        number = read_number(first.get("order"))
        captured, refunded = self._money(first, "paid"), self._money(first, "refunded")
        latest = max(moment for moment in at.values() if moment)
        return ForeignOrder(
            external_id=self.key(first),
            number=number,
            customer=ForeignCustomer(
                name=name,
                country=country,
                email=read_email(first.get("email")),
                phone=read_optional(first.get("phone"), "The phone number"),
                company=read_optional(first.get("company"), "The company"),
            ),
            currency=first.get("currency").upper() or self.currency,
            lines=lines,
            ship_to={
                "name": name,
                "country": country,
                **{part: read_optional(first.get(part), part) for part in ADDRESS},
            },
            placed_at=placed_at,
            changed_at=at["changed_at"] or latest,
            shipping_minor=self._money(first, "shipping"),
            tax_minor=self._money(first, "tax"),
            total_minor=self._money(first, "total") if first.get("total") else None,
            money=Money(
                method=read_optional(first.get("method"), "The payment method") or "unknown",
                captured=captured,
                refunded=refunded,
                captured_at=at["paid_at"],
                refunded_at=at["refunded_at"],
            ),
            ready=bool(captured) and at["cancelled_at"] is None,
            parcels=_parcels(first, number, lines, at),
            cancelled_at=at["cancelled_at"],
            cancel_reason=read_optional(first.get("cancel_reason"), "The reason")
            or "The shop cancelled the order.",
        )


def _parcels(
    first: Row, number: str, lines: tuple[ForeignLine, ...], at: dict[str, datetime | None]
) -> tuple[ForeignParcel, ...]:
    sent_at = at["sent_at"] or at["delivered_at"]
    if sent_at is None:
        return ()
    units: Counter[str] = Counter()
    for line in lines:
        units[line.sku] += line.quantity - line.cancelled
    parcel = ForeignParcel(
        external_id=number,
        units={sku: count for sku, count in units.items() if count},
        packed_at=sent_at,
        shipped_at=sent_at,
        delivered_at=at["delivered_at"],
        carrier=read_optional(first.get("carrier"), "The carrier") or "unknown",
        tracking_number=read_optional(first.get("tracking_number"), "The tracking number"),
    )
    return (parcel,)
