"""Our own CSV of products, customers and stock: a line per record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce import inventory
from opsbot.commerce.customers import Customer
from opsbot.commerce.inventory import Location, MoveReason, StockLevel
from opsbot.commerce.products import Item, ItemStatus
from opsbot.connectors.bulk import IMPORTED, STANDARD, add_customers, known_of
from opsbot.connectors.files import Group
from opsbot.connectors.foreign import ForeignCustomer
from opsbot.connectors.tables import Row
from opsbot.connectors.values import (
    read_count,
    read_country,
    read_email,
    read_money,
    read_optional,
    read_text,
)
from opsbot.connectors.writing import Deed, Outcome
from opsbot.errors import ConflictError, InvalidInputError

YES = frozenset({"1", "true", "yes", "y"})


def _change(row: Any, values: dict[str, Any]) -> Outcome:
    """Set what differs; what a file does not say stays as it is."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return Outcome(Deed.CHANGED if changed else Deed.UNCHANGED)


@dataclass
class ProductsFile:
    """Reads `sku, title, price, …` into items."""

    source: str
    currency: str
    decimal: str | None
    now: datetime
    what: str = "product"
    needs: Sequence[str] = ("sku", "title", "price")

    def key(self, row: Row) -> str:
        """Return the item number."""
        return read_text(row.get("sku"), "The item number", limit=64)

    def read(self, rows: Sequence[Row], refuse: Callable[[Row, str], None]) -> dict[str, Any]:
        """Return the columns that the file says."""
        row = _single(rows)
        currency = row.get("currency").upper() or self.currency
        values: dict[str, Any] = {
            "sku": self.key(row),
            "title": read_text(row.get("title"), "The title"),
            "price_minor": read_money(row.get("price"), currency, decimal=self.decimal),
            "currency": currency,
        }
        if values["price_minor"] < 0:
            raise InvalidInputError("The price is below zero.")
        if row.get("cost"):
            values["cost_minor"] = read_money(row.get("cost"), currency, decimal=self.decimal)
        for name in ("category", "return_class", "variant_of"):
            if row.get(name):
                values[name] = read_text(row.get(name), f"The {name.replace('_', ' ')}", limit=64)
        for name in ("weight_g", "warranty_months", "lead_time_days"):
            if row.get(name):
                values[name] = read_count(row.get(name), name=name, least=0)
        for name in ("manufactured", "sellable"):
            if row.get(name):
                values[name] = row.get(name).lower() in YES
        if row.get("status"):
            values["status"] = _status(row.get("status"))
        return values

    def store(
        self, session: Session, groups: Sequence[Group], refuse: Callable[[Row, str], None]
    ) -> list[Outcome]:
        """Make new items, and change what differs in the known ones."""
        skus = [group.key for group in groups]
        known = {item.sku: item for item in session.scalars(select(Item).where(Item.sku.in_(skus)))}
        parents = {g.record["variant_of"] for g in groups if "variant_of" in g.record}
        there = known_of(session, Item.sku, parents) | set(skus)
        return [self._store(session, group.record, known, there) for group in groups]

    def _store(
        self, session: Session, values: dict[str, Any], known: dict[str, Item], there: set[str]
    ) -> Outcome:
        parent = values.get("variant_of")
        if parent is not None and (parent not in there or parent == values["sku"]):
            return Outcome(Deed.REFUSED, f"It is a variant of {parent}, which is not known.")
        if (item := known.get(values["sku"])) is not None:
            if item.currency != values["currency"]:
                return Outcome(Deed.REFUSED, f"Here it is priced in {item.currency}.")
            return _change(item, values)
        defaults = {
            "options": {},
            "category": IMPORTED,
            "return_class": STANDARD,
            "cost_minor": 0,
            "weight_g": 0,
            "manufactured": False,
            "sellable": True,
            "status": ItemStatus.ACTIVE,
            "warranty_months": 0,
            "lead_time_days": 0,
            "created_at": self.now,
            "source": self.source,
            "external_id": values["sku"],
        }
        session.add(Item(**(defaults | values)))
        return Outcome(Deed.ADDED)


def _status(text: str) -> ItemStatus:
    try:
        return ItemStatus(text.lower())
    except ValueError as error:
        words = ", ".join(ItemStatus)
        raise InvalidInputError(f"The status {text[:20]!r} is none of {words}.") from error


