"""A customer's data is handed out whole, and taken out of the records without changing a total."""

import json
from collections.abc import Mapping
from contextlib import suppress

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.commerce.cases import Case, CaseKind, open_case
from opsbot.commerce.customers import Address, Customer
from opsbot.commerce.effects import request_effect
from opsbot.connectors.inbox import InboxEvent, InboxState, keep_event
from opsbot.conversation.models import Author, Conversation, Message
from opsbot.db import Base, Database
from opsbot.demo.load import load_demo
from opsbot.drafts.models import Draft, ReceivedMail
from opsbot.errors import ConflictError, NotFoundError, OpsbotError
from opsbot.mail.outgoing import queue_mail
from opsbot.settings import Settings
from opsbot.staff import make_staff
from opsbot.surveys.feedback import add_feedback
from opsbot.toolkit.audit import AuditEvent, erase_personal, record_audit, verify
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.privacy import anonymise_customer, export_customer
from opsbot.toolkit.proposals import Preview
from tests.factories import DAY, NOON, make_customer, make_order
from tests.shop_fixtures import NO_KNOWLEDGE, Shop
from tests.totals import totals

SECRETS = ("grace.hopper@example.com", "Grace Hopper", "Cobol Lane 7", "+49 30 1234567", "canary")


@pytest.fixture
def grace(database: Database) -> Database:
    """A customer with an order, a conversation, mails both ways, a case, feedback."""
    email, name, street, phone, word = SECRETS
    with database.write() as session:
        person = make_customer(name, email, "C-1001", phone=phone)
        ship_to = {"name": name, "line1": street, "city": "Berlin", "postal_code": "10119"}
        order = make_order(
            person, "#1001", delivered_at=NOON - 5 * DAY, ship_to={**ship_to, "country": "DE"}
        )
        order.lines[0].personalization = word
        other = make_order(
            make_customer("Eve", "eve@example.com", "C-1002"),
            "#1002",
            lines=[],
            channel=order.channel,
            delivered_at=NOON,
        )
        session.add_all([order, other])
        session.flush()
        session.add(
            Address(
                customer_id=person.id,
                name=name,
                line1=street,
                city="Berlin",
                postal_code="10119",
                country="DE",
            )
        )
        _say_much(session, person.id)
    return database


def _say_much(session: Session, key: int) -> None:
    """Add what she said and was told: a conversation, a case, feedback, mails both ways."""
    email, name, street, _, word = SECRETS
    talk = Conversation(
        id="talk",
        audience=Audience.CUSTOMER,
        channel="widget",
        owner=f"customer:{key}",
        customer_id=key,
        level=Level.SIGNED_IN,
        created_at=NOON,
        updated_at=NOON,
    )
    said = f"I am {name} of {street}, and {word}"
    message = Message(
        id="m1",
        conversation_id="talk",
        position=1,
        author=Author.CUSTOMER,
        text=said,
        sent_at=NOON,
        body={"echo": [said]},
    )
    session.add_all([talk, message])
    open_case(
        session,
        CaseKind.SUPPORT,
        subject=f"{name} asks",
        summary=word,
        customer_id=key,
        contact_email=email,
        actor="visitor",
        now=NOON,
    )
    add_feedback(session, source="chat", text=word, customer_id=key, actor="visitor", now=NOON)
    received = ReceivedMail(
        message_id="<1@example.com>", sender=email, subject=word, text=said, received_at=NOON
    )
    session.add(received)
    session.flush()
    session.add(Draft(mail_id=received.id, reply=f"Hello {name},", citations=[], created_at=NOON))
    queue_mail(
        session, to=email, subject="Your order", text=f"Hello {name}", now=NOON, dedupe_key="1"
    )


def everything(database: Database) -> str:
    """Return every value of every table, as text."""
    with database.read() as session:
        return json.dumps(
            {
                table.name: [list(row) for row in session.execute(sa.select(table))]
                for table in Base.metadata.sorted_tables
            },
            default=str,
            ensure_ascii=False,
        )


def test_an_export_holds_what_was_said_written_and_bought(grace: Database) -> None:
    with grace.write() as session:
        told = export_customer(session, " Grace.Hopper@Example.com", actor="terminal", now=NOON)

    assert {
        "customers",
        "addresses",
        "orders",
        "order_lines",
        "payments",
        "conversations",
        "messages",
        "cases",
        "feedback",
        "incoming_mails",
        "outgoing_mails",
        "drafts",
        "history",
    } <= set(told)
    text = json.dumps(told, ensure_ascii=False)
    assert all(secret in text for secret in SECRETS)
    assert "eve@example.com" not in text
    assert "token_hash" not in text
    assert [row["number"] for row in told["orders"]] == ["#1001"]


def test_nothing_of_the_person_is_left_anywhere(grace: Database) -> None:
    before = everything(grace)
    assert all(secret in before for secret in SECRETS)

    with grace.write() as session:
        done = anonymise_customer(session, SECRETS[0], actor="terminal", now=NOON)

    after = everything(grace)
    assert [secret for secret in SECRETS if secret.lower() in after.lower()] == []
    assert "eve@example.com" in after
    assert (done.number, len(done.mails), len(done.drafts)) == ("C-1001", 1, 1)
    with grace.read() as session:
        events = session.scalars(sa.select(AuditEvent)).all()
        assert [(e.action, e.subject) for e in events] == [("anonymised", "C-1001")]
        assert events[0].detail == {"erased": []}
        assert verify(session).problem == ""
        person = session.scalars(sa.select(Customer).where(Customer.number == "C-1001")).one()
        assert person.anonymized_at == NOON
        assert session.scalars(sa.select(Case)).one().customer_id == person.id


