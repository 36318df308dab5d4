"""What a survey page shows and stores."""

from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import select

from opsbot.commerce.cases import Case, CaseKind
from opsbot.commerce.customers import Customer
from opsbot.commerce.records import History
from opsbot.db import Base, Database
from opsbot.errors import ConflictError, InvalidInputError, NotFoundError
from opsbot.settings import Settings
from opsbot.surveys.answers import AnswerError, opt_out, record_response
from opsbot.surveys.flows import Flow
from opsbot.surveys.invitations import invite_customer, invite_due, renew_link
from opsbot.surveys.links import PageState
from opsbot.surveys.models import (
    Feedback,
    InvitationState,
    SurveyAnswer,
    SurveyInvitation,
    SurveyResponse,
)
from opsbot.surveys.pages import SurveyPage, open_invitation
from tests.factories import DAY, NOON, make_order

Row = TypeVar("Row", bound=Base)
LATER = NOON + DAY
CLOSED = NOON + 14 * DAY


def test_a_page_has_all_it_shows(database: Database, asking: Settings) -> None:
    token = make_invitation(database, asking)

    page = show(database, asking, token)

    assert page.title == "How did your order arrive?"
    assert page.intro.startswith("Two short questions about order #1001.")
    assert page.state is PageState.OPEN
    assert page.language == "en"
    assert [question.id for question in page.questions] == ["score", "comment"]
    assert page.questions[0].choices == (1, 2, 3, 4, 5)
    assert page.questions[0].text == "How satisfied were you with the delivery of order #1001?"
    assert page.questions[0].required
    assert page.questions[0].answer is None
    assert page.questions[1].choices == ()
    assert page.closes_at == CLOSED


def test_to_open_a_link_stores_no_answer_however_often(shop: Database, asking: Settings) -> None:
    token = make_invitation(shop, asking)

    pages = [show(shop, asking, token, score="2") for _ in range(20)]

    assert {page.questions[0].answer for page in pages} == {2}
    assert all_of(shop, SurveyResponse) == []
    assert all_of(shop, SurveyAnswer) == []
    assert all_of(shop, Feedback) == []
    assert only(shop, SurveyInvitation).state is InvitationState.OPENED
    assert only(shop, SurveyInvitation).opened_at == LATER


@pytest.mark.parametrize("score", ["0", "6", "5.0", "five", "", "-1", "٣", "1 OR 1=1", "9" * 5_000])
def test_a_score_in_the_link_that_cannot_be_chosen_is_left_out(
    shop: Database, asking: Settings, score: str
) -> None:
    token = make_invitation(shop, asking)

    assert show(shop, asking, token, score=score).questions[0].answer is None


def test_answers_become_feedback_with_its_order(database: Database, asking: Settings) -> None:
    token = make_invitation(database, asking)

    answer(database, token, {"score": "5", "comment": " Well packed.\r\nThanks! "})

    feedback = only(database, Feedback)
    invitation = only(database, SurveyInvitation)
    assert feedback.source == "survey:delivery_csat"
    assert feedback.scale == "csat"
    assert feedback.rating == 5
    assert feedback.text == "Well packed.\nThanks!"
    assert feedback.order_id == invitation.order_id
    assert feedback.case_id is None
    assert feedback.said_at == LATER
    assert invitation.state is InvitationState.COMPLETED
    assert all_of(database, Case) == []


def test_the_last_answers_count_until_the_survey_closes(
    database: Database, asking: Settings
) -> None:
    token = make_invitation(database, asking)

    answer(database, token, {"score": 5, "comment": "Good"})
    answer(database, token, {"score": 4})
    with pytest.raises(ConflictError, match="This survey is closed"):
        answer(database, token, {"score": 1}, days=14)

    page = show(database, asking, token)
    assert page.state is PageState.ANSWERED
    assert [question.answer for question in page.questions] == [4, None]
    assert only(database, Feedback).rating == 4
    assert only(database, Feedback).text == ""
    assert only(database, SurveyAnswer).number == 4


@pytest.mark.parametrize(
    ("survey", "score", "opens"),
    [
        ("delivery_csat", 1, True),
        ("delivery_csat", 2, True),
        ("delivery_csat", 3, False),
        ("product_nps", 0, True),
        ("product_nps", 6, True),
        ("product_nps", 7, False),
    ],
)
def test_a_low_score_opens_a_case(
    shop: Database,
    asking: Settings,
    flows: dict[str, Flow],
    survey: str,
    score: int,
    *,
    opens: bool,
) -> None:
    token = make_invitation(shop, asking, flow=flows[survey])

    answer(shop, token, {"score": score})

    assert bool(all_of(shop, Case)) is opens
    assert (only(shop, Feedback).case_id is not None) is opens


def test_the_case_of_a_low_score_says_what_is_known(database: Database, asking: Settings) -> None:
    token = make_invitation(database, asking)

    answer(database, token, {"score": 1, "comment": "The mug was broken."})
    answer(database, token, {"score": 2, "comment": "And so was the box."})

    case = only(database, Case)
    assert case.kind is CaseKind.RECOVERY
    assert case.subject == "1 of 5 in the survey about order #1001"
    assert case.summary == "The mug was broken."
    assert case.customer_id == only(database, Customer).id
    assert LATER < case.first_response_due <= LATER + 2 * DAY  # it was a Saturday
    assert only(database, History).event == "case_opened"
    assert only(database, SurveyResponse).case_id == case.id


