"""Word documents: headings, lists and tables by their styles."""

import io
import re
import zipfile

import mammoth

from opsbot.errors import InvalidInputError
from opsbot.retrieval.readers.content import Content
from opsbot.retrieval.readers.html import html_to_markdown

MAX_UNPACKED = 200_000_000
MAX_XML = 30_000_000
"""Bytes of one part of the document; its trees take some thirty times as much memory."""
_MOST_PARTS = 5_000

_DECLARED = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
"""A document has no use for entities of its own; bombs do."""
_STYLES = """
p[style-name='Warning'] => div.warning > p:fresh
p[style-name='Caution'] => div.caution > p:fresh
p[style-name='Danger'] => div.danger > p:fresh
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
"""


def read(path: str, content: bytes) -> Content:
    """Read a DOCX file.

    Raises:
        InvalidInputError: it is broken, or far larger than it looks.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            fault = _find_fault(packed)
        page = "" if fault else _convert(content)
    except MemoryError:
        raise
    except Exception as error:
        # mammoth raises whatever its XML, zip and style code raise.
        raise InvalidInputError(
            f"{path} is not a DOCX file that can be read; open it and save it again."
        ) from error
    if fault:
        raise InvalidInputError(f"{path} {fault}")
    return Content(html_to_markdown(page))


def _find_fault(packed: zipfile.ZipFile) -> str:
    """Return why a document is not unpacked, as the end of a sentence; empty when it may be."""
    parts = packed.infolist()
    unpacked = sum(part.file_size for part in parts)
    texts = [part for part in parts if part.filename.lower().endswith((".xml", ".rels"))]
    if unpacked > MAX_UNPACKED or len(parts) > _MOST_PARTS:
        return f"unpacks to {unpacked / 1e6:.0f} MB in {len(parts):,} parts; split it."
    if any(part.file_size > MAX_XML for part in texts):
        return f"unpacks to more than {MAX_XML / 1e6:.0f} MB of text; split it."
    for part in texts:
        # In UTF-16 every other byte is a NUL.
        if _DECLARED.search(packed.read(part).replace(b"\0", b"")):
            return "declares entities, which no word processor does; save it again."
    return ""


def _convert(content: bytes) -> str:
    # Pictures hold no words, and would become text of great length.
    pictures = mammoth.images.img_element(lambda _picture: {"src": ""})
    read = mammoth.convert_to_html(io.BytesIO(content), convert_image=pictures, style_map=_STYLES)
    return str(read.value)
