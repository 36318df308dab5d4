"""Who is asked, who is left in peace, and why."""

import threading
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import func, select

from opsbot.commerce.cases import CaseKind, open_case
from opsbot.commerce.orders import Order, OrderState
from opsbot.commerce.returns import Resolution, Return
from opsbot.db import Base, Database
from opsbot.mail.outgoing import MailState, OutgoingMail
from opsbot.mail.sending import deliver
from opsbot.settings import Settings
from opsbot.staff import Staff
from opsbot.surveys.gates import is_public_holiday, is_time_to_ask
from opsbot.surveys.invitations import hash_token, invite_due, settle_invitations
from opsbot.surveys.models import InvitationState, Suppression, SurveyInvitation, SurveyVersion
from tests.factories import DAY, NOON, make_channel, make_customer, make_item, make_line, make_order

Row = TypeVar("Row", bound=Base)

THREE_DAYS_AGO = NOON - 3 * DAY


def test_a_delivered_order_creates_one_invitation_with_its_mail(
    database: Database, asking: Settings
) -> None:
    add_order(database)

    urls = [invite(database, asking), invite(database, asking)]

    invitation, mail = only(database, SurveyInvitation), only(database, OutgoingMail)
    assert len(urls[0]) == 1
    assert urls[1] == []
    assert invitation.survey == "delivery_csat"
    assert invitation.state is InvitationState.SCHEDULED
    assert invitation.expires_at == NOON + 14 * DAY
    assert mail.recipient == "ada@example.com"
    assert mail.subject == "How did your order #1001 arrive?"
    assert f"{urls[0][0]}\n" in mail.text
    assert f"{urls[0][0]}/stop" in mail.text
    assert mail.text.startswith("Hello Ada Brandt,")


def test_the_link_is_stored_nowhere_but_in_the_mail(shop: Database, asking: Settings) -> None:
    add_order(shop)

    url = invite(shop, asking)[0]

    token = url.removeprefix("https://shop.example/s/")
    invitation = only(shop, SurveyInvitation)
    assert len(token) >= 22
    assert invitation.token_hash == hash_token(token)
    assert token not in str(vars(invitation))


def test_once_the_mail_has_left_its_text_is_forgotten_and_the_invitation_is_sent(
    database: Database, asking: Settings
) -> None:
    add_order(database)
    invite(database, asking)

    deliver(database, asking, now=NOON + timedelta(minutes=1))
    with database.write() as session:
        settle_invitations(session, now=NOON + timedelta(minutes=2))

    assert only(database, SurveyInvitation).state is InvitationState.SENT
    assert only(database, SurveyInvitation).sent_at == NOON + timedelta(minutes=1)
    assert "/s/" not in only(database, OutgoingMail).text


@pytest.mark.parametrize(
    ("days_ago", "invited"),
    [(1, 0), (2, 1), (13, 1), (14, 0), (200, 0)],
    ids=["too early", "due", "last day", "a day late", "long ago"],
)
def test_an_order_is_asked_about_some_days_after_its_delivery(
    shop: Database, asking: Settings, days_ago: int, invited: int
) -> None:
    add_order(shop, delivered_at=NOON - days_ago * DAY)

    assert len(invite(shop, asking)) == invited


def test_an_order_on_its_way_is_not_asked_about(shop: Database, asking: Settings) -> None:
    add_order(shop, delivered_at=None)

    assert invite(shop, asking) == []


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"survey_opt_out_at": NOON - DAY}, Suppression.OPTED_OUT),
        ({"anonymized_at": NOON - DAY}, Suppression.ANONYMIZED),
        ({"email": "ada@lumenandloom.example"}, Suppression.STAFF),
    ],
    ids=["opted out", "anonymised", "colleague"],
)
def test_some_customers_are_never_asked(
    shop: Database, asking: Settings, values: dict[str, object], reason: Suppression
) -> None:
    with shop.write() as session:
        customer = make_customer(**values)  # type: ignore[arg-type]  # test values
        session.add(make_order(customer, delivered_at=THREE_DAYS_AGO))

    invited = invite(shop, asking)

    assert invited == []
    assert only(shop, SurveyInvitation).state is InvitationState.SUPPRESSED
    assert only(shop, SurveyInvitation).reason == reason
    assert count(shop, OutgoingMail) == 0


