"""The assistant: retrieve, think, act, and check the words, for one turn.

It reads and runs tools, and hands every event to `emit`. Storing is the service's work.
"""

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import SystemMessage

from opsbot.conversation.chat_model import EMBEDDED, Breaker
from opsbot.conversation.guard import Guard, Understand
from opsbot.conversation.links import host_of
from opsbot.conversation.loop import Budget, Called, Calling, ModelError, Step, run_turn
from opsbot.conversation.masking.mask import Mask
from opsbot.conversation.masking.records import Masking
from opsbot.conversation.told import renumber, tell_error, tell_result
from opsbot.conversation.turn import Answer, Turn
from opsbot.conversation.writer import Emit, ReplyWriter
from opsbot.errors import NotVerifiedError, OpsbotError
from opsbot.formats import format_day
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.proposals import Preview
from opsbot.toolkit.results import Result

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
        masking: Masking | None = None,
        understand: Understand | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            settings: of the shop.
            executor: runs tools.
            knowledge: the articles.
            embedded: the model of our own.
            remote: a model from outside, that answers instead; None: there is none.
            breaker: leaves the remote model alone for a while when it fails.
            masking: hides personal data from the remote model; None: it sees everything.
            understand: tells what people ask for, to hold the remote model to it; None: that model
                may change nothing.
        """
        self._settings = settings
        self._executor = executor
        self._knowledge = knowledge
        self._embedded = embedded
        self._remote = remote
        self._breaker = breaker
        self._masking = masking
        self._understand = understand
        self._hosts = frozenset(map(host_of, (settings.public_url, *settings.allowed_origins)))
        self._budget = Budget(
            steps=settings.model_most_steps,
            tokens=settings.model_most_tokens,
            seconds=settings.model_most_seconds,
        )

    def answer(self, turn: Turn, emit: Emit) -> Answer:
        """Answer one message.

        A remote model that fails, or is cut off, is replaced by the embedded one; the page is told
        to drop what it has seen of the failed attempt.
        """
        if self._remote is not None and self._breaker.allows():
            begun = len(turn.access.answers)
            try:
                answer = self._attempt(self._remote, self._settings.model, turn, emit)
            except ModelError:
                self._breaker.report(failed=True)
                turn.forget(since=begun)
            else:
                self._breaker.report(failed=False)
                return answer
        return self._attempt(self._embedded, EMBEDDED, turn, emit)

    def warm(self) -> None:
        """Let the embedded model read the tools before the first question comes.

        Who has signed in is offered no proofs, which makes another set to learn.
        """
        callers = [Caller(audience, "warm-up") for audience in Audience]
        callers.append(Caller(Audience.CUSTOMER, "warm-up", Level.SIGNED_IN))
        for caller in callers:
            self._embedded.bind_tools([t.schema for t in self._executor.offered(caller)])

    def _attempt(self, model: BaseChatModel, name: str, turn: Turn, emit: Emit) -> Answer:
        failed, turn.message_id = turn.message_id, turn.new_id()
        start: dict[str, Any] = {"message_id": turn.message_id, "author": "assistant"}
        emit("message_start", start | ({"replaces": failed} if failed else {}))
        trusted = model is self._embedded
        draft = ReplyWriter(turn, emit, self._knowledge, trusted=trusted, hosts=self._hosts)
        if turn.done is not None:
            draft.begin(turn.done)
        mask = self._open_mask(turn, model)
        guard = None if trusted else Guard(turn, self._understand)
        steps = run_turn(
            model,
            guard.schemas() if guard else [t.schema for t in turn.access.offered(turn.caller)],
            [SystemMessage(self._prompt(turn)), *turn.history],
            lambda tool, arguments: self._call(turn, draft, mask, guard, tool, arguments),
            trusted=trusted,
            mask=mask,
            keep=turn.written.append,
            budget=self._budget if guard else None,
        )
        for step in steps:
            draft.take(step, self._label(turn, step))
        if turn.asked_proposal_id and draft.body.preview is None:
            draft.keep_waiting(self._waiting(turn))
        return draft.finish(name)

    def _open_mask(self, turn: Turn, model: BaseChatModel) -> Mask | None:
        """Return what hides personal data from a model that is not ours, when that is set."""
        if self._masking is None or model is self._embedded:
            return None
        return self._masking.open(turn.caller, turn.conversation_id, [turn.text, *turn.said])

    def _waiting(self, turn: Turn) -> Preview | None:
        """Return the preview that the message asked about instead of deciding, if it lives."""
        preview = turn.access.open_proposal()
        return preview if preview is not None and preview.id == turn.asked_proposal_id else None

    def _call(
        self,
        turn: Turn,
        draft: ReplyWriter,
        mask: Mask | None,
        guard: Guard | None,
        name: str,
        arguments: Mapping[str, Any],
    ) -> Called:
        started = turn.elapsed()
        try:
            if guard and (refusal := guard.refuses(name, arguments, draft.records)):
                raise refusal
            outcome = turn.access.run(turn.caller, name, arguments, question=turn.text)
        except OpsbotError as error:
            called = self._failed(turn, name, arguments, error)
        else:
            if isinstance(outcome, Result):
                result = renumber(outcome, len(draft.body.hits))
                self._raise_level(turn, result)
                told = tell_result(result, first=len(draft.body.hits) + 1, extras=draft.trusted)
                acted = any(t.writes for t in turn.access.offered(turn.caller) if t.name == name)
                called = Called(name, arguments, told, result=result, acted=acted)
            else:
                told = {"proposed": outcome.title}
                called = Called(name, arguments, told, preview=outcome)
        if mask is not None and self._masking is not None:
            self._masking.learn(mask, turn.caller, name, called.told)
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
            return turn.access.send_code(turn.caller)
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
        offered = {tool.name: tool.label for tool in turn.access.offered(turn.caller)}
        return offered.get(step.name, step.name)

    def _prompt(self, turn: Turn) -> str:
        audience = turn.caller.audience.value
        text = (files("opsbot.conversation") / "prompts" / f"{audience}.md").read_text("utf-8")
        today = format_day(turn.now, zone=self._settings.time_zone)
        return text.format(shop_name=self._settings.shop_name, today=today)
