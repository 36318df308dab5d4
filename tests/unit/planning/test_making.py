"""Bills of materials, load and dates of a small studio that can be worked out by hand."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.errors import InvalidInputError
from opsbot.planning.boms import Part, Use, explode, rolled_cost, where_used
from opsbot.planning.capacity import (
    Operation,
    WeekLoad,
    Work,
    bottleneck,
    day_capacity,
    days_needed,
    schedule,
    week_loads,
)
from opsbot.planning.making import (
    Shop,
    Source,
    break_even,
    capable_to_promise,
    compare_sources,
)

MONDAY = date(2026, 11, 23)
BOMS = {
    "LAMP": [
        Part("BASE", Decimal(1)),
        Part("SCREW", Decimal(4)),
        Part("OIL", Decimal("12.5"), whole=False),
    ],
    "BASE": [
        Part("OAK", Decimal("0.2"), scrap=Decimal("0.2"), whole=False),
        Part("SCREW", Decimal(2)),
    ],
    "GIFT": [Part("LAMP", Decimal(1)), Part("BOX", Decimal(1))],
}
STUDIO: dict[str, Callable[[date], float]] = {
    "SAW": lambda _: 120.0,
    "BENCH": lambda day: 0.0 if day == MONDAY else 60.0,
}
ROUTINGS = {
    "BASE": [Operation("SAW", setup_minutes=30, run_minutes=10)],
    "LAMP": [Operation("BENCH", setup_minutes=0, run_minutes=12, queue_days=1)],
}


def units(**amounts: int) -> dict[str, Decimal]:
    return {sku: Decimal(amount) for sku, amount in amounts.items()}


def in_days(days: int) -> date:
    return MONDAY + timedelta(days=days)


def test_needs_are_added_up_through_all_levels() -> None:
    needs = explode(BOMS, "LAMP", Decimal(10))

    assert [(n.sku, n.level, n.missing, n.made) for n in needs] == [
        ("LAMP", 0, 10, True),
        ("BASE", 1, 10, True),
        ("OIL", 1, 125, False),
        ("OAK", 2, Decimal("2.5"), False),  # a fifth of it is lost
        ("SCREW", 2, 60, False),
    ]


def test_a_sub_assembly_in_stock_needs_no_parts() -> None:
    needs = {n.sku: n for n in explode(BOMS, "LAMP", Decimal(10), stock=units(BASE=4, SCREW=50))}

    assert needs["BASE"].from_stock == 4
    assert needs["BASE"].missing == 6
    assert needs["SCREW"].gross == 40 + 12
    assert needs["SCREW"].from_stock == 50
    assert needs["SCREW"].missing == 2


def test_pieces_are_rounded_up_and_materials_are_not() -> None:
    boms = {
        "TRAY": [
            Part("PIN", Decimal(3), scrap=Decimal("0.1")),
            Part("GLUE", Decimal("0.3"), whole=False),
        ]
    }

    needs = {need.sku: need.missing for need in explode(boms, "TRAY", Decimal(2))}

    assert needs == {"TRAY": 2, "PIN": 7, "GLUE": Decimal("0.6")}


def test_cost_rolls_up_from_parts_and_work() -> None:
    prices = {"SCREW": Decimal("0.05"), "OIL": Decimal("0.02"), "OAK": Decimal(8)}

    cost = rolled_cost(BOMS, "LAMP", bought=prices, work={"BASE": Decimal(3), "LAMP": Decimal(5)})

    # Base: 2.00 oak, 0.10 screws, 3.00 work. Lamp: 5.10, 0.20 screws, 0.25 oil, 5.00 work.
    assert cost == Decimal("10.55")


def test_a_part_is_found_in_everything_above_it() -> None:
    assert where_used(BOMS, "SCREW") == [
        Use("BASE", Decimal(2), 1),
        Use("LAMP", Decimal(6), 2),
        Use("GIFT", Decimal(6), 3),
    ]
    assert where_used(BOMS, "GIFT") == []


def test_a_product_that_contains_itself_is_named() -> None:
    boms = {
        "A": [Part("B", Decimal(1))],
        "B": [Part("C", Decimal(1))],
        "C": [Part("A", Decimal(1))],
    }

    with pytest.raises(InvalidInputError, match=r"A product cannot contain itself: .* is part of"):
        explode(boms, "A", Decimal(1))


def test_eleven_levels_are_too_many_and_ten_are_not() -> None:
    boms = {str(level): [Part(str(level + 1), Decimal(1))] for level in range(11)}

    with pytest.raises(InvalidInputError, match="more than 10 levels"):
        explode(boms, "0", Decimal(1))
    assert len(explode(boms, "1", Decimal(1))) == 11


def test_many_ways_to_the_same_part_take_no_longer() -> None:
    boms = {
        f"{level}-{side}": [Part(f"{level + 1}-{other}", Decimal(1)) for other in range(10)]
        for level in range(9)
        for side in range(10)
    }

    needs = explode(boms, "0-0", Decimal(1))

    assert needs[-1].gross == 10**8


@given(st.integers(1, 200), st.integers(0, 300), st.integers(0, 900))
def test_more_stock_never_makes_a_need_larger(quantity: int, bases: int, screws: int) -> None:
    without = {n.sku: n.missing for n in explode(BOMS, "LAMP", Decimal(quantity))}
    stock = units(BASE=bases, SCREW=screws)

    needs = explode(BOMS, "LAMP", Decimal(quantity), stock=stock)

    for need in needs:
        assert 0 <= need.missing <= without[need.sku]
        assert need.from_stock + need.missing == need.gross
        assert need.from_stock <= stock.get(need.sku, 0)


@pytest.mark.parametrize(
    ("boms", "quantity", "words"),
    [
        (BOMS, Decimal(0), "more than 0"),
        (BOMS, Decimal("NaN"), "more than 0"),
        ({"LAMP": [Part("X", Decimal(-1))]}, Decimal(1), "quantity of X"),
        ({"LAMP": [Part("X", Decimal(1), scrap=Decimal(1))]}, Decimal(1), "scrap of X"),
    ],
    ids=["nothing", "no number", "negative line", "all lost"],
)
def test_a_bill_that_makes_no_sense_is_refused_in_words(
    boms: dict[str, list[Part]], quantity: Decimal, words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words):
        explode(boms, "LAMP", quantity)


def test_a_part_without_a_price_has_no_cost() -> None:
    with pytest.raises(InvalidInputError, match="no price of OAK"):
        rolled_cost(BOMS, "BASE", bought={"SCREW": Decimal(1)}, work={})


def test_the_minutes_of_a_day_are_shifts_by_efficiency_and_exceptions() -> None:
    assert day_capacity(480, 0.85, [-60, 30]) == 378
    assert day_capacity(480, 0.85, [-600]) == 0


def test_load_above_capacity_is_overload() -> None:
    weeks = [MONDAY, in_days(7)]
    operation = Operation("LASER", setup_minutes=30, run_minutes=4)
    work = [
        Work("LASER", MONDAY, operation.minutes(500), "WO-00001"),
        Work("LASER", MONDAY, 370, "WO-00002"),
        Work("KILN", in_days(7), 900, "WO-00001"),
        Work("KILN", in_days(14), 9999, "WO-00003"),
    ]

    loads = week_loads(work, lambda center, _: 2000 if center == "LASER" else 3000, weeks=weeks)

    assert [(one.center, one.week, one.load, one.overload) for one in loads] == [
        ("KILN", MONDAY, 0, 0),
        ("KILN", in_days(7), 900, 0),
        ("LASER", MONDAY, 2400, 400),
        ("LASER", in_days(7), 0, 0),
    ]
    assert loads[2].jobs == ("WO-00001", "WO-00002")
    assert loads[2].utilisation == 1.2
    assert bottleneck(loads) == "LASER"
    assert bottleneck([]) is None


def test_work_without_any_time_is_the_bottleneck() -> None:
    loads = [WeekLoad("OVEN", MONDAY, 5, 0, ()), WeekLoad("SAW", MONDAY, 999, 1, ())]

    assert bottleneck(loads) == "OVEN"
    assert WeekLoad("OVEN", MONDAY, 0, 0, ()).utilisation == 0


def test_steps_fill_the_free_minutes_of_the_days() -> None:
    steps = schedule([*ROUTINGS["BASE"], *ROUTINGS["LAMP"]], 15, STUDIO, start=MONDAY)

    # 180 minutes of the saw: two days. A day of waiting, then 180 of the bench: three days.
    assert steps[0].days == ((MONDAY, 120), (in_days(1), 60))
    assert [day for day, _ in steps[1].days] == [in_days(2), in_days(3), in_days(4)]
    assert [step.minutes for step in steps] == [180, 180]


def test_two_steps_at_one_centre_share_its_day() -> None:
    step = Operation("SAW", setup_minutes=90, run_minutes=0)

    first, second = schedule([step, step], 1, STUDIO, start=MONDAY)

    assert first.days == ((MONDAY, 90),)
    assert second.days == ((MONDAY, 30), (in_days(1), 60))


@given(st.integers(1, 300), st.integers(1, 300))
def test_a_larger_job_is_never_done_earlier_and_no_minute_is_used_twice(
    quantity: int, more: int
) -> None:
    operations = [Operation("SAW", 20, 3), Operation("BENCH", 5, 2), Operation("SAW", 10, 1)]

    one = schedule(operations, quantity, STUDIO, start=MONDAY)
    larger = schedule(operations, quantity + more, STUDIO, start=MONDAY)

    assert one[-1].last <= larger[-1].last
    used: dict[tuple[str, date], float] = {}
    for step in one:
        for day, minutes in step.days:
            used[step.center, day] = used.get((step.center, day), 0) + minutes
    assert all(minutes <= STUDIO[center](day) + 1e-6 for (center, day), minutes in used.items())


def test_days_of_even_capacity_are_rounded_up() -> None:
    assert days_needed(960, 480) == 2
    assert days_needed(961, 480) == 3
    assert days_needed(0, 480) == 0


def test_work_that_has_no_place_is_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="no work centre LATHE"):
        schedule([Operation("LATHE", 1, 1)], 1, STUDIO, start=MONDAY)
    with pytest.raises(InvalidInputError, match="no room for 5 minutes within two years"):
        schedule([Operation("OFF", 5, 0)], 1, {"OFF": lambda _: 0.0}, start=MONDAY)
    with pytest.raises(InvalidInputError, match="nothing to schedule"):
        schedule([], 1, STUDIO, start=MONDAY)
    with pytest.raises(InvalidInputError, match="quantity must be more than 0"):
        schedule(ROUTINGS["BASE"], 0, STUDIO, start=MONDAY)


def make_shop(stock: dict[str, Decimal]) -> Shop:
    lead_days = {"SCREW": 3, "OIL": 5, "OAK": 10}
    return Shop(BOMS, stock, lead_days, ROUTINGS, STUDIO)


def test_an_item_can_be_promised_when_its_parts_are_there_and_the_work_is_done() -> None:
    stock = units(BASE=0, SCREW=100, OIL=999, OAK=0)

    answer = capable_to_promise(make_shop(stock), "LAMP", 5, today=MONDAY)

    # Oak comes on day 10; 80 minutes of the saw that day; a day of waiting; an hour of the bench.
    assert [need.sku for need in answer.missing] == ["OAK"]
    assert answer.materials_on == in_days(10)
    assert [step.center for step in answer.steps] == ["SAW", "BENCH"]
    assert answer.on == in_days(11)


def test_with_all_parts_there_only_the_work_counts() -> None:
    answer = capable_to_promise(
        make_shop(units(BASE=9, SCREW=99, OIL=999)), "LAMP", 5, today=MONDAY
    )

    assert (answer.materials_on, answer.missing) == (MONDAY, ())
    assert [step.center for step in answer.steps] == ["BENCH"]
    assert answer.on == in_days(1)


@given(st.integers(1, 60), st.integers(0, 60), st.integers(0, 400))
def test_more_stock_never_makes_a_promise_later(quantity: int, bases: int, screws: int) -> None:
    poor, rich = make_shop({}), make_shop(units(BASE=bases, SCREW=screws))

    later = capable_to_promise(poor, "LAMP", quantity, today=MONDAY)
    sooner = capable_to_promise(rich, "LAMP", quantity, today=MONDAY)

    assert sooner.on <= later.on


def test_what_is_not_known_is_not_promised() -> None:
    shop = Shop(BOMS, {}, {"OIL": 5, "OAK": 10}, ROUTINGS, STUDIO)

    with pytest.raises(InvalidInputError, match="no lead time of SCREW"):
        capable_to_promise(shop, "LAMP", 1, today=MONDAY)
    with pytest.raises(InvalidInputError, match="no work steps for GIFT"):
        capable_to_promise(
            Shop(BOMS, {}, {"OIL": 5, "OAK": 1, "SCREW": 1, "BOX": 1}, ROUTINGS, STUDIO),
            "GIFT",
            1,
            today=MONDAY,
        )


def test_sources_are_compared_by_time_then_cost() -> None:
    here = Source("make here", unit_cost=6, fixed_cost=200, lead_days=10)
    bought = Source("Kiln & Co", unit_cost=9, lead_days=21, minimum=50)
    outsourced = Source("Atelier Nord", unit_cost=8, fixed_cost=20, lead_days=14)

    offers = compare_sources([here, bought, outsourced], 40, today=MONDAY, needed_on=in_days(14))

    assert [(one.source.name, one.quantity, one.total, one.in_time) for one in offers] == [
        ("Atelier Nord", 40, 340, True),
        ("make here", 40, 440, True),
        ("Kiln & Co", 50, 450, False),
    ]
    assert offers[2].unit == 11.25


def test_making_pays_from_its_break_even_on() -> None:
    here, bought = Source("here", 6, fixed_cost=200), Source("bought", 8)

    assert break_even(here, bought) == 100
    assert break_even(Source("here", 9, fixed_cost=200), bought) is None
