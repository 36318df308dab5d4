"""A process that follows what changed finds the same as one that reads everything anew."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from opsbot.db import Database
from opsbot.retrieval import shelving
from opsbot.retrieval.encoder import Encoded, Vectors
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.models import IndexState
from opsbot.retrieval.retriever import Retriever
from opsbot.retrieval.shelf import Reader
from opsbot.retrieval.shelving import follow, load_shelf
from opsbot.settings import RetrievalSettings
from tests.quick_encoder import QuickEncoder
from tests.retrieval_fixtures import NOON, write_article

WORDS = ("lamp", "mug", "grinder", "notebook", "tote", "shade", "burr", "glaze", "strap", "wipe")
READERS: tuple[Reader, ...] = ("customer", "staff")


def write_some(folder: Path, chance: random.Random, numbers: range) -> None:
    for number in numbers:
        text = "\n".join(
            f"## Part {part}\n\n" + " ".join(chance.choices(WORDS, k=12)) + ".\n"
            for part in range(chance.randrange(1, 6))
        )
        write_article(
            folder,
            f"manuals/a{number}.md",
            text,
            audience="staff" if number % 4 == 3 else "public",
            more=f"language: {'de' if number % 5 == 4 else 'en'}\n"
            + (f"product: [LL-{number % 3}]\n" if number % 2 else ""),
        )


def search(retriever: Retriever, reader: Reader) -> list[tuple[int, float]]:
    found = [
        retriever.search(question, audience=reader, top_k=30)
        for question in ("a lamp with a shade", "burr glaze strap", "tote")
    ]
    return [(hit.passage_id, round(hit.score, 4)) for hits in found for hit in hits]


def test_following_gives_what_reading_anew_gives(database: Database, folder: Path) -> None:
    chance, settings = random.Random(4), RetrievalSettings()  # noqa: S311  (nothing secret)
    follower = Retriever(database, QuickEncoder(), None, settings)
    write_some(folder, chance, range(24))
    ingest(database, folder, QuickEncoder(), now=NOON)
    search(follower, "staff")
    for step in range(6):
        write_some(folder, chance, range(step, step + 3))
        (folder / f"manuals/a{23 - step}.md").unlink()
        ingest(database, folder, QuickEncoder(), now=NOON)

        fresh = Retriever(database, QuickEncoder(), None, settings)

        for reader in READERS:
            assert search(follower, reader) == search(fresh, reader)


def test_an_edit_is_followed_without_reading_the_rest(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(5)  # noqa: S311  (nothing secret)
    write_some(folder, chance, range(12))
    ingest(database, folder, QuickEncoder(), now=NOON)
    with database.read() as session:
        before = load_shelf(session)
    write_some(folder, chance, range(1))
    ingest(database, folder, QuickEncoder(), now=NOON)
    monkeypatch.setattr(shelving, "load_shelf", lambda _session: pytest.fail("all was read"))

    with database.read() as session:
        after = follow(session, before)

    assert after.version > before.version
    staff = next(s for s in before.segments if s.audience == "staff")
    assert any(segment is staff for segment in after.segments)


def test_whoever_is_too_far_behind_reads_everything(database: Database, folder: Path) -> None:
    write_some(folder, random.Random(6), range(6))  # noqa: S311  (nothing secret)
    ingest(database, folder, QuickEncoder(), now=NOON)
    with database.read() as session:
        before = load_shelf(session)
    write_some(folder, random.Random(7), range(6))  # noqa: S311  (nothing secret)
    ingest(database, folder, QuickEncoder(), now=NOON)
    with database.write() as session:
        session.execute(sa.text("DELETE FROM index_changes"))
        session.execute(sa.update(IndexState).values(followed_from=IndexState.version))

    with database.read() as session:
        after, fresh = follow(session, before), load_shelf(session)

    assert after.view("staff").ids.tolist() == fresh.view("staff").ids.tolist()


@pytest.mark.parametrize("reader", READERS)
def test_a_filter_comes_before_the_score(database: Database, folder: Path, reader: Reader) -> None:
    write_some(folder, random.Random(8), range(24))  # noqa: S311  (nothing secret)
    ingest(database, folder, QuickEncoder(), now=NOON)
    retriever = Retriever(database, QuickEncoder(), None, RetrievalSettings())

    about = retriever.search("lamp shade", audience=reader, top_k=50, products=["LL-1"])
    german = retriever.search("lamp shade", audience=reader, top_k=50, language="de")
    french = retriever.search("lamp shade", audience=reader, top_k=50, language="fr")

    assert {hit.products for hit in about} == {(), ("LL-1",)}
    assert {hit.language for hit in german} == {"de"}
    assert {hit.language for hit in french} == {"en"}
    assert len(about) >= 10


def test_changing_the_encoder_switches_when_all_is_there(database: Database, folder: Path) -> None:
    class OtherEncoder(QuickEncoder):
        key = "other"

    class BreakingEncoder(OtherEncoder):
        def encode(self, texts: Sequence[str]) -> Vectors:
            raise KeyboardInterrupt

    class FirstEncoder(QuickEncoder):
        asked = False

        def encode_pieces(self, texts: Sequence[str]) -> list[Encoded]:
            self.asked = True
            return super().encode_pieces(texts)

    first = FirstEncoder()
    write_some(folder, random.Random(9), range(6))  # noqa: S311  (nothing secret)
    ingest(database, folder, QuickEncoder(), now=NOON)
    # As it is in a process that was started anew, with the other encoder chosen.
    old = Retriever(
        database, OtherEncoder(), None, RetrievalSettings(), reopen={"quick": first}.__getitem__
    )
    expected = search(old, "staff")
    assert first.asked
    with pytest.raises(KeyboardInterrupt):
        ingest(database, folder, BreakingEncoder(), now=NOON)
    assert search(old, "staff") == expected
    steps: list[tuple[int, int, str]] = []

    ingest(database, folder, OtherEncoder(), now=NOON, progress=lambda *step: steps.append(step))

    with database.read() as session:
        state = session.scalars(sa.select(IndexState)).one()
        keys = set(session.scalars(sa.text("SELECT DISTINCT model_key FROM vectors")))
    assert state.model_key == "other"
    assert keys == {"other"}
    assert steps[0][2] == ""
    assert steps[0][1] > 6
    search(old, "staff")
    first.asked = False
    search(old, "staff")
    assert not first.asked
