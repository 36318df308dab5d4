"""Answer from articles without a language model: choose what answers, word for word.

The section that fits best answers, and another one only when it adds something. A section gives its
whole procedure, the rows of a table that the question names, or the sentences that fit best.
Warnings of a section that is used always come along, first.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.hits import Hit
from opsbot.retrieval.lexical import codes_of
from opsbot.retrieval.structure import to_plain
from opsbot.retrieval.units import (
    TELLING,
    Form,
    RatedSection,
    Unit,
    are_siblings,
    is_subject,
    named_by,
    rate_sections,
    wants_steps,
)

_LEANING = re.compile(
    r"^(it|its|this|that|these|those|they|then|but|otherwise|there|later|also|he|she|from then|"
    r"in this case|if so|if not)\b",
    re.IGNORECASE,
)

_SHORT_WORDS = 60
"""A section of prose up to this is quoted whole."""
_OTHER_MATTER = 0.3
"""How far below the best paragraph of short prose another one is about something else."""
_MOST_SENTENCES = 4
_MOST_ROWS = 4
_WHOLE_TABLE = 8
"""Rows of a table that is quoted whole when the question names none of them."""
_NEAR = 0.12
"""How far below the best unit others may lie."""
_ROW_NEAR = 0.3
"""How far below the best unit a row may lie that the question names."""
_ROW_SHARE = 0.35
"""Share of the telling words from which a row is named by the question."""
_AS_GOOD = 0.01
"""How far below the best unit of all that of a second section may lie."""
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
        One to five sentences, or rows of a table, or a whole procedure, with the warnings of the
        section; from two sections when the second adds something. Empty without hits.
    """
    chosen = list[Extract]()
    rated = [_without_other_codes(question, s) for s in rate_sections(question, hits, encoder)]
    rated = [s for s in rated if any(unit.form in TELLING for unit in s.units)]
    for section in _choose(question, rated, encoder):
        picked = _with_warnings(section.units, _pick(question, section))
        chosen.extend(_make_extract(section.hit, unit) for unit in picked)
    return chosen


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


def _without_other_codes(question: str, section: RatedSection) -> RatedSection:
    """Leave out what is of other codes than the one asked for: E-12 is no answer to E-02."""
    asked = codes_of(question)
    kinds = {letters for letters, _ in asked}

    def is_other(unit: Unit) -> bool:
        if unit.form not in TELLING:
            return False
        row = unit.form is Form.TABLE_ROW
        named = codes_of(unit.text.strip(" |").split("|", 1)[0] if row else unit.text)
        alike = {(a, n) for a, n in named if (a and a in kinds) or (row and "" in kinds)}
        return bool(alike) and not any((a, n) in asked or ("", n) in asked for a, n in alike)

    if not asked or not any(is_other(unit) for unit in section.units):
        return section
    return replace(section, units=tuple(unit for unit in section.units if not is_other(unit)))


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
        as_good = section.best >= best.best - _AS_GOOD
        if as_good and section.hit.score >= best.hit.score - _NEAR:
            return [best] if _say_the_same(best, section, encoder) else [best, section]
    return [best]


def _are_siblings(question: str, best: RatedSection, other: RatedSection) -> bool:
    """Tell whether both are cases of what was asked: "It does not turn on: Halo; Arc; Drift"."""
    path = best.hit.headings
    return are_siblings(best.hit, other.hit) and is_subject(question, path[-2], than=path[-1])


def _say_the_same(first: RatedSection, second: RatedSection, encoder: Encoder) -> bool:
    texts = [f"{s.hit.heading}. {to_plain(s.hit.section)}" for s in (first, second)]
    one, other = encoder.encode(texts)
    return float(one @ other) >= _SAME


def _pick(question: str, section: RatedSection) -> list[Unit]:
    """Return the units of one section that answer, in order, without its warnings."""
    units, scores = section.units, section.scores
    told = [unit for unit in units if unit.form in TELLING]
    best = max(told, key=scores.__getitem__)
    steps = [unit for unit in told if unit.form is Form.STEPS]
    if steps and (wants_steps(question) or best.form is Form.STEPS):
        return _with_lead(units, _whole_procedure(units, max(steps, key=scores.__getitem__)))
    rows = _named_rows(question, section)
    if rows and max(scores[row] for row in rows) >= scores[best] - _ROW_NEAR:
        return rows
    prose = [unit for unit in told if unit.form in {Form.SENTENCE, Form.ITEM}]
    if best.form is Form.TABLE_ROW or not prose:
        return _table_rows(told, scores, best)
    return _sentences(units, prose, scores)


