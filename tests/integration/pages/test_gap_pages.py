"""What the articles do not answer, over HTTP: who may see it, and who may decide."""

import re
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select

from opsbot.channels.services import Services
from opsbot.retrieval.gap_rows import GapRow
from opsbot.retrieval.models import Audience
from opsbot.staff import Role, make_staff
from opsbot.toolkit.audit import AuditEvent
from tests.web.small_shop import PASSWORD, Site

GAPS = "/v1/gaps"
AGENT = "pat@lumenandloom.example"
MADRID, COFFEE = "Do you have a shop in Madrid?", "Do you sell coffee beans?"


@pytest.fixture(autouse=True)
def asked(site: Site) -> Iterator[None]:
    """One question was asked twice in vain, another one once."""
    services: Services = site.app.state.services
    for question in (MADRID, MADRID, COFFEE):
        services.gaps.note(question, audience=Audience.PUBLIC, now=services.clock())
    yield
    with site.database.write() as session:
        session.execute(delete(GapRow))


@pytest.fixture
def agent(site: Site, client: TestClient) -> TestClient:
    """Somebody who works here, but does not write articles."""
    with site.database.write() as session:
        session.add(make_staff(email=AGENT, name="Pat", password=PASSWORD, roles=[Role.AGENT]))
    client.post("/console/sign-in", data={"email": AGENT, "password": PASSWORD})
    return client


def test_the_list_tells_what_was_asked_most_often_first(staff: TestClient) -> None:
    body = staff.get(GAPS).json()

    assert [(gap["question"], gap["count"]) for gap in body["gaps"]] == [(MADRID, 2), (COFFEE, 1)]
    assert body["next"] is None
    assert all(gap["state"] == "open" and gap["audience"] == "public" for gap in body["gaps"])
    assert all(hit["url"].startswith("/help/") for gap in body["gaps"] for hit in gap["closest"])


def test_the_list_comes_in_pages(staff: TestClient) -> None:
    first = staff.get(GAPS, params={"limit": 1}).json()
    second = staff.get(GAPS, params={"limit": 1, "after": first["next"]}).json()

    assert [gap["question"] for gap in first["gaps"] + second["gaps"]] == [MADRID, COFFEE]
    assert second["next"] is None


def test_a_decision_is_kept_with_who_took_it(staff: TestClient, site: Site) -> None:
    gap = staff.get(GAPS).json()["gaps"][0]

    answer = staff.post(f"{GAPS}/{gap['id']}", json={"state": "dismissed"})

    assert answer.status_code == 200
    assert answer.json()["decided_by"].startswith("staff:")
    assert [g["question"] for g in staff.get(GAPS).json()["gaps"]] == [COFFEE]
    dismissed = staff.get(GAPS, params={"state": "dismissed"}).json()["gaps"]
    assert [g["question"] for g in dismissed] == [MADRID]
    with site.database.read() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "gap_decided"))
        assert [event.subject for event in events][-1] == f"gap {gap['id']}"


def test_only_who_writes_articles_decides(agent: TestClient) -> None:
    gap = agent.get(GAPS).json()["gaps"][0]

    assert agent.post(f"{GAPS}/{gap['id']}", json={"state": "dismissed"}).status_code == 403
    assert "Dismiss<" not in agent.get("/console/gaps").text


def test_customers_see_no_gaps(client: TestClient) -> None:
    assert client.get(GAPS).status_code in {401, 403}
    assert client.get("/console/gaps").status_code == 303


@pytest.mark.parametrize(
    ("number", "body", "status"),
    [
        (999_999, {"state": "dismissed"}, 404),
        (1, {"state": "gone"}, 422),
        (1, {"state": "open", "note": "x"}, 422),
        (0, {"state": "open"}, 422),
    ],
)
def test_what_cannot_be_decided_is_refused(
    staff: TestClient, number: int, body: dict[str, str], status: int
) -> None:
    assert staff.post(f"{GAPS}/{number}", json=body).status_code == status


def test_the_buttons_of_the_page_decide(staff: TestClient, csrf: Callable[[str], str]) -> None:
    token, page = csrf("/console/gaps"), staff.get("/console/gaps").text
    assert page.index(MADRID) < page.index(COFFEE)
    address = re.findall(r'action="(/console/gaps/\d+)"', page)[0]

    answer = staff.post(address, data={"csrf": token, "state": "answered", "shown": "open"})

    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/console/gaps?state=open&done=answered",
    )
    told = staff.get(answer.headers["location"]).text
    assert "The question is marked as answered." in told
    assert MADRID not in told
    assert MADRID in staff.get("/console/gaps?state=answered").text


def test_a_form_of_another_page_decides_nothing(staff: TestClient) -> None:
    page = staff.get("/console/gaps").text
    address = re.findall(r'action="(/console/gaps/\d+)"', page)[0]

    answer = staff.post(address, data={"csrf": "wrong", "state": "answered", "shown": "open"})

    assert answer.status_code == 403
