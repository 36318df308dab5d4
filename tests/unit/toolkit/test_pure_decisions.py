"""Every decision of the policies depends on its facts, the policies' version and the day alone."""

import copy
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from opsbot.commerce.payment_methods import MethodKind
from opsbot.content import content_root
from opsbot.toolkit.policy import Policies, load_policies
from opsbot.toolkit.policy.approvals import goodwill_approval, refund_approval
from opsbot.toolkit.policy.changes import ChangeFacts, decide_item_change, decide_payment_change
from opsbot.toolkit.policy.claims import ClaimFacts, decide_claim
from opsbot.toolkit.policy.orders import OrderFacts, decide_address_change, decide_cancellation

POLICIES = load_policies(content_root() / "knowledge" / "policies")
SAME_AGAIN = load_policies(content_root() / "knowledge" / "policies")
FIRST, LAST = date(2025, 12, 1), date(2027, 1, 31)
DAYS = st.dates(FIRST, LAST)
MOMENTS = st.datetimes(datetime(2025, 12, 1), datetime(2027, 1, 31), timezones=st.just(UTC))  # noqa: DTZ001  (Hypothesis adds the zone)
COUNTRIES = st.sampled_from(["DE", "FR", "GB", "US", "CH", "JP", "XX", ""])
CENTS = st.integers(1, 50_000)
ROLES = st.frozensets(st.sampled_from(["agent", "lead", "manager", "ops"]))

ORDERS = st.builds(
    OrderFacts,
    placed_at=MOMENTS,
    country=COUNTRIES,
    promised_ship_by=st.none() | MOMENTS,
)
CHANGES = st.builds(ChangeFacts, order=ORDERS)
CLAIMS = st.builds(
    ClaimFacts,
    country=COUNTRIES,
    promised_on=DAYS,
    delivered_on=st.none() | DAYS,
    last_scan_on=st.none() | DAYS,
)
ADDRESSES = st.fixed_dictionaries({"country": COUNTRIES, "postal_code": st.just("10119")})

Decide = Callable[[Policies], object]


def _cancellation(facts: OrderFacts, now: datetime) -> Decide:
    return lambda policies: decide_cancellation(facts, policies, now, zone="Europe/Berlin")


def _address(facts: OrderFacts, address: dict[str, str]) -> Decide:
    return lambda policies: decide_address_change(facts, address, policies)


def _items(facts: ChangeFacts) -> Decide:
    return lambda policies: decide_item_change(facts, policies)


def _payment(facts: ChangeFacts, kind: MethodKind) -> Decide:
    return lambda policies: decide_payment_change(facts, kind, policies)


def _claim(facts: ClaimFacts, today: date) -> Decide:
    return lambda policies: decide_claim(facts, policies, today)


def _refund(roles: frozenset[str], cents: int) -> Decide:
    return lambda policies: refund_approval(policies, roles, cents)


def _goodwill(roles: frozenset[str], cents: int, before: int) -> Decide:
    return lambda policies: goodwill_approval(policies, roles, cents, before)


KINDS: dict[str, tuple[Callable[..., Decide], tuple[st.SearchStrategy[Any], ...]]] = {
    "cancellation": (_cancellation, (ORDERS, MOMENTS)),
    "address": (_address, (ORDERS, ADDRESSES)),
    "items": (_items, (CHANGES,)),
    "payment": (_payment, (CHANGES, st.sampled_from(MethodKind))),
    "claim": (_claim, (CLAIMS, DAYS)),
    "refund": (_refund, (ROLES, CENTS)),
    "goodwill": (_goodwill, (ROLES, CENTS, CENTS)),
}


@pytest.mark.parametrize("kind", KINDS)
@limits(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_decision_is_the_same_whatever_was_decided_before(kind: str, data: st.DataObject) -> None:
    """Other decisions in between, and a second set of the same policies, change nothing."""
    make, parts = KINDS[kind]
    facts = [data.draw(part) for part in parts]
    decide, untouched = make(*facts), copy.deepcopy(facts)
    version = POLICIES.version
    decision = decide(POLICIES)
    told = repr(decision)

    for _ in range(data.draw(st.integers(1, 3))):
        make(*(data.draw(part) for part in parts))(POLICIES)

    assert decide(POLICIES) == decision
    assert make(*copy.deepcopy(facts))(SAME_AGAIN) == decision
    assert (facts, repr(decision)) == (untouched, told)
    assert version == POLICIES.version == SAME_AGAIN.version
