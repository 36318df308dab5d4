"""Find what the shop sells by the words people use for it."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz
from sqlalchemy import Executable, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from opsbot.commerce.products import Item, ItemStatus
from opsbot.errors import AmbiguousError, NotFoundError

_LIKE = 84.0
"""Similarity, 0 to 100, from which two words are the same one with a slip."""
_TIE = 0.02
_LEAST = 0.35
"""How well words must fit a name: one of three does, a mere category among two does not."""
_MOST_CHOICES = 8
_SHORT = 3
"""Letters of a word that allows no slip."""
_STOP = frozenset(
    re.findall(
        r"\w+",
        "a an the any some do does you your have has is are there in on of for with and or to me "
        "my it stock available availability still left sell get buy one ones how much many "
        "what which cost price i want would like please size colour color",
    )
)


@dataclass(frozen=True)
class Product:
    """A product, and those of its variants that words mean: all, unless they name an option."""

    title: str
    sku: str
    """Of the product; of the item itself when it has no variants."""
    variants: tuple[Item, ...]
    """What is sold: one item at least."""
    unmatched: tuple[str, ...] = ()
    """The words that nothing of the product is called by: "vegan" of "vegan tote"."""


class _Name(NamedTuple):
    """What one item is called by."""

    sku: str
    variant_of: str | None
    title: str
    """Of the product."""
    options: dict[str, str]
    category: str


class _Called(NamedTuple):
    """The words of one item's name."""

    name: frozenset[str]
    words: int
    """Of the name, each time it stands there."""
    options: frozenset[str]
    others: frozenset[str]
    """Of its category and its number."""

    @property
    def all(self) -> frozenset[str]:
        """Every word it is called by."""
        return self.name | self.options | self.others


def find_products(
    session: Session, words: str, *, active_only: bool = True, parts: bool = False
) -> list[Product]:
    """Return the products that fit words best; empty when none does.

    Args:
        session: an open session.
        words: such as "ember lamp in sage", "moss mugs", "LL-MUG-01-MOS".
        active_only: leave out what is not sold any more.
        parts: find materials too, that are not sold.
    """
    names = _names(session, active_only=active_only, parts=parts)
    key = words.strip().upper()
    if exact := [name.sku for name in names if key in {name.sku.upper(), name.variant_of or ""}]:
        return _grouped(_items(session, exact))
    wanted = [word for word in tokens(words) if word not in _STOP] or tokens(words)
    called = [_called(name) for name in names]
    alike = _alike(wanted, frozenset().union(*(one.all for one in called)))
    scores = [
        (_score(wanted, one, alike), name.sku) for one, name in zip(called, names, strict=True)
    ]
    best = max((score for score, _ in scores), default=0.0)
    if best < _LEAST:
        return []
    return _grouped(_items(session, [s for score, s in scores if score >= best - _TIE]), wanted)


def find_product(session: Session, words: str, *, active_only: bool = True) -> Product:
    """Return the one product that is meant.

    Raises:
        NotFoundError: nothing the shop sells fits.
        AmbiguousError: several products fit; with their titles.
    """
    found = find_products(session, words, active_only=active_only)
    if not found:
        raise NotFoundError("a product called", words.strip()[:60])
    if len(found) > 1:
        raise AmbiguousError(
            "Which product do you mean?",
            candidates=[product.title for product in found[:_MOST_CHOICES]],
        )
    return found[0]


def tokens(text: str) -> list[str]:
    """Return the words of a text in lower case, without a plural s."""
    plain = "".join(c if c.isalnum() else " " for c in text.casefold())
    return [_singular(word) for word in plain.split()]


def _names(session: Session, *, active_only: bool, parts: bool) -> list[_Name]:
    """Return what everything is called: columns, since most of it is only looked at."""
    query = _names_query(active_only=active_only, parts=parts)
    return [_Name(*row) for row in session.execute(query)]


@cache  # putting it together takes longer than running it
def _names_query(*, active_only: bool, parts: bool) -> Executable:
    product = aliased(Item)
    title = func.coalesce(product.title, Item.title)
    kept = or_(Item.sellable, Item.component) if parts else Item.sellable
    query = (
        select(Item.sku, Item.variant_of, title, Item.options, Item.category)
        .outerjoin(product, product.sku == Item.variant_of)
        .where(kept)
        .order_by(Item.sku)
    )
    return query.where(Item.status == ItemStatus.ACTIVE) if active_only else query


def _items(session: Session, skus: Sequence[str]) -> list[Item]:
    found = select(Item).where(Item.sku.in_(skus)).options(joinedload(Item.product))
    return list(session.scalars(found.order_by(Item.sku)))


def _singular(word: str) -> str:
    plural = len(word) > _SHORT and word.endswith("s") and not word.endswith("ss")
    return word[:-1] if plural else word


def _called(item: _Name) -> _Called:
    options = " ".join(str(value) for value in item.options.values())
    return _read_name(item.title, options, f"{item.category} {item.sku}")


@lru_cache(maxsize=10_000)  # one for each item; a name that is changed is another one
def _read_name(title: str, options: str, others: str) -> _Called:
    name = tokens(title)
    return _Called(
        frozenset(name), len(name), frozenset(tokens(options)), frozenset(tokens(others))
    )


def _alike(wanted: Sequence[str], names: Collection[str]) -> dict[str, frozenset[str]]:
    """Return, for each word, the names that it may be."""
    return {word: frozenset(name for name in names if _in(word, (name,))) for word in wanted}


def _score(wanted: Sequence[str], item: _Called, alike: Mapping[str, frozenset[str]]) -> float:
    """Return how well an item fits: the words it has, then how much of its name they are."""
    hits_name, hits_option, hits_other = 0, 0, 0
    for word in wanted:
        if not alike[word].isdisjoint(item.name):
            hits_name += 1
        elif not alike[word].isdisjoint(item.options):
            hits_option += 1
        elif not alike[word].isdisjoint(item.others):
            hits_other += 1
    if not hits_name and not hits_other:
        return 0.0
    found = hits_name + 0.9 * hits_option + 0.6 * hits_other
    return found / len(wanted) + 0.2 * hits_name / item.words


def _in(word: str, names: Sequence[str]) -> bool:
    if word in names:
        return True
    return len(word) > _SHORT and any(fuzz.ratio(word, name) >= _LIKE for name in names)


def _grouped(items: Sequence[Item], wanted: Sequence[str] = ()) -> list[Product]:
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(item.variant_of or item.sku, []).append(item)
    return [
        Product(_title(group[0]), sku, tuple(group), _unmatched(wanted, group))
        for sku, group in groups.items()
    ]


def _unmatched(wanted: Sequence[str], variants: Sequence[Item]) -> tuple[str, ...]:
    known = [
        token
        for item in variants
        for text in (_title(item), item.title, item.category, item.sku, *item.options.values())
        for token in tokens(str(text))
    ]
    return tuple(word for word in wanted if not _in(word, known))


def _title(item: Item) -> str:
    return item.product.title if item.product else item.title
