"""Every text an article ever had can be read again, by whom it was for."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from opsbot.db import Database
from opsbot.errors import NotFoundError
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.models import ArticleRow, ArticleStatus, PassageRow
from tests.retrieval_fixtures import LAMP, NOON, write_article

SOFT = LAMP.replace("a dry cloth", "a soft cloth")


def write_lamp(folder: Path, text: str, *, audience: str = "public", path: str = "") -> None:
    write_article(
        folder, path or "manuals/lamp.md", text, title="Halo desk lamp", audience=audience
    )


def test_a_changed_text_is_a_new_version_and_the_old_one_stays(
    knowledge: Knowledge, database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    before = knowledge.search("oak arm", audience="customer")[0]
    write_lamp(folder, SOFT)
    ingest(database, folder, encoder, now=NOON)

    after = knowledge.search("oak arm", audience="customer")[0]

    assert (before.slug, before.version, after.version) == ("lamp", 1, 2)
    old = knowledge.read_version("lamp", 1, audience="customer")
    new = knowledge.read_version("lamp", 2, audience="customer")
    assert (old.text, new.text) == (LAMP, SOFT)
    assert old.text[before.start : before.end] == before.text
    assert (old.current, new.current) == (2, 2)


def test_a_new_product_alone_is_no_new_version(
    knowledge: Knowledge, database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    more = "product: [LL-LMP-01, LL-LMP-02]\n"
    write_article(folder, "manuals/lamp.md", LAMP, title="Halo desk lamp", more=more)

    report = ingest(database, folder, encoder, now=NOON)

    assert report.changed == ["manuals/lamp.md"]
    assert knowledge.search("oak arm", audience="customer")[0].version == 1


def test_a_deleted_article_can_still_be_quoted_but_not_found(
    knowledge: Knowledge, database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    (folder / "manuals/lamp.md").unlink()
    ingest(database, folder, encoder, now=NOON)

    version = knowledge.read_version("lamp", 1, audience="customer")

    assert (version.text, version.current) == (LAMP, None)
    with pytest.raises(NotFoundError):
        knowledge.article("lamp", audience="staff")
    with database.read() as session:
        [lamp] = session.scalars(sa.select(ArticleRow).where(ArticleRow.slug == "lamp"))
        passages = session.scalars(sa.select(PassageRow.article_id)).all()
    assert (lamp.status, lamp.text) == (ArticleStatus.DELETED, "")
    assert lamp.id not in passages


def test_a_file_that_moves_goes_on_counting(
    knowledge: Knowledge, database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    (folder / "manuals/lamp.md").unlink()
    write_lamp(folder, SOFT, path="faqs/lamp.md")
    ingest(database, folder, encoder, now=NOON)

    assert knowledge.read_version("lamp", 1, audience="customer").text == LAMP
    assert knowledge.read_version("lamp", 2, audience="customer").text == SOFT


def test_what_was_for_staff_stays_for_staff(
    knowledge: Knowledge, database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    write_lamp(folder, "## Margin\n\nIt costs us 9 euros.\n", audience="staff")
    ingest(database, folder, encoder, now=NOON)
    for version in (1, 2):
        with pytest.raises(NotFoundError):
            knowledge.read_version("lamp", version, audience="customer")
    write_lamp(folder, SOFT)
    ingest(database, folder, encoder, now=NOON)

    with pytest.raises(NotFoundError):
        knowledge.read_version("lamp", 2, audience="customer")
    assert "9 euros" in knowledge.read_version("lamp", 2, audience="staff").text
    assert knowledge.read_version("lamp", 3, audience="customer").text == SOFT


def test_a_passage_with_a_warning_says_so(knowledge: Knowledge) -> None:
    hits = knowledge.search("LED module and cleaning", audience="customer", top_k=9)

    warned = {hit.heading for hit in hits if hit.safety}
    assert warned == {"Change the LED module"}
