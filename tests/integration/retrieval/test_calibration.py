"""What the sample shop knows, and what it does not."""

from pathlib import Path

import pytest
from sqlalchemy import select

from opsbot.db import Database
from opsbot.retrieval.calibration import FOREIGN, calibrate
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.models import IndexState
from tests.retrieval_fixtures import NOON, write_three_articles

pytestmark = pytest.mark.slow

ELSEWHERE = (
    "Who won the football world cup?",
    "What time is it in Tokyo?",
    "How do I bake sourdough bread?",
    "Is Pluto a planet?",
    "Recommend a good crime novel",
    "How do I change a car tyre?",
    "What are the symptoms of flu?",
    "Translate good morning into Spanish",
    "How long does it take to fly to Sydney?",
    "Who is the pope?",
    "What is blockchain?",
    "Write me a poem about autumn",
    "How do I file my taxes?",
    "How do I reset my router password?",
    "How do I learn to play the guitar?",
    "How many calories are in a banana?",
)
NEAR = (
    "do you have a shop in Madrid",
    "Is there a lamp with a clock?",
    "Can I hire the studio for a birthday party?",
    "Do you sell espresso machines?",
    "Which oil is best for a cast-iron pan?",
    "Can the kettle make soup?",
    "Do you offer pottery classes for children?",
    "Is the tote bag bulletproof?",
    "Do you buy used lamps from customers?",
    "Who designed the Halo lamp?",
    "How many people work at Lumen & Loom?",
    "Is there a student discount?",
    "Does the grinder grind peppercorns?",
    "Can I get a job in the studio?",
    "Do you make curtains?",
    "Can I control the lamp with Alexa?",
)
"""Of the shop's own subjects, but no article answers them."""
OWN = (
    "How do I change the LED module of my Halo?",
    "when can I call you",
    "the lid of my kettle does not close any more",
    "how much is delivery to Norway",
    "my parcel says delivered but it is not here",
    "can I cancel an order after paying",
    "is the mug dishwasher safe",
    "which grind size for French press",
    "my lamp flickers when I dim it",
    "how long do I have to send something back",
    "do you engrave names on notebooks",
    "a page fell out of my notebook",
    "what does E-17 mean on the grinder",
    "how do I descale the kettle",
    "how long is the guarantee on lamps",
    "can I use a gift card twice",
    "the zip of my daypack is stuck",
    "how do I wash the tote bag",
    "do I pay customs in Switzerland",
    "how do I get points for the loyalty programme",
)


def known(knowledge: Knowledge, questions: tuple[str, ...]) -> list[str]:
    return [ask for ask in questions if knowledge.answer(ask, audience="customer").known]


def test_questions_about_other_things_are_refused(sample_knowledge: Knowledge) -> None:
    assert not set(ELSEWHERE) & set(FOREIGN)
    assert known(sample_knowledge, ELSEWHERE) == []


def test_most_questions_that_no_article_answers_are_refused(sample_knowledge: Knowledge) -> None:
    assert len(known(sample_knowledge, NEAR)) <= 7


def test_own_questions_are_answered(sample_knowledge: Knowledge) -> None:
    assert len(known(sample_knowledge, OWN)) >= 19


def test_the_threshold_is_kept_with_what_it_rests_on(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    write_three_articles(folder)
    ingest(database, folder, encoder, now=NOON)
    with database.read() as session:
        state = session.scalars(select(IndexState)).one()

    again = calibrate(database, encoder)

    assert again == pytest.approx(state.threshold)
    assert set(state.calibration) == {"foreign", "own", "asked"}
    assert 0 < state.calibration["asked"] <= 6
    with database.read() as session:
        assert session.scalars(select(IndexState.version)).one() == state.version + 1


def test_an_empty_index_can_be_calibrated(
    database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    write_three_articles(folder)
    ingest(database, folder, encoder, now=NOON)
    for file in folder.rglob("*.md"):
        file.unlink()

    ingest(database, folder, encoder, now=NOON)

    with database.read() as session:
        state = session.scalars(select(IndexState)).one()
    assert state.calibration == {"foreign": 0, "own": 0, "asked": 0}
    assert state.threshold is not None
    assert state.threshold > 0
