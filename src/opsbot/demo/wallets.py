"""How the customers of the sample shop pay, and where else they have things sent."""

from datetime import timedelta
from random import Random

from opsbot.commerce.customers import Address
from opsbot.commerce.orders import Order
from opsbot.commerce.payment_methods import CreditEntry, CreditReason, MethodKind, PaymentMethod
from opsbot.commerce.payments import Payment
from opsbot.demo.world import Person, World

_OFFICE = {
    "line1": "Sonnenallee 5",
    "line2": "2nd floor",
    "city": "Berlin",
    "region": None,
    "postal_code": "12047",
    "country": "DE",
}
"""Where Ada works."""
_GIFT_MINOR = 5000
"""What a gift card is bought for."""


def add_wallets(world: World, seed: int) -> None:
    """Store the payment methods that orders were paid by, and some more.

    The dice are its own, so that the year is the same with it and without it.
    """
    dice = Random(seed + 1)  # noqa: S311  (a simulation must repeat itself)
    ada = world.people[0]
    stored = {
        (person.id, kind): _add(world, person, kind, dice)
        for person in world.people
        for kind in _kinds(person, dice, ada)
    }
    buyers = {row["id"]: row["customer_id"] for row in world.rows[Order]}
    for row in world.rows[Payment]:
        row["payment_method_id"] = stored.get((buyers[row["order_id"]], row["method"]))
    gift = _add(world, ada, MethodKind.GIFT_CARD, dice)
    _enter(world, gift, _GIFT_MINOR, CreditReason.ISSUED, 90)
    _enter(world, gift, -1640, CreditReason.SPENT, 40)
    credit = _add(world, ada, MethodKind.STORE_CREDIT, dice)
    _enter(world, credit, 1260, CreditReason.ISSUED, 60)
    world.add(Address, customer_id=ada.id, name=ada.name, is_default=False, **_OFFICE)


def _kinds(person: Person, dice: Random, ada: Person) -> list[MethodKind]:
    kinds = [MethodKind.CARD, MethodKind.PAYPAL]
    if person.business:
        kinds.append(MethodKind.INVOICE)
    elif person is not ada and dice.random() < 0.3:  # noqa: PLR2004  (three of ten)
        kinds.pop(dice.randrange(2))
    return kinds


def _add(world: World, person: Person, kind: MethodKind, dice: Random) -> int:
    number = dice.randrange(10_000)
    has_number = kind in {MethodKind.CARD, MethodKind.GIFT_CARD}
    return world.add(
        PaymentMethod,
        customer_id=person.id,
        kind=kind,
        reference=f"{kind}-{person.id}-{len(world.rows[PaymentMethod]) + 1}",
        brand=dice.choice(["visa", "mastercard"]) if kind is MethodKind.CARD else None,
        last4=f"{number:04}" if has_number else None,
        currency="EUR",
        balance_minor=0,
        active=True,
        created_at=person.since,
    )


def _enter(world: World, method: int, amount: int, reason: CreditReason, days: int) -> None:
    world.rows[PaymentMethod][method - 1]["balance_minor"] += amount
    world.add(
        CreditEntry,
        payment_method_id=method,
        amount_minor=amount,
        reason=reason,
        reference="bought in the store" if amount > 0 else "Berlin store",
        actor="system",
        at=world.today - timedelta(days=days),
    )
