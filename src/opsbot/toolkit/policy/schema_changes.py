"""What may stand in changes.yaml and identity.yaml."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from opsbot.commerce.orders import OrderState
from opsbot.commerce.payment_methods import MethodKind
from opsbot.toolkit.policy.schema import PolicyFile, Rules


class CancelReason(StrEnum):
    """Why a customer cancels."""

    CHANGED_MIND = "changed_mind"
    MISTAKE = "mistake"
    TOO_SLOW = "too_slow"
    CHEAPER_ELSEWHERE = "cheaper_elsewhere"
    OTHER = "other"


class Destination(StrEnum):
    """Where money may go back."""

    ORIGINAL = "original"
    """The way the order was paid."""
    GIFT_CARD = "gift_card"
    """A gift card that the customer has."""
    STORE_CREDIT = "store_credit"
    ANY = "any"
    """Any payment method of the customer."""


class ItemChange(Rules):
    """When items of an order may become other items, and which."""

    allowed_in_states: tuple[OrderState, ...] = Field(min_length=1)
    same_product_only: bool
    once: bool
    """Whether an order's items change one time only."""
    ends_changes: bool
    """Whether the order can neither be changed nor cancelled after that."""
    refund_to: tuple[Destination, ...] = Field(min_length=1)


class PaymentChange(Rules):
    """When an order may be paid otherwise, and how."""

    allowed_in_states: tuple[OrderState, ...] = Field(min_length=1)
    kinds: tuple[MethodKind, ...] = Field(min_length=1)
    once: bool


class Exchange(Rules):
    """Which delivered items may be exchanged for which."""

    same_product_only: bool
    refund_to: tuple[Destination, ...] = Field(min_length=1)


class ComingBack(Rules):
    """What holds for returns and exchanges of one order together."""

    refund_to: tuple[Destination, ...] = Field(min_length=1)
    once: bool
    """Whether there is one return or exchange of an order, of all its items that shall go."""


class ChangesFile(PolicyFile):
    """changes.yaml."""

    cancel_reasons: tuple[CancelReason, ...] = Field(min_length=1)
    items: ItemChange
    payment: PaymentChange
    exchange: Exchange
    coming_back: ComingBack


class ProofKind(StrEnum):
    """By what somebody who is not signed in shows who they are."""

    ORDER = "order"
    """An order's number, with its e-mail address or postcode: opens that order."""
    EMAIL = "email"
    """The e-mail address of the account alone: opens the account."""
    NAME_POSTCODE = "name_postcode"
    """Name and postcode: opens the account."""


class IdentityFile(PolicyFile):
    """identity.yaml."""

    proofs: tuple[ProofKind, ...] = Field(min_length=1)
    levels: dict[str, Annotated[int, Field(ge=0, le=3, strict=True)]] = Field(default_factory=dict)
    """By the name of a tool for customers: the level it needs, where it is not its own."""

    @property
    def opens_accounts(self) -> bool:
        """Whether a proof in words opens the whole account."""
        return bool({ProofKind.EMAIL, ProofKind.NAME_POSTCODE} & set(self.proofs))
