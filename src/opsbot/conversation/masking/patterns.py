"""Personal data that no record told us of, found by its form: the second net."""

import re
from collections.abc import Callable, Iterator

from opsbot.conversation.masking.kinds import Kind

_UP = "A-ZÀ-ÖØ-Þ"
_WORD = r"[\w'’-]{1,40}"  # noqa: RUF001
_PART = r"[\w'’.-]{1,40}"  # noqa: RUF001
_TAIL = r"[\w'’.-]{0,40}"  # noqa: RUF001
_LINKS = "van|von|de|der|den|di|da|la|le|el|al|bin"
_SURNAMES = rf"(?:\s+(?:(?:{_LINKS})\s+){{0,2}}[{_UP}]{_WORD}){{1,3}}"
_FULL_NAME = rf"[{_UP}]{_TAIL}{_SURNAMES}"
_ANY_NAME = rf"(?-i:{_FULL_NAME})|{_WORD}(?:\s+{_WORD})?"
_STREET_WORDS = "street|road|avenue|lane|boulevard"
_STREET_NAMES = "St|Rd|Ave|Ln|Dr|Drive|Court|Close|Blvd|Terrace|Crescent|Gardens|Way|Place|Square"
_GERMAN = "straße|strasse|str\\.|weg|platz|allee|gasse|ring|damm|ufer|stieg|laan|plein|gatan"
_ROMANCE = "rue|avenue|boulevard|chemin|quai|via|viale|corso|piazza|calle|carrer|avenida|rua|ulica"

