"""What every reader returns."""

from dataclasses import dataclass

from opsbot.errors import InvalidInputError
from opsbot.retrieval.front_matter import FrontMatter
from opsbot.retrieval.structure import Heading


@dataclass(frozen=True)
class Content:
    """The text of a file as Markdown."""

    text: str
    about: FrontMatter | None = None
    """Unset: the file's sidecar says it."""
    headings: tuple[Heading, ...] = ()
    """Set by a reader whose anchors are fixed and whose text is normalised already."""


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
