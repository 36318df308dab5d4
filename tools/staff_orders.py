"""One order, or one customer, with everything that belongs to it: for staff."""

from typing import Annotated, Any

from opsbot.commerce.orders import Fulfilment, Order, OrderLine
from opsbot.commerce.payments import PaymentKind, PaymentStatus
from opsbot.commerce.returns import Return
from opsbot.commerce.shipments import Direction, Shipment, ShipmentState
from opsbot.metrics import overviews
from opsbot.metrics.overviews import CustomerOverview, Moment, OrderOverview
from opsbot.toolkit.arguments import OrderNumber, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.results import Column, Result, Table
from opsbot.toolkit.tables import count, make_table, table_facts
from opsbot.toolkit.telling import items_in_words, order_card, parcel_card
from opsbot.toolkit.tool import ToolContext, tool

ROLES = ("agent", "ops", "lead", "manager")

CustomerText = Annotated[
    str,
    argument(
        "customer",
        "Which customer? An e-mail address, a number such as C-1001, or a name.",
        description="E-mail address, customer number such as C-1001, or name.",
        # A name is two words or more with a capital each, or whatever follows "customer".
        pattern=r"\bC-\d{1,7}\b|[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"
        r"|\bcustomer (?:called |named )?((?-i:[^\W\da-z_][\w'-]+(?: [^\W\da-z_][\w'-]+)*))"
        r"|(?!(?:Has|Is|Who|What|When|Why|How|Did|Does|Show|Tell|Look|Find|Give|Pull|List|Open)\b)"
        r"\b(?-i:[^\W\da-z_][\w'-]+(?: [^\W\da-z_][\w'-]+)+)",
        min_length=2,
        max_length=254,
    ),
]


@tool(
    examples=[
        "why has #1033 not left yet?",
        "Show me everything about order #1001",
        "what happened with order 1010",
        "Give me the history of order #1020",
        "is order 1012 paid and packed?",
        "order 1004 at a glance",
        "Pull up #1007 for me",
        "where is the parcel of order 1003 and who is the customer",
        "What did we refund on order 1001?",
        "any open case on order #1011?",
    ],
    label="Gathering the order",
    audience=Audience.STAFF,
    roles=ROLES,
    pii="full",
)
def order_overview(ctx: ToolContext, order_number: OrderNumber) -> Result:
    """Show one order with everything that belongs to it.

    Lines, money, parcels with their last scan, returns, cases and history.
    """
    found = overviews.order_overview(ctx.session, order_number)
    order = found.order
    state = f"{_standing(order)}, {_words(found.payment)}"
    lines = [
        f"**Order {order.number} of {order.customer.name} is {state}.**",
        "",
        f"- {items_in_words(order)}; {_money(ctx, found)}",
        f"- {_promise(ctx, found)}",
    ]
    if around := _around(found):
        lines.append(f"- {around}")
    table = _history_table(ctx, found)
    cards = [order_card(ctx, order, _outbound(found))]
    cards += [parcel_card(ctx, shipment) for shipment in found.shipments]
    return Result("\n".join(lines), facts=_order_facts(ctx, found, table), cards=cards, table=table)


@tool(
    examples=[
        "Show me the customer ada@example.com",
        "Who is C-1001 and what have they bought?",
        "everything about customer Ben Okafor",
        "customer history of clara@example.com",
        "How much has Ada Brandt spent with us?",
        "list all orders of customer C-1002",
        "does this customer have open cases: ben@example.com",
        "Has Clara Dubois returned anything?",
        "look up the customer Brandt",
    ],
    label="Gathering the customer",
    audience=Audience.STAFF,
    roles=ROLES,
    pii="full",
)
def customer_overview(ctx: ToolContext, customer: CustomerText) -> Result:
    """Show one customer with everything that belongs to them: orders, money, returns, cases."""
    found = overviews.customer_overview(ctx.session, customer)
    person = found.customer
    who = f"{person.name} ({person.number})"
    orders = count(len(found.orders), "order")
    spent = [ctx.money(amount, currency) for currency, amount in found.spent_minor.items()]
    money = f", {' and '.join(spent)} paid" if spent else ""
    since = ctx.day(person.created_at)
    about = f"{person.kind.value} in {person.country}, customer since {since}"
    opt_out = "; has opted out of surveys" if person.survey_opt_out_at else ""
    lines = [
        f"**{orders} by {who}{money}; {len(found.open_orders)} open.**",
        "",
        f"- {person.email}, {about}{opt_out}",
        f"- {count(len(found.returns), 'return')}, {count(len(found.open_cases), 'open case')}",
    ]
    if found.open_cases:
        subjects = [f"{case.number} {case.subject}" for case in found.open_cases[:3]]
        lines.append(f"- Open: {'; '.join(subjects)}")
    table = _orders_table(ctx, found)
    return Result("\n".join(lines), facts=_customer_facts(ctx, found, table), table=table)


def _words(state: str) -> str:
    return str(state).replace("_", " ")


def _standing(order: Order) -> str:
    return {
        Fulfilment.DELIVERED: "delivered",
        Fulfilment.FULFILLED: "on its way",
        Fulfilment.PARTIAL: "partly shipped",
        Fulfilment.UNFULFILLED: _words(order.state),
    }[order.fulfilment]


def _outbound(found: OrderOverview) -> list[Shipment]:
    return [
        shipment
        for shipment in found.shipments
        if shipment.direction is Direction.OUTBOUND
        and shipment.state is not ShipmentState.CANCELLED
    ]


