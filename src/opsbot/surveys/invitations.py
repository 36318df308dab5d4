"""Invite customers: who is due, what they are sent, and what becomes of an invitation in time."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.records import insert_or_ignore
from opsbot.mail.outgoing import MailState, OutgoingMail, queue_mail
from opsbot.planning.periods import local_day
from opsbot.settings import Settings
from opsbot.surveys.flows import About, Flow, fill_fields, load_flows
from opsbot.surveys.gates import find_obstacle, is_public_holiday, is_time_to_ask
from opsbot.surveys.models import (
    InvitationState,
    Suppression,
    SurveyInvitation,
    SurveyVersion,
)

TOKEN_BYTES = 16
BATCH = 500
"""Most orders looked at for one survey in one call."""


@dataclass(frozen=True)
class Invited:
    """Somebody was invited."""

    invitation: SurveyInvitation
    url: str
    """The one place beside the mail where the link stands; it is not stored."""


def invite_due(session: Session, settings: Settings, *, now: datetime) -> list[Invited]:
    """Invite whoever is due, and keep the reason for whoever is not asked.

    Does nothing between 20 and 9 o'clock. To run it twice changes nothing. Each mail is queued in
    the caller's transaction.

    Raises:
        InvalidInputError: a file in `web/surveys` is wrong.
    """
    flows = load_flows(settings.web_dir / "surveys").values()
    settle_invitations(session, now=now)
    if not is_time_to_ask(now, settings.time_zone):
        return []
    invited: list[Invited] = []
    asked: set[int] = set()
    for flow in sorted(flows, key=lambda flow: -flow.priority):
        for order_id in _due_orders(session, flow, now):
            sent = _consider(session, settings, flow, order_id, asked=asked, now=now)
            if sent is not None:
                invited.append(sent)
                asked.add(sent.invitation.customer_id)
    return invited


def invite_customer(
    session: Session, settings: Settings, flow: Flow, order: Order, *, now: datetime
) -> Invited | None:
    """Invite the customer of an order, whatever the gates say; None when that was done before."""
    customer = session.get_one(Customer, order.customer_id)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    line = _dearest_line(session, order) if flow.about is About.PRODUCT else None
    invitation = _add_invitation(
        session,
        flow,
        order,
        now=now,
        sku=line.sku if line else None,
        token_hash=hash_token(token),
        state=InvitationState.SCHEDULED,
    )
    if invitation is None:
        return None
    url = _link(settings, token)
    fields = make_fields(settings, order=order, product=line.title if line else "")
    fields |= {"name": customer.name, "link": url, "stop_link": f"{url}/stop"}
    mail = queue_mail(
        session,
        to=customer.email,
        subject=fill_fields(flow.invite.subject, fields),
        text=fill_fields(flow.invite.text, fields),
        now=now,
        dedupe_key=f"survey:{flow.id}:{order.id}",
        confidential=True,
    )
    invitation.mail_id = mail.id
    session.flush()
    return Invited(invitation, url)


def renew_link(session: Session, settings: Settings, invitation: SurveyInvitation) -> str:
    """Return a new link for an invitation; the one that was mailed stops working."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation.token_hash = hash_token(token)
    session.flush()
    return _link(settings, token)


def settle_invitations(session: Session, *, now: datetime) -> None:
    """Note which invitations have left, could not leave, or have run out."""
    mail = OutgoingMail.id == SurveyInvitation.mail_id
    sent = select(OutgoingMail.sent_at).where(mail).scalar_subquery()
    table = update(SurveyInvitation).execution_options(synchronize_session=False)
    scheduled = SurveyInvitation.state == InvitationState.SCHEDULED
    has_left = SurveyInvitation.mail_id.in_(_mails(MailState.SENT))
    has_failed = SurveyInvitation.mail_id.in_(_mails(MailState.FAILED))
    open_states = (InvitationState.SENT, InvitationState.OPENED, InvitationState.STARTED)
    for statement in (
        table.where(SurveyInvitation.sent_at.is_(None), has_left).values(sent_at=sent),
        table.where(scheduled, has_left).values(state=InvitationState.SENT),
        table.where(scheduled, has_failed).values(
            state=InvitationState.SUPPRESSED, reason=Suppression.MAIL_FAILED
        ),
        table.where(
            SurveyInvitation.state.in_(open_states), SurveyInvitation.expires_at <= now
        ).values(state=InvitationState.EXPIRED),
    ):
        session.execute(statement)
    session.expire_all()


def keep_version(session: Session, flow: Flow, *, now: datetime) -> None:
    """Store the flow as it is now, unless this very version is stored already."""
    insert_or_ignore(
        session,
        SurveyVersion,
        id=flow.version,
        survey=flow.id,
        content=flow.model_dump(mode="json"),
        first_used_at=now,
    )


def make_fields(settings: Settings, *, order: Order, product: str) -> dict[str, str]:
    """Return what the texts of a flow may name, without the links."""
    return {"shop": settings.shop_name, "order": order.number, "product": product}


def hash_token(token: str) -> str:
    """Return the form in which a token is stored."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _link(settings: Settings, token: str) -> str:
    return f"{settings.public_url.rstrip('/')}/s/{token}"


def _mails(state: MailState) -> Select[int]:
    return select(OutgoingMail.id).where(OutgoingMail.state == state)


def _due_orders(session: Session, flow: Flow, now: datetime) -> Sequence[int]:
    newest = now - timedelta(days=flow.timing.after_days)
    oldest = newest - timedelta(days=flow.timing.within_days)
    known = select(SurveyInvitation.order_id).where(SurveyInvitation.survey == flow.id)
    return session.scalars(
        select(Order.id)
        .where(Order.delivered_at > oldest, Order.delivered_at <= newest, Order.id.not_in(known))
        .order_by(Order.delivered_at, Order.id)
        .limit(BATCH)
    ).all()


def _consider(
    session: Session,
    settings: Settings,
    flow: Flow,
    order_id: int,
    *,
    asked: set[int],
    now: datetime,
) -> Invited | None:
    order = session.get_one(Order, order_id)
    # On PostgreSQL two workers might ask one customer about two orders; the lock parts them.
    customer = session.get_one(Customer, order.customer_id, with_for_update=True)
    if is_public_holiday(local_day(now, settings.time_zone), customer.country):
        return None
    if customer.id in asked:
        obstacle: Suppression | None = Suppression.OTHER_SURVEY
    else:
        obstacle = find_obstacle(session, settings, order, customer, now=now)
    if obstacle is None:
        return invite_customer(session, settings, flow, order, now=now)
    state = InvitationState.SUPPRESSED
    _add_invitation(session, flow, order, now=now, state=state, reason=obstacle)
    return None


def _add_invitation(
    session: Session, flow: Flow, order: Order, *, now: datetime, **values: object
) -> SurveyInvitation | None:
    keep_version(session, flow, now=now)
    new = insert_or_ignore(
        session,
        SurveyInvitation,
        survey=flow.id,
        version_id=flow.version,
        order_id=order.id,
        customer_id=order.customer_id,
        created_at=now,
        expires_at=now + timedelta(days=flow.timing.expires_days),
        **values,
    )
    if not new:
        return None
    return session.scalars(
        select(SurveyInvitation).where(
            SurveyInvitation.order_id == order.id, SurveyInvitation.survey == flow.id
        )
    ).one()


def _dearest_line(session: Session, order: Order) -> OrderLine | None:
    return session.scalar(
        select(OrderLine)
        .where(OrderLine.order_id == order.id, OrderLine.delivered > 0)
        .order_by(OrderLine.unit_price_minor.desc(), OrderLine.id)
        .limit(1)
    )
