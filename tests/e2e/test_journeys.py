"""What people come for, from the first word to the stored record, over HTTP."""

from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from opsbot.commerce.cases import Case, CasePriority, CaseState
from opsbot.commerce.orders import Order, OrderState
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.commerce.returns import Return, ReturnState
from opsbot.commerce.shipments import ShipmentState, record_tracking_event, shipments_of
from opsbot.drafts.models import Draft
from opsbot.surveys.invitations import invite_due
from opsbot.surveys.models import Feedback, SurveyInvitation
from opsbot.toolkit.policy import load_policies
from tests.e2e.conftest import Shop

pytestmark = pytest.mark.slow


def find_order(shop: Shop, number: str) -> Order:
    with shop.services.database.read() as session:
        return session.scalars(select(Order).where(Order.number == number)).one()


def test_a_how_to_is_answered_with_its_heading(shop: Shop) -> None:
    reply = shop.say("How do I clean the Tide grinder?")

    [source] = reply["citations"]
    assert source["url"] == "/help/tide-electric-grinder#clean-the-tide"
    assert "1. Run the grinder until the hopper is empty" in reply["text"]
    assert "**Warning:** Unplug the grinder" in reply["text"]
    page = shop.client.get(source["url"].partition("#")[0])
    assert 'id="clean-the-tide"' in page.text


def test_a_customer_learns_where_an_order_is(shop: Shop) -> None:
    reply = shop.say("Where is my order #1003?", shop.sign_in())

    assert "#1003" in reply["text"]
    assert "on its way" in reply["text"]
    assert reply["cards"][0]["body"]["number"] == "#1003"


def test_an_order_is_cancelled_once_confirmed_and_not_again(shop: Shop) -> None:
    ada = shop.sign_in()
    asked = shop.say("Cancel order #1004", ada)
    assert find_order(shop, "#1004").state is OrderState.CONFIRMED

    url = f"/v1/proposals/{asked['proposal']['proposal_id']}/confirm"
    done = shop.client.post(url, headers=ada).json()["reply"]
    pressed_twice = shop.client.post(url, headers=ada).json()["reply"]
    again = shop.say("Cancel order #1004", ada, asked["conversation_id"])

    order = find_order(shop, "#1004")
    assert order.state is OrderState.CANCELLED
    assert done["text"] == pressed_twice["text"]
    assert again["proposal"] is None
    assert "cancelled" in again["text"]
    with shop.services.database.read() as session:
        back = session.scalars(
            select(Payment).where(
                Payment.order_id == order.id,
                Payment.kind.in_([PaymentKind.REFUND, PaymentKind.VOID]),
            )
        ).all()
    assert len(back) == 1


def test_a_return_within_its_window_is_opened(shop: Shop) -> None:
    ada = shop.sign_in()

    asked = shop.say("I want to return the Kiln mugs from order #1001, I changed my mind", ada)
    if asked["proposal"] is None:
        asked = shop.say("refund", ada, asked["conversation_id"])
    done = shop.say("yes", ada, asked["conversation_id"])

    assert asked["proposal"]["clause"]["text"]
    with shop.services.database.read() as session:
        opened = session.scalars(
            select(Return).where(Return.order_id == find_order(shop, "#1001").id)
        ).one()
    assert opened.number in done["text"]


def test_a_customer_takes_back_what_they_have_just_done(shop: Shop) -> None:
    ada = shop.sign_in()
    asked = shop.say("I want to return the Kiln mugs from order #1001, I changed my mind", ada)
    talk = asked["conversation_id"]
    if asked["proposal"] is None:
        asked = shop.say("refund", ada, talk)
    shop.say("yes", ada, talk)

    shown = shop.say("Oh sorry, undo that please", ada, talk)
    with shop.services.database.read() as session:
        opened = session.scalars(select(Return).order_by(Return.id.desc())).first()
    shop.say("yes", ada, talk)

    assert opened is not None
    assert opened.state is ReturnState.APPROVED, "nothing before the yes"
    assert shown["proposal"]["title"] == f"Call off the return {opened.number}?"
    with shop.services.database.read() as session:
        assert session.get_one(Return, opened.id).state is ReturnState.CANCELLED


def test_a_changed_mind_is_a_reason_when_reasons_are_asked_for(shop: Shop) -> None:
    ada = shop.sign_in()
    asked = shop.say("I want to return a mug from order #1001", ada)

    told = shop.say("I changed my mind", ada, asked["conversation_id"])

    assert "changed my mind" in asked["quick_replies"]
    assert told["proposal"]["title"] == "Open a return for order #1001?"
    assert told["proposal"]["details"][0] == "What comes back: Kiln mug, moss."


def test_a_return_past_its_window_is_refused_with_the_clause(shop: Shop) -> None:
    reply = shop.say(
        "I want to return the tote bag from order #1002, I changed my mind", shop.sign_in()
    )

    policies = load_policies(shop.services.settings.knowledge_dir / "policies")
    clause = policies.clause("returns.window")
    assert clause.text in reply["text"]
    assert reply["proposal"] is None


def test_what_the_articles_do_not_say_is_admitted_and_a_person_offered(shop: Shop) -> None:
    reply = shop.say("Do you offer pottery workshops where I can throw my own pot?")

    assert reply["citations"] == []
    assert "person" in reply["text"]


