"""Whatever moment the process is killed at, the next start has everything, once."""

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.retrieval.articles import read_article
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.models import (
    ArticleRow,
    ArticleStatus,
    ArticleVersionRow,
    IndexChange,
    PassageRow,
    VectorRow,
)
from opsbot.retrieval.passages import cut_article
from opsbot.retrieval.sandbox import Sandbox
from opsbot.retrieval.sources import Sources
from opsbot.retrieval.verify import verify
from tests.quick_encoder import QuickEncoder
from tests.retrieval_fixtures import NOON, write_article

pytestmark = pytest.mark.slow

ARTICLES = 80
KILLS = 3
WORDS = (
    "lamp",
    "mug",
    "grinder",
    "notebook",
    "tote",
    "shade",
    "burr",
    "glaze",
    "strap",
    "page",
    "wipe",
)


def write_articles(folder: Path, chance: random.Random, numbers: range) -> None:
    for number in numbers:
        sections = [
            f"## Part {part}\n\n" + " ".join(chance.choices(WORDS, k=40)) + ".\n"
            for part in range(chance.randrange(1, 9))
        ]
        write_article(folder, f"manuals/article-{number}.md", "\n".join(sections))


def kill_during_ingest(database: Database, folder: Path, after: int) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.ingest_until_killed", url, str(folder)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as process:  # noqa: S603  (our own program)
        assert process.stdout is not None
        for _ in range(after):
            assert process.stdout.readline()
        process.kill()


def check_what_is_there(session: Session, folder: Path) -> set[str]:
    """Check that each article is there whole or not at all; return those that are."""
    articles = {
        row.path: row
        for row in session.scalars(
            sa.select(ArticleRow).where(ArticleRow.status == ArticleStatus.READABLE)
        )
    }
    with Sandbox() as sandbox:
        for path, row in articles.items():
            kept = session.get_one(ArticleVersionRow, (row.id, row.version))
            assert kept.text == row.text
            passages = session.scalars(
                sa.select(PassageRow)
                .where(PassageRow.article_id == row.id)
                .order_by(PassageRow.ordinal)
            ).all()
            assert [passage.ordinal for passage in passages] == list(range(len(passages)))
            article = read_article(Sources(folder), path, sandbox.parse)
            if article.text == row.text:
                assert [p.text for p in passages] == [p.text for p in cut_article(article)]
    hashes = set(session.scalars(sa.select(PassageRow.content_hash)))
    assert hashes <= set(session.scalars(sa.select(VectorRow.content_hash)))
    changes = session.execute(sa.select(IndexChange.passage_id, IndexChange.added)).all()
    assert not [change for change, times in Counter(changes).items() if times > 1]
    there = {id_ for id_, added in changes if added} - {id_ for id_, added in changes if not added}
    assert there == set(session.scalars(sa.select(PassageRow.id)))
    return set(articles)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_ingest_is_repaired_by_the_next(
    database: Database, folder: Path, tmp_path: Path
) -> None:
    chance = random.Random(20)  # noqa: S311  (nothing secret)
    write_articles(folder, chance, range(ARTICLES))
    for _ in range(KILLS):
        kill_during_ingest(database, folder, after=chance.randrange(1, 2 * ARTICLES))
        with database.read() as session:
            check_what_is_there(session, folder)
        write_articles(folder, chance, range(chance.randrange(ARTICLES), ARTICLES))
        (folder / f"manuals/article-{chance.randrange(ARTICLES)}.md").unlink(missing_ok=True)

    ingest(database, folder, QuickEncoder(), now=NOON)

    with database.read() as session:
        there = check_what_is_there(session, folder)
    assert there == set(Sources(folder).list_paths())
    found = verify(
        database,
        QuickEncoder(),
        folder,
        uploads=None,
        data_dir=tmp_path / "data",
        chroma_url="",
        now=NOON,
    )
    assert found.findings == ()
