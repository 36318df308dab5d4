"""Holding, releasing, packing and shipping; and how customers are told what can be delivered."""

from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload

from opsbot.commerce.effects import Effect
from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.commerce.products import Item
from opsbot.commerce.reservations import release, reserve
from opsbot.commerce.shipments import Shipment
from opsbot.commerce.trade import (
    DeliveryService,
    DutyMode,
    Market,
    PackageType,
    Partner,
    PartnerKind,
    PartnerState,
)
from opsbot.db import Base
from opsbot.errors import ConflictError, InvalidInputError, NotAllowedError, PolicyError
from opsbot.mail.outgoing import OutgoingMail
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.results import Result
from tests.factories import NOON
from tests.shop_fixtures import Shop

OPS = Caller(Audience.STAFF, "console", staff_id=1, roles=frozenset({"ops"}))
VISITOR = Caller(Audience.CUSTOMER, "widget", Level.ANONYMOUS, visitor="v1")


@pytest.fixture
def sending(shop: Shop) -> Shop:
    """The shop with two markets, a delivery service, a box, and a partner abroad."""
    with shop.database.write() as session:
        for country, name, enabled in (("DE", "Germany", True), ("JP", "Japan", False)):
            session.add(
                Market(
                    country=country,
                    name=name,
                    enabled=enabled,
                    languages=["en"],
                    duty_mode=DutyMode.INSIDE,
                    duty_note="",
                    restricted=["LL-LMP-02"],
                    documents=[],
                    packaging=[],
                )
            )
        session.add_all(sending_records())
    return shop


def sending_records() -> list[Base]:
    """Return a delivery service, a box, and a partner abroad."""
    return [
        DeliveryService(
            country="DE",
            name="Standard",
            carriers=["DHL"],
            price_minor=490,
            free_from_minor=7500,
            currency="EUR",
            days_from=2,
            days_to=3,
            excluded=[],
        ),
        PackageType(
            code="B2",
            name="Two mugs",
            length_mm=320,
            width_mm=170,
            height_mm=130,
            tare_g=150,
            max_g=2000,
            cost_minor=68,
            protective=True,
        ),
        Partner(
            name="Mokuzai",
            kind=PartnerKind.DISTRIBUTOR,
            state=PartnerState.ACTIVE,
            country="JP",
            city="Tokyo",
            address="Kuramae",
            territory=[],
            categories=[],
        ),
    ]


def do(shop: Shop, name: str, **arguments: Any) -> Result:
    """Propose and confirm a change of the warehouse."""
    preview = shop.propose(name, OPS, **arguments)
    told = shop.executor.confirm(OPS, preview.id, now=NOON)
    assert told.result is not None, told
    return told.result


def test_an_order_on_hold_is_not_shipped_until_it_is_released(sending: Shop) -> None:
    do(sending, "hold_order", order_number="#1001", reason="the address is unclear")
    assert sending.order("#1001").hold_reason == "the address is unclear"

    with pytest.raises(ConflictError, match="on hold already"):
        sending.run("hold_order", OPS, order_number="#1001", reason="again")
    with pytest.raises(ConflictError, match="is on hold"):
        sending.run("ship_order", OPS, order_number="#1001")

    do(sending, "release_order", order_number="#1001")
    assert not sending.order("#1001").on_hold
    with pytest.raises(ConflictError, match="not on hold"):
        sending.run("release_order", OPS, order_number="#1001")


def test_a_release_is_taken_back_by_the_hold_it_ended(sending: Shop) -> None:
    do(sending, "hold_order", order_number="#1001", reason="the address is unclear")
    preview = sending.propose("release_order", OPS, order_number="#1001")
    done = sending.executor.confirm(OPS, preview.id, now=NOON).preview

    way_back = sending.executor.undo(OPS, done.id, now=NOON)
    sending.executor.confirm(OPS, way_back.id, now=NOON)

    assert sending.order("#1001").hold_reason == "the address is unclear"


def test_shipping_makes_one_parcel_and_asks_for_one_label(sending: Shop) -> None:
    preview = sending.propose("ship_order", OPS, order_number="#1001")
    for _ in range(2):
        sending.executor.confirm(OPS, preview.id, now=NOON)

    order = sending.order("#1001")
    assert order.state is OrderState.IN_FULFILLMENT
    with sending.database.read() as session:
        parcels = session.scalars(select(Shipment).where(Shipment.order_id == order.id)).all()
        effect = session.scalars(select(Effect)).one()
    assert [(p.carrier, p.tracking_number) for p in parcels] == [("DHL", "OB1001-1")]
    assert (effect.port, effect.key) == ("labels", "label:OB1001-1")
    with pytest.raises(ConflictError, match="is packed"):
        sending.run("ship_order", OPS, order_number="#1001")


