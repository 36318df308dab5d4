"""Lots in the ledger: the oldest go first, a transfer keeps them, and nothing is taken twice."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.commerce import inventory, reservations
from opsbot.commerce.inventory import Location, MoveReason, StockMove
from opsbot.commerce.lots import find_lot, lot_places, make_lot
from opsbot.commerce.products import Item
from opsbot.db import Database
from opsbot.errors import ConflictError, NotFoundError
from tests.factories import DAY, NOON, make_item, make_line, make_location, make_order

MUG = "LL-MUG-01-MOS"


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """5 mugs of LOT-00001 and 4 of LOT-00002 in Berlin, and 3 of which nobody knows the lot."""
    with database.write() as opened:
        mug = make_item(lot_tracked=True)
        berlin, store = make_location(), make_location("STO", name="Store")
        opened.add_all([mug, berlin, store])
        opened.flush()
        for days, units in ((30, 5), (20, 4)):
            at = NOON - days * DAY
            lot = make_lot(opened, MUG, reference=f"WO-000{days}", at=at)
            _come(opened, units, lot_id=lot.id)
        _come(opened, 3, lot_id=None)
        yield opened
        opened.rollback()


def _come(session: Session, units: int, *, lot_id: int | None) -> None:
    inventory.move(
        session,
        MUG,
        1,
        units,
        reason=MoveReason.PRODUCE,
        reference="WO-1",
        actor="test",
        at=NOON,
        lot_id=lot_id,
    )


def _balances(session: Session) -> dict[int, list[tuple[int, int]]]:
    return {place: inventory.lot_balances(session, MUG, place) for place in (1, 2)}


def test_goods_without_a_named_lot_leave_the_oldest_lot_first(session: Session) -> None:
    inventory.move(
        session, MUG, 1, -7, reason=MoveReason.DAMAGE, reference="ADJ-1", actor="test", at=NOON
    )

    assert _balances(session)[1] == [(2, 2)]
    taken = sa.select(StockMove.lot_id, StockMove.quantity).where(StockMove.quantity < 0)
    assert session.execute(taken.order_by(StockMove.id)).all() == [(1, -5), (2, -2)]


def test_what_no_lot_explains_goes_last(session: Session) -> None:
    inventory.move(
        session, MUG, 1, -10, reason=MoveReason.SCRAP, reference="ADJ-1", actor="test", at=NOON
    )

    assert _balances(session)[1] == []
    assert {level.on_hand for level in inventory.levels_of(session, MUG)} == {2}


def test_a_transfer_keeps_the_lots_and_sums_to_zero(session: Session) -> None:
    inventory.transfer(
        session, MUG, 7, from_id=1, to_id=2, reference="TRF-1", actor="test", at=NOON
    )

    assert _balances(session) == {1: [(2, 2)], 2: [(1, 5), (2, 2)]}
    assert lot_places(session, 2) == {1: 2, 2: 2}
    moved = sa.select(sa.func.sum(StockMove.quantity)).where(StockMove.reference == "TRF-1")
    assert session.scalar(moved) == 0


def test_more_of_a_lot_than_there_is_cannot_leave(session: Session) -> None:
    with pytest.raises(ConflictError, match="of that lot"):
        inventory.transfer(
            session, MUG, 6, from_id=1, to_id=2, reference="T", actor="test", at=NOON, lot_id=1
        )


def test_what_is_sold_tells_its_lots(session: Session) -> None:
    item = session.get(Item, MUG)
    assert item is not None
    order = make_order(lines=[make_line(item, 6)])
    session.add(order)
    session.flush()
    line = order.lines[0]
    reservations.reserve(session, MUG, 6, order_line_id=line.id, at=NOON)

    reservations.consume(session, line.id, 6, reference="#1001", actor="test", at=NOON)

    sold = sa.select(StockMove.lot_id, StockMove.quantity).where(StockMove.reference == "#1001")
    assert session.execute(sold.order_by(StockMove.id)).all() == [(1, -5), (2, -1)]


@pytest.mark.parametrize("words", ["LOT-00002", "lot-2", "L-0002", "2", "#00002"])
def test_a_lot_is_found_by_its_number_however_it_is_written(session: Session, words: str) -> None:
    assert find_lot(session, words).id == 2


def test_a_lot_that_is_not_there_is_said_to_be_unknown(session: Session) -> None:
    with pytest.raises(NotFoundError, match="a lot numbered LOT-00077"):
        find_lot(session, "LOT-00077")


def test_a_location_has_only_the_lots_that_were_brought_there(session: Session) -> None:
    assert session.scalar(sa.select(sa.func.count()).select_from(Location)) == 2
    assert _balances(session)[2] == []
