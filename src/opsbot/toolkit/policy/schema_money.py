"""What may stand in refunds.yaml and loyalty.yaml."""

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from opsbot.commerce.orders import SalesChannelKind
from opsbot.staff import Role
from opsbot.toolkit.policy.schema import ClauseId, Days, Minor, Months, PolicyFile, Rules

Points = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]
Payer = Role | Literal["assistant"]
"""Who pays out: a role, or the assistant by itself."""
Limits = dict[Payer, Minor | None]
"""Most that each may pay out, in minor units; None: no limit. Who is not named may pay nothing."""


class GoodwillKind(StrEnum):
    """What is given without being owed."""

    STORE_CREDIT = "store_credit"
    POINTS = "points"
    SHIPPING_REFUND = "shipping_refund"


class Goodwill(Rules):
    """What may be given without being owed."""

    max_minor: Limits
    """Of one gesture."""
    per_customer_minor: Minor
    """Of all gestures to one customer together."""
    within_days: Days
    kinds: tuple[GoodwillKind, ...] = Field(min_length=1)


class ApprovalRule(Rules):
    """What needs a second person."""

    tool: str = Field(pattern=r"^[a-z_]{3,40}$")
    over_minor: Minor | None = None
    """Only above this value."""
    result: str | None = None
    """Only for this outcome, such as `rejected`."""
    roles: tuple[Role, ...] = Field(min_length=1)
    """Somebody else with one of these must agree."""
    clause: ClauseId

    @model_validator(mode="after")
    def _has_a_condition(self) -> "ApprovalRule":
        if (self.over_minor is None) == (self.result is None):
            raise ValueError("an approval needs either over_minor or result")
        return self


class RefundsFile(PolicyFile):
    """refunds.yaml: for staff."""

    audience: Literal["staff"]
    limits_minor: Limits
    limit_days: Days
    """The limit counts for one order within so many days."""
    goodwill: Goodwill
    approvals: tuple[ApprovalRule, ...]

    @model_validator(mode="after")
    def _somebody_may_decide(self) -> "RefundsFile":
        for limits in (self.limits_minor, self.goodwill.max_minor):
            if None not in limits.values():
                raise ValueError("one role must have no limit (null)")
        if self.limits_minor.get("assistant"):
            raise ValueError("the assistant pays nothing out by itself: assistant must be 0")
        return self


def limit_of(limits: Limits, roles: Collection[str]) -> int | None:
    """Return what somebody with these roles may pay out; None: as much as they like."""
    own = [limit for payer, limit in limits.items() if payer in roles]
    return None if None in own else max((limit for limit in own if limit is not None), default=0)


class Earning(Rules):
    """How points are earned."""

    points_per_hundred: Points
    """For each 100 minor units (each euro) that was paid for goods."""
    channels: tuple[SalesChannelKind, ...]
    not_for_classes: tuple[str, ...] = ()


class Redeeming(Rules):
    """How points are used."""

    minor_per_point: Minor
    min_points: Points


class Tier(Rules):
    """A step of the programme."""

    name: str = Field(pattern=r"^[a-z]{2,20}$")
    from_points: Points
    free_returns: bool = False
    """The shop pays the return label."""
    early_access: bool = False


class LoyaltyFile(PolicyFile):
    """loyalty.yaml."""

    earn: Earning
    pending_until: Literal["return_window_end"]
    redeem: Redeeming
    expire_months: Months
    tiers: tuple[Tier, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _tiers_rise(self) -> "LoyaltyFile":
        starts = [tier.from_points for tier in self.tiers]
        if starts[0] != 0 or starts != sorted(set(starts)):
            raise ValueError("the tiers must begin at 0 and rise")
        return self

    def tier_of(self, points: int) -> Tier:
        """Return the tier that so many points make."""
        return next(tier for tier in reversed(self.tiers) if tier.from_points <= max(points, 0))

    def tier_named(self, name: str) -> Tier:
        """Return the tier called so; the first one for a name that is none."""
        return next((tier for tier in self.tiers if tier.name == name), self.tiers[0])
