"""The right of withdrawal: in two steps, always recorded, always acknowledged."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from opsbot.commerce.cases import Case
from opsbot.commerce.orders import OrderState
from opsbot.commerce.payments import payments_of, refundable
from opsbot.commerce.returns import Return, ReturnKind, ReturnState
from opsbot.commerce.withdrawals import Withdrawal, WithdrawalOutcome
from opsbot.errors import ConflictError, NotFoundError
from opsbot.mail.outgoing import OutgoingMail
from opsbot.toolkit.caller import Level
from opsbot.toolkit.policy.withdrawals import Finding
from opsbot.toolkit.proposals import Confirmation, ProposalState
from tests.factories import NOON
from tests.shop_fixtures import Shop

DAY = timedelta(days=1)


def declare(shop: Shop, number: str, days: int = 0, **arguments: Any) -> Confirmation:
    """Withdraw at level 1, with nothing but the proof of the order."""
    caller, now = shop.prove(number), NOON + days * DAY
    preview = shop.run("withdraw", caller, now=now, order_number=number, **arguments)
    return shop.executor.confirm(caller, preview.id, now=now)  # type: ignore[union-attr]  # a change


def recorded(shop: Shop) -> list[Withdrawal]:
    with shop.database.read() as session:
        return list(session.scalars(select(Withdrawal).order_by(Withdrawal.id)))


def mails(shop: Shop) -> list[OutgoingMail]:
    with shop.database.read() as session:
        found = select(OutgoingMail).where(OutgoingMail.dedupe_key.like("withdrawal:%"))
        return list(session.scalars(found))


def test_a_whole_order_is_withdrawn_from_without_an_account_or_a_reason(shop: Shop) -> None:
    outcome = declare(shop, "#1002")

    [kept] = recorded(shop)
    with shop.database.read() as session:
        opened = session.scalars(select(Return)).one()
    assert outcome.preview.button == "Confirm withdrawal here"
    assert {line["finding"] for line in kept.lines} == {Finding.VALID}
    assert {line["outcome"] for line in kept.lines} == {WithdrawalOutcome.RETURN}
    assert (opened.kind, opened.state) == (ReturnKind.WITHDRAWAL, ReturnState.APPROVED)
    assert opened.id == kept.return_id
    assert opened.refund_minor == 7900 + 2 * 2400 + 490 - 490
    assert kept.policy_version == opened.policy_version
    assert kept.decision["facts"][0]["return_class"] == "electronics"


def test_the_acknowledgement_has_content_day_and_time_and_is_queued_at_once(shop: Shop) -> None:
    declare(shop, "#1002", items=["lamp"])

    [mail] = mails(shop)
    assert mail.recipient == "ada@example.com"
    assert "I withdraw from the contract of order #1002 for: Ember bedside lamp, sage." in mail.text
    assert "Received on 20 November 2026, 13:00 (Europe/Berlin)." in mail.text
    assert "by the way you paid" in mail.text


def test_nothing_is_recorded_before_it_is_confirmed(shop: Shop) -> None:
    shop.propose("withdraw", shop.prove("#1002"), order_number="#1002")

    assert recorded(shop) == []
    assert mails(shop) == []


def test_twice_confirmed_is_declared_once(shop: Shop) -> None:
    caller = shop.prove("#1002")
    preview = shop.propose("withdraw", caller, order_number="#1002")

    first = shop.executor.confirm(caller, preview.id, now=NOON)
    second = shop.executor.confirm(caller, preview.id, now=NOON)

    assert first.result is not None
    assert second.result is not None
    assert first.result.say == second.result.say
    assert len(recorded(shop)) == len(mails(shop)) == 1
    with pytest.raises(ConflictError, match=r"recorded as WD-00001, on 20 November 2026"):
        declare(shop, "#1002")


def test_a_late_withdrawal_is_recorded_all_the_same(shop: Shop) -> None:
    outcome = declare(shop, "#1002", days=20)

    [kept] = recorded(shop)
    with shop.database.read() as session:
        [case] = session.scalars(select(Case))
        assert session.scalars(select(Return)).all() == []
    assert {line["finding"] for line in kept.lines} == {Finding.LATE}
    assert "WD-00001" in case.subject
    assert outcome.result is not None
    assert "recorded all the same, and a person looks" in outcome.result.say
    assert "ended on 24 November 2026" in mails(shop)[0].text


def test_an_order_that_is_not_packed_is_cancelled_and_paid_back(shop: Shop) -> None:
    declare(shop, "#1001")

    [kept] = recorded(shop)
    order = shop.order("#1001")
    assert {line["outcome"] for line in kept.lines} == {WithdrawalOutcome.CANCELLED}
    assert order.state is OrderState.CANCELLED
    with shop.database.read() as session:
        assert refundable(payments_of(session, order.id)) == 0


def test_a_parcel_on_its_way_is_recorded_and_handed_to_a_person(shop: Shop) -> None:
    declare(shop, "#1003")

    [kept] = recorded(shop)
    assert {line["outcome"] for line in kept.lines} == {WithdrawalOutcome.ON_ITS_WAY}
    assert "refuse the parcel at the door" in mails(shop)[0].text


def test_an_exempt_piece_is_recorded_and_handed_to_a_person(shop: Shop) -> None:
    declare(shop, "#1004")

    [kept] = recorded(shop)
    assert {line["finding"] for line in kept.lines} == {Finding.EXEMPT}
    assert shop.order("#1004").state is OrderState.CONFIRMED
    assert "no right of withdrawal" in mails(shop)[0].text


def test_one_item_may_be_withdrawn_from_and_the_rest_later(shop: Shop) -> None:
    declare(shop, "#1002", items=["lamp"])
    declare(shop, "#1002")

    first, second = recorded(shop)
    assert [line["title"] for line in first.lines] == ["Ember bedside lamp, sage"]
    assert [line["title"] for line in second.lines] == ["Kiln mug, moss"]


def test_facts_that_change_meanwhile_bring_a_new_preview(shop: Shop) -> None:
    caller = shop.prove("#1002")
    preview = shop.propose("withdraw", caller, order_number="#1002")
    other = shop.propose(
        "request_return",
        order_number="1002",
        items=["lamp"],
        reason="changed_mind",
        conversation="two",
    )
    shop.executor.confirm(shop.ada, other.id, now=NOON)

    outcome = shop.executor.confirm(caller, preview.id, now=NOON)

    assert outcome.renewed is not None
    assert outcome.preview.state is ProposalState.STALE
    assert recorded(shop) == []


def test_an_order_of_somebody_else_is_not_found(shop: Shop) -> None:
    stranger = replace(shop.prove("#2002"), level=Level.ORDER)

    with pytest.raises(NotFoundError):
        shop.propose("withdraw", stranger, order_number="#1002")
