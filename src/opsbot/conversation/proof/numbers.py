"""Numbers with their units, written one way: "two years", "2-year", "1,5 cm" and "≥ 30 days"."""

import re
import unicodedata
from functools import cache

_SPACES = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}\b)")
"""Thin spaces that part thousands."""
_DIGITS = {
    "en": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen",
    "de": "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn "
    "fünfzehn sechzehn siebzehn achtzehn neunzehn",
}
_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
}
_BIG = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "hundert": 100, "tausend": 1000}
_BOUNDS = {
    "en": (
        ("≥", "at (?:the )?least|(?:a )?minimum(?: of)?|min\\.?|not? (?:less|fewer) than"),
        ("≤", "at (?:the )?most|(?:a )?maximum(?: of)?|max\\.?|not? more than|up to"),
        (">", "more than|greater than|higher than|longer than|over|above|exceeding"),
        ("<", "less than|fewer than|lower than|shorter than|under|below"),
    ),
    "de": (
        ("≥", "mindestens|wenigstens|minimal|nicht weniger als"),
        ("≤", "höchstens|maximal|nicht mehr als|bis zu"),
        (">", "mehr als|länger als|höher als|über"),
        ("<", "weniger als|kürzer als|niedriger als|unter"),
    ),
}
_AFTER = (
    ("≥", r"\s(?:or (?:more|longer|higher|above)|oder (?:mehr|länger))\b"),
    ("≤", r"\s(?:or (?:less|fewer|lower|below)|oder weniger)\b"),
)
_EXACT_UNITS = "m g l L t s h W V A K N J C F B b M k"
"""Single letters: their case tells which, and what stands apart from its number may be a word."""
_UNITS = {
    "mm": "mm millimetre millimetres millimeter millimeters",
    "cm": "cm centimetre centimetres centimeter centimeters zentimeter",
    "m": "metre metres meter meters",
    "km": "km kilometre kilometres kilometer kilometers",
    "inch": "inch inches",
    "ft": "ft foot feet",
    "mg": "mg milligram milligrams",
    "g": "gram grams gramm",
    "kg": "kg kilo kilos kilogram kilograms kilogramm",
    "lb": "lb lbs pound pounds",
    "oz": "oz ounce ounces",
    "ml": "ml millilitre millilitres milliliter milliliters",
    "l": "L litre litres liter liters",
    "ms": "ms millisecond milliseconds",
    "s": "sec secs second seconds sekunde sekunden",
    "min": "min mins minute minutes minuten",
    "h": "hr hrs hour hours stunde stunden",
    "day": "day days tag tage tagen",
    "week": "week weeks woche wochen",
    "month": "month months monat monate monaten",
    "year": "year years yr yrs jahr jahre jahren",
    "W": "watt watts",
    "V": "volt volts",
    "A": "amp amps ampere amperes",
    "Hz": "hz hertz",
    "K": "kelvin",
    "%": "% percent prozent pct",
    "EUR": "€ eur euro euros",
    "USD": "$ usd dollar dollars",
    "GBP": "£ gbp",
    "cent": "cent cents",
    "degree": "° degree degrees grad",
}
_OTHER_UNITS = (
    "°C °F kW mW MW GW mV "
    "mA mAh Ah Wh kWh kV kHz MHz GHz kB MB GB TB KB kbit Mbit Gbit Mbps Gbps kbps rpm "
    "lm lx Nm bar psi dB dB(A) ppm g/m² m² m³ cm² cm³ mm² mm³ km/h m/s l/min Mbit/s GSM gsm dpi px "
    "Ω kΩ µm nm KiB MiB GiB TiB mbar Pa kPa Bq Sv pt"
)
_TIMES = "year years month months week weeks day days hour hours minute minutes"


def write_plainly(text: str, language: str) -> str:
    """Return a text with number words as digits and limits as signs before their number.

    "At least two hours" becomes "≥2 hours".
    """
    text = unicodedata.normalize("NFKC", _SPACES.sub("", text)).replace("\u2212", "-")
    text = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    language = language[:2].lower()
    if language not in _DIGITS:
        return text
    words, bounds, article = _patterns(language)
    if words.search(text):
        text = words.sub(_to_digits, text)
    if article is not None:
        text = article.sub("1 ", text)
    for sign, pattern in bounds:
        text = pattern.sub(sign, text)
    return text


