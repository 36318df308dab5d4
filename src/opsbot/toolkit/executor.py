"""The one door to tools: what runs at once, what is shown first, and how it is done then."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import TypeVar

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.errors import (
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    OpsbotError,
    RateLimitedError,
    UnavailableError,
)
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit import identity
from opsbot.toolkit.audit import UNKNOWN, clean, record_for
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.ledger import Done, Ledger
from opsbot.toolkit.limits import UseCounter, count_use
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import (
    Confirmation,
    Preview,
    Proposal,
    ProposalState,
    read_preview,
    subject_of,
)
from opsbot.toolkit.results import Result
from opsbot.toolkit.running import Place, RunLimit, ToolRunner
from opsbot.toolkit.second_person import Waiting
from opsbot.toolkit.write_back import SHOP

RUNS_PER_MINUTE = 60
_MOST_OPEN = 50
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
        self._ledger = Ledger(database, self._runner, tells_source=SHOP in settings.ports)
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
        place = Place(caller, now, conversation_id, question, context)
        try:
            self._limit.check(caller, now)
        except RateLimitedError as error:
            if self._limit.first(caller, now):  # a flood must not fill the audit
                self._refuse_call(place, name, error)
            raise
        try:
            tool = self._runner.find(caller, name)
        except NotAllowedError as error:
            self._refuse_call(place, name, error)
            raise
        if tool.writes and tool.confirm == "none" and not caller.by_program:
            return self._ledger.do_at_once(tool, arguments, place)
        if tool.writes:
            return self._ledger.propose(tool, arguments, place)
        if tool.role == "proof":
            return self._prove(tool, arguments, place)
        return self._read(tool, arguments, place)

    def refuse(
        self,
        caller: Caller,
        name: str,
        error: OpsbotError,
        *,
        now: datetime,
        conversation_id: str | None = None,
    ) -> None:
        """Audit a call that was refused before it came here."""
        self._refuse_call(Place(caller, now, conversation_id), name, error)

    def confirm(self, caller: Caller, proposal_id: str, *, now: datetime) -> Confirmation:
        """Do what a preview announced, exactly once, on fresh facts and in one transaction.

        Who may do it, the rules and the facts are checked again. When the facts have changed,
        nothing is done and a new preview comes back; when the rules forbid it by now, the state
        is `failed` and the preview's `say` tells why. Where a second person must agree, the state
        is `waiting` and nothing is done yet. A second confirmation changes nothing and returns
        the words of the first.

        Raises:
            NotFoundError: the caller has no such proposal.
            NotAllowedError: the caller may not do it any more, or must prove more first.
            UnavailableError: it broke; nothing was done, and it may be confirmed again.
        """
        return self._ledger.confirm(caller, proposal_id, now=now)

    def cancel(self, caller: Caller, proposal_id: str, *, now: datetime) -> Preview:
        """Drop a preview, or withdraw what waits; what was executed or ended stays as it is.

        Raises:
            NotFoundError: the caller has no such proposal.
        """
        return self._ledger.cancel(caller, proposal_id, now=now)

    def approve(self, caller: Caller, proposal_id: str, *, now: datetime) -> Confirmation:
        """Agree to a waiting proposal as a second person, and do it for who asked for it.

        The rules and the facts are checked again. When the facts have changed, nothing is done,
        and who asked for it gets a new preview, to confirm within three days. A second approval
        changes nothing and returns the words of the first.

        Raises:
            NotFoundError: there is no such proposal, or the caller does not work here.
            ApprovalRequiredError: it is the caller's own, or they have none of the roles.
            UnavailableError: it broke; nothing was done, and it may be approved again.
        """
        return self._ledger.approve(caller, proposal_id, now=now)

    def reject(
        self, caller: Caller, proposal_id: str, *, now: datetime, reason: str = ""
    ) -> Confirmation:
        """Refuse a waiting proposal as a second person; errors as in `approve`."""
        return self._ledger.reject(caller, proposal_id, reason=reason, now=now)

    def waiting(self, caller: Caller, *, now: datetime) -> list[Waiting]:
        """Return what waits for a second person: what the caller may decide, and their own."""
        return self._ledger.waiting(caller, now=now)

    def undo(
        self,
        caller: Caller,
        proposal_id: str,
        *,
        now: datetime,
        conversation_id: str | None = None,
        apart: bool = False,
    ) -> Preview:
        """Propose what takes an executed change back; it is confirmed like any other.

        Staff may ask for it whoever made the change; what they may do, the tool's roles decide.
        `apart`: it does not wait in the conversation the change was made in.

        Raises:
            NotFoundError: the caller may see no such proposal.
            ConflictError: it was not executed, was taken back already, or cannot be.
            OpsbotError: as the tool that takes it back.
        """
        self._limit.check(caller, now)
        return self._ledger.undo(
            caller, proposal_id, now=now, conversation_id=conversation_id, apart=apart
        )

    def undoable(self, caller: Caller, *, since: datetime, limit: int) -> list[Done]:
        """Return what was done since then and this member of staff may take back, newest first."""
        return self._ledger.undoable(caller, since=since, limit=limit)

    def previews_in(self, conversation_id: str, *, now: datetime) -> dict[str, Preview]:
        """Return what was proposed in a conversation, as it stands now, by its id."""
        known = select(Proposal).where(Proposal.conversation_id == conversation_id)
        with self._database.read() as session:
            return {one.id: read_preview(one, now=now) for one in session.scalars(known)}

    def open_proposal(self, conversation_id: str, *, now: datetime) -> Preview | None:
        """Return the preview of a conversation that waits for a decision, if there is one."""
        with self._database.read() as session:
            proposal = session.scalar(_waiting(), {"conversation": conversation_id, "now": now})
            return read_preview(proposal, now=now) if proposal else None

    def last_done(self, caller: Caller, conversation_id: str, *, now: datetime) -> Preview | None:
        """Return what the caller changed last in a conversation, if they changed anything."""
        with self._database.read() as session:
            proposal = session.scalar(
                select(Proposal)
                .where(
                    Proposal.conversation_id == conversation_id,
                    Proposal.owner == caller.owner,
                    Proposal.actor == caller.actor,
                    Proposal.state == ProposalState.EXECUTED,
                )
                .order_by(Proposal.decided_at.desc(), Proposal.created_at.desc())
                .limit(1)
            )
            return read_preview(proposal, now=now) if proposal else None

    def open_proposals(self, caller: Caller, *, now: datetime) -> list[Preview]:
        """Return what programs proposed for this person and waits for them, newest first.

        What was proposed in a conversation waits there.
        """
        with self._database.read() as session:
            proposals = session.scalars(
                select(Proposal)
                .where(
                    Proposal.owner == caller.owner,
                    Proposal.actor == caller.actor,
                    Proposal.conversation_id.is_(None),
                    Proposal.state == ProposalState.PROPOSED,
                    Proposal.expires_at > now,
                )
                .order_by(Proposal.created_at.desc(), Proposal.id)
                .limit(_MOST_OPEN)
            )
            return [read_preview(proposal, now=now) for proposal in proposals]

    def conversation_of(self, proposal_id: str) -> str | None:
        """Return the conversation a proposal was made in; None when it was made outside of one.

        Raises:
            NotFoundError: there is no such proposal.
        """
        with self._database.read() as session:
            proposal = session.get(Proposal, clean(proposal_id))
        if proposal is None:
            raise NotFoundError("proposal", proposal_id[:_LONGEST_NAME])
        return proposal.conversation_id

    def refuse_unknown(self, caller: Caller, proposal_id: str, *, now: datetime) -> NotFoundError:
        """Return the error for a proposal that the caller may not know of; it is audited."""
        error = NotFoundError("proposal", proposal_id[:_LONGEST_NAME])
        place = Place(caller, now)
        self._audit(place, "refused", subject_of(proposal_id), code=error.code)
        return error

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
            record_for(session, place, "code_sent", conversation_id)
        return words

    def check_code(
        self, caller: Caller, code: str, *, now: datetime, conversation_id: str
    ) -> Caller:
        """Return the caller, raised by a right code to signed in with a fresh code.

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

    def sent_code(self, conversation_id: str) -> bool:
        """Tell whether a code was ever sent in this conversation, used or not."""
        with self._database.read() as session:
            return identity.sent_code(session, conversation_id)

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
            self._audit(place, "read", tool.name, personal={"arguments": checked})
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
            action, talk = wrong if failed else right, place.conversation_id
            record_for(session, place, action, subject, conversation=talk)
        if failed is not None:
            raise failed
        return outcome

    def _note_refusal(self, tool: AnyTool, place: Place, error: OpsbotError) -> None:
        """Audit that a change, or a look at personal data, was refused: by a rule, not a typo."""
        told = isinstance(error, InvalidInputError | UnavailableError)
        if tool.writes or (tool.pii != "none" and not told):
            self._audit(place, "refused", tool.name, code=error.code)

    def _refuse_call(self, place: Place, name: str, error: OpsbotError) -> None:
        """Audit a call that came to no tool. A name that a model made up may say anything."""
        if self._runner.knows(name):
            self._audit(place, "refused", name, code=error.code)
        else:
            named = {"named": clean(name[:_LONGEST_NAME])}
            self._audit(place, "refused", UNKNOWN, personal=named, code=error.code)

    def _audit(
        self,
        place: Place,
        action: str,
        subject: str,
        *,
        personal: Mapping[str, object] | None = None,
        **detail: object,
    ) -> None:
        with self._database.write() as session:
            record_for(session, place, action, subject, personal=personal, **detail)


@cache  # putting it together takes longer than to run it, and every turn does
def _waiting() -> Select[Proposal]:
    waits = (
        Proposal.conversation_id == bindparam("conversation"),
        Proposal.state == ProposalState.PROPOSED,
        Proposal.expires_at > bindparam("now"),
    )
    return select(Proposal).where(*waits).order_by(Proposal.created_at.desc()).limit(1)
