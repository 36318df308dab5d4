"""Measures of margin, parcels, stages, stock, suppliers, production and voices, counted by hand."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from opsbot.db import Database
from opsbot.metrics.grouping import Dimension
from opsbot.metrics.named_values import find_values
from opsbot.metrics.query import MetricResult
from tests.integration.metrics.test_metrics import figures, measure, near
from tests.integration.metrics.workshop import MAY, add_workshop

LATER = datetime(2027, 3, 1, 12, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, 10, tzinfo=UTC)


@pytest.fixture
def workshop(database: Database) -> Database:
    """The shop of `workshop.py`."""
    with database.write() as session:
        add_workshop(session)
    return database


def may(
    database: Database, key: str, by: str | None = None, *, now: datetime = LATER
) -> MetricResult:
    return measure(database, key, "2026-05", by, now=now)


def test_the_margin_of_a_channel_is_what_its_orders_leave(workshop: Database) -> None:
    result = may(workshop, "channel_margin", "channel")

    # Web: 4 mugs, and 2 mugs with a lamp; 4 % came back. Market: a lamp.
    web = (244_00, 90_00, 4_88, 10_00, 24_00)
    market = (100_00, 30_00, 10_00, 9_00, 0)
    margins = {row.label: row.values for row in result.rows}
    assert margins["Web store"][0] == 115_12
    assert margins["Web store"][1] == near(11512 / 24400)
    assert margins["Web store"][2:] == web
    assert (margins["Marketplace"][0], margins["Marketplace"][2:]) == (51_00, market)
    assert result.total.values[0] == 115_12 + 51_00


def test_sales_and_what_was_paid_back(workshop: Database) -> None:
    assert may(workshop, "units").total.values == (8,)
    assert figures(may(workshop, "units", "item")) == {
        "Kiln mug, moss": (6, 6),
        "Ember lamp": (2, 2),
    }
    # 24.00 of 344.00; the refund was paid in May too
    assert may(workshop, "refund_rate").total.values == (near(24 / 344), 24_00)


def test_customers_who_order_again_are_counted_from_their_first_order(workshop: Database) -> None:
    result = may(workshop, "repeat_rate")

    assert (result.total.values, result.n) == ((1 / 2,), 2)
    assert may(workshop, "repeat_rate", now=JUNE).total.open_until is not None


def test_orders_and_lines_are_on_time_or_not(workshop: Database) -> None:
    assert may(workshop, "otif", "country").total.values == (2 / 3,)
    assert (may(workshop, "otif_lines").total.values, may(workshop, "otif_lines").n) == (
        (3 / 4,),
        4,
    )
    # #3 left after 60 hours; promised were 48
    assert figures(may(workshop, "on_time_ship", "country")) == {
        "Germany": (1, 1),
        "Austria": (1 / 2, 2),
    }
    # its parcel was packed in 56 hours, so none of its 3 units came off the shelf at once
    assert may(workshop, "fill_rate").total.values == (5 / 8,)
    assert may(workshop, "fill_rate").n == 8


def test_a_perfect_order_has_no_complaint_behind_it(workshop: Database) -> None:
    result = may(workshop, "perfect_order")

    # #1 came in time, but damaged; #2 late; #3 is perfect
    assert result.total.values == (1 / 3,)
    assert may(workshop, "perfect_order", now=JUNE).total.open_until is not None


def test_the_time_of_an_order_goes_into_its_stages(workshop: Database) -> None:
    result = may(workshop, "cycle_time", "stage")

    rows = {row.key: row.values for row in result.rows}
    assert rows["placed_to_paid"][:2] == near((0, 0.8 * 6 / 24))
    assert "paid_to_reserved" not in rows  # nothing was reserved
    # 14, 20 and 56 hours; the first begins when it was paid
    assert rows["reserved_to_packed"][0] == near(20 / 24)
    assert rows["packed_to_shipped"][0] == near(4 / 24)
    assert rows["shipped_to_delivered"][0] == near(3.5)
    whole = 6 + 14 + 20 + 56 + 3 * 4 + 48 + 144 + 84
    assert rows["shipped_to_delivered"][2] == near(276 / whole)
    assert result.total.values[0] == near(144 / 24)


def test_parcels_by_carrier(workshop: Database) -> None:
    transit = {row.label: row.values for row in may(workshop, "transit_days", "carrier").rows}

    assert transit["DHL"] == near((2.75, 2.375, 3.125, 3.35))
    assert transit["GLS"] == near((6, 6, 6, 6))
    assert figures(may(workshop, "carrier_on_time", "carrier")) == {"DHL": (1, 2), "GLS": (0, 1)}
    cost = may(workshop, "cost_per_parcel", "country")
    assert {row.label: row.values for row in cost.rows} == {
        "Germany": (400, 400, 400),
        "Austria": (750, 750, 1500),
    }
    assert figures(may(workshop, "damage_rate", "service")) == {
        "DHL Paket": (1 / 2, 2),
        "GLS Paket": (0, 1),
    }


def test_a_filter_of_two_values_keeps_both(workshop: Database) -> None:
    kept = {Dimension.CARRIER: ("dhl", "GLS"), Dimension.COUNTRY: ("AT",)}

    result = measure(workshop, "transit_days", "2026-05", "carrier", filters=kept, now=LATER)

    assert figures(result) == {"DHL": (near(3.5), 1), "GLS": (near(6), 1)}


def test_returns_by_reason_and_how_long_they_take(workshop: Database) -> None:
    assert figures(may(workshop, "reason_share", "reason")) == {
        "Damaged transit": (1 / 2, 1),
        "Changed mind": (1 / 2, 1),
    }
    days = may(workshop, "refund_days")
    assert (days.total.values, days.n) == (near((10, 10, 3)), 1)


def test_stock_is_valued_and_its_mean_is_over_time(workshop: Database) -> None:
    value = measure(workshop, "stock_value", "today", "category")
    assert {row.label: row.values for row in value.rows} == {
        "Ceramics": (50_00, 5),
        "Lamps": (60_00, 2),
    }
    days = may(workshop, "dio", "category")
    # mugs: 100.00 until 16 May at noon (15.5 of 31 days), then 50.00; 50.00 sold
    ceramics = next(row for row in days.rows if row.label == "Ceramics")
    assert ceramics.values == (near(75 / 50 * 31), 75_00, 50_00)
    lamps = next(row for row in days.rows if row.label == "Lamps")
    assert lamps.values[0] is None  # none was sold
    turns = may(workshop, "turns", "item")
    assert turns.rows[0].values[1] == near(50 / 75)


def test_dead_stock_is_what_was_there_and_not_used(workshop: Database) -> None:
    result = may(workshop, "dead_stock", "item")

    # a count moved the lamps, which is no use of them
    assert [(row.label, row.values) for row in result.rows] == [("Ember lamp", (60_00, 2, 1))]
    assert measure(workshop, "dead_stock", "2026-03", now=LATER).total.values == (0, 0, 0)


def test_suppliers_by_line(workshop: Database) -> None:
    assert figures(may(workshop, "supplier_on_time", "supplier")) == {
        "Kiln & Co": (1, 1),
        "Lux": (0, 1),
    }
    lead = may(workshop, "supplier_lead_time").total.values
    assert lead == near((15.05, 15.05, 9.9 / 2**0.5, 19.01))
    ppm = {row.label: row.values for row in may(workshop, "supplier_ppm", "supplier").rows}
    assert ppm == {"Kiln & Co": (20_000, 2), "Lux": (0, 0)}


def test_production_and_quality(workshop: Database) -> None:
    assert (may(workshop, "schedule_adherence").total.values) == (1 / 2,)
    assert may(workshop, "fpy").total.values == (45 / 50,)
    assert may(workshop, "scrap_rate").total.values == (5 / 50,)
    assert may(workshop, "dpmo").total.values == (near(3 / 40 * 1_000_000), 1)
    assert figures(may(workshop, "acceptance_rate", "kind")) == {"Final": (1 / 2, 2)}


def test_what_still_waits_is_counted_as_of_now(workshop: Database) -> None:
    now = MAY + timedelta(days=10)
    with workshop.write() as session:
        session.execute(sa.text("UPDATE order_lines SET returned = 0, delivered = 0, shipped = 0"))
        session.execute(sa.text("UPDATE orders SET state = 'confirmed' WHERE number = '#1'"))

    result = measure(workshop, "backlog_age", "today", "stage", now=now)

    assert [(row.label, row.values) for row in result.rows] == [
        ("Waits to be packed", (near(10), near(10), 1, 1))
    ]


def test_a_share_has_an_interval_and_a_change_is_called_one_only_if_it_is(
    workshop: Database,
) -> None:
    result = measure(workshop, "otif", "2026-05", now=LATER, compare=True)

    low, high = result.total.interval or (0, 0)
    assert 0.2 < low < 2 / 3 < high < 0.95
    assert result.total.change is None  # nothing was due in April


def test_only_the_largest_groups_are_shown_when_asked(workshop: Database) -> None:
    with workshop.read() as session:
        named = find_values(session, "Lux and Kiln", [Dimension.SUPPLIER], locale="en")
    assert set(named[Dimension.SUPPLIER]) == {"Lux", "Kiln & Co"}

    result = measure(workshop, "units", "2026-05", "item", now=LATER, top=1)

    assert [row.label for row in result.rows] == ["Kiln mug, moss"]
    assert "The first 1 of 2." in result.caveats


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("DHL to Austria than GLS", {"carrier": {"DHL", "GLS"}, "country": {"AT"}}),
        ("the marketplace", {"channel": {"market"}}),
        ("AT", {"country": {"AT"}}),
        ("österreich", {}),
        ("slower grow costing", {}),
        ("Ember lamp", {"product": {"LL-LMP-02"}}),
        ("lamps", {"category": {"lamps"}}),
        ("damaged transit", {"reason": {"damaged_transit"}}),
        ("web store or marketplace in the UK", {"channel": {"web", "market"}, "country": {"GB"}}),
    ],
    ids=["carriers", "channel", "code", "foreign", "noise", "product", "category", "reason", "two"],
)
def test_words_name_parts_of_the_records(
    workshop: Database, words: str, named: dict[str, set[str]]
) -> None:
    with workshop.read() as session:
        found = find_values(session, words, list(Dimension), locale="en")

    assert {str(dimension): set(values) for dimension, values in found.items()} == named
