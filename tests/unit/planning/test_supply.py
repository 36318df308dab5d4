"""Suppliers, landed cost and the health of stock, on figures that can be counted by hand."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.errors import InvalidInputError
from opsbot.planning.demand import SteadinessClass, ValueClass
from opsbot.planning.inventory_health import (
    Aged,
    age_of_stock,
    days_of_inventory,
    excess_units,
    grid,
    is_dead,
    mean_stock_value,
    turns,
)
from opsbot.planning.landed_cost import Basis, ImportLine, divide, landed_costs
from opsbot.planning.suppliers import (
    DeliveredLine,
    Scorecard,
    Weights,
    lead_times,
    scorecard,
    supplier_score,
)

TODAY = date(2026, 11, 20)
NOTHING = Scorecard(0, None, None, None, None, 0)


def line(
    sku: str = "OAK",
    *,
    ordered: int = -30,
    promised: int = -10,
    received: int | None = -10,
    units: int = 100,
    rejected: int = 0,
    price: float = 5,
) -> DeliveredLine:
    """Make a line; days count from today."""
    arrived = None if received is None else TODAY + timedelta(days=received)
    return DeliveredLine(
        sku,
        TODAY + timedelta(days=ordered),
        TODAY + timedelta(days=promised),
        arrived,
        ordered=units,
        received=0 if arrived is None else units,
        rejected=rejected,
        unit_price=price,
    )


def test_a_scorecard_counts_what_was_due() -> None:
    lines = [
        line(rejected=3),
        line(received=-9),
        line(ordered=-20, received=-10),
        line(received=None, promised=-1),
        line(received=None, promised=0),
    ]

    card = scorecard(lines, today=TODAY)

    assert (card.due, card.overdue, card.on_time) == (4, 1, 0.5)
    assert card.ppm == 10_000
    assert card.lead_times is not None
    assert (card.lead_times.mean, card.lead_times.n) == (17, 3)
    assert card.lead_times.deviation == pytest.approx(37**0.5)  # days 20, 21 and 10


def test_the_price_change_is_last_against_first_weighed_by_what_was_spent() -> None:
    lines = [
        line("OAK", ordered=-200, price=5),
        line("OAK", ordered=-100, price=9),
        line("OAK", ordered=-30, price=6),
        line("WAX", ordered=-200, price=10),
        line("WAX", ordered=-30, price=10),
        line("BOX", ordered=-30, price=99),
    ]

    card = scorecard(lines, today=TODAY)

    # Oak rose by 20 % on 2,000 spent, wax by nothing on 2,000; the box was bought once.
    assert card.price_change == pytest.approx(0.1)


def test_a_supplier_of_nothing_has_no_figures_and_no_score() -> None:
    assert scorecard([], today=TODAY) == NOTHING
    assert supplier_score(NOTHING) is None
    assert lead_times([]) is None


def test_a_perfect_supplier_scores_100_and_the_worst_0() -> None:
    best, worst = Scorecard(9, 1.0, None, 0.0, -0.05, 0), Scorecard(9, 0.0, None, 50_000, 0.2, 9)

    assert supplier_score(best) == 100
    assert supplier_score(worst) == 0


def test_a_score_weighs_the_parts_that_are_known() -> None:
    card = Scorecard(9, 0.9, None, 5_000, None, 0)

    assert supplier_score(card) == pytest.approx((50 * 90 + 35 * 75) / 85)
    assert supplier_score(card, Weights(on_time=1, quality=0, price=5)) == pytest.approx(90)


@given(
    st.floats(0, 1), st.floats(0, 1), st.floats(0, 60_000), st.floats(-0.3, 0.3), st.floats(0, 0.3)
)
def test_a_better_supplier_never_scores_less(
    one: float, other: float, ppm: float, change: float, rise: float
) -> None:
    less, more = sorted((one, other))

    worse = supplier_score(Scorecard(9, less, None, ppm, change + rise, 0))
    better = supplier_score(Scorecard(9, more, None, ppm / 2, change, 0))

    assert worse is not None
    assert better is not None
    assert 0 <= worse <= better + 1e-9 <= 100 + 1e-6


def test_a_line_that_makes_no_sense_is_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="before it is ordered"):
        scorecard([line(ordered=-5)], today=TODAY)
    with pytest.raises(InvalidInputError, match="What was rejected"):
        scorecard([line(rejected=101)], today=TODAY)
    with pytest.raises(InvalidInputError, match="sum of the weights"):
        supplier_score(NOTHING, Weights(0, 0, 0))


LAMPS = ImportLine("LAMP", 100, 300_000, 200_000, Fraction(47))
MUGS = ImportLine("MUG", 300, 100_000, 100_000, Fraction(120))


def test_landed_cost_adds_freight_duty_and_fees_by_line() -> None:
    lamps, mugs = landed_costs(
        [LAMPS, MUGS], freight_minor=60_000, insurance_minor=2_000, fees_minor=9_000
    )

    # Freight and fees 2 : 1 by weight, insurance 3 : 1 by value; duty on 341,500 and 120,500.
    assert (lamps.freight, lamps.insurance, lamps.fees) == (40_000, 1_500, 6_000)
    assert (mugs.freight, mugs.insurance, mugs.fees) == (20_000, 500, 3_000)
    assert (lamps.duty, mugs.duty) == (16_050, 14_460)  # 16,050.5 to the even cent
    assert mugs.total == 137_960
    assert mugs.per_unit == Fraction(137_960, 300)


def test_duty_can_be_due_on_the_goods_alone_and_freight_go_by_value() -> None:
    lamps, mugs = landed_costs(
        [LAMPS, MUGS], freight_minor=60_000, basis=Basis.VALUE, duty_on_freight=False
    )

    assert (lamps.freight, mugs.freight) == (45_000, 15_000)
    assert (lamps.duty, mugs.duty) == (14_100, 12_000)


@given(st.integers(0, 10**7), st.lists(st.integers(0, 10**6), min_size=1, max_size=12))
def test_a_divided_amount_adds_up_to_the_last_cent(amount: int, keys: list[int]) -> None:
    parts = divide(amount, keys)

    assert sum(parts) == amount
    assert min(parts) >= 0
    whole = sum(keys)
    if whole:
        for part, key in zip(parts, keys, strict=True):
            assert abs(part - amount * key / whole) < 1 + 1e-6
        assert all(part == 0 for part, key in zip(parts, keys, strict=True) if key == 0)


def test_an_amount_among_equals_is_divided_evenly() -> None:
    assert divide(10, [0, 0, 0]) == [4, 3, 3]


def test_imports_that_make_no_sense_are_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="one line or more"):
        landed_costs([])
    with pytest.raises(InvalidInputError, match="cost of the delivery"):
        landed_costs([LAMPS], freight_minor=-1)
    with pytest.raises(InvalidInputError, match="quantity of LAMP"):
        landed_costs([ImportLine("LAMP", 0, 1, 1)])
    with pytest.raises(InvalidInputError, match="nothing to divide"):
        divide(5, [])


def test_days_of_inventory_and_turns_tell_the_same() -> None:
    assert days_of_inventory(182_000, 1_240_000) == pytest.approx(53.6, abs=0.05)
    assert turns(182_000, 1_240_000) == pytest.approx(6.8, abs=0.05)
    assert mean_stock_value([100, 200, 0]) == 100


@given(st.floats(1, 1e7), st.floats(1, 1e8))
def test_turns_times_days_is_a_year(stock: float, cost: float) -> None:
    assert turns(stock, cost) * days_of_inventory(stock, cost) == pytest.approx(365)


def test_stock_above_twelve_weeks_of_forecast_is_excess() -> None:
    assert excess_units(100, 5) == 40
    assert excess_units(60, 5) == 0
    assert excess_units(30, 0) == 30


def test_stock_is_dead_after_half_a_year_without_a_move_out() -> None:
    long_ago = TODAY - timedelta(days=400)

    assert is_dead(TODAY - timedelta(days=180), long_ago, today=TODAY)
    assert not is_dead(TODAY - timedelta(days=179), long_ago, today=TODAY)
    assert is_dead(None, long_ago, today=TODAY)
    assert not is_dead(None, TODAY - timedelta(days=30), today=TODAY)


def test_the_newest_receipts_are_still_there_when_the_oldest_go_first() -> None:
    receipts = [
        (TODAY - timedelta(days=days), units) for days, units in ((90, 50), (30, 20), (5, 8))
    ]

    assert age_of_stock(receipts, 25, today=TODAY) == [Aged(30, 17), Aged(5, 8)]
    assert age_of_stock(receipts, 90, today=TODAY) == [Aged(90, 62), Aged(30, 20), Aged(5, 8)]
    assert age_of_stock(receipts, 0, today=TODAY) == []


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 50)), min_size=1), st.integers(0, 999)
)
def test_every_unit_on_the_shelf_has_an_age(receipts: list[tuple[int, int]], on_hand: int) -> None:
    dated = [(TODAY - timedelta(days=days), units) for days, units in receipts]

    aged = age_of_stock(dated, on_hand, today=TODAY)

    assert sum(one.units for one in aged) == on_hand
    assert [one.days for one in aged] == sorted((one.days for one in aged), reverse=True)
    assert all(one.units > 0 for one in aged)


def test_the_grid_counts_items_and_stock_by_both_classes() -> None:
    cells = grid(
        {"lamp": ValueClass.A, "mug": ValueClass.A, "pin": ValueClass.C},
        {"lamp": SteadinessClass.Y, "mug": SteadinessClass.Y, "pin": SteadinessClass.Z},
        {"lamp": 900, "pin": 4},
    )

    assert len(cells) == 9
    filled = [(one.value, one.steadiness, one.items, one.stock_value) for one in cells if one.items]
    assert filled == [
        (ValueClass.A, SteadinessClass.Y, 2, 900),
        (ValueClass.C, SteadinessClass.Z, 1, 4),
    ]


def test_stock_figures_that_make_no_sense_are_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="cost of what was sold"):
        days_of_inventory(1, 0)
    with pytest.raises(InvalidInputError, match="value of stock"):
        turns(0, 1)
    with pytest.raises(InvalidInputError, match="never came in"):
        age_of_stock([], 1, today=TODAY)
    with pytest.raises(InvalidInputError, match="lamp has a class"):
        grid({"lamp": ValueClass.A}, {}, {})
    with pytest.raises(InvalidInputError, match="Without days"):
        mean_stock_value([])
    with pytest.raises(InvalidInputError, match="Stock must be 0 or more"):
        excess_units(-1, 1)
