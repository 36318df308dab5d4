"""Decisions about returns, among them the golden ones of the shop's policy."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from opsbot.commerce.customers import CustomerKind
from opsbot.commerce.orders import SalesChannelKind
from opsbot.commerce.returns import Resolution, ReturnReason
from opsbot.content import content_root
from opsbot.toolkit.policy import load_policies
from opsbot.toolkit.policy.grounds import offers_of
from opsbot.toolkit.policy.return_facts import facts_as_json, facts_from_json
from opsbot.toolkit.policy.returns import (
    Basis,
    Condition,
    ReturnDecision,
    ReturnFacts,
    decide_return,
    share_of,
)
from opsbot.toolkit.policy.withdrawals import Finding, decide_withdrawal

ARRIVED = date(2026, 9, 11)
POLICIES = load_policies(content_root() / "knowledge" / "policies")
SAME_AGAIN = load_policies(content_root() / "knowledge" / "policies")


def facts(**values: object) -> ReturnFacts:
    """A German consumer's mug of 24.00, bought online, unopened, that they do not want any more."""
    defaults: dict[str, object] = {
        "country": "DE",
        "customer": CustomerKind.CONSUMER,
        "channel": SalesChannelKind.WEB_STORE,
        "return_class": "standard",
        "reason": ReturnReason.CHANGED_MIND,
        "condition": Condition.UNOPENED,
        "paid_minor": 2400,
        "bought_on": ARRIVED - timedelta(days=4),
        "delivered_on": ARRIVED,
    }
    return ReturnFacts(**{**defaults, **values})  # type: ignore[arg-type]  # the test's own values


def decide(day: int, **values: object) -> ReturnDecision:
    """Decide `day` days after delivery."""
    given_facts = facts(**values)
    arrived = given_facts.delivered_on or ARRIVED
    return decide_return(given_facts, POLICIES, arrived + timedelta(days=day))


def test_a_mug_goes_back_by_law_and_by_promise_on_day_10() -> None:
    decision = decide(10)

    assert set(decision.bases) == {Basis.WITHDRAWAL, Basis.PROMISE}
    assert decision.deadlines[Basis.WITHDRAWAL] == date(2026, 9, 25)
    assert decision.deadlines[Basis.PROMISE] == decision.deadline == date(2026, 10, 11)
    assert (decision.postage_minor, decision.refund_minor) == (490, 1910)


def test_a_withdrawal_of_the_whole_order_gives_the_standard_delivery_charge_back() -> None:
    decision = decide(10, whole_order=True, shipping_minor=490)

    assert (decision.shipping_minor, decision.refund_minor) == (490, 2400)


def test_a_mug_goes_back_by_promise_alone_on_day_25() -> None:
    decision = decide(25, whole_order=True, shipping_minor=490)

    assert decision.bases == (Basis.PROMISE,)
    assert (decision.shipping_minor, decision.refund_minor) == (0, 1910)
    assert decision.clause == "returns.window"


def test_the_law_forbids_a_fee_on_an_opened_lamp() -> None:
    lamp = {"return_class": "electronics", "condition": Condition.OPENED, "paid_minor": 12000}
    decision = decide(12, **lamp)

    assert decision.bases[0] is Basis.WITHDRAWAL
    assert (decision.fee_minor, decision.refund_minor) == (0, 11510)


def test_an_opened_lamp_costs_15_percent_after_the_withdrawal_period() -> None:
    lamp = {"return_class": "electronics", "condition": Condition.OPENED, "paid_minor": 12000}
    decision = decide(20, **lamp)

    assert decision.bases == (Basis.PROMISE,)
    assert (decision.fee_minor, decision.refund_minor) == (1800, 9710)
    assert decision.clause == "returns.electronics"


def test_an_engraved_piece_does_not_come_back_for_a_change_of_mind() -> None:
    decision = decide(5, country="FR", return_class="made_to_order")

    assert not decision.allowed
    assert decision.clause == "returns.made_to_order"
    assert any("person" in alternative for alternative in decision.alternatives)


