"""Reading and writing conversations: who may see one, and which run of a turn may write."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from opsbot.conversation.models import Author, Conversation, Message, TurnState
from opsbot.conversation.told import MARK
from opsbot.errors import CollisionError, InvalidInputError, NotFoundError
from opsbot.toolkit.caller import Caller, Level

REMEMBERED = 20
"""Most earlier messages a model is shown."""
_MOST_TITLES = 2
_ASKED, _SAID = 180, 320
"""Characters of the last question and answer that a follow-up is searched with."""
FRESH_FOR = timedelta(minutes=10)
"""How long a one-time code counts as fresh."""


class SupersededError(CollisionError):
    """Another run of the same turn has taken over; this one may not write any more."""


def find_conversation(session: Session, caller: Caller, conversation_id: str) -> Conversation:
    """Return one of the caller's own conversations.

    Raises:
        NotFoundError: there is none, or it is somebody else's. The two look alike on purpose.
    """
    conversation = session.scalar(
        select(Conversation).where(
            Conversation.id == conversation_id, Conversation.owner == caller.owner
        )
    )
    if conversation is None:
        raise NotFoundError("the conversation", conversation_id)
    return conversation


def find_reply(session: Session, caller: Caller, message_id: str) -> Message:
    """Return a reply of one of the caller's own conversations; of any, for staff.

    Raises:
        NotFoundError: there is none, or it is somebody else's. The two look alike on purpose.
    """
    query = select(Message).where(Message.id == message_id, Message.author == Author.ASSISTANT)
    if not caller.is_staff:
        query = query.join(Conversation, Conversation.id == Message.conversation_id).where(
            Conversation.owner == caller.owner
        )
    reply = session.scalar(query)
    if reply is None:
        raise NotFoundError("the answer", message_id)
    return reply


def start_conversation(
    session: Session, caller: Caller, conversation_id: str, *, now: datetime
) -> Conversation:
    """Open a new conversation for the caller."""
    conversation = Conversation(
        id=conversation_id,
        audience=caller.audience,
        channel=caller.channel,
        owner=caller.owner,
        customer_id=caller.customer_id,
        level=int(caller.level),
        proved_order_id=caller.proved_order_id,
        created_at=now,
        updated_at=now,
    )
    session.add(conversation)
    session.flush()
    return conversation


def caller_in(conversation: Conversation, caller: Caller, *, now: datetime) -> Caller:
    """Return the caller with what they have proved in this conversation before."""
    if caller.is_staff or conversation.customer_id is None:
        return caller
    if caller.customer_id not in {None, conversation.customer_id}:
        return caller
    level = Level(max(caller.level, min(conversation.level, Level.SIGNED_IN)))
    if conversation.fresh_until is not None and now < conversation.fresh_until:
        level = Level.FRESH_CODE
    return replace(
        caller,
        level=level,
        customer_id=conversation.customer_id,
        proved_order_id=caller.proved_order_id or conversation.proved_order_id,
    )


def keep_proof(session: Session, conversation_id: str, caller: Caller, *, now: datetime) -> None:
    """Keep what the caller has proved, for the rest of the conversation.

    Nothing is kept that would pass one customer's proof on to another: a signed-in conversation
    stays its customer's, and only a fresh code makes it fresh.
    """
    fresh = now + FRESH_FOR if caller.level is Level.FRESH_CODE else None
    own = (
        Conversation.customer_id.is_(None)
        | (Conversation.customer_id == caller.customer_id)
        | (Conversation.level < int(Level.SIGNED_IN))
    )
    session.execute(
        update(Conversation)
        .where(Conversation.id == conversation_id, own)
        .values(
            customer_id=caller.customer_id,
            proved_order_id=caller.proved_order_id,
            level=int(min(caller.level, Level.SIGNED_IN)),
            fresh_until=fresh,
        )
    )


def find_sent(session: Session, caller: Caller, client_id: str, text: str) -> Message | None:
    """Return the message the caller has sent under this client id before, if any.

    Raises:
        InvalidInputError: the id was used for another text.
    """
    message = session.scalar(_sent(), {"owner": caller.owner, "client": client_id})
    if message is not None and message.text != text:
        raise InvalidInputError("client_id: this id was used for another message.")
    return message


def add_message(
    session: Session, conversation_id: str, message_id: str, author: Author, **values: Any
) -> Message:
    """Append a message to the conversation."""
    last = select(func.coalesce(func.max(Message.position), 0)).where(
        Message.conversation_id == conversation_id
    )
    message = Message(
        id=message_id,
        conversation_id=conversation_id,
        position=last.scalar_subquery() + 1,
        author=author,
        **values,
    )
    session.add(message)
    session.flush()
    return message


def take_turn(session: Session, message_id: str) -> Message | None:
    """Begin one more run of a message's turn.

    Returns:
        The message with the number of this run, or None when it has its answer already.
    """
    taken: Message | None = session.scalar(_taking(), {"message": message_id})
    return taken


def hold_turn(session: Session, message_id: str, attempt: int, *, to: TurnState) -> None:
    """Set the state of a turn, if this run is still the one that may.

    Raises:
        SupersededError: another run has taken over, or the turn is over.
    """
    run = {"message": message_id, "run": attempt, "to": to}
    if session.scalar(_holding(), run) is None:
        raise SupersededError("This answer is being written elsewhere.")


def history_of(session: Session, message: Message) -> list[Message]:
    """Return the last messages up to and with this one, oldest first."""
    place = {"conversation": message.conversation_id, "last": message.position}
    return list(reversed(session.scalars(_history(), place).all()))


def context_of(messages: Sequence[Message]) -> str:
    """Return what a question after these messages may lean on, for searching.

    The titles that the last reply cited (it may say "it" throughout), the message before, and the
    beginning of the reply; short enough that a search reads all of it. Empty without a reply.
    """
    reply = messages[-1] if messages else None
    if reply is None or reply.author is not Author.ASSISTANT:
        return ""
    titles = dict.fromkeys(citation["title"] for citation in reply.body.get("citations", ()))
    asked = messages[-2].text if len(messages) > 1 else ""
    said = MARK.sub("", reply.text)
    parts = (", ".join(list(titles)[:_MOST_TITLES]), asked[:_ASKED], said[:_SAID])
    return "\n".join(part for part in parts if part)


def as_chat(messages: Sequence[Message]) -> list[BaseMessage]:
    """Return messages in LangChain's words."""
    return [
        AIMessage(m.text, additional_kwargs={"frame": m.frame})
        if m.author is Author.ASSISTANT
        else HumanMessage(m.text)
        for m in messages
    ]


# The statements of every turn: to put one together takes longer than to run it.


@cache
def _sent() -> Select[Message]:
    own = Message.owner == bindparam("owner")
    return select(Message).where(own, Message.client_id == bindparam("client"))


@cache
def _history() -> Select[Message]:
    here = Message.conversation_id == bindparam("conversation")
    until = select(Message).where(here, Message.position <= bindparam("last"))
    return until.order_by(Message.position.desc()).limit(REMEMBERED + 1)


@cache
def _taking() -> ReturningUpdate[Message]:
    waits = (Message.id == bindparam("message"), Message.turn == TurnState.PENDING)
    return update(Message).where(*waits).values(attempt=Message.attempt + 1).returning(Message)


@cache
def _holding() -> ReturningUpdate[str]:
    runs = (
        Message.id == bindparam("message"),
        Message.attempt == bindparam("run"),
        Message.turn == TurnState.PENDING,
    )
    return update(Message).where(*runs).values(turn=bindparam("to")).returning(Message.id)
