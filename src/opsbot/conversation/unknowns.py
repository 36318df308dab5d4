"""What a turn had to leave without an answer from the articles."""

from collections.abc import Iterator, Sequence

from opsbot.conversation.loop import Called
from opsbot.conversation.turn import Answer

EMBEDDED = "embedded"


def unanswered_questions(answer: Answer, calls: Sequence[Called]) -> list[str]:
    """Return the questions that the person was told the articles do not answer, each once.

    The embedded model says what the search says, so its reply tells. Another model words it
    freely: there the search must have come back empty, and nothing else been quoted.
    """
    return list(dict.fromkeys(_find(answer, calls)))


def _find(answer: Answer, calls: Sequence[Called]) -> Iterator[str]:
    for called in calls:
        if called.result is None or "known" not in called.result.facts:
            continue
        facts, question = called.result.facts, str(called.arguments.get("question", ""))
        if facts["known"] is False:
            if question and _was_told(answer, called.result.say):
                yield question
        else:
            yield from (str(part) for part in facts.get("unanswered") or ())


def _was_told(answer: Answer, say: str) -> bool:
    if answer.model == EMBEDDED:
        return say.partition("\n")[0] in answer.text
    return not answer.body.get("citations")
