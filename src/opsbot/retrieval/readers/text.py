"""Plain text."""

from opsbot.retrieval.readers.content import Content, decode


def read(path: str, content: bytes) -> Content:
    """Read a text file; what it holds of Markdown's marks counts as Markdown.

    Raises:
        InvalidInputError: it is not UTF-8.
    """
    return Content(decode(path, content))
