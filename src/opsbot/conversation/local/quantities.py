"""How many pieces of a thing words mean: "one of the mugs", "a mug", "all but one"."""

import re
from collections.abc import Sequence
from itertools import takewhile

from opsbot.conversation.local.choices import content_stems
from opsbot.conversation.local.language import NUMBER_WORDS, STOP_WORDS
from opsbot.conversation.local.values import same_word

_NEAR = 2
"""Words of content after a number among which the thing it counts must be."""
_OF = frozenset({"of", "x", "piece", "pieces", "pcs", "unit", "units", "times"})
_NUMBER = re.compile(
    r"(?<![\w#.,/-])(\d{1,4}|" + "|".join(sorted(NUMBER_WORDS, key=len, reverse=True)) + r")\b"
    r"((?:\W+[\w'-]+){0,4})",
    re.IGNORECASE,
)
_WORD = re.compile(r"[\w'-]+")
_ONE_OF = re.compile(
    r"\b(?:one|1|a single one)\s+of\s+(?:the|my|our|these|those|them)\b"
    r"\s*((?:[\w-]+\W+){0,3}[\w-]*)",
    re.IGNORECASE,
)
_SINGLE = re.compile(r"\b(?:an?|one|a single)\s+((?:[\w-]+\s+){0,3}[\w-]+)", re.IGNORECASE)
_ONLY_ONE = re.compile(r"\b(?:just|only)\s+(?:one|1)\b(?!\s+of)", re.IGNORECASE)
_SOME_LEFT = re.compile(
    r"\b(?:all|both|everything)\b.{0,20}?\b(?:but|except)\s+(?:for\s+)?(?:one|two|three|four|five|\d+)\b"
    r"|\bhalf of\b|\b(?:some|a few|several) of\b",
    re.IGNORECASE,
)


def leaves_some(text: str) -> bool:
    """Tell whether a number is meant that only a count of the whole would give."""
    return _SOME_LEFT.search(text) is not None


def counts(text: str, things: Sequence[str]) -> bool:
    """Tell whether a number in the words is one of these things: "two mugs", "3 of them", "2".

    "Two things, the mug and the bowl" counts no mugs.
    """
    named = {s for thing in things for s in content_stems(thing)}
    for match in _NUMBER.finditer(text):
        after = [w.lower() for w in _WORD.findall(match[2])]
        content = content_stems(" ".join(after))
        if not content or after[0] in _OF:
            return True
        if any(same_word(s, n) for s in content[:_NEAR] for n in named):
            return True
    return False


def means_one(text: str, things: Sequence[str]) -> bool:
    """Tell whether words mean a single piece: of the one thing, or one of the several.

    Args:
        text: what a person wrote.
        things: names of the things that fit the words.
    """
    if leaves_some(text):
        return False
    if _ONLY_ONE.search(text):
        return True
    worlds = [set(content_stems(thing)) for thing in things]
    for match in (*_ONE_OF.finditer(text), *_SINGLE.finditer(text)):
        words = _WORD.findall(match[1].lower())
        name = takewhile(lambda word: word not in STOP_WORDS, words)
        named = content_stems(" ".join(name))
        if match.re is _ONE_OF and not named:
            return True
        if worlds and all(any(same_word(s, n) for s in w for n in named) for w in worlds):
            return True
    return False
