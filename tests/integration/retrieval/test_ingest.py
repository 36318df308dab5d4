"""What an ingest does to the database, and what it leaves alone."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from opsbot.db import Database
from opsbot.errors import InvalidInputError
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.models import (
    LAST_GOOD,
    ArticleRow,
    ArticleStatus,
    IndexState,
    PassageRow,
    VectorRow,
)
from opsbot.retrieval.rows import read_vectors
from tests.retrieval_fixtures import (
    LAMP,
    NOON,
    CountingEncoder,
    write_article,
    write_three_articles,
)

THREE = ["manuals/grinder.md", "manuals/inspection.md", "manuals/lamp.md"]


def read_version(database: Database) -> int:
    with database.read() as session:
        return session.scalars(sa.select(IndexState.version)).one()


def read_texts(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(sa.select(PassageRow.text)))


def test_a_first_ingest_stores_articles_passages_and_vectors(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    write_three_articles(folder)

    report = ingest(database, folder, encoder, now=NOON)

    assert (report.added, report.changed, report.removed, report.unreadable) == (THREE, [], [], [])
    with database.read() as session:
        [lamp] = session.scalars(sa.select(ArticleRow).where(ArticleRow.path == THREE[2]))
        passages = session.scalars(
            sa.select(PassageRow)
            .where(PassageRow.article_id == lamp.id)
            .order_by(PassageRow.ordinal)
        ).all()
        vectors = list(read_vectors(session, [passage.id for passage in passages]))
    assert (lamp.title, lamp.products, lamp.text) == ("Halo desk lamp", ["LL-LMP-01"], LAMP)
    assert [passage.anchor for passage in passages] == ["clean-the-lamp", "change-the-led-module"]
    for passage in passages:
        assert lamp.text[passage.start : passage.end] == passage.text
    assert {found.id for found in vectors} == {passage.id for passage in passages}
    for found in vectors:
        assert abs(float(found.text @ found.text) - 1) < 0.01
        assert abs(float(found.title @ found.title) - 1) < 0.01


def test_unchanged_files_are_not_embedded_again(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    write_three_articles(folder)
    ingest(database, folder, encoder, now=NOON)
    counting, version = CountingEncoder(encoder), read_version(database)

    report = ingest(database, folder, counting, now=NOON)

    assert report.unchanged == THREE
    assert counting.texts == []
    assert read_version(database) == version


def test_only_the_passage_that_changed_is_embedded(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    write_three_articles(folder)
    ingest(database, folder, encoder, now=NOON)
    counting, version = CountingEncoder(encoder), read_version(database)
    changed = LAMP.replace("a dry cloth", "a soft cloth")
    write_article(folder, THREE[2], changed, title="Halo desk lamp", more="product: [LL-LMP-01]\n")

    report = ingest(database, folder, counting, now=NOON)

    assert (report.changed, report.unchanged) == ([THREE[2]], THREE[:2])
    assert any("soft cloth" in text for text in counting.texts)
    assert not any("Clean the lamp. Wipe the oak arm with a dry" in t for t in counting.texts)
    embedded = [t for t in counting.texts if t.startswith("Change the LED module. You need")]
    assert embedded == []
    assert read_version(database) > version


def test_a_renamed_file_keeps_its_vectors(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    write_three_articles(folder)
    ingest(database, folder, encoder, now=NOON)
    (folder / THREE[2]).rename(folder / "manuals" / "halo.md")

    report = ingest(database, folder, encoder, now=NOON)

    assert (report.added, report.removed) == (["manuals/halo.md"], [THREE[2]])


def test_a_deleted_file_leaves_nothing(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    write_three_articles(folder)
    ingest(database, folder, encoder, now=NOON)
    (folder / THREE[2]).unlink()

    report = ingest(database, folder, encoder, now=NOON)

    assert report.removed == [THREE[2]]
    assert not any("oak arm" in text for text in read_texts(database))


def test_a_broken_file_is_reported_and_the_rest_goes_on(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    write_three_articles(folder)
    (folder / "manuals" / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    (folder / "manuals" / "latin.md").write_bytes(b"---\ntitle: Caf\xe9\n---\n")

    first = ingest(database, folder, encoder, now=NOON)
    second = ingest(database, folder, encoder, now=NOON)

    assert first.added == THREE
    assert [path for path, _ in first.unreadable] == ["manuals/broken.pdf", "manuals/latin.md"]
    assert first.unreadable == second.unreadable
    assert "broken.pdf is not a PDF" in first.unreadable[0][1]


def test_a_file_that_breaks_loses_its_passages_until_it_is_mended(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    write_three_articles(folder)
    ingest(database, folder, encoder, now=NOON)
    whole = (folder / THREE[2]).read_text(encoding="utf-8")
    (folder / THREE[2]).write_text(whole.replace("audience: public", "audience: staf"))

    ingest(database, folder, encoder, now=NOON)
    broken = read_texts(database)
    (folder / THREE[2]).write_text(whole, encoding="utf-8")
    ingest(database, folder, encoder, now=NOON)

    assert not any("oak arm" in text for text in broken)
    assert any("oak arm" in text for text in read_texts(database))
    with database.read() as session:
        states = session.scalars(sa.select(ArticleRow.status)).all()
    assert set(states) == {ArticleStatus.READABLE}


def test_two_files_with_one_address_are_told_apart(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    write_article(folder, "faqs/warranty.md", "Two years.")
    write_article(folder, "manuals/warranty.md", "Three years.")

    report = ingest(database, folder, encoder, now=NOON)

    [(path, reason)] = report.unreadable
    assert path == "manuals/warranty.md"
    assert "same address as faqs/warranty.md" in reason


def test_another_encoder_embeds_everything_again(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    class OtherEncoder(CountingEncoder):
        @property
        def key(self) -> str:
            return "another-model"

    write_three_articles(folder)
    ingest(database, folder, encoder, now=NOON)
    other = OtherEncoder(encoder)

    report = ingest(database, folder, other, now=NOON)

    assert report.unchanged == THREE
    assert any("oak arm" in text for text in other.texts)
    with database.read() as session:
        assert set(session.scalars(sa.select(VectorRow.model_key))) == {"another-model"}


def test_an_empty_folder_is_an_empty_index(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    report = ingest(database, folder, encoder, now=NOON)

    assert not any(vars(report).values())


def test_a_missing_folder_changes_nothing(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    write_three_articles(folder)
    ingest(database, folder, encoder, now=NOON)

    with pytest.raises(InvalidInputError, match="does not exist"):
        ingest(database, folder / "nowhere", encoder, now=NOON)

    assert len(read_texts(database)) == 5


def test_progress_names_each_file(database: Database, encoder: MiniLmEncoder, folder: Path) -> None:
    write_three_articles(folder)
    seen: list[tuple[int, int, str]] = []

    ingest(database, folder, encoder, now=NOON, progress=lambda *step: seen.append(step))

    assert seen == [(number, 3, path) for number, path in enumerate(THREE)]


def _state_of(database: Database, path: str) -> tuple[ArticleStatus, str, int]:
    with database.read() as session:
        row = session.scalars(sa.select(ArticleRow).where(ArticleRow.path == path)).one()
        held = sa.select(sa.func.count()).where(PassageRow.article_id == row.id)
        return row.status, row.reason, session.scalar(held) or 0


def test_a_broken_front_matter_keeps_the_last_good_version_and_is_listed(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    write_article(folder, "faqs/warranty.md", "Lamps are covered for three years.")
    ingest(database, folder, encoder, now=NOON)
    file = folder / "faqs/warranty.md"
    good = file.read_text(encoding="utf-8")

    for broken in (good.replace("title:", "title: ["), good.replace("title:", "tilte:")):
        file.write_text(broken, encoding="utf-8")
        for _ in range(2):  # a second look at the same file says the same
            report = ingest(database, folder, encoder, now=NOON)
            [(path, reason)] = report.unreadable
            assert (path, reason.endswith(LAST_GOOD)) == ("faqs/warranty.md", True)
        status, kept, passages = _state_of(database, path)
        assert (status, kept) == (ArticleStatus.READABLE, reason)
        assert passages > 0

    file.write_text(good, encoding="utf-8")
    report = ingest(database, folder, encoder, now=NOON)
    assert (report.changed, report.unreadable) == ([path], [])
    assert _state_of(database, path)[1] == ""


@pytest.mark.parametrize(
    "broken",
    [
        "---\ntitle: [\naudience: staff\n---\nOnly for us.",
        "---\ntitle: [\naudience: staf\n---\nOnly for us.",
        "No front matter at all.",
        "---\ntitle: Warranty\naudience: public\n---\n\x00",
    ],
    ids=["for staff", "perhaps for staff", "none", "no text"],
)
def test_what_may_be_for_others_or_is_broken_elsewhere_is_not_kept(
    database: Database, encoder: MiniLmEncoder, folder: Path, broken: str
) -> None:
    write_article(folder, "faqs/warranty.md", "Lamps are covered for three years.")
    ingest(database, folder, encoder, now=NOON)

    (folder / "faqs/warranty.md").write_text(broken, encoding="utf-8")
    report = ingest(database, folder, encoder, now=NOON)

    if not report.unreadable:  # what can be read is simply another version
        assert report.changed == ["faqs/warranty.md"]
        return
    status, _, passages = _state_of(database, "faqs/warranty.md")
    assert (status, passages) == (ArticleStatus.UNREADABLE, 0)
