"""Whatever people press, in any order and however often, a proposal is executed at most once."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from opsbot.db import Database
from opsbot.errors import OpsbotError
from opsbot.settings import Settings
from opsbot.toolkit.audit import AuditEvent, verify
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import OPEN, Confirmation, Preview, Proposal, ProposalState
from tests.factories import NOON
from tests.integration.toolkit.ledger_shop import (
    TOOLS,
    People,
    add_people,
    effects_of,
    refunds_of,
    stock_of,
)
from tests.shop_fixtures import NO_KNOWLEDGE, Shop, fill_shop, open_shop

PICKS = st.integers(0, 30)
WHO = st.sampled_from(["mara", "ben", "lena", "otto"])
ORDER = "#1002"
_talks = count()


@pytest.fixture
def shop(
    database: Database, settings: Settings, tools: Mapping[str, AnyTool], policies: Policies
) -> Shop:
    """Ada's and Eve's shop, with changes of money and of stock."""
    fill_shop(database)
    opened = open_shop(database, settings, tools, policies)
    executor = Executor(
        database, settings, TOOLS, NO_KNOWLEDGE, policies, runs_per_minute=1_000_000
    )
    return replace(opened, executor=executor)


class Pressing(RuleBasedStateMachine):
    """Four members of staff and their proposals. The shop lives on from one example to the next."""

    def __init__(self, shop: Shop, people: People) -> None:
        super().__init__()
        self.shop, self.people = shop, people
        self.now = NOON
        self.talk = f"talk {next(_talks)}"
        self.made: list[tuple[str, str]] = []
        """Who proposed, and the proposal."""
        self.worth: dict[str, tuple[str, int]] = {}
        """What each proposal changes: cents or units."""
        self.done: Counter[str] = Counter()
        self.ended: dict[str, ProposalState] = {}
        self.refunded, self.stock = sum(refunds_of(shop, ORDER)), stock_of(shop)
        self.effects = len(effects_of(shop))

    def person(self, name: str) -> Caller:
        caller: Caller = getattr(self.people, name)
        return caller

    def keep(self, who: str, preview: Preview, worth: tuple[str, int]) -> None:
        self.made.append((who, preview.id))
        self.worth[preview.id] = worth

    def propose(self, who: str, tool: str, arguments: dict[str, object]) -> Preview | None:
        talk = f"{self.talk} {len(self.made)}"
        try:
            preview = self.shop.executor.run(
                self.person(who), tool, arguments, now=self.now, conversation_id=talk
            )
        except OpsbotError:
            return None
        assert isinstance(preview, Preview)
        return preview

    @rule(who=WHO, cents=st.sampled_from([1, 7, 2001]))
    def somebody_gives_money_back(self, who: str, cents: int) -> None:
        preview = self.propose(who, "give_back", {"order_number": ORDER, "cents": cents})
        if preview is not None:
            self.keep(who, preview, ("cents", cents))

    @rule(units=st.sampled_from([-3, 2, 5]))
    def somebody_counts(self, units: int) -> None:
        arguments: dict[str, object] = {"sku": "LL-MUG-01-MOS", "units": units}
        preview = self.propose("otto", "change_stock", arguments)
        if preview is not None:
            self.keep("otto", preview, ("units", units))

    @rule(minutes=st.sampled_from([1, 10, 60 * 24, 60 * 24 * 4]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @precondition(lambda self: self.made)
    @rule(pick=PICKS, presses=st.integers(1, 3))
    def they_confirm(self, pick: int, presses: int) -> None:
        who, key = self.made[pick % len(self.made)]
        for _ in range(presses):
            self.told(who, lambda: self.shop.executor.confirm(self.person(who), key, now=self.now))

    @precondition(lambda self: self.made)
    @rule(pick=PICKS, who=WHO, agrees=st.booleans())
    def a_second_person_decides(self, pick: int, who: str, *, agrees: bool) -> None:
        asker, key = self.made[pick % len(self.made)]
        decide = self.shop.executor.approve if agrees else self.shop.executor.reject
        self.told(asker, lambda: decide(self.person(who), key, now=self.now))

    @precondition(lambda self: self.made)
    @rule(pick=PICKS)
    def they_drop_it(self, pick: int) -> None:
        who, key = self.made[pick % len(self.made)]
        self.shop.executor.cancel(self.person(who), key, now=self.now)

    @precondition(lambda self: self.made)
    @rule(pick=PICKS)
    def they_take_it_back(self, pick: int) -> None:
        who, key = self.made[pick % len(self.made)]
        talk = f"{self.talk} {len(self.made)}"
        try:
            preview = self.shop.executor.undo(
                self.person(who), key, now=self.now, conversation_id=talk
            )
        except OpsbotError:
            return
        unit, worth = self.worth[key]
        self.keep(who, preview, (unit, -worth))

    def told(self, asker: str, press: object) -> None:
        """Press a button; a preview that is shown anew is a proposal of its own."""
        assert callable(press)
        try:
            told = press()
        except OpsbotError:
            return
        assert isinstance(told, Confirmation)
        if told.renewed is not None:
            self.keep(asker, told.renewed, self.worth[told.preview.id])

    @invariant()
    def what_was_executed_happened_once(self) -> None:
        with self.shop.database.read() as session:
            executed = sa.select(AuditEvent.detail["proposal"].as_string()).where(
                AuditEvent.action == "executed"
            )
            self.done = Counter(key for key in session.scalars(executed) if key in self.worth)
            known = sa.select(Proposal.id, Proposal.state).where(Proposal.id.in_(self.worth))
            states = {row.id: row.state for row in session.execute(known)}
        assert set(self.done.values()) <= {1}
        assert set(self.done) == {k for k, s in states.items() if s is ProposalState.EXECUTED}
        cents = [self.worth[key][1] for key in self.done if self.worth[key][0] == "cents"]
        units = [self.worth[key][1] for key in self.done if self.worth[key][0] == "units"]
        assert sum(refunds_of(self.shop, ORDER)) == self.refunded + sum(cents)
        assert len(effects_of(self.shop)) == self.effects + len(cents)
        assert stock_of(self.shop) == self.stock + sum(units)
        for key, state in states.items():
            assert self.ended.get(key, state) is state, "what has ended stays as it ended"
            if state not in OPEN:
                self.ended[key] = state

    @invariant()
    def nothing_is_taken_back_twice(self) -> None:
        with self.shop.database.read() as session:
            undone = session.scalars(
                sa.select(Proposal.undoes).where(
                    Proposal.undoes.is_not(None), Proposal.state == ProposalState.EXECUTED
                )
            ).all()
        assert len(set(undone)) == len(undone)


def run(shop: Shop, people: People, *, examples: int, steps: int) -> None:
    class ThesePeople(Pressing):
        def __init__(self) -> None:
            super().__init__(shop, people)

    run_state_machine_as_test(
        ThesePeople,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with shop.database.read() as session:
        assert verify(session).problem == ""


def test_a_proposal_is_executed_at_most_once(shop: Shop) -> None:
    run(shop, add_people(shop), examples=6, steps=25)


@pytest.mark.slow
def test_a_proposal_is_executed_at_most_once_on_long_days(shop: Shop) -> None:
    run(shop, add_people(shop), examples=15, steps=40)
