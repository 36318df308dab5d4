"""What our records know of the people a conversation is about: to be hidden by value."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.commerce.customers import Address, Customer
from opsbot.commerce.orders import Order
from opsbot.commerce.payment_methods import PaymentMethod
from opsbot.commerce.shipments import Shipment
from opsbot.conversation.masking.kinds import Kind, Personal
from opsbot.conversation.masking.mask import Mask
from opsbot.conversation.models import Message, ToolCall
from opsbot.conversation.told import flatten
from opsbot.db import Database
from opsbot.toolkit.caller import Caller

FIELDS = {
    "name": Kind.NAME,
    "first_name": Kind.NAME,
    "last_name": Kind.NAME,
    "customer": Kind.NAME,
    "recipient": Kind.NAME,
    "company": Kind.COMPANY,
    "email": Kind.EMAIL,
    "sender": Kind.EMAIL,
    "to": Kind.EMAIL,
    "phone": Kind.PHONE,
    "address": Kind.STREET,
    "line1": Kind.STREET,
    "line2": Kind.STREET,
    "street": Kind.STREET,
    "city": Kind.CITY,
    "postcode": Kind.POSTCODE,
    "postal_code": Kind.POSTCODE,
    "tracking_number": Kind.NUMBER,
    "case_number": Kind.NUMBER,
    "return_number": Kind.NUMBER,
}
"""Fields of results with personal data, by lower-case name, and what stands in them."""
_CAPITAL = "[A-ZÀ-ÖØ-Þ]"
_OF_A_PERSON = re.compile(
    rf"{_CAPITAL}[\w'’.-]*(?:\s+(?:[a-z]{{2,3}}\s+){{0,2}}{_CAPITAL}[\w'’.-]*){{1,4}}"  # noqa: RUF001
)
_NUMBER = re.compile(r"#\d{3,}|\bC-\d{3,}\b")
_MOST_PEOPLE = 40
"""People whose data is looked up for one result."""
_MOST_ORDERS = 200
_MOST_CALLS = 60
"""Earlier results of a conversation that are looked through."""


class Masking:
    """Makes the masks of conversations, and lets them learn from records."""

    def __init__(self, database: Database, secret: bytes, personal: frozenset[str]) -> None:
        """`personal`: names of the tools whose results are declared to hold personal data."""
        self._database = database
        self._secret = secret
        self._personal = personal

    def open(self, caller: Caller, conversation_id: str, texts: Sequence[str]) -> Mask:
        """Return the mask of a turn: it knows the caller, and whom the conversation was about.

        Args:
            caller: who is asking.
            conversation_id: where.
            texts: what was said in it so far.
        """
        mask = Mask(self._secret, conversation_id, locale=caller.locale)
        with self._database.read() as session:
            mask.know(self._known_before(session, caller, conversation_id, texts))
        return mask

    def learn(self, mask: Mask, caller: Caller, tool: str, told: Mapping[str, Any]) -> None:
        """Let a mask know what a result holds, before a model is told of it."""
        if tool in self._personal:
            mask.know(values_in(told))
        with self._database.read() as session:
            people = _people_named(session, [flatten(told)])
            if caller.customer_id is not None:
                people.add(caller.customer_id)
            mask.know(values_of(session, people))

    def _known_before(
        self, session: Session, caller: Caller, conversation_id: str, said: Sequence[str]
    ) -> Iterator[Personal]:
        own = set() if caller.customer_id is None else {caller.customer_id}
        texts = list(said)
        earlier = session.execute(
            sa.select(ToolCall.name, ToolCall.outcome)
            .join(Message, Message.id == ToolCall.message_id)
            .where(Message.conversation_id == conversation_id)
            .order_by(ToolCall.id.desc())
            .limit(_MOST_CALLS)
        )
        for name, told in earlier:
            texts.append(flatten(told))
            if name in self._personal:
                yield from values_in(told)
        named = _people_named(session, texts) if caller.is_staff else set[int]()
        yield from values_of(session, own | named)


def values_of(session: Session, people: Iterable[int]) -> Iterator[Personal]:
    """Yield what customers are called by, and where they are found: all of their own records."""
    ids = sorted(people)
    for customer in session.scalars(sa.select(Customer).where(Customer.id.in_(ids))):
        yield from _name(customer.name)
        yield Personal(Kind.EMAIL, customer.email)
        yield Personal(Kind.NUMBER, customer.number)
        yield Personal(Kind.PHONE, customer.phone or "")
        yield Personal(Kind.COMPANY, customer.company or "")
    for address in session.scalars(sa.select(Address).where(Address.customer_id.in_(ids))):
        parts = ("name", "line1", "line2", "city", "postal_code")
        yield from _place({part: getattr(address, part) for part in parts})
    orders = sa.select(Order.id, Order.number, Order.ship_to).where(Order.customer_id.in_(ids))
    latest = session.execute(orders.order_by(Order.id.desc()).limit(_MOST_ORDERS)).all()
    for _, number, ship_to in latest:
        yield Personal(Kind.ORDER, number)
        yield from _place(ship_to)
    own = sa.select(Shipment.tracking_number).where(Shipment.order_id.in_([o.id for o in latest]))
    for number in session.scalars(own):
        yield Personal(Kind.NUMBER, number)
    methods = sa.select(PaymentMethod).where(PaymentMethod.customer_id.in_(ids))
    for method in session.scalars(methods):
        yield Personal(Kind.PAYMENT, method.last4 or "")


def values_in(told: Any, field: str = "") -> Iterator[Personal]:
    """Yield what stands in the personal fields of a result, and in the columns called like them."""
    if isinstance(told, Mapping):
        columns = [str(one).lower() for one in told.get("columns") or ()]
        for row in told.get("rows") or () if columns else ():
            if isinstance(row, list | tuple):
                for name, value in zip(columns, row, strict=False):
                    yield from values_in(value, name)
        for key, value in told.items():
            yield from values_in(value, str(key).lower())
    elif isinstance(told, list | tuple):
        for value in told:
            yield from values_in(value, field)
    elif isinstance(told, str) and field in FIELDS:
        yield from _parts(FIELDS[field], told)


def _parts(kind: Kind, text: str) -> Iterator[Personal]:
    """Yield a value, and what it is made of: a name's words, the lines of an address."""
    if kind is Kind.NAME:
        # "PayPal" and "store credit" are names too, but of nobody.
        yield from _name(text) if _OF_A_PERSON.fullmatch(text) else ()
    elif kind is Kind.STREET:
        for line in re.split(r"[,\n]+", text):
            yield from _street(line.strip()) if re.search(r"\d", line) else ()
    elif kind is not Kind.EMAIL or "@" in text:
        yield Personal(kind, text)


