"""The words of an HTML mail, in one pass.

The standard library's parser takes a minute for 180 kB of `<a href="`. Here every search either
moves forward or ends the work, so the time grows with the length alone.
"""

import html
import re

_SKIPPED = ("script", "style", "head", "title", "template", "svg")
_BLOCKS = frozenset(
    {"p", "div", "br", "tr", "table", "ul", "ol", "hr", "section", "article", "header", "footer"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "pre", "center", "dl", "dt", "dd"}
)
_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,15})")
_LINE_END = re.compile(r"[ \t\r\n\xa0]+")


def to_plain_text(markup: str) -> str:
    """Return the text of an HTML document: blocks on lines of their own, quotes marked with `>`."""
    lower = markup.lower()
    if len(lower) != len(markup):  # a few letters change their length; places must agree
        lower = markup
    pieces: list[str] = []
    quoted = place = 0
    while place < len(markup):
        start = markup.find("<", place)
        if start < 0:
            pieces.append(_words(markup[place:]))
            break
        pieces.append(_words(markup[place:start]))
        end = _end_of_tag(lower, start)
        if end < 0:
            break
        name = _NAME.match(lower, start + 1)
        tag = name.group(1) if name else ""
        closing = lower.startswith("/", start + 1)
        if tag in _SKIPPED and not closing:
            end = _end_of_element(lower, tag, end)
            if end < 0:
                break
        if tag == "blockquote":
            quoted = max(0, quoted + (-1 if closing else 1))
        pieces.append(_line_break(tag, closing=closing, quoted=quoted > 0))
        place = end
    return "".join(pieces).strip()


def _line_break(tag: str, *, closing: bool, quoted: bool) -> str:
    if tag == "li":
        return "" if closing else f"\n{'> ' if quoted else ''}- "
    if tag == "blockquote" or tag in _BLOCKS:
        return "\n> " if quoted else "\n"
    return ""


def _words(raw: str) -> str:
    return _LINE_END.sub(" ", html.unescape(raw))


def _end_of_tag(lower: str, start: int) -> int:
    """Return the place after the tag or comment that starts here, or -1."""
    comment = lower.startswith("<!--", start)
    mark = "-->" if comment else ">"
    end = lower.find(mark, start + (4 if comment else 1))
    return end + len(mark) if end >= 0 else -1


def _end_of_element(lower: str, tag: str, place: int) -> int:
    closing = lower.find(f"</{tag}", place)
    if closing < 0:
        return -1
    end = lower.find(">", closing)
    return end + 1 if end >= 0 else -1
