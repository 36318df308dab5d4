"""What a channel may ask of the core: take a message, give and follow its reply, confirm."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.conversation.decisions import Decisions
from opsbot.conversation.events import Bell, StoredEvent, Wake, events_after
from opsbot.conversation.models import Author, Message, TurnState
from opsbot.conversation.queue import TurnQueue
from opsbot.conversation.replies import Reply, read_reply
from opsbot.conversation.runner import Runner
from opsbot.conversation.store import (
    SupersededError,
    add_message,
    caller_in,
    find_conversation,
    find_reply,
    find_sent,
    start_conversation,
    take_turn,
)
from opsbot.conversation.verification import CheckedAnswer, verify_answer
from opsbot.db import Database
from opsbot.errors import InvalidInputError, UnavailableError
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.shelf import Reader
from opsbot.texts import clean_text
from opsbot.toolkit.caller import Caller, dump_caller
from opsbot.toolkit.proposals import Confirmation

LONGEST_MESSAGE = 4_000
LONGEST_MAIL = 32_000
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Posted:
    """A message was taken."""

    conversation_id: str
    message_id: str
    last_event: int
    """Number of the last event before it."""
    answered: Future[None]
    """Done when its turn has ended, well or not."""


class ConversationService:
    """The face of the core. Turns run in threads of their own and end even if the client leaves."""

    def __init__(
        self,
        database: Database,
        runner: Runner,
        decisions: Decisions,
        bell: Bell,
        knowledge: Knowledge,
        new_id: Callable[[], str],
    ) -> None:
        self._database = database
        self._knowledge = knowledge
        self._runner = runner
        self._decisions = decisions
        self._bell = bell
        self._new_id = new_id
        self._turns = TurnQueue(self._run)

    def post(
        self,
        caller: Caller,
        text: str,
        *,
        client_id: str,
        now: datetime,
        conversation_id: str | None = None,
    ) -> Posted:
        """Keep a message and begin to answer it.

        Sending the same `client_id` again changes nothing and gives the first answer; if that
        answer was interrupted or failed, it is begun again.

        Raises:
            InvalidInputError: the text is empty, too long, or no text.
            NotFoundError: the caller has no such conversation.
            RateLimitedError: too many messages wait in this conversation.
            UnavailableError: too many wait altogether.
        """
        self._turns.check_room(conversation_id)
        limit = LONGEST_MAIL if caller.channel == "email" else LONGEST_MESSAGE
        text = clean_text(text, limit=limit)
        if not 1 <= len(client_id) <= 100:  # noqa: PLR2004
            raise InvalidInputError("client_id must have 1 to 100 characters.")
        with self._database.write(durable=True) as session:
            message = self._keep(
                session, caller, text, client_id=client_id, conversation_id=conversation_id, now=now
            )
        answered: Future[None] = Future()
        if message.turn is TurnState.PENDING:
            answered = self._turns.put(message.conversation_id, message.id)
        else:
            answered.set_result(None)
        return Posted(message.conversation_id, message.id, message.event_before, answered)

    def reply(
        self,
        caller: Caller,
        text: str,
        *,
        client_id: str,
        now: datetime,
        conversation_id: str | None = None,
    ) -> Reply:
        """Keep a message and return its answer.

        Raises:
            UnavailableError: no answer could be given; the message is kept all the same.
        """
        posted = self.post(
            caller, text, client_id=client_id, now=now, conversation_id=conversation_id
        )
        posted.answered.result()
        return self.answer_to(posted)

    def answer_to(self, posted: Posted) -> Reply:
        """Return the answer to a message whose turn has ended.

        Raises:
            UnavailableError: it has none; the message is kept all the same.
        """
        with self._database.read() as session:
            answer = session.scalar(select(Message).where(Message.in_reply_to == posted.message_id))
        if answer is None:
            raise UnavailableError("I could not answer just now. Your message is kept.")
        return read_reply(answer)

    def events(
        self, caller: Caller, conversation_id: str, *, after: int = 0
    ) -> tuple[list[StoredEvent], bool]:
        """Return the events behind number `after`, and whether more are to come.

        Raises:
            NotFoundError: the caller has no such conversation.
        """
        with self._database.read() as session:
            find_conversation(session, caller, conversation_id)
            events = events_after(session, conversation_id, after)
            return events, _has_open_turn(session, conversation_id)

    def listen(self, conversation_id: str, wake: Wake) -> AbstractContextManager[None]:
        """Call `wake`, from any thread, when there is more. Look now and then all the same."""
        return self._bell.listen(conversation_id, wake)

    def transcript(self, caller: Caller, conversation_id: str) -> list[Message]:
        """Return the messages of one of the caller's conversations, oldest first."""
        with self._database.read() as session:
            find_conversation(session, caller, conversation_id)
            return list(
                session.scalars(
                    select(Message)
                    .where(Message.conversation_id == conversation_id)
                    .order_by(Message.position)
                )
            )

    def verify(self, caller: Caller, message_id: str) -> CheckedAnswer:
        """Check a reply again against the articles it quotes.

        Raises:
            NotFoundError: the caller may see no such reply.
        """
        with self._database.read() as session:
            reply = find_reply(session, caller, message_id)
        reader: Reader = "staff" if caller.is_staff else "customer"
        return verify_answer(reply, self._knowledge, reader=reader)

    def caller_in(self, caller: Caller, conversation_id: str, *, now: datetime) -> Caller:
        """Return the caller with what they have proved in one of their conversations.

        Raises:
            NotFoundError: the caller has no such conversation.
        """
        with self._database.read() as session:
            conversation = find_conversation(session, caller, conversation_id)
        return caller_in(conversation, caller, now=now)

    def confirm(self, caller: Caller, proposal_id: str, *, now: datetime) -> Reply:
        """Do what a preview announced. A second time changes nothing and says the same."""
        return self._decisions.confirm(caller, proposal_id, now=now)

    def cancel(self, caller: Caller, proposal_id: str, *, now: datetime) -> Reply:
        """Drop a preview."""
        return self._decisions.cancel(caller, proposal_id, now=now)

    def approve(self, caller: Caller, proposal_id: str, *, now: datetime) -> Confirmation:
        """Agree to a waiting proposal as a second person, and tell who asked for it."""
        return self._decisions.approve(caller, proposal_id, now=now)

    def reject(
        self, caller: Caller, proposal_id: str, *, now: datetime, reason: str = ""
    ) -> Confirmation:
        """Refuse a waiting proposal as a second person, and tell who asked for it."""
        return self._decisions.reject(caller, proposal_id, reason=reason, now=now)

    def undo(self, caller: Caller, proposal_id: str, *, now: datetime) -> Reply:
        """Show what would take a change back, to be confirmed like any other."""
        return self._decisions.undo(caller, proposal_id, now=now)

    def resume(self) -> int:
        """Begin again the turns that a stop interrupted. Returns how many."""
        with self._database.read() as session:
            pending = session.scalars(
                select(Message).where(Message.turn == TurnState.PENDING).order_by(Message.sent_at)
            ).all()
        for message in pending:
            self._turns.put(message.conversation_id, message.id)
        return len(pending)

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for an answer just now."""
        return self._turns.is_idle

    def warm(self) -> None:
        """Make the first answer as quick as the others; takes a second or two."""
        self._runner.warm()

    def close(self) -> None:
        """Let the running turns end, and take no more."""
        self._turns.close()

    def _keep(
        self,
        session: Session,
        caller: Caller,
        text: str,
        *,
        client_id: str,
        conversation_id: str | None,
        now: datetime,
    ) -> Message:
        sent = find_sent(session, caller, client_id, text)
        if sent is not None:
            if sent.turn is TurnState.FAILED:
                sent.turn = TurnState.PENDING
            return sent
        if conversation_id is None:
            conversation = start_conversation(session, caller, self._new_id(), now=now)
        else:
            conversation = find_conversation(session, caller, conversation_id)
        return add_message(
            session,
            conversation.id,
            self._new_id(),
            Author.STAFF if caller.is_staff else Author.CUSTOMER,
            text=text,
            sent_at=now,
            owner=caller.owner,
            client_id=client_id,
            caller=dump_caller(caller),
            event_before=conversation.last_event,
            turn=TurnState.PENDING,
        )

    def _run(self, message_id: str) -> None:
        with self._database.write() as session:
            message = take_turn(session, message_id)
        if message is None:
            return
        try:
            self._runner.run(message)
        except SupersededError:
            log.info("the turn of message %s was taken over by another run", message_id)


def _has_open_turn(session: Session, conversation_id: str) -> bool:
    pending = select(Message.id).where(
        Message.conversation_id == conversation_id, Message.turn == TurnState.PENDING
    )
    return session.scalar(pending.limit(1)) is not None
