"""A customer's own data: a copy of all of it, and taking the person out of it.

Quantities, amounts and dates are never touched, so no total changes. `own_rows` tells which rows
are theirs; rows that name them without being theirs are found by name (`mentions`). The audit keeps
who did what and when: what is personal in its rows stands beside the chain, and is erased.
"""

import re
from collections.abc import Mapping, Sequence
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
from opsbot.toolkit.audit import ERASED, erase_personal, record_audit
from opsbot.toolkit.mentions import (
    Names,
    audited_about,
    forget_deliveries,
    names_of,
    places_that_may_name_anybody,
    rows_naming,
)
from opsbot.toolkit.own_rows import key_of, parts_of, rows_of

REMOVED = "[removed]"
_SHORTEST = 4
"""Characters of an identifier that is looked for in texts; shorter ones occur by chance."""
_OWN_WORDS = {
    ("messages", "text"),
    ("messages", "body"),
    ("messages", "frame"),
    ("events", "data"),
    ("turn_inputs", "answers"),
    ("turn_inputs", "written"),
    ("tool_calls", "arguments"),
    ("tool_calls", "outcome"),
    ("cases", "summary"),
    ("feedback", "text"),
    ("survey_answers", "text"),
    ("drafts", "reply"),
    ("drafts", "edited"),
    ("outgoing_mails", "text"),
    ("outgoing_mails", "html"),
    ("incoming_mails", "text"),
    ("incoming_mails", "subject"),
    ("order_lines", "personalization"),
    ("proposals", "arguments"),
    ("proposals", "arguments_hash"),
    ("proposals", "basis_hash"),
    ("proposals", "details"),
    ("proposals", "undo"),
    ("repeats", "body"),
}
"""What a person wrote in their own words, or what repeats it: all of it goes."""
_SECRET = re.compile(r"hash|token|vector|frame|secret")
_STAYS = {"version", "number", "sku", "currency", "dedupe_key", "message_id", "tracking_number"}
"""Columns that other rows or people outside refer by."""


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
    for table, keys in sorted(rows_of(session, customer).items(), key=lambda one: one[0].name):
        columns = [column for column in table.columns if not _SECRET.search(column.name)]
        key = key_of(table)
        rows: list[dict[str, Any]] = []
        for part in parts_of(keys):
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
    found = rows_of(session, customer)
    names, pattern = names_of(session, customer), _identifiers(session, customer)
    touched = sum(_scrub(session, table, keys, pattern) for table, keys in found.items())
    touched += _forget_mentions(session, names)
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
    proposals = sorted(found.get(Base.metadata.tables["proposals"], ()))
    _erase_audited(session, customer, names, proposals, actor=actor, now=now)
    kept = {table.name: tuple(sorted(keys)) for table, keys in found.items()}
    mails, drafts = kept.get("outgoing_mails", ()), kept.get("drafts", ())
    return Forgotten(customer.number, touched, mails, drafts)


def _forget_mentions(session: Session, names: Names) -> int:
    """Take the person out of rows that are not theirs; return how many rows changed."""
    changed = forget_deliveries(session, names)
    for table in places_that_may_name_anybody():
        columns = [column for column in table.columns if _may_hold_words(column)]
        keys = rows_naming(session, table, columns, names)
        changed += _scrub(session, table, keys, names.pattern, is_own=False)
    return changed


def _erase_audited(
    session: Session,
    customer: Customer,
    names: Names,
    proposals: Sequence[str],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Erase what the audit holds of the person, and record which rows that emptied."""
    numbers = audited_about(session, customer, names, proposals)
    for part in parts_of(numbers):
        erase_personal(session, part)
    erased: dict[str, Any] = {ERASED: sorted(numbers)}
    record_audit(
        session, actor=actor, action="anonymised", subject=customer.number, at=now, **erased
    )


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


def _scrub(
    session: Session,
    table: sa.Table,
    keys: set[Any],
    pattern: re.Pattern[str],
    *,
    is_own: bool = True,
) -> int:
    """Take the person out of rows of a table; return how many rows changed.

    Args:
        session: an open transaction.
        table: which.
        keys: of the rows.
        pattern: what finds the person in a text.
        is_own: the rows are theirs, so that their words go as a whole.
    """
    if table.name in {"customers", "addresses"}:
        return 0
    primary = list(table.primary_key.columns)
    columns = [column for column in table.columns if _may_hold_words(column)]
    if not columns:
        return 0
    changed = 0
    for part in parts_of(keys):
        query = sa.select(*primary, *columns).where(key_of(table).in_(part))
        for row in session.execute(query).mappings().all():
            values = {
                c.name: _cleaned(table, c, row[c.name], pattern)
                if is_own
                else _without(row[c.name], pattern)
                for c in columns
            }
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
        if column.nullable and table.name == "proposals":
            return None
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


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row as JSON can hold it."""
    return {str(name): _as_json(value) for name, value in row.items()}


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return value if not isinstance(value, bytes) else None
