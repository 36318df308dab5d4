"""The analysis of words: from a text to its stems, from a question to what it is about."""

import re
from collections.abc import Collection
from functools import cache, lru_cache

import snowballstemmer

from opsbot.retrieval.languages import DEFAULT, is_english, small_words, stemmer_name

ANALYSIS = "3"
"""Raise it when `to_stems` changes: the terms of all passages are then made again."""

_WORD = re.compile(r"[^\W_]+(?:[-/.'][^\W_]+)*")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where a name in camel case is two words: between "Crash" and "Looping"."""
_PART = re.compile(r"[^\W\d_]+|\d+")
_FIGURE = re.compile(r"[\d.]+")
_SPELLINGS = str.maketrans({"\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{EURO SIGN}": " eur "})
_QUESTION_WORDS = """
a about after all also am an and any anybody anyone anything are as at be been before but by can
can't cannot could did do does doing don't everything find for from get give got had has have
having he hello help her hers hey hi him his how i i'd i'm i've if in into is isn't it it's its
just know let like may me might mine must my need no not nothing now of off on one or other our
out over please put regarding right say shall she should so some somebody someone something such
tell than thank thanks that that's the their them then there these they this those through to
too under up us use using very want was way we were what what's when where which while who whom
whose why will wish with would yes you your yours
"""

_MEASURES = {
    "heavy": "weight",
    "tall": "height",
    "high": "height",
    "wide": "width",
    "big": "size",
    "large": "size",
    "expensive": "price",
}
_MEASURED = re.compile(rf"\bhow ({'|'.join(_MEASURES)})\b", re.IGNORECASE)
_APART = re.compile(r"\b([b-hj-z])[ ](\d{1,3})\b", re.IGNORECASE)
"""A code written as two words: "e 2". "A" and "I" are words of their own."""
_CODE = re.compile(r"\b([a-z]{1,3})[- ]?0*(\d{1,3})\b", re.IGNORECASE)
_NUMBERED_ERROR = re.compile(r"\b(?:error|code|fault)\s(?:code\s)?0*(\d{1,3})\b", re.IGNORECASE)
_SYNONYM_WEIGHT = 0.8
_SYNONYMS = (
    # What people ask, and what articles say.
    "weight weigh",
    "size dimensions",
    "delivery shipping deliver ship",
    "package parcel",
    "cost price expensive",
    "broken damaged faulty",
    "repair fix",
    "phone call telephone",
    "colour color",
    "guarantee warranty",
    "bulb led",
)


def question_terms(question: str, language: str = DEFAULT) -> dict[str, float]:
    """Return the stems that a question is about, with weight 1, and their synonyms with less.

    The words that make it a question ("how", "can I") are left out.

    Args:
        question: the words of who asks.
        language: the one they are written in.
    """
    question = _APART.sub(r"\1-\2", question)
    if not is_english(language):
        return dict.fromkeys(to_stems(question, language, stop_words=small_words(language)), 1.0)
    question = _MEASURED.sub(lambda found: _MEASURES[found[1].lower()], question)
    terms = dict.fromkeys(to_stems(question, stop_words=_question_words()), 1.0)
    for group in _synonyms():
        if not group.isdisjoint(terms):
            terms = dict.fromkeys(group, _SYNONYM_WEIGHT) | terms
    return terms


def codes_of(text: str) -> frozenset[tuple[str, str]]:
    """Return the short codes of a text, as letters and number: E-02 is ("e", "2").

    "Error 2" has no letters; they are empty then.
    """
    codes = {(letters.lower(), number) for letters, number in _CODE.findall(text)}
    return frozenset(codes | {("", number) for number in _NUMBERED_ERROR.findall(text)})


def synonyms_of(term: str) -> frozenset[str]:
    """Return a stem with the stems that mean the same."""
    return frozenset({term}.union(*(group for group in _synonyms() if term in group)))


def to_stems(
    text: str, language: str = DEFAULT, *, stop_words: Collection[str] = frozenset()
) -> list[str]:
    """Return the stems of all words.

    An identifier also gives its parts and their sum without leading zeros: E-02 is found by E2,
    by E02 and by 2, and "AutoStart" by "auto start". Figures such as 12.5 stay whole.

    Args:
        text: plain words.
        language: whose rules bring words to their stems, such as `de`.
        stop_words: left out; in small letters.
    """
    stemmer = stemmer_name(language)
    stems = list[str]()
    for name in _WORD.findall(_THOUSANDS.sub("", text.translate(_SPELLINGS))):
        if name.lower() in stop_words:
            continue
        own, parts = _stem_name(name, stemmer)
        stems.extend(own)
        stems.extend(stem for part, stem in parts if part not in stop_words)
    return stems


@lru_cache(maxsize=20_000)
def stems_of(word: str, language: str = DEFAULT) -> tuple[str, ...]:
    """Return the stems of one word; what was asked before is remembered."""
    return tuple(to_stems(word, language))


def split_names(text: str) -> str:
    """Return a text with spaces inside its camel case names: "AutoStart" is "Auto Start"."""
    return _HUMP.sub(" ", text)


@lru_cache(maxsize=20_000)
def _stem_name(name: str, stemmer: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the stems of a word as a whole, and each of its parts, if it has some, with its."""
    word = name.lower()
    stem = _stem(word.removesuffix("'s"), stemmer)
    parts = _split_name(name.removesuffix("'s"))
    if len(parts) < 2:  # noqa: PLR2004
        return (stem,), ()
    whole = "".join(parts)
    own = (stem, whole) if whole != word else (stem,)
    return own, tuple((part, _stem(part, stemmer)) for part in parts)


def _split_name(name: str) -> list[str]:
    """Return the parts of an identifier, numbers without leading zeros; a figure has none."""
    parts = [part.lower() for part in _PART.findall(split_names(name))]
    if _FIGURE.fullmatch(name):
        return []
    return [part.lstrip("0") or part if part.isdigit() else part for part in parts]


@cache
def _question_words() -> frozenset[str]:
    return frozenset(_QUESTION_WORDS.split())


@cache
def _synonyms() -> tuple[frozenset[str], ...]:
    """Return the stems of each group."""
    english = stemmer_name(DEFAULT)
    return tuple(frozenset(_stem(w, english) for w in group.split()) for group in _SYNONYMS)


@lru_cache(maxsize=20_000)
def _stem(word: str, stemmer: str) -> str:
    # The stemmer keeps state while it works, so each call has its own.
    if word in {"euro", "euros"}:
        return "eur"
    return str(snowballstemmer.stemmer(stemmer).stemWord(word))
