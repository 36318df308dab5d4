"""Markdown with front matter."""

from opsbot.retrieval.front_matter import read_front_matter, split_front_matter
from opsbot.retrieval.readers.content import Content, decode


def read(path: str, content: bytes) -> Content:
    """Read a Markdown file; one without front matter has a sidecar.

    Raises:
        InvalidInputError: it is not UTF-8, or its front matter is wrong.
    """
    text = decode(path, content)
    parts = split_front_matter(path, text)
    if parts is None:
        return Content(text)
    front, body = parts
    return Content(body, read_front_matter(path, front))
