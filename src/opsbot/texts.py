"""Text from outside, made safe to keep: one rule for every channel, and for what models write."""

import re
import unicodedata

from opsbot.errors import InvalidInputError

# Control characters but line break and tab, direction overrides, and the invisible "tag" letters
# that hide instructions in plain sight.
_UNWANTED = re.compile(
    "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)

_MOST_MARKS = 30
"""Most marks on one letter (UAX 15, stream-safe text)."""
# These count as letters, and yet are two marks once they are taken apart.
_HIDDEN_MARKS = frozenset("\u0f73\u0f75\u0f81")


def compose(text: str) -> str:
    """Return `text` in NFC; of a letter's combining marks, the first 30 stay.

    To bring n marks into order takes n² steps, all of them without letting other threads run.
    """
    return unicodedata.normalize("NFC", text if text.isascii() else _with_few_marks(text))


def _with_few_marks(text: str) -> str:
    kept = []
    marks = 0
    for letter in text:
        is_mark = unicodedata.combining(letter) or letter in _HIDDEN_MARKS
        marks = marks + 1 if is_mark else 0
        if marks <= _MOST_MARKS:
            kept.append(letter)
    return "".join(kept)


def clean_text(text: str, *, limit: int, name: str = "The message") -> str:
    """Return `text` normalised (NFC), without control characters and outer white space.

    Args:
        text: what somebody sent.
        limit: most characters.
        name: what to call it in an error.

    Raises:
        InvalidInputError: it is empty, too long, or not valid text.
    """
    if "\0" in text:
        raise InvalidInputError(f"{name} contains a NUL character, which is not text.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"{name} is not valid Unicode text.") from error
    if len(text) > limit:
        raise InvalidInputError(
            f"{name} has {len(text):,} characters; the most is {limit:,}. Please shorten it."
        )
    cleaned = _UNWANTED.sub("", compose(text.replace("\r\n", "\n"))).strip()
    if not cleaned:
        raise InvalidInputError(f"{name} is empty. Please write something.")
    return cleaned
