"""What comes after a sale: points, registered products, cases answered soon or late, gaps."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from opsbot.commerce.cases import Case, CaseState
from opsbot.commerce.loyalty import LoyaltyEntry, LoyaltyKind
from opsbot.commerce.registrations import Registration
from opsbot.commerce.returns import Return, ReturnState
from opsbot.demo.sales import OWN_STORE, WEB, Sale
from opsbot.demo.world import World
from opsbot.retrieval.gap_rows import GapRow
from opsbot.retrieval.models import Audience

_PENDING = timedelta(days=31)
_LASTS = timedelta(days=730)
_REGISTERED = ("LL-LMP", "LL-GRD", "LL-KET")
"""Beginnings of items that people register."""
_GAPS = (
    ("Can the Halo lamp be controlled by voice?", 9, 3),
    ("Do you run a wedding gift list?", 6, 8),
    ("Which RAL colour is the terracotta glaze?", 4, 5),
    ("May I bring my own clay to the studio?", 3, 21),
    ("Is the daypack allowed as cabin luggage?", 7, 2),
)
"""Questions that no article answers: how often they were asked, and how many days ago at last."""


def add_afterwards(world: World, sales: list[Sale], seed: int) -> None:
    """Add all of it. The dice are its own, so that the year is the same with it and without it."""
    dice = Random(seed + 2)  # noqa: S311  (a simulation must repeat itself)
    _add_points(world, sales)
    _add_registrations(world, sales, dice)
    _answer_cases(world, dice)
    for question, count, days in _GAPS:
        world.add(
            GapRow,
            question=question,
            vector=b"",
            model_key="",  # nothing is compared with it: it is shown, and asked again
            language="en",
            audience=Audience.PUBLIC,
            count=count,
            first_seen=world.today - timedelta(days=days + 30),
            last_seen=world.today - timedelta(days=days),
            examples=[],
            index_version=0,
        )


def _add_points(world: World, sales: list[Sale]) -> None:
    """Let delivered orders earn, and ended returns take back, as the policy of loyalty says."""
    back: dict[int, list[dict[str, Any]]] = {}
    for one in world.rows[Return]:
        if one["state"] is ReturnState.RESOLVED:
            back.setdefault(one["order_id"], []).append(one)
    for sale in sales:
        if sale.channel not in {WEB, OWN_STORE} or sale.delivered_at is None:
            continue
        points = sum(line.paid_minor for line in sale.lines) // 100
        if points:
            _add_entry(world, sale, LoyaltyKind.EARN, points, sale.number, sale.delivered_at)
        for one in back.get(sale.id, ()):
            taken = min(points, one["refund_minor"] // 100)
            points -= taken
            if taken:
                # By the return's number, as the shop's own job does it: it takes nothing again.
                kind, at = LoyaltyKind.REVERSE, one["resolved_at"]
                _add_entry(world, sale, kind, -taken, one["number"], at)


def _add_entry(
    world: World, sale: Sale, kind: LoyaltyKind, points: int, about: str, at: datetime
) -> None:
    """Add a line of the ledger; what goes begins with what came, or when it goes, if later."""
    starts = (sale.delivered_at or at) + _PENDING
    world.add(
        LoyaltyEntry,
        customer_id=sale.person.id,
        kind=kind,
        points=points,
        order_id=sale.id,
        reference=f"{kind}:{about}",
        available_at=max(starts, at),
        expires_at=starts + _LASTS if kind is LoyaltyKind.EARN else None,
        actor="system",
        at=at,
    )


def _add_registrations(world: World, sales: list[Sale], dice: Random) -> None:
    for sale in sales:
        if sale.delivered_at is None or sale.person.business:
            continue
        for line in sale.lines:
            if line.sku.startswith(_REGISTERED) and dice.random() < 0.08:  # noqa: PLR2004
                world.add(
                    Registration,
                    serial=f"{line.sku[3:6]}{dice.randrange(10**6):06}{sale.id}",
                    sku=line.sku,
                    customer_id=sale.person.id,
                    bought_on=sale.placed_at.date(),
                    seller="Lumen & Loom",
                    proof=sale.number,
                    registered_at=min(sale.delivered_at + timedelta(days=2), world.today),
                )


def _answer_cases(world: World, dice: Random) -> None:
    """Let people answer sooner or later than promised, and some cases come back."""
    for row in world.rows[Case]:
        if row.get("first_response_at") is None:
            continue
        opened, due = row["created_at"], row["first_response_due"]
        answered: datetime = opened + (due - opened) * dice.uniform(0.05, 1.15)
        ends = [row.get("resolved_at"), row.get("waiting_since"), world.today]
        row["first_response_at"] = min(answered, *(end for end in ends if end is not None))
        world.note(Case, row["id"], "case_answered", row["first_response_at"], actor="staff:1")
        done = row["state"] in {CaseState.RESOLVED, CaseState.CLOSED}
        row["reopened"] = int(done and dice.random() < 0.06)  # noqa: PLR2004
