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

_PERSONAL = (
    (re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"), "[account]"),
    (re.compile(r"(?<![\w#])\+?\(?\d(?:[ /().-]{0,2}\d){6,18}(?!\w)"), "[number]"),
    (re.compile(r"(?:\border\s+(?:number\s+|no\.?\s*)?#?|#)\s?\d{3,}", re.IGNORECASE), "[order]"),
    (re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"), "[postcode]"),
    (
        re.compile(
            r"(?<![\w.,-])\d{5,6}(?!\w|[.,-]\d| ?(?:k|mm|cm|m|g|kg|ml|l|w|v|lm|hours?|eur)\b)",
            re.IGNORECASE,
        ),
        "[number]",
    ),
)


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


def mask_personal(text: str) -> str:
    """Return `text` with a word in place of addresses, numbers of people and of orders.

    Postcodes, telephone, card and order numbers and e-mail addresses go; measures ("2700 K"),
    codes ("E-17") and item numbers ("LL-GRD-02") stay, because they say what a question is about.
    Names of people cannot be told from other words and stay.
    """
    for pattern, word in _PERSONAL:
        text = pattern.sub(word, text)
    return text
