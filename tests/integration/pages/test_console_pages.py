from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from opsbot.drafts.models import Draft, DraftState
from opsbot.mail.outgoing import OutgoingMail
from opsbot.staff import find_staff
from tests.web.small_shop import PASSWORD, STAFF, Site

PATHS = ["/console", "/console/drafts", "/console/drafts/1", "/console/cases", "/console/cases/X"]


def _mails(site: Site) -> int:
    with site.database.read() as session:
        answers = OutgoingMail.dedupe_key.startswith("draft:")
        return session.scalar(select(func.count()).select_from(OutgoingMail).where(answers)) or 0


@pytest.mark.parametrize("path", PATHS)
def test_nobody_sees_the_console_without_signing_in(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/console/sign-in?next={path}"


@pytest.mark.parametrize("path", PATHS[:4])
def test_staff_see_the_console(staff: TestClient, path: str) -> None:
    assert staff.get(path).status_code == 200


def test_a_forged_cookie_is_not_a_session(client: TestClient) -> None:
    client.cookies.set("opsbot_staff", "WzEsICJ4Il0.forged.signature")

    assert client.get("/console").status_code == 303


@pytest.mark.parametrize(
    "goal",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/consoles",
        "/help",
        "/console/..//evil.example",
        "/console/../help",
        "/console/%2e%2e//evil.example",
        "/console/%252e./x",
        "/console/\\..\\x",
        "/console/%5Cx",
        "/console/%0d%0ax",
    ],
)
def test_the_sign_in_leads_nowhere_but_into_the_console(client: TestClient, goal: str) -> None:
    form = {"email": STAFF, "password": PASSWORD, "next": goal}

    assert client.post("/console/sign-in", data=form).headers["location"] == "/console"


def test_the_session_cookie_is_out_of_reach_of_scripts(client: TestClient) -> None:
    form = {"email": STAFF, "password": PASSWORD}

    cookie = client.post("/console/sign-in", data=form).headers["set-cookie"].lower()

    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_guessing_passwords_has_to_stop(client: TestClient) -> None:
    form = {"email": "guess@example.com", "password": "wrong"}
    tries = [client.post("/console/sign-in", data=form).status_code for _ in range(6)]

    assert tries == [403] * 5 + [429]


def test_guessing_for_many_accounts_or_from_many_hosts_has_to_stop(site: Site) -> None:
    def tries(host: str, email: str) -> int:
        client = TestClient(site.app, base_url="http://shop.example", client=(host, 5000))
        form = {"email": email, "password": "wrong"}
        return client.post("/console/sign-in", data=form).status_code

    one_host = [tries("10.9.9.9", f"guess{number}@example.com") for number in range(21)]
    one_account = [tries(f"10.8.8.{number}", "target@example.com") for number in range(21)]

    assert one_host == [403] * 20 + [429]
    assert one_account == [403] * 20 + [429]


def test_a_sign_in_that_works_is_no_failure(site: Site) -> None:
    client = TestClient(
        site.app,
        client=("10.7.7.7", 5000),
        follow_redirects=False,
        headers={"origin": "http://testserver"},
    )
    form = {"email": STAFF, "password": PASSWORD}

    assert {client.post("/console/sign-in", data=form).status_code for _ in range(25)} == {303}


def test_a_sign_out_ends_the_session(staff: TestClient) -> None:
    copy = staff.cookies["opsbot_staff"]

    staff.post("/console/sign-out")

    assert staff.get("/console").status_code == 303
    staff.cookies.set("opsbot_staff", copy)
    assert staff.get("/console").status_code == 303


def test_sessions_that_were_ended_are_over_in_every_browser(staff: TestClient, site: Site) -> None:
    assert staff.get("/console").status_code == 200

    with site.database.write() as session:
        find_staff(session, STAFF).end_sessions()

    assert staff.get("/console").status_code == 303
    assert staff.post("/console/drafts/2", data={}).status_code == 403


