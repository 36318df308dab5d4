"""How somebody who has not signed in shows that an order, or an account, is theirs.

Failed tries are counted in a table, so that neither a restart nor a second process forgets them.
"""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Index, func, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column

from opsbot.commerce.customers import Address, Customer
from opsbot.commerce.orders import Order
from opsbot.db import Base
from opsbot.errors import NotAllowedError, RateLimitedError

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)

TRIES_PER_CONVERSATION = 5
"""Failed tries within a day, whichever orders they named."""
TRIES_PER_CONTACT = 10
"""Failed tries within an hour with one e-mail address or postcode, whichever orders they named."""
TRIES_PER_ORIGIN = 20
"""Failed tries within an hour from one network."""
TRIES_PER_ORDER = 10
"""Failed tries within an hour on one order, before only first tries by e-mail address count."""
FIRST_TRIES = 2
"""Tries of a conversation that has hardly failed yet."""
MOST_TRIES_PER_ORDER = 50
"""Failed tries within an hour on one order, first tries included."""
POSTCODES_PER_ORDER = 30
"""Postcodes tried on one order within a day."""

NO_MATCH = (
    "That order number does not go with that e-mail address or postcode. "
    "Please check them against your order confirmation."
)

NO_CUSTOMER = (
    "I cannot find an account with those details. Please check the e-mail address, or your name "
    "and postcode."
)


