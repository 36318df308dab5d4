"""What every reader returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from opsbot.errors import InvalidInputError
from opsbot.retrieval.front_matter import FrontMatter
from opsbot.retrieval.structure import Heading

MAX_CHARACTERS = 2_000_000
"""Characters of one article: a book of a thousand pages has as many."""
MAX_LINES = 40_000
"""Lines of one article."""


@dataclass(frozen=True)
class Content:
    """The text of a file as Markdown."""

    text: str
    """Pages are parted by `normalise.PAGE_BREAK`, in the formats that have pages."""
    about: FrontMatter | None = None
    """Unset: the file's sidecar says it."""
    headings: tuple[Heading, ...] = ()
    """Set by a reader whose anchors are fixed and whose text is normalised already."""
    stated: Mapping[str, object] = field(default_factory=dict)
    """Fields of the front matter that the file itself states; they win over the sidecar."""
    notes: tuple[str, ...] = ()
    """What could not be read, as sentences, though the rest could."""


def check_size(path: str, text: str) -> None:
    """Refuse a text that would take too long to cut and to search.

    Raises:
        InvalidInputError: it has too many characters or lines.
    """
    for count, most, what in (
        (len(text), MAX_CHARACTERS, "characters"),
        (text.count("\n"), MAX_LINES, "lines"),
    ):
        if count > most:
            raise InvalidInputError(f"{path} has more than {most:,} {what}; split it.")


def decode(path: str, content: bytes) -> str:
    """Return UTF-8 bytes as text, without a byte order mark.

    Raises:
        InvalidInputError: they are not UTF-8.
    """
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidInputError(
            f"{path} is not UTF-8 text (line {line}); save it again with the encoding UTF-8."
        ) from error
