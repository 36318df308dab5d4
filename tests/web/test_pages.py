"""The shop's page, the help centre, the survey and the description of the API, in a browser."""

from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from opsbot.surveys.models import SurveyAnswer
from tests.web.conftest import Open, overflows, violations
from tests.web.small_shop import Site

MODES: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "narrow": {"width": 320, "height": 568},
    "zoomed": {"width": 320, "height": 256},
}
PAGES = [
    "/",
    "/help",
    "/help/halo-desk-lamp",
    "/help/shipping-times-and-prices",
    "/help/search?q=lamp+flickers",
    "/help/search?q=quantum+chromodynamics",
    "/help/no-such-article",
    "/console/sign-in",
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_and_fits(open_page: Open, path: str, mode: str) -> None:
    watched = open_page(path, **MODES[mode])
    watched.expected.append("404")

    assert violations(watched.page) == []
    assert not overflows(watched.page)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("survey", ["csat", "nps", "expired"])
def test_a_survey_is_accessible_and_fits(
    open_page: Open, site: Site, survey: str, mode: str
) -> None:
    watched = open_page(getattr(site, survey) + "?score=4", **MODES[mode])
    watched.expected.append("410")

    assert violations(watched.page) == []
    assert not overflows(watched.page)


def test_a_survey_is_answered_and_changed_without_javascript(open_page: Open, site: Site) -> None:
    page = open_page(site.nps + "?score=9", java_script_enabled=False).page
    expect(page.get_by_role("radio", name="9")).to_be_checked()
    page.get_by_label("main reason").fill("It keeps the tea warm.")

    page.get_by_role("button", name="Send my answer").click()

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    page.get_by_role("radio", name="10").check()
    page.get_by_role("button", name="Change my answer").click()
    with site.database.read() as session:
        numbers = session.scalars(select(SurveyAnswer.number).order_by(SurveyAnswer.id)).all()
    assert [number for number in numbers if number is not None] == [10]


def test_a_survey_can_be_answered_by_keyboard(open_page: Open, site: Site) -> None:
    page = open_page(site.csat).page
    page.get_by_role("radio", name="1").focus()

    for _ in range(3):
        page.keyboard.press("ArrowRight")

    expect(page.get_by_role("radio", name="4")).to_be_checked()


def test_an_article_is_whole_without_javascript(open_page: Open) -> None:
    path = "/help/halo-desk-lamp#set-up-the-lamp"

    page = open_page(path, java_script_enabled=False).page

    expect(page.get_by_role("heading", name="Set up the lamp")).to_be_in_viewport()
    expect(page.get_by_role("cell", name="720 lm")).to_be_attached()
    links = page.get_by_role("navigation", name="On this page").get_by_role("link")
    expect(links.first).to_have_attribute("href", "#what-is-in-the-box")


def test_a_search_leads_to_the_right_heading_and_on_to_the_assistant(open_page: Open) -> None:
    page = open_page("/help").page
    page.get_by_role("searchbox").fill("lamp flickers")

    page.keyboard.press("Enter")

    first = page.locator(".results a").first
    expect(first).to_contain_text("Lamp flickers or does not turn on")
    page.get_by_role("button", name="Open chat").wait_for()
    page.get_by_role("button", name="Ask the assistant").click()
    expect(page.get_by_role("textbox", name="Write a message")).to_have_value("lamp flickers")


def test_the_sample_customer_can_be_changed(open_page: Open) -> None:
    page = open_page("/").page
    expect(page.get_by_text("Signed in as Ada Brandt")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_text("You are a visitor")).to_be_visible()
    page.get_by_role("button", name="Be Clara").click()
    expect(page.get_by_text("Signed in as Clara Dubois")).to_be_visible()


def test_the_api_is_described_without_another_host(open_page: Open) -> None:
    page = open_page("/docs").page

    expect(page.get_by_text("/v1/chat", exact=False).first).to_be_visible()
    assert not overflows(page)
