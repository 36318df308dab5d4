"""Find what the shop sells by the words people use for it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

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
    kept = or_(Item.sellable, Item.component) if parts else Item.sellable
    query = select(Item).where(kept).options(joinedload(Item.product)).order_by(Item.sku)
    if active_only:
        query = query.where(Item.status == ItemStatus.ACTIVE)
    items = list(session.scalars(query))
    exact = [i for i in items if words.strip().upper() in {i.sku.upper(), (i.variant_of or "")}]
    if exact:
        return _grouped(exact)
    wanted = [word for word in tokens(words) if word not in _STOP] or tokens(words)
    scores = [(_score(wanted, item), item) for item in items]
    best = max((score for score, _ in scores), default=0.0)
    if best < _LEAST:
        return []
    return _grouped([item for score, item in scores if score >= best - _TIE], wanted)


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


def _singular(word: str) -> str:
    plural = len(word) > _SHORT and word.endswith("s") and not word.endswith("ss")
    return word[:-1] if plural else word


def _score(wanted: Sequence[str], item: Item) -> float:
    """Return how well an item fits: the words it has, then how much of its name they are."""
    name = tokens(item.product.title if item.product else item.title)
    options = [token for value in item.options.values() for token in tokens(str(value))]
    others = [*tokens(item.category), *tokens(item.sku)]
    hits_name = [word for word in wanted if _in(word, name)]
    hits_option = [word for word in wanted if word not in hits_name and _in(word, options)]
    hits_other = [w for w in wanted if w not in (*hits_name, *hits_option) and _in(w, others)]
    if not hits_name and not hits_other:
        return 0.0
    found = len(hits_name) + 0.9 * len(hits_option) + 0.6 * len(hits_other)
    return found / len(wanted) + 0.2 * len(hits_name) / len(name)


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