def _money(ctx: ToolContext, found: OrderOverview) -> str:
    order = found.order
    words = f"total {ctx.money(order.total_minor, order.currency)}"
    for kind, said in ((PaymentKind.CAPTURE, "paid"), (PaymentKind.REFUND, "refunded")):
        amount = sum(payment.amount_minor for payment in found.payments if payment.kind is kind)
        if amount or kind is PaymentKind.CAPTURE:
            words += f", {said} {ctx.money(amount, order.currency)}"
    return words


def _promise(ctx: ToolContext, found: OrderOverview) -> str:
    order = found.order
    if order.on_hold:
        return f"On hold: {order.hold_reason or 'no reason is written down'}"
    if order.cancelled_at:
        return f"Cancelled on {ctx.day(order.cancelled_at)}: {order.cancel_reason or 'no reason'}"
    if order.delivered_at:
        late = "late: " if order.delivered_at > order.promised_delivery_by else ""
        promised = ctx.day(order.promised_delivery_by)
        return f"Delivered on {ctx.day(order.delivered_at)}, {late}promised by {promised}"
    ship, arrive = order.promised_ship_by, order.promised_delivery_by
    is_late = ctx.now > (arrive if order.fulfilment is Fulfilment.FULFILLED else ship)
    words = f"Promised to leave by {ctx.day(ship)} and to arrive by {ctx.day(arrive)}"
    return f"{words}: late" if is_late else words


def _around(found: OrderOverview) -> str:
    """Name the last scan, the returns and the cases."""
    words = []
    for shipment in found.shipments[-1:]:
        last = f", last scan: {shipment.events[-1].message}" if shipment.events else ""
        words.append(
            f"{shipment.carrier} {shipment.tracking_number}: {_words(shipment.state)}{last}"
        )
    words += [f"{one.number}: return {_words(one.state)}" for one in found.returns]
    words += [f"{case.number}: {case.subject} ({_words(case.state)})" for case in found.cases]
    return "; ".join(words)


def _history_table(ctx: ToolContext, found: OrderOverview) -> Table | None:
    money = [
        Moment(
            payment.at,
            f"{payment.kind.value} {ctx.money(payment.amount_minor, found.order.currency)}"
            f" ({_words(payment.method)})",
            "payment",
        )
        for payment in found.payments
    ]
    moments = sorted([*found.history, *money], key=lambda moment: moment.at, reverse=True)
    return make_table(
        f"History of order {found.order.number}, the newest first",
        [Column("at", "When"), Column("what", "What"), Column("who", "Who")],
        [(ctx.moment(moment.at), moment.what, moment.who) for moment in moments],
    )


def _order_facts(ctx: ToolContext, found: OrderOverview, table: Table | None) -> dict[str, Any]:
    order = found.order
    return {
        "order_number": order.number,
        "customer": order.customer.name,
        "channel": order.channel.name,
        "state": order.state.value,
        "payment": found.payment.value,
        "fulfilment": order.fulfilment.value,
        "on_hold": order.hold_reason if order.on_hold else None,
        "placed": ctx.day(order.placed_at),
        "lines": [_line_facts(ctx, order, line) for line in order.lines],
        "returns": [_return_facts(ctx, order, one) for one in found.returns],
        "cases": [
            {"number": case.number, "subject": case.subject, "state": case.state.value}
            for case in found.cases
        ],
        "history": table_facts(table),
        "as_of": ctx.moment(ctx.now),
    }


def _line_facts(ctx: ToolContext, order: Order, line: OrderLine) -> dict[str, Any]:
    return {
        "title": line.title,
        "quantity": line.quantity,
        "cancelled": line.cancelled,
        "shipped": line.shipped,
        "delivered": line.delivered,
        "returned": line.returned,
        "unit_price": ctx.money(line.unit_price_minor, order.currency),
    }


def _return_facts(ctx: ToolContext, order: Order, one: Return) -> dict[str, Any]:
    return {
        "number": one.number,
        "state": one.state.value,
        "items": [f"{line.quantity} x {line.order_line.title}" for line in one.lines],
        "reasons": sorted({_words(line.reason) for line in one.lines if line.reason}),
        "refund": ctx.money(one.refund_minor, order.currency),
    }


def _orders_table(ctx: ToolContext, found: CustomerOverview) -> Table | None:
    columns = [
        Column("number", "Order"),
        Column("placed", "Placed"),
        Column("items", "Items"),
        Column("total", "Total"),
        Column("state", "State"),
        Column("payment", "Payment"),
    ]
    rows = [
        (
            order.number,
            ctx.day(order.placed_at),
            items_in_words(order),
            ctx.money(order.total_minor, order.currency),
            _words(order.state),
            _words(found.payments.get(order.id, PaymentStatus.NOT_PAID)),
        )
        for order in found.orders
    ]
    return make_table(f"Orders of {found.customer.name}, the newest first", columns, rows)


def _customer_facts(
    ctx: ToolContext, found: CustomerOverview, table: Table | None
) -> dict[str, Any]:
    return {
        "customer": found.customer.name,
        "number": found.customer.number,
        "kind": found.customer.kind.value,
        "country": found.customer.country,
        "orders": table_facts(table),
        "open_orders": [order.number for order in found.open_orders],
        "returns": [{"number": one.number, "state": one.state.value} for one in found.returns],
        "open_cases": [
            {"number": case.number, "subject": case.subject} for case in found.open_cases
        ],
        "as_of": ctx.moment(ctx.now),
    }
