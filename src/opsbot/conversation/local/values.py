"""Find values of arguments in words: order numbers, mail addresses, quantities, choices."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from opsbot.conversation.local.classifier import stems
from opsbot.conversation.local.declarations import NUMBERS, ArgumentSpec
from opsbot.conversation.local.language import NUMBER_WORDS
from opsbot.conversation.local.patterns import EMAIL, PERIOD, POSTCODE, YEAR_BEFORE

_SIDE = 80
"""Characters on either side of a number that tell what it is."""
_LONGEST_NUMBER = 4
"""Digits of a number of pieces or days at most; longer ones are numbers of something."""
_SHORTEST_TYPO = 4
_TYPO = 86.0
"""Similarity, 0 to 100, from which two words count as the same one with a slip."""
_QUANTITY = re.compile(
    r"(?<![\w#.,/-])(\d{1,6})\s*(?:x\b|×|times\b|pieces?\b|pcs\b|units?\b|of\b|(?=[a-z]))?"  # noqa: RUF001
    r"(?![\w]*[.,:/-]?\d)",
    re.IGNORECASE,
)
_CITY_AFTER = re.compile(r"\s+[A-ZÄÖÜ][a-zäöüß]{2,}")
_STREET_AFTER = re.compile(
    r"\s+(?:[A-Z][\w.'-]*\s+){0,4}(?:St|Street|Ave|Avenue|Road|Rd|Drive|Dr|Lane|Ln|Highway|Hwy|Way|"
    r"Blvd|Boulevard|Court|Ct|Place|Pl|Square|Terrace|Circle|Parkway|Broadway|Alley|Row)\b",
)
_UNIT_AFTER = re.compile(
    r"[\s-]*(?:pieces?|pcs|ml|gb|tb|mg|kg|grams?|g|mm|cm|lit(?:er|re)s?|watts?|w|hours?|inch(?:es)?|m?ah|"
    r"euros?|eur|dollars?|usd|pounds?|percent|%)(?!\w)",
    re.IGNORECASE,
)
_PLACE_BEFORE = re.compile(r",\s*(?:[A-Z]{2}\s*)?$|\b[A-Z]{2}\s*$")
_HOUSE = re.compile(r"\d+[a-z]?\s+[A-Z]")
_NUMBER_WORD = re.compile(
    r"\b(" + "|".join(sorted(map(re.escape, NUMBER_WORDS), key=len, reverse=True)) + r")\b",
    re.IGNORECASE,
)
_CONTRACTION = re.compile(r"n['’]t\b", re.IGNORECASE)  # noqa: RUF001
_AUXILIARY = re.compile(r"\b(?:do|does|did)\s+not\b", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A value, and where it stood."""

    value: str
    span: tuple[int, int]


def is_marked(argument: ArgumentSpec) -> bool:
    """Tell whether its values can be seen in words without knowing them: by a pattern."""
    return argument.pattern is not None or argument.kind in {"email", "postcode"}


def find_values(argument: ArgumentSpec, text: str) -> list[Found]:
    """Return the values of an argument that a text names by themselves, without repeats.

    Candidates and free text are not looked for here.
    """
    found = [f for f in _find(argument, text) if f.value]
    kept: dict[str, Found] = {}
    for one in found:
        kept.setdefault(one.value.lower(), one)
    return list(kept.values())


def find_labels(argument: ArgumentSpec, text: str) -> list[str]:
    """Return the allowed values whose phrases occur in a text, best first.

    A longer phrase beats a shorter one that is part of it.
    """
    words = stems(_spell_out(text))
    matches: list[tuple[int, int, str]] = []
    for value, phrases in argument.labels.items():
        best = max(
            (
                _phrase_match(stems(_spell_out(p)), words)
                for p in (*phrases, value.replace("_", " "))
            ),
            default=(0, 0),
        )
        if best[0]:
            matches.append((*best, value))
    covered: set[int] = set()
    chosen = []
    for length, start, value in sorted(matches, key=lambda m: (-m[0], m[1])):
        places = set(range(start - 1, start - 1 + length))
        if not places & covered:
            covered |= places
            chosen.append((start, value))
    longest = max((m[0] for m in matches), default=0)
    order = {value: length for length, _, value in matches}
    return [v for _, v in sorted(chosen, key=lambda c: (-(order[c[1]] == longest), c[0]))]


def longest_phrase(argument: ArgumentSpec, text: str) -> int:
    """Return of how many words the longest phrase of a choice is that a text has; 0: of none."""
    words = stems(_spell_out(text))
    phrases = (
        p for value, said in argument.labels.items() for p in (*said, value.replace("_", " "))
    )
    return max((_phrase_match(stems(_spell_out(p)), words)[0] for p in phrases), default=0)


