"""Who wrote a mail, as far as we may act on it.

From can be forged, so a mail proves little: when it names an order that was placed with its
address, that one order may be spoken about, in a reply that goes to this very address and that a
person reads first. Nothing else that a mail says raises what may be told.
"""

import hashlib
import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order
from opsbot.conversation.models import Conversation
from opsbot.toolkit.caller import Audience, Caller, Level

_NUMBERS = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{1,40}")
_MOST_ORDERS = 200


@dataclass(frozen=True)
class Sender:
    """The person behind an address."""

    caller: Caller
    name: str
    """How to call them; empty when the mail does not show that it is them."""


def identify_sender(session: Session, address: str, words: str) -> Sender:
    """Return who may be answered what.

    Args:
        session: a session to read in.
        address: what From says.
        words: subject and text.
    """
    visitor = f"mail:{hashlib.sha256(address.encode()).hexdigest()[:32]}"
    stranger = Caller(audience=Audience.CUSTOMER, channel="email", visitor=visitor)
    customer = session.scalar(
        select(Customer).where(Customer.email == address, Customer.anonymized_at.is_(None))
    )
    order = _named_order(session, customer, words) if customer else None
    if customer is None or order is None:
        return Sender(stranger, "")
    caller = Caller(
        audience=Audience.CUSTOMER,
        channel="email",
        level=Level.ORDER,
        customer_id=customer.id,
        proved_order_id=order.id,
        locale=customer.locale,
        visitor=visitor,
    )
    return Sender(caller, customer.name)


def reveals_another(session: Session, conversation_id: str, address: str) -> bool:
    """Tell whether the conversation speaks about a customer who has another address.

    The text of a mail may hold somebody else's order number and address. In a chat that is a
    proof, at the lowest level; in a mail it would send the answer to a stranger.
    """
    conversation = session.get(Conversation, conversation_id)
    if conversation is None or conversation.customer_id is None:
        return False
    customer = session.get(Customer, conversation.customer_id)
    return customer is None or customer.email != address


def _named_order(session: Session, customer: Customer, words: str) -> Order | None:
    named = {word.upper() for word in _NUMBERS.findall(words)}
    orders = session.scalars(
        select(Order)
        .where(Order.customer_id == customer.id)
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(_MOST_ORDERS)
    )
    return next((order for order in orders if order.number.lstrip("#").upper() in named), None)
