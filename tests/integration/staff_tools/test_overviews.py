"""One order and one customer at a glance."""

import pytest
from sqlalchemy import select

from opsbot.commerce.cases import Case, CaseKind, CaseState
from opsbot.commerce.payments import PaymentKind
from opsbot.commerce.records import record_event
from opsbot.commerce.returns import Resolution, Return, ReturnLine, ReturnReason
from opsbot.commerce.shipments import ShipmentState, TrackingEvent
from opsbot.db import Database
from opsbot.errors import AmbiguousError, NotFoundError
from opsbot.toolkit.audit import AuditEvent
from tests.factories import (
    DAY,
    NOON,
    make_customer,
    make_order,
    make_payment,
    make_shipment,
)
from tests.integration.staff_tools.conftest import Ask, rows_of


@pytest.fixture
def ada(database: Database) -> Database:
    """Ada's delivered order with a parcel, a refund, a return and an open case."""
    customer = make_customer()
    order = make_order(customer, delivered_at=NOON - 3 * DAY)
    order.payments.append(make_payment(500, PaymentKind.REFUND, at=NOON - DAY))
    scan = TrackingEvent(
        status=ShipmentState.DELIVERED,
        message="Handed over.",
        occurred_at=NOON - 3 * DAY,
        received_at=NOON - 3 * DAY,
        dedupe="d",
    )
    parcel = make_shipment(order, "T-1", state=ShipmentState.DELIVERED, events=[scan])
    back = Return(
        number="RMA-00001",
        order=order,
        customer=customer,
        resolution=Resolution.REFUND,
        policy_version="1",
        decision={},
        refund_minor=2400,
        requested_at=NOON - DAY,
        lines=[ReturnLine(order_line=order.lines[0], quantity=1, reason=ReturnReason.DEFECTIVE)],
    )
    with database.write() as session:
        session.add_all([order, parcel, back])
        session.flush()
        record_event(session, order, "order_packed", actor="staff:3", at=NOON - 4 * DAY)
        session.add(
            Case(
                number="CS-00001",
                kind=CaseKind.QUALITY,
                state=CaseState.OPEN,
                subject="Handle came off",
                summary="",
                customer_id=customer.id,
                order_id=order.id,
                created_at=NOON - DAY,
                first_response_due=NOON,
            )
        )
    return database


@pytest.mark.usefixtures("ada")
def test_an_order_comes_with_money_parcels_returns_cases_and_history(ask: Ask) -> None:
    result = ask("order_overview", order_number="1001")

    assert result.say.startswith("**Order #1001 of Ada Brandt is delivered, partially refunded.**")
    assert "total €28.90, paid €28.90, refunded €5.00" in result.say
    for part in ("DHL T-1: delivered, last scan: Handed over.", "RMA-00001", "Handle came off"):
        assert part in result.say
    assert [card.kind for card in result.cards] == ["order", "shipment"]
    assert [(row["what"], row["who"]) for row in rows_of(result)] == [
        ("refund €5.00 (card)", "payment"),
        ("DHL: Handed over.", "carrier"),
        ("order packed", "staff"),
        ("capture €28.90 (card)", "payment"),
    ]
    assert result.facts["lines"][0]["delivered"] == 1


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("words", ["ada@example.com", "c-1001", "Ada Brandt", "brandt"])
def test_a_customer_is_found_by_address_number_and_name(ask: Ask, words: str) -> None:
    result = ask("customer_overview", customer=words)

    assert result.say.startswith("**1 order by Ada Brandt (C-1001), €23.90 paid; 0 open.**")
    assert "1 return, 1 open case" in result.say
    assert rows_of(result)[0]["payment"] == "partially refunded"


def test_a_name_that_two_customers_share_is_asked_about(database: Database, ask: Ask) -> None:
    with database.write() as session:
        session.add(make_customer("Ada Brandt"))
        session.add(make_customer("Udo Brandt", "udo@example.com", "C-1002"))

    with pytest.raises(AmbiguousError, match=r"Ada Brandt \(C-1001\) and Udo Brandt \(C-1002\)"):
        ask("customer_overview", customer="Brandt")


@pytest.mark.parametrize("words", ["nobody@example.com", "%%", "C-9999"])
def test_an_unknown_customer_is_not_found(database: Database, ask: Ask, words: str) -> None:
    with database.write() as session:
        session.add(make_customer())

    with pytest.raises(NotFoundError):
        ask("customer_overview", customer=f"{words} ")


def test_an_unknown_order_is_not_found(ask: Ask) -> None:
    with pytest.raises(NotFoundError, match="#9999"):
        ask("order_overview", order_number="#9999")


def test_who_looked_at_a_customer_is_written_down(ada: Database, ask: Ask) -> None:
    ask("customer_overview", customer="C-1001")

    with ada.read() as session:
        rows = session.scalars(select(AuditEvent)).all()
    assert [(row.actor, row.subject) for row in rows] == [("staff:1", "customer_overview")]
