"""Taking back what was done, on the page of what waits for one's own confirmation."""

import re
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select

from opsbot.channels.services import Services
from opsbot.commerce.inventory import levels_of
from opsbot.staff import Role, Staff, make_staff
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.proposals import Preview, Proposal
from tests.factories import NOON
from tests.web.small_shop import PASSWORD, STAFF, Site

PAGE = "/console/proposals"
SKU = "LL-BAG-01-NAV"


@pytest.fixture
def done(site: Site) -> Iterator[str]:
    """Otto has put three bags on the shelf; Mara may do that too."""
    services: Services = site.app.state.services
    with site.database.write() as session:
        otto = make_staff(email="otto@x.example", name="Otto", password=PASSWORD, roles=[Role.OPS])
        session.add(otto)
        mara = session.scalars(select(Staff).where(Staff.email == STAFF)).one()
        mara.roles = [*mara.roles, Role.OPS]
        session.flush()
        caller = Caller(
            Audience.STAFF,
            "console",
            Level.SIGNED_IN,
            staff_id=otto.id,
            roles=frozenset(otto.roles),
        )
    preview = services.executor.run(caller, "change_stock", {"sku": SKU, "units": 3}, now=NOON)
    assert isinstance(preview, Preview)
    services.executor.confirm(caller, preview.id, now=NOON)
    yield preview.id
    with site.database.write() as session:
        session.execute(delete(Proposal))
        session.execute(delete(Staff).where(Staff.email == "otto@x.example"))
        again = session.scalars(select(Staff).where(Staff.email == STAFF)).one()
        again.roles = [role for role in again.roles if role != Role.OPS]


def stock(site: Site) -> int:
    with site.database.read() as session:
        return sum(level.on_hand for level in levels_of(session, SKU))


def test_what_was_done_is_taken_back_by_a_change_of_its_own(
    staff: TestClient, site: Site, done: str, csrf: Callable[[str], str]
) -> None:
    before = stock(site)
    assert "Otto" in staff.get(PAGE).text
    form = {"csrf": csrf(PAGE)}

    asked = staff.post(f"{PAGE}/{done}", data=form | {"decision": "undo"}).text
    between = stock(site)
    proposed = re.search(rf'action="{PAGE}/([^"]+)"', asked)
    assert proposed is not None
    staff.post(f"{PAGE}/{proposed[1]}", data=form | {"decision": "confirm"})
    twice = staff.post(f"{PAGE}/{done}", data=form | {"decision": "undo"}).text

    assert "nothing happens before you confirm" in asked
    assert proposed[1] != done
    assert (between - before, stock(site) - before) == (0, -3)
    assert "That was taken back already." in twice


def test_without_the_tool_there_is_nothing_to_take_back(
    client: TestClient, site: Site, done: str
) -> None:
    with site.database.write() as session:
        session.add(
            make_staff(email="nils@x.example", name="Nils", password=PASSWORD, roles=[Role.AGENT])
        )
    form = {"email": "nils@x.example", "password": PASSWORD, "next": PAGE}
    client.post("/console/sign-in", data=form)

    page = client.get(PAGE).text

    assert "Done lately" not in page
    with site.database.write() as session:
        session.execute(delete(Staff).where(Staff.email == "nils@x.example"))
