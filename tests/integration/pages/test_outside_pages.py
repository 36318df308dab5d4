"""What did not happen outside, over HTTP: who sees it, who may decide, and what is kept of it."""

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select

from opsbot.commerce.effects import Effect, EffectState
from opsbot.staff import Role, Staff, make_staff
from opsbot.toolkit.audit import AuditEvent
from tests.factories import NOON
from tests.web.small_shop import PASSWORD, Site

PAGE = "/console/outside"


@pytest.fixture
def stuck(site: Site) -> Iterator[int]:
    """A refund that the provider refused."""
    with site.database.write() as session:
        effect = Effect(
            port="payments",
            operation="refund",
            payload={"order": "#1007", "amount_minor": 2100, "currency": "EUR", "lines": [1]},
            key="refund:9",
            state=EffectState.FAILED,
            attempts=3,
            next_at=NOON,
            error="The card <b>is</b> closed.",
            created_at=NOON,
        )
        session.add(effect)
        session.flush()
        number = effect.id
    yield number
    with site.database.write() as session:
        session.execute(delete(Effect))


def effect_of(site: Site, number: int) -> Effect:
    with site.database.read() as session:
        return session.get_one(Effect, number)


def audit_of(site: Site) -> list[tuple[str, str, str]]:
    with site.database.read() as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.number.desc()).limit(3))
        return [(row.actor, row.action, row.subject) for row in rows]


@pytest.mark.usefixtures("stuck")
def test_it_says_what_failed_and_why(staff: TestClient) -> None:
    page = staff.get(PAGE).text

    assert "Refund · payments" in page
    assert "The card &lt;b&gt;is&lt;/b&gt; closed." in page
    assert "€21.00" in page
    assert "tried 3 times" in page
    assert "Given up" in page
    assert '<span class="rail__count">1<span class="hidden"> waiting' in page


def test_nobody_else_sees_it(client: TestClient) -> None:
    answer = client.get(PAGE)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/sign-in")


def test_it_is_tried_again(
    staff: TestClient, site: Site, stuck: int, csrf: Callable[[str], str]
) -> None:
    form = {"csrf": csrf(PAGE), "decision": "retry"}

    answer = staff.post(f"{PAGE}/{stuck}", data=form)

    assert answer.headers["location"] == f"{PAGE}?done=retry"
    kept = effect_of(site, stuck)
    assert (kept.state, kept.attempts) == (EffectState.REQUESTED, 0)
    assert ("staff:1", "retried", "refund:9") in audit_of(site)


def test_it_was_done_by_hand(
    staff: TestClient, site: Site, stuck: int, csrf: Callable[[str], str]
) -> None:
    form = {"csrf": csrf(PAGE), "decision": "settle", "note": "By bank transfer, no. 17"}

    first = staff.post(f"{PAGE}/{stuck}", data=form)
    again = staff.post(f"{PAGE}/{stuck}", data=form | {"note": "twice"})

    assert (first.status_code, again.status_code) == (303, 409)
    kept = effect_of(site, stuck)
    assert (kept.state, kept.note) == (EffectState.BY_HAND, "By bank transfer, no. 17")
    assert ("staff:1", "done_by_hand", "refund:9") in audit_of(site)
    page = staff.get(PAGE).text
    assert "By bank transfer, no. 17" in page
    assert "Mara Voss" in page


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"decision": "settle", "note": "  "}, 422),
        ({"decision": "forget"}, 422),
        ({"decision": "retry", "csrf": "another"}, 403),
    ],
    ids=["no note", "no button", "another page"],
)
def test_a_wrong_form_changes_nothing(
    staff: TestClient,
    site: Site,
    stuck: int,
    csrf: Callable[[str], str],
    form: dict[str, str],
    status: int,
) -> None:
    answer = staff.post(f"{PAGE}/{stuck}", data={"csrf": csrf(PAGE), **form})

    assert answer.status_code == status
    assert effect_of(site, stuck).state is EffectState.FAILED


@pytest.mark.usefixtures("stuck")
def test_what_does_not_exist_is_not_found(staff: TestClient, csrf: Callable[[str], str]) -> None:
    form = {"csrf": csrf(PAGE), "decision": "retry"}

    assert staff.post(f"{PAGE}/999", data=form).status_code == 404


def test_who_answers_mails_reads_but_decides_nothing(
    client: TestClient, site: Site, stuck: int
) -> None:
    with site.database.write() as session:
        session.add(
            make_staff(email="ben@x.example", name="Ben", password=PASSWORD, roles=[Role.AGENT])
        )
    sign_in = {"email": "ben@x.example", "password": PASSWORD, "next": PAGE}
    client.post("/console/sign-in", data=sign_in)
    page = client.get(PAGE).text
    csrf = (
        client.get("/console/articles").text.partition('name="csrf" value="')[2].partition('"')[0]
    )

    answer = client.post(f"{PAGE}/{stuck}", data={"csrf": csrf, "decision": "retry"})

    assert "Try again now" not in page
    assert "Warehouse, lead or manager decide about it." in page
    assert answer.status_code == 403
    assert effect_of(site, stuck).state is EffectState.FAILED
    with site.database.write() as session:
        session.execute(delete(Staff).where(Staff.email == "ben@x.example"))