def test_a_faulty_engraved_piece_is_repaired_or_replaced_for_free() -> None:
    values = {"country": "FR", "return_class": "made_to_order", "reason": ReturnReason.DEFECTIVE}
    decision = decide(150, **values)

    assert decision.bases[0] is Basis.GUARANTEE
    assert decision.resolutions[:2] == (Resolution.REPAIR, Resolution.EXCHANGE)
    assert (decision.postage_minor, decision.fee_minor) == (0, 0)


def test_a_christmas_gift_may_come_back_until_the_end_of_january() -> None:
    gift = facts(
        country="US",
        reason=ReturnReason.SIZE_OR_STYLE,
        bought_on=date(2026, 11, 10),
        delivered_on=date(2026, 11, 16),
    )

    decision = decide_return(gift, POLICIES, date(2027, 1, 20))
    too_late = decide_return(gift, POLICIES, date(2027, 2, 1))

    assert (decision.allowed, decision.deadline) == (True, date(2027, 1, 31))
    assert (decision.clause, decision.postage_minor) == ("returns.holiday", 0)
    assert (too_late.allowed, too_late.clause) == (False, "returns.holiday")


def test_a_shop_cannot_exclude_the_right_of_withdrawal_by_final_sale() -> None:
    decision = decide(5, return_class="final_sale", paid_minor=5000)

    assert decision.bases == (Basis.WITHDRAWAL,)
    assert decision.refund_minor == 4510


def test_a_cheap_wrong_item_may_be_kept() -> None:
    decision = decide(60, country="GB", reason=ReturnReason.WRONG_ITEM, paid_minor=1200)

    assert decision.bases == (Basis.GUARANTEE,)
    assert (decision.keep_item, decision.photo, decision.refund_minor) == (True, True, 1200)


def test_a_business_has_14_days() -> None:
    partner = {"customer": CustomerKind.BUSINESS, "channel": SalesChannelKind.RETAIL_PARTNER}

    assert decide(14, **partner).refund_minor == 2400 - 240 - 490
    assert not decide(20, **partner).allowed
    assert decide(20, **partner).clause == "returns.business"


def test_a_withdrawal_period_that_would_end_on_a_holiday_ends_on_the_next_working_day() -> None:
    decision = decide(5, delivered_on=date(2026, 12, 12))

    assert decision.deadlines[Basis.WITHDRAWAL] == date(2026, 12, 28)


@pytest.mark.parametrize(
    ("values", "day", "clause"),
    [
        ({}, 31, "returns.window"),
        ({"return_class": "limited_drop", "country": "US"}, 15, "returns.limited_drop"),
        (
            {"return_class": "hygiene", "condition": Condition.OPENED},
            3,
            "returns.hygiene",
        ),
        ({"return_class": "gift_card"}, 17, "withdrawal.right"),
        (
            {"reason": ReturnReason.DAMAGED_TRANSIT, "country": "US"},
            8,
            "returns.damaged",
        ),
        ({"reason": ReturnReason.DEFECTIVE, "country": "US"}, 800, "guarantee.warranty"),
    ],
    ids=["window", "limited", "unsealed", "gift card", "damage outside the EU", "warranty over"],
)
def test_a_refusal_names_its_clause(values: dict[str, object], day: int, clause: str) -> None:
    decision = decide(day, **values)

    assert not decision.allowed
    assert decision.clause == clause
    assert decision.refusal
    assert decision.alternatives


def test_goods_that_have_not_arrived_are_not_returned() -> None:
    decision = decide_return(facts(delivered_on=None), POLICIES, ARRIVED)

    assert not decision.allowed
    assert "arrived" in decision.refusal


def test_electronics_have_a_longer_warranty() -> None:
    values = {"reason": ReturnReason.DEFECTIVE, "country": "US", "return_class": "electronics"}

    assert decide(1000, **values).bases == (Basis.WARRANTY,)
    assert not decide(1000, **{**values, "return_class": "standard"}).allowed


def test_a_person_looks_at_expensive_returns_after_the_withdrawal_period() -> None:
    large = {"return_class": "large", "paid_minor": 24900}

    assert decide(10, **large).automatic
    assert not decide(20, **large).automatic
    assert not decide(20, recent_returns=3).automatic
    assert decide(20, recent_returns=2).automatic


