"""The help centre: the shop's public articles, to browse, to search and to read."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from opsbot.channels.dependencies import STAFF_COOKIE, ServicesDep
from opsbot.channels.identity import find_member, verify_staff
from opsbot.channels.markdown import render_article
from opsbot.channels.pages import PageRoute, PagesDep
from opsbot.channels.services import Services
from opsbot.errors import NotAllowedError
from opsbot.retrieval.hits import Hit
from opsbot.retrieval.knowledge import ArticleSummary
from opsbot.retrieval.shelf import Reader
from opsbot.retrieval.structure import to_plain

LONGEST_QUERY = 200
MOST_HITS, MOST_FROM_ONE_ARTICLE = 20, 2
SNIPPET = 220
"""Characters of a passage that a result shows."""
MOST_HEADINGS_SHOWN = 2
"""Deepest level of headings below the title that "On this page" lists."""

_TOPICS = {
    "manuals": "Using and caring for products",
    "faqs": "Orders, delivery and payment",
    "troubleshooting": "When something does not work",
    "policies": "Our rules",
}

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class Topic:
    """The articles of one folder."""

    name: str
    articles: Sequence[ArticleSummary]


@dataclass(frozen=True)
class Piece:
    """A part of a snippet."""

    text: str
    marked: bool
    """It is a word that was searched for."""


@dataclass(frozen=True)
class Found:
    """One search result."""

    title: str
    url: str
    pieces: Sequence[Piece]


@router.get("/help")
def get_help(request: Request, services: ServicesDep, pages: PagesDep) -> Response:
    """Show the topics."""
    articles = services.knowledge.list_articles(audience=_reader(request, services))
    return pages.render(request, "help/home.html", topics=_by_topic(articles), query="")


@router.get("/help/search")
def get_search(request: Request, services: ServicesDep, pages: PagesDep, q: str = "") -> Response:
    """Show the articles that fit a question."""
    query = " ".join(q[:LONGEST_QUERY].split())
    hits = _search(services, query, _reader(request, services)) if query else []
    return pages.render(
        request, "help/search.html", query=query, results=[_describe(hit, query) for hit in hits]
    )


@router.get("/help/{slug}")
def get_article(request: Request, slug: str, services: ServicesDep, pages: PagesDep) -> Response:
    """Show one article. Its headings are where citations lead."""
    reader = _reader(request, services)
    article = services.knowledge.article(slug, audience=reader)
    top = min((heading.level for heading in article.headings), default=1)
    return pages.render(
        request,
        "help/article.html",
        article=article,
        topic=_topic_of(article),
        html=render_article(article.text, [heading.anchor for heading in article.headings]),
        contents=[
            (heading, heading.level - top)
            for heading in article.headings
            if heading.level - top < MOST_HEADINGS_SHOWN
        ],
        related=_related(services.knowledge.list_articles(audience=reader), article),
        query="",
    )


def _reader(request: Request, services: Services) -> Reader:
    """Tell whether staff read: they also see what is written for them alone."""
    try:
        session = verify_staff(services.settings, request.cookies.get(STAFF_COOKIE, ""))
    except NotAllowedError:
        return "customer"
    return "customer" if find_member(services.database, session) is None else "staff"


def _topic_of(article: ArticleSummary) -> str:
    folder = article.path.partition("/")[0]
    return _TOPICS.get(folder, "More")


def _by_topic(articles: Sequence[ArticleSummary]) -> list[Topic]:
    names = [*_TOPICS.values(), "More"]
    grouped = {name: [a for a in articles if _topic_of(a) == name] for name in names}
    return [
        Topic(name, sorted(found, key=lambda article: article.title))
        for name, found in grouped.items()
        if found
    ]


def _related(articles: Sequence[ArticleSummary], to: ArticleSummary) -> list[ArticleSummary]:
    """Return up to four articles about the same products, or else of the same topic."""
    others = [article for article in articles if article.slug != to.slug]
    close = [a for a in others if set(a.products) & set(to.products)]
    near = [a for a in others if a not in close and _topic_of(a) == _topic_of(to)]
    return [*close, *near][:4]


def _search(services: Services, query: str, reader: Reader) -> list[Hit]:
    """Return the hits worth showing: one for each heading, and few from each article."""
    hits = services.knowledge.search(query, audience=reader, top_k=MOST_HITS)
    if not services.knowledge.knows(hits):
        return []
    shown: dict[str, Hit] = {}
    from_article: Counter[str] = Counter()
    for hit in hits:
        if hit.url not in shown and from_article[hit.path] < MOST_FROM_ONE_ARTICLE:
            shown[hit.url] = hit
            from_article[hit.path] += 1
    return list(shown.values())


def _describe(hit: Hit, query: str) -> Found:
    title = hit.title if hit.heading == hit.title else f"{hit.title}: {hit.heading}"
    text = " ".join(to_plain(hit.text).replace(" | ", " · ").split())
    if len(text) > SNIPPET:
        text = text[:SNIPPET].rsplit(" ", 1)[0] + " …"
    return Found(title, hit.url, list(_mark(text, query)))


def _mark(text: str, query: str) -> Iterator[Piece]:
    """Split a text at the words of the query."""
    words = [re.escape(word) for word in re.findall(r"\w{3,}", query)]
    if not words:
        yield Piece(text, marked=False)
        return
    for part in re.split(rf"(\b(?:{'|'.join(words)})\w*)", text, flags=re.IGNORECASE):
        if part:
            yield Piece(part, marked=re.match("|".join(words), part, re.IGNORECASE) is not None)
