"""Articles over HTTP: who may, what is read, what is refused, and what the audit keeps."""

import re
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select

from opsbot.channels.guard import LARGEST_UPLOAD
from opsbot.content import content_root
from opsbot.staff import Role, make_staff
from opsbot.toolkit.audit import AuditEvent
from tests.web.small_shop import PASSWORD, STAFF, Site

ARTICLES = "/v1/knowledge/articles"
CARE = b"# Care\n\nWipe the walnut stand with beeswax every spring.\n"
AGENT = "kim@lumenandloom.example"


@pytest.fixture
def agent(site: Site, client: TestClient) -> TestClient:
    """Somebody who works here, but does not write articles."""
    with site.database.write() as session:
        session.add(make_staff(email=AGENT, name="Kim", password=PASSWORD, roles=[Role.AGENT]))
    client.post("/console/sign-in", data={"email": AGENT, "password": PASSWORD})
    return client


@pytest.fixture
def stand(staff: TestClient) -> Iterator[str]:
    """The address of an uploaded article, which is gone afterwards."""
    answer = post(staff, "Stand care.txt", CARE, audience="public", product="LL-WAL-01, LL-WAL-02")
    assert answer.status_code == 201, answer.text
    yield f"{ARTICLES}/stand-care"
    staff.delete(f"{ARTICLES}/stand-care")


def post(client: TestClient, name: str, content: bytes, **fields: str) -> Response:
    return client.post(ARTICLES, files={"file": (name, content)}, data=fields)


def audit(site: Site) -> list[tuple[str, str]]:
    with site.database.read() as session:
        events = select(AuditEvent).where(AuditEvent.action.startswith("article_"))
        return [(event.action, event.subject) for event in session.scalars(events)]


def test_an_upload_says_what_was_read(staff: TestClient) -> None:
    answer = post(staff, "stand.txt", CARE, audience="public", product="LL-WAL-01, LL-WAL-02")

    body = answer.json()
    [article] = body["articles"]
    assert (answer.status_code, body["replaced"]) == (201, False)
    told = {"slug", "path", "title", "status", "audience", "language", "products", "version"}
    assert {name: article[name] for name in told} == {
        "slug": "stand",
        "path": "uploads/stand.txt",
        "title": "Stand",
        "status": "readable",
        "audience": "public",
        "language": "en",
        "products": ["LL-WAL-01", "LL-WAL-02"],
        "version": 1,
    }
    assert staff.get("/help/stand").status_code == 200
    assert staff.delete(f"{ARTICLES}/stand").status_code == 204
    assert staff.get("/help/stand").status_code == 404


def test_an_upload_names_the_model_and_revision_it_is_for(staff: TestClient) -> None:
    fields = {"audience": "public", "product": "LL-WAL-01", "model": "M2", "revision": "SW 3.1"}

    [article] = post(staff, "stand.txt", CARE, **fields).json()["articles"]

    assert article["products"] == ["LL-WAL-01/M2/SW 3.1"]
    staff.delete(f"{ARTICLES}/stand")


def test_the_same_name_replaces(staff: TestClient, stand: str) -> None:
    answer = post(staff, "Stand care.txt", CARE + b"Twice is better.\n", audience="public")

    assert (answer.status_code, answer.json()["replaced"]) == (200, True)
    assert answer.json()["articles"][0]["version"] == 2


