"""One form for every text: what is stored, searched, quoted and shown."""

import re
import unicodedata
from pathlib import PurePosixPath

_UNSEEN = re.compile(
    # Control characters (a NUL cannot be stored in PostgreSQL), direction marks, Unicode tags.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
_LINK = re.compile(
    r"(?<!!)\[([^\]]*)\]\(([^)\s:#]+?\.(?:md|html?|pdf|docx|txt|ya?ml))(#[^)\s]*)?\)"
)
_WARNING = re.compile(r"(?m)^(?:\*\*)?(Warning|Caution|Danger):(?:\*\*)?[ \t]+")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")


def normalise_text(text: str) -> str:
    """Return `text` in NFC, with plain line ends and nothing that cannot be seen."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    text = _UNSEEN.sub("", unicodedata.normalize("NFC", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def mark_warnings(text: str) -> str:
    """Give warnings that stand as plain paragraphs the form they have in Markdown articles."""
    return _WARNING.sub(r"> **\1:** ", text)


def drop_title(text: str, title: str) -> str:
    """Leave out a first line that repeats the title."""
    first, _, rest = text.lstrip().partition("\n")
    return rest if first.strip("# *").casefold() == title.strip().casefold() else text


def to_slug(path: str) -> str:
    """Return the name of an article in addresses, from its path alone.

    `manuals/halo-desk-lamp.md` is `halo-desk-lamp`; a policy is marked as one, so that
    `policies/returns.yaml` and `faqs/returns.md` differ.
    """
    pure = PurePosixPath(path)
    words = re.findall(r"[a-z0-9]+", unicodedata.normalize("NFKD", pure.stem).lower())
    slug = "-".join(words) or "article"
    return f"{slug}-policy" if pure.suffix in {".yaml", ".yml"} else slug


def link_articles(text: str) -> str:
    """Turn links between files into links between pages of the help centre; drop images."""

    def replace(match: re.Match[str]) -> str:
        label, target, anchor = match.groups()
        return f"[{label}](/help/{to_slug(target)}{anchor or ''})"

    return _LINK.sub(replace, _IMAGE.sub("", text))
