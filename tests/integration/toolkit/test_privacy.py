"""A customer's data is handed out whole, and taken out of the records without changing a total."""

import json

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.commerce.cases import Case, CaseKind, open_case
from opsbot.commerce.customers import Address, Customer
from opsbot.conversation.models import Author, Conversation, Message
from opsbot.db import Base, Database
from opsbot.demo.load import load_demo
from opsbot.drafts.models import Draft, ReceivedMail
from opsbot.errors import ConflictError, NotFoundError
from opsbot.mail.outgoing import queue_mail
from opsbot.surveys.feedback import add_feedback
from opsbot.toolkit.audit import AuditEvent, verify
from opsbot.toolkit.caller import Audience, Level
from opsbot.toolkit.privacy import anonymise_customer, export_customer
from tests.factories import DAY, NOON, make_customer, make_order
from tests.shop_fixtures import Shop

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
    """Return every value of every table but the audit, as text."""
    with database.read() as session:
        tables = [t for t in Base.metadata.sorted_tables if not t.name.startswith("audit")]
        return json.dumps(
            {t.name: [list(row) for row in session.execute(sa.select(t))] for t in tables},
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
        assert verify(session).problem == ""
        person = session.scalars(sa.select(Customer).where(Customer.number == "C-1001")).one()
        assert person.anonymized_at == NOON
        assert session.scalars(sa.select(Case)).one().customer_id == person.id


def test_nobody_and_open_orders_are_refused(shop: Shop) -> None:
    with shop.database.write() as session:
        with pytest.raises(NotFoundError, match="nobody@example"):
            export_customer(session, "nobody@example.com", actor="terminal", now=NOON)
        with pytest.raises(ConflictError, match="#1001"):
            anonymise_customer(session, "ada@example.com", actor="terminal", now=NOON)


def totals(database: Database) -> dict[str, object]:
    """Return counts of rows and sums of numbers of every table of the shop, by name."""
    told: dict[str, object] = {}
    kept = ("addresses", "audit", "demo")
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            if table.name.startswith(kept):
                continue
            told[table.name] = session.scalar(sa.select(sa.func.count()).select_from(table))
            for column in table.columns:
                if isinstance(column.type, sa.Integer):
                    name = f"{table.name}.{column.name}"
                    told[name] = session.scalar(sa.select(sa.func.sum(column)))
        countries = sa.text(
            "SELECT c.country, count(*), sum(o.total_minor) FROM orders o "
            "JOIN customers c ON c.id = o.customer_id GROUP BY c.country ORDER BY c.country"
        )
        told["by country"] = [tuple(row) for row in session.execute(countries)]
    return told


def test_no_total_of_the_sample_shop_changes(database: Database) -> None:
    load_demo(database, now=NOON)
    before = totals(database)
    with database.read() as session:
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
    assert totals(database) == before
    text = everything(database)
    assert [email for email in emails if email in text] == []