def _whole_procedure(units: Sequence[Unit], steps: Unit) -> list[Unit]:
    """Return the steps, with the table or list that the last one leads to: "3. Compare:"."""
    follows = steps.block + 1 if steps.text.endswith(":") else steps.block
    return [unit for unit in units if unit is steps or unit.block == follows]


def _named_rows(question: str, section: RatedSection) -> list[Unit]:
    """Return the rows that the question names; at most four, and never most of a table."""
    named = list[Unit]()
    for header in (unit for unit in section.units if unit.form is Form.TABLE_HEADER):
        rows = [u for u in section.units if u.block == header.block and u is not header]
        shares = named_by(question, section.hit, header.text, rows)
        most = max(shares, default=0.0)
        fitting = [row for row, share in zip(rows, shares, strict=True) if share > most * 0.8]
        if most >= _ROW_SHARE and len(fitting) <= max(_MOST_ROWS, len(rows) // 2):
            named.extend(fitting[:_MOST_ROWS])
    return named


def _table_rows(told: Sequence[Unit], scores: Mapping[Unit, float], best: Unit) -> list[Unit]:
    """Return a table whole when it is short, or its best rows; the header is added later."""
    rows = [unit for unit in told if unit.block == best.block]
    if len(rows) > _WHOLE_TABLE:
        kept = sorted(rows, key=scores.__getitem__, reverse=True)[:_MOST_ROWS]
        rows = [row for row in rows if row in kept]
    return rows


def _sentences(
    units: Sequence[Unit], prose: Sequence[Unit], scores: Mapping[Unit, float]
) -> list[Unit]:
    if sum(len(unit.text.split()) for unit in prose) <= _SHORT_WORDS:
        return _near_paragraphs(prose, scores)
    ranked = sorted(prose, key=scores.__getitem__, reverse=True)
    near = [unit for unit in ranked if scores[unit] >= scores[ranked[0]] - _NEAR]
    kept = set(near[:_MOST_SENTENCES])
    for before, unit in pairwise(prose):
        # "It takes ten minutes." says nothing without the sentence before.
        if unit in kept and before.block == unit.block and _LEANING.match(to_plain(unit.text)):
            kept.add(before)
    return _with_lead(units, [unit for unit in prose if unit in kept])


def _near_paragraphs(prose: Sequence[Unit], scores: Mapping[Unit, float]) -> list[Unit]:
    """Return short prose without the paragraphs that are about something else."""
    best: dict[int, float] = {}
    for unit in prose:
        best[unit.block] = max(best.get(unit.block, scores[unit]), scores[unit])
    least = max(best.values()) - _OTHER_MATTER
    return [unit for unit in prose if best[unit.block] >= least]


def _with_lead(units: Sequence[Unit], picked: Sequence[Unit]) -> list[Unit]:
    """Add the sentence with a colon before a list that was picked."""
    blocks = {unit.block for unit in picked if unit.form in {Form.ITEM, Form.STEPS}}
    leads = {unit for unit in units if unit.leads and unit.block + 1 in blocks}
    return [unit for unit in units if unit in leads or unit in picked]


def _with_warnings(units: Sequence[Unit], picked: Sequence[Unit]) -> list[Unit]:
    """Add the section's warnings, first, and the headers of picked rows."""
    warnings = [unit for unit in units if unit.form is Form.WARNING]
    blocks = {unit.block for unit in picked if unit.form is Form.TABLE_ROW}
    headers = {u for u in units if u.form is Form.TABLE_HEADER and u.block in blocks}
    return warnings + [unit for unit in units if unit in headers or unit in picked]


def _make_extract(hit: Hit, unit: Unit) -> Extract:
    return Extract(
        text=unit.text,
        passage_id=hit.passage_id,
        start=hit.section_start + unit.start,
        end=hit.section_start + unit.end,
        form=unit.form,
        heading=hit.heading,
        block=unit.block,
    )
