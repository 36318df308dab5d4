"""What customers are told about orders and parcels, and what they may change."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.commerce.shipments import NeededAction, Shipment, ShipmentState, record_tracking_event
from opsbot.errors import ConflictError, InvalidInputError, PolicyError
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.proposals import ProposalState
from tests.factories import NOON
from tests.shop_fixtures import Shop


def test_orders_are_listed_newest_first_with_what_tells_them_apart(shop: Shop) -> None:
    result = shop.read("my_orders")

    listed = result.facts["candidates"]["order_number"]
    assert [one["value"] for one in listed] == ["#1001", "#1004", "#1003", "#1002"]
    assert listed[3]["words"] == "Ember bedside lamp, sage, Kiln mug, moss"
    assert "- **#1002** (5 November 2026): Ember bedside lamp, sage and 2 x" in result.say


def test_each_order_names_the_tools_that_are_of_no_use_to_it(
    shop: Shop, tools: Mapping[str, AnyTool]
) -> None:
    listed = shop.read("my_orders").facts["candidates"]["order_number"]
    not_for = {one["value"]: set(one["not_for"]) for one in listed}

    assert "cancel_order" in not_for["#1002"]  # it was delivered
    assert "exchange_items" in not_for["#1001"]  # it has not left
    assert {"cancel_order", "exchange_items"} <= not_for["#1003"]  # it is on its way
    assert set[str]().union(*not_for.values()) <= set(tools)


@pytest.mark.parametrize(
    ("which", "numbers"),
    [("open", ["#1001", "#1004", "#1003"]), ("delivered", ["#1002"]), ("cancelled", [])],
)
def test_orders_are_listed_by_kind(shop: Shop, which: str, numbers: list[str]) -> None:
    result = shop.read("my_orders", which=which)

    assert [order["number"] for order in result.facts["orders"]] == numbers


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("1001", "is confirmed and waits to be packed. It is promised to leave us by 21 November"),
        ("1002", "was delivered on 10 November 2026."),
        ("1003", "is on its way. It is promised by 21 November 2026."),
        ("1004", "It should have left us by 17 November 2026; I am sorry that it is late."),
    ],
    ids=["confirmed", "delivered", "on its way", "late"],
)
def test_an_order_says_where_it_stands(shop: Shop, number: str, words: str) -> None:
    result = shop.read("order_status", order_number=number)

    assert words in result.say
    assert result.cards[0].body["number"] == f"#{number}"


def test_who_is_signed_in_sees_the_address_of_an_order(shop: Shop) -> None:
    assert "Torstraße 12" in shop.read("order_status", order_number="1001").say
    masked = shop.read("order_status", shop.prove("#1001"), order_number="1001")
    assert "Torstraße" not in repr(masked)


def test_an_order_lists_its_items_for_whoever_asks_about_one(shop: Shop) -> None:
    result = shop.read("order_status", order_number="1002")

    items = [one["value"] for one in result.facts["candidates"]["item"]]
    assert items == ["Ember bedside lamp, sage", "Kiln mug, moss"]


def test_a_parcel_says_where_it_was_seen_last(shop: Shop) -> None:
    result = shop.read("track_shipment", order_number="1003")

    assert "00340434161094000003 (DHL) is on its way" in result.say
    assert "The parcel is in the depot, Leipzig, 19 November 2026, 13:00" in result.say
    assert result.cards[0].kind == "shipment"
    assert result.facts["shipped"] is True


def test_a_parcel_says_what_its_carrier_waits_for(shop: Shop) -> None:
    with shop.database.write() as session:
        number = "00340434161094000003"
        parcel = session.scalars(select(Shipment).where(Shipment.tracking_number == number)).one()
        record_tracking_event(
            session,
            parcel,
            status=ShipmentState.EXCEPTION,
            message="House number is missing.",
            place="Berlin",
            occurred_at=NOON,
            received_at=NOON,
            needs=NeededAction.ADDRESS,
        )

    result = shop.read("track_shipment", order_number="1003")

    assert "The carrier needs a right address to deliver it" in result.say
    assert result.facts["parcels"][0]["needs"] == "address"
    assert result.cards[0].body["needs"].startswith("The carrier needs a right address")


def test_an_order_without_a_parcel_says_so(shop: Shop) -> None:
    result = shop.read("track_shipment", order_number="1001")

    assert "There is no parcel of it yet." in result.say
    assert result.facts["shipped"] is False


def test_an_engraved_piece_is_not_cancelled_once_it_is_made(shop: Shop) -> None:
    with pytest.raises(PolicyError) as raised:
        shop.propose("cancel_order", order_number="1004")

    assert raised.value.clause == "cancellation.made_to_order"


def test_an_address_is_changed_in_the_same_country(shop: Shop) -> None:
    fresh = shop.ada.at_level(Level.FRESH_CODE)

    preview = shop.propose(
        "change_address", fresh, order_number="1001", address="Sonnenallee 5, 12047 Berlin"
    )
    outcome = shop.executor.confirm(fresh, preview.id, now=NOON)

    assert "New address: Ada Brandt, Sonnenallee 5, 12047 Berlin" in preview.details
    assert outcome.preview.state is ProposalState.EXECUTED
    assert shop.order("1001").ship_to == {
        "name": "Ada Brandt",
        "line1": "Sonnenallee 5",
        "line2": None,
        "city": "Berlin",
        "region": None,
        "postal_code": "12047",
        "country": "DE",
    }


@pytest.mark.parametrize(
    ("number", "address", "clause"),
    [
        ("1001", "Wiener Straße 1, 1010 Wien, Austria", "address.same_country"),
        ("1003", "Sonnenallee 5, 12047 Berlin", "address.redirect"),
    ],
    ids=["another country", "the parcel has left"],
)
def test_an_address_is_not_changed(shop: Shop, number: str, address: str, clause: str) -> None:
    fresh = shop.ada.at_level(Level.FRESH_CODE)

    with pytest.raises(PolicyError) as raised:
        shop.propose("change_address", fresh, order_number=number, address=address)

    assert raised.value.clause == clause


def test_an_address_that_is_there_already_is_no_change(shop: Shop) -> None:
    fresh = shop.ada.at_level(Level.FRESH_CODE)
    old = shop.order("1001").ship_to
    there = f"{old['line1']}, {old['postal_code']} {old['city']}"

    with pytest.raises(ConflictError, match="already"):
        shop.propose("change_address", fresh, order_number="1001", address=there)


def test_half_an_address_is_asked_for_again(shop: Shop) -> None:
    fresh = shop.ada.at_level(Level.FRESH_CODE)

    with pytest.raises(InvalidInputError, match="no postcode that is right for Germany"):
        shop.propose("change_address", fresh, order_number="1001", address="Sonnenallee 5, Berlin")


def test_damage_is_reported_once_and_a_person_gets_it(shop: Shop) -> None:
    report: dict[str, Any] = {"order_number": "1002", "kind": "damaged", "items": ["lamp"]}

    preview = shop.propose("report_problem", **report, description="dented")
    outcome = shop.executor.confirm(shop.ada, preview.id, now=NOON)
    with pytest.raises(ConflictError, match="already under CS-00001"):
        shop.propose("report_problem", **report)

    assert preview.details[:2] == ("It is about: Ember bedside lamp, sage.", "You wrote: dented")
    assert outcome.result is not None
    assert "**CS-00001**" in outcome.result.say
    assert "by 23 November 2026, 13:00" in outcome.result.say


def test_a_parcel_in_time_is_not_reported_as_late(shop: Shop) -> None:
    with pytest.raises(PolicyError, match="counts as late from 23 November 2026"):
        shop.propose("report_problem", order_number="1003", kind="late")

    later = shop.run(
        "report_problem", order_number="1003", kind="late", now=NOON + timedelta(days=4)
    )
    assert "order #1003 is late" in str(later.title)  # type: ignore[union-attr]  # a preview


def test_who_proved_an_order_may_report_a_problem_with_it(shop: Shop) -> None:
    known = shop.prove("#1002")

    preview = shop.propose("report_problem", known, order_number="1002", kind="damaged")
    outcome = shop.executor.confirm(known, preview.id, now=NOON)

    assert outcome.preview.state is ProposalState.EXECUTED


def test_everybody_reaches_a_person(shop: Shop) -> None:
    visitor = Caller(Audience.CUSTOMER, "widget", visitor="v1")

    known, unknown = shop.read("contact_person"), shop.read("contact_person", visitor)

    assert known.hands_off
    assert unknown.hands_off
    assert "leave your e-mail address" in unknown.say
    assert "leave your e-mail address" not in known.say


def test_what_was_cancelled_is_on_the_card_as_it_was_ordered(shop: Shop) -> None:
    with shop.database.write() as session:
        line = session.scalars(
            select(OrderLine).join(Order).where(Order.number == "#1001").order_by(OrderLine.id)
        ).first()
        assert line is not None
        line.cancelled, ordered, title = line.quantity, line.quantity, line.title

    rows = shop.read("order_status", order_number="1001").cards[0].body["rows"]

    assert (rows[0]["title"], rows[0]["quantity"]) == (f"{title} (cancelled)", ordered)


def test_a_cancelled_order_reads_as_cancelled(shop: Shop) -> None:
    preview = shop.propose("cancel_order", order_number="1001")
    shop.executor.confirm(shop.ada, preview.id, now=NOON)

    status = shop.read("order_status", order_number="1001")

    assert shop.order("1001").state is OrderState.CANCELLED
    assert "was cancelled on 20 November 2026" in status.say
    assert "€52.90, refunded" in status.say
    assert status.facts["can_be_cancelled"] is False
