"""Products, customers, stock and invoice lists; and the nightly look at exports."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from opsbot.commerce.customers import Customer
from opsbot.commerce.inventory import available
from opsbot.commerce.orders import OrderLine
from opsbot.commerce.payments import refundable
from opsbot.commerce.products import Item, ItemStatus
from opsbot.commerce.reservations import reserve
from opsbot.commerce.returns import Return, ReturnLine
from opsbot.connectors.differences import list_differences
from opsbot.connectors.imports import FileFormat, ImportOptions
from opsbot.connectors.reconcile import reconcile_folder
from opsbot.connectors.writing import Deed
from opsbot.db import Database
from tests.factories import NOON, make_line, make_order
from tests.integration.connectors.conftest import (
    LAMP,
    MUG,
    OPTIONS,
    broken_rules,
    load,
    read_order,
    read_rejects,
    snapshot,
    write_csv,
)
from tests.integration.connectors.test_order_files import plain

POUNDS = ImportOptions(currency="GBP", zone="Europe/London")


def test_products_are_added_and_changed(shop: Database, tmp_path: Path) -> None:
    rows = [
        {"sku": MUG, "title": "Kiln mug, moss", "price": "26,50", "status": "", "variant_of": ""},
        {"sku": "LL-BAG-01", "title": "Tote", "price": "18", "status": "draft", "variant_of": ""},
        {"sku": "LL-BAG-01-R", "title": "Tote, red", "price": "1", "status": "x", "variant_of": ""},
        {"sku": "X", "title": "Lost", "price": "1", "status": "", "variant_of": "LL-NIL"},
        {"sku": "Y", "title": "Free", "price": "-1", "status": "", "variant_of": ""},
    ]
    path, rejects = write_csv(tmp_path / "products.csv", rows), tmp_path / "rejects.csv"

    report = load(shop, path, FileFormat.PRODUCTS, rejects=rejects)
    again = load(shop, path, FileFormat.PRODUCTS)

    assert report.deeds == {Deed.CHANGED: 1, Deed.ADDED: 1, Deed.REFUSED: 3}
    assert again.deeds == {Deed.UNCHANGED: 2, Deed.REFUSED: 3}
    with shop.read() as session:
        mug, bag = session.get_one(Item, MUG), session.get_one(Item, "LL-BAG-01")
    assert (mug.price_minor, mug.weight_g) == (2650, 380)
    assert (bag.status, bag.price_minor) == (ItemStatus.DRAFT, 1800)
    assert [row["record"] for row in read_rejects(rejects)] == ["LL-BAG-01-R", "Y", "X"]


def test_customers_are_added_and_changed_but_not_the_forgotten(
    shop: Database, tmp_path: Path
) -> None:
    rows = [
        {"email": "Ada@Example.com", "name": "Ada Brandt", "country": "Germany", "phone": "1"},
        {"email": "eve@example.com", "name": "Eve", "country": "FR", "phone": ""},
    ]
    path = write_csv(tmp_path / "customers.csv", rows)
    assert load(shop, path, FileFormat.CUSTOMERS).deeds == {Deed.ADDED: 2}
    with shop.write() as session:
        eve = session.scalars(sa.select(Customer).where(Customer.email == "eve@example.com")).one()
        eve.anonymized_at, eve.name = NOON, "Somebody"
        ada = session.scalars(sa.select(Customer).where(Customer.email == "ada@example.com")).one()
        assert (ada.country, ada.number) == ("DE", "C-1001")
        ada.phone = None

    report = load(shop, path, FileFormat.CUSTOMERS)

    assert report.deeds == {Deed.CHANGED: 1, Deed.REFUSED: 1}
    assert list(report.reasons) == ["This customer asked to be forgotten."]


def test_counted_stock_moves_by_the_difference(shop: Database, tmp_path: Path) -> None:
    with shop.write() as session:
        order = make_order(lines=[make_line(session.get_one(Item, LAMP), 3)])
        order.channel = session.scalars(
            sa.select(type(order.channel)).where(sa.column("code") == "web")
        ).one()
        session.add(order)
        session.flush()
        reserve(session, LAMP, 3, order_line_id=order.lines[0].id, at=NOON)
    rows = [
        {"sku": MUG, "location": "BER", "on_hand": "7"},
        {"sku": LAMP, "location": "BER", "on_hand": "2"},
        {"sku": "LL-NIL", "location": "BER", "on_hand": "1"},
        {"sku": MUG, "location": "OSL", "on_hand": "1"},
        {"sku": MUG, "location": "HAM", "on_hand": "many"},
    ]
    path = write_csv(tmp_path / "stock.csv", rows)

    report = load(shop, path, FileFormat.STOCK, rejects=tmp_path / "rejects.csv")

    reasons = {row["line"]: row["reason"] for row in read_rejects(tmp_path / "rejects.csv")}
    assert report.deeds == {Deed.CHANGED: 1, Deed.REFUSED: 4}
    assert reasons == {
        "3": "3 units are held back for orders; 2 is less.",
        "4": "There is no item LL-NIL here.",
        "5": "There is no location OSL here.",
        "6": "The stock 'many' is not a whole number.",
    }
    with shop.read() as session:
        assert (available(session, MUG), available(session, LAMP)) == (7, 7)


def invoice(number: str, code: str, units: int, price: str, **changes: str) -> dict[str, str]:
    """Return a line of an invoice list."""
    return {
        "InvoiceNo": number,
        "StockCode": code,
        "Description": f"THING {code}",
        "Quantity": str(units),
        "InvoiceDate": "2026-03-01 10:00:00",
        "UnitPrice": price,
        "CustomerID": "17850",
        "Country": "United Kingdom",
    } | changes


@pytest.fixture
def invoices(tmp_path: Path) -> Path:
    """Sales with postage, cancellations with and without a sale, and what is no sale."""
    later = {"InvoiceDate": "2026-03-05 10:00:00"}
    nobody = {"CustomerID": "", "Description": "damaged"}
    rows = [
        invoice("600001", "84029g", 6, "3.39"),
        invoice("600001", "71053", 2, "3.39"),
        invoice("600001", "POST", 1, "18.00"),
        invoice("600002", "84029G", 10, "3.39", InvoiceDate="2026-03-02 10:00:00"),
        invoice("C600003", "84029G", -12, "3.39", **later),
        invoice("C600003", "71053", -3, "3.39", **later),
        invoice("C600003", "D", -1, "5.00", **later),
        invoice("C600004", "84029G", -1, "3.39", CustomerID=""),
        invoice("600005", "22423", -4, "0.0", **nobody),
        invoice("600006", "22423", 1, "0.001"),
        invoice("600007", "M", 1, "20.00"),
        invoice("A600008", "B", 1, "11.00"),
        invoice("600009", "22423", 2, "12.75", CustomerID="", Country="Unspecified"),
        invoice("600001", "22423", 1, "12.75"),
    ]
    return write_csv(tmp_path / "invoices.csv", rows)


def test_an_invoice_list_becomes_orders_and_their_returns(
    shop: Database, tmp_path: Path, invoices: Path
) -> None:
    rejects = tmp_path / "rejects.csv"

    report = load(shop, invoices, FileFormat.ONLINE_RETAIL, options=POUNDS, rejects=rejects)

    refused = {row["line"]: row["reason"] for row in read_rejects(rejects)}
    assert refused == {
        "7": "Customer 17850 has 2 of 71053 that could come back, not 3.",
        "8": "It cancels a discount, not goods of an order.",
        "9": "It does not say whose goods are cancelled.",
        "10": "It is a correction of stock (damaged), not a sale.",
        "11": "0.001 GBP has parts of the smallest coin.",
        "12": "The invoice holds services only, and no goods.",
        "13": "It is an entry of the accounts, not a sale.",
    }
    first, second = read_order(shop, "600001"), read_order(shop, "600002")
    assert [(line.sku, line.returned) for line in first.lines] == [
        ("84029G", 2),
        ("71053", 0),
        ("22423", 0),
    ]
    assert (first.shipping_minor, first.total_minor) == (1800, 5787 - 0)
    assert second.lines[0].returned == 10
    assert refundable(second.payments) == 0
    assert report.refused_lines == 7
    assert broken_rules(shop) == {}


def test_an_invoice_list_twice_changes_nothing(shop: Database, invoices: Path) -> None:
    load(shop, invoices, FileFormat.ONLINE_RETAIL, options=POUNDS)
    before = snapshot(shop)

    load(shop, invoices, FileFormat.ONLINE_RETAIL, options=POUNDS)

    assert snapshot(shop) == before


def test_a_cancellation_takes_the_latest_sale_of_its_price(shop: Database, tmp_path: Path) -> None:
    rows = [
        invoice("600001", "A", 5, "2.00"),
        invoice("600002", "A", 5, "3.00", InvoiceDate="2026-03-02 10:00"),
        invoice("C600003", "A", -5, "2.00", InvoiceDate="2026-03-03 10:00"),
        invoice("600004", "A", 5, "2.00", InvoiceDate="2026-03-04 10:00"),
    ]

    load(shop, write_csv(tmp_path / "i.csv", rows), FileFormat.ONLINE_RETAIL, options=POUNDS)

    with shop.read() as session:
        returned = session.execute(sa.select(OrderLine.returned).order_by(OrderLine.id)).scalars()
        assert list(returned) == [5, 0, 0]
        assert session.scalars(sa.select(ReturnLine.reason)).all() == [None]
        assert session.scalars(sa.select(Return.refund_minor)).all() == [1000]


def test_the_nightly_look_reports_what_differs_and_changes_nothing(
    shop: Database, tmp_path: Path
) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    mug = {"sku": MUG, "title": "Kiln mug, moss", "price": "24,00"}
    known = [plain(), plain("7002"), plain("7004")]
    load(shop, write_csv(tmp_path / "orders.csv", known), FileFormat.ORDERS)
    there = [plain("7002", refunded="10,00"), plain("7003"), plain("7004", total="55,90")]
    write_csv(exports / "orders.csv", [plain(), *there])
    write_csv(exports / "products.csv", [mug | {"price": "25,00"}])
    write_csv(exports / "stock-berlin.csv", [{"sku": LAMP, "location": "BER", "on_hand": "9"}])
    before = snapshot(shop)

    compared = reconcile_folder(shop, exports, OPTIONS, now=NOON)

    with shop.read() as session:
        found = {(d.kind, d.key, d.field): (d.ours, d.theirs) for d in list_differences(session)}
    assert found == {
        ("order", "#7002", "refunded"): ("€0.00", "€10.00"),
        ("order", "#7003", "missing"): ("not here", "there"),
        ("order", "#7004", "total"): ("€52.90", "€55.90"),
        ("product", MUG, "price"): ("€24.00", "€25.00"),
        ("count", f"{LAMP} at BER", "on hand"): ("10", "9"),
    }
    assert len(compared) == 3
    after = snapshot(shop)
    assert {name for name in after if after[name] != before[name]} == {"source_differences"}


def test_a_difference_that_is_settled_is_forgotten_and_one_that_stays_keeps_its_age(
    shop: Database, tmp_path: Path
) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    rows = [{"sku": sku, "location": "BER", "on_hand": "9"} for sku in (MUG, LAMP)]
    write_csv(exports / "stock.csv", rows)
    reconcile_folder(shop, exports, OPTIONS, now=NOON)
    load(shop, write_csv(tmp_path / "stock.csv", rows[:1]), FileFormat.STOCK)

    reconcile_folder(shop, exports, OPTIONS, now=NOON + timedelta(days=1))

    with shop.read() as session:
        (left,) = list_differences(session)
    assert (left.key, left.found_at, left.seen_at) == (
        f"{LAMP} at BER",
        NOON,
        NOON + timedelta(days=1),
    )


def test_an_export_that_cannot_be_read_does_not_stop_the_others(
    shop: Database, tmp_path: Path
) -> None:
    (tmp_path / "orders.csv").write_text("nothing\nof use\n", encoding="utf-8")
    write_csv(tmp_path / "stock.csv", [{"sku": MUG, "location": "BER", "on_hand": "10"}])

    compared = reconcile_folder(shop, tmp_path, OPTIONS, now=NOON)

    assert [path.name for path, _ in compared] == ["stock.csv"]
