"""Figures of quality against hand calculations and the tables of the standard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.errors import InvalidInputError
from opsbot.planning.quality import (
    capability,
    defects_per_million,
    effectiveness,
    first_pass_yield,
    pareto,
    rolled_yield,
    scrap_rate,
    vital_few,
)
from opsbot.planning.sampling import LETTERS, Level, sampling_plan

LIMITS = (0.1, 0.15, 0.25, 0.4, 0.65, 1.0, 1.5, 2.5, 4.0, 6.5)
lots = st.integers(1, 600_000)


def test_the_yield_of_steps_is_their_product() -> None:
    assert rolled_yield([0.98, 0.95, 0.99]) == pytest.approx(0.922, abs=5e-4)
    assert first_pass_yield(47, 50) == 0.94


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_no_line_yields_more_than_its_worst_step(yields: list[float]) -> None:
    assert 0 <= rolled_yield(yields) <= min(yields)


def test_defects_are_counted_by_the_million() -> None:
    assert defects_per_million(3, 1500) == 2000
    assert defects_per_million(12, 400, opportunities=5) == 6000
    assert scrap_rate(95, 5) == 0.05


def test_capability_is_the_room_to_the_nearer_limit() -> None:
    readings = [9.8, 10.0, 10.2, 10.0, 10.0, 10.4, 10.2, 9.8, 10.2, 10.4]

    found = capability(readings, low=9.4, high=10.9)

    # Mean 10.1, squares of 0.42 in 9: a deviation of 0.2160.
    assert found.mean == pytest.approx(10.1)
    assert found.deviation == pytest.approx((0.42 / 9) ** 0.5)
    assert found.cp == pytest.approx(1.5 / (6 * 0.2160), abs=1e-3)
    assert found.cpk == pytest.approx(0.7 / (3 * 0.2160), abs=1e-3)


def test_capability_with_one_limit_has_no_width() -> None:
    found = capability([4, 5, 6], low=2)

    assert (found.cp, found.cpk, found.n) == (None, 1, 3)


@given(
    st.lists(st.integers(-100, 100), min_size=2, max_size=20).filter(lambda r: len(set(r)) > 1),
    st.integers(-100, 100),
    st.integers(1, 200),
)
def test_the_nearer_limit_never_leaves_more_room_than_the_width(
    readings: list[int], low: int, width: int
) -> None:
    found = capability(readings, low=low, high=low + width)

    assert found.cp is not None
    assert found.cpk <= found.cp + 1e-9
    inside = low < found.mean < low + width
    assert (found.cpk > 0) == inside


def test_effectiveness_is_the_product_of_its_three_factors() -> None:
    found = effectiveness(
        planned_minutes=420, down_minutes=47, ideal_minutes=1 / 60, made=19_271, good=18_848
    )

    # The example of Vorne's OEE page: 88.81 %, 86.11 % and 97.80 % make 74.79 %.
    assert found.availability == pytest.approx(0.8881, abs=5e-5)
    assert found.performance == pytest.approx(0.8611, abs=5e-5)
    assert found.quality == pytest.approx(0.9780, abs=5e-5)
    assert found.overall == pytest.approx(0.7479, abs=5e-5)


def test_causes_are_sorted_by_what_they_bring() -> None:
    rows = pareto({"chip": 10, "glaze": 60, "crack": 30, "none": 0})

    assert [(row.cause, row.share, row.cumulative) for row in rows] == [
        ("glaze", 0.6, 0.6),
        ("crack", 0.3, 0.9),
        ("chip", 0.1, 1),
    ]
    assert [row.cause for row in vital_few(rows)] == ["glaze", "crack"]
    assert [row.cause for row in vital_few(rows, share=0.6)] == ["glaze"]
    assert pareto({}) == []


@given(st.dictionaries(st.text(max_size=2), st.integers(0, 99), max_size=8), st.floats(0, 1))
def test_the_vital_few_bring_their_share_and_none_is_too_many(
    counts: dict[str, int], share: float
) -> None:
    rows = pareto(counts)

    few = vital_few(rows, share=share)

    assert rows == [] or rows[-1].cumulative == pytest.approx(1)
    if rows and share > 0:
        assert few[-1].cumulative >= share - 1e-9
        assert len(few) == 1 or few[-2].cumulative < share


def test_quality_figures_that_make_no_sense_are_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="good units must be from 0 to 5"):
        first_pass_yield(6, 5)
    with pytest.raises(InvalidInputError, match="Without steps"):
        rolled_yield([])
    with pytest.raises(InvalidInputError, match="units made"):
        scrap_rate(0, 0)
    with pytest.raises(InvalidInputError, match="opportunities"):
        defects_per_million(1, 1, opportunities=0)
    with pytest.raises(InvalidInputError, match="lower limit, an upper"):
        capability([1, 2])
    with pytest.raises(InvalidInputError, match="must be below the upper"):
        capability([1, 2], low=3, high=3)
    with pytest.raises(InvalidInputError, match="two readings"):
        capability([1], low=0)
    with pytest.raises(InvalidInputError, match="deviation of the readings"):
        capability([1, 1], low=0)
    with pytest.raises(InvalidInputError, match="run time"):
        effectiveness(planned_minutes=5, down_minutes=5, ideal_minutes=1, made=1, good=1)
    with pytest.raises(InvalidInputError, match="count of chip"):
        pareto({"chip": -1})


@pytest.mark.parametrize(
    ("lot", "limit", "expected"),
    [
        (1000, 2.5, ("J", 80, 5, 6, False)),
        (1000, 4.0, ("J", 80, 7, 8, False)),
        (1000, 0.65, ("J", 80, 1, 2, False)),
        (1000, 0.25, ("H", 50, 0, 1, False)),
        (8, 2.5, ("C", 5, 0, 1, False)),
        (5, 2.5, ("C", 5, 0, 1, True)),
        (20, 2.5, ("C", 5, 0, 1, False)),
        (50, 2.5, ("C", 5, 0, 1, False)),
        (90, 2.5, ("F", 20, 1, 2, False)),
        (400_000, 2.5, ("N", 500, 21, 22, False)),
        (3200, 1.0, ("K", 125, 3, 4, False)),
        (500_001, 0.65, ("Q", 1250, 14, 15, False)),
        (15, 6.5, ("A", 2, 0, 1, False)),
        (1, 6.5, ("A", 1, 0, 1, True)),
    ],
    ids=str,
)
def test_a_lot_gets_the_plan_of_the_standard(
    lot: int, limit: float, expected: tuple[str, int, int, int, bool]
) -> None:
    plan = sampling_plan(lot, limit)

    found = (plan.letter, plan.sample_size, plan.accept_up_to, plan.reject_from, plan.whole_lot)
    assert found == expected


@pytest.mark.parametrize(
    ("limit", "column"),
    [
        (0.65, "F1 J2 K3 L4 M6 N8 P11 Q15"),
        (1.0, "E1 H2 J3 K4 L6 M8 N11 P15 Q22"),
        (1.5, "D1 G2 H3 J4 K6 L8 M11 N15 P22"),
        (2.5, "C1 F2 G3 H4 J6 K8 L11 M15 N22"),
        (4.0, "B1 E2 F3 G4 H6 J8 K11 L15 M22"),
        (6.5, "A1 D2 E3 F4 G6 H8 J11 K15 L22"),
    ],
)
def test_the_rejection_numbers_are_those_of_table_ii_a(limit: float, column: str) -> None:
    largest = dict(zip("ABCDEFGHJKLMNPQ", LARGEST, strict=True))

    for cell in column.split():
        plan = sampling_plan(largest[cell[0]], limit)

        assert f"{plan.letter}{plan.reject_from}" == cell


LARGEST = (
    *(8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200),
    *(10_000, 35_000, 150_000, 500_000, 900_000),
)


@pytest.mark.parametrize(
    ("lot", "limit", "letters"),
    [
        (8, 6.5, "AAA"),
        (100, 4.0, "EFG"),
        (1000, 2.5, "GJK"),
        (40_000, 1.0, "LNP"),
        (10**6, 0.4, "NQR"),
    ],
    ids=["B points up to A", "D points down to E", "plain", "large", "largest"],
)
def test_the_level_moves_the_code_letter(lot: int, limit: float, letters: str) -> None:
    found = [sampling_plan(lot, limit, level=level).letter for level in Level]

    assert "".join(found) == letters


def test_a_good_lot_passes_and_a_bad_one_seldom_does() -> None:
    plan = sampling_plan(1000, 2.5)

    assert plan.chance_of_acceptance(0.025) == pytest.approx(0.985, abs=5e-4)
    assert plan.chance_of_acceptance(0.10) == pytest.approx(0.177, abs=5e-4)
    assert (plan.chance_of_acceptance(0), plan.chance_of_acceptance(1)) == (1, 0)


@given(lots, st.sampled_from(LIMITS), st.floats(0, 1), st.floats(0, 1))
def test_a_worse_lot_never_passes_more_often(
    lot: int, limit: float, one: float, other: float
) -> None:
    plan = sampling_plan(lot, limit)
    better, worse = sorted((one, other))

    assert plan.chance_of_acceptance(better) >= plan.chance_of_acceptance(worse) - 1e-12


@given(lots, st.sampled_from(LIMITS), st.sampled_from(list(Level)))
def test_no_sample_is_larger_than_its_lot(lot: int, limit: float, level: Level) -> None:
    plan = sampling_plan(lot, limit, level=level)

    assert 1 <= plan.sample_size <= lot
    assert plan.reject_from == plan.accept_up_to + 1
    assert plan.letter in LETTERS
    assert plan.whole_lot == (plan.sample_size == lot)


@given(lots, st.sampled_from(LIMITS))
def test_a_lot_as_good_as_its_limit_passes_nine_times_in_ten(lot: int, limit: float) -> None:
    plan = sampling_plan(lot, limit)

    if not plan.whole_lot:
        assert plan.chance_of_acceptance(limit / 100) > 0.87


def test_a_limit_that_the_standard_lacks_is_refused_with_those_it_has() -> None:
    with pytest.raises(InvalidInputError, match=r"no plan for 3 %; there are: 0\.1, .*6\.5"):
        sampling_plan(100, 3)
    with pytest.raises(InvalidInputError, match="lot size"):
        sampling_plan(0, 2.5)
    with pytest.raises(InvalidInputError, match="defective pieces"):
        sampling_plan(100, 2.5).chance_of_acceptance(1.1)
