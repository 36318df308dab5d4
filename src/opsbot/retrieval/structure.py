"""The structure of a normalised Markdown text: sections, and the blocks in them, with offsets."""

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKUP = (
    # Lengths are bounded: a page of nothing but brackets must not take minutes.
    (re.compile(r"!\[([^\[\]]{0,500})\]\([^()]{0,2000}\)"), r"\1"),
    (re.compile(r"\[([^\[\]]{1,500})\]\([^()]{0,2000}\)"), r"\1"),
    (re.compile(r"(?m)^[ \t]*\|?[ \t]*:?-{2,}.*$\n?"), ""),
    (re.compile(r"(?m)^[ \t]*>[ \t]?"), ""),
    (re.compile(r"(?m)^[ \t]*#{1,6}[ \t]+"), ""),
    (re.compile(r"(\*\*|__|`|~~)"), ""),
    (re.compile(r"(?<!\w)\*(\S[^*\n]*)\*(?!\w)"), r"\1"),
    (re.compile(r"(?<![ \t])[ \t]*\|[ \t]*"), " | "),
    (re.compile(r"(?m)^ \| | \| $"), ""),
    (re.compile(r"\\([\\`*_{}\[\]()#+.!|<>~-])"), r"\1"),
)


class Kind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    STEPS = "steps"
    BULLETS = "bullets"
    TABLE = "table"
    QUOTE = "quote"
    CODE = "code"


@dataclass(frozen=True)
class Span:
    """A piece of a text, from `start` up to but not including `end`."""

    start: int
    end: int


@dataclass(frozen=True)
class Block:
    """A heading, paragraph, list, table, quote or code block."""

    kind: Kind
    start: int
    end: int
    parts: tuple[Span, ...] = ()
    """The items of a list; the rows of a table, the first being its header and rule."""


@dataclass(frozen=True)
class Heading:
    """One heading of an article."""

    level: int
    text: str
    anchor: str
    start: int


@dataclass(frozen=True)
class Section:
    """The text between one heading and the next."""

    headings: tuple[str, ...]
    """The headings above it, outermost first; empty before the first one."""
    anchor: str
    start: int
    end: int
    blocks: tuple[Block, ...]


def find_headings(text: str) -> list[Heading]:
    """Return the headings of a Markdown text; the nth anchor belongs to the nth heading."""
    return [heading for heading, _ in _scan_headings(text, parse_tokens(text), _line_starts(text))]


def find_sections(text: str, *, anchors: dict[int, str] | None = None) -> list[Section]:
    """Return the sections of a Markdown text that say something, in order.

    Args:
        text: normalised Markdown.
        anchors: anchors that are fixed, by the offset of their heading.
    """
    tokens, lines = parse_tokens(text), _line_starts(text)
    fixed, found = anchors or {}, _find_blocks(text, tokens, lines)
    sections, path, anchor, start = [], list[Heading](), "", 0
    for heading, body in [*_scan_headings(text, tokens, lines), (None, len(text))]:
        end = len(text) if heading is None else heading.start
        blocks = tuple(b for b in found if start <= b.start < end)
        if blocks:
            names = tuple(h.text for h in path)
            section = Section(names, anchor, blocks[0].start, blocks[-1].end, blocks)
            sections.append(section)
        if heading is not None:
            path = [*(h for h in path if h.level < heading.level), heading]
            anchor, start = fixed.get(heading.start, heading.anchor), body
    return sections


def to_plain(text: str) -> str:
    """Return Markdown as plain words: what is embedded and searched."""
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return text.strip()


def to_anchor(heading: str) -> str:
    """Return a heading as the id in an address: "Grind settings" is "grind-settings"."""
    return "-".join(re.findall(r"[^\W_]+", heading.lower()))


def parse_tokens(text: str) -> list[Token]:
    """Return the block tokens of a Markdown text, as every reader of articles sees them."""
    # What stands within a line is nobody's question here, and costs more than the blocks.
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("inline")
    return parser.parse(text)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    starts[-1] = len(text)
    return starts


def _scan_headings(text: str, tokens: list[Token], lines: list[int]) -> list[tuple[Heading, int]]:
    """Return each heading with the offset at which its body begins."""
    seen: Counter[str] = Counter()
    found = []
    for token, inline in pairwise(tokens):
        if token.type != "heading_open" or token.level or token.map is None:
            continue
        name = to_plain(inline.content)
        anchor = to_anchor(name) or "section"
        repeated = f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor
        seen[anchor] += 1
        heading = Heading(int(token.tag[1]), name, repeated, lines[token.map[0]])
        found.append((heading, min(lines[token.map[1]], len(text))))
    return found


def _find_blocks(text: str, tokens: list[Token], lines: list[int]) -> list[Block]:
    kinds = {
        "paragraph_open": Kind.PARAGRAPH,
        "ordered_list_open": Kind.STEPS,
        "bullet_list_open": Kind.BULLETS,
        "table_open": Kind.TABLE,
        "blockquote_open": Kind.QUOTE,
        "fence": Kind.CODE,
        "code_block": Kind.CODE,
    }
    blocks = []
    for index, token in enumerate(tokens):
        if token.level or token.map is None or token.type not in kinds:
            continue
        span = _trim(text, lines[token.map[0]], lines[token.map[1]])
        kind = kinds[token.type]
        if kind is Kind.TABLE:
            parts = _table_rows(text, lines, *token.map)
        else:
            parts = _list_items(text, tokens[index + 1 :], lines) if "list" in token.type else ()
        blocks.append(Block(kind, span.start, span.end, parts))
    return blocks


def _list_items(text: str, tokens: list[Token], lines: list[int]) -> tuple[Span, ...]:
    items = []
    for token in tokens:
        if token.level == 0:
            break
        if token.type == "list_item_open" and token.level == 1 and token.map:
            items.append(_trim(text, lines[token.map[0]], lines[token.map[1]]))
    return tuple(items)


def _table_rows(text: str, lines: list[int], first: int, last: int) -> tuple[Span, ...]:
    header = _trim(text, lines[first], lines[first + 2])
    rows = (_trim(text, lines[n], lines[n + 1]) for n in range(first + 2, last))
    return (header, *rows)


def _trim(text: str, start: int, end: int) -> Span:
    """Leave out blank space at both ends, but not the indent a first line needs."""
    piece = text[start:end]
    return Span(start + len(piece) - len(piece.lstrip("\n")), start + len(piece.rstrip()))
