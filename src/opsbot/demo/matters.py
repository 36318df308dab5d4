"""Cases: what people of the shop must look at, or did."""

from datetime import datetime, timedelta

from opsbot.commerce.cases import FIRST_RESPONSE, Case, CaseKind, CaseState
from opsbot.commerce.numbers import NumberKind
from opsbot.commerce.returns import Return, ReturnState
from opsbot.demo.parcels import Fate
from opsbot.demo.sales import Sale
from opsbot.demo.stories import STORIES
from opsbot.demo.world import World

_QUESTIONS = (
    ("Invoice with a VAT number", "The customer asks for an invoice with their company's number."),
    ("A gift note was missing", "The note that was ordered with the parcel was not in it."),
    ("Which LED module fits?", "The customer is not sure which module fits an older lamp."),
    ("Wholesale terms", "A shop asks for our terms for retail partners."),
    ("Colour of a glaze", "The customer wants to know how the moss glaze looks in daylight."),
)


def add_cases(world: World, sales: list[Sale]) -> None:
    """Add a case for each lost or refused parcel, some late ones, faults and questions.

    The orders of the tour stay without: an open case would keep their customer from being asked.
    """
    told = {story.number for story in STORIES}
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
        state = world.random.choice([CaseState.OPEN, CaseState.WAITING_CUSTOMER])
    done = state in {CaseState.RESOLVED, CaseState.CLOSED}
    world.add(
        Case,
        number=world.number(NumberKind.CASE),
        kind=kind,
        state=state,
        subject=subject,
        summary=summary,
        customer_id=sale.person.id,
        order_id=sale.id,
        created_at=opened,
        first_response_due=opened + FIRST_RESPONSE[kind],
        resolved_at=opened + timedelta(days=2) if done else None,
    )
