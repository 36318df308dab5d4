"""Surveys answered in chat: by link or by who is asking; recorded once, and low scores seen."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from opsbot.commerce.cases import Case, CaseKind
from opsbot.errors import InvalidInputError, NotFoundError, NotVerifiedError, OpsbotError
from opsbot.surveys.flows import Flow, load_flows
from opsbot.surveys.invitations import invite_customer
from opsbot.surveys.models import (
    Feedback,
    InvitationState,
    SurveyAnswer,
    SurveyInvitation,
    SurveyResponse,
)
from opsbot.toolkit.caller import Audience, Caller, Level
from tests.factories import DAY, NOON
from tests.shop_fixtures import Shop

VISITOR = Caller(Audience.CUSTOMER, "widget", Level.ANONYMOUS, visitor="v1")


@pytest.fixture
def flow(shop: Shop) -> Flow:
    """The survey about the delivery: a score, and words."""
    return load_flows(shop.settings.web_dir / "surveys")["delivery_csat"]


@pytest.fixture
def token(shop: Shop, flow: Flow) -> str:
    """The token of a survey about Ada's order #1002."""
    with shop.database.write() as session:
        order = shop.order("#1002")
        invited = invite_customer(session, shop.settings, flow, order, now=NOON)
        assert invited is not None
        return invited.url.rpartition("/")[2]


def answers(shop: Shop) -> dict[str, int | str | None]:
    with shop.database.read() as session:
        rows = session.scalars(select(SurveyAnswer)).all()
        return {one.question: one.text if one.number is None else one.number for one in rows}


def state(shop: Shop) -> InvitationState:
    with shop.database.read() as session:
        return session.scalars(select(SurveyInvitation)).one().state


@pytest.mark.usefixtures("token")
def test_the_caller_s_open_survey_is_answered_question_by_question(shop: Shop) -> None:
    first = shop.read("answer_survey", answer="five, it was quick")

    assert "noted 5 of 5" in first.say
    assert "what should we do better" in first.say
    assert first.facts["next_question"] == "comment"
    assert first.facts["case_number"] is None

    second = shop.read("answer_survey", answer="The box could be smaller.")

    assert second.facts["next_question"] is None
    assert answers(shop) == {"score": 5, "comment": "The box could be smaller."}
    assert state(shop) is InvitationState.COMPLETED
    with shop.database.read() as session:
        kept = session.scalars(select(Feedback)).one()
        assert (kept.rating, kept.text) == (5, "The box could be smaller.")
        assert session.scalars(select(Case)).all() == []


def test_a_link_needs_no_name_and_a_low_score_opens_one_case(shop: Shop, token: str) -> None:
    for words in ("2 out of 5", "1"):
        told = shop.read("answer_survey", VISITOR, answer=words, token=token, question="1")

    assert told.facts["case_number"] == "CS-00001"
    assert answers(shop) == {"score": 1}
    with shop.database.read() as session:
        [case] = session.scalars(select(Case)).all()
        assert case.kind is CaseKind.RECOVERY
        assert len(session.scalars(select(SurveyResponse)).all()) == 1


@pytest.mark.parametrize("words", ["great", "6", "11", "-"])
def test_what_is_not_on_the_scale_is_asked_again(shop: Shop, token: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=r"A number from 1 \(Not at all\) to 5 \(Very\)"):
        shop.run("answer_survey", answer=words, token=token)
    assert answers(shop) == {}


def test_nobody_answers_for_somebody_else(shop: Shop, token: str) -> None:
    with pytest.raises(NotFoundError, match="that waits"):
        shop.run("answer_survey", shop.eve, answer="5")
    with pytest.raises(NotFoundError):
        shop.run("answer_survey", shop.prove("#1001"), answer="5")  # proved another order
    with pytest.raises(NotVerifiedError):
        shop.run("answer_survey", VISITOR, answer="5")
    with pytest.raises(NotFoundError):
        shop.run("answer_survey", VISITOR, answer="5", token=token[:-1] + "_")
    assert answers(shop) == {}

    told = shop.read("answer_survey", shop.prove("#1002"), answer="5")
    assert told.facts["question"] == "score"


def test_a_survey_that_is_over_takes_no_answer(shop: Shop, token: str) -> None:
    late = NOON + 40 * DAY
    with pytest.raises(OpsbotError, match="closed"):
        shop.run("answer_survey", answer="5", token=token, now=late)
    with pytest.raises(NotFoundError):
        shop.run("answer_survey", answer="5", now=late)
    with pytest.raises(InvalidInputError, match="no such question"):
        shop.run("answer_survey", replace(shop.ada), answer="5", token=token, question="9")
