"""Rows by the thousand: what must exist before orders, and ids given out beforehand."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.commerce.customers import Customer, CustomerKind
from opsbot.commerce.inventory import Location, LocationKind
from opsbot.commerce.numbers import NumberKind, next_numbers
from opsbot.commerce.orders import SalesChannel, SalesChannelKind
from opsbot.commerce.products import Item, ItemStatus
from opsbot.connectors.foreign import ForeignCustomer, ForeignOrder
from opsbot.connectors.values import UNKNOWN_COUNTRY
from opsbot.db import Base

IMPORTED = "imported"
"""Category and return class of items that nobody has described here yet."""
STANDARD = "standard"


def take_ids(session: Session, table: type[Base], count: int) -> list[int]:
    """Return ids for `count` new rows. On SQLite nobody else writes; PostgreSQL gives them out."""
    name = table.__tablename__
    if session.get_bind().dialect.name == "postgresql":
        number = sa.func.nextval(sa.func.pg_get_serial_sequence(name, "id"))
        rows = sa.func.generate_series(1, count).table_valued("n")
        return list(session.scalars(sa.select(number).select_from(rows)))
    key = table.__table__.columns["id"]
    first = (session.scalar(sa.select(sa.func.max(key))) or 0) + 1
    return list(range(first, first + count))


def insert_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same keys; columns beside them get their defaults."""
    if rows:
        session.execute(sa.insert(table.__table__), list(rows))  # type: ignore[arg-type]  # a Table


def known_of(session: Session, column: Any, values: Iterable[Any]) -> set[Any]:
    """Return those of `values` that the column holds."""
    return set(session.scalars(sa.select(column).where(column.in_(list(values)))))


def channel_for(session: Session, source: str) -> int:
    """Return the sales channel of a source; it is made when there is none."""
    found = session.scalar(sa.select(SalesChannel.id).where(SalesChannel.code == source))
    if found is not None:
        return found
    name = source.replace("-", " ").capitalize()
    channel = SalesChannel(code=source, name=name, kind=SalesChannelKind.WEB_STORE)
    session.add(channel)
    session.flush()
    return channel.id


def shelf_for(session: Session) -> int:
    """Return the location that goods are sent from: the first warehouse, made if there is none."""
    found = session.scalar(
        sa.select(Location.id)
        .where(Location.kind == LocationKind.WAREHOUSE, Location.sellable)
        .order_by(Location.id)
        .limit(1)
    )
    if found is not None:
        return found
    location = Location(
        code="MAIN",
        name="Main warehouse",
        kind=LocationKind.WAREHOUSE,
        country=UNKNOWN_COUNTRY,
        sellable=True,
    )
    session.add(location)
    session.flush()
    return location.id


def add_items(
    session: Session, source: str, orders: Sequence[ForeignOrder], *, on_sale: bool, now: datetime
) -> int:
    """Make the items that orders name and nobody described yet, so that no order is half.

    Args:
        session: an open transaction.
        source: where the orders are from.
        orders: what names items.
        on_sale: whether the file is the catalogue too; if not, staff must put them on sale.
        now: the time.

    Returns:
        How many were made.
    """
    named = {line.sku: (line, order) for order in orders for line in order.lines}
    known = known_of(session, Item.sku, named)
    rows = [
        {
            "sku": sku,
            "title": line.title,
            "options": {},
            "category": IMPORTED,
            "return_class": STANDARD,
            "price_minor": line.unit_price_minor,
            "cost_minor": 0,
            "currency": order.currency,
            "weight_g": 0,
            "manufactured": False,
            "sellable": on_sale,
            "status": ItemStatus.ACTIVE if on_sale else ItemStatus.DRAFT,
            "warranty_months": 0,
            "lead_time_days": 0,
            "created_at": now,
            "source": source,
            "external_id": sku,
        }
        for sku, (line, order) in named.items()
        if sku not in known
    ]
    insert_rows(session, Item, rows)
    return len(rows)


def add_customers(
    session: Session,
    source: str,
    people: Mapping[str, ForeignCustomer],
    since: Mapping[str, datetime],
) -> dict[str, int]:
    """Return the ids of customers by e-mail address; those who are new are made.

    Args:
        session: an open transaction.
        source: where they are from.
        people: who, by e-mail address.
        since: their first order here; nobody is a customer only after having bought.
    """
    found = session.execute(
        sa.select(Customer.email, Customer.id, Customer.created_at).where(
            Customer.email.in_(list(people))
        )
    ).all()
    ids = {email: key for email, key, _ in found}
    for email, key, created_at in found:
        if since[email] < created_at:
            _move_back(session, key, since[email])
    new = [email for email in people if email not in ids]
    numbers = next_numbers(session, NumberKind.CUSTOMER, len(new)) if new else []
    keys = take_ids(session, Customer, len(new))
    insert_rows(
        session,
        Customer,
        [
            _customer_row(key, number, email, source, people[email], since[email])
            for key, number, email in zip(keys, numbers, new, strict=True)
        ],
    )
    return ids | dict(zip(new, keys, strict=True))


def _move_back(session: Session, customer_id: int, since: datetime) -> None:
    session.execute(
        sa.update(Customer)
        .where(Customer.id == customer_id)
        .values(created_at=since)
        .execution_options(synchronize_session=False)
    )


def _customer_row(
    key: int, number: str, email: str, source: str, who: ForeignCustomer, since: datetime
) -> dict[str, Any]:
    return {
        "id": key,
        "number": number,
        "email": email,
        "name": who.name,
        "phone": who.phone,
        "kind": CustomerKind.BUSINESS if who.company else CustomerKind.CONSUMER,
        "company": who.company,
        "locale": "en",
        "country": who.country,
        # No mail can reach an address that was made up.
        "survey_opt_out_at": None if who.email else since,
        "anonymized_at": None,
        "created_at": since,
        "source": source,
        "external_id": who.external_id,
    }
