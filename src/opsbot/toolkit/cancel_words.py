"""Words of a cancellation: why, and whether an order or items of it are meant."""

from typing import Annotated

from pydantic import Field

from opsbot.toolkit.arguments import argument
from opsbot.toolkit.policy.schema_changes import CancelReason

REASONS = {
    CancelReason.CHANGED_MIND: "it is no longer needed",
    CancelReason.MISTAKE: "it was ordered by mistake",
    CancelReason.TOO_SLOW: "it takes too long",
    CancelReason.CHEAPER_ELSEWHERE: "it is cheaper elsewhere",
    CancelReason.OTHER: "of another reason",
}
"""How each reason reads after "because"."""

WhyCancelled = Annotated[
    CancelReason,
    argument(
        "choice",
        "May I ask why?",
        description="Why the customer cancels, if they say so.",
        labels={
            "changed_mind": (
                "changed my mind",
                "do not need it any more",
                "no longer need",
                "no longer want it",
            ),
            "mistake": (
                "by mistake",
                "by accident",
                "accidentally",
                "mistakenly",
                "ordered twice",
                "wrong item in the basket",
            ),
            "too_slow": ("takes too long", "too slow", "need it sooner"),
            "cheaper_elsewhere": ("cheaper elsewhere", "found it cheaper"),
            "other": ("another reason",),
        },
    ),
]


_CANCEL = r"\b(?:cancel|take|remove|drop|delete|strike|leave|get rid of|scrap)\s+"
_SOME = r"(?:the|one|two|three|four|an?|my|those|these|\d{1,2})\b"
_MADE = r"(?:orders?|purchases?)\b"
_ORDER = r"(?:(?:my|the|this|that)\s+)?(?:[\w-]+\s+){0,2}(?:order|purchase)\b|(?:#|W)?\d{4}"
_FROM = rf"(?:(?:off|out of|from)\s+(?:of\s+)?(?:{_ORDER}|it\b)|(?:in|on)\s+(?:{_ORDER}))"
_NO_ORDER = rf"(?!(?:\s+(?!of\b|from\b|in\b|off\b|out\b)[#\w'-]+){{0,3}}\s+{_MADE})"
_NO_WHOLE = rf"(?!\s+(?:whole|entire|last|few|while)\b){_NO_ORDER}"
_BUT = r"\b(?:except|but not|all but|apart from|without)\b"
PART_OF_ORDER = "|".join(
    (
        # "take the mug off my order", "cancel the lamp in #1004", "leave the tote out"
        rf"{_CANCEL}(?!(?:my|the|this|that|our)?\s*(?:[\w-]+\s+)?{_MADE})[^.!?;\n]{{1,80}}?\s{_FROM}",
        rf"\b(?:take|leave)\s+(?:both\b|{_SOME})[^.!?;,\n]{{1,60}}?\s(?:off|out)\b",
        # "cancel just the mug", "only cancel one mug", "just the mug", "cancel the mug only"
        rf"{_CANCEL}(?:just|only)\s+{_SOME}{_NO_WHOLE}",
        rf"\b(?:just|only)\s+{_CANCEL}{_SOME}{_NO_WHOLE}",
        rf"(?:^|\n)\W*(?:no\W+)?(?:just|only)\s+{_SOME}{_NO_WHOLE}",
        rf"{_CANCEL}{_SOME}{_NO_ORDER}[^.!?;,\n]{{1,40}}\sonly\b",
        # "one of the two mugs", "part of my order", "cancel some items"
        rf"\b(?:one|two|three|four|\d{{1,2}})\s+of\s+(?:the|my|those|these)\b{_NO_ORDER}",
        r"\bpart of (?:my|the|this) (?:order|purchase)\b|\bpart(?:ly|ially|ial)?\s+cancel",
        rf"{_CANCEL}(?:an|one|some|a few|a single|certain)\s+(?:of the )?(?:item|article|thing)s?",
        # What stays tells that the rest goes.
        r"\bnot the (?:whole|entire|complete|rest|others?)\b",
        r"\brest\b[^.!?\n]{0,20}\b(?:stays?|remains?)\b",
        rf"\bkeep (?:the|my|one|two)\b(?!\s*(?:#|W)?\d){_NO_ORDER}",
        rf"\b(?:everything|all|order|purchase)\b[^.!?,\n]{{0,20}}{_BUT}",
    )
)
"""Words that mean items of an order. Without them all of it is meant: "cancel the lamp"."""

ItemsToCancel = Annotated[
    list[Annotated[str, Field(max_length=120)]],
    argument(
        "item",
        "Which of the items shall be cancelled?",
        description="Titles of the items to cancel, only where some of an order shall go and the "
        'rest shall stay: "take the mug off my order". Left out for the whole order, also where '
        'the order is described by what is in it: "cancel the order with the mug".',
        candidates="order_status",
        when=PART_OF_ORDER,
        min_length=1,
        max_length=20,
    ),
]
