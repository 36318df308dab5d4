"""The tools over HTTP: the same door as for a chat."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from opsbot.channels.dependencies import customer_caller
from opsbot.channels.mcp import run_call
from opsbot.commerce.orders import OrderState, find_order
from opsbot.errors import CODES
from opsbot.mail import OutgoingMail
from opsbot.staff import find_staff
from opsbot.staff_tokens import StaffToken, revoke_token
from tests.integration.cli.test_policies import FACTS
from tests.integration.ways_in.conftest import MARA, Served

CANCEL = {"arguments": {"order_number": "#1001"}}


def state_of(served: Served, number: str) -> OrderState:
    with served.services.database.read() as session:
        return find_order(session, number, customer_id=None).state


def names(served: Served, headers: dict[str, str]) -> set[str]:
    answer = served.client.get("/v1/tools", headers=headers)
    assert answer.status_code == 200
    return {tool["name"] for tool in answer.json()["tools"]}


def test_everybody_is_told_of_the_tools_that_are_for_them(served: Served) -> None:
    customer = names(served, served.customer())
    staff = names(served, served.staff_token())

    assert {"order_status", "cancel_order", "search_articles"} <= customer
    assert {"late_orders", "order_overview"} <= staff
    assert not customer & staff
    assert not {"contact_person", "verify_order"} & customer, "they need a conversation"
    assert names(served, served.staff_session()) == staff


def test_a_declaration_has_what_a_program_needs(served: Served) -> None:
    answer = served.client.get("/v1/tools", headers=served.customer()).json()
    tool = next(one for one in answer["tools"] if one["name"] == "cancel_order")

    assert answer["errors"] == CODES
    assert tool["effect"] == "irreversible"
    assert tool["confirm"] == "self"
    assert tool["limits"] == ["20/hour"]
    assert tool["level"] == 2
    assert tool["parameters"]["required"] == ["order_number"]
    assert "x-argument" not in str(tool)
    assert "policy_denied" in tool["errors"]


def test_a_visitor_without_a_token_reads_what_everybody_may(served: Served) -> None:
    answer = served.client.post(
        "/v1/tools/check_availability", json={"arguments": {"product": "Kiln mug, moss"}}
    )

    assert answer.status_code == 200
    assert "Kiln mug" in answer.json()["result"]["say"]
    assert answer.json()["visitor"]


def test_a_read_returns_words_and_facts(served: Served) -> None:
    answer = served.client.post(
        "/v1/tools/order_status",
        headers=served.customer(),
        json={"arguments": {"order_number": "#1001"}},
    )

    assert answer.status_code == 200
    result = answer.json()["result"]
    assert "#1001" in result["say"]
    assert result["facts"]["order_number"] == "#1001"
    assert "candidates" not in result["facts"]
    assert result["cards"]
    assert ("customer:1", "read", "order_status") in served.audit()


def test_a_change_waits_until_its_customer_confirms_it(served: Served) -> None:
    headers = served.customer()
    proposed = served.client.post("/v1/tools/cancel_order", headers=headers, json=CANCEL)
    proposal = proposed.json()["proposal"]
    before = state_of(served, "#1001")

    path = f"/v1/proposals/{proposal['proposal_id']}/confirm"
    strange = served.client.post(path, headers=served.customer("C-1002"))
    done = served.client.post(path, headers=headers)
    again = served.client.post(path, headers=headers)

    assert proposed.status_code == 202
    assert proposal["title"] == "Cancel order #1001?"
    assert before is OrderState.CONFIRMED
    assert strange.status_code == 404
    assert done.json()["proposal"]["state"] == "executed"
    assert done.json()["result"]["say"] == again.json()["result"]["say"]
    assert state_of(served, "#1001") is OrderState.CANCELLED
    assert ("customer:1", "executed", "cancel_order") in served.audit()
    assert ("customer:2", "refused", proposal["proposal_id"]) in served.audit()


def test_a_change_can_be_dropped(served: Served) -> None:
    headers = served.customer()
    proposed = served.client.post("/v1/tools/cancel_order", headers=headers, json=CANCEL)
    path = f"/v1/proposals/{proposed.json()['proposal']['proposal_id']}"

    dropped = served.client.post(f"{path}/cancel", headers=headers)
    late = served.client.post(f"{path}/confirm", headers=headers)

    assert dropped.json()["proposal"]["state"] == "cancelled"
    assert late.json()["result"] is None
    assert state_of(served, "#1001") is OrderState.CONFIRMED


def test_what_was_proved_in_a_conversation_counts_there_and_nowhere_else(served: Served) -> None:
    opened = served.client.post("/v1/chat", json={"text": "hello", "client_id": "1"}).json()
    headers = {"x-opsbot-visitor": opened["visitor"]}
    talk = {"conversation_id": opened["conversation_id"]}
    said = {"text": "order #1001, ada@example.com", "client_id": "2", **talk}
    served.client.post("/v1/chat", headers=headers, json=said)
    call = {"arguments": {"order_number": "#1001"}}

    inside = served.client.post("/v1/tools/order_status", headers=headers, json=call | talk)
    outside = served.client.post("/v1/tools/order_status", headers=headers, json=call)
    strange = served.client.post(
        "/v1/tools/order_status", headers=served.customer(), json=call | talk
    )

    assert inside.status_code == 200
    assert outside.json()["code"] == "not_verified"
    assert strange.json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("name", "body", "status", "told"),
    [
        ("order_status", {"arguments": {}}, 422, {"code": "validation", "field": "order_number"}),
        ("order_status", {"arguments": {"order_number": "#2001"}}, 404, {"code": "not_found"}),
        (
            "order_status",
            {"arguments": {"order_number": "#1001", "customer_id": 2}},
            422,
            {"code": "validation", "field": "customer_id"},
        ),
        ("cancel_order", {"arguments": {"order_number": "#1003"}}, 409, {"code": "policy_denied"}),
        ("late_orders", {}, 403, {"code": "forbidden"}),
        ("no_such_tool", {}, 403, {"code": "forbidden"}),
        ("contact_person", {}, 403, {"code": "forbidden"}),
        (
            "change_address",
            {"arguments": {"order_number": "#1001", "address": "Sonnenallee 5, 12047 Berlin"}},
            403,
            {"code": "not_verified", "level": 3},
        ),
        ("order_status", {"arguments": [], "more": 1}, 422, {"code": "validation"}),
        ("order_status", {"conversation_id": "x", "arguments": {}}, 404, {"code": "not_found"}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_refusal_is_a_problem_with_a_code_of_the_set(
    served: Served, name: str, body: dict[str, Any], status: int, told: dict[str, Any]
) -> None:
    answer = served.client.post(f"/v1/tools/{name}", headers=served.customer(), json=body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert told.items() <= answer.json().items()


def test_a_program_of_staff_may_read_and_propose_but_not_confirm(served: Served) -> None:
    headers = served.staff_token()
    read = served.client.post("/v1/tools/late_orders", headers=headers, json={})

    refused = served.client.post("/v1/proposals/anything/confirm", headers=headers)

    assert read.status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_required")


def test_a_token_is_worth_nothing_once_it_is_revoked_over_or_its_owner_has_left(
    served: Served,
) -> None:
    headers = served.staff_token()
    other = served.staff_token(name="other")
    assert served.client.get("/v1/tools", headers=headers).status_code == 200

    with served.services.database.write() as session:
        revoke_token(session, find_staff(session, MARA), "script", now=served.moment[0])
    assert served.client.get("/v1/tools", headers=headers).json()["code"] == "forbidden"
    assert served.client.get("/v1/tools", headers=other).status_code == 200

    with served.services.database.write() as session:
        tokens = session.scalars(select(StaffToken).where(StaffToken.name == "other"))
        tokens.one().expires_at = served.moment[0] + timedelta(hours=1)
    served.moment[0] += timedelta(hours=1)
    assert served.client.get("/v1/tools", headers=other).status_code == 403

    third = served.staff_token(name="third")
    with served.services.database.write() as session:
        find_staff(session, MARA).active = False
    assert served.client.get("/v1/tools", headers=third).status_code == 403


def test_only_the_hash_of_a_token_is_kept(served: Served) -> None:
    text = served.staff_token()["authorization"].removeprefix("Bearer ")

    with served.services.database.read() as session:
        kept = session.scalars(select(StaffToken)).one()

    assert text not in repr(vars(kept))
    assert len(text) > 45


def test_the_mail_of_a_customers_assistant_leads_to_a_page_that_confirms(served: Served) -> None:
    ada = customer_caller(served.services, "C-1001", channel="mcp")
    run_call(served.services, ada, "cancel_order", {"order_number": "#1001"})
    with served.services.database.read() as session:
        mail = session.scalars(select(OutgoingMail)).one()
    link = next(word for word in mail.text.split() if "/confirm/" in word)
    path = link[link.index("/confirm/") :]

    shown = served.client.get(path)
    looked = state_of(served, "#1001")
    foreign = served.client.post(
        path, data={"decision": "confirm"}, headers={"origin": "https://evil.example"}
    )
    untouched = state_of(served, "#1001")
    done = served.client.post(path, data={"decision": "confirm"})

    assert mail.recipient == "ada@example.com"
    assert "Cancel order #1001?" in shown.text
    assert looked is OrderState.CONFIRMED
    assert (foreign.status_code, untouched) == (403, OrderState.CONFIRMED)
    assert "is cancelled" in done.text
    assert state_of(served, "#1001") is OrderState.CANCELLED
    assert served.client.get(path).status_code == 410
    assert served.client.get("/confirm/forged").status_code == 404


def test_a_program_of_staff_tries_the_rules_and_one_of_a_customer_does_not(served: Served) -> None:
    body = {"facts": FACTS, "today": "2026-09-21"}

    tried = served.client.post("/v1/policy/simulate", headers=served.staff_token(), json=body)
    refused = served.client.post("/v1/policy/simulate", headers=served.customer(), json=body)

    assert tried.json()["decisions"][0]["decision"]["refund_minor"] == 1910
    assert refused.status_code == 403
