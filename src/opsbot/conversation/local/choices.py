"""Which of several known values a person means: "the lamp", "my last order", "both mugs"."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import partial
from itertools import pairwise

from opsbot.conversation.local.classifier import stem, stems
from opsbot.conversation.local.frame import Option
from opsbot.conversation.local.language import ORDINALS, STOP_WORDS
from opsbot.conversation.local.measures import canonical
from opsbot.conversation.local.patterns import (
    EVERY,
    EXCEPT,
    LATEST,
    NOT_THIS,
    OLDEST,
    WHOLE_ONE,
)
from opsbot.conversation.local.values import same_word

_SHORTEST_NUMBER = 3
_CODE = re.compile(r"\b(?=[\w-]*\d)[\w-]{6,}\b")
"""What an item is numbered by."""
_STOP_STEMS = frozenset(stem(word) for word in STOP_WORDS)
_NUMBER_LEFT_OUT = re.compile(
    r"\b(?:but|except)\s+(?:for\s+)?(?:one|two|three|four|five|\d+)\b", re.IGNORECASE
)
_AND = re.compile(r"\s?(?:,|;|\band\b|\bor\b|\bplus\b|&)\s?", re.IGNORECASE)
_NUMBERED = re.compile(r"^\W*(?:(?:number|no\.?|option|#)\s*)?(\d{1,2})\W*$", re.IGNORECASE)
_POSITION = re.compile(
    r"\b(" + "|".join(ORDINALS) + r")\b(?!\s+(?:time|class|floor|week|month|year))", re.IGNORECASE
)
_LAST_ONE = re.compile(r"^\W*(?:the )?last(?: one)?\W*$", re.IGNORECASE)


def pick_options(
    text: str,
    options: Sequence[Option],
    *,
    many: bool,
    shown: bool,
    ignore: Collection[str] = (),
    described: bool = True,
    whole: bool = False,
    dated: bool = True,
    rest: bool = False,
) -> list[Option]:
    """Return the options a text means, best fit first; empty when it describes none.

    Args:
        text: the person's words.
        options: the closed world, best (latest) first.
        many: several may be meant at once.
        shown: the person has just read the options in this order, so "the second" is one of them.
        ignore: stems that belong to the request, not to a description.
        whole: "the whole order" is one of the options, not all of them.
        dated: the options are in the order of time, so that one may be the latest.
        described: look at what describes an option, not only at its value or place.
        rest: "the order except the lamp" means all of the options but one.
    """
    left_out = None if leaves_number(text) else EXCEPT.search(text)
    if (
        left_out
        and many
        and (rest or EVERY.search(text) or left_out[0].lower().startswith("all but"))
    ):
        without = pick_options(left_out[1], options, many=True, shown=False, ignore=ignore)
        return [o for o in options if o not in without] if without else []
    if denied := NOT_THIS.search(text):
        again = partial(
            pick_options,
            options=options,
            many=many,
            shown=shown,
            ignore=ignore,
            described=described,
            whole=whole,
            dated=dated,
        )
        return _without_denied(text, denied, again)
    positioned = _at_position(text, options) if shown else []
    found = _named(text, options) or positioned
    if found or not described:
        return found
    if fitting := _described(text, options, many=many, ignore=ignore):
        return _by_recency(text, fitting) if dated else fitting
    if many and EVERY.search(WHOLE_ONE.sub(" ", text) if whole else text):
        return list(options)
    return _by_time(text, options) if dated else []


def _without_denied(
    text: str, denied: re.Match[str], pick: Callable[[str], list[Option]]
) -> list[Option]:
    """Return what is meant by "not the mug, the bowl": the rest tells, without what is denied."""
    start, end = denied.span()
    unwanted = pick(denied[1])
    kept = pick(f"{text[:start]} {text[end:]}")
    return [option for option in kept if option not in unwanted]


def leaves_number(text: str) -> bool:
    """Tell whether a number of pieces is left out, not a thing: "all but one of the mugs"."""
    return _NUMBER_LEFT_OUT.search(text) is not None


def content_stems(text: str, ignore: Collection[str] = ()) -> list[str]:
    """Return the stems of a text that may describe something."""
    return [s for s in stems(text) if s not in _STOP_STEMS and s not in ignore and not s.isdigit()]


def _by_time(text: str, options: Sequence[Option]) -> list[Option]:
    timed = LATEST.search(text) or OLDEST.search(text)
    return _by_recency(text, options) if timed else []


def _by_recency(text: str, options: Sequence[Option]) -> list[Option]:
    if len(options) > 1 and LATEST.search(text):
        return [options[0]]
    if len(options) > 1 and OLDEST.search(text):
        return [options[-1]]
    return list(options)


def _named(text: str, options: Sequence[Option]) -> list[Option]:
    """Find options whose value, or its number, stands in the text."""
    low = text.lower()
    found = []
    for option in options:
        value = option.value.lower()
        digits = re.sub(r"\D", "", value)
        codes = _CODE.findall(option.also.lower())
        own = re.search(rf"(?<!\w){re.escape(value.lstrip('#'))}(?!\w)", low)
        exact = own is not None or any(code in low for code in codes)
        if exact or (len(digits) >= _SHORTEST_NUMBER and re.search(rf"(?<!\d){digits}(?!\d)", low)):
            found.append(option)
    return found


def _at_position(text: str, options: Sequence[Option]) -> list[Option]:
    place: int | None = None
    if match := _NUMBERED.match(text):
        place = int(match[1]) - 1
    elif match := _POSITION.search(text):
        place = ORDINALS[match[1].lower()]
    elif _LAST_ONE.match(text):
        place = len(options) - 1
    return [options[place]] if place is not None and 0 <= place < len(options) else []


def _world(option: Option) -> set[str]:
    """Return the stems that describe an option; neighbours also as one: "smartwatch"."""
    own = stems(canonical(f"{option.words} {option.also}"))
    return {*own, *(f"{a}{b}" for a, b in pairwise(own) if a.isalpha() and b.isalpha())}


def _described(
    text: str, options: Sequence[Option], *, many: bool, ignore: Collection[str]
) -> list[Option]:
    """Match the descriptive words; rare words among the options tell them apart."""
    worlds = [_world(option) for option in options]
    counts = Counter(s for world in worlds for s in world)
    parts = [p for p in _AND.split(text) if p.strip()] if many else [text]
    chosen: list[Option] = []
    for part in parts:
        words = [w for w in content_stems(canonical(part)) if w not in ignore or w in counts]
        scores = [
            sum(
                1 + 1 / counts[s]
                for s in world
                if any(same_word(s, w) for w in words) and s not in _STOP_STEMS
            )
            for world in worlds
        ]
        best = max(scores, default=0)
        if best > 0:
            fits = [o for o, s in zip(options, scores, strict=True) if s == best]
            chosen += [o for o in fits if o not in chosen]
    return chosen
