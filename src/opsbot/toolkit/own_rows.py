"""Which rows are a customer's.

It follows from the foreign keys of the tables: a new table that refers to a customer, an order or a
conversation is covered without an entry here.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order
from opsbot.db import Base
from opsbot.toolkit.proposals import Proposal

_BATCH = 500
_NAMED = {
    "outgoing_mails": "recipient",
    "incoming_mails": "sender",
    "proposals": "owner",
    "repeats": "owner",
    "cases": "contact_email",
}
"""Tables whose rows tell in a column whose they are: a mail address, or `customer:12`."""

Found = dict[sa.Table, set[Any]]


def rows_of(session: Session, customer: Customer) -> Found:
    """Return the keys of the rows that belong to a customer, by table."""
    found: Found = defaultdict(set)
    start = Base.metadata.tables["customers"]
    waiting: list[tuple[sa.Table, set[Any]]] = [(start, {customer.id})]
    for name, named in _NAMED.items():
        table = Base.metadata.tables[name]
        whose = (customer.email, f"customer:{customer.id}")
        query = sa.select(key_of(table)).where(table.c[named].in_(whose))
        waiting.append((table, set(session.scalars(query))))
    waiting.append((Base.metadata.tables["proposals"], _proposals_about(session, customer)))
    while waiting:
        table, keys = waiting.pop()
        new = keys - found[table]
        if not new:
            continue
        found[table] |= new
        for child, column in _children(table):
            got: set[Any] = set()
            for part in parts_of(new):
                got |= set(session.scalars(sa.select(key_of(child)).where(column.in_(part))))
            waiting.append((child, got))
    _add_histories(session, found)
    return {table: keys for table, keys in found.items() if keys}


def _proposals_about(session: Session, customer: Customer) -> set[str]:
    """Return what staff proposed to do with a customer's orders."""
    orders = sa.select(Order.number).where(Order.customer_id == customer.id)
    named = Proposal.arguments["order_number"].as_string()
    return set(session.scalars(sa.select(Proposal.id).where(named.in_(orders))))


def _children(table: sa.Table) -> Iterator[tuple[sa.Table, sa.Column[Any]]]:
    """Yield the tables whose rows belong to rows of this one, by their foreign key."""
    for other in Base.metadata.sorted_tables:
        for key in other.foreign_keys:
            by_own_key = len(other.primary_key.columns) == 1 or key.parent is key_of(other)
            if key.column.table is table and other is not table and by_own_key:
                yield other, key.parent


def _add_histories(session: Session, found: Found) -> None:
    history = Base.metadata.tables["history"]
    for table, keys in list(found.items()):
        for part in parts_of({str(key) for key in keys}):
            query = sa.select(history.c.id).where(
                history.c.subject == table.name, history.c.subject_id.in_(part)
            )
            found[history] |= set(session.scalars(query))


def key_of(table: sa.Table) -> sa.Column[Any]:
    """Return what a row is called by; of a conversation's events, its conversation."""
    column: sa.Column[Any] = next(iter(table.primary_key.columns))
    return column


def parts_of(keys: set[Any]) -> Iterator[Sequence[Any]]:
    """Yield keys in parts that fit into one query, in order."""
    ordered = sorted(keys, key=str)
    for start in range(0, len(ordered), _BATCH):
        yield ordered[start : start + _BATCH]
