"""The nightly look at what the shop's own exports say, beside our records."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from opsbot.commerce.inventory import Location, StockLevel
from opsbot.commerce.orders import Order, OrderState
from opsbot.commerce.payments import PaymentKind
from opsbot.commerce.products import Item
from opsbot.connectors.differences import Difference, keep_differences
from opsbot.connectors.files import FileImport, Format, Group, ImportReport, Rejects
from opsbot.connectors.foreign import ForeignOrder
from opsbot.connectors.imports import FileFormat, ImportOptions, open_format
from opsbot.connectors.links import LinkKind, links_of
from opsbot.connectors.tables import Row, Table
from opsbot.connectors.writing import Deed, Outcome
from opsbot.db import Database
from opsbot.errors import OpsbotError
from opsbot.formats import format_money

MISSING = "missing"
COMPARED = (
    FileFormat.SHOPIFY_ORDERS,
    FileFormat.ORDERS,
    FileFormat.PRODUCTS,
    FileFormat.STOCK,
)
_log = logging.getLogger(__name__)

Compare = Callable[[Session, str, Sequence[Any]], Iterator[tuple[str, list[Difference]]]]
"""Yields each record's key, with what differs."""


def reconcile_folder(
    database: Database, folder: Path, options: ImportOptions, *, now: datetime
) -> list[tuple[Path, ImportReport]]:
    """Compare the newest export of each kind in a folder with our records.

    A file belongs to the kind its name begins with: `shopify-orders-2026-11-20.csv`. What differs
    is written down; nothing is changed.

    Args:
        database: our records.
        folder: where the shop puts its exports; it need not be there.
        options: what files do not say by themselves.
        now: the time.

    Returns:
        Each file that was compared, with its records by whether they differ.
    """
    compared = []
    for kind in COMPARED:
        newest = max(folder.glob(f"{kind}*.csv"), key=_age_of, default=None)
        if newest is None:
            continue
        try:
            compared.append((newest, compare_file(database, newest, kind, options, now=now)))
        except OpsbotError as error:
            _log.warning("The export %s was not compared: %s", newest, error)
    return compared


def _age_of(path: Path) -> float:
    return path.stat().st_mtime


def compare_file(
    database: Database, path: Path, kind: FileFormat, options: ImportOptions, *, now: datetime
) -> ImportReport:
    """Compare one export with our records; what differs is written down.

    Raises:
        InvalidInputError: the file is not of this kind.
        UnavailableError: the file or the database cannot be read.
    """
    form = _Comparison(open_format(kind, options, [], now=now), kind, _source(kind, options), now)
    with Table(path) as table:
        run = FileImport(table, form, database.write, Rejects(None, ()))
        return run.run(lambda _done: None)


def _source(kind: FileFormat, options: ImportOptions) -> str:
    return "shopify" if kind is FileFormat.SHOPIFY_ORDERS else options.source


@dataclass
class _Comparison:
    """Reads a file as its import does, and compares instead of writing."""

    form: Format
    kind: FileFormat
    source: str
    now: datetime

    def __post_init__(self) -> None:
        self.what = self.form.what
        self.needs = self.form.needs

    def key(self, row: Row) -> str:
        return self.form.key(row)

    def read(self, rows: Sequence[Row], refuse: Callable[[Row, str], None]) -> Any:
        return self.form.read(rows, refuse)

    def store(
        self, session: Session, groups: Sequence[Group], refuse: Callable[[Row, str], None]
    ) -> list[Outcome]:
        comparisons: Mapping[FileFormat, Compare] = {
            FileFormat.PRODUCTS: _compare_products,
            FileFormat.STOCK: _compare_stock,
        }
        compare = comparisons.get(self.kind, _compare_orders)
        pairs = list(compare(session, self.source, [group.record for group in groups]))
        keys = [key for key, _ in pairs]
        found = [one for _, differences in pairs for one in differences]
        keep_differences(session, self.source, self.what, keys, found, now=self.now)
        return [Outcome(Deed.CHANGED if diffs else Deed.UNCHANGED) for _, diffs in pairs]


def _compare_orders(
    session: Session, source: str, orders: Sequence[ForeignOrder]
) -> Iterator[tuple[str, list[Difference]]]:
    links = links_of(session, source, LinkKind.ORDER, [order.external_id for order in orders])
    ids = [int(link.record) for link in links.values()]
    loaded = select(Order).where(Order.id.in_(ids))
    rows = session.scalars(loaded.options(selectinload(Order.lines), selectinload(Order.payments)))
    ours = {str(row.id): row for row in rows}
    for order in orders:
        link = links.get(order.external_id)
        row = ours.get(link.record) if link else None
        if row is None:
            yield order.number, [Difference(order.number, MISSING, "not here", "there")]
        else:
            yield order.number, list(_order_differences(row, order))


def _order_differences(row: Order, order: ForeignOrder) -> Iterator[Difference]:
    def money(minor: int) -> str:
        return format_money(minor, order.currency)

    sums = dict.fromkeys(PaymentKind, 0)
    for payment in row.payments:
        sums[payment.kind] += payment.amount_minor
    # What it says, even where its own lines make something else, so that an import would refuse it.
    stated = order.total if order.total_minor is None else order.total_minor
    sent = sum(sum(parcel.units.values()) for parcel in order.parcels if parcel.shipped_at)
    pairs = {
        "total": (money(row.total_minor), money(stated)),
        "paid": (money(sums[PaymentKind.CAPTURE]), money(order.money.captured)),
        "refunded": (money(sums[PaymentKind.REFUND]), money(order.money.refunded)),
        "units sent": (str(sum(line.shipped for line in row.lines)), str(sent)),
        "cancelled": (_yes(row.state is OrderState.CANCELLED), _yes(order.is_cancelled)),
    }
    for field, (ours, theirs) in pairs.items():
        if ours != theirs:
            yield Difference(order.number, field, ours, theirs)


def _yes(fact: bool) -> str:  # noqa: FBT001  (the one thing it is about)
    return "yes" if fact else "no"


def _compare_products(
    session: Session, _source: str, products: Sequence[dict[str, Any]]
) -> Iterator[tuple[str, list[Difference]]]:
    skus = [product["sku"] for product in products]
    ours = {item.sku: item for item in session.scalars(select(Item).where(Item.sku.in_(skus)))}
    for product in products:
        sku = product["sku"]
        item = ours.get(sku)
        if item is None:
            yield sku, [Difference(sku, MISSING, "not here", "there")]
            continue
        price = format_money(item.price_minor, item.currency)
        theirs = format_money(product["price_minor"], product["currency"])
        pairs = {"title": (item.title, product["title"]), "price": (price, theirs)}
        yield (
            sku,
            [Difference(sku, field, *pair) for field, pair in pairs.items() if pair[0] != pair[1]],
        )


def _compare_stock(
    session: Session, _source: str, counts: Sequence[tuple[str, str, int]]
) -> Iterator[tuple[str, list[Difference]]]:
    found = session.execute(
        select(StockLevel.sku, Location.code, StockLevel.on_hand)
        .join(Location, Location.id == StockLevel.location_id)
        .where(StockLevel.sku.in_([sku for sku, _, _ in counts]))
    )
    ours = {(sku, code): units for sku, code, units in found}
    for sku, code, units in counts:
        key = f"{sku} at {code}"
        here = ours.get((sku, code), 0)
        different = [Difference(key, "on hand", str(here), str(units))]
        yield key, different if here != units else []
