"""What staff may have a reply drafted for: a case at work, or a mail that nobody has answered."""

import re
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from opsbot.commerce.case_work import find_case
from opsbot.commerce.cases import AT_WORK, Case
from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order, find_order
from opsbot.drafts.models import OPEN_DRAFTS, Draft, ReceivedMail, ReceivedState
from opsbot.drafts.senders import identify_sender
from opsbot.errors import AmbiguousError, ConflictError, NotFoundError

_CASE = re.compile(r"CS[- ]?\d{1,7}", re.IGNORECASE)
_ORDER = re.compile(r"#?\d{4,7}")
_MOST_CHOICES = 8


@dataclass(frozen=True)
class Matter:
    """What is answered, and what may be told in the answer."""

    case: Case | None
    mail: ReceivedMail | None
    recipient: str
    """Address on record of who wrote; never one from the words of a request."""
    name: str
    """How to call them; empty when we do not know."""
    subject: str
    words: str
    """What they wrote."""
    order: Order | None
    """Theirs, shown to be theirs: else nothing of an order is told."""
    waiting: Draft | None
    """A draft of an answer that waits for a person already."""

    @property
    def called(self) -> str:
        """How staff know it."""
        return self.case.number if self.case is not None else f"the mail from {self.recipient}"


def find_matter(session: Session, words: str) -> Matter:
    """Return what is to be answered.

    Args:
        session: a session to read in.
        words: the number of a case or of an order, an address, or a customer's name.

    Raises:
        NotFoundError: nothing waits for an answer under these words.
        AmbiguousError: several matters do; with their numbers.
        ConflictError: the case has ended, or nobody knows where to answer.
    """
    key = words.strip()
    if _CASE.fullmatch(key):
        return _of_case(session, find_case(session, key, customer_id=None))
    if _ORDER.fullmatch(key):
        order = find_order(session, key, customer_id=None)
        cases = _waiting_cases().where(Case.order_id == order.id)
        return _only(session, key, list(session.scalars(cases)), [])
    named = _is_called(key)
    cases = _waiting_cases().where(
        or_(named, _is(Customer.email, key), _is(Case.contact_email, key))
    )
    mails = (
        select(ReceivedMail)
        .outerjoin(Customer, Customer.email == ReceivedMail.sender)
        .outerjoin(Draft, Draft.mail_id == ReceivedMail.id)
        .where(or_(named, _is(ReceivedMail.sender, key)))
        .where(
            or_(
                Draft.state.in_(OPEN_DRAFTS),
                Draft.id.is_(None) & (ReceivedMail.state == ReceivedState.FAILED),
            )
        )
        .order_by(ReceivedMail.received_at, ReceivedMail.id)
        .limit(_MOST_CHOICES)
    )
    return _only(session, key, list(session.scalars(cases)), list(session.scalars(mails)))


def _is_called(words: str) -> ColumnElement[bool]:
    """Tell whether a customer's name holds these words, whole: "Ana" is not "Diana"."""
    plain = words.replace("%", "").replace("_", "")
    return (" " + Customer.name + " ").ilike(f"% {plain} %")


def _is(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], key: str
) -> ColumnElement[bool]:
    return func.lower(column) == key.lower()


def _waiting_cases() -> Select[Case]:
    return (
        select(Case)
        .outerjoin(Customer, Customer.id == Case.customer_id)
        .where(Case.state.in_(AT_WORK))
        .order_by(Case.created_at, Case.id)
        .limit(_MOST_CHOICES)
    )


def _only(session: Session, key: str, cases: list[Case], mails: list[ReceivedMail]) -> Matter:
    if not cases and not mails:
        raise NotFoundError("a case or mail to answer of", key[:60])
    if len(cases) + len(mails) > 1:
        named = [f"{case.number} ({case.subject})" for case in cases]
        named += [f"{mail.sender} ({mail.subject})" for mail in mails]
        text = f"Several matters wait: {'; '.join(named[:_MOST_CHOICES])}. Which one is it?"
        raise AmbiguousError(text, candidates=named[:_MOST_CHOICES])
    return _of_case(session, cases[0]) if cases else _of_mail(session, mails[0])


def _of_case(session: Session, case: Case) -> Matter:
    if not case.is_at_work:
        raise ConflictError(f"{case.number} is {case.state}. Reopen it before you answer.")
    customer = session.get(Customer, case.customer_id) if case.customer_id else None
    recipient = customer.email if customer else case.contact_email
    if not recipient or (customer and customer.anonymized_at is not None):
        raise ConflictError(f"{case.number} names no address to answer to.")
    return Matter(
        case=case,
        mail=None,
        recipient=recipient,
        name=customer.name if customer else "",
        subject=case.subject,
        words=case.summary or case.subject,
        order=_own_order(session, case.order_id, case.customer_id),
        waiting=_waiting_draft(session, Draft.case_id == case.id),
    )


def _of_mail(session: Session, mail: ReceivedMail) -> Matter:
    sender = identify_sender(session, mail.sender, f"{mail.subject}\n{mail.text}")
    return Matter(
        case=None,
        mail=mail,
        recipient=mail.sender,
        name=sender.name,
        subject=mail.subject,
        words=mail.text or mail.subject,
        order=_own_order(session, sender.caller.proved_order_id, sender.caller.customer_id),
        waiting=_waiting_draft(session, Draft.mail_id == mail.id),
    )


def _own_order(session: Session, order_id: int | None, customer_id: int | None) -> Order | None:
    if order_id is None or customer_id is None:
        return None
    number = session.scalar(select(Order.number).where(Order.id == order_id))
    try:
        return find_order(session, number or "", customer_id=customer_id)
    except NotFoundError:  # of somebody else: its state is not told
        return None


def _waiting_draft(session: Session, about: ColumnElement[bool]) -> Draft | None:
    return session.scalar(
        select(Draft).where(about, Draft.state.in_(OPEN_DRAFTS)).order_by(Draft.id.desc()).limit(1)
    )