NEW_STREET = "Turing Road 12, 10245 Berlin"


@pytest.fixture
def used(
    grace: Database, settings: Settings, tools: Mapping[str, AnyTool], policies: Policies
) -> Database:
    """The shop of Grace after a day's work: looks at her, proposals, effects, deliveries."""
    executor = Executor(grace, settings, tools, NO_KNOWLEDGE, policies)
    with grace.write() as session:
        own = session.scalars(sa.select(Customer.id).where(Customer.number == "C-1001")).one()
        session.add(make_staff(email="m@shop.example", name="Mara", password="x" * 12, roles=[]))
    mara = Caller(Audience.STAFF, "console", staff_id=1, roles=frozenset({"agent", "manager"}))
    herself = Caller(Audience.CUSTOMER, "widget", Level.FRESH_CODE, customer_id=own)
    for query in (*SECRETS[:2], "+49301234567"):
        with suppress(OpsbotError):
            executor.run(mara, "customer_360", {"customer": query}, now=NOON)
    with suppress(OpsbotError):
        executor.run(mara, "grace.hopper@example.com", {}, now=NOON)
    refund = {"order_number": "#1001", "amount": "1.00", "reason": f"She called from {SECRETS[3]}"}
    preview = executor.run(mara, "refund", refund, now=NOON)
    assert isinstance(preview, Preview)
    executor.confirm(mara, preview.id, now=NOON)
    executor.run(herself, "give_feedback", {"text": f"I live in {NEW_STREET}"}, now=NOON)
    with grace.write() as session:
        _hand_out(session)
    return grace


def _hand_out(session: Session) -> None:
    """Let ports, and the shop's system, hold what she is called by."""
    email, name, street, phone, _ = SECRETS
    label = {"to": {"name": name.upper(), "street": street, "phone": phone}}
    request_effect(
        session, port="carriers", operation="buy_label", payload=label, key="label:1", now=NOON
    )
    for number, who in enumerate((email, "eve@example.com")):
        body = json.dumps({"email": who, "name": "Grace Hopper" if who == email else "Eve"})
        keep_event(session, "shopify", f"d{number}", "orders/create", body.encode(), now=NOON)


def test_nothing_of_the_person_is_left_where_no_key_leads(used: Database) -> None:
    before = everything(used)
    assert NEW_STREET in before
    with used.read() as session:
        rows = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.number)).all()
    assert sum(NEW_STREET in json.dumps(row.personal) for row in rows) == 1

    with used.write() as session:
        anonymise_customer(session, SECRETS[0], actor="terminal", now=NOON)

    after = everything(used).lower()
    assert [secret for secret in (*SECRETS, NEW_STREET) if secret.lower() in after] == []
    assert "+49301234567" not in after
    assert "eve@example.com" in after
    with used.read() as session:
        assert verify(session).problem == ""
        kept = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.number)).all()
        assert [(row.actor, row.action, row.subject) for row in kept[: len(rows)]] == [
            (row.actor, row.action, row.subject) for row in rows
        ]
        deliveries = session.scalars(sa.select(InboxEvent).order_by(InboxEvent.id)).all()
        assert [one.state for one in deliveries] == [InboxState.IGNORED, InboxState.RECEIVED]


def test_a_row_of_the_audit_that_was_emptied_by_hand_is_still_found(used: Database) -> None:
    with used.write() as session:
        anonymise_customer(session, SECRETS[0], actor="terminal", now=NOON)
        record_audit(session, actor="x", action="read", subject="y", at=NOON, personal={"a": 1})
        last = session.scalars(sa.select(sa.func.max(AuditEvent.number))).one()
        erase_personal(session, [last])

    with used.read() as session:
        assert verify(session).problem == f"Row {last} of the audit was emptied."


def test_nobody_and_open_orders_are_refused(shop: Shop) -> None:
    with shop.database.write() as session:
        with pytest.raises(NotFoundError, match="nobody@example"):
            export_customer(session, "nobody@example.com", actor="terminal", now=NOON)
        with pytest.raises(ConflictError, match="#1001"):
            anonymise_customer(session, "ada@example.com", actor="terminal", now=NOON)


@pytest.mark.slow
def test_no_total_of_the_sample_shop_changes(database: Database) -> None:
    load_demo(database, now=NOON)
    with database.read() as session:
        before = totals(session)
        emails = session.scalars(
            sa.text(
                "SELECT email FROM customers WHERE id NOT IN (SELECT customer_id FROM orders "
                "WHERE state IN ('pending', 'confirmed', 'in_fulfillment')) ORDER BY id LIMIT 12"
            )
        ).all()

    for email in emails:
        with database.write() as session:
            anonymise_customer(session, email, actor="terminal", now=NOON)

    assert len(emails) == 12
    with database.read() as session:
        assert totals(session) == before
    text = everything(database)
    assert [email for email in emails if email in text] == []
