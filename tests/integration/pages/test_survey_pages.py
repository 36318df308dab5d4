import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from opsbot.surveys.models import SurveyAnswer, SurveyInvitation, SurveyResponse
from tests.web.small_shop import Site


def _answers(site: Site) -> dict[str, int | str | None]:
    with site.database.read() as session:
        rows = session.scalars(select(SurveyAnswer)).all()
        return {row.question: row.text if row.number is None else row.number for row in rows}


def test_a_survey_from_first_look_to_changed_mind(client: TestClient, site: Site) -> None:
    # A mail scanner opens every link; a GET stores no answer.
    for score in range(11):
        assert client.get(f"{site.nps}?score={score}").status_code == 200
    assert _answers(site) == {}

    page = client.get(f"{site.nps}?score=9").text
    assert 'value="9" required checked' in page

    # A wrong answer is refused, and what was written stays.
    wrong = client.post(site.nps, data={"score": "eleven", "comment": "Nice & <b>warm</b>"})
    assert wrong.status_code == 422
    assert "Question 1: please choose a number from 0 to 10." in wrong.text
    assert "Nice &amp; &lt;b&gt;warm&lt;/b&gt;</textarea>" in wrong.text
    assert _answers(site) == {}

    sent = client.post(site.nps, data={"score": "9", "comment": "Nice"})
    assert (sent.status_code, sent.headers["location"]) == (303, site.nps)
    assert "Thank you" in client.get(site.nps).text

    client.post(site.nps, data={"score": "3"})
    with site.database.read() as session:
        responses = session.scalar(select(func.count()).select_from(SurveyResponse))
    assert responses == 1
    assert _answers(site)["score"] == 3


def test_a_score_that_is_none_chooses_nothing(client: TestClient, site: Site) -> None:
    for score in ("99", "-1", "x", '"><script>'):
        page = client.get(site.csat, params={"score": score}).text

        assert "checked" not in page
        assert "<script" not in page


def test_a_closed_survey_takes_no_answer(client: TestClient, site: Site) -> None:
    before = _answers(site)

    assert client.get(site.expired).status_code == 410
    answer = client.post(site.expired, data={"score": "5"})

    assert "This survey is closed" in answer.text
    assert _answers(site) == before


def test_a_wrong_link_gives_no_hint(client: TestClient, site: Site) -> None:
    wrong = client.get("/s/" + "x" * 22)

    assert wrong.status_code == 404
    assert "survey" not in wrong.text.split("<main")[1].split("</main")[0].lower()
    assert client.post("/s/" + "x" * 22, data={"score": "5"}).status_code == 404
    assert client.get("/s/" + "x" * 22 + "/stop").status_code == 404


def test_looking_at_the_stop_page_stops_nothing(client: TestClient, site: Site) -> None:
    client.get(f"{site.csat}/stop")

    with site.database.read() as session:
        states = {str(row.state) for row in session.scalars(select(SurveyInvitation))}
    assert "opted_out" not in states


def test_no_search_engine_keeps_a_survey(client: TestClient, site: Site) -> None:
    assert client.get(site.csat).headers["x-robots-tag"] == "noindex, nofollow"


@pytest.mark.parametrize(
    "charset", ["undefined", "punycode", "unicode_escape", '"utf-7"', "utf-16", "latin-1"]
)
def test_a_form_in_another_encoding_is_refused_in_words(
    client: TestClient, site: Site, charset: str
) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="score"\r\n\r\n\\ud800\r\n'
        b'--b\r\nContent-Disposition: form-data; name="a\\"\r\n\r\n+2AA-\r\n--b--\r\n'
    )
    kind = f"multipart/form-data; charset={charset}; boundary=b"

    answer = client.post(site.nps, content=body, headers={"content-type": kind})

    assert answer.status_code == 422
    assert "must be sent as UTF-8" in answer.text


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("application/x-www-form-urlencoded", b"score=9&comment=a%00b", "not text"),
        ("application/x-www-form-urlencoded", b"score=9&com%00ment=b", "not text"),
        ("multipart/form-data", b"score=9", "cannot be read"),
        ("multipart/form-data; boundary=b", b"nothing like this", "cannot be read"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="x"; filename="y"\r\n\r\nz\r\n--b--',
            "cannot be read",
        ),
    ],
    ids=["NUL", "NUL in a name", "no boundary", "no parts", "a file"],
)
def test_a_form_that_cannot_be_read_is_refused_in_words(
    client: TestClient, site: Site, kind: str, body: bytes, words: str
) -> None:
    answer = client.post(site.nps, content=body, headers={"content-type": kind})

    assert answer.status_code == 422
    assert words in answer.text
