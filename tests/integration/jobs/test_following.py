"""A saved file is answered from, once it is whole, by one process."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from opsbot.db import Database
from opsbot.errors import InvalidInputError
from opsbot.jobs import Follower
from opsbot.jobs.queue import FOLLOW_ARTICLES, Job, JobState, claim_job, enqueue
from opsbot.retrieval.ingest import IngestReport
from opsbot.retrieval.library import Library
from tests.factories import NOON

SECOND = timedelta(seconds=1)


@dataclass
class Shelf:
    """A library whose files change when the test says so."""

    state: str = "one"
    ingested: list[str] = field(default_factory=list)
    broken: bool = False
    takes_s: float = 0

    def snapshot(self) -> str:
        if self.broken:
            raise InvalidInputError("The knowledge folder is gone.")
        return self.state

    def follow(self, *, now: datetime) -> IngestReport:
        time.sleep(self.takes_s)
        self.ingested.append(self.state)
        return IngestReport(changed=["faqs/care.md"])


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait some seconds at most; what is asserted afterwards says whether it came about."""
    deadline = time.monotonic() + 8
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def make_follower(database: Database, shelf: Shelf) -> Callable[[], Follower]:
    def make() -> Follower:
        library: Library = shelf  # type: ignore[assignment]  # as far as a follower asks
        return Follower(database, library, lambda: NOON, every_s=0.01)

    return make


def test_files_that_stand_still_are_ingested_once(
    make_follower: Callable[[], Follower], shelf: Shelf
) -> None:
    follower = make_follower()

    counts = [follower.run_once(NOON + number * SECOND) for number in range(4)]

    assert counts == [0, 1, 0, 0]
    assert shelf.ingested == ["one"]


def test_a_file_that_is_still_written_is_left_alone(
    make_follower: Callable[[], Follower], shelf: Shelf
) -> None:
    follower = make_follower()

    for number in range(5):
        shelf.state = f"half {number}"
        follower.run_once(NOON)
    before = list(shelf.ingested)
    follower.run_once(NOON)

    assert (before, shelf.ingested) == ([], ["half 4"])


def test_of_two_processes_one_ingests(make_follower: Callable[[], Follower], shelf: Shelf) -> None:
    one, two = make_follower(), make_follower()

    for follower in (one, two, one, two):
        follower.run_once(NOON)

    assert shelf.ingested == ["one"]


def test_a_change_after_a_change_is_ingested_too(
    make_follower: Callable[[], Follower], shelf: Shelf
) -> None:
    follower = make_follower()

    for state in ("one", "one", "two", "two"):
        shelf.state = state
        follower.run_once(NOON)

    assert shelf.ingested == ["one", "two"]


def test_a_long_ingest_does_not_put_off_the_next_one(
    make_follower: Callable[[], Follower], shelf: Shelf
) -> None:
    shelf.takes_s, stop = 0.5, threading.Event()
    thread = threading.Thread(target=make_follower().run_forever, args=(stop,))
    thread.start()
    wait_until(lambda: shelf.ingested == ["one"])

    shelf.state = "two"
    wait_until(lambda: shelf.ingested == ["one", "two"])
    stop.set()
    thread.join()

    assert shelf.ingested == ["one", "two"]


def test_other_workers_leave_the_articles_to_the_follower(database: Database) -> None:
    with database.write() as session:
        enqueue(session, FOLLOW_ARTICLES, {}, run_at=NOON)
        enqueue(session, "note", {}, run_at=NOON)

    quick, slow = claim_job(database, now=NOON), claim_job(database, now=NOON, slow=True)

    assert quick is not None
    assert slow is not None
    assert (quick.kind, slow.kind) == ("note", FOLLOW_ARTICLES)
    assert claim_job(database, now=NOON, slow=True) is None


def test_a_folder_that_is_away_stops_nothing(
    make_follower: Callable[[], Follower], shelf: Shelf, database: Database
) -> None:
    shelf.broken, stop = True, threading.Event()
    thread = threading.Thread(target=make_follower().run_forever, args=(stop,))
    thread.start()
    stop.wait(0.1)

    shelf.broken = False
    wait_until(lambda: shelf.ingested == ["one"])
    stop.set()
    thread.join()

    assert shelf.ingested == ["one"]
    with database.read() as session:
        assert session.scalars(sa.select(Job.state)).all() == [JobState.DONE]
