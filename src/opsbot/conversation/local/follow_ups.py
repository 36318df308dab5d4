"""The same question about another thing: "and the travel mug?", "what about to Norway?"."""

import re

from opsbot.conversation.local.choices import content_stems
from opsbot.conversation.local.values import same_word

FOLLOW_ON = re.compile(
    r"^\W*(?:(?:and|or|ok(?:ay)?|also|then|now|what about|how about|the same|same)\b\W*)+",
    re.IGNORECASE,
)
"""The words that join a follow-up to what came before."""
LEADING = re.compile(
    r"^\W*(to|for|in|into|with|from|on|by|at|without|after|before)\b", re.IGNORECASE
)
THE_OTHER = re.compile(r"^\W*(?:for |with )?(?:the|my) other(?: one)?\W*$", re.IGNORECASE)
_THING = re.compile(r"\b(?:the|my|a|an|your|our|this|that|which|what)\s+", re.IGNORECASE)
_NAMED = re.compile(
    r"\b(?:my|the|our|an?)\s(?!(?:\w+\s)?(?:order|parcel|package|delivery|shipment|status)\b)"
    r"((?:[\w-]+\s){0,2}?[\w-]+)"
    r"(?=\s(?:from|of|in|with|that|to|on|for|is|was|has|arrived|came)\b|[?.!,;]|$)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[\w'-]+")
_LONGEST = 4
"""Words of a thing's name at most."""


def named_thing(text: str) -> str:
    """Return the thing a text speaks of: "grinder" of "where is my grinder from order 1003?"."""
    found = _NAMED.search(text)
    return found[1] if found else ""


def put_in_place(question: str, thing: str) -> str:
    """Return a question about another thing.

    The new words take the place of those that begin with the same preposition, or that name a
    thing with the same noun, or that end the question; where no place is found they follow it.

    Args:
        question: what was asked before.
        thing: what it is asked about now, such as "the travel mug" or "to Norway".
    """
    thing, question = thing.strip(" ?!.,"), question.strip().rstrip("?!. ")
    if lead := LEADING.match(thing):
        same = list(re.finditer(rf"\b{lead[1]}\b", question, re.IGNORECASE))
        head = question[: same[-1].start()] if same else f"{question} "
        return f"{head}{thing}?"
    span = _span_of_same_noun(question, thing) or _last_span(question)
    if span is None:
        return f"{question}: {thing}?"
    return f"{question[: span[0]]}{thing}{question[span[1] :]}?"


def _span_of_same_noun(question: str, thing: str) -> tuple[int, int] | None:
    """Find "which mug" for "the travel mug"."""
    nouns = content_stems(thing)
    if not nouns:
        return None
    for start in _THING.finditer(question):
        words = list(_WORD.finditer(question, start.end()))[:_LONGEST]
        for word in words:
            stems = content_stems(word[0])
            if stems and same_word(stems[-1], nouns[-1]):
                return start.start(), word.end()
    return None


def _last_span(question: str) -> tuple[int, int] | None:
    """Find "the kiln mug" where it ends the question."""
    starts = list(_THING.finditer(question))
    if not starts:
        return None
    rest = question[starts[-1].end() :]
    few = len(_WORD.findall(rest)) < _LONGEST
    return (starts[-1].start(), len(question)) if few else None
