"""The assistant: retrieve, think, act, and check the words, for one turn.

It reads and runs tools, and hands every event to `emit`. Storing is the service's work.
"""

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import SystemMessage

from opsbot.conversation.chat_model import Breaker
from opsbot.conversation.loop import Called, Calling, ModelError, Step, run_turn
from opsbot.conversation.told import renumber, tell_error, tell_result
from opsbot.conversation.turn import Answer, Turn
from opsbot.conversation.writer import Emit, ReplyWriter
from opsbot.errors import NotVerifiedError, OpsbotError
from opsbot.formats import format_day
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.results import Result
from opsbot.toolkit.wire import without_extras

SIGN_IN = "For this please sign in on our pages and ask in the chat there."
"""Said by mail, which proves nothing about who wrote it."""


class Assistant:
    """Answers turns with the model the settings name, or the embedded one."""

    def __init__(
        self,
        settings: Settings,
        executor: Executor,
        knowledge: Knowledge,
        embedded: BaseChatModel,
        remote: BaseChatModel | None,
        breaker: Breaker,
    ) -> None:
        self._settings = settings
        self._executor = executor
        self._knowledge = knowledge
        self._embedded = embedded
        self._remote = remote
        self._breaker = breaker

    def answer(self, turn: Turn, emit: Emit) -> Answer:
        """Answer one message.

        A remote model that fails, or is cut off, is replaced by the embedded one; the page is told
        to drop what it has seen of the failed attempt.
        """
        if self._remote is not None and self._breaker.allows():
            try:
                answer = self._attempt(self._remote, self._settings.model, turn, emit)
            except ModelError:
                self._breaker.report(failed=True)
                turn.calls.clear()
            else:
                self._breaker.report(failed=False)
                return answer
        return self._attempt(self._embedded, "embedded", turn, emit)

    def warm(self) -> None:
        """Let the embedded model read the tools before the first question comes."""
        for audience in Audience:
            caller = Caller(audience, "warm-up")
            self._embedded.bind_tools([t.schema for t in self._executor.offered(caller)])

    def _attempt(self, model: BaseChatModel, name: str, turn: Turn, emit: Emit) -> Answer:
        failed, turn.message_id = turn.message_id, turn.new_id()
        start: dict[str, Any] = {"message_id": turn.message_id, "author": "assistant"}
        emit("message_start", start | ({"replaces": failed} if failed else {}))
        draft = ReplyWriter(turn, emit, self._knowledge, trusted=model is self._embedded)
        steps = run_turn(
            model,
            self._declare(turn, extras=model is self._embedded),
            [SystemMessage(self._prompt(turn)), *turn.history],
            lambda tool, arguments: self._call(turn, draft, tool, arguments),
            trusted=model is self._embedded,
        )
        for step in steps:
            draft.take(step, self._label(turn, step))
        return draft.finish(name)

    def _declare(self, turn: Turn, *, extras: bool) -> list[dict[str, Any]]:
        """Return the tools' declarations; our own keys only for the embedded model."""
        schemas = [tool.schema for tool in self._executor.offered(turn.caller)]
        return schemas if extras else [without_extras(schema) for schema in schemas]

    def _call(
        self, turn: Turn, draft: ReplyWriter, name: str, arguments: Mapping[str, Any]
    ) -> Called:
        started = turn.elapsed()
        try:
            outcome = self._executor.run(
                turn.caller,
                name,
                arguments,
                now=turn.now,
                conversation_id=turn.conversation_id,
                question=turn.text,
                context=turn.context,
            )
        except OpsbotError as error:
            called = self._failed(turn, name, arguments, error)
        else:
            if isinstance(outcome, Result):
                result = renumber(outcome, len(draft.body.hits))
                self._raise_level(turn, result)
                told = tell_result(result, first=len(draft.body.hits) + 1)
                called = Called(name, arguments, told, result=result)
            else:
                told = {"proposed": outcome.title}
                called = Called(name, arguments, told, preview=outcome)
        return replace(called, milliseconds=round((turn.elapsed() - started) * 1000))

    def _failed(
        self, turn: Turn, name: str, arguments: Mapping[str, Any], error: OpsbotError
    ) -> Called:
        stop = None
        if isinstance(error, NotVerifiedError) and self._may_send_code(turn.caller, error):
            stop = self._send_code(turn)
        elif isinstance(error, NotVerifiedError) and turn.caller.channel == "email":
            error = NotVerifiedError(SIGN_IN, level=error.level)
        return Called(name, arguments, tell_error(error), error=error.code, stop=stop)

    def _send_code(self, turn: Turn) -> str:
        """Mail a code; return what to say, also when none could be sent."""
        try:
            return self._executor.send_code(
                turn.caller, now=turn.now, conversation_id=turn.conversation_id
            )
        except OpsbotError as error:
            return str(error)

    @staticmethod
    def _may_send_code(caller: Caller, error: NotVerifiedError) -> bool:
        known = caller.customer_id is not None and not caller.is_staff
        return known and error.level > caller.level and caller.channel != "email"

    @staticmethod
    def _raise_level(turn: Turn, result: Result) -> None:
        if result.proves_customer_id is None or turn.caller.level >= Level.SIGNED_IN:
            return
        if result.proves_order_id is None:
            known = replace(
                turn.caller, level=Level.SIGNED_IN, customer_id=result.proves_customer_id
            )
            turn.raise_level(known)
        else:
            proved = replace(
                turn.caller,
                level=Level.ORDER,
                customer_id=result.proves_customer_id,
                proved_order_id=result.proves_order_id,
            )
            turn.raise_level(proved)

    def _label(self, turn: Turn, step: Step) -> str:
        if not isinstance(step, Calling | Called):
            return ""
        offered = {tool.name: tool.label for tool in self._executor.offered(turn.caller)}
        return offered.get(step.name, step.name)

    def _prompt(self, turn: Turn) -> str:
        audience = turn.caller.audience.value
        text = (files("opsbot.conversation") / "prompts" / f"{audience}.md").read_text("utf-8")
        today = format_day(turn.now, zone=self._settings.time_zone)
        return text.format(shop_name=self._settings.shop_name, today=today)
