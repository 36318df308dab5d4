"""Rules are tried over HTTP: by staff, without an effect."""

import re
from pathlib import Path

from fastapi.testclient import TestClient

from opsbot.content import content_root
from tests.integration.cli.test_policies import FACTS

SIMULATE = "/v1/policy/simulate"
RETURNS = Path(content_root() / "knowledge" / "policies" / "returns.yaml").read_text("utf-8")
CHEAPER = RETURNS.replace("DE: 490", "DE: 290").replace("€4.90", "€2.90")


def test_a_member_of_staff_tries_facts(staff: TestClient) -> None:
    answer = staff.post(SIMULATE, json={"facts": FACTS, "today": "2026-09-21"})

    [found] = answer.json()["decisions"]
    assert found["decision"]["refund_minor"] == 1910
    assert found["decision"]["deadlines"] == {"withdrawal": "2026-09-25", "promise": "2026-10-11"}
    assert [clause["id"] for clause in found["clauses"]][:1] == ["withdrawal.right"]
    assert found["facts"] | FACTS == found["facts"]


def test_changed_files_are_tried_beside_those_that_hold(staff: TestClient) -> None:
    body = {"facts": FACTS, "today": "2026-09-21", "changes": {"returns.yaml": CHEAPER}}

    found = staff.post(SIMULATE, json={**body, "last": 50}).json()

    assert [one["decision"]["refund_minor"] for one in found["decisions"]] == [1910, 2110]
    assert found["trial"]["looked_at"] == 0 or found["trial"]["differences"]


def test_a_mistake_in_a_changed_file_names_no_folder_of_the_server(staff: TestClient) -> None:
    body = {"facts": FACTS, "changes": {"returns.yaml": RETURNS.replace("30 days", "31 days")}}

    answer = staff.post(SIMULATE, json=body)

    assert answer.status_code == 422
    assert re.match(r"returns\.yaml: the text of returns\.", answer.json()["detail"])


def test_only_staff_may_ask_and_only_something(client: TestClient, staff: TestClient) -> None:
    stranger = TestClient(client.app, base_url="http://shop.example")

    assert stranger.post(SIMULATE, json={"facts": FACTS}).status_code == 403
    assert staff.post(SIMULATE, json={}).status_code == 422
    assert staff.post(SIMULATE, json={"facts": {"country": "DE"}}).status_code == 422
    order = {"order": {"number": "#999999"}}
    assert staff.post(SIMULATE, json=order).status_code == 404
    unknown = {"facts": FACTS, "changes": {"../secrets.yaml": "a: 1"}}
    assert staff.post(SIMULATE, json=unknown).status_code == 422
