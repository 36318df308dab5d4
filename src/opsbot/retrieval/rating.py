"""How well the sections of an article, and the units in them, answer a question."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from opsbot.retrieval.asking import asks_how_to, wants_number, wants_steps
from opsbot.retrieval.encoder import Encoder, Vectors
from opsbot.retrieval.hits import Hit
from opsbot.retrieval.languages import DEFAULT
from opsbot.retrieval.lexical import codes_of, question_terms, synonyms_of, to_stems
from opsbot.retrieval.structure import to_plain
from opsbot.retrieval.units import TELLING, Form, Unit, read_cells, split_units, write_sentences

_WORD_WEIGHT = 0.35
"""What having all the question's words adds to a cosine."""
_OWN_WORD_WEIGHT = 0.3
"""What a unit gains, against others of its section, by having the words itself."""
_TITLE_WORD = 0.3
"""What a word of the question counts, within an article, that its title has already."""
_HEADING_WEIGHT = 0.15
"""What having all the question's words in its heading adds to each unit of a section."""
_HEADING_COSINE = 0.3
"""What a heading that is the question in other words adds to its section."""
_HIT_WEIGHT = 0.7
"""What a hit's own score counts, against the best unit of its section."""
_COSINE_WEIGHT = 0.3
"""What the passage's own cosine counts, against that of its best unit."""
_ASKED_FORM = 0.12
"""What a unit of the form that was asked for gains: steps, or a number."""
_TOLD_PROBLEM = 0.06
"""What steps gain when a problem is told and nothing is asked."""
_POINTER = 0.1
"""What a sentence loses that only says where to look."""
_INTRODUCTION = 0.6
"""What the text above the first heading loses: it tells what the page is about."""
_FAR = 0.8
"""How far below the best hit a section is not looked at any more."""
_MOST_SECTIONS = 8
_AMOUNTS = frozenset({"mani", "much", "long", "often"})
"""Stems of words that ask for an amount and name nothing."""
_SEE = re.compile(r"\bsee \[|\bthis page\b", re.IGNORECASE)
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*(?:[-\u2013\u2014]|to)\s*({_NUMBER})\b.*")


@dataclass(frozen=True)
class RatedSection:
    """A section that may answer, and how well its units do."""

    hit: Hit
    units: tuple[Unit, ...]
    scores: Mapping[Unit, float]
    """Of units, against those of other sections too."""
    rating: float
    """Of the section: higher answers better."""

    @property
    def best(self) -> float:
        """Score of its best telling unit."""
        return max(self.scores[unit] for unit in self.units if unit.form in TELLING)


def rate_sections(question: str, hits: Sequence[Hit], encoder: Encoder) -> list[RatedSection]:
    """Return the sections of the hits with their units rated, the best section first.

    A unit's score is its cosine, plus the share of the question's telling words that it has
    together with its headings; a word tells the more the fewer units have it. A section counts by
    its best unit, its passage's cosine and its hit's score.
    """
    sections = [(hit, _without_other_codes(question, hit)) for hit in _one_per_section(hits)]
    language = hits[0].language if hits else DEFAULT
    terms = question_terms(question, language)
    texts = [text for hit, units in sections for text in write_sentences(hit, units, terms)]
    headings = [hit.heading for hit, _ in sections]
    vectors = encoder.encode([question, *headings, *texts])
    cosines = vectors[1:] @ vectors[0]
    words = [
        " ".join([hit.title, *hit.headings, unit.text]) for hit, units in sections for unit in units
    ]
    shares, found = iter(share_words(terms, words, language)), iter(cosines[len(headings) :])
    named = share_words(terms, headings, language)
    rated = []
    for (hit, units), heading, cosine in zip(sections, named, cosines, strict=False):
        scores = {
            unit: float(next(found)) + _WORD_WEIGHT * next(shares) + _form_bonus(question, unit)
            for unit in units
        }
        told = [score for unit, score in scores.items() if unit.form in TELLING]
        if told:
            bonus = _HEADING_WEIGHT * heading + _HEADING_COSINE * float(cosine)
            bonus -= 0 if hit.headings else _INTRODUCTION
            rating = _HIT_WEIGHT * hit.score + max(told) + bonus + _COSINE_WEIGHT * hit.cosine
            rated.append(RatedSection(hit, tuple(units), scores, rating))
    return sorted(rated, key=lambda section: -section.rating)


def rate_within(question: str, section: RatedSection, encoder: Encoder) -> RatedSection:
    """Rate the units of one section against each other.

    The headings' words are every unit's and set none apart, so the words of each unit alone count
    here, and the rows of long tables are read too. Words of the article's title count less: a
    sentence that happens to name the product is not the nearer for it.
    """
    texts = write_sentences(section.hit, section.units, None)
    vectors: Vectors = encoder.encode([question, *texts])
    language = section.hit.language
    given = set(to_stems(section.hit.title, language))
    terms = {
        term: weight * (_TITLE_WORD if term in given else 1.0)
        for term, weight in question_terms(question, language).items()
    }
    shares = share_words(terms, [unit.text for unit in section.units], language)
    scores = {
        unit: float(cosine) + _OWN_WORD_WEIGHT * share + _form_bonus(question, unit)
        for unit, cosine, share in zip(section.units, vectors[1:] @ vectors[0], shares, strict=True)
    }
    return replace(section, scores=scores)


