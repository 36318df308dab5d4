"""What staff do with articles: look through them, upload, take away, and follow saved files."""

import os
import re
import secrets
import shutil
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path, PurePosixPath

import yaml
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from opsbot.retrieval.articles import Article, read_article
from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.hits import article_url
from opsbot.retrieval.ingest import IngestReport, ingest
from opsbot.retrieval.models import ArticleRow, ArticleStatus, Audience, PassageRow
from opsbot.retrieval.paths import SIDECAR, file_of, to_slug
from opsbot.retrieval.sandbox import Sandbox
from opsbot.retrieval.sources import MAX_BYTES, READABLE, UPLOADS, Sources

UPLOADABLE = tuple(sorted(READABLE - {".yaml", ".yml"}))
"""Suffixes of files that may be uploaded; policies are what the code enforces."""

_LONGEST_NAME = 100
_STAGING = ".incoming-"


@dataclass(frozen=True)
class Entry:
    """An article as those see it who look after the articles."""

    slug: str
    url: str
    path: str
    title: str
    status: ArticleStatus
    reason: str
    """Why it cannot be read, or what of it was left out; empty when all is well."""
    language: str
    audience: Audience
    version: int
    products: tuple[str, ...]
    safety: bool
    format: str
    passages: int
    updated_on: date | None
    ingested_at: datetime

    @property
    def uploaded(self) -> bool:
        """Whether it was uploaded, and can be taken away again."""
        return self.path.startswith(f"{UPLOADS}/")


@dataclass(frozen=True)
class Uploaded:
    """What became of a file."""

    entries: tuple[Entry, ...]
    """One, unless it is a table with rows for several readers."""
    replaced: bool
    """A file of this name was there before."""


class Library:
    """The articles and their files: one per process, for all its threads."""

    def __init__(self, database: Database, encoder: Encoder, sources: Sources) -> None:
        """Look after the articles of `sources`; its uploads go into `sources.uploads`."""
        self._database = database
        self._encoder = encoder
        self._sources = sources
        self._lock = threading.Lock()

    def list_entries(self, *, after: str = "", limit: int = 1000) -> list[Entry]:
        """Return the articles by path, also those that cannot be read; `after` is a path."""
        query = select(ArticleRow).where(ArticleRow.path > after).order_by(ArticleRow.path)
        with self._database.read() as session:
            return _describe(session, query.limit(limit))

    def find_upload(self, slug: str) -> Entry:
        """Return the uploaded article called `slug`.

        Raises:
            NotFoundError: there is none.
            ConflictError: its file lies in the shop's own folder, which is not ours to change.
        """
        with self._database.read() as session:
            found = _describe(session, select(ArticleRow).where(ArticleRow.slug == slug))
        if not found:
            raise NotFoundError("article", slug)
        uploaded = [entry for entry in found if entry.uploaded]
        if not uploaded:
            raise ConflictError(
                f"{found[0].path} lies in the knowledge folder; delete the file there."
            )
        return uploaded[0]

    def upload(
        self, name: str, content: bytes, stated: Mapping[str, object], *, now: datetime
    ) -> Uploaded:
        """Store a file as an article, in the place of one with the same name.

        Args:
            name: of the file, as its owner calls it.
            content: its bytes.
            stated: fields of the front matter; those that are empty say nothing.
            now: the time.

        Raises:
            InvalidInputError: it cannot be read; the text says why, and nothing is stored.
            ConflictError: its page would have the address of another article.
            UnavailableError: the folder of uploads cannot be written.
        """
        safe, said = make_safe_name(name), {key: value for key, value in stated.items() if value}
        if len(content) > MAX_BYTES:
            raise InvalidInputError(f"{safe} has more than {MAX_BYTES // 10**6} MB; split it.")
        with self._lock, self._staged() as staging:
            _write(staging / safe, content)
            if not _describes_itself(safe, content):
                said.setdefault("title", _title_of(safe))
                sidecar = yaml.safe_dump(said, allow_unicode=True, sort_keys=False)
                _write(staging / (safe + SIDECAR), sidecar.encode())
            articles = self._check(staging, said)
            replaced = self._move(staging, safe)
            self._ingest(now)
        paths = [f"{UPLOADS}/{article.path}" for article in articles]
        with self._database.read() as session:
            query = select(ArticleRow).where(ArticleRow.path.in_(paths))
            entries = _describe(session, query.order_by(ArticleRow.path))
        return Uploaded(tuple(entries), replaced)

    def remove(self, slug: str, *, now: datetime) -> list[str]:
        """Take an uploaded file away; its articles are hidden at once.

        Returns:
            The paths of its articles.

        Raises:
            NotFoundError: there is no such article.
            ConflictError: its file lies in the shop's own folder, which is not ours to change.
        """
        with self._lock:
            file = file_of(self.find_upload(slug).path)
            with self._database.read() as session:
                parts = [
                    ArticleRow.path == file,
                    ArticleRow.path.startswith(f"{file}#", autoescape=True),
                ]
                query = select(ArticleRow).where(parts[0] | parts[1]).order_by(ArticleRow.path)
                entries = _describe(session, query)
            for path in (file, file + SIDECAR):
                self._sources.find(path).unlink(missing_ok=True)
            self._ingest(now)
        return [one.path for one in entries]

    def follow(self, *, now: datetime) -> IngestReport:
        """Make the index hold what the files say now.

        Raises:
            InvalidInputError: the shop's folder does not exist.
        """
        with self._lock:
            return self._ingest(now)

    def snapshot(self) -> str:
        """Return what changes whenever a file of an article changes.

        Raises:
            InvalidInputError: the shop's folder does not exist.
        """
        return self._sources.snapshot()

    def _ingest(self, now: datetime) -> IngestReport:
        folder, uploads = self._sources.folder, self._sources.uploads
        return ingest(self._database, folder, self._encoder, now=now, uploads=uploads)

    def _check(self, staging: Path, said: Mapping[str, object]) -> list[Article]:
        """Return the articles of a staged file, if all of them can be read and found."""
        sources = Sources(staging)
        with Sandbox() as sandbox:
            articles = [read_article(sources, path, sandbox.parse) for path in sources.list_paths()]
        for article in articles:
            _check_agreement(article, said)
            self._check_address(article)
        return articles

    def _check_address(self, article: Article) -> None:
        path = f"{UPLOADS}/{article.path}"
        query = select(ArticleRow.path).where(
            ArticleRow.slug == to_slug(path),
            ArticleRow.path != path,
            ArticleRow.status != ArticleStatus.DELETED,
        )
        with self._database.read() as session:
            other = session.scalar(query)
        if other is not None:
            raise ConflictError(
                f"{article.path} would have the same address as {other} "
                f"({article_url(to_slug(path))}); rename it."
            )

    @contextmanager
    def _staged(self) -> Iterator[Path]:
        """Give a folder among the uploads that no ingest looks into; it is gone afterwards."""
        uploads = self._sources.uploads
        if uploads is None:
            raise UnavailableError("There is no folder for uploads.")
        staging = uploads / f"{_STAGING}{secrets.token_hex(8)}"
        try:
            staging.mkdir(parents=True)
            yield staging
        except OSError as error:
            raise UnavailableError(
                f"The folder {uploads} cannot be written: {error.strerror}."
            ) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _move(self, staging: Path, name: str) -> bool:
        """Put the staged file in its place; return whether there was one before."""
        place = staging.parent / name
        replaced, sidecar = place.exists(), name + SIDECAR
        # The old ones go first: if we are killed here, no file is read with another one's audience.
        place.unlink(missing_ok=True)
        (staging.parent / sidecar).unlink(missing_ok=True)
        if (staging / sidecar).exists():
            (staging / sidecar).replace(staging.parent / sidecar)
        (staging / name).replace(place)
        return replaced


