"""HTML pages: the main part, without navigation, scripts and what is hidden."""

import codecs
import re
from typing import Any

from bs4 import BeautifulSoup, ParserRejectedMarkup, Tag
from markdownify import MarkdownConverter

from opsbot.errors import InvalidInputError
from opsbot.retrieval.readers.content import MAX_CHARACTERS, Content, decode

DEEPEST = 150
"""Elements within elements; pages of people have some twenty."""

_DROPPED = (
    "script, style, noscript, template, nav, footer, form, iframe, svg, img, head, button, object, "
    "aside:not([class*=warning], [class*=caution], [class*=danger]), "
    "[hidden], [aria-hidden=true]"
)
_HIDDEN = re.compile(
    r"display:none|visibility:hidden|font-size:0(?![.\d])|opacity:0(?![.\d])", re.IGNORECASE
)
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_WARNINGS = {"warning": "Warning", "caution": "Caution", "danger": "Danger"}
_LABELLED = re.compile(r"\s*(?:warning|caution|danger|achtung|warnung|vorsicht)\b", re.IGNORECASE)
_MOST_SPANNED = 200
"""Rows that one cell may stand for."""
_STYLE: dict[str, Any] = {"heading_style": "ATX", "bullets": "-", "escape_underscores": False}
"""An underscore within a name such as `max_power` is none of Markdown's marks."""


def read(path: str, content: bytes) -> Content:
    """Read an HTML page.

    Raises:
        InvalidInputError: its text is in no known encoding, too long, or nested too deeply.
    """
    page = _decode(path, content)
    if len(page) > MAX_CHARACTERS:
        raise InvalidInputError(
            f"{path} has more than {MAX_CHARACTERS:,} characters; split it into several pages."
        )
    try:
        return Content(html_to_markdown(page))
    except _TooDeepError as error:
        raise InvalidInputError(
            f"{path} nests more than {DEEPEST} elements in each other; save it again."
        ) from error
    except ParserRejectedMarkup as error:
        raise InvalidInputError(f"{path} is not HTML that can be read; save it again.") from error


def html_to_markdown(page: str) -> str:
    """Return the main part of a page as Markdown."""
    soup = BeautifulSoup(page, "html.parser")
    _check_depth(soup)
    for element in soup.select(_DROPPED):
        element.decompose()
    for element in soup.select("[style]"):
        if not element.decomposed and _HIDDEN.search(str(element["style"]).replace(" ", "")):
            element.decompose()
    for table in soup.find_all("table"):
        _prepare_table(table)
    for element in soup.select("[class]"):
        _mark_warning(soup, element)
    main = soup.find("main") or soup.find("article") or soup.body or soup
    return str(MarkdownConverter(**_STYLE).convert_soup(main))


class _TooDeepError(InvalidInputError):
    """Elements stand in each other more often than anybody writes them."""


def _decode(path: str, content: bytes) -> str:
    declared = _CHARSET.search(content[:4096])
    if declared and not content.startswith(codecs.BOM_UTF8):
        try:
            codec = codecs.lookup(declared[1].decode("ascii"))
            # Only encodings of text; Python has others, such as those that unpack.
            if codec._is_text_encoding:  # noqa: SLF001  (there is no public question)
                return content.decode(codec.name).replace("\r\n", "\n")
        except (LookupError, UnicodeError):
            pass  # It is not what it says it is: most such pages are in UTF-8.
    return decode(path, content)


def _check_depth(soup: BeautifulSoup) -> None:
    """Refuse what would need more calls within calls than there may be."""
    level: list[Tag] = [soup]
    for _ in range(DEEPEST):
        level = [child for tag in level for child in tag.children if isinstance(child, Tag)]
        if not level:
            return
    raise _TooDeepError(f"The page nests more than {DEEPEST} elements in each other.")


def _mark_warning(soup: BeautifulSoup, element: Tag) -> None:
    """Make a box for a warning a quote that begins with the word."""
    if element.decomposed or element.name not in {"div", "p", "section", "aside", "blockquote"}:
        return
    words = {word for name in element.get_attribute_list("class") for word in str(name).split("-")}
    label = next((text for word, text in _WARNINGS.items() if word in words), None)
    if label is None or element.find_parent("blockquote") is not None:
        return
    if not _LABELLED.match(element.get_text()[:40]):
        strong = soup.new_tag("strong", string=f"{label}:")
        first = element.find("p") or element
        first.insert(0, strong, " ")
    element.name = "blockquote"


def _prepare_table(table: Tag) -> None:
    """Give a table a header row and every row all its cells, each on one line."""
    first = table.find("tr")
    if first is not None and not first.find("th"):
        for cell in first.find_all("td"):
            cell.name = "th"
    for paragraph in table.select("td p, th p"):
        paragraph.append(" ")
        paragraph.unwrap()
    for text in table.find_all(string=re.compile(r"\|")):
        text.replace_with(str(text).replace("|", "/"))
    for line_break in table.find_all("br"):
        line_break.replace_with(" ")
    for strong in table.select("th strong, th b"):
        strong.unwrap()
    _repeat_spanned(table)


def _repeat_spanned(table: Tag) -> None:
    """Write a cell that stands for several rows into each of them: a row is quoted alone."""
    rows = [row for row in table.find_all("tr") if row.find_parent("table") is table]
    for number, row in enumerate(rows):
        for place, cell in enumerate(row.find_all(["td", "th"], recursive=False)):
            span = str(cell.attrs.pop("rowspan", "1"))
            more = min(int(span), _MOST_SPANNED) - 1 if span.isdecimal() else 0
            for other in rows[number + 1 : number + 1 + more]:
                cells = other.find_all(["td", "th"], recursive=False)
                copy = BeautifulSoup("", "html.parser").new_tag(
                    "td", string=" ".join(cell.get_text(" ").split())
                )
                if place < len(cells):
                    cells[place].insert_before(copy)
                else:
                    other.append(copy)
