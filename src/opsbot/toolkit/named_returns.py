"""Returns that people name, and the items of them."""

from collections.abc import Sequence
from typing import Annotated

from rapidfuzz import fuzz

from opsbot.commerce.returns import Return, ReturnLine
from opsbot.errors import AmbiguousError
from opsbot.toolkit.arguments import argument

_LIKE = 80.0

ReturnNumber = Annotated[
    str,
    argument(
        "return_number",
        "Which return is it about? Its number is like RMA-00009.",
        description="The number of a return, such as RMA-00009.",
        pattern=r"\bRMA[- ]?\d{1,6}\b",
        max_length=20,
    ),
]


def plain_number(text: str) -> str:
    """Return a return's number as it is kept: "rma 9" is `RMA-00009`."""
    digits = "".join(c for c in text if c.isdecimal() and c.isascii())
    return f"RMA-{int(digits or 0):05}"


def pick_return_lines(opened: Return, names: Sequence[str]) -> list[ReturnLine]:
    """Return the lines of a return that words mean; without words, those without a grade.

    Raises:
        AmbiguousError: words fit none, or several that are not all meant; with the titles.
    """
    if not names:
        return [line for line in opened.lines if line.grade is None]
    chosen: list[ReturnLine] = []
    for name in names:
        wanted = _plain(name)
        scores = [
            (100.0 if wanted == _plain(line.order_line.sku) else _score(wanted, line), line)
            for line in opened.lines
        ]
        best = max((score for score, _ in scores), default=0.0)
        fits = [line for score, line in scores if score == best and score >= _LIKE]
        if len(fits) != 1:
            titles = [line.order_line.title for line in fits or opened.lines]
            raise AmbiguousError(
                f"Which item of {opened.number} do you mean?",
                candidates=list(dict.fromkeys(titles)),
            )
        chosen += fits
    return [line for line in opened.lines if line in chosen]


def _score(wanted: str, line: ReturnLine) -> float:
    return fuzz.token_set_ratio(wanted, _plain(line.order_line.title))


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
