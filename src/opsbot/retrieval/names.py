"""What the shop's products are called: by number, by title, by the one word people use.

The names come from the catalogue and from the articles' front matter. "Halo" is a name because the
articles write it with a capital in mid-sentence and without the rest of its title; "travel" of
"Travel mug" is not.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce.products import Item
from opsbot.retrieval.models import ArticleRow, ArticleStatus

PART = "/"
"""Parts product, model and revision in a key: `LL-LMP-01/HL-2/SW 3.1`."""
_INTRODUCTION = 2_000
"""Characters of an article that are looked at for names."""
_READ_FOR_EACH = 3
"""Articles that are looked at for each product."""
_TAIL = re.compile(r"\s(?:for|of|with|from|in)\s", re.IGNORECASE)
_WORD = re.compile(r"[\w'-]+")
_SHORTEST = 3
_MANUAL = re.compile(
    r"[\s:,(-]*\b(?:assembly and manual|user manual|service manual|installation guide|manual"
    r"|quick guide|user guide|guide|instructions|handbook|data sheet)\b.*$",
    re.IGNORECASE,
)
"""What the title of an article says beside the product's name."""


@dataclass(frozen=True)
class Named:
    """A product of the shop."""

    key: str
    title: str
    kind: str
    """Category in the catalogue; empty when it is not there."""
    noun: str
    """What it is: the last word of its name, "lamp"."""


