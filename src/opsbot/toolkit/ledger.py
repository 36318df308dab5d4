"""What becomes of a change: proposed, confirmed, approved by a second person, done once, undone.

Every step is one transaction. The proposal's row is locked in it, its state moves by a conditional
UPDATE, and the change, its history, its outside effects and its audit row commit with it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.records import APPROVED_BY
from opsbot.db import Database
from opsbot.errors import (
    ConfirmationRequiredError,
    ConflictError,
    NotAllowedError,
    NotFoundError,
    OpsbotError,
    StaleError,
    UnavailableError,
)
from opsbot.toolkit.audit import record_for
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.kept_results import dump_result, hash_of, load_result, plain
from opsbot.toolkit.limits import count_use
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.proposals import (
    APPROVAL_LIFETIME,
    LIFETIME,
    Confirmation,
    Preview,
    Proposal,
    ProposalState,
    add_proposal,
    basis_of,
    close_proposal,
    drop_open,
    find_own,
    mark_undone,
    read_preview,
    subject_of,
    take_proposal,
    undo_of,
)
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.running import Place, ToolRunner
from opsbot.toolkit.second_person import (
    ASK_A_PERSON,
    Waiting,
    asker_of,
    find_to_decide,
    let_wait,
    name_of,
    waiting_for,
)
from opsbot.toolkit.write_back import newest_line, tell_source

_PROPOSED, _WAITING = (ProposalState.PROPOSED,), (ProposalState.WAITING,)


@dataclass(frozen=True)
class Done:
    """A change that can be taken back."""

    preview: Preview
    done_by: str
    """Name of who asked for it."""
    done_at: datetime


class Ledger:
    """Keeps proposals and does them. Safe to use from several threads and processes."""

    def __init__(self, database: Database, runner: ToolRunner, *, tells_source: bool) -> None:
        """`tells_source`: changes of another system's orders are told to it; see `write_back`."""
        self._database = database
        self._runner = runner
        self._tells_source = tells_source

    def propose(
        self,
        tool: AnyTool,
        arguments: Mapping[str, object],
        place: Place,
        *,
        undoes: str | None = None,
    ) -> Preview:
        """Keep what a tool would do, and return how it looks. Nothing is done.

        Raises:
            OpsbotError: as the tool's, or because of the arguments; also what doing it would end
                with today.
        """
        try:
            self._runner.check_level(tool, place.caller)
            checked = tool.check(arguments)
            with self._database.write(durable=True) as session:
                change = self._runner.rehearse(tool, session, place, checked)
                count_use(session, place.caller, tool.name, tool.limits, now=place.now)
                if place.conversation_id is not None and tool.confirm != "none":
                    drop_open(session, place.conversation_id, now=place.now)
                kept = add_proposal(session, place, tool.name, checked, change, undoes=undoes)
                if tool.pii != "none":  # the preview tells it
                    record_for(session, place, "proposed", tool.name, proposal=kept.id)
                return read_preview(kept, now=place.now)
        except OpsbotError as error:
            self._audit(place, "refused", tool.name, code=error.code)
            raise

    def do_at_once(self, tool: AnyTool, arguments: Mapping[str, object], place: Place) -> Result:
        """Do what needs no confirmation: words that are kept, mails that are stopped.

        Raises:
            ConflictError: it could not be done; the text says why.
            OpsbotError: as the tool's, or because of the arguments.
        """
        preview = self.propose(tool, arguments, place)
        done = self.confirm(place.caller, preview.id, now=place.now)
        if done.result is None:
            raise ConflictError(done.preview.say or "Something changed meanwhile. Try it again.")
        return done.result

    def confirm(self, caller: Caller, proposal_id: str, *, now: datetime) -> Confirmation:
        """Do what a preview announced, or let it wait for a second person; see `Executor`."""
        with self._refusals(caller, proposal_id, now), self._transaction() as session:
            proposal = find_own(session, caller, proposal_id)
            place = Place(caller, now, proposal.conversation_id)
            if not self._take(session, proposal, _PROPOSED, now):
                return _told(proposal, now)
            tool = self._runner.find(caller, proposal.tool)
            self._runner.check_level(tool, caller)
            return self._perform(session, tool, proposal, place, None)

    def cancel(self, caller: Caller, proposal_id: str, *, now: datetime) -> Preview:
        """Drop an open proposal of one's own; see `Executor`."""
        with self._transaction() as session:
            proposal = find_own(session, caller, proposal_id)
            late = now >= proposal.expires_at
            state = ProposalState.EXPIRED if late else ProposalState.CANCELLED
            waited = proposal.state is ProposalState.WAITING
            if late and waited:
                return read_preview(proposal, now=now)  # see `_take`
            taken = take_proposal(session, proposal, state, now=now)
            if taken and waited:
                close_proposal(session, proposal, state, None)
                record_for(
                    session, Place(caller, now), "withdrawn", proposal.tool, proposal=proposal.id
                )
            return read_preview(proposal, now=now)

    def approve(self, caller: Caller, proposal_id: str, *, now: datetime) -> Confirmation:
        """Agree as the second person, and do it on behalf of the first; see `Executor`."""
        with self._refusals(caller, proposal_id, now), self._transaction() as session:
            proposal = find_to_decide(session, caller, proposal_id)
            if not self._take(session, proposal, _WAITING, now):
                return _told(proposal, now)
            proposal.decided_by = session.info[APPROVED_BY] = caller.actor
            record_for(session, Place(caller, now), "approved", proposal.tool, proposal=proposal.id)
            try:
                asker = asker_of(session, proposal)
                tool = self._runner.find(asker, proposal.tool)
                self._runner.check_level(tool, asker)
            except NotAllowedError as error:
                close_proposal(session, proposal, ProposalState.FAILED, {"say": str(error)})
                return _told(proposal, now)
            place = Place(asker, now, proposal.conversation_id)
            return self._perform(session, tool, proposal, place, caller)

    def reject(
        self, caller: Caller, proposal_id: str, *, reason: str, now: datetime
    ) -> Confirmation:
        """Refuse as the second person; see `Executor`."""
        with self._refusals(caller, proposal_id, now), self._transaction() as session:
            proposal = find_to_decide(session, caller, proposal_id)
            if self._take(session, proposal, _WAITING, now, to=ProposalState.REJECTED):
                proposal.decided_by = caller.actor
                words = f"It was not approved: {reason}" if reason else "It was not approved."
                close_proposal(session, proposal, ProposalState.REJECTED, {"say": words})
                record_for(
                    session,
                    Place(caller, now),
                    "rejected",
                    proposal.tool,
                    personal={"reason": reason},
                    proposal=proposal.id,
                )
            return _told(proposal, now)

    def waiting(self, caller: Caller, *, now: datetime) -> list[Waiting]:
        """Return what waits for a second person and concerns this member of staff."""
        if not caller.is_staff:
            return []
        with self._database.read() as session:
            return waiting_for(session, caller, now=now)

    def undo(
        self,
        caller: Caller,
        proposal_id: str,
        *,
        now: datetime,
        conversation_id: str | None = None,
        apart: bool = False,
    ) -> Preview:
        """Propose what takes an executed change back; see `Executor`."""
        with self._database.read() as session:
            done = session.get(Proposal, proposal_id)
            own = done is not None and (done.owner, done.actor) == (caller.owner, caller.actor)
            if done is None or not (own or caller.is_staff):
                raise NotFoundError("proposal", proposal_id[:40])
            call = undo_of(done)
            if own and not apart:
                conversation_id = conversation_id or done.conversation_id
        if done.state is not ProposalState.EXECUTED:
            raise ConflictError("That was not done, so there is nothing to take back.")
        if done.undone_by is not None:
            raise ConflictError("That was taken back already.")
        if call is None:
            raise ConflictError("That cannot be taken back.")
        tool = self._runner.find(caller, call.tool)
        place = Place(caller, now, conversation_id)
        return self.propose(tool, call.arguments, place, undoes=done.id)

    def undoable(self, caller: Caller, *, since: datetime, limit: int) -> list[Done]:
        """Return what was done and this member of staff may take back, newest first."""
        if not caller.is_staff:
            return []
        done = (
            Proposal.state == ProposalState.EXECUTED,
            Proposal.undone_by.is_(None),
            Proposal.decided_at >= since,
        )
        newest = select(Proposal).where(*done).order_by(Proposal.decided_at.desc(), Proposal.id)
        with self._database.read() as session:
            found = (one for one in session.scalars(newest) if self._may_undo(caller, one))
            return [
                Done(
                    read_preview(one, now=one.decided_at or since),
                    name_of(session, one),
                    one.decided_at or since,
                )
                for one in islice(found, limit)
            ]

    def _may_undo(self, caller: Caller, proposal: Proposal) -> bool:
        call = undo_of(proposal)
        if call is None:
            return False
        try:
            self._runner.find(caller, call.tool)
        except NotAllowedError:
            return False
        return True

    def _take(
        self,
        session: Session,
        proposal: Proposal,
        of: tuple[ProposalState, ...],
        now: datetime,
        *,
        to: ProposalState = ProposalState.EXECUTED,
    ) -> bool:
        """Take an open proposal within its time, whose row is what was shown."""
        if proposal.state not in of:
            return False
        if now >= proposal.expires_at and proposal.state is ProposalState.WAITING:
            return False  # `expire_late` ends it, and tells who asked for it
        if now >= proposal.expires_at:
            take_proposal(session, proposal, ProposalState.EXPIRED, now=now, of=of)
            close_proposal(session, proposal, ProposalState.EXPIRED, None)
            return False
        if hash_of(proposal.arguments) != proposal.arguments_hash:
            raise NotAllowedError("What was confirmed is not what was shown. Nothing was done.")
        return take_proposal(session, proposal, to, now=now, of=of)

    def _perform(
        self,
        session: Session,
        tool: AnyTool,
        proposal: Proposal,
        place: Place,
        approver: Caller | None,
    ) -> Confirmation:
        """Run the tool again on fresh rows, and apply it when its facts are the same."""
        result, renewed, code, action = None, None, "", "executed"
        try:
            with session.begin_nested():
                change = self._fresh(session, tool, proposal, place)
                if change.approval is not None and approver is None:
                    let_wait(session, proposal, change.approval, place)
                    action = "confirmed"
                else:
                    result = self._apply(session, tool, proposal, change, place)
        except UnavailableError:
            raise
        except StaleError as error:
            code = error.code
            renewed = self._renew(session, tool, proposal, place, by_approver=approver is not None)
        except OpsbotError as error:
            code = error.code
            close_proposal(session, proposal, ProposalState.FAILED, {"say": str(error)})
        detail = {"proposal": proposal.id, "code": code}
        if approver is not None:
            detail["approved_by"] = approver.actor
        personal = {"arguments": proposal.arguments}
        action = "refused" if code else action
        record_for(session, place, action, tool.name, personal=personal, **detail)
        preview = read_preview(proposal, now=place.now)
        return Confirmation(preview, result, renewed, proposal.conversation_id)

    def _fresh(self, session: Session, tool: AnyTool, proposal: Proposal, place: Place) -> Change:
        change: Change = self._runner.call(tool, session, place, tool.check(proposal.arguments))
        if basis_of(change) != proposal.basis_hash:
            raise StaleError("The facts changed.")
        return change

    def _apply(
        self, session: Session, tool: AnyTool, proposal: Proposal, change: Change, place: Place
    ) -> Result:
        since = newest_line(session) if self._tells_source else 0
        result = self._runner.apply(tool, change)
        if self._tells_source:
            tell_source(session, place, since=since)
        if proposal.undoes and not mark_undone(session, proposal.undoes, by=proposal.id):
            raise ConflictError("That was taken back already.")
        undo = result.undo or change.undo
        if undo is not None and self._runner.would_do(undo, session, place):
            proposal.undo = plain(asdict(undo))
        close_proposal(session, proposal, ProposalState.EXECUTED, dump_result(result))
        return result

    def _renew(
        self,
        session: Session,
        tool: AnyTool,
        proposal: Proposal,
        place: Place,
        *,
        by_approver: bool,
    ) -> Preview | None:
        """Show how the change looks now, if it still is possible, to the one who asked for it."""
        session.expire_all()
        checked = tool.check(proposal.arguments)
        try:
            change = self._runner.rehearse(tool, session, place, checked)
        except UnavailableError:
            raise
        except OpsbotError as error:
            close_proposal(session, proposal, ProposalState.FAILED, {"say": str(error)})
            return None
        close_proposal(session, proposal, ProposalState.STALE, None)
        if place.conversation_id is not None and not by_approver:
            drop_open(session, place.conversation_id, now=place.now)
        # Who asked for it may be away when the second person looks at it.
        lifetime: timedelta = APPROVAL_LIFETIME if by_approver else LIFETIME
        kept = add_proposal(
            session,
            place,
            tool.name,
            checked,
            change,
            undoes=proposal.undoes,
            lifetime=lifetime,
        )
        return read_preview(kept, now=place.now)

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with self._database.write(durable=True) as session:
            yield session

    @contextmanager
    def _refusals(self, caller: Caller, proposal_id: str, now: datetime) -> Iterator[None]:
        """Refuse programs, which decide nothing; note in the audit whom the ledger refused."""
        try:
            if caller.by_program:
                raise ConfirmationRequiredError(ASK_A_PERSON)
            yield
        except (NotAllowedError, NotFoundError) as error:
            self._audit(Place(caller, now), "refused", subject_of(proposal_id), code=error.code)
            raise

    def _audit(self, place: Place, action: str, subject: str, **detail: Any) -> None:
        with self._database.write() as session:
            record_for(session, place, action, subject, **detail)


def _told(proposal: Proposal, now: datetime) -> Confirmation:
    """Return what was said when the proposal ended."""
    preview = read_preview(proposal, now=now)
    executed = preview.state is ProposalState.EXECUTED and proposal.result is not None
    result = load_result(proposal.result or {}) if executed else None
    return Confirmation(preview, result, None, proposal.conversation_id)
