"""What holds for returns and exchanges of one order together."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from opsbot.commerce.orders import Order
from opsbot.commerce.returns import ENDED_EARLY, returns_of
from opsbot.toolkit.notices import refusal
from opsbot.toolkit.tool import ToolContext


def refuse_second_return(ctx: ToolContext, order: Order) -> None:
    """Refuse a further return or exchange of an order, where the shop allows one.

    Raises:
        PolicyError: there was one already.
    """
    if not ctx.policies.changes.coming_back.once:
        return
    known = [one for one in returns_of(ctx.session, order.id) if one.state not in ENDED_EARLY]
    if known:
        raise refusal(
            ctx,
            f"For order {order.number} there is {known[0].number} already.",
            clause="changes.coming_back_once",
            alternatives=("A person of our team can look at your case.",),
        )


def end_of_day(ctx: ToolContext, days: int) -> datetime:
    """Return the end of the day in so many days, in the shop's time zone."""
    last = ctx.today + timedelta(days=days)
    return datetime.combine(last, time(23, 59), tzinfo=ZoneInfo(ctx.settings.time_zone))
