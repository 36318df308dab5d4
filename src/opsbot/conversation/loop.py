"""One turn of the loop: think, act, think again, until there is an answer or a proposal.

The seam between LangChain and the rest: `run_turn` takes any chat model with tool calling and
yields plain steps. It stores nothing and knows no channel.
"""

import json
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    InvalidToolCall,
    ToolCall,
    ToolMessage,
)

from opsbot.conversation.masking.mask import Mask, Shown
from opsbot.conversation.told import mark_foreign
from opsbot.errors import UnavailableError
from opsbot.toolkit.proposals import Preview
from opsbot.toolkit.results import Result

MOST_MALFORMED = 2
"""Tool calls with unreadable arguments before we give a model up."""
LETTERS_PER_TOKEN = 4
"""About so many, where a model does not tell its tokens."""
FINISHED = ("finish_reason", "stop_reason", "done_reason")


@dataclass(frozen=True)
class Words:
    """Some more text of the answer."""

    text: str


@dataclass(frozen=True)
class Called:
    """A tool was called, and this came of it."""

    name: str
    arguments: Mapping[str, Any]
    told: Mapping[str, Any]
    """What the model is told."""
    result: Result | None = None
    preview: Preview | None = None
    error: str | None = None
    """Code of the error."""
    stop: str | None = None
    """Words that end the turn at once, such as "we sent a code"."""
    milliseconds: int = 0
    acted: bool = False
    """It changed something at once."""


@dataclass(frozen=True)
class Calling:
    """A tool is about to be called."""

    name: str


@dataclass(frozen=True)
class Finished:
    """The turn is over."""

    frame: Mapping[str, Any] | None = None
    """What the embedded model wants back next time."""
    choices: Sequence[str] = ()
    """Short answers to the question it asks."""


Step = Words | Calling | Called | Finished


class CallTool(Protocol):
    """Runs one tool; turns its errors into a `Called` with words."""

    def __call__(self, name: str, arguments: Mapping[str, Any]) -> Called:
        """Run the tool called `name`."""
        ...


@dataclass(frozen=True)
class Budget:
    """What one turn may cost. Who needs more is given up."""

    steps: int = 8
    """Calls of the model."""
    tokens: int = 60_000
    """Read and written by it, all calls together; estimated where it does not tell."""
    seconds: float = 60
    """From the first call to the last word."""
    elapsed: Callable[[], float] = time.monotonic


UNBOUNDED = Budget(tokens=sys.maxsize, seconds=float("inf"))
"""For our own model, which costs nothing: only its steps end."""


class ModelError(UnavailableError):
    """The language model failed, was cut off, or made no sense."""


@dataclass
class _Reading:
    """A model's message as it streams in."""

    whole: AIMessageChunk | None = None


def run_turn(
    model: BaseChatModel,
    tools: Sequence[Mapping[str, Any]],
    messages: Sequence[BaseMessage],
    call_tool: CallTool,
    *,
    trusted: bool,
    mask: Mask | None = None,
    keep: Callable[[AIMessage], object] = bool,
    budget: Budget | None = None,
) -> Iterator[Step]:
    """Run the loop until the model answers, proposes a change, or the limit is reached.

    Args:
        model: any LangChain chat model with tool calling.
        tools: declarations, as `Tool.schema` makes them.
        messages: the conversation, oldest first; the last one is the person's.
        call_tool: runs a tool.
        trusted: the embedded model, which always finishes its messages.
        mask: hides personal data from the model; None: it sees everything.
        keep: is told each whole message of the model, as the loop understood it.
        budget: what the turn may cost; None: only the steps are bounded.

    Raises:
        ModelError: the model failed; what was yielded so far may be a broken answer.
    """
    bound = model.bind_tools([dict(tool) for tool in tools]) if tools else model
    history = list(messages)
    malformed = 0
    spending = _Spending(budget or UNBOUNDED, tools)
    for _step in range(spending.budget.steps):
        reading = _Reading()
        yield from spending.watch(_read(bound, history, reading, mask))
        spending.count(history, reading.whole)
        answer = _complete(reading, trusted=trusted, mask=mask)
        keep(answer)
        if answer.invalid_tool_calls:
            malformed += 1
            if malformed >= MOST_MALFORMED:
                raise ModelError("The model calls tools with arguments that cannot be read.")
            history += _refuse_malformed(answer.invalid_tool_calls)
            continue
        if not answer.tool_calls:
            yield _finished(answer)
            return
        history.append(answer)
        stopped = yield from _act(answer.tool_calls, history, call_tool, trusted=trusted)
        if stopped:
            yield _finished(answer)
            return
    raise ModelError(f"The model did not come to an answer in {spending.budget.steps} steps.")


