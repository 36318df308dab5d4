"""The reply while it is written: its sentences are checked, and what belongs to it collected."""

from collections.abc import Callable, Mapping
from typing import Any

from opsbot.conversation.grounding import NOTHING_LEFT, Evidence, Grounding
from opsbot.conversation.loop import Called, Calling, Finished, Step, Words
from opsbot.conversation.replies import Body, describe_hit, describe_preview
from opsbot.conversation.told import MARK, flatten
from opsbot.conversation.turn import Answer, Turn

Emit = Callable[[str, Mapping[str, Any]], None]
"""Takes the type and the data of one event."""

CHECK_FIRST = "Please check the details below. Nothing happens until you confirm."


class ReplyWriter:
    """Writes one reply, step by step, and tells every event of it."""

    def __init__(self, turn: Turn, emit: Emit, *, trusted: bool) -> None:
        """`trusted`: the embedded model, which says only what tools say and its own questions."""
        self._turn = turn
        self._emit = emit
        self._id = turn.message_id
        self._evidence = Evidence(texts=[turn.text, *turn.said])
        self._grounding = Grounding(self._evidence, trusted=trusted)
        self._parts: list[str] = []
        self._frame: Mapping[str, Any] | None = None
        self.body = Body()

    def take(self, step: Step, label: str) -> None:
        """Go one step further."""
        match step:
            case Words(text):
                for piece in self._grounding.feed(text):
                    self._say(piece)
            case Calling(name):
                self._close_paragraph()
                self._tell_call(name, label, "running")
            case Called() as called:
                self._tell_call(called.name, label, "failed" if called.error else "done")
                self._take_call(called)
            case Finished(frame, choices):
                self._frame = frame
                self.body.quick_replies = list(choices) or self.body.quick_replies

    def finish(self, model: str) -> Answer:
        """Close the reply."""
        for piece in self._grounding.finish():
            self._say(piece)
        if self.body.preview:
            self._close_paragraph()
            self._say(CHECK_FIRST)
        if not "".join(self._parts).strip():
            self._say(NOTHING_LEFT)
        text = "".join(self._parts).strip()
        citations = [
            describe_hit(n, self.body.hits[n - 1])
            for n in sorted({int(n) for n in MARK.findall(text)})
            if 1 <= n <= len(self.body.hits)
        ]
        stored = self.body.stored(citations)
        self._tell_body(stored)
        self._emit("message_end", {"message_id": self._id, "text": text})
        return Answer(self._id, text, stored, self._frame, model, self._grounding.dropped)

    def _say(self, piece: str) -> None:
        self._parts.append(piece)
        self._emit("message_delta", {"message_id": self._id, "text": piece})

    def _close_paragraph(self) -> None:
        for piece in self._grounding.finish():
            self._say(piece)
        if "".join(self._parts).strip() and not self._parts[-1].endswith("\n\n"):
            self._say("\n\n")

    def _tell_call(self, name: str, label: str, state: str) -> None:
        call = {"message_id": self._id, "name": name, "label": label, "state": state}
        self._emit("tool_call", call)

    def _take_call(self, called: Called) -> None:
        self._turn.calls.append(called)
        self._evidence.reports.append(flatten(called.told))
        if called.result is not None:
            self.body.take(called.result)
            self._evidence.sources = len(self.body.hits)
        if called.preview is not None:
            self.body.preview = called.preview
        if called.stop is not None:
            self._evidence.reports.append(called.stop)
            self._say(called.stop)

    def _tell_body(self, stored: Mapping[str, Any]) -> None:
        of = {"message_id": self._id}
        for citation in stored["citations"]:
            self._emit("citation", of | citation)
        for card in stored["cards"]:
            self._emit("card", of | card)
        if stored["table"]:
            self._emit("table", of | stored["table"])
        if stored["chart"]:
            self._emit("chart", of | stored["chart"] | {"table": stored["table"]})
        if self.body.preview:
            self._emit("action_proposal", of | describe_preview(self.body.preview))
        if stored["quick_replies"]:
            self._emit("quick_replies", of | {"choices": stored["quick_replies"]})
