"""Markdown with front matter."""

from opsbot.retrieval.front_matter import read_front_matter, split_front_matter
from opsbot.retrieval.readers.content import Content, decode


def read(path: str, content: bytes) -> Content:
    """Read a Markdown file.

    Raises:
        InvalidInputError: it is not UTF-8, or its front matter is missing or wrong.
    """
    front, body = split_front_matter(path, decode(path, content))
    return Content(body, read_front_matter(path, front))
