"""What a person decides about a preview by its buttons. None of it passes through a model."""

from collections.abc import Callable
from datetime import datetime

from opsbot.conversation.events import Bell
from opsbot.conversation.models import Conversation
from opsbot.conversation.outcomes import (
    Told,
    outcome_of,
    tell,
)
from opsbot.conversation.replies import Body, Reply, read_reply
from opsbot.conversation.store import (
    caller_in,
    find_conversation,
    start_conversation,
)
from opsbot.conversation.writer import CHECK_FIRST
from opsbot.db import Database
from opsbot.errors import NotFoundError, NotVerifiedError
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.proposals import Confirmation, ProposalState

_WRITE_IT = "Write \u201cundo that\u201d here in the chat, and I send you one."


class Decisions:
    """Confirms, drops, approves and takes back what was proposed, and says what came of it."""

    def __init__(
        self,
        database: Database,
        executor: Executor,
        bell: Bell,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._database = database
        self._executor = executor
        self._bell = bell
        self._clock = clock
        self._new_id = new_id

    def confirm(self, caller: Caller, proposal_id: str, *, now: datetime) -> Reply:
        """Do what the preview announced, once, and say so in the conversation."""
        caller, conversation_id = self._place(caller, proposal_id, now=now)
        confirmation = self._executor.confirm(caller, proposal_id, now=now)
        return self._say(conversation_id, outcome_of(confirmation), now=now)

    def cancel(self, caller: Caller, proposal_id: str, *, now: datetime) -> Reply:
        """Drop the preview and say so in the conversation."""
        caller, conversation_id = self._place(caller, proposal_id, now=now)
        preview = self._executor.cancel(caller, proposal_id, now=now)
        return self._say(conversation_id, outcome_of(Confirmation(preview, None, None)), now=now)

    def approve(self, caller: Caller, proposal_id: str, *, now: datetime) -> Confirmation:
        """Agree as the second person, and tell who asked for it in their conversation."""
        return self._tell(self._executor.approve(caller, proposal_id, now=now), now=now)

    def reject(
        self, caller: Caller, proposal_id: str, *, reason: str, now: datetime
    ) -> Confirmation:
        """Refuse as the second person, and tell who asked for it in their conversation."""
        rejected = self._executor.reject(caller, proposal_id, reason=reason, now=now)
        return self._tell(rejected, now=now)

    def undo(self, caller: Caller, proposal_id: str, *, now: datetime) -> Reply:
        """Show in a conversation of the caller what would take a change back."""
        conversation_id = self._own_conversation(caller, proposal_id, now=now)
        with self._database.read() as session:
            here = caller_in(session.get_one(Conversation, conversation_id), caller, now=now)
        try:
            preview = self._executor.undo(
                here, proposal_id, now=now, conversation_id=conversation_id
            )
        except NotVerifiedError as error:
            raise NotVerifiedError(f"{error} {_WRITE_IT}", level=error.level) from error
        body = Body(preview=preview)
        return self._say(conversation_id, Told(preview.id, preview.id, CHECK_FIRST, body), now=now)

    def _own_conversation(self, caller: Caller, proposal_id: str, *, now: datetime) -> str:
        """Return the conversation a change was made in, or a new one if it was somebody else's."""
        conversation_id = self._executor.conversation_of(proposal_id)
        with self._database.write() as session:
            try:
                return find_conversation(session, caller, conversation_id or "").id
            except NotFoundError:
                if not caller.is_staff:
                    raise NotFoundError("proposal", proposal_id[:40]) from None
                return start_conversation(session, caller, self._new_id(), now=now).id

    def _tell(self, confirmation: Confirmation, *, now: datetime) -> Confirmation:
        # Who waited too long for a decision hears of it from the job that ends it.
        expired = confirmation.preview.state is ProposalState.EXPIRED
        if confirmation.conversation_id is not None and not expired:
            self._say(confirmation.conversation_id, outcome_of(confirmation), now=now)
        return confirmation

    def _place(self, caller: Caller, proposal_id: str, *, now: datetime) -> tuple[Caller, str]:
        try:
            conversation_id = self._executor.conversation_of(proposal_id) or ""
            with self._database.read() as session:
                conversation = find_conversation(session, caller, conversation_id)
        except NotFoundError as error:
            raise self._executor.refuse_unknown(caller, proposal_id, now=now) from error
        return caller_in(conversation, caller, now=now), conversation_id

    def _say(self, conversation_id: str, told: Told, *, now: datetime) -> Reply:
        """Store what was decided as a message of the assistant, once."""
        with self._database.write(durable=True) as session:
            message = tell(session, conversation_id, told, now=now)
        self._bell.ring(conversation_id)
        return read_reply(message)
