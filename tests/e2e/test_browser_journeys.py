"""What people come for, on real pages of the real application, in a browser."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import func, select

from opsbot.commerce.cases import Case
from opsbot.commerce.orders import OrderState
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.commerce.returns import Return, ReturnState
from opsbot.surveys.models import Feedback, SurveyAnswer
from tests.e2e.conftest import PASSWORD, STAFF
from tests.e2e.open_shop import OpenShop, enter, leave, serve_shop, serve_slowly
from tests.e2e.processes import Process
from tests.web.conftest import Open, browser, open_page
from tests.web.test_widget import open_chat, replies, say

__all__ = ["browser", "open_page"]

pytestmark = pytest.mark.browser

STARTED_MS = 60_000
"""Time for what needs a server that is started first, on a busy machine."""


@pytest.fixture(scope="module")
def site(shop_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenShop]:
    """The shop of all journeys but the last; what one changes, no other looks at."""
    with serve_shop(shop_template, tmp_path_factory.mktemp("open") / "data") as served:
        yield served


@pytest.fixture
def shop(site: OpenShop) -> OpenShop:
    """The open shop, ten minutes after the last journey."""
    site.moment[0] += timedelta(minutes=10)
    return site


def last_reply(page: Page) -> Locator:
    return page.locator("opsbot-chat .message--assistant").last


def sign_in(page: Page) -> None:
    page.get_by_label("E-mail address").fill(STAFF)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Console").wait_for()


def test_a_how_to_leads_to_the_heading_it_quotes(open_page: Open, shop: OpenShop) -> None:
    page = enter(open_page, shop).page
    open_chat(page)

    say(page, "How do I clean the Tide grinder?")

    expect(last_reply(page).get_by_role("listitem").first).to_contain_text("Run the grinder")
    mark = page.get_by_role("link", name="Source 1: Tide electric grinder manual, Clean the Tide")
    with page.expect_popup() as opened:
        mark.click()
    assert opened.value.url == f"{shop.url}/help/tide-electric-grinder#clean-the-tide"
    leave(page)
    article = enter(open_page, shop, opened.value.url).page
    expect(article.get_by_role("heading", name="Clean the Tide")).to_be_in_viewport()
    leave(article)


def test_a_customer_sees_where_an_order_is(open_page: Open, shop: OpenShop) -> None:
    page = enter(open_page, shop).page
    open_chat(page)

    say(page, "Where is my order #1003?")

    expect(last_reply(page).locator(".bubble")).to_contain_text("Order #1003 is on its way.")
    order = page.get_by_role("article", name="Order #1003")
    expect(order.locator("[aria-current=step]")).to_contain_text("On its way")
    expect(order).to_contain_text("€189.00")
    leave(page)


def test_an_order_is_cancelled_by_its_button_and_not_again(open_page: Open, shop: OpenShop) -> None:
    page = enter(open_page, shop).page
    open_chat(page)
    say(page, "Cancel order #1004")
    card = page.get_by_role("group", name=re.compile("^Cancel order #1004"))
    expect(card).to_contain_text(shop.clause("cancellation.before_packing"))
    order = shop.order("#1004")
    assert order.state is OrderState.CONFIRMED

    card.get_by_role("button", name=re.compile("Cancel")).dblclick()
    expect(card).to_contain_text("Done.")
    say(page, "Cancel order #1004")

    expect(last_reply(page)).to_contain_text("cancelled")
    expect(page.locator("opsbot-chat .proposal")).to_have_count(1)
    assert shop.order("#1004").state is OrderState.CANCELLED
    back = [PaymentKind.REFUND, PaymentKind.VOID]
    given = select(func.count()).where(Payment.order_id == order.id, Payment.kind.in_(back))
    assert shop.count(given) == 1
    leave(page)


def test_a_return_in_time_is_opened_once_quotes_its_rule_and_can_be_taken_back(
    open_page: Open, shop: OpenShop
) -> None:
    page = enter(open_page, shop).page
    open_chat(page)
    say(page, "I want to return the Kiln mugs from order #1001, I changed my mind")
    card = page.get_by_role("group", name=re.compile("return for order #1001"))
    expect(card).to_contain_text(shop.clause("returns.holiday"))
    expect(card).to_contain_text("2 x Kiln mug, moss")
    before = shop.count(Return)

    card.get_by_role("button", name="Open the return").dblclick()

    expect(card).to_contain_text("Done.")
    expect(card.get_by_role("button", name="Open the return")).to_have_count(0)
    expect(last_reply(page)).to_contain_text(re.compile(r"Your return RMA-\d+ is open"))
    assert shop.count(Return) == before + 1
    card.get_by_role("button", name="Undo").click()
    back = page.get_by_role("group", name=re.compile("^Call off the return"))
    expect(back).to_contain_text("2 x Kiln mug, moss")
    off = select(func.count()).where(Return.state == ReturnState.CANCELLED)
    ended = shop.count(off)
    back.get_by_role("button", name="Call it off").click()
    expect(back).to_contain_text("Done.")
    expect(card).to_contain_text("taken back since")
    assert shop.count(off) == ended + 1
    leave(page)


def test_a_return_too_late_is_refused_with_its_rule(open_page: Open, shop: OpenShop) -> None:
    page = enter(open_page, shop).page
    open_chat(page)

    say(page, "I want to return the tote bag from order #1002, I changed my mind")

    reply = last_reply(page)
    expect(reply.locator("blockquote")).to_have_text(shop.clause("returns.window"))
    expect(reply).to_contain_text("cannot be returned any more")
    expect(page.locator("opsbot-chat .proposal")).to_have_count(0)
    leave(page)


def test_what_the_articles_do_not_say_goes_to_a_person(open_page: Open, shop: OpenShop) -> None:
    page = enter(open_page, shop).page
    open_chat(page)
    say(page, "Do you offer pottery workshops where I can throw my own pot?")
    expect(last_reply(page)).to_contain_text("Our articles do not say anything about that.")
    expect(last_reply(page).locator(".sources")).to_have_count(0)
    before = shop.count(Case)

    page.get_by_role("group", name="Suggested replies").get_by_role("button").first.click()

    expect(page.get_by_role("dialog")).to_contain_text("a person of our team")
    expect(page.get_by_role("button", name="Send message")).to_be_visible()
    assert shop.count(Case) == before + 1
    leave(page)


def test_a_strangers_order_stays_unknown(open_page: Open, shop: OpenShop) -> None:
    page = enter(open_page, shop).page
    open_chat(page)

    say(page, "Where is order #1010?")
    say(page, "Where is order #9999999?")

    strangers, nobodys = replies(page)
    assert strangers.replace("#1010", "#") == nobodys.replace("#9999999", "#")
    expect(page.locator("opsbot-chat .card")).to_have_count(0)
    leave(page)


def test_a_visitor_proves_an_order_by_its_mail_address(open_page: Open, shop: OpenShop) -> None:
    page = enter(open_page, shop).page
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are a visitor")).to_be_visible()
    open_chat(page)
    say(page, "Where is my order #1003?")
    expect(last_reply(page)).to_contain_text("e-mail address")
    expect(page.get_by_role("log")).not_to_contain_text("on its way")

    say(page, "ada@example.com")

    expect(last_reply(page)).to_contain_text("Order #1003 is on its way.")
    expect(page.get_by_role("article", name="Order #1003")).to_be_visible()
    expect(page.get_by_role("log")).not_to_contain_text("Torstraße")
    leave(page)


def test_staff_get_a_chart_and_a_table_to_keep(open_page: Open, shop: OpenShop) -> None:
    page = enter(open_page, shop, "/console").page
    sign_in(page)

    page.get_by_label("Your question").fill("How many returns by reason this month?")
    page.keyboard.press("Enter")

    chart = page.get_by_role("figure", name="Returned units by reason")
    expect(chart.locator("svg [aria-roledescription=bar]").first).to_be_visible()
    page.get_by_text("Show as table").click()
    rows = page.get_by_role("log").locator("tbody tr")
    expect(rows.first).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download CSV").click()
    lines = saved.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("Reason,Units,")
    assert len(lines) == 1 + rows.count()
    expect(chart.locator("svg [aria-roledescription=bar]")).to_have_count(rows.count())
    leave(page)


def test_a_survey_is_shown_by_looking_and_kept_by_sending(open_page: Open, shop: OpenShop) -> None:
    shop.work()
    shop.work(days=1 / 24)
    number, link = shop.survey()
    before = shop.count(SurveyAnswer)
    page = enter(open_page, shop, f"{link}?score=2").page
    expect(page.get_by_role("radio", name="2")).to_be_checked()
    assert shop.count(SurveyAnswer) == before
    leave(page)

    page.get_by_role("radio", name="5").check()
    page.get_by_label("What went well").fill("All well.")
    page.get_by_role("button", name="Send my answer").click()

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    about = (Feedback.order_id == shop.order(number).id, Feedback.rating == 5)
    assert shop.count(select(func.count()).where(*about)) == 1
    leave(page)


def test_a_mail_is_drafted_with_sources_and_answered_once(open_page: Open, shop: OpenShop) -> None:
    shop.receive("mug", "Hello,\n\ncan I put the Kiln mug in the dishwasher?\n\nBest,\nAda\n")
    shop.work()
    page, other = (review(open_page, shop) for _ in range(2))
    sources = page.get_by_role("complementary", name="Sources")
    link = sources.get_by_role("link").first.get_attribute("href") or ""
    answer = page.get_by_label("The answer").input_value()
    assert "dishwasher" in answer
    assert f"{shop.url}{link}" in answer
    leave(page)

    page.get_by_role("button", name="Approve and send").click()
    expect(page.get_by_role("status")).to_contain_text("The answer is on its way.")
    other.get_by_role("button", name="Approve and send").click()
    expect(other.get_by_role("alert")).to_be_visible()
    shop.work(days=1 / 24)

    [sent] = [mail for mail in shop.sent if mail["in-reply-to"] == "<mug@example.com>"]
    assert sent["to"] == "ada@example.com"
    assert "dishwasher" in sent.get_content()
    leave(page)
    leave(other)


def review(open_page: Open, shop: OpenShop) -> Page:
    """Open the queue of drafts as a member of staff, in a browser of their own."""
    watched = enter(open_page, shop, "/console/drafts")
    watched.expected.append("409")
    sign_in(watched.page)
    watched.page.get_by_role("link", name=re.compile("Mug")).wait_for()
    return watched.page


@pytest.fixture
def server(data_dir: Path) -> Iterator[Process]:
    """The shop as a process that can be stopped hard, with a language model that speaks slowly."""
    with serve_slowly(data_dir) as started:
        yield started


def test_a_chat_outlives_its_server(open_page: Open, server: Process) -> None:
    watched = open_page(f"http://127.0.0.1:{server.port}/")
    watched.allowed.add(f"127.0.0.1:{server.port}")
    watched.foreign.clear()
    watched.expected.append("net::ERR_")
    page = watched.page
    box = open_chat(page)
    box.fill("Where is my order #1003?")
    box.press("Enter")
    bubble = last_reply(page).locator(".bubble")
    expect(bubble).to_contain_text("Order #1003", timeout=STARTED_MS)

    server.kill()
    expect(page.get_by_text("Connection lost.").first).to_be_visible()
    server.start()

    send = page.get_by_role("button", name="Send message")
    expect(send).to_be_visible(timeout=STARTED_MS)
    [answer] = replies(page)
    assert answer.startswith("Order #1003 is on its way.")
    with page.expect_response(lambda answer: "/events" in answer.url, timeout=STARTED_MS):
        page.reload()
    expect(bubble).to_have_text(answer)
    assert replies(page) == [answer]
    own = page.locator("opsbot-chat .message--customer .bubble")
    expect(own).to_have_text(["Where is my order #1003?"])
    leave(page)
