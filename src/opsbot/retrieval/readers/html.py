"""HTML pages: the main part, without navigation, scripts and what is hidden."""

from bs4 import BeautifulSoup, Tag
from markdownify import MarkdownConverter

from opsbot.errors import InvalidInputError
from opsbot.retrieval.readers.content import Content, decode

MAX_CHARACTERS = 2_000_000

_DROPPED = (
    "script, style, noscript, template, nav, header nav, footer, aside, form, iframe, svg, img, "
    "head, button, [hidden], [aria-hidden=true]"
)


def read(path: str, content: bytes) -> Content:
    """Read an HTML page.

    Raises:
        InvalidInputError: it is not UTF-8, or too long.
    """
    page = decode(path, content)
    if len(page) > MAX_CHARACTERS:
        raise InvalidInputError(
            f"{path} has more than {MAX_CHARACTERS:,} characters; split it into several pages."
        )
    return Content(html_to_markdown(page))


def html_to_markdown(page: str) -> str:
    """Return the main part of a page as Markdown."""
    soup = BeautifulSoup(page, "html.parser")
    for element in soup.select(_DROPPED):
        element.decompose()
    for element in soup.select("[style]"):
        if not element.decomposed and "display:none" in str(element["style"]).replace(" ", ""):
            element.decompose()
    for table in soup.find_all("table"):
        _prepare_table(table)
    main = soup.find("main") or soup.find("article") or soup.body or soup
    return str(MarkdownConverter(heading_style="ATX", bullets="-").convert_soup(main))


def _prepare_table(table: Tag) -> None:
    """Give a table a header row, and keep each cell on one line."""
    first = table.find("tr")
    if first is not None and not first.find("th"):
        for cell in first.find_all("td"):
            cell.name = "th"
    for paragraph in table.select("td p, th p"):
        paragraph.append(" ")
        paragraph.unwrap()
    for strong in table.select("th strong, th b"):
        strong.unwrap()
