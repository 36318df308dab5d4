"""The chat, as a customer meets it on the shop's page."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.web.conftest import Open, overflows, violations
from tests.web.small_shop import Site
from tests.web.turns import CANCEL, HALO, STOCK, TRACK

BOX = "Write a message"


def open_chat(page: Page) -> Locator:
    """Press the launcher; return the box to write in."""
    page.get_by_role("button", name="Open chat").click()
    return page.get_by_role("textbox", name=BOX)


def say(page: Page, text: str) -> None:
    """Write a message, and wait until the reply to it is whole."""
    own = page.locator("opsbot-chat .message--customer")
    before = own.count()
    box = page.get_by_role("textbox", name=BOX)
    box.fill(text)
    box.press("Enter")
    expect(own).to_have_count(before + 1)
    expect(page.get_by_role("button", name="Send message")).to_be_visible()


def replies(page: Page) -> list[str]:
    """Return the texts of the assistant, without the greeting."""
    found = page.locator("opsbot-chat .message--assistant .bubble").all_text_contents()
    return found[1:]


def test_the_chat_opens_by_keyboard_and_greets(open_page: Open) -> None:
    page = open_page("/").page
    page.get_by_role("button", name="Open chat").focus()

    page.keyboard.press("Enter")

    expect(page.get_by_role("textbox", name=BOX)).to_be_focused()
    expect(page.get_by_role("log", name="Conversation")).to_contain_text("automated assistant")
    expect(page.get_by_role("group", name="Suggested replies").get_by_role("button")).to_have_count(
        3
    )


def test_escape_closes_the_chat_and_gives_the_focus_back(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)

    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Open chat")).to_be_focused()


def test_an_answer_streams_in_with_its_sources(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)

    say(page, HALO)

    log = page.get_by_role("log")
    expect(log.get_by_role("listitem").filter(has_text="Two touches choose")).to_be_visible()
    expect(log.locator("strong", has_text="Halo")).to_be_visible()
    first = log.get_by_role("link", name=re.compile("^Source 1: Halo desk lamp manual")).first
    expect(first).to_have_text("1")
    log.get_by_text("Sources (2)").click()
    expect(log.get_by_role("link", name="Halo desk lamp manual: Set up the lamp")).to_be_visible()


def test_a_source_mark_on_its_own_line_stands_behind_the_last_step(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)

    say(page, "steps")

    last = page.get_by_role("log").get_by_role("listitem").filter(has_text="Brush it.")
    expect(last.get_by_role("link", name=re.compile("^Source 1"))).to_be_visible()


def test_a_table_of_an_article_is_a_table(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)

    say(page, "rows")

    table = page.get_by_role("log").get_by_role("table")
    expect(table.get_by_role("columnheader", name="Meaning")).to_be_visible()
    expect(table.get_by_role("cell", name="burr not seated")).to_be_visible()
    expect(table.locator("strong")).to_have_text("not")


def test_a_citation_leads_to_the_heading_it_quotes(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)
    say(page, HALO)

    with page.expect_popup() as opened:
        page.get_by_role("link", name=re.compile("^Source 1:")).first.click()

    heading = opened.value.get_by_role("heading", name="Switch on, dim and change the colour")
    expect(heading).to_be_in_viewport()


def test_a_suggested_reply_is_sent_and_the_focus_stays_in_the_box(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)
    say(page, HALO)

    page.get_by_role("button", name="How do I dim it?").click()

    expect(page.get_by_role("log")).to_contain_text("You wrote: How do I dim it?")
    expect(page.get_by_role("textbox", name=BOX)).to_be_focused()


def test_an_order_and_its_parcel_are_shown_as_cards(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)

    say(page, TRACK)

    order = page.get_by_role("article", name="Order #1003")
    expect(order.locator("[aria-current=step]")).to_contain_text("On its way")
    expect(order).to_contain_text("€193.90")
    parcel = page.get_by_role("article", name="Shipment with DHL")
    expect(parcel.get_by_role("link")).to_have_attribute("rel", "noopener")


def test_nothing_happens_before_the_customer_confirms(open_page: Open, site: Site) -> None:
    page = open_page("/").page
    open_chat(page)
    before = site.script.done.total()

    say(page, CANCEL)

    card = page.get_by_role("group", name="Cancel order #1004?")
    expect(card).to_contain_text("Nothing happens until you confirm.")
    expect(card).to_contain_text("You can cancel an order free of charge until it is packed.")
    assert site.script.done.total() == before


def test_a_confirmed_change_is_done_once_even_when_pressed_twice(
    open_page: Open, site: Site
) -> None:
    page = open_page("/").page
    open_chat(page)
    say(page, CANCEL)
    before = site.script.done.total()
    button = page.get_by_role("button", name="Cancel the order")

    button.dblclick()

    card = page.get_by_role("group", name="Cancel order #1004?")
    expect(card).to_contain_text("Done.")
    expect(card.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("log")).to_contain_text("Order #1004 is cancelled.")
    expect(page.get_by_role("textbox", name=BOX)).to_be_focused()
    assert site.script.done.total() == before + 1


def test_what_can_be_undone_is_taken_back_by_keyboard_after_a_look(
    open_page: Open, site: Site
) -> None:
    page = open_page("/").page
    open_chat(page)
    say(page, STOCK)
    page.get_by_role("button", name="Cancel the order").press("Enter")
    done = page.get_by_role("group", name="Add 3 to the stock?")
    expect(done).to_contain_text("Done.")
    before = site.script.done.total()

    undo = done.get_by_role("button", name=re.compile("^Undo.*: Add 3 to the stock"))
    undo.press("Enter")

    back = page.get_by_role("group", name="Take 3 off again?")
    expect(back).to_contain_text("Nothing happens until you confirm.")
    expect(page.get_by_role("textbox", name=BOX)).to_be_focused()
    expect(undo).not_to_have_attribute("aria-disabled", "true")
    assert site.script.done.total() == before
    assert violations(page) == []

    back.get_by_role("button", name="Cancel the order").press("Enter")

    expect(done).to_contain_text("Done, and taken back since.")
    expect(done.get_by_role("button")).to_have_count(0)
    assert site.script.done.total() == before + 1
    page.reload()
    expect(done).to_contain_text("Done, and taken back since.")


def test_a_page_in_german_has_a_chat_in_german(open_page: Open) -> None:
    page = open_page("/").page
    page.evaluate(
        """() => {
            const tag = document.querySelector("opsbot-chat");
            const other = tag.cloneNode();
            other.setAttribute("data-lang", "de-AT");
            tag.replaceWith(other);
        }"""
    )
    page.get_by_role("button", name="Chat öffnen").click()
    box = page.get_by_role("textbox", name="Nachricht schreiben")
    box.fill(STOCK)
    box.press("Enter")

    card = page.get_by_role("group", name="Add 3 to the stock?")
    expect(card).to_contain_text("Es geschieht nichts, bevor Sie bestätigen.")
    card.get_by_role("button", name="Cancel the order").click()

    expect(card).to_contain_text("Erledigt.")
    expect(card.get_by_role("button", name=re.compile("^Rückgängig machen"))).to_be_visible()


def test_a_dropped_change_is_not_done(open_page: Open, site: Site) -> None:
    page = open_page("/").page
    open_chat(page)
    say(page, CANCEL)
    before = site.script.done.total()

    page.get_by_role("button", name="Not now").click()

    card = page.get_by_role("group", name="Cancel order #1004?")
    expect(card).to_contain_text("Nothing was changed.")
    assert site.script.done.total() == before


def test_an_offer_that_has_run_out_cannot_be_confirmed(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)

    say(page, "expires")

    card = page.get_by_role("group", name="Change the address of #1005?")
    expect(card).to_contain_text("This offer has expired")
    expect(card.get_by_role("button")).to_have_count(0)


def test_a_hand_over_to_a_person_is_announced(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)

    say(page, "Talk to a person")

    expect(page.get_by_role("dialog")).to_contain_text("A person will answer. Case CS-00007.")


def test_a_reload_shows_the_same_conversation(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)
    say(page, HALO)
    say(page, CANCEL)
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.get_by_role("log")).to_contain_text("Order #1004 is cancelled.")
    page.get_by_role("textbox", name=BOX).fill("half a thou")
    before = page.locator("opsbot-chat .bubble").all_text_contents()

    page.reload()

    expect(page.get_by_role("log")).to_contain_text("Order #1004 is cancelled.")
    card = page.get_by_role("group", name="Cancel order #1004?")
    expect(card.get_by_role("button")).to_have_count(0)
    assert page.locator("opsbot-chat .bubble").all_text_contents() == before
    expect(page.get_by_role("textbox", name=BOX)).to_have_value("half a thou")


def test_a_new_conversation_begins_with_the_greeting(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)
    say(page, "hello")

    page.get_by_role("button", name="Start a new conversation").click()

    expect(page.locator("opsbot-chat .bubble")).to_have_count(1)
    say(page, "hello again")
    assert replies(page) == ["You wrote: hello again"]


def test_another_customer_does_not_see_the_conversation(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)
    say(page, "a secret of Ada")

    page.get_by_role("button", name="Close chat").last.click()
    page.get_by_role("button", name="Be Ben").click()
    open_chat(page)

    expect(page.get_by_role("log")).to_contain_text("automated assistant")
    expect(page.get_by_role("log")).not_to_contain_text("a secret of Ada")


def test_a_reply_can_be_stopped(open_page: Open) -> None:
    page = open_page("/").page
    box = open_chat(page)
    box.fill("slow")
    box.press("Enter")

    page.get_by_role("button", name="Stop the reply").click()

    expect(page.get_by_role("button", name="Send message")).to_be_visible()
    expect(page.locator("opsbot-chat [aria-busy=true]")).to_have_count(0)


def test_what_is_sent_during_a_reply_goes_out_after_it(open_page: Open) -> None:
    page = open_page("/").page
    box = open_chat(page)
    box.fill("slow")
    box.press("Enter")
    page.get_by_role("button", name="Stop the reply").wait_for()

    box.fill("and hello")
    box.press("Enter")

    expect(page.get_by_role("log")).to_contain_text("You wrote: and hello")
    assert replies(page) == ["You wrote: slow", "You wrote: and hello"]
    expect(box).to_have_value("")


def test_what_is_changed_during_a_reply_is_not_sent_yet(open_page: Open) -> None:
    page = open_page("/").page
    box = open_chat(page)
    box.fill("slow")
    box.press("Enter")
    page.get_by_role("button", name="Stop the reply").wait_for()
    box.fill("and hel")
    box.press("Enter")

    box.fill("and hello")

    expect(page.get_by_role("button", name="Send message")).to_be_visible()
    assert replies(page) == ["You wrote: slow"]
    expect(box).to_have_value("and hello")


def test_each_reply_is_announced_once_and_whole(open_page: Open) -> None:
    page = open_page("/").page
    open_chat(page)
    page.evaluate(
        "() => { window.said = []; const status = document.querySelector('opsbot-chat').shadowRoot"
        ".querySelector('[role=status]'); new MutationObserver(() => status.textContent &&"
        " window.said.push(status.textContent)).observe(status, {childList: true}); }"
    )

    say(page, TRACK)

    expect(page.locator("opsbot-chat [role=status]")).to_contain_text("Assistant: Order")
    # A reply that is there at once need not be announced as coming.
    said = [text for text in page.evaluate("window.said") if text != "Assistant is writing"]
    assert said == [
        "Assistant: Order #1003 is on its way with DHL. It is expected on 22 November 2026."
    ]


def test_a_reply_in_the_closed_chat_is_counted(open_page: Open) -> None:
    page = open_page("/").page
    box = open_chat(page)
    box.fill("slow")
    box.press("Enter")

    page.keyboard.press("Escape")

    expect(page.get_by_role("button", name="Open chat, 1 new message")).to_be_visible()


def test_the_page_can_drive_the_chat(open_page: Open) -> None:
    page = open_page("/").page
    page.get_by_role("button", name="Open chat").wait_for()
    page.evaluate(
        "() => { window.heard = [];"
        " window.opsbot('on', 'message', message => window.heard.push(message.text)) }"
    )

    page.evaluate("window.opsbot('send', 'from the page')")

    expect(page.get_by_role("log")).to_contain_text("You wrote: from the page")
    assert page.evaluate("window.heard") == ["You wrote: from the page"]
    page.evaluate("window.opsbot('destroy')")
    expect(page.locator("opsbot-chat")).to_have_count(0)


def test_a_question_on_the_page_is_asked_in_the_chat(open_page: Open) -> None:
    page = open_page("/").page
    page.get_by_role("button", name="Open chat").wait_for()

    page.get_by_role("button", name=TRACK).click()

    expect(page.get_by_role("article", name="Order #1003")).to_be_visible()


MODES: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "narrow": {"width": 320, "height": 568},
    "zoomed": {"width": 320, "height": 256},
    "forced colours": {"forced_colors": "active"},
}
STATES = {
    "greeting": (),
    "sources": (HALO,),
    "cards": (TRACK, "product"),
    "confirm": (CANCEL,),
    "hand-over": ("Talk to a person",),
    "trouble": ("refused", "broken"),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_state_is_accessible_and_fits(open_page: Open, mode: str) -> None:
    watched = open_page("/", **MODES[mode])
    watched.expected.append("422")
    page = watched.page
    open_chat(page)
    for name, texts in STATES.items():
        for text in texts:
            say(page, text)

        page.evaluate("Promise.all(document.getAnimations().map(a => a.finished))")

        assert violations(page) == [], name
        assert not overflows(page), name


def test_targets_are_large_enough(open_page: Open) -> None:
    page = open_page("/", width=320, height=568).page
    open_chat(page)
    say(page, CANCEL)

    small = page.evaluate(
        "() => [...document.querySelector('opsbot-chat').shadowRoot.querySelectorAll('button')]"
        ".filter(e => e.getClientRects().length).map(e => [e.className, e.getBoundingClientRect()])"
        ".filter(([, box]) => box.width < 24 || box.height < 24).map(([name]) => name)"
    )

    assert small == []


def test_on_a_phone_the_page_behind_the_chat_is_out_of_reach(open_page: Open) -> None:
    page = open_page("/", width=390, height=800).page

    open_chat(page)

    box = page.get_by_role("dialog").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (390, 800)
    assert page.evaluate("document.body.inert")
    page.get_by_role("button", name="Close chat").click()
    assert not page.evaluate("document.body.inert")


def test_a_page_written_from_right_to_left_gets_a_mirrored_chat(open_page: Open) -> None:
    page = open_page("/").page
    page.evaluate("document.documentElement.dir = 'rtl'")
    page.evaluate(
        "() => { const old = document.querySelector('opsbot-chat'); const chat ="
        " document.createElement('opsbot-chat'); Object.assign(chat.dataset, old.dataset);"
        " old.remove(); document.documentElement.append(chat) }"
    )
    open_chat(page)
    say(page, CANCEL)

    box = page.get_by_role("dialog").bounding_box()

    assert box is not None
    assert box["x"] < 100
    assert violations(page) == []
    assert not overflows(page)
