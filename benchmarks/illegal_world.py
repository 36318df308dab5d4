"""The people, orders, tokens and proposals that illegal calls are made with."""

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
import sqlalchemy as sa
from fastapi.testclient import TestClient

from opsbot.channels.dependencies import staff_caller
from opsbot.channels.identity import sign_customer
from opsbot.channels.services import Services
from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order
from opsbot.errors import OpsbotError
from opsbot.staff import Role, Staff, make_staff
from opsbot.staff_tokens import make_token, revoke_token
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.proposals import Preview, Proposal

MOST_CUSTOMERS = 150
QUARTER = timedelta(minutes=16)
"""After this time every preview has expired."""


@dataclass(frozen=True)
class OrderFacts:
    """What an illegal call must know of an order."""

    id: int
    number: str
    state: str


@dataclass(frozen=True)
class Person:
    """Somebody with an own token."""

    caller: Caller
    number: str = ""
    """Of a customer."""
    orders: Sequence[OrderFacts] = ()
    token: str = ""
    """Of a member of staff."""

    @property
    def sendable(self) -> bool:
        """Whether this person can come over HTTP."""
        return bool(self.number or self.token)


@dataclass(frozen=True)
class Kept:
    """A proposal, and what has become of it."""

    id: str
    person: Person
    state: str


@dataclass
class World:
    """All that illegal calls are made of."""

    services: Services
    client: TestClient
    moment: list[datetime]
    rng: random.Random
    tools: Mapping[str, AnyTool]
    customers: list[Person] = field(default_factory=list)
    """Each with at least one order."""
    staff: list[Person] = field(default_factory=list)
    """One for each role."""
    proposals: list[Kept] = field(default_factory=list)
    revoked: str = ""
    """A staff token that was revoked."""

    def pick(self, fits: Callable[[AnyTool], bool]) -> AnyTool:
        """Return one of the tools that fit."""
        return self.rng.choice([tool for _, tool in sorted(self.tools.items()) if fits(tool)])

    def headers(self, person: Person) -> dict[str, str]:
        """Return the headers of a person's own, right token."""
        token = person.token
        if person.number:
            token = sign_customer(self.services.settings, person.number, now=self.moment[0])
        return {"authorization": f"Bearer {token}"}

    def forge(self) -> dict[str, str]:
        """Return headers with a proof that proves nothing."""
        number = self.rng.choice(self.customers).number
        at = self.moment[0]
        right: dict[str, Any] = {
            "sub": number,
            "aud": "opsbot",
            "iat": int(at.timestamp()),
            "exp": int((at + timedelta(minutes=5)).timestamp()),
        }
        key = self._key()
        header, body, signature = sign_customer(self.services.settings, number, now=at).split(".")
        tokens = [
            jwt.encode(right, "", algorithm="none"),
            jwt.encode(right, "another key that is long enough, too", algorithm="HS256"),
            jwt.encode(right, key + key, algorithm="HS512"),
            _sign(key, right, exp=right["iat"] - 1),
            _sign(key, right, aud="another"),
            _sign(key, right, iat=right["iat"] + 3600, exp=right["iat"] + 3900),
            _sign(key, right, exp=right["iat"] + 86_400),
            _sign(key, right, sub="C-999999"),
            *(_sign(key, {k: v for k, v in right.items() if k != gone}) for gone in right),
            f"{header}.{body}.",
            f"{header}.{body}.{signature[::-1]}",
            f"{header}.{body[:-4]}AAAA.{signature}",
            "opsbot_" + secrets.token_urlsafe(32),
            "opsbot_",
            self.revoked,
            "a.b.c",
            "x" * 5000,
        ]
        kind = self.rng.random()
        if kind < 0.8:  # noqa: PLR2004
            return {"authorization": f"Bearer {self.rng.choice(tokens)}"}
        if kind < 0.9:  # noqa: PLR2004
            return {
                "authorization": self.rng.choice(["Basic YTpi", "Bearer", "token x", "Bearer "])
            }
        return {"x-opsbot-visitor": self.rng.choice(["forged", "a.b", "x" * 900])}

    def _key(self) -> str:
        settings = self.services.settings
        return (settings.identity_key or settings.secret_key).get_secret_value()


