"""The golden decisions: eleven returns with exactly these numbers, by a policy set of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from opsbot.commerce.customers import CustomerKind
from opsbot.commerce.orders import SalesChannelKind
from opsbot.commerce.returns import Resolution, ReturnReason
from opsbot.toolkit.policy import load_policies
from opsbot.toolkit.policy.returns import (
    Basis,
    Condition,
    ReturnDecision,
    ReturnFacts,
    decide_return,
)

POLICIES = load_policies(Path(__file__).parents[2] / "policies")
MUG = ReturnFacts(
    country="DE",
    customer=CustomerKind.CONSUMER,
    channel=SalesChannelKind.WEB_STORE,
    return_class="standard",
    reason=ReturnReason.CHANGED_MIND,
    condition=Condition.UNOPENED,
    paid_minor=2400,
    bought_on=date(2026, 9, 8),
    delivered_on=date(2026, 9, 11),
)
LAMP = {"return_class": "electronics", "condition": Condition.OPENED, "paid_minor": 12000}
RING = {"country": "FR", "return_class": "made_to_order", "paid_minor": 8900}
GIFT = {
    "country": "US",
    "reason": ReturnReason.SIZE_OR_STYLE,
    "bought_on": date(2026, 11, 10),
    "delivered_on": date(2026, 11, 16),
}
PARTNER = {"customer": CustomerKind.BUSINESS, "channel": SalesChannelKind.RETAIL_PARTNER}


@dataclass(frozen=True)
class Golden:
    """One case: what is known, when it is asked, and what must come out."""

    facts: Mapping[str, object]
    day: int
    """Days after delivery."""
    bases: tuple[Basis, ...]
    values: dict[str, object]
    deadlines: dict[Basis, date] | None = None


BY_LAW, BY_SHOP = Basis.WITHDRAWAL, Basis.PROMISE
GOLDEN = {
    "mug on day 10": Golden(
        {},
        10,
        (BY_LAW, BY_SHOP),
        {"postage_minor": 490, "refund_minor": 1910, "fee_minor": 0},
        {BY_LAW: date(2026, 9, 25), BY_SHOP: date(2026, 10, 11)},
    ),
    "whole order with the mug on day 10": Golden(
        {"whole_order": True, "shipping_minor": 490},
        10,
        (BY_LAW, BY_SHOP),
        {"postage_minor": 490, "refund_minor": 2400, "shipping_minor": 490},
    ),
    "mug on day 25": Golden(
        {"whole_order": True, "shipping_minor": 490},
        25,
        (BY_SHOP,),
        {"refund_minor": 1910, "shipping_minor": 0},
    ),
    "opened lamp on day 12": Golden(
        LAMP, 12, (BY_LAW, BY_SHOP), {"fee_minor": 0, "refund_minor": 11510}
    ),
    "opened lamp on day 20": Golden(
        LAMP, 20, (BY_SHOP,), {"fee_minor": 1800, "refund_minor": 9710}
    ),
    "engraved ring, changed mind": Golden(
        RING, 5, (), {"allowed": False, "clause": "returns.made_to_order"}
    ),
    "engraved ring, defective in month 5": Golden(
        RING | {"reason": ReturnReason.DEFECTIVE},
        150,
        (Basis.GUARANTEE, Basis.WARRANTY),
        {
            "postage_minor": 0,
            "fee_minor": 0,
            "resolutions": (Resolution.REPAIR, Resolution.EXCHANGE),
        },
    ),
    "gift on 20 January": Golden(
        GIFT,
        65,
        (BY_SHOP,),
        {"deadline": date(2027, 1, 31), "postage_minor": 0, "clause": "returns.holiday"},
    ),
    "final sale on day 5": Golden(
        {"return_class": "final_sale", "paid_minor": 5000}, 5, (BY_LAW,), {"refund_minor": 4510}
    ),
    "wrong item of 12.00 to Britain on day 60": Golden(
        {"country": "GB", "reason": ReturnReason.WRONG_ITEM, "paid_minor": 1200},
        60,
        (Basis.GUARANTEE,),
        {"keep_item": True, "refund_minor": 1200, "photo": True},
    ),
    "partner on day 20": Golden(PARTNER, 20, (), {"allowed": False, "clause": "returns.business"}),
    "delivered on Saturday 12 December": Golden(
        {"delivered_on": date(2026, 12, 12)},
        5,
        (BY_LAW, BY_SHOP),
        {"allowed": True},
        {BY_LAW: date(2026, 12, 28), BY_SHOP: date(2027, 1, 11)},
    ),
}


def decide(golden: Golden) -> ReturnDecision:
    facts = ReturnFacts(**{**vars(MUG), **golden.facts})
    assert facts.delivered_on is not None
    return decide_return(facts, POLICIES, facts.delivered_on + timedelta(days=golden.day))


@pytest.mark.parametrize("golden", GOLDEN.values(), ids=list(GOLDEN))
def test_a_golden_decision_comes_out_with_exactly_its_numbers(golden: Golden) -> None:
    decision = decide(golden)

    assert set(decision.bases) == set(golden.bases)
    assert {name: getattr(decision, name) for name in golden.values} == golden.values
    if golden.deadlines is not None:
        assert decision.deadlines == golden.deadlines


@pytest.mark.parametrize(
    "name", ["engraved ring, changed mind", "partner on day 20"], ids=["ring", "partner"]
)
def test_a_golden_refusal_says_why_and_offers_a_person(name: str) -> None:
    decision = decide(GOLDEN[name])

    assert decision.refusal
    assert POLICIES.clause(decision.clause).text
    assert any("person" in alternative for alternative in decision.alternatives)
