"""Which product decides, when the manuals of several answer one question differently."""

import re
from collections.abc import Mapping, Sequence

from opsbot.retrieval.answers import extract_section
from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.hits import Hit
from opsbot.retrieval.names import PART, NameBook, plain_words
from opsbot.retrieval.rating import RatedSection
from opsbot.retrieval.scope import find_mentioned
from opsbot.retrieval.units import Form

_NEAR = 0.45
"""How far below the best section another product's may lie."""
_SAME_SUBJECT = 0.55
"""Cosine from which two headings, product names aside, speak of the same matter."""
_MOST = 6
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|without|only|cannot|must not|may not)\b|n't\b", re.IGNORECASE
)


def find_kin(book: NameBook, hit: Hit) -> frozenset[str]:
    """Return the keys of what may answer otherwise than a passage about one product alone.

    Empty when the passage is not, or nothing else of its kind is sold.
    """
    if not (key := _only_product(book, hit)):
        return frozenset()
    named = book.products.get(key.split(PART)[0])
    alike = book.nouns.get(named.noun, frozenset()) if named else frozenset()
    keys = frozenset().union(*(book.keys.get(number, ()) for number in alike))
    return keys if len(keys) > 1 else frozenset()


def find_choices(
    question: str, rated: Sequence[RatedSection], book: NameBook, encoder: Encoder
) -> list[str]:
    """Return the keys of the products to choose from, best first; empty when it does not matter.

    It matters when the section that fits best is about one product alone, and a section about
    another one of the same kind treats the same matter and says something else: other numbers,
    other steps, "never" against "may".
    """
    if not rated or not (first := _only_product(book, rated[0].hit)):
        return []
    best, found = rated[0], {first: rated[0]}
    for other in rated[1:]:
        key = _only_product(book, other.hit)
        near = other.rating >= best.rating - _NEAR
        if key and key not in found and near and _are_alike(book, first, key):
            found[key] = other
    rivals = _on_same_subject(found, first, book, encoder)
    said = {key: _say(question, found[key], book, encoder) for key in (first, *rivals)}
    differ = any(said[key] != said[first] for key in rivals)
    return [first, *rivals][:_MOST] if differ else []


def _only_product(book: NameBook, hit: Hit) -> str:
    """Return what a passage is about if that is one product, its parts aside; else nothing.

    It is the one of its products that the article's title names, or the one without its like.
    """
    if not hit.products:
        return ""
    titled = find_mentioned(book, hit.title) & {key.split(PART)[0] for key in hit.products}
    alike = titled or book.of_kind(hit.products[0].split(PART)[0])
    own = [key for key in hit.products if key.split(PART)[0] in alike]
    return own[0] if len(own) == 1 else ""


def _are_alike(book: NameBook, key: str, other: str) -> bool:
    """Tell whether two keys are models of one product, or products of one noun: two lamps."""
    one, two = (book.products.get(k.split(PART)[0]) for k in (key, other))
    if one is None or two is None:
        return False
    return one.key == two.key or one.noun == two.noun


def _on_same_subject(
    found: Mapping[str, RatedSection], first: str, book: NameBook, encoder: Encoder
) -> list[str]:
    headings = [_without_names(book, section.hit.heading) for section in found.values()]
    vectors = encoder.encode(headings)
    cosines = vectors @ vectors[list(found).index(first)]
    return [
        key
        for key, cosine in zip(found, cosines, strict=True)
        if key != first and float(cosine) >= _SAME_SUBJECT
    ]


def _say(
    question: str, section: RatedSection, book: NameBook, encoder: Encoder
) -> tuple[object, ...]:
    """Return what must be equal in two answers for them to say the same."""
    extracts = extract_section(question, section, encoder)
    text = " ".join(piece.text for piece in extracts)
    steps = " ".join(piece.text for piece in extracts if piece.form is Form.STEPS)
    numbers = frozenset(_NUMBER.findall(text))
    return numbers, bool(_NEGATION.search(text)), _without_names(book, steps)


def _without_names(book: NameBook, text: str) -> str:
    names = {word for phrase in book.phrases if len(phrase) == 1 for word in phrase}
    return " ".join(word for word in plain_words(text) if word not in names)
