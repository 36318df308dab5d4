"""What a decision about a return rests on, and what it says."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter, ValidationError

from opsbot.commerce.customers import CustomerKind
from opsbot.commerce.orders import SalesChannelKind
from opsbot.commerce.returns import Resolution, ReturnReason
from opsbot.errors import InvalidInputError


class Basis(StrEnum):
    """On what ground goods come back."""

    WITHDRAWAL = "withdrawal"
    REJECTION = "rejection"
    """The right to reject faulty goods at once, where the law knows it."""
    GUARANTEE = "guarantee"
    WARRANTY = "warranty"
    PROMISE = "promise"


class Condition(StrEnum):
    """What was done with the goods so far."""

    UNOPENED = "unopened"
    OPENED = "opened"


@dataclass(frozen=True)
class ReturnFacts:
    """What a decision rests on; amounts in minor units of the order's currency."""

    country: str
    """Where the goods were sent, ISO 3166 alpha-2."""
    customer: CustomerKind
    channel: SalesChannelKind
    return_class: str
    reason: ReturnReason
    condition: Condition
    paid_minor: int
    """What the customer paid for the units that come back, discounts taken off."""
    bought_on: date
    delivered_on: date | None
    """Day the last parcel arrived, in the shop's time zone."""
    whole_order: bool = False
    shipping_minor: int = 0
    """Standard delivery charge of the order."""
    recent_returns: int = 0
    """Returns this customer opened within `automatic.within_days`."""
    failed_remedies: int = 0
    """How often a repair or a new piece was tried before, and did not help."""
    repaired: bool = False
    """Whether it was repaired under the guarantee, which makes the guarantee longer."""
    tier: str = ""
    """The customer's tier of the loyalty programme."""


@dataclass(frozen=True)
class ReturnDecision:
    """What the policies say. When refused, the amounts are 0 and `refusal` says why."""

    allowed: bool
    bases: tuple[Basis, ...]
    """The grounds that apply, the one that gives most back first."""
    deadlines: Mapping[Basis, date]
    """Last day of each ground, those that have passed included."""
    clause: str
    """Id of the clause to quote."""
    refund_minor: int = 0
    """By the way the customer paid, once the goods are back."""
    fee_minor: int = 0
    postage_minor: int | None = 0
    """Taken off the refund; None: the customer pays the carrier."""
    shipping_minor: int = 0
    """Delivery charge that is given back too; part of `refund_minor`."""
    credit_minor: int = 0
    """Instead of the refund, as store credit."""
    resolutions: tuple[Resolution, ...] = ()
    """In the order they are offered."""
    keep_item: bool = False
    photo: bool = False
    send_within_days: int = 0
    automatic: bool = False
    """Whether no person needs to look first."""
    window_clause: str = ""
    """Id of the clause that gives the latest day; the one to quote to who asks until when."""
    clauses: tuple[str, ...] = ()
    """Further clauses the decision rests on."""
    refusal: str = ""
    alternatives: tuple[str, ...] = ()

    @property
    def refund_by_resolution(self) -> Mapping[Resolution, int]:
        """What the customer gets in money or credit for each resolution that is offered.

        A reduction of the price is what a person agrees on, so it stands at 0.
        """
        money = {Resolution.REFUND: self.refund_minor, Resolution.STORE_CREDIT: self.credit_minor}
        return {resolution: money.get(resolution, 0) for resolution in self.resolutions}

    @property
    def deadline(self) -> date | None:
        """The last day on which a return may be opened on any ground that applies."""
        return max((self.deadlines[basis] for basis in self.bases), default=None)


def facts_as_json(facts: ReturnFacts) -> dict[str, Any]:
    """Return facts as they are kept with what was decided on them."""
    return {
        key: value if isinstance(value, int | bool | None) else str(value)
        for key, value in asdict(facts).items()
    }


def decision_as_json(decision: ReturnDecision) -> dict[str, Any]:
    """Return a decision as it is kept: whatever the rules become, it says what held then."""
    return {
        "allowed": decision.allowed,
        "automatic": decision.automatic,
        "bases": [basis.value for basis in decision.bases],
        "deadlines": {basis.value: str(day) for basis, day in decision.deadlines.items()},
        "clauses": list(dict.fromkeys([decision.clause, *decision.clauses])),
        "refund_minor": decision.refund_minor,
        "fee_minor": decision.fee_minor,
        "postage_minor": decision.postage_minor,
        "shipping_minor": decision.shipping_minor,
        "by_resolution": {
            resolution.value: amount for resolution, amount in decision.refund_by_resolution.items()
        },
        "keep_item": decision.keep_item,
        "photo": decision.photo,
        "send_within_days": decision.send_within_days,
        "refusal": decision.refusal,
        "alternatives": list(decision.alternatives),
    }


def facts_from_json(values: Mapping[str, object]) -> ReturnFacts:
    """Return the facts that were kept, or that somebody made up to try a policy.

    Raises:
        InvalidInputError: one is missing, unknown or wrong; the text names it.
    """
    known = {one.name: one for one in fields(ReturnFacts)}
    if unknown := sorted(set(values) - set(known)):
        raise InvalidInputError(f"{unknown[0]} is no fact; there are {', '.join(known)}.")
    needed = [name for name, one in known.items() if one.default is MISSING]
    if missing := [name for name in needed if name not in values]:
        raise InvalidInputError(f"The fact {missing[0]} is missing.")
    try:
        facts: ReturnFacts = TypeAdapter(ReturnFacts).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInputError(f"{where}: {first['msg']}.") from error
    if min(facts.paid_minor, facts.shipping_minor, facts.recent_returns) < 0:
        raise InvalidInputError("Amounts and counts cannot be negative.")
    return facts