def _place(address: Mapping[str, Any]) -> Iterator[Personal]:
    yield from _name(str(address.get("name") or ""))
    for line in ("line1", "line2"):
        yield from _street(str(address.get(line) or ""))
    yield Personal(Kind.CITY, str(address.get("city") or ""))
    yield Personal(Kind.POSTCODE, str(address.get("postal_code") or ""))


def _street(line: str) -> Iterator[Personal]:
    yield Personal(Kind.STREET, line)
    bare = re.sub(r"\b\d+\s?[a-z]?\b", "", line, flags=re.IGNORECASE).strip(" ,.-")
    if len(bare) > 3 and bare != line:  # noqa: PLR2004  (the name of the street alone)
        yield Personal(Kind.STREET, bare)


def _name(name: str) -> Iterator[Personal]:
    yield Personal(Kind.NAME, name)
    words = name.split()
    for word in words if len(words) > 1 else ():
        if word[0].isupper():
            yield Personal(Kind.NAME, word)


def _people_named(session: Session, texts: Iterable[str]) -> set[int]:
    """Return the customers whose number, or the number of whose order, stands in texts."""
    numbers = sorted({number for text in texts for number in _NUMBER.findall(text)})[:_MOST_PEOPLE]
    if not numbers:
        return set()
    owners = sa.select(Order.customer_id).where(Order.number.in_(numbers))
    called = sa.select(Customer.id).where(Customer.number.in_(numbers))
    return {*session.scalars(owners), *session.scalars(called)}
