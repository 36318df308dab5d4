"""The stock levels that the past use of items asks for."""

from collections.abc import Collection
from datetime import datetime
from math import ceil

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.products import Item
from opsbot.metrics.just_in_time import weekly_use
from opsbot.metrics.run_outs import REVIEW_DAYS
from opsbot.planning.forecasting import forecast_items
from opsbot.planning.safety import OrderPoint, order_point

_WEEK_DAYS = 7


def computed_levels(
    session: Session,
    skus: Collection[str],
    *,
    service_level: float,
    now: datetime,
    zone: str,
) -> dict[str, OrderPoint]:
    """Return the levels of items from what was sold and used of them; without use: left out.

    Safety stock comes from how far forecasts of the past were off over lead time and review.

    Args:
        session: a session to read in.
        skus: the items.
        service_level: share of cycles without a stock-out.
        now: the present moment.
        zone: the shop's time zone.
    """
    used = weekly_use(session, now=now, zone=zone)
    levels = {}
    for item in session.scalars(select(Item).where(Item.sku.in_(skus))):
        weeks = used.get(item.sku)
        if not weeks or not any(weeks):
            continue
        span = item.lead_time_days + REVIEW_DAYS
        (found,) = forecast_items(np.array([weeks]), horizon=ceil(span / _WEEK_DAYS))
        if found is None:
            continue
        daily = found.total / len(found.periods) / _WEEK_DAYS
        levels[item.sku] = order_point(
            daily * item.lead_time_days,
            daily * span,
            deviation=found.backtest.error,
            service_level=service_level,
        )
    return levels
