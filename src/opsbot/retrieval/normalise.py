"""One form for every text: what is stored, searched, quoted and shown."""

import re
import unicodedata

from opsbot.retrieval.paths import to_slug

PAGE_BREAK = "\ufdd0"
"""Stands in a reader's text where a new page begins. Unicode promises that no text has it."""

_UNSEEN = re.compile(
    # Control characters (a NUL cannot be stored in PostgreSQL), halves of characters, direction
    # marks, Unicode tags.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINK = re.compile(
    # Lengths are bounded: a page of nothing but brackets must not take minutes.
    r"(?<!!)\[([^\[\]]{0,500})\]"
    r"\(([^()\s:#]{1,300}?\.(?:md|html?|pdf|docx|txt|csv|ya?ml))(#[^()\s]{0,300})?\)"
)
_IMAGE = re.compile(r"!\[[^\[\]]{0,500}\]\([^()]{0,2000}\)")

_LABELS = (
    "Warning|Caution|Danger|"
    "Warnung|Vorsicht|Achtung|Gefahr|"
    "Avertissement|Attention|Mise en garde|"
    "Advertencia|Precaución|Atención|Peligro|"
    "Avvertenza|Attenzione|Pericolo|"
    "Waarschuwing|Let op|Voorzichtig|Gevaar|"
    "Aviso|Atenção|Cuidado|Perigo|"
    "Varning|Advarsel|Ostrzeżenie|Uwaga"
)
"""How warnings begin, in the languages of `languages`; also in capitals."""
_LABEL = f"(?:{_LABELS}|{_LABELS.upper()})"
_SIGN = "(?:\u26a0\ufe0f?[ \t]*)?"
_BOLD = r"(?:\*\*|__)"
_COLON = "[ \u00a0\u202f]?[:!]"
"""In French a space stands before it."""
_PLAIN_WARNING = re.compile(
    rf"(?m)^(?:>[ \t]?)?{_SIGN}{_BOLD}?({_LABEL})"
    rf"(?:{_COLON}{_BOLD}?|{_BOLD}{_COLON})(?:[ \t]+|\n(?=[^\s#|>*+-]))"
)
"""`Warning: …`, `**CAUTION!** …`, `⚠ Danger: …`, or the label on a line above the words."""
_LONE_LABEL = re.compile(
    rf"(?m)^{_SIGN}(?:{_BOLD}({_LABEL}){_BOLD}|({_LABELS.upper()}))\n\n?(?=[^\s#|>*+-])"
)
"""A label in bold or capitals on a line of its own, above a paragraph."""
_ALERT = re.compile(r"(?m)^>[ \t]?\[!(WARNING|CAUTION|DANGER)\][ \t]*\n>[ \t]?")
_MARKED_WARNING = re.compile(rf">\s*\*\*{_LABEL}:?\*\*", re.IGNORECASE)
_ANY_WARNING = re.compile(rf"(?<!\w)(?:{_LABEL}{_BOLD}?{_COLON}|{_BOLD}{_LABEL}{_BOLD})")


def normalise_text(text: str) -> str:
    """Return `text` in NFC, with plain line ends and nothing that cannot be seen."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    text = _UNSEEN.sub("", unicodedata.normalize("NFC", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def mark_warnings(text: str) -> str:
    """Give every warning the form it has in Markdown articles: `> **Warning:** …`."""

    def mark(match: re.Match[str]) -> str:
        label = next(group for group in match.groups() if group)
        return f"> **{label.capitalize() if label.isupper() else label}:** "

    for pattern in (_ALERT, _PLAIN_WARNING, _LONE_LABEL):
        text = pattern.sub(mark, text)
    return text


def has_warning(text: str) -> bool:
    """Tell whether a normalised text holds a warning, in a place of its own or within a step."""
    return _ANY_WARNING.search(text) is not None


def is_warning(quote: str) -> bool:
    """Tell whether a quote of a normalised text is a warning."""
    return _MARKED_WARNING.match(quote) is not None


def drop_title(text: str, title: str) -> str:
    """Leave out a first line that repeats the title."""
    first, _, rest = text.lstrip().partition("\n")
    if first.strip(f"# *{PAGE_BREAK}").casefold() != title.strip().casefold():
        return text
    return PAGE_BREAK * first.count(PAGE_BREAK) + rest


def take_pages(text: str, *, paged: bool) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Take the page breaks out of a text.

    Args:
        text: with `PAGE_BREAK` where a page begins.
        paged: whether its format has pages.

    Returns:
        The text, and for each page, by its offset in it, the number of the page, from 1.
    """
    first, *others = text.split(PAGE_BREAK)
    first = first.lstrip()
    pages, offset = [(0, 1)], len(first)
    pieces = [first]
    for number, piece in enumerate(others, start=2):
        plain = piece if offset else piece.lstrip()
        pages.append((offset, number))
        pieces.append(plain)
        offset += len(plain)
    return "".join(pieces), tuple(pages) if paged else ()


def link_articles(text: str) -> str:
    """Turn links between files into links between pages of the help centre; drop images."""

    def replace(match: re.Match[str]) -> str:
        label, target, anchor = match.groups()
        return f"[{label}](/help/{to_slug(target)}{anchor or ''})"

    return _LINK.sub(replace, _IMAGE.sub("", text))
