"""CSV files of questions and answers: each row is a section, and its heading is the question.

Rows may name an audience, a language and products; those that name the same are one article, so
that no row is shown to whom it is not for.
"""

import re
from collections.abc import Sequence

from opsbot.errors import InvalidInputError
from opsbot.retrieval.readers.content import Content
from opsbot.retrieval.readers.html import html_to_markdown
from opsbot.retrieval.readers.sheet import Row, read_sheet

_HTML = re.compile(
    r"</?(?:p|br|ul|ol|li|a|b|i|em|strong|div|span|table|h[1-6])\b[^<>]{0,500}>", re.IGNORECASE
)
_HEADING = re.compile(r"(?m)^[ ]{0,3}#{1,6}[ \t]+(.*?)[ \t#]*$")
_RULE = re.compile(r"(?m)^[ ]{0,3}(?:-+|=+)[ \t]*$")


def read(path: str, content: bytes, part: str = "") -> Content:
    """Read one article of a CSV file.

    Raises:
        InvalidInputError: it has no columns for questions and answers, or no row with both.
    """
    sheet = read_sheet(path, content)
    rows = [row for row in sheet.rows if row.part == part]
    if not rows:
        raise InvalidInputError(f"{path} has no rows {part} any more.")
    stated: dict[str, object] = {}
    if rows[0].audience:
        stated["audience"] = rows[0].audience
    if rows[0].language:
        stated["language"] = rows[0].language
    if products := list(dict.fromkeys(name for row in rows for name in row.products)):
        stated["product"] = products
    # What was left out is said once, however many articles the file holds.
    is_first = part == min(row.part for row in sheet.rows)
    return Content(_write(rows), stated=stated, notes=tuple(sheet.faults) if is_first else ())


def _write(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown: categories, and in them the questions, in order."""
    by_category: dict[str, list[Row]] = {}
    for row in rows:
        by_category.setdefault(row.category, []).append(row)
    blocks = list[str]()
    for category, some in by_category.items():
        if category:
            blocks.append(f"## {category}")
        level = "###" if category else "##"
        for row in some:
            blocks += [f"{level} {row.question}", _write_answer(row.answer)]
    return "\n\n".join(blocks)


def _write_answer(answer: str) -> str:
    """Return an answer as Markdown without headings: the only ones are the questions."""
    if _HTML.search(answer):
        answer = html_to_markdown(answer)
    answer = answer.replace("\r\n", "\n").replace("\r", "\n").strip()
    return _RULE.sub("", _HEADING.sub(r"**\1**", answer))
