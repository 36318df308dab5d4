"""Addresses in words: "to Lindenweg 2, 10115 Berlin", "Street: …. Postcode: …. Town: …."."""

import re

_LEADS = (
    re.compile(r":\s*"),
    re.compile(r"\bto\b\s*", re.IGNORECASE),
    re.compile(r"\bis\b\s*", re.IGNORECASE),
)
_END = re.compile(
    r"(?<!str)(?<!\bst)(?<!\bdr)(?<!\bno)(?<!\bnr)(?<!\b\w)\.\s+(?=[a-z])|[?!]\s"
    r"|,?\s+(?:and|can|could) (?:you|please|then|also|my|the|our|i|we|change|update)\b",
    re.IGNORECASE,
)
_HERE = re.compile(
    r"^[^,\d]*\b(?:address|home|house|flat|office|place|it)\b[^,\d]*?(?:\bis\b|\bto\b|:)\s*(?=[^,]*\d)",
    re.IGNORECASE,
)
"""What leads up to an address within the words that may hold it: "new address is …"."""
_FILLERS = re.compile(
    r"^(?:(?:only|just|simply|please|really|correctly|now|is|at|in|to)\b[\s,:]*)+", re.IGNORECASE
)
_WORDS = r"[^\W\d_][\w.'’ -]{2,40}?"  # noqa: RUF001
_FULL = re.compile(
    r"(?:(?<=^)|(?<=[.!?:,\n] )|(?<=\b(?:to|is|at) ))"
    rf"(?P<street>{_WORDS}\s\d{{1,4}}\s?[a-zA-Z]?|\d{{1,4}}[a-zA-Z]?\s{_WORDS}),\s*"
    r"(?P<town>(?:[A-Z]{1,2}-)?\d{4,5}(?:\s?[A-Z]{2}\b)?\s+[^\W\d_][^\d,;!?\n]{1,40}"
    rf"|{_WORDS},?\s+[A-Z]{{0,2}}\d[\w -]{{2,7}})"
)
_VALUE = r"\s*(?:is|:|=)\s*([^;,\n]+?)(?=[.;,\n]\s*(?:[A-Z]|$)|[;,\n]|$)"
_PARTS = (
    re.compile(rf"\b(?:street|road|address(?: line)?){_VALUE}", re.IGNORECASE),
    re.compile(rf"\b(?:post ?code|postal code|zip(?: code)?){_VALUE}", re.IGNORECASE),
    re.compile(rf"\b(?:town|city|place){_VALUE}", re.IGNORECASE),
)


def find_address(text: str, blank: str) -> str:
    """Return what follows "to", "is" or a colon, if it looks like a street with a number.

    Args:
        text: the words.
        blank: the same with blanks in place of numbers that mean something else.
    """
    if parts := _labelled(text):
        return parts
    for lead in _LEADS:
        for match in reversed(list(lead.finditer(blank))):
            if re.search(r"[^\W\d_].*\d", blank[match.end() :], re.DOTALL):
                stop = _END.search(text, match.end())
                return text[match.end() : stop.start() if stop else None]
    return ""


def full_address(text: str) -> str:
    """Return a street with a number, a postcode and a town, wherever they stand in a text."""
    found = _FULL.search(text)
    return f"{found['street'].strip()}, {found['town'].strip()}" if found else ""


def tidy_address(words: str) -> str:
    """Leave out "my new home" and "only" before the street."""
    address = _FILLERS.sub("", _HERE.sub("", words.strip(" .,\n"), count=1))
    parts = [part.strip() for part in address.split(",")]
    while len(parts) > 1 and not re.search(r"\d", parts[0]) and parts[0][:1].islower():
        parts.pop(0)
    return ", ".join(parts)


def _labelled(text: str) -> str:
    """Return the address of "Street: Lindenweg 2. Postcode: 10115. Town: Berlin."."""
    street, postcode, town = (form.search(text) for form in _PARTS)
    if not (street and postcode and town):
        return ""
    return f"{street[1].strip()}, {postcode[1].strip()} {town[1].strip()}"