@pytest.mark.parametrize(
    ("comment", "opens"),
    [
        ("Lovely, but the cable got hot and there was smoke.", True),
        ("I burned my hand", True),
        ("My lawyer will write to you", True),
        ("The burnished brass is lovely. It fires the imagination.", False),
        ("Courteous driver", False),
    ],
)
def test_words_about_danger_or_the_law_reach_a_person_whatever_the_score(
    shop: Database, asking: Settings, comment: str, *, opens: bool
) -> None:
    token = make_invitation(shop, asking)

    answer(shop, token, {"score": 5, "comment": comment})

    assert bool(all_of(shop, Case)) is opens


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({}, "Question 1 needs an answer."),
        ({"comment": "Good"}, "Question 1 needs an answer."),
        ({"score": ""}, "Question 1 needs an answer."),
        ({"score": "6"}, "Question 1: please choose a number from 1 to 5."),
        ({"score": "0"}, "Question 1: please choose a number from 1 to 5."),
        ({"score": "good"}, "Question 1: please choose a number from 1 to 5."),
        ({"score": "1e0"}, "Question 1: please choose a number from 1 to 5."),
        ({"score": 3, "comment": "x" * 2_001}, "question 2 has 2,001 characters"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_kept(
    shop: Database, asking: Settings, answers: dict[str, str | int], words: str
) -> None:
    token = make_invitation(shop, asking)

    with pytest.raises(AnswerError, match=words) as caught:
        answer(shop, token, answers)

    assert caught.value.question in {"score", "comment"}
    assert all_of(shop, SurveyResponse) == []


def test_a_question_that_is_not_asked_cannot_be_answered(shop: Database, asking: Settings) -> None:
    token = make_invitation(shop, asking)

    with pytest.raises(InvalidInputError, match="admin: there is no such question"):
        answer(shop, token, {"score": 3, "admin": "1"})


def test_hostile_text_is_kept_as_text(database: Database, asking: Settings) -> None:
    token = make_invitation(database, asking)

    answer(database, token, {"score": 4, "comment": "<script>\x00\ud800\u202e{link}"})

    assert only(database, Feedback).text == "<script>\ufffd{link}"


def test_a_part_of_the_answers_can_be_kept(shop: Database, asking: Settings) -> None:
    token = make_invitation(shop, asking)

    with shop.write() as session:
        record_response(session, token, {"comment": "Good"}, now=LATER, complete=False)
    started = only(shop, SurveyInvitation).state
    answer(shop, token, {"score": 5, "comment": "Good"})

    assert started is InvitationState.STARTED
    assert only(shop, SurveyInvitation).state is InvitationState.COMPLETED


@pytest.mark.parametrize("token", ["", "x", "A" * 22, "../../etc", "é" * 9_000, "\x00", "' OR 1=1"])
def test_a_guessed_link_leads_nowhere(shop: Database, asking: Settings, token: str) -> None:
    make_invitation(shop, asking)

    with pytest.raises(NotFoundError):
        show(shop, asking, token)
    with pytest.raises(NotFoundError):
        answer(shop, token, {"score": 5})


def test_after_it_has_run_out_the_page_says_so(shop: Database, asking: Settings) -> None:
    token = make_invitation(shop, asking)

    page = show(shop, asking, token, days=14)

    assert page.state is PageState.CLOSED
    assert only(shop, SurveyInvitation).opened_at is None


def test_who_opts_out_is_never_asked_again(database: Database, asking: Settings) -> None:
    token = make_invitation(database, asking)

    for _ in range(2):
        with database.write() as session:
            opt_out(session, token, now=LATER)

    assert only(database, Customer).survey_opt_out_at == LATER
    assert only(database, SurveyInvitation).state is InvitationState.OPTED_OUT
    assert show(database, asking, token).state is PageState.CLOSED
    with database.write() as session:
        assert invite_due(session, asking, now=LATER) == []


def test_answers_to_an_old_wording_are_read_with_the_old_wording(
    shop: Database, asking: Settings, flows: dict[str, Flow]
) -> None:
    old = flows["delivery_csat"].model_copy(update={"title": "An older title"})
    token = make_invitation(shop, asking, flow=old)

    assert show(shop, asking, token).title == "An older title"


def test_a_new_link_replaces_the_mailed_one(shop: Database, asking: Settings) -> None:
    mailed = make_invitation(shop, asking)
    with shop.write() as session:
        url = renew_link(session, asking, session.scalars(select(SurveyInvitation)).one())

    assert show(shop, asking, url.rpartition("/")[2]).state is PageState.OPEN
    with pytest.raises(NotFoundError):
        show(shop, asking, mailed)


def make_invitation(database: Database, settings: Settings, *, flow: Flow | None = None) -> str:
    """Return the token of a new invitation."""
    with database.write() as session:
        order = make_order(delivered_at=NOON - 3 * DAY)
        session.add(order)
        session.flush()
        if flow is None:
            invited = invite_due(session, settings, now=NOON)[0]
        else:
            new = invite_customer(session, settings, flow, order, now=NOON)
            assert new is not None
            invited = new
    return invited.url.rpartition("/")[2]


def show(
    database: Database, settings: Settings, token: str, *, score: str | None = None, days: int = 1
) -> SurveyPage:
    with database.write() as session:
        return open_invitation(
            session, settings, token, now=NOON + timedelta(days=days), score=score
        )


def answer(
    database: Database, token: str, answers: dict[str, str | int], *, days: int = 1
) -> SurveyResponse:
    with database.write() as session:
        return record_response(session, token, answers, now=NOON + timedelta(days=days))


def all_of(database: Database, table: type[Row]) -> list[Row]:
    with database.read() as session:
        return list(session.scalars(select(table)))


def only(database: Database, table: type[Row]) -> Row:
    (row,) = all_of(database, table)
    return row
