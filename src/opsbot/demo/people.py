"""Who buys at the sample shop. Names are invented; addresses end in example.com or example.net."""

from datetime import timedelta
from typing import Any

from opsbot.commerce.customers import Address, Customer, CustomerKind
from opsbot.commerce.numbers import NumberKind, written_number
from opsbot.demo.world import Person, World

PEOPLE = 400

_PLACES: dict[str, list[tuple[str, str]]] = {
    "DE": [("Hamburg", "20357"), ("München", "80469"), ("Köln", "50674"), ("Leipzig", "04109")],
    "AT": [("Wien", "1070"), ("Graz", "8010")],
    "FR": [("Paris", "75011"), ("Nantes", "44000")],
    "NL": [("Utrecht", "3511 LX"), ("Haarlem", "2011 AB")],
    "BE": [("Gent", "9000")],
    "DK": [("Aarhus", "8000")],
    "IT": [("Bologna", "40121")],
    "GB": [("Bristol", "BS1 4QA"), ("Leeds", "LS1 5PJ")],
    "CH": [("Bern", "3011")],
    "NO": [("Bergen", "5003")],
    "US": [("Portland", "97205"), ("Austin", "78701")],
}
_SHARES = {
    "DE": 46,
    "AT": 9,
    "FR": 9,
    "NL": 8,
    "BE": 4,
    "DK": 4,
    "IT": 4,
    "GB": 7,
    "CH": 3,
    "NO": 3,
    "US": 3,
}
_STREETS = {
    "DE": "Gartenstraße {}",
    "AT": "Lindengasse {}",
    "FR": "{} rue des Lilas",
    "NL": "Molenweg {}",
    "BE": "Kerkstraat {}",
    "DK": "Skovvej {}",
    "IT": "Via dei Tigli {}",
    "GB": "{} Mill Lane",
    "CH": "Kirchgasse {}",
    "NO": "Fjordgata {}",
    "US": "{} Maple Street",
}
_REGIONS = {"Portland": "OR", "Austin": "TX"}
_FIRST = [
    "Alma",
    "Bruno",
    "Carla",
    "David",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jakob",
    "Karim",
    "Lena",
    "Milan",
    "Nora",
    "Oskar",
    "Paula",
    "Quentin",
    "Rosa",
    "Samir",
    "Thea",
    "Umar",
    "Vera",
    "Willem",
    "Xenia",
    "Yann",
    "Zoe",
    "Anton",
    "Birgit",
    "Cem",
    "Dalia",
]
_LAST = [
    "Abel",
    "Becker",
    "Costa",
    "Dietz",
    "Ernst",
    "Fuchs",
    "Garnier",
    "Haas",
    "Iversen",
    "Janssen",
    "Keller",
    "Lindt",
    "Moreau",
    "Nowak",
    "Olsen",
    "Peters",
    "Quist",
    "Richter",
    "Santos",
    "Thoma",
    "Ulrich",
    "Vogel",
    "Weber",
    "Young",
    "Zeller",
    "Bauer",
    "Conti",
    "Dahl",
]
_FIRMS = ("Studio", "Café", "Hotel", "Kontor", "Interiors")


def add_people(world: World) -> None:
    """Add the shop's customers but those of the stories, who are there already."""
    first = len(world.people) + 1
    for key in range(first, first + PEOPLE):
        _add_person(world, key)


def _add_person(world: World, key: int) -> None:
    random = world.random
    first, last = random.choice(_FIRST), random.choice(_LAST)
    country = random.choices(list(_SHARES), weights=list(_SHARES.values()))[0]
    business = world.chance(0.08)
    new = world.chance(0.4)
    days = random.uniform(0, 350) if new else -random.uniform(1, 300)
    host = "example.net" if world.chance(0.3) else "example.com"
    add_customer(
        world,
        number=key + 1000,
        name=f"{first} {last}",
        email=f"{first}.{last}.{key}@{host}".lower(),
        since_days=days,
        company=f"{random.choice(_FIRMS)} {last}" if business else None,
        weight=1 / (1 + key % 40) ** 0.6,
        place=_place(world, country),
        opted_out=world.chance(0.03),
    )


def _place(world: World, country: str) -> dict[str, Any]:
    city, postal_code = world.random.choice(_PLACES[country])
    return {
        "line1": _STREETS[country].format(world.random.randint(1, 140)),
        "line2": None,
        "city": city,
        "region": _REGIONS.get(city),
        "postal_code": postal_code,
        "country": country,
    }


def add_customer(
    world: World,
    *,
    number: int,
    name: str,
    email: str,
    since_days: float,
    company: str | None,
    weight: float,
    place: dict[str, Any],
    opted_out: bool = False,
) -> Person:
    """Add one customer with an address.

    Args:
        world: what it is added to.
        number: 1001 for `C-1001`.
        name: first and last name.
        email: lower case.
        since_days: days from the start of the recorded year.
        company: of a business customer.
        weight: how often they buy.
        place: line1, line2, city, region, postal_code, country.
        opted_out: they want no surveys.
    """
    since = world.start + timedelta(days=since_days)
    key = world.add(
        Customer,
        number=written_number(NumberKind.CUSTOMER, number),
        email=email,
        name=name,
        phone=None,
        kind=CustomerKind.BUSINESS if company else CustomerKind.CONSUMER,
        company=company,
        locale="de" if place["country"] in {"DE", "AT", "CH"} and weight < 1 else "en",
        country=place["country"],
        survey_opt_out_at=since if opted_out else None,
        created_at=since,
    )
    world.add(Address, customer_id=key, name=name, is_default=True, **place)
    person = Person(
        id=key,
        name=name,
        business=company is not None,
        since=since,
        weight=weight,
        ship_to={"name": name, **place},
    )
    world.people.append(person)
    return person
