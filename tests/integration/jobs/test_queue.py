"""Jobs are done once; a worker that dies loses its job, and one that lost it writes nothing."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from opsbot.db import Database
from opsbot.errors import UnavailableError
from opsbot.jobs.queue import (
    KEPT,
    LEASE,
    MAX_ATTEMPTS,
    Job,
    JobState,
    claim_job,
    enqueue,
    finish_job,
    prolong_lease,
)
from opsbot.jobs.worker import Handler, Worker
from tests.factories import NOON

SECOND = timedelta(seconds=1)


class Diary:
    """Keeps which payloads were handled."""

    def __init__(self) -> None:
        self.entries: list[Any] = []

    def __call__(self, payload: Mapping[str, Any], now: datetime) -> None:
        self.entries.append(payload["n"])


def test_two_workers_do_two_hundred_jobs_and_none_twice(database: Database) -> None:
    diary = Diary()
    with database.write() as session:
        for number in range(200):
            enqueue(session, "note", {"n": number}, run_at=NOON)

    run_together([make_worker(database, {"note": diary}) for _ in range(2)])

    assert Counter(diary.entries) == Counter(range(200))
    assert count_jobs(database, JobState.DONE) == 200


def test_a_job_belongs_to_the_transaction_that_needs_it(database: Database) -> None:
    with suppress(ZeroDivisionError), database.write() as session:
        enqueue(session, "note", {"n": 1}, run_at=NOON)
        raise ZeroDivisionError

    assert claim_job(database, now=NOON) is None


def test_a_known_key_puts_in_nothing(database: Database) -> None:
    with database.write() as session:
        put = [
            enqueue(session, "note", {"n": number}, run_at=NOON, dedupe_key="order:1")
            for number in range(2)
        ]

    assert put == [True, False]
    assert count_jobs(database) == 1


def test_a_job_waits_for_its_time_and_the_oldest_comes_first(database: Database) -> None:
    diary = Diary()
    worker = make_worker(database, {"note": diary})
    with database.write() as session:
        for number in (3, 1, 2):
            enqueue(session, "note", {"n": number}, run_at=NOON + number * SECOND)

    counts = [worker.run_once(NOON), worker.run_once(NOON + 2 * SECOND)]

    assert counts == [0, 2]
    assert diary.entries == [1, 2]


def test_the_job_of_a_dead_worker_is_done_by_another_one(database: Database) -> None:
    diary = Diary()
    put_one(database)
    claim_job(database, now=NOON)  # and the worker dies
    worker = make_worker(database, {"note": diary})

    early = worker.run_once(NOON + LEASE)
    late = worker.run_once(NOON + LEASE + SECOND)

    assert (early, late) == (0, 1)
    assert only_job(database).attempt == 2


def test_a_worker_that_lost_its_job_writes_nothing(database: Database) -> None:
    put_one(database)
    slow = claim_job(database, now=NOON)
    quick = claim_job(database, now=NOON + 2 * LEASE)
    assert slow is not None
    assert quick is not None

    written = [
        finish_job(database, slow, error=None, now=NOON + 2 * LEASE),
        prolong_lease(database, slow, now=NOON + 2 * LEASE),
    ]
    state_meanwhile = only_job(database).state
    written.append(finish_job(database, quick, error=None, now=NOON + 2 * LEASE))

    assert written == [False, False, True]
    assert state_meanwhile is JobState.RUNNING
    assert only_job(database).state is JobState.DONE


def test_a_sign_of_life_keeps_a_long_job(database: Database) -> None:
    put_one(database)
    claim = claim_job(database, now=NOON)
    assert claim is not None

    prolong_lease(database, claim, now=NOON + LEASE)

    assert claim_job(database, now=NOON + LEASE + SECOND) is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UnavailableError("The mail server did not answer."), "The mail server did not answer."),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
    ],
    ids=["deliberate", "bug"],
)
def test_a_broken_job_is_tried_again_later_and_stops_no_other(
    database: Database, error: Exception, words: str
) -> None:
    diary = Diary()
    worker = make_worker(database, {"break": raising(error), "note": diary})
    with database.write() as session:
        enqueue(session, "break", {}, run_at=NOON - SECOND, dedupe_key="broken")
        enqueue(session, "note", {"n": 1}, run_at=NOON)

    count = worker.run_once(NOON)

    with database.read() as session:
        broken = session.scalars(select(Job).where(Job.kind == "break")).one()
    assert count == 2
    assert diary.entries == [1]
    assert broken.state is JobState.READY
    assert broken.run_at > NOON
    assert broken.last_error == words


def test_a_job_that_never_works_is_given_up(database: Database) -> None:
    worker = make_worker(database, {"note": raising(UnavailableError("Nobody is there."))})
    put_one(database)

    for hour in range(MAX_ATTEMPTS + 2):
        worker.run_once(NOON + timedelta(hours=hour))

    assert only_job(database).state is JobState.FAILED
    assert only_job(database).attempt == MAX_ATTEMPTS


def test_a_job_that_kills_its_workers_is_given_up(database: Database) -> None:
    put_one(database)

    claims = [claim_job(database, now=NOON + number * 2 * LEASE) for number in range(7)]

    assert [claim is not None for claim in claims] == [True] * MAX_ATTEMPTS + [False] * 2
    assert "stopped 5 times" in (only_job(database).last_error or "")


def test_a_kind_that_nobody_handles_is_said(database: Database) -> None:
    put_one(database)

    make_worker(database, {}).run_once(NOON)

    assert only_job(database).last_error == "Nobody does jobs of the kind 'note' here."


def test_a_recurring_job_runs_once_a_period_however_many_workers_there_are(
    database: Database,
) -> None:
    runs: list[datetime] = []

    def note(_payload: Mapping[str, Any], now: datetime) -> None:
        runs.append(now)

    workers = [
        make_worker(database, {"tick": note}, schedules={"tick": timedelta(minutes=1)})
        for _ in range(3)
    ]

    for second in range(0, 180, 5):
        for worker in workers:
            worker.run_once(NOON + second * SECOND)

    assert runs == [NOON, NOON + 60 * SECOND, NOON + 120 * SECOND]


def test_a_recurring_job_does_not_pile_up_while_it_fails(database: Database) -> None:
    worker = make_worker(
        database,
        {"tick": raising(UnavailableError("The mailbox did not answer."))},
        schedules={"tick": timedelta(seconds=5)},
    )

    for second in range(0, 60, 5):
        worker.run_once(NOON + second * SECOND)

    assert count_jobs(database, JobState.READY) == 1


def test_traces_of_old_recurring_jobs_are_removed(database: Database) -> None:
    worker = make_worker(
        database,
        {"tick": lambda _payload, _now: None},
        schedules={"tick": KEPT / 4},
    )

    for number in range(12):
        worker.run_once(NOON + number * KEPT / 4)

    assert 1 < count_jobs(database) <= 6


def test_a_worker_stops_when_it_is_told(database: Database) -> None:
    diary = Diary()
    stop = threading.Event()

    def note_and_stop(payload: Mapping[str, Any], now: datetime) -> None:
        diary(payload, now)
        stop.set()

    put_one(database)
    worker = make_worker(database, {"note": note_and_stop})

    worker.run_forever(stop)

    assert diary.entries == [1]
    assert only_job(database).state is JobState.DONE


def make_worker(
    database: Database,
    handlers: Mapping[str, Handler],
    *,
    schedules: Mapping[str, timedelta] | None = None,
) -> Worker:
    return Worker(database, handlers, lambda: NOON, schedules=schedules)


def raising(error: Exception) -> Handler:
    def handle(_payload: Mapping[str, Any], _now: datetime) -> None:
        raise error

    return handle


def run_together(workers: list[Worker]) -> None:
    barrier = threading.Barrier(len(workers))

    def work(worker: Worker) -> Callable[[], None]:
        def run() -> None:
            barrier.wait()
            worker.run_once(NOON)

        return run

    threads = [threading.Thread(target=work(worker)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def put_one(database: Database) -> None:
    with database.write() as session:
        enqueue(session, "note", {"n": 1}, run_at=NOON)


def only_job(database: Database) -> Job:
    with database.read() as session:
        return session.scalars(select(Job)).one()


def count_jobs(database: Database, state: JobState | None = None) -> int:
    query = select(func.count()).select_from(Job)
    with database.read() as session:
        return session.scalar(query.where(Job.state == state) if state else query) or 0
