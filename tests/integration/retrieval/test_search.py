"""What a search returns, to whom."""

from pathlib import Path

import pytest

from opsbot.db import Database
from opsbot.errors import NotFoundError
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.hits import Score, read_hits
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.models import Audience
from opsbot.retrieval.shelf import AUDIENCES
from opsbot.settings import RetrievalSettings
from tests.retrieval_fixtures import LAMP, NOON, write_article


def test_the_passage_that_answers_comes_first_with_its_source(knowledge: Knowledge) -> None:
    hit = knowledge.search("How do I change the LED module?", audience="customer")[0]

    assert (hit.title, hit.heading) == ("Halo desk lamp", "Change the LED module")
    assert hit.url == "/help/lamp#change-the-led-module"
    assert LAMP[hit.start : hit.end] == hit.text
    assert LAMP[hit.section_start :].startswith(hit.section)


def test_hits_are_ordered_by_their_score_and_limited(knowledge: Knowledge) -> None:
    hits = knowledge.search("clean the grinder", audience="customer", top_k=2)

    assert len(hits) == 2
    assert hits[0].score >= hits[1].score


@pytest.mark.parametrize("others", [0, 3, 30, 300, 1_200])
def test_hits_are_read_in_the_order_asked_for_however_many_there_are(
    knowledge: Knowledge, database: Database, others: int
) -> None:
    expected = knowledge.search("lamp", audience="customer", top_k=50)
    ids = [hit.passage_id for hit in expected]
    gone = range(10**6, 10**6 + others)
    scores = {
        id_: Score(place, place / 2, place / 4) for place, id_ in enumerate([*ids, *gone, 10**9])
    }

    with database.connect() as connection:
        found = read_hits(connection, scores, AUDIENCES["customer"])
        for_nobody = read_hits(connection, scores, [Audience.STAFF])

    assert [hit.passage_id for hit in found] == ids
    assert [(hit.score, hit.cosine, hit.confidence) for hit in found] == list(scores.values())[
        : len(ids)
    ]
    assert [hit[:17] for hit in found] == [hit[:17] for hit in expected]
    assert for_nobody == []


@pytest.mark.parametrize(
    "question",
    [
        "Grade B goods with scratches are sold in the outlet at a discount of 30 %",
        "grades of returned goods",
        "outlet discount",
        "Inspection",
    ],
)
def test_staff_passages_reach_staff_alone(knowledge: Knowledge, question: str) -> None:
    customer = knowledge.search(question, audience="customer", top_k=50)
    staff = knowledge.search(question, audience="staff", top_k=50)

    assert "manuals/inspection.md" not in {hit.path for hit in customer}
    assert staff[0].path == "manuals/inspection.md"
    assert {hit.path for hit in staff} > {hit.path for hit in customer}


def test_an_article_made_staff_only_vanishes_from_customers_at_once(
    knowledge: Knowledge, database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    knowledge.search("oak arm", audience="customer")
    assert knowledge.wait_until_ready(20)
    write_article(folder, "manuals/lamp.md", LAMP, title="Halo desk lamp", audience="staff")
    ingest(database, folder, encoder, now=NOON)

    hits = knowledge.search("oak arm", audience="customer")

    assert "manuals/lamp.md" not in {hit.path for hit in hits}
    assert knowledge.search("oak arm", audience="staff")[0].path == "manuals/lamp.md"


def test_a_deleted_article_vanishes_at_once(
    knowledge: Knowledge, database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    knowledge.search("oak arm", audience="customer")
    assert knowledge.wait_until_ready(20)
    (folder / "manuals/lamp.md").unlink()
    ingest(database, folder, encoder, now=NOON)

    found = [knowledge.search("oak arm", audience="customer") for _ in range(2)]
    knowledge.wait_until_ready(20)
    found.append(knowledge.search("oak arm", audience="customer"))

    assert {hit.path for hits in found for hit in hits} == {"manuals/grinder.md"}


def test_a_question_about_something_else_is_not_known(knowledge: Knowledge) -> None:
    own = knowledge.search("How do I clean the lamp?", audience="customer")
    foreign = knowledge.search("Who won the football world cup?", audience="customer")

    assert knowledge.knows(own)
    assert not knowledge.knows(foreign)
    assert not knowledge.knows([])


def test_an_operator_may_set_the_threshold(
    knowledge: Knowledge, database: Database, encoder: MiniLmEncoder, tmp_path: Path
) -> None:
    strict = Knowledge(database, encoder, tmp_path / "other", RetrievalSettings(min_score=2))

    hits = strict.search("How do I clean the lamp?", audience="customer")

    assert not strict.knows(hits)
    assert knowledge.threshold < strict.threshold == 2
    strict.close()


def test_a_named_product_brings_its_own_passages_forward(knowledge: Knowledge) -> None:
    question = "How do I clean it?"

    lamp = knowledge.search(question, audience="customer", products=["LL-LMP-01"])
    grinder = knowledge.search(question, audience="customer", products=["LL-GRD-01"])

    assert lamp[0].path == "manuals/lamp.md"
    assert grinder[0].path == "manuals/grinder.md"


def test_the_turn_before_tells_what_it_is(knowledge: Knowledge) -> None:
    question = "And how do I clean it?"

    lamp = knowledge.search(question, audience="customer", context="the Halo desk lamp in oak")
    grinder = knowledge.search(question, audience="customer", context="the Pebble grinder, burrs")

    assert lamp[0].path == "manuals/lamp.md"
    assert grinder[0].path == "manuals/grinder.md"


@pytest.mark.parametrize("question", ["", "   ", "?!", "\x00", "a" * 20_000, "' OR 1=1 --", "😟"])
def test_odd_questions_are_answered_or_not_but_never_fail(
    knowledge: Knowledge, question: str
) -> None:
    answer = knowledge.answer(question, audience="customer")

    assert len(answer.hits) <= 5
    assert bool(answer.extracts) == answer.known


def test_an_empty_index_knows_nothing(
    database: Database, encoder: MiniLmEncoder, tmp_path: Path
) -> None:
    empty = Knowledge(database, encoder, tmp_path / "data", RetrievalSettings())

    answer = empty.answer("How do I clean the lamp?", audience="customer")

    assert (answer.known, answer.text, answer.hits) == (False, "", ())
    empty.close()


def test_articles_are_listed_and_read_by_who_may_see_them(knowledge: Knowledge) -> None:
    listed = [article.slug for article in knowledge.list_articles(audience="customer")]

    assert listed == ["grinder", "lamp"]
    assert len(knowledge.list_articles(audience="staff")) == 3
    page = knowledge.article("lamp", audience="customer")
    assert page.text == LAMP
    assert [h.anchor for h in page.headings] == ["clean-the-lamp", "change-the-led-module"]
    with pytest.raises(NotFoundError, match="could not find article inspection"):
        knowledge.article("inspection", audience="customer")


def test_unreadable_files_are_listed_with_their_reason(
    knowledge: Knowledge, database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    (folder / "manuals/lamp.md").write_text("no front matter", encoding="utf-8")
    ingest(database, folder, encoder, now=NOON)

    [(path, reason)] = knowledge.list_unreadable()

    assert path == "manuals/lamp.md"
    assert "front matter" in reason
    with pytest.raises(NotFoundError):
        knowledge.article("lamp", audience="staff")
