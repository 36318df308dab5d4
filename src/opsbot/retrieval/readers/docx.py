"""Word documents: headings, lists and tables by their styles."""

import io
import zipfile

import mammoth

from opsbot.errors import InvalidInputError
from opsbot.retrieval.readers.content import Content
from opsbot.retrieval.readers.html import html_to_markdown

MAX_UNPACKED = 200_000_000


def read(path: str, content: bytes) -> Content:
    """Read a DOCX file.

    Raises:
        InvalidInputError: it is broken, or far larger than it looks.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
        page = mammoth.convert_to_html(io.BytesIO(content)).value if unpacked < MAX_UNPACKED else ""
    except Exception as error:
        # mammoth raises whatever its XML, zip and style code raise.
        raise InvalidInputError(
            f"{path} is not a DOCX file that can be read; open it and save it again."
        ) from error
    if unpacked >= MAX_UNPACKED:
        raise InvalidInputError(f"{path} unpacks to {unpacked / 1e6:.0f} MB; split it.")
    return Content(html_to_markdown(str(page)))