class _Spending:
    """Holds a model to its budget."""

    def __init__(self, budget: Budget, tools: Sequence[Mapping[str, Any]]) -> None:
        self.budget = budget
        self._tools = len(json.dumps(list(tools), default=str)) // LETTERS_PER_TOKEN
        self._until = budget.elapsed() + budget.seconds
        self._tokens = 0

    def watch(self, words: Iterator[Words]) -> Iterator[Words]:
        """Pass words on as long as there is time."""
        for some in words:
            if self.budget.elapsed() > self._until:
                raise ModelError(f"The model took more than {self.budget.seconds:g} seconds.")
            yield some

    def count(self, history: Sequence[BaseMessage], whole: AIMessageChunk | None) -> None:
        """Add what one call read and wrote; a model that calls on and on ends here."""
        usage = whole.usage_metadata if whole is not None else None
        letters = sum(len(str(m.content)) for m in history) + len(str(whole.text if whole else ""))
        estimate = self._tools + letters // LETTERS_PER_TOKEN
        self._tokens += usage["total_tokens"] if usage else estimate
        if self._tokens > self.budget.tokens:
            raise ModelError(f"The model used more than {self.budget.tokens} tokens.")
        if self.budget.elapsed() > self._until:
            raise ModelError(f"The model took more than {self.budget.seconds:g} seconds.")


def _read(
    model: Any, history: Sequence[BaseMessage], reading: _Reading, mask: Mask | None
) -> Iterator[Words]:
    shown = Shown(mask) if mask is not None else None
    try:
        for chunk in model.stream(list(history) if mask is None else mask.hide_messages(history)):
            reading.whole = chunk if reading.whole is None else reading.whole + chunk
            text = str(chunk.text)
            if said := text if shown is None else shown.feed(text):
                yield Words(said)
    except Exception as error:
        raise ModelError(f"The language model failed: {type(error).__name__}.") from error
    if shown is not None and (rest := shown.finish()):
        yield Words(rest)


def _complete(reading: _Reading, *, trusted: bool, mask: Mask | None) -> AIMessage:
    whole = reading.whole
    if whole is None:
        raise ModelError("The language model sent nothing.")
    # A connection that closes in the middle of a stream raises nothing: the mark at the end tells.
    if not trusted and not any(whole.response_metadata.get(key) for key in FINISHED):
        raise ModelError("The language model was cut off.")
    if not (whole.text or whole.tool_calls or whole.invalid_tool_calls):
        raise ModelError("The language model sent an empty answer.")
    if mask is not None:
        calls = [{**call, "args": mask.show_in(call["args"])} for call in whole.tool_calls]
        return AIMessage(
            mask.show(str(whole.text)),
            tool_calls=calls,
            invalid_tool_calls=whole.invalid_tool_calls,
        )
    return AIMessage(
        content=whole.content,
        tool_calls=whole.tool_calls,
        invalid_tool_calls=whole.invalid_tool_calls,
        additional_kwargs=whole.additional_kwargs if trusted else {},
    )


def _finished(answer: AIMessage) -> Finished:
    kept = answer.additional_kwargs
    return Finished(kept.get("frame"), kept.get("choices") or ())


def _act(
    calls: Sequence[ToolCall], history: list[BaseMessage], call_tool: CallTool, *, trusted: bool
) -> Generator[Step, None, bool]:
    """Run the calls in order. Returns whether the turn ends here.

    A model from outside is told with marks what people and articles wrote.
    """
    stopped = False
    for call in calls:
        if stopped:
            # A change waits for its answer; what comes after it is asked again then.
            told: Mapping[str, Any] = {"error": {"code": "conflict", "text": "Not run."}}
        else:
            yield Calling(call["name"])
            called = call_tool(call["name"], call["args"])
            yield called
            told = called.told
            stopped = called.preview is not None or called.stop is not None
        content = json.dumps(told if trusted else mark_foreign(told), ensure_ascii=False)
        history.append(ToolMessage(content, tool_call_id=call["id"] or "", name=call["name"]))
    return stopped


def _refuse_malformed(calls: Sequence[InvalidToolCall]) -> list[BaseMessage]:
    text = json.dumps({"error": {"code": "validation", "text": "The arguments were not JSON."}})
    repaired: list[ToolCall] = [
        ToolCall(name=call["name"] or "unknown", args={}, id=call["id"] or f"bad_{i}")
        for i, call in enumerate(calls)
    ]
    answers = [ToolMessage(text, tool_call_id=c["id"] or "", name=c["name"]) for c in repaired]
    return [AIMessage("", tool_calls=repaired), *answers]
