"""Who may pay out how much alone, and who must agree above that."""

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from opsbot.content import content_root
from opsbot.staff import Role
from opsbot.toolkit.policy import load_policies
from opsbot.toolkit.policy.approvals import approval_for, goodwill_approval, refund_approval

POLICIES = load_policies(content_root() / "knowledge" / "policies")


@pytest.mark.parametrize(
    ("roles", "amount", "who"),
    [
        ({"agent"}, 10_000, None),
        ({"agent"}, 10_001, ("lead", "manager")),
        ({"agent"}, 50_001, ("manager",)),
        ({"lead"}, 50_000, None),
        ({"lead", "agent"}, 50_000, None),
        ({"lead"}, 50_001, ("manager",)),
        ({"manager"}, 900_000, None),
        ({"ops"}, 1, ("agent", "lead", "manager")),
        ({"assistant"}, 1, ("agent", "lead", "manager")),
        (set(), 0, None),
    ],
)
def test_a_refund_above_ones_limit_needs_somebody_with_a_higher_one(
    roles: set[str], amount: int, who: tuple[str, ...] | None
) -> None:
    needed = refund_approval(POLICIES, roles, amount)

    assert (needed.roles if needed else None) == who


@pytest.mark.parametrize(
    ("roles", "amount", "given_before", "who"),
    [
        ({"agent"}, 2500, 0, None),
        ({"agent"}, 2501, 0, ("lead", "manager")),
        ({"agent"}, 2500, 2501, ("manager",)),
        ({"lead"}, 5000, 0, None),
        ({"lead"}, 2000, 4000, ("manager",)),
        ({"manager"}, 20_000, 20_000, None),
    ],
)
def test_goodwill_is_limited_by_person_and_by_customer(
    roles: set[str], amount: int, given_before: int, who: tuple[str, ...] | None
) -> None:
    needed = goodwill_approval(POLICIES, roles, amount, given_before)

    assert (needed.roles if needed else None) == who


def test_rules_of_other_tools_are_found_by_name() -> None:
    assert approval_for(POLICIES, "adjust_stock", amount_minor=20_000) is None
    large = approval_for(POLICIES, "adjust_stock", amount_minor=20_001)
    assert large is not None
    assert large.roles == ("lead", "manager")
    assert approval_for(POLICIES, "release_lot", result="accepted") is None
    assert approval_for(POLICIES, "release_lot", result="rejected") is not None
    assert approval_for(POLICIES, "no_such_tool", amount_minor=10**9) is None


@limits(deadline=None)  # a busy machine proves nothing about roles
@given(roles=st.sets(st.sampled_from(Role)), amount=st.integers(0, 10**7))
def test_whoever_must_agree_could_have_paid_it_alone(roles: set[Role], amount: int) -> None:
    needed = refund_approval(POLICIES, roles, amount)

    if needed is not None:
        assert needed.roles
        assert all(refund_approval(POLICIES, {role}, amount) is None for role in needed.roles)
        assert not set(needed.roles) & roles
