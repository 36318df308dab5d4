"""Places and single items that staff name when they change stock."""

from typing import Annotated

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.inventory import Location, LocationKind
from opsbot.commerce.products import Item
from opsbot.errors import AmbiguousError, InvalidInputError, NotFoundError
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.catalogue import tokens
from opsbot.toolkit.named_items import find_items

_SPOT = (
    r"((?:[\w'-]+ ){0,2}?(?:warehouse|store|shop|shelf|shelves|quarantine|bench|pop-?up|depot)"
    r"(?: (?-i:[A-Z][\w-]+))?)"
)
_KINDS = {
    "shop": LocationKind.STORE,
    "shelf": LocationKind.STORE,
    "shelve": LocationKind.STORE,
    "depot": LocationKind.WAREHOUSE,
    "bench": LocationKind.RETURNS,
}
_MOST_CHOICES = 8

StockPlace = Annotated[
    str,
    argument(
        "place",
        "At which place?",
        description="Where the goods are, by the place's name or code; empty: the warehouse.",
        pattern=rf"\b(?:at|in|on) (?:the |our )?{_SPOT}\b",
        max_length=80,
    ),
]
FromPlace = Annotated[
    str,
    argument(
        "source_place",
        "From which place?",
        description="Where the goods come from; empty: the warehouse.",
        pattern=rf"\bfrom (?:the |our )?{_SPOT}\b",
        max_length=80,
    ),
]
ToPlace = Annotated[
    str,
    argument(
        "target_place",
        "To which place?",
        description="Where the goods go.",
        pattern=rf"\b(?:to|into|in) (?:the |our )?{_SPOT}\b",
        min_length=2,
        max_length=80,
    ),
]
OneItem = Annotated[
    str,
    argument(
        "item",
        "Which item? Its title or its number.",
        description="One item or material by title with its variant, or by item number (SKU).",
        min_length=2,
        max_length=120,
    ),
]
Units = Annotated[
    int,
    argument(
        "quantity",
        "How many?",
        description="How many stock units: pieces, grams, millimetres.",
        ge=1,
        le=1_000_000,
    ),
]


def find_place(session: Session, words: str) -> Location:
    """Return the place that words name; without words the first warehouse.

    Raises:
        NotFoundError: there is none.
        AmbiguousError: several are called so; with their names.
    """
    places = list(session.scalars(select(Location).order_by(Location.id)))
    if not words.strip():
        return main_place(places)
    plain = words.strip().casefold()
    for place in places:
        if plain in {place.code.casefold(), place.name.casefold()}:
            return place
    said = set(tokens(words))
    hits = {place.id: len(said & _called(place)) for place in places}
    best = max(hits.values(), default=0)
    found = [place for place in places if best and hits[place.id] == best]
    if not found:
        raise NotFoundError("a place called", words.strip()[:60])
    if len(found) > 1:
        names = [place.name for place in found[:_MOST_CHOICES]]
        raise AmbiguousError("Which place do you mean?", candidates=names)
    return found[0]


def main_place(places: list[Location]) -> Location:
    """Return the place that goods come to and leave from, where nobody names another.

    Raises:
        InvalidInputError: the shop has no place that sells.
    """
    selling = [place for place in places if place.sellable]
    if not selling:
        raise InvalidInputError("There is no place yet that stock could be kept at.")
    return next((p for p in selling if p.kind is LocationKind.WAREHOUSE), selling[0])


def place_of_kind(session: Session, kind: LocationKind) -> Location:
    """Return the first place of a kind, such as the quarantine.

    Raises:
        NotFoundError: the shop has none.
    """
    found = session.scalar(select(Location).where(Location.kind == kind).order_by(Location.id))
    if found is None:
        raise NotFoundError("a place for", kind.value.replace("_", " "))
    return found


def find_one_item(session: Session, words: str, *, parts: bool = True) -> Item:
    """Return the one item that words name: something sold, or a material.

    Raises:
        NotFoundError: nothing is called so.
        AmbiguousError: several are; with their titles.
    """
    found = find_items(session, words, parts=parts).items
    if len(found) > 1:
        titles = [item.title for item in found[:_MOST_CHOICES]]
        raise AmbiguousError("Which one do you mean?", candidates=titles)
    return found[0]


def find_optional_item(session: Session, words: str) -> Item | None:
    """Return the one item that words name; None where they name none at all.

    Raises:
        AmbiguousError: several are called so.
    """
    try:
        return find_one_item(session, words) if words.strip() else None
    except NotFoundError:
        return None


def _called(place: Location) -> set[str]:
    kinds = {word for word, kind in _KINDS.items() if kind is place.kind}
    return {*tokens(place.name), *tokens(place.code), place.kind.value, *kinds}
