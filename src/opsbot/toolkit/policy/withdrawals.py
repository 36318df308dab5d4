"""Whether a declared withdrawal has effect. It is recorded whatever this says."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from opsbot.formats import format_day
from opsbot.toolkit.policy.grounds import withdrawal_law, withdrawal_until
from opsbot.toolkit.policy.loading import Policies
from opsbot.toolkit.policy.return_facts import ReturnFacts


class Finding(StrEnum):
    """What a declared withdrawal is found to be."""

    VALID = "valid"
    LATE = "late"
    """The period is over; the shop's own promise may still take the goods back."""
    EXEMPT = "exempt"
    """The law gives no right of withdrawal for these goods, this customer or this purchase."""


@dataclass(frozen=True)
class WithdrawalDecision:
    """What the policies say about one declared withdrawal."""

    finding: Finding
    until: date | None
    """Last day; None before the goods have arrived, and where there is no such right."""
    clause: str
    words: str
    """One sentence for the customer."""


def decide_withdrawal(facts: ReturnFacts, policies: Policies, today: date) -> WithdrawalDecision:
    """Decide whether a withdrawal declared today has effect. A pure function.

    A purchase may be withdrawn from as soon as it is made; the period ends so many days after the
    last parcel arrived.
    """
    law = withdrawal_law(facts, policies)
    if law is None:
        words = "By law there is no right of withdrawal for this."
        return WithdrawalDecision(Finding.EXEMPT, None, "withdrawal.exempt", words)
    if facts.delivered_on is None:
        words = "The period has not even begun: it begins when the last parcel arrives."
        return WithdrawalDecision(Finding.VALID, None, "withdrawal.right", words)
    until = withdrawal_until(law, policies, facts.delivered_on)
    if today > until:
        words = f"The period to withdraw ended on {format_day(until)}."
        return WithdrawalDecision(Finding.LATE, until, "withdrawal.right", words)
    words = f"It is in time: the period ends on {format_day(until)}."
    return WithdrawalDecision(Finding.VALID, until, "withdrawal.right", words)
