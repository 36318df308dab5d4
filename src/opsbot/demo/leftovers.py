"""What lies in the warehouse and nobody wants any more, and points that became store credit."""

from collections import defaultdict
from datetime import datetime, timedelta
from random import Random
from typing import Any

from opsbot.commerce.customers import Customer
from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.loyalty import LoyaltyEntry, LoyaltyKind
from opsbot.commerce.payment_methods import CreditEntry, CreditReason, MethodKind, PaymentMethod
from opsbot.commerce.products import Item, ItemStatus
from opsbot.demo.world import STORE, WAREHOUSE, World

_MINOR_PER_POINT, _LEAST = 5, 100
"""As the policy of loyalty has it."""
_STEP = 50
"""People use round numbers of points."""
_LEFT = (
    ("LL-SEA-01", "Advent calendar, last winter", "paper", 2400, 900, 46, 34),
    ("LL-SEA-02", "Summer fair poster", "paper", 1200, 310, 120, 55),
    ("LL-SEA-03", "Wreath hanger, brass", "wood", 3900, 1750, 18, 6),
    ("LL-SEA-04", "Easter egg cup, speckled", "ceramics", 1400, 520, 64, 41),
)
"""Number, title, category, price, cost, units that came in, and units that are still there."""
_LAST_SOLD_DAYS = 215
"""Half a year is what makes stock dead."""


def add_leftovers(world: World) -> None:
    """Add goods of past seasons: no longer sold, still on the shelf."""
    came = world.start + timedelta(hours=6)
    last = world.today - timedelta(days=_LAST_SOLD_DAYS)
    for sku, title, category, price, cost, units, left in _LEFT:
        world.rows[Item].append(
            {
                "sku": sku,
                "title": title,
                "category": category,
                "options": {},
                "return_class": "standard",
                "price_minor": price,
                "cost_minor": cost,
                "currency": "EUR",
                "weight_g": 300,
                "manufactured": False,
                "sellable": False,
                "status": ItemStatus.DISCONTINUED,
                "warranty_months": 24,
                "lead_time_days": 21,
                "created_at": world.start - timedelta(days=200),
            }
        )
        world.move(sku, WAREHOUSE, units, MoveReason.OPENING, "opening stock", came)
        shown = min(8, left)
        world.move(sku, WAREHOUSE, -shown, MoveReason.TRANSFER, "season", came + timedelta(days=1))
        world.move(sku, STORE, shown, MoveReason.TRANSFER, "season", came + timedelta(days=1))
        # The till of the season's stall was counted once, on its last day.
        world.move(sku, WAREHOUSE, left - units, MoveReason.ADJUST, "season's stall", last)


def add_redemptions(world: World, seed: int) -> None:
    """Let some customers turn points that have begun into store credit.

    The dice are its own, so that the year is the same with it and without it.
    """
    dice = Random(seed + 3)  # noqa: S311  (a simulation must repeat itself)
    ledgers: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for entry in world.rows[LoyaltyEntry]:
        ledgers[entry["customer_id"]].append(entry)
    numbers = {row["id"]: row["number"] for row in world.rows[Customer]}
    for person in world.people:
        if not person.weight:  # the people of the stories have what their stories say
            continue
        redeemed = 0
        for _ in range(2):
            at = world.today - timedelta(hours=dice.uniform(10, 24 * 200))
            points = _usable(ledgers[person.id], at) // _STEP * _STEP
            if points < _LEAST or dice.random() < 0.45:  # noqa: PLR2004  (about half of them)
                continue
            redeemed += 1  # as the tool numbers them, so that the next one is new
            about = f"{numbers[person.id]}:{redeemed}"
            _redeem(world, ledgers[person.id], person.id, points, at, about)


def _usable(ledger: list[dict[str, Any]], at: datetime) -> int:
    """Return what is there at a moment and later, so that nothing is used twice."""
    begun, gone_later = 0, 0
    for entry in ledger:
        if entry["available_at"] <= at and entry["at"] <= at:
            begun += int(entry["points"])
        elif entry["points"] < 0:
            gone_later -= int(entry["points"])
    return begun - gone_later


def _redeem(
    world: World,
    ledger: list[dict[str, Any]],
    customer: int,
    points: int,
    at: datetime,
    about: str,
) -> None:
    reference = f"redeem:{about}"
    actor = f"customer:{customer}"
    world.add(
        LoyaltyEntry,
        customer_id=customer,
        kind=LoyaltyKind.REDEEM,
        points=-points,
        order_id=None,
        reference=reference,
        available_at=at,
        expires_at=None,
        actor=actor,
        at=at,
    )
    ledger.append(world.rows[LoyaltyEntry][-1])
    method = _store_credit(world, customer, at)
    method["balance_minor"] += points * _MINOR_PER_POINT
    method["created_at"] = min(method["created_at"], at)
    world.add(
        CreditEntry,
        payment_method_id=method["id"],
        amount_minor=points * _MINOR_PER_POINT,
        reason=CreditReason.ISSUED,
        reference=reference,
        actor=actor,
        at=at,
    )


def _store_credit(world: World, customer: int, at: datetime) -> dict[str, Any]:
    for row in world.rows[PaymentMethod]:
        if row["customer_id"] == customer and row["kind"] is MethodKind.STORE_CREDIT:
            return row
    world.add(
        PaymentMethod,
        customer_id=customer,
        kind=MethodKind.STORE_CREDIT,
        reference="credit-EUR",
        brand=None,
        last4=None,
        currency="EUR",
        balance_minor=0,
        active=True,
        created_at=at,
    )
    return world.rows[PaymentMethod][-1]
