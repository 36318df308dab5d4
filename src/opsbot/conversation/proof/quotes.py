"""The pieces of an article that may be quoted, and which of them supports a sentence."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from opsbot.conversation.proof.alignment import Quote, find_misfit
from opsbot.conversation.proof.clauses import Kind as TokenKind
from opsbot.conversation.proof.clauses import Tokens, join_tokens
from opsbot.conversation.proof.tokens import read_tokens
from opsbot.retrieval.passages import split_sentences
from opsbot.retrieval.structure import Block, Kind, Span, find_sections, to_plain

_MARK = re.compile(r"\s*\[\d{1,2}\](?!\()")
_BULLET = re.compile(r"^\s*(?:[-*+•]\s+|\d{1,2}[.)]\s+)")
_LINE = re.compile(r"[^\n]+")
_LONGEST = 3
"""Pieces that follow each other and are quoted together, at most."""
NOT_THERE = "the passages do not say it"


@dataclass(frozen=True)
class Section:
    """A section of one version of an article: where quotes come from."""

    article: str
    """Its slug."""
    version: int
    title: str
    headings: tuple[str, ...]
    language: str
    text: str
    start: int
    """Offset of its text into the article's."""


@dataclass(frozen=True)
class Proof:
    """What a sentence rests on: the article's text from `start` to `end` is the quote."""

    article: str
    version: int
    start: int
    end: int
    quote: str
    language: str = "en"
    """Of the article."""


@dataclass(frozen=True)
class _Piece:
    start: int
    end: int
    above: str
    """The header of its table, or the line that leads to its list."""
    row: bool = False
    """A row of a table is quoted alone."""


@lru_cache(maxsize=2_000)
def read_sentence(text: str, language: str) -> Tokens:
    """Return what a sentence of an answer says, without marks of sources and Markdown.

    The last ones are remembered: each sentence of a reply is read several times.
    """
    return read_tokens(to_plain(_BULLET.sub("", _MARK.sub("", text))), language)


class Quotes:
    """All that one section can be quoted with."""

    def __init__(self, section: Section) -> None:
        self.section = section
        language = section.language
        self._pieces = split_pieces(section.text)
        self._read = [
            read_tokens(_plain(section.text[piece.start : piece.end]), language)
            for piece in self._pieces
        ]
        self._keys = [frozenset(item.key for item in read.items) for read in self._read]
        above = [_keys_of(line, language) for line in (section.title, *section.headings)]
        base = frozenset[str]().union(*above)
        lines = {piece.above: _keys_of(piece.above, language) for piece in self._pieces}
        self._contexts = [base | lines[piece.above] for piece in self._pieces]
        self._made: dict[tuple[int, int], Quote] = {}

    def prove(self, sentence: Tokens) -> Proof | str:
        """Return the shortest quote that supports a sentence, or why the nearest one does not."""
        wanted = {token.key for token in sentence.items}
        reason, most = NOT_THERE, len(wanted) / 2
        for size in range(1, _LONGEST + 1):
            for first in range(len(self._pieces) - size + 1):
                if size > 1 and any(piece.row for piece in self._pieces[first : first + size]):
                    continue
                keys = self._keys[first].union(*self._keys[first + 1 : first + size])
                shared = len(wanted & keys)
                whole = wanted <= keys | self._contexts[first]
                if not shared or not (whole or (size == 1 and shared > most)):
                    continue
                misfit = find_misfit(sentence, self._quote(first, size))
                if misfit is None:
                    return self._proof(first, size)
                if shared > most:
                    reason, most = misfit, shared
        return reason

    def check(self, sentence: Tokens, start: int, end: int) -> str | None:
        """Tell why the article's text from `start` to `end` does not support a sentence."""
        base = self.section.start
        starts = {base + piece.start: number for number, piece in enumerate(self._pieces)}
        ends = {base + piece.end: number for number, piece in enumerate(self._pieces)}
        if start not in starts or end not in ends:
            return "the quote is no whole sentence"
        first = starts[start]
        return find_misfit(sentence, self._quote(first, ends[end] - first + 1))

    def _quote(self, first: int, size: int) -> Quote:
        if (first, size) not in self._made:
            read = join_tokens(self._read[first : first + size]) if size > 1 else self._read[first]
            self._made[first, size] = Quote(read, self._contexts[first])
        return self._made[first, size]

    def _proof(self, first: int, size: int) -> Proof:
        section = self.section
        start, end = self._pieces[first].start, self._pieces[first + size - 1].end
        base = section.start
        quote = section.text[start:end]
        return Proof(
            section.article, section.version, base + start, base + end, quote, section.language
        )


def find_section(
    text: str, place: int, *, article: str, version: int, title: str, language: str
) -> tuple[Section, str] | None:
    """Return the section of an article's text that an offset lies in, and its anchor."""
    for found in find_sections(text):
        if found.start <= place < found.end:
            body = text[found.start : found.end]
            section = Section(article, version, title, found.headings, language, body, found.start)
            return section, found.anchor
    return None


def split_pieces(section: str) -> list[_Piece]:
    """Return the sentences, items and rows of a section's text, in order."""
    blocks = [block for found in find_sections(section) for block in found.blocks]
    pieces = list[_Piece]()
    for before, block in pairwise([None, *blocks]):
        if block is not None:
            lead = section[before.start : before.end] if before is not None else ""
            above = lead.rsplit(". ", 1)[-1] if lead.endswith(":") else ""
            pieces.extend(_split_block(section, block, above))
    return pieces


def _split_block(section: str, block: Block, above: str) -> Iterator[_Piece]:
    if block.kind is Kind.TABLE:
        header, *rows = block.parts
        names = section[header.start : header.end].split("\n", 1)[0]
        end = header.start + len(names)
        yield _Piece(header.start, end, above)
        for row in rows:
            yield _Piece(row.start, row.end, names, row=True)
        return
    if block.kind is Kind.PARAGRAPH:
        spans: Sequence[Span] = [Span(block.start, block.end)]
    else:
        lines = _LINE.finditer(section, block.start, block.end)
        spans = [Span(line.start(), line.end()) for line in lines]
    for span in spans:
        for found in split_sentences(section, span.start, span.end):
            if section[found.start : found.end].strip():
                yield _Piece(found.start, found.end, above)


def _keys_of(text: str, language: str) -> frozenset[str]:
    """Return what a heading names; one that denies something names nothing."""
    items = read_tokens(to_plain(text), language).items
    denies = any(item.kind in {TokenKind.NEGATION, TokenKind.LIMIT} for item in items)
    return frozenset() if denies else frozenset(item.key for item in items)


def _plain(text: str) -> str:
    return "\n".join(to_plain(_BULLET.sub("", line)) for line in text.split("\n"))
