"""What staff do with articles, as far as rows, files and answers show it."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

from opsbot.db import Database
from opsbot.errors import ConflictError, InvalidInputError, NotFoundError
from opsbot.jobs import Follower
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.library import Library, make_safe_name
from opsbot.retrieval.models import ArticleRow, ArticleStatus, Audience, IndexState
from opsbot.retrieval.shelf import Reader
from opsbot.retrieval.sources import Sources
from opsbot.settings import RetrievalSettings
from tests.retrieval_fixtures import NOON, write_article, write_three_articles

pytestmark = pytest.mark.slow

CARE = b"# Care\n\nWipe the walnut stand with beeswax every spring.\n"
FRONT = b"---\ntitle: Care\naudience: public\n---\n" + CARE
PUBLIC = {"audience": "public"}


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    return tmp_path / "uploads"


@pytest.fixture
def library(database: Database, encoder: MiniLmEncoder, folder: Path, uploads: Path) -> Library:
    """Two public articles and one for staff in the folder, and no upload yet."""
    write_three_articles(folder)
    ingest(database, folder, encoder, now=NOON, uploads=uploads)
    return Library(database, encoder, Sources(folder, uploads))


@pytest.fixture
def knowledge(
    database: Database, encoder: MiniLmEncoder, library: Library, tmp_path: Path
) -> Iterator[Knowledge]:
    opened = Knowledge(database, encoder, tmp_path / "data", RetrievalSettings())
    yield opened
    opened.close()


def best(knowledge: Knowledge, *, audience: Reader = "customer") -> str:
    """Return the path of what is found first about the stand."""
    hits = knowledge.search("How do I care for the walnut stand?", audience=audience)
    return hits[0].path if hits else ""


def test_an_uploaded_file_is_found_at_once(library: Library, knowledge: Knowledge) -> None:
    done = library.upload("Stand care.txt", CARE, PUBLIC, now=NOON)

    [entry] = done.entries
    assert (entry.path, entry.title, done.replaced) == (
        "uploads/Stand-care.txt",
        "Stand care",
        False,
    )
    assert (entry.status, entry.audience, entry.language, entry.version) == (
        ArticleStatus.READABLE,
        Audience.PUBLIC,
        "en",
        1,
    )
    assert entry.passages == 1
    assert best(knowledge) == "uploads/Stand-care.txt"


def test_a_file_of_the_same_name_takes_its_place(library: Library, knowledge: Knowledge) -> None:
    library.upload("stand.md", FRONT, {}, now=NOON)

    done = library.upload("stand.md", CARE, {"audience": "staff", "title": "Stand"}, now=NOON)

    assert (done.replaced, done.entries[0].version) == (True, 2)
    assert done.entries[0].audience is Audience.STAFF
    assert best(knowledge) != "uploads/stand.md"
    assert best(knowledge, audience="staff") == "uploads/stand.md"


def test_an_ingest_from_elsewhere_keeps_what_was_uploaded(
    library: Library, database: Database, encoder: MiniLmEncoder, folder: Path, uploads: Path
) -> None:
    library.upload("stand.md", FRONT, {}, now=NOON)

    report = ingest(database, folder, encoder, now=NOON, uploads=uploads)

    assert report.removed == []
    assert "uploads/stand.md" in report.unchanged


def test_a_deleted_article_is_hidden_and_its_file_is_gone(
    library: Library, knowledge: Knowledge, database: Database, uploads: Path
) -> None:
    library.upload("stand.txt", CARE, PUBLIC, now=NOON)

    assert library.remove("stand", now=NOON) == ["uploads/stand.txt"]

    assert best(knowledge) != "uploads/stand.txt"
    assert list(uploads.iterdir()) == []
    assert not any(entry.uploaded for entry in library.list_entries())
    with database.read() as session:
        states = session.scalars(
            sa.select(ArticleRow.status).where(ArticleRow.path == "uploads/stand.txt")
        ).all()
    assert states == [ArticleStatus.DELETED]


def test_a_deleted_article_can_be_uploaded_again(library: Library, knowledge: Knowledge) -> None:
    library.upload("stand.md", FRONT, {}, now=NOON)
    library.remove("stand", now=NOON)

    done = library.upload("stand.md", FRONT, {}, now=NOON)

    assert not done.replaced
    assert best(knowledge) == "uploads/stand.md"


def test_a_table_for_several_readers_is_several_articles(library: Library) -> None:
    table = b"question,answer,audience\nIs it oak?,Walnut.,\nWhat does it cost us?,EUR 9,staff\n"

    done = library.upload("stand.csv", table, PUBLIC, now=NOON)

    assert [(entry.path, str(entry.audience)) for entry in done.entries] == [
        ("uploads/stand.csv", "public"),
        ("uploads/stand.csv#staff", "staff"),
    ]
    assert library.remove("stand-staff", now=NOON) == [
        "uploads/stand.csv",
        "uploads/stand.csv#staff",
    ]


def test_rows_that_were_left_out_are_said(library: Library) -> None:
    table = b"question,answer\nIs it oak?,Walnut.\nIs it heavy?,\n"

    [entry] = library.upload("stand.csv", table, PUBLIC, now=NOON).entries

    assert entry.reason == "Row 3 is left out: it has no answer."


@pytest.mark.parametrize(
    ("name", "content", "stated", "reason"),
    [
        ("a.exe", b"MZ", PUBLIC, r"'a\.exe' cannot be read; files may end with \.csv"),
        ("policies.yaml", b"clauses: []", PUBLIC, r"cannot be read"),
        (".md", CARE, PUBLIC, r"cannot be read"),
        ("a.pdf", b"%PDF-1.7 broken", PUBLIC, r"a\.pdf is not a PDF that can be read"),
        ("a.txt", CARE, {}, r"the field `audience` is missing"),
        ("a.txt", CARE, {"audience": "all"}, r"the field `audience` is wrong"),
        ("a.txt", b" \n", PUBLIC, r"a\.txt holds no text"),
        ("a.md", FRONT, {"audience": "staff"}, r"a\.md says that it is for public"),
        ("a.csv", b"x,y\n1,2\n", PUBLIC, r"no columns for questions and answers"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_nothing(
    library: Library,
    uploads: Path,
    name: str,
    content: bytes,
    stated: dict[str, object],
    reason: str,
) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        library.upload(name, content, stated, now=NOON)

    assert not uploads.exists() or list(uploads.iterdir()) == []
    assert len(library.list_entries()) == 3


def test_a_refused_replacement_leaves_the_old_file(
    library: Library, knowledge: Knowledge, uploads: Path
) -> None:
    library.upload("stand.txt", CARE, PUBLIC, now=NOON)

    with pytest.raises(InvalidInputError, match="no text"):
        library.upload("stand.txt", b"", PUBLIC, now=NOON)

    assert (uploads / "stand.txt").read_bytes() == CARE
    assert best(knowledge) == "uploads/stand.txt"


def test_an_address_that_is_taken_is_refused(library: Library) -> None:
    with pytest.raises(ConflictError, match=r"the same address as manuals/lamp\.md \(/help/lamp\)"):
        library.upload("Lamp.txt", CARE, PUBLIC, now=NOON)


def test_a_file_of_the_shop_is_not_ours_to_delete(library: Library, folder: Path) -> None:
    with pytest.raises(ConflictError, match="lies in the knowledge folder"):
        library.remove("lamp", now=NOON)

    assert (folder / "manuals" / "lamp.md").is_file()


def test_what_is_not_there_cannot_be_deleted(library: Library) -> None:
    with pytest.raises(NotFoundError):
        library.remove("nothing", now=NOON)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.md", "passwd.md"),
        ("C:\\fakepath\\Halo manual (2).PDF", "Halo-manual-2.pdf"),
        (".hidden.md", "hidden.md"),
        ("_draft~.txt", "draft.txt"),
        ("a.meta.yaml.csv", "a.meta.yaml.csv"),
        ("faq.csv#staff.csv", "faq.csv-staff.csv"),
        ("x\x00y\n.md", "x-y.md"),
        ("Bedienung für Mühle.md", "Bedienung-für-Mühle.md"),
        ("n" * 300 + ".md", "n" * 100 + ".md"),
    ],
)
def test_a_name_is_made_safe(given: str, kept: str) -> None:
    assert make_safe_name(given) == kept


def test_unreadable_files_are_listed_with_their_reason(library: Library, folder: Path) -> None:
    write_article(folder, "faqs/care.md", "Text.", audience="nobody")

    library.follow(now=NOON)

    [entry] = [entry for entry in library.list_entries() if entry.reason]
    assert (entry.path, entry.status) == ("faqs/care.md", ArticleStatus.UNREADABLE)
    assert "the field `audience` is wrong" in entry.reason


def test_the_list_goes_on_after_a_path(library: Library) -> None:
    paths = [entry.path for entry in library.list_entries()]

    assert [entry.path for entry in library.list_entries(after=paths[0], limit=1)] == [paths[1]]


def test_one_article_among_many_does_not_measure_the_threshold_anew(
    library: Library, database: Database, folder: Path
) -> None:
    for number in range(60):
        write_article(folder, f"faqs/part-{number}.md", f"Part {number} is made of steel.\n")
    library.follow(now=NOON)
    versions = list[int]()

    for number in range(4):
        library.upload(f"note-{number}.md", FRONT, {}, now=NOON)
        with database.read() as session:
            versions.append(session.scalars(sa.select(IndexState.version)).one())

    steps = [after - before for before, after in pairwise(versions)]
    # Each change raises the version once; the calibration after the fourth raises it again.
    assert steps == [1, 1, 2]


def test_an_ingest_tells_what_was_left_out_each_time(library: Library, folder: Path) -> None:
    (folder / "mugs.csv").write_text("question,answer,audience\nWhere?,Here.,public\nWhy?,,\n")

    reports = [library.follow(now=NOON) for _ in range(2)]

    left_out = [("mugs.csv#public", "Row 3 is left out: it has no answer.")]
    assert [report.partly for report in reports] == [left_out, left_out]


def test_a_saved_file_is_found_after_two_looks(
    library: Library, knowledge: Knowledge, database: Database, folder: Path
) -> None:
    follower = Follower(database, library, lambda: NOON, every_s=1)
    follower.run_once(NOON)
    follower.run_once(NOON)

    write_article(folder, "faqs/stand.md", CARE.decode())
    counts = [follower.run_once(NOON), follower.run_once(NOON)]

    assert counts == [0, 1]
    assert best(knowledge) == "faqs/stand.md"
