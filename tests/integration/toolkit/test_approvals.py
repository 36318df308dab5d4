"""Changes that need a second person: they wait, and only somebody else may let them happen."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from opsbot.commerce.orders import cancel_order as cancel_in_shop
from opsbot.commerce.orders import find_order
from opsbot.commerce.records import History
from opsbot.db import Database
from opsbot.errors import NotAllowedError, NotFoundError
from opsbot.settings import Settings
from opsbot.staff import Staff
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import Confirmation, Preview, Proposal, ProposalState
from opsbot.toolkit.results import Approval
from tests.factories import DAY, NOON
from tests.integration.toolkit.ledger_shop import (
    TOOLS,
    People,
    add_people,
    audit_of,
    effects_of,
    refunds_of,
)
from tests.shop_fixtures import NO_KNOWLEDGE, Shop, fill_shop, open_shop

MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(
    database: Database, settings: Settings, tools: Mapping[str, AnyTool], policies: Policies
) -> Shop:
    """Ada's and Eve's shop, with tools that need a second person."""
    fill_shop(database)
    opened = open_shop(database, settings, tools, policies)
    executor = Executor(
        database, settings, TOOLS, NO_KNOWLEDGE, policies, runs_per_minute=1_000_000
    )
    return replace(opened, executor=executor)


@pytest.fixture
def people(shop: Shop) -> People:
    """Who works there."""
    return add_people(shop)


@pytest.fixture
def waiting(shop: Shop, people: People) -> Preview:
    """Mara has confirmed to give 50.00 EUR back on #1001."""
    preview = shop.propose("give_back", people.mara, order_number="#1001", cents=5000)
    return shop.executor.confirm(people.mara, preview.id, now=NOON).preview


def test_a_small_change_needs_nobody_else(shop: Shop, people: People) -> None:
    preview = shop.propose("give_back", people.mara, order_number="#1001", cents=2000)

    outcome = shop.executor.confirm(people.mara, preview.id, now=NOON)

    assert preview.approval is None
    assert outcome.preview.state is ProposalState.EXECUTED
    assert refunds_of(shop, "#1001") == [2000]


def test_a_large_one_waits_after_its_confirmation_and_nothing_is_done(
    shop: Shop, people: People, waiting: Preview
) -> None:
    assert waiting.state is ProposalState.WAITING
    assert waiting.approval == Approval(["lead", "manager"], "above 2000 cents")
    assert "waits for a lead or manager" in waiting.say
    assert waiting.expires_at == NOON + 3 * DAY
    assert refunds_of(shop, "#1001") == []
    assert effects_of(shop) == []
    again = shop.executor.confirm(people.mara, waiting.id, now=NOON + MINUTE)
    assert (again.preview, again.result) == (waiting, None)


def test_a_second_person_lets_it_happen_once_on_behalf_of_the_first(
    shop: Shop, people: People, waiting: Preview
) -> None:
    first = shop.executor.approve(people.lena, waiting.id, now=NOON + DAY)
    again = shop.executor.approve(people.ben, waiting.id, now=NOON + 2 * DAY)
    told = shop.executor.confirm(people.mara, waiting.id, now=NOON + 2 * DAY)

    assert first.preview.state is ProposalState.EXECUTED
    assert first.result is not None
    assert again.result is not None
    assert told.result is not None
    assert first.result.say == again.result.say == told.result.say
    assert refunds_of(shop, "#1001") == [5000]
    assert len(effects_of(shop)) == 1


def test_audit_and_history_name_both_people(shop: Shop, people: People, waiting: Preview) -> None:
    shop.executor.approve(people.lena, waiting.id, now=NOON)

    rows = [(row.actor, row.action, row.detail.get("approved_by")) for row in audit_of(shop)]
    assert rows == [
        (people.mara.actor, "confirmed", None),
        (people.lena.actor, "approved", None),
        (people.mara.actor, "executed", people.lena.actor),
    ]
    with shop.database.read() as session:
        line = session.scalars(select(History).where(History.event == "given_back")).one()
        kept = session.get_one(Proposal, waiting.id)
    assert (line.actor, line.approved_by) == (people.mara.actor, people.lena.actor)
    assert kept.decided_by == people.lena.actor


