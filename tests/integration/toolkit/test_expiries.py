"""What a second person left undecided: who asked for it hears of it, and a customer gets a case."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from sqlalchemy import select

from opsbot.commerce.cases import Case
from opsbot.commerce.orders import find_order
from opsbot.db import Database
from opsbot.mail import OutgoingMail
from opsbot.settings import Settings
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.expiries import Undecided, expire_late
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import UNDECIDED, Preview, ProposalState
from tests.factories import DAY, NOON
from tests.integration.toolkit.ledger_shop import TOOLS, People, add_people, audit_of, refunds_of
from tests.shop_fixtures import NO_KNOWLEDGE, Shop, fill_shop, open_shop

LATE = NOON + 3 * DAY


@pytest.fixture
def shop(
    database: Database, settings: Settings, tools: Mapping[str, AnyTool], policies: Policies
) -> Shop:
    """Ada's and Eve's shop, with tools that need a second person."""
    fill_shop(database)
    opened = open_shop(database, settings, tools, policies)
    executor = Executor(database, settings, TOOLS, NO_KNOWLEDGE, policies, runs_per_minute=1000)
    return replace(opened, executor=executor)


@pytest.fixture
def people(shop: Shop) -> People:
    """Who works there."""
    return add_people(shop)


def wait(shop: Shop, tool: str, caller: Caller) -> Preview:
    """Ask for 50.00 EUR of #1001, and confirm it."""
    preview = shop.propose(tool, caller, order_number="#1001", cents=5000)
    return shop.executor.confirm(caller, preview.id, now=NOON).preview


def end(shop: Shop) -> list[Undecided]:
    with shop.database.write() as session:
        return expire_late(session, shop.settings, now=LATE)


def mails(shop: Shop) -> list[OutgoingMail]:
    with shop.database.read() as session:
        return list(session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)))


def cases(shop: Shop) -> list[Case]:
    with shop.database.read() as session:
        return list(session.scalars(select(Case)))


def test_a_member_of_staff_gets_a_mail(shop: Shop, people: People) -> None:
    waiting = wait(shop, "give_back", people.mara)

    [ended] = end(shop)

    assert ended.preview.state is ProposalState.EXPIRED
    assert "within 3 days, so nothing was changed" in ended.preview.say
    [mail] = mails(shop)
    assert mail.recipient == "mara@shop.example"
    assert waiting.title in mail.subject
    assert waiting.details[0] in mail.text
    assert cases(shop) == []
    assert refunds_of(shop, "#1001") == []


def test_a_customers_request_becomes_a_case(shop: Shop, people: People) -> None:
    waiting = wait(shop, "ask_back", shop.ada)

    [ended] = end(shop)

    [case] = cases(shop)
    with shop.database.read() as session:
        order = find_order(session, "#1001", customer_id=None)
    assert (case.customer_id, case.order_id) == (shop.ada.customer_id, order.id)
    assert waiting.title in case.subject
    assert "(above 2000 cents)" in case.summary
    assert case.number in ended.preview.say
    [mail] = mails(shop)
    assert mail.recipient == "ada@example.com"
    assert case.number in mail.text
    assert refunds_of(shop, "#1001") == []


def test_it_is_told_once_and_audited(shop: Shop, people: People) -> None:
    waiting = wait(shop, "ask_back", shop.ada)

    assert len(end(shop)) == 1
    assert end(shop) == []

    assert (len(cases(shop)), len(mails(shop))) == (1, 1)
    told = [(row.actor, row.detail) for row in audit_of(shop) if row.action == "expired"]
    assert told == [("system", {"proposal": waiting.id, "case": cases(shop)[0].number})]


@pytest.mark.parametrize("decide", ["approve", "reject", "cancel"])
def test_who_decides_too_late_changes_nothing_and_hides_nothing(
    shop: Shop, people: People, decide: str
) -> None:
    waiting = wait(shop, "give_back", people.mara)
    if decide == "cancel":
        late = shop.executor.cancel(people.mara, waiting.id, now=LATE)
    else:
        late = getattr(shop.executor, decide)(people.lena, waiting.id, now=LATE).preview

    assert (late.state, late.say) == (ProposalState.EXPIRED, UNDECIDED)
    assert len(end(shop)) == 1
    assert len(mails(shop)) == 1


def test_what_nobody_confirmed_ends_without_a_word(shop: Shop, people: People) -> None:
    preview = shop.propose("give_back", people.mara, order_number="#1001", cents=5000)

    assert end(shop) == []

    late = shop.executor.cancel(people.mara, preview.id, now=LATE)
    assert late.state is ProposalState.EXPIRED
    assert (cases(shop), mails(shop)) == ([], [])


def test_what_still_may_be_decided_stays(shop: Shop, people: People) -> None:
    waiting = wait(shop, "give_back", people.mara)

    with shop.database.write() as session:
        early = expire_late(session, shop.settings, now=LATE - DAY)

    assert early == []
    assert shop.executor.approve(people.lena, waiting.id, now=LATE - DAY).result is not None
