"""What must not change when a person is taken out of the records."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.db import Base

_KEPT = ("addresses", "audit", "demo")
"""Begin the names of tables whose rows may come and go."""


def totals(session: Session) -> dict[str, object]:
    """Return counts of rows and sums of numbers of every table of the shop, by name."""
    session.flush()
    told: dict[str, object] = {}
    for table in Base.metadata.sorted_tables:
        if table.name.startswith(_KEPT):
            continue
        told[table.name] = session.scalar(sa.select(sa.func.count()).select_from(table))
        for column in table.columns:
            if isinstance(column.type, sa.Integer):
                name = f"{table.name}.{column.name}"
                told[name] = session.scalar(sa.select(sa.func.sum(column)))
    countries = sa.text(
        "SELECT c.country, count(*), sum(o.total_minor) FROM orders o "
        "JOIN customers c ON c.id = o.customer_id GROUP BY c.country ORDER BY c.country"
    )
    told["by country"] = [tuple(row) for row in session.execute(countries)]
    return told
