"""Amounts that people name, and who must agree to them."""

from decimal import Decimal
from typing import Annotated

from babel.numbers import get_currency_precision
from pydantic import BeforeValidator

from opsbot.errors import InvalidInputError
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.policy.approvals import NeedsApproval
from opsbot.toolkit.results import Approval
from opsbot.toolkit.tool import ToolContext


def _with_dot(value: object) -> object:
    if isinstance(value, str):
        return value.strip().strip("€$£ ").replace(",", ".")
    return value


Amount = Annotated[
    Decimal,
    argument(
        "number",
        "How much?",
        description="An amount in the order's currency, such as 25 or 12.50.",
        pattern=r"(?:€|\bEUR)\s?(\d{1,6}(?:[.,]\d{1,2})?)"
        r"|\b(\d{1,6}(?:[.,]\d{1,2})?)\s?(?:€|EUR\b|euros?\b)",
        gt=0,
        le=100_000,
        decimal_places=3,
    ),
    BeforeValidator(_with_dot),  # last, so that the schema shows the bounds
]
"""Money in the units that people name: euros, not cents."""


def minor_of(amount: object, currency: str) -> int:
    """Return an amount in minor units.

    Raises:
        InvalidInputError: the currency has no such small units.
    """
    digits = get_currency_precision(currency)
    minor = Decimal(str(amount)).scaleb(digits)
    if minor != int(minor):
        raise InvalidInputError(f"{currency} has {digits} digits after the point.")
    return int(minor)


def approval_of(ctx: ToolContext, needed: NeedsApproval | None, currency: str) -> Approval | None:
    """Return the second person that the rules ask for, in the words of a change."""
    if needed is None:
        return None
    why = "by our rules"
    if needed.over_minor is not None:
        why = f"above {ctx.money(needed.over_minor, currency)}"
    return Approval(roles=needed.roles, why=why)
