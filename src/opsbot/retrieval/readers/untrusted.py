"""The formats that anybody can make hostile: they are read in a process of their own."""

from collections.abc import Callable, Mapping

from opsbot.retrieval.paths import part_of, suffix_of
from opsbot.retrieval.readers import docx, html, pdf, tabular
from opsbot.retrieval.readers.content import Content


def parse(path: str, content: bytes) -> Content:
    """Read a file of one of these formats.

    Raises:
        InvalidInputError: it cannot be read; the text says why.
    """
    return _READERS[suffix_of(path)](path, content)


def _read_csv(path: str, content: bytes) -> Content:
    return tabular.read(path, content, part_of(path))


_READERS: Mapping[str, Callable[[str, bytes], Content]] = {
    ".csv": _read_csv,
    ".docx": docx.read,
    ".htm": html.read,
    ".html": html.read,
    ".pdf": pdf.read,
}
