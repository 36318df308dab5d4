"""Answer from articles without a language model: choose what answers, word for word.

The section that fits best answers, and another one only when it adds something. A section gives its
whole procedure, the rows of a table that the question names, or the paragraphs that fit best.
Warnings of a section that is used always come along, first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.hits import Hit
from opsbot.retrieval.picking import pick
from opsbot.retrieval.rating import (
    RatedSection,
    are_siblings,
    is_subject,
    rate_sections,
    rate_within,
)
from opsbot.retrieval.structure import to_plain
from opsbot.retrieval.units import Form, Unit
from opsbot.retrieval.yes_no import skip_yes_no

_AS_GOOD = 0.05
"""How far below the best section a second one that adds something may lie."""
_MOST_SIBLINGS = 3
_SAME = 0.75
"""Cosine from which two texts say the same."""


@dataclass(frozen=True)
class Extract:
    """A piece of an article, word for word."""

    text: str
    """Markdown; equals the article's text from `start` to `end`."""
    passage_id: int
    """The hit whose section it comes from: its source."""
    start: int
    end: int
    form: Form
    heading: str
    """The nearest heading, or the article's title."""
    block: int
    """Extracts of one section and one block belong together: a table and its rows, a list."""


def extract(question: str, hits: Sequence[Hit], encoder: Encoder) -> list[Extract]:
    """Return the pieces that answer `question`, in the order to read them.

    Args:
        question: the words of who asks.
        hits: best first, as a search returns them.
        encoder: the one the index was made with.

    Returns:
        Paragraphs, or rows of a table, or a whole procedure, with the warnings of the section;
        from two sections when the second adds something. Empty without hits.
    """
    return extract_rated(question, rate_sections(question, hits, encoder), encoder)


def extract_rated(question: str, rated: Sequence[RatedSection], encoder: Encoder) -> list[Extract]:
    """Return the same as `extract` from sections that are rated already, best first."""
    return [
        piece
        for section in _choose(question, rated, encoder)
        for piece in extract_section(question, section, encoder)
    ]


def extract_section(question: str, section: RatedSection, encoder: Encoder) -> list[Extract]:
    """Return the pieces of one section that answer, its warnings first."""
    picked = pick(question, rate_within(question, section, encoder))
    return [_make_extract(question, section.hit, unit) for unit in picked]


def compose(extracts: Sequence[Extract]) -> str:
    """Return extracts as one Markdown text; nothing is added but space and line ends.

    When they come from several sections, each section begins with its heading in bold.
    """
    several = len({piece.passage_id for piece in extracts}) > 1
    text, last = "", None
    for piece in extracts:
        if last is None or last.passage_id != piece.passage_id:
            text += "\n\n" if text else ""
            text += f"**{piece.heading}**\n\n" if several else ""
        else:
            text += _gap(last, piece)
        text += piece.text
        last = piece
    return text


def _gap(last: Extract, piece: Extract) -> str:
    rows = {Form.TABLE_HEADER, Form.TABLE_ROW, Form.ITEM}
    if piece.form in rows and last.form in rows and piece.block == last.block:
        return "\n"
    if piece.form is Form.SENTENCE and last.form is Form.SENTENCE and piece.block == last.block:
        return " "
    return "\n\n"


def _choose(question: str, rated: Sequence[RatedSection], encoder: Encoder) -> list[RatedSection]:
    """Return the best section, with its equals: siblings, or one that answers as well."""
    if not rated:
        return []
    best, *others = rated
    siblings = [section for section in others if _are_siblings(question, best, section)]
    if siblings:
        together = [best, *siblings[: _MOST_SIBLINGS - 1]]
        return sorted(together, key=lambda section: section.hit.section_start)
    for section in others:
        if section.rating >= best.rating - _AS_GOOD and _may_mix(best.hit, section.hit):
            return [best] if _say_the_same(best, section, encoder) else [best, section]
    return [best]


def _are_siblings(question: str, best: RatedSection, other: RatedSection) -> bool:
    """Tell whether both are cases of what was asked: "It does not turn on: Halo; Arc; Drift"."""
    path = best.hit.headings
    return are_siblings(best.hit, other.hit) and is_subject(
        question, path[-2], than=path[-1], language=best.hit.language
    )


def _may_mix(one: Hit, other: Hit) -> bool:
    """Tell whether two passages may stand in one answer: never those of different products."""
    return not one.products or not other.products or bool({*one.products} & {*other.products})


def _say_the_same(first: RatedSection, second: RatedSection, encoder: Encoder) -> bool:
    texts = [f"{s.hit.heading}. {to_plain(s.hit.section)}" for s in (first, second)]
    one, other = encoder.encode(texts)
    return float(one @ other) >= _SAME


def _make_extract(question: str, hit: Hit, unit: Unit) -> Extract:
    skipped = 0
    if unit.form is Form.SENTENCE and unit.block == 0:
        skipped = skip_yes_no(question, hit.heading, unit.text, hit.language)
    return Extract(
        text=unit.text[skipped:],
        passage_id=hit.passage_id,
        start=hit.section_start + unit.start + skipped,
        end=hit.section_start + unit.end,
        form=unit.form,
        heading=hit.heading,
        block=unit.block,
    )
