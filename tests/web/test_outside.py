"""What did not happen outside, and what can be taken back, in a browser."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete, select

from opsbot.channels.services import Services
from opsbot.commerce.effects import Effect, EffectState
from opsbot.staff import Role, Staff
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.proposals import Preview, Proposal
from tests.factories import NOON
from tests.web.conftest import Open, overflows, violations
from tests.web.small_shop import STAFF, Site
from tests.web.test_console import MODES, sign_in

REFUND = {
    "order": "#1007",
    "amount_minor": 2100,
    "currency": "EUR",
    "method": "card",
    "gateway_ref": "ch_3PqLkTe5f9aXw7R2",
    "reference": "goodwill #1007",
}


@pytest.fixture
def stuck(site: Site) -> Iterator[None]:
    """A refund that was refused, and a label that is tried again."""
    with site.database.write() as session:
        session.add(_effect("refund", "refund:9", REFUND, EffectState.FAILED, "The card is closed."))
        label = {"order": "#1001", "carrier": "DHL", "service": "Paket"}
        away = "The carrier did not answer within 10 seconds."
        session.add(_effect("buy_label", "label:4", label, EffectState.REQUESTED, away))
    yield
    with site.database.write() as session:
        session.execute(delete(Effect))


def _effect(
    operation: str, key: str, payload: Mapping[str, object], state: EffectState, error: str
) -> Effect:
    return Effect(
        port="payments" if operation == "refund" else "carriers",
        operation=operation,
        payload=dict(payload),
        key=key,
        state=state,
        attempts=3,
        next_at=NOON + timedelta(hours=1),
        error=error,
        created_at=NOON - timedelta(hours=5),
    )


@pytest.fixture
def done(site: Site) -> Iterator[None]:
    """Mara has put three bags on the shelf, and a program asks her for two more."""
    services: Services = site.app.state.services
    with site.database.write() as session:
        mara = session.scalars(select(Staff).where(Staff.email == STAFF)).one()
        mara.roles = [*mara.roles, Role.OPS]
        roles = frozenset(mara.roles)
        caller = Caller(
            Audience.STAFF, "console", Level.SIGNED_IN, staff_id=mara.id, roles=roles
        )
    for units in (3, 2):
        change = {"sku": "LL-BAG-01-NAV", "units": units}
        preview = services.executor.run(caller, "change_stock", change, now=NOON)
        assert isinstance(preview, Preview)
        if units == 3:
            services.executor.confirm(caller, preview.id, now=NOON)
    yield
    with site.database.write() as session:
        session.execute(delete(Proposal))
        again = session.scalars(select(Staff).where(Staff.email == STAFF)).one()
        again.roles = [role for role in again.roles if role != Role.OPS]


def _state(site: Site, key: str) -> tuple[EffectState, str | None]:
    with site.database.read() as session:
        effect = session.scalars(select(Effect).where(Effect.key == key)).one()
    return effect.state, effect.note


@pytest.mark.usefixtures("stuck")
def test_what_was_given_up_is_tried_again(open_page: Open, site: Site) -> None:
    page = open_page("/console/outside").page
    sign_in(page)
    card = page.get_by_role("region", name="Refund · payments")
    expect(card).to_contain_text("The card is closed.")
    expect(card).to_contain_text("€21.00")

    card.get_by_role("button", name="Try again now").click()

    expect(page.get_by_role("status")).to_contain_text("It is tried again now")
    assert _state(site, "refund:9") == (EffectState.REQUESTED, None)


@pytest.mark.usefixtures("stuck")
def test_enter_in_the_note_says_that_it_was_done_by_hand(open_page: Open, site: Site) -> None:
    page = open_page("/console/outside").page
    sign_in(page)
    card = page.get_by_role("region", name="Buy label · carriers")

    card.get_by_label("What you did, if you did it yourself").fill("Printed at the counter.")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("noted as done by hand")
    row = page.get_by_role("group", name="Done by hand").get_by_role("row").nth(1)
    expect(row).to_contain_text("Printed at the counter.")
    assert _state(site, "label:4") == (EffectState.BY_HAND, "Printed at the counter.")


@pytest.mark.usefixtures("done")
def test_what_was_done_is_shown_before_it_is_taken_back(open_page: Open) -> None:
    page = open_page("/console/proposals").page
    sign_in(page)

    page.get_by_role("button", name=re.compile("^Undo ?: Change the stock .* by 3")).click()
    card = page.get_by_role("region", name="Change the stock of LL-BAG-01-NAV by -3?")
    card.get_by_role("button", name="Change it").click()

    expect(page.get_by_role("status")).to_contain_text("-3 of LL-BAG-01-NAV.")


@pytest.mark.usefixtures("stuck", "done")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", ["/console/outside", "/console/proposals"])
def test_the_pages_are_fit_for_everybody(open_page: Open, path: str, mode: str) -> None:
    page = open_page(path, **MODES[mode]).page
    sign_in(page)

    expect(page.get_by_role("main").get_by_role("heading", level=1)).to_be_visible()
    assert violations(page) == []
    assert not overflows(page)
