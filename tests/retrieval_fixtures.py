"""Articles to write, an encoder that counts, and the sample shop's knowledge, ready to be asked."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsbot.content import content_root
from opsbot.db import Base, Database
from opsbot.migrations.schema import import_records
from opsbot.retrieval.encoder import Encoded, Encoder, MiniLmEncoder, Vectors
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import RetrievalSettings

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

LAMP = """## Clean the lamp

Wipe the oak arm with a dry cloth. Do not use alcohol on the ring cover.

## Change the LED module

You need a size 1 cross-head screwdriver.

> **Warning:** Unplug the charger before you open the head.

1. Turn the white cover to the left.
2. Pull the flat plug off the module.
3. Push the plug onto the new module.
"""
GRINDER = """## Grind settings

| Coffee | Clicks |
|---|---|
| Espresso | 8 to 12 |
| French press | 30 to 34 |

## Clean the grinder

Brush both burrs with the dry brush. Water makes the bearing rust.
"""
INSPECTION = """## Grades of returned goods

Grade B goods with scratches are sold in the outlet at a discount of 30 %.
"""


class CountingEncoder:
    """The encoder, with a list of the texts that were asked of it."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.texts: list[str] = []

    @property
    def key(self) -> str:
        return self._encoder.key

    @property
    def dimensions(self) -> int:
        return self._encoder.dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts.extend(texts)
        return self._encoder.encode(texts)

    def encode_pieces(self, texts: Sequence[str]) -> list[Encoded]:
        self.texts.extend(texts)
        return self._encoder.encode_pieces(texts)


def write_article(
    folder: Path, path: str, body: str, *, title: str = "", audience: str = "public", more: str = ""
) -> Path:
    """Write a Markdown article; the title is the file's name unless given."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    front = f"title: {title or file.stem}\naudience: {audience}\n{more}"
    file.write_text(f"---\n{front}---\n\n{body}", encoding="utf-8")
    return file


def write_three_articles(folder: Path) -> None:
    """Write two public articles and one for staff."""
    lamp, grinder = "product: [LL-LMP-01]\n", "product: [LL-GRD-01]\n"
    write_article(folder, "manuals/lamp.md", LAMP, title="Halo desk lamp", more=lamp)
    write_article(folder, "manuals/grinder.md", GRINDER, title="Pebble grinder", more=grinder)
    write_article(folder, "manuals/inspection.md", INSPECTION, title="Inspection", audience="staff")


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> MiniLmEncoder:
    """The packaged model; its graph is built once per run."""
    return MiniLmEncoder.open(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty knowledge folder."""
    made = tmp_path / "knowledge"
    made.mkdir()
    return made


@pytest.fixture
def knowledge(
    database: Database, encoder: MiniLmEncoder, folder: Path, tmp_path: Path
) -> Iterator[Knowledge]:
    """Two public articles and one for staff, ingested."""
    write_three_articles(folder)
    ingest(database, folder, encoder, now=NOON)
    opened = Knowledge(database, encoder, tmp_path / "data", RetrievalSettings())
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def sample_knowledge(
    tmp_path_factory: pytest.TempPathFactory, encoder: MiniLmEncoder
) -> Iterator[Knowledge]:
    """The sample shop's own articles, ingested once per run into SQLite."""
    import_records()
    data = tmp_path_factory.mktemp("sample")
    database = Database(f"sqlite:///{data}/opsbot.db")
    Base.metadata.create_all(database.engine)
    ingest(database, content_root() / "knowledge", encoder, now=NOON)
    opened = Knowledge(database, encoder, data, RetrievalSettings())
    yield opened
    opened.close()
    database.dispose()
