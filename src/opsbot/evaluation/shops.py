"""The shop that conversations are held with: made or copied once, and a fresh copy for each.

What is evaluated never reaches the shop itself. The records are a copy in another folder,
and the settings of the copy name no mail server, no provider, no vector server and no webhook.
"""

import hashlib
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from opsbot.app import close_services, open_services
from opsbot.channels.services import Services
from opsbot.db import Base, Database
from opsbot.demo.load import load_demo
from opsbot.errors import UnavailableError
from opsbot.migrations import pending, upgrade
from opsbot.migrations.schema import import_records
from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.ingest import ingest
from opsbot.settings import ConnectorSettings, MailSettings, Settings

FILE = "opsbot.db"
MODELS = "models"
"""Folder of what encoders compute once; it knows nothing of records, so all copies share it."""
_BATCH = 2_000
_SHOWN = 12
"""Characters of a hash in the name of a file."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Template:
    """A shop as every conversation finds it."""

    settings: Settings
    """Of the shop; its data folder is the template's."""
    encoder: Encoder

    @property
    def file(self) -> Path:
        """The database: one SQLite file that nobody writes to any more."""
        return self.settings.data_dir / FILE

    @contextmanager
    def open_copy(self, folder: Path, clock: Callable[[], datetime]) -> Iterator[Services]:
        """Run a fresh copy in `folder`, which must not exist yet; it is deleted at the end."""
        folder.mkdir(parents=True)
        try:
            shutil.copy(self.file, folder / FILE)
            (folder / MODELS).symlink_to((self.settings.data_dir / MODELS).resolve())
            settings = self.settings.model_copy(update={"data_dir": folder})
            services = open_services(settings, clock=clock, encoder=self.encoder)
            try:
                yield services
            finally:
                close_services(services)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def apart(settings: Settings, folder: Path) -> Settings:
    """Make `folder`, and return the settings of a copy there: nothing it does leaves the folder.

    A language model that the settings name is asked all the same: it is what is evaluated.
    """
    folder.mkdir(parents=True)
    models = settings.data_dir / MODELS
    models.mkdir(parents=True, exist_ok=True)
    (folder / MODELS).symlink_to(models.absolute())
    return settings.model_copy(
        update={
            "data_dir": folder,
            "database_url": "",
            "chroma_url": "",
            "uploads_dir": settings.resolved_uploads_dir,
            "ports": {},
            "mail": MailSettings(address=settings.mail.address),
            "connectors": ConnectorSettings(),
        }
    )


def make_sample(
    settings: Settings, encoder: Encoder, *, as_of: datetime, keep_in: Path
) -> Template:
    """Make the sample shop, as it is at `as_of`, in the data folder of `settings`.

    It takes half a minute, so it is kept in the folder `keep_in` for the next time. Another time,
    or another program, makes another shop; articles are read again where they changed.
    """
    kept = keep_in / f"{as_of:%Y-%m-%dT%H-%M}-{_hash_program()}.db"
    if kept.is_file():
        shutil.copy(kept, settings.data_dir / FILE)
    with _new_file(settings) as database:
        load_demo(database, now=as_of)
        _read_articles(settings, database, encoder, now=as_of)
    if not kept.is_file():
        _keep(settings.data_dir / FILE, kept)
    return Template(settings, encoder)


def _hash_program() -> str:
    """Return a word that changes with any file of opsbot that may make the sample shop."""
    paths = sorted(Path(str(files("opsbot"))).rglob("*.py"))
    whole = hashlib.sha256(b"\0".join(path.read_bytes() for path in paths))
    return whole.hexdigest()[:_SHOWN]


def _keep(file: Path, path: Path) -> None:
    """Keep the sample shop, in the place of older ones; where that fails it is made again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.glob("*.db"):
            old.unlink()
        part = path.with_suffix(f".{os.getpid()}")
        shutil.copy(file, part)
        part.replace(path)
    except OSError as error:
        log.warning("the sample shop is not kept: %s", error)


def copy_shop(live: Settings, settings: Settings, encoder: Encoder, *, now: datetime) -> Template:
    """Copy the records that `live` names into the data folder of `settings`; only read the former.

    The articles of the copy are brought up to date with the folders of `settings`, so that a
    changed article is what is evaluated.

    Raises:
        UnavailableError: the database does not answer, or has no tables of this version.
    """
    import_records()  # all tables are copied, whatever else has been imported
    source = Database(live.resolved_database_url)
    try:
        if pending(source):
            raise UnavailableError(
                "The database has no tables of this version yet: opsbot migrate."
            )
        with _new_file(settings) as database:
            if source.engine.dialect.name == "sqlite":
                _copy_file(source.url, settings.data_dir / FILE)
            else:
                _copy_rows(source, database)
            _read_articles(settings, database, encoder, now=now)
    finally:
        source.dispose()
    return Template(settings, encoder)


@contextmanager
def _new_file(settings: Settings) -> Iterator[Database]:
    database = Database(settings.resolved_database_url)
    try:
        upgrade(database)
        yield database
    finally:
        database.dispose()


def _read_articles(
    settings: Settings, database: Database, encoder: Encoder, *, now: datetime
) -> None:
    report = ingest(
        database, settings.knowledge_dir, encoder, uploads=settings.resolved_uploads_dir, now=now
    )
    for path, reason in report.unreadable:
        raise UnavailableError(f"The article {path} cannot be read: {reason}")


def _copy_file(url: str, path: Path) -> None:
    """Copy an SQLite file as it is at one moment, also while others write to it."""
    live = Path(make_url(url).database or "").absolute()
    with sqlite3.connect(f"{live.as_uri()}?mode=ro", uri=True) as source:
        target = sqlite3.connect(path)
        try:
            source.backup(target)
        finally:
            target.close()
    source.close()


def _copy_rows(source: Database, target: Database) -> None:
    """Copy all rows of another kind of database, as they are at one moment."""
    one_state = source.engine.execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True, yield_per=_BATCH
    )
    with one_state.connect() as live, target.engine.connect() as copy:
        copy.exec_driver_sql("PRAGMA foreign_keys=off")
        copy.commit()
        for table in Base.metadata.sorted_tables:
            copy.execute(sa.delete(table))
            for part in live.execute(sa.select(table)).mappings().partitions():
                copy.execute(sa.insert(table), [dict(row) for row in part])
        copy.commit()
