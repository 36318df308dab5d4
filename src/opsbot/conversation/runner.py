"""Runs one turn: what no model may decide first, then the assistant; and stores what came of it."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from opsbot.conversation.access import LiveAccess
from opsbot.conversation.assistant import Assistant
from opsbot.conversation.events import Bell, last_begun
from opsbot.conversation.models import Conversation, Message
from opsbot.conversation.recorder import Recorder
from opsbot.conversation.store import (
    SupersededError,
    caller_in,
    context_of,
    history_of,
    keep_proof,
)
from opsbot.conversation.turn import Answer, Turn
from opsbot.conversation.turns import make_turn
from opsbot.conversation.typed import answer_typed
from opsbot.conversation.unknowns import unanswered_questions
from opsbot.db import Database
from opsbot.errors import OpsbotError, UnavailableError
from opsbot.planning.office_hours import OfficeHours
from opsbot.retrieval.gaps import Gaps
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.models import Audience
from opsbot.toolkit.caller import Caller, load_caller
from opsbot.toolkit.executor import Executor

SORRY = "Something went wrong on our side. Your message is kept; please try again."

log = logging.getLogger(__name__)


class Runner:
    """Answers one stored message."""

    def __init__(
        self,
        database: Database,
        assistant: Assistant,
        bell: Bell,
        *,
        executor: Executor,
        knowledge: Knowledge,
        versions: Callable[[], Mapping[str, Any]],
        clock: Callable[[], datetime],
        elapsed: Callable[[], float],
        new_id: Callable[[], str],
        gaps: Gaps | None = None,
        hours: OfficeHours | None = None,
    ) -> None:
        """`versions` names what an answer rests on: articles, policies, tools, program.

        `gaps` keeps what the articles did not answer. `hours` are those of the people who take
        over.
        """
        self._database = database
        self._assistant = assistant
        self._executor = executor
        self._knowledge = knowledge
        self._bell = bell
        self._versions = versions
        self._clock = clock
        self._elapsed = elapsed
        self._new_id = new_id
        self._gaps = gaps
        self._hours = hours or OfficeHours()

    def warm(self) -> None:
        """Make the first answer as quick as the others."""
        self._assistant.warm()
        self._versions()

    def run(self, message: Message) -> None:
        """Answer `message`; whatever happens, its turn ends.

        Raises:
            SupersededError: another run of the turn has taken over.
        """
        recorder = Recorder(
            self._database,
            self._bell,
            message,
            hours=self._hours,
            clock=self._clock,
            elapsed=self._elapsed,
        )
        try:
            turn = self._prepare(message)
            answer = answer_typed(turn, recorder.emit)
            if answer is None:
                answer = self._assistant.answer(turn, recorder.emit)
            recorder.finish(answer, turn, self._versions())
            self._note_gaps(turn, answer)
        except SupersededError:
            raise
        except OpsbotError as error:
            log.warning("no answer to message %s: %s", message.id, error, exc_info=error.__cause__)
            recorder.fail(str(error), error.code)
        except Exception:
            log.exception("the turn of message %s broke", message.id)
            recorder.fail(SORRY, UnavailableError.code)

    def _prepare(self, message: Message) -> Turn:
        with self._database.read() as session:
            conversation = session.get_one(Conversation, message.conversation_id)
            messages = history_of(session, message)
            broken = last_begun(session, message) if message.attempt > 1 else ""
        now = self._clock()
        caller = caller_in(conversation, load_caller(message.caller or {}), now=now)
        access = LiveAccess(
            self._database,
            self._executor,
            self._knowledge,
            message.conversation_id,
            now,
            context_of(messages[:-1]),
        )
        return make_turn(
            messages,
            caller,
            access,
            now=now,
            message_id=broken,
            new_id=self._new_id,
            elapsed=self._elapsed,
            keep_proof=lambda raised: self._keep_proof(message.conversation_id, raised),
        )

    def _note_gaps(self, turn: Turn, answer: Answer) -> None:
        """Keep what the articles did not answer. The reply is out; nothing may undo it."""
        if self._gaps is None:
            return
        audience = Audience.STAFF if turn.caller.is_staff else Audience.PUBLIC
        try:
            for question in unanswered_questions(answer, turn.calls):
                self._gaps.note(question, audience=audience, now=self._clock())
        except Exception:
            log.exception("a gap was not kept")

    def _keep_proof(self, conversation_id: str, caller: Caller) -> None:
        with self._database.write() as session:
            keep_proof(session, conversation_id, caller, now=self._clock())
