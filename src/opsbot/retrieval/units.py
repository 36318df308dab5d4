"""The units of a section that a person would quote, and how well each answers a question."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.hits import Hit
from opsbot.retrieval.lexical import question_terms, synonyms_of, to_stems
from opsbot.retrieval.passages import split_sentences
from opsbot.retrieval.structure import Block, Kind, find_sections, to_plain

_WORD_WEIGHT = 0.35
"""What having all the question's words adds to a cosine."""
_HEADING_WEIGHT = 0.15
"""What having all the question's words in its heading adds to each unit of a section."""
_HIT_WEIGHT = 1.0
_ASKED_FORM = 0.12
"""What a unit of the form that was asked for gains: steps, or a number."""
_TOLD_PROBLEM = 0.06
"""What steps gain when a problem is told and nothing is asked."""
_POINTER = 0.1
"""What a sentence loses that only says where to look."""
_INTRODUCTION = 0.2
"""What the text above the first heading loses: it tells what the page is about."""
_FAR = 0.35
_MOST_SECTIONS = 5
_LONG_TABLE = 6
_HOW_TO = re.compile(
    r"\bhow\s+((do|can|should|would|could|must|shall)\s+(i|we|you|one)|to)\b"
    r"|\bwhat\s+(do|should|can|must|shall)\s+(i|we)\b|\bsteps?\b|\binstructions?\b",
    re.IGNORECASE,
)
_FACT = re.compile(
    r"^\W*(how|when|where|which|who|what|is|are|was|does|do|did|can|could|may|will|would|has|have)\b",
    re.IGNORECASE,
)
_NUMBERS = re.compile(
    r"^\W*(how\s+(?!do|can|should|to)\w+|when|(what|which)\b.*\b(size|weight|power|price|cost|setting))",
    re.IGNORECASE,
)
_SEE = re.compile(r"\bsee \[|\bthis page\b", re.IGNORECASE)
_WARNING = re.compile(r"^>\s*\*\*(warning|caution|danger):?\*\*", re.IGNORECASE)


class Form(StrEnum):
    """What a unit is, and so how it is set when several are shown as one answer."""

    SENTENCE = "sentence"
    ITEM = "item"
    STEPS = "steps"
    TABLE_HEADER = "table_header"
    TABLE_ROW = "table_row"
    WARNING = "warning"


@dataclass(frozen=True)
class Unit:
    """A piece of a section's text."""

    form: Form
    block: int
    """Number of its block in the section."""
    start: int
    end: int
    """Offsets into the section's text."""
    text: str
    leads: bool = False
    """It ends with a colon and the next block belongs to it."""


TELLING = frozenset({Form.SENTENCE, Form.ITEM, Form.STEPS, Form.TABLE_ROW})
"""Forms that answer by themselves; the others come along."""


@dataclass(frozen=True)
class RatedSection:
    """A section that may answer, and how well its units do."""

    hit: Hit
    units: tuple[Unit, ...]
    scores: Mapping[Unit, float]
    best: float
    """Score of its best telling unit."""


def split_units(section: str) -> list[Unit]:
    """Return the units of a section's body, in order; together they are all that it says."""
    units = list[Unit]()
    for found in find_sections(section):
        for block in found.blocks:
            units.extend(_split_block(section, block, len({u.block for u in units})))
    return units


def rate_sections(question: str, hits: Sequence[Hit], encoder: Encoder) -> list[RatedSection]:
    """Return the sections of the hits with their units rated, the best section first.

    A unit's score is its cosine, plus the share of the question's telling words that it has
    together with its headings; a word tells the more the fewer units have it. A section counts by
    its best unit and its hit's own score.
    """
    sections = [(hit, split_units(hit.section)) for hit in _one_per_section(hits)]
    terms = question_terms(question)
    texts = [text for hit, units in sections for text in write_sentences(hit, units, terms)]
    vectors = encoder.encode([question, *texts])
    cosines = vectors[1:] @ vectors[0]
    words = [
        " ".join([hit.title, *hit.headings, unit.text]) for hit, units in sections for unit in units
    ]
    shares, found = iter(_share_words(terms, words)), iter(cosines)
    named = _share_words(terms, [hit.heading for hit, _ in sections])
    introduction = _INTRODUCTION * (2 if _HOW_TO.search(question) else 1)
    rated = []
    for (hit, units), heading in zip(sections, named, strict=True):
        scores = {
            unit: float(next(found))
            + _WORD_WEIGHT * next(shares)
            + _form_bonus(question, unit)
            + (_HEADING_WEIGHT * heading if hit.headings else -introduction)
            for unit in units
        }
        if told := [score for unit, score in scores.items() if unit.form in TELLING]:
            rated.append(RatedSection(hit, tuple(units), scores, max(told)))
    return sorted(rated, key=lambda s: -(s.best + _HIT_WEIGHT * s.hit.score))