class ProofAttempt(Base):
    """One failed try to prove an order, under one of the marks that it is counted by."""

    __tablename__ = "proof_attempts"
    __table_args__ = (Index("ix_proof_attempts_mark_at", "mark", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mark: Mapped[str]
    """A kind and a hash: `order:9f2c…`, `email:…`, `postcode:…`, `conversation:…`, `origin:…`,
    `postcodes:…` (of an order, whichever postcode was tried)."""
    at: Mapped[datetime]


@dataclass(frozen=True)
class _Marks:
    """What a try is counted by; an empty mark is counted by nothing."""

    order: str
    conversation: str
    origin: str
    email: str
    postcode: str
    postcodes: str


def prove_order(
    session: Session,
    number: str,
    *,
    email: str,
    postcode: str,
    conversation_id: str | None,
    origin: str = "",
    now: datetime,
) -> Order:
    """Return the order that goes with an e-mail address or a postcode.

    The answer and the work are the same whether the order exists or not. What fails is counted;
    the caller must commit the transaction even when this raises.

    Whoever bounds guesses at an order lets a stranger use them up, and the owner looks like the
    stranger, so after ten failures an order stays open for an hour to the first two tries of a
    conversation alone, which is how an owner comes. Those go by e-mail address only, because a
    town has few postcodes and conversations cost nothing, while each address is bounded by its own
    limit over all orders. Fifty failures close the order for the hour even so, which takes more
    than two networks and twenty conversations, and its owner can still sign in.

    Args:
        session: an open transaction.
        number: as people write it.
        email: of the customer; may be empty.
        postcode: of the delivery address; may be empty.
        conversation_id: where it is tried.
        origin: the network it is tried from (see `Caller.origin`); may be empty.
        now: the time.

    Raises:
        NotAllowedError: they do not go together.
        RateLimitedError: too many tries.
    """
    digits = "".join(c for c in number if c.isdecimal() and c.isascii())[:12]
    marks = _usable(session, _marks(digits, email, postcode, conversation_id, origin), now)
    order = session.scalar(
        select(Order).where(Order.number == f"#{digits}").options(joinedload(Order.customer))
    )
    known_email = order.customer.email if order else "nobody@example.invalid"
    known_postcode = str(order.ship_to.get("postal_code", "")) if order else "00000"
    by_email = _same(email, known_email) and bool(marks.email)
    by_postcode = _same(postcode, known_postcode) and bool(marks.postcode)
    if order is None or not (by_email or by_postcode):
        session.add_all(ProofAttempt(mark=m, at=now) for m in vars(marks).values() if m)
        raise NotAllowedError(NO_MATCH)
    return order


def prove_customer(
    session: Session,
    *,
    email: str,
    name: str,
    postcode: str,
    conversation_id: str | None,
    origin: str = "",
    now: datetime,
) -> Customer:
    """Return the customer with this e-mail address, or with this name and postcode.

    For shops where that is enough (policies/identity.yaml). The answer and the work are the same
    whether such a customer exists or not. What fails is counted; the caller must commit the
    transaction even when this raises.

    Args:
        session: an open transaction.
        email: of the account; may be empty.
        name: first and last; may be empty.
        postcode: of one of the customer's addresses; may be empty.
        conversation_id: where it is tried.
        origin: the network it is tried from (see `Caller.origin`); may be empty.
        now: the time.

    Raises:
        NotAllowedError: there is no such customer.
        RateLimitedError: too many tries.
    """
    marks = {
        _mark("conversation", conversation_id or ""): (TRIES_PER_CONVERSATION, _DAY),
        _mark("origin", origin): (TRIES_PER_ORIGIN, _HOUR),
        _mark("email", _plain(email)): (TRIES_PER_CONTACT, _HOUR),
        _mark("person", _plain(name)): (TRIES_PER_CONTACT, _HOUR),
    }
    for mark, (most, within) in marks.items():
        if _failed(session, mark, now - within) >= most:
            raise _too_many("", "until tomorrow" if within == _DAY else "an hour", within)
    by_email = session.scalar(select(Customer).where(Customer.email == _plain(email)))
    code = func.replace(func.upper(Address.postal_code), " ", "")
    living_there = select(Customer).join(Address, Address.customer_id == Customer.id)
    neighbours = session.scalars(living_there.where(code == _plain(postcode).upper()).distinct())
    namesakes = [one for one in neighbours if name.strip() and _same(name, one.name)]
    by_name = namesakes[0] if len(namesakes) == 1 and postcode.strip() else None
    found = by_email or by_name
    if found is None or found.anonymized_at is not None:
        session.add_all(ProofAttempt(mark=mark, at=now) for mark in marks if mark)
        raise NotAllowedError(NO_CUSTOMER)
    return found


def _marks(
    digits: str, email: str, postcode: str, conversation_id: str | None, origin: str
) -> _Marks:
    return _Marks(
        order=_mark("order", digits or "none"),
        conversation=_mark("conversation", conversation_id or ""),
        origin=_mark("origin", origin),
        email=_mark("email", _plain(email)),
        postcode=_mark("postcode", _plain(postcode)),
        postcodes=_mark("postcodes", digits or "none") if _plain(postcode) else "",
    )


def _usable(session: Session, marks: _Marks, now: datetime) -> _Marks:
    """Return the marks without a contact that was tried too often; the other one may still do.

    Raises:
        RateLimitedError: nothing is left to try with.
    """
    here = _failed(session, marks.conversation, now - _DAY)
    if here >= TRIES_PER_CONVERSATION:
        raise _too_many("", "until tomorrow", _DAY)
    if _failed(session, marks.origin, now - _HOUR) >= TRIES_PER_ORIGIN:
        raise _too_many("", "an hour", _HOUR)
    on_order = _failed(session, marks.order, now - _HOUR)
    first = bool(marks.conversation) and here < FIRST_TRIES
    if on_order >= (MOST_TRIES_PER_ORDER if first else TRIES_PER_ORDER):
        raise _too_many(" for that order", "an hour", _HOUR)
    email_is_open = _failed(session, marks.email, now - _HOUR) < TRIES_PER_CONTACT
    postcode_is_open = (
        on_order < TRIES_PER_ORDER
        and _failed(session, marks.postcode, now - _HOUR) < TRIES_PER_CONTACT
        and _failed(session, marks.postcodes, now - _DAY) < POSTCODES_PER_ORDER
    )
    if marks.email and email_is_open:
        return marks if postcode_is_open else replace(marks, postcode="", postcodes="")
    if marks.postcode and postcode_is_open:
        return replace(marks, email="")
    if marks.email:
        raise _too_many(" with that e-mail address", "an hour", _HOUR)
    raise RateLimitedError(
        "There were too many tries with a postcode. Please tell me the e-mail address of the "
        "order instead, or let me hand this over to a person.",
        retry_after=int(_HOUR.total_seconds()),
    )


def _failed(session: Session, mark: str, since: datetime) -> int:
    """Return how often tries with this mark failed."""
    if not mark:
        return 0
    counted = select(func.count()).where(ProofAttempt.mark == mark, ProofAttempt.at > since)
    return session.scalar(counted) or 0


def _too_many(at_what: str, until: str, wait: timedelta) -> RateLimitedError:
    return RateLimitedError(
        f"There were too many tries{at_what}. Please wait {until}, or let me hand this over to a "
        "person.",
        retry_after=int(wait.total_seconds()),
    )


def _mark(kind: str, text: str) -> str:
    return f"{kind}:{hashlib.sha256(text.encode()).hexdigest()}" if text else ""


def _same(said: str, known: str) -> bool:
    return hmac.compare_digest(_plain(said).encode(), _plain(known).encode())


def _plain(text: str) -> str:
    return "".join(text.casefold().split())[:254]
