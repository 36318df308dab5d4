"""Where a customer's parcels are."""

from opsbot.commerce.orders import OrderState
from opsbot.toolkit.arguments import OrderNumber
from opsbot.toolkit.caller import Level
from opsbot.toolkit.ownership import own_order
from opsbot.toolkit.results import Result
from opsbot.toolkit.telling import (
    order_in_words,
    outbound_parcels,
    parcel_card,
    parcel_in_words,
)
from opsbot.toolkit.tool import ToolContext, tool


@tool(
    examples=[
        "Where is my parcel?",
        "where is my lamp?",
        "where's the mug I ordered",
        "Track order #1004",
        "give me the tracking number please",
        "which carrier delivers my package",
        "has the package left your warehouse already?",
        "What does DHL say about my delivery?",
        "my parcel hasn't moved for days",
        "is it out for delivery today?",
        "follow my shipment",
        "when does the package get here",
        "Tracking link for order 1015?",
    ],
    label="Looking up the parcel",
    level=Level.ORDER,
    pii="masked",
)
def track_shipment(ctx: ToolContext, order_number: OrderNumber) -> Result:
    """Tell where the parcels of an order are: carrier, number, last scan, expected day."""
    order = own_order(ctx, order_number)
    parcels = outbound_parcels(ctx, order)
    facts = {
        "order_number": order.number,
        "state": order.state.value,
        "shipped": any(parcel.shipped_at for parcel in parcels),
        "delivered": order.delivered_at is not None,
        "cancelled": order.state is OrderState.CANCELLED,
        "parcels": [
            {
                "carrier": parcel.carrier,
                "tracking_number": parcel.tracking_number,
                "state": parcel.state.value,
                "needs": parcel.needs.value if parcel.needs else None,
            }
            for parcel in parcels
        ],
        "as_of": ctx.moment(ctx.now),
    }
    if not parcels:
        words = f"{order_in_words(ctx, order, parcels)} There is no parcel of it yet."
        return Result(words, facts=facts)
    lines = [f"- {parcel_in_words(ctx, parcel)}" for parcel in parcels]
    count = f" It travels in {len(parcels)} parcels." if len(parcels) > 1 else ""
    head = f"{order_in_words(ctx, order, parcels)}{count}"
    cards = [parcel_card(ctx, parcel) for parcel in parcels]
    return Result("\n".join((head, "", *lines)), facts=facts, cards=cards)
