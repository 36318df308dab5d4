"""Tables for staff, and what a model is told of them."""

from collections.abc import Sequence
from typing import Any

from opsbot.toolkit.results import Column, Table

MOST_ROWS = 200
MOST_FACTS = 20

Cell = str | int | float | None


def make_table(
    caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]
) -> Table | None:
    """Return a table of at most 200 rows; None without any row."""
    if not rows:
        return None
    if len(rows) > MOST_ROWS:
        caption = f"{caption} (the first {MOST_ROWS} of {len(rows)})"
    return Table(caption, columns, rows[:MOST_ROWS])


def table_facts(table: Table | None) -> dict[str, Any]:
    """Return the first 20 rows by column label, and how many more there are."""
    if table is None:
        return {"rows": [], "more": 0}
    labels = [column.label for column in table.columns]
    rows = [dict(zip(labels, row, strict=True)) for row in table.rows[:MOST_FACTS]]
    return {"rows": rows, "more": max(0, len(table.rows) - MOST_FACTS)}


def count(number: int, noun: str) -> str:
    """Return "1 order", "12 orders"; the noun takes an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
