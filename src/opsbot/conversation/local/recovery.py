"""What to do when a tool refuses: prove who is asking, choose, correct a value, explain."""

from collections.abc import Sequence
from dataclasses import replace

from opsbot.conversation.local import wording
from opsbot.conversation.local.board import Board, Question
from opsbot.conversation.local.declarations import KNOWLEDGE, PROOF, UNSHARED, ArgumentSpec
from opsbot.conversation.local.fill import Asks
from opsbot.conversation.local.finding import Finder, label_options, told_parts
from opsbot.conversation.local.follow_ups import put_in_place
from opsbot.conversation.local.frame import Option, Task
from opsbot.conversation.local.outcomes import Outcome
from opsbot.conversation.local.requests import asks_something
from opsbot.conversation.local.values import find_labels

_SURE = 0.6
"""Cosine from which what a person tells means a choice that nobody asked them for."""


def take_error(board: Board, task: Task, outcome: Outcome) -> None:
    """Do what an error calls for: prove, choose, correct, or say why not."""
    if outcome.code == "not_verified" and _prove(board, task, outcome):
        return
    if _ask_for_field(board, task, outcome):
        return
    if outcome.instead in board.mind.tools and _do_instead(board, task, outcome.instead):
        return
    if outcome.code == "ambiguous" and outcome.candidates:
        _choose_among(board, task, outcome)
        return
    proves = board.mind.tools[task.tool].role == PROOF
    if outcome.code in {"not_found", "validation"} or (proves and outcome.code == "forbidden"):
        _correct(board, task, outcome)
        return
    board.say(wording.refusal(outcome.error))
    if outcome.code in {"rate_limited", "unavailable", "forbidden"}:
        board.offer_person()


def _prove(board: Board, task: Task, outcome: Outcome) -> bool:
    """Have the order proved, then go on with the task; a code may be needed after that."""
    proof = board.mind.proof_for(outcome.level)
    if proof is None:
        return False
    if task.tool == proof.name or any(m[0] == proof.name for m in board.made):
        return False
    proving = Task(proof.name, task.text, lead=outcome.text, then=task)
    board.carry_over(task, proving)
    board.queue.insert(0, proving)
    return True


def _ask_for_field(board: Board, task: Task, outcome: Outcome) -> bool:
    """Take from the words, or ask for, the choice that a tool says it lacks."""
    argument = board.mind.tools[task.tool].argument(str(outcome.error.get("field") or ""))
    if argument is None or not argument.labels:
        return False
    finder = Finder(board.mind)
    given = task.arguments.pop(argument.name, None)
    parts = told_parts(task.text)
    verbs = board.mind.vocabulary.verbs
    told = [part for part in parts if not asks_something(part, verbs)]
    meant = next((m for p in parts if (m := find_labels(argument, p))), [])
    # A reason is never made of the order itself: "then please cancel it" gives none.
    meant = meant or next(
        (m for p in told if (m := finder.by_meaning(argument, p, least=_SURE))), []
    )
    if meant and meant[0] != given:
        task.arguments[argument.name] = meant[0]
        board.queue.insert(0, task)
        return True
    allowed = outcome.error.get("allowed")
    options = [o for o in label_options(argument) if not allowed or o.value in allowed]
    task.lead = "" if outcome.code == "validation" else wording.refusal(outcome.error)
    spec = argument if outcome.code != "validation" else replace(argument, ask=outcome.text)
    board.questions.append(Question(task, Asks(spec, options)))
    return True


def _do_instead(board: Board, task: Task, name: str) -> bool:
    """Let another tool do it, which the record's state calls for; each is tried once."""
    if any(made[0] == name for made in board.made):
        return False
    other = Task(name, task.text)
    board.carry_over(task, other)
    board.queue.insert(0, other)
    return True


def _choose_among(board: Board, task: Task, outcome: Outcome) -> None:
    argument = _ambiguous_argument(board, task, outcome.candidates)
    if argument is None:
        board.say(wording.refusal(outcome.error))
        return
    asked = str(task.arguments.pop(argument.name, ""))
    options = [Option(words, words) for words in outcome.candidates]
    if board.mind.tools[task.tool].role == KNOWLEDGE:
        # What is chosen completes the question; it does not take its place.
        options = [Option(put_in_place(asked, o.words), o.words) for o in options]
    spec = replace(argument, ask=outcome.text)
    shown = [] if all(c in outcome.text for c in outcome.candidates) else options
    board.questions.append(Question(replace(task, options=options), Asks(spec, shown)))


def _ambiguous_argument(board: Board, task: Task, candidates: Sequence[str]) -> ArgumentSpec | None:
    """Guess which argument several records fit: the one whose words are like theirs."""
    words = {w for c in candidates for w in c.lower().split()}
    best: ArgumentSpec | None = None
    most = -1.0
    for argument in board.mind.tools[task.tool].arguments:
        value = task.arguments.get(argument.name)
        if not isinstance(value, str) or argument.labels:
            continue
        own = value.lower().split()
        score = sum(w in words for w in own) / max(1, len(own))
        if score > most:
            best, most = argument, score
    return best


def _correct(board: Board, task: Task, outcome: Outcome) -> None:
    """Say what was wrong with a value and let the person give another one."""
    tool = board.mind.tools[task.tool]
    board.say(outcome.text)
    named = outcome.text.split(":", 1)[0].strip()
    wrong = tool.argument(named)
    if wrong is None and (outcome.code == "not_found" or tool.role == PROOF):
        given = (a for a in tool.arguments if a.name in task.arguments)
        wrong = next((a for a in given if a.kind not in UNSHARED), None)
    if wrong is None:
        return
    if tool.role == PROOF:
        wrong = next((a for a in tool.arguments if not a.required), wrong)
        for argument in tool.arguments:
            if not argument.required:
                task.arguments.pop(argument.name, None)
    else:
        value = task.arguments.pop(wrong.name, None)
        known = board.frame.known.get(wrong.kind, [])
        board.frame.known[wrong.kind] = [v for v in known if v != str(value)]
    board.frame.open = replace(task, asked=wrong.name, soft=True)
