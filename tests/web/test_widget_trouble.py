"""The chat when the line, the server, the page around it or the words are bad."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from playwright.sync_api import expect

from tests.web.conftest import Open
from tests.web.small_shop import Site, serve
from tests.web.test_widget import open_chat, replies, say
from tests.web.turns import HALO, events_for

CUT_ANSWER = "You wrote: cut {}"
CUTS = range(len(events_for("cut 1", "m-1")) + 1)


@pytest.mark.parametrize("at", CUTS)
def test_a_cut_line_leaves_one_whole_copy(open_page: Open, at: int) -> None:
    watched = open_page("/")
    watched.expected.append("ERR_INCOMPLETE_CHUNKED_ENCODING")
    page = watched.page
    open_chat(page)

    say(page, f"cut {at}")

    expect(page.locator("opsbot-chat [aria-busy=true]")).to_have_count(0)
    assert replies(page) == [CUT_ANSWER.format(at)]


@pytest.mark.parametrize("at", [0, 2])
def test_a_stream_that_ends_early_is_taken_up_again(open_page: Open, at: int) -> None:
    page = open_page("/").page
    open_chat(page)

    say(page, f"end {at}")

    assert replies(page) == [f"You wrote: end {at}"]


def test_a_server_that_comes_back_is_asked_again(open_page: Open, site: Site) -> None:
    watched = open_page("/")
    watched.expected.append("503")
    page = watched.page
    open_chat(page)
    site.script.tries["down"] = 0

    page.get_by_role("textbox", name="Write a message").fill("down")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Your text is safe; trying again").first).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("You wrote: down")
    expect(page.get_by_text("Your text is safe; trying again").first).to_be_hidden()
    assert replies(page) == ["You wrote: down"]


def test_a_refused_message_stays_in_the_box_with_the_reason(open_page: Open) -> None:
    watched = open_page("/")
    watched.expected.append("422")
    page = watched.page
    open_chat(page)

    say(page, "refused")

    expect(page.get_by_role("log")).to_contain_text("the most is 4,000. Please shorten it.")
    expect(page.get_by_role("textbox", name="Write a message")).to_have_value("refused")


def test_a_failed_reply_can_be_asked_for_again(open_page: Open, site: Site) -> None:
    watched = open_page("/")
    page = watched.page
    open_chat(page)
    say(page, "broken")
    tries = site.script.tries["broken"]

    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_role("log")).to_contain_text("Something went wrong on our side.")
    expect(page.get_by_role("button", name="Send message")).to_be_visible()
    assert site.script.tries["broken"] == tries + 1


def test_a_half_reply_of_a_failed_model_is_replaced(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)

    say(page, "another model")

    assert replies(page) == ["The whole answer."]


def test_a_half_reply_that_was_replaced_stays_away_after_a_reload(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)
    say(page, "another model")

    page.reload()

    expect(page.get_by_role("log")).to_contain_text("The whole answer.")
    say(page, "hello")
    assert replies(page) == ["The whole answer.", "You wrote: hello"]


def test_a_conversation_the_server_no_longer_has_begins_anew(open_page: Open, site: Site) -> None:
    watched = open_page("/")
    watched.expected.append("404")
    page = watched.page
    open_chat(page)
    say(page, "hello")
    site.script.talks.clear()
    site.script.answered.clear()

    page.reload()

    expect(page.locator("opsbot-chat .bubble")).to_have_count(1)
    say(page, "hello once more")
    assert replies(page) == ["You wrote: hello once more"]


def test_hostile_words_stay_words(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)

    say(page, "hostile")

    log = page.get_by_role("log")
    expect(log).to_contain_text("<img src=x onerror=alert(1)>")
    expect(log.get_by_role("link")).to_have_count(1)
    expect(log.get_by_role("link", name="fine")).to_have_attribute("href", "https://example.com/a")
    assert log.locator("img, script").count() == 0


def test_a_long_reply_is_drawn_without_a_pause(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)
    page.evaluate(
        "() => { window.pauses = []; new PerformanceObserver(list => list.getEntries().forEach("
        "entry => window.pauses.push(entry.duration))).observe({type: 'longtask'}) }"
    )

    say(page, "long")

    assert max(page.evaluate("window.pauses"), default=0) < 500


def test_the_customers_own_words_are_never_markup(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)

    say(page, "<b>**me**</b>")

    expect(page.locator("opsbot-chat .message--customer .bubble")).to_have_text("<b>**me**</b>")


HOSTILE_CSS = (
    "body{transform:translateY(40px);font:30px serif}"
    "*{letter-spacing:9px;line-height:3;--accent:red}"
    "button{background:hotpink!important;font-size:40px!important}p{margin:90px}"
    ".bar{position:fixed;inset:auto 0 0;height:90px;z-index:2147483647}"
)
ATTACKS = "Array.prototype.hack=()=>1;Object.prototype.polluted=1;"


@pytest.fixture(scope="module")
def foreign_shop(site: Site) -> Iterator[str]:
    """A shop on another origin: bad manners, a strict policy, and the widget twice."""
    shop = FastAPI()
    policy = (
        f"default-src 'none'; script-src 'self' {site.url}; connect-src {site.url}; "
        f"img-src {site.url}; style-src 'self'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    )
    tag = (
        f'<script async src="{site.url}/widget.js" data-site="shop" data-accent="#ffcc00"></script>'
    )

    @shop.get("/")
    def page() -> Response:
        head = '<link rel="stylesheet" href="/x.css"><script src="/x.js"></script><base href="/b/">'
        html = f'<!doctype html><html lang="en"><head><title>Shop</title>{head}</head>'
        html += f"<body><main><h1>Shop</h1></main>{tag}{tag}</body></html>"
        return HTMLResponse(html, headers={"content-security-policy": policy})

    @shop.get("/x.css")
    def css() -> Response:
        return Response(HOSTILE_CSS, media_type="text/css")

    @shop.get("/x.js")
    def javascript() -> Response:
        return Response(ATTACKS, media_type="text/javascript")

    @shop.get("/favicon.ico")
    def icon() -> Response:
        return Response(status_code=204)

    with serve(shop) as url:
        yield url


def test_the_chat_keeps_its_looks_and_works_on_a_bad_page(
    open_page: Open, foreign_shop: str, site: Site
) -> None:
    watched = open_page(foreign_shop)
    watched.allowed.add(foreign_shop.removeprefix("http://"))
    watched.foreign.clear()
    page = watched.page
    open_chat(page)

    say(page, HALO)

    style = page.evaluate(
        "() => { const style = getComputedStyle(document.querySelector('opsbot-chat').shadowRoot"
        ".querySelector('.bubble')); return [style.letterSpacing, style.fontSize] }"
    )
    assert style == ["normal", "15px"]
    expect(page.locator("opsbot-chat")).to_have_count(1)
    expect(page.get_by_role("button", name="Send message")).to_be_in_viewport()
    mark = page.get_by_role("link", name="Source 1: Halo").first
    expect(mark).to_have_attribute("href", f"{site.url}/help/halo-desk-lamp#" + ANCHOR)


ANCHOR = "switch-on-dim-and-change-the-colour-of-the-light"