def make_safe_name(name: str) -> str:
    """Return a name that is a file's in any folder, close to the one that was given.

    Raises:
        InvalidInputError: nothing of it can stay, or such files cannot be read.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    pure = PurePosixPath(last or "-")
    stem = re.sub(r"[^\w.-]+", "-", pure.stem).strip(".-_~")[:_LONGEST_NAME]
    suffix = pure.suffix.lower()
    if suffix not in UPLOADABLE:
        known = ", ".join(UPLOADABLE)
        raise InvalidInputError(f"{last[:80]!r} cannot be read; files may end with {known}.")
    if not stem:
        raise InvalidInputError("The file needs a name with letters or digits.")
    return stem + suffix


def _describes_itself(name: str, content: bytes) -> bool:
    """Tell whether a file is Markdown with front matter."""
    is_markdown = name.endswith((".md", ".markdown"))
    return is_markdown and content.removeprefix(b"\xef\xbb\xbf").lstrip()[:3] == b"---"


def _check_agreement(article: Article, said: Mapping[str, object]) -> None:
    """Refuse a file that says another audience than its uploader: one of them is mistaken."""
    audience = said.get("audience")
    if audience and article.about.audience != audience and "#" not in article.path:
        raise InvalidInputError(
            f"{article.path} says that it is for {article.about.audience}, but was uploaded for "
            f"{audience}; make them agree."
        )


def _title_of(name: str) -> str:
    return re.sub(r"[-_.]+", " ", PurePosixPath(name).stem).strip().capitalize()


def _write(file: Path, content: bytes) -> None:
    """Write a file that is there after a crash, or is not there at all."""
    with file.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def _describe(session: Session, query: Select[ArticleRow]) -> list[Entry]:
    """Return the living articles of a query."""
    rows = session.scalars(query.where(ArticleRow.status != ArticleStatus.DELETED)).all()
    counted = (
        select(PassageRow.article_id, func.count())
        .where(PassageRow.article_id.in_([row.id for row in rows]))
        .group_by(PassageRow.article_id)
    )
    counts = {article: count for article, count in session.execute(counted)}  # noqa: C416
    return [_entry(row, counts.get(row.id, 0)) for row in rows]


def _entry(row: ArticleRow, passages: int) -> Entry:
    return Entry(
        slug=row.slug,
        url=article_url(row.slug),
        path=row.path,
        title=row.title,
        status=row.status,
        reason=row.reason,
        language=row.language,
        audience=row.audience,
        version=row.version,
        products=tuple(row.products),
        safety=row.safety,
        format=row.format,
        passages=passages,
        updated_on=row.updated_on,
        ingested_at=row.ingested_at,
    )
