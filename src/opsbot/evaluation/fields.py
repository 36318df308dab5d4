"""What a field of a record says, and whether that is what was expected.

A field is a column by its name; beside those, names that people use: `status`, `order`, `customer`,
`items`, `address`, `refunded`, and amounts without `_minor`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from babel.numbers import get_currency_precision
from sqlalchemy.engine import Connection

from opsbot.commerce.customers import Address
from opsbot.commerce.orders import OrderLine
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.commerce.returns import ReturnLine
from opsbot.errors import InvalidInputError
from opsbot.evaluation.kinds import Kind, kind_of

Row = Mapping[Any, Any]
_MINOR = "_minor"
_ALIASES = {"status": "state"}
_PLACE = ("name", "line1", "line2", "postal_code", "city", "region", "country")
_WORD = re.compile(r"[\w.+@/-]+")
_YES, _NO = {"yes", "true"}, {"no", "false"}
NONE = "none"
_AMOUNT = re.compile(r"[€$£]?\s*(-?\d+(?:[.,]\d+)?)\s*(?:[€$£]|[a-z]{3})?")


def check_field(kind: Kind, name: str) -> None:
    """Refuse a field that records of this kind do not have.

    Raises:
        InvalidInputError: there is none; the text names those there are.
    """
    if (kind.table.name, name) in _COMPUTED or _column(kind, name) is not None:
        return
    known = [key for table, key in _COMPUTED if table == kind.table.name]
    known += [_short(column) for column in kind.table.columns if column.name != "id"]
    if "state" in kind.table.c:
        known.append("status")
    words = ", ".join(sorted(set(known)))
    raise InvalidInputError(f"{_with_article(kind.name)} has no {name}; it has {words}")


def read_field(connection: Connection, kind: Kind, row: Row, name: str) -> Any:
    """Return what a field of a record says now: plain values, texts for what it refers to."""
    computed = _COMPUTED.get((kind.table.name, name))
    if computed is not None:
        return computed(connection, row)
    column = _column(kind, name)
    assert column is not None  # noqa: S101  (checked when the file was read)
    value = row[column.name]
    if column.name.endswith(_MINOR) and value is not None:
        return _amount(value, row)
    if column.foreign_keys and value is not None:
        return _names_of(connection, next(iter(column.foreign_keys)).column, value)
    return value


def fits(wanted: Any, found: Any, *, zone: str) -> bool:
    """Tell whether a field says what was expected, however it is written."""
    if isinstance(wanted, Mapping):
        return _same_counts(wanted, found)
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return all(fits(one, found, zone=zone) for one in wanted)
    return _reads_like(_plain(wanted), found, zone)


def _reads_like(words: str, found: Any, zone: str) -> bool:
    match found:
        case None | "":
            alike = words in {NONE, "", "~", "null"}
        case bool():
            alike = words in (_YES if found else _NO)
        case datetime():
            alike = f"{found.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}".startswith(words)
        case date():
            alike = found.isoformat() == words
        case int() | Decimal():
            alike = _number(words) == found
        case set():
            alike = any(_same_name(words, str(one)) for one in found)
        case dict() | list():
            alike = set(_WORD.findall(words)) <= set(_WORD.findall(_plain(found)))
        case _:
            alike = words == _plain(found)
    return alike


def show(value: Any) -> str:
    """Return a field's value for a person to read."""
    if isinstance(value, set):
        return " / ".join(sorted(value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {one}" for key, one in value.items()) or NONE
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NONE if value is None else str(value)


def _with_article(name: str) -> str:
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def _column(kind: Kind, name: str) -> sa.Column[Any] | None:
    words = "_".join(_ALIASES.get(name, name).split())
    columns = kind.table.c
    names = (words, words + _MINOR, f"{words}_id")
    return next((columns[name] for name in names if name in columns), None)


def _short(column: sa.Column[Any]) -> str:
    return column.name.removesuffix(_MINOR).removesuffix("_id")


def _amount(minor: int, row: Row) -> Decimal:
    return Decimal(minor).scaleb(-get_currency_precision(row.get("currency") or "EUR"))


def _names_of(connection: Connection, key: sa.Column[Any], value: Any) -> set[str]:
    """Return what the record that a row refers to is called."""
    columns = kind_of(key.table).keys or [key]
    found = connection.execute(sa.select(*columns).where(key == value)).one()
    return {str(one) for one in found if one is not None}


def _items_of_order(connection: Connection, row: Row) -> dict[str, int]:
    lines = sa.select(OrderLine.sku, OrderLine.quantity - OrderLine.cancelled)
    return _counts(connection, lines.where(OrderLine.order_id == row["id"]))


def _items_of_return(connection: Connection, row: Row) -> dict[str, int]:
    lines = sa.select(OrderLine.sku, ReturnLine.quantity).join_from(ReturnLine, OrderLine)
    return _counts(connection, lines.where(ReturnLine.return_id == row["id"]))


def _counts(connection: Connection, query: sa.Select[str, int]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for sku, quantity in connection.execute(query):
        counts[sku] = counts.get(sku, 0) + quantity
    return {sku: quantity for sku, quantity in counts.items() if quantity}


def _refunded(connection: Connection, row: Row) -> Decimal:
    back = (PaymentKind.REFUND, PaymentKind.VOID)
    query = sa.select(sa.func.coalesce(sa.func.sum(sa.func.abs(Payment.amount_minor)), 0)).where(
        Payment.order_id == row["id"], Payment.kind.in_(back)
    )
    return _amount(connection.execute(query).scalar_one(), row)


def _address_of_order(_connection: Connection, row: Row) -> list[str]:
    return _place(row["ship_to"])


def _address_of_customer(connection: Connection, row: Row) -> list[str]:
    query = sa.select(Address.__table__).where(Address.customer_id == row["id"], Address.is_default)
    found = connection.execute(query).mappings().first()
    return _place(found or {})


def _place(values: Row) -> list[str]:
    return [str(values[key]) for key in _PLACE if values.get(key)]


_COMPUTED: Mapping[tuple[str, str], Callable[[Connection, Row], Any]] = {
    ("orders", "items"): _items_of_order,
    ("orders", "refunded"): _refunded,
    ("orders", "address"): _address_of_order,
    ("customers", "address"): _address_of_customer,
    ("returns", "items"): _items_of_return,
}


def _same_counts(wanted: Mapping[str, Any], found: Any) -> bool:
    if not isinstance(found, dict):
        return False
    given = {_plain(key): _plain(str(value)) for key, value in wanted.items()}
    return given == {_plain(str(key)): _plain(str(value)) for key, value in found.items()}


def _same_name(words: str, name: str) -> bool:
    return _plain(name).removeprefix("#") == words.removeprefix("#")


def _number(words: str) -> Decimal | None:
    found = _AMOUNT.fullmatch(words)
    return Decimal(found[1].replace(",", ".")) if found else None


def _plain(text: object) -> str:
    return " ".join(str(text).replace("_", " ").split()).casefold()