@dataclass
class CustomersFile:
    """Reads `email, name, country, …` into customers."""

    source: str
    now: datetime
    what: str = "customer"
    needs: Sequence[str] = ("email", "name", "country")

    def key(self, row: Row) -> str:
        """Return the e-mail address."""
        return read_email(row.get("email"))

    def read(self, rows: Sequence[Row], refuse: Callable[[Row, str], None]) -> ForeignCustomer:
        """Return one customer."""
        row = _single(rows)
        return ForeignCustomer(
            email=self.key(row),
            name=read_text(row.get("name"), "The name"),
            country=read_country(row.get("country")),
            phone=read_optional(row.get("phone"), "The phone number"),
            company=read_optional(row.get("company"), "The company"),
            external_id=read_optional(row.get("id"), "The id"),
        )

    def store(
        self, session: Session, groups: Sequence[Group], refuse: Callable[[Row, str], None]
    ) -> list[Outcome]:
        """Make new customers, and change what differs in the known ones."""
        emails = [group.key for group in groups]
        found = session.scalars(select(Customer).where(Customer.email.in_(emails)))
        known = {customer.email: customer for customer in found}
        new = {g.key: g.record for g in groups if g.key not in known}
        add_customers(session, self.source, new, dict.fromkeys(new, self.now))
        outcomes = []
        for group in groups:
            if (customer := known.get(group.key)) is None:
                outcomes.append(Outcome(Deed.ADDED))
            elif customer.anonymized_at is not None:
                outcomes.append(Outcome(Deed.REFUSED, "This customer asked to be forgotten."))
            else:
                outcomes.append(_change(customer, _said(group.record)))
        return outcomes


def _said(who: ForeignCustomer) -> dict[str, Any]:
    values = {"name": who.name, "country": who.country, "phone": who.phone, "company": who.company}
    return {name: value for name, value in values.items() if value is not None}


@dataclass
class StockFile:
    """Reads `sku, location, on_hand`: what was counted."""

    source: str
    now: datetime
    what: str = "count"
    needs: Sequence[str] = ("sku", "location", "on_hand")

    def key(self, row: Row) -> str:
        """Return item and location."""
        sku = read_text(row.get("sku"), "The item number", limit=64)
        return f"{sku} at {read_text(row.get('location'), 'The location', limit=40)}"

    def read(self, rows: Sequence[Row], refuse: Callable[[Row, str], None]) -> tuple[str, str, int]:
        """Return item, code of the location, and units."""
        row = _single(rows)
        sku, _, location = self.key(row).rpartition(" at ")
        return sku, location, read_count(row.get("on_hand"), name="The stock", least=0)

    def store(
        self, session: Session, groups: Sequence[Group], refuse: Callable[[Row, str], None]
    ) -> list[Outcome]:
        """Write the difference to what we have as a count."""
        rows = session.execute(select(Location.code, Location.id))
        places = {code: key for code, key in rows}  # noqa: C416  (dict() takes a result's keys)
        skus = known_of(session, Item.sku, {group.record[0] for group in groups})
        return [self._store(session, group.record, places, skus) for group in groups]

    def _store(
        self,
        session: Session,
        count: tuple[str, str, int],
        places: dict[str, int],
        skus: set[str],
    ) -> Outcome:
        sku, code, units = count
        if sku not in skus or code not in places:
            what = f"location {code}" if sku in skus else f"item {sku}"
            return Outcome(Deed.REFUSED, f"There is no {what} here.")
        level = session.get(StockLevel, (sku, places[code]))
        difference = units - (level.on_hand if level else 0)
        if not difference:
            return Outcome(Deed.UNCHANGED)
        try:
            with session.begin_nested():
                inventory.move(
                    session,
                    sku,
                    places[code],
                    difference,
                    reason=MoveReason.COUNT,
                    reference=f"import {self.source}",
                    actor=f"source:{self.source}",
                    at=self.now,
                )
        except ConflictError:
            held = level.reserved if level else 0
            return Outcome(Deed.REFUSED, f"{held} units are held back for orders; {units} is less.")
        return Outcome(Deed.ADDED if level is None else Deed.CHANGED)


def _single(rows: Sequence[Row]) -> Row:
    if len(rows) > 1:
        raise InvalidInputError(f"It stands in the file {len(rows)} times.")
    return rows[0]
