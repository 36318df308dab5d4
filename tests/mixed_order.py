"""An order of several items for Ada, to cancel parts of."""

from sqlalchemy.orm import Session

from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order, SalesChannel
from opsbot.commerce.payment_methods import MethodKind, PaymentMethod
from opsbot.commerce.products import Item
from opsbot.commerce.reservations import reserve
from tests.factories import NOON, make_line, make_order, make_payment

MUG, LAMP = "Kiln mug, moss", "Ember bedside lamp, sage"
SIGN = "Engraved oak name sign"


def add_mixed_order(session: Session, ada: int, *, card: int | None = None) -> Order:
    """Store #1005: a lamp for €79.00, three mugs for €24.00 each, a sign for €45.00; €200.90.

    Args:
        session: an open transaction.
        ada: key of the customer.
        card: in minor units what a stored gift card paid of it; the rest a card did. None: all
            of it by card.
    """
    goods = {"LL-LMP-02-SGE": 1, "LL-MUG-01-MOS": 3, "LL-ENG-01": 1}
    lines = [make_line(session.get_one(Item, sku), count) for sku, count in goods.items()]
    channel = session.query(SalesChannel).filter_by(code="web").one()
    customer = session.get_one(Customer, ada)
    order = make_order(customer, "#1005", lines=lines, channel=channel, placed_at=NOON, paid=False)
    order.payments = [make_payment(order.total_minor - (card or 0))]
    if card:
        gift = session.query(PaymentMethod).filter_by(kind=MethodKind.GIFT_CARD).one()
        order.payments.append(
            make_payment(card, method="gift_card", payment_method=gift, gateway_ref="gift")
        )
    session.add(order)
    session.flush()
    for line in lines:
        reserve(session, line.sku, line.quantity, order_line_id=line.id, at=NOON)
    return order
