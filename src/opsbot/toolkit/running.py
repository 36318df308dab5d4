"""How one tool function is called: who may, in which place, and what becomes of its errors."""

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from opsbot.errors import (
    CODES,
    NotAllowedError,
    OpsbotError,
    RateLimitedError,
    UnavailableError,
)
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit.caller import Caller, Level
from opsbot.toolkit.identity import refusal_for
from opsbot.toolkit.kept_results import plain
from opsbot.toolkit.limits import counted_as
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.policy.schema_changes import ProofKind
from opsbot.toolkit.results import Change, Result, Undo
from opsbot.toolkit.tool import ToolContext

_MINUTE_S = 60
_MOST_CALLERS = 10_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Who asks, when and where."""

    caller: Caller
    now: datetime
    conversation_id: str | None = None
    question: str = ""
    context: str = ""


class ToolRunner:
    """Calls tool functions with what they need."""

    def __init__(
        self,
        settings: Settings,
        tools: Mapping[str, AnyTool],
        knowledge: Knowledge,
        policies: Policies,
    ) -> None:
        self._settings = settings
        self._tools = tools
        self._knowledge = knowledge
        self._policies = policies

    def offered(self, caller: Caller) -> list[AnyTool]:
        """Return the tools the caller may know of, by name."""
        return [
            tool
            for _, tool in sorted(self._tools.items())
            if self._offers(tool, caller) and not _is_done(tool, caller)
        ]

    def find(self, caller: Caller, name: str) -> AnyTool:
        """Return a tool by its name.

        Raises:
            NotAllowedError: there is none, or it is not for this caller; the two read the same.
        """
        tool = self._tools.get(name)
        if tool is None or not self._offers(tool, caller):
            raise NotAllowedError("That is not something I can do here.")
        return tool

    def knows(self, name: str) -> bool:
        """Tell whether there is such a tool, for whomever."""
        return name in self._tools

    def check_level(self, tool: AnyTool, caller: Caller) -> None:
        """Refuse a customer who has not proved enough.

        Raises:
            NotVerifiedError: a higher level is needed; the text tells how to get there.
        """
        needed = self.level_of(tool)
        if not caller.is_staff and caller.level < needed:
            known = caller.customer_id is not None
            by_account = self._policies.identity.opens_accounts
            raise refusal_for(needed, known=known, by_account=by_account)

    def level_of(self, tool: AnyTool) -> Level:
        """Return the level a customer needs for a tool: the shop's own rule, or the tool's."""
        return Level(self._policies.identity.levels.get(tool.name, int(tool.level)))

    def _offers(self, tool: AnyTool, caller: Caller) -> bool:
        """Tell whether a tool is for this caller; a proof, whether the shop takes it as one."""
        if not tool.offered_to(caller):
            return False
        rules = self._policies.identity
        if tool.role != "proof":
            return True
        by_account = tool.grants >= Level.SIGNED_IN
        return rules.opens_accounts if by_account else ProofKind.ORDER in rules.proofs

    def call(
        self, tool: AnyTool, session: Session, place: Place, arguments: Mapping[str, Any]
    ) -> Any:
        """Run the function on checked arguments; return its `Result` or `Change`.

        Raises:
            OpsbotError: as the function does; an error nobody foresaw becomes UnavailableError,
                and its text stays in the log.
        """
        context = ToolContext(
            session=session,
            caller=place.caller,
            now=place.now,
            settings=self._settings,
            knowledge=self._knowledge,
            policies=self._policies,
            conversation_id=place.conversation_id,
            question=place.question,
            context=place.context,
        )
        try:
            return tool(context, **arguments)
        except Exception as error:
            if _may_leave(error):
                raise
            raise _in_words(tool, error) from error

    def rehearse(
        self, tool: AnyTool, session: Session, place: Place, arguments: Mapping[str, Any]
    ) -> Change:
        """Return what a tool would do, having done it once and rolled it back.

        So nobody is shown, or asked to agree to, what is bound to be refused. Errors as in `call`.
        """
        trial = session.begin_nested()
        try:
            change: Change = self.call(tool, session, place, arguments)
            # Kept as it is now: doing it may change what the facts were read from.
            shown = replace(change, basis=plain(change.basis), details=tuple(change.details))
            if tool.confirm != "none" and change.can_be_rehearsed:
                self.apply(tool, change)
        finally:
            trial.rollback()
        return shown

    def would_do(self, undo: Undo, session: Session, place: Place) -> bool:
        """Tell whether what takes a change back would be agreed to, as things are now."""
        tool = self._tools.get(undo.tool)
        if tool is None:
            return False
        try:
            self.rehearse(tool, session, place, tool.check(undo.arguments))
        except OpsbotError:
            return False
        return True

    def apply(self, tool: AnyTool, change: Change) -> Result:
        """Do what a change announced; errors as in `call`."""
        try:
            return change.apply()
        except Exception as error:
            if _may_leave(error):
                raise
            raise _in_words(tool, error) from error


class RunLimit:
    """Counts the runs of each caller in this process over a minute."""

    def __init__(self, runs_per_minute: int) -> None:
        self._most = runs_per_minute
        self._runs: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._told: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._lock = threading.Lock()

    def first(self, caller: Caller, now: datetime) -> bool:
        """Tell, once a minute, that somebody was refused."""
        minute = int(now.timestamp()) // _MINUTE_S
        with self._lock:
            is_first = self._told.get(_key_of(caller)) != minute
            self._told[_key_of(caller)] = minute
            while len(self._told) > _MOST_CALLERS:
                self._told.popitem(last=False)
        return is_first

    def check(self, caller: Caller, now: datetime) -> None:
        """Count one run.

        Raises:
            RateLimitedError: there were too many within a minute.
        """
        key, at = _key_of(caller), now.timestamp()
        with self._lock:
            runs = self._runs.setdefault(key, deque())
            self._runs.move_to_end(key)
            while runs and runs[0] <= at - _MINUTE_S:
                runs.popleft()
            if len(runs) >= self._most:
                wait = max(1, round(runs[0] + _MINUTE_S - at))
                raise RateLimitedError(
                    "That was a lot at once. Please wait a moment and try again.", retry_after=wait
                )
            runs.append(at)
            while len(self._runs) > _MOST_CALLERS:
                self._runs.popitem(last=False)


def _key_of(caller: Caller) -> tuple[str, str]:
    if caller.channel in {"api", "mcp"}:
        return (counted_as(caller), "")  # a program gets a new visitor's id for the asking
    return (caller.owner, caller.actor)


def _may_leave(error: Exception) -> bool:
    """Tell whether an error is one of ours, with a code of the closed set."""
    return isinstance(error, OpsbotError) and error.code in CODES


def _in_words(tool: AnyTool, error: Exception) -> UnavailableError:
    log.error("the tool %s broke", tool.name, exc_info=error)
    return UnavailableError(f"{tool.label} could not be done just now. Please try again later.")


def _is_done(tool: AnyTool, caller: Caller) -> bool:
    """Tell whether a tool proves what is known already."""
    known = caller.level >= Level.SIGNED_IN
    return tool.role == "proof" and known and caller.level >= tool.grants