_UNIT = r"(?:k|mm|cm|m|g|kg|ml|l|w|v|lm|hz|rpm|hours?|eur|euros?|pieces)\b"
_FORMS: tuple[tuple[Kind, str], ...] = (
    (Kind.EMAIL, r"[\w.+…•*-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
    (Kind.PAYMENT, r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"),
    (
        Kind.PAYMENT,
        (
            r"(?:\bend(?:s|ing|et|end)\s+(?:in|with|on|auf|mit)"
            r"|\blast (?:four|4)(?: digits)?(?: are)?|(?<![•*·x])[•*·x]{2,16}[\s-]?)\s*"
            r"(?P<value>[0-9]{3,4})(?!\w)"
        ),
    ),
    (
        Kind.NAME,
        (
            r"\b(?:my (?:full |first |last )?name(?:'s| is|:)|name:|name is|mein name ist"
            rf"|ich heiße|je m'appelle|me llamo|mi chiamo)\s+(?P<value>{_ANY_NAME})"
        ),
    ),
    (
        Kind.NAME,
        (
            r"\b(?:this is|i am|i'm|ich bin|here is|hier ist|je suis|soy|sono)\s+"
            rf"(?P<value>(?-i:{_FULL_NAME}))"
        ),
    ),
    (
        Kind.NAME,
        (
            r"\b(?:mr|mrs|ms|miss|dr|herrn?|frau|mme|sig\.?ra?|señora?)\.?\s+"
            rf"(?P<value>(?-i:[{_UP}]{_WORD}(?:\s+[{_UP}]{_WORD})?))"
        ),
    ),
    (
        Kind.NAME,
        (
            r"(?:regards|wishes|sincerely|cheers|grüßen?|grüsse|cordialement|saludos|saluti),?\s*\n\s*"
            rf"(?P<value>(?-i:[{_UP}]{_WORD}(?:[ ]+[{_UP}]{_WORD}){{0,3}}))"
        ),
    ),
    (Kind.STREET, rf"\b\d{{1,5}}[a-z]?,?\s+(?:{_PART}\s+){{1,4}}(?:{_STREET_WORDS})\b"),
    (
        Kind.STREET,
        rf"(?-i:\b\d{{1,5}}[A-Za-z]?,?\s+(?:[{_UP}]{_TAIL}\s+){{1,4}}(?:{_STREET_NAMES})\b\.?)",
    ),
    (
        Kind.STREET,
        (
            rf"(?-i:[{_UP}]{_TAIL}(?:\s[{_UP}]{_TAIL}){{0,3}}?)[\s-]?(?:{_GERMAN})\s+"
            r"\d{1,4}\s?[a-z]?\b"
        ),
    ),
    (Kind.STREET, r"\b[\w-]{2,30}(?:straße|strasse|str\.|straat)\s*\d{1,4}\s?[a-z]?\b"),
    (
        Kind.STREET,
        (
            r"\b(?:a[mn]|an der|auf der|unter den|zum|zur)\s+"
            rf"(?-i:[{_UP}]){_PART}\s+\d{{1,4}}\s?[a-z]?\b"
        ),
    ),
    (Kind.STREET, rf"\b\d{{1,4}},?\s+(?:{_ROMANCE})\s+{_WORD}(?:\s+{_WORD}){{0,3}}"),
    (Kind.STREET, rf"\b(?:{_ROMANCE})\s+(?:{_PART}\s+){{1,4}}\d{{1,4}}\b"),
    (Kind.ORDER, r"#\s?\d{3,}(?!\w)"),
    (Kind.ORDER, r"\border\s+(?:number\s+|no\.?\s*)?(?P<value>\d{3,})(?!\w)"),
    (Kind.NUMBER, r"\b(?:C|CS|RMA)-\d{3,}\b"),
    (Kind.NUMBER, r"\b1Z[0-9A-Z]{16}\b"),
    (
        Kind.CITY,
        (
            rf"(?P<value>(?-i:[{_UP}]{_WORD}(?: [{_UP}]{_WORD})?))"
            r"(?=,?\s(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|(?-i:[A-Z]{2}),? \d{5})\b)"
        ),
    ),
    (Kind.POSTCODE, r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"),
    (Kind.POSTCODE, r"\b[A-Z]\d[A-Z] ?\d[A-Z]\d\b"),
    (Kind.POSTCODE, r"\b\d{4} (?-i:[A-Z]{2})\b"),
    (
        Kind.POSTCODE,
        (
            r"(?:post(?:al)?\s?code|zip(?: code)?|plz|postleitzahl|code postal)\s*(?:is|ist|:)?\s*"
            r"(?P<value>(?=[A-Z -]{0,8}\d)[A-Z0-9][A-Z0-9 -]{2,8}\b)"
        ),
    ),
    (Kind.PHONE, r"(?<![\w#])\+?(?:\(\+?\d{1,5}\)|\d)(?:[ /().-]{0,2}\d){6,18}(?!\w)"),
    (
        Kind.POSTCODE,
        (
            r"(?<![\w.,-])\d{5}(?:-\d{4})?"
            rf"(?!\w|[.,-]\d| ?{_UNIT})"
        ),
    ),
    (Kind.POSTCODE, rf",\s*(?P<value>\d{{4}})(?=\s+(?-i:[{_UP}][a-zà-ÿ]))"),
    (Kind.POSTCODE, r"(?<![\w-])\d{2}-\d{3}(?![\w-])|(?<![\w-])\d{4}-\d{3}(?![\w-])"),
)
"""Each kind by what finds it; the group `value`, if there is one, is what is personal of it."""
_PATTERNS = tuple((kind, re.compile(form, re.IGNORECASE)) for kind, form in _FORMS)
_CITY = re.compile(rf"\s+([{_UP}]{_WORD}(?:[ -][{_UP}]{_WORD})?)")
"""A town right behind its postcode."""
_DATE = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:\d{4}|\d{2}\b)")
_LONE_NUMBER = re.compile(
    rf"(?<![\w€$£.,#-])(?!(?:19|20)\d\d\b)\d{{4,7}}(?![\w.,:-]{{0,9}}\d|\w| ?{_UNIT})",
    re.IGNORECASE,
)
"""A number of a person's message that stands alone: of an order, or a postcode."""

Hide = Callable[[Kind, str], str]
"""Returns the placeholder of a value."""


def hide_forms(text: str, hide: Hide, *, by_person: bool) -> str:
    """Return a text without what looks like personal data.

    Args:
        text: without placeholders.
        hide: makes a placeholder.
        by_person: a person wrote it, so that a number alone may be that of an order.
    """
    pieces: list[str | tuple[Kind, str]] = [text]
    for kind, pattern in _PATTERNS:
        pieces = [part for piece in pieces for part in _split(piece, kind, pattern)]
    if by_person:
        pieces = [part for piece in pieces for part in _split(piece, Kind.NUMBER, _LONE_NUMBER)]
    return "".join(p if isinstance(p, str) else hide(*p) for p in _with_cities(pieces))


def _split(
    piece: str | tuple[Kind, str], kind: Kind, pattern: re.Pattern[str]
) -> Iterator[str | tuple[Kind, str]]:
    """Cut what a pattern finds out of a piece that is still plain text."""
    if not isinstance(piece, str):
        yield piece
        return
    place = 0
    for match in pattern.finditer(piece):
        begin, end = match.span("value" if "value" in pattern.groupindex else 0)
        if kind is Kind.PHONE and _DATE.match(match[0]):
            continue
        yield piece[place:begin]
        yield kind, piece[begin:end]
        place = end
    yield piece[place:]


def _with_cities(pieces: list[str | tuple[Kind, str]]) -> Iterator[str | tuple[Kind, str]]:
    """Hide the town behind a postcode as well."""
    behind = False
    for piece in pieces:
        if not isinstance(piece, str):
            behind = piece[0] is Kind.POSTCODE
            yield piece
            continue
        city = _CITY.match(piece) if behind else None
        if city:
            yield piece[: city.start(1)]
            yield Kind.CITY, city[1]
            yield piece[city.end(1) :]
        else:
            yield piece
        behind = behind and not piece