@dataclass(frozen=True)
class NameBook:
    """The products by what they are called. It does not change; read a new one instead."""

    products: Mapping[str, Named] = field(default_factory=dict)
    """By item number."""
    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each item number, the keys of articles about it: itself, its models, its revisions."""
    phrases: Mapping[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    """Item numbers by what means them alone, in lower case, word by word."""
    firsts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Item numbers by the first word of their title, where no other title begins with it. Such a
    word may be a common one: it means the product in "the orbit?" and "orbit kettle" alone."""
    nouns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Item numbers by what they are, in the singular."""
    variants: Mapping[str, str] = field(default_factory=dict)
    """Item number of the product by that of its variant."""

    def title(self, key: str) -> str:
        """Return the words for a key: the title of its product, then model and revision."""
        number, *more = key.split(PART)
        named = self.products.get(number)
        return ", ".join([named.title if named else number, *filter(None, more)])

    def of_kind(self, number: str) -> frozenset[str]:
        """Return the products of the same kind: those of its category, or called by its noun."""
        one = self.products.get(number)
        if one is None:
            return frozenset({number})
        alike = {
            other.key
            for other in self.products.values()
            if (one.kind and other.kind == one.kind) or other.noun == one.noun
        }
        return frozenset(alike)


def plain_words(text: str) -> list[str]:
    """Return the words of a text in lower case and in the singular."""
    return [singular(word.lower()) for word in _WORD.findall(text)]


def singular(word: str) -> str:
    """Return a word without the s of a plural or a possessive."""
    word = word.removesuffix("'s")
    is_plural = len(word) > _SHORTEST and word.endswith("s") and not word.endswith(("ss", "us"))
    return word[:-1] if is_plural else word


def read_names(session: Session) -> NameBook:
    """Return the names of all products as the session sees them."""
    items = list(
        session.execute(
            select(Item.sku, Item.title, Item.variant_of, Item.category).order_by(Item.sku)
        )
    )
    articles = _read_articles(session)
    products = {
        row.sku: _name(row.sku, row.title, row.category) for row in items if row.variant_of is None
    }
    for number, title in _titles_of_articles(articles):
        products.setdefault(number, _name(number, title, ""))
    texts = _read_texts(session, articles, products)
    return NameBook(
        products,
        _gather_keys(products, (key for article in articles for key in article.keys)),
        dict(_find_phrases(products, texts)),
        dict(_find_firsts(products)),
        _gather((named.noun, named.key) for named in products.values()),
        {row.sku: row.variant_of for row in items if row.variant_of is not None},
    )


@dataclass(frozen=True)
class _Article:
    id: int
    title: str
    keys: tuple[str, ...]


def _read_articles(session: Session) -> list[_Article]:
    query = (
        select(ArticleRow.id, ArticleRow.title, ArticleRow.products)
        .where(ArticleRow.status == ArticleStatus.READABLE)
        .order_by(ArticleRow.path)
    )
    return [
        _Article(row.id, row.title, tuple(row.products))
        for row in session.execute(query)
        if row.products
    ]


def _titles_of_articles(articles: Iterable[_Article]) -> Iterator[tuple[str, str]]:
    """Yield item numbers with the names that titles give: of "Halo desk lamp manual", the first.

    A manual names the parts of its product behind it. Other articles name a product when they are
    about it alone.
    """
    for article in sorted(articles, key=lambda article: len(article.keys)):
        numbers = [key.split(PART)[0] for key in article.keys]
        name = _MANUAL.sub("", article.title).strip()
        if name and (name != article.title.strip() or len(set(numbers)) == 1):
            yield numbers[0], name


def _read_texts(
    session: Session, articles: Sequence[_Article], products: Mapping[str, Named]
) -> list[str]:
    """Return titles, and the beginnings of a few articles about each product."""
    left = dict.fromkeys(products, _READ_FOR_EACH)
    chosen = list[int]()
    for article in articles:
        number = article.keys[0].split(PART)[0]
        if left.get(number, 0) > 0:
            left[number] -= 1
            chosen.append(article.id)
    beginning = func.substr(ArticleRow.text, 1, _INTRODUCTION)
    texts = [*(named.title for named in products.values()), *(a.title for a in articles)]
    for start in range(0, len(chosen), 500):
        some = chosen[start : start + 500]
        texts += session.scalars(select(beginning).where(ArticleRow.id.in_(some)))
    return texts


def _name(number: str, title: str, kind: str) -> Named:
    head = _TAIL.split(title, maxsplit=1)[0]
    words = [word for word in plain_words(head) if len(word) > 1 and not word.isdigit()]
    return Named(number, title, kind, words[-1] if words else "")


def _gather(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found = defaultdict[str, set[str]](set)
    for name, key in pairs:
        found[name].add(key)
    return {name: frozenset(keys) for name, keys in found.items() if name}


def _gather_keys(products: Iterable[str], keys: Iterable[str]) -> dict[str, frozenset[str]]:
    own = ((number, number) for number in products)
    return _gather([*own, *((key.split(PART)[0], key) for key in keys)])


def _find_phrases(
    products: Mapping[str, Named], texts: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], frozenset[str]]]:
    """Yield what means one product alone: titles, two words of one, and names of one word."""
    found = defaultdict[tuple[str, ...], set[str]](set)
    firsts = defaultdict[str, set[str]](set)
    for named in products.values():
        words = plain_words(named.title)
        head = plain_words(_TAIL.split(named.title, maxsplit=1)[0])
        for phrase in (tuple(words), *filter(_tells, pairwise(head))):
            found[phrase].add(named.key)
        if head:
            firsts[head[0]].add(named.key)
    for phrase, keys in found.items():
        if len(keys) == 1 and len(phrase) > 1:
            yield phrase, frozenset(keys)
    together = "\n".join(texts)
    for first, keys in firsts.items():
        if len(keys) == 1 and _stands_alone(products[next(iter(keys))].title, together):
            yield (first,), frozenset(keys)


def _find_firsts(products: Mapping[str, Named]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the first words of titles that only one product's begins with."""
    words = ((plain_words(named.title)[:1], named.key) for named in products.values())
    for first, keys in _gather((first[0], key) for first, key in words if first).items():
        if len(keys) == 1 and len(first) >= _SHORTEST:
            yield first, keys


def _tells(phrase: Sequence[str]) -> bool:
    return all(len(word) > 1 and not word.isdigit() for word in phrase)


def _stands_alone(title: str, text: str) -> bool:
    """Tell whether the first word of a title is used as a name of its own."""
    words = _WORD.findall(title)
    first, rest = words[0], words[1:2]
    if len(first) < _SHORTEST or not first.istitle():
        return False
    if not rest:
        return True
    behind = rf"(?![\s-]+{re.escape(rest[0])})"
    alone = len(re.findall(rf"(?<=[\w,;)] )\b{re.escape(first)}\b{behind}", text))
    common = len(re.findall(rf"\b{re.escape(first.lower())}\b", text))
    return alone > common