def test_staff_are_not_asked_about_their_own_orders(shop: Database, asking: Settings) -> None:
    add_order(shop)
    with shop.write() as session:
        session.add(Staff(email="ada@example.com", name="Ada", password_hash="", roles=[]))

    invite(shop, asking)

    assert only(shop, SurveyInvitation).reason == Suppression.STAFF


def test_a_cancelled_order_is_not_asked_about(shop: Database, asking: Settings) -> None:
    add_order(shop, state=OrderState.CANCELLED)

    invite(shop, asking)

    assert only(shop, SurveyInvitation).reason == Suppression.CANCELLED


def test_nobody_is_asked_while_a_case_is_open(shop: Database, asking: Settings) -> None:
    customer_id = add_order(shop).customer_id
    with shop.write() as session:
        open_case(
            session,
            CaseKind.DELIVERY,
            subject="Late",
            summary="It came late.",
            customer_id=customer_id,
            actor="system",
            now=NOON,
        )

    invite(shop, asking)

    assert only(shop, SurveyInvitation).reason == Suppression.OPEN_CASE


def test_nobody_is_asked_while_a_return_is_open(database: Database, asking: Settings) -> None:
    order = add_order(database)
    with database.write() as session:
        session.add(
            Return(
                number="RMA-00001",
                order_id=order.id,
                customer_id=order.customer_id,
                resolution=Resolution.REFUND,
                policy_version="1",
                decision={},
                refund_minor=2400,
                requested_at=NOON - DAY,
            )
        )

    invite(database, asking)

    assert only(database, SurveyInvitation).reason == Suppression.OPEN_RETURN


@pytest.mark.parametrize(("days_later", "asked"), [(29, False), (30, True)])
def test_a_customer_is_asked_once_in_thirty_days(
    database: Database, asking: Settings, days_later: int, *, asked: bool
) -> None:
    later = NOON + days_later * DAY
    first = add_order(database)
    invite(database, asking)
    add_order(database, "#1002", like=first, delivered_at=later - 3 * DAY)

    invited = invite(database, asking, now=later)

    second = by_order(database, "#1002")
    assert bool(invited) is asked
    assert second.reason == (None if asked else Suppression.COOLDOWN)


def test_a_customer_is_asked_six_times_a_year_at_most(shop: Database, asking: Settings) -> None:
    order = add_order(shop)
    for number in range(7):
        moment = NOON + 40 * number * DAY
        if number:
            add_order(shop, f"#{1001 + number}", like=order, delivered_at=moment - 3 * DAY)
        invite(shop, asking, now=moment)

    assert count(shop, OutgoingMail) == 6
    assert by_order(shop, "#1007").reason == Suppression.YEARLY_LIMIT


def test_of_two_surveys_that_are_due_the_more_important_one_is_sent(
    shop: Database, asking: Settings
) -> None:
    order = add_order(shop, delivered_at=NOON - 40 * DAY)
    add_order(shop, "#1002", like=order)

    invite(shop, asking)

    assert by_order(shop, "#1001").survey == "product_nps"
    assert only(shop, OutgoingMail).subject == "Would you recommend Kiln mug, moss?"
    assert by_order(shop, "#1002").reason == Suppression.OTHER_SURVEY


def test_the_product_asked_about_is_the_dearest_of_the_order(
    shop: Database, asking: Settings
) -> None:
    lamp = make_line(make_item("LL-LMP-01", "Ember bedside lamp", price_minor=8900))
    add_order(shop, delivered_at=NOON - 40 * DAY, lines=[make_line(), lamp])

    invite(shop, asking)

    assert only(shop, SurveyInvitation).sku == "LL-LMP-01"


