"""Changes: shown first, done once, and kept."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from opsbot.commerce.orders import OrderState, find_order
from opsbot.commerce.orders import cancel_order as cancel_in_shop
from opsbot.commerce.payments import PaymentKind, payments_of
from opsbot.db import Database
from opsbot.errors import (
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotVerifiedError,
    PolicyError,
    RateLimitedError,
    UnavailableError,
)
from opsbot.mail import OutgoingMail
from opsbot.settings import Settings
from opsbot.toolkit.audit import AuditEvent, verify
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import Confirmation, Proposal, ProposalState
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.tool import ToolContext, tool
from tests.factories import NOON
from tests.shop_fixtures import NO_KNOWLEDGE, Shop, fill_shop, open_shop

MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(
    database: Database, settings: Settings, tools: Mapping[str, AnyTool], policies: Policies
) -> Shop:
    """Ada's and Eve's shop, on SQLite and on PostgreSQL."""
    fill_shop(database)
    return open_shop(database, settings, tools, policies)


def refunds(shop: Shop, number: str) -> list[int]:
    order = shop.order(number)
    with shop.database.read() as session:
        ledger = payments_of(session, order.id)
    return [line.amount_minor for line in ledger if line.kind is PaymentKind.REFUND]


def actions(shop: Shop) -> list[tuple[str, str]]:
    with shop.database.read() as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.number))
        return [(row.action, row.subject) for row in rows]


def test_a_preview_changes_nothing(shop: Shop) -> None:
    preview = shop.propose("cancel_order", order_number="#1001")

    assert preview.title == "Cancel order #1001?"
    assert "€52.90 goes back to your card." in preview.details
    assert preview.clause is not None
    assert preview.clause.id == "cancellation.before_packing"
    assert shop.order("#1001").state is OrderState.CONFIRMED


def test_a_confirmed_change_is_done_once_and_told_again(shop: Shop) -> None:
    preview = shop.propose("cancel_order", order_number="#1001")

    first = shop.executor.confirm(shop.ada, preview.id, now=NOON + MINUTE)
    second = shop.executor.confirm(shop.ada, preview.id, now=NOON + 2 * MINUTE)

    assert first.preview.state is second.preview.state is ProposalState.EXECUTED
    assert first.result is not None
    assert second.result is not None
    assert first.result.say == second.result.say == second.preview.say
    assert shop.order("#1001").state is OrderState.CANCELLED
    assert refunds(shop, "#1001") == [5290]


def test_what_was_executed_is_mailed_and_audited_with_it(shop: Shop) -> None:
    preview = shop.propose("cancel_order", order_number="#1001")

    shop.executor.confirm(shop.ada, preview.id, now=NOON)

    with shop.database.read() as session:
        mail = session.scalars(select(OutgoingMail)).one()
        assert verify(session).problem == ""
    assert (mail.recipient, mail.subject) == ("ada@example.com", "Your order #1001 is cancelled")
    assert ("executed", "cancel_order") in actions(shop)


def test_a_second_cancellation_is_refused_in_words(shop: Shop) -> None:
    preview = shop.propose("cancel_order", order_number="#1001")
    shop.executor.confirm(shop.ada, preview.id, now=NOON)

    with pytest.raises(Exception, match=r"#1001 was cancelled already on 20 November 2026"):
        shop.propose("cancel_order", order_number="#1001")

    assert ("refused", "cancel_order") in actions(shop)


def test_two_people_who_press_at_once_cancel_once(shop: Shop) -> None:
    preview = shop.propose("cancel_order", order_number="#1001")
    start, outcomes = threading.Barrier(4), list[Confirmation]()

    def press() -> None:
        start.wait()
        outcomes.append(shop.executor.confirm(shop.ada, preview.id, now=NOON))

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 4
    assert {o.result.say if o.result else "" for o in outcomes} == {outcomes[0].preview.say}
    assert refunds(shop, "#1001") == [5290]
    assert actions(shop).count(("executed", "cancel_order")) == 1


def test_two_conversations_that_cancel_at_once_refund_once(shop: Shop) -> None:
    previews = [
        shop.propose("cancel_order", order_number="#1001", conversation=f"talk {n}")
        for n in range(2)
    ]
    start, outcomes = threading.Barrier(2), list[Confirmation]()

    def press(proposal_id: str) -> None:
        start.wait()
        outcomes.append(shop.executor.confirm(shop.ada, proposal_id, now=NOON))

    threads = [threading.Thread(target=press, args=(preview.id,)) for preview in previews]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    states = sorted(outcome.preview.state for outcome in outcomes)
    assert states == [ProposalState.EXECUTED, ProposalState.FAILED]
    assert refunds(shop, "#1001") == [5290]


def test_a_new_preview_takes_the_place_of_an_open_one(shop: Shop) -> None:
    first = shop.propose("cancel_order", order_number="#1001")
    second = shop.propose("report_problem", order_number="#1002", kind="damaged")

    outcome = shop.executor.confirm(shop.ada, first.id, now=NOON)

    assert outcome.preview.state is ProposalState.CANCELLED
    assert shop.order("#1001").state is OrderState.CONFIRMED
    assert shop.executor.open_proposal("talk", now=NOON) == second
    assert shop.executor.conversation_of(second.id) == "talk"


def test_a_dropped_preview_is_not_executed(shop: Shop) -> None:
    preview = shop.propose("cancel_order", order_number="#1001")

    dropped = shop.executor.cancel(shop.ada, preview.id, now=NOON)
    outcome = shop.executor.confirm(shop.ada, preview.id, now=NOON)

    assert dropped.state is outcome.preview.state is ProposalState.CANCELLED
    assert outcome.result is None
    assert shop.executor.open_proposal("talk", now=NOON) is None


def test_a_preview_expires_after_a_quarter_of_an_hour(shop: Shop) -> None:
    preview = shop.propose("cancel_order", order_number="#1001")

    late = preview.expires_at
    assert late == NOON + 15 * MINUTE
    assert shop.executor.open_proposal("talk", now=late) is None
    outcome = shop.executor.confirm(shop.ada, preview.id, now=late)

    assert outcome.preview.state is ProposalState.EXPIRED
    assert shop.order("#1001").state is OrderState.CONFIRMED


def test_a_preview_of_somebody_else_does_not_exist(shop: Shop) -> None:
    preview = shop.propose("cancel_order", order_number="#1001")

    for stranger in (shop.eve, shop.prove("#1001"), Caller(Audience.CUSTOMER, "widget")):
        with pytest.raises(NotFoundError):
            shop.executor.confirm(stranger, preview.id, now=NOON)
        with pytest.raises(NotFoundError):
            shop.executor.cancel(stranger, preview.id, now=NOON)

    assert shop.order("#1001").state is OrderState.CONFIRMED


def test_changed_facts_make_a_new_preview_and_do_nothing(shop: Shop) -> None:
    preview = shop.propose("cancel_order", order_number="#1001")
    with shop.database.write() as session:
        order = find_order(session, "#1001", customer_id=None)
        one = {order.lines[0].id: 1}
        cancel_in_shop(session, order, lines=one, reason="out of stock", actor="staff:1", now=NOON)

    outcome = shop.executor.confirm(shop.ada, preview.id, now=NOON)

    assert outcome.preview.state is ProposalState.STALE
    assert outcome.result is None
    assert outcome.renewed is not None
    assert "€28.90 goes back to your card." in outcome.renewed.details
    assert shop.order("#1001").state is OrderState.CONFIRMED
    again = shop.executor.confirm(shop.ada, outcome.renewed.id, now=NOON)
    assert again.preview.state is ProposalState.EXECUTED
    assert refunds(shop, "#1001") == [2400, 2890]


def test_a_rule_that_forbids_it_meanwhile_is_told(shop: Shop) -> None:
    preview = shop.propose("cancel_order", order_number="#1001")
    with shop.database.write() as session:
        order = find_order(session, "#1001", customer_id=None)
        cancel_in_shop(session, order, reason="no stock", actor="staff:1", now=NOON)

    outcome = shop.executor.confirm(shop.ada, preview.id, now=NOON)

    assert outcome.preview.state is ProposalState.FAILED
    assert "cancelled already" in outcome.preview.say
    assert refunds(shop, "#1001") == [5290]


def test_the_level_is_checked_again_when_it_is_done(shop: Shop) -> None:
    fresh = shop.ada.at_level(Level.FRESH_CODE)
    preview = shop.propose(
        "change_address", fresh, order_number="#1001", address="Sonnenallee 5, 12047 Berlin"
    )

    with pytest.raises(NotVerifiedError):
        shop.executor.confirm(shop.ada, preview.id, now=NOON)

    assert shop.order("#1001").ship_to["line1"] == "Torstraße 12"
    assert ("refused", preview.id) in actions(shop)
    shop.executor.confirm(fresh, preview.id, now=NOON)
    assert shop.order("#1001").ship_to["line1"] == "Sonnenallee 5"


def test_arguments_that_were_changed_in_the_ledger_are_not_executed(shop: Shop) -> None:
    preview = shop.propose("cancel_order", order_number="#1001")
    with shop.database.write() as session:
        row = session.get_one(Proposal, preview.id)
        row.arguments = {**row.arguments, "order_number": "#1003"}

    with pytest.raises(NotAllowedError, match="not what was shown"):
        shop.executor.confirm(shop.ada, preview.id, now=NOON)


@tool(examples=["break"], label="Breaking", level=Level.ANONYMOUS)
def break_down(ctx: ToolContext, words: str = "") -> Result:
    """Break with a text that nobody may see."""
    raise RuntimeError(f"secret of the database {words}")


@tool(examples=["crash"], label="Crashing", effect="write")
def crash_once(ctx: ToolContext) -> Change:
    """Break halfway through a change, the first time."""
    order = find_order(ctx.session, "#1001", customer_id=ctx.caller.customer_id)

    def apply() -> Result:
        cancel_in_shop(ctx.session, order, reason="x", actor="x", now=ctx.now)
        if ctx.now == NOON:
            raise RuntimeError("the process dies here")
        return Result("Done.")

    return Change("Crash?", [], "Crash", {"version": order.version}, apply)


@pytest.fixture
def fragile(shop: Shop, policies: Policies) -> Shop:
    """The shop with tools that break."""
    tools: Mapping[str, AnyTool] = {"break_down": break_down, "crash_once": crash_once}
    executor = Executor(
        shop.database, shop.settings, tools, NO_KNOWLEDGE, policies, runs_per_minute=3
    )
    return replace(shop, executor=executor)


def test_an_error_nobody_foresaw_tells_nothing(fragile: Shop) -> None:
    with pytest.raises(UnavailableError) as raised:
        fragile.run("break_down", words="abc")

    assert str(raised.value) == "Breaking could not be done just now. Please try again later."


def test_a_change_that_breaks_is_undone_and_may_be_tried_again(fragile: Shop) -> None:
    preview = fragile.propose("crash_once", now=NOON - MINUTE)

    with pytest.raises(UnavailableError):
        fragile.executor.confirm(fragile.ada, preview.id, now=NOON)
    untouched = fragile.order("#1001").state
    outcome = fragile.executor.confirm(fragile.ada, preview.id, now=NOON + MINUTE)

    assert untouched is OrderState.CONFIRMED
    assert outcome.preview.state is ProposalState.EXECUTED
    assert fragile.order("#1001").state is OrderState.CANCELLED
    assert refunds(fragile, "#1001") == [5290]


def test_too_many_runs_within_a_minute_are_refused(fragile: Shop) -> None:
    def run(now_s: int) -> None:
        with pytest.raises(UnavailableError):
            fragile.run("break_down", now=NOON + timedelta(seconds=now_s))

    for second in (0, 1, 2):
        run(second)
    with pytest.raises(RateLimitedError) as raised:
        fragile.run("break_down", now=NOON + timedelta(seconds=50))
    assert raised.value.retry_after == 10

    with pytest.raises(UnavailableError):
        fragile.run("break_down", fragile.eve)
    run(60)


def test_a_tool_that_is_not_offered_reads_like_one_that_does_not_exist(shop: Shop) -> None:
    texts = set()
    for name in ("search_staff_articles", "no_such_tool", "__class__"):
        with pytest.raises(NotAllowedError) as raised:
            shop.run(name)
        texts.add(str(raised.value))

    assert texts == {"That is not something I can do here."}


def test_arguments_that_a_tool_does_not_have_are_refused(shop: Shop) -> None:
    with pytest.raises(InvalidInputError, match="customer_id"):
        shop.run("order_status", order_number="#1001", customer_id=2)


def test_a_read_of_personal_data_is_audited(shop: Shop) -> None:
    shop.read("order_status", order_number="#1001")

    assert actions(shop) == [("read", "order_status")]


def test_a_refusal_by_policy_quotes_the_clause(shop: Shop) -> None:
    with pytest.raises(PolicyError) as raised:
        shop.propose("cancel_order", order_number="#1003")

    assert raised.value.clause == "cancellation.after_handover"
    assert raised.value.quote.startswith("A parcel that has left us")
    assert raised.value.alternatives


def test_what_harms_nobody_is_done_at_once_and_audited(shop: Shop) -> None:
    done = shop.run("give_feedback", text="Lovely shop")

    assert isinstance(done, Result)
    assert actions(shop) == [("executed", "give_feedback")]
    with shop.database.read() as session:
        assert session.scalars(select(Proposal)).one().state is ProposalState.EXECUTED


def test_what_cannot_be_done_at_once_says_why(shop: Shop) -> None:
    with pytest.raises(NotFoundError):
        shop.run("give_feedback", text="Lovely shop", order_number="#2001")

    assert actions(shop) == [("refused", "give_feedback")]
