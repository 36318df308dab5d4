"""Text from and for mails: cleaned, bounded, and safe to stand in a header."""

import re

from opsbot.errors import InvalidInputError
from opsbot.texts import compose

MAX_HEADER = 200
"""Most characters of a header we write."""
MAX_ADDRESS = 254
"""Most characters of an address (RFC 5321)."""

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\U000e0000-\U000e007f]")
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile("[\r\n\t\x0b\x0c\x85\u2028\u2029]+")
_ADDRESS = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)


def clean_text(text: str, *, limit: int) -> str:
    """Return outside text in NFC, without invisible controls; every line end becomes LF.

    Args:
        text: anything; NUL, lone surrogates, Unicode tags and marks of direction are dropped.
        limit: most characters to keep.
    """
    text = text[: limit * 2].replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    text = _SURROGATES.sub("\ufffd", text)
    text = _DIRECTIONS.sub("", _CONTROLS.sub("", text))
    return compose(text)[:limit]


def safe_header(text: str, *, limit: int = MAX_HEADER) -> str:
    """Return text that cannot leave the header it is written into.

    Python before 3.12.2 decodes `=?…?=` inside a value and writes the line ends it finds
    there, so that a subject may add a `Bcc`. No line end and no such mark is left in the result.
    """
    one_line = _BREAKS.sub(" ", text[: limit * 2])
    cleaned = clean_text(one_line, limit=limit * 2).replace("\n", " ")
    # What stands before and after a removed mark must not form a new one.
    return " ".join(cleaned.replace("=?", "= ?").split())[:limit].strip()


def check_address(text: str) -> str:
    """Return a mail address in lower case.

    Raises:
        InvalidInputError: it is not an address we can write to; only plain ASCII ones are.
    """
    address = text.strip().lower()
    if len(address) > MAX_ADDRESS or "=?" in address or not _ADDRESS.fullmatch(address):
        shown = safe_header(text, limit=80)
        raise InvalidInputError(f"{shown!r} is not an e-mail address such as ada@example.com.")
    return address
