"""The one door to tools: what runs at once, what is shown first, and how it is done then."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.errors import (
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    OpsbotError,
    StaleError,
    UnavailableError,
)
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit import identity
from opsbot.toolkit.audit import record_audit
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.limits import UseCounter, count_use
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import (
    Confirmation,
    Preview,
    Proposal,
    ProposalState,
    add_proposal,
    close_proposal,
    dump_result,
    find_proposal,
    hash_of,
    load_result,
    read_preview,
    take_proposal,
)
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.running import Place, RunLimit, ToolRunner

RUNS_PER_MINUTE = 60
_LONGEST_NAME = 40
"""Characters kept of a name that a model made up."""

T = TypeVar("T")


class Executor:
    """Runs tools for callers. Safe to use from several threads and processes."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        tools: Mapping[str, AnyTool],
        knowledge: Knowledge,
        policies: Policies,
        *,
        runs_per_minute: int = RUNS_PER_MINUTE,
    ) -> None:
        self._database = database
        self._settings = settings
        self._runner = ToolRunner(settings, tools, knowledge, policies)
        self._limit = RunLimit(runs_per_minute)
        self._uses = UseCounter()

    def offered(self, caller: Caller) -> list[AnyTool]:
        """Return the tools the caller may know of, by name."""
        return self._runner.offered(caller)

    def run(
        self,
        caller: Caller,
        name: str,
        arguments: Mapping[str, object],
        *,
        now: datetime,
        conversation_id: str | None = None,
        question: str = "",
        context: str = "",
    ) -> Result | Preview:
        """Run a tool that reads, or prepare what a tool that writes would do.

        Args:
            caller: who is asking.
            name: the tool.
            arguments: what a model filled in; nothing in them tells who is asking.
            now: the time.
            conversation_id: where it is asked.
            question: the caller's own words in this turn.
            context: the last answer and question, for searching.

        Raises:
            OpsbotError: one of its kinds; the text may be said as it is.
        """
        self._limit.check(caller, now)
        place = Place(caller, now, conversation_id, question, context)
        try:
            tool = self._runner.find(caller, name)
        except NotAllowedError as error:
            self._audit(place, "refused", name[:_LONGEST_NAME], code=error.code)
            raise
        if tool.writes:
            return self._propose(tool, arguments, place)
        if tool.role == "proof":
            return self._prove(tool, arguments, place)
        return self._read(tool, arguments, place)

    def confirm(self, caller: Caller, proposal_id: str, *, now: datetime) -> Confirmation:
        """Do what a preview announced, exactly once, on fresh facts and in one transaction.

        Who may do it, the rules and the facts are checked again. When the facts have changed,
        nothing is done and a new preview comes back; when the rules forbid it by now, the state
        is `failed` and the preview's `say` tells why. A second confirmation changes nothing and
        returns the words of the first.

        Raises:
            NotFoundError: the caller has no such proposal.
            NotAllowedError: the caller may not do it any more, or must prove more first.
            UnavailableError: it broke; nothing was done, and it may be confirmed again.
        """
        try:
            with self._database.write(durable=True) as session:
                proposal = find_proposal(session, caller, proposal_id)
                place = Place(caller, now, proposal.conversation_id)
                return self._confirm(session, proposal, place)
        except (NotAllowedError, NotFoundError) as error:
            place = Place(caller, now)
            self._audit(place, "refused", proposal_id[:_LONGEST_NAME], code=error.code)
            raise

    def cancel(self, caller: Caller, proposal_id: str, *, now: datetime) -> Preview:
        """Drop a preview; what was executed, or ended before, stays as it is.

        Raises:
            NotFoundError: the caller has no such proposal.
        """
        with self._database.write(durable=True) as session:
            proposal = find_proposal(session, caller, proposal_id)
            late = now >= proposal.expires_at
            state = ProposalState.EXPIRED if late else ProposalState.CANCELLED
            take_proposal(session, proposal, state, now=now)
            return read_preview(proposal, now=now)

    def open_proposal(self, conversation_id: str, *, now: datetime) -> Preview | None:
        """Return the preview of a conversation that waits for a decision, if there is one."""
        with self._database.read() as session:
            proposal = session.scalar(
                select(Proposal)
                .where(
                    Proposal.conversation_id == conversation_id,
                    Proposal.state == ProposalState.PROPOSED,
                    Proposal.expires_at > now,
                )
                .order_by(Proposal.created_at.desc())
                .limit(1)
            )
            return read_preview(proposal, now=now) if proposal else None

    def conversation_of(self, proposal_id: str) -> str:
        """Return the conversation a proposal was made in.

        Raises:
            NotFoundError: there is no such proposal, or it was made outside a conversation.
        """
        with self._database.read() as session:
            proposal = session.get(Proposal, proposal_id)
        if proposal is None or proposal.conversation_id is None:
            raise NotFoundError("proposal", proposal_id[:40])
        return proposal.conversation_id

    def send_code(self, caller: Caller, *, now: datetime, conversation_id: str) -> str:
        """Mail a one-time code to the caller's own address; return the sentence to say.

        Raises:
            NotVerifiedError: we do not know who the caller is.
            RateLimitedError: too many codes within an hour or a day.
        """
        place = Place(caller, now, conversation_id)
        with self._database.write(durable=True) as session:
            words = identity.send_code(
                session, caller, self._settings, conversation_id=conversation_id, now=now
            )
            _record(session, place, "code_sent", conversation_id)
        return words

    def check_code(
        self, caller: Caller, code: str, *, now: datetime, conversation_id: str
    ) -> Caller:
        """Return the caller, raised by a right code: to signed in, or from there to fresh code.

        Raises:
            NotVerifiedError: we do not know who the caller is.
            NotAllowedError: the code is wrong, used or too old.
            RateLimitedError: the code was tried too often.
        """

        def check(session: Session) -> Caller:
            return identity.check_code(
                session, caller, code, self._settings, conversation_id=conversation_id, now=now
            )

        place = Place(caller, now, conversation_id)
        return self._counted(place, check, conversation_id, "code_accepted", "code_failed")

    def awaits_code(self, conversation_id: str, *, now: datetime) -> bool:
        """Tell whether a code was sent in this conversation that can still be used."""
        with self._database.read() as session:
            return identity.awaits_code(session, conversation_id, now=now)

    def _read(self, tool: AnyTool, arguments: Mapping[str, object], place: Place) -> Result:
        try:
            self._runner.check_level(tool, place.caller)
            checked = tool.check(arguments)
            self._uses.take(place.caller, tool.name, tool.limits, now=place.now)
            with self._database.read() as session:
                result: Result = self._runner.call(tool, session, place, checked)
        except OpsbotError as error:
            self._note_refusal(tool, place, error)
            raise
        if tool.pii != "none":
            self._audit(place, "read", tool.name, arguments=checked)
        return result

    def _prove(self, tool: AnyTool, arguments: Mapping[str, object], place: Place) -> Result:
        checked = tool.check(arguments)
        subject = str(checked.get("order_number", ""))[:20]

        def check(session: Session) -> Result:
            count_use(session, place.caller, tool.name, tool.limits, now=place.now)
            result: Result = self._runner.call(tool, session, place, checked)
            return result

        return self._counted(place, check, subject, "proof_accepted", "proof_failed")

    def _counted(
        self, place: Place, check: Callable[[Session], T], subject: str, right: str, wrong: str
    ) -> T:
        """Run a check whose failed tries must be kept: the transaction ends well either way."""
        failed: OpsbotError | None = None
        with self._database.write(durable=True) as session:
            try:
                outcome = check(session)
            except UnavailableError:
                raise
            except OpsbotError as error:
                failed = error
            detail = {"conversation": place.conversation_id}
            _record(session, place, wrong if failed else right, subject, **detail)
        if failed is not None:
            raise failed
        return outcome

    def _propose(self, tool: AnyTool, arguments: Mapping[str, object], place: Place) -> Preview:
        try:
            self._runner.check_level(tool, place.caller)
            checked = tool.check(arguments)
            # A session to read in: whatever a preview should write is dropped with it.
            with self._database.read() as session:
                change: Change = self._runner.call(tool, session, place, checked)
            with self._database.write(durable=True) as session:
                count_use(session, place.caller, tool.name, tool.limits, now=place.now)
                return add_proposal(session, place, tool.name, checked, change)
        except OpsbotError as error:
            self._note_refusal(tool, place, error)
            raise

    def _confirm(self, session: Session, proposal: Proposal, place: Place) -> Confirmation:
        preview = read_preview(proposal, now=place.now)
        if preview.state is ProposalState.EXPIRED:
            take_proposal(session, proposal, ProposalState.EXPIRED, now=place.now)
        if preview.state is not ProposalState.PROPOSED:
            return _told(proposal, preview)
        tool = self._runner.find(place.caller, proposal.tool)
        self._runner.check_level(tool, place.caller)
        if hash_of(proposal.arguments) != proposal.arguments_hash:
            raise NotAllowedError("What was confirmed is not what was shown. Nothing was done.")
        if not take_proposal(session, proposal, ProposalState.EXECUTED, now=place.now):
            return _told(proposal, read_preview(proposal, now=place.now))
        return self._execute(session, tool, proposal, place)

    def _execute(
        self, session: Session, tool: AnyTool, proposal: Proposal, place: Place
    ) -> Confirmation:
        """Run the tool again on fresh rows, and apply it when its facts are the same."""
        result, renewed, code = None, None, ""
        try:
            with session.begin_nested():
                checked = tool.check(proposal.arguments)
                change: Change = self._runner.call(tool, session, place, checked)
                if hash_of(change.basis) != proposal.basis_hash:
                    raise StaleError("The facts changed.")  # noqa: TRY301  (as `apply` raises it)
                result = self._runner.apply(tool, change)
                session.flush()
            close_proposal(session, proposal, ProposalState.EXECUTED, dump_result(result))
        except UnavailableError:
            raise
        except StaleError as error:
            code = error.code
            renewed = self._renew(session, tool, proposal, place)
        except OpsbotError as error:
            code = error.code
            close_proposal(session, proposal, ProposalState.FAILED, {"say": str(error)})
        detail = {"proposal": proposal.id, "arguments": proposal.arguments, "code": code}
        _record(session, place, "refused" if code else "executed", tool.name, **detail)
        return Confirmation(read_preview(proposal, now=place.now), result, renewed)

    def _renew(
        self, session: Session, tool: AnyTool, proposal: Proposal, place: Place
    ) -> Preview | None:
        """Show how the change looks now, if it still is possible."""
        session.expire_all()
        checked = tool.check(proposal.arguments)
        try:
            change: Change = self._runner.call(tool, session, place, checked)
        except UnavailableError:
            raise
        except OpsbotError as error:
            close_proposal(session, proposal, ProposalState.FAILED, {"say": str(error)})
            return None
        close_proposal(session, proposal, ProposalState.STALE, None)
        return add_proposal(session, place, tool.name, checked, change)

    def _note_refusal(self, tool: AnyTool, place: Place, error: OpsbotError) -> None:
        """Audit that a change, or a look at personal data, was refused: by a rule, not a typo."""
        told = isinstance(error, InvalidInputError | UnavailableError)
        if tool.writes or (tool.pii != "none" and not told):
            self._audit(place, "refused", tool.name, code=error.code)

    def _audit(self, place: Place, action: str, subject: str, **detail: object) -> None:
        with self._database.write() as session:
            _record(session, place, action, subject, **detail)


def _record(session: Session, place: Place, action: str, subject: str, **detail: object) -> None:
    actor = place.caller.actor
    record_audit(session, actor=actor, action=action, subject=subject, at=place.now, **detail)


def _told(proposal: Proposal, preview: Preview) -> Confirmation:
    """Return what was said when the proposal ended."""
    executed = preview.state is ProposalState.EXECUTED and proposal.result is not None
    result = load_result(proposal.result or {}) if executed else None
    return Confirmation(preview, result, None)
