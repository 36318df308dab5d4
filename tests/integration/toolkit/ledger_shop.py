"""Tools that need a second person or can be undone, and the people who use them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from sqlalchemy import select

from opsbot.commerce.effects import Effect
from opsbot.commerce.inventory import Location, MoveReason, levels_of, move
from opsbot.commerce.orders import find_order
from opsbot.commerce.payments import PaymentKind, payments_of, refund
from opsbot.commerce.records import record_event
from opsbot.errors import NotFoundError
from opsbot.staff import Staff
from opsbot.toolkit.audit import AuditEvent
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.results import Approval, Change, Result, Undo
from opsbot.toolkit.tool import ToolContext, tool
from tests.factories import NOON
from tests.shop_fixtures import Shop

FREE = 2_000
"""Cents that a member of staff may give back alone."""
MUG = "LL-MUG-01-MOS"

Cents = Annotated[int, Field(ge=1, le=1_000_000)]


def _give_back(ctx: ToolContext, order_number: str, cents: int) -> Change:
    order = find_order(ctx.session, order_number, customer_id=ctx.caller.customer_id)

    def apply() -> Result:
        [payment] = refund(ctx.session, order, cents, reference="goodwill", now=ctx.now)
        record_event(ctx.session, payment, "given_back", actor=ctx.caller.actor, at=ctx.now)
        return Result(f"{cents} cents went back on {order.number}.")

    approval = Approval(("lead", "manager"), f"above {FREE} cents") if cents > FREE else None
    return Change(
        title=f"Give {cents} cents back on {order.number}?",
        details=[f"{cents} cents go back."],
        button="Give it back",
        basis={"version": order.version, "cents": cents},
        apply=apply,
        approval=approval,
    )


@tool(examples=["give back"], label="Giving back", audience=Audience.STAFF, effect="write")
def give_back(ctx: ToolContext, order_number: str, cents: Cents) -> Change:
    """Give money back on an order."""
    return _give_back(ctx, order_number, cents)


@tool(examples=["ask back"], label="Asking back", level=Level.SIGNED_IN, effect="write")
def ask_back(ctx: ToolContext, order_number: str, cents: Cents) -> Change:
    """Ask for money back on an order."""
    return _give_back(ctx, order_number, cents)


@tool(
    examples=["count stock"],
    label="Counting",
    audience=Audience.STAFF,
    effect="write",
    roles=("ops",),
)
def change_stock(ctx: ToolContext, sku: str, units: int) -> Change:
    """Put units on the shelf, or take them off."""
    shelf = ctx.session.scalars(select(Location)).first()
    if shelf is None:
        raise NotFoundError("location", "any")

    def apply() -> Result:
        reason, by = MoveReason.ADJUST, ctx.caller.actor
        move(ctx.session, sku, shelf.id, units, reason=reason, reference="x", actor=by, at=ctx.now)
        return Result(f"{units:+} of {sku}.")

    return Change(
        title=f"Change the stock of {sku} by {units}?",
        details=[f"{units:+}"],
        button="Change it",
        basis={"on_hand": on_hand_in(ctx, sku)},
        apply=apply,
        undo=Undo("change_stock", {"sku": sku, "units": -units}),
    )


TOOLS: Mapping[str, AnyTool] = {
    "give_back": give_back,
    "ask_back": ask_back,
    "change_stock": change_stock,
}


def on_hand_in(ctx: ToolContext, sku: str) -> int:
    """Return the units of an item that a tool sees on all shelves."""
    return sum(level.on_hand for level in levels_of(ctx.session, sku))


@dataclass(frozen=True)
class People:
    """Who works at the shop: Mara and Ben answer mails, Lena leads, Otto keeps the shelves."""

    mara: Caller
    ben: Caller
    lena: Caller
    otto: Caller


def add_people(shop: Shop) -> People:
    """Store the members of staff and return them as they sign in."""
    roles = {"Mara": ["agent"], "Ben": ["agent", "manager"], "Lena": ["lead"], "Otto": ["ops"]}
    with shop.database.write() as session:
        staff = [
            Staff(email=f"{name}@shop.example".lower(), name=name, password_hash="", roles=held)
            for name, held in roles.items()
        ]
        session.add_all(staff)
        session.flush()
        return People(*(_caller(person) for person in staff))


def _caller(person: Staff) -> Caller:
    return Caller(
        Audience.STAFF,
        "console",
        Level.SIGNED_IN,
        staff_id=person.id,
        roles=frozenset(person.roles),
    )


def refunds_of(shop: Shop, number: str) -> list[int]:
    """Return the refunds in the ledger of an order."""
    order = shop.order(number)
    with shop.database.read() as session:
        ledger = payments_of(session, order.id)
    return [line.amount_minor for line in ledger if line.kind is PaymentKind.REFUND]


def effects_of(shop: Shop) -> list[str]:
    """Return the keys of what shall happen outside."""
    with shop.database.read() as session:
        return list(session.scalars(select(Effect.key).order_by(Effect.id)))


def audit_of(shop: Shop) -> Iterator[AuditEvent]:
    """Return what the audit says, oldest first."""
    with shop.database.read() as session:
        yield from session.scalars(select(AuditEvent).order_by(AuditEvent.number))


def stock_of(shop: Shop, sku: str = MUG) -> int:
    """Return the units of an item on all shelves."""
    with shop.database.read() as session:
        return sum(level.on_hand for level in levels_of(session, sku))


__all__ = ["FREE", "MUG", "NOON", "TOOLS", "People"]
