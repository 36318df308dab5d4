"""The page of what the articles do not answer, in a browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete

from opsbot.channels.services import Services
from opsbot.retrieval.gap_rows import GapRow
from opsbot.retrieval.models import Audience
from tests.web.conftest import Open, overflows, violations
from tests.web.small_shop import Site
from tests.web.test_console import MODES, sign_in

MADRID = "Do you have a shop in Madrid?"


@pytest.fixture
def asked(site: Site) -> Iterator[None]:
    """Two questions were asked in vain, one of them in two ways."""
    services: Services = site.app.state.services
    for question in (MADRID, "Is there a store of yours in Madrid?", "Do you sell coffee beans?"):
        services.gaps.note(question, audience=Audience.PUBLIC, now=services.clock())
    yield
    with site.database.write() as session:
        session.execute(delete(GapRow))


@pytest.mark.usefixtures("asked")
def test_a_dismissed_question_leaves_the_list(open_page: Open) -> None:
    page = open_page("/console/gaps").page
    sign_in(page)
    row = page.get_by_role("row", name=re.compile("Madrid"))
    expect(row).to_contain_text("2 times")
    expect(row).to_contain_text("Is there a store of yours in Madrid?")

    row.get_by_role("button", name="Dismiss").click()

    expect(page.get_by_role("status")).to_contain_text("The question is dismissed.")
    expect(page.get_by_role("row", name=re.compile("Madrid"))).to_have_count(0)
    page.get_by_role("link", name="Dismissed").click()
    expect(page.get_by_role("row", name=re.compile("Madrid"))).to_contain_text("Open again")


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("mode", MODES)
def test_the_page_is_fit_for_everybody(open_page: Open, mode: str) -> None:
    page = open_page("/console/gaps", **MODES[mode]).page
    sign_in(page)

    expect(page.get_by_role("heading", name="Gaps")).to_be_visible()
    assert violations(page) == []
    assert not overflows(page)