@pytest.mark.parametrize(
    "text",
    ["My Ember lamp smells burnt", "The cable of my lamp is damaged, can I still use it?"],
)
def test_a_report_of_danger_is_stopped_and_goes_to_a_person(shop: Shop, text: str) -> None:
    reply = shop.say(text)

    assert "stop using it and unplug it" in reply["text"]
    with shop.services.database.read() as session:
        case = session.scalars(select(Case).order_by(Case.id.desc())).first()
    assert case is not None
    assert case.conversation_id == reply["conversation_id"]
    assert case.priority is CasePriority.URGENT


def test_a_strangers_order_reads_like_one_that_does_not_exist(shop: Shop) -> None:
    ada = shop.sign_in()

    strangers = shop.say("Where is order #1010?", ada)["text"]
    nobodys = shop.say("Where is order #9999999?", ada)["text"]

    assert strangers.replace("#1010", "#") == nobodys.replace("#9999999", "#")


def test_a_visitor_proves_an_order_and_then_learns_where_it_is(shop: Shop) -> None:
    asked = shop.say("Where is my order #1003?")
    who = {"x-opsbot-visitor": asked["visitor"]}

    told = shop.say("ada@example.com", who, asked["conversation_id"])
    other = shop.say("And where is #1010?", who, asked["conversation_id"])

    assert "on its way" not in asked["text"]
    assert "on its way" in told["text"]
    assert "Torstra" not in told["text"]
    assert "London" not in other["text"]


def test_staff_get_a_table_and_a_chart(shop: Shop) -> None:
    shop.sign_in_staff()

    reply = shop.say("What runs out in the next three weeks?", path="/v1/ask")

    assert reply["table"]["rows"]
    assert reply["chart"]["spec"]["data"]["values"]
    assert reply["text"].startswith("**")


def test_the_name_of_a_measure_is_not_taken_for_a_part_of_it(shop: Shop) -> None:
    shop.sign_in_staff()

    reply = shop.say("Revenue by month this year", path="/v1/ask")

    assert "revenue in 20" in reply["text"]
    assert "I know no" not in reply["text"]


def test_staff_questions_are_not_for_customers(shop: Shop) -> None:
    body = {"client_id": "x", "text": "What runs out?"}

    refused = shop.client.post("/v1/ask", json=body, headers=shop.sign_in())
    reply = shop.say("What runs out in the next three weeks?", shop.sign_in())

    assert refused.status_code == 403
    assert reply["table"] is None


def leave_only_due(shop: Shop, order: Order) -> None:
    """Let nothing else be due, and nothing speak against asking this order's customer."""
    with shop.services.database.write() as session:
        for other in session.scalars(select(Order).where(Order.id != order.id)):
            other.delivered_at = None
        for case in session.scalars(select(Case).where(Case.customer_id == order.customer_id)):
            case.state = CaseState.CLOSED
        asked = SurveyInvitation.customer_id == order.customer_id
        for earlier in session.scalars(select(SurveyInvitation).where(asked)):
            earlier.created_at -= timedelta(days=400)


def test_a_delivery_brings_an_invitation_a_survey_and_feedback(shop: Shop) -> None:
    with shop.services.database.write() as session:
        order = session.scalars(select(Order).where(Order.number == "#1003")).one()
        [parcel] = shipments_of(session, order.id)
        record_tracking_event(
            session,
            parcel,
            status=ShipmentState.DELIVERED,
            message="Delivered.",
            place="Berlin",
            occurred_at=shop.moment[0],
            received_at=shop.moment[0],
        )
    leave_only_due(shop, order)
    shop.moment[0] = shop.moment[0].replace(day=23, hour=10)
    with shop.services.database.write() as session:
        [invited] = invite_due(session, shop.services.settings, now=shop.moment[0])

    path = invited.url.removeprefix(shop.services.settings.public_url)
    page = shop.client.get(f"{path}?score=2")
    with shop.services.database.read() as session:
        stored_by_looking = session.scalars(
            select(Feedback).where(Feedback.order_id == order.id)
        ).all()
    sent = shop.client.post(
        path, data={"score": "5", "comment": "All well."}, follow_redirects=False
    )

    assert page.status_code == 200
    assert stored_by_looking == []
    assert sent.status_code == 303, sent.text
    with shop.services.database.read() as session:
        feedback = session.scalars(select(Feedback).where(Feedback.order_id == order.id)).one()
    assert feedback.rating == 5


def test_a_mail_becomes_a_draft_with_sources(shop: Shop) -> None:
    mail = EmailMessage()
    mail["From"] = "Ada Brandt <ada@example.com>"
    mail["To"] = shop.services.settings.mail.address
    mail["Subject"] = "Mug"
    mail["Message-ID"] = "<1@example.com>"
    mail.set_content("Hello,\n\ncan I put the Kiln mug in the dishwasher?\n\nBest,\nAda\n")
    folder = shop.services.settings.data_dir / "mail" / "in"
    folder.mkdir(parents=True)
    (folder / "one.eml").write_bytes(bytes(mail))

    shop.work()

    with shop.services.database.read() as session:
        draft = session.scalars(select(Draft)).one()
    files = list((shop.services.settings.data_dir / "mail" / "drafts").glob("*.eml"))
    assert "dishwasher" in draft.text
    assert draft.citations
    assert len(files) == 1
    assert "/help/kiln-mug" in files[0].read_text()
    shop.sign_in_staff()
    assert "Kiln mug" in shop.client.get("/console/drafts").text
