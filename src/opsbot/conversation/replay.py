"""A turn once more: is it understood and worded as it was?

The conversation's own messages are read, and nothing else: what tools and articles answered was
kept with the turn and is told again. So a replay changes no record, sends nothing and needs no
network, and a difference comes from opsbot, its embedded model, or how tools are declared.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from langchain_core.language_models import BaseChatModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.conversation.assistant import Assistant
from opsbot.conversation.chat_model import EMBEDDED, Breaker
from opsbot.conversation.differences import Difference, compare_replies, describe_reply
from opsbot.conversation.guard import Understand
from opsbot.conversation.models import Author, Conversation, Message, ToolCall, TurnInputs
from opsbot.conversation.recorded import (
    NoModel,
    NotRecordedError,
    RecordedAccess,
    RecordedModel,
)
from opsbot.conversation.store import history_of
from opsbot.conversation.turn import NO_MODEL, Answer, Turn
from opsbot.conversation.turns import make_turn
from opsbot.conversation.typed import answer_typed
from opsbot.conversation.versions import EMBEDDED as EMBEDDED_VERSION
from opsbot.conversation.versions import INDEX, POLICY, PROGRAM, TOOLS
from opsbot.db import Database
from opsbot.errors import ConflictError, NotFoundError, OpsbotError
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit.caller import load_caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.privacy import REMOVED

NAMES = {
    INDEX: "articles",
    POLICY: "policies",
    TOOLS: "tools",
    EMBEDDED_VERSION: "embedded model",
    PROGRAM: "opsbot",
}
"""What each version is of, in the order in which people look for a cause."""


@dataclass(frozen=True)
class Version:
    """What one of the things is that a reply rests on."""

    of: str
    then: str
    """Empty: it was not kept then."""
    now: str

    @property
    def is_changed(self) -> bool:
        """Whether it is another one, as far as is known."""
        return bool(self.then) and self.then != self.now


@dataclass(frozen=True)
class Replayed:
    """A turn of then, and what became of it now."""

    message: str
    """What the person wrote."""
    at: datetime
    model: str
    """That answered then: `embedded`, a language model's name, or `none`."""
    differences: tuple[Difference, ...]
    stopped: str
    """Why there is no reply now, in a sentence; empty: there is one."""
    versions: tuple[Version, ...]

    @property
    def is_same(self) -> bool:
        """Whether the reply is the same, with everything it carries."""
        return not (self.differences or self.stopped)


class Replays:
    """Runs turns again, for one shop."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        executor: Executor,
        knowledge: Knowledge,
        embedded: BaseChatModel,
        *,
        versions: Callable[[], Mapping[str, Any]],
        understand: Understand | None = None,
    ) -> None:
        """`executor` tells which tools are declared, `knowledge` what articles said: no more.

        `understand` is the assistant's own.
        """
        self._database = database
        self._settings = settings
        self._executor = executor
        self._knowledge = knowledge
        self._embedded = embedded
        self._versions = versions
        self._understand = understand

    def find(self, name: str) -> list[str]:
        """Return the replies that an id names: of a reply, a message, or a whole conversation.

        Raises:
            NotFoundError: it names nothing.
        """
        with self._database.read() as session:
            message = session.get(Message, name)
            if message is not None:
                return [_reply_of(session, message).id]
            if session.get(Conversation, name) is None:
                raise NotFoundError("an answer, message or conversation", name[:40])
            return list(
                session.scalars(
                    select(Message.id)
                    .join(TurnInputs, TurnInputs.message_id == Message.id)
                    .where(Message.conversation_id == name)
                    .order_by(Message.position)
                )
            )

    def replay(self, reply_id: str) -> Replayed:
        """Run the turn of a reply again, over what was told then.

        Raises:
            ConflictError: what a replay needs was not kept, or was removed.
        """
        with self._database.read() as session:
            reply = session.get_one(Message, reply_id)
            inputs = session.get(TurnInputs, reply_id)
            message = session.get(Message, reply.in_reply_to) if reply.in_reply_to else None
            if message is None or inputs is None or reply.text == REMOVED:
                raise ConflictError(_why_not(reply))
            calls = _calls_of(session, message)
            history = history_of(session, message)
        access = RecordedAccess(inputs.answers, self._executor.offered)
        turn = make_turn(
            history,
            load_caller(inputs.caller),
            access,
            now=inputs.at,
            new_id=lambda: reply_id,
            elapsed=lambda: 0.0,
            keep_proof=lambda _caller: None,
        )
        then, model = describe_reply(reply.text, reply.body, reply.frame, calls), _model_of(reply)
        differences, stopped = tuple[Difference, ...](), ""
        try:
            answer = self._answer(turn, model, inputs)
        except NotRecordedError as error:
            stopped = f"It would ask {error}. That was not asked then, so the replay ends there."
        except OpsbotError as error:
            stopped = f"It ends with an error: {error}"
        else:
            made = [(called.name, called.arguments) for called in turn.calls]
            now = describe_reply(answer.text, answer.body, answer.frame, made)
            differences = compare_replies(then, now)
        versions = _compare_versions(reply.trace, self._versions())
        return Replayed(message.text, inputs.at, model, differences, stopped, versions)

    def _answer(self, turn: Turn, model: str, inputs: TurnInputs) -> Answer:
        answer = answer_typed(turn, _hear_nothing)
        if answer is not None:
            return answer
        remote = None if model in {EMBEDDED, NO_MODEL} else RecordedModel.of(inputs.written)
        assistant = Assistant(
            self._settings.model_copy(update={"model": model}),
            self._executor,
            self._knowledge,
            NoModel() if remote is not None else self._embedded,
            remote,
            Breaker(lambda: 0.0),
            understand=self._understand,
        )
        return assistant.answer(turn, _hear_nothing)


def _reply_of(session: Session, message: Message) -> Message:
    if message.author is Author.ASSISTANT:
        return message
    reply = session.scalar(select(Message).where(Message.in_reply_to == message.id))
    if reply is None:
        raise ConflictError("That message has no reply, so there is nothing to replay.")
    return reply


def _why_not(reply: Message) -> str:
    if reply.text == REMOVED:
        return "What was said there was removed, as the customer asked."
    if reply.in_reply_to is None:
        return (
            "That reply came of a button, or of a second person's decision: nothing was understood "
            "or worded, so there is nothing to replay. `opsbot audit export` tells who did what."
        )
    return "That reply was made before opsbot kept what a replay needs."


def _calls_of(session: Session, message: Message) -> list[tuple[str, Mapping[str, Any]]]:
    rows = session.scalars(
        select(ToolCall)
        .where(ToolCall.message_id == message.id, ToolCall.attempt == message.attempt)
        .order_by(ToolCall.position)
    )
    return [(row.name, row.arguments) for row in rows]


def _model_of(reply: Message) -> str:
    return str(reply.trace.get("model", EMBEDDED))


def _compare_versions(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Version, ...]:
    return tuple(
        Version(name, str(then.get(key, "")), str(now[key]))
        for key, name in NAMES.items()
        if key in now
    )


def _hear_nothing(_kind: str, _payload: Mapping[str, Any]) -> None:
    """Be told the events of a reply and keep quiet."""
