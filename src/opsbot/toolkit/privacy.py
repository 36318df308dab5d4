"""A customer's own data: a copy of all of it, and taking the person out of it.

Which rows are a customer's follows from the foreign keys of the tables: a new table that refers to
a customer, an order or a conversation is covered without an entry here. Quantities, amounts and
dates are never touched, so no total changes. The audit keeps what it has: it names people by their
number alone, and its rows cannot be changed without breaking its chain.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.commerce.customers import Address, Customer
from opsbot.commerce.orders import Order
from opsbot.db import Base
from opsbot.errors import ConflictError, NotFoundError
from opsbot.toolkit.audit import record_audit

REMOVED = "[removed]"
_BATCH = 500
_SHORTEST = 4
"""Characters of an identifier that is looked for in texts; shorter ones occur by chance."""
_OWN_WORDS = {
    ("messages", "text"),
    ("messages", "body"),
    ("messages", "frame"),
    ("events", "data"),
    ("tool_calls", "arguments"),
    ("tool_calls", "outcome"),
    ("cases", "summary"),
    ("feedback", "text"),
    ("survey_answers", "text"),
    ("incoming_mails", "text"),
    ("incoming_mails", "subject"),
    ("order_lines", "personalization"),
}
"""What a person wrote in their own words, or what repeats it: all of it goes."""
_NAMED = {"outgoing_mails": "recipient", "incoming_mails": "sender", "proposals": "owner"}
"""Tables whose rows tell in a column whose they are: a mail address, or `customer:12`."""
_SECRET = re.compile(r"hash|token|vector|frame|secret")
_STAYS = {"version", "number", "sku", "currency", "dedupe_key", "message_id", "tracking_number"}
"""Columns that other rows or people outside refer by."""

Found = dict[sa.Table, set[Any]]


@dataclass(frozen=True)
class Forgotten:
    """What anonymising a customer did."""

    number: str
    rows: int
    """Rows in which something was taken out."""
    mails: tuple[int, ...]
    """Ids of mails to them, which may lie as files too."""
    drafts: tuple[int, ...]
    """Ids of drafts of answers to them, the same."""


def export_customer(
    session: Session, email: str, *, actor: str, now: datetime
) -> dict[str, list[dict[str, Any]]]:
    """Return everything that is kept about a customer, by table.

    Raises:
        NotFoundError: nobody has this address.
    """
    customer = _find(session, email)
    told = {}
    for table, keys in sorted(_rows_of(session, customer).items(), key=lambda one: one[0].name):
        columns = [column for column in table.columns if not _SECRET.search(column.name)]
        key = _key(table)
        rows: list[dict[str, Any]] = []
        for part in _parts(keys):
            query = sa.select(*columns).where(key.in_(part)).order_by(key)
            rows += [_plain(row) for row in session.execute(query).mappings()]
        told[table.name] = rows
    record_audit(session, actor=actor, action="exported", subject=customer.number, at=now)
    return told


def anonymise_customer(session: Session, email: str, *, actor: str, now: datetime) -> Forgotten:
    """Take a customer's name, addresses and words out of every record; all totals stay.

    Raises:
        NotFoundError: nobody has this address.
        ConflictError: something of theirs is still under way.
    """
    customer = _find(session, email)
    _check_nothing_open(session, customer)
    found = _rows_of(session, customer)
    pattern = _identifiers(session, customer)
    touched = sum(_scrub(session, table, keys, pattern) for table, keys in found.items())
    session.execute(sa.delete(Address).where(Address.customer_id == customer.id))
    session.execute(
        sa.update(Customer)
        .where(Customer.id == customer.id)
        .values(
            name="Anonymous",
            email=f"anonymous-{customer.id}@example.invalid",
            phone=None,
            company=None,
            survey_opt_out_at=now,
            newsletter_since=None,
            anonymized_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    record_audit(session, actor=actor, action="anonymised", subject=customer.number, at=now)
    names = {table.name: tuple(sorted(keys)) for table, keys in found.items()}
    mails, drafts = names.get("outgoing_mails", ()), names.get("drafts", ())
    return Forgotten(customer.number, touched, mails, drafts)


def _find(session: Session, email: str) -> Customer:
    query = sa.select(Customer).where(Customer.email == email.strip().lower())
    customer = session.scalar(query.with_for_update())
    if customer is None:
        raise NotFoundError("a customer with the address", email.strip()[:80])
    return customer


def _check_nothing_open(session: Session, customer: Customer) -> None:
    open_states = ("pending", "confirmed", "in_fulfillment")
    numbers = session.scalars(
        sa.select(Order.number).where(
            Order.customer_id == customer.id, sa.cast(Order.state, sa.String).in_(open_states)
        )
    ).all()
    if numbers:
        raise ConflictError(
            f"{customer.number} has orders under way ({', '.join(sorted(numbers))}); their "
            "address is needed until they have arrived."
        )


def _rows_of(session: Session, customer: Customer) -> Found:
    """Return the keys of the rows that belong to a customer, by table."""
    found: Found = defaultdict(set)
    start = Base.metadata.tables["customers"]
    waiting: list[tuple[sa.Table, set[Any]]] = [(start, {customer.id})]
    for name, named in _NAMED.items():
        table = Base.metadata.tables[name]
        whose = (customer.email, f"customer:{customer.id}")
        query = sa.select(_key(table)).where(table.c[named].in_(whose))
        waiting.append((table, set(session.scalars(query))))
    while waiting:
        table, keys = waiting.pop()
        new = keys - found[table]
        if not new:
            continue
        found[table] |= new
        for child, column in _children(table):
            got: set[Any] = set()
            for part in _parts(new):
                got |= set(session.scalars(sa.select(_key(child)).where(column.in_(part))))
            waiting.append((child, got))
    _add_histories(session, found)
    return {table: keys for table, keys in found.items() if keys}


def _children(table: sa.Table) -> Iterator[tuple[sa.Table, sa.Column[Any]]]:
    """Yield the tables whose rows belong to rows of this one, by their foreign key."""
    for other in Base.metadata.sorted_tables:
        for key in other.foreign_keys:
            by_own_key = len(other.primary_key.columns) == 1 or key.parent is _key(other)
            if key.column.table is table and other is not table and by_own_key:
                yield other, key.parent


def _add_histories(session: Session, found: Found) -> None:
    history = Base.metadata.tables["history"]
    for table, keys in list(found.items()):
        for part in _parts({str(key) for key in keys}):
            query = sa.select(history.c.id).where(
                history.c.subject == table.name, history.c.subject_id.in_(part)
            )
            found[history] |= set(session.scalars(query))


def _key(table: sa.Table) -> sa.Column[Any]:
    """Return what a row is called by; of a conversation's events, its conversation."""
    column: sa.Column[Any] = next(iter(table.primary_key.columns))
    return column


