"""The review queue: a person reads, changes, sends or rejects what the assistant drafted."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session, joinedload

from opsbot.commerce.case_work import answer_case
from opsbot.drafts.drafter import reply_subject
from opsbot.drafts.models import OPEN_DRAFTS, Draft, DraftState
from opsbot.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from opsbot.mail.outgoing import MAX_TEXT, MailState, OutgoingMail, queue_mail
from opsbot.mail.text import clean_text
from opsbot.planning.office_hours import OfficeHours
from opsbot.toolkit.caller import Caller

LONGEST_REASON = 500


def list_drafts(
    session: Session, *, states: Sequence[DraftState] = OPEN_DRAFTS, limit: int = 50
) -> list[Draft]:
    """Return drafts with their mails or cases and reviewers, oldest first."""
    query = _with_matter().where(Draft.state.in_(states)).order_by(Draft.created_at, Draft.id)
    return list(session.scalars(query.limit(limit)))


def count_open_drafts(session: Session) -> int:
    """Return how many drafts wait for a person."""
    waiting = select(func.count()).select_from(Draft).where(Draft.state.in_(OPEN_DRAFTS))
    return session.scalar(waiting) or 0


def find_draft(session: Session, draft_id: int) -> Draft:
    """Return one draft with its mail or case, and its reviewer.

    Raises:
        NotFoundError: there is no such draft.
    """
    draft = session.scalar(_with_matter().where(Draft.id == draft_id))
    if draft is None:
        raise NotFoundError("draft", str(draft_id))
    return draft


def edit_draft(session: Session, draft_id: int, caller: Caller, text: str) -> Draft:
    """Keep a person's version of a draft; the assistant's own is kept beside it.

    Raises:
        NotAllowedError: the caller is not staff.
        NotFoundError: there is no such draft.
        ConflictError: it is decided already.
        InvalidInputError: the text is empty.
    """
    return _decide(session, draft_id, caller, state=DraftState.EDITED, edited=_check_text(text))


def approve_draft(
    session: Session,
    draft_id: int,
    caller: Caller,
    *,
    now: datetime,
    text: str | None = None,
    hours: OfficeHours | None = None,
) -> Draft:
    """Queue the answer, to the address the matter came from. Of two reviewers, one succeeds.

    A case then waits for the customer.

    Args:
        session: an open transaction.
        draft_id: which draft.
        caller: who approves it.
        now: the time.
        text: what to send instead of the draft as it stands.
        hours: when people work, for the case; see `open_case`.

    Raises:
        NotAllowedError: the caller is not staff.
        NotFoundError: there is no such draft.
        ConflictError: it is decided already; nothing is sent a second time. Or its case has ended.
        InvalidInputError: the text is empty.
    """
    changed = {} if text is None else {"edited": _check_text(text)}
    draft = _decide(session, draft_id, caller, state=DraftState.APPROVED, decided_at=now, **changed)
    asked = draft.asked
    mail = queue_mail(
        session,
        to=asked.sender,
        subject=reply_subject(asked.subject),
        text=draft.text,
        now=now,
        dedupe_key=f"draft:{draft.id}",
        in_reply_to=asked.message_id,
        automatic=False,
    )
    if draft.case is not None:
        actor = caller.actor
        answer_case(session, draft.case, hours=hours or OfficeHours(), actor=actor, now=now)
    draft.outgoing_id = mail.id
    session.flush()
    return draft


def reject_draft(
    session: Session, draft_id: int, caller: Caller, *, now: datetime, reason: str
) -> Draft:
    """Send nothing, and keep why.

    Raises:
        NotAllowedError: the caller is not staff.
        NotFoundError: there is no such draft.
        ConflictError: it is decided already.
        InvalidInputError: the reason is empty.
    """
    why = clean_text(reason, limit=LONGEST_REASON).strip()
    if not why:
        raise InvalidInputError("reason: please say in a few words why the draft is rejected.")
    state = DraftState.REJECTED
    return _decide(session, draft_id, caller, state=state, reason=why, decided_at=now)


def settle_drafts(session: Session) -> None:
    """Note which approved answers have left."""
    left = select(OutgoingMail.id).where(OutgoingMail.state == MailState.SENT)
    session.execute(
        update(Draft)
        .where(Draft.state == DraftState.APPROVED, Draft.outgoing_id.in_(left))
        .values(state=DraftState.SENT)
        .execution_options(synchronize_session=False)
    )


def _decide(session: Session, draft_id: int, caller: Caller, **values: object) -> Draft:
    if not caller.is_staff or caller.staff_id is None:
        raise NotAllowedError("Only staff may decide about drafts.")
    won = session.execute(
        update(Draft)
        .where(Draft.id == draft_id, Draft.state.in_(OPEN_DRAFTS))
        .values(reviewer_id=caller.staff_id, **values)
        .returning(Draft.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    session.expire_all()
    draft = find_draft(session, draft_id)
    if won is None:
        who = draft.reviewer.name if draft.reviewer else "somebody"
        raise ConflictError(f"Draft {draft_id} was {draft.state} by {who} already.")
    return draft


def _check_text(text: str) -> str:
    cleaned = clean_text(text, limit=MAX_TEXT).strip()
    if not cleaned:
        raise InvalidInputError("text: the answer is empty. Write it, or reject the draft.")
    return f"{cleaned}\n"


def _with_matter() -> Select[Draft]:
    return select(Draft).options(
        joinedload(Draft.mail), joinedload(Draft.case), joinedload(Draft.reviewer)
    )