def read_number(written: str, language: str) -> str:
    """Return the value of digits with points or commas, or what is written when it has none.

    "1,000.50" is "1000.5" in English; "1.000,5" is "1000.5" in German; "3.1.2" stays.
    """
    group, point = (".", ",") if language[:2].lower() == "de" else (",", ".")
    if re.fullmatch(rf"\d{{1,3}}(?:\{group}\d{{3}})+(?:\{point}\d+)?", written):
        written = written.replace(group, "")
    elif re.fullmatch(rf"\d+\{group}\d+", written):
        written = written.replace(group, point)
    if not re.fullmatch(rf"\d+(?:\{point}\d+)?", written):
        return re.sub(r"^0+(?=\d)", "", written)
    whole, _, part = written.replace(point, ".").partition(".")
    part = part.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{part}" if part else "")


def read_unit(written: str, *, apart: bool) -> str:
    """Return the sign of a unit, or nothing when the word is none.

    Args:
        written: the word after a number.
        apart: a space stands between them: "5 a" is no 5 A.
    """
    exact, units = _unit_tables()
    if written in exact:
        return exact[written]
    if len(written) == 1 and written.isalpha():
        return ""
    found = units.get(written.lower(), "")
    return "" if apart and written.lower() in {"pt", "px"} and written.isupper() else found


def bound_after(text: str) -> tuple[str, int]:
    """Return the sign for "or more" and the like at the beginning of a text, and its length."""
    for sign, words in _AFTER:
        if found := re.match(words, text, re.IGNORECASE):
            return sign, found.end()
    return "", 0


@cache
def _unit_tables() -> tuple[dict[str, str], dict[str, str]]:
    exact = {unit: unit for unit in (*_EXACT_UNITS.split(), *_OTHER_UNITS.split())}
    exact["L"] = "l"
    units = {word: sign for sign, words in _UNITS.items() for word in words.split()}
    return exact, {unit.lower(): unit for unit in _OTHER_UNITS.split()} | units


@cache
def _patterns(
    language: str,
) -> tuple[re.Pattern[str], list[tuple[str, re.Pattern[str]]], re.Pattern[str] | None]:
    ones = _DIGITS[language].split()[1:]
    tens = _TENS[language].split()
    small = rf"(?:(?:{'|'.join(tens)})(?:[- ](?:{'|'.join(_DIGITS[language].split()[:9])}))?"
    small += rf"|{'|'.join(sorted(ones, key=len, reverse=True))})"
    big = "|".join(_BIG)
    words = re.compile(rf"\b(?:{small}(?:[- ](?:{big}))?|(?:an?|one)[ ](?:{big}))\b", re.IGNORECASE)
    number = r"(?=[€$£]?\s?-?\d)"
    bounds = [
        (sign, re.compile(rf"(?<![\w-])(?:{phrases})\s+{number}", re.IGNORECASE))
        for sign, phrases in _BOUNDS[language]
    ]
    article = None
    if language == "en":
        times = "|".join(_TIMES.split())
        units = "|".join(word for word in _unit_tables()[1] if word.isalpha() and len(word) > 1)
        article = re.compile(
            rf"\ban?[ -](?=(?:{times})\b)|\bone[ -]?(?=(?:{units})\b|%)", re.IGNORECASE
        )
    return words, bounds, article


def _to_digits(found: re.Match[str]) -> str:
    value, factor = 0, 1
    for word in re.split(r"[- ]", found[0].lower()):
        if word in _BIG:
            factor = _BIG[word]
        else:
            value += _values().get(word, 0)
    return str((value or 1) * factor)


@cache
def _values() -> dict[str, int]:
    values: dict[str, int] = {}
    for language, words in _DIGITS.items():
        values |= {word: n for n, word in enumerate(words.split(), 1)}
        values |= {word: n * 10 for n, word in enumerate(_TENS[language].split(), 2)}
    return values
