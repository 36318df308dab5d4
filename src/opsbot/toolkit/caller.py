"""Who is asking. Set by a channel from a signed token or a session; never by a model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import IntEnum, StrEnum
from typing import Any


class Audience(StrEnum):
    """Who a tool or an article is for."""

    CUSTOMER = "customer"
    STAFF = "staff"


class Level(IntEnum):
    """How well a customer has proved who they are."""

    ANONYMOUS = 0
    ORDER = 1
    """Knows an order's number and its e-mail address or postcode."""
    SIGNED_IN = 2
    """The shop's signed token, or a one-time code sent by mail."""
    FRESH_CODE = 3
    """A one-time code within the last minutes, for risky changes."""


@dataclass(frozen=True)
class Caller:
    """One person, on one channel."""

    audience: Audience
    channel: str
    """`widget`, `email`, `console`, `terminal`, `api` or `mcp`."""
    level: Level = Level.ANONYMOUS
    customer_id: int | None = None
    """Set from level 2 on, and at level 1 to the owner of the proved order."""
    proved_order_id: int | None = None
    """At level 1: the one order that may be spoken about."""
    staff_id: int | None = None
    roles: frozenset[str] = frozenset()
    locale: str = "en"
    visitor: str = ""
    """Random id of somebody who has not signed in; tells visitors apart."""
    origin: str = ""
    """Network the request came from, such as `192.0.2.0/24`; empty where a channel knows none.
    Failed proofs are counted by it, over all conversations and visitors."""
    by_program: bool = False
    """A program acts with this person's token: it may propose a change, not confirm one."""

    @property
    def owner(self) -> str:
        """Whose conversations this person may read: `customer:12`, `staff:3`, `visitor:k8…`."""
        if self.staff_id is not None:
            return f"staff:{self.staff_id}"
        if self.level >= Level.SIGNED_IN and not self.visitor:
            return f"customer:{self.customer_id}"
        return f"visitor:{self.visitor}"

    @property
    def actor(self) -> str:
        """How audit and history name this person: `customer:12`, `staff:3`, `visitor`."""
        if self.staff_id is not None:
            return f"staff:{self.staff_id}"
        if self.customer_id is not None:
            return f"customer:{self.customer_id}"
        return "visitor"

    @property
    def is_staff(self) -> bool:
        """Whether this person works here."""
        return self.audience is Audience.STAFF

    def at_level(self, level: Level) -> "Caller":
        """Return the same person with a proof of `level`."""
        return replace(self, level=level)


def dump_caller(caller: Caller) -> dict[str, Any]:
    """Return a caller as plain values; what was begun for them can go on later."""
    return asdict(caller) | {"roles": sorted(caller.roles), "level": int(caller.level)}


def load_caller(values: Mapping[str, Any]) -> Caller:
    """Return the caller that `dump_caller` kept."""
    return Caller(
        **{
            **values,
            "audience": Audience(values["audience"]),
            "level": Level(values["level"]),
            "roles": frozenset(values["roles"]),
        }
    )