def test_nobody_approves_their_own(shop: Shop, people: People) -> None:
    preview = shop.propose("give_back", people.ben, order_number="#1001", cents=5000)
    shop.executor.confirm(people.ben, preview.id, now=NOON)

    for decide in (shop.executor.approve, shop.executor.reject):
        with pytest.raises(NotAllowedError, match="Nobody approves their own"):
            decide(people.ben, preview.id, now=NOON)

    assert refunds_of(shop, "#1001") == []
    assert [row.action for row in audit_of(shop)] == ["confirmed", "refused", "refused"]


def test_without_the_role_nobody_decides(shop: Shop, people: People, waiting: Preview) -> None:
    for decide in (shop.executor.approve, shop.executor.reject):
        with pytest.raises(NotAllowedError, match="Only a lead or manager"):
            decide(people.otto, waiting.id, now=NOON)
        with pytest.raises(NotFoundError):
            decide(shop.ada, waiting.id, now=NOON)

    assert refunds_of(shop, "#1001") == []


def test_what_is_not_confirmed_yet_does_not_exist_for_the_second_person(
    shop: Shop, people: People
) -> None:
    preview = shop.propose("give_back", people.mara, order_number="#1001", cents=5000)

    with pytest.raises(NotFoundError):
        shop.executor.approve(people.lena, preview.id, now=NOON)

    assert shop.executor.waiting(people.lena, now=NOON) == []


def test_a_rejected_one_is_not_done_and_says_why(
    shop: Shop, people: People, waiting: Preview
) -> None:
    shop.executor.reject(people.lena, waiting.id, now=NOON, reason="It was delivered.")

    told = shop.executor.confirm(people.mara, waiting.id, now=NOON)
    late = shop.executor.approve(people.ben, waiting.id, now=NOON)
    assert told.preview.state is late.preview.state is ProposalState.REJECTED
    assert told.preview.say == "It was not approved: It was delivered."
    assert refunds_of(shop, "#1001") == []


def test_the_list_shows_what_one_may_decide_and_what_is_ones_own(
    shop: Shop, people: People, waiting: Preview
) -> None:
    [for_lena] = shop.executor.waiting(people.lena, now=NOON)
    [for_mara] = shop.executor.waiting(people.mara, now=NOON)

    assert (for_lena.preview.id, for_lena.asked_by, for_lena.asked_at) == (waiting.id, "Mara", NOON)
    assert (for_lena.may_decide, for_mara.may_decide) == (True, False)
    assert shop.executor.waiting(people.otto, now=NOON) == []
    assert shop.executor.waiting(shop.ada, now=NOON) == []
    assert shop.executor.waiting(people.lena, now=NOON + 3 * DAY) == []


def test_after_three_days_it_expires(shop: Shop, people: People, waiting: Preview) -> None:
    late = shop.executor.approve(people.lena, waiting.id, now=NOON + 3 * DAY)

    assert late.preview.state is ProposalState.EXPIRED
    assert refunds_of(shop, "#1001") == []


def test_who_asked_for_it_may_withdraw_it(shop: Shop, people: People, waiting: Preview) -> None:
    dropped = shop.executor.cancel(people.mara, waiting.id, now=NOON)

    late = shop.executor.approve(people.lena, waiting.id, now=NOON)
    assert dropped.state is late.preview.state is ProposalState.CANCELLED
    assert refunds_of(shop, "#1001") == []


