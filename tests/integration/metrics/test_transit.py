"""How long parcels took, counted by hand."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from opsbot.commerce.orders import SalesChannel
from opsbot.commerce.shipments import Direction, Shipment, ShipmentState
from opsbot.db import Database
from opsbot.metrics.transit import ENOUGH, WINDOW, transit_days
from tests.factories import BERLIN, DAY, NOON, make_channel, make_customer, make_order


@pytest.fixture
def sent(database: Database) -> Database:
    """Ten parcels to Germany of 1 to 10 days, and others that do not count."""
    with database.write() as session:
        customer, channel = make_customer(), make_channel()
        session.add_all([customer, channel])
        session.flush()
        for days in range(1, ENOUGH + 1):
            _send(session, channel, customer.id, days)
        _send(session, channel, customer.id, 50, country="FR")
        _send(session, channel, customer.id, 50, carrier="GLS")
        _send(session, channel, customer.id, 50, arrived=NOON - WINDOW - DAY)
        _send(session, channel, customer.id, 50, direction=Direction.RETURN)
        _send(session, channel, customer.id, None)
    return database


def _send(
    session: Session, channel: SalesChannel, customer_id: int, days: int | None, **values: object
) -> None:
    country = str(values.pop("country", "DE"))
    arrived = values.pop("arrived", NOON - DAY)
    number = session.query(Shipment).count() + 1
    order = make_order(
        make_customer(email=f"{number}@example.com", number=f"C-{number + 2000}"),
        f"#{3000 + number}",
        lines=[],
        channel=channel,
        ship_to=dict(BERLIN) | {"country": country},
    )
    left = arrived - timedelta(days=days or 0)  # type: ignore[operator]  # a time, in every call
    session.add(
        Shipment(
            order=order,
            carrier=values.pop("carrier", "DHL"),
            service="Paket",
            tracking_number=f"T{number}",
            weight_g=1,
            cost_minor=1,
            packed_at=left,
            promised_by=NOON,
            state=ShipmentState.DELIVERED if days else ShipmentState.PACKED,
            shipped_at=left if days else None,
            delivered_at=arrived if days else None,
            **values,
        )
    )
    session.flush()


def test_the_days_of_the_last_half_year_to_a_country_are_told(sent: Database) -> None:
    with sent.read() as session:
        took = transit_days(session, "DE", ["DHL"], now=NOON)

    assert took is not None
    assert (took.p50, took.p90, took.parcels) == (5.5, 9.1, ENOUGH)


@pytest.mark.parametrize(
    ("country", "carriers", "later"),
    [("FR", ["DHL"], 0), ("DE", ["UPS"], 0), ("DE", [], 0), ("DE", ["DHL"], 180)],
    ids=["country", "carrier", "none", "too long ago"],
)
def test_few_parcels_tell_nothing(
    sent: Database, country: str, carriers: list[str], later: int
) -> None:
    with sent.read() as session:
        assert transit_days(session, country, carriers, now=NOON + later * DAY) is None


def test_parcels_of_several_carriers_count_together(sent: Database) -> None:
    with sent.read() as session:
        took = transit_days(session, "DE", ["DHL", "GLS"], now=NOON)

    assert took is not None
    assert took.parcels == ENOUGH + 1
    assert took.p50 == 6
