"""Grow the sample shop: its customers and their ended orders again and again, in bulk.

What waits to be done stays as it is, as in a shop that keeps up; what is over grows. All copies
fall into the same year, so that every sum over a time has more to add up.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.db import Base, Database
from opsbot.demo.load import load_demo

_PARENTS: Mapping[str, str] = {
    "customers": "",
    "addresses": "customer_id",
    "payment_methods": "customer_id",
    "credit_entries": "payment_method_id",
    "orders": "",
    "order_lines": "order_id",
    "payments": "order_id",
    "shipments": "order_id",
    "shipment_lines": "shipment_id",
    "tracking_events": "shipment_id",
    "reservations": "order_line_id",
    "returns": "order_id",
    "return_lines": "return_id",
    "cases": "order_id",
    "survey_invitations": "order_id",
    "survey_responses": "invitation_id",
    "survey_answers": "response_id",
    "feedback": "order_id",
    "history": "",
    "stock_moves": "",
}
"""What is copied, parents first, with the column that leads to what it belongs to."""
_NAMES = {"tracking_number", "token_hash", "source_id", "gateway_ref"}
"""Columns that tell records apart: a copy's end with the number of the copy."""


def grow_shop(database: Database, orders: int, *, now: datetime) -> None:
    """Load the sample shop, and copy it until it has so many orders.

    Args:
        database: with all tables, and empty.
        orders: how many are wanted; at most some 200,000.
        now: the time at which the shop's year ends.
    """
    load_demo(database, now=now)
    tables = {name: Base.metadata.tables[name] for name in _PARENTS}
    with database.write() as session:
        steps = {name: _highest(session, table) for name, table in tables.items()}
        whole = _kept(tables, steps, steps["orders"])
        own = tables["orders"].c.id
        ended = list(session.scalars(sa.select(own).where(whole["orders"]).order_by(own)))
        wanted = max(0, orders - (session.scalar(sa.select(sa.func.count(own))) or 0))
        copies, rest = divmod(wanted, len(ended))
        for copy in range(1, copies + 1):
            _copy(session, tables, whole, copy, steps)
        if rest:
            part = _kept(tables, steps, ended[rest - 1])
            _copy(session, tables, part, copies + 1, steps)
        levels = Base.metadata.tables["stock_levels"]
        times = copies + 1 + bool(rest)
        session.execute(sa.update(levels).values(on_hand=levels.c.on_hand * times))
        if session.get_bind().dialect.name == "postgresql":
            _move_sequences(session, tables)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _copy(
    session: Session,
    tables: Mapping[str, sa.Table],
    kept: Mapping[str, sa.ColumnElement[bool]],
    copy: int,
    steps: Mapping[str, int],
) -> None:
    for name, table in tables.items():
        values = _values(table, copy, steps)
        source = sa.select(*values.values()).where(kept[name])
        session.execute(sa.insert(table).from_select(list(values), source))


def _kept(
    tables: Mapping[str, sa.Table], steps: Mapping[str, int], last_order: int
) -> dict[str, sa.ColumnElement[bool]]:
    """Return which rows are copied: of the sample's own ended orders, and all its customers."""
    orders = tables["orders"].c
    kept: dict[str, sa.ColumnElement[bool]] = {
        "orders": sa.and_(
            orders.id <= last_order,
            orders.state.in_(["completed", "cancelled"]),
            _all_ended(tables, "shipments", ["delivered", "cancelled"]),
            _all_ended(tables, "returns", ["resolved", "declined", "cancelled", "expired"]),
            _all_ended(tables, "cases", ["closed", "resolved"]),
        )
    }
    for name, column in _PARENTS.items():
        own = tables[name].c.id <= steps[name]
        if name in {"customers", "stock_moves"}:
            kept[name] = own
        elif column:
            key = tables[name].columns[column]
            parent = next(iter(key.foreign_keys)).column.table
            kept[name] = own & key.in_(sa.select(parent.c.id).where(kept[parent.name]))
    kept["history"] = _kept_history(tables, kept) & (tables["history"].c.id <= steps["history"])
    return kept


def _kept_history(
    tables: Mapping[str, sa.Table], kept: Mapping[str, sa.ColumnElement[bool]]
) -> sa.ColumnElement[bool]:
    history = tables["history"].c
    number = sa.cast(history.subject_id, sa.Integer)
    return sa.or_(
        *(
            (history.subject == name) & number.in_(sa.select(tables[name].c.id).where(kept[name]))
            for name in ("orders", "returns", "cases")
        )
    )


def _all_ended(
    tables: Mapping[str, sa.Table], name: str, ended: Sequence[str]
) -> sa.ColumnElement[bool]:
    table = tables[name].c
    return ~sa.exists().where(table.order_id == tables["orders"].c.id, table.state.not_in(ended))


def _values(table: sa.Table, copy: int, steps: Mapping[str, int]) -> dict[str, Any]:
    """Return what each column of a copy is made of."""
    values: dict[str, Any] = {}
    for column in table.columns:
        target = next((key.column.table.name for key in column.foreign_keys), "")
        value: Any = column
        if column.name == "id":
            value = column + copy * steps[table.name]
        elif target == "cases":
            value = sa.cast(sa.null(), column.type)  # a case that is still open has no copy
        elif target in steps:
            value = column + copy * steps[target]
        elif column.name in _NAMES:
            value = column + sa.literal(f"-{copy:02}")
        elif column.name == "number" and table.name != "survey_answers":
            value = _numbered(column, copy)
        elif column.name == "email":
            value = sa.literal(f"{copy:02}.") + column
        elif column.name == "subject_id":
            shift = sa.case({n: copy * step for n, step in steps.items()}, value=table.c.subject)
            value = sa.cast(sa.cast(column, sa.Integer) + shift, sa.String)
        elif column.name == "reference" and table.name == "stock_moves":
            value = sa.case((column.startswith("#"), _numbered(column, copy)), else_=column)
        values[column.name] = value
    return values


def _numbered(number: sa.ColumnElement[str], copy: int) -> sa.ColumnElement[str]:
    """Put the copy's number before the digits: `#2001`, `RMA-00009`. Those all have one length."""
    return sa.func.replace(sa.func.replace(number, "#", f"#{copy}"), "-", f"-{copy}")


def _highest(session: Session, table: sa.Table) -> int:
    return session.scalar(sa.select(sa.func.max(table.c.id))) or 0


def _move_sequences(session: Session, tables: Mapping[str, sa.Table]) -> None:
    for table in tables.values():
        sequence = sa.func.pg_get_serial_sequence(table.name, "id")
        session.execute(sa.select(sa.func.setval(sequence, _highest(session, table))))
