"""Gestures of goodwill at the same moment do not together exceed what one customer may get."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from opsbot.commerce.goodwill import GoodwillGrant
from opsbot.commerce.loyalty import LoyaltyEntry
from opsbot.commerce.payment_methods import CreditEntry
from opsbot.db import Database
from opsbot.errors import OpsbotError
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import ProposalState
from tests.factories import NOON
from tests.shop_fixtures import Shop, fill_shop, open_shop

CAP = 5_000
EACH = 2_000
PEOPLE = 6
ORDERS = ("#1001", "#1002", "#1003")
KINDS = ("store_credit", "points")


@pytest.fixture
def shop(
    database: Database, settings: Settings, tools: Mapping[str, AnyTool], policies: Policies
) -> Shop:
    """Ada's and Eve's shop, on SQLite and on PostgreSQL."""
    fill_shop(database)
    return open_shop(database, settings, tools, policies)


@pytest.fixture
def worth(policies: Policies) -> int:
    """What a point is worth, in cents."""
    return max(1, policies.loyalty.redeem.minor_per_point)


def helper(number: int, role: str = "agent") -> Caller:
    return Caller(Audience.STAFF, "console", staff_id=number, roles=frozenset({role}))


def propose(shop: Shop, who: Caller, number: str, **values: Any) -> str:
    arguments = {"order_number": number, "kind": "store_credit", "amount": "20.00"} | values
    talk = f"talk {who.staff_id} {number}"
    return shop.propose(
        "goodwill", who, conversation=talk, reason="It came late, sorry", **arguments
    ).id


def given(shop: Shop, worth: int) -> int:
    """Return what was granted; a point is worth so many cents."""
    with shop.database.read() as session:
        total = session.scalar(sa.select(sa.func.sum(GoodwillGrant.value_minor)))
        credit = session.scalar(sa.select(sa.func.sum(CreditEntry.amount_minor))) or 0
        points = session.scalar(sa.select(sa.func.sum(LoyaltyEntry.points))) or 0
    assert credit + points * worth == (total or 0), "what was granted is what arrived"
    return total or 0


def press_all(shop: Shop, pressed: list[tuple[Caller, str]]) -> list[str]:
    """Confirm everything at the same moment; return the states, refusals as their code."""
    start, told = threading.Barrier(len(pressed)), list[str]()

    def press(who: Caller, key: str) -> None:
        start.wait()
        try:
            told.append(str(shop.executor.confirm(who, key, now=NOON).preview.state))
        except OpsbotError as error:
            told.append(error.code)

    threads = [threading.Thread(target=press, args=pair) for pair in pressed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def test_gestures_at_once_never_exceed_what_a_customer_may_get(shop: Shop, worth: int) -> None:
    pressed = []
    for number in range(PEOPLE):
        who = helper(number + 1)
        kind = KINDS[number % len(KINDS)]
        pressed.append((who, propose(shop, who, ORDERS[number % len(ORDERS)], kind=kind)))

    told = press_all(shop, pressed)

    assert len(told) == PEOPLE
    assert EACH <= given(shop, worth) <= CAP
    assert told.count(ProposalState.EXECUTED) == given(shop, worth) // EACH
    assert set(told) <= {ProposalState.EXECUTED, ProposalState.STALE, "unavailable"}


def test_who_was_overtaken_sees_it_and_then_needs_somebody_else(shop: Shop, worth: int) -> None:
    first, second, third = helper(1), helper(2), helper(3)
    keys = [propose(shop, who, "#1002") for who in (first, second, third)]

    done = shop.executor.confirm(first, keys[0], now=NOON)
    overtaken = shop.executor.confirm(second, keys[1], now=NOON)

    assert done.preview.state is ProposalState.EXECUTED
    assert overtaken.preview.state is ProposalState.STALE
    assert overtaken.renewed is not None
    assert overtaken.renewed.approval is None
    assert "€20.00 of €50.00" in " ".join(overtaken.renewed.details)
    shop.executor.confirm(second, overtaken.renewed.id, now=NOON)
    last = shop.executor.confirm(third, keys[2], now=NOON).renewed
    assert last is not None
    assert last.approval is not None
    assert shop.executor.confirm(third, last.id, now=NOON).preview.state is ProposalState.WAITING
    assert given(shop, worth) == 2 * EACH


def test_the_same_gesture_pressed_by_many_threads_is_given_once(shop: Shop, worth: int) -> None:
    who = helper(1)
    key = propose(shop, who, "#1002")

    told = press_all(shop, [(who, key)] * PEOPLE)

    assert set(told) == {ProposalState.EXECUTED}
    assert given(shop, worth) == EACH


def test_another_customer_has_a_limit_of_their_own(shop: Shop) -> None:
    who = helper(1)
    keys = [propose(shop, who, number) for number in ("#1002", "#2002")]

    states = [shop.executor.confirm(who, key, now=NOON).preview.state for key in keys]

    assert states == [ProposalState.EXECUTED, ProposalState.EXECUTED]
