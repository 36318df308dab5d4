"""Returns: what is possible, and what is opened."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from opsbot.commerce.returns import Return, ReturnState, find_return
from opsbot.errors import ConflictError, InvalidInputError, PolicyError
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.policy.schema import ReturnsFile
from opsbot.toolkit.policy_trials import try_policies
from opsbot.toolkit.proposals import Confirmation, Preview, ProposalState
from tests.factories import NOON
from tests.shop_fixtures import Shop, open_shop

LAMP: dict[str, Any] = {"order_number": "1002", "items": ["lamp"]}
DAYS = timedelta(days=1)


def opened(shop: Shop, outcome: Confirmation) -> Return:
    assert outcome.result is not None
    with shop.database.read() as session:
        return find_return(session, outcome.result.facts["return_number"], customer_id=None)


def test_a_return_within_its_time_tells_amount_day_and_rule(shop: Shop) -> None:
    result = shop.read("return_options", **LAMP)

    assert "Ember bedside lamp, sage (€79.00): yes, until 31 January 2027" in result.say
    assert "Until 24 November 2026 you also have your legal right of withdrawal" in result.say
    assert "**€74.10**, after €4.90 for the return label" in result.say
    assert "As store credit it would be €77.81." in result.say
    assert "What you buy from 1 November to 24 December" in result.say


def test_an_opened_box_costs_something_once_the_law_is_silent(shop: Shop) -> None:
    result = shop.run("return_options", **LAMP, now=NOON + 20 * DAYS)

    assert "If it has been opened, it is €62.25." in str(result)


def test_a_return_past_its_time_is_refused_with_the_clause(shop: Shop) -> None:
    with pytest.raises(PolicyError) as raised:
        shop.run("request_return", **LAMP, reason="changed_mind", now=NOON + 80 * DAYS)

    assert "ended on 31 January 2027" in str(raised.value)
    assert raised.value.clause == "returns.holiday"
    assert "until 31 January" in raised.value.quote
    assert any("guarantee" in alternative for alternative in raised.value.alternatives)


def test_a_fault_is_covered_long_after_that(shop: Shop) -> None:
    preview = shop.run("request_return", **LAMP, reason="defective", now=NOON + 80 * DAYS)

    assert isinstance(preview, Preview)
    assert "We send you the same again." in preview.details or "We repair it" in str(preview)


def test_a_confirmed_return_is_opened_with_the_decision_it_rests_on(
    shop: Shop, policies: Policies
) -> None:
    preview = shop.propose("request_return", **LAMP, reason="changed_mind")

    outcome = shop.executor.confirm(shop.ada, preview.id, now=NOON)

    kept = opened(shop, outcome)
    assert "You get back €74.10, after €4.90 for the return label." in preview.details
    assert (kept.state, kept.refund_minor) == (ReturnState.APPROVED, 7410)
    assert kept.policy_version == policies.version
    assert "withdrawal" in kept.decision["pieces"][0]["bases"]
    assert kept.deadline is not None
    assert outcome.result is not None
    assert "11 December 2026" in outcome.result.say
    assert outcome.result.cards[0].body["number"] == kept.number


def test_a_return_says_where_the_goods_go(
    shop: Shop, tools: Mapping[str, AnyTool], policies: Policies
) -> None:
    address = "Lumen & Loom, Returns, Werkhof 7, 12051 Berlin"
    settings = shop.settings.model_copy(update={"returns_address": address})
    told = open_shop(shop.database, settings, tools, policies)

    preview = told.propose("request_return", **LAMP, reason="changed_mind")

    assert f"by 11 December 2026, addressed to {address}." in " ".join(preview.details)
    without = shop.propose("request_return", **LAMP, reason="changed_mind", conversation="other")
    assert "Please hand in the parcel by 11 December 2026." in without.details


def test_what_is_coming_back_does_not_come_back_twice(shop: Shop) -> None:
    first = shop.propose("request_return", **LAMP, reason="changed_mind", conversation="one")
    second = shop.propose("request_return", **LAMP, reason="changed_mind", conversation="two")

    shop.executor.confirm(shop.ada, first.id, now=NOON)
    again = shop.executor.confirm(shop.ada, second.id, now=NOON)

    assert again.preview.state is ProposalState.FAILED
    with pytest.raises(ConflictError, match="under way already"):
        shop.propose("request_return", **LAMP, reason="changed_mind")


def test_one_of_two_mugs_goes_back_for_credit(shop: Shop) -> None:
    wanted: dict[str, Any] = {"quantity": 1, "resolution": "store_credit"}
    preview = shop.propose(
        "request_return", order_number="1002", items=["mug"], reason="changed_mind", **wanted
    )

    kept = opened(shop, shop.executor.confirm(shop.ada, preview.id, now=NOON))

    assert "You get €20.06 as store credit, after €4.90 for the return label." in preview.details
    assert [line.quantity for line in kept.lines] == [1]


def test_a_whole_order_goes_back_with_one_label_and_its_delivery_charge(shop: Shop) -> None:
    preview = shop.propose(
        "request_return", order_number="1002", items=["lamp", "mug"], reason="changed_mind"
    )

    words = "You get back €127.00, after €4.90 for the return label, with €4.90 of delivery charge."
    assert words in preview.details


def test_a_person_looks_at_a_wrong_item_first(shop: Shop) -> None:
    preview = shop.propose(
        "request_return", order_number="1002", items=["mug"], reason="wrong_item"
    )

    kept = opened(shop, shop.executor.confirm(shop.ada, preview.id, now=NOON))

    assert "A person looks at it first and answers you by mail." in preview.details
    assert "You get back €48.00." in preview.details
    assert kept.state is ReturnState.REQUESTED


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"order_number": "1001", "items": ["mug"]}, "cannot be returned yet"),
        ({"order_number": "1002", "items": ["mug"], "quantity": 3}, "only 2 can still be sent"),
        ({"order_number": "1002", "items": ["mug", "lamp"], "quantity": 1}, "one item at a time"),
        ({"order_number": "1002", "items": ["toaster"]}, "Which item of order #1002"),
        ({"order_number": "1002", "items": ["lamp"], "resolution": "repair"}, "you may choose"),
    ],
    ids=["not delivered", "too many", "number of several", "unknown item", "no such choice"],
)
def test_a_return_that_makes_no_sense_is_refused_in_words(
    shop: Shop, arguments: dict[str, Any], error: str
) -> None:
    with pytest.raises((PolicyError, ConflictError, InvalidInputError), match=error):
        shop.propose("request_return", **arguments, reason="changed_mind")


def test_a_later_change_of_the_rules_alters_no_decision_that_was_taken(
    shop: Shop, policies: Policies
) -> None:
    """The facts and the version are kept, so changed rules can be tried on what was asked then."""
    preview = shop.propose("request_return", **LAMP, reason="changed_mind")
    kept = opened(shop, shop.executor.confirm(shop.ada, preview.id, now=NOON))
    later = replace(policies, returns=replace_label(policies.returns, DE=990), version="later")

    with shop.database.read() as session:
        trial = try_policies(
            session, policies, later, last=10, zone="Europe/Berlin", currency="EUR"
        )

    assert kept.policy_version == policies.version
    assert kept.decision["pieces"][0]["refund_minor"] == kept.refund_minor == 7410
    assert trial.looked_at == 1
    assert trial.refund_after_minor == trial.refund_before_minor - 500
    assert {(d.number, d.what, d.before, d.after) for d in trial.differences} >= {
        (kept.number, "refund", "€74.10", "€69.10"),
        (kept.number, "postage", "€4.90", "€9.90"),
    }


def replace_label(returns: ReturnsFile, **labels: int) -> ReturnsFile:
    return returns.model_copy(update={"label_minor": {**returns.label_minor, **labels}})
