"""The year, day by day: who buys what, and when it is packed and arrives."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import accumulate

from opsbot.demo.parcels import Fate
from opsbot.demo.rates import NOT_TO_THE_STATES, rate_to
from opsbot.demo.sales import MARKETPLACE, OWN_STORE, PARTNER, WEB, Plan, Sale, Wish, sell
from opsbot.demo.supply import Pipeline, end_day
from opsbot.demo.world import DAYS, STORE, WAREHOUSE, Person, World, workday_after

ORDERS = 2500
FIRST_NUMBER = 2001
"""Number of the first order that is not a story."""

_MONTHS = (0.8, 0.7, 0.8, 0.85, 0.9, 0.85, 0.8, 0.8, 0.95, 1.1, 1.6, 1.9)
_WEEKDAYS = (1.1, 1.05, 1.05, 1.0, 0.95, 0.8, 1.05)
_STUCK_DAYS = 9
"""Orders this young may wait in the warehouse, past the day they should have left."""
_UNPAID_DAYS = 8
"""Bank transfers of orders this young may not have come yet."""

_HOLDS = ("the payment is being checked", "the address could not be found")


def run_year(world: World, pipeline: Pipeline, stories: list[Plan]) -> list[Sale]:
    """Let the days pass and return every order, in the order they were placed."""
    sales: list[Sale] = []
    upcoming = list(stories)
    loads = [_load(world.start + timedelta(days=day)) for day in range(DAYS)]
    for day, load in enumerate(loads):
        morning = world.start + timedelta(days=day)
        count = int(ORDERS * load / sum(loads) + world.random.random())
        moments = sorted(morning + world.between(6, 21.5) for _ in range(count))
        for placed_at in moments:
            plan = _invent(world, f"#{FIRST_NUMBER + len(sales)}", placed_at)
            if plan is not None:
                sales.append(sell(world, plan))
        while upcoming and upcoming[0].placed_at < morning + timedelta(days=1):
            sales.append(sell(world, _with_goods(world, upcoming.pop(0))))
        end_day(world, pipeline, day)
    return sales


def _with_goods(world: World, plan: Plan) -> Plan:
    """Give a plan without wishes two of what lies most in the warehouse."""
    if plan.wishes:
        return plan
    kept = [p.sku for p in world.products.values() if p.return_class != "made_to_order"]
    most = max(kept, key=lambda sku: world.free[sku, WAREHOUSE])
    return replace(plan, wishes=[Wish(most, 2)])


def _load(day: datetime) -> float:
    return _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()]


def _invent(world: World, number: str, placed_at: datetime) -> Plan | None:
    """Make up an order; None when nothing that is wanted is there."""
    person = _choose_person(world, placed_at)
    channel = _choose_channel(world, person)
    wishes = _choose_wishes(world, person, channel)
    if not wishes:
        return None
    placed_at = placed_at.replace(microsecond=0)
    age = (world.today - placed_at).days
    packed_at: datetime | None = _packing_time(world, placed_at, wishes, channel)
    cancelled_at = None
    hold = None
    if channel != OWN_STORE and world.chance(0.035):
        packed_at, cancelled_at = None, placed_at + world.between(0.5, 14)
    elif channel != OWN_STORE and age < _STUCK_DAYS and world.chance(0.12):
        packed_at = None
        hold = world.random.choice(_HOLDS) if world.chance(0.3) else None
    method = _choose_method(world, channel)
    unpaid = method == "bank_transfer" and age < _UNPAID_DAYS and world.chance(0.5)
    fate = _choose_fate(world, placed_at)
    return Plan(
        number=number,
        person=person,
        wishes=wishes,
        placed_at=placed_at,
        packed_at=None if unpaid else packed_at,
        arrives_at=_arrival(world, packed_at or placed_at, person, fate),
        channel=channel,
        method=method,
        unpaid=unpaid,
        fate=fate,
        cancelled_at=cancelled_at,
        hold_reason=hold,
        discount_pct=_discount(world, channel),
    )


def _choose_person(world: World, at: datetime) -> Person:
    known = [person for person in world.people if person.since < at]
    weights = list(accumulate(person.weight for person in known))
    return world.random.choices(known, cum_weights=weights)[0]


def _choose_channel(world: World, person: Person) -> int:
    if person.business:
        return PARTNER if world.chance(0.7) else WEB
    in_berlin = person.ship_to["country"] == "DE"
    shares = (72, 16, 12) if in_berlin else (84, 0, 16)
    return world.random.choices((WEB, OWN_STORE, MARKETPLACE), weights=shares)[0]


def _choose_method(world: World, channel: int) -> str:
    if channel == PARTNER:
        return "invoice"
    if channel != WEB:
        return "card"
    return world.random.choices(("card", "paypal", "bank_transfer"), weights=(55, 35, 10))[0]


def _choose_fate(world: World, placed_at: datetime) -> Fate:
    """Choose what becomes of the parcel; open troubles exist only in the last weeks."""
    recent = timedelta(days=10) < world.today - placed_at < timedelta(days=30)
    if recent and world.chance(0.03):
        return world.random.choice([Fate.LOST, Fate.LOST, Fate.REFUSED])
    fates = (Fate.NORMAL, Fate.SLOW, Fate.NOBODY_HOME, Fate.PICKUP)
    return world.random.choices(fates, weights=(84, 7, 6, 3))[0]


def _discount(world: World, channel: int) -> int:
    if channel == PARTNER:
        return 30
    return 10 if channel == WEB and world.chance(0.12) else 0


def _choose_wishes(world: World, person: Person, channel: int) -> list[Wish]:
    place = STORE if channel == OWN_STORE else WAREHOUSE
    count = world.random.choices((1, 2, 3, 4), weights=(50, 31, 14, 5))[0]
    products = list(world.products.values())
    weights = [product.popularity for product in products]
    wishes: dict[str, Wish] = {}
    for product in world.random.choices(products, weights=weights, k=count):
        if person.ship_to["country"] == "US" and product.sku.startswith(NOT_TO_THE_STATES):
            continue
        units = _choose_units(world, product.category, channel)
        if world.free[product.sku, place] >= units:
            text = person.name.split()[-1] if product.return_class == "made_to_order" else None
            wishes[product.sku] = Wish(product.sku, units, text)
    return list(wishes.values())


def _choose_units(world: World, category: str, channel: int) -> int:
    if channel == PARTNER:
        return world.random.choice((2, 4, 6)) if category in {"ceramics", "paper"} else 1
    if category in {"ceramics", "paper"}:
        return world.random.choices((1, 2, 4), weights=(55, 35, 10))[0]
    return 1


def _packing_time(world: World, placed_at: datetime, wishes: list[Wish], channel: int) -> datetime:
    if channel == OWN_STORE:
        return placed_at
    made = any(wish.personalization for wish in wishes)
    days = world.random.randint(3, 5) if made else world.random.choices((1, 2), (75, 25))[0]
    day = workday_after(placed_at, days)
    return day.replace(hour=9, minute=0, second=0) + world.between(0, 6)


def _arrival(world: World, packed_at: datetime, person: Person, fate: Fate) -> datetime:
    low, high = rate_to(person.ship_to["country"]).days
    days = world.random.randint(low, high) - 1
    days += {Fate.SLOW: world.random.randint(4, 9), Fate.NOBODY_HOME: 1, Fate.PICKUP: 1}.get(
        fate, 0
    )
    day = workday_after(packed_at, max(2, days))
    return day.replace(hour=9, minute=0, second=0) + world.between(0, 8)
