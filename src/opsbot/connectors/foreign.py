"""What other systems know, in our words: the one shape that every source is read into."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from opsbot.connectors.values import LARGEST_MINOR
from opsbot.errors import InvalidInputError
from opsbot.formats import format_money


@dataclass(frozen=True, kw_only=True)
class ForeignCustomer:
    """Who bought. Without an e-mail address the source's own id tells people apart."""

    name: str
    country: str
    email: str | None = None
    external_id: str | None = None
    phone: str | None = None
    company: str | None = None
    since: datetime | None = None

    def address(self, source: str) -> str:
        """Return the e-mail address, or one that no mail can ever reach."""
        return self.email or f"{self.external_id or 'guest'}@{source}.invalid".lower()


@dataclass(frozen=True, kw_only=True)
class ForeignLine:
    """One item of an order; prices are gross."""

    sku: str
    title: str
    unit_price_minor: int
    quantity: int
    discount_minor: int = 0
    cancelled: int = 0
    """Units that will not be sent."""
    personalization: str | None = None


@dataclass(frozen=True, kw_only=True)
class Money:
    """What was reserved, taken and given back, in minor units, altogether."""

    method: str = "unknown"
    authorized: int = 0
    captured: int = 0
    refunded: int = 0
    voided: bool = False
    captured_at: datetime | None = None
    """None: when the order was placed."""
    refunded_at: datetime | None = None
    """None: when the source last changed the order."""


@dataclass(frozen=True, kw_only=True)
class ForeignParcel:
    """One parcel of an order."""

    external_id: str
    units: Mapping[str, int]
    """How many of each item it holds."""
    packed_at: datetime
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    carrier: str = "unknown"
    service: str = ""
    tracking_number: str | None = None
    tracking_url: str | None = None
    message: str = "The shop reports that the parcel has left."
    delivery_message: str = "The shop reports that the parcel has arrived."


@dataclass(frozen=True, kw_only=True)
class ForeignReturn:
    """Units that came back. Their refund is part of the order's money."""

    external_id: str
    at: datetime
    units: Mapping[str, int]
    """How many of each item."""
    refund_minor: int = 0
    request_id: str = ""
    """The source's id of the return that was asked for before, where it says so."""


@dataclass(frozen=True, kw_only=True)
class ForeignOrder:
    """One order with all that its source knows about it."""

    external_id: str
    number: str
    """As customers read it here: `#1001`."""
    customer: ForeignCustomer
    currency: str
    lines: tuple[ForeignLine, ...]
    ship_to: Mapping[str, str | None]
    placed_at: datetime
    changed_at: datetime
    """When the source last changed it: an older state never overwrites a newer one."""
    shipping_minor: int = 0
    """Postage and other charges beside the goods."""
    tax_minor: int = 0
    """Contained in the other amounts."""
    total_minor: int | None = None
    """What the source says it costs; checked. None: it says nothing."""
    money: Money = Money()
    ready: bool = False
    """Whether the shop is going to send it: it is paid, or need not be."""
    parcels: tuple[ForeignParcel, ...] = ()
    returns: tuple[ForeignReturn, ...] = ()
    refunds: tuple[str, ...] = ()
    """The source's ids of what the refunded money is made of."""
    line_skus: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The item of each line, by the source's ids of lines; its returns name the lines alone."""
    cancelled_at: datetime | None = None
    cancel_reason: str = "The shop cancelled the order."

    @cached_property
    def items_minor(self) -> int:
        """The goods at their list prices."""
        return sum(line.unit_price_minor * line.quantity for line in self.lines)

    @cached_property
    def discount_minor(self) -> int:
        """What the lines are cheaper by."""
        return sum(line.discount_minor for line in self.lines)

    @property
    def total(self) -> int:
        """What the customer pays."""
        return self.items_minor - self.discount_minor + self.shipping_minor

    @cached_property
    def is_cancelled(self) -> bool:
        """Whether it ended before anything left, and no money stayed."""
        unsent = not any(parcel.shipped_at for parcel in self.parcels)
        settled = self.money.captured == self.money.refunded
        return self.cancelled_at is not None and unsent and settled

    @cached_property
    def is_delivered(self) -> bool:
        """Whether every unit that is to be sent has arrived."""
        wanted: dict[str, int] = {}
        for line in self.lines:
            wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity - line.cancelled
        for parcel in self.parcels:
            for sku, units in parcel.units.items() if parcel.delivered_at else ():
                wanted[sku] = wanted.get(sku, 0) - units
        return bool(self.parcels) and not any(wanted.values())

    @cached_property
    def digest(self) -> str:
        """What two readings of the same state have in common."""
        # The generated text of some hundred thousand lines would take longer than storing them.
        lines = [tuple(vars(line).values()) for line in self.lines]
        text = f"{replace(self, lines=())!r}{lines!r}"
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def check_order(order: ForeignOrder) -> None:
    """Refuse an order that our records could not hold whole.

    Raises:
        InvalidInputError: the text says what does not fit.
    """
    if not order.lines:
        raise InvalidInputError("The order holds no goods.")
    if any(line.unit_price_minor < 0 or line.quantity < 1 for line in order.lines):
        raise InvalidInputError("A line has a price or a quantity below what is possible.")
    if any(line.discount_minor < 0 for line in order.lines) or order.shipping_minor < 0:
        raise InvalidInputError("A discount or a charge is below zero.")
    if any(not 0 <= line.cancelled <= line.quantity for line in order.lines):
        raise InvalidInputError("More units are cancelled than were ordered.")
    if not 0 <= order.total <= LARGEST_MINOR or order.items_minor > LARGEST_MINOR:
        raise InvalidInputError("The order's total is more than can be recorded.")
    if order.total_minor is not None and order.total_minor != order.total:
        ours = format_money(order.total, order.currency)
        theirs = format_money(order.total_minor, order.currency)
        raise InvalidInputError(f"Its lines and charges make {ours}, and it says {theirs}.")
    if order.money.refunded > order.money.captured:
        raise InvalidInputError("More was refunded than was paid.")
    _check_units(order)


def _check_units(order: ForeignOrder) -> None:
    wanted: dict[str, int] = {}
    for line in order.lines:
        wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity - line.cancelled
    for parcel in order.parcels:
        for sku, units in parcel.units.items():
            wanted[sku] = wanted.get(sku, 0) - units
    short = [sku for sku, left in wanted.items() if left < 0]
    if short:
        raise InvalidInputError(f"Its parcels hold more of {short[0]} than was ordered.")


def spread(skus: Sequence[str], room: list[int], units: Mapping[str, int]) -> list[int]:
    """Share units of items out to lines, in order; a line takes what it has room for.

    Args:
        skus: the item of each line.
        room: units that each line can still take; what it takes is subtracted.
        units: units to share out, by item.

    Returns:
        Units for each line.
    """
    left = dict(units)
    shares = []
    for place, sku in enumerate(skus):
        share = min(left.get(sku, 0), room[place])
        left[sku] = left.get(sku, 0) - share
        room[place] -= share
        shares.append(share)
    return shares


def share_out(amount: int, weights: list[int]) -> list[int]:
    """Divide an amount by weights into whole parts that sum to it, the largest remainder first."""
    whole = sum(weights)
    if not whole:
        return [amount if place == 0 else 0 for place in range(len(weights))]
    parts = [amount * weight // whole for weight in weights]
    rests = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for place in rests[: amount - sum(parts)]:
        parts[place] += 1
    return parts
