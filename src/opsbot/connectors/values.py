"""Amounts, times, countries and texts as other systems write them."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.numbers import get_currency_precision, is_currency

from opsbot.errors import InvalidInputError
from opsbot.texts import clean_text

UNKNOWN_COUNTRY = "ZZ"
"""ISO 3166's own code for a country that nobody knows."""
LARGEST_MINOR = 2**31 - 1
"""The most a column of minor units holds on every database."""
LONGEST_NAME = 300

_ALIASES = {
    "CHANNEL ISLANDS": UNKNOWN_COUNTRY,
    "CZECH REPUBLIC": "CZ",
    "EIRE": "IE",
    "ENGLAND": "GB",
    "EUROPEAN COMMUNITY": UNKNOWN_COUNTRY,
    "GREAT BRITAIN": "GB",
    "HONG KONG": "HK",
    "HOLLAND": "NL",
    "RSA": "ZA",
    "SCOTLAND": "GB",
    "TURKEY": "TR",
    "UK": "GB",
    "UNSPECIFIED": UNKNOWN_COUNTRY,
    "USA": "US",
}
_DAY_FIRST = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y")
_OFFSET = re.compile(r"\s+(?:UTC\s*)?([+-])(\d{2}):?(\d{2})$")


@lru_cache(maxsize=65_536)
def read_money(text: str, currency: str, *, decimal: str | None = None) -> int:
    """Return an amount in minor units, exactly.

    Args:
        text: such as `12.50`, `1.234,56`, `€ 12,50`, `-3`.
        currency: ISO 4217 code; it tells how many digits a minor unit has.
        decimal: the decimal sign where it is known, `.` or `,`; None: it must be plain.

    Raises:
        InvalidInputError: it is no amount, could be read in two ways, or has parts of a cent.
    """
    digits = re.sub(r"[\s\u00a0\u202f\u2019']|[A-Z]{3}|[€$£¥]", "", text)
    if not re.fullmatch(r"[+-]?\d[\d.,]*", digits):
        raise InvalidInputError(f"{text.strip()[:40]!r} is not an amount of money.")
    plain = _with_point(digits, text, decimal)
    minor = Decimal(plain).scaleb(_precision(currency))
    if minor != minor.to_integral_value():
        raise InvalidInputError(f"{text.strip()[:40]} {currency} has parts of the smallest coin.")
    if abs(minor) > LARGEST_MINOR:
        raise InvalidInputError(f"{text.strip()[:40]} {currency} is more than can be recorded.")
    return int(minor)


def _with_point(digits: str, text: str, decimal: str | None) -> str:
    """Write a number with a decimal point and no sign between thousands."""
    signs = {sign for sign in ".," if sign in digits}
    if decimal is None and len(signs) == 2:  # noqa: PLR2004  (both: the last one is the decimal)
        decimal = max(signs, key=digits.rfind)
    elif decimal is None and signs:
        sign = signs.pop()
        tail = digits.rpartition(sign)[2]
        if digits.count(sign) > 1:
            decimal = "," if sign == "." else "."
        elif len(tail) == 3:  # noqa: PLR2004  (1,234 is a thousand, or one and a bit)
            message = f"{text.strip()[:40]!r} can be read in two ways; say what its decimal sign is"
            raise InvalidInputError(f"{message} (--decimal).")
        else:
            decimal = sign
    decimal = decimal or "."
    thousands = "," if decimal == "." else "."
    whole, _, part = digits.partition(decimal)
    if decimal in part or thousands in part or not _has_thousands(whole, thousands):
        raise InvalidInputError(f"{text.strip()[:40]!r} is not an amount of money.")
    return f"{whole.replace(thousands, '')}.{part or '0'}"


def _has_thousands(whole: str, sign: str) -> bool:
    head, *groups = whole.lstrip("+-").split(sign)
    return not groups or (bool(head) and all(len(group) == 3 for group in groups))  # noqa: PLR2004


