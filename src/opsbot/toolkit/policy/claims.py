"""What follows when a customer reports a problem with a delivery."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from opsbot.formats import format_day
from opsbot.toolkit.policy.loading import Policies
from opsbot.toolkit.policy.schema_orders import ClaimResolution, ClaimRule, ClaimStep


class Problem(StrEnum):
    """What is wrong with a delivery."""

    LATE = "late"
    NOT_RECEIVED = "not_received"
    MISSING = "missing"
    DAMAGED = "damaged"
    WRONG = "wrong"


@dataclass(frozen=True)
class ClaimFacts:
    """What a decision about a reported problem rests on; days in the shop's time zone."""

    problem: Problem
    country: str
    promised_on: date
    delivered_on: date | None
    last_scan_on: date | None
    """Last word of the carrier about a parcel that is on its way."""


@dataclass(frozen=True)
class ClaimDecision:
    """What the policies say about a claim."""

    allowed: bool
    clause: str
    in_time: bool = True
    """Whether it was reported within the time the shop asks for; if not, a person decides."""
    lost: bool = False
    """Whether the parcel counts as lost."""
    steps: tuple[ClaimStep, ...] = ()
    """What is done before it is settled, in this order."""
    resolutions: tuple[ClaimResolution, ...] = ()
    """What the customer may choose, in the order it is offered."""
    refusal: str = ""
    alternatives: tuple[str, ...] = ()


def decide_claim(facts: ClaimFacts, policies: Policies, today: date) -> ClaimDecision:
    """Decide what a reported problem leads to. A pure function.

    A late parcel is refused until it is late by the shop's own words; "delivered" is refused as
    late; goods that have not arrived cannot be damaged. Everything else is taken up.
    """
    decision = _decide(facts, policies, today)
    if not decision.allowed:
        return decision
    rules = policies.delivery.claims
    rule: ClaimRule = rules.lost if decision.lost else getattr(rules, facts.problem.value)
    return replace(decision, steps=rule.steps, resolutions=rule.resolutions)


def _decide(facts: ClaimFacts, policies: Policies, today: date) -> ClaimDecision:
    rules = policies.delivery
    if facts.problem is Problem.LATE:
        return _decide_late(facts, policies, today)
    if facts.delivered_on is None:
        if facts.problem is Problem.NOT_RECEIVED:
            return _decide_late(facts, policies, today)
        return ClaimDecision(
            allowed=False,
            clause="delivery.damaged",
            refusal="As far as we can see, this order has not arrived yet.",
            alternatives=("I can look where the parcel is.", "I can hand this over to a person."),
        )
    days = (today - facts.delivered_on).days
    if facts.problem is Problem.NOT_RECEIVED:
        in_time = days <= rules.not_received_within_days
        return ClaimDecision(allowed=True, clause="delivery.not_received", in_time=in_time)
    in_time = days <= rules.damage_within_days
    return ClaimDecision(allowed=True, clause="delivery.damaged", in_time=in_time)


def _decide_late(facts: ClaimFacts, policies: Policies, today: date) -> ClaimDecision:
    if facts.delivered_on is not None:
        return ClaimDecision(
            allowed=False,
            clause="delivery.not_received",
            refusal=f"The carrier says it was delivered on {format_day(facts.delivered_on)}.",
            alternatives=("If you do not have it, tell me that it was not received.",),
        )
    home = facts.country == policies.delivery.home_country
    late, lost = policies.delivery.late_after_days, policies.delivery.lost_after_days
    silent = lost.domestic if home else lost.international
    if facts.last_scan_on is not None and (today - facts.last_scan_on).days >= silent:
        return ClaimDecision(allowed=True, clause="delivery.lost", lost=True)
    late_from = facts.promised_on + timedelta(days=late.domestic if home else late.international)
    if today < late_from:
        return ClaimDecision(
            allowed=False,
            clause="delivery.late",
            refusal=f"It is promised by {format_day(facts.promised_on)}, and counts as late from "
            f"{format_day(late_from)} on.",
            alternatives=("I can look where the parcel is.", "I can hand this over to a person."),
        )
    return ClaimDecision(allowed=True, clause="delivery.late")
