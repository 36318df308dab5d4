"""When a person takes a matter over: the case that tells them, and how they can answer."""

import re
from datetime import datetime
from functools import cache

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session

from opsbot.commerce.case_work import move_case
from opsbot.commerce.cases import AT_WORK, Case, CaseKind, CasePriority, CaseState, open_case
from opsbot.conversation.models import Author, Conversation, Message
from opsbot.hazards import tells_of_harm
from opsbot.planning.office_hours import OfficeHours

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_LONGEST_SUBJECT = 80


def hand_over(
    session: Session,
    message: Message,
    *,
    actor: str,
    now: datetime,
    hours: OfficeHours | None = None,
) -> Case:
    """Return the open case of a message's conversation; open one if there is none.

    Words of harm make it urgent. `hours`: see `open_case`.
    """
    known = find_case(session, message.conversation_id)
    if known is not None:
        return known
    conversation = session.get_one(Conversation, message.conversation_id)
    return open_case(
        session,
        CaseKind.SUPPORT,
        subject=message.text.splitlines()[0][:_LONGEST_SUBJECT],
        summary=message.text,
        customer_id=conversation.customer_id,
        order_id=conversation.proved_order_id,
        conversation_id=message.conversation_id,
        priority=CasePriority.URGENT if tells_of_harm(message.text) else CasePriority.NORMAL,
        hours=hours,
        actor=actor,
        now=now,
    )


def customer_wrote(
    session: Session, message: Message, *, hours: OfficeHours, now: datetime
) -> None:
    """Let the clock of a case run on: the customer it waits for has written."""
    if message.author is not Author.CUSTOMER:
        return
    case = find_case(session, message.conversation_id)
    if case is not None and case.state is CaseState.WAITING_CUSTOMER:
        move_case(
            session, case, CaseState.OPEN, hours=hours, actor=f"message:{message.id}", now=now
        )


def find_case(session: Session, conversation_id: str) -> Case | None:
    """Return the case that people still work on for this conversation, if there is one."""
    return session.scalar(_at_work(), {"conversation": conversation_id})


@cache  # putting it together takes longer than to run it, and every turn does
def _at_work() -> Select[Case]:
    here = Case.conversation_id == bindparam("conversation")
    return select(Case).where(here, Case.state.in_(AT_WORK)).order_by(Case.id).limit(1)


def read_address(text: str) -> str | None:
    """Return the e-mail address, when the message is nothing else."""
    words = text.strip().rstrip(".")
    return words.lower() if _EMAIL.fullmatch(words) else None


def keep_address(session: Session, conversation_id: str, address: str) -> Case | None:
    """Note where to answer on the case that waits for an address; None when none does."""
    case = find_case(session, conversation_id)
    if case is None or case.customer_id is not None or case.contact_email is not None:
        return None
    session.execute(update(Case).where(Case.id == case.id).values(contact_email=address))
    return case
