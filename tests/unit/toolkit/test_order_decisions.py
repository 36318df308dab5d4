"""Decisions about cancelling, readdressing, and problems with a delivery."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from opsbot.commerce.orders import OrderState
from opsbot.content import content_root
from opsbot.toolkit.policy import load_policies
from opsbot.toolkit.policy.claims import ClaimDecision, ClaimFacts, Problem, decide_claim
from opsbot.toolkit.policy.orders import (
    OrderDecision,
    OrderFacts,
    decide_address_change,
    decide_cancellation,
    late_by_law,
)
from opsbot.toolkit.policy.schema_orders import ClaimResolution

POLICIES = load_policies(content_root() / "knowledge" / "policies")
FRIDAY = datetime(2026, 11, 20, 18, tzinfo=UTC)
PROMISED = date(2026, 11, 20)
ENGRAVED = OrderFacts(
    OrderState.CONFIRMED, packed=False, left=False, placed_at=FRIDAY, made_to_order=True
)


def cancel(
    state: OrderState,
    *,
    packed: bool = False,
    left: bool = False,
    engraved: bool = False,
    after: timedelta = timedelta(hours=1),
) -> OrderDecision:
    facts = OrderFacts(state, packed, left, FRIDAY, engraved)
    return decide_cancellation(facts, POLICIES, FRIDAY + after, zone="Europe/Berlin")


@pytest.mark.parametrize("state", [OrderState.PENDING, OrderState.CONFIRMED])
def test_an_order_is_cancelled_for_free_before_it_is_packed(state: OrderState) -> None:
    decision = cancel(state)

    assert decision.allowed
    assert decision.clause == "cancellation.before_packing"


def test_items_of_an_order_are_cancelled_where_the_shop_allows_parts() -> None:
    rule = POLICIES.orders.cancellation.model_copy(update={"partial_lines": False})
    whole_only = replace(POLICIES, orders=POLICIES.orders.model_copy(update={"cancellation": rule}))
    part = OrderFacts(
        OrderState.CONFIRMED, packed=False, left=False, placed_at=FRIDAY, partial=True
    )

    here = decide_cancellation(part, POLICIES, FRIDAY, zone="Europe/Berlin")
    there = decide_cancellation(part, whole_only, FRIDAY, zone="Europe/Berlin")
    packed = decide_cancellation(replace(part, packed=True), POLICIES, FRIDAY, zone="Europe/Berlin")

    assert here.allowed
    assert (there.allowed, there.alternatives) == (False, ("You may cancel the whole order.",))
    assert packed.clause == "cancellation.while_packing"


def test_a_packed_order_is_not_cancelled() -> None:
    assert cancel(OrderState.IN_FULFILLMENT).clause == "cancellation.while_packing"
    assert cancel(OrderState.CONFIRMED, packed=True).clause == "cancellation.while_packing"


def test_a_parcel_that_has_left_is_refused_or_returned_instead() -> None:
    decision = cancel(OrderState.IN_FULFILLMENT, packed=True, left=True)

    assert not decision.allowed
    assert decision.clause == "cancellation.after_handover"
    assert len(decision.alternatives) == 2


def test_an_engraved_piece_is_cancelled_until_monday_morning() -> None:
    sunday = cancel(OrderState.CONFIRMED, engraved=True, after=timedelta(days=2))
    monday = cancel(OrderState.CONFIRMED, engraved=True, after=timedelta(days=2, hours=14))

    assert sunday.allowed
    assert monday.clause == "cancellation.made_to_order"


@pytest.mark.parametrize(
    ("state", "packed", "left", "country", "clause"),
    [
        (OrderState.CONFIRMED, False, False, "DE", "address.until_packed"),
        (OrderState.CONFIRMED, False, False, "AT", "address.same_country"),
        (OrderState.CONFIRMED, True, False, "DE", "address.until_packed"),
        (OrderState.IN_FULFILLMENT, True, True, "DE", "address.redirect"),
    ],
    ids=["in time", "other country", "packed", "left"],
)
def test_an_address_changes_until_the_parcel_is_packed(
    state: OrderState, *, packed: bool, left: bool, country: str, clause: str
) -> None:
    facts = OrderFacts(state, packed, left, FRIDAY, country="DE")

    decision = decide_address_change(facts, {"country": country}, POLICIES)

    assert decision.clause == clause
    assert decision.allowed is (clause == "address.until_packed" and not packed)


def claim(
    problem: Problem,
    day: int,
    *,
    country: str = "DE",
    delivered: int | None = None,
    scanned: int | None = None,
) -> ClaimDecision:
    """Report `problem` `day` days after the promised day; other days count from it too."""
    return decide_claim(
        ClaimFacts(
            problem,
            country,
            PROMISED,
            None if delivered is None else PROMISED + timedelta(days=delivered),
            None if scanned is None else PROMISED + timedelta(days=scanned),
        ),
        POLICIES,
        PROMISED + timedelta(days=day),
    )


@pytest.mark.parametrize(
    ("country", "day", "late"),
    [("DE", 1, False), ("DE", 2, True), ("US", 4, False), ("US", 5, True)],
)
def test_a_parcel_is_late_some_days_after_the_promise(
    country: str, day: int, *, late: bool
) -> None:
    decision = claim(Problem.LATE, day, country=country)

    assert decision.allowed is late
    assert decision.clause == "delivery.late"


def test_a_silent_parcel_counts_as_lost() -> None:
    assert claim(Problem.LATE, 5, scanned=-2).lost
    assert not claim(Problem.LATE, 5, scanned=-1).lost
    assert not claim(Problem.NOT_RECEIVED, 5, scanned=-2, country="FR").lost


def test_delivered_is_not_late_but_not_received() -> None:
    late = claim(Problem.LATE, 3, delivered=0)
    not_received = claim(Problem.NOT_RECEIVED, 3, delivered=0)

    assert (late.allowed, late.clause) == (False, "delivery.not_received")
    assert (not_received.allowed, not_received.in_time) == (True, True)
    assert not claim(Problem.NOT_RECEIVED, 11, delivered=0).in_time


@pytest.mark.parametrize("problem", [Problem.DAMAGED, Problem.MISSING, Problem.WRONG])
def test_goods_are_wrong_only_once_they_have_arrived(problem: Problem) -> None:
    assert not claim(problem, 0).allowed
    assert claim(problem, 7, delivered=0).in_time
    assert claim(problem, 8, delivered=0).allowed
    assert not claim(problem, 8, delivered=0).in_time


@pytest.mark.parametrize(
    ("country", "hours", "allowed", "clause"),
    [
        ("US", 47, False, "cancellation.made_to_order"),
        ("US", 49, True, "cancellation.late"),
        ("DE", 49, False, "cancellation.made_to_order"),
    ],
)
def test_a_late_order_to_the_states_may_always_be_cancelled(
    country: str,
    hours: int,
    allowed: bool,  # noqa: FBT001  (one of the expected values)
    clause: str,
) -> None:
    due = FRIDAY + timedelta(days=4)
    facts = replace(ENGRAVED, country=country, promised_ship_by=due)

    now = due + timedelta(hours=hours - 48)
    decision = decide_cancellation(facts, POLICIES, now, zone="Europe/Berlin")

    assert (decision.allowed, decision.clause) == (allowed, clause)


def test_an_order_without_a_promised_day_is_late_after_30_days() -> None:
    facts = replace(ENGRAVED, country="US")

    early = late_by_law(facts, POLICIES, FRIDAY + timedelta(days=30))
    late = late_by_law(facts, POLICIES, FRIDAY + timedelta(days=30, seconds=1))

    assert (early, late) == ("", "cancellation.late")


@pytest.mark.parametrize("problem", Problem)
def test_a_claim_that_is_taken_up_says_what_is_done_and_may_be_chosen(problem: Problem) -> None:
    delivered = None if problem is Problem.LATE else PROMISED
    facts = ClaimFacts(problem, "DE", PROMISED, delivered, PROMISED)

    decision = decide_claim(facts, POLICIES, PROMISED + timedelta(days=4))

    assert decision.allowed
    assert decision.steps
    assert ClaimResolution.REFUND in decision.resolutions


def test_who_did_not_get_a_delivered_parcel_looks_waits_and_declares() -> None:
    facts = ClaimFacts(Problem.NOT_RECEIVED, "DE", PROMISED, PROMISED, PROMISED)

    decision = decide_claim(facts, POLICIES, PROMISED + timedelta(days=1))

    steps = ("check_safe_place", "wait", "declaration", "trace")
    assert tuple(step.value for step in decision.steps) == steps
    assert decision.resolutions == (ClaimResolution.RESEND, ClaimResolution.REFUND)