def _identifiers(session: Session, customer: Customer) -> re.Pattern[str]:
    """Return what finds the person in any text: names, addresses, telephone numbers."""
    words = {customer.email, customer.name, customer.phone or "", customer.company or ""}
    addresses = session.scalars(sa.select(Address).where(Address.customer_id == customer.id))
    for one in addresses:
        words |= {one.name, one.line1, one.line2 or ""}
    for ship_to in session.scalars(
        sa.select(Order.ship_to).where(Order.customer_id == customer.id)
    ):
        words |= {str(ship_to.get(key) or "") for key in ("name", "line1", "line2")}
    words |= {part for name in list(words) for part in name.split() if name == customer.name}
    known = sorted((w for w in words if len(w) >= _SHORTEST), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, known)) or r"(?!)", re.IGNORECASE)


def _scrub(session: Session, table: sa.Table, keys: set[Any], pattern: re.Pattern[str]) -> int:
    """Take the person out of rows of a table; return how many rows changed."""
    if table.name in {"customers", "addresses"}:
        return 0
    primary = list(table.primary_key.columns)
    columns = [column for column in table.columns if _may_hold_words(column)]
    if not columns:
        return 0
    changed = 0
    for part in _parts(keys):
        query = sa.select(*primary, *columns).where(_key(table).in_(part))
        for row in session.execute(query).mappings().all():
            values = {c.name: _cleaned(table, c, row[c.name], pattern) for c in columns}
            values = {name: new for name, new in values.items() if new != row[name]}
            if values:
                same = [column == row[column.name] for column in primary]
                session.execute(sa.update(table).where(*same).values(values))
                changed += 1
    return changed


def _may_hold_words(column: sa.Column[Any]) -> bool:
    if column.primary_key or column.foreign_keys or column.name in _STAYS:
        return False
    return isinstance(column.type, sa.String | sa.JSON) and not isinstance(column.type, sa.Enum)


def _cleaned(table: sa.Table, column: sa.Column[Any], value: Any, pattern: re.Pattern[str]) -> Any:
    if (table.name, column.name) in _OWN_WORDS:
        return (REMOVED if isinstance(value, str) else type(value)()) if value else value
    if column.name == "ship_to" and isinstance(value, dict):
        kept = {"country": value.get("country"), "region": value.get("region")}
        return {key: kept.get(key, REMOVED if old else old) for key, old in value.items()}
    return _without(value, pattern)


def _without(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(REMOVED, value)
    if isinstance(value, Mapping):
        return {key: _without(one, pattern) for key, one in value.items()}
    if isinstance(value, list):
        return [_without(one, pattern) for one in value]
    return value


def _parts(keys: set[Any]) -> Iterator[Sequence[Any]]:
    ordered = sorted(keys, key=str)
    for start in range(0, len(ordered), _BATCH):
        yield ordered[start : start + _BATCH]


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row as JSON can hold it."""
    return {str(name): _as_json(value) for name, value in row.items()}


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return value if not isinstance(value, bytes) else None
