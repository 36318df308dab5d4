"""How a customer proves who they are by a code sent by mail; by an order, see `proofs`.

Attempts are counted in tables, so that neither a restart nor a second process forgets them.
"""

import hashlib
import hmac
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Index, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.customers import Customer
from opsbot.db import Base
from opsbot.errors import NotAllowedError, NotVerifiedError, RateLimitedError
from opsbot.mail import queue_mail
from opsbot.settings import Settings
from opsbot.toolkit.caller import Caller, Level

CODE_LIFETIME = timedelta(minutes=10)
TRIES_PER_CODE = 5
CODES_PER_HOUR = 3
CODES_PER_DAY = 6
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


class OneTimeCode(Base):
    """A code that was mailed to a customer. Only its hash is kept."""

    __tablename__ = "one_time_codes"
    __table_args__ = (Index("ix_one_time_codes_conversation_id", "conversation_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(index=True)
    conversation_id: Mapped[str]
    code_hash: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]


def send_code(
    session: Session, caller: Caller, settings: Settings, *, conversation_id: str, now: datetime
) -> str:
    """Mail a one-time code to the caller's own address; return the sentence to say.

    Raises:
        NotVerifiedError: we do not know who the caller is.
        RateLimitedError: too many codes within an hour or a day.
    """
    customer = _customer_of(session, caller)
    _limit_codes(session, customer, now)
    session.execute(
        update(OneTimeCode)
        .where(OneTimeCode.conversation_id == conversation_id, OneTimeCode.used_at.is_(None))
        .values(expires_at=now)
    )
    digits = f"{secrets.randbelow(1_000_000):06}"
    code = OneTimeCode(
        customer_id=customer.id,
        conversation_id=conversation_id,
        code_hash=_code_hash(settings, conversation_id, digits),
        created_at=now,
        expires_at=now + CODE_LIFETIME,
        attempts=0,
    )
    session.add(code)
    session.flush()
    minutes = int(CODE_LIFETIME.total_seconds() // 60)
    queue_mail(
        session,
        to=customer.email,
        subject=f"Your code for {settings.shop_name}",
        text=f"Your code is {digits}. It is valid for {minutes} minutes, once.\n\n"
        "Type it into the chat only if you asked for it. We never ask for it in any other way.\n",
        now=now,
        dedupe_key=f"code:{code.id}",
        confidential=True,
    )
    return (
        f"We sent a 6-digit code to {mask_email(customer.email)}. "
        f"Please type it here within {minutes} minutes."
    )


def check_code(
    session: Session,
    caller: Caller,
    code: str,
    settings: Settings,
    *,
    conversation_id: str,
    now: datetime,
) -> Caller:
    """Return the caller, raised by a right code: a code typed just now is a fresh one.

    It came to the account's own address, so whoever proved only an order before is signed in
    by it, and may also change what a fresh code is asked for. A wrong try is counted; the caller
    must commit the transaction even when this raises.

    Raises:
        NotVerifiedError: we do not know who the caller is.
        NotAllowedError: the code is wrong, used or too old.
        RateLimitedError: the code was tried too often.
    """
    customer_id = _customer_of(session, caller).id
    newest = session.scalar(
        select(OneTimeCode)
        .where(
            OneTimeCode.customer_id == customer_id,
            OneTimeCode.conversation_id == conversation_id,
        )
        .order_by(OneTimeCode.id.desc())
        .limit(1)
        .with_for_update()
    )
    if newest is None or newest.used_at is not None or now >= newest.expires_at:
        raise NotAllowedError("That code is not valid any more. I can send you a new one.")
    if newest.attempts >= TRIES_PER_CODE:
        raise RateLimitedError(
            "That code was tried too often. Please ask for a new one.",
            retry_after=int(CODE_LIFETIME.total_seconds()),
        )
    newest.attempts += 1
    digits = "".join(c for c in code if c.isdecimal() and c.isascii())[:6]
    expected = _code_hash(settings, conversation_id, digits)
    if not hmac.compare_digest(newest.code_hash, expected):
        left = TRIES_PER_CODE - newest.attempts
        more = f"You have {left} more {'try' if left == 1 else 'tries'}." if left else ""
        raise NotAllowedError(f"That is not the code we sent. {more}".strip())
    newest.used_at = now
    session.flush()
    return replace(caller, level=Level.FRESH_CODE, customer_id=customer_id)


def awaits_code(session: Session, conversation_id: str, *, now: datetime) -> bool:
    """Tell whether a code was sent in this conversation that can still be used."""
    waiting = select(OneTimeCode.id).where(
        OneTimeCode.conversation_id == conversation_id,
        OneTimeCode.used_at.is_(None),
        OneTimeCode.expires_at > now,
    )
    return session.scalar(waiting.limit(1)) is not None


def sent_code(session: Session, conversation_id: str) -> bool:
    """Tell whether a code was ever sent in this conversation, used or not."""
    sent = select(OneTimeCode.id).where(OneTimeCode.conversation_id == conversation_id)
    return session.scalar(sent.limit(1)) is not None


def mask_email(email: str) -> str:
    """Return an address as its owner knows it and nobody else learns it: `a…@example.com`."""
    name, _, host = email.partition("@")
    return f"{name[:1]}…@{host}"


def refusal_for(level: Level, *, known: bool, by_account: bool = False) -> NotVerifiedError:
    """Return the error that asks a customer for a proof of `level`.

    Args:
        level: what is needed.
        known: whether we know who asks, and so where a code can be sent.
        by_account: whether the e-mail address, or name and postcode, open the account here.
    """
    if known and level is Level.FRESH_CODE:
        words = "For your safety this needs a code that we send to your e-mail address."
    elif by_account:
        words = (
            "For this I must know who you are. Please tell me the e-mail address of your account, "
            "or your name and postcode."
        )
    elif level is Level.ORDER:
        words = (
            "Please tell me the order number together with its e-mail address or the postcode "
            "it goes to, so that I can look it up."
        )
    else:
        words = (
            "For this I must be sure who you are. Please sign in, or tell me an order number with "
            "its e-mail address; then I can send you a code."
        )
    return NotVerifiedError(words, level=int(level))


def _customer_of(session: Session, caller: Caller) -> Customer:
    if caller.is_staff or caller.customer_id is None or caller.level < Level.ORDER:
        raise refusal_for(Level.ORDER, known=False)
    return session.get_one(Customer, caller.customer_id)


def _limit_codes(session: Session, customer: Customer, now: datetime) -> None:
    """Refuse to fill somebody's mailbox, whoever asks: anybody may who proved one order."""
    for most, within, until in (
        (CODES_PER_DAY, _DAY, "until tomorrow"),
        (CODES_PER_HOUR, _HOUR, "an hour"),
    ):
        sent = select(func.count()).where(
            OneTimeCode.customer_id == customer.id, OneTimeCode.created_at > now - within
        )
        if (session.scalar(sent) or 0) >= most:
            raise RateLimitedError(
                f"We have sent several codes already. Please wait {until} before asking for "
                "another, or let me hand this over to a person.",
                retry_after=int(within.total_seconds()),
            )


def _code_hash(settings: Settings, conversation_id: str, digits: str) -> str:
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, f"code:{conversation_id}:{digits}".encode(), hashlib.sha256).hexdigest()
