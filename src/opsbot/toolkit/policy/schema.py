"""What may stand in knowledge/policies/*.yaml. A misspelled or unknown key is an error."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from opsbot.commerce.customers import CustomerKind
from opsbot.commerce.orders import SalesChannelKind
from opsbot.commerce.returns import Resolution, ReturnReason


class Party(StrEnum):
    """Who is at fault, or who pays."""

    CUSTOMER = "customer"
    SELLER = "seller"
    CARRIER = "carrier"


def _refuse_yaml_no(value: Any) -> Any:
    """YAML reads a bare NO (Norway) as false; say so instead of "not a string"."""
    if isinstance(value, bool):
        raise ValueError(  # noqa: TRY004  (pydantic collects only ValueError)
            'put the country code in quotes ("NO"): YAML reads NO as false'
        )
    return value


def _refuse_yaml_no_keys(value: Any) -> Any:
    return (
        {_refuse_yaml_no(key): v for key, v in value.items()} if isinstance(value, dict) else value
    )


Country = Annotated[
    str, BeforeValidator(_refuse_yaml_no), Field(pattern=r"^([A-Z]{2}|\*)$", strict=True)
]
"""ISO 3166 alpha-2, or `*` for everywhere else."""
MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Days = Annotated[int, Field(ge=0, le=3650, strict=True)]
Months = Annotated[int, Field(ge=0, le=240, strict=True)]
Percent = Annotated[int, Field(ge=0, le=100, strict=True)]
Minor = Annotated[int, Field(ge=0, le=10_000_000, strict=True)]
"""Cents."""
ClauseId = Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+$")]


class Rules(BaseModel):
    """Base of every part of a policy file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ClauseText(Rules):
    """A clause as a customer reads it."""

    id: ClauseId
    title: str = Field(min_length=3)
    text: str = Field(min_length=20)
    values: tuple[str, ...]
    """Dotted paths of the enforced values whose numbers the text names: all of them, no other."""


class PolicyFile(Rules):
    """What every policy file has."""

    title: str
    audience: Literal["public", "staff"]
    version: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    clauses: tuple[ClauseText, ...] = Field(min_length=1)


class Withhold(StrEnum):
    """Until what a refund after a withdrawal may be held back."""

    GOODS_RECEIVED = "goods_received"
    PROOF_OF_SENDING = "proof_of_sending"


class Withdrawal(Rules):
    """A legal right to step back from an online purchase. No fee may be kept then."""

    days: Days
    end_on_working_day: bool
    customers: tuple[CustomerKind, ...] = (CustomerKind.CONSUMER,)
    channels: tuple[SalesChannelKind, ...]
    exempt_classes: tuple[str, ...]
    exempt_when_opened: tuple[str, ...]
    send_back_within_days: Days
    refund_within_days: Days
    may_withhold_until: tuple[Withhold, ...] = ()
    postage: Party = Party.CUSTOMER
    """Who pays the way back; the customer may only be made to when told so before buying."""
    value_reduction: bool = True
    """Whether staff may take off what the goods lost by more than trying them out."""


class Guarantee(Rules):
    """A legal guarantee for goods that are not as promised."""

    months: Months
    presumed_months: Months
    extra_months_after_repair: Months
    reject_days: Days = 0
    """So long the money may be asked back at once, without a repair first."""
    remedies: tuple[tuple[Resolution, ...], ...] = (
        (Resolution.REPAIR, Resolution.EXCHANGE),
        (Resolution.PRICE_REDUCTION, Resolution.REFUND),
    )
    """What the customer may choose first; and next, when a repair or a new piece did not help."""


class ShipPromise(Rules):
    """A law that a late order may be cancelled, or sent later with the customer's consent."""

    default_days: Days
    """By when it must leave where no day was promised."""
    clause: ClauseId


class Region(Rules):
    """Countries with the same law."""

    countries: tuple[Country, ...] = Field(min_length=1)
    withdrawal: Withdrawal | None = None
    guarantee: Guarantee | None = None
    ship_promise: ShipPromise | None = None


class Calendar(Rules):
    """Whose public holidays count."""

    country: Country
    subdivision: str | None = None


class NotCovered(StrEnum):
    """What the shop's own warranty does not cover."""

    WEAR = "wear"
    MISUSE = "misuse"
    UNAUTHORISED_MODIFICATION = "unauthorised_modification"