def test_faulty_goods_in_britain_may_be_rejected_for_30_days() -> None:
    faulty = {"country": "GB", "reason": ReturnReason.DEFECTIVE}

    early, later = decide(30, **faulty), decide(31, **faulty)

    assert Basis.REJECTION in early.bases
    assert Resolution.REFUND in early.resolutions
    assert early.deadlines[Basis.REJECTION] == ARRIVED + timedelta(days=30)
    assert Resolution.REFUND not in later.resolutions


def test_who_was_not_helped_by_a_repair_may_ask_for_the_money() -> None:
    faulty = {"reason": ReturnReason.DEFECTIVE}

    first, second = decide(200, **faulty), decide(200, **faulty, failed_remedies=1)

    assert first.resolutions == (Resolution.REPAIR, Resolution.EXCHANGE)
    assert {Resolution.REFUND, Resolution.PRICE_REDUCTION} <= set(second.resolutions)


def test_a_repair_makes_the_guarantee_12_months_longer_in_the_eu_alone() -> None:
    faulty = {"reason": ReturnReason.DEFECTIVE, "return_class": "final_sale"}

    assert not decide(800, **faulty).allowed
    assert decide(800, **faulty, repaired=True).bases == (Basis.GUARANTEE,)
    assert decide(800, **faulty, repaired=True).deadline == date(2029, 9, 11)
    assert not decide(800, **faulty, repaired=True, country="US").allowed


def test_a_missing_part_is_sent_before_anything_else_is_offered() -> None:
    decision = decide(3, reason=ReturnReason.MISSING_PARTS)

    assert decision.resolutions[0] is Resolution.PART
    assert Resolution.REFUND in decision.resolutions
    assert "returns.missing_part" in decision.clauses


@pytest.mark.parametrize(
    ("tier", "postage"), [("maker", 490), ("studio", 0), ("atelier", 0), ("", 490)]
)
def test_a_higher_tier_pays_no_return_label(tier: str, postage: int) -> None:
    assert decide(10, tier=tier).postage_minor == postage


def test_each_resolution_has_its_amount() -> None:
    decision = decide(10)

    assert decision.refund_by_resolution == {
        Resolution.REFUND: 1910,
        Resolution.EXCHANGE: 0,
        Resolution.STORE_CREDIT: 2006,
    }


@pytest.mark.parametrize(
    ("values", "day", "finding", "clause"),
    [
        ({}, 14, Finding.VALID, "withdrawal.right"),
        ({}, 15, Finding.LATE, "withdrawal.right"),
        ({"delivered_on": None}, 0, Finding.VALID, "withdrawal.right"),
        ({"return_class": "made_to_order"}, 1, Finding.EXEMPT, "withdrawal.exempt"),
        ({"country": "US"}, 1, Finding.EXEMPT, "withdrawal.exempt"),
        ({"customer": CustomerKind.BUSINESS}, 1, Finding.EXEMPT, "withdrawal.exempt"),
        ({"channel": SalesChannelKind.OWN_STORE}, 1, Finding.EXEMPT, "withdrawal.exempt"),
        ({"return_class": "final_sale"}, 1, Finding.VALID, "withdrawal.right"),
    ],
    ids=["in time", "late", "not delivered", "engraved", "US", "business", "store", "final sale"],
)
def test_a_withdrawal_is_found_valid_late_or_exempt(
    values: dict[str, object], day: int, finding: Finding, clause: str
) -> None:
    decision = decide_withdrawal(facts(**values), POLICIES, ARRIVED + timedelta(days=day))

    assert (decision.finding, decision.clause) == (finding, clause)


COUNTRIES = st.sampled_from(["DE", "FR", "GB", "US", "CH", "NO", "JP"])


