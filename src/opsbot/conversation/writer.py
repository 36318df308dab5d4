"""The reply while it is written: its sentences are checked, and what belongs to it collected."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from opsbot.conversation.grounding import NOTHING_LEFT, Evidence, Grounding, Piece
from opsbot.conversation.links import known_addresses
from opsbot.conversation.loop import Called, Calling, Finished, Step, Words
from opsbot.conversation.proof.prover import Prover
from opsbot.conversation.proof.quotes import Proof
from opsbot.conversation.replies import Body, describe_hit, describe_preview, describe_proof
from opsbot.conversation.told import MARK, flatten, own_words
from opsbot.conversation.turn import Answer, Turn
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.shelf import Reader
from opsbot.toolkit.proposals import Preview
from opsbot.toolkit.results import Result

Emit = Callable[[str, Mapping[str, Any]], None]
"""Takes the type and the data of one event."""

CHECK_FIRST = "Please check the details below. Nothing happens until you confirm."


class ReplyWriter:
    """Writes one reply, step by step, and tells every event of it."""

    def __init__(
        self,
        turn: Turn,
        emit: Emit,
        knowledge: Knowledge,
        *,
        trusted: bool,
        hosts: Collection[str] = (),
    ) -> None:
        """Begin a reply.

        Args:
            turn: the message to answer.
            emit: is told every event.
            knowledge: the articles.
            trusted: the embedded model, which says only what tools say and its own questions.
            hosts: of the shop's own pages: a model from outside may name no others.
        """
        self.trusted = trusted
        self._turn = turn
        self._emit = emit
        self._id = turn.message_id
        self._knowledge = knowledge
        self._reader: Reader = "staff" if turn.caller.is_staff else "customer"
        self._prover = Prover(self._read_text)
        for proof in turn.proofs:
            self._prover.remember(proof)
        self._evidence = Evidence(
            texts=[turn.text, *turn.said], prover=self._prover, ask_articles=self._ask_articles
        )
        self._evidence.is_known_link = known_addresses(hosts, self._sources)
        self._grounding = Grounding(self._evidence, trusted=trusted)
        self._parts: list[str] = []
        self._proofs: list[tuple[int, str, Proof]] = []
        """Offset into the parts, sentence, and what it rests on."""
        self._asked: bool | None = None
        self._frame: Mapping[str, Any] | None = None
        self.body = Body()

    @property
    def records(self) -> list[str]:
        """What tools read in our records in this turn, without what others wrote there."""
        return [*self._evidence.done, *self._evidence.reports]

    def begin(self, done: Result) -> None:
        """Say first what was done before the model was asked."""
        self.body.take(done)
        self._evidence.done.append(done.say)
        self._say(f"{done.say}\n\n")

    def keep_waiting(self, preview: Preview | None) -> None:
        """Show once more what still waits for a yes or a no."""
        if preview is not None:
            self.body.preview = preview

    def take(self, step: Step, label: str) -> None:
        """Go one step further."""
        match step:
            case Words(text):
                self._say_all(self._grounding.feed(text))
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
        self._say_all(self._grounding.finish())
        if self.body.preview:
            self._close_paragraph()
            self._say(CHECK_FIRST)
        if not "".join(self._parts).strip():
            self._say_instead()
        whole = "".join(self._parts)
        text = whole.strip()
        citations = [
            describe_hit(n, self.body.hits[n - 1])
            for n in sorted({int(n) for n in MARK.findall(text)})
            if 1 <= n <= len(self.body.hits)
        ]
        lead = len(whole) - len(whole.lstrip())
        proofs = [
            describe_proof(start - lead, sentence, proof) for start, sentence, proof in self._proofs
        ]
        stored = self.body.stored(citations, proofs)
        self._tell_body(stored)
        self._emit("message_end", {"message_id": self._id, "text": text})
        return Answer(self._id, text, stored, self._frame, model, self._grounding.dropped)

    def _say_instead(self) -> None:
        """Say what the articles say, in their own words, when nothing of the model's words held."""
        quoted = self._evidence.quoted
        plain = Grounding(self._evidence, trusted=True)
        self._say_all(plain.feed("\n\n".join(quoted)))
        self._say_all(plain.finish())
        if not "".join(self._parts).strip():
            self._say(NOTHING_LEFT)

    def _say_all(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            if piece.proof is not None:
                start = sum(map(len, self._parts))
                start += len(piece.text) - len(piece.text.lstrip())
                self._proofs.append((start, piece.text.strip(), piece.proof))
            self._say(piece.text)

    def _say(self, piece: str) -> None:
        self._parts.append(piece)
        self._emit("message_delta", {"message_id": self._id, "text": piece})

    def _close_paragraph(self) -> None:
        self._say_all(self._grounding.finish())
        if "".join(self._parts).strip() and not self._parts[-1].endswith("\n\n"):
            self._say("\n\n")

    def _tell_call(self, name: str, label: str, state: str) -> None:
        call = {"message_id": self._id, "name": name, "label": label, "state": state}
        self._emit("tool_call", call)

    def _take_call(self, called: Called) -> None:
        self._turn.calls.append(called)
        self._evidence.others.append(flatten(called.told))
        own = own_words(called.told)
        (self._evidence.done if called.acted else self._evidence.reports).append(own)
        if called.result is not None:
            self.body.take(called.result)
            self._take_evidence(called.result)
        if called.preview is not None:
            self.body.preview = called.preview
        if called.stop is not None:
            self._evidence.reports.append(called.stop)
            self._say(called.stop)

    def _take_evidence(self, result: Result) -> None:
        """Tell apart what tools read in records and what they found in articles."""
        evidence = self._evidence
        evidence.sources = len(self.body.hits)
        self._prover.add(result.hits)
        if result.hits:
            evidence.quoted.append(result.say)
        if result.hits or "known" in result.facts:
            evidence.searched = True
        else:
            evidence.records.append(f"{result.say} {flatten(result.facts)}")

    def _sources(self) -> list[str]:
        """Return the texts whose addresses may be named: of tools and of the articles found."""
        hits = [f"{hit.url} {hit.text}" for hit in self.body.hits]
        return [*self._evidence.done, *self._evidence.reports, *hits]

    def _read_text(self, slug: str, version: int) -> str:
        return self._knowledge.read_version(slug, version, audience=self._reader).text

    def _ask_articles(self) -> bool:
        if self._asked is None:
            hits, self._asked = self._turn.access.search(self._turn.text, self._reader)
            if self._asked:
                self._prover.add(hits, cited=False)
        return self._asked

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
