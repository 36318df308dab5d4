"""Questions that no article answers: kept by meaning, without personal data, until one does."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from opsbot.db import Database
from opsbot.errors import NotFoundError
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.gap_rows import GapState
from opsbot.retrieval.gaps import (
    ARTICLES,
    SAME_MEANING,
    Gap,
    Gaps,
    count_open_gaps,
    decide_gap,
    list_gaps,
)
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.models import Audience
from tests.retrieval_fixtures import NOON, write_article

LATER = NOON + timedelta(hours=1)

SAME = [
    ("do you have a shop in Madrid", "is there a store of yours in Madrid?"),
    ("can I rent a lamp", "do you rent out lamps"),
    ("does the Halo work with Alexa", "can I control the Halo by Alexa"),
    ("do you offer student discounts", "is there a discount for students"),
    ("do you sell coffee beans", "can I buy coffee beans from you"),
]
OTHER = [
    ("do you have a shop in Madrid", "can I rent a lamp"),
    ("do you sell coffee beans", "do you sell light bulbs"),
    ("does the Halo work with Alexa", "how heavy is the Halo"),
    ("do you offer student discounts", "do you offer free samples"),
    ("can I rent a lamp", "can I return a lamp"),
    ("how do I clean the mug", "how do I clean the grinder"),
]


@pytest.fixture
def gaps(knowledge: Knowledge, database: Database) -> Gaps:
    """What two articles about a lamp and a grinder do not answer."""
    return Gaps(database, knowledge)


def note(gaps: Gaps, *questions: str) -> None:
    for question in questions:
        gaps.note(question, audience=Audience.PUBLIC, now=NOON)


def shown(database: Database, state: GapState = GapState.OPEN) -> list[Gap]:
    with database.read() as session:
        return list_gaps(session, state=state, limit=50)


def test_the_threshold_parts_the_same_question_from_another(encoder: MiniLmEncoder) -> None:
    def cosines(pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [float(one @ two) for one, two in (encoder.encode(pair) for pair in pairs)]

    assert min(cosines(SAME)) >= SAME_MEANING > max(cosines(OTHER))


def test_questions_of_one_meaning_are_one_gap(gaps: Gaps, database: Database) -> None:
    note(gaps, "do you have a shop in Madrid", "is there a store of yours in Madrid?")
    gaps.note("do you have a shop in Madrid", audience=Audience.PUBLIC, now=LATER)
    note(gaps, "do you sell coffee beans")

    madrid, coffee = shown(database)

    assert (madrid.question, madrid.count) == ("do you have a shop in Madrid", 3)
    assert madrid.examples == ("is there a store of yours in Madrid?",)
    assert (madrid.first_seen, madrid.last_seen) == (NOON, LATER)
    assert (madrid.language, madrid.audience) == ("en", Audience.PUBLIC)
    assert coffee.count == 1
    with database.read() as session:
        assert count_open_gaps(session) == 2


def test_what_staff_ask_is_a_gap_of_its_own(gaps: Gaps, database: Database) -> None:
    note(gaps, "do you sell coffee beans")
    gaps.note("do you sell coffee beans", audience=Audience.STAFF, now=NOON)

    assert {gap.audience for gap in shown(database)} == {Audience.PUBLIC, Audience.STAFF}


def test_personal_data_is_not_kept(gaps: Gaps, database: Database) -> None:
    note(gaps, "can ada@example.com, +49 30 1234567, rent a lamp with order #1004 in 12051?")

    [gap] = shown(database)

    assert gap.question == "can [e-mail], [number], rent a lamp with [order] in [number]?"


def test_a_few_examples_are_kept(gaps: Gaps, database: Database) -> None:
    note(gaps, *(f"do you have a shop in Madrid{'!' * n}" for n in range(9)))

    [gap] = shown(database)

    assert gap.count == 9
    assert len(gap.examples) <= 5


def test_a_later_ingest_closes_what_it_answers(
    gaps: Gaps, database: Database, folder: Path, encoder: MiniLmEncoder
) -> None:
    note(gaps, "do you have a shop in Madrid", "who won the football world cup")
    assert gaps.close_answered(now=LATER) == 0

    text = "## Our shop in Madrid\n\nWe have a shop in Madrid, in the Calle Mayor.\n"
    write_article(folder, "shops.md", text, title="Shops")
    ingest(database, folder, encoder, now=LATER)

    assert gaps.close_answered(now=LATER) == 1
    [answered], [still] = shown(database, GapState.ANSWERED), shown(database)
    assert (answered.question, answered.decided_by) == ("do you have a shop in Madrid", ARTICLES)
    assert still.question == "who won the football world cup"
    assert gaps.close_answered(now=LATER) == 0


def test_an_answered_gap_opens_again_and_a_dismissed_one_does_not(
    gaps: Gaps, database: Database
) -> None:
    note(gaps, "do you have a shop in Madrid", "who won the football world cup")
    with database.write() as session:
        for gap, state in zip(
            shown(database), (GapState.ANSWERED, GapState.DISMISSED), strict=True
        ):
            decide_gap(session, gap.id, state, actor="staff:1", now=NOON)

    note(gaps, "do you have a shop in Madrid", "who won the football world cup")

    [opened], [dismissed] = shown(database), shown(database, GapState.DISMISSED)
    assert (opened.count, opened.decided_by) == (2, "")
    assert (dismissed.count, dismissed.decided_by) == (2, "staff:1")


def test_there_is_no_gap_of_that_number(database: Database) -> None:
    with database.write() as session, pytest.raises(NotFoundError, match="gap 77"):
        decide_gap(session, 77, GapState.DISMISSED, actor="staff:1", now=NOON)


def test_the_list_goes_on_behind_the_last_one(gaps: Gaps, database: Database) -> None:
    note(gaps, "do you have a shop in Madrid", "who won the football world cup", "rent a lamp")
    note(gaps, "rent a lamp")

    with database.read() as session:
        first = list_gaps(session, state=GapState.OPEN, limit=2)
        rest = list_gaps(session, state=GapState.OPEN, limit=2, after=first[-1].id)

    assert [gap.question for gap in first] == ["rent a lamp", "do you have a shop in Madrid"]
    assert [gap.question for gap in rest] == ["who won the football world cup"]
