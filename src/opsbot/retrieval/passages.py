"""Cut an article into passages, along its structure.

A passage stays within one section. Steps and table rows are never cut; a procedure that fits stays
whole, and each piece of a table that does not fit repeats the header row.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opsbot.retrieval.articles import Article
from opsbot.retrieval.lexical import split_names
from opsbot.retrieval.structure import Block, Kind, Section, Span, find_sections, to_plain

MAX_WORDS = 90
"""About 120 tokens: what one passage may hold unless a single step or row is longer."""
MAX_PROCEDURE_WORDS = 190
"""About 250 tokens, all that the encoder reads: a procedure up to this stays whole."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"(A-Z0-9])")
_LINK = re.compile(r"\[[^\]]*\]\([^)]*\)")
_SHORT_WORDS = 14
"""A passage with a link and no more words than this only points elsewhere, too."""
_POINTING = 0.6
"""Share of link words from which a passage only points elsewhere."""


@dataclass(frozen=True)
class Passage:
    """A piece of an article that can answer a question by itself."""

    headings: tuple[str, ...]
    anchor: str
    text: str
    span: Span
    section: Span
    content_hash: str
    """Of title, headings and text."""

    def searched_text(self, title: str) -> str:
        """Return the plain words that stand for what it says, below its article's title."""
        return f"{title_text(title, self.headings)}. {split_names(to_plain(self.text))}"


@dataclass(frozen=True)
class _Piece:
    """What may stand in a passage beside others, but is not cut."""

    span: Span
    header: Span | None = None
    """The header row that has to precede it."""


def cut_article(article: Article) -> list[Passage]:
    """Return the passages of an article, in order.

    What only points elsewhere is left out, unless the whole article does no more than that: who
    asks for it by its title must still find where it points.
    """
    anchors = {heading.start: heading.anchor for heading in article.headings}
    passages = [
        passage
        for section in find_sections(article.text, anchors=anchors)
        for passage in _cut_section(article, section)
    ]
    return [passage for passage in passages if not _only_points(passage.text)] or passages


def title_text(title: str, headings: Sequence[str]) -> str:
    """Return title and headings as one line: what the second vector of a passage stands for."""
    return split_names(": ".join([title, *headings]))


def _cut_section(article: Article, section: Section) -> Iterator[Passage]:
    pieces = [piece for block in section.blocks for piece in _split_block(article.text, block)]
    group = list[_Piece]()
    for piece in pieces:
        if group and _count(article.text, [*group, piece]) > MAX_WORDS:
            yield _make_passage(article, section, group)
            group = []
        group.append(piece)
    if group:
        yield _make_passage(article, section, group)


def _split_block(text: str, block: Block) -> list[_Piece]:
    whole = _Piece(Span(block.start, block.end))
    words = len(text[block.start : block.end].split())
    if block.kind is Kind.STEPS and words <= MAX_PROCEDURE_WORDS:
        return [whole]
    if words <= MAX_WORDS:
        return [whole]
    if block.kind is Kind.TABLE:
        header, *rows = block.parts
        return [_Piece(row, header) for row in rows] or [whole]
    if block.parts:
        return [_Piece(part) for part in block.parts]
    if block.kind is Kind.PARAGRAPH:
        return [_Piece(span) for span in split_sentences(text, block.start, block.end)]
    return [whole]


def split_sentences(text: str, start: int, end: int) -> list[Span]:
    """Return the sentences of text[start:end], in order."""
    spans, first = [], start
    for match in _SENTENCE_END.finditer(text, start, end):
        if _is_abbreviated(text[first : match.start()]):
            continue
        spans.append(Span(first, match.start()))
        first = match.end()
    return [*spans, Span(first, end)]


def _is_abbreviated(sentence: str) -> bool:
    last = sentence.rsplit(maxsplit=1)[-1].lower().lstrip("(")
    return last in {
        "e.g.",
        "i.e.",
        "approx.",
        "no.",
        "mr.",
        "mrs.",
        "dr.",
        "vs.",
        "incl.",
        "max.",
        "min.",
    }


def _make_passage(article: Article, section: Section, group: Sequence[_Piece]) -> Passage:
    start, end = group[0].span.start, group[-1].span.end
    text = article.text[start:end]
    header = group[0].header
    if header is not None and header.end < start:
        text = f"{article.text[header.start : header.end]}\n{text}"
    key = "\0".join([article.about.title, *section.headings, text])
    digest = hashlib.sha256(key.encode()).hexdigest()
    span, whole = Span(start, end), Span(section.start, section.end)
    return Passage(section.headings, section.anchor, text, span, whole, digest)


def _count(text: str, group: Sequence[_Piece]) -> int:
    return len(text[group[0].span.start : group[-1].span.end].split())


def _only_points(text: str) -> bool:
    """Tell whether a passage is little more than links: "Related pages", "See the manual"."""
    words = len(to_plain(text).split())
    links = _LINK.findall(text)
    linked = sum(len(to_plain(link).split()) for link in links)
    return bool(links) and (words <= _SHORT_WORDS or linked / words >= _POINTING)
