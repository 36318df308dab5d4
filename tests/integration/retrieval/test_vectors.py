"""Chroma is a cache: it may break, be away, or belong to someone else."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from opsbot.db import Database
from opsbot.retrieval.chroma import ChromaStore, FolderLock
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.models import IndexState
from opsbot.settings import RetrievalSettings
from tests.retrieval_fixtures import NOON, write_three_articles

QUESTION = "How do I change the LED module?"


@pytest.fixture
def filled(database: Database, encoder: MiniLmEncoder, folder: Path) -> Database:
    """A database with three articles."""
    write_three_articles(folder)
    ingest(database, folder, encoder, now=NOON)
    return database


@contextmanager
def open_knowledge(database: Database, encoder: MiniLmEncoder, data: Path) -> Iterator[Knowledge]:
    opened = Knowledge(database, encoder, data, RetrievalSettings(chroma_from=0))
    try:
        yield opened
    finally:
        opened.close()


def ask(knowledge: Knowledge) -> list[tuple[int, float]]:
    hits = knowledge.search(QUESTION, audience="staff", top_k=20)
    return [(hit.passage_id, round(hit.score, 3)) for hit in hits]


def test_a_scan_and_chroma_find_the_same(
    filled: Database, encoder: MiniLmEncoder, tmp_path: Path
) -> None:
    with open_knowledge(filled, encoder, tmp_path / "data") as knowledge:
        scanned = ask(knowledge)
        assert knowledge.wait_until_ready(20)

        assert ask(knowledge) == scanned


def test_a_folder_full_of_rubbish_is_rebuilt(
    filled: Database, encoder: MiniLmEncoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "data"
    with open_knowledge(filled, encoder, data) as knowledge:
        expected = ask(knowledge)
        assert knowledge.wait_until_ready(20)
    for file in (data / "chroma").rglob("*"):
        if file.is_file():
            file.write_bytes(b"rubbish" * 50)

    with open_knowledge(filled, encoder, data) as knowledge, caplog.at_level(logging.WARNING):
        found = ask(knowledge)
        assert knowledge.wait_until_ready(20)

        assert found == ask(knowledge) == expected
    assert "Chroma is broken" in caplog.text


def test_missing_vectors_are_put_back(
    filled: Database, encoder: MiniLmEncoder, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    with open_knowledge(filled, encoder, data) as knowledge:
        expected = ask(knowledge)
        assert knowledge.wait_until_ready(20)
    with filled.read() as session:
        index_id = session.scalars(sa.select(IndexState.index_id)).one()
    store = ChromaStore(data / "chroma")
    store.open(index_id, encoder.key)
    for collection in store._collections.values():  # noqa: SLF001  (to damage it)
        collection.delete(ids=collection.get(include=[])["ids"][:2])
    store.close()

    with open_knowledge(filled, encoder, data) as knowledge:
        ask(knowledge)
        assert knowledge.wait_until_ready(20)

        assert ask(knowledge) == expected


def test_a_folder_that_vanishes_while_in_use_costs_no_answer(
    filled: Database, encoder: MiniLmEncoder, tmp_path: Path
) -> None:
    with open_knowledge(filled, encoder, tmp_path / "data") as knowledge:
        expected = ask(knowledge)
        assert knowledge.wait_until_ready(20)

        shutil.rmtree(tmp_path / "data" / "chroma")

        assert [ask(knowledge) for _ in range(3)] == [expected] * 3


def test_a_second_process_scans_and_says_so(
    filled: Database, encoder: MiniLmEncoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = FolderLock(tmp_path / "data" / "chroma.lock")
    assert other.acquire()

    with (
        open_knowledge(filled, encoder, tmp_path / "data") as knowledge,
        caplog.at_level(logging.WARNING),
    ):
        found = ask(knowledge)
        ready = knowledge.wait_until_ready(20)

        assert found == ask(knowledge)
    other.release()
    assert not ready
    assert "Another process owns the Chroma folder" in caplog.text
    assert not (tmp_path / "data" / "chroma").exists()


def test_a_lock_is_free_again_after_its_owner_left(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path / "lock"), FolderLock(tmp_path / "lock")

    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


def test_chroma_follows_every_change(
    filled: Database, encoder: MiniLmEncoder, folder: Path, tmp_path: Path
) -> None:
    with open_knowledge(filled, encoder, tmp_path / "data") as knowledge:
        ask(knowledge)
        assert knowledge.wait_until_ready(20)
        (folder / "manuals/lamp.md").unlink()
        ingest(filled, folder, encoder, now=NOON)
        scanned = ask(knowledge)
        assert knowledge.wait_until_ready(20)

        assert ask(knowledge) == scanned
