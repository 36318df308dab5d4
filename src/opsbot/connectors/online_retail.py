"""The lines of an invoice list: `InvoiceNo, StockCode, …`, as in the public "Online Retail" data.

An invoice whose number begins with C cancels goods of earlier ones; it becomes a return of the
customer's latest order that still has them. Postage and other services are charges of an order, not
goods. What is neither a sale nor its cancellation is refused with its reason.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from opsbot.connectors.cancellations import Cancellation, CancelledLine, store_cancellations
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
    read_count,
    read_country,
    read_moment,
    read_money,
    read_text,
)
from opsbot.connectors.writing import Outcome, store_orders
from opsbot.errors import InvalidInputError

SOURCE = "online-retail"
LARGE = 10_000
"""Units of one line that a person should look at."""
_SERVICES = {
    "AMAZONFEE": "a fee of the marketplace",
    "B": "an adjustment of bad debt",
    "BANK CHARGES": "a charge of the bank",
    "C2": "carriage",
    "CRUK": "a commission",
    "D": "a discount",
    "DOT": "postage",
    "M": "a manual entry",
    "POST": "postage",
    "S": "samples",
}
_SLASHES = re.compile(r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}")


@dataclass
class OnlineRetail:
    """Reads invoices into orders and cancellations."""

    currency: str
    zone: str
    now: datetime
    notes: list[str]
    what: str = "invoice"
    needs: Sequence[str] = (
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    )

    def key(self, row: Row) -> str:
        """Return the number of the invoice."""
        return read_text(row.get("InvoiceNo"), "The invoice's number", limit=40)

    def read(
        self, rows: Sequence[Row], refuse: Callable[[Row, str], None]
    ) -> ForeignOrder | Cancellation | None:
        """Return an order, or what one cancels."""
        invoice = rows[0].get("InvoiceNo")
        if invoice.startswith("C"):
            return self._cancellation(invoice[1:], rows, refuse)
        if not invoice.isdigit():
            raise LineError(rows[0], "It is an entry of the accounts, not a sale.")
        goods, charges = self._goods(rows)
        if not goods:
            raise LineError(rows[0], "The invoice holds services only, and no goods.")
        return self._order(invoice, rows[0], goods, charges)

    def _goods(self, rows: Sequence[Row]) -> tuple[list[ForeignLine], int]:
        """Return the lines of an order, and the sum of its charges."""
        goods, charges = [], 0
        if not any(row.get("CustomerID") or self._price(row) for row in rows):
            name = rows[0].get("Description") or "no word"
            raise LineError(rows[0], f"It is a correction of stock ({name}), not a sale.")
        for row in rows:
            price, units = self._price(row), _units(row)
            if price < 0:
                raise LineError(row, "Its price is below zero: an entry of the accounts.")
            if _service(row.get("StockCode")):
                charges += price * units
            else:
                goods.append(self._line(row, price, units))
        return goods, charges

    def _line(self, row: Row, price: int, units: int) -> ForeignLine:
        sku = read_text(row.get("StockCode"), "The stock code", limit=64).upper()
        if units >= LARGE:
            self.notes.append(f"Line {row.line}: {units:,} units of {sku} in one invoice.")
        title = row.get("Description")
        name = read_text(title, "The description") if title else sku
        return ForeignLine(sku=sku, title=name, unit_price_minor=price, quantity=units)

    def _order(
        self, invoice: str, first: Row, goods: list[ForeignLine], charges: int
    ) -> ForeignOrder:
        placed_at = self._moment(first)
        country = read_country(first.get("Country") or "Unspecified")
        number = first.get("CustomerID").removesuffix(".0")
        name = f"Customer {number}" if number else "Unknown customer"
        units: Counter[str] = Counter()
        for line in goods:
            units[line.sku] += line.quantity
        total = sum(line.unit_price_minor * line.quantity for line in goods) + charges
        parcel = ForeignParcel(
            external_id=invoice,
            units=dict(units),
            packed_at=placed_at,
            shipped_at=placed_at,
            delivered_at=placed_at,
            message="The goods were invoiced.",
            delivery_message="Counted as delivered: the invoice says no more.",
        )
        return ForeignOrder(
            external_id=invoice,
            number=f"#{int(invoice)}",
            customer=ForeignCustomer(name=name, country=country, external_id=number or None),
            currency=self.currency,
            lines=tuple(goods),
            ship_to={"name": name, "country": country},
            placed_at=placed_at,
            changed_at=placed_at,
            shipping_minor=charges,
            money=Money(method="invoice", captured=total),
            ready=True,
            parcels=(parcel,),
        )

    def _cancellation(
        self, invoice: str, rows: Sequence[Row], refuse: Callable[[Row, str], None]
    ) -> Cancellation | None:
        lines = []
        for row in rows:
            try:
                lines.append(self._cancelled_line(row))
            except InvalidInputError as error:
                refuse(row, str(error))
        return Cancellation(f"C{invoice}", self._moment(rows[0]), tuple(lines)) if lines else None

    def _cancelled_line(self, row: Row) -> CancelledLine:
        units = -read_count(row.get("Quantity"), least=-(10**9))
        price, service = self._price(row), _service(row.get("StockCode"))
        number = row.get("CustomerID").removesuffix(".0")
        if service:
            raise InvalidInputError(f"It cancels {service}, not goods of an order.")
        if not number:
            raise InvalidInputError("It does not say whose goods are cancelled.")
        if units < 1:
            raise InvalidInputError("A cancellation needs a quantity below zero.")
        email = ForeignCustomer(name="", country="", external_id=number).address(SOURCE)
        return CancelledLine(row, email, row.get("StockCode").upper(), units, price)

    def store(
        self, session: Session, groups: Sequence[Group], refuse: Callable[[Row, str], None]
    ) -> list[Outcome]:
        """Write the orders down, then what of them was cancelled."""
        orders = [g.record for g in groups if isinstance(g.record, ForeignOrder)]
        undone = [g.record for g in groups if isinstance(g.record, Cancellation)]
        found = iter(store_orders(session, SOURCE, orders, now=self.now, on_sale=True))
        back = iter(store_cancellations(session, SOURCE, undone, refuse, now=self.now))
        return [next(found if isinstance(g.record, ForeignOrder) else back) for g in groups]

    def _price(self, row: Row) -> int:
        try:
            return read_money(row.get("UnitPrice"), self.currency, decimal=".")
        except InvalidInputError as error:
            raise LineError(row, str(error)) from error

    def _moment(self, row: Row) -> datetime:
        text = row.get("InvoiceDate")
        try:
            if _SLASHES.fullmatch(text):  # the original spreadsheet writes the month first
                local = datetime.strptime(text, "%m/%d/%Y %H:%M")  # noqa: DTZ007
                return local.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)
            return read_moment(text, self.zone)
        except (InvalidInputError, ValueError) as error:
            raise LineError(row, str(error)) from error


def _units(row: Row) -> int:
    try:
        return read_count(row.get("Quantity"))
    except InvalidInputError as error:
        raise LineError(row, str(error)) from error


@lru_cache(maxsize=16_384)
def _service(code: str) -> str | None:
    """Return what a code that is no product stands for."""
    if code.lower().startswith("gift_"):
        return "a gift voucher"
    return _SERVICES.get(code.upper())
