"""Which product a question is about: by name, number, what was said before, or asked for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opsbot.db import Database
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.names import NameBook, read_names
from opsbot.retrieval.scope import Scope, find_scope
from opsbot.settings import RetrievalSettings
from tests.factories import make_item
from tests.retrieval_fixtures import NOON, write_article

VEGA = """The Vega is a desk lamp with a glass shade.

## Clean the shade

Put the glass shade of the Vega into the dishwasher, at up to 60 degrees.

## Technical data

| Property | Value |
|---|---|
| Power | 9 W |
| Weight | 1.2 kg |
"""
NOVA = """The Nova is a desk lamp with a paper shade.

## Clean the shade

Never wash the paper shade of the Nova. Dust it with a brush.

## Technical data

| Property | Value |
|---|---|
| Power | 5 W |
| Weight | 0.7 kg |
"""
TOASTER = """The Crisp is a toaster.

## Clean the toaster

Empty the crumb tray of the Crisp once a week.
"""
ENGLISH = {"packet", "plane", "mobile", "hello"}


@pytest.fixture
def lamps(
    database: Database, encoder: MiniLmEncoder, folder: Path, tmp_path: Path
) -> Iterator[Knowledge]:
    """Two lamps whose manuals say opposite things, and a toaster."""
    for sku, title, kind in (
        ("LL-LMP-21", "Vega desk lamp", "lamps"),
        ("LL-LMP-22", "Nova desk lamp", "lamps"),
        ("LL-TST-01", "Crisp toaster", "kitchen"),
    ):
        with database.write() as session:
            session.add(make_item(sku, title, sellable=False, category=kind))
            session.add(make_item(f"{sku}-BLK", f"{title}, black", variant_of=sku, category=kind))
    write_article(folder, "vega.md", VEGA, title="Vega desk lamp manual", more=of("LL-LMP-21"))
    write_article(folder, "nova.md", NOVA, title="Nova desk lamp manual", more=of("LL-LMP-22"))
    write_article(folder, "crisp.md", TOASTER, title="Crisp toaster manual", more=of("LL-TST-01"))
    ingest(database, folder, encoder, now=NOON)
    opened = Knowledge(database, encoder, tmp_path / "data", RetrievalSettings())
    yield opened
    opened.close()  # its thread must not hold a connection when the database is closed


@pytest.fixture
def look(lamps: Knowledge, database: Database) -> Callable[..., Scope]:
    """Return a function that finds what a question is about."""
    with database.read() as session:
        book: NameBook = read_names(session)
    return lambda text, *before: find_scope(
        book, text, before=before, is_word=lambda word: word.lower() in ENGLISH
    )


def of(number: str) -> str:
    return f"product: [{number}]\n"


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("how do I clean the Vega", {"LL-LMP-21"}),
        ("how do I clean the vega desk lamp?", {"LL-LMP-21"}),
        ("is LL-LMP-22 in the manual", {"LL-LMP-22"}),
        ("is LL-LMP-22-BLK in the manual", {"LL-LMP-22"}),
        ("ll lmp 22 shade", {"LL-LMP-22"}),
        ("LL-LMP-221 shade", set()),
        ("the Vega or the Nova?", {"LL-LMP-21", "LL-LMP-22"}),
        ("how do I clean the toaster", {"LL-TST-01"}),
        ("how do I clean the lamp", set()),
        ("what are your opening hours", set()),
    ],
)
def test_a_question_names_its_product(
    look: Callable[..., Scope], question: str, named: set[str]
) -> None:
    assert look(question).named == named


def test_a_name_is_forgiven_a_slip(look: Callable[..., Scope]) -> None:
    scope = look("how do I clean my vegga lamp")

    assert scope.named == {"LL-LMP-21"}
    assert scope.question == "how do I clean my vega lamp"


@pytest.mark.parametrize(
    "text", ["hello there", "the packet is on the plane", "clean the novel", "my mobile lamp"]
)
def test_another_word_is_no_slip(look: Callable[..., Scope], text: str) -> None:
    scope = look(text)

    assert (scope.question, scope.named) == (text, frozenset())


def test_what_leans_on_the_turn_before_is_about_the_same(look: Callable[..., Scope]) -> None:
    before = "How heavy is the Vega?"

    assert look("and how do I clean it?", before).named == {"LL-LMP-21"}
    assert look("how do I clean the toaster?", before).named == {"LL-TST-01"}
    assert look("what are your opening hours?", before).named == frozenset()


def test_the_manual_of_another_lamp_never_answers(lamps: Knowledge) -> None:
    for name, title, opposite in (
        ("Vega", "Vega desk lamp manual", "brush"),
        ("Nova", "Nova desk lamp manual", "dishwasher"),
    ):
        for question in (f"how do I clean the shade of the {name}?", f"power of the {name}"):
            answer = lamps.answer(question, audience="customer")

            assert answer.known
            assert not answer.choices
            assert opposite not in answer.text
            assert {hit.title for hit in answer.hits} & {
                "Vega desk lamp manual",
                "Nova desk lamp manual",
            } == {title}


@pytest.mark.parametrize(
    "question", ["how do I clean the shade of my lamp?", "how much power does the lamp have?"]
)
def test_when_the_product_decides_the_answer_asks(lamps: Knowledge, question: str) -> None:
    answer = lamps.answer(question, audience="customer")

    assert set(answer.choices) == {"Vega desk lamp", "Nova desk lamp"}
    assert answer.extracts == ()


def test_what_the_customer_has_bought_is_meant(lamps: Knowledge) -> None:
    answer = lamps.answer(
        "how do I clean the shade of my lamp?", audience="customer", owned={"LL-LMP-22"}
    )

    assert not answer.choices
    assert "Never wash the paper shade" in answer.text


def test_when_both_say_the_same_nobody_is_asked(
    lamps: Knowledge, database: Database, encoder: MiniLmEncoder, folder: Path
) -> None:
    same = "## Where to put it\n\nKeep the lamp away from curtains and from water.\n"
    write_article(folder, "vega.md", same, title="Vega desk lamp manual", more=of("LL-LMP-21"))
    write_article(folder, "nova.md", same, title="Nova desk lamp manual", more=of("LL-LMP-22"))
    ingest(database, folder, encoder, now=NOON)

    answer = lamps.answer("where should I put the lamp?", audience="customer")

    assert not answer.choices
    assert "away from curtains" in answer.text


SOFTWARE = """## Reset the timer