def named_by(question: str, hit: Hit, header: str, rows: Sequence[Unit]) -> list[float]:
    """Return for each row of a table, from 0 to 1, how much the question names it.

    A row is called by its first cell, so words found there count twice. Words that the title, the
    headings or the header have already do not set a row apart, unless only some rows are called by
    them. A word that no row has counts against all; a number names the row whose range holds it.
    """
    language, first_cells = hit.language, [read_cells(row.text)[0] for row in rows]

    def stems(text: str) -> set[str]:
        return set(to_stems(to_plain(text), language))

    called = Counter(stem for cell in first_cells for stem in stems(cell))
    apart = {stem for stem, count in called.items() if count < len(rows)}
    above = stems(" ".join([hit.title, *hit.headings])) - apart
    given = above | stems(header)
    terms = question_terms(question, language)
    own = {t: weight for t, weight in terms.items() if t not in given | _AMOUNTS} or terms
    anywhere = share_words(own, [row.text for row in rows], language, unknown=True)
    first = share_words(own, first_cells, language, unknown=True)
    return [
        1.0 if _holds_number(question, row.text) else (one + other) / 2
        for row, one, other in zip(rows, anywhere, first, strict=True)
    ]


def are_siblings(one: Hit, other: Hit) -> bool:
    """Tell whether two passages stand below the same heading of the same article."""
    above = one.headings[:-1]
    return bool(above) and one.path == other.path and other.headings[:-1] == above


def is_subject(question: str, heading: str, than: str, language: str) -> bool:
    """Tell whether `heading` has more of the question's words than the heading `than` below it."""
    terms = question_terms(question, language)
    above, below = (terms.keys() & set(to_stems(text, language)) for text in (heading, than))
    return len(above) > len(below)


def share_words(
    terms: Mapping[str, float], texts: Sequence[str], language: str, *, unknown: bool = False
) -> list[float]:
    """Return for each text which share of what the terms tell it has; synonyms are one word.

    Args:
        terms: weights of stems, as `question_terms` gives them.
        texts: what is compared; a word tells the more the fewer of them have it.
        language: whose rules made the stems.
        unknown: words that none of them has count too.
    """
    concepts = {term: min(synonyms_of(term)) for term in terms}
    stems = [
        {concepts[stem] for stem in to_stems(to_plain(text), language) if stem in concepts}
        for text in texts
    ]
    weights = {concepts[term]: weight for term, weight in sorted(terms.items(), key=lambda t: t[1])}
    counts = Counter(term for some in stems for term in some)
    told = weights.keys() if unknown else counts.keys()
    tells = {t: weights[t] * math.log((len(texts) + 1) / max(counts[t], 1)) for t in told}
    total = sum(tells.values())
    return [sum(tells[term] for term in some) / total if total else 0.0 for some in stems]


def _without_other_codes(question: str, hit: Hit) -> Sequence[Unit]:
    """Leave out what is of other codes than the one asked for: E-12 is no answer to E-02."""
    units = split_units(hit.section)
    asked = codes_of(question)
    kinds = {letters for letters, _ in asked}

    def is_other(unit: Unit) -> bool:
        if unit.form not in TELLING:
            return False
        row = unit.form is Form.TABLE_ROW
        named = codes_of(read_cells(unit.text)[0] if row else unit.text)
        alike = {(a, n) for a, n in named if (a and a in kinds) or (row and "" in kinds)}
        return bool(alike) and not any((a, n) in asked or ("", n) in asked for a, n in alike)

    return [unit for unit in units if not is_other(unit)] if asked else units


def _form_bonus(question: str, unit: Unit) -> float:
    bonus = 0.0
    if unit.form is Form.STEPS and not wants_steps(question):
        # Many words: it has some of any question's.
        bonus -= _ASKED_FORM
    elif unit.form is Form.STEPS:
        bonus += _ASKED_FORM if asks_how_to(question) else _TOLD_PROBLEM
    if wants_number(question) and re.search(r"\d", unit.text):
        bonus += _ASKED_FORM
    if _SEE.search(unit.text):
        bonus -= _POINTER
    return bonus


def _holds_number(question: str, row: str) -> bool:
    """Tell whether a row is named by a range, such as 151-280, that a number of ours lies in."""
    ranged = _RANGE.fullmatch(read_cells(row)[0])
    if ranged is None:
        return False
    low, high = (float(end.replace(",", "")) for end in ranged.groups())
    asked = (float(number.replace(",", "")) for number in re.findall(_NUMBER, question))
    return any(low <= number <= high for number in asked)


def _one_per_section(hits: Sequence[Hit]) -> list[Hit]:
    """Return the best hits of the best sections, and those of the first one's siblings."""
    kept = dict[tuple[str, int], Hit]()
    for hit in hits:
        near = hit.score >= hits[0].score - _FAR
        if near and (len(kept) < _MOST_SECTIONS or are_siblings(hits[0], hit)):
            kept.setdefault((hit.path, hit.section_start), hit)
    return list(kept.values())
