"""What the rest of opsbot asks of the articles."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import select

from opsbot.db import Database
from opsbot.errors import NotFoundError
from opsbot.retrieval.answering import Answer, Answerer
from opsbot.retrieval.answers import Extract, extract
from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.encoders import reopen_encoder
from opsbot.retrieval.hits import Hit, Score, article_url, read_hits
from opsbot.retrieval.models import (
    LAST_GOOD,
    ArticleRow,
    ArticleStatus,
    ArticleVersionRow,
    Audience,
)
from opsbot.retrieval.retriever import Retriever
from opsbot.retrieval.rows import read_keys, read_version, split_batches
from opsbot.retrieval.shelf import AUDIENCES, Reader
from opsbot.retrieval.structure import Heading
from opsbot.retrieval.units import split_units, write_sentences
from opsbot.retrieval.vectors import VectorIndex
from opsbot.settings import RetrievalSettings

_PAUSE_S = 0.05
_WARMED = 3000
"""Units embedded ahead of the first question; the encoder remembers a few more."""


@dataclass(frozen=True)
class ArticleSummary:
    """An article in a list."""

    slug: str
    url: str
    path: str
    title: str
    audience: Audience
    language: str
    products: tuple[str, ...]
    safety: bool
    updated_on: date | None


@dataclass(frozen=True)
class ArticlePage(ArticleSummary):
    """An article to read."""

    text: str
    """Markdown without the title; links to other articles lead to their pages."""
    headings: tuple[Heading, ...]
    """In order: the id of the nth heading on the page is the nth anchor."""


@dataclass(frozen=True)
class ArticleVersion:
    """The text an article had at one time."""

    slug: str
    version: int
    title: str
    text: str
    """Markdown without the title; what quotes of that version are offsets into."""
    current: int | None
    """The newest version; unset when the article is deleted or cannot be read any more."""


class Knowledge:
    """Searches, quotes and lists the articles: one per process, for all its threads."""

    def __init__(
        self,
        database: Database,
        encoder: Encoder,
        data_dir: Path,
        settings: RetrievalSettings,
        *,
        chroma_url: str = "",
    ) -> None:
        self._database = database
        self._encoder = encoder
        self._vectors = VectorIndex(
            database, data_dir, url=chroma_url, asked_from=settings.chroma_from
        )
        self._retriever = Retriever(
            database,
            encoder,
            self._vectors,
            settings,
            reopen=lambda model_key: reopen_encoder(model_key, data_dir),
        )
        self._answerer = Answerer(database, encoder, self._retriever)

    @property
    def encoder(self) -> Encoder:
        """The one encoder of this process, for whoever else compares texts."""
        return self._encoder

    @property
    def threshold(self) -> float:
        """Confidence below which nothing fits."""
        return self._retriever.threshold

    def search(
        self,
        question: str,
        *,
        audience: Reader,
        top_k: int | None = None,
        products: Collection[str] = (),
        prefer: Collection[str] = (),
        language: str = "",
        context: str = "",
    ) -> list[Hit]:
        """Return the best passages for `question`, best first; see `Retriever.search`."""
        return self._retriever.search(
            question,
            audience=audience,
            top_k=top_k,
            products=products,
            prefer=prefer,
            language=language,
            context=context,
        )

    def knows(self, hits: Sequence[Hit]) -> bool:
        """Tell whether any of the hits is about what was asked."""
        return self._retriever.knows(hits)

    def extract(self, question: str, hits: Sequence[Hit]) -> list[Extract]:
        """Return the pieces of the hits' sections that answer, in the order to read them."""
        return extract(question, hits, self._encoder)

    def answer(
        self,
        question: str,
        *,
        audience: Reader,
        products: Collection[str] = (),
        owned: Collection[str] = (),
        language: str = "",
        context: str = "",
    ) -> Answer:
        """Return what the articles say about `question`; see `Answerer.answer`."""
        return self._answerer.answer(
            question,
            audience=audience,
            products=products,
            owned=owned,
            language=language,
            context=context,
        )

    def version(self) -> int:
        """Return the version of the index, which every change of the articles raises."""
        with self._database.connect() as connection:
            return read_version(connection)

    def article(self, slug: str, *, audience: Reader) -> ArticlePage:
        """Return the article called `slug`.

        Raises:
            NotFoundError: there is none, or it is not for this reader.
        """
        query = select(ArticleRow).where(
            ArticleRow.slug == slug,
            ArticleRow.status == ArticleStatus.READABLE,
            ArticleRow.audience.in_(AUDIENCES[audience]),
        )
        with self._database.read() as session:
            row = session.scalars(query).first()
        if row is None:
            raise NotFoundError("article", slug)
        headings = tuple(Heading(**heading) for heading in row.headings)
        return ArticlePage(**vars(_summarise(row)), text=row.text, headings=headings)

    def read_version(self, slug: str, version: int, *, audience: Reader) -> ArticleVersion:
        """Return an article as it was in `version`, even when it has been deleted since.

        Raises:
            NotFoundError: there is no such version, or the article was or is not for this reader.
        """
        allowed = AUDIENCES[audience]
        query = (
            select(ArticleVersionRow, ArticleRow.status, ArticleRow.version)
            .join(ArticleRow, ArticleRow.id == ArticleVersionRow.article_id)
            .where(
                ArticleRow.slug == slug,
                ArticleVersionRow.version == version,
                ArticleRow.audience.in_(allowed),
                ArticleVersionRow.audience.in_(allowed),
            )
        )
        with self._database.read() as session:
            found = session.execute(query).first()
        if found is None:
            raise NotFoundError("article", slug)
        row, status, newest = found
        current = newest if status is ArticleStatus.READABLE else None
        return ArticleVersion(slug, row.version, row.title, row.text, current)

    def list_articles(self, *, audience: Reader) -> list[ArticleSummary]:
        """Return the articles this reader may see, by path."""
        query = (
            select(ArticleRow)
            .where(
                ArticleRow.status == ArticleStatus.READABLE,
                ArticleRow.audience.in_(AUDIENCES[audience]),
            )
            .order_by(ArticleRow.path)
        )
        with self._database.read() as session:
            return [_summarise(row) for row in session.scalars(query)]

    def list_unreadable(self) -> list[tuple[str, str]]:
        """Return the files that the last ingest could not read, each with the reason."""
        query = (
            select(ArticleRow.path, ArticleRow.reason)
            .where(
                (ArticleRow.status == ArticleStatus.UNREADABLE)
                | (
                    (ArticleRow.status == ArticleStatus.READABLE)
                    & ArticleRow.reason.endswith(LAST_GOOD, autoescape=True)
                )
            )
            .order_by(ArticleRow.path)
        )
        with self._database.read() as session:
            return [(row.path, row.reason) for row in session.execute(query)]

    def wait_until_ready(self, timeout_s: float) -> bool:
        """Wait until Chroma has caught up with the articles; tell whether it did.

        Answers are right before that too; they are found by a scan. Chroma is asked to follow by
        the first search.
        """
        return self._vectors.wait_until_ready(timeout_s)

    def warm(self, *, stop: threading.Event, idle: Callable[[], bool] = lambda: True) -> None:
        """Load the index and embed the units of public sections, so that no customer waits.

        For a thread at the start; takes some seconds of one core, goes on only while `idle`, and
        ends soon after `stop` is set. Without it each section is embedded when it is first quoted,
        which costs that one answer 20 to 60 ms.
        """
        self._retriever.load()
        seen, left = set[tuple[str, int]](), _WARMED
        for hit in self._public_passages():
            while not idle() and not stop.wait(_PAUSE_S):
                pass
            if stop.is_set() or left <= 0:
                return
            if (hit.path, hit.section_start) not in seen:
                seen.add((hit.path, hit.section_start))
                texts = write_sentences(hit, split_units(hit.section), None)
                self._encoder.encode(texts)
                left -= len(texts)

    def _public_passages(self) -> Iterator[Hit]:
        public = [Audience.PUBLIC]
        with self._database.read() as session:
            ids = [key.id for key in read_keys(session) if key.audience in public]
            for some in split_batches(ids):
                yield from read_hits(
                    session.connection(), dict.fromkeys(some, Score(0, 0, 0)), public
                )

    def close(self) -> None:
        """Let go of the index's files."""
        self._vectors.close()


def _summarise(row: ArticleRow) -> ArticleSummary:
    return ArticleSummary(
        slug=row.slug,
        url=article_url(row.slug),
        path=row.path,
        title=row.title,
        audience=row.audience,
        language=row.language,
        products=tuple(row.products),
        safety=row.safety,
        updated_on=row.updated_on,
    )
