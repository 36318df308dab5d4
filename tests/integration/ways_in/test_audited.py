"""Every way in leaves its rows in the audit, and the chain holds."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from opsbot.channels.dependencies import token_caller
from opsbot.commerce.cases import CaseKind, open_case
from opsbot.drafts.models import Draft, ReceivedMail, ReceivedState
from opsbot.errors import RateLimitedError
from opsbot.staff import find_staff
from opsbot.toolkit.audit import AuditEvent, verify
from tests.factories import NOON
from tests.integration.ways_in.conftest import MARA, Served

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def the_chain_holds_in_the_end(served: Served) -> Any:
    """Look over the whole audit after each test."""
    yield
    with served.services.database.read() as session:
        assert verify(session).problem == ""


def add_case(served: Served) -> str:
    with served.services.database.write() as session:
        case = open_case(
            session,
            CaseKind.SUPPORT,
            subject="A lamp",
            summary="It flickers.",
            customer_id=1,
            actor="customer:1",
            now=NOON,
        )
        return case.number


def test_a_look_at_cases_in_the_console_is_audited(served: Served) -> None:
    number = add_case(served)
    headers = served.staff_session()

    served.client.get("/console/cases", headers=headers)
    served.client.get(f"/console/cases/{number}", headers=headers)

    rows = served.audit()
    assert ("staff:1", "read", "cases") in rows
    assert ("staff:1", "read", f"case {number}") in rows


def test_a_look_at_a_draft_and_its_decision_are_audited(served: Served) -> None:
    with served.services.database.write() as session:
        mail = ReceivedMail(
            message_id="<1@example.com>",
            sender="ada@example.com",
            subject="Hello",
            text="Where is it?",
            in_reply_to=None,
            received_at=NOON,
            conversation_id=None,
            state=ReceivedState.DRAFTED,
            reason=None,
        )
        session.add(mail)
        session.flush()
        draft = Draft(mail_id=mail.id, reply="Soon.", citations=[], created_at=NOON)
        session.add(draft)
        session.flush()
        number = draft.id
    headers = served.staff_session()

    page = served.client.get(f"/console/drafts/{number}", headers=headers)
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    served.client.post(
        f"/console/drafts/{number}",
        headers=headers,
        data={"csrf": csrf, "decision": "reject", "reason": "Spam."},
    )

    rows = served.audit()
    assert ("staff:1", "read", f"draft {number}") in rows
    assert ("staff:1", "draft_reject", f"draft {number}") in rows


def test_signing_in_failing_to_and_signing_out_are_audited(served: Served) -> None:
    origin = {"origin": "http://testserver"}
    wrong = {"email": MARA, "password": "wrong horse battery"}
    right = {"email": MARA, "password": "correct horse battery"}

    served.client.post("/console/sign-in", data=wrong, headers=origin, follow_redirects=False)
    served.client.post("/console/sign-in", data=right, headers=origin, follow_redirects=False)
    served.client.post("/console/sign-out", headers=origin, follow_redirects=False)

    assert served.audit() == [
        ("visitor", "sign_in_failed", "console"),
        ("staff:1", "signed_in", "console"),
        ("staff:1", "signed_out", "console"),
    ]


@pytest.mark.parametrize("way", ["chat", "rest", "mcp"])
def test_a_refused_look_at_somebody_elses_order_is_audited_by_every_way_in(
    served: Served, way: str
) -> None:
    headers = served.customer()
    arguments = {"order_number": "#2001"}
    if way == "chat":
        asked = {"text": "Where is order #2001?", "client_id": "1"}
        served.client.post("/v1/chat", headers=headers, json=asked)
    elif way == "rest":
        call = {"arguments": arguments}
        served.client.post("/v1/tools/order_status", headers=headers, json=call)
    else:
        served.client.post(
            "/mcp",
            headers={**headers, "accept": "application/json, text/event-stream"},
            json={
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": "order_status", "arguments": arguments},
            },
        )

    assert ("customer:1", "refused", "order_status") in served.audit()


def test_a_proposal_of_somebody_elses_conversation_is_refused_and_audited(served: Served) -> None:
    asked = {"text": "cancel order #1001", "client_id": "1"}
    answer = served.client.post("/v1/chat", headers=served.customer(), json=asked).json()
    proposal = answer["proposal"]["proposal_id"]

    for deed in ("confirm", "cancel"):
        path = f"/v1/proposals/{proposal}/{deed}"
        assert served.client.post(path, headers=served.customer("C-1002")).status_code == 404

    assert served.audit().count(("customer:2", "refused", proposal)) == 2


def test_a_flood_of_calls_leaves_one_row_a_minute(served: Served) -> None:
    headers = served.staff_token()["authorization"]
    caller = token_caller(served.services, headers, channel="api", now=NOON)
    refused = 0
    for second in range(80):
        try:
            now = NOON + timedelta(milliseconds=100 * second)
            served.services.executor.run(caller, "late_orders", {}, now=now)
        except RateLimitedError:
            refused += 1

    rows = [row for row in served.audit() if row[1] == "refused"]
    assert refused == 20
    assert rows == [("staff:1", "refused", "late_orders")]


def test_an_article_that_somebody_may_not_upload_is_refused_and_audited(served: Served) -> None:
    with served.services.database.write() as session:
        find_staff(session, MARA).roles = ["agent"]

    served.client.delete("/v1/knowledge/articles/x", headers=served.staff_session())

    assert ("staff:1", "refused", "articles") in served.audit()


REFUSED_AT_THE_DOOR: list[tuple[str, str, dict[str, str], str]] = [
    ("POST", "/v1/tools/my_orders", {"authorization": "Bearer x.y.z"}, "/v1/tools/{name}"),
    ("POST", "/v1/tools/my_orders", {"authorization": "Basic x"}, "/v1/tools/{name}"),
    ("GET", "/v1/conversations/a/messages", {"authorization": "Bearer x"}, "{conversation_id}"),
    ("GET", "/v1/conversations/a/events", {"x-opsbot-visitor": "forged"}, "{conversation_id}"),
    ("GET", "/v1/proposals/waiting", {"cookie": "opsbot_staff=forged"}, "/v1/proposals/waiting"),
    ("GET", "/console/cases", {"cookie": "opsbot_staff=forged"}, "/console/cases"),
    ("POST", "/mcp", {"authorization": "Bearer opsbot_forged"}, "/mcp"),
]


@pytest.mark.parametrize(
    ("method", "path", "headers", "where"),
    REFUSED_AT_THE_DOOR,
    ids=["token", "scheme", "reader", "visitor", "staff", "page", "mcp"],
)
def test_a_forged_proof_is_audited_by_its_route(
    served: Served, method: str, path: str, headers: dict[str, str], where: str
) -> None:
    answer = served.client.request(method, path, headers=headers, follow_redirects=False)

    assert answer.status_code in {303, 403}
    [(actor, action, subject)] = served.audit()
    assert (actor, action) == ("visitor", "refused")
    assert subject.startswith(f"{method} ")
    assert where in subject


def test_who_claims_nothing_is_led_to_the_sign_in_and_not_audited(served: Served) -> None:
    answer = served.client.get("/console/cases", follow_redirects=False)

    assert answer.status_code == 303
    assert served.audit() == []


def test_a_conversation_of_somebody_else_is_refused_and_audited(served: Served) -> None:
    asked = {"text": "hello", "client_id": "1"}
    answer = served.client.post("/v1/chat", headers=served.customer(), json=asked).json()
    talk = answer["conversation_id"]
    eve = served.customer("C-1002")

    posts = {"/v1/chat": asked | {"conversation_id": talk, "client_id": "2"}}
    posts["/v1/tools/my_orders"] = {"conversation_id": talk}
    codes = [served.client.post(path, headers=eve, json=posts[path]).status_code for path in posts]
    for part in ("messages", "events"):
        got = served.client.get(f"/v1/conversations/{talk}/{part}", headers=eve)
        codes.append(got.status_code)
    shown = served.client.get(f"/v1/answers/{answer['message_id']}/verify", headers=eve)

    assert [*codes, shown.status_code] == [404] * 5
    refused = [row for row in served.audit() if row[:2] == ("customer:2", "refused")]
    assert sorted(subject for _, _, subject in refused) == [
        "GET /v1/answers/{message_id}/verify",
        "GET /v1/conversations/{conversation_id}/events",
        "GET /v1/conversations/{conversation_id}/messages",
        "POST /v1/chat",
        "POST /v1/tools/{name}",
    ]


def test_another_sites_request_and_a_form_of_another_session_are_audited(served: Served) -> None:
    headers = served.staff_session()

    foreign = served.client.post(
        "/console/approvals/x", headers=headers | {"origin": "https://evil.example"}, data={}
    )
    stale = served.client.post("/console/approvals/x", headers=headers, data={"csrf": "old"})

    assert (foreign.status_code, stale.status_code) == (403, 403)
    assert served.audit() == [
        ("visitor", "refused", "POST /console/approvals/{proposal_id}"),
        ("staff:1", "refused", "POST /console/approvals/{proposal_id}"),
    ]


def test_a_program_that_presses_the_button_is_refused_and_audited(served: Served) -> None:
    pressed = served.client.post("/v1/proposals/x/confirm", headers=served.staff_token())

    assert pressed.json()["code"] == "confirmation_required"
    assert served.audit() == [("staff:1", "refused", "POST /v1/proposals/{proposal_id}/confirm")]


def test_a_flood_at_the_door_does_not_fill_the_audit(served: Served) -> None:
    for _ in range(30):
        served.client.get("/v1/tools", headers={"authorization": "Bearer forged"})

    assert len(served.audit()) == 20


def test_what_was_refused_says_no_more_than_it_must(served: Served) -> None:
    served.client.post(
        "/v1/tools/ada@example.com", headers=served.customer(), json={"arguments": {}}
    )
    served.client.post("/v1/proposals/ada@example.com/cancel", headers=served.customer())

    with served.services.database.read() as session:
        rows = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.number)).all()
    assert [(row.action, row.subject) for row in rows] == [("refused", "unknown")] * 2
    assert rows[0].personal == {"named": "ada@example.com"}
    assert "ada" not in repr([row.detail for row in rows])


def test_a_preview_that_names_a_customer_and_a_look_at_it_are_audited(served: Served) -> None:
    with served.services.database.write() as session:
        find_staff(session, MARA).roles = ["agent"]
    headers = served.staff_session()
    arguments = {"order_number": "#1002", "amount": "110.00", "reason": "It was broken"}
    call = {"arguments": arguments}
    proposed = served.client.post("/v1/tools/refund", headers=headers, json=call).json()["proposal"]
    key = proposed["proposal_id"]
    served.client.post(f"/v1/proposals/{key}/confirm", headers=headers)

    waiting = served.client.get("/v1/proposals/waiting", headers=headers).json()["waiting"]

    assert "Ada" in repr(waiting)
    assert served.audit() == [
        ("staff:1", "proposed", "refund"),
        ("staff:1", "confirmed", "refund"),
        ("staff:1", "read", "approvals"),
    ]
