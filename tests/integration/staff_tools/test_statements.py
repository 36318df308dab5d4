"""What staff look up takes as many statements for many records as for a few."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from opsbot.commerce.boms import activate_bom, draft_bom
from opsbot.commerce.production import WorkOrder, WorkOrderState
from opsbot.db import Database
from opsbot.metrics.blocked import Blocked, blocked_by
from opsbot.planning.boms import Part
from tests.factories import DAY, NOON, make_item

CLAY = "LL-MAT-01"


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Collect the statements that are run."""
    seen: list[str] = []

    def keep(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", keep)
    yield seen
    sa.event.remove(database.engine, "before_cursor_execute", keep)


@pytest.fixture
def begin(database: Database) -> Callable[[int], None]:
    """Adds drafts of work orders, each for an item of its own; all of them lack clay."""
    with database.write() as session:
        session.add(make_item(CLAY, "Clay", component=True))

    def add(count: int) -> None:
        with database.write() as session:
            have = session.scalar(sa.select(sa.func.count(WorkOrder.id))) or 0
            for number in range(have + 1, have + count + 1):
                sku = f"LL-POT-{number:02}"
                session.add(make_item(sku, f"Pot {number}", manufactured=True))
                session.flush()
                bom = draft_bom(session, sku, [Part(CLAY, Decimal(2))], now=NOON)
                activate_bom(session, bom, actor="test", now=NOON)
                session.add(
                    WorkOrder(
                        number=f"WO-{number:05}",
                        sku=sku,
                        bom_id=bom.id,
                        state=WorkOrderState.DRAFT,
                        planned=5,
                        created_at=NOON,
                        due_at=NOON + number * DAY + timedelta(hours=1),
                    )
                )

    return add


def test_what_a_late_part_holds_up_is_asked_for_at_once(
    database: Database, begin: Callable[[int], None]
) -> None:
    def look() -> tuple[int, Blocked]:
        with counted(database) as statements, database.read() as session:
            found = blocked_by(session, [CLAY])
        return len(statements), found[CLAY]

    begin(1)
    few, _ = look()
    begin(6)
    many, found = look()

    assert many == few
    assert found.work_orders == tuple(f"WO-{number:05}" for number in range(1, 8))


def test_open_returns_are_found_by_their_state(database: Database) -> None:
    if database.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL reads a small table whole")
    plan = "EXPLAIN QUERY PLAN SELECT id FROM returns WHERE state IN ('requested', 'approved')"
    with database.read() as session:
        steps = " ".join(str(row) for row in session.execute(sa.text(plan)))

    assert "ix_returns_state" in steps
