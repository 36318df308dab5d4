"""What to do when a tool refuses: prove who is asking, choose, correct a value, explain."""

from collections.abc import Sequence
from dataclasses import replace

from opsbot.conversation.local import wording
from opsbot.conversation.local.board import Board, Question
from opsbot.conversation.local.declarations import KNOWLEDGE, PROOF, UNSHARED, ArgumentSpec
from opsbot.conversation.local.fill import Asks
from opsbot.conversation.local.follow_ups import put_in_place
from opsbot.conversation.local.frame import Option, Task
from opsbot.conversation.local.outcomes import Outcome


def take_error(board: Board, task: Task, outcome: Outcome) -> None:
    """Do what an error calls for: prove, choose, correct, or say why not."""
    if outcome.code == "not_verified" and _prove(board, task, outcome):
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
    """Have the order proved, then go on with the task."""
    proof = board.mind.by_role(PROOF)
    if proof is None or outcome.level > proof.grants:
        return False
    if task.tool == proof.name or any(m[0] == proof.name for m in board.made):
        return False
    proving = Task(proof.name, task.text, lead=outcome.text, then=task)
    board.carry_over(task, proving)
    board.queue.insert(0, proving)
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
