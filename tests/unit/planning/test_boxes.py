"""Which boxes take some goods, and which of them is best."""

import pytest

from opsbot.planning.packing import Box, Piece, fitting_boxes

SMALL = Box("S", (200, 150, 100), 80, 2_000, 40, protective=False)
LARGE = Box("L", (400, 300, 250), 300, 10_000, 90, protective=False)
PADDED = Box("P", (300, 200, 150), 200, 5_000, 120, protective=True)
BOXES = (LARGE, PADDED, SMALL)


def codes(*pieces: Piece, boxes: tuple[Box, ...] = BOXES) -> list[str]:
    return [fit.box.code for fit in fitting_boxes(pieces, boxes)]


def piece(*sides: int, weight: int = 300, fragile: bool = False) -> Piece:
    return Piece((sides[0], sides[1], sides[2]) if sides else None, weight, fragile)


def test_the_smallest_box_that_takes_it_comes_first() -> None:
    assert codes(piece(190, 140, 90)) == ["S", "P", "L"]


def test_of_two_boxes_of_one_size_the_cheaper_comes_first() -> None:
    dear = Box("D", SMALL.sides_mm, 80, 2_000, 60, protective=False)

    assert codes(piece(100, 100, 50), boxes=(dear, SMALL)) == ["S", "D"]


def test_a_piece_may_be_turned_but_not_bent() -> None:
    assert codes(piece(90, 190, 140)) == ["S", "P", "L"]
    assert codes(piece(350, 20, 20)) == ["L"]
    assert codes(piece(410, 20, 20)) == []


def test_what_breaks_needs_a_box_that_protects_and_room_for_filling() -> None:
    assert codes(piece(150, 110, 100, fragile=True)) == ["P"]
    assert codes(piece(260, 160, 110, fragile=True)) == ["P"]
    assert codes(piece(261, 160, 110, fragile=True)) == []


def test_weight_counts_with_the_box() -> None:
    assert codes(piece(10, 10, 10, weight=1_920)) == ["S", "P", "L"]
    assert codes(piece(10, 10, 10, weight=1_921)) == ["P", "L"]


def test_several_pieces_take_up_three_quarters_at_most() -> None:
    half = piece(200, 150, 50)

    assert codes(half, boxes=(SMALL,)) == ["S"]
    assert codes(half, half, boxes=(SMALL,)) == []
    assert codes(half, piece(200, 150, 25), boxes=(SMALL,)) == ["S"]


def test_the_void_and_both_weights_are_told() -> None:
    [fit] = fitting_boxes([piece(200, 150, 50)], [SMALL])

    assert fit.void_pct == pytest.approx(50)
    assert (fit.weight_g, fit.dimensional_g, fit.charged_g) == (380, 600, 600)


def test_of_what_nobody_measured_the_void_is_not_told() -> None:
    [fit] = fitting_boxes([piece(weight=900)], [SMALL])

    assert (fit.void_pct, fit.weight_g, fit.charged_g) == (None, 980, 980)