def test_changed_facts_go_back_to_who_asked_for_it(shop: Shop, people: People) -> None:
    preview = shop.propose("give_back", people.mara, order_number="#1001", cents=2500)
    shop.executor.confirm(people.mara, preview.id, now=NOON)
    _change_order(shop)

    outcome = shop.executor.approve(people.lena, preview.id, now=NOON + DAY)

    assert outcome.preview.state is ProposalState.STALE
    assert outcome.renewed is not None
    assert refunds_of(shop, "#1001") == [2400]
    again = shop.executor.confirm(people.mara, outcome.renewed.id, now=NOON + 2 * DAY)
    late = shop.executor.approve(people.lena, again.preview.id, now=NOON + 2 * DAY)
    assert again.preview.state is ProposalState.WAITING
    assert late.preview.state is ProposalState.EXECUTED
    assert refunds_of(shop, "#1001") == [2400, 2500]


def test_what_has_become_impossible_meanwhile_fails_and_is_not_shown_again(
    shop: Shop, people: People, waiting: Preview
) -> None:
    _change_order(shop)

    outcome = shop.executor.approve(people.lena, waiting.id, now=NOON + DAY)

    # Of 52.90 EUR, 24.00 are back already: 50.00 more are too much by now.
    assert (outcome.preview.state, outcome.renewed) == (ProposalState.FAILED, None)
    assert "2890 of what was paid is left" in outcome.preview.say
    assert refunds_of(shop, "#1001") == [2400]


def test_changed_facts_are_seen_before_it_waits(shop: Shop, people: People) -> None:
    preview = shop.propose("give_back", people.mara, order_number="#1001", cents=2500)
    _change_order(shop)

    outcome = shop.executor.confirm(people.mara, preview.id, now=NOON)

    assert outcome.preview.state is ProposalState.STALE
    assert outcome.renewed is not None
    waits = shop.executor.confirm(people.mara, outcome.renewed.id, now=NOON)
    assert waits.preview.state is ProposalState.WAITING


def test_who_left_the_shop_gets_nothing_done_any_more(
    shop: Shop, people: People, waiting: Preview
) -> None:
    with shop.database.write() as session:
        session.get_one(Staff, people.mara.staff_id).active = False

    outcome = shop.executor.approve(people.lena, waiting.id, now=NOON)

    assert outcome.preview.state is ProposalState.FAILED
    assert "does not work here any more" in outcome.preview.say
    assert refunds_of(shop, "#1001") == []


def test_a_customers_change_may_wait_for_staff_too(shop: Shop, people: People) -> None:
    preview = shop.propose("ask_back", order_number="#1001", cents=5000)
    waiting = shop.executor.confirm(shop.ada, preview.id, now=NOON).preview

    [listed] = shop.executor.waiting(people.lena, now=NOON)
    outcome = shop.executor.approve(people.lena, waiting.id, now=NOON)

    assert waiting.say.startswith("A colleague must agree")
    assert listed.asked_by == "Ada Brandt"
    assert outcome.preview.state is ProposalState.EXECUTED
    assert refunds_of(shop, "#1001") == [5000]


def test_of_many_who_approve_and_reject_at_once_one_decides(
    shop: Shop, people: People, waiting: Preview
) -> None:
    start, outcomes = threading.Barrier(8), list[Confirmation]()

    def decide(number: int) -> None:
        start.wait()
        caller = people.lena if number % 2 else people.ben
        act = shop.executor.approve if number < 4 else shop.executor.reject
        outcomes.append(act(caller, waiting.id, now=NOON))

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    states = {outcome.preview.state for outcome in outcomes}
    assert len(outcomes) == 8
    assert len(states) == 1
    done = states == {ProposalState.EXECUTED}
    assert refunds_of(shop, "#1001") == ([5000] if done else [])


def _change_order(shop: Shop) -> None:
    """Cancel one of the two mugs meanwhile; 24.00 EUR go back."""
    with shop.database.write() as session:
        order = find_order(session, "#1001", customer_id=None)
        one = {order.lines[0].id: 1}
        cancel_in_shop(session, order, lines=one, reason="x", actor="staff:1", now=NOON)
