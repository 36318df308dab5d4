"""The shop and the language model as they answered then: what a replay asks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field

from opsbot.conversation import kept
from opsbot.conversation.access import Refused
from opsbot.conversation.kept import Kept
from opsbot.conversation.warrant import Past
from opsbot.errors import OpsbotError
from opsbot.retrieval.hits import Hit
from opsbot.retrieval.shelf import Reader
from opsbot.toolkit.caller import Caller, load_caller
from opsbot.toolkit.kept_results import plain
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.proposals import Confirmation, Preview
from opsbot.toolkit.results import Result

_LASTING = {"open_proposal", "awaits_code", "sent_code", "last_refused", "past"}
"""What may be asked more often than then: it is told the last answer again."""


_IN_WORDS = {
    "past": "what had happened before",
    "open_proposal": "which preview is open",
    "confirm": "to do what the preview shows",
    "cancel": "to drop the preview",
    "last_done": "what was changed last",
    "undo": "what takes it back",
    "send_code": "to mail a code",
    "awaits_code": "whether a code is waited for",
    "sent_code": "whether a code was ever sent",
    "check_code": "whether the code is right",
    "last_refused": "what the code was for",
    "keep_address": "to note the address",
}
"""What may be asked beside tools and articles, to follow "it would ask"."""


class NotRecordedError(Exception):
    """The replay asks what was not asked then, so nobody knows the answer. The text says what.

    It is no error of ours on purpose: whoever words those would make a reply of it.
    """


class RecordedAccess:
    """Answers as the shop answered then. Reads nothing, changes nothing, sends nothing."""

    def __init__(self, answers: Sequence[Kept], offered: Callable[[Caller], list[AnyTool]]) -> None:
        """`offered` tells the tools that are declared now."""
        self.answers = list(answers)
        self._left = list(answers)
        self._offered = offered

    def offered(self, caller: Caller) -> list[AnyTool]:
        """Return the tools that the caller may know of now."""
        return self._offered(caller)

    def run(
        self, caller: Caller, name: str, arguments: Mapping[str, object], *, question: str
    ) -> Result | Preview:
        """Return what the tool found then, or what it would have changed."""
        return kept.load_outcome(self._answer("run", name, dict(arguments)))

    def refuse(self, caller: Caller, name: str, error: OpsbotError) -> None:
        """Note nothing: it was noted then."""

    def past(self) -> Past:
        """Return what had happened before then."""
        return kept.load_past(self._answer("past"))

    def open_proposal(self) -> Preview | None:
        """Return the preview that waited for a decision then."""
        preview = self._answer("open_proposal")
        return kept.load_preview(preview) if preview else None

    def confirm(self, caller: Caller, proposal_id: str) -> Confirmation:
        """Return what came of the yes then."""
        return kept.load_confirmation(self._answer("confirm", proposal_id))

    def cancel(self, caller: Caller, proposal_id: str) -> Preview:
        """Return the preview that was dropped then."""
        return kept.load_preview(self._answer("cancel", proposal_id))

    def last_done(self, caller: Caller) -> Preview | None:
        """Return what had been changed last then."""
        preview = self._answer("last_done")
        return kept.load_preview(preview) if preview else None

    def undo(self, caller: Caller, proposal_id: str) -> Preview:
        """Return what would have taken it back then."""
        return kept.load_preview(self._answer("undo", proposal_id))

    def send_code(self, caller: Caller) -> str:
        """Return what was said about the code then."""
        return str(self._answer("send_code"))

    def awaits_code(self) -> bool:
        """Tell whether a code could be used then."""
        return bool(self._answer("awaits_code"))

    def sent_code(self) -> bool:
        """Tell whether a code had been sent by then."""
        return bool(self._answer("sent_code"))

    def check_code(self, caller: Caller, code: str) -> Caller:
        """Return the caller as the code raised them then."""
        return load_caller(self._answer("check_code"))

    def last_refused(self) -> Refused | None:
        """Return the call that had asked for a better proof."""
        refused = self._answer("last_refused")
        return Refused(*refused) if refused else None

    def keep_address(self, caller: Caller, address: str) -> str | None:
        """Return the number of the case that waited for the address."""
        number: str | None = self._answer("keep_address")
        return number

    def search(self, question: str, reader: Reader) -> tuple[list[Hit], bool]:
        """Return the passages that were found then."""
        hits, known = self._answer("search", question)
        return kept.load_hits(hits), known

    def _answer(self, *asked: Any) -> Any:
        wanted = plain(asked)
        found = next((one for one in self._left if one["asked"] == wanted), None)
        if found is not None:
            self._left.remove(found)
        elif asked[0] in _LASTING:
            found = next((one for one in reversed(self.answers) if one["asked"] == wanted), None)
        if found is None:
            raise NotRecordedError(describe(wanted))
        if "error" in found:
            raise kept.load_error(found["error"])
        return found["answer"]


class RecordedModel(BaseChatModel):
    """Writes the messages that a language model wrote then, in order."""

    messages: list[AIMessage]

    @classmethod
    def of(cls, written: Sequence[Kept]) -> "RecordedModel":
        """Return the model that wrote what is kept with a turn."""
        return cls(
            messages=[
                AIMessage(
                    one["text"],
                    tool_calls=one["tool_calls"],
                    invalid_tool_calls=one["invalid_tool_calls"],
                )
                for one in written
            ]
        )

    @property
    def _llm_type(self) -> str:
        return "recorded"

    def bind_tools(self, tools: Sequence[Any], **_options: Any) -> "RecordedModel":
        """Take any tools; what is called was decided then."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.messages.pop(0))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        written = self.messages.pop(0)
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content=written.content,
                tool_calls=written.tool_calls,
                invalid_tool_calls=written.invalid_tool_calls,
                response_metadata={"finish_reason": "stop"},
                chunk_position="last",
            )
        )


class NoModel(RecordedModel):
    """Stands where the embedded model would take over from one that failed: it did not, then."""

    messages: list[AIMessage] = Field(default_factory=list)

    def bind_tools(self, tools: Sequence[Any], **_options: Any) -> "RecordedModel":
        """Refuse.

        Raises:
            NotRecordedError: always.
        """
        raise NotRecordedError("the embedded model to answer instead")


def describe(asked: Sequence[Any]) -> str:
    """Return in words what a turn asked."""
    match asked:
        case ["run", name, arguments]:
            given = ", ".join(f"{key}: {value}" for key, value in arguments.items())
            return f"the tool {name} ({given})"
        case ["search", question]:
            return f"the articles about “{question}”"
    return _IN_WORDS.get(asked[0], str(asked[0]))
