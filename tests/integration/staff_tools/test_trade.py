"""Markets and partners, on records counted by hand."""

from typing import Any

import pytest

from opsbot.commerce.inventory import LocationKind, MoveReason, move
from opsbot.commerce.orders import OrderState
from opsbot.commerce.trade import (
    DeliveryService,
    DutyMode,
    Market,
    Partner,
    PartnerKind,
    PartnerState,
)
from opsbot.db import Database
from opsbot.errors import NotFoundError
from tests.factories import (
    DAY,
    NOON,
    make_channel,
    make_customer,
    make_item,
    make_line,
    make_location,
    make_order,
)
from tests.integration.staff_tools.conftest import Ask, rows_of

NORWAY: dict[str, Any] = {
    "country": "NO",
    "name": "Norway",
    "enabled": True,
    "languages": ["no", "en"],
    "duty_mode": DutyMode.DDP,
    "tax_number": "VOEC 2026",
    "restricted": [],
    "documents": ["Commercial invoice"],
    "packaging": ["Paper marked for recycling"],
}


@pytest.fixture
def traded(database: Database) -> Database:
    """Two partners: Lichtblick with two sales this year and goods on consignment, Fjord paused."""
    with database.write() as session:
        mug = make_item()
        shelf = make_location("LIB", name="Lichtblick", kind=LocationKind.CONSIGNMENT)
        own, buyer = make_customer(), make_customer("Lichtblick", "buy@lichtblick.example", "C-2")
        session.add_all([mug, shelf, own, buyer])
        session.flush()
        channel = make_channel("partner")
        for number, who, at, state, count in (
            ("#1", buyer, NOON - 10 * DAY, OrderState.CONFIRMED, 3),
            ("#2", buyer, NOON - 15 * DAY, OrderState.CONFIRMED, 2),
            ("#3", buyer, NOON - 10 * DAY, OrderState.CANCELLED, 9),
            ("#4", buyer, NOON - 400 * DAY, OrderState.CONFIRMED, 9),
            ("#5", own, NOON - 10 * DAY, OrderState.CONFIRMED, 9),
        ):
            lines = [make_line(mug, count)]
            session.add(
                make_order(who, number, lines=lines, channel=channel, state=state, placed_at=at)
            )
        move(session, mug.sku, shelf.id, 7, reason=MoveReason.OPENING, reference="x", actor="x",
             at=NOON)  # fmt: skip
        terms: dict[str, Any] = {"country": "DE", "address": "x", "discount_pct": 35}
        session.add_all(
            [
                Partner(name="Lichtblick", kind=PartnerKind.RETAILER, state=PartnerState.ACTIVE,
                        city="Leipzig", customer_id=buyer.id, location_id=shelf.id, terms_days=30,
                        **terms),
                Partner(name="Fjord & Co", kind=PartnerKind.DISTRIBUTOR,
                        state=PartnerState.PAUSED, city="Oslo", **terms),
                Partner(name="Our own shop", kind=PartnerKind.STORE, state=PartnerState.ACTIVE,
                        city="Berlin", **terms),
            ]
        )  # fmt: skip
    return database


def open_market(database: Database, *, served: bool = True, **changes: object) -> None:
    with database.write() as session:
        session.add(Market(**NORWAY | changes))
        session.add(make_item("LL-LMP-01", "Lantern"))
        if served:
            session.add(
                DeliveryService(country="NO", name="Bring", carriers=["Bring"], price_minor=1490,
                                currency="EUR", days_from=3, days_to=6)
            )  # fmt: skip


def test_partners_are_shown_with_what_they_sold_sent_back_and_hold(
    traded: Database, ask: Ask
) -> None:
    result = ask("partner")

    assert result.say.startswith("**2 partners, 1 active, €120.00 ")
    first, second = rows_of(result)
    assert (first["name"], first["orders"], first["stock"]) == ("Lichtblick", 2, 7)
    assert (first["revenue"], first["returned"], first["terms"]) == ("€120.00", 0, "30 days, 35 %")
    assert (second["name"], second["state"], second["orders"]) == ("Fjord & Co", "paused", 0)


@pytest.mark.parametrize("words", ["Lichtblick", "lichtblick leipzig"])
def test_one_partner_is_found_by_its_name(traded: Database, ask: Ask, words: str) -> None:
    assert [row["name"] for row in rows_of(ask("partner", partner=words))] == ["Lichtblick"]


def test_a_period_without_sales_says_so(traded: Database, ask: Ask) -> None:
    [row] = rows_of(ask("partner", partner="Lichtblick", period="last month"))

    assert (row["orders"], row["stock"]) == (0, 7)


@pytest.mark.parametrize("words", ["Sternenlicht", "Our own shop"])
def test_who_is_no_partner_is_not_found(traded: Database, ask: Ask, words: str) -> None:
    with pytest.raises(NotFoundError, match="partner called"):
        ask("partner", partner=words)


def test_a_market_that_has_all_is_ready(database: Database, ask: Ask) -> None:
    open_market(database)

    result = ask("market_readiness", country="NO")

    assert result.say.startswith("**Yes, Norway is ready: 8 of 8 points are met.**")
    assert result.facts["missing"] == []
    points = {row["point"]: row["detail"] for row in rows_of(result)}
    assert points["Delivery service"] == "Bring €14.90"
    assert points["Documents"] == "Commercial invoice"


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"enabled": False}, ["Market open"]),
        ({"tax_number": None}, ["Tax registration"]),
        ({"tax_number": None, "duty_mode": DutyMode.DAP}, []),
        ({"restricted": ["LL-LMP-01"]}, ["May be sent there"]),
        ({"served": False, "enabled": False}, ["Market open", "Delivery service"]),
    ],
    ids=["closed", "no registration", "not needed", "restricted", "two"],
)
def test_what_is_missing_is_named(
    database: Database, ask: Ask, changes: dict[str, Any], missing: list[str]
) -> None:
    open_market(database, **changes)

    result = ask("market_readiness", country="NO", product="Lantern")

    assert result.facts["missing"] == missing
    assert result.facts["ready"] is not bool(missing)
    assert result.say.startswith("**Not yet, " if missing else "**Yes, ")


def test_a_country_without_rules_is_said_to_have_none(database: Database, ask: Ask) -> None:
    result = ask("market_readiness", country="JP")

    assert result.facts["known"] is False
    assert "0 of its rules" in result.say
