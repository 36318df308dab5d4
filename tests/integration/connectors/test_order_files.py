"""Orders from files become whole orders, once, or are refused with a reason."""

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from opsbot.commerce.inventory import available
from opsbot.commerce.orders import Order, OrderState
from opsbot.commerce.payments import PaymentStatus, payment_status
from opsbot.commerce.products import Item, ItemStatus
from opsbot.connectors.imports import FileFormat
from opsbot.connectors.writing import Deed
from opsbot.db import Database
from tests.factories import DAY, NOON
from tests.integration.connectors.conftest import (
    LAMP,
    MUG,
    broken_rules,
    load,
    read_order,
    read_rejects,
    snapshot,
    write_csv,
)

SHOPIFY: dict[str, object] = {
    "Name": "#5001",
    "Email": "ada@example.com",
    "Financial Status": "paid",
    "Paid at": "2026-11-18 10:00:00 +0100",
    "Fulfillment Status": "unfulfilled",
    "Fulfilled at": "",
    "Currency": "EUR",
    "Subtotal": "103.00",
    "Shipping": "4.90",
    "Taxes": "17.23",
    "Total": "107.90",
    "Discount Amount": "0.00",
    "Created at": "2026-11-18 09:58:00 +0100",
    "Lineitem quantity": "1",
    "Lineitem name": "Kiln mug, moss",
    "Lineitem price": "24.00",
    "Lineitem sku": MUG,
    "Lineitem fulfillment status": "pending",
    "Shipping Name": "Ada Brandt",
    "Shipping Address1": "Torstraße 12",
    "Shipping City": "Berlin",
    "Shipping Zip": "'10119",
    "Shipping Country": "DE",
    "Cancelled at": "",
    "Payment Method": "card",
    "Refunded Amount": "0.00",
    "Outstanding Balance": "0.00",
    "Id": "880001",
    "Favourite colour": "moss",
}


def shopify_order(*more: dict[str, object], **changes: object) -> list[dict[str, object]]:
    """Return the lines of an export: the order stands on the first one only."""
    first = SHOPIFY | changes
    empty = dict.fromkeys(SHOPIFY, "") | {"Name": first["Name"]}
    return [first, *(empty | line for line in more)]


LAMP_LINE: dict[str, object] = {
    "Lineitem quantity": "1",
    "Lineitem name": "Ember bedside lamp, sage",
    "Lineitem price": "79.00",
    "Lineitem sku": LAMP,
    "Lineitem fulfillment status": "pending",
}


def plain(number: str = "7001", **changes: object) -> dict[str, object]:
    """Return a line of our own format: a mug that was paid, sent and delivered."""
    return {
        "order": number,
        "placed_at": "2026-10-01 10:00",
        "email": "ada@example.com",
        "name": "Ada Brandt",
        "country": "DE",
        "sku": MUG,
        "title": "Kiln mug, moss",
        "quantity": "2",
        "unit_price": "24,00",
        "shipping": "4,90",
        "total": "52,90",
        "paid": "52,90",
        "refunded": "",
        "sent_at": "2026-10-02 15:00",
        "delivered_at": "2026-10-05 11:00",
        "cancelled_at": "",
        "tracking_number": "",
    } | changes


