"""Which box goods go into: sizes, room and weights are checked, no best packing is sought."""

from collections.abc import Sequence
from dataclasses import dataclass

DIVISOR_MM3_PER_G = 5000
"""Cubic millimetres that carriers count as one gram: 5000 cm³ a kilogram."""
FILL = 0.75
"""Share of a box that goods of several shapes can take up."""
MARGIN_MM = 40
"""Room for filling around what breaks, both sides together."""


@dataclass(frozen=True)
class Piece:
    """One thing to pack; its sides in millimetres, None when nobody measured it."""

    sides_mm: tuple[int, int, int] | None
    weight_g: int
    fragile: bool


@dataclass(frozen=True)
class Box:
    """A box as the packing sees it."""

    code: str
    sides_mm: tuple[int, int, int]
    tare_g: int
    max_g: int
    cost_minor: int
    protective: bool


@dataclass(frozen=True)
class Fit:
    """How goods fit into a box."""

    box: Box
    void_pct: float | None
    """Share of the box that stays empty; None when a size is not known."""
    weight_g: int
    """Of the packed parcel."""
    dimensional_g: int
    """What the carrier counts for the size."""

    @property
    def charged_g(self) -> int:
        """What is paid for: the larger of the two."""
        return max(self.weight_g, self.dimensional_g)


def fitting_boxes(pieces: Sequence[Piece], boxes: Sequence[Box]) -> list[Fit]:
    """Return the boxes that take all pieces, the best first: smallest, then cheapest.

    A piece must fit in some orientation, all together may take up three quarters of the room, and
    what breaks needs filling around it.
    """
    fits = [fit for box in boxes if (fit := _fit(pieces, box)) is not None]
    return sorted(fits, key=lambda fit: (_volume(fit.box.sides_mm), fit.box.cost_minor))


def _fit(pieces: Sequence[Piece], box: Box) -> Fit | None:
    weight = box.tare_g + sum(piece.weight_g for piece in pieces)
    if weight > box.max_g or any(piece.fragile for piece in pieces) > box.protective:
        return None
    room = sorted(box.sides_mm)
    used = 0
    for piece in pieces:
        if piece.sides_mm is None:
            continue
        margin = MARGIN_MM if piece.fragile else 0
        sides = sorted(piece.sides_mm)
        if any(side + margin > free for side, free in zip(sides, room, strict=True)):
            return None
        used += _volume(piece.sides_mm)
    whole = _volume(box.sides_mm)
    if len(pieces) > 1 and used > FILL * whole:
        return None
    known = all(piece.sides_mm for piece in pieces)
    void = 100 * (1 - used / whole) if known else None
    return Fit(box, void, weight, whole // DIVISOR_MM3_PER_G)


def _volume(sides: Sequence[int]) -> int:
    return sides[0] * sides[1] * sides[2]