def test_the_audit_tells_who_changed_which_article(staff: TestClient, site: Site) -> None:
    before = len(audit(site))
    post(staff, "lid.txt", CARE, audience="public")
    post(staff, "lid.txt", CARE * 2, audience="public")
    staff.delete(f"{ARTICLES}/lid")

    assert audit(site)[before:] == [
        ("article_uploaded", "uploads/lid.txt"),
        ("article_replaced", "uploads/lid.txt"),
        ("article_deleted", "uploads/lid.txt"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "fields", "reason"),
    [
        ("a.pdf", b"%PDF-1.7 broken", {"audience": "public"}, "a.pdf is not a PDF"),
        ("a.exe", b"MZ", {"audience": "public"}, "'a.exe' cannot be read"),
        ("a.txt", CARE, {}, "the field `audience` is missing"),
        ("a.txt", CARE, {"audience": "public", "language": "german"}, "the field `language`"),
        ("a.txt", CARE, {"audience": "public", "updated": "soon"}, "the field `updated`"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem_with_a_reason(
    staff: TestClient, name: str, content: bytes, fields: dict[str, str], reason: str
) -> None:
    answer = post(staff, name, content, **fields)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert reason in answer.json()["detail"]


def test_a_request_without_a_file_is_told_so(staff: TestClient) -> None:
    answers = [
        staff.post(ARTICLES, data={"audience": "public"}),
        staff.post(ARTICLES, json={"audience": "public"}),
        staff.post(
            ARTICLES, content=b"x", headers={"content-type": "multipart/form-data; boundary=y"}
        ),
    ]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert "choose a file" in answers[0].json()["detail"]


def test_an_address_that_is_taken_is_a_conflict(staff: TestClient) -> None:
    answer = post(staff, "returns.txt", CARE, audience="public")

    assert answer.status_code == 409
    assert "the same address as faqs/returns.md" in answer.json()["detail"]


def test_a_file_of_the_shop_cannot_be_deleted(staff: TestClient) -> None:
    assert staff.delete(f"{ARTICLES}/returns").status_code == 409
    assert staff.delete(f"{ARTICLES}/nothing").status_code == 404


def test_the_list_is_paged_by_path(staff: TestClient) -> None:
    first = staff.get(ARTICLES, params={"limit": 3}).json()
    rest = staff.get(ARTICLES, params={"after": first["next"]}).json()

    paths = [article["path"] for article in first["articles"] + rest["articles"]]
    assert len(first["articles"]) == 3
    assert paths == sorted(set(paths))
    assert rest["next"] is None


def test_nobody_else_sees_or_changes_articles(client: TestClient) -> None:
    answers = [
        client.get(ARTICLES),
        post(client, "a.txt", CARE, audience="public"),
        client.delete(f"{ARTICLES}/returns"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3


def test_staff_of_other_roles_may_look_and_not_change(agent: TestClient) -> None:
    answers = [
        agent.get(ARTICLES),
        post(agent, "a.txt", CARE, audience="public"),
        agent.delete(f"{ARTICLES}/returns"),
        agent.get("/console/articles"),
    ]

    assert [answer.status_code for answer in answers] == [200, 403, 403, 200]
    assert "Only staff with one of these roles" in answers[1].json()["detail"]
    assert "Upload an article" not in answers[3].text


def test_another_site_cannot_upload_with_our_cookie(staff: TestClient) -> None:
    answer = staff.post(
        ARTICLES,
        files={"file": ("a.txt", CARE)},
        data={"audience": "public"},
        headers={"origin": "https://evil.example"},
    )

    assert answer.status_code == 403


def test_what_is_too_large_is_refused_before_it_is_read(staff: TestClient) -> None:
    announced = staff.post(
        ARTICLES, content=b"x", headers={"content-length": str(LARGEST_UPLOAD + 1)}
    )

    def endless() -> Iterator[bytes]:
        yield b'--y\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        for _ in range(LARGEST_UPLOAD // 2**20 + 2):
            yield bytes(2**20)

    sent = staff.post(
        ARTICLES,
        content=endless(),
        headers={"content-type": "multipart/form-data; boundary=y"},
    )

    assert [announced.status_code, sent.status_code] == [413, 413]


def test_the_page_lists_the_articles(staff: TestClient, stand: str) -> None:
    text = staff.get("/console/articles").text

    assert 'href="/help/stand-care"' in text
    assert "faqs/returns.md" in text
    rules = list((content_root() / "knowledge" / "policies").glob("*.yaml"))
    assert text.count("In the folder") == 7 + len(rules)


def test_the_form_of_the_page_uploads_and_deletes(
    staff: TestClient, csrf: Callable[[str], str]
) -> None:
    token = csrf("/console/articles")
    fields = {"csrf": token, "audience": "public", "title": "Lids", "safety": "true"}

    uploaded = staff.post("/console/articles", data=fields, files={"file": ("lid.txt", CARE)})
    asked = staff.get("/console/articles/lid/delete")
    deleted = staff.post("/console/articles/lid/delete", data={"csrf": token})

    assert uploaded.headers["location"] == "/console/articles?done=uploaded"
    assert "Lids" in asked.text
    assert deleted.headers["location"] == "/console/articles?done=deleted"
    assert "lid.txt" not in staff.get("/console/articles").text


def test_a_form_that_is_not_ours_changes_nothing(
    staff: TestClient, stand: str, csrf: Callable[[str], str]
) -> None:
    fields = {"csrf": "x" * len(csrf("/console/articles")), "audience": "public"}

    uploaded = staff.post("/console/articles", data=fields, files={"file": ("lid.txt", CARE)})
    deleted = staff.post("/console/articles/stand-care/delete", data=fields)

    assert [uploaded.status_code, deleted.status_code] == [403, 403]
    assert staff.get("/help/stand-care").status_code == 200


def test_the_page_shows_what_did_not_work_and_keeps_the_fields(
    staff: TestClient, csrf: Callable[[str], str]
) -> None:
    fields = {"csrf": csrf("/console/articles"), "audience": "public", "title": "My <lids>"}

    answer = staff.post("/console/articles", data=fields, files={"file": ("lid.pdf", b"x")})

    assert answer.status_code == 422
    assert re.search(r'role="alert">[^<]*lid\.pdf is not a PDF', answer.text)
    assert 'value="My &lt;lids&gt;"' in answer.text


@pytest.mark.parametrize(("slug", "status"), [("returns", 409), ("nothing", 404)])
def test_what_cannot_be_deleted_has_no_page_for_it(
    staff: TestClient, slug: str, status: int
) -> None:
    assert staff.get(f"/console/articles/{slug}/delete").status_code == status


def test_the_sign_in_is_asked_for_first(client: TestClient) -> None:
    answer = client.get("/console/articles")

    assert answer.headers["location"] == "/console/sign-in?next=/console/articles"
    assert STAFF not in answer.text