def test_an_open_shopify_order_holds_its_stock_back(shop: Database, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "orders.csv", shopify_order(LAMP_LINE))

    report = load(shop, path, FileFormat.SHOPIFY_ORDERS)

    order = read_order(shop, "5001")
    assert report.deeds == {Deed.ADDED: 1}
    assert order.state is OrderState.CONFIRMED
    assert [(line.sku, line.unit_price_minor) for line in order.lines] == [
        (MUG, 2400),
        (LAMP, 7900),
    ]
    assert (order.items_minor, order.shipping_minor, order.total_minor) == (10300, 490, 10790)
    assert payment_status(order.total_minor, order.payments) is PaymentStatus.PAID
    assert order.ship_to["postal_code"] == "10119"
    assert order.customer.email == "ada@example.com"
    with shop.read() as session:
        assert available(session, MUG) == 9
    assert broken_rules(shop) == {}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_the_same_file_twice_changes_nothing(shop: Database, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "orders.csv"
    rows = shopify_order(LAMP_LINE)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(SHOPIFY), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    load(shop, path, FileFormat.SHOPIFY_ORDERS)
    before = snapshot(shop)

    report = load(shop, path, FileFormat.SHOPIFY_ORDERS)

    assert report.deeds == {Deed.UNCHANGED: 1}
    assert snapshot(shop) == before


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(shop: Database, tmp_path: Path) -> None:
    rows = [*shopify_order(LAMP_LINE), *shopify_order(Name="#5002", Id="880002", Total="1.00")]
    path = write_csv(tmp_path / "orders.csv", rows)
    before = snapshot(shop)

    rehearsed = load(shop, path, FileFormat.SHOPIFY_ORDERS, dry_run=True)

    assert snapshot(shop) == before
    done = load(shop, path, FileFormat.SHOPIFY_ORDERS)
    assert rehearsed.deeds == done.deeds == {Deed.ADDED: 1, Deed.REFUSED: 1}
    assert rehearsed.reasons == done.reasons


def test_an_order_is_taken_whole_or_not_at_all(shop: Database, tmp_path: Path) -> None:
    bad = LAMP_LINE | {"Lineitem price": "seventy-nine", "Lineitem name": "=cmd|'/c calc'!A1"}
    rows = [*shopify_order(bad), *shopify_order(LAMP_LINE, Name="#5002", Id="880002")]
    path, rejects = write_csv(tmp_path / "orders.csv", rows), tmp_path / "rejects.csv"

    report = load(shop, path, FileFormat.SHOPIFY_ORDERS, rejects=rejects)

    assert report.deeds == {Deed.ADDED: 1, Deed.REFUSED: 1}
    refused = read_rejects(rejects)
    assert [(row["line"], row["record"]) for row in refused] == [("2", "#5001"), ("3", "#5001")]
    assert "Line 3 of the same order: 'seventy-nine' is not an amount" in refused[0]["reason"]
    assert refused[1]["Lineitem name"].startswith("'=cmd")
    with shop.read() as session:
        assert session.scalars(sa.select(Order.number)).all() == ["#5002"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"Total": "107.91"}, "Its lines and charges make €107.90, and it says €107.91"),
        ({"Subtotal": "110.00", "Total": "114.90"}, "cost less than its subtotal"),
        ({"Lineitem quantity": "0"}, "The quantity 0 is not possible"),
        ({"Lineitem price": "24.001"}, "smallest coin"),
        ({"Email": "not an address"}, "not an e-mail address"),
        ({"Shipping Country": "Atlantis"}, "not a country"),
        ({"Created at": "01/02/2026"}, "not a date and time"),
        ({"Name": "draft"}, "holds no single number"),
        ({"Currency": "XXY"}, "not a currency"),
        ({"Refunded Amount": "200.00"}, "More was refunded than was paid"),
        ({"Lineitem name": ""}, "is empty"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason(
    shop: Database, tmp_path: Path, changes: dict[str, object], why: str
) -> None:
    path = write_csv(tmp_path / "orders.csv", shopify_order(LAMP_LINE, **changes))
    before = snapshot(shop)

    report = load(shop, path, FileFormat.SHOPIFY_ORDERS, rejects=tmp_path / "rejects.csv")

    assert report.refused_lines == 2
    assert all(why in row["reason"] for row in read_rejects(tmp_path / "rejects.csv"))
    assert snapshot(shop) == before


def test_discounts_and_tax_on_top_are_kept_to_the_cent(shop: Database, tmp_path: Path) -> None:
    changes = {"Subtotal": "92.70", "Taxes": "8.11", "Total": "105.71", "Discount Amount": "10.30"}
    path = write_csv(
        tmp_path / "orders.csv",
        shopify_order(LAMP_LINE | {"Lineitem quantity": "1"}, **changes),
    )

    load(shop, path, FileFormat.SHOPIFY_ORDERS)

    order = read_order(shop, "5001")
    assert (order.total_minor, order.tax_minor) == (10571, 811)
    assert broken_rules(shop) == {}


def test_what_left_long_ago_does_not_touch_todays_stock(shop: Database, tmp_path: Path) -> None:
    rows = shopify_order(
        LAMP_LINE,
        **{"Created at": "2026-03-01", "Paid at": "2026-03-01", "Fulfillment Status": "fulfilled"},
        **{"Fulfilled at": "2026-03-03 10:00"},
    )
    path = write_csv(tmp_path / "orders.csv", rows)

    load(shop, path, FileFormat.SHOPIFY_ORDERS)

    order = read_order(shop, "5001")
    assert order.state is OrderState.COMPLETED
    with shop.read() as session:
        assert (available(session, MUG), available(session, LAMP)) == (10, 10)
    assert broken_rules(shop) == {}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"Fulfillment Status": "fulfilled", "Fulfilled at": "2026-11-19"}, "in_fulfillment"),
        ({"Fulfillment Status": "partial", "Fulfilled at": "2026-11-19"}, "in_fulfillment"),
        ({"Financial Status": "pending", "Paid at": ""}, "pending"),
        ({"Financial Status": "authorized", "Paid at": ""}, "confirmed"),
        (
            {
                "Cancelled at": "2026-11-19",
                "Financial Status": "refunded",
                "Refunded Amount": "107.90",
            },
            "cancelled",
        ),
        ({"Cancelled at": "2026-11-19", "Financial Status": "voided", "Paid at": ""}, "cancelled"),
        ({"Cancelled at": "2026-11-19"}, "pending"),
    ],
    ids=["sent", "half sent", "unpaid", "authorized", "refunded", "voided", "money kept"],
)
def test_an_order_is_where_its_export_says(
    shop: Database, tmp_path: Path, changes: dict[str, object], state: str
) -> None:
    lamp = LAMP_LINE | {"Lineitem fulfillment status": "fulfilled"}
    path = write_csv(tmp_path / "orders.csv", shopify_order(lamp, **changes))

    report = load(shop, path, FileFormat.SHOPIFY_ORDERS)

    assert report.deeds == {Deed.ADDED: 1}
    assert read_order(shop, "5001").state == state
    assert broken_rules(shop) == {}


