"""Which known address words refer to: "the same as order #1003", "back to the original one"."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from opsbot.conversation.local.choices import content_stems
from opsbot.conversation.local.frame import Option
from opsbot.conversation.local.values import same_word

_ORDER = re.compile(r"\b(?:order|account|default)\b|#\d+")
_GIVEN = re.compile(r"\baddress\b[^.?!]*?\b(?:to|match|same as)\b", re.IGNORECASE)
"""What comes before names the address that changes."""
_DEFAULT = re.compile(
    r"\b(?:default|home|profile|account|registered|usual|on file)\b", re.IGNORECASE
)
_BEFORE = re.compile(r"\b(?:original|old|previous|former|back|revert|before)\b", re.IGNORECASE)
_THIS = re.compile(
    r"\b(?:this|that|same|new|match)\b(?:\W+\w+){0,2}?\W+(?:address|home|house|place|one)|"
    r"\bmatch\b|\bto it\b",
    re.IGNORECASE,
)


def pick_address(
    text: str, options: Sequence[Option], *, last: Sequence[str], target: Mapping[str, Any]
) -> str:
    """Return the address that is referred to; empty when it is not clear which.

    Args:
        text: the person's words.
        options: known addresses; `also` tells of which order they are, or that it is the default.
        last: addresses used in this conversation, the latest first.
        target: what is known of the change; the order it is about is not the one referred to.
    """
    given = _GIVEN.search(text)
    text = text[given.end() :] if given else text
    own = {re.sub(r"\D", "", str(value)) for value in target.values()} - {""}
    numbers = set(re.findall(r"\d{4,}", text)) - own
    for option in options:
        if numbers & set(re.findall(r"\d{4,}", option.also)):
            return option.value
    words = content_stems(text)
    named = [o for o in options if _names_place(f"{o.value} {_things(o.also)}", words)]
    if len(named) == 1:
        return named[0].value
    if _BEFORE.search(text):
        return _one_before(options, last)
    if last and _THIS.search(text):
        return last[0]
    # "Make it my default address" names what changes, not where it is taken from.
    if own and _DEFAULT.search(text):
        return next((o.value for o in options if "default" in o.also), "")
    return ""


def _things(also: str) -> str:
    """Return what went to an address: "order #1004 Tote, navy" without the words for orders."""
    return _ORDER.sub(" ", also)


def _one_before(options: Sequence[Option], last: Sequence[str]) -> str:
    """Return the account's address that was in use before the latest change."""
    others = [o for o in options if "account" in o.also and not _same_place(o.value, last[:1])]
    if len(others) > 1:
        others = [o for o in others if "default" not in o.also]
    if len(others) == 1:
        return others[0].value
    return last[1] if len(last) > 1 else ""


def _same_place(address: str, others: Sequence[str]) -> bool:
    numbers = sorted(re.findall(r"\d+", address))
    return any(sorted(re.findall(r"\d+", other)) == numbers for other in others)


def _names_place(address: str, words: Sequence[str]) -> bool:
    """Tell whether a text names the city or street of an address."""
    return any(same_word(a, b) for a in content_stems(address) for b in words)
