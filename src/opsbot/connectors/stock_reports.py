"""Stock as a shop system counts it, beside ours. It is compared, and never overwritten.

An order reaches both sides at different moments, so that a count taken over blindly would be wrong
half the time; a difference that stays is what a person must see.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce import inventory
from opsbot.connectors.differences import Difference, keep_differences
from opsbot.connectors.links import LinkKind, SourceLink, keep_link, links_of
from opsbot.connectors.payloads import Json, need, need_moment
from opsbot.connectors.values import LARGEST_MINOR, read_count
from opsbot.errors import NotFoundError


def compare_stock(session: Session, source: str, data: Json, *, now: datetime) -> None:
    """Keep what `inventory_levels/update` tells of one location, and compare the sum of all.

    Raises:
        NotFoundError: we do not know which item it is about.
    """
    item, place = need(data, "inventory_item_id"), need(data, "location_id")
    units = read_count(need(data, "available"), name="The stock", least=-LARGEST_MINOR)
    changed_at = need_moment(data, "updated_at")
    sku_link = links_of(session, source, LinkKind.ITEM, [item]).get(item)
    if sku_link is None:
        raise NotFoundError("the item of this stock", item)
    key = f"{item}:{place}"
    known = links_of(session, source, LinkKind.STOCK, [key]).get(key)
    if known is not None and changed_at < known.changed_at:
        return
    keep_link(session, source, LinkKind.STOCK, key, record=units, changed_at=changed_at)
    theirs = sum(int(record) for record in _everywhere(session, source, item))
    ours = inventory.available(session, sku_link.record)
    found = [Difference(sku_link.record, "available", str(ours), str(theirs))]
    changed = found if ours != theirs else []
    keep_differences(session, source, "stock", [sku_link.record], changed, now=now)


def _everywhere(session: Session, source: str, item: str) -> list[str]:
    return list(
        session.scalars(
            select(SourceLink.record).where(
                SourceLink.source == source,
                SourceLink.kind == LinkKind.STOCK,
                SourceLink.external_id.startswith(f"{item}:", autoescape=True),
            )
        )
    )
