"""What kinds of arguments tools take: how each is described, asked for, and found in words.

An `Argument` travels in the JSON schema of a tool under the key `x-argument`; the embedded model
reads it there and knows nothing else about a tool.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic.fields import FieldInfo

from opsbot.commerce.returns import Resolution, ReturnReason
from opsbot.planning.period_words import read_days
from opsbot.toolkit.policy.returns import Condition

KEY = "x-argument"


@dataclass(frozen=True)
class Argument:
    """How the embedded model fills an argument."""

    kind: str
    """`order_number`, `email`, `postcode`, `item`, `quantity`, `period`, `address`, `choice`,
    `number`, `code` or `text`. Values of the same kind are shared between tools."""
    ask: str
    """The question that asks a person for it."""
    pattern: str = ""
    """Regular expression (case ignored) that finds it in words; group 1, if any, is the value."""
    candidates: str = ""
    """A read tool whose `facts["candidates"][kind]` lists possible values for this caller."""
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """For a choice: each value with phrases that mean it."""
    when: str = ""
    """For an optional argument: regular expression (case ignored) of words that call for it. Then
    it is asked for like any other that is needed; without such words it is left alone."""


def argument(
    kind: str,
    ask: str,
    *,
    description: str,
    pattern: str = "",
    candidates: str = "",
    labels: Mapping[str, Sequence[str]] | None = None,
    when: str = "",
    **limits: Any,
) -> FieldInfo:
    """Describe an argument, for use inside `Annotated`.

    Args:
        kind: see `Argument.kind`.
        ask: see `Argument.ask`.
        description: what a language model reads.
        pattern: see `Argument.pattern`.
        candidates: see `Argument.candidates`.
        labels: see `Argument.labels`.
        when: see `Argument.when`.
        limits: further limits of `pydantic.Field`, such as `max_length`.
    """
    extra = asdict(Argument(kind, ask, pattern, candidates, dict(labels or {}), when))
    field_info: FieldInfo = Field(description=description, json_schema_extra={KEY: extra}, **limits)
    return field_info


OrderNumber = Annotated[
    str,
    argument(
        "order_number",
        "Which order is it about? Its number is on the invoice, like #1001.",
        description="The order's number as on the invoice, such as #1001.",
        pattern=r"(?:#\s?W?|\border\s*(?:number|no\.?|nr\.?|id)?\s*#?\s*W?)(\d{4,7})\b"
        r"|(?<![\w€$£.,-])W?(\d{4,7})(?![\w.,:-]*\d)",
        candidates="my_orders",
        max_length=20,
    ),
]
"""An order of the caller (customers), or any order (staff)."""

Email = Annotated[
    str,
    argument(
        "email",
        "Which e-mail address was the order placed with?",
        description="E-mail address.",
        pattern=r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+",
        max_length=254,
    ),
]

Postcode = Annotated[
    str,
    argument(
        "postcode",
        "What is the postcode of the delivery address?",
        description="Postcode of the delivery address.",
        pattern=r"(?:post(?:al)?\s?code|zip(?: code)?|plz)\s*(?:is|:)?\s*"
        r"((?=[A-Z -]*\d)[A-Z0-9][A-Z0-9 -]{2,8})",
        max_length=12,
    ),
]

Product = Annotated[
    str,
    argument(
        "item",
        "Which product do you mean?",
        description="A product of the shop in the customer's words, with colour or size if they "
        "named one, or its item number.",
        min_length=2,
        max_length=120,
    ),
]
"""Anything the shop sells, by words."""

Items = Annotated[
    list[Annotated[str, Field(max_length=120)]],
    argument(
        "item",
        "Which of the items is it about?",
        description="Titles of the items of the order that it is about.",
        candidates="order_status",
        min_length=1,
        max_length=20,
    ),
]
"""Lines of the order that `order_number` names, by words."""

Quantity = Annotated[
    int,
    argument("quantity", "How many?", description="How many pieces.", ge=1, le=1000),
]

Reason = Annotated[
    ReturnReason,
    argument(
        "reason",
        "Why do you want to send it back?",
        description="Why it comes back.",
        labels={
            "changed_mind": (
                "changed my mind",
                "do not want it any more",
                "do not like it",
                "no longer need it",
                "ordered by mistake",
                "already have one",
                "found it cheaper elsewhere",
                "it was a present",
            ),
            "size_or_style": (
                "too big",
                "too small",
                "wrong size",
                "wrong colour",
                "wrong color",
                "does not fit",
                "does not match",
                "not my style",
                "too heavy",
                "too bright",
                "too dark",
            ),
            "arrived_late": ("arrived too late", "came too late", "too late", "weeks late"),
            "wrong_item": (
                "wrong item",
                "sent me the wrong one",
                "not what I ordered",
                "sent me something else",
                "wrong product",
            ),
            "damaged_transit": (
                "arrived broken",
                "arrived damaged",
                "damaged in transit",
                "chipped",
                "cracked",
                "dented",
                "scratched",
                "in pieces",
            ),
            "missing_parts": (
                "parts are missing",
                "a part is missing",
                "incomplete",
                "was not in the box",
            ),
            "defective": (
                "defective",
                "faulty",
                "does not work",
                "stopped working",
                "broke",
                "does not turn on",
                "does not charge",
                "flickers",
                "leaks",
            ),
            "not_as_described": (
                "not as described",
                "looks different from the picture",
                "different from the photos",
            ),
        },
    ),
]

Outcome = Annotated[
    Resolution,
    argument(
        "resolution",
        "What would you like: your money back, another piece, or store credit?",
        description="What the customer would like to get.",
        labels={
            "refund": ("refund", "money back"),
            "exchange": ("exchange", "replacement", "swap it", "a new one"),
            "store_credit": ("store credit", "voucher", "credit note"),
            "repair": ("repair", "fix it"),
            "part": ("just the missing part", "send the part", "only the part", "a spare part"),
            "price_reduction": ("part of the price back", "a discount", "keep it for less"),
        },
    ),
]

Opened = Annotated[
    Condition,
    argument(
        "condition",
        "Has the box been opened?",
        description="Whether the goods are still sealed in their box.",
        labels={
            "unopened": ("unopened", "still sealed", "not opened", "never opened", "still boxed"),
            "opened": ("opened", "have used it", "unpacked", "tried it", "out of the box"),
        },
    ),
]

AddressText = Annotated[
    str,
    argument(
        "address",
        "What is the new address? Please give street and number, postcode and city.",
        description="The whole new address in one text: street and number, postcode, city.",
        candidates="my_details",
        min_length=5,
        max_length=300,
    ),
]

NewItems = Annotated[
    list[Annotated[str, Field(max_length=160)]],
    argument(
        "variant",
        "What would you like instead?",
        description="What each item becomes, in the order of the items: the options that change, "
        'such as "ink" or "size L, cotton", or the item number of a variant. One entry alone holds '
        "for all of the items.",
        candidates="swap_options",
        min_length=1,
        max_length=20,
    ),
]
"""Variants that take the place of items of an order."""

PaymentChoice = Annotated[
    str,
    argument(
        "payment_method",
        "Which of your payment methods shall it be?",
        description='A payment method of the customer\'s account in words: "PayPal", "gift card", '
        '"card ending in 4242", or "original" for the way the order was paid.',
        candidates="my_payment_methods",
        max_length=80,
    ),
]
"""A stored payment method of the caller, by words."""

PersonName = Annotated[
    str,
    argument(
        "name",
        "What are your first and last name?",
        description="First and last name of the customer.",
        pattern=r"\bfirst name(?: is|:)?\s+((?-i:[A-ZÀ-Ý][\w'-]+))\W+(?:and\s+)?(?:my\s+)?"
        r"last name(?: is|:)?\s+((?-i:[A-ZÀ-Ý][\w'-]+))"
        r"|\b(?:my (?:full )?name(?: is|'s)|name:|name is|this is|i am|i'm|it's|it is)\s+"
        r"((?-i:[A-ZÀ-Ý][\w'-]+(?:\s+[A-ZÀ-Ý][\w'-]+){1,3}))",
        max_length=120,
    ),
]

AccountEmail = Annotated[
    str,
    argument(
        "email",
        "What is the e-mail address of your account?",
        description="E-mail address of the customer's account.",
        pattern=r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+",
        max_length=254,
    ),
]

AccountPostcode = Annotated[
    str,
    argument(
        "postcode",
        "What is the postcode of your address?",
        description="Postcode of the customer's address.",
        pattern=r"(?:post(?:al)?\s?code|zip(?: code)?|plz)\s*(?:is|:)?\s*"
        r"((?=[A-Z -]*\d)[A-Z0-9][A-Z0-9 -]{2,8})|\b(?-i:[A-Z]{2}),?\s+(\d{5})\b",
        max_length=12,
    ),
]

Words = Annotated[
    str,
    argument(
        "text",
        "Could you describe it in a sentence?",
        description="What it is about, in the person's own words.",
        max_length=2000,
    ),
]
"""Free text."""

Period = Annotated[
    str,
    argument(
        "period",
        "For which period?",
        description='A period in words, such as "last month" or "2026-10".',
        max_length=60,
    ),
]
"""A stretch of days in words; see `opsbot.planning.period_words.read_period`."""


def _as_days(value: object) -> object:
    return read_days(value) if isinstance(value, str) else value


Span = Annotated[
    int,
    argument(
        "span",
        "How many days?",
        description="A number of days.",
        # "Last 3 months" is a period, not a span.
        pattern=r"(?<!last )(?<!past )(?<!previous )\b(?:(?:within|for|than|the|next|coming) )*"
        r"((?:\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|few|couple of)"
        r" (?:days?|weeks?|months?|quarters?))\b(?! ago)"
        r"|\b(?:next|coming|this) (day|week|month|quarter)\b",
        ge=1,
        le=365,
    ),
    BeforeValidator(_as_days),  # last, so that the schema shows the bounds
]
"""A length of time in days; words such as "three weeks" are understood."""