def test_a_part_leaves_now_and_the_customer_is_told_what_comes_later(sending: Shop) -> None:
    with sending.database.write() as session:
        order = session.get_one(Order, sending.order("#1001").id)
        line = OrderLine(
            order_id=order.id,
            sku="LL-SPR-03",
            title="Linen shade for the Ember lamp",
            unit_price_minor=2700,
            quantity=1,
        )
        session.add(line)
        session.flush()
        reserve(session, line.sku, 1, order_line_id=line.id, at=NOON)

    do(sending, "ship_order", order_number="#1001", items="Linen shade")

    with sending.database.read() as session:
        mail = session.scalars(select(OutgoingMail)).one()
        assert "Now leaves: 1 x Linen shade" in mail.text
        assert "Later: 2 x Kiln mug, moss" in mail.text
    do(sending, "ship_order", order_number="#1001")
    with sending.database.read() as session:
        numbers = session.scalars(
            select(Shipment.tracking_number).where(Shipment.tracking_number.like("OB1001-%"))
        ).all()
    assert sorted(numbers) == ["OB1001-1", "OB1001-2"]


def test_only_the_warehouse_ships(sending: Shop) -> None:
    agent = Caller(Audience.STAFF, "console", staff_id=2, roles=frozenset({"agent"}))

    with pytest.raises(NotAllowedError):
        sending.run("ship_order", agent, order_number="#1001")


def test_a_delivery_names_service_price_and_days(sending: Shop) -> None:
    told = sending.read("delivery_options", VISITOR, country="Germany", product="kiln mug")

    assert "**Standard**: €4.90, free from €75.00; 2 to 3 working days" in told.say
    assert told.facts["services"][0]["parcels"] == 0


@pytest.mark.parametrize(
    ("country", "name", "surcharge"),
    [("DE", "Germany", "€19.00"), ("FR", "France", "€39.00"), ("NO", "Norway", "€59.00")],
)
def test_what_bulky_goods_cost_more_is_told(
    sending: Shop, country: str, name: str, surcharge: str
) -> None:
    with sending.database.write() as session:
        session.execute(
            update(Item).where(Item.title.startswith("Kiln mug")).values(return_class="large")
        )
        if country != "DE":
            germany = session.get_one(Market, "DE")
            service = session.scalars(select(DeliveryService)).one()
            session.add(_copy(germany, country=country, name=name, restricted=[]))
            session.add(_copy(service, country=country, id=None))

    bulky = sending.read("delivery_options", VISITOR, country=name, product="kiln mug")
    plain = sending.read("delivery_options", VISITOR, country=name)

    assert f"- Plus {surcharge} for the size, also where delivery is free." in bulky.say
    assert bulky.facts["surcharge"] == surcharge
    assert "for the size" not in plain.say


def _copy(row: Any, **changes: Any) -> Any:
    """Return a new row with the values of another one, but for some."""
    values = {column.key: getattr(row, column.key) for column in row.__table__.columns}
    return type(row)(**(values | changes))


def test_what_does_not_go_somewhere_is_refused_by_the_rule_with_partners(sending: Shop) -> None:
    with pytest.raises(PolicyError, match="Mokuzai in Tokyo") as raised:
        sending.run("delivery_options", VISITOR, country="Japan")
    assert raised.value.clause == "delivery.countries"

    with pytest.raises(PolicyError, match="cannot send the Ember bedside lamp"):
        sending.run("delivery_options", VISITOR, country="Germany", product="Ember lamp")


def test_places_to_buy_are_those_that_sell_now(sending: Shop) -> None:
    with sending.database.write() as session:
        session.add(
            Partner(
                name="Gone",
                kind=PartnerKind.RETAILER,
                state=PartnerState.ENDED,
                country="JP",
                city="Osaka",
                address="x",
                territory=[],
                categories=[],
            )
        )

    told = sending.read("where_to_buy", VISITOR, country="Japan")

    assert "Mokuzai" in told.say
    assert "Gone" not in told.say
    assert "does not deliver to Japan" in told.say


def test_a_box_is_advised_by_size_and_weight(sending: Shop) -> None:
    told = sending.read("advise_packaging", OPS, order_number="#1001")

    assert "Box B2" in told.say
    assert "Not every size is on record" in told.say