def write_sentences(
    hit: Hit, units: Sequence[Unit], terms: Mapping[str, float] | None
) -> list[str]:
    """Return units as words that stand alone: with the heading, and a row with its header.

    What does not tell by itself, and rows of a long table with none of the question's words, get
    the same short text each: embedding them all would cost more than it tells. Without a question
    every row is written.
    """
    sizes = Counter(unit.block for unit in units)
    names, texts = list[str](), []
    for unit in units:
        text = to_plain(unit.text)
        if unit.form is Form.TABLE_HEADER:
            names = _cells(unit.text.split("\n")[0])
            text = ""
        elif unit.form is Form.TABLE_ROW:
            pairs = zip(names, _cells(unit.text), strict=False)
            named = (
                terms is None
                or sizes[unit.block] <= _LONG_TABLE
                or bool(terms.keys() & set(to_stems(text)))
            )
            text = "; ".join(f"{n}: {c}" for n, c in pairs) if named else ", ".join(names)
        elif unit.form is Form.WARNING:
            text = ""
        texts.append(f"{': '.join(hit.headings) or hit.title}. {text}")
    return texts


def named_by(question: str, hit: Hit, header: str, rows: Sequence[Unit]) -> list[float]:
    """Return for each row of a table, from 0 to 1, how much the question names it.

    Words that the title, the headings or the header have already do not set a row apart.
    """
    given = set(to_stems(to_plain(" ".join([hit.title, *hit.headings, header]))))
    terms, texts = question_terms(question), [row.text for row in rows]
    shares = _share_words({t: w for t, w in terms.items() if t not in given}, texts)
    return shares if any(shares) else _share_words(terms, texts)


def are_siblings(one: Hit, other: Hit) -> bool:
    """Tell whether two passages stand below the same heading of the same article."""
    above = one.headings[:-1]
    return bool(above) and one.path == other.path and other.headings[:-1] == above


def is_subject(question: str, heading: str, than: str) -> bool:
    """Tell whether `heading` has more of the question's words than the heading `than` below it."""
    terms = question_terms(question)
    above, below = (terms.keys() & set(to_stems(text)) for text in (heading, than))
    return len(above) > len(below)


def wants_steps(question: str) -> bool:
    """Tell whether the answer is something to do: asked how, or told of a problem."""
    return bool(_HOW_TO.search(question)) or not _FACT.match(question)


def wants_number(question: str) -> bool:
    """Tell whether the answer is a measure, an amount or a time."""
    return bool(_NUMBERS.match(question))


def _form_bonus(question: str, unit: Unit) -> float:
    bonus = 0.0
    if unit.form is Form.STEPS and not wants_steps(question):
        # Many words: it has some of any question's.
        bonus -= _ASKED_FORM
    elif unit.form is Form.STEPS:
        bonus += _ASKED_FORM if _HOW_TO.search(question) else _TOLD_PROBLEM
    if wants_number(question) and re.search(r"\d", unit.text):
        bonus += _ASKED_FORM
    if _SEE.search(unit.text):
        bonus -= _POINTER
    return bonus


def _one_per_section(hits: Sequence[Hit]) -> list[Hit]:
    """Return the best hits of the best sections, and those of the first one's siblings."""
    kept = dict[tuple[str, int], Hit]()
    for hit in hits:
        near = hit.score >= hits[0].score - _FAR
        if near and (len(kept) < _MOST_SECTIONS or are_siblings(hits[0], hit)):
            kept.setdefault((hit.path, hit.section_start), hit)
    return list(kept.values())


def _share_words(terms: Mapping[str, float], texts: Sequence[str]) -> list[float]:
    """Return for each text which share of what the terms tell it has; synonyms are one word."""
    concepts = {term: min(synonyms_of(term)) for term in terms}
    stems = [
        {concepts[stem] for stem in to_stems(to_plain(text)) if stem in concepts} for text in texts
    ]
    terms = {concepts[term]: weight for term, weight in sorted(terms.items(), key=lambda t: t[1])}
    found = Counter(term for some in stems for term in some)
    weights = {t: terms[t] * math.log((len(texts) + 1) / count) for t, count in found.items()}
    total = sum(weights.values())
    return [sum(weights[term] for term in some) / total if total else 0.0 for some in stems]


def _split_block(section: str, block: Block, number: int) -> list[Unit]:
    def make(form: Form, start: int, end: int, *, leads: bool = False) -> Unit:
        return Unit(form, number, start, end, section[start:end], leads=leads)

    if block.kind is Kind.STEPS:
        return [make(Form.STEPS, block.start, block.end)]
    if block.kind is Kind.TABLE:
        header, *rows = block.parts
        return [
            make(Form.TABLE_HEADER, header.start, header.end),
            *(make(Form.TABLE_ROW, row.start, row.end) for row in rows),
        ]
    if block.kind is Kind.BULLETS:
        return [make(Form.ITEM, part.start, part.end) for part in block.parts]
    if block.kind is Kind.QUOTE and _WARNING.match(section[block.start : block.end]):
        return [make(Form.WARNING, block.start, block.end)]
    if block.kind is not Kind.PARAGRAPH:
        return [make(Form.ITEM, block.start, block.end)]
    spans = split_sentences(section, block.start, block.end)
    return [
        make(Form.SENTENCE, span.start, span.end, leads=section[: span.end].endswith(":"))
        for span in spans
    ]


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]
