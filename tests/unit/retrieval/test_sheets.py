"""Tables of questions and answers: whose rows are whose, and which are left out, and why."""

from pathlib import Path

import pytest

from opsbot.errors import InvalidInputError
from opsbot.retrieval.articles import Article, read_article
from opsbot.retrieval.models import Audience
from opsbot.retrieval.readers.untrusted import parse
from opsbot.retrieval.sources import Sources

SIDECAR = "title: Questions about mugs\naudience: public\n"
MIXED = """question,answer,audience,language,product
May the mug go into the dishwasher?,"Yes, on the upper rack.",,,
What does a mug cost us?,EUR 4.10,staff,,
Darf die Tasse in die Spülmaschine?,"Ja, in den oberen Korb.",,de,
How heavy is the large one?,410 g,,,LL-MUG-02
"""


def write(folder: Path, content: str, *, sidecar: str = SIDECAR, encoding: str = "utf-8") -> None:
    (folder / "mugs.csv").write_bytes(content.encode(encoding))
    if sidecar:
        (folder / "mugs.csv.meta.yaml").write_text(sidecar, encoding="utf-8")


def read_all(folder: Path) -> dict[str, Article]:
    sources = Sources(folder)
    return {path: read_article(sources, path, parse) for path in sources.list_paths()}


def test_each_row_is_a_section_under_its_question(folder: Path) -> None:
    write(folder, "Question,Answer\nIs it glazed?,Yes.\nWhere is it made?,In our studio.\n")

    [article] = read_all(folder).values()

    assert article.text == ("## Is it glazed?\n\nYes.\n\n## Where is it made?\n\nIn our studio.\n")
    assert [heading.text for heading in article.headings] == ["Is it glazed?", "Where is it made?"]
    assert article.about.title == "Questions about mugs"


def test_rows_for_other_readers_are_articles_of_their_own(folder: Path) -> None:
    write(folder, MIXED)

    articles = read_all(folder)

    assert list(articles) == [
        "mugs.csv",
        "mugs.csv#de",
        "mugs.csv#ll-mug-02",
        "mugs.csv#staff",
    ]
    staff = articles["mugs.csv#staff"]
    assert (staff.about.audience, staff.slug) == (Audience.STAFF, "mugs-staff")
    assert articles["mugs.csv#de"].about.language == "de"
    assert articles["mugs.csv#ll-mug-02"].about.product == ["LL-MUG-02"]
    assert "4.10" not in articles["mugs.csv"].text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(
    "content",
    [
        "Frage;Antwort\nWie groß?;Für 300 ml\n",
        "Kategorie\tFrage\tAntwort\r\n\tWie groß?\tFür 300 ml\r\n",
        'sep=|\n"Frage"|"Antwort"\n"Wie groß?"|"Für 300 ml"\n',
    ],
    ids=["semicolons", "tabs", "told"],
)
def test_a_table_is_read_as_spreadsheets_write_it(
    folder: Path, content: str, encoding: str
) -> None:
    write(folder, content, encoding=encoding)

    [article] = read_all(folder).values()

    assert article.text == "## Wie groß?\n\nFür 300 ml\n"


def test_a_row_that_says_its_audience_needs_no_sidecar(folder: Path) -> None:
    write(folder, "question,answer,audience\nWhere?,Here.,public\n", sidecar="")

    [article] = read_all(folder).values()

    assert (article.about.title, article.about.audience) == ("mugs", Audience.PUBLIC)


def test_rows_without_an_audience_need_a_sidecar(folder: Path) -> None:
    write(folder, "question,answer\nWhere?,Here.\n", sidecar="")

    with pytest.raises(InvalidInputError, match="rows without an audience"):
        read_all(folder)


def test_an_answer_brings_no_headings_of_its_own(folder: Path) -> None:
    write(folder, 'question,answer\nHow?,"# Care\nWash it.\n---\nDry it."\n')

    [article] = read_all(folder).values()

    assert [heading.text for heading in article.headings] == ["How?"]


def test_an_answer_in_html_becomes_markdown(folder: Path) -> None:
    write(folder, 'question,answer\nHow?,"<ol><li>Wash it.</li><li>Dry <b>it</b>.</li></ol>"\n')

    [article] = read_all(folder).values()

    assert article.text == "## How?\n\n1. Wash it.\n2. Dry **it**.\n"


def test_categories_are_headings_above_the_questions(folder: Path) -> None:
    write(folder, "category,question,answer\nCare,How?,So.\nPrice,What?,EUR 9\nCare,When?,Now.\n")

    [article] = read_all(folder).values()

    headings = [(heading.level, heading.text) for heading in article.headings]
    assert headings == [(2, "Care"), (3, "How?"), (3, "When?"), (2, "Price"), (3, "What?")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",An answer", "Row 3 is left out: it has no question."),
        ("A question,", "Row 3 is left out: it has no answer."),
        ("Short row", "Row 3 is left out: it has no answer."),
        (f"{'long ' * 80},Yes", "Row 3 is left out: its question has more than 300 characters."),
        ("Who?,We,vip", "Row 3 is left out: its audience is 'vip', neither public nor staff."),
        ("Who?,We,,german", "Row 3 is left out: its language is 'german', no code"),
        ("FIRST?,Other", "Row 3 is left out: it asks the same as row 2."),
    ],
)
def test_a_row_that_cannot_be_used_is_left_out_with_a_reason(
    folder: Path, row: str, reason: str
) -> None:
    write(folder, f"question,answer,audience,language\nFirst?,Yes\n{row}\nLast?,Yes\n")

    [article] = read_all(folder).values()

    assert article.text == "## First?\n\nYes\n\n## Last?\n\nYes\n"
    assert len(article.notes) == 1
    assert article.notes[0].startswith(reason)


def test_a_change_of_one_row_changes_the_stamp_of_the_file(folder: Path) -> None:
    write(folder, MIXED)
    before = Sources(folder).snapshot()

    write(folder, MIXED + "Is it new?,Yes.,,,\n")

    assert Sources(folder).snapshot() != before
