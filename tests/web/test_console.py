"""The console of the staff, in a browser."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from opsbot.drafts.models import Draft, DraftState
from opsbot.mail.outgoing import OutgoingMail
from tests.web.conftest import Open, Watched, overflows, violations
from tests.web.small_shop import PASSWORD, STAFF, Site
from tests.web.turns import RETURNS

MODES: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "narrow": {"width": 320, "height": 568},
}


def sign_in(page: Page) -> None:
    """Fill the form of the sign-in page."""
    page.get_by_label("E-mail address").fill(STAFF)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Console").wait_for()


def ask(watched: Watched) -> Page:
    """Sign in and ask for a chart."""
    page = watched.page
    sign_in(page)
    page.get_by_label("Your question").fill(RETURNS)
    page.keyboard.press("Enter")
    page.get_by_role("img", name=re.compile("^Bar chart")).wait_for()
    return page


def test_the_sign_in_leads_back_to_where_one_wanted_to_go(open_page: Open) -> None:
    page = open_page("/console/cases").page

    sign_in(page)

    expect(page).to_have_url(re.compile("/console/cases$"))
    expect(page.get_by_role("row", name=re.compile("CS-00001"))).to_contain_text("Late")


def test_a_wrong_password_says_so_and_keeps_the_address(open_page: Open) -> None:
    watched = open_page("/console")
    watched.expected.append("403")
    page = watched.page
    page.get_by_label("E-mail address").fill("nobody@example.com")
    page.get_by_label("Password").fill("not the right one")

    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("E-mail address")).to_have_value("nobody@example.com")


def test_a_question_is_answered_with_a_sentence_a_chart_and_a_table(open_page: Open) -> None:
    page = ask(open_page("/console"))

    log = page.get_by_role("log")
    expect(log.locator("strong", has_text="33 items")).to_be_visible()
    page.get_by_text("Show as table").click()
    expect(log.get_by_role("row", name="Damaged 14")).to_be_visible()
    page.get_by_text("How this was computed").click()
    expect(log).to_contain_text("Counting returns by reason")


def test_a_table_is_saved_as_a_file_that_runs_no_formula(open_page: Open) -> None:
    page = ask(open_page("/console"))
    page.get_by_text("Show as table").click()

    with page.expect_download() as saved:
        page.get_by_role("button", name="Download CSV").click()

    assert saved.value.suggested_filename.startswith("returns-by-reason")
    text = saved.value.path().read_text(encoding="utf-8-sig")
    assert text.splitlines() == [
        "Reason,Returns",
        "Damaged,14",
        "Changed mind,11",
        "Wrong item,6",
        "'=1+1,2",
    ]


def test_the_words_of_a_chart_can_be_read_in_the_dark(open_page: Open) -> None:
    page = ask(open_page("/console", color_scheme="dark"))

    fills = page.evaluate(
        "() => [...document.querySelectorAll('.chart svg text')].map(t => getComputedStyle(t).fill)"
    )

    # axe does not look into drawings; the muted colour is 4.5 to 1 on the card, in both modes.
    muted = page.evaluate("() => getComputedStyle(document.querySelector('.chart__summary')).color")
    assert fills
    assert set(fills) == {muted}


def test_an_answer_draws_its_chart_again_when_the_light_changes(open_page: Open) -> None:
    page = ask(open_page("/console"))
    bar = page.locator(".chart svg [aria-roledescription=bar]").first
    before = bar.get_attribute("fill")

    page.emulate_media(color_scheme="dark")

    expect(page.locator(".chart svg [aria-roledescription=bar]").first).not_to_have_attribute(
        "fill", before or ""
    )


def test_an_edited_draft_is_sent_as_it_was_edited(open_page: Open, site: Site) -> None:
    page = open_page("/console/drafts").page
    sign_in(page)
    page.get_by_role("link", name=re.compile("Invoice for order")).click()
    page.get_by_label("The answer").fill("Hello Clara,\nhere it is.\n")

    page.get_by_label("The answer").press("Control+Enter")

    expect(page.get_by_role("status")).to_contain_text("The answer is on its way.")
    with site.database.read() as session:
        draft = session.scalars(select(Draft).where(Draft.state == DraftState.APPROVED)).one()
        mail = session.get_one(OutgoingMail, draft.outgoing_id)
    assert "here it is." in mail.text


def test_a_rejected_draft_is_not_sent(open_page: Open, site: Site) -> None:
    page = open_page("/console/drafts").page
    sign_in(page)
    page.get_by_role("link", name=re.compile("My lamp flickers")).click()
    page.get_by_text("Reject the draft").click()
    page.get_by_label("Why?").fill("The customer has called.")

    page.get_by_role("button", name="Reject", exact=True).click()

    expect(page.get_by_role("status")).to_contain_text("Nothing was sent.")
    with site.database.read() as session:
        draft = session.scalars(select(Draft).where(Draft.state == DraftState.REJECTED)).one()
    assert draft.reason == "The customer has called."
    assert draft.outgoing_id is None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "path",
    [
        "/console",
        "/console/drafts",
        "/console/cases",
        "/console/cases/CS-00001",
        "/console/articles",
    ],
)
def test_a_page_is_accessible_and_fits(open_page: Open, path: str, mode: str) -> None:
    page = open_page(path, **MODES[mode]).page
    sign_in(page)

    assert violations(page) == []
    assert not overflows(page)


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_is_accessible_and_fits(open_page: Open, mode: str) -> None:
    page = ask(open_page("/console", **MODES[mode]))
    page.get_by_text("Show as table").click()

    assert violations(page) == []
    assert not overflows(page)