def test_a_later_export_moves_an_order_on(shop: Database, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "1.csv", shopify_order(LAMP_LINE))
    load(shop, path, FileFormat.SHOPIFY_ORDERS)
    sent = {"Fulfillment Status": "fulfilled", "Fulfilled at": "2026-11-19 12:00:00 +0100"}
    later = write_csv(tmp_path / "2.csv", shopify_order(LAMP_LINE, **sent))

    report = load(shop, later, FileFormat.SHOPIFY_ORDERS)

    assert report.deeds == {Deed.CHANGED: 1}
    assert read_order(shop, "5001").state is OrderState.IN_FULFILLMENT
    with shop.read() as session:
        assert available(session, MUG) == 9
    assert broken_rules(shop) == {}
    assert load(shop, path, FileFormat.SHOPIFY_ORDERS).deeds == {Deed.OLDER: 1}
    assert read_order(shop, "5001").state is OrderState.IN_FULFILLMENT


def test_an_order_without_enough_stock_waits_and_says_why(shop: Database, tmp_path: Path) -> None:
    many = {"Lineitem quantity": "11", "Subtotal": "264.00", "Total": "268.90"}
    path = write_csv(tmp_path / "orders.csv", shopify_order(**many))

    load(shop, path, FileFormat.SHOPIFY_ORDERS)

    order = read_order(shop, "5001")
    assert (order.state, order.on_hold) == (OrderState.PENDING, True)
    assert "not enough stock" in str(order.hold_reason)
    assert broken_rules(shop) == {}