@lru_cache(maxsize=256)
def _precision(currency: str) -> int:
    if not is_currency(currency):
        raise InvalidInputError(f"{currency[:10]!r} is not a currency; write a code like EUR.")
    return int(get_currency_precision(currency))


@lru_cache(maxsize=65_536)
def read_count(text: str, *, name: str = "The quantity", least: int = 1) -> int:
    """Return a whole number, such as `3` or `3.0`.

    Raises:
        InvalidInputError: it is none, or below `least`, or too large to record.
    """
    found = re.fullmatch(r"([+-]?\d{1,10})(?:[.,]0+)?", text.strip())
    if found is None:
        raise InvalidInputError(f"{name} {text.strip()[:40]!r} is not a whole number.")
    count = int(found[1])
    if not least <= count <= LARGEST_MINOR:
        raise InvalidInputError(f"{name} {count} is not possible here.")
    return count


@lru_cache(maxsize=16_384)
def read_moment(text: str, zone: str) -> datetime:
    """Return a moment in UTC; one without an offset is the shop's own time.

    Args:
        text: such as `2025-10-02 17:09:34 -0300`, `2025-10-02T17:09:34Z`, `02.10.2025 17:09`.
        zone: IANA name of the shop's time zone.

    Raises:
        InvalidInputError: it is no moment, or could be two days (`01/02/2025`).
    """
    plain = _OFFSET.sub(r"\1\2:\3", text.strip())
    moment = _parse(plain)
    if moment is None:
        message = f"{text.strip()[:40]!r} is not a date and time; write them like 2025-10-02 17:09."
        raise InvalidInputError(message)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise InvalidInputError(f"{text.strip()[:40]!r} is outside the calendar.") from error


def _parse(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for pattern in _DAY_FIRST:
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007  (the caller adds the zone)
        except ValueError:
            continue
    return None


@lru_cache(maxsize=4_096)
def read_country(text: str) -> str:
    """Return the ISO 3166 code of a country that is written as a code or by its English name.

    Raises:
        InvalidInputError: there is no such country.
    """
    word = text.strip().upper()
    code = _ALIASES.get(word) or (word if word in _countries() else _names().get(word))
    if code is None:
        raise InvalidInputError(f"{text.strip()[:40]!r} is not a country; write a code like DE.")
    return code


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in codes if re.fullmatch(r"[A-Z]{2}", code))


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    territories = Locale("en").territories
    return {str(territories[code]).upper(): code for code in _countries()}


@lru_cache(maxsize=16_384)
def read_text(text: str, name: str, *, limit: int = LONGEST_NAME) -> str:
    """Return one line of text, made safe to keep.

    Raises:
        InvalidInputError: it is empty, too long, or not text; `name` says what.
    """
    return " ".join(clean_text(text, limit=limit, name=name).split())


def read_optional(text: str | None, name: str, *, limit: int = LONGEST_NAME) -> str | None:
    """Return the text as `read_text` does, or None when there is none."""
    return read_text(text, name, limit=limit) if text and text.strip() else None


@lru_cache(maxsize=16_384)
def read_email(text: str) -> str:
    """Return an e-mail address in lower case.

    Raises:
        InvalidInputError: it is none.
    """
    address = text.strip().lower()
    if len(address) > 254 or not re.fullmatch(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+", address):  # noqa: PLR2004
        raise InvalidInputError(f"{address[:40]!r} is not an e-mail address.")
    return address


def read_number(text: str) -> str:
    """Return an order's number as customers read it here: `#1001`.

    Raises:
        InvalidInputError: its name holds no number, or several.
    """
    found = re.fullmatch(r"\D*(\d{1,12})\D*", text.strip(), re.ASCII)
    if found is None:
        raise InvalidInputError(f"The order's name {text.strip()[:40]!r} holds no single number.")
    return f"#{found[1]}"
