"""Holding one conversation with a running copy of a shop."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.channels.dependencies import staff_caller
from opsbot.channels.services import Services
from opsbot.commerce.customers import find_customer
from opsbot.conversation.models import Message, ToolCall
from opsbot.conversation.replies import Reply
from opsbot.errors import OpsbotError
from opsbot.evaluation.checks import Heard, HeardCall, check_heard
from opsbot.evaluation.schema import CANCEL, CONFIRM, Script, Turn
from opsbot.mail.outgoing import OutgoingMail
from opsbot.staff import find_staff
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.proposals import Proposal

_CODE = "{code}"


class _CannotGoOnError(Exception):
    """A turn cannot be played; the text tells why."""


@dataclass
class Clock:
    """A clock that moves only when it is told to."""

    now: datetime

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def go_on(self, by: timedelta) -> None:
        """Let time go by."""
        self.now += by


@dataclass(frozen=True)
class PlayedTurn:
    """What was said, what came back, and what is wrong with it."""

    said: str
    answered: str
    failures: tuple[str, ...]
    shown: tuple[str, ...] = ()
    """What stands below the words: the preview, and quick replies."""


@dataclass
class Talk:
    """One conversation, turn by turn."""

    services: Services
    clock: Clock
    clauses: Mapping[str, str]
    caller: Caller
    conversation_id: str | None = None
    last: Reply | None = None
    last_event: int = 0
    last_call: int = 0
    heard: Heard = field(default_factory=Heard)
    """All of it."""

    def play(self, turn: Turn) -> PlayedTurn:
        """Say or press what a turn says, and check what comes back."""
        self.clock.go_on(turn.after)
        said = turn.say or f"[{turn.press}]"
        try:
            said = self._fill(turn.say) if turn.say else said
            reply = self._press(turn.press) if turn.press else self._say(said)
        except (OpsbotError, _CannotGoOnError) as error:
            return PlayedTurn(said, "", (f"no answer: {error}",))
        self.last, self.conversation_id = reply, reply.conversation_id
        heard = self._listen(reply)
        self.heard.add(heard)
        failures = tuple(check_heard(turn, heard, self.clauses))
        return PlayedTurn(said, reply.text, failures, tuple(_shown_with(reply)))

    def _say(self, text: str) -> Reply:
        return self.services.conversations.reply(
            self.caller,
            text,
            client_id=secrets.token_hex(8),
            conversation_id=self.conversation_id,
            now=self.clock.now,
        )

    def _press(self, button: str) -> Reply:
        if button not in {CONFIRM, CANCEL}:
            offered = list(self.last.quick_replies) if self.last else []
            if button not in offered:
                names = ", ".join(f"“{one}”" for one in offered) or "none"
                raise _CannotGoOnError(f"no quick reply says “{button}”; there is {names}")
            return self._say(button)
        if self.last is None or not self.last.proposal:
            raise _CannotGoOnError(f"there is no preview to {button}")
        decide: Callable[..., Reply] = getattr(self.services.conversations, button)
        return decide(self.caller, self.last.proposal["proposal_id"], now=self.clock.now)

    def _fill(self, text: str) -> str:
        """Put the code that was mailed last where `{code}` stands."""
        if _CODE not in text:
            return text
        with self.services.database.read() as session:
            mail = session.scalar(
                select(OutgoingMail.text)
                .where(OutgoingMail.dedupe_key.startswith("code:"))
                .order_by(OutgoingMail.id.desc())
                .limit(1)
            )
        found = re.search(r"\b\d{6}\b", mail or "")
        if found is None:
            raise _CannotGoOnError("no code was mailed")
        return text.replace(_CODE, found[0])

    def _listen(self, reply: Reply) -> Heard:
        """Return what came back since the last turn."""
        heard = Heard(texts=[reply.text], sources=[_names_of(one) for one in reply.citations])
        events, _ = self.services.conversations.events(
            self.caller, reply.conversation_id, after=self.last_event
        )
        heard.cases = [str(one.data["case"]) for one in events if one.type == "handoff"]
        self.last_event = events[-1].number if events else self.last_event
        with self.services.database.read() as session:
            if reply.proposal:
                heard.proposals.append(_words_of(session, reply.proposal))
            heard.calls = self._calls(session, reply.conversation_id)
        return heard

    def _calls(self, session: Session, conversation_id: str) -> list[HeardCall]:
        rows = session.scalars(
            select(ToolCall)
            .join(Message, Message.id == ToolCall.message_id)
            .where(Message.conversation_id == conversation_id, ToolCall.id > self.last_call)
            .order_by(ToolCall.id)
        ).all()
        self.last_call = rows[-1].id if rows else self.last_call
        return [
            HeardCall(row.name, row.arguments, row.error or "", _clause_in(row.outcome))
            for row in rows
        ]


def find_speaker(services: Services, script: Script) -> Caller:
    """Return who speaks, as their channel would know them.

    Raises:
        NotFoundError: there is no such person.
    """
    visitor = Caller(Audience.CUSTOMER, "widget", visitor=secrets.token_hex(8))
    with services.database.read() as session:
        if script.staff:
            return staff_caller(find_staff(session, script.staff), channel="console")
        if not script.customer:
            return visitor
        found = find_customer(session, script.customer)
    return replace(visitor, level=Level.SIGNED_IN, customer_id=found.id, visitor="")


def _shown_with(reply: Reply) -> Iterator[str]:
    if reply.proposal:
        yield reply.proposal["title"]
        yield from (f"• {detail}" for detail in reply.proposal["details"])
        yield f"({reply.proposal['button']}) (Cancel)"
    if reply.quick_replies:
        yield " ".join(f"({choice})" for choice in reply.quick_replies)


def _words_of(session: Session, proposal: Mapping[str, object]) -> str:
    row = session.get_one(Proposal, proposal["proposal_id"])
    return " · ".join([row.title, *row.details, row.tool])


def _names_of(citation: Mapping[str, object]) -> frozenset[str]:
    """Return everything a citation may be called: its title, file or address, with its heading."""
    page, _, anchor = str(citation["url"]).partition("#")
    slug = page.rpartition("/")[2]
    path = str(citation["article"])
    stem = path.rpartition("/")[2].rpartition(".")[0]
    names = {slug, str(citation["title"]), path, stem}
    headings = {anchor, str(citation["heading"])}
    names |= {f"{name}#{heading}" for name in names for heading in headings}
    return frozenset(name.casefold() for name in names if name)


def _clause_in(outcome: Mapping[str, object]) -> str:
    error = outcome.get("error")
    return str(error.get("clause", "")) if isinstance(error, Mapping) else ""
