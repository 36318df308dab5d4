"""What customers ask about their cases, their mails, their data, and what they tell us."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from opsbot.commerce.case_work import move_case
from opsbot.commerce.cases import Case, CaseKind, CasePriority, CaseState, open_case
from opsbot.commerce.customers import Customer
from opsbot.errors import ConflictError, NotFoundError
from opsbot.mail.outgoing import MailState, OutgoingMail
from opsbot.planning.office_hours import OfficeHours
from opsbot.surveys.flows import load_flows
from opsbot.surveys.invitations import invite_customer
from opsbot.surveys.models import Feedback, InvitationState, SurveyInvitation
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.results import Result
from tests.factories import DAY, NOON
from tests.shop_fixtures import Shop

VISITOR = Caller(Audience.CUSTOMER, "widget", Level.ANONYMOUS, visitor="v1")


def add_case(shop: Shop, caller: Caller, order: str = "", subject: str = "A question") -> str:
    with shop.database.write() as session:
        case = open_case(
            session,
            CaseKind.SUPPORT,
            subject=subject,
            summary="How?",
            customer_id=caller.customer_id,
            order_id=shop.order(order).id if order else None,
            actor=caller.actor,
            now=NOON,
        )
        return case.number


def test_a_customer_sees_their_own_cases_and_nobody_elses(shop: Shop) -> None:
    mine = add_case(shop, shop.ada, subject="Where is it?")
    hers = add_case(shop, shop.eve, subject="canary")

    told = shop.read("my_cases")

    assert mine in told.say
    assert "canary" not in repr(told)
    assert told.facts["candidates"]["case_number"] == [{"value": mine, "words": "Where is it?"}]
    for number in (hers, "CS-00099"):
        with pytest.raises(NotFoundError, match=f"I could not find case {number}."):
            shop.run("case_status", case_number=number)


def test_who_proved_one_order_sees_the_cases_of_that_order_alone(shop: Shop) -> None:
    about, other = add_case(shop, shop.ada, "#1001"), add_case(shop, shop.ada, "#1002")
    proved = shop.prove("#1001")

    assert about in shop.read("case_status", proved, case_number=about).say
    with pytest.raises(NotFoundError):
        shop.run("case_status", proved, case_number=other)


def test_a_case_tells_by_when_a_person_answers_and_when_it_is_late(shop: Shop) -> None:
    number = add_case(shop, shop.ada)

    early = shop.read("case_status", case_number=number)
    late = shop.run("case_status", case_number=number, now=NOON + 5 * DAY)

    assert isinstance(late, Result)
    assert "A person answers by" in early.say
    assert "I am sorry that it is late" in late.say


def test_a_resolved_case_says_until_when_it_can_be_taken_up_again(shop: Shop) -> None:
    number = add_case(shop, shop.ada)
    with shop.database.write() as session:
        case = session.scalars(select(Case).where(Case.number == number)).one()
        move_case(session, case, CaseState.RESOLVED, hours=OfficeHours(), actor="staff:1", now=NOON)

    told = shop.read("case_status", case_number=number)

    assert "is resolved, since" in told.say
    assert "4 December" in told.say or "Dec 4" in told.say


def confirm(shop: Shop, name: str, caller: Caller | None = None, **arguments: Any) -> str:
    """Run a write that asks first, or one that does not; return what was said."""
    done = shop.run(name, caller, **arguments)
    if isinstance(done, Result):
        return done.say
    told = shop.executor.confirm(caller or shop.ada, done.id, now=NOON)
    assert told.result is not None, told
    return told.result.say


def test_an_opt_out_takes_effect_at_once(shop: Shop) -> None:
    flow = load_flows(shop.settings.web_dir / "surveys")["delivery_csat"]
    with shop.database.write() as session:
        invite_customer(session, shop.settings, flow, shop.order("#1002"), now=NOON)

    said = confirm(shop, "set_contact_preferences", topic="surveys", wish="stop")

    assert "no more mails about: surveys" in said
    with shop.database.read() as session:
        ada = session.get_one(Customer, shop.ada.customer_id)
        invitation = session.scalars(select(SurveyInvitation)).one()
        assert ada.survey_opt_out_at == NOON
        assert invitation.state is InvitationState.OPTED_OUT
        assert session.get_one(OutgoingMail, invitation.mail_id).state is MailState.WITHDRAWN


def test_surveys_and_newsletter_are_switched_apart(shop: Shop) -> None:
    confirm(shop, "set_contact_preferences", topic="newsletter", wish="allow")
    confirm(shop, "set_contact_preferences", topic="surveys", wish="stop")
    with shop.database.read() as session:
        ada = session.get_one(Customer, shop.ada.customer_id)
        assert (ada.newsletter_since, ada.survey_opt_out_at) == (NOON, NOON)

    confirm(shop, "set_contact_preferences", topic="everything", wish="stop")

    with shop.database.read() as session:
        ada = session.get_one(Customer, shop.ada.customer_id)
        assert (ada.newsletter_since, ada.survey_opt_out_at) == (None, NOON)


def test_a_request_about_data_opens_a_case_with_the_deadline_of_the_law(shop: Shop) -> None:
    fresh = shop.ada.at_level(Level.FRESH_CODE)

    said = confirm(shop, "privacy_request", fresh, request="delete")

    with shop.database.read() as session:
        case = session.scalars(select(Case)).one()
        mail = session.scalars(select(OutgoingMail)).one()
        assert (case.kind, case.customer_id) == (CaseKind.PRIVACY, shop.ada.customer_id)
        assert case.resolution_due == NOON + timedelta(days=30)
        assert mail.recipient == "ada@example.com"
    assert case.number in said
    with pytest.raises(ConflictError, match="already"):
        shop.run("privacy_request", fresh, request="delete")


def test_feedback_is_kept_once_even_from_a_visitor(shop: Shop) -> None:
    for _ in range(2):
        confirm(shop, "give_feedback", VISITOR, text="Lovely shop")

    with shop.database.read() as session:
        kept = session.scalars(select(Feedback)).one()
        assert (kept.source, kept.text, kept.customer_id) == ("chat", "Lovely shop", None)
        assert session.scalars(select(Case)).all() == []


@pytest.mark.parametrize(
    ("text", "rating", "priority"),
    [
        ("Not what I hoped for", 2, CasePriority.NORMAL),
        ("The lamp caught fire", 0, CasePriority.URGENT),
        ("You will hear from my lawyer", 0, CasePriority.NORMAL),
    ],
)
def test_bad_or_alarming_feedback_brings_a_person(
    shop: Shop, text: str, rating: int, priority: CasePriority
) -> None:
    said = confirm(shop, "give_feedback", text=text, rating=rating, order_number="#1002")

    with shop.database.read() as session:
        case = session.scalars(select(Case)).one()
        kept = session.scalars(select(Feedback)).one()
    assert (case.kind, case.priority) == (CaseKind.RECOVERY, priority)
    assert (kept.case_id, kept.order_id) == (case.id, shop.order("#1002").id)
    assert case.number in said


def test_feedback_about_somebody_elses_order_is_refused(shop: Shop) -> None:
    with pytest.raises(NotFoundError):
        shop.run("give_feedback", text="Lovely", order_number="#2001")
