"""The units of a section that a person would quote: sentences, items, steps, rows, warnings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from opsbot.retrieval.hits import Hit
from opsbot.retrieval.lexical import to_stems
from opsbot.retrieval.normalise import is_warning
from opsbot.retrieval.passages import split_sentences
from opsbot.retrieval.structure import Block, Kind, find_sections, to_plain

_LONG_TABLE = 6


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


@lru_cache(maxsize=1_000)
def split_units(section: str) -> tuple[Unit, ...]:
    """Return the units of a section's body, in order; together they are all that it says.

    The last sections are remembered: popular ones are quoted again and again.
    """
    units = list[Unit]()
    for found in find_sections(section):
        for block in found.blocks:
            units.extend(_split_block(section, block, len({u.block for u in units})))
    return tuple(units)


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
            names = read_cells(unit.text.split("\n")[0])
            text = ""
        elif unit.form is Form.TABLE_ROW:
            pairs = zip(names, read_cells(unit.text), strict=False)
            named = (
                terms is None
                or sizes[unit.block] <= _LONG_TABLE
                or bool(terms.keys() & set(to_stems(text, hit.language)))
            )
            text = "; ".join(f"{n}: {c}" for n, c in pairs) if named else ", ".join(names)
        elif unit.form is Form.WARNING:
            text = ""
        texts.append(f"{': '.join(hit.headings) or hit.title}. {text}")
    return texts


def read_cells(row: str) -> list[str]:
    """Return the cells of a table's row."""
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


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
    if block.kind is Kind.QUOTE and is_warning(section[block.start : block.end]):
        return [make(Form.WARNING, block.start, block.end)]
    if block.kind is not Kind.PARAGRAPH:
        return [make(Form.ITEM, block.start, block.end)]
    spans = split_sentences(section, block.start, block.end)
    return [
        make(Form.SENTENCE, span.start, span.end, leads=section[: span.end].endswith(":"))
        for span in spans
    ]