Hold the wheel for {seconds} seconds to reset the timer of the toaster.
"""


@pytest.fixture
def revisions(
    lamps: Knowledge, database: Database, encoder: MiniLmEncoder, folder: Path
) -> Knowledge:
    """Two revisions of the toaster are reset differently."""
    for revision, seconds in (("SW 3.1", 3), ("SW 3.10", 9)):
        write_article(
            folder,
            f"timer-{seconds}.md",
            SOFTWARE.format(seconds=seconds),
            title=f"Timer of the Crisp toaster, {revision}",
            more=f"{of('LL-TST-01')}model: T2\nrevision: {revision}\n",
        )
    ingest(database, folder, encoder, now=NOON)
    return lamps


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("how do I reset the timer of the Crisp with SW 3.1?", "3 seconds", "9 seconds"),
        ("how do I reset the timer of the Crisp with sw 3.10?", "9 seconds", "3 seconds"),
    ],
)
def test_a_revision_is_found_exactly(
    revisions: Knowledge, question: str, right: str, wrong: str
) -> None:
    answer = revisions.answer(question, audience="customer")

    assert right in answer.text
    assert wrong not in answer.text


def test_an_unknown_revision_is_asked_for(revisions: Knowledge) -> None:
    answer = revisions.answer("how do I reset the timer of the Crisp?", audience="customer")

    assert set(answer.choices) == {"Crisp toaster, T2, SW 3.1", "Crisp toaster, T2, SW 3.10"}
