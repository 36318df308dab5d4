"""Changing a parts list: a component comes in, takes another quantity, or goes."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum

from opsbot.errors import ConflictError
from opsbot.planning.boms import Part
from opsbot.planning.bounds import above


class PartStep(StrEnum):
    """What happens to a component."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


def change_parts(
    parts: Sequence[Part],
    step: PartStep,
    component: str,
    *,
    quantity: Decimal | None = None,
    scrap: Decimal | None = None,
) -> list[Part]:
    """Return the parts of a product after one component was added, changed or removed.

    Args:
        parts: of one product, as they are.
        step: what happens.
        component: its item number.
        quantity: for one product, in the component's stock unit; of a change None: as it is.
        scrap: share that is lost on the way, 0 to below 1; None: as it is, or none.

    Raises:
        ConflictError: it is there already, or is not, or it is the only one.
        InvalidInputError: the quantity of a new one is missing, or not more than 0.
    """
    old = next((part for part in parts if part.sku == component), None)
    if step is PartStep.ADD:
        if old is not None:
            raise ConflictError(f"{component} is among the parts already. Change its quantity.")
        amount = quantity or Decimal(0)
        _check(amount)
        return [*parts, Part(component, amount, scrap or Decimal(0))]
    if old is None:
        raise ConflictError(f"{component} is not among the parts.")
    if step is PartStep.REMOVE:
        if len(parts) == 1:
            raise ConflictError(f"{component} is the only part; a parts list needs one.")
        return [part for part in parts if part is not old]
    new = replace(
        old,
        quantity=old.quantity if quantity is None else quantity,
        scrap=old.scrap if scrap is None else scrap,
    )
    _check(new.quantity)
    if new == old:
        raise ConflictError(f"{component} is like that already.")
    return [new if part is old else part for part in parts]


def _check(quantity: Decimal) -> None:
    above(0, float(quantity), "The quantity of a part")
