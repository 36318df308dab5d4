"""Draft the answer to a case or mail from records and articles; a person adds, edits and sends."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from opsbot.commerce.shipments import ShipmentState
from opsbot.conversation.replies import describe_hit
from opsbot.drafts.matters import Matter
from opsbot.drafts.models import OPEN_DRAFTS, Draft, DraftState, ReceivedMail, ReceivedState
from opsbot.drafts.wording import write_answer
from opsbot.mail.outgoing import MAX_TEXT
from opsbot.mail.text import clean_text
from opsbot.toolkit.telling import order_in_words, outbound_parcels, parcel_in_words
from opsbot.toolkit.tool import ToolContext

REPLACED = "A newer draft took its place."


def write_reply(
    ctx: ToolContext, matter: Matter, points: str
) -> tuple[str, Sequence[dict[str, Any]]]:
    """Return the text of an answer, and the passages it quotes.

    Args:
        ctx: of the tool that asks for it.
        matter: what is answered.
        points: what a person wants to be said, word for word; may be empty.
    """
    answer = ctx.knowledge.answer(matter.words[:1000], audience="customer")
    sources = answer.sources if answer.known else ()
    citations = [describe_hit(n, hit) for n, hit in enumerate(sources, 1)]
    subject = matter.subject.strip() or "your order"
    thanks = f"thank you for your message about \u201c{subject}\u201d"
    number = f" (our number for it is {matter.case.number})" if matter.case is not None else ""
    paragraphs = [f"{thanks}{number}."]
    if points:
        paragraphs.append(points)
    if matter.order is not None:
        paragraphs.append(" ".join(_standing(ctx, matter)))
    if citations:
        marks = "".join(f"[{one['n']}]" for one in citations)
        paragraphs.append(f"{answer.text} {marks}")
    text = write_answer(paragraphs, citations, ctx.settings, name=matter.name)
    return clean_text(text, limit=MAX_TEXT), citations


def keep_draft(
    session: Session,
    matter: Matter,
    text: str,
    citations: Sequence[dict[str, Any]],
    *,
    staff_id: int | None,
    now: datetime,
) -> Draft:
    """Put an answer into the review queue; a draft that waits there gives way to it.

    Of a mail there is one draft: the person's words become its edited version.
    """
    if matter.mail is not None:
        return _of_mail(session, matter.mail, matter.waiting, text, citations, now=now)
    session.execute(
        update(Draft)
        .where(Draft.case_id == (matter.case.id if matter.case else None))
        .where(Draft.state.in_(OPEN_DRAFTS))
        .values(state=DraftState.REJECTED, reason=REPLACED, reviewer_id=staff_id, decided_at=now)
        .execution_options(synchronize_session="fetch")
    )
    draft = Draft(
        case_id=matter.case.id if matter.case else None,
        recipient=matter.recipient,
        reply=text,
        citations=[dict(one) for one in citations],
        state=DraftState.DRAFT,
        created_at=now,
    )
    session.add(draft)
    session.flush()
    return draft


def _of_mail(
    session: Session,
    mail: ReceivedMail,
    waiting: Draft | None,
    text: str,
    citations: Sequence[dict[str, Any]],
    *,
    now: datetime,
) -> Draft:
    if waiting is not None:
        waiting.edited, waiting.state = text, DraftState.EDITED
        waiting.citations = [dict(one) for one in citations]
        session.flush()
        return waiting
    draft = Draft(
        mail_id=mail.id,
        reply=text,
        citations=[dict(one) for one in citations],
        state=DraftState.DRAFT,
        created_at=now,
    )
    mail.state, mail.reason = ReceivedState.DRAFTED, None
    session.add(draft)
    session.flush()
    return draft


def _standing(ctx: ToolContext, matter: Matter) -> list[str]:
    """Return what the records say of the order and of each parcel that has not arrived."""
    if matter.order is None:
        return []
    parcels = outbound_parcels(ctx, matter.order)
    moving = [one for one in parcels if one.state is not ShipmentState.DELIVERED]
    told = [parcel_in_words(ctx, parcel) for parcel in moving]
    return [order_in_words(ctx, matter.order, parcels), *told]
