"""Calls of any tool that changes something, about records of the sample shop in any state."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from opsbot.commerce.cases import Case
from opsbot.commerce.improvements import Improvement
from opsbot.commerce.inventory import Location
from opsbot.commerce.lots import Lot
from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.production import WorkCenter, WorkOrder
from opsbot.commerce.products import Item
from opsbot.commerce.purchasing import PurchaseOrder, Supplier
from opsbot.commerce.returns import Return
from opsbot.db import Database
from opsbot.drafts.models import Draft
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.loading import AnyTool

RECORDS: Mapping[str, sa.Select[Any]] = {
    "return_number": sa.select(Return.number),
    "purchase_order_number": sa.select(PurchaseOrder.number),
    "work_order_number": sa.select(WorkOrder.number),
    "lot_number": sa.select(Lot.number),
    "case_number": sa.select(Case.number),
    "matter": sa.select(Case.number),
    "place": sa.select(Location.name),
    "source_place": sa.select(Location.name),
    "target_place": sa.select(Location.name),
    "supplier": sa.select(Supplier.name),
    "component": sa.select(Item.sku),
    "made_item": sa.select(Item.sku),
    "item": sa.select(Item.sku),
    "variant": sa.select(Item.sku),
    "work_center": sa.select(WorkCenter.name),
    "draft_number": sa.select(Draft.id),
    "improvement": sa.select(sa.literal("IM-") + sa.cast(Improvement.id, sa.String)),
}
WORDS: Mapping[str, tuple[str, ...]] = {
    "address": ("Sonnenallee 5, 12047 Berlin", "Marienplatz 1, 80331 Munich", "1010 Wien"),
    "payment_method": ("PayPal", "gift card", "card", "store credit", "original"),
    "serial": ("TIDE20931", "ABC12345"),
    "bought": ("2026-10-03",),
}
NUMBERS = (1, 2, 5, 20, 100, 1000)


@dataclass(frozen=True)
class Subject:
    """An order that a call is about, and whose it is."""

    order: str
    customer_id: int
    returns: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    """Items of the same products."""


@dataclass
class RandomCalls:
    """Makes calls that a person could make: mostly of the right shape, about any record."""

    database: Database
    rng: random.Random
    staff: Caller
    _known: dict[str, list[Any]] = field(default_factory=dict)

    def make(self, tool: AnyTool) -> tuple[Caller, dict[str, Any]]:
        """Return who calls a tool, and with what."""
        subject = self._subject()
        caller = self.staff
        if tool.audience is Audience.CUSTOMER:
            level = Level.FRESH_CODE
            caller = Caller(Audience.CUSTOMER, "widget", level, customer_id=subject.customer_id)
        schema = tool.schema["function"]["parameters"]
        required = schema.get("required", ())
        arguments = {
            name: self._value(name, shape, schema.get("$defs", {}), subject, tool)
            for name, shape in schema.get("properties", {}).items()
            if name in required or self.rng.random() < 0.5
        }
        return caller, arguments

    def _subject(self) -> Subject:
        """Choose an order: each state as often as any other, however rare."""
        with self.database.read() as session:
            rows = session.execute(sa.select(Order.id, Order.state, Order.on_hold)).all()
            kinds = sorted({(str(state), held) for _, state, held in rows})
            kind = self.rng.choice(kinds)
            chosen = [key for key, state, held in rows if (str(state), held) == kind]
            order = session.get_one(Order, self.rng.choice(chosen))
            lines = sa.select(OrderLine.title, OrderLine.sku).where(OrderLine.order_id == order.id)
            titles, skus = zip(*session.execute(lines).all(), strict=True)
            product = sa.select(Item.variant_of).where(Item.sku.in_(skus))
            returns = sa.select(Return.number).where(Return.order_id == order.id)
            variants = sa.select(Item.sku).where(Item.variant_of.in_(product))
            return Subject(
                order.number,
                order.customer_id,
                tuple(session.scalars(returns)),
                titles,
                tuple(session.scalars(variants)),
            )

    def _value(
        self, name: str, shape: Mapping[str, Any], defs: Mapping[str, Any], about: Subject,
        tool: AnyTool,
    ) -> Any:  # fmt: skip
        shape = _plain(shape, defs)
        kind = (shape.get("x-argument") or {}).get("kind", "")
        if "enum" in shape:
            return self.rng.choice(shape["enum"])
        many = shape.get("type") == "array"
        if shape.get("type") in {"integer", "number"}:
            least, most = shape.get("minimum", 1), shape.get("maximum", NUMBERS[-1])
            return min(most, max(least, self.rng.choice(NUMBERS)))
        if shape.get("type") == "boolean":
            return self.rng.random() < 0.5
        value = self._words(name, kind, about, tool)
        return [value] if many else value

    def _words(self, name: str, kind: str, about: Subject, tool: AnyTool) -> Any:
        own: dict[str, tuple[Any, ...]] = {
            "order_number": (about.order,),
            "variant": about.variants,
        }
        if tool.audience is Audience.CUSTOMER:
            own |= {"return_number": about.returns}
        if name == "items":
            own |= {"item": about.titles}
        return self.rng.choice(own.get(kind) or WORDS.get(kind) or self._records(kind) or [name])

    def _records(self, kind: str) -> list[str]:
        if kind not in RECORDS:
            return []
        with self.database.read() as session:
            return [str(value) for value in session.scalars(RECORDS[kind])]


def _plain(shape: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references, and of alternatives take the one that is not null."""
    if "$ref" in shape:
        return _plain({**defs[shape["$ref"].rpartition("/")[2]], **_rest(shape, "$ref")}, defs)
    for many in ("anyOf", "allOf"):
        if many in shape:
            inner = next(one for one in shape[many] if one.get("type") != "null")
            return _plain({**inner, **_rest(shape, many)}, defs)
    return shape


def _rest(shape: Mapping[str, Any], without: str) -> dict[str, Any]:
    return {key: value for key, value in shape.items() if key != without}
