"""PDF files: text with font sizes, tables from ruled pages only.

PDFium reads the text and is fast; pdfplumber finds tables by their ruled lines, is slow, and is
asked about pages that have such lines only.
"""

import ctypes
import io
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pdfplumber
import pypdfium2
import pypdfium2.raw as pdfium

from opsbot.errors import InvalidInputError
from opsbot.retrieval.normalise import PAGE_BREAK
from opsbot.retrieval.readers.content import MAX_CHARACTERS, Content
from opsbot.retrieval.readers.layout import MARK, Line, Table, drop_running_lines, write_pages

MAX_PAGES = 500

_TABLE_SECONDS = 4.0
"""Work that a file's tables may take; the text is worth more than the tables of its end."""
_BOLD = 600
_RULES = 4
"""Fewer drawn lines than this are no table."""


def read(path: str, content: bytes) -> Content:
    """Read a PDF file.

    Raises:
        InvalidInputError: it is broken, locked, too long, or holds pictures of text only.
    """
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise InvalidInputError(
            f"{path} is not a PDF that can be read; it may be broken or locked by a password. "
            "Save it again."
        ) from error
    try:
        pages, ruled = _read_document(path, document)
    except pypdfium2.PdfiumError as error:
        raise InvalidInputError(f"{path} is a broken PDF ({error}); save it again.") from error
    finally:
        document.close()
    tables = dict(_read_tables(path, content, ruled)) if ruled else {}
    text = write_pages(drop_running_lines(pages), tables)
    if not text.replace(PAGE_BREAK, "").strip():
        raise InvalidInputError(
            f"{path} holds no text, perhaps pictures of pages; run text recognition on it first."
        )
    left_out = len(ruled) - len(tables)
    notes = (f"The tables of the last {left_out} pages that have some are read as lines.",)
    return Content(text, notes=notes if left_out else ())


def _read_document(
    path: str, document: pypdfium2.PdfDocument
) -> tuple[list[list[Line]], list[int]]:
    """Return the lines of each page, and the numbers, from 0, of pages with ruled lines."""
    if len(document) > MAX_PAGES:
        raise InvalidInputError(
            f"{path} has {len(document):,} pages; articles may have {MAX_PAGES}. Split it."
        )
    pages, ruled, characters = list[list[Line]](), list[int](), 0
    for number in range(len(document)):
        page = document[number]
        lines = _read_lines(page)
        characters += sum(len(line.text) for line in lines)
        if characters > MAX_CHARACTERS:
            raise InvalidInputError(
                f"{path} has more than {MAX_CHARACTERS:,} characters; split it."
            )
        pages.append(lines)
        if lines and _is_ruled(page):
            ruled.append(number)
        page.close()
    return pages, ruled


def _read_lines(page: pypdfium2.PdfPage) -> list[Line]:
    """Return the lines of a page as PDFium orders them, with size, weight and place."""
    height = page.get_height()
    textpage = page.get_textpage()
    lines, characters = list[Line](), list[tuple[int, str]]()
    for index in range(textpage.count_chars()):
        character = chr(pdfium.FPDFText_GetUnicode(textpage, index))
        if character in "\r\n":
            if line := _make_line(textpage, characters, height):
                lines.append(line)
            characters = []
        else:
            # A soft hyphen at a line's end is what PDFium makes of a hyphen there.
            characters.append((index, "-" if character in "\x02\ufffe" else character))
    if line := _make_line(textpage, characters, height):
        lines.append(line)
    textpage.close()
    return _join_fragments(lines)


def _make_line(
    textpage: pypdfium2.PdfTextPage, characters: list[tuple[int, str]], height: float
) -> Line | None:
    text = _mend("".join(character for _, character in characters)).strip()
    if not text:
        return None
    mark = MARK.match(text)
    inked = [index for index, character in characters if not character.isspace()]
    sizes = Counter(round(pdfium.FPDFText_GetFontSize(textpage, index), 1) for index in inked)
    left, middle = _place(textpage, inked[0], height)
    marked = len(mark.group().rstrip()) if mark else 0
    indent = _place(textpage, inked[min(marked, len(inked) - 1)], height)[0]
    weight = pdfium.FPDFText_GetFontWeight(textpage, inked[len(inked) // 2])
    return Line(text, sizes.most_common(1)[0][0], weight >= _BOLD, left, middle, indent)


def _mend(text: str) -> str:
    """Join the halves of characters beyond the first 65,536; leave out what is none."""
    if not any("\ud800" <= character <= "\udfff" for character in text):
        return text.replace(PAGE_BREAK, "")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def _place(textpage: pypdfium2.PdfTextPage, index: int, height: float) -> tuple[float, float]:
    """Return how far a character is from the left and its middle from the top, in points."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(textpage, index, left, right, bottom, top)
    return left.value, height - (bottom.value + top.value) / 2


def _join_fragments(lines: list[Line]) -> list[Line]:
    """Join what PDFium parts on one height, such as a list's number and its text."""
    joined = list[Line]()
    for line in lines:
        last = joined[-1] if joined else None
        if last and abs(last.middle - line.middle) < last.size / 3 and line.left > last.left:
            indent = line.left if MARK.fullmatch(last.text) else last.indent
            joined[-1] = replace(last, text=f"{last.text} {line.text}", indent=indent)
        else:
            joined.append(line)
    return joined


def _is_ruled(page: pypdfium2.PdfPage) -> bool:
    paths = page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=2)
    return sum(1 for _, _ in zip(range(_RULES), paths, strict=False)) == _RULES


def _read_tables(
    path: str, content: bytes, numbers: list[int]
) -> Iterator[tuple[int, list[Table]]]:
    """Yield the ruled tables of these pages, as far as the time for them goes."""
    deadline = time.process_time() + _TABLE_SECONDS
    try:
        with pdfplumber.open(io.BytesIO(content), pages=[number + 1 for number in numbers]) as file:
            for number, page in zip(numbers, file.pages, strict=True):
                if time.process_time() > deadline:
                    return
                yield (
                    number,
                    [
                        Table(table.bbox[0], table.bbox[1], table.bbox[2], table.bbox[3], rows)
                        for table in page.find_tables()
                        if len(rows := _clean_rows(table.extract())) > 1 and len(rows[0]) > 1
                    ],
                )
                page.close()
    except Exception as error:
        # pdfminer raises its own, struct's and Python's errors alike on a broken table.
        raise InvalidInputError(
            f"{path}: the tables of this PDF cannot be read; save it again."
        ) from error


def _clean_rows(rows: list[list[str | None]]) -> list[list[str]]:
    return [
        [" ".join((cell or "").split()).replace("|", "/") for cell in row]
        for row in rows
        if any(cell and cell.strip() for cell in row)
    ]
