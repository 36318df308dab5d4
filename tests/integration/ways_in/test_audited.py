"""Every way in leaves its rows in the audit, and the chain holds."""

from datetime import timedelta
from typing import Any

import pytest

from opsbot.channels.dependencies import token_caller
from opsbot.commerce.cases import CaseKind, open_case
from opsbot.drafts.models import Draft, ReceivedMail, ReceivedState
from opsbot.errors import RateLimitedError
from opsbot.staff import find_staff
from opsbot.toolkit.audit import verify
from tests.factories import NOON
from tests.integration.ways_in.conftest import MARA, Served


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
