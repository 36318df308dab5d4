"""Which product, model and revision a question is about, so that no other manual answers it.

The scope comes from the question, and from what was said before when the question leans on it.
Names are forgiven a slip; numbers are not.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from rapidfuzz.distance import OSA

from opsbot.retrieval.names import PART, NameBook, plain_words, singular

_WORD = re.compile(r"[\w'-]+")
_LONGEST_PHRASE = 6
_SHORTEST_SLIP = 4
"""Letters of a word that may be a name with a slip."""
_LONG = 6
"""Letters from which a name is forgiven two slips."""
_LEANS = re.compile(
    r"^\W*(?:and|or|also|what about|how about)\b"
    r"|\b(?:it|its|this|that|they|them|their|these|those|one)\b",
    re.IGNORECASE,
)
_BEFORE_NAME = re.compile(
    r"\b(?:the|my|our|your|an?|this|that|for|of|on|with|and|or)\s+$", re.IGNORECASE
)
_ELLIPTIC = re.compile(
    r"\b(?:the|my|our|your|this|that)\s+([\w'-]+)\s*(?:[?.!,;]|$)", re.IGNORECASE
)
"""Where the first word of a name stands for the whole: "and for the orbit?"."""
_THE_NOUN = re.compile(r"\b(?:the|my|our|your|an?|this|that)\s+([\w'-]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Scope:
    """What a question is about."""

    question: str
    """Its words, with slips in names mended."""
    named: frozenset[str] = frozenset()
    """Keys of what it names; empty: it names no product."""
    rivals: frozenset[str] = frozenset()
    """Keys of what else is of the same kind: what is only about these cannot answer."""


def find_scope(
    book: NameBook, question: str, *, before: Sequence[str] = (), is_word: Callable[[str], bool]
) -> Scope:
    """Return what a question is about.

    Args:
        book: the names of the products.
        question: the words of who asks.
        before: what was said before, the latest last.
        is_word: tells whether the articles have a word; such a word is no slip of another one.
    """
    mended = _mend(book, question, is_word)
    named = _find_named(book, mended)
    nouns = _find_nouns(book, mended)
    if not named and _LEANS.search(mended):
        named = _find_before(book, before, nouns)
    named = _narrow(named or _find_only(book, mended), " ".join([*before, mended]))
    rivals = frozenset().union(
        *(book.keys.get(other, ()) for number in _numbers(named) for other in book.of_kind(number))
    )
    return Scope(mended, named, rivals - named)


def find_mentioned(book: NameBook, text: str) -> frozenset[str]:
    """Return the item numbers of what a text names, or calls by what it is: "kettle"."""
    named = _numbers(_find_named(book, text))
    return frozenset(named or frozenset().union(*_find_nouns(book, text)))


def narrow_to(book: NameBook, scope: Scope, keys: Collection[str]) -> Scope:
    """Return a scope that is about these keys, as when a person has chosen."""
    of_kind = frozenset().union(
        *(book.keys.get(n, ()) for number in _numbers(keys) for n in book.of_kind(number))
    )
    return replace(scope, named=frozenset(keys), rivals=of_kind - frozenset(keys))


def _numbers(keys: Collection[str]) -> set[str]:
    return {key.split(PART)[0] for key in keys}


def _find_named(book: NameBook, text: str) -> frozenset[str]:
    """Return all keys of the products that a text names; the longest name counts."""
    found = {number for number, _ in _find_identifiers(book, text)}
    words = plain_words(text)
    place = 0
    while place < len(words):
        for length in range(min(_LONGEST_PHRASE, len(words) - place), 0, -1):
            if (keys := book.phrases.get(tuple(words[place : place + length]))) is not None:
                found |= keys
                place += length - 1
                break
        place += 1
    if not found:
        lone = (singular(match[1].lower()) for match in _ELLIPTIC.finditer(text))
        found.update(*(book.firsts.get(word, ()) for word in lone if word not in book.nouns))
    return frozenset().union(*(book.keys.get(number, {number}) for number in found))


def _find_identifiers(book: NameBook, text: str) -> Iterator[tuple[str, str]]:
    """Yield item numbers that stand in a text, as product and as written in the catalogue."""
    flat = re.sub(r"[\s-]+", "-", text.upper())
    for number in (*book.products, *book.variants):
        if re.search(rf"(?<![A-Z0-9]){re.escape(number.upper())}(?![A-Z0-9])", flat):
            yield book.variants.get(number, number), number


def _find_nouns(book: NameBook, text: str) -> list[frozenset[str]]:
    return [book.nouns[word] for word in plain_words(text) if word in book.nouns]


def _find_only(book: NameBook, text: str) -> frozenset[str]:
    """Return the keys of the only thing "the kettle" can be; a "credit card" is no gift card."""
    nouns = (singular(match[1].lower()) for match in _THE_NOUN.finditer(text))
    some = [book.nouns[noun] for noun in nouns if len(book.nouns.get(noun, ())) == 1]
    return frozenset().union(*(book.keys.get(number, ()) for one in some for number in one))


def _find_before(
    book: NameBook, before: Sequence[str], nouns: Sequence[frozenset[str]]
) -> frozenset[str]:
    """Return what was named last, unless the question speaks of something of another kind."""
    for text in reversed(before):
        named = _find_named(book, text)
        if named:
            fits = not nouns or any(_numbers(named) & some for some in nouns)
            return named if fits else frozenset()
    return frozenset()


def _narrow(named: frozenset[str], text: str) -> frozenset[str]:
    """Leave out models and revisions when the text names another one of the same product."""
    kept = set[str]()
    for number in _numbers(named):
        own = {key for key in named if key.split(PART)[0] == number}
        for level in (1, 2):
            values = {_part(key, level) for key in own} - {""}
            meant = {value for value in values if _stands_in(value, text)}
            own = {key for key in own if not meant or _part(key, level) in meant | {""}}
        kept |= own
    return frozenset(kept)


def _part(key: str, level: int) -> str:
    return [*key.split(PART), "", ""][level]


def _stands_in(value: str, text: str) -> bool:
    spaced = re.escape(value).replace(r"\ ", r"[\s-]*")
    return re.search(rf"(?<![\w.]){spaced}(?!\w|\.\d)", text, re.IGNORECASE) is not None


def _mend(book: NameBook, question: str, is_word: Callable[[str], bool]) -> str:
    """Return a question with the slips in its product names mended.

    A name of one word is mended after an article or before what the product is, as in "hallo
    lamp"; a lone "hallo" is a greeting. Long words for what products are, as "gridner", anywhere.
    """
    names = {phrase[0] for phrase in book.phrases if len(phrase) == 1}
    nouns = {noun for noun in book.nouns if len(noun) >= _LONG}
    known = {word for phrase in book.phrases for word in phrase} | set(book.nouns)

    def mend(match: re.Match[str]) -> str:
        word = singular(match[0].lower())
        if len(word) < _SHORTEST_SLIP or not word.isalpha() or word in known:
            return match[0]
        follows = plain_words(question[match.end() :])[:1]
        is_thing = _BEFORE_NAME.search(question[: match.start()]) or (
            follows and follows[0] in book.nouns
        )
        near = [name for name in names if is_thing and _is_slip(word, name)]
        if follows and follows[0] in book.nouns:
            near += [first for first in book.firsts if _is_slip(word, first)]
        near += [noun for noun in nouns if OSA.distance(word, noun) == 1 and word[0] == noun[0]]
        if not near or is_word(match[0]):
            return match[0]
        return min(near, key=lambda name: (OSA.distance(word, name), name))

    return _WORD.sub(mend, question)


def _is_slip(word: str, name: str) -> bool:
    if len(name) < _SHORTEST_SLIP or word[0] != name[0]:
        return False
    most = 1 if len(name) < _LONG else 2
    return OSA.distance(word, name, score_cutoff=most) <= most
