"""The mask of one conversation: placeholders out, the real values back in."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    ToolCall,
    ToolMessage,
)

from opsbot.conversation.masking.kinds import Kind, Personal, stand_in
from opsbot.conversation.masking.patterns import hide_forms
from opsbot.conversation.masking.spelling import anchor, canonical, spelled
from opsbot.texts import compose

_CODE_LENGTH = 5
_KINDS = "|".join(Kind)
_PLACEHOLDER = re.compile(
    rf"\[?\b({_KINDS})_([A-Z2-7]{{{_CODE_LENGTH}}})\b\]?", re.IGNORECASE | re.ASCII
)
_MADE_UP = re.compile(rf"\[({_KINDS})(?:[_ ]?[A-Z0-9]{{1,12}})?\]|\b({_KINDS})_[A-Z2-7]{{5}}\b")
_UNFINISHED = re.compile(r"\[?[A-Za-z0-9_]{0,16}$")
"""The last word of a piece of a stream: the rest of a placeholder may still come."""
_SHORTEST = 2


class Mask:
    """Hides personal data from a model, and shows it again to the person.

    A placeholder such as `[NAME_K7Q2M]` follows from the value, the conversation and a secret: it
    is the same in every turn of one conversation, in every process, and no other conversation has
    it. Nothing is stored.
    """

    def __init__(self, secret: bytes, conversation_id: str, *, locale: str = "en") -> None:
        """`locale`: the language of what is said for a placeholder that a model made up."""
        self._key = hashlib.sha256(secret + b"mask:" + conversation_id.encode()).digest()
        self._locale = locale
        self._known: dict[tuple[Kind, str], str] = {}
        """Every value that was met, by kind and canonical form, as it is written."""
        self._codes: dict[tuple[Kind, str], str] = {}
        self._values: dict[tuple[Kind, str], str] = {}
        """By kind and code."""
        self._looked_for: dict[tuple[Kind, str], str] = {}
        """Values of our records, each with letters that no spelling of it lacks."""

    def know(self, values: Iterable[Personal]) -> None:
        """Take values that our records hold: they are hidden wherever they stand."""
        for value in values:
            text = compose(value.text).strip()
            if len(text) >= _SHORTEST and (value.kind, text) not in self._looked_for:
                self._looked_for[value.kind, text] = anchor(value.kind, text)
                self._known[value.kind, canonical(value.kind, text)] = text

    def hide(self, text: str, *, by_person: bool = False) -> str:
        """Return a text with placeholders; those that are in it already stay.

        Args:
            text: what would be sent.
            by_person: a person wrote it, so that a number alone may be that of an order.
        """
        known = self._outside(compose(text), self._hide_known)
        return self._outside(
            known, lambda part: hide_forms(part, self._placeholder, by_person=by_person)
        )

    def hide_in(self, value: Any) -> Any:
        """Return nested plain values with placeholders in all their texts."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, Mapping):
            return {self.hide(str(key)): self.hide_in(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide_in(one) for one in value]
        return value

    def hide_messages(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """Return messages as a model outside may see them."""
        return [self._hide_message(message) for message in messages]

    def show(self, text: str) -> str:
        """Return a text with the real values; what a model made up becomes plain words."""
        shown = _PLACEHOLDER.sub(self._value, text)
        return _MADE_UP.sub(lambda m: stand_in(Kind(m[1] or m[2]), self._locale), shown)

    def show_in(self, value: Any) -> Any:
        """Return nested plain values with the real values in all their texts."""
        if isinstance(value, str):
            return self.show(value)
        if isinstance(value, Mapping):
            return {key: self.show_in(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.show_in(one) for one in value]
        return value

    def _hide_message(self, message: BaseMessage) -> BaseMessage:
        if isinstance(message, ToolMessage):
            told = json.dumps(self.hide_in(json.loads(str(message.text))), ensure_ascii=False)
            return message.model_copy(update={"content": told})
        if isinstance(message, AIMessage):
            calls = [
                ToolCall(name=call["name"], args=self.hide_in(call["args"]), id=call["id"])
                for call in message.tool_calls
            ]
            return AIMessage(self.hide(str(message.text)), tool_calls=calls)
        by_person = isinstance(message, HumanMessage)
        return message.model_copy(
            update={"content": self.hide(str(message.text), by_person=by_person)}
        )

    def _hide_known(self, text: str) -> str:
        folded = text.casefold()
        there = [one for one, letters in self._looked_for.items() if letters in folded]
        if not there:
            return text
        there.sort(key=lambda one: -len(one[1]))
        either = "|".join(f"({spelled(kind, value)})" for kind, value in there)
        return re.sub(
            either,
            lambda found: self._placeholder(*there[(found.lastindex or 1) - 1]),
            text,
            flags=re.IGNORECASE,
        )

    def _outside(self, text: str, change: Any) -> str:
        """Change what stands between the placeholders of a text."""
        parts, place = [], 0
        for found in _PLACEHOLDER.finditer(text):
            if (Kind(found[1].upper()), found[2].upper()) not in self._values:
                continue
            parts += [change(text[place : found.start()]), found[0]]
            place = found.end()
        return "".join([*parts, change(text[place:])])

    def _placeholder(self, kind: Kind, text: str) -> str:
        key = (kind, canonical(kind, text))
        if key not in self._codes:
            self._known.setdefault(key, text)
            self._codes[key] = self._new_code(kind, key[1])
            self._values[kind, self._codes[key]] = self._known[key]
        return f"[{kind}_{self._codes[key]}]"

    def _new_code(self, kind: Kind, value: str) -> str:
        for attempt in range(1_000):
            said = f"{kind}\0{value}\0{attempt}".encode()
            digest = hmac.new(self._key, said, hashlib.sha256).digest()
            code = base64.b32encode(digest)[:_CODE_LENGTH].decode()
            if (kind, code) not in self._values:
                return code
        raise AssertionError("no code is free")  # pragma: no cover

    def _value(self, found: re.Match[str]) -> str:
        return self._values.get((Kind(found[1].upper()), found[2].upper()), found[0])


class Shown:
    """Shows the real values in a stream; what may be half a placeholder is held back."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._held = ""

    def feed(self, text: str) -> str:
        """Take more of the stream; return what can be shown."""
        whole = self._held + text
        end = _UNFINISHED.search(whole)
        cut = end.start() if end else len(whole)
        self._held = whole[cut:]
        return self._mask.show(whole[:cut])

    def finish(self) -> str:
        """Return the rest."""
        rest, self._held = self._held, ""
        return self._mask.show(rest)
