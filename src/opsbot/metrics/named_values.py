"""Which part of the records words name: a country, a carrier, a channel, goods, a supplier."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from babel import Locale
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from opsbot.commerce.cases import CaseKind
from opsbot.commerce.inventory import Location
from opsbot.commerce.orders import SalesChannel
from opsbot.commerce.production import WorkCenter
from opsbot.commerce.products import Item
from opsbot.commerce.purchasing import Supplier
from opsbot.commerce.quality import InspectionStage
from opsbot.commerce.returns import ReturnReason
from opsbot.commerce.shipments import Shipment
from opsbot.metrics.flow import STAGES
from opsbot.metrics.grouping import Dimension
from opsbot.metrics.points import PENDING, USABLE

ORDER = (
    (Dimension.CARRIER, Dimension.SERVICE),
    (Dimension.CHANNEL,),
    (Dimension.SUPPLIER,),
    (Dimension.COUNTRY,),
    (Dimension.LOCATION,),
    (Dimension.CENTER,),
    (Dimension.REASON,),
    (Dimension.STAGE,),
    (Dimension.KIND,),
    (Dimension.CATEGORY, Dimension.PRODUCT, Dimension.ITEM),
)
"""A word names a value of the first of these; of several dimensions, the one with most words."""
BY_ONE_WORD = frozenset(
    {
        Dimension.CHANNEL,
        Dimension.SUPPLIER,
        Dimension.LOCATION,
        Dimension.CENTER,
        Dimension.PRODUCT,
    }
)
"""Dimensions whose values one word names, if no other value has it."""
SHORTEST = 4
"""Letters of such a word."""
_ALSO = {"uk": "GB", "england": "GB", "britain": "GB", "usa": "US", "america": "US"}

Values = Sequence[tuple[str, str]]
"""Code and label."""


def find_values(
    session: Session, words: str, dimensions: Sequence[Dimension], *, locale: str
) -> dict[Dimension, dict[str, str]]:
    """Return codes and names of what words name, by dimension; several of one mean any of them.

    Args:
        session: a session to read in.
        words: as people say it: "DHL to Austria", "the marketplace", "AT, DHL".
        dimensions: which ones may be named.
        locale: in whose language countries are named; English ones are always known.
    """
    left = list(_tokens(words))
    found: dict[Dimension, dict[str, str]] = {}
    for group in ORDER:
        choices = []
        for dimension in (one for one in group if one in dimensions and left):
            values = _values(session, dimension, locale)
            codes = re.findall(r"\b[A-Z]{2}\b", words) if dimension is Dimension.COUNTRY else ()
            if named := _named(left, values, dimension, codes):
                choices.append((dimension, dict(reversed(values)), named))
        if choices:
            dimension, labels, named = max(choices, key=lambda one: max(map(len, one[2].values())))
            found[dimension] = {code: labels[code] for code in named}
            used = frozenset[str]().union(*named.values())
            left = [token for token in left if token not in used]
    return found


def _named(
    said: Sequence[str], values: Values, dimension: Dimension, codes: Sequence[str]
) -> dict[str, frozenset[str]]:
    """Return the codes that are named, each with the words that name it.

    All words of a name do, two of its words do, and one that no other name has. Codes of countries
    are words of English too, so only those written in capitals count.
    """
    country = dimension is Dimension.COUNTRY
    names = [
        (code, set(_tokens(label)), set() if country else set(_tokens(code)))
        for code, label in values
    ]
    spread = Counter(token for _, label, _ in names for token in label)
    hits: dict[str, frozenset[str]] = {}
    for code, label, digits in names:
        met = {token for token in said if token in label | digits}
        one = dimension in BY_ONE_WORD
        alone = any(one and len(t) >= SHORTEST and spread[t] == 1 for t in met)
        whole = label <= met or (bool(digits) and digits <= met)
        if met and (whole or len(met) > 1 or alone):
            hits[code] = frozenset(met) | hits.get(code, frozenset())
        elif code in codes:
            hits[code] = frozenset({code.casefold()})
    # "tote bag" names the tote bag, not each bag; "DHL and GLS" names both.
    return {
        code: met for code, met in hits.items() if not any(met < other for other in hits.values())
    }


def _values(session: Session, dimension: Dimension, locale: str) -> Values:
    if dimension is Dimension.COUNTRY:
        return _countries(locale)
    fixed: Mapping[Dimension, Sequence[str]] = {
        Dimension.REASON: [str(reason) for reason in ReturnReason],
        Dimension.STAGE: STAGES,
        Dimension.KIND: [str(kind) for kind in (*InspectionStage, *CaseKind, USABLE, PENDING)],
    }
    if dimension in fixed:
        return [(code, code.replace("_", " ")) for code in fixed[dimension]]
    return [(str(row[0]), str(row[1])) for row in session.execute(_listed(dimension))]


def _listed(dimension: Dimension) -> Select[Any, Any]:
    service = Shipment.carrier + " " + Shipment.service
    sold = select(Item.sku, Item.title).order_by(Item.sku)
    known: Mapping[Dimension, Select[Any, Any]] = {
        Dimension.CARRIER: select(Shipment.carrier, Shipment.carrier).distinct(),
        Dimension.SERVICE: select(service, service).distinct(),
        Dimension.CHANNEL: select(SalesChannel.code, SalesChannel.name),
        Dimension.SUPPLIER: select(Supplier.name, Supplier.name),
        Dimension.LOCATION: select(Location.code, Location.name),
        Dimension.CENTER: select(WorkCenter.code, WorkCenter.name),
        Dimension.CATEGORY: select(Item.category, Item.category).distinct(),
        Dimension.PRODUCT: sold.where(Item.variant_of.is_(None)),
        Dimension.ITEM: sold.where(Item.variant_of.is_not(None)),
    }
    return known[dimension]


def _countries(locale: str) -> Values:
    spoken = Locale.parse(locale).territories
    english = Locale.parse("en").territories
    known = [str(code) for code in english if re.fullmatch(r"[A-Z]{2}", str(code))]
    names = [(code, str(one[code])) for one in (spoken, english) for code in known if code in one]
    return [*names, *((code, word) for word, code in _ALSO.items())]


def _tokens(text: str) -> Iterator[str]:
    """Yield the words of a text in small letters, without a plural s."""
    for word in re.findall(r"\w+", text.casefold()):
        yield word[:-1] if len(word) >= SHORTEST and word.endswith("s") else word
