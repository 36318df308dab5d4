"""Days on which an item was not in stock: they hide demand."""

from collections import Counter, defaultdict
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce.inventory import Location, StockLevel, StockMove
from opsbot.planning.periods import DAY, local_day, midnight


def empty_days(session: Session, *, first: date, today: date, zone: str) -> dict[str, set[date]]:
    """Return the days before today that ended with empty sellable shelves, by item.

    The ledger is walked backwards from the stock of now, so days before an item first came in are
    empty too.

    Args:
        session: a session to read in.
        first: the first day to look at.
        today: the present day.
        zone: the shop's time zone.
    """
    on_hand = _on_hand(session)
    moves: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for sku, at, quantity in session.execute(
        select(StockMove.sku, StockMove.at, StockMove.quantity)
        .join(Location, Location.id == StockMove.location_id)
        .where(Location.sellable, StockMove.at >= midnight(first, zone))
    ):
        moves[local_day(at, zone)][sku] += quantity
    empty: defaultdict[str, set[date]] = defaultdict(set)
    on_hand.subtract(moves[today])
    day = today - DAY
    while day >= first:
        for sku, count in on_hand.items():
            if count <= 0:
                empty[sku].add(day)
        on_hand.subtract(moves[day])
        day -= DAY
    return empty


def _on_hand(session: Session) -> Counter[str]:
    found = session.execute(
        select(StockLevel.sku, func.sum(StockLevel.on_hand))
        .join(Location, Location.id == StockLevel.location_id)
        .where(Location.sellable)
        .group_by(StockLevel.sku)
    )
    return Counter({sku: int(count) for sku, count in found})
