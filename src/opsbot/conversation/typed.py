"""What a person types that passes no model: yes or no to a preview, "undo that", a code, danger."""

from opsbot.conversation.access import Refused
from opsbot.conversation.handoff import read_address
from opsbot.conversation.loop import Called
from opsbot.conversation.outcomes import event_of, events_of, words_and_body
from opsbot.conversation.replies import Body
from opsbot.conversation.shortcuts import (
    Decision,
    Said,
    asks_for_code,
    asks_to_undo,
    begins_with_no,
    names_code,
    read_code,
    read_decision,
)
from opsbot.conversation.turn import NO_MODEL, Answer, Turn
from opsbot.conversation.writer import CHECK_FIRST, Emit
from opsbot.errors import NotVerifiedError, OpsbotError
from opsbot.hazards import tells_of_harm
from opsbot.toolkit.proposals import Confirmation, Preview
from opsbot.toolkit.results import Result

_UNDO = "undo"
"""What the record of a turn calls it when somebody asked to take the last change back."""
_BY_A_PERSON = "Ask for a person if something is wrong."
_NEW_CODE = "Send me a new code"
_CODE_OVER = (
    "I am not waiting for a code now: the last one was used already. "
    "When something needs a code, I send you a new one and ask you for it."
)
_CODE_EXPIRED = (
    "I am not waiting for a code any more: the one I sent has expired. "
    f"Write \u201c{_NEW_CODE}\u201d, and I mail you another and go on with what you asked for."
)
_NO_CODE = (
    "I am not waiting for a code: none was asked for in this conversation. "
    "When something needs a code, I send it to your e-mail address and ask you for it."
)
GO_ON = "continue"
"""What the embedded model is told when more was asked for than the change just made."""


def answer_typed(turn: Turn, emit: Emit) -> Answer | None:
    """Answer a message that no model needs to read, or return None."""
    preview = turn.access.open_proposal()
    # A word decides only about the preview it answers; the button works as long as it lives.
    if preview is not None and preview.id == turn.asked_proposal_id:
        said = read_decision(
            turn.text, button=preview.button, title=preview.title, details=preview.details
        )
        if said is not None:
            return _decide(turn, preview, said, emit)
        if begins_with_no(turn.text):
            dropped = turn.access.cancel(turn.caller, preview.id)
            emit("action_result", event_of(Confirmation(dropped, None, None)))
    if not turn.caller.is_staff and tells_of_harm(turn.text):
        return _stop_danger(turn, emit)
    if asks_to_undo(turn.text):
        return _take_back(turn, emit)
    about_code = _answer_code(turn, emit)
    if about_code is not None:
        return about_code
    address = read_address(turn.text)
    if address is not None and turn.caller.customer_id is None:
        return _take_address(turn, address, emit)
    return None


def _stop_danger(turn: Turn, emit: Emit) -> Answer | None:
    """Let the tool for it answer a report of danger, whatever else the message is about."""
    tools = (tool for tool in turn.access.offered(turn.caller) if tool.role == "danger")
    tool = next(tools, None)
    if tool is None:
        return None
    outcome = turn.access.run(turn.caller, tool.name, {}, question=turn.text)
    if not isinstance(outcome, Result) or not outcome.hands_off:
        return None
    turn.calls.append(Called(tool.name, {}, {"say": outcome.say}, outcome))
    body = Body()
    body.take(outcome)
    return _answer(turn, outcome.say, body, emit)


def _take_address(turn: Turn, address: str, emit: Emit) -> Answer | None:
    number = turn.access.keep_address(turn.caller, address)
    if number is None:
        return None
    words = f"Thank you. A person writes to {address}; your case is {number}."
    return _answer(turn, words, Body(), emit)


def _decide(turn: Turn, preview: Preview, said: Said, emit: Emit) -> Answer | None:
    """Do what was decided; None: the message goes on, and the assistant answers the rest."""
    if said.decision is Decision.CANCEL:
        dropped = turn.access.cancel(turn.caller, preview.id)
        confirmation = Confirmation(dropped, None, None)
    else:
        confirmation = turn.access.confirm(turn.caller, preview.id)
    text, body = words_and_body(confirmation)
    emit("action_result", event_of(confirmation))
    rest = said.rest or (GO_ON if turn.has_more else "")
    if confirmation.result is not None and rest:
        turn.go_on_with(rest, after=confirmation.result)
        return None
    return _answer(turn, text, body, emit)


