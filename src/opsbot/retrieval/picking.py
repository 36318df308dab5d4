"""Pick the units of one section that answer a question, whole enough to be true.

A procedure is given whole. So is a short list, a short table and a short paragraph: the sentence
after the one that fits often takes half of it back.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from opsbot.retrieval.asking import wants_number, wants_steps
from opsbot.retrieval.rating import RatedSection, named_by
from opsbot.retrieval.structure import to_plain
from opsbot.retrieval.units import TELLING, Form, Unit

_LEANING = re.compile(
    r"^(it|its|this|that|these|those|they|then|but|otherwise|there|later|also|he|she|from then|"
    r"in this case|if so|if not)\b",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")

_SHORT_WORDS = 60
"""Words of a section of prose, or of prose and a table, that is quoted whole."""
_SHORT_BLOCK = 75
"""Words of a paragraph or list that is quoted whole."""
_MOST_WORDS = 120
"""Words of prose that an answer takes from one section."""
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
_ROW_SHARE = 0.55
"""Share of the telling words from which a row is named by the question."""


def pick(question: str, section: RatedSection) -> list[Unit]:
    """Return the units of a section that answer, in order: warnings first, rows with headers."""
    return _with_warnings(section.units, _pick(question, section))


def _pick(question: str, section: RatedSection) -> list[Unit]:
    units, scores = section.units, section.scores
    told = [unit for unit in units if unit.form in TELLING]
    best = max(told, key=scores.__getitem__)
    steps = [unit for unit in told if unit.form is Form.STEPS]
    if steps and (wants_steps(question) or best.form is Form.STEPS):
        return _with_lead(units, _whole_procedure(units, max(steps, key=scores.__getitem__)))
    rows = _named_rows(question, section)
    if rows and max(scores[row] for row in rows) >= scores[best] - _ROW_NEAR:
        return rows
    if len(told) > 1 and _count_words(told) <= _SHORT_WORDS:
        return _near_blocks(told, scores)
    prose = [unit for unit in told if unit.form in {Form.SENTENCE, Form.ITEM}]
    best = _with_figure(question, told, scores) or best
    if best.form is Form.TABLE_ROW or not prose:
        return _table_rows(told, scores, best)
    return _prose(units, prose, scores)


def _with_figure(question: str, told: Sequence[Unit], scores: Mapping[Unit, float]) -> Unit | None:
    """Return the best unit that holds a figure, when one is asked for."""
    if not wants_number(question):
        return None
    return max((u for u in told if _DIGIT.search(u.text)), key=scores.__getitem__, default=None)


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


def _near_blocks(told: Sequence[Unit], scores: Mapping[Unit, float]) -> list[Unit]:
    """Return a short section without the paragraphs that are about something else."""
    best = _best_of_blocks(told, scores)
    least = max(best.values()) - _OTHER_MATTER
    return [unit for unit in told if best[unit.block] >= least]


def _prose(
    units: Sequence[Unit], prose: Sequence[Unit], scores: Mapping[Unit, float]
) -> list[Unit]:
    """Return the paragraphs and lists that are near the best one, the best one in any case."""
    best = _best_of_blocks(prose, scores)
    least = max(best.values()) - _NEAR
    kept, words = set[Unit](), 0
    for number in sorted(best, key=best.__getitem__, reverse=True):
        some = _sentences([unit for unit in prose if unit.block == number], scores)
        words += _count_words(some)
        if best[number] >= least and (not kept or words <= _MOST_WORDS):
            kept.update(some)
    return _with_lead(units, [unit for unit in prose if unit in kept])


def _best_of_blocks(units: Sequence[Unit], scores: Mapping[Unit, float]) -> dict[int, float]:
    best = dict[int, float]()
    for unit in units:
        best[unit.block] = max(best.get(unit.block, scores[unit]), scores[unit])
    return best


def _sentences(block: Sequence[Unit], scores: Mapping[Unit, float]) -> list[Unit]:
    """Return a short paragraph or list whole, of a long one the best sentences in order."""
    if _count_words(block) <= _SHORT_BLOCK:
        return list(block)
    ranked = sorted(block, key=scores.__getitem__, reverse=True)
    kept = {u for u in ranked[:_MOST_SENTENCES] if scores[u] >= scores[ranked[0]] - _NEAR}
    for before, unit in pairwise(block):
        # "It takes ten minutes." says nothing without the sentence before.
        if unit in kept and _LEANING.match(to_plain(unit.text)):
            kept.add(before)
    return [unit for unit in block if unit in kept]


def _count_words(units: Sequence[Unit]) -> int:
    return sum(len(unit.text.split()) for unit in units)


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