def test_what_an_order_lacks_is_reserved_from_free_stock(sending: Shop) -> None:
    line = sending.order("#1001").lines[0]
    with sending.database.write() as session:
        release(session, line.id, 2)

    told = do(sending, "reallocate", order_number="#1001")

    assert told.facts["units"] == {"Kiln mug, moss": 2}
    with pytest.raises(ConflictError, match="Nothing that order #1001 lacks is free"):
        sending.run("reallocate", OPS, order_number="#1001")


@pytest.mark.parametrize("tool", ["hold_order", "reallocate"])
@pytest.mark.parametrize(
    ("number", "state"), [("#1002", "completed"), ("#1003", "in fulfillment")], ids=["done", "left"]
)
def test_what_is_bound_to_be_refused_is_not_even_shown(
    sending: Shop, tool: str, number: str, state: str
) -> None:
    given: dict[str, Any] = {"reason": "x"} if tool == "hold_order" else {}

    with pytest.raises(ConflictError, match=f"{number} is {state}, so that cannot be done"):
        sending.run(tool, OPS, order_number=number, **given)


def test_a_split_order_leaves_in_two_parcels_and_is_told_so(sending: Shop) -> None:
    _add_shade(sending, reserved=False)

    with pytest.raises(ConflictError, match="not split"):
        sending.run("split_order", OPS, order_number="#1001", step="join")
    preview = sending.propose("split_order", OPS, order_number="#1001")
    assert preview.details[0] == "Leaves first: 2 x Kiln mug, moss."
    assert "Leaves later, in a parcel of its own: 1 x Linen shade" in preview.details[1]
    sending.executor.confirm(OPS, preview.id, now=NOON)

    waiting = sending.read("order_queue", OPS, waits_for="ready").table
    assert waiting is not None
    assert "ready, waits to be packed; 1 x Linen shade for the Ember lamp leaves later" in {
        row[4] for row in waiting.rows if row[0] == "#1001"
    }
    first = do(sending, "ship_order", order_number="#1001")
    with pytest.raises(ConflictError, match="no stock reserved"):
        sending.run("ship_order", OPS, order_number="#1001")
    with sending.database.write() as session:
        line = _shade_of(session, sending)
        reserve(session, line.sku, 1, order_line_id=line.id, at=NOON)
    second = do(sending, "ship_order", order_number="#1001")
    parcels = [first.facts["parcel"], second.facts["parcel"]]
    assert parcels == ["OB1001-1", "OB1001-2"]


def test_a_split_can_be_taken_back_and_names_what_leaves_later(sending: Shop) -> None:
    _add_shade(sending, reserved=True)

    with pytest.raises(InvalidInputError, match="Say which items leave later"):
        sending.run("split_order", OPS, order_number="#1001")
    with pytest.raises(InvalidInputError, match="would leave now"):
        sending.run("split_order", OPS, order_number="#1001", items="mug, shade")
    preview = sending.propose("split_order", OPS, order_number="#1001", items="shade")
    sending.executor.confirm(OPS, preview.id, now=NOON)
    assert [line.held_back for line in sending.order("#1001").lines] == [0, 1]

    back = sending.executor.undo(OPS, preview.id, now=NOON)
    sending.executor.confirm(OPS, back.id, now=NOON)

    assert [line.held_back for line in sending.order("#1001").lines] == [0, 0]
    whole = do(sending, "ship_order", order_number="#1001")
    with sending.database.read() as session:
        parcel = session.scalars(
            select(Shipment)
            .where(Shipment.tracking_number == whole.facts["parcel"])
            .options(selectinload(Shipment.lines))
        ).one()
        assert len(parcel.lines) == 2
    with pytest.raises(ConflictError, match="is packed"):
        sending.run("split_order", OPS, order_number="#1001", items="shade")


def _add_shade(sending: Shop, *, reserved: bool) -> None:
    with sending.database.write() as session:
        order = session.get_one(Order, sending.order("#1001").id)
        line = OrderLine(
            order_id=order.id,
            sku="LL-SPR-03",
            title="Linen shade for the Ember lamp",
            unit_price_minor=2700,
            quantity=1,
        )
        session.add(line)
        session.flush()
        if reserved:
            reserve(session, line.sku, 1, order_line_id=line.id, at=NOON)


def _shade_of(session: Session, sending: Shop) -> OrderLine:
    return session.scalars(
        select(OrderLine).where(
            OrderLine.order_id == sending.order("#1001").id, OrderLine.sku == "LL-SPR-03"
        )
    ).one()
