"""Records as the person of a shop names them: `order 1004`, `new return`, `customer ada@…`.

Every table is a kind of record that is called like its rows; parts belong to the record that they
are parts of. So a new table needs no entry here, unless its rows are parts of something.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa

from opsbot.errors import InvalidInputError
from opsbot.migrations.schema import import_records

PARTS: Mapping[str, str] = {
    "addresses": "customer_id",
    "bom_lines": "bom_id",
    "claims": "case_id",
    "credit_entries": "payment_method_id",
    "goodwill_grants": "order_id",
    "loyalty_entries": "customer_id",
    "order_lines": "order_id",
    "payment_methods": "customer_id",
    "payments": "order_id",
    "purchase_order_lines": "purchase_order_id",
    "receipts": "purchase_order_line_id",
    "return_lines": "return_id",
    "routing_ops": "bom_id",
    "shipment_lines": "shipment_id",
    "shipments": "order_id",
    "supplier_items": "supplier_id",
    "survey_answers": "response_id",
    "survey_responses": "invitation_id",
    "tracking_events": "shipment_id",
    "work_order_ops": "work_order_id",
}
"""Tables whose rows belong to another record, and the column that tells to which."""
STOCK = ("stock_levels", "stock_moves", "reservations")
"""What follows from changes of orders and goods; it counts where nothing else changed."""
_KEPT_BY_ITSELF = (
    "alembic", "article", "audit", "conversations", "counters", "demo_loads", "effects", "events",
    "fetched_mails", "gaps", "history", "inbox_events", "incoming_mails", "index_", "jobs",
    "messages", "one_time_codes", "outgoing_mails", "passages", "proof_attempts", "proposals",
    "repeats", "source_", "survey_versions", "tool_calls", "tool_uses", "turn_inputs", "vectors",
)  # fmt: skip
"""Begin the names of tables that opsbot keeps about its own work, or that copy other records."""
_KEYS = (
    "number", "email", "serial", "sku", "tracking_number", "code", "name", "title", "country",
)  # fmt: skip
"""Columns that a record is called by, the best first."""
_SINGULAR = {"feedback": "feedback", "addresses": "address"}
NEW = "new "


@dataclass(frozen=True)
class Kind:
    """One kind of record."""

    name: str
    table: sa.Table

    @property
    def keys(self) -> list[sa.Column[object]]:
        """The columns that a record is called by, the best first."""
        return [self.table.c[name] for name in _KEYS if name in self.table.c]


@dataclass(frozen=True)
class Name:
    """What a key under `records` names."""

    kind: Kind
    key: str
    """As it was written; empty: a new record."""


@lru_cache(maxsize=1)
def kinds() -> dict[str, Kind]:
    """Return every kind of record, by its name."""
    tables = [t for t in import_records().sorted_tables if not t.name.startswith(_KEPT_BY_ITSELF)]
    return {name: Kind(name, table) for table in tables for name in (_singular(table.name),)}


def kind_of(table: sa.Table) -> Kind:
    """Return the kind of record that the rows of a table are."""
    return kinds()[_singular(table.name)]


def read_name(text: str) -> Name:
    """Return what `order 1004` or `new return` names.

    Raises:
        InvalidInputError: there is no such kind of record, or the number is missing.
    """
    words = " ".join(text.split())
    is_new = words.startswith(NEW)
    known = sorted(kinds(), key=len, reverse=True)
    for name in known:
        if is_new and words.removeprefix(NEW) == name:
            return Name(kinds()[name], "")
        if not is_new and words.startswith(f"{name} "):
            return Name(kinds()[name], words.removeprefix(name).strip())
    if words in kinds():
        raise InvalidInputError(f"which {words}? Write `{words} 1004`, or `new {words}`")
    common = "order, customer, return, case, feedback, purchase order, work order and others"
    raise InvalidInputError(
        f"{text!r} names no record; write `order 1004` or `new return`. There are {common}"
    )


def _singular(table: str) -> str:
    words = table.replace("_", " ")
    known = _SINGULAR.get(words)
    if known is not None:
        return known
    if words.endswith("ies"):
        return words.removesuffix("ies") + "y"
    return words.removesuffix("s")
