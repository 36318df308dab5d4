"""What a formula can take: a value outside is refused in words."""

from math import isfinite

from opsbot.errors import InvalidInputError


def at_least(least: float, value: float, what: str) -> None:
    """Refuse a value below `least`, or none that can be counted with.

    Args:
        least: the smallest value that makes sense.
        value: what was given.
        what: its name, to begin a sentence with.

    Raises:
        InvalidInputError: it is smaller, infinite, or not a number.
    """
    if not isfinite(value) or value < least:
        raise InvalidInputError(f"{what} must be {least:g} or more, not {value:g}.")


def above(limit: float, value: float, what: str) -> None:
    """Refuse a value that is not greater than `limit`; see `at_least`.

    Raises:
        InvalidInputError: it is not greater, infinite, or not a number.
    """
    if not isfinite(value) or value <= limit:
        raise InvalidInputError(f"{what} must be more than {limit:g}, not {value:g}.")


def between(low: float, value: float, high: float, what: str) -> None:
    """Refuse a value outside `low` to `high`, both ends allowed; see `at_least`.

    Raises:
        InvalidInputError: it is outside, or not a number.
    """
    if not low <= value <= high:
        raise InvalidInputError(f"{what} must be from {low:g} to {high:g}, not {value:g}.")


def inside(low: float, value: float, high: float, what: str) -> None:
    """Refuse a value outside `low` to `high`, the ends not allowed; see `at_least`.

    Raises:
        InvalidInputError: it is outside, or not a number.
    """
    if not low < value < high:
        raise InvalidInputError(f"{what} must be between {low:g} and {high:g}, not {value:g}.")
