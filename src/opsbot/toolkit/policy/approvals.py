"""Who may pay out how much, and what needs a second person. Pure functions of the policies."""

from collections.abc import Collection
from dataclasses import dataclass

from opsbot.toolkit.policy.loading import Policies
from opsbot.toolkit.policy.schema_money import Limits, limit_of


@dataclass(frozen=True)
class NeedsApproval:
    """Somebody else must agree."""

    roles: tuple[str, ...]
    """One of these."""
    over_minor: int | None
    """The limit that is passed, in minor units; None: it is not about an amount."""
    clause: str


def approval_for(
    policies: Policies, tool: str, *, amount_minor: int | None = None, result: str | None = None
) -> NeedsApproval | None:
    """Return whether a change by any person needs a second one; None: it does not.

    Args:
        policies: the rules.
        tool: name of the tool that makes the change.
        amount_minor: what it is worth.
        result: the outcome that is overruled, such as `rejected`.
    """
    for rule in policies.refunds.approvals:
        if rule.tool != tool:
            continue
        over = rule.over_minor is not None and (amount_minor or 0) > rule.over_minor
        if over or (rule.result is not None and rule.result == result):
            roles = tuple(role.value for role in rule.roles)
            return NeedsApproval(roles, rule.over_minor, rule.clause)
    return None


def refund_approval(
    policies: Policies, roles: Collection[str], amount_minor: int
) -> NeedsApproval | None:
    """Return who must agree to a refund; None: whoever asks may pay that much out alone.

    Args:
        policies: the rules.
        roles: of the person who refunds.
        amount_minor: with what was refunded on the same order within `limit_days` before.
    """
    rules = policies.refunds
    needed = _above(rules.limits_minor, roles, amount_minor, "refunds.limits")
    second = approval_for(policies, "refund", amount_minor=amount_minor)
    # No limit of one's own is a limit that the shop set: a manager needs nobody.
    return second if needed is not None and second is not None else needed


def goodwill_approval(
    policies: Policies, roles: Collection[str], amount_minor: int, given_minor: int
) -> NeedsApproval | None:
    """Return who must agree to a gesture of goodwill; None: nobody.

    Args:
        policies: the rules.
        roles: of the person who gives.
        amount_minor: what the gesture is worth.
        given_minor: what the customer was given within `goodwill.within_days` before.
    """
    rules = policies.refunds.goodwill
    own = _above(rules.max_minor, roles, amount_minor, "goodwill.limits")
    if amount_minor + given_minor <= rules.per_customer_minor:
        return own
    free = tuple(payer for payer, limit in rules.max_minor.items() if limit is None)
    if set(free) & set(roles):
        return None
    return NeedsApproval(tuple(map(str, free)), rules.per_customer_minor, "goodwill.limits")


def _above(
    limits: Limits, roles: Collection[str], amount_minor: int, clause: str
) -> NeedsApproval | None:
    own = limit_of(limits, roles)
    if own is None or amount_minor <= own:
        return None
    enough = (
        str(payer)
        for payer, limit in limits.items()
        if payer != "assistant" and (limit is None or limit >= amount_minor)
    )
    return NeedsApproval(tuple(enough), own, clause)
