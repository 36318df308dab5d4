"""Where a person is named in records that are not theirs.

A member of staff looked them up by their address, the shop's system delivered their order, a
colleague's proposal holds their telephone number: no foreign key leads from them to such a row.
Only what names one person alone is looked for here, never a first name.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.commerce.customers import Address, Customer
from opsbot.commerce.orders import Order
from opsbot.connectors.inbox import InboxEvent, InboxState
from opsbot.db import Base
from opsbot.toolkit.audit import AuditEvent

FORGOTTEN = "The person it was about is anonymous now."
_AT_ONCE = 500
_SHORTEST = 8
"""Characters of a name, street or number that means one person alone; addresses are any length."""
_MAY_NAME_ANYBODY = (
    "cases",
    "drafts",
    "effects",
    "events",
    "feedback",
    "fetched_mails",
    "history",
    "improvements",
    "incoming_mails",
    "jobs",
    "repeats",
    "messages",
    "outgoing_mails",
    "proposals",
    "tool_calls",
)
"""Tables with words or payloads whose rows need not belong to the person they name."""


@dataclass(frozen=True)
class Names:
    """What one person alone is called by."""

    words: tuple[str, ...]

    @property
    def pattern(self) -> re.Pattern[str]:
        """What finds them in a text, whole words only."""
        known = sorted(self.words, key=len, reverse=True)
        either = "|".join(map(re.escape, known))
        return re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)

    def stand_in(self, *columns: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Return what a database can ask a column first: written plainly, or escaped in JSON."""
        spelled = {form for word in self.words for form in (word, word.lower(), word.upper())}
        escaped = {json.dumps(form)[1:-1] for form in spelled}
        forms = {form.lower() for form in spelled | escaped}
        return sa.or_(
            *(
                sa.cast(column, sa.Text).icontains(form, autoescape=True)
                for column in columns
                for form in sorted(forms)
            )
        )


def names_of(session: Session, customer: Customer) -> Names:
    """Return what means this customer alone: mail address, full name, number, streets."""
    streets = {customer.name, customer.phone or "", re.sub(r"[^\d+]", "", customer.phone or "")}
    addresses = sa.select(Address).where(Address.customer_id == customer.id)
    for one in session.scalars(addresses):
        streets |= {one.name, one.line1}
    sent_to = sa.select(Order.ship_to).where(Order.customer_id == customer.id)
    for ship_to in session.scalars(sent_to):
        streets |= {str(ship_to.get(key) or "") for key in ("name", "line1")}
    words = {customer.email} | {word for word in streets if len(word) >= _SHORTEST}
    return Names(tuple(sorted(words)))


def places_that_may_name_anybody() -> Iterator[sa.Table]:
    """Yield the tables to look through."""
    for name in _MAY_NAME_ANYBODY:
        yield Base.metadata.tables[name]


def rows_naming(
    session: Session, table: sa.Table, columns: Sequence[sa.Column[Any]], names: Names
) -> set[Any]:
    """Return the first key of each row of a table that may name a person."""
    key = next(iter(table.primary_key.columns))
    return set(session.scalars(sa.select(key).where(names.stand_in(*columns))))


def forget_deliveries(session: Session, names: Names) -> int:
    """Empty the webhooks that name a person; what waits is not handled any more."""
    emptied = session.scalars(
        sa.update(InboxEvent)
        .where(names.stand_in(InboxEvent.__table__.c.body))
        .values(
            body="{}",
            reason=FORGOTTEN,
            state=sa.case(
                (InboxEvent.state == InboxState.HANDLED, InboxState.HANDLED),
                else_=InboxState.IGNORED,
            ),
        )
        .returning(InboxEvent.id)
        .execution_options(synchronize_session=False)
    )
    return len(emptied.all())


def audited_about(
    session: Session, customer: Customer, names: Names, proposals: Sequence[str]
) -> set[int]:
    """Return the numbers of audit rows whose personal part is about a customer.

    Args:
        session: an open transaction.
        customer: who.
        names: what they are called by.
        proposals: ids of the proposals that are about them.
    """
    own = AuditEvent.actor == f"customer:{customer.id}"
    columns = AuditEvent.__table__.c
    about = sa.or_(own, names.stand_in(columns.personal))
    numbers = sa.select(AuditEvent.number).where(AuditEvent.personal_hash.is_not(None))
    alive = AuditEvent.salt.is_not(None)
    found = set(session.scalars(numbers.where(alive, about)))
    known = AuditEvent.detail["proposal"].as_string()
    for start in range(0, len(proposals), _AT_ONCE):
        part = proposals[start : start + _AT_ONCE]
        found |= set(session.scalars(numbers.where(alive, known.in_(part))))
    return found
