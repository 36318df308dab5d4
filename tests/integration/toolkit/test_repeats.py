"""Keys of requests: taken once, remembered for a day."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from opsbot.db import Database
from opsbot.errors import CollisionError, InvalidInputError
from opsbot.toolkit.repeats import (
    KEPT,
    LEASE,
    SHORT_LEASE,
    Kept,
    Repeat,
    Taken,
    forget_keys,
    free_key,
    keep_answer,
    lose_answer,
    take_key,
)
from tests.factories import NOON

SAID = {"text": "done"}
MOMENT = timedelta(seconds=1)


def take(
    database: Database,
    *,
    now: datetime = NOON,
    request: str = "a",
    owner: str = "customer:1",
    repeatable: bool = True,
) -> Taken | Kept:
    return take_key(
        database, owner=owner, key="k", request_hash=request, repeatable=repeatable, now=now
    )


def taken(database: Database, *, repeatable: bool = True) -> Taken:
    found = take(database, repeatable=repeatable)
    assert isinstance(found, Taken)
    return found


def test_an_answer_comes_back_until_its_time_is_over(database: Database) -> None:
    keep_answer(database, taken(database), 202, SAID)

    assert take(database, now=NOON + KEPT - MOMENT) == Kept(202, SAID)
    assert isinstance(take(database, now=NOON + KEPT, request="b"), Taken)


def test_a_key_is_its_owners_own(database: Database) -> None:
    keep_answer(database, taken(database), 200, SAID)

    assert isinstance(take(database, owner="customer:2", request="b"), Taken)


def test_a_key_stands_for_one_request(database: Database) -> None:
    keep_answer(database, taken(database), 200, SAID)

    with pytest.raises(InvalidInputError, match="came with another request"):
        take(database, request="b")


@pytest.mark.parametrize(
    ("repeatable", "lease"), [(True, SHORT_LEASE), (False, LEASE)], ids=["harmless", "once"]
)
def test_nobody_else_answers_while_it_is_being_answered(
    database: Database, lease: timedelta, *, repeatable: bool
) -> None:
    taken(database, repeatable=repeatable)

    with pytest.raises(CollisionError, match="still being answered"):
        take(database, now=NOON + lease - MOMENT, repeatable=repeatable)


def test_of_many_at_once_one_takes_the_key(database: Database) -> None:
    def try_it(_number: int) -> bool:
        try:
            return isinstance(take(database), Taken)
        except CollisionError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_it, range(40))) == 1


def test_after_a_crash_only_what_happens_once_anyway_is_done_again(database: Database) -> None:
    dead = taken(database)
    late = NOON + SHORT_LEASE

    with pytest.raises(CollisionError, match="ended without an answer"):
        take(database, now=late, repeatable=False)
    second = take(database, now=late)

    assert isinstance(second, Taken)
    keep_answer(database, dead, 200, {"text": "of the dead"})
    keep_answer(database, second, 200, SAID)
    assert take(database, now=late) == Kept(200, SAID)


def test_what_broke_is_known_to_have_broken_at_once(database: Database) -> None:
    lose_answer(database, taken(database), now=NOON)

    with pytest.raises(CollisionError, match="ended without an answer"):
        take(database, repeatable=False)
    assert isinstance(take(database), Taken)


def test_a_key_is_given_back_when_nothing_was_done(database: Database) -> None:
    free_key(database, taken(database))

    assert isinstance(take(database, request="b"), Taken)


def test_keys_are_forgotten_when_their_time_is_over(database: Database) -> None:
    keep_answer(database, taken(database), 200, SAID)

    with database.write() as session:
        forget_keys(session, now=NOON + KEPT - MOMENT)
        before = session.scalars(select(Repeat.key)).all()
        forget_keys(session, now=NOON + KEPT)
        after = session.scalars(select(Repeat.key)).all()

    assert (before, after) == (["k"], [])