def _spell_out(text: str) -> str:
    """Write "doesn't", "do not" and "didn't" alike."""
    return _AUXILIARY.sub("not", _CONTRACTION.sub(" not", text))


def same_word(one: str, other: str) -> bool:
    """Tell whether two stems are the same, a slip of the finger aside."""
    if one == other:
        return True
    if min(len(one), len(other)) < _SHORTEST_TYPO:
        return False
    return one[0] == other[0] and fuzz.ratio(one, other) >= _TYPO


def number_in(
    text: str, *, taken: Sequence[tuple[int, int]] = (), ones: bool = False
) -> float | None:
    """Return the first number of a text in digits or words, outside the spans `taken`.

    "One" and "a" count only with `ones`: elsewhere they are mostly no numbers.
    """
    for match in _QUANTITY.finditer(text):
        if not overlaps(match.span(1), taken) and len(match[1]) <= _LONGEST_NUMBER:
            return float(match[1])
    for match in _NUMBER_WORD.finditer(text):
        if (ones or match[1].lower() not in {"a", "an", "one"}) and not overlaps(
            match.span(), taken
        ):
            return float(NUMBER_WORDS[match[1].lower()])
    return None


def _find(argument: ArgumentSpec, text: str) -> Iterator[Found]:
    if argument.pattern is not None:
        yield from _find_pattern(argument, argument.pattern, text)
    elif argument.kind == "email":
        yield from (Found(match[0], match.span()) for match in EMAIL.finditer(text))
    elif argument.kind == "postcode":
        for match in POSTCODE.finditer(text):
            value = match["marked"] or match["gb"] or match["nl"]
            yield Found(value.strip(), match.span())
    elif argument.kind == "period" and not argument.labels:
        yield from (Found(match[0], match.span()) for match in PERIOD.finditer(text))


def _find_pattern(argument: ArgumentSpec, pattern: re.Pattern[str], text: str) -> Iterator[Found]:
    matches = list(pattern.finditer(text))
    lengths = {len(m[_group(m)]) for m in matches if m[0].strip() != m[_group(m)]}
    for match in matches:
        group = _group(match)
        if lengths and match[0].strip() == match[group] and len(match[group]) not in lengths:
            continue  # "#1004 10119": the postcode beside it
        if argument.kind == "postcode" and not re.search(r"\d", match[group]):
            continue  # "the postcode please"
        if not _is_of_another_kind(argument, text, match, group):
            # A value may stand in two places: first and last name.
            whole = " ".join(g.strip() for g in match.groups() if g) or match[group].strip()
            yield Found(whole, match.span())


def _group(match: re.Match[str]) -> int:
    """Return the group of a match that holds the value; 0: all of it does."""
    return next((i for i, g in enumerate(match.groups(), 1) if g is not None), 0)


def _is_of_another_kind(
    argument: ArgumentSpec, text: str, match: re.Match[str], group: int
) -> bool:
    """Tell whether bare digits are a year, a postcode or part of a mail address instead."""
    if not match[0].strip().isdigit() or argument.kind in {"postcode", "code"}:
        return False
    start, end = max(0, match.start() - _SIDE), match.end() + _SIDE
    before, after = text[start : match.start()], text[match.end() : end]
    if re.fullmatch(r"(?:19|20)\d\d", match[group]) and YEAR_BEFORE.search(before):
        return True
    if _CITY_AFTER.match(after) and ("," in before or re.search(r"\d[a-z]?\s*[,\n]?\s*$", before)):
        return True
    if _UNIT_AFTER.match(after):
        return True
    if _STREET_AFTER.match(after) or (_PLACE_BEFORE.search(before) and _HOUSE.search(before)):
        return True
    near = text[start:end]
    marked = (*POSTCODE.finditer(near), *EMAIL.finditer(near))
    own = match.start(group) - start, match.end(group) - start
    return overlaps(own, [m.span() for m in marked])


def _phrase_match(phrase: Sequence[str], words: Sequence[str]) -> tuple[int, int]:
    """Return length and place (from 1) of a phrase in a text; (0, 0) when it is not there."""
    size = len(phrase)
    for start in range(len(words) - size + 1) if size else ():
        if all(same_word(p, w) for p, w in zip(phrase, words[start : start + size], strict=True)):
            return size, start + 1
    return 0, 0


def overlaps(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    """Tell whether a span of a text meets one of others."""
    return any(span[0] < end and start < span[1] for start, end in others)


def as_type(argument: ArgumentSpec, value: object) -> object:
    """Return a value as the JSON type the argument declares."""
    if argument.type in NUMBERS and isinstance(value, (str, int, float)):
        try:
            number = float(value)
        except ValueError:
            return value
        return int(number) if argument.type == "integer" else number
    return value
