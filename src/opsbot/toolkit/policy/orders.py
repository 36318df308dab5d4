"""Whether an order may still be cancelled or sent elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from opsbot.commerce.orders import OrderState
from opsbot.toolkit.policy.calendar import next_working_day
from opsbot.toolkit.policy.loading import Policies

_ASK = "A person of our team can ask the warehouse."


@dataclass(frozen=True)
class OrderFacts:
    """What a decision about an order rests on."""

    state: OrderState
    packed: bool
    """Whether a parcel of it has been packed."""
    left: bool
    """Whether a parcel of it has left the shop."""
    placed_at: datetime
    made_to_order: bool = False
    """Whether an item of it is made for this customer alone."""
    country: str = ""
    """Where it goes, ISO 3166 alpha-2."""
    promised_ship_by: datetime | None = None
    """When it was promised to leave; None: no day was promised."""
    partial: bool = False
    """Whether it is about some units only; `packed`, `left` and `made_to_order` are of those."""


@dataclass(frozen=True)
class OrderDecision:
    """What the policies say; when refused, why, and what is possible instead."""

    allowed: bool
    clause: str
    """Id of the clause to quote."""
    refusal: str = ""
    alternatives: tuple[str, ...] = ()


def decide_cancellation(
    facts: OrderFacts, policies: Policies, now: datetime, *, zone: str
) -> OrderDecision:
    """Decide whether the order, or the units of it that are meant, may be cancelled now.

    A pure function.

    Args:
        facts: the order.
        policies: the rules.
        now: the time of the request.
        zone: the shop's time zone.
    """
    if facts.left or facts.state is OrderState.COMPLETED:
        return OrderDecision(
            allowed=False,
            clause="cancellation.after_handover",
            refusal="The parcel has left us already.",
            alternatives=(
                "You may refuse the parcel at the door; that costs you nothing.",
                "You may return the goods after they arrive.",
            ),
        )
    rule = policies.orders.cancellation
    if facts.packed or facts.state not in rule.free_in_states:
        return OrderDecision(
            allowed=False,
            clause="cancellation.while_packing",
            refusal="The order is being packed already.",
            alternatives=(_ASK, "You may return the goods after they arrive."),
        )
    if facts.partial and not rule.partial_lines:
        return OrderDecision(
            allowed=False,
            clause="cancellation.before_packing",
            refusal="An order can only be cancelled as a whole.",
            alternatives=("You may cancel the whole order.",),
        )
    if late := late_by_law(facts, policies, now):
        return OrderDecision(allowed=True, clause=late)
    if facts.made_to_order and now >= production_start(facts.placed_at, policies, zone=zone):
        return OrderDecision(
            allowed=False,
            clause="cancellation.made_to_order",
            refusal="We have begun to make the piece that is made for you alone.",
            alternatives=("A person of our team can look at your case.",),
        )
    return OrderDecision(allowed=True, clause="cancellation.before_packing")


def late_by_law(facts: OrderFacts, policies: Policies, now: datetime) -> str:
    """Return the clause by which a late order may always be cancelled; empty: none, or not late."""
    _name, region = policies.rights.region_of(facts.country)
    law = region.ship_promise
    if law is None or facts.left:
        return ""
    due = facts.promised_ship_by or facts.placed_at + timedelta(days=law.default_days)
    return law.clause if now > due else ""


def production_start(placed_at: datetime, policies: Policies, *, zone: str) -> datetime:
    """Return when the making of made-to-order pieces begins."""
    placed = placed_at.astimezone(ZoneInfo(zone)).date()
    day: date = next_working_day(placed + timedelta(days=1), policies.rights.calendar)
    at = policies.orders.cancellation.made_to_order_until
    return datetime.combine(day, at, tzinfo=ZoneInfo(zone))


def decide_address_change(
    facts: OrderFacts, address: Mapping[str, str], policies: Policies
) -> OrderDecision:
    """Decide whether the order may be sent to another address. A pure function."""
    rule = policies.orders.address_change
    if facts.left or facts.state is OrderState.COMPLETED:
        return OrderDecision(
            allowed=False,
            clause="address.redirect",
            refusal="The parcel has left us already.",
            alternatives=("The carrier may redirect the parcel: see its tracking page.",),
        )
    if facts.packed or facts.state not in rule.allowed_in_states:
        return OrderDecision(
            allowed=False,
            clause="address.until_packed",
            refusal="The order is packed already.",
            alternatives=(_ASK,),
        )
    if rule.same_country_only and address["country"] != facts.country:
        return OrderDecision(
            allowed=False,
            clause="address.same_country",
            refusal="The new address is in another country.",
            alternatives=("You may cancel the order and order again for the other country.",),
        )
    return OrderDecision(allowed=True, clause="address.until_packed")
