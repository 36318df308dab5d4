"""What a survey brought, and what the sample shop's customers answered."""

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, func, select

from opsbot.commerce.cases import Case, CaseKind
from opsbot.commerce.orders import Order
from opsbot.db import Database
from opsbot.demo.surveys import make_demo_answers
from opsbot.errors import NotFoundError
from opsbot.planning.periods import Period
from opsbot.settings import Settings
from opsbot.surveys.answers import record_response
from opsbot.surveys.flows import Flow
from opsbot.surveys.invitations import invite_customer
from opsbot.surveys.models import (
    Feedback,
    InvitationState,
    Suppression,
    SurveyAnswer,
    SurveyInvitation,
    SurveyResponse,
)
from opsbot.surveys.results import SurveyResults, results
from tests.factories import DAY, NOON, make_channel, make_customer, make_item, make_line, make_order

MONTH = Period((NOON - 20 * DAY).date(), (NOON + 10 * DAY).date(), "Europe/Berlin")
YEAR = Period((NOON - 400 * DAY).date(), (NOON + DAY).date(), "Europe/Berlin")


def test_the_score_comes_with_its_interval_and_the_share_of_answers(
    database: Database, flows: dict[str, Flow]
) -> None:
    store_orders(database, 12)
    ask(database, flows["delivery_csat"], scores=[5, 5, 5, 4, 4, 5, 3, 2, 5, 4])

    found = find(database, "delivery_csat")

    assert found.score is not None
    assert found.score.n == 10
    assert round(found.score.value) == 80
    assert found.score.low < 60
    assert found.score.high > 90
    assert found.counts == {1: 0, 2: 1, 3: 1, 4: 3, 5: 5}
    assert (found.sent, found.completed) == (12, 10)
    assert found.response_rate == pytest.approx(10 / 12)
    assert [comment.text for comment in found.comments] == ["Comment 9"]


def test_answers_to_two_wordings_are_never_mixed(shop: Database, flows: dict[str, Flow]) -> None:
    store_orders(shop, 2)
    flow = flows["delivery_csat"]
    older = flow.model_copy(update={"thanks": "Thanks."})
    ask(shop, older, scores=[1], orders=slice(0, 1))
    ask(shop, flow, scores=[5], orders=slice(1, 2), days=1)

    newest, old = find(shop, flow.id), find(shop, flow.id, version=older.version)

    assert newest.version == flow.version
    assert newest.other_versions == (older.version,)
    assert newest.counts[5] == old.counts[1] == 1
    assert newest.counts[1] == old.counts[5] == 0


def test_without_answers_there_is_no_score(shop: Database, flows: dict[str, Flow]) -> None:
    store_orders(shop, 1)
    ask(shop, flows["product_nps"], scores=[])

    found = find(shop, "product_nps")

    assert found.score is None
    assert found.response_rate == 0


def test_a_survey_nobody_was_asked_is_not_found(shop: Database) -> None:
    with pytest.raises(NotFoundError):
        find(shop, "nothing")


def test_a_year_of_answers_is_consistent(database: Database, flows: dict[str, Flow]) -> None:
    store_orders(database, 300, customers=60)

    with database.write() as session:
        answered = make_demo_answers(session, flows, now=NOON, seed=1, leave_out={"#1001"})

    with database.read() as session:
        invitations = session.scalars(select(SurveyInvitation)).all()
        responses = session.scalars(select(SurveyResponse)).all()
        feedback = session.scalars(select(Feedback)).all()
        cases = session.scalars(select(Case)).all()
        left_out = session.scalars(select(Order).where(Order.number == "#1001")).one()
        numbers = session.scalars(select(SurveyAnswer.number)).all()
        nps = results(session, "product_nps", YEAR)
    completed = [one for one in invitations if one.state is InvitationState.COMPLETED]
    assert answered == len(completed) == len(responses) == len(feedback) > 20
    assert {one.reason for one in invitations} == {None, Suppression.COOLDOWN}
    assert left_out.id not in {one.order_id for one in invitations}
    assert all(one.answered_at < NOON for one in responses)
    assert all(one.opened_at and one.sent_at and one.opened_at > one.sent_at for one in completed)
    assert {case.kind for case in cases} == {CaseKind.RECOVERY}
    assert len(cases) == sum(one.case_id is not None for one in feedback)
    assert any(text for text in (one.text for one in feedback))
    assert len([number for number in numbers if number is not None]) == answered
    assert nps.score is not None


def test_new_invitations_go_on_after_the_made_up_ones(
    database: Database, asking: Settings, flows: dict[str, Flow]
) -> None:
    store_orders(database, 30, customers=30)
    with database.write() as session:
        make_demo_answers(session, flows, now=NOON, seed=1, leave_out={"#1001"})
        order = session.scalars(select(Order).where(Order.number == "#1001")).one()
        made_up = session.scalar(select(func.max(SurveyInvitation.id))) or 0

    with database.write() as session:
        invited = invite_customer(session, asking, flows["delivery_csat"], order, now=NOON)

    assert invited is not None
    assert invited.invitation.id > made_up


def test_the_same_seed_gives_the_same_answers(shop: Database, flows: dict[str, Flow]) -> None:
    store_orders(shop, 100, customers=30)
    found: list[list[tuple[object, ...]]] = []

    for _ in range(2):
        with shop.write() as session:
            make_demo_answers(session, flows, now=NOON, seed=7)
            rows = session.execute(select(Feedback.order_id, Feedback.rating, Feedback.text))
            found.append([tuple(row) for row in rows])
            session.execute(delete(Feedback))
            session.execute(delete(SurveyAnswer))
            session.execute(delete(SurveyResponse))
            session.execute(delete(SurveyInvitation))

    assert found[0] == found[1] != []


def store_orders(database: Database, number: int, *, customers: int = 12) -> None:
    """Store delivered orders of one mug, spread over the year; the first is the newest."""
    with database.write() as session:
        people = [
            make_customer(f"Person {n}", f"p{n}@example.com", f"C-{1001 + n}")
            for n in range(customers)
        ]
        item, channel = make_item(), make_channel()
        for n in range(number):
            session.add(
                make_order(
                    people[n % customers],
                    f"#{1001 + n}",
                    lines=[make_line(item)],
                    channel=channel,
                    delivered_at=NOON - 4 * DAY - n * DAY,
                    paid=False,
                )
            )


def ask(
    database: Database,
    flow: Flow,
    *,
    scores: list[int],
    orders: slice = slice(None),
    days: int = 0,
) -> None:
    """Invite the customers of some orders; the first of them answer, the last with a comment."""
    settings = Settings(secret_key=SecretStr("0123456789abcdef" * 2))
    now = NOON + days * DAY
    with database.write() as session:
        found = session.scalars(select(Order).order_by(Order.number)).all()[orders]
        for n, order in enumerate(found):
            invited = invite_customer(session, settings, flow, order, now=now)
            assert invited is not None
            invited.invitation.sent_at = now
            if n < len(scores):
                given: dict[str, str | int] = {"score": scores[n]}
                if n == len(scores) - 1:
                    given["comment"] = f"Comment {n}"
                record_response(session, invited.url.rpartition("/")[2], given, now=now)


def find(database: Database, survey: str, *, version: str | None = None) -> SurveyResults:
    with database.read() as session:
        return results(session, survey, MONTH, version=version)