class Proof(StrEnum):
    """What shows that somebody may make a claim."""

    ORDER = "order"
    REGISTRATION = "registration"
    RECEIPT = "receipt"


class WarrantyStep(StrEnum):
    """What is done about a fault, one after the other."""

    TROUBLESHOOT = "troubleshoot"
    SEND_PART = "send_part"
    REPAIR = "repair"
    REPLACE = "replace"
    REFUND = "refund"


class Turnaround(Rules):
    """How many working days something takes."""

    repair: Days
    replace: Days


class Warranty(Rules):
    """The shop's own promise on faults, beside the law."""

    months: Months
    months_by_class: dict[str, Months]
    excludes: tuple[NotCovered, ...] = tuple(NotCovered)
    proof: tuple[Proof, ...] = Field(default=tuple(Proof), min_length=1)
    steps: tuple[WarrantyStep, ...] = Field(default=tuple(WarrantyStep), min_length=1)
    quote_valid_days: Days
    turnaround_days: Turnaround
    register_within_months: Months
    """How long after the purchase a product may be registered."""


class RightsFile(PolicyFile):
    """rights.yaml."""

    calendar: Calendar
    regions: dict[str, Region]
    warranty: Warranty

    @model_validator(mode="after")
    def _has_a_rest(self) -> "RightsFile":
        if not any("*" in region.countries for region in self.regions.values()):
            raise ValueError('one region must have countries: ["*"], for everywhere else')
        return self

    def region_of(self, country: str) -> tuple[str, Region]:
        """Return the name and the law of the region a country belongs to."""
        for name, region in self.regions.items():
            if country in region.countries:
                return name, region
        return next((n, r) for n, r in self.regions.items() if "*" in r.countries)


class ReturnClass(Rules):
    """How goods of one kind may come back."""

    clause: ClauseId
    returnable: bool = True
    window_days: Days | None = None
    opened_fee_pct: Percent = 0
    must_be_sealed: bool = False
    postage_minor: Minor | None = None
    resolutions: tuple[Resolution, ...] = ()
    """Empty: all that the shop offers."""

    @model_validator(mode="after")
    def _has_a_window(self) -> "ReturnClass":
        if self.returnable and self.window_days is None:
            raise ValueError("a returnable class needs window_days")
        return self


class Business(Rules):
    """Returns by customers who are companies."""

    window_days: Days
    fee_pct: Percent
    clause: ClauseId


class Holiday(Rules):
    """A longer window for gifts."""

    bought_from: MonthDay
    bought_to: MonthDay
    until: MonthDay
    clause: ClauseId


class Wear(StrEnum):
    """How goods must be to come back under the shop's promise."""

    UNUSED = "unused"
    COMPLETE = "complete"


class ReasonRule(Rules):
    """What a reason for a return means."""

    fault: Party
    postage: Party
    first_offer: Resolution | None = None
    """What is offered before anything else: a missing part is sent, rather than all sent back."""
    photo: bool = False
    guarantee_only: bool = False
    """Handled as a fault: by guarantee and warranty, not by the shop's return promise."""
    report_within_days: Days | None = None


class Automatic(Rules):
    """Which returns need no person."""

    max_refund_minor: Minor
    max_returns: Days
    within_days: Days
    reasons: tuple[ReturnReason, ...]


class ReturnsFile(PolicyFile):
    """returns.yaml."""

    classes: dict[str, ReturnClass]
    business: Business
    holiday: Holiday
    reasons: dict[ReturnReason, ReasonRule]
    label_minor: Annotated[dict[str, Minor], BeforeValidator(_refuse_yaml_no_keys)]
    """By country, else by region; without an entry the customer pays the carrier."""
    ask_reason: bool = True
    """Whether a customer must say why; else what is not said counts as a change of mind."""
    keep_item_below_minor: Minor
    store_credit_bonus_pct: Percent
    send_within_days: Days
    inspect_within_days: Days
    """So soon after they arrived the goods are looked at."""
    condition: tuple[Wear, ...] = tuple(Wear)
    resolutions: tuple[Resolution, ...] = Field(min_length=1)
    automatic: Automatic

    @model_validator(mode="after")
    def _knows_every_reason(self) -> "ReturnsFile":
        missing = [reason.value for reason in ReturnReason if reason not in self.reasons]
        if missing:
            raise ValueError(f"reasons lacks {', '.join(missing)}")
        return self
