"""Bring the articles of a folder into the database: only what changed is read and embedded."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.errors import InvalidInputError
from opsbot.retrieval.articles import Parse, read_article
from opsbot.retrieval.calibration import calibrate
from opsbot.retrieval.embedding import embed
from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.front_matter import is_broken_only_in_its_head
from opsbot.retrieval.models import LAST_GOOD, ArticleRow, ArticleStatus
from opsbot.retrieval.passages import cut_article
from opsbot.retrieval.paths import to_slug
from opsbot.retrieval.sandbox import Sandbox
from opsbot.retrieval.sources import Sources
from opsbot.retrieval.storing import (
    FileMark,
    PackedVectors,
    ReadFile,
    raise_version,
    store_article,
    store_kept,
    store_removed,
    store_unreadable,
    store_vectors,
    terms_of,
)
from opsbot.retrieval.upkeep import has_drifted, prepare_state, refresh_terms, switch_model, tidy

Progress = Callable[[int, int, str], None]
"""Called before each file: how many are done, how many there are, its path. With another encoder
also called before, for the passages that are embedded again: the path is empty then."""

_GROUP = 256
"""Passages that are embedded and stored together: some seconds of work, lost by a kill at worst."""


@dataclass
class IngestReport:
    """What one ingest did, by the paths of the files."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    """Each with the reason, as one sentence."""
    partly: list[tuple[str, str]] = field(default_factory=list)
    """Those of which something was left out, each with what and why."""


@dataclass(frozen=True)
class _Known:
    """What the database has of a file."""

    content_hash: str
    stamp: str
    status: ArticleStatus
    reason: str
    audience: str


@dataclass(frozen=True)
class _Refused:
    """A file that cannot be read, and why."""

    mark: FileMark
    reason: str
    kept: bool = False
    """Whether its last good version is still used: only its front matter is broken."""


@dataclass(frozen=True)
class _Group:
    """Files that are stored together, once their passages are embedded."""

    files: Sequence[ReadFile | _Refused]
    vectors: Future[dict[str, PackedVectors]]


def ingest(
    database: Database,
    folder: Path,
    encoder: Encoder,
    *,
    now: datetime,
    uploads: Path | None = None,
    progress: Progress | None = None,
    trust_times: bool = True,
) -> IngestReport:
    """Make the database hold the articles of the folders, no more and no fewer.

    A file that did not change is not read; a passage whose words did not change keeps its vectors.
    Files are stored in small groups, each in one transaction, and so is the removal of those that
    are gone. A file that cannot be read loses its old passages: nobody knows whether they still
    hold, or for whom. Only where the front matter of a Markdown file breaks, and nothing legible in
    it names another audience, the last good version stays until it is mended.

    With another encoder than before, all passages are embedded beside their old vectors, which
    serve until the new ones are complete.

    Args:
        database: has the tables of this version.
        folder: holds the shop's articles.
        encoder: makes the vectors.
        now: the time of the new versions.
        uploads: holds the articles that staff have uploaded.
        progress: is told of each file.
        trust_times: take a file with the size and the time of change it had for unchanged.

    Raises:
        InvalidInputError: the folder does not exist.
    """
    sources, report = Sources(folder, uploads), IngestReport()
    paths = sources.list_paths()
    prepare_state(database, encoder)
    refresh_terms(database)
    switched = switch_model(database, encoder, _tell_of_switch(progress))
    known = _read_known(database)
    gone = sorted(known.keys() - set(paths))
    gone = [path for path in gone if known[path].status is not ArticleStatus.DELETED]
    if gone:
        with database.write() as session:
            store_removed(session, gone, raise_version(session), now=now)
        report.removed.extend(gone)
    with Sandbox() as sandbox, ThreadPoolExecutor(1) as pool:
        run = _Run(database, sources, encoder, now, known, report, pool, trust_times=trust_times)
        for number, path in enumerate(paths):
            if progress is not None:
                progress(number, len(paths), path)
            run.take(path, sandbox.parse)
        run.finish()
    if switched or run.stored or gone:
        tidy(database)
        if switched or has_drifted(database, run.stored + len(gone)):
            calibrate(database, encoder)
    return report


def _tell_of_switch(progress: Progress | None) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(done, total, "")


class _Run:
    """One walk over the files."""

    def __init__(
        self,
        database: Database,
        sources: Sources,
        encoder: Encoder,
        now: datetime,
        known: Mapping[str, _Known],
        report: IngestReport,
        pool: Executor,
        *,
        trust_times: bool,
    ) -> None:
        self._database, self._sources, self._encoder = database, sources, encoder
        self._now, self._known, self._report = now, known, report
        self._trust_times = trust_times
        self._slugs = dict[str, str]()
        self._waiting: list[ReadFile | _Refused] = []
        self._running: _Group | None = None
        self._pool = pool
        self._stamps = dict[str, str]()
        self.stored = 0
        """Files whose rows were written."""

    def take(self, path: str, parse: Parse) -> None:
        """Read a file if it changed; it is stored with some of those that follow it."""
        known = self._known.get(path)
        found = self._read(path, known, parse)
        if found is None and known is not None:
            _report_unchanged(path, known, self._report)
        elif isinstance(found, _Refused):
            self._report.unreadable.append((path, found.reason))
        elif known is None or known.status is ArticleStatus.DELETED:
            self._report.added.append(path)
        else:
            self._report.changed.append(path)
        if isinstance(found, ReadFile) and found.article.notes:
            self._report.partly.append((path, " ".join(found.article.notes)))
        if found is not None:
            self._waiting.append(found)
        if sum(len(f.passages) for f in self._waiting if isinstance(f, ReadFile)) >= _GROUP:
            self._start()

    def _start(self) -> None:
        """Let what waits be embedded while the next files are read; store what was before."""
        # The encoder works between transactions: none is open while it does.
        files = [found for found in self._waiting if isinstance(found, ReadFile)]
        passages = [(read.article.about.title, p) for read in files for p in read.passages]
        vectors = self._pool.submit(embed, self._database, self._encoder, passages)
        started = _Group(self._waiting, vectors)
        self._waiting = []
        self._settle()
        self._running = started

    def _settle(self) -> None:
        """Store the files that are being embedded."""
        if self._running is None:
            return
        group, self._running = self._running, None
        vectors = group.vectors.result()
        if group.files:
            with self._database.write() as session:
                self._store(session, group.files, vectors)
        self.stored += len(group.files)

    def finish(self) -> None:
        """Store all that is left."""
        self._start()
        self._settle()
        if self._stamps:
            rows = [{"at": path, "seen": stamp} for path, stamp in self._stamps.items()]
            query = update(ArticleRow).where(ArticleRow.path == bindparam("at"))
            with self._database.write() as session:
                session.connection().execute(query.values(stamp=bindparam("seen")), rows)

    def _store(
        self,
        session: Session,
        files: Sequence[ReadFile | _Refused],
        vectors: Mapping[str, PackedVectors],
    ) -> None:
        version = raise_version(session)
        store_vectors(session, self._encoder.key, vectors)
        for found in files:
            if isinstance(found, ReadFile):
                store_article(session, found, version, now=self._now)
            elif found.kept:
                store_kept(session, found.mark, found.reason)
            else:
                store_unreadable(session, found.mark, found.reason, version, now=self._now)

    def _read(self, path: str, known: _Known | None, parse: Parse) -> ReadFile | _Refused | None:
        """Return what a file holds, or why it cannot be read; None when it is as it was."""
        mark = FileMark(path, "", "")
        try:
            _claim_slug(path, self._slugs)
            # Before it is read, so that whoever writes it meanwhile leaves another stamp.
            stamp = self._sources.stamp(path)
            if self._trust_times and known is not None and known.stamp == stamp:
                return None
            mark = FileMark(path, self._sources.hash(path), stamp)
            if known is not None and known.content_hash == mark.content_hash:
                self._stamps[path] = stamp
                return None
            article = read_article(self._sources, path, parse)
        except InvalidInputError as error:
            if mark.content_hash and known is not None and self._stays(path, known):
                return _Refused(mark, f"{error} {LAST_GOOD}", kept=True)
            return _Refused(mark, str(error))
        passages = cut_article(article)
        terms = [
            terms_of(article.about.title, passage, article.about.language) for passage in passages
        ]
        return ReadFile(mark, article, passages, terms)

    def _stays(self, path: str, known: _Known) -> bool:
        """Tell whether the last good version of a file goes on being used."""
        if known.status is not ArticleStatus.READABLE or not path.endswith((".md", ".markdown")):
            return False
        text = self._sources.read(path).decode("utf-8", "replace")
        return is_broken_only_in_its_head(path, text, known.audience)


def _read_known(database: Database) -> dict[str, _Known]:
    query = select(
        ArticleRow.path,
        ArticleRow.content_hash,
        ArticleRow.stamp,
        ArticleRow.status,
        ArticleRow.reason,
        ArticleRow.audience,
    )
    with database.read() as session:
        return {
            row.path: _Known(row.content_hash, row.stamp, row.status, row.reason, row.audience)
            for row in session.execute(query)
        }


def _report_unchanged(path: str, known: _Known, report: IngestReport) -> None:
    if known.status is ArticleStatus.UNREADABLE or known.reason.endswith(LAST_GOOD):
        report.unreadable.append((path, known.reason))
        return
    report.unchanged.append(path)
    if known.reason:
        report.partly.append((path, known.reason))


def _claim_slug(path: str, slugs: dict[str, str]) -> None:
    """Refuse a file whose page would have the address of another one."""
    other = slugs.setdefault(to_slug(path), path)
    if other != path:
        raise InvalidInputError(
            f"{path} would have the same address as {other} (/help/{to_slug(path)}); rename it."
        )
