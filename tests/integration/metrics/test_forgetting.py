"""A customer who is forgotten stays in the totals."""

from opsbot.db import Database
from opsbot.metrics.registry import METRICS
from opsbot.toolkit.privacy import anonymise_customer
from tests.integration.metrics.test_metrics import measure
from tests.integration.metrics.test_more_measures import LATER
from tests.integration.metrics.workshop import add_workshop


def totals(database: Database) -> dict[str, tuple[tuple[float | None, ...], int]]:
    """Return the figures of every measure over the shop's month."""
    results = {key: measure(database, key, "2026-05", now=LATER) for key in METRICS}
    return {key: (result.total.values, result.n) for key, result in results.items()}


def test_forgetting_a_customer_leaves_every_measure_as_it_was(database: Database) -> None:
    with database.write() as session:
        add_workshop(session)
    before = totals(database)

    with database.write() as session:
        anonymise_customer(session, "ada@example.com", actor="test", now=LATER)

    assert before["revenue"][0] == (344_00,)
    assert totals(database) == before