def _take_back(turn: Turn, emit: Emit) -> Answer | None:
    """Show what takes the last change of the conversation back; None: nothing was changed."""
    done = turn.access.last_done(turn.caller)
    if done is None:
        return None
    arguments, body, error = {"proposal_id": done.id}, Body(), None
    try:
        body.preview, text = turn.access.undo(turn.caller, done.id), CHECK_FIRST
    except NotVerifiedError as refused:
        text, error = _ask_for_code(turn, refused), refused.code
    except OpsbotError as refused:
        text, error = f"{refused} {_BY_A_PERSON}", refused.code
    turn.calls.append(Called(_UNDO, arguments, {"say": text}, error=error))
    return _answer(turn, text, body, emit)


def _ask_for_code(turn: Turn, error: NotVerifiedError) -> str:
    """Mail a code to who changed something here; return what to say."""
    try:
        return turn.access.send_code(turn.caller)
    except OpsbotError:
        return str(error)


def _answer_code(turn: Turn, emit: Emit) -> Answer | None:
    """Take a code, mail a new one, or say that none is waited for; None: it is about none."""
    if asks_for_code(turn.text):
        return _send_again(turn, emit)
    code = read_code(turn.text)
    if code is None:
        return None
    if turn.access.awaits_code():
        return _take_code(turn, code, emit)
    sent = turn.access.sent_code()
    # Six digits alone may be a number that was asked for, or an order's where none was sent.
    if not names_code(turn.text) and (turn.is_asked or not sent):
        return None
    if sent and turn.access.last_refused() is not None:
        return _answer(turn, _CODE_EXPIRED, Body(quick_replies=[_NEW_CODE]), emit)
    return _answer(turn, _CODE_OVER if sent else _NO_CODE, Body(), emit)


def _send_again(turn: Turn, emit: Emit) -> Answer | None:
    """Mail another code for the call that needs one; None: nothing here needs one."""
    if turn.caller.customer_id is None or turn.access.last_refused() is None:
        return None
    try:
        words = turn.access.send_code(turn.caller)
    except OpsbotError as error:
        words = str(error)
    return _answer(turn, words, Body(), emit)


def _take_code(turn: Turn, code: str, emit: Emit) -> Answer | None:
    """Take a code and go on; None: the assistant goes on with what it was looking up for."""
    try:
        raised = turn.access.check_code(turn.caller, code)
    except OpsbotError as error:
        return _answer(turn, str(error), Body(), emit)
    turn.raise_level(raised)
    refused = turn.access.last_refused()
    if turn.is_interrupted:
        turn.go_on_with(GO_ON, after=Result("Thank you."))
        return None
    if refused is None:
        return _answer(turn, "Thank you, that is the right code.", Body(), emit)
    return _repeat(turn, refused, emit)


def _repeat(turn: Turn, refused: Refused, emit: Emit) -> Answer:
    """Run again the call that asked for the code."""
    name, arguments = refused.name, refused.arguments
    body = Body()
    try:
        outcome = _run_again(turn, refused)
    except OpsbotError as error:
        turn.calls.append(Called(name, arguments, {"error": str(error)}, error=error.code))
        return _answer(turn, str(error), body, emit)
    if isinstance(outcome, Result):
        body.take(outcome)
        text = outcome.say
    else:
        body.preview, text = outcome, f"Thank you. {CHECK_FIRST}"
    turn.calls.append(Called(name, arguments, {"say": text}))
    return _answer(turn, text, body, emit)


def _run_again(turn: Turn, refused: Refused) -> Result | Preview:
    if refused.name == _UNDO:
        return turn.access.undo(turn.caller, str(refused.arguments["proposal_id"]))
    return turn.access.run(turn.caller, refused.name, refused.arguments, question=turn.text)


def _answer(turn: Turn, text: str, body: Body, emit: Emit) -> Answer:
    turn.message_id = turn.new_id()
    stored = body.stored([])
    for kind, data in events_of(turn.message_id, text, stored):
        emit(kind, data)
    return Answer(turn.message_id, text, stored, None, NO_MODEL, ())
