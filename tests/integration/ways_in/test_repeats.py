"""`Idempotency-Key`: whoever hears nothing may ask again."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import func, select

from opsbot.commerce.orders import OrderState, find_order
from opsbot.toolkit.proposals import Proposal
from tests.integration.ways_in.conftest import Served

CANCEL = {"arguments": {"order_number": "#1001"}}
FEEDBACK = {"arguments": {"text": "The lamp is lovely."}}
KEYED = (
    "/v1/proposals/{proposal_id}/confirm",
    "/v1/proposals/{proposal_id}/cancel",
    "/v1/proposals/{proposal_id}/approve",
    "/v1/proposals/{proposal_id}/reject",
    "/v1/proposals/{proposal_id}/undo",
    "/v1/tools/{name}",
)


def call(served: Served, key: str | None, name: str, body: dict[str, Any], **more: str) -> Response:
    headers = served.customer() | ({"idempotency-key": key} if key else {}) | more
    return served.client.post(f"/v1/tools/{name}", headers=headers, json=body)


def confirm(served: Served, path: str, key: str) -> Response:
    return served.client.post(path, headers=served.customer() | {"Idempotency-Key": key})


def count(served: Served, table: type) -> int:
    with served.services.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def path_of(answer: Response) -> str:
    return f"/v1/proposals/{answer.json()['proposal']['proposal_id']}/confirm"


def test_the_first_answer_comes_again_and_nothing_is_done(served_on_both: Served) -> None:
    served = served_on_both

    first = call(served, "one", "give_feedback", FEEDBACK)
    again = call(served, '"one"', "give_feedback", FEEDBACK)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert count(served, Proposal) == 1


def test_without_a_key_or_with_another_one_it_is_another_request(served: Served) -> None:
    for key in (None, None, "one", "two"):
        assert call(served, key, "give_feedback", FEEDBACK).status_code == 200

    assert count(served, Proposal) == 4


def test_a_proposal_is_made_once_and_confirmed_once(served_on_both: Served) -> None:
    served = served_on_both

    proposed = [call(served, "propose", "cancel_order", CANCEL) for _ in range(2)]
    path = path_of(proposed[0])
    done = [confirm(served, path, "confirm") for _ in range(2)]

    assert [answer.status_code for answer in (*proposed, *done)] == [202, 202, 200, 200]
    assert proposed[1].json() == proposed[0].json()
    assert done[1].json() == done[0].json()
    assert done[0].json()["proposal"]["state"] == "executed"
    assert count(served, Proposal) == 1
    with served.services.database.read() as session:
        order = find_order(session, "#1001", customer_id=None)
    assert order.state is OrderState.CANCELLED


def test_many_at_once_do_it_once(served_on_both: Served) -> None:
    served = served_on_both

    with ThreadPoolExecutor(8) as pool:
        tried = list(pool.map(lambda _: call(served, "one", "give_feedback", FEEDBACK), range(24)))

    last = call(served, "one", "give_feedback", FEEDBACK)
    assert last.status_code == 200
    for answer in tried:
        if answer.status_code == 409:
            assert answer.json()["code"] == "conflict"
        else:
            assert answer.json() == last.json()
    assert count(served, Proposal) == 1


def test_another_request_with_the_same_key_is_refused(served: Served) -> None:
    call(served, "one", "give_feedback", FEEDBACK)

    other = call(served, "one", "give_feedback", {"arguments": {"text": "No, it is not."}})
    made = count(served, Proposal)
    elsewhere = confirm(served, path_of(call(served, None, "cancel_order", CANCEL)), "one")

    for answer in (other, elsewhere):
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["field"] == "Idempotency-Key"
    assert made == 1


def test_a_key_is_ones_own(served: Served) -> None:
    call(served, "one", "give_feedback", FEEDBACK)

    other = call(served, "one", "give_feedback", FEEDBACK, **served.customer("C-1002"))

    assert "idempotent-replayed" not in other.headers
    assert count(served, Proposal) == 2


def test_a_refusal_comes_again_as_it_was(served: Served) -> None:
    tried = [call(served, "one", "cancel_order", {"arguments": {}}) for _ in range(2)]

    assert [answer.status_code for answer in tried] == [422, 422]
    assert tried[1].json() == tried[0].json()
    assert tried[1].headers["content-type"] == "application/problem+json"
    assert tried[1].headers["idempotent-replayed"] == "true"


def test_what_may_pass_is_tried_again(served: Served) -> None:
    for number in range(60):
        call(served, f"fill-{number}", "order_status", CANCEL)
    limited = call(served, "one", "give_feedback", FEEDBACK)
    served.moment[0] = served.moment[0].replace(hour=served.moment[0].hour + 1)

    later = call(served, "one", "give_feedback", FEEDBACK)

    assert (limited.status_code, later.status_code) == (429, 200)


@pytest.mark.parametrize(
    "key", ["", '""', "k" * 256, "ümlaut"], ids=["empty", "quotes", "long", "umlaut"]
)
def test_a_key_is_a_short_plain_word(served: Served, key: str) -> None:
    plain = served.customer() | {"idempotency-key": key}
    headers = [(name.encode(), value.encode("latin-1")) for name, value in plain.items()]
    answer = served.client.post("/v1/tools/give_feedback", headers=headers, json=FEEDBACK)

    assert answer.status_code == 422
    assert answer.json()["field"] == "Idempotency-Key"
    assert count(served, Proposal) == 0


def test_a_visitor_whom_nothing_tells_apart_can_keep_no_key(served: Served) -> None:
    body = {"arguments": {"product": "Kiln mug, moss"}}
    path, key = "/v1/tools/check_availability", {"idempotency-key": "one"}

    strange = served.client.post(path, headers=key, json=body)
    visitor = served.client.post(path, json=body).json()["visitor"]
    known = served.client.post(path, headers=key | {"x-opsbot-visitor": visitor}, json=body)

    assert strange.status_code == 422
    assert "x-opsbot-visitor" in strange.json()["detail"]
    assert known.status_code == 200


def test_the_header_is_documented_where_it_counts(served: Served) -> None:
    paths = served.client.get("/openapi.json").json()["paths"]

    documented = {
        path
        for path, methods in paths.items()
        for method in methods.values()
        if any(one["name"] == "Idempotency-Key" for one in method.get("parameters", ()))
    }

    assert documented == set(KEYED)
    for path in KEYED:
        responses = paths[path]["post"]["responses"]
        assert "another request" in responses["422"]["description"]
        assert "still being answered" in responses["409"]["description"]
