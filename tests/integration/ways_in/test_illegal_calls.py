"""Illegal calls by every way in: none gets through, none breaks anything.

`benchmarks/illegal.py` makes ten thousand of them against the sample shop.
"""

import logging

import pytest
from illegal_calls import Outcome, Tally, attack, contents, differences, told
from illegal_world import make_world

from opsbot.content import content_root
from opsbot.toolkit.audit import verify
from opsbot.toolkit.loading import load_tools
from tests.integration.ways_in.conftest import Served

CALLS = 250


def test_no_illegal_call_gets_through_breaks_anything_or_says_more_than_it_may(
    served_on_both: Served, caplog: pytest.LogCaptureFixture
) -> None:
    shop, tally = served_on_both, Tally()
    tools = load_tools(content_root() / "tools")
    world = make_world(shop.services, shop.client, shop.moment, tools, seed=11)
    database = shop.services.database
    before = contents(database)

    attack(world, CALLS, tally, lambda: None)

    words = "\n".join(told(tally))
    assert differences(before, contents(database)) == 0, words
    assert (tally.calls, tally.succeeded) == (CALLS, 0), words
    assert (tally.server_errors, tally.outside_error_set) == (0, 0), words
    assert not [line for line in caplog.records if line.levelno >= logging.ERROR]
    assert {"forbidden", "validation", "not_found", "not_verified"} <= tally.codes.keys()
    with database.read() as session:
        assert verify(session).problem == ""


def test_the_judge_sees_a_change_that_gets_through(served: Served) -> None:
    before = contents(served.services.database)
    headers = served.customer()
    call = {"arguments": {"order_number": "#1001"}}
    answer = served.client.post("/v1/tools/cancel_order", headers=headers, json=call)
    proposed = contents(served.services.database)
    proposal = answer.json()["proposal"]["proposal_id"]
    served.client.post(f"/v1/proposals/{proposal}/confirm", headers=headers)

    assert differences(before, proposed) == 0
    assert differences(before, contents(served.services.database)) > 0


@pytest.mark.parametrize(
    ("outcome", "field"),
    [
        (Outcome("x", done=True), "succeeded"),
        (Outcome("x", "unavailable", broke=True), "server_errors"),
        (Outcome("x", "made_up"), "outside_error_set"),
        (Outcome("x", "stale", undeclared=True), "outside_error_set"),
    ],
    ids=["done", "broke", "made up", "undeclared"],
)
def test_the_judge_counts_what_is_wrong(outcome: Outcome, field: str) -> None:
    tally = Tally()

    tally.add("kind", outcome)

    assert getattr(tally, field) == 1
    assert tally.examples
