"""Cases: what people of the shop must look at, or did."""

from datetime import datetime, timedelta

from opsbot.commerce.cases import (
    ENDED,
    Case,
    CaseKind,
    CasePriority,
    CaseState,
    due_times,
)
from opsbot.commerce.numbers import NumberKind
from opsbot.commerce.returns import Return, ReturnState
from opsbot.demo.parcels import Fate
from opsbot.demo.sales import Sale
from opsbot.demo.stories import STORIES
from opsbot.demo.world import World
from opsbot.planning.office_hours import OfficeHours

_MIDDLE = (CaseState.OPEN, CaseState.WAITING_CUSTOMER, CaseState.WAITING_INTERNAL)

_QUESTIONS = (
    ("Invoice with a VAT number", "The customer asks for an invoice with their company's number."),
    ("A gift note was missing", "The note that was ordered with the parcel was not in it."),
    ("Which LED module fits?", "The customer is not sure which module fits an older lamp."),
    ("Wholesale terms", "A shop asks for our terms for retail partners."),
    ("Colour of a glaze", "The customer wants to know how the moss glaze looks in daylight."),
)


_SPECIAL = (
    (
        CaseKind.QUALITY,
        "The lamp of {order} smells burnt",
        "The customer unplugged the lamp; it smelt burnt after an hour. Nobody was hurt.",
        1,
        CaseState.NEW,
        CasePriority.URGENT,
    ),
    (
        CaseKind.PRIVACY,
        "The customer of {order} asks for a copy of their data",
        "The customer asks for a copy of their data, proved by a fresh code.",
        24 * 9,
        CaseState.OPEN,
        CasePriority.NORMAL,
    ),
    (
        CaseKind.SUPPLIER,
        "The last walnut blanks were damp",
        "The blanks of the last delivery have 14 % moisture; agreed are 10 %.",
        24 * 3,
        CaseState.WAITING_INTERNAL,
        CasePriority.NORMAL,
    ),
)


def add_cases(world: World, sales: list[Sale]) -> None:
    """Add a case for each lost or refused parcel, some late ones, faults and questions.

    The orders of the tour stay without: an open case would keep their customer from being asked.
    """
    told = {story.number for story in STORIES}
    _add_late_parcel(world, sales)
    sales = [sale for sale in sales if sale.number not in told]
    for sale in sales:
        if sale.fate in {Fate.LOST, Fate.REFUSED} and sale.shipped:
            silent = sale.placed_at + timedelta(days=10)
            word = "lost" if sale.fate is Fate.LOST else "refused"
            _add(
                world,
                CaseKind.DELIVERY,
                f"Parcel of {sale.number} {word}",
                f"The parcel of order {sale.number} counts as {word}.",
                min(silent, world.today - timedelta(hours=9)),
                sale,
            )
        late = sale.delivered_at is not None and sale.delivered_at > sale.promised_by
        if late and world.chance(0.3):
            text = f"The customer asks where the parcel of order {sale.number} is."
            opened = sale.promised_by + timedelta(hours=16)
            _add(world, CaseKind.DELIVERY, f"Where is {sale.number}?", text, opened, sale)
    _add_faults(world, sales)
    for _ in range(24):
        subject, summary = world.random.choice(_QUESTIONS)
        sale = world.random.choice(sales)
        opened = world.today - world.between(2, 24 * 300)
        _add(world, CaseKind.SUPPORT, subject, summary, max(opened, sale.placed_at), sale)

    _add_special(world, sales)


def _add_late_parcel(world: World, sales: list[Sale]) -> None:
    """Let Ana ask where her parcel is: the one open case of a story."""
    sale = next((one for one in sales if one.number == "#1008" and one.shipped), None)
    if sale is None:
        return
    asks = f"My parcel of order {sale.number} has not come. When will it be here?"
    opened = world.today - timedelta(hours=20)
    subject = f"Late parcel of {sale.number}"
    add_case(world, CaseKind.DELIVERY, subject, asks, opened, sale, CaseState.NEW)


def _add_special(world: World, sales: list[Sale]) -> None:
    """Add what does not come up by itself: danger, a request about data, a doubt of a supplier."""
    shipped = [sale for sale in sales if sale.delivered_at is not None][-40:]
    for kind, subject, summary, hours, state, priority in _SPECIAL:
        sale = world.random.choice(shipped)
        opened = world.today - timedelta(hours=hours)
        words = subject.format(order=sale.number)
        add_case(world, kind, words, summary, opened, sale, state, priority)


def _add_faults(world: World, sales: list[Sale]) -> None:
    orders = {sale.id: sale for sale in sales}
    for opened in world.rows[Return]:
        if opened["state"] is ReturnState.REQUESTED:
            sale = orders.get(opened["order_id"])
            if sale is None:
                continue
            summary = f"Return {opened['number']} claims a fault; look at it."
            subject = f"Fault on {sale.number}"
            _add(world, CaseKind.QUALITY, subject, summary, opened["requested_at"], sale)


def _add(
    world: World, kind: CaseKind, subject: str, summary: str, opened: datetime, sale: Sale
) -> None:
    age = world.today - opened
    state = CaseState.NEW
    if age > timedelta(days=7):
        state = CaseState.CLOSED if age > timedelta(days=21) else CaseState.RESOLVED
    elif age > timedelta(days=1):
        state = world.random.choice(_MIDDLE)
    add_case(world, kind, subject, summary, opened, sale, state)


def add_case(
    world: World,
    kind: CaseKind,
    subject: str,
    summary: str,
    opened: datetime,
    sale: Sale,
    state: CaseState,
    priority: CasePriority = CasePriority.NORMAL,
) -> None:
    """Add a case in a state, with times that fit it."""
    answer_by, end_by = due_times(kind, priority, now=opened, hours=OfficeHours())
    answered = min(answer_by - timedelta(hours=1), world.today)
    done = state in ENDED
    key = world.add(
        Case,
        number=world.number(NumberKind.CASE),
        kind=kind,
        state=state,
        priority=priority,
        subject=subject,
        summary=summary,
        customer_id=sale.person.id,
        order_id=sale.id,
        created_at=opened,
        first_response_due=answer_by,
        first_response_at=None if state is CaseState.NEW else max(opened, answered),
        resolution_due=end_by,
        waiting_since=answered if state is CaseState.WAITING_CUSTOMER else None,
        resolved_at=min(opened + timedelta(days=2), world.today) if done else None,
    )
    world.note(Case, key, "case_opened", opened, actor=f"customer:{sale.person.id}")
