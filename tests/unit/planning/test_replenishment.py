"""What to order, by each rule, on positions that can be counted by hand."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.errors import InvalidInputError
from opsbot.planning.demand import SteadinessClass, ValueClass
from opsbot.planning.just_in_time import Need, just_in_time_fit, order_dates
from opsbot.planning.lots import (
    PriceBreak,
    best_lot,
    critical_ratio,
    economic_quantity,
    kanban_cards,
    one_time_quantity,
)
from opsbot.planning.replenishment import Method, Position, Proposal, Rule, next_review, propose

TODAY = date(2026, 11, 20)
MIN_MAX = Rule(Method.MIN_MAX, reorder_point=40, order_up_to=100, minimum=24, multiple=12)


def proposed(rule: Rule, position: Position, reviewed_on: date | None = None) -> Proposal:
    return propose(rule, position, today=TODAY, reviewed_on=reviewed_on)


def test_a_position_is_what_is_left_for_orders_to_come() -> None:
    assert Position(on_hand=30, incoming=20, reserved=12, backorders=5).units == 33


@pytest.mark.parametrize(
    ("on_hand", "quantity"),
    [(41, 0), (40, 60), (33, 72), (-10, 120)],
    ids=["above the point", "on the point", "in whole packs", "with orders waiting"],
)
def test_min_max_fills_up_from_the_reorder_point(on_hand: int, quantity: int) -> None:
    assert proposed(MIN_MAX, Position(on_hand)).quantity == quantity


def test_what_is_on_order_is_not_ordered_again() -> None:
    assert proposed(MIN_MAX, Position(on_hand=0, incoming=60)).quantity == 0


@pytest.mark.parametrize(("units", "quantity"), [(41, 0), (40, 25), (15, 50), (16, 25), (-20, 75)])
def test_a_fixed_quantity_is_ordered_until_the_position_is_above_the_point(
    units: int, quantity: int
) -> None:
    rule = Rule(Method.REORDER_POINT, reorder_point=40, quantity=25)

    assert proposed(rule, Position(units)).quantity == quantity
    if quantity:
        assert units + quantity > 40 >= units + quantity - 25


def test_a_periodic_item_waits_for_its_review() -> None:
    rule = Rule(Method.PERIODIC, order_up_to=100, review_days=14)

    assert proposed(rule, Position(5), date(2026, 11, 7)).quantity == 0
    assert proposed(rule, Position(5), date(2026, 11, 6)).quantity == 95
    assert proposed(rule, Position(5)).quantity == 95
    assert proposed(rule, Position(120)).quantity == 0
    assert next_review(rule, date(2026, 11, 7)) == date(2026, 11, 21)


@pytest.mark.parametrize(
    ("position", "quantity"),
    [
        (Position(100), 0),
        (Position(76), 0),
        (Position(75), 25),
        (Position(30, incoming=25), 25),
        (Position(0), 100),
        (Position(300), 0),
    ],
    ids=["all full", "one begun", "one empty", "one on its way", "all empty", "too many"],
)
def test_a_kanban_item_gets_a_container_for_each_free_card(
    position: Position, quantity: int
) -> None:
    rule = Rule(Method.KANBAN, quantity=25, cards=4)

    assert proposed(rule, position).quantity == quantity


def test_what_is_made_to_order_is_made_for_orders_that_wait() -> None:
    rule = Rule(Method.MAKE_TO_ORDER, multiple=6)

    assert proposed(rule, Position(2, backorders=9)) == Proposal(12, "Orders wait for 7.")
    assert proposed(rule, Position(2, backorders=2)) == Proposal(0, "No order waits for it.")


@given(
    position=st.builds(
        Position,
        st.integers(-50, 300),
        st.integers(0, 200),
        st.integers(0, 100),
        st.integers(0, 100),
    ),
    point=st.integers(0, 100),
    above=st.integers(0, 200),
    minimum=st.integers(0, 60),
    multiple=st.integers(1, 24),
)
def test_an_order_reaches_its_level_in_whole_packs_and_no_further_than_it_must(
    position: Position, point: int, above: int, minimum: int, multiple: int
) -> None:
    level = point + above
    rule = Rule(Method.MIN_MAX, point, level, minimum=minimum, multiple=multiple)

    quantity = proposed(rule, position).quantity

    assert quantity % multiple == 0
    if position.units > point:
        assert quantity == 0
    elif quantity:
        assert position.units + quantity >= level
        assert quantity >= minimum
        assert quantity - multiple < max(minimum, level - position.units)
    assert proposed(rule, Position(position.units + quantity + 1)).quantity == 0


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(Method.MIN_MAX, reorder_point=50, order_up_to=40), "must not be below"),
        (Rule(Method.REORDER_POINT, reorder_point=5), "quantity of an order"),
        (Rule(Method.KANBAN, quantity=5), "number of cards"),
        (Rule(Method.PERIODIC, order_up_to=5), "review period"),
        (Rule(Method.MIN_MAX, order_up_to=5, multiple=0), "pack"),
        (Rule(Method.MIN_MAX, order_up_to=5, minimum=-1), "least quantity"),
    ],
    ids=["levels", "fixed quantity", "cards", "review", "pack", "minimum"],
)
def test_a_rule_that_lacks_something_is_refused_in_words(rule: Rule, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        proposed(rule, Position(1))
    with pytest.raises(InvalidInputError, match="What is reserved"):
        proposed(MIN_MAX, Position(1, reserved=-1))


def test_the_economic_quantity_is_harris_square_root() -> None:
    assert round(economic_quantity(7300, 45, 1.20)) == 740


@given(st.floats(1, 1e5), st.floats(1, 500), st.floats(0.1, 50), st.floats(0.3, 3))
def test_no_other_quantity_costs_less_than_the_economic_one(
    demand: float, order: float, holding: float, times: float
) -> None:
    best = economic_quantity(demand, order, holding)

    def cost(quantity: float) -> float:
        return order * demand / quantity + holding * quantity / 2

    assert cost(best) <= cost(best * times) + 1e-6 * cost(best)


def test_a_price_break_is_taken_when_it_saves_more_than_holding_costs() -> None:
    breaks = [PriceBreak(1, 5.0), PriceBreak(1000, 4.8), PriceBreak(2000, 4.75)]

    lot = best_lot(5000, 49, 0.2, breaks)

    # The textbook's example: 1,000 at 4.80 costs 24,725 a year; the root of the first price, 700.
    assert (lot.quantity, round(lot.yearly_cost)) == (1000, 24725)


@given(
    st.integers(100, 20_000),
    st.floats(5, 200),
    st.floats(0.05, 0.5),
    st.integers(1, 48),
    st.floats(0.7, 0.99),
)
def test_the_best_lot_costs_no_more_than_any_other(
    demand: int, order: float, share: float, multiple: int, less: float
) -> None:
    breaks = [PriceBreak(1, 4.0), PriceBreak(500, 4.0 * less)]

    lot = best_lot(demand, order, share, breaks, multiple=multiple)

    assert lot.quantity % multiple == 0
    for packs in range(1, 2000 // multiple):
        quantity = packs * multiple
        price = 4.0 * less if quantity >= 500 else 4.0
        cost = price * demand + order * demand / quantity + share * price * quantity / 2
        assert lot.yearly_cost <= cost + 1e-6


def test_what_is_made_once_is_made_up_to_the_critical_ratio() -> None:
    assert critical_ratio(18, 7) == 0.72
    assert one_time_quantity(500, 120, margin=18, loss=7) == 570
    assert one_time_quantity(500, 0, margin=18, loss=7) == 500
    assert one_time_quantity(5, 20, margin=1, loss=99) == 0
    assert one_time_quantity(5, 20, margin=1, loss=99, least=3) == 3


@given(st.floats(0, 500), st.floats(0, 200), st.floats(0.1, 50), st.floats(0.1, 50))
def test_a_higher_margin_never_makes_the_lot_smaller(
    mean: float, deviation: float, margin: float, loss: float
) -> None:
    one = one_time_quantity(mean, deviation, margin=margin, loss=loss)

    assert one_time_quantity(mean, deviation, margin=2 * margin, loss=loss) >= one


def test_kanban_cards_cover_the_round_and_the_reserve() -> None:
    assert kanban_cards(40, 2, reserve=0.2, container=25) == 4
    assert kanban_cards(50, 2, reserve=0, container=25) == 4
    assert kanban_cards(0, 2, reserve=0.2, container=25) == 0


def test_lots_that_make_no_sense_are_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="holding a unit"):
        economic_quantity(1, 1, 0)
    with pytest.raises(InvalidInputError, match="Without a price"):
        best_lot(1, 1, 0.2, [])
    with pytest.raises(InvalidInputError, match="container"):
        kanban_cards(1, 1, reserve=0, container=0)
    with pytest.raises(InvalidInputError, match="one more earns"):
        critical_ratio(0, 1)


def test_parts_are_ordered_just_before_they_are_needed_the_most_urgent_first() -> None:
    needs = [Need("BASE", 40, date(2026, 12, 20)), Need("GLAZE", 5, date(2026, 11, 30))]

    found = order_dates(needs, lead_days=14, buffer_days=2, today=TODAY)

    assert [(one.sku, one.order_by, one.days_left) for one in found] == [
        ("GLAZE", date(2026, 11, 14), -6),
        ("BASE", date(2026, 12, 4), 14),
    ]


def fits(**changes: object) -> tuple[bool, int]:
    given_ = {
        "on_time": 0.95,
        "lead_variation": 0.25,
        "steadiness": SteadinessClass.Y,
        "value": ValueClass.B,
        "sources": 1,
        **changes,
    }
    fit = just_in_time_fit(**given_)  # type: ignore[arg-type]  # of mixed types on purpose
    return fit.fits, len(fit.reasons)


def test_an_item_fits_just_in_time_only_when_nothing_speaks_against_it() -> None:
    assert fits() == (True, 0)
    assert fits(on_time=0.949) == (False, 1)
    assert fits(lead_variation=0.26) == (False, 1)
    assert fits(steadiness=SteadinessClass.Z) == (False, 1)
    assert fits(value=ValueClass.A) == (False, 1)
    assert fits(value=ValueClass.A, sources=2) == (True, 0)
    assert fits(on_time=0.5, lead_variation=1, steadiness=SteadinessClass.Z) == (False, 3)


def test_just_in_time_needs_that_make_no_sense_are_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="lead time"):
        order_dates([], lead_days=-1, today=TODAY)
    with pytest.raises(InvalidInputError, match="need of BASE"):
        order_dates([Need("BASE", -1, TODAY)], lead_days=1, today=TODAY)
    with pytest.raises(InvalidInputError, match="came on time"):
        fits(on_time=1.2)
