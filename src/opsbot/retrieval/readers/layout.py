"""From lines on pages to Markdown: headings by size, paragraphs by distance, lists by marks."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from opsbot.retrieval.normalise import PAGE_BREAK

MARK = re.compile(r"^(?:[•‣▪●◦\u2013·\uf0b7-]|\d{1,2}[.)])(?:\s+|$)")
_BULLET = re.compile(r"^[•‣▪●◦\u2013·\uf0b7-]\s+")
_NUMBER = re.compile(r"^(\d{1,2})[.)]\s+")
_PAGE_NUMBER = re.compile(r"^(page\s*)?\d{1,4}(\s*(/|of)\s*\d{1,4})?$", re.IGNORECASE)
_MARGIN_LINES = 2
_HEADING_CHARACTERS = 100
_HEADING_LEVELS = 3
_LARGER = 1.12
"""How much larger than the body a heading is set."""
_ASIDE = 3
"""Points by which a line may stand aside from the item it continues."""
_GAP = 1.75
"""Distance between two lines of different paragraphs, in sizes of the body's letters."""


@dataclass(frozen=True)
class Line:
    """One line of a page: its text, letter size (points), and place from the top left."""

    text: str
    size: float
    bold: bool
    left: float
    middle: float
    """Height of its middle below the page's top edge, in points."""
    indent: float
    """Where its text begins, after a list's mark."""


@dataclass(frozen=True)
class Table:
    """A ruled table: its box in points from the top left, and its cells."""

    left: float
    top: float
    right: float
    bottom: float
    rows: list[list[str]]

    def holds(self, line: Line) -> bool:
        """Tell whether a line is printed inside the box."""
        inside = self.left - 2 <= line.left <= self.right + 2
        return inside and self.top - 2 <= line.middle <= self.bottom + 2

    def continues(self, other: "Table") -> bool:
        """Tell whether this one goes on where `other` had to end with its page."""
        same = len(self.rows[0]) == len(other.rows[0])
        aside = max(abs(self.left - other.left), abs(self.right - other.right))
        return same and aside <= _ASIDE

    def to_markdown(self) -> str:
        """Return the table as Markdown; its first row is the header."""
        rule = "|" + "---|" * len(self.rows[0])
        return "\n".join([_write_row(self.rows[0]), rule, *map(_write_row, self.rows[1:])])


