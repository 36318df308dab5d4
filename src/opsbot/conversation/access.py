"""What a turn may ask of the shop, and the keeping of what it was told, for a replay."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import select

from opsbot.conversation import kept
from opsbot.conversation.handoff import keep_address
from opsbot.conversation.kept import Kept
from opsbot.conversation.models import Message, ToolCall
from opsbot.conversation.told import own_words
from opsbot.conversation.warrant import Decided, Past
from opsbot.db import Database
from opsbot.errors import NotVerifiedError, OpsbotError
from opsbot.retrieval.hits import Hit
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.shelf import Reader
from opsbot.toolkit.audit import record_for
from opsbot.toolkit.caller import Caller, dump_caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.kept_results import plain
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.proposals import Confirmation, Preview, Proposal, ProposalState
from opsbot.toolkit.results import Result
from opsbot.toolkit.running import Place

T = TypeVar("T")
_REMEMBERED_CALLS = 20
"""Earlier calls of tools whose findings a change may name."""
_MOST_LETTERS = 20_000
"""Of what they found."""


@dataclass(frozen=True)
class Refused:
    """A call that asked for a better proof of who is asking."""

    name: str
    arguments: Mapping[str, Any]


class Access(Protocol):
    """Everything that a turn may ask: the shop itself, or what it said then."""

    answers: list[Kept]
    """What was asked and told, in order."""

    def offered(self, caller: Caller) -> list[AnyTool]:
        """Return the tools the caller may know of."""
        ...

    def run(
        self, caller: Caller, name: str, arguments: Mapping[str, object], *, question: str
    ) -> Result | Preview:
        """Run a tool that reads, or prepare what a tool that writes would do."""
        ...

    def refuse(self, caller: Caller, name: str, error: OpsbotError) -> None:
        """Note that a call was refused before it reached its tool."""
        ...

    def past(self) -> Past:
        """Return what was decided and read in the conversation before."""
        ...

    def open_proposal(self) -> Preview | None:
        """Return the preview of the conversation that waits for a decision."""
        ...

    def confirm(self, caller: Caller, proposal_id: str) -> Confirmation:
        """Do what a preview announced."""
        ...

    def cancel(self, caller: Caller, proposal_id: str) -> Preview:
        """Drop a preview."""
        ...

    def last_done(self, caller: Caller) -> Preview | None:
        """Return what the caller changed last in the conversation."""
        ...

    def undo(self, caller: Caller, proposal_id: str) -> Preview:
        """Propose what takes a change back."""
        ...

    def send_code(self, caller: Caller) -> str:
        """Mail a one-time code; return what to say."""
        ...

    def awaits_code(self) -> bool:
        """Tell whether a code was sent that can still be used."""
        ...

    def sent_code(self) -> bool:
        """Tell whether a code was ever sent in the conversation, used or not."""
        ...

    def check_code(self, caller: Caller, code: str) -> Caller:
        """Return the caller, raised by a right code."""
        ...

    def last_refused(self) -> Refused | None:
        """Return the last call that asked for a better proof, unless it went through since."""
        ...

    def keep_address(self, caller: Caller, address: str) -> str | None:
        """Note where to answer; return the number of the case that waits for it."""
        ...

    def search(self, question: str, reader: Reader) -> tuple[list[Hit], bool]:
        """Return passages about a question, and whether the articles know about it."""
        ...


@dataclass
class LiveAccess:
    """Asks the shop in the name of one conversation, and keeps every answer."""

    database: Database
    executor: Executor
    knowledge: Knowledge
    conversation_id: str
    now: datetime
    context: str
    """What a question may lean on, for searching."""
    answers: list[Kept] = field(default_factory=list)
    """What was asked and told, in order."""

    def offered(self, caller: Caller) -> list[AnyTool]:
        """Return the tools the caller may know of. Not kept: declarations are a version."""
        return self.executor.offered(caller)

    def run(
        self, caller: Caller, name: str, arguments: Mapping[str, object], *, question: str
    ) -> Result | Preview:
        """Run a tool that reads, or prepare what a tool that writes would do."""
        return self._keep(
            ["run", name, dict(arguments)],
            lambda: self.executor.run(
                caller,
                name,
                arguments,
                now=self.now,
                conversation_id=self.conversation_id,
                question=question,
                context=self.context,
            ),
            kept.dump_outcome,
        )

    def refuse(self, caller: Caller, name: str, error: OpsbotError) -> None:
        """Note that a call was refused before it reached its tool. There is nothing to keep."""
        self.executor.refuse(
            caller, name, error, now=self.now, conversation_id=self.conversation_id
        )

    def past(self) -> Past:
        """Return what was decided and read in the conversation before."""
        return self._keep(["past"], self._find_past, kept.dump_past)

    def open_proposal(self) -> Preview | None:
        """Return the preview of the conversation that waits for a decision."""
        return self._keep(
            ["open_proposal"],
            lambda: self.executor.open_proposal(self.conversation_id, now=self.now),
            lambda preview: kept.dump_preview(preview) if preview else None,
        )

    def confirm(self, caller: Caller, proposal_id: str) -> Confirmation:
        """Do what a preview announced."""
        return self._keep(
            ["confirm", proposal_id],
            lambda: self.executor.confirm(caller, proposal_id, now=self.now),
            kept.dump_confirmation,
        )

    def cancel(self, caller: Caller, proposal_id: str) -> Preview:
        """Drop a preview."""
        return self._keep(
            ["cancel", proposal_id],
            lambda: self.executor.cancel(caller, proposal_id, now=self.now),
            kept.dump_preview,
        )

    def last_done(self, caller: Caller) -> Preview | None:
        """Return what the caller changed last in the conversation."""
        return self._keep(
            ["last_done"],
            lambda: self.executor.last_done(caller, self.conversation_id, now=self.now),
            lambda preview: kept.dump_preview(preview) if preview else None,
        )

    def undo(self, caller: Caller, proposal_id: str) -> Preview:
        """Propose what takes a change back."""
        return self._keep(
            ["undo", proposal_id],
            lambda: self.executor.undo(
                caller, proposal_id, now=self.now, conversation_id=self.conversation_id
            ),
            kept.dump_preview,
        )

    def send_code(self, caller: Caller) -> str:
        """Mail a one-time code; return what to say."""
        return self._keep(
            ["send_code"],
            lambda: self.executor.send_code(
                caller, now=self.now, conversation_id=self.conversation_id
            ),
            str,
        )

    def awaits_code(self) -> bool:
        """Tell whether a code was sent that can still be used."""
        return self._keep(
            ["awaits_code"],
            lambda: self.executor.awaits_code(self.conversation_id, now=self.now),
            bool,
        )

    def sent_code(self) -> bool:
        """Tell whether a code was ever sent in the conversation, used or not."""
        return self._keep(
            ["sent_code"], lambda: self.executor.sent_code(self.conversation_id), bool
        )

    def check_code(self, caller: Caller, code: str) -> Caller:
        """Return the caller, raised by a right code. The code itself is not kept."""
        return self._keep(
            ["check_code"],
            lambda: self.executor.check_code(
                caller, code, now=self.now, conversation_id=self.conversation_id
            ),
            dump_caller,
        )

    def last_refused(self) -> Refused | None:
        """Return the last call that asked for a better proof, unless it went through since."""
        return self._keep(
            ["last_refused"],
            self._find_refused,
            lambda one: [one.name, dict(one.arguments)] if one else None,
        )

    def keep_address(self, caller: Caller, address: str) -> str | None:
        """Note where to answer; return the number of the case that waits for it."""
        number: str | None = self._keep(
            ["keep_address"], lambda: self._keep_address(caller, address), lambda number: number
        )
        return number

    def search(self, question: str, reader: Reader) -> tuple[list[Hit], bool]:
        """Return passages about a question, and whether the articles know about it."""

        def look() -> tuple[list[Hit], bool]:
            hits = self.knowledge.search(question, audience=reader, context=self.context)
            return hits, self.knowledge.knows(hits)

        return self._keep(
            ["search", question], look, lambda found: [kept.dump_hits(found[0]), found[1]]
        )

    def _find_refused(self) -> Refused | None:
        calls = (
            select(ToolCall)
            .join(Message, Message.id == ToolCall.message_id)
            .where(Message.conversation_id == self.conversation_id)
            .order_by(ToolCall.id.desc())
            .limit(1)
        )
        with self.database.read() as session:
            last = session.scalar(calls.where(ToolCall.error == NotVerifiedError.code))
            if last is None:
                return None
            # Whoever asks something else in between still means that call by the code.
            newest = session.scalar(calls.where(ToolCall.name == last.name))
        return Refused(last.name, last.arguments) if newest is last else None

    def _find_past(self) -> Past:
        with self.database.read() as session:
            told = session.scalars(
                select(ToolCall.outcome)
                .join(Message, Message.id == ToolCall.message_id)
                .where(Message.conversation_id == self.conversation_id, ToolCall.error.is_(None))
                .order_by(ToolCall.id.desc())
                .limit(_REMEMBERED_CALLS)
            ).all()
            proposals = session.scalars(
                select(Proposal).where(
                    Proposal.conversation_id == self.conversation_id,
                    Proposal.state != ProposalState.PROPOSED,
                )
            )
            decided = [
                Decided(one.tool, one.title, one.decided_at or one.created_at) for one in proposals
            ]
        return Past(decided, "\n".join(own_words(one) for one in told)[:_MOST_LETTERS])

    def _keep_address(self, caller: Caller, address: str) -> str | None:
        with self.database.write(durable=True) as session:
            case = keep_address(session, self.conversation_id, address)
            if case is not None:
                place = Place(caller, self.now, self.conversation_id)
                record_for(session, place, "address_kept", case.number)
        return case.number if case is not None else None

    def _keep(self, asked: list[Any], ask: Callable[[], T], dump: Callable[[T], Any]) -> T:
        entry: Kept = {"asked": plain(asked)}
        try:
            answer = ask()
        except OpsbotError as error:
            self.answers.append(entry | {"error": kept.dump_error(error)})
            raise
        self.answers.append(entry | {"answer": dump(answer)})
        return answer
