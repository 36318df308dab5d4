from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from opsbot.channels.throttle import Throttle
from opsbot.errors import RateLimitedError
from tests.factories import NOON

WINDOW = timedelta(minutes=15)


def _used_up() -> Throttle:
    throttle = Throttle(window=WINDOW)
    throttle.take({"mara": 2}, now=NOON)
    throttle.take({"mara": 2}, now=NOON)
    return throttle


def test_too_many_tries_have_to_wait() -> None:
    throttle = _used_up()

    with pytest.raises(RateLimitedError, match="Wait 10 minutes") as raised:
        throttle.take({"mara": 2}, now=NOON + timedelta(minutes=5))

    assert raised.value.retry_after == 600


def test_after_the_wait_a_try_passes() -> None:
    _used_up().take({"mara": 2}, now=NOON + WINDOW)


def test_one_person_does_not_lock_out_another() -> None:
    _used_up().take({"omar": 2}, now=NOON)


def test_a_try_counts_for_all_of_its_keys_or_for_none() -> None:
    throttle = _used_up()

    with pytest.raises(RateLimitedError):
        throttle.take({"host": 1, "mara": 2}, now=NOON)

    throttle.take({"host": 1, "omar": 2}, now=NOON)
    with pytest.raises(RateLimitedError):
        throttle.take({"host": 1, "lena": 2}, now=NOON)


def test_a_success_wipes_the_slate() -> None:
    throttle = _used_up()

    throttle.forget("mara")

    throttle.take({"mara": 2}, now=NOON)


def test_what_worked_is_given_back_and_no_more() -> None:
    throttle = _used_up()

    throttle.give_back(["mara", "nobody"], now=NOON)

    throttle.take({"mara": 2}, now=NOON)
    with pytest.raises(RateLimitedError):
        throttle.take({"mara": 2}, now=NOON)


def test_tries_at_the_same_time_are_all_counted() -> None:
    throttle = Throttle(window=WINDOW)

    def passes(_number: int) -> bool:
        try:
            throttle.take({"mara": 5}, now=NOON)
        except RateLimitedError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        passed = sum(pool.map(passes, range(200)))

    assert passed == 5