def drop_running_lines(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Leave out page numbers, and heads and feet that most pages share."""
    body, _ = _find_sizes([line for page in pages for line in page])
    counts: Counter[str] = Counter()
    for page in pages:
        counts.update({_shape(line, body) for line in _margins(page)})
    needed = max(2, len(pages) / 2)
    return [
        [
            line
            for line in page
            if line not in _margins(page)
            or (counts[_shape(line, body)] < needed and not _PAGE_NUMBER.match(line.text))
        ]
        for page in pages
    ]


def write_pages(pages: Sequence[Sequence[Line]], tables: Mapping[int, Sequence[Table]]) -> str:
    """Return the pages as one Markdown text."""
    body, levels = _find_sizes([line for page in pages for line in page])
    writer = _Writer(body, levels)
    for number, page in enumerate(pages):
        waiting = sorted(tables.get(number, ()), key=lambda table: table.top)
        for line in page:
            if any(table.holds(line) for table in tables.get(number, ())):
                continue
            while waiting and waiting[0].top < line.middle:
                writer.add_table(waiting.pop(0))
            writer.add_line(line)
        for table in waiting:
            writer.add_table(table)
        writer.end_page()
    return writer.text()


class _Writer:
    """Collects blocks of Markdown."""

    def __init__(self, body: float, levels: Mapping[float, int]) -> None:
        self._body = body
        self._levels = levels
        self._blocks: list[str] = []
        self._item_indent: float | None = None
        """Where the text of the last list's items begins; unset outside a list."""
        self._last: Line | None = None
        """The line that the next one may continue; unset after a heading or a table."""
        self._table: Table | None = None
        """The table above, as long as nothing else has followed it."""
        self._breaks = 0
        """Pages that ended since the last block was written."""

    def text(self) -> str:
        return "\n\n".join(self._blocks)

    def add_table(self, table: Table) -> None:
        if self._table is not None and self._breaks and table.continues(self._table):
            self._continue_table(table)
        else:
            self._add_block(table.to_markdown())
        self._table, self._last = table, None

    def end_page(self) -> None:
        self._breaks += 1
        # A paragraph may go on over the page's end, but then the distance says nothing.
        if self._last is not None:
            self._last = replace(self._last, middle=float("-inf"))

    def add_line(self, line: Line) -> None:
        self._table = None
        if level := self._heading_level(line):
            self._add_block(f"{'#' * level} {line.text}")
            self._last = None
            return
        if _BULLET.match(line.text) or _NUMBER.match(line.text):
            self._add_item(line)
        elif self._last is not None and self._continues(line, self._last):
            self._blocks[-1] = _join(self._blocks[-1], line.text, self._take_breaks())
        else:
            self._add_block(line.text)
            self._item_indent = None
        self._last = line

    def _add_block(self, text: str) -> None:
        """Add a block; the pages that have ended since the last one end with that."""
        breaks = self._take_breaks()
        if self._blocks:
            self._blocks[-1] += breaks
            self._blocks.append(text)
        else:
            self._blocks.append(breaks + text)

    def _take_breaks(self) -> str:
        breaks, self._breaks = self._breaks * PAGE_BREAK, 0
        return breaks

    def _continue_table(self, table: Table) -> None:
        """Add rows to the table of the page before; its header may stand here again."""
        header = self._blocks[-1].partition("\n")[0]
        rows = [_write_row(row) for row in table.rows]
        added = rows[1:] if rows[0] == header else rows
        self._blocks[-1] += "\n".join([self._take_breaks(), *added])

    def _add_item(self, line: Line) -> None:
        self._item_indent = line.indent
        text = _NUMBER.sub(r"\1. ", _BULLET.sub("- ", line.text))
        marks = (_NUMBER, re.compile(r"^- "))
        if self._blocks and any(m.match(text) and m.match(self._blocks[-1]) for m in marks):
            self._blocks[-1] += f"{self._take_breaks()}\n{text}"
        else:
            self._add_block(text)

    def _continues(self, line: Line, last: Line) -> bool:
        if last.middle == float("-inf"):
            return not self._blocks[-1].endswith((".", ":", "!", "?")) and line.text[:1].islower()
        if self._item_indent is not None and abs(line.left - self._item_indent) > _ASIDE:
            return False
        return 0 < line.middle - last.middle < _GAP * self._body

    def _heading_level(self, line: Line) -> int:
        if len(line.text) > _HEADING_CHARACTERS or not re.search(r"[^\W\d_]", line.text):
            return 0
        if line.size in self._levels:
            return self._levels[line.size]
        alone = self._last is None or line.middle - self._last.middle >= _GAP * self._body
        sentence = line.text.endswith((".", ":", ",", ";")) or _NUMBER.match(line.text)
        return len(self._levels) + 1 if line.bold and alone and not sentence else 0


def _find_sizes(lines: Sequence[Line]) -> tuple[float, dict[float, int]]:
    """Return the size of the body's letters, and the heading level of each larger size."""
    weights: Counter[float] = Counter()
    for line in lines:
        weights[line.size] += len(line.text)
    if not weights:
        return 10.0, {}
    body = weights.most_common(1)[0][0]
    larger = sorted((size for size in weights if size >= body * _LARGER), reverse=True)
    return body, {size: min(rank + 1, _HEADING_LEVELS) for rank, size in enumerate(larger)}


def _join(text: str, more: str, breaks: str) -> str:
    """Join two lines of one paragraph; a word that was parted becomes whole again."""
    if text.endswith("-") and more[:1].islower() and text[-2:-1].isalpha():
        return text[:-1] + breaks + more
    return f"{text}{breaks} {more}"


def _write_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _margins(page: Sequence[Line]) -> list[Line]:
    ordered = sorted(page, key=lambda line: line.middle)
    return ordered[:_MARGIN_LINES] + ordered[-_MARGIN_LINES:]


def _shape(line: Line, body: float) -> str:
    """Return what stays the same where a line runs on: "Page 3 of 9" without its numbers.

    A larger line keeps them: "Chapter 1" and "Chapter 2" are headings at the top of their pages.
    """
    return line.text if line.size >= body * _LARGER else re.sub(r"\d+", "#", line.text)
