"""Whatever happens to points, in any order and twice, the balance is the sum of the ledger."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from opsbot.commerce.loyalty import (
    LoyaltyEntry,
    LoyaltyKind,
    append,
    available,
    entries_of,
    expire_points,
    lots_of,
    standing_of,
)
from opsbot.db import Database
from opsbot.errors import ConflictError
from tests.factories import DAY, NOON, make_customer

pytestmark = pytest.mark.slow

POINTS = st.integers(1, 400)
FEW = st.integers(0, 12)
PEOPLE = st.integers(0, 1)


class Points(RuleBasedStateMachine):
    """Two customers' ledgers, in a transaction that is rolled back."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.connection = database.engine.execution_options(write=True, durable=False).connect()
        self.session = Session(self.connection, expire_on_commit=False)
        people = [make_customer(), make_customer("Eve", "eve@example.com", "C-1002")]
        self.session.add_all(people)
        self.session.flush()
        self.ids = [person.id for person in people]
        self.now = NOON
        self.ledgers: dict[int, list[tuple[str, int, datetime]]] = {key: [] for key in self.ids}
        """What must be in each ledger: reference, points, from when on they count."""

    def teardown(self) -> None:
        self.session.close()
        self.connection.close()

    @rule(days=st.integers(1, 40))
    def time_passes(self, days: int) -> None:
        self.now += days * DAY

    @rule(who=PEOPLE, points=POINTS, about=FEW, waits=st.integers(0, 30), lasts=st.integers(1, 90))
    def points_are_earned(self, who: int, points: int, about: int, waits: int, lasts: int) -> None:
        begin = self.now + timedelta(days=waits)
        self.write(who, LoyaltyKind.EARN, points, f"earn:{about}", begin, begin + lasts * DAY)

    @rule(who=PEOPLE, about=FEW, share=st.integers(1, 100))
    def goods_come_back(self, who: int, about: int, share: int) -> None:
        """What was earned on them is taken back, from when on it would have counted."""
        found = [one for one in self.ledgers[self.ids[who]] if one[0] == f"earn:{about}"]
        for _, points, begin in found:
            back = -max(1, points * share // 100)
            self.write(who, LoyaltyKind.REVERSE, back, f"reverse:{about}", begin, None)

    @rule(who=PEOPLE, points=POINTS, about=FEW)
    def points_are_used(self, who: int, points: int, about: int) -> None:
        self.write(who, LoyaltyKind.REDEEM, -points, f"redeem:{about}", self.now, None)

    @rule(who=PEOPLE, points=POINTS, about=FEW)
    def somebody_gives_points(self, who: int, points: int, about: int) -> None:
        self.write(who, LoyaltyKind.ADJUST, points, f"adjust:{about}", self.now, None)

    @rule()
    def what_is_over_ends(self) -> None:
        before = {key: self.balance(key) for key in self.ids}
        left = {key: self.over(key) for key in self.ids}

        ended = expire_points(self.session, now=self.now)

        assert ended == sum(left.values())
        for key in self.ids:
            assert self.balance(key) == before[key] - left[key]
            known = {reference for reference, _, _ in self.ledgers[key]}
            for entry in entries_of(self.session, key):
                if entry.reference not in known:
                    assert entry.kind is LoyaltyKind.EXPIRE
                    self.ledgers[key].append((entry.reference, entry.points, entry.available_at))
        assert expire_points(self.session, now=self.now) == 0

    def over(self, key: int) -> int:
        """Return what is left of points whose time is over."""
        begun = [one for one in entries_of(self.session, key) if one.available_at <= self.now]
        return sum(
            left
            for lot, left in lots_of(begun)
            if lot.expires_at is not None and lot.expires_at <= self.now
        )

    def write(
        self,
        who: int,
        kind: LoyaltyKind,
        points: int,
        reference: str,
        begin: datetime,
        end: datetime | None,
    ) -> None:
        key = self.ids[who]
        about = f"{who}:{reference}"
        known = {old for ledger in self.ledgers.values() for old, _, _ in ledger}
        entry = LoyaltyEntry(
            customer_id=key, kind=kind, points=points, reference=about, available_at=begin,
            expires_at=end, actor="test", at=self.now,
        )  # fmt: skip
        before = self.balance(key)
        try:
            written = append(self.session, entry)
        except ConflictError:
            assert kind is LoyaltyKind.REDEEM
            assert before + points < 0
            return
        assert written is (about not in known)
        if written:
            self.ledgers[key].append((about, points, begin))
            assert kind is not LoyaltyKind.REDEEM or before + points >= 0

    def balance(self, key: int) -> int:
        return available(self.session, key, now=self.now)

    @invariant()
    def the_balance_is_the_sum_of_what_has_begun(self) -> None:
        for key, ledger in self.ledgers.items():
            begun = sum(points for _, points, begin in ledger if begin <= self.now)
            entries = entries_of(self.session, key)
            standing = standing_of(entries, now=self.now, since=NOON)

            assert self.balance(key) == standing.balance == begun
            assert standing.pending == sum(p for _, p, begin in ledger if begin > self.now)
            kept = Counter((e.reference, e.points) for e in entries)
            assert kept == Counter((about, points) for about, points, _ in ledger)

    @invariant()
    def no_lot_gives_more_than_it_had(self) -> None:
        for key in self.ids:
            begun = [e for e in entries_of(self.session, key) if e.available_at <= self.now]
            assert all(0 <= left <= lot.points for lot, left in lots_of(begun))

    @invariant()
    def nothing_ends_twice(self) -> None:
        ended = sa.select(LoyaltyEntry.reference).where(LoyaltyEntry.kind == LoyaltyKind.EXPIRE)
        assert max(Counter(self.session.scalars(ended)).values(), default=1) == 1


def run(database: Database, *, examples: int, steps: int) -> None:
    class ThesePoints(Points):
        def __init__(self) -> None:
            super().__init__(database)

    run_state_machine_as_test(
        ThesePoints,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_balance_is_the_sum_of_the_entries(database: Database) -> None:
    run(database, examples=12, steps=25)


@pytest.mark.slow
def test_the_balance_is_the_sum_of_the_entries_in_long_lives(database: Database) -> None:
    run(database, examples=30, steps=40)