def test_a_sign_out_with_a_cookie_that_is_over_ends_nothing(staff: TestClient, site: Site) -> None:
    old = staff.cookies["opsbot_staff"]
    staff.post("/console/sign-out")
    form = {"email": STAFF, "password": PASSWORD}
    staff.post("/console/sign-in", data=form)
    url = "http://shop.example"
    stranger = TestClient(site.app, base_url=url, follow_redirects=False, headers={"origin": url})
    stranger.cookies.set("opsbot_staff", old)

    stranger.post("/console/sign-out")

    assert staff.get("/console").status_code == 200


def test_a_form_of_another_page_decides_nothing(staff: TestClient, site: Site) -> None:
    before = _mails(site)

    missing = staff.post("/console/drafts/1", data={"decision": "approve", "text": "x"})
    foreign = staff.post(
        "/console/drafts/1",
        data={"decision": "approve", "text": "x"},
        headers={"origin": "https://evil.example"},
    )

    assert (missing.status_code, foreign.status_code) == (403, 403)
    assert _mails(site) == before


def test_a_draft_is_sent_once_whoever_presses_first(
    staff: TestClient, csrf: Callable[[str], str], site: Site
) -> None:
    form = {"csrf": csrf("/console/drafts/1"), "decision": "approve", "text": "Hello Clara."}
    before = _mails(site)

    first = staff.post("/console/drafts/1", data=form)
    second = staff.post("/console/drafts/1", data=form)

    assert first.headers["location"] == "/console/drafts?done=approved"
    assert second.status_code == 409
    assert "approved by Mara Voss already" in second.text
    assert _mails(site) == before + 1


def test_a_saved_draft_waits_on(staff: TestClient, csrf: Callable[[str], str], site: Site) -> None:
    page = "/console/drafts/2"
    form = {"csrf": csrf(page), "decision": "save", "text": "Hello <b>Clara</b>,\r\nsoon."}

    saved = staff.post(page, data=form)

    assert saved.headers["location"] == f"{page}?done=saved"
    assert "Hello &lt;b&gt;Clara&lt;/b&gt;,\nsoon." in staff.get(page).text
    with site.database.read() as session:
        assert session.get_one(Draft, 2).state is DraftState.EDITED


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"decision": "save", "text": "  "}, "the answer is empty"),
        ({"decision": "reject", "reason": ""}, "in a few words"),
        ({"decision": "burn"}, "press Approve, Save or Reject"),
        ({}, "press Approve, Save or Reject"),
    ],
    ids=["an empty text", "no reason", "an unknown button", "no button"],
)
def test_a_form_that_makes_no_sense_is_explained(
    staff: TestClient, csrf: Callable[[str], str], fields: dict[str, str], words: str
) -> None:
    answer = staff.post("/console/drafts/2", data={"csrf": csrf("/console/drafts/2"), **fields})

    assert answer.status_code == 422
    assert words in answer.text


@pytest.mark.parametrize("path", ["/console/drafts/999", "/console/cases/CS-99999"])
def test_what_is_not_there_is_a_page_too(staff: TestClient, path: str) -> None:
    answer = staff.get(path)

    assert answer.status_code == 404
    assert "This page does not exist" in answer.text


@pytest.mark.parametrize("number", [2**31, 2**63, 10**30, 0, -1])
def test_a_number_that_no_draft_can_have_is_refused_in_words(
    staff: TestClient, number: int
) -> None:
    shown, sent = (ask(f"/console/drafts/{number}") for ask in (staff.get, staff.post))

    assert (shown.status_code, sent.status_code) == (422, 422)
    assert "This did not work" in shown.text


def test_a_case_shows_the_conversation_it_came_from(staff: TestClient) -> None:
    text = staff.get("/console/cases/CS-00001").text

    assert "My parcel is marked as delivered" in text
    assert "clara@example.com" in text
