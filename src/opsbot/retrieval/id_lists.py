"""Name rows by their ids in a statement that is made once.

SQLAlchemy can write a list of any length into a statement as it runs, which takes as long as the
database takes to find fifty rows. So a statement has room for one of a few numbers of ids, and what
room is left over repeats the last id.
"""

from collections.abc import Sequence

from sqlalchemy import BindParameter, bindparam

_ROOMS = (8, 64)
MOST_IDS = 500
"""How many ids one statement names at most: databases limit it."""


def room_for(ids: Sequence[int]) -> int:
    """Return how many ids the statement for these has room for."""
    return next((room for room in _ROOMS if len(ids) <= room), MOST_IDS)


def id_parameters(room: int) -> list[BindParameter[int]]:
    """Return what a statement with that room holds a column's ids against."""
    return [bindparam(_name(place)) for place in range(room)]


def id_values(ids: Sequence[int], room: int) -> dict[str, int]:
    """Return the values of `id_parameters`: at least one id, and at most `room`."""
    filled = [*ids, *[ids[-1]] * (room - len(ids))]
    return {_name(place): id_ for place, id_ in enumerate(filled)}


def _name(place: int) -> str:
    return f"id_{place}"
