"""A comparison of the stores finds what differs, says it, and repairs it."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.retrieval.chroma import ChromaStore
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.models import (
    ArticleRow,
    ArticleStatus,
    ArticleVersionRow,
    IndexState,
    PassageRow,
    VectorRow,
)
from opsbot.retrieval.packing import pack_vector
from opsbot.retrieval.verify import Verification, verify
from opsbot.settings import RetrievalSettings
from tests.retrieval_fixtures import NOON, write_three_articles

pytestmark = pytest.mark.slow

Compare = Callable[[], Verification]


@pytest.fixture
def compare(database: Database, encoder: MiniLmEncoder, folder: Path, tmp_path: Path) -> Compare:
    """Three articles, ingested; called to compare them."""
    write_three_articles(folder)
    ingest(database, folder, encoder, now=NOON)
    data = tmp_path / "data"
    return lambda: verify(
        database, encoder, folder, uploads=None, data_dir=data, chroma_url="", now=NOON
    )


def test_stores_that_agree_are_left_alone(compare: Compare, database: Database) -> None:
    with database.read() as session:
        before = session.scalars(sa.select(IndexState.version)).one()

    found = compare()

    assert found.findings == ()
    assert len(found.report.unchanged) == 3
    with database.read() as session:
        assert session.scalars(sa.select(IndexState.version)).one() == before


def lose_vectors(session: Session) -> None:
    session.execute(sa.delete(VectorRow))


def shorten_vectors(session: Session) -> None:
    session.execute(sa.update(VectorRow).values(title=b"short"))


def exchange_vectors(session: Session) -> None:
    rows = session.scalars(sa.select(VectorRow).order_by(VectorRow.content_hash)).all()
    texts = [row.text for row in rows]
    for row, text in zip(rows, texts[1:] + texts[:1], strict=True):
        row.text = text


def add_orphan(session: Session) -> None:
    [key] = session.scalars(sa.select(VectorRow.model_key).distinct())
    vector = pack_vector(np.full(384, 384**-0.5, np.float32))
    session.add(VectorRow(content_hash="none", model_key=key, text=vector, title=vector))


def lose_terms(session: Session) -> None:
    session.execute(sa.update(PassageRow).values(terms=b""))


def lose_passage(session: Session) -> None:
    first = session.scalars(sa.select(sa.func.min(PassageRow.id))).one()
    session.execute(sa.delete(PassageRow).where(PassageRow.id == first))


def double_passage(session: Session) -> None:
    row = session.scalars(sa.select(PassageRow).limit(1)).one()
    values = {c.name: getattr(row, c.name) for c in PassageRow.__table__.columns if c.name != "id"}
    session.execute(sa.insert(PassageRow).values(**values))


def change_version(session: Session) -> None:
    session.execute(sa.update(ArticleVersionRow).values(text="something else"))


def hide_article(session: Session) -> None:
    lamp = sa.update(ArticleRow).where(ArticleRow.slug == "lamp")
    session.execute(lamp.values(status=ArticleStatus.UNREADABLE))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lose_vectors, "5 contents had no vectors"),
        (shorten_vectors, "5 contents had damaged vectors"),
        (exchange_vectors, "not those of the embedding model"),
        (add_orphan, "1 vectors belonged to nothing"),
        (lose_terms, "3 articles whose rows did not fit their text"),
        (lose_passage, "1 article whose rows did not fit its text"),
        (double_passage, "1 article whose rows did not fit its text"),
        (change_version, "3 articles whose rows did not fit their text"),
        (hide_article, "manuals/lamp.md"),
    ],
)
def test_damage_is_named_and_repaired(
    compare: Compare,
    database: Database,
    encoder: MiniLmEncoder,
    tmp_path: Path,
    damage: Callable[[Session], None],
    said: str,
) -> None:
    knowledge = Knowledge(database, encoder, tmp_path / "data", RetrievalSettings())
    question = "How do I change the LED module?"
    expected = [hit.text for hit in knowledge.search(question, audience="staff")]
    with database.write() as session:
        damage(session)

    first, second = compare(), compare()

    assert any(said in sentence for sentence in first.findings), first.findings
    assert second.findings == ()
    found = knowledge.search(question, audience="staff")
    fresh = Knowledge(database, encoder, tmp_path / "fresh", RetrievalSettings())
    assert [hit.text for hit in found] == expected
    assert [hit.text for hit in fresh.search(question, audience="staff")] == expected
    knowledge.close()
    fresh.close()


def test_a_file_whose_time_was_set_back_is_found(
    compare: Compare, folder: Path, database: Database, encoder: MiniLmEncoder
) -> None:
    """Size and time of change are those of before, so that an ordinary ingest sees nothing."""
    path = folder / "manuals/lamp.md"
    before = path.stat()
    content = path.read_text()
    path.write_text(content.replace("a dry cloth", "a wet cloth"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    plain = ingest(database, folder, encoder, now=NOON)

    found = compare()

    assert plain.changed == []
    assert found.report.changed == ["manuals/lamp.md"]
    assert "1 file that had changed" in found.findings[0]


def test_chroma_is_compared_too(
    compare: Compare, database: Database, encoder: MiniLmEncoder, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    knowledge = Knowledge(database, encoder, data, RetrievalSettings())
    knowledge.search("lamp", audience="staff")
    assert knowledge.wait_until_ready(20)
    running = compare()
    knowledge.close()
    store = ChromaStore(data / "chroma")
    with database.read() as session:
        state = session.scalars(sa.select(IndexState)).one()
    store.open(state.index_id, state.model_key)
    for collection in store._collections.values():  # noqa: SLF001  (to damage it)
        collection.delete(ids=collection.get(include=[])["ids"][:2])
    store.close()

    damaged, whole = compare(), compare()

    assert "belongs to a running process" in running.notes[0]
    assert damaged.findings == ("2 passages were missing from Chroma.",)
    assert (whole.findings, whole.notes) == ((), ())
