"""Countries as people name them."""

from typing import Annotated

from pydantic import BeforeValidator

from opsbot.toolkit.arguments import argument

NAMES = {
    "DE": "Germany", "AT": "Austria", "CH": "Switzerland", "FR": "France", "IT": "Italy",
    "ES": "Spain", "PT": "Portugal", "BE": "Belgium", "NL": "Netherlands", "LU": "Luxembourg",
    "DK": "Denmark", "SE": "Sweden", "NO": "Norway", "FI": "Finland", "IS": "Iceland",
    "IE": "Ireland", "GB": "United Kingdom", "PL": "Poland", "CZ": "Czechia", "SK": "Slovakia",
    "HU": "Hungary", "RO": "Romania", "BG": "Bulgaria", "GR": "Greece", "HR": "Croatia",
    "SI": "Slovenia", "EE": "Estonia", "LV": "Latvia", "LT": "Lithuania", "CY": "Cyprus",
    "MT": "Malta", "US": "United States", "CA": "Canada", "MX": "Mexico", "BR": "Brazil",
    "AR": "Argentina", "AU": "Australia", "NZ": "New Zealand", "JP": "Japan",
    "KR": "South Korea", "CN": "China", "IN": "India", "SG": "Singapore", "ZA": "South Africa",
    "TR": "Türkiye", "UA": "Ukraine", "IL": "Israel", "AE": "United Arab Emirates",
}  # fmt: skip
_ALIASES = {
    "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "great britain": "GB",
    "usa": "US", "america": "US", "the states": "US", "holland": "NL", "deutschland": "DE",
    "schweiz": "CH", "österreich": "AT", "czech republic": "CZ", "turkey": "TR",
    "vienna": "AT", "berlin": "DE", "london": "GB", "paris": "FR", "amsterdam": "NL",
}  # fmt: skip
"""Other names, and cities that stand for their country."""
_PATTERN = (
    r"\b(austria|germany|switzerland|france|italy|spain|portugal|belgium|holland|luxembourg"
    r"|(?:the )?netherlands|denmark|sweden|norway|finland|iceland|ireland|(?:the )?united kingdom"
    r"|(?:the )?uk|great britain|england|scotland|wales|poland|czechia|czech republic|slovakia"
    r"|hungary|romania|bulgaria|greece|croatia|slovenia|estonia|latvia|lithuania|cyprus|malta"
    r"|(?:the )?united states|(?:the )?usa|(?-i:(?:the )?US)|america|canada|mexico|brazil"
    r"|argentina|australia|new zealand|japan|south korea|china|india|singapore|south africa"
    r"|türkiye|turkey|ukraine|israel|united arab emirates|vienna|berlin|london|paris|amsterdam)\b"
)


def read_country(value: object) -> object:
    """Return the code of a country that is named in words or by its code.

    Raises:
        ValueError: we know no such country.
    """
    if not isinstance(value, str) or not value.strip():
        return value
    words = value.strip().lower().removeprefix("the ")
    by_name = {name.lower(): code for code, name in NAMES.items()} | _ALIASES | {"us": "US"}
    if words in by_name:
        return by_name[words]
    if words.upper() in NAMES:
        return words.upper()
    raise ValueError(f"I know no country called {value.strip()[:40]}")


def country_name(code: str) -> str:
    """Return a country's English name; the code itself when it is not known."""
    return NAMES.get(code, code)


Country = Annotated[
    str,
    BeforeValidator(read_country),
    argument(
        "country",
        "Which country?",
        description="A country by its English name or its two-letter code.",
        pattern=_PATTERN,
        max_length=60,
    ),
]
"""A country; what reaches the tool is its ISO 3166 code, or an empty text."""
