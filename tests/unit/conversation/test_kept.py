"""What the shop answered is kept as plain values and read back as it was."""

import json
from datetime import UTC, datetime

from opsbot.conversation import kept
from opsbot.errors import NotVerifiedError, PolicyError
from opsbot.retrieval.hits import Hit
from opsbot.toolkit.proposals import Confirmation, Preview, ProposalState
from opsbot.toolkit.results import Card, Chart, Clause, Column, Result, Table, Undo

HIT = Hit(
    passage_id=7,
    path="manuals/tide.md",
    slug="tide",
    version=3,
    title="Tide",
    headings=("Care", "Cleaning"),
    anchor="cleaning",
    url="/help/tide#cleaning",
    text="Unplug it.",
    start=10,
    end=20,
    section="Unplug it. Wipe it.",
    section_start=10,
    page=None,
    safety=True,
    language="en",
    products=("LL-GRD-01",),
    score=1.25,
    cosine=0.123456789012345,
    confidence=0.3,
)
RESULT = Result(
    "It is here [1].",
    facts={"known": True, "parts": [{"n": 1.5}], "none": None},
    cards=(Card("order", {"number": "#1"}),),
    table=Table("Orders", (Column("n", "Number", numeric=True),), ((1,), (None,))),
    chart=Chart("bar", "Orders", "They rise.", "n", ("n",)),
    hits=(HIT,),
    quick_replies=("yes", "no"),
    proves_customer_id=4,
    hands_off=True,
    undo=Undo("restore", {"number": "#1"}),
)
PREVIEW = Preview(
    id="id",
    tool="cancel_order",
    title="Cancel it?",
    details=("One lamp.",),
    button="Cancel it",
    clause=Clause("a", "b", "c"),
    state=ProposalState.PROPOSED,
    expires_at=datetime(2026, 11, 20, 12, tzinfo=UTC),
    say="",
)


def as_stored(value: object) -> dict[str, object]:
    stored: dict[str, object] = json.loads(json.dumps(value))
    return stored


def test_a_result_is_read_back_with_everything_a_reply_may_show() -> None:
    stored = as_stored(kept.dump_outcome(RESULT))

    read = kept.load_outcome(stored)

    assert isinstance(read, Result)
    assert tuple(read.hits) == (HIT,)
    assert as_stored(kept.dump_outcome(read)) == stored
    assert (read.say, read.facts, read.undo) == (RESULT.say, RESULT.facts, RESULT.undo)


def test_previews_and_what_came_of_them_are_read_back() -> None:
    assert kept.load_outcome(as_stored(kept.dump_outcome(PREVIEW))) == PREVIEW
    confirmation = Confirmation(PREVIEW, Result("Done."), PREVIEW)

    read = kept.load_confirmation(as_stored(kept.dump_confirmation(confirmation)))

    assert read.preview == read.renewed == PREVIEW
    assert read.result is not None
    assert read.result.say == "Done."


def test_an_error_is_told_again_word_for_word() -> None:
    error = PolicyError("No.", clause="returns.window", quote="Within 30 days.", field="reason")

    read = kept.load_error(as_stored(kept.dump_error(error)))

    assert (str(read), read.code, read.details()) == (str(error), error.code, error.details())


def test_a_missing_proof_is_still_one() -> None:
    read = kept.load_error(as_stored(kept.dump_error(NotVerifiedError("Who?", level=2))))

    assert isinstance(read, NotVerifiedError)
    assert read.level == 2