@limits(deadline=None)  # the first one loads the holidays
@given(
    country=COUNTRIES,
    customer=st.sampled_from(CustomerKind),
    channel=st.sampled_from(SalesChannelKind),
    return_class=st.sampled_from(sorted(POLICIES.returns.classes)),
    reason=st.sampled_from(ReturnReason),
    condition=st.sampled_from(Condition),
    paid_minor=st.integers(0, 100_000),
    shipping_minor=st.integers(0, 2000),
    whole_order=st.booleans(),
    day=st.integers(0, 2500),
)
def test_nobody_gets_more_back_than_they_paid(day: int, **values: object) -> None:
    given_facts = facts(**values)

    decision = decide(day, **values)

    most = given_facts.paid_minor + given_facts.shipping_minor * given_facts.whole_order
    assert 0 <= decision.refund_minor <= most
    assert decision.allowed == bool(decision.bases)
    known = {clause.id for clause in POLICIES.clauses()}
    assert {decision.clause, *decision.clauses} <= known


ANY_FACTS = st.fixed_dictionaries(
    {
        "country": COUNTRIES,
        "customer": st.sampled_from(CustomerKind),
        "channel": st.sampled_from(SalesChannelKind),
        "return_class": st.sampled_from(sorted(POLICIES.returns.classes)),
        "reason": st.sampled_from(ReturnReason),
        "condition": st.sampled_from(Condition),
        "paid_minor": st.integers(0, 100_000),
        "delivered_on": st.dates(date(2025, 1, 1), date(2027, 12, 31)) | st.none(),
        "whole_order": st.booleans(),
        "shipping_minor": st.integers(0, 2000),
        "recent_returns": st.integers(0, 5),
        "failed_remedies": st.integers(0, 2),
        "repaired": st.booleans(),
        "tier": st.sampled_from(["", "maker", "studio", "atelier", "unknown"]),
    }
)


@limits(deadline=None)  # the first one loads the holidays
@given(
    values=ANY_FACTS,
    others=st.lists(ANY_FACTS, max_size=3),
    today=st.dates(date(2025, 1, 1), date(2029, 1, 1)),
)
def test_a_decision_is_a_pure_function_of_facts_policies_and_day(
    values: dict[str, object], others: list[dict[str, object]], today: date
) -> None:
    """What was decided before, and a second set of the same policies, change nothing."""
    asked = facts(**values)
    before = (repr(asked), POLICIES.version)
    decision = decide_return(asked, POLICIES, today)

    for other in others:
        decide_return(facts(**other), POLICIES, today)
    kept = facts_from_json(json.loads(json.dumps(facts_as_json(asked))))

    assert decide_return(kept, SAME_AGAIN, today) == decision
    assert (repr(asked), POLICIES.version) == before == (repr(kept), SAME_AGAIN.version)


@limits(deadline=None)  # the first one loads the holidays
@given(values=ANY_FACTS, day=st.integers(0, 900))
def test_the_better_of_law_and_promise_holds_point_by_point(
    values: dict[str, object], day: int
) -> None:
    asked = facts(**values)
    if asked.delivered_on is None:
        return
    today = asked.delivered_on + timedelta(days=day)
    decision = decide_return(asked, POLICIES, today)
    valid = [offer for offer in offers_of(asked, POLICIES) if today <= offer.deadline]

    assert set(decision.bases) == {offer.basis for offer in valid}
    if valid:
        assert decision.deadline == max(offer.deadline for offer in valid)
        least = min(offer.fee_pct for offer in valid)
        assert decision.fee_minor == share_of(asked.paid_minor, least)
        assert set(decision.resolutions) >= {r for offer in valid for r in offer.resolutions}
        if not all(offer.customer_pays_postage for offer in valid):
            assert decision.postage_minor == 0
    else:
        assert decision.refusal
        assert decision.alternatives


@limits(deadline=None)  # the first one loads the holidays
@given(
    country=COUNTRIES,
    return_class=st.sampled_from(sorted(POLICIES.returns.classes)),
    reason=st.sampled_from(ReturnReason),
    day=st.integers(0, 100),
)
def test_a_day_earlier_is_never_worse(day: int, **values: object) -> None:
    later, earlier = decide(day + 1, **values), decide(day, **values)

    assert earlier.refund_minor >= later.refund_minor
    assert earlier.allowed >= later.allowed
