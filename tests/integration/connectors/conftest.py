"""Files and deliveries of other systems, and the rules that our records keep."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from opsbot.commerce.inventory import MoveReason, move
from opsbot.commerce.orders import Order, find_order
from opsbot.connectors.files import ImportReport
from opsbot.connectors.imports import FileFormat, ImportOptions, import_file
from opsbot.db import Base, Database
from tests.factories import NOON, make_channel, make_item, make_location
from tests.integration.test_simulator import BROKEN

OPTIONS = ImportOptions(currency="EUR", zone="Europe/Berlin", source="till")
MUG, LAMP = "LL-MUG-01-MOS", "LL-LMP-02-SGE"


@pytest.fixture
def shop(database: Database) -> Database:
    """A shop with 10 mugs and 10 lamps on the shelf, and no orders."""
    with database.write() as session:
        shelf = make_location()
        lamp = make_item(LAMP, "Ember bedside lamp, sage", price_minor=7900)
        # The counter's channel, as every shop with the rules below has one.
        store = make_channel("store", name="Store", kind="own_store")
        session.add_all([shelf, make_item(MUG), lamp, make_channel(), store])
        session.flush()
        for sku in (MUG, LAMP):
            move(
                session,
                sku,
                shelf.id,
                10,
                reason=MoveReason.OPENING,
                reference="count",
                actor="test",
                at=NOON,
            )
    return database


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Write rows whose keys are the columns."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def load(database: Database, path: Path, kind: FileFormat, **values: Any) -> ImportReport:
    """Import a file at noon."""
    return import_file(database, path, kind, values.pop("options", OPTIONS), now=NOON, **values)


def read_rejects(path: Path) -> list[dict[str, str]]:
    """Return the lines of a reject file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


OF_A_WHOLE_SHOP = frozenset({
    "an item that is made has one active bill of materials",
    "an item that is bought has one preferred supplier",
})  # fmt: skip
"""What the sample shop also has; what comes from another system need not."""


def broken_rules(database: Database) -> dict[str, list[Any]]:
    """Return the rules of the records that some row breaks."""
    rules = {rule: query for rule, query in BROKEN.items() if rule not in OF_A_WHOLE_SHOP}
    with database.read() as session:
        found = {rule: session.execute(sa.text(query)).all() for rule, query in rules.items()}
    return {rule: [tuple(row) for row in rows] for rule, rows in found.items() if rows}


def snapshot(database: Database) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with database.read() as session:
        return {
            table.name: sorted(
                (tuple(map(str, row)) for row in session.execute(sa.select(table))),
            )
            for table in Base.metadata.sorted_tables
        }


def read_order(database: Database, number: str) -> Order:
    """Return an order with its lines and payments."""
    with database.read() as session:
        order = find_order(session, number, customer_id=None)
        session.refresh(order, ["payments"])
        return order
