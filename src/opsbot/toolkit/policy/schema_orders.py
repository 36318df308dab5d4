"""What may stand in orders.yaml and delivery.yaml."""

from datetime import time
from enum import StrEnum

from pydantic import Field

from opsbot.commerce.orders import OrderState
from opsbot.toolkit.policy.schema import Country, Days, Minor, PolicyFile, Rules


class Cancellation(Rules):
    """Until when an order may be cancelled."""

    free_in_states: tuple[OrderState, ...] = Field(min_length=1)
    made_to_order_until: time
    """On the working day after the order, in the shop's time zone."""
    partial_lines: bool = True
    """Whether single items, and some pieces of an item, may be cancelled."""


class AddressChange(Rules):
    """Until when an order may be sent elsewhere."""

    allowed_in_states: tuple[OrderState, ...] = Field(min_length=1)
    same_country_only: bool
    redirect_minor: Minor


class OrdersFile(PolicyFile):
    """orders.yaml."""

    cancellation: Cancellation
    address_change: AddressChange


class ByDistance(Rules):
    """Days within the home country, and abroad."""

    domestic: Days
    international: Days


class ClaimStep(StrEnum):
    """What is done before a claim about a delivery is settled."""

    CHECK_SAFE_PLACE = "check_safe_place"
    WAIT = "wait"
    DECLARATION = "declaration"
    TRACE = "trace"
    PHOTO = "photo"
    KEEP_PACKAGING = "keep_packaging"


class ClaimResolution(StrEnum):
    """How a claim about a delivery is settled."""

    RESEND = "resend"
    REFUND = "refund"
    SEND_PART = "send_part"


class ClaimRule(Rules):
    """What follows when something is wrong with a delivery."""

    steps: tuple[ClaimStep, ...] = ()
    resolutions: tuple[ClaimResolution, ...] = Field(min_length=1)
    """What the customer may choose, in the order it is offered."""


class ClaimRules(Rules):
    """By what is wrong; a late parcel that counts as lost has rules of its own."""

    late: ClaimRule
    lost: ClaimRule
    not_received: ClaimRule
    missing: ClaimRule
    damaged: ClaimRule
    wrong: ClaimRule


class DeliveryFile(PolicyFile):
    """delivery.yaml."""

    home_country: Country
    late_after_days: ByDistance
    lost_after_days: ByDistance
    not_received_within_days: Days
    damage_within_days: Days
    surcharge_minor: dict[str, dict[Country, Minor]] = Field(default_factory=dict)
    """What goods of a return class cost more to send, by country, else by region."""
    wait_days: Days
    """How long to wait for a parcel that is called delivered and is not there."""
    claims: ClaimRules
