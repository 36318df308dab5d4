"""A year of the sample shop as rows, the same for the same seed and day."""

from datetime import UTC, datetime
from typing import Any

from opsbot.commerce.inventory import StockLevel, StockMove
from opsbot.commerce.numbers import Counter, NumberKind
from opsbot.commerce.orders import SalesChannel, SalesChannelKind
from opsbot.commerce.reservations import Reservation, ReservationState
from opsbot.db import Base
from opsbot.demo.afterwards import add_afterwards
from opsbot.demo.catalogue import add_products
from opsbot.demo.comebacks import add_returns
from opsbot.demo.leftovers import add_leftovers, add_redemptions
from opsbot.demo.matters import add_cases
from opsbot.demo.people import add_people
from opsbot.demo.plans import plan_ahead
from opsbot.demo.stories import STORIES, add_ana, add_story_people, plans_of, set_aside
from opsbot.demo.supply import count_stock, open_shop
from opsbot.demo.tracing import assign_lots
from opsbot.demo.trade import add_trade
from opsbot.demo.wallets import add_wallets
from opsbot.demo.world import World
from opsbot.demo.year import FIRST_NUMBER, run_year

SEED = 20261122


def simulate(now: datetime, seed: int = SEED) -> dict[type[Base], list[dict[str, Any]]]:
    """Return the rows of every table, for the year that ends at the midnight before `now` (UTC).

    Rows of one table may lack keys that others have; those are the column's default.
    """
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    world = World(today, seed)
    _add_channels(world)
    add_products(world)
    add_story_people(world)
    add_people(world)
    add_ana(world)
    pipeline = open_shop(world)
    set_aside(world)
    sales = run_year(world, pipeline, plans_of(world))
    add_returns(world, sales, {story.number for story in STORIES})
    count_stock(world)
    add_cases(world, sales)
    add_trade(world)
    plan_ahead(world, pipeline)
    assign_lots(world)
    add_wallets(world, seed)
    add_afterwards(world, sales, seed)
    add_leftovers(world)
    add_redemptions(world, seed)
    _add_levels(world)
    _add_counters(world, FIRST_NUMBER + len(sales))
    return dict(world.rows)


def _add_channels(world: World) -> None:
    for code, name, kind, fee_pct in (
        ("web", "Web store", SalesChannelKind.WEB_STORE, 1.9),
        ("store", "Berlin store", SalesChannelKind.OWN_STORE, 0.9),
        ("market", "Marketplace", SalesChannelKind.MARKETPLACE, 14.0),
        ("partner", "Retail partners", SalesChannelKind.RETAIL_PARTNER, 0.0),
    ):
        world.add(SalesChannel, code=code, name=name, kind=kind, fee_pct=fee_pct)


def _add_levels(world: World) -> None:
    """Add up the ledger and the reservations."""
    levels: dict[tuple[str, int], dict[str, Any]] = {}

    def level(row: dict[str, Any]) -> dict[str, Any]:
        key = (row["sku"], row["location_id"])
        zero = {"sku": key[0], "location_id": key[1], "on_hand": 0, "reserved": 0}
        return levels.setdefault(key, zero)

    for move in world.rows[StockMove]:
        level(move)["on_hand"] += move["quantity"]
    for held in world.rows[Reservation]:
        if held["state"] is ReservationState.ACTIVE:
            level(held)["reserved"] += held["quantity"]
    world.rows[StockLevel].extend(levels.values())


def _add_counters(world: World, next_order: int) -> None:
    counters = world.counters()
    counters[NumberKind.ORDER] = next_order - 1
    counters[NumberKind.CUSTOMER] = 1000 + len(world.people)
    world.rows[Counter].extend(
        {"kind": kind, "last": last} for kind, last in sorted(counters.items())
    )
