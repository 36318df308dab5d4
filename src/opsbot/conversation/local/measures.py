"""Sizes and measures as people write them, written one way: `xl`, `4ft`."""

import re
from functools import lru_cache

from opsbot.conversation.local.language import NUMBER_WORDS

_SIZES = (
    (re.compile(r"\b(?:extra[\s-]+extra[\s-]+large|double[\s-]+xl|2[\s-]?xl)\b"), "xxl"),
    (re.compile(r"\b(?:extra[\s-]+extra[\s-]+small)\b"), "xxs"),
    (re.compile(r"\b(?:extra[\s-]+large|x-large)\b"), "xl"),
    (re.compile(r"\b(?:extra[\s-]+small|x-small)\b"), "xs"),
    (re.compile(r"\bsmall\b"), "s"),
    (re.compile(r"\bmedium\b"), "m"),
    (re.compile(r"\blarge\b"), "l"),
)
_UNITS = (
    (r"inch(?:es)?|in|\"|”", "inch"),
    (r"ft|foot|feet|'", "ft"),
    (r"hours?|hrs?|h", "hour"),
    (r"lit(?:er|re)s?|l", "l"),
    (r"millilit(?:er|re)s?|ml", "ml"),
    (r"millimet(?:er|re)s?|mm", "mm"),
    (r"centimet(?:er|re)s?|cm", "cm"),
    (r"kilograms?|kilos?|kg", "kg"),
    (r"pounds?|lbs?", "lbs"),
    (r"gigabytes?|gb", "gb"),
    (r"terabytes?|tb", "tb"),
    (r"megapixels?|mp", "mp"),
    (r"pieces?|pcs?", "piece"),
    (r"percent|%", "percent"),
    (r"watts?|w", "w"),
)
_MEASURES = tuple(
    (re.compile(rf"(?<![\w.])(\d+(?:\.\d+)?)[\s-]*(?:{form})(?!\w)"), rf"\g<1>{unit} ")
    for form, unit in _UNITS
)
_COUNTED = re.compile(
    r"\b(one|two|three|four|five|six|seven|eight|nine|ten|twelve)"
    r"(?=[\s-]+(?:inch|foot|feet|lit|hour|piece|gigabyte|terabyte|cup|person|pack))"
)


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """Return a text in lower case with sizes and measures written one way: "xl", "4ft"."""
    text = text.lower().replace("\u2019", "'")
    text = re.sub(r"n't\b", " not", text)
    text = _COUNTED.sub(lambda match: str(NUMBER_WORDS[match[1]]), text)
    for form, size in _SIZES:
        text = form.sub(size, text)
    for form, measure in _MEASURES:
        text = form.sub(measure, text)
    return text