def test_an_item_nobody_described_is_made_and_not_put_on_sale(
    shop: Database, tmp_path: Path
) -> None:
    rows = shopify_order(**{"Lineitem sku": "", "Lineitem name": "Tote bag", "Subtotal": "24.00"})
    rows[0]["Total"] = "28.90"
    path = write_csv(tmp_path / "orders.csv", rows)

    load(shop, path, FileFormat.SHOPIFY_ORDERS)

    with shop.read() as session:
        item = session.scalars(sa.select(Item).where(Item.title == "Tote bag")).one()
    assert (item.status, item.sellable) == (ItemStatus.DRAFT, False)
    assert item.sku.startswith("NO-SKU-")


def test_a_number_that_is_taken_is_refused(shop: Database, tmp_path: Path) -> None:
    load(shop, write_csv(tmp_path / "1.csv", [plain("5001")]), FileFormat.ORDERS)

    report = load(
        shop, write_csv(tmp_path / "2.csv", shopify_order(LAMP_LINE)), FileFormat.SHOPIFY_ORDERS
    )

    assert report.deeds == {Deed.REFUSED: 1}
    assert list(report.reasons) == ["Another order here has the number …"]


def test_our_own_format_tells_a_whole_life(shop: Database, tmp_path: Path) -> None:
    rows = [
        plain(),
        plain("7002", cancelled_at="2026-10-02", refunded="52,90", sent_at="", delivered_at=""),
        plain("7003", tracking_number="00340434161094000009", delivered_at=""),
    ]
    path = write_csv(tmp_path / "orders.csv", rows)

    report = load(shop, path, FileFormat.ORDERS)

    states = {number: read_order(shop, number).state for number in ("7001", "7002", "7003")}
    assert report.deeds == {Deed.ADDED: 3}
    assert states == {
        "7001": OrderState.COMPLETED,
        "7002": OrderState.CANCELLED,
        "7003": OrderState.IN_FULFILLMENT,
    }
    assert broken_rules(shop) == {}


def test_a_line_of_the_wrong_width_spoils_its_own_order_only(
    shop: Database, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "orders.csv", [plain(), plain("7002"), plain("7003")])
    lines = path.read_text("utf-8").splitlines()
    lines[2] += ",one,too,many"
    path.write_text("\n".join(lines), encoding="utf-8")

    report = load(shop, path, FileFormat.ORDERS, rejects=tmp_path / "rejects.csv")

    assert report.deeds == {Deed.ADDED: 2, Deed.REFUSED: 1}
    (refused,) = read_rejects(tmp_path / "rejects.csv")
    assert (refused["line"], refused["record"]) == ("3", "7002")
    assert "It has 20 cells" in refused["reason"]


def test_thousands_of_orders_are_written_in_batches(shop: Database, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [plain(str(9000 + number)) for number in range(1100)]
    told: list[float] = []

    report = load(
        shop, write_csv(tmp_path / "orders.csv", rows), FileFormat.ORDERS, progress=told.append
    )

    assert report.deeds == {Deed.ADDED: 1100}
    assert len(told) == 3
    assert told[-1] == 1.0
    assert broken_rules(shop) == {}


def test_a_customer_is_one_since_the_first_order(shop: Database, tmp_path: Path) -> None:
    rows = [plain("7002", placed_at="2026-10-01"), plain("7001", placed_at="2025-01-01")]
    load(shop, write_csv(tmp_path / "orders.csv", rows), FileFormat.ORDERS)

    order = read_order(shop, "7001")

    assert order.customer.created_at == order.placed_at
    assert order.customer.created_at < NOON - 500 * DAY + timedelta(days=1)
