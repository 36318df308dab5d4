"""The page of what waits for a second person, in a browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete, select

from opsbot.channels.services import Services
from opsbot.commerce.effects import Effect
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.staff import Role, Staff, make_staff
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.proposals import Preview, Proposal, ProposalState
from tests.factories import NOON
from tests.web.conftest import Open, overflows, violations
from tests.web.small_shop import PASSWORD, STAFF, Site
from tests.web.test_console import MODES, sign_in

TITLE = "Give 2100 cents back on #1007?"


@pytest.fixture
def waiting(site: Site) -> Iterator[str]:
    """Ben asked for a refund above what one may give alone; so did Mara, who looks at the page."""
    with site.database.write() as session:
        ben = make_staff(email="ben@x.example", name="Ben", password=PASSWORD, roles=[Role.AGENT])
        session.add(ben)
        session.flush()
        mara = session.scalars(select(Staff).where(Staff.email == STAFF)).one()
    number = _wait(site, ben, "#1007")
    _wait(site, mara, "#1001")
    yield number
    with site.database.write() as session:
        session.execute(delete(Proposal))
        session.execute(delete(Effect))
        session.execute(delete(Payment).where(Payment.kind == PaymentKind.REFUND))
        session.execute(delete(Staff).where(Staff.email == "ben@x.example"))


def _wait(site: Site, staff: Staff, order: str) -> str:
    services: Services = site.app.state.services
    caller = Caller(
        Audience.STAFF,
        "console",
        Level.SIGNED_IN,
        staff_id=staff.id,
        roles=frozenset(staff.roles),
    )
    preview = services.executor.run(
        caller, "give_back", {"order_number": order, "cents": 2100}, now=NOON
    )
    assert isinstance(preview, Preview)
    services.executor.confirm(caller, preview.id, now=NOON)
    return preview.id


def _state(site: Site, number: str) -> tuple[ProposalState, str]:
    with site.database.read() as session:
        proposal = session.get_one(Proposal, number)
    return proposal.state, (proposal.result or {})["say"]


def test_a_colleagues_change_is_approved_and_done(
    open_page: Open, site: Site, waiting: str
) -> None:
    page = open_page("/console/approvals").page
    sign_in(page)
    card = page.get_by_role("region", name=TITLE)
    expect(card).to_contain_text("Ben confirmed it")
    expect(card).to_contain_text("It needs a lead or manager: above 2000 cents")

    card.get_by_role("button", name="Approve").click()

    expect(page.get_by_role("status")).to_contain_text("approved and done")
    expect(page.get_by_role("region", name=TITLE)).to_have_count(0)
    assert _state(site, waiting)[0] is ProposalState.EXECUTED


def test_enter_in_the_reason_rejects_and_never_approves(
    open_page: Open, site: Site, waiting: str
) -> None:
    page = open_page("/console/approvals").page
    sign_in(page)
    card = page.get_by_role("region", name=TITLE)

    card.get_by_label("Reason, if you reject it").fill("It was delivered.")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("rejected")
    words = "It was not approved: It was delivered."
    assert _state(site, waiting) == (ProposalState.REJECTED, words)


@pytest.mark.usefixtures("waiting")
def test_ones_own_can_only_be_withdrawn(open_page: Open) -> None:
    page = open_page("/console/approvals").page
    sign_in(page)
    own = page.get_by_role("region", name=re.compile("#1001"))
    expect(own.get_by_role("button")).to_have_count(1)

    own.get_by_role("button", name="Withdraw").click()

    expect(page.get_by_role("status")).to_contain_text("withdrawn")


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("mode", MODES)
def test_the_page_is_fit_for_everybody(open_page: Open, mode: str) -> None:
    page = open_page("/console/approvals", **MODES[mode]).page
    sign_in(page)

    expect(page.get_by_role("heading", name="Approvals")).to_be_visible()
    assert violations(page) == []
    assert not overflows(page)