@pytest.mark.parametrize(
    ("hour", "polite"), [(7, False), (8, True), (18, True), (19, False), (2, False)]
)
def test_nobody_is_asked_at_night(
    shop: Database, asking: Settings, hour: int, *, polite: bool
) -> None:
    add_order(shop)
    moment = datetime(2026, 11, 20, hour, tzinfo=UTC)  # Berlin is an hour ahead

    invited = invite(shop, asking, now=moment)

    assert bool(invited) is polite is is_time_to_ask(moment, "Europe/Berlin")
    assert count(shop, SurveyInvitation) == int(polite)


def test_nobody_is_asked_on_a_public_holiday_and_the_order_is_not_forgotten(
    shop: Database, asking: Settings
) -> None:
    christmas = datetime(2026, 12, 25, 12, tzinfo=UTC)
    add_order(shop, delivered_at=christmas - 3 * DAY)

    counts = [len(invite(shop, asking, now=christmas + n * DAY)) for n in range(3)]

    assert counts == [0, 0, 1]
    assert not is_public_holiday(christmas.date(), "XX")


def test_the_version_asked_is_kept_with_the_invitation(shop: Database, asking: Settings) -> None:
    add_order(shop)

    invite(shop, asking)

    versions = all_of(shop, SurveyVersion)
    assert only(shop, SurveyInvitation).version_id in {version.id for version in versions}
    assert versions[0].flow.version == versions[0].id


def test_two_workers_at_once_ask_a_customer_once(database: Database, asking: Settings) -> None:
    first = add_order(database)
    for number in range(1002, 1008):
        add_order(database, f"#{number}", like=first)
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait()
        invite(database, asking)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert count(database, OutgoingMail) == 1
    assert count(database, SurveyInvitation) == 7


def test_an_invitation_runs_out(database: Database, asking: Settings) -> None:
    add_order(database)
    invite(database, asking)
    deliver(database, asking, now=NOON)

    with database.write() as session:
        settle_invitations(session, now=NOON + 14 * DAY)

    assert only(database, SurveyInvitation).state is InvitationState.EXPIRED


def test_an_invitation_whose_mail_failed_disturbed_nobody(shop: Database, asking: Settings) -> None:
    add_order(shop)
    invite(shop, asking)
    with shop.write() as session:
        session.scalars(select(OutgoingMail)).one().state = MailState.FAILED

    with shop.write() as session:
        settle_invitations(session, now=NOON)

    assert only(shop, SurveyInvitation).state is InvitationState.SUPPRESSED
    assert only(shop, SurveyInvitation).reason == Suppression.MAIL_FAILED


def add_order(
    shop: Database,
    number: str = "#1001",
    *,
    like: Order | None = None,
    delivered_at: datetime | None = THREE_DAYS_AGO,
    **values: object,
) -> Order:
    """Store a delivered order; `like` another one it has the same customer and channel."""
    with shop.write() as session:
        if like is None:
            order = make_order(number=number, delivered_at=delivered_at, **values)  # type: ignore[arg-type]  # test values
        else:
            stored = session.get_one(Order, like.id)
            lines = [make_line(session.get(type(make_item()), "LL-MUG-01-MOS"))]
            customer = session.get_one(type(make_customer()), stored.customer_id)
            channel = session.get_one(type(make_channel()), stored.channel_id)
            order = make_order(
                customer, number, lines=lines, channel=channel, delivered_at=delivered_at
            )
        session.add(order)
    return order


def invite(shop: Database, settings: Settings, *, now: datetime = NOON) -> list[str]:
    with shop.write() as session:
        return [invited.url for invited in invite_due(session, settings, now=now)]


def all_of(shop: Database, table: type[Row]) -> list[Row]:
    with shop.read() as session:
        return list(session.scalars(select(table)))


def only(shop: Database, table: type[Row]) -> Row:
    (row,) = all_of(shop, table)
    return row


def by_order(shop: Database, number: str) -> SurveyInvitation:
    with shop.read() as session:
        query = select(SurveyInvitation).join(SurveyInvitation.order).where(Order.number == number)
        return session.scalars(query).one()


def count(shop: Database, table: type[Base]) -> int:
    with shop.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
