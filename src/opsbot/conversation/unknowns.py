"""What a turn had to leave without an answer from the articles."""

from collections.abc import Iterator, Sequence

from opsbot.conversation.loop import Called
from opsbot.conversation.turn import Answer


def unanswered_questions(answer: Answer, calls: Sequence[Called]) -> list[str]:
    """Return the questions that the person was told the articles do not answer, each once.

    The embedded model says what the search says, so its reply tells. Another model words it
    freely: there the search must have come back empty, with nothing else looked up or quoted.
    """
    return list(dict.fromkeys(_find(answer, calls)))


def _find(answer: Answer, calls: Sequence[Called]) -> Iterator[str]:
    searches = [c for c in calls if c.result is not None and "known" in c.result.facts]
    empty = len(searches) == len(calls) and not answer.body.get("citations")
    for called in searches:
        assert called.result is not None  # noqa: S101  (sifted above)
        facts, question = called.result.facts, str(called.arguments.get("question", ""))
        if facts["known"]:
            yield from (str(part) for part in facts.get("unanswered") or ())
        elif question and (empty or called.result.say.partition("\n")[0] in answer.text):
            yield question