def make_world(
    services: Services,
    client: TestClient,
    moment: list[datetime],
    tools: Mapping[str, AnyTool],
    seed: int,
) -> World:
    """Find customers with orders, employ one person for each role, and leave proposals behind."""
    world = World(services, client, moment, random.Random(seed), tools)  # noqa: S311  (no secret)
    world.customers = _find_customers(services)
    world.staff = _employ(world)
    _leave_proposals(world)
    return world


def _find_customers(services: Services) -> list[Person]:
    with services.database.read() as session:
        rows = session.execute(
            sa.select(Customer.id, Customer.number, Order.id, Order.number, Order.state)
            .join(Order, Order.customer_id == Customer.id)
            .where(Customer.anonymized_at.is_(None))
            .order_by(Order.placed_at.desc())
        ).all()
    orders: dict[tuple[int, str], list[OrderFacts]] = {}
    for customer_id, customer, order_id, order, state in rows:
        orders.setdefault((customer_id, customer), []).append(
            OrderFacts(order_id, order, str(state))
        )
    return [
        Person(
            Caller(Audience.CUSTOMER, "api", Level.SIGNED_IN, customer_id=customer_id),
            number=number,
            orders=tuple(owned),
        )
        for (customer_id, number), owned in list(orders.items())[:MOST_CUSTOMERS]
    ]


def _employ(world: World) -> list[Person]:
    people = []
    now = world.moment[0]
    with world.services.database.write() as session:
        for role in Role:
            email = f"{role}-{secrets.token_hex(3)}@illegal.example"
            member = make_staff(email=email, name=role, password="x" * 20, roles=[role])
            session.add(member)
            session.flush()
            token = make_token(session, member, "program", now=now)
            caller = staff_caller(member, channel="console")
            people.append(Person(caller, token=token))
        last = session.scalars(sa.select(Staff).order_by(Staff.id.desc()).limit(1)).one()
        world.revoked = make_token(session, last, "old", now=now)
        revoke_token(session, last, "old", now=now)
    return people


def _leave_proposals(world: World) -> None:
    """Propose changes as one may; do some, drop some, let others get stale, old or broken."""
    states = ("open", "executed", "dropped", "stale", "tampered", "expired")
    old, fresh = list[tuple[Kept, OrderFacts]](), list[tuple[Kept, OrderFacts]]()
    open_ones = [(p, o) for p in world.customers for o in p.orders if o.state == "confirmed"]
    world.rng.shuffle(open_ones)
    for number, (person, order) in enumerate(open_ones[:36]):
        arguments = {"order_number": order.number}
        run = world.services.executor.run
        try:
            preview = run(person.caller, "cancel_order", arguments, now=world.moment[0])
        except OpsbotError:  # packed already
            continue
        if isinstance(preview, Preview):
            state = states[number % len(states)]
            (old if state == "expired" else fresh).append((Kept(preview.id, person, state), order))
    _spoil(world, fresh)
    world.moment[0] += QUARTER
    world.proposals = [kept for kept, _ in (*old, *fresh)]
    # What was open has expired with the rest; leave some that are open, to be found by others.
    for kept, order in [one for one in old if one[0].state == "expired"]:
        again = world.services.executor.run(
            kept.person.caller, "cancel_order", {"order_number": order.number}, now=world.moment[0]
        )
        if isinstance(again, Preview):
            world.proposals.append(Kept(again.id, kept.person, "open"))


def _spoil(world: World, proposals: Sequence[tuple[Kept, OrderFacts]]) -> None:
    executor, now = world.services.executor, world.moment[0]
    for kept, order in proposals:
        caller = kept.person.caller
        if kept.state == "executed":
            executor.confirm(caller, kept.id, now=now)
        elif kept.state == "dropped":
            executor.cancel(caller, kept.id, now=now)
        elif kept.state in {"stale", "tampered"}:
            with world.services.database.write() as session:
                _change(session, kept, order)
            if kept.state == "stale":
                # The first confirmation finds the new facts and does nothing; so do later ones.
                executor.confirm(caller, kept.id, now=now)


def _change(session: Any, kept: Kept, order: OrderFacts) -> None:
    if kept.state == "stale":
        bump = sa.update(Order).where(Order.id == order.id).values(version=Order.version + 1)
        session.execute(bump)
        return
    proposal = session.get_one(Proposal, kept.id)
    proposal.arguments = {**proposal.arguments, "order_number": "#1001"}


def _sign(key: str, claims: Mapping[str, Any], **changed: Any) -> str:
    return jwt.encode({**claims, **changed}, key, algorithm="HS256")
